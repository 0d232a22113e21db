package openai

import (
	"reflect"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

func TestDecodeReadsTools(t *testing.T) {
	t.Parallel()
	r := decoded(t, asking(`,"tools":[
		{"type":"function","function":{"name":"f.x:y","description":"d","parameters":{ "type":"object",  "b":1,"a":2},"strict":true}},
		{"function":{"name":"g","parameters":null,"strict":null,"cache_control":{"type":"ephemeral"}}},
		{"type":"custom","custom":{"name":"c","description":"e","format":{"type":"text"}},"cache_control":{"type":"ephemeral","ttl":"1h"}},
		{"type":"web_search_20250305", "name":"web_search","max_uses":5}]`))
	want := []translate.Tool{
		{Kind: translate.ToolFunction, Name: "f.x:y", Description: "d", Parameters: []byte(`{ "type":"object",  "b":1,"a":2}`), Strict: new(true), Path: "tools[0]"},
		{Kind: translate.ToolFunction, Name: "g", CacheControl: []byte(`{"type":"ephemeral"}`), Path: "tools[1]"},
		{Kind: translate.ToolCustom, Name: "c", Description: "e", Format: []byte(`{"type":"text"}`), CacheControl: []byte(`{"type":"ephemeral","ttl":"1h"}`), Path: "tools[2]"},
		{Kind: translate.ToolRaw, Name: "web_search", Raw: []byte(`{"type":"web_search_20250305", "name":"web_search","max_uses":5}`), Path: "tools[3]"},
	}
	if !reflect.DeepEqual(r.Tools, want) {
		t.Errorf("got  %s\nwant %s", describe(r.Tools), describe(want))
	}
	if r.Params.LegacyFunctions || r.Choice.Mode != translate.ToolDefault || r.Choice.Parallel != nil {
		t.Errorf("got choice %+v, legacy %v", r.Choice, r.Params.LegacyFunctions)
	}
}

func TestDecodeReadsToolChoices_E054(t *testing.T) {
	t.Parallel()
	const tools = `,"tools":[{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"c"}}]`
	for members, want := range map[string]translate.ToolChoice{
		`,"tool_choice":"auto"`:     {Mode: translate.ToolAuto},
		`,"tool_choice":"none"`:     {Mode: translate.ToolNone},
		`,"tool_choice":"required"`: {Mode: translate.ToolRequired},
		`,"tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false`:                                                                                    {Mode: translate.ToolNamed, Names: []string{"f"}, Parallel: new(false)},
		`,"tool_choice":{"type":"custom","custom":{"name":"c"}}`:                                                                                                                    {Mode: translate.ToolNamed, Names: []string{"c"}},
		`,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"c"}}]}}`: {Mode: translate.ToolRequired, Names: []string{"f", "c"}},
		`,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"f"}}]}}`:                                             {Mode: translate.ToolAuto, Names: []string{"f"}},
	} {
		for _, body := range []string{asking(tools + members), asking(members + tools)} {
			if r := decoded(t, body); !reflect.DeepEqual(r.Choice, want) || len(r.Tools) != 2 {
				t.Errorf("%s: got %+v", members, r.Choice)
			}
		}
	}
	if r := decoded(t, asking(`,"tool_choice":"auto"`)); r.Choice.Mode != translate.ToolAuto {
		t.Errorf("auto without tools: got %+v", r.Choice)
	}
}

func TestDecodeReadsLegacyFunctions(t *testing.T) {
	t.Parallel()
	const functions = `,"functions":[{"name":"f","description":"d","parameters":{"a":1}},{"name":"g"}]`
	for members, want := range map[string]translate.ToolChoice{
		``:                              {Parallel: new(false)},
		`,"function_call":"auto"`:       {Mode: translate.ToolAuto, Parallel: new(false)},
		`,"function_call":"none"`:       {Mode: translate.ToolNone, Parallel: new(false)},
		`,"function_call":{"name":"g"}`: {Mode: translate.ToolNamed, Names: []string{"g"}, Parallel: new(false)},
	} {
		r := decoded(t, asking(members+functions))
		if !r.Params.LegacyFunctions || !reflect.DeepEqual(r.Choice, want) {
			t.Errorf("%s: got %+v, legacy %v", members, r.Choice, r.Params.LegacyFunctions)
		}
		tools := []translate.Tool{
			{Kind: translate.ToolFunction, Name: "f", Description: "d", Parameters: []byte(`{"a":1}`), Path: "functions[0]"},
			{Kind: translate.ToolFunction, Name: "g", Path: "functions[1]"},
		}
		if !reflect.DeepEqual(r.Tools, tools) {
			t.Errorf("got %s", describe(r.Tools))
		}
	}
}

func TestDecodeNamesMistakesInTools(t *testing.T) {
	t.Parallel()
	const tools = `,"tools":[{"type":"function","function":{"name":"f"}}]`
	for _, tc := range []struct{ members, code, param, message string }{
		{`,"tools":[5]`, "invalid_type", "tools[0]", "expected an object"},
		{`,"tools":[{"type":"function"}]`, "missing_required_parameter", "tools[0].function", ""},
		{`,"tools":[{}]`, "missing_required_parameter", "tools[0].type", ""},
		{`,"tools":[{"type":5}]`, "invalid_type", "tools[0].type", ""},
		{`,"tools":[{"type":"function","function":[]}]`, "invalid_type", "tools[0].function", ""},
		{`,"tools":[{"type":"function","function":{}}]`, "missing_required_parameter", "tools[0].function.name", ""},
		{`,"tools":[{"type":"function","function":{"name":""}}]`, "invalid_value", "tools[0].function.name", "empty string"},
		{`,"tools":[{"type":"function","function":{"name":"f","parameters":"x"}}]`, "invalid_type", "tools[0].function.parameters", ""},
		{`,"tools":[{"type":"function","function":{"name":"f","strict":1}}]`, "invalid_type", "tools[0].function.strict", ""},
		{`,"tools":[{"type":"function","function":{"name":"f","description":[]}}]`, "invalid_type", "tools[0].function.description", ""},
		{`,"tools":[{"type":"custom","function":{"name":"f"}}]`, "missing_required_parameter", "tools[0].custom", ""},
		{`,"tools":[{"type":"custom","custom":{"name":"f","format":"x"}}]`, "invalid_type", "tools[0].custom.format", ""},
		{`,"tools":[{"type":"function","function":{"name":"f","parameters":{"a":1,"a":2}}}]`, "invalid_json", "tools[0].function.parameters.a", "given twice"},
		{tools + `,"functions":[{"name":"f"}]`, "invalid_value", "functions", "Only one of"},
		{tools + `,"tool_choice":"any"`, "invalid_value", "tool_choice", "Supported values are: 'none', 'auto', and 'required'."},
		{tools + `,"tool_choice":{}`, "missing_required_parameter", "tool_choice.type", ""},
		{tools + `,"tool_choice":{"type":"x"}`, "invalid_value", "tool_choice.type", ""},
		{tools + `,"tool_choice":{"type":"function"}`, "missing_required_parameter", "tool_choice.function", ""},
		{tools + `,"tool_choice":{"type":"function","function":{}}`, "missing_required_parameter", "tool_choice.function.name", ""},
		{tools + `,"tool_choice":{"type":"function","function":{"name":"x"}}`, "invalid_value", "tool_choice", "no tool is called 'x'"},
		{tools + `,"tool_choice":{"type":"allowed_tools"}`, "missing_required_parameter", "tool_choice.allowed_tools", ""},
		{tools + `,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"none","tools":[]}}`, "invalid_value", "tool_choice.allowed_tools.mode", ""},
		{tools + `,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto"}}`, "invalid_type", "tool_choice.allowed_tools.tools", ""},
		{tools + `,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{}]}}`, "missing_required_parameter", "tool_choice.allowed_tools.tools[0].function", ""},
		{`,"tool_choice":"required"`, "invalid_value", "tool_choice", "only allowed when 'tools' are specified"},
		{`,"functions":[{"name":"f"}],"function_call":{"name":"g"}`, "invalid_value", "function_call", "no tool is called 'g'"},
		{tools + `,"tool_choice":"auto","function_call":"auto"`, "invalid_value", "function_call", "Only one of"},
		{`,"functions":[{}]`, "missing_required_parameter", "functions[0].name", ""},
		{tools + `,"parallel_tool_calls":"no"`, "invalid_type", "parallel_tool_calls", ""},
	} {
		mistake(t, asking(tc.members), tc.code, tc.param, tc.message)
	}
}
