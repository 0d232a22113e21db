package gemini

import (
	"slices"
	"strings"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// jsonNode writes a schema in the provider's subset of JSON schema
// (ai.google.dev/gemini-api/docs/structured-output).
func (w *schemaWriter) jsonNode(list []keyword, depth int) {
	// null is no legal element of enum: it becomes a type of its own.
	split := enumHasNull(list)
	if split {
		w.dst = append(w.dst, `{"anyOf":[`...)
	}
	w.dst = append(w.dst, '{')
	described := false
	for i := range list {
		k := &list[i]
		if k.name == "description" {
			described = true
		}
		w.jsonKeyword(list, k, depth)
	}
	if text := describe(list, false); text != nil && !described {
		w.dst = append(appendName(w.dst, "description"), text...)
	}
	w.dst = append(w.dst, '}')
	if split {
		w.dst = append(w.dst, `,{"type":"null"}]}`...)
	}
}

func (w *schemaWriter) jsonKeyword(list []keyword, k *keyword, depth int) {
	switch k.name {
	case "$id", "$anchor", "title", "format", "minItems", "maxItems", "minimum", "maximum", "propertyOrdering":
		w.dst = append(appendName(w.dst, k.name), k.raw...)
	case "description":
		if text := describe(list, false); text != nil {
			w.dst = append(appendName(w.dst, "description"), text...)
		}
	case "type":
		w.jsonType(list, k.raw)
	case "nullable":
		if find(list, "type") == nil && string(k.raw) == "true" && find(list, "enum") != nil {
			w.dst = append(appendName(w.dst, "type"), `["string","null"]`...)
		}
	case "enum":
		w.jsonEnum(k.raw)
	case "const":
		w.jsonConst(list, k.raw)
	case "items", "additionalProperties":
		if k.name == "items" && k.raw[0] == '[' {
			w.array("prefixItems", k.raw, false, depth)
			return
		}
		w.dst = appendName(w.dst, k.name)
		if k.name == "additionalProperties" && k.raw[0] != '{' {
			w.dst = append(w.dst, k.raw...)
			return
		}
		w.node(k.raw, depth+1)
	case "prefixItems", "anyOf", "oneOf":
		if onlyRequires(k.raw) {
			return // a note says it
		}
		null := k.name != "prefixItems" && string(find(list, "nullable")) == "true" && find(list, "type") == nil
		w.array(k.name, k.raw, null, depth)
	case "properties":
		w.properties(k.raw, depth)
	case "required":
		w.required(list, k.raw)
	case "$defs", "definitions":
		w.definitions(list, k, depth)
	}
}

// jsonType writes the type, which may be a list, in small letters.
func (w *schemaWriter) jsonType(list []keyword, raw []byte) {
	types := typesOf(raw)
	if string(find(list, "nullable")) == "true" && len(types) > 0 && !slices.Contains(types, "null") {
		types = append(types, "null")
	}
	if len(types) == 0 {
		return
	}
	w.dst = appendName(w.dst, "type")
	if len(types) == 1 {
		w.dst = jsonscan.Quote(w.dst, types[0])
		return
	}
	for i, t := range types {
		w.dst = append(w.dst, "[,"[min(i, 1)])
		w.dst = jsonscan.Quote(w.dst, t)
	}
	w.dst = append(w.dst, ']')
}

// jsonEnum writes the strings and numbers of an enum.
func (w *schemaWriter) jsonEnum(raw []byte) {
	n := 0
	values := jsonscan.Walk(raw)
	for values.Next() {
		if !isScalar(values.Value) {
			continue
		}
		if n == 0 {
			w.dst = append(appendName(w.dst, "enum"), '[')
		} else {
			w.dst = append(w.dst, ',')
		}
		w.dst = append(w.dst, values.Value...)
		n++
	}
	if n > 0 {
		w.dst = append(w.dst, ']')
	}
}

// jsonConst writes a constant as an enum of one; what cannot be in an enum only gives
// its type.
func (w *schemaWriter) jsonConst(list []keyword, raw []byte) {
	if isScalar(raw) {
		if find(list, "enum") == nil {
			w.dst = append(append(append(appendName(w.dst, "enum"), '['), raw...), ']')
		}
		return
	}
	if find(list, "type") == nil {
		w.dst = jsonscan.Quote(appendName(w.dst, "type"), typeOf(raw))
	}
}

// array writes a keyword whose value is a list of schemas, unless the list is empty,
// with null as a further one if it is wanted.
func (w *schemaWriter) array(name string, raw []byte, null bool, depth int) {
	n := 0
	if raw[0] == '[' {
		for elements := jsonscan.Walk(raw); elements.Next(); n++ {
			if n == 0 {
				w.dst = append(appendName(w.dst, name), '[')
			} else {
				w.dst = append(w.dst, ',')
			}
			w.node(elements.Value, depth+1)
		}
	}
	if n == 0 {
		return
	}
	if null {
		w.dst = append(w.dst, `,{"type":"null"}`...)
	}
	w.dst = append(w.dst, ']')
}

// properties writes the properties of an object. Of two with one name the first
// stays: the provider refuses the second.
func (w *schemaWriter) properties(raw []byte, depth int) {
	if len(raw) == 0 || raw[0] != '{' {
		return
	}
	w.dst = append(appendName(w.dst, "properties"), '{')
	seen := make(map[string]bool)
	members := jsonscan.Walk(raw)
	for members.Next() {
		if seen[string(members.Name)] {
			continue
		}
		seen[string(members.Name)] = true
		if w.dst[len(w.dst)-1] != '{' {
			w.dst = append(w.dst, ',')
		}
		w.dst = append(jsonscan.Quote(w.dst, members.Name), ':')
		w.node(members.Value, depth+1)
	}
	w.dst = append(w.dst, '}')
}

// required writes the names of required properties that exist. A property that leads
// back to its own definition cannot be required.
func (w *schemaWriter) required(list []keyword, raw []byte) {
	properties := make(map[string][]byte)
	members := jsonscan.Walk(find(list, "properties"))
	for members.Next() {
		if name := string(members.Name); properties[name] == nil {
			properties[name] = members.Value
		}
	}
	names := jsonscan.Walk(raw)
	n := 0
	for names.Next() {
		name := jsonscan.String(names.Value)
		property := properties[name]
		if property == nil || w.recursive(property) {
			continue
		}
		delete(properties, name) // once is enough
		if n == 0 {
			w.dst = append(appendName(w.dst, "required"), '[')
		} else {
			w.dst = append(w.dst, ',')
		}
		w.dst = append(w.dst, names.Value...)
		n++
	}
	if n > 0 {
		w.dst = append(w.dst, ']')
	}
}

// definitions writes the definitions of the root, old and new style as one. Those
// further down are written where they are used.
func (w *schemaWriter) definitions(list []keyword, k *keyword, depth int) {
	if depth > 0 || k.name == "definitions" && find(list, "$defs") != nil {
		return
	}
	w.dst = append(appendName(w.dst, "$defs"), '{')
	seen := make(map[string]bool)
	for _, raw := range [][]byte{find(list, "$defs"), find(list, "definitions")} {
		members := jsonscan.Walk(raw)
		for members.Next() {
			if seen[string(members.Name)] {
				continue
			}
			seen[string(members.Name)] = true
			if w.dst[len(w.dst)-1] != '{' {
				w.dst = append(w.dst, ',')
			}
			w.dst = append(jsonscan.Quote(w.dst, members.Name), ':')
			w.scope = "#/$defs/" + strings.ReplaceAll(strings.ReplaceAll(string(members.Name), "~", "~0"), "/", "~1")
			w.node(members.Value, depth+1)
		}
	}
	w.scope = "#"
	w.dst = append(w.dst, '}')
}
