package gemini

import (
	"bytes"
	"slices"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// openNode writes a schema in the provider's subset of OpenAPI 3.0 (genai v1.77.0,
// Schema), in which unions stand alone and types are single.
func (w *schemaWriter) openNode(list []keyword, depth int) {
	union := find(list, "anyOf")
	if union == nil {
		union = find(list, "oneOf")
	}
	if branches, null := w.branches(union); len(branches) > 0 || null {
		w.openUnion(list, branches, null, depth)
		return
	}
	types := typesOf(find(list, "type"))
	nullable := string(find(list, "nullable")) == "true" || slices.Contains(types, "null") || enumHasNull(list)
	single := types[:0:0]
	for _, t := range types {
		if t != "null" {
			single = append(single, t)
		}
	}
	switch len(single) {
	case 0:
		w.openTyped(list, inferType(list), nullable, depth)
	case 1:
		w.openTyped(list, single[0], nullable, depth)
	default:
		w.dst = append(w.dst, `{"anyOf":[`...)
		for i, t := range single {
			if i > 0 {
				w.dst = append(w.dst, ',')
			}
			w.openTyped(list, t, nullable && i == 0, depth)
		}
		w.dst = append(w.dst, "]}"...)
	}
}

// branches returns the schemas of a union other than null, and whether null is one.
func (w *schemaWriter) branches(union []byte) (branches [][]byte, null bool) {
	w.work -= len(union)
	elements := jsonscan.Walk(union)
	for elements.Next() {
		if types := typesOf(jsonscan.Get(elements.Value, "type")); len(types) == 1 && types[0] == "null" {
			null = true
			continue
		}
		branches = append(branches, elements.Value)
	}
	return branches, null
}

// openUnion writes a union. Whatever stands beside it moves into the branches; null
// makes the branches nullable, and a single branch needs no union.
func (w *schemaWriter) openUnion(list []keyword, branches [][]byte, null bool, depth int) {
	outer := make([]keyword, 0, len(list)+1)
	for _, k := range list {
		if k.name != "anyOf" && k.name != "oneOf" && k.name != "title" {
			outer = append(outer, k)
		}
	}
	if null {
		outer = append(outer, keyword{"nullable", []byte("true")})
	}
	if len(branches) <= 1 {
		if len(branches) == 1 {
			w.openBranch(branches[0], outer, depth)
		} else {
			w.openNode(outer, depth+1)
		}
		return
	}
	w.dst = append(w.dst, `{"anyOf":[`...)
	for i, branch := range branches {
		if i > 0 {
			w.dst = append(w.dst, ',')
		}
		w.openBranch(branch, outer, depth)
	}
	w.dst = append(w.dst, "]}"...)
}

func (w *schemaWriter) openBranch(branch []byte, outer []keyword, depth int) {
	if depth > maxSchemaDepth || w.work <= 0 || len(w.dst)-w.start > maxSchemaSize || branch[0] != '{' {
		w.anything([]byte("true"))
		return
	}
	held := len(w.refs)
	list, _ := w.collect(nil, branch, depth+1)
	for _, k := range outer {
		list = w.merge(list, k)
	}
	w.openNode(list, depth+1)
	w.refs = w.refs[:held]
}

// openTyped writes a schema of one type.
func (w *schemaWriter) openTyped(list []keyword, typ string, nullable bool, depth int) {
	numbers := typ != "string" && numericEnum(list)
	if numbers || typ == "null" {
		typ = "string" // enums are strings, and null is nothing but nullable
	}
	w.dst = jsonscan.Quote(append(w.dst, `{"type":`...), typ)
	if nullable {
		w.dst = append(appendName(w.dst, "nullable"), "true"...)
	}
	if numbers {
		w.dst = append(appendName(w.dst, "format"), `"enum"`...)
	}
	if text := describe(list, true); text != nil {
		w.dst = append(appendName(w.dst, "description"), text...)
	}
	for i := range list {
		w.openKeyword(list, &list[i], typ, numbers, depth)
	}
	if typ == "array" && find(list, "items") == nil && find(list, "prefixItems") == nil {
		w.dst = append(appendName(w.dst, "items"), `{"type":"string"}`...)
	}
	w.dst = append(w.dst, '}')
}

// openKeyword writes one keyword if it belongs to the type.
func (w *schemaWriter) openKeyword(list []keyword, k *keyword, typ string, numbers bool, depth int) {
	belongs := func(t string) bool { return typ == t || t == "number" && typ == "integer" }
	switch k.name {
	case "title":
		w.dst = append(appendName(w.dst, k.name), k.raw...)
	case "default", "example":
		if !numbers {
			w.dst = append(appendName(w.dst, k.name), k.raw...)
		}
	case "format":
		if !numbers && openFormat(list, jsonscan.String(k.raw)) {
			w.dst = append(appendName(w.dst, k.name), k.raw...)
		}
	case "enum":
		if typ == "string" {
			w.openEnum(k.raw)
		}
	case "const":
		if typ == "string" && isScalar(k.raw) && find(list, "enum") == nil {
			w.openEnum(append(append([]byte{'['}, k.raw...), ']'))
		}
	case "minLength", "maxLength", "pattern":
		if typ == "string" && !numbers {
			w.dst = append(appendName(w.dst, k.name), k.raw...)
		}
	case "minimum", "maximum":
		if belongs("number") {
			w.dst = append(appendName(w.dst, k.name), k.raw...)
		}
	case "minItems", "maxItems":
		if belongs("array") {
			w.dst = append(appendName(w.dst, k.name), k.raw...)
		}
	case "items", "prefixItems":
		if belongs("array") {
			w.openItems(list, k, depth)
		}
	case "minProperties", "maxProperties", "propertyOrdering":
		if belongs("object") {
			w.dst = append(appendName(w.dst, k.name), k.raw...)
		}
	case "properties":
		if inner := jsonscan.Walk(k.raw); belongs("object") && inner.Next() {
			w.properties(k.raw, depth)
		}
	case "required":
		if belongs("object") {
			w.required(list, k.raw)
		}
	}
}

// openItems writes the element type of an array. A tuple, old or new style, becomes an
// array of any of its types.
func (w *schemaWriter) openItems(list []keyword, k *keyword, depth int) {
	tuple := find(list, "prefixItems")
	if k.name == "items" && k.raw[0] == '[' {
		tuple = k.raw
	}
	if tuple == nil {
		w.dst = appendName(w.dst, "items")
		w.node(k.raw, depth+1)
		return
	}
	if k.name == "items" && find(list, "prefixItems") != nil {
		return // written with the tuple
	}
	var union []byte
	union = append(union, `{"anyOf":`...)
	union = append(union, bytes.TrimSpace(tuple)...)
	if rest := find(list, "items"); len(rest) > 0 && rest[0] == '{' && len(union) > len(`{"anyOf":[]`) {
		union = append(append(append(union[:len(union)-1], ','), rest...), ']')
	}
	w.dst = appendName(w.dst, "items")
	w.node(append(union, '}'), depth+1)
}

// openEnum writes the values of an enum as strings; empty ones are refused.
func (w *schemaWriter) openEnum(raw []byte) {
	n := 0
	values := jsonscan.Walk(raw)
	for values.Next() {
		v := values.Value
		if !isScalar(v) || len(jsonscan.Inner(v)) == 0 && v[0] == '"' {
			continue
		}
		if n == 0 {
			w.dst = append(appendName(w.dst, "enum"), '[')
		} else {
			w.dst = append(w.dst, ',')
		}
		if v[0] == '"' {
			w.dst = append(w.dst, v...)
		} else {
			w.dst = jsonscan.Quote(w.dst, v)
		}
		n++
	}
	if n > 0 {
		w.dst = append(w.dst, ']')
	}
}

// numericEnum reports whether a schema only allows certain values and one of them is
// a number.
func numericEnum(list []keyword) bool {
	values := jsonscan.Walk(find(list, "enum"))
	for values.Next() {
		if isScalar(values.Value) && values.Value[0] != '"' {
			return true
		}
	}
	c := find(list, "const")
	return len(c) > 0 && isScalar(c) && c[0] != '"'
}

// openFormat reports whether the provider takes the format with the schema's type;
// others are refused ("only 'enum' and 'date-time' are supported for STRING type").
func openFormat(list []keyword, format string) bool {
	types := typesOf(find(list, "type"))
	switch format {
	case "enum", "date-time":
		return len(types) == 0 || slices.Contains(types, "string")
	case "float", "double":
		return slices.Contains(types, "number")
	case "int32", "int64":
		return slices.Contains(types, "integer")
	}
	return false
}

// inferType guesses the type of a schema that does not name it.
func inferType(list []keyword) string {
	for _, k := range list {
		switch k.name {
		case "properties", "required", "additionalProperties", "patternProperties", "minProperties", "maxProperties":
			return "object"
		case "items", "prefixItems", "minItems", "maxItems", "uniqueItems":
			return "array"
		case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf":
			return "number"
		case "const":
			return typeOf(k.raw)
		case "enum":
			if values := jsonscan.Walk(k.raw); values.Next() && values.Value[0] != 'n' {
				return typeOf(values.Value)
			}
		}
	}
	return "string"
}
