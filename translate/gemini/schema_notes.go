package gemini

import (
	"bytes"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// maxNote bounds what the description says about one keyword, in bytes.
const maxNote = 200

// describe returns the description of a schema as JSON, or nil, with a note for each
// keyword that the provider does not take, so that the model can still keep to it.
func describe(list []keyword, openAPI bool) []byte {
	raw := find(list, "description")
	if !jsonscan.IsString(raw) || len(raw) == 2 {
		raw = nil
	}
	notes := notesOf(list, openAPI)
	switch {
	case len(notes) == 0:
		return raw
	case raw == nil:
		return jsonscan.Quote(nil, notes)
	}
	text := append(bytes.Clone(raw[:len(raw)-1]), " ("...)
	return append(jsonscan.Escape(text, notes), ")\""...)
}

// notesOf returns the notes on a schema.
func notesOf(list []keyword, openAPI bool) (notes []byte) {
	for i := range list {
		k := &list[i]
		if !noted(list, k, openAPI) {
			continue
		}
		if len(notes) > 0 {
			notes = append(notes, ", "...)
		}
		notes = append(append(notes, k.name...), ": "...)
		value := compact(k.raw)
		if jsonscan.IsString(value) {
			value = jsonscan.Unquote(nil, value)
		}
		if len(value) > maxNote {
			value = append(bytes.ToValidUTF8(value[:maxNote], nil), "…"...)
		}
		notes = append(notes, value...)
	}
	return notes
}

// noted reports whether a keyword says something that would be lost.
func noted(list []keyword, k *keyword, openAPI bool) bool {
	switch k.name {
	case "not", "if", "then", "else", "multipleOf", "exclusiveMinimum", "exclusiveMaximum", "patternProperties", "propertyNames",
		"dependentRequired", "dependentSchemas", "dependencies", "contains", "minContains", "maxContains", "unevaluatedProperties", "unevaluatedItems",
		"contentEncoding", "contentMediaType":
		return string(k.raw) != "false"
	case "uniqueItems":
		return string(k.raw) == "true"
	case "examples":
		return true
	case "pattern", "minLength", "maxLength", "minProperties", "maxProperties", "default", "example":
		return !openAPI
	case "anyOf", "oneOf":
		return !openAPI && onlyRequires(k.raw)
	case "const":
		return !isScalar(k.raw)
	case "enum":
		return hasOther(k.raw)
	case "additionalProperties":
		return openAPI && k.raw[0] == '{' && len(compact(k.raw)) > 2
	case "format":
		return openAPI && !openFormat(list, jsonscan.String(k.raw))
	}
	return false
}

// hasOther reports whether an enum has values that are neither strings, numbers nor
// null.
func hasOther(raw []byte) bool {
	values := jsonscan.Walk(raw)
	for values.Next() {
		if !isScalar(values.Value) && values.Value[0] != 'n' {
			return true
		}
	}
	return false
}
