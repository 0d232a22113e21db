package gemini

import (
	"bytes"
	"slices"
	"strings"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// find returns the value of a keyword, or nil.
func find(list []keyword, name string) []byte {
	for i := range list {
		if list[i].name == name {
			return list[i].raw
		}
	}
	return nil
}

// typesOf returns the types a "type" names, in small letters.
func typesOf(raw []byte) (types []string) {
	if jsonscan.IsString(raw) {
		return []string{strings.ToLower(jsonscan.String(raw))}
	}
	values := jsonscan.Walk(raw)
	for values.Next() {
		if t := strings.ToLower(jsonscan.String(values.Value)); t != "" && !slices.Contains(types, t) && len(types) < 8 {
			types = append(types, t)
		}
	}
	return types
}

// typeOf returns the JSON schema type of a value.
func typeOf(raw []byte) string {
	switch raw[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	}
	if bytes.ContainsAny(raw, ".eE") {
		return "number"
	}
	return "integer"
}

// isScalar reports whether a value may stand in the provider's enum.
func isScalar(raw []byte) bool {
	return raw[0] == '"' || raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9'
}

// onlyRequires reports whether the branches of a union do nothing but require some of
// the properties beside the union; the provider wants required names and properties
// in one schema.
func onlyRequires(union []byte) bool {
	n := 0
	for branches := jsonscan.Walk(union); branches.Next(); n++ {
		required := false
		for members := jsonscan.Walk(branches.Value); members.Next(); {
			switch string(members.Name) {
			case "required":
				required = true
			case "properties", "$ref", "anyOf", "oneOf", "allOf", "enum", "const", "items":
				return false
			}
		}
		if !required {
			return false
		}
	}
	return n > 0
}

// enumHasNull reports whether null is among the values of an enum with other values.
func enumHasNull(list []keyword) bool {
	null, others := false, false
	values := jsonscan.Walk(find(list, "enum"))
	for values.Next() {
		if values.Value[0] == 'n' {
			null = true
		} else if isScalar(values.Value) {
			others = true
		}
	}
	return null && others
}
