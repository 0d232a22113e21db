package anthropic

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

func TestStructuredOutput(t *testing.T) {
	t.Parallel()
	schema := func(s string) func(r *translate.Request) {
		return func(r *translate.Request) {
			r.Params.Format = &translate.ResponseFormat{Type: "json_schema", Name: "n", Schema: jsontext.Value(s)}
		}
	}
	with := func(sets ...func(r *translate.Request)) func(r *translate.Request) {
		return func(r *translate.Request) {
			for _, s := range sets {
				s(r)
			}
		}
	}
	tools := func(mode translate.ToolMode, names ...string) func(r *translate.Request) {
		return func(r *translate.Request) {
			r.Tools = []translate.Tool{function("f", `{"type":"object"}`)}
			r.Choice = translate.ToolChoice{Mode: mode, Names: names}
		}
	}
	const (
		simple = `{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}`
		open   = `{"type":"object","additionalProperties":{"type":"string"}}`
		array  = `{"type":"array","items":{"$ref":"#/$defs/X"},"$defs":{"X":{"type":"object","additionalProperties":true}}}`
		native = `{"format":{"type":"json_schema","schema":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}}}`
		f      = `{"name":"f","input_schema":{"type":"object"}}`
	)
	standIn := func(schema string) string {
		return `{"name":"json_output","description":"Gives the answer.","input_schema":` + schema + `}`
	}
	forced := `{"type":"tool","name":"json_output","disable_parallel_tool_use":true}`
	runEncodingCases(t, []encodingCase{
		{name: "native", set: schema(simple), want: map[string]string{"output_config": native, "tools": "", "tool_choice": ""}},
		{name: "E-102 native where forced calls are refused", model: "claude-fable-5-1", set: schema(simple), want: map[string]string{"output_config": native}},
		{name: "native beside tools", set: with(schema(simple), tools(translate.ToolAuto)), want: map[string]string{"output_config": native, "tools": list(f), "tool_choice": `{"type":"auto"}`}},
		{name: "a tool on models without", model: "claude-3-7-sonnet-latest", set: schema(simple), want: map[string]string{"output_config": "", "tools": list(standIn(simple)), "tool_choice": forced}},
		{name: "a tool for an open object", set: schema(open), want: map[string]string{"output_config": "", "tools": list(standIn(open)), "tool_choice": forced}},
		{name: "a tool that wraps an array", set: schema(array), want: map[string]string{"tools": list(standIn(`{"type":"object","properties":{"value":` + array + `},"required":["value"],"$defs":{"X":{"type":"object","additionalProperties":true}}}`)), "tool_choice": forced}},
		{name: "a tool beside the client's", set: with(schema(open), tools(translate.ToolDefault)), want: map[string]string{"tools": list(f, standIn(open)), "tool_choice": `{"type":"any","disable_parallel_tool_use":true}`}},
		{name: "a tool beside the client's, none of which may be called", set: with(schema(open), tools(translate.ToolNone)), want: map[string]string{"tools": list(f, standIn(open)), "tool_choice": forced}},
		{name: "a tool beside one that must be called", set: with(schema(open), tools(translate.ToolNamed, "f")), want: map[string]string{"tools": list(f, standIn(open)), "tool_choice": `{"type":"tool","name":"f","disable_parallel_tool_use":true}`}},
		{name: "words where nothing else is left", model: "claude-fable-5-1", set: schema(open), want: map[string]string{"output_config": "", "tools": "", "system": `[{"type":"text","text":` + quote(askSchema+open) + `}]`}},
		{name: "words with extended thinking", model: "claude-sonnet-4-5", set: with(schema(open), func(r *translate.Request) { r.Params.Effort = "low" }), want: map[string]string{"tools": "", "system": `[{"type":"text","text":` + quote(askSchema+open) + `}]`}},
		{name: "json_object", set: func(r *translate.Request) {
			r.Turns = []translate.Turn{system("s"), user("q")}
			r.Params.Format = &translate.ResponseFormat{Type: "json_object"}
		}, want: map[string]string{"output_config": "", "system": `[{"type":"text","text":"s"},{"type":"text","text":` + quote(askObject) + `}]`}},
		{name: "json_schema without a schema", set: schema("null"), want: map[string]string{"output_config": "", "system": `[{"type":"text","text":` + quote(askObject) + `}]`}},
		{name: "text", set: func(r *translate.Request) { r.Params.Format = &translate.ResponseFormat{Type: "text"} }, want: map[string]string{"output_config": "", "system": ""}},
		{name: "an unknown format", set: func(r *translate.Request) { r.Params.Format = &translate.ResponseFormat{Type: "grammar"} }, code: "unsupported_value", param: "response_format.type"},
		{name: "a schema that is none", set: schema("[]"), code: "invalid_type", param: "response_format.json_schema.schema"},
	})
}

func TestStandInToolIsNamed(t *testing.T) {
	t.Parallel()
	req := request("claude-3-7-sonnet", user("q"))
	req.Params.Format = &translate.ResponseFormat{Type: "json_schema", Description: "D", Schema: jsontext.Value(`{"type":"string"}`)}
	req.Tools = []translate.Tool{function("json_output", "")}
	enc, m := encode(t, req, Options{})
	if enc.JSONTool != "json_output_"+shortHash("json_output") || enc.JSONMember != "value" || !strings.Contains(string(m["tools"]), `"description":"D"`) {
		t.Errorf("tool %q with member %q in %s", enc.JSONTool, enc.JSONMember, m["tools"])
	}
}

func TestSanitize(t *testing.T) {
	t.Parallel()
	object := func(properties, required string) string {
		return `{"type":"object","properties":{` + properties + `},"required":[` + required + `],"additionalProperties":false}`
	}
	many := func(n int, schema string) string {
		var parts []string
		for i := range n {
			parts = append(parts, `"p`+string(rune('a'+i/26))+string(rune('a'+i%26))+`":`+schema)
		}
		return `{"type":"object","properties":{` + strings.Join(parts, ",") + `}}`
	}
	deep := strings.Repeat(`{"type":"array","items":`, maxSchemaDepth) + `{"type":"string"}` + strings.Repeat("}", maxSchemaDepth)
	for _, tt := range []struct{ name, in, want string }{
		{"objects are closed", `{"type":"object","properties":{"a":{"type":"object","properties":{}}},"required":["a"]}`, object(`"a":{"type":"object","properties":{},"additionalProperties":false}`, `"a"`)},
		{"closed objects stay", `{"additionalProperties":false,"type":"object","required":["a"],"properties":{"a":{"type":"string"}}}`, `{"type":"object","required":["a"],"properties":{"a":{"type":"string"}},"additionalProperties":false}`},
		{"oneOf becomes anyOf", `{"oneOf":[{"type":"string"},{"type":"null"}]}`, `{"anyOf":[{"type":"string"},{"type":"null"}]}`},
		{"constraints move to the description", `{"type":"integer","description":"Age \"x\"","minimum":0,"maximum":1.5e2,"examples":[ 1, "a" ]}`, `{"type":"integer","description":"Age \"x\"\n\n{minimum: 0, maximum: 1.5e2, examples: [1,\"a\"]}"}`},
		{"constraints without a description", `{"type":"string","maxLength":5}`, `{"type":"string","description":"{maxLength: 5}"}`},
		{"formats", `{"anyOf":[{"type":"string","format":"date"},{"type":"string","format":"phone"}]}`, `{"anyOf":[{"type":"string","format":"date"},{"type":"string","description":"{format: \"phone\"}"}]}`},
		{"minItems", `{"anyOf":[{"type":"array","items":{"type":"string"},"minItems":1},{"type":"array","items":{"type":"string"},"minItems":2}]}`, `{"anyOf":[{"type":"array","items":{"type":"string"},"minItems":1},{"type":"array","items":{"type":"string"},"description":"{minItems: 2}"}]}`},
		{"patterns", `{"anyOf":[{"type":"string","pattern":"^[a-z]+$"},{"type":"string","pattern":"(?=x)"}]}`, `{"anyOf":[{"type":"string","pattern":"^[a-z]+$"},{"type":"string","description":"{pattern: \"(?=x)\"}"}]}`},
		{"references", `{"$schema":"x","$ref":"#/$defs/A","$defs":{"A":{"type":"string"},"B":{"$ref":"#/$defs/A"}}}`, `{"$ref":"#/$defs/A","$defs":{"A":{"type":"string"},"B":{"$ref":"#/$defs/A"}}}`},
		{"enum, const, title, allOf", `{"title":"T","allOf":[{"enum":["a",1,null]},{"const":"a"}]}`, `{"title":"T","allOf":[{"enum":["a",1,null]},{"const":"a"}]}`},
		{"24 optional properties", many(24, `{"type":"string"}`), strings.TrimSuffix(many(24, `{"type":"string"}`), "}") + `,"additionalProperties":false}`},
		{"25 optional properties", many(25, `{"type":"string"}`), ""},
		{"17 unions", many(17, `{"type":["string","null"]}`), ""},
		{"an open object", `{"type":"object"}`, ""},
		{"a map", `{"type":"object","properties":{},"additionalProperties":{"type":"string"}}`, ""},
		{"an explicitly open object", `{"type":"object","properties":{},"additionalProperties":true}`, ""},
		{"pattern properties", `{"type":"object","properties":{},"patternProperties":{}}`, ""},
		{"anything", `{}`, ""},
		{"anything as property", `{"type":"object","properties":{"a":true}}`, ""},
		{"recursion through the root", `{"type":"object","properties":{"a":{"$ref":"#"}}}`, ""},
		{"recursion", `{"$ref":"#/$defs/A","$defs":{"A":{"type":"array","items":{"$ref":"#/$defs/B"}},"B":{"anyOf":[{"type":"null"},{"$ref":"#/$defs/A"}]}}}`, ""},
		{"a reference to nowhere", `{"$ref":"#/$defs/A"}`, ""},
		{"a reference to elsewhere", `{"$ref":"https://e.com/schema"}`, ""},
		{"objects in an enum", `{"enum":[{"a":1}]}`, ""},
		{"anyOf and oneOf", `{"anyOf":[{"type":"string"}],"oneOf":[{"type":"string"}]}`, ""},
		{"too deep", deep, ""},
		{"an escaped reference", `{"$ref":"#/$defs/a~1b","$defs":{"a/b":{"type":"string"}}}`, `{"$ref":"#/$defs/a~1b","$defs":{"a/b":{"type":"string"}}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := sanitize([]byte(tt.in))
			if string(got) != tt.want || ok != (tt.want != "") {
				t.Errorf("got  %s (%v)\nwant %s", got, ok, tt.want)
			}
			if !ok {
				return
			}
			if again, ok := sanitize(got); !ok || string(again) != string(got) {
				t.Errorf("a second pass gives %s", again)
			}
		})
	}
}
