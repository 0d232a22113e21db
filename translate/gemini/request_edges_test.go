package gemini

import (
	"reflect"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/go-json-experiment/json/jsontext"
)

// Functions in the deprecated form are called one at a time, which nobody has asked for:
// it is no loss that the provider cannot promise it.
func TestDeprecatedFunctionsLoseNothing(t *testing.T) {
	t.Parallel()
	req := translate.Request{
		Model: "gemini-2.5-pro", Turns: []translate.Turn{user("Hi")}, Tools: []translate.Tool{function("f", "")},
		Choice: translate.ToolChoice{Mode: translate.ToolNamed, Names: []string{"f"}, Parallel: new(false)}, Params: translate.Params{LegacyFunctions: true},
	}
	if enc := encode(t, req, Options{Reject: true}); len(enc.Dropped) > 0 {
		t.Errorf("dropped are %v", enc.Dropped)
	}
	req.Choice.Names = []string{"g"}
	if _, err := EncodeRequest(&req, Options{}); err == nil || err.Param != "function_call" {
		t.Errorf("an undeclared function gives %+v", err)
	}
	req.Choice.Names, req.Params.LegacyFunctions = []string{"f"}, false
	if enc := encode(t, req, Options{}); !reflect.DeepEqual(enc.Dropped, []string{"parallel_tool_calls"}) {
		t.Errorf("asked by the client itself, dropped are %v", enc.Dropped)
	}
}

// OpenAI's clients give every tool a type; the provider's tools have none.
func TestOwnToolsWithAType(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]any{
		`{"type":"url_context","url_context":{}}`:                        map[string]any{"urlContext": map[string]any{}},
		`{"googleMaps":{"enable_widget":true},"type":"google_maps"}`:     map[string]any{"googleMaps": map[string]any{"enableWidget": true}},
		`{"code_execution": {} }`:                                        map[string]any{"codeExecution": map[string]any{}},
		`{"type":"web_search"}`:                                          nil,
		`{"type":"x","url_context":{},"strict":true}`:                    nil,
		`{"type":"web_search_20250305","name":"web_search"}`:             nil,
		`{"type":"file_search","file_search":{"file_search_store":"a"}}`: map[string]any{"fileSearch": map[string]any{"fileSearchStore": "a"}},
	} {
		req := translate.Request{Model: "gemini-3-pro", Turns: []translate.Turn{user("Hi")}, Tools: []translate.Tool{{Kind: translate.ToolRaw, Raw: jsontext.Value(raw), Path: "tools[0]"}}}
		if got := at(body(t, req, Options{}), "tools", 0); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the tool is %v", raw, got)
		}
		if dropped := encode(t, req, Options{}).Dropped; (len(dropped) == 1) != (want == nil) {
			t.Errorf("%s: dropped are %v", raw, dropped)
		}
	}
}
