package anthropic

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

func TestJoinBranches(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ in, want string }{
		"either of two properties": {
			`{"type":"object","description":"D","properties":{"a":{"type":"string"},"b":{"type":"string"}},"anyOf":[{"required":["a"]},{"required":["b"]}],"additionalProperties":false}`,
			`{"type":"object","description":"D\n\n{anyOf: [{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}","properties":{"a":{"type":"string"},"b":{"type":"string"}},"additionalProperties":false}`,
		},
		"a discriminated union": {
			`{"oneOf":[{"type":"object","properties":{"kind":{"const":"a"},"x":{"type":"string"}},"required":["kind","x"]},{"type":"object","properties":{"kind":{"const":"b"},"y":{"type":"string"}},"required":["y","kind"]}]}`,
			`{"type":"object","description":"{oneOf: [{\"type\":\"object\",\"properties\":{\"kind\":{\"const\":\"a\"},\"x\":{\"type\":\"string\"}},\"required\":[\"kind\",\"x\"]},{\"type\":\"object\",\"properties\":{\"kind\":{\"const\":\"b\"},\"y\":{\"type\":\"string\"}},\"required\":[\"y\",\"kind\"]}]}",` +
				`"properties":{"kind":{"anyOf":[{"const":"a"},{"const":"b"}]},"x":{"type":"string"},"y":{"type":"string"}},"required":["kind"]}`,
		},
		"all of several": {
			`{"allOf":[{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]},{"properties":{"b":{"type":"string"},"a":{"type":"string"}},"required":["b","a"]}],"title":"T"}`,
			`{"type":"object","description":"{allOf: [{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}},\"required\":[\"a\"]},{\"properties\":{\"b\":{\"type\":\"string\"},\"a\":{\"type\":\"string\"}},\"required\":[\"b\",\"a\"]}]}",` +
				`"properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["a","b"],"title":"T"}`,
		},
		"references": {
			`{"anyOf":[{"$ref":"#/$defs/A"},{"$ref":"#/$defs/None"},{"$ref":"https://example.com"}],"$defs":{"A":{"properties":{"\"a\"":{}},"required":["\"a\""]}}}`,
			`{"type":"object","description":"{anyOf: [{\"$ref\":\"#/$defs/A\"},{\"$ref\":\"#/$defs/None\"},{\"$ref\":\"https://example.com\"}]}","properties":{"\"a\"":{}},"$defs":{"A":{"properties":{"\"a\"":{}},"required":["\"a\""]}}}`,
		},
		"combinations that are none": {`{"anyOf":5,"oneOf":{},"allOf":[]}`, `{"type":"object","description":"{anyOf: 5, oneOf: {}, allOf: []}","properties":{}}`},
		"a name twice in one branch": {`{"anyOf":[{"required":["a","a"]},{"required":["b"]}]}`, `{"type":"object","description":"{anyOf: [{\"required\":[\"a\",\"a\"]},{\"required\":[\"b\"]}]}","properties":{}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := string(joinBranches([]byte(tc.in)))
			if got != tc.want || !json.Valid([]byte(got)) {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

// Combinations deeper down are the API's to judge; those at the root it refuses.
func TestCombinationsInTools(t *testing.T) {
	t.Parallel()
	const deep = `{"type":"object","properties":{"a":{"anyOf":[{"type":"string"},{"type":"null"}]}},"required":["a"]}`
	const union = `{"type":"object","anyOf":[{"properties":{"a":{"type":"string"}},"required":["a"]},{"properties":{"b":{"type":"string"}},"required":["b"]}]}`
	strict := true
	req := request("claude-opus-5", user("Hi"))
	req.Tools = []translate.Tool{function("f", deep), function("g", union), {Kind: translate.ToolFunction, Name: "h", Parameters: jsontext.Value(union), Strict: &strict}}
	_, m := encode(t, req, Options{})
	var tools []struct {
		Schema json.RawMessage `json:"input_schema"`
		Strict bool
	}
	if err := json.Unmarshal(m["tools"], &tools); err != nil {
		t.Fatal(err)
	}
	if string(tools[0].Schema) != deep {
		t.Errorf("a combination below the root becomes %s", tools[0].Schema)
	}
	for _, tool := range tools[1:] {
		var root map[string]json.RawMessage
		if err := json.Unmarshal(tool.Schema, &root); err != nil || root["anyOf"] != nil || string(root["type"]) != `"object"` {
			t.Errorf("a union becomes %s (%v)", tool.Schema, err)
		}
	}
	if !tools[2].Strict {
		t.Error("a union is not strict any more")
	}

	req = request("claude-sonnet-4", user("Hi"))
	req.Params.Format = &translate.ResponseFormat{Type: "json_schema", Schema: jsontext.Value(union)}
	if enc, m := encode(t, req, Options{}); enc.JSONMember != jsonMember || !strings.Contains(string(m["tools"]), `{"value":`+union+`}`) {
		t.Errorf("a format that is a union becomes %s", m["tools"])
	}
}

// Any number of branches, names and properties is joined in time.
func TestManyBranches(t *testing.T) {
	t.Parallel()
	names := strings.TrimSuffix(strings.Repeat(`"n",`, 20000), ",")
	branch := `{"properties":{` + strings.TrimSuffix(strings.Repeat(`"p":{"type":"string"},`, 5000), ",") + `},"required":[` + names + `]},`
	got := joinBranches([]byte(`{"anyOf":[` + strings.TrimSuffix(strings.Repeat(branch, 100), ",") + `]}`))
	if !strings.Contains(string(got), `"properties":{"p":{"type":"string"}},"required":["n"]}`) {
		t.Errorf("got %.200s…%s", got, got[max(0, len(got)-200):])
	}
}
