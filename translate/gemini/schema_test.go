package gemini

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestSchemas(t *testing.T) {
	t.Parallel()
	const tree = `{"type":"object","properties":{"v":{"type":"string"},"kids":{"type":"array","items":{"$ref":"#/$defs/Tree"}},"next":{"$ref":"#/$defs/Tree"}},"required":["v","next"]}`
	for name, tc := range map[string]struct{ in, json, open string }{
		"E-112 keywords without a meaning": {
			`{"$schema":"x","$comment":"y","type":"object","properties":{"a":{"type":"integer","exclusiveMinimum":0,"multipleOf":2,"readOnly":true}},"additionalProperties":false}`,
			`{"type":"object","properties":{"a":{"type":"integer","description":"exclusiveMinimum: 0, multipleOf: 2"}},"additionalProperties":false}`,
			`{"type":"object","properties":{"a":{"type":"integer","description":"exclusiveMinimum: 0, multipleOf: 2"}}}`,
		},
		"E-112 string limits": {
			`{"type":"string","description":"A code.","pattern":"^a\"b$","minLength":2,"format":"uri","default":"x"}`,
			`{"type":"string","description":"A code. (pattern: ^a\"b$, minLength: 2, default: x)","format":"uri"}`,
			`{"type":"string","description":"A code. (format: uri)","pattern":"^a\"b$","minLength":2,"default":"x"}`,
		},
		"E-112 tuples": {
			`{"type":"array","prefixItems":[{"type":"string"},{"type":"number"}],"items":false,"minItems":2}`,
			`{"type":"array","prefixItems":[{"type":"string"},{"type":"number"}],"items":{"type":"string","description":"not allowed"},"minItems":2}`,
			`{"type":"array","items":{"anyOf":[{"type":"string"},{"type":"number"}]},"minItems":2}`,
		},
		"E-112 old tuples": {
			`{"type":"array","items":[{"type":"string"}]}`,
			`{"type":"array","prefixItems":[{"type":"string"}]}`,
			`{"type":"array","items":{"type":"string"}}`,
		},
		"E-112 maps": {
			`{"type":"object","additionalProperties":{"type":"integer","minimum":0}}`,
			`{"type":"object","additionalProperties":{"type":"integer","minimum":0}}`,
			`{"type":"object","description":"additionalProperties: {\"type\":\"integer\",\"minimum\":0}"}`,
		},
		"E-113 references": {
			`{"type":"object","properties":{"a":{"$ref":"#/definitions/A"},"b":{"$ref":"#/definitions/A","description":"B"}},"definitions":{"A":{"type":"string"}}}`,
			`{"type":"object","properties":{"a":{"$ref":"#/$defs/A"},"b":{"anyOf":[{"$ref":"#/$defs/A"}],"description":"B"}},"$defs":{"A":{"type":"string"}}}`,
			`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string","description":"B"}}}`,
		},
		"E-113 recursion": {
			`{"$ref":"#/$defs/Tree","$defs":{"Tree":` + tree + `}}`,
			`{"$defs":{"Tree":{"type":"object","properties":{"v":{"type":"string"},"kids":{"type":"array","items":{"$ref":"#/$defs/Tree"}},"next":{"$ref":"#/$defs/Tree"}},"required":["v"]}},
				"type":"object","properties":{"v":{"type":"string"},"kids":{"type":"array","items":{"$ref":"#/$defs/Tree"}},"next":{"$ref":"#/$defs/Tree"}},"required":["v","next"]}`,
			`{"type":"object","properties":{"v":{"type":"string"},"kids":{"type":"array","items":{"type":"object","description":"nested Tree"}},"next":{"type":"object","description":"nested Tree"}},"required":["v","next"]}`,
		},
		"E-113 recursion of the root": {
			`{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}`,
			`{"type":"object","properties":{"a":{"$ref":"#"}}}`,
			`{"type":"object","properties":{"a":{"type":"object","description":"nested #"}},"required":["a"]}`,
		},
		"E-113 mutual recursion": {
			`{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"object","properties":{"b":{"$ref":"#/$defs/B"}},"required":["b"]},"B":{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}}}}}`,
			`{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"object","properties":{"b":{"$ref":"#/$defs/B"}}},"B":{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}}}}}`,
			`{"type":"object","properties":{"a":{"type":"object","properties":{"b":{"type":"object","properties":{"a":{"type":"object","description":"nested A"}}}},"required":["b"]}}}`,
		},
		"E-113 references to nowhere": {
			`{"type":"object","properties":{"a":{"$ref":"#/$defs/None"},"b":{"$ref":"https://example.com/x"}}}`,
			`{"type":"object","properties":{"a":{"type":"object","description":"see #/$defs/None"},"b":{"type":"object","description":"see https://example.com/x"}}}`,
			`{"type":"object","properties":{"a":{"type":"object","description":"see #/$defs/None"},"b":{"type":"object","description":"see https://example.com/x"}}}`,
		},
		"E-113 references by path": {
			`{"type":"object","properties":{"a/b":{"type":"array","items":[{"type":"string"}]},"c":{"$ref":"#/properties/a~1b/items/0"}}}`,
			`{"type":"object","properties":{"a/b":{"type":"array","prefixItems":[{"type":"string"}]},"c":{"type":"string"}}}`,
			`{"type":"object","properties":{"a/b":{"type":"array","items":{"type":"string"}},"c":{"type":"string"}}}`,
		},
		"E-113 nullable reference": {
			`{"properties":{"a":{"$ref":"#/$defs/A","nullable":true}},"$defs":{"A":{"type":"integer"}}}`,
			`{"properties":{"a":{"anyOf":[{"$ref":"#/$defs/A"},{"type":"null"}]}},"$defs":{"A":{"type":"integer"}}}`,
			`{"type":"object","properties":{"a":{"type":"integer","nullable":true}}}`,
		},
		"E-114 anyOf is kept": {
			`{"anyOf":[{"type":"string"},{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]},{"type":"null"}],"description":"D","title":"T"}`,
			`{"anyOf":[{"type":"string"},{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]},{"type":"null"}],"description":"D","title":"T"}`,
			`{"anyOf":[{"type":"string","nullable":true,"description":"D"},{"type":"object","nullable":true,"description":"D","properties":{"a":{"type":"integer"}},"required":["a"]}]}`,
		},
		"E-114 optional value": {
			`{"anyOf":[{"type":"array","items":{"type":"string"}},{"type":"null"}],"default":null}`,
			`{"anyOf":[{"type":"array","items":{"type":"string"}},{"type":"null"}],"description":"default: null"}`,
			`{"type":"array","nullable":true,"items":{"type":"string"},"default":null}`,
		},
		"E-114 nullable array": {
			`{"type":["array","null"],"items":{"type":["integer","string"]}}`,
			`{"type":["array","null"],"items":{"type":["integer","string"]}}`,
			`{"type":"array","nullable":true,"items":{"anyOf":[{"type":"integer"},{"type":"string"}]}}`,
		},
		"E-114 enums": {
			`{"type":"object","properties":{"s":{"enum":["a","","b"]},"n":{"type":"integer","enum":[1,2]},"z":{"type":["string","null"],"enum":["a",null]},"b":{"type":"boolean","enum":[true]}}}`,
			`{"type":"object","properties":{"s":{"enum":["a","","b"]},"n":{"type":"integer","enum":[1,2]},"z":{"anyOf":[{"type":["string","null"],"enum":["a"]},{"type":"null"}]},"b":{"type":"boolean","description":"enum: [true]"}}}`,
			`{"type":"object","properties":{"s":{"type":"string","enum":["a","b"]},"n":{"type":"string","format":"enum","enum":["1","2"]},"z":{"type":"string","nullable":true,"enum":["a"]},"b":{"type":"boolean","description":"enum: [true]"}}}`,
		},
		"E-114 constants": {
			`{"type":"object","properties":{"s":{"const":"a"},"n":{"const":5},"b":{"const":true},"u":{"oneOf":[{"const":"x"},{"const":"y"}]}}}`,
			`{"type":"object","properties":{"s":{"enum":["a"]},"n":{"enum":[5]},"b":{"type":"boolean","description":"const: true"},"u":{"oneOf":[{"enum":["x"]},{"enum":["y"]}]}}}`,
			`{"type":"object","properties":{"s":{"type":"string","enum":["a"]},"n":{"type":"string","format":"enum","enum":["5"]},"b":{"type":"boolean","description":"const: true"},"u":{"anyOf":[{"type":"string","enum":["x"]},{"type":"string","enum":["y"]}]}}}`,
		},
		"E-114 nested empty object": {
			`{"type":"object","properties":{"a":{"type":"object","properties":{}},"b":{},"c":true,"d":{"type":"array"}}}`,
			`{"type":"object","properties":{"a":{"type":"object","properties":{}},"b":{},"c":{},"d":{"type":"array"}}}`,
			`{"type":"object","properties":{"a":{"type":"object"},"b":{"type":"string"},"c":{"type":"string","description":"any value"},"d":{"type":"array","items":{"type":"string"}}}}`,
		},
		"allOf is flattened": {
			`{"allOf":[{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]},{"properties":{"b":{"type":"string"},"a":{"type":"integer"}},"required":["b","a"]}],"description":"D"}`,
			`{"description":"D","type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["a","b"]}`,
			`{"type":"object","description":"D","properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["a","b"]}`,
		},
		"allOf with one reference": {
			`{"properties":{"a":{"allOf":[{"$ref":"#/$defs/A"}],"description":"D"}},"$defs":{"A":{"type":"string"}}}`,
			`{"properties":{"a":{"anyOf":[{"$ref":"#/$defs/A"}],"description":"D"}},"$defs":{"A":{"type":"string"}}}`,
			`{"type":"object","properties":{"a":{"type":"string","description":"D"}}}`,
		},
		"either of two properties": {
			`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"anyOf":[{"required":["a"]},{"required":["b"]}]}`,
			`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"description":"anyOf: [{\"required\":[\"a\"]},{\"required\":[\"b\"]}]"}`,
			`{"anyOf":[{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["a"]},{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["b"]}]}`,
		},
		"conditions become text": {
			`{"type":"object","properties":{"a":{"type":"string"}},"if":{"required":["a"]},"then":{"required":["b"]},"not":{}}`,
			`{"type":"object","properties":{"a":{"type":"string"}},"description":"if: {\"required\":[\"a\"]}, then: {\"required\":[\"b\"]}, not: {}"}`,
			`{"type":"object","properties":{"a":{"type":"string"}},"description":"if: {\"required\":[\"a\"]}, then: {\"required\":[\"b\"]}, not: {}"}`,
		},
		"required names that do not exist": {
			`{"type":"object","properties":{"a":{"type":"string"}},"required":["b","a","a"]}`,
			`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}`,
			`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}`,
		},
		"capital types": {
			`{"type":"OBJECT","properties":{"a":{"type":"STRING","nullable":true}}}`,
			`{"type":"object","properties":{"a":{"type":["string","null"]}}}`,
			`{"type":"object","properties":{"a":{"type":"string","nullable":true}}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sameJSON(t, string(appendSchema(nil, []byte(tc.in), false)), tc.json)
			sameJSON(t, string(appendSchema(nil, []byte(tc.in), true)), tc.open)
		})
	}
}

func TestBoundsOfSchemas_E113(t *testing.T) {
	t.Parallel()
	bomb := `{"$ref":"#/$defs/d0","$defs":{`
	for i := range 40 {
		bomb += fmt.Sprintf(`"d%d":{"type":"object","properties":{"a":{"$ref":"#/$defs/d%d"},"b":{"$ref":"#/$defs/d%d"}}},`, i, i+1, i+1)
	}
	bomb += `"d40":{"type":"string"}}}`
	flat := `{"$ref":"#/$defs/d0","$defs":{`
	for i := range 40 {
		flat += fmt.Sprintf(`"d%d":{"allOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]},`, i, i+1, i+1)
	}
	flat += `"d40":{"type":"string"}}}`
	var properties, required strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&properties, `,"p%d":{"type":"string"}`, i)
		fmt.Fprintf(&required, `,"p%d"`, i)
	}
	many := `{"type":"object","properties":{"p":{"type":"string"}` + properties.String() + `},"required":["p"` + required.String() + `]}`
	for name, schema := range map[string]string{
		"references double":   bomb,
		"allOf doubles":       flat,
		"deep":                strings.Repeat(`{"type":"array","items":`, 190) + `{"type":"string"}` + strings.Repeat(`}`, 190),
		"many properties":     many,
		"a reference to self": `{"$ref":"#"}`,
		"allOf of self":       `{"allOf":[{"$ref":"#"},{"$ref":"#"}]}`,
		"a chain in a circle": `{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}`,
		"a union of itself":   `{"anyOf":[{"$ref":"#"},{"$ref":"#"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, open := range []bool{false, true} {
				began := time.Now()
				out := appendSchema(nil, []byte(schema), open)
				if took := time.Since(began); took > 3*time.Second {
					t.Errorf("open %t: took %v", open, took)
				}
				if !json.Valid(out) || len(out) > 2*maxSchemaSize+len(schema) {
					t.Errorf("open %t: %d bytes, valid %t", open, len(out), json.Valid(out))
				}
			}
		})
	}
}
