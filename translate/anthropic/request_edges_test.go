package anthropic

import (
	"reflect"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// A client that writes functions in the deprecated form is told of the parameter that it
// sent, not of the one that replaced it.
func TestChoiceOfADeprecatedFunctionIsNamed(t *testing.T) {
	t.Parallel()
	for legacy, want := range map[bool]string{true: "function_call", false: "tool_choice"} {
		req := request("claude-opus-5-5", user("Hi"))
		req.Tools = []translate.Tool{function("f", ""), function("g", "")}
		req.Choice = translate.ToolChoice{Mode: translate.ToolNamed, Names: []string{"g"}}
		req.Params.LegacyFunctions = legacy
		if enc, _ := encode(t, req, Options{}); !reflect.DeepEqual(enc.Dropped, []string{want}) {
			t.Errorf("legacy %t: dropped are %v", legacy, enc.Dropped)
		}
		if _, err := EncodeRequest(req, Options{Reject: true}); err == nil || err.Param != want {
			t.Errorf("legacy %t: strict mode says %+v", legacy, err)
		}
		req.Choice.Names = []string{"h"}
		if _, err := EncodeRequest(req, Options{}); err == nil || err.Param != want {
			t.Errorf("legacy %t: an undeclared function gives %+v", legacy, err)
		}
	}
}

// DeepSeek, GLM and Kimi have a parameter "thinking" too, which is refused here.
func TestThinkingOfAnotherVendorIsDropped(t *testing.T) {
	t.Parallel()
	for value, sent := range map[string]string{
		`{"type":"enabled"}`:                         "",
		`{"type":"enabled","clear_thinking":true}`:   "",
		`{"type":"enabled","budget_tokens":2048}`:    `{"type":"enabled","budget_tokens":2048}`,
		`{"type":"disabled"}`:                        `{"type":"disabled"}`,
		`{"type":"adaptive","display":"summarized"}`: `{"type":"adaptive","display":"summarized"}`,
	} {
		req := request("claude-sonnet-4-5", user("Hi"))
		req.Extra = []translate.Member{{Name: "thinking", Value: jsontext.Value(value)}}
		enc, m := encode(t, req, Options{})
		if string(m["thinking"]) != sent || (len(enc.Dropped) == 1 && enc.Dropped[0] == "thinking") != (sent == "") {
			t.Errorf("%s: thinking is %s, dropped are %v", value, m["thinking"], enc.Dropped)
		}
	}
	req := request("claude-sonnet-4-5", user("Hi"))
	req.Extra = []translate.Member{{Name: "thinking", Value: jsontext.Value(`{"type":"enabled"}`)}}
	req.Params.Effort = "low"
	if _, m := encode(t, req, Options{}); string(m["thinking"]) != `{"type":"enabled","budget_tokens":2048}` {
		t.Errorf("beside an effort thinking is %s", m["thinking"])
	}
}

// The API refuses two tools of one name, and calls that it cannot make are not forced.
func TestToolsThatCannotBeDeclared(t *testing.T) {
	t.Parallel()
	custom := translate.Tool{Kind: translate.ToolCustom, Name: "f"}
	raw := translate.Tool{Kind: translate.ToolRaw, Raw: jsontext.Value(`{"type":"web_search_preview"}`), Path: "tools[0]"}
	for name, tc := range map[string]struct {
		tools   []translate.Tool
		mode    translate.ToolMode
		sent    string
		dropped []string
	}{
		"a function twice":           {[]translate.Tool{function("f", ""), function("g", ""), function("f", `{"type":"object","properties":{"a":{}}}`)}, 0, `[{"name":"f","input_schema":{"type":"object","properties":{}}},{"name":"g","input_schema":{"type":"object","properties":{}}}]`, nil},
		"a function, a custom tool":  {[]translate.Tool{function("f", ""), custom}, 0, `[{"name":"f","input_schema":{"type":"object","properties":{}}}]`, nil},
		"another vendor's":           {[]translate.Tool{raw}, 0, "", []string{"tools[0]"}},
		"another vendor's, required": {[]translate.Tool{raw}, translate.ToolRequired, "", []string{"tools[0]", "tool_choice"}},
	} {
		req := request("claude-opus-5", user("Hi"))
		req.Tools, req.Choice.Mode = tc.tools, tc.mode
		enc, m := encode(t, req, Options{})
		if string(m["tools"]) != tc.sent || !reflect.DeepEqual(enc.Dropped, tc.dropped) || enc.CustomTools != nil {
			t.Errorf("%s: tools are %s, dropped are %v, custom are %v", name, m["tools"], enc.Dropped, enc.CustomTools)
		}
	}
}
