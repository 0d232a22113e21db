package gemini

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/go-json-experiment/json/jsontext"
)

func TestToolChoice_E054(t *testing.T) {
	t.Parallel()
	tools := []translate.Tool{function("a", ""), function("b", "")}
	strict := []translate.Tool{function("a", ""), {Kind: translate.ToolFunction, Name: "b", Strict: new(true)}}
	config := func(mode string, names ...any) map[string]any {
		m := map[string]any{"mode": mode}
		if len(names) > 0 {
			m["allowedFunctionNames"] = names
		}
		return m
	}
	for name, tc := range map[string]struct {
		model  string
		tools  []translate.Tool
		choice translate.ToolChoice
		want   any
		count  int
	}{
		"default":           {"gemini-3.5-flash", tools, translate.ToolChoice{}, nil, 2},
		"auto":              {"gemini-3.5-flash", tools, translate.ToolChoice{Mode: translate.ToolAuto}, nil, 2},
		"auto, strict":      {"gemini-3.5-flash", strict, translate.ToolChoice{}, config("VALIDATED"), 2},
		"strict on old":     {"gemini-2.0-flash", strict, translate.ToolChoice{}, nil, 2},
		"none keeps tools":  {"gemini-3.5-flash", tools, translate.ToolChoice{Mode: translate.ToolNone}, config("NONE"), 2},
		"required":          {"gemini-3.5-flash", tools, translate.ToolChoice{Mode: translate.ToolRequired}, config("ANY"), 2},
		"named":             {"gemini-3.5-flash", tools, translate.ToolChoice{Mode: translate.ToolNamed, Names: []string{"b"}}, config("ANY", "b"), 2},
		"allowed, auto":     {"gemini-3.5-flash", tools, translate.ToolChoice{Mode: translate.ToolAuto, Names: []string{"b"}}, config("VALIDATED", "b"), 2},
		"allowed, required": {"gemini-3.5-flash", tools, translate.ToolChoice{Mode: translate.ToolRequired, Names: []string{"a", "b"}}, config("ANY", "a", "b"), 2},
		"allowed on old":    {"gemini-2.0-flash", tools, translate.ToolChoice{Mode: translate.ToolAuto, Names: []string{"b"}}, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := body(t, translate.Request{Model: tc.model, Tools: tc.tools, Choice: tc.choice}, Options{})
			if got := at(v, "toolConfig", "functionCallingConfig"); !reflect.DeepEqual(got, tc.want) {
				t.Errorf("functionCallingConfig %v, want %v", got, tc.want)
			}
			if decls, _ := at(v, "tools", 0, "functionDeclarations").([]any); len(decls) != tc.count {
				t.Errorf("%d declarations, want %d", len(decls), tc.count)
			}
		})
	}
	req := translate.Request{Model: "m", Turns: []translate.Turn{user("Hi")}, Tools: tools, Choice: translate.ToolChoice{Mode: translate.ToolNamed, Names: []string{"c"}}}
	if _, err := EncodeRequest(&req, Options{}); err == nil || err.Param != "tool_choice" {
		t.Errorf("an undeclared tool gave %+v", err)
	}
	enc := encode(t, translate.Request{Model: "m", Choice: translate.ToolChoice{Mode: translate.ToolRequired}}, Options{})
	if !reflect.DeepEqual(enc.Dropped, []string{"tool_choice"}) {
		t.Errorf("tool_choice without tools: dropped %v", enc.Dropped)
	}
	enc = encode(t, translate.Request{Model: "m", Tools: tools, Choice: translate.ToolChoice{Parallel: new(false)}}, Options{})
	if !reflect.DeepEqual(enc.Dropped, []string{"parallel_tool_calls"}) {
		t.Errorf("parallel_tool_calls: dropped %v", enc.Dropped)
	}
}

func TestToolNamesComeBackUnchanged_E056(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 70)
	names := []string{"fine", "a.b:c-d", "9lives", "with space", "with_space", "ümlaut", "", long, long + "y", strings.Repeat("z", 200), strings.Repeat("z", 201)}
	for _, model := range []string{"gemini-2.0-flash", "gemini-3.5-flash"} {
		limit := 64
		if model == "gemini-3.5-flash" {
			limit = 128
		}
		req := translate.Request{Model: model}
		for _, n := range names {
			req.Tools = append(req.Tools, function(n, ""))
		}
		enc := encode(t, req, Options{})
		sent := make(map[string]bool)
		for i, d := range at(body(t, req, Options{}), "tools", 0, "functionDeclarations").([]any) {
			wire := at(d, "name").(string)
			if !legalName(wire, limit) || sent[wire] {
				t.Errorf("%s: name %q is illegal or sent twice", model, wire)
			}
			sent[wire] = true
			old, renamed := enc.Names[wire]
			if !renamed {
				old = wire
			}
			want := names[i]
			if i >= 6 { // the empty name is not declared
				want = names[i+1]
			}
			if old != want {
				t.Errorf("%s: %q came back as %q, want %q", model, wire, old, want)
			}
			c := decodeEvents(t, NewDecoder(enc), parts("STOP", fmt.Sprintf(`{"functionCall":{"name":%q}}`, wire))).only(t)
			if c.tools[0].name != want {
				t.Errorf("%s: the decoder says %q, want %q", model, c.tools[0].name, want)
			}
		}
	}
	if enc := encode(t, translate.Request{Model: "m", Tools: []translate.Tool{function("fine", "")}}, Options{}); enc.Names != nil {
		t.Errorf("names without need: %v", enc.Names)
	}
}

func TestHistoryUsesTheRewrittenName(t *testing.T) {
	t.Parallel()
	v := body(t, translate.Request{Model: "m", Tools: []translate.Tool{function("my tool", "")}, Turns: []translate.Turn{
		user("Hi"), turn(translate.RoleAssistant, call("x", "my tool", ""), call("y", "my_tool", "")), result("x", "a"), result("y", "b"),
	}}, Options{})
	declared := at(v, "tools", 0, "functionDeclarations", 0, "name")
	first, second := at(v, "contents", 1, "parts", 0, "functionCall", "name"), at(v, "contents", 1, "parts", 1, "functionCall", "name")
	if declared != first || first == second || first != at(v, "contents", 2, "parts", 0, "functionResponse", "name") || second != at(v, "contents", 2, "parts", 1, "functionResponse", "name") {
		t.Errorf("declared %v, called %v and %v", declared, first, second)
	}
}

func TestDuplicateToolsAreDeclaredOnce(t *testing.T) {
	t.Parallel()
	v := body(t, translate.Request{Model: "m", Tools: []translate.Tool{function("a", ""), function("a", "")}}, Options{})
	if decls := at(v, "tools", 0, "functionDeclarations").([]any); len(decls) != 1 {
		t.Errorf("declared %v", decls)
	}
}

func TestCustomTools(t *testing.T) {
	t.Parallel()
	req := translate.Request{Model: "m", Tools: []translate.Tool{{Kind: translate.ToolCustom, Name: "my shell"}}, Turns: []translate.Turn{
		user("Hi"), turn(translate.RoleAssistant, translate.Part{Kind: translate.PartToolCall, Call: &translate.ToolCall{ID: "x", Name: "my shell", Arguments: `{"a":1}`, Custom: true}}), result("x", "ok"),
	}}
	enc := encode(t, req, Options{})
	if !reflect.DeepEqual(enc.CustomTools, []string{"my_shell"}) {
		t.Errorf("custom tools %v", enc.CustomTools)
	}
	if got := at(body(t, req, Options{}), "contents", 1, "parts", 0, "functionCall", "args", "input"); got != `{"a":1}` {
		t.Errorf("input %v", got)
	}
	c := decodeEvents(t, NewDecoder(enc), parts("STOP", `{"functionCall":{"name":"my_shell","args":{"input":"ls"}}}`)).only(t)
	if call := c.tools[0]; call.name != "my shell" || call.args != "ls" || !call.custom {
		t.Errorf("got %+v", call)
	}
}

func TestServerTools(t *testing.T) {
	t.Parallel()
	search := translate.Params{WebSearch: jsontext.Value(`{}`)}
	own := translate.Tool{Kind: translate.ToolRaw, Raw: jsontext.Value(`{"google_search": {}}`), Path: "tools[1]"}
	for name, tc := range map[string]struct {
		req     translate.Request
		opt     Options
		tools   int
		flag    any
		dropped []string
	}{
		"search alone":          {translate.Request{Model: "gemini-2.5-flash", Params: search}, Options{}, 1, nil, nil},
		"search twice":          {translate.Request{Model: "gemini-2.5-flash", Params: search, Tools: []translate.Tool{own}}, Options{}, 1, nil, nil},
		"with functions":        {translate.Request{Model: "gemini-3.5-flash", Params: search, Tools: []translate.Tool{function("a", "")}}, Options{}, 2, true, nil},
		"with functions, 2.5":   {translate.Request{Model: "gemini-2.5-flash", Params: search, Tools: []translate.Tool{function("a", ""), own}}, Options{}, 1, nil, []string{"tools[1]", "web_search_options"}},
		"with functions Vertex": {translate.Request{Model: "gemini-3.5-flash", Params: search, Tools: []translate.Tool{function("a", "")}}, Options{Vertex: true}, 2, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := body(t, tc.req, tc.opt)
			if list, _ := v["tools"].([]any); len(list) != tc.tools {
				t.Errorf("tools %v", v["tools"])
			}
			if got := at(v, "toolConfig", "includeServerSideToolInvocations"); got != tc.flag {
				t.Errorf("includeServerSideToolInvocations is %v, want %v", got, tc.flag)
			}
			if enc := encode(t, tc.req, tc.opt); !reflect.DeepEqual(enc.Dropped, tc.dropped) {
				t.Errorf("dropped %v, want %v", enc.Dropped, tc.dropped)
			}
		})
	}
}

func TestToolsWithJSONMode(t *testing.T) {
	t.Parallel()
	format := translate.Params{Format: &translate.ResponseFormat{Type: "json_schema", Schema: jsontext.Value(`{"type":"object"}`)}}
	for model, native := range map[string]bool{"gemini-3.5-flash": true, "gemini-2.5-flash": false, "gemini-2.0-flash": false} {
		v := body(t, translate.Request{Model: model, Params: format, Tools: []translate.Tool{function("a", "")}}, Options{})
		if got := at(v, "generationConfig", "responseMimeType") != nil; got != native {
			t.Errorf("%s: JSON mode is %t", model, got)
		}
		instruction, _ := at(v, "systemInstruction", "parts", 0, "text").(string)
		if strings.Contains(instruction, `{"type":"object"}`) == native {
			t.Errorf("%s: instruction %q", model, instruction)
		}
	}
}

func TestBadParametersNameTheTool(t *testing.T) {
	t.Parallel()
	for _, schema := range []string{`[]`, `"x"`, `{`} {
		req := translate.Request{Model: "m", Turns: []translate.Turn{user("Hi")}, Tools: []translate.Tool{function("a", schema)}}
		if _, err := EncodeRequest(&req, Options{}); err == nil || err.Param != "tools[0].function.parameters" {
			t.Errorf("schema %s gave %+v", schema, err)
		}
	}
}
