package anthropic

import (
	"slices"
	"strings"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// Bounds of schemas that the API compiles into a grammar: more optional properties or
// unions fail the request, as documented for structured outputs.
const (
	maxOptional    = 24
	maxUnions      = 16
	maxSchemaDepth = 64
)

// keptFormats are the values of "format" that the grammar knows.
var keptFormats = []string{"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}

// sanitize rewrites a JSON schema to the subset that output_config.format and strict
// tools take, in its own order: every object is closed, oneOf becomes anyOf, and
// constraints the grammar cannot enforce move to the description, where the model
// reads them. ok is false for schemas that the subset cannot express: recursion, open
// objects, or too many optional properties or unions.
func sanitize(schema []byte) (clean []byte, ok bool) {
	s := sanitizer{root: schema}
	clean = s.schema(make([]byte, 0, len(schema)+len(schema)/4), schema, 1)
	if s.failed || s.optional > maxOptional || s.unions > maxUnions || s.recursive() {
		return nil, false
	}
	return clean, true
}

type sanitizer struct {
	root     []byte
	optional int
	unions   int
	failed   bool
}

// schema appends the sanitised form of one schema.
func (s *sanitizer) schema(dst, raw []byte, depth int) []byte {
	if depth > maxSchemaDepth || len(raw) == 0 || raw[0] != '{' {
		s.failed = true
	}
	if s.failed {
		return dst
	}
	dst = append(dst, '{')
	var description []byte
	var notes []byte
	var typed, object, properties, closed, anyOf bool
	for w := jsonscan.Walk(raw); w.Next(); {
		switch string(w.Name) {
		case "type", "enum", "const":
			typed = true
			object = object || string(w.Name) == "type" && names(w.Value, "object")
			s.failed = s.failed || string(w.Name) == "enum" && hasContainers(w.Value)
			dst = append(member(dst, string(w.Name)), w.Value...)
		case "title", "required":
			dst = append(member(dst, string(w.Name)), w.Value...)
		case "$ref":
			typed = true
			s.failed = s.failed || s.target(w.Value) == nil
			dst = append(member(dst, "$ref"), w.Value...)
		case "$defs", "definitions":
			dst = s.schemas(member(dst, string(w.Name)), w.Value, depth)
		case "properties":
			object, properties = true, true
			s.count(raw, w.Value)
			dst = s.schemas(member(dst, "properties"), w.Value, depth)
		case "anyOf", "oneOf":
			s.failed = s.failed || anyOf
			typed, anyOf = true, true
			dst = s.list(member(dst, "anyOf"), w.Value, depth)
		case "allOf":
			typed = true
			dst = s.list(member(dst, "allOf"), w.Value, depth)
		case "items":
			dst = s.schema(member(dst, "items"), w.Value, depth+1)
		case "additionalProperties":
			closed = string(w.Value) == "false"
			s.failed = s.failed || !closed
		case "patternProperties":
			s.failed = true
		case "description":
			description = w.Value
		case "$schema", "$id", "id", "$comment":
		default:
			if kept(string(w.Name), w.Value) {
				dst = append(member(dst, string(w.Name)), w.Value...)
			} else {
				notes = note(notes, w.Name, w.Value)
			}
		}
	}
	if object {
		typed = true
		s.failed = s.failed || !properties && !closed
		dst = append(member(dst, "additionalProperties"), "false"...)
	}
	s.failed = s.failed || !typed // anything goes: an open object too
	dst = describe(dst, description, notes)
	return append(dst, '}')
}

// schemas appends an object of schemas.
func (s *sanitizer) schemas(dst, raw []byte, depth int) []byte {
	dst = append(dst, '{')
	for w := jsonscan.Walk(raw); w.Next(); {
		dst = s.schema(member(dst, string(w.Name)), w.Value, depth+1)
	}
	return append(dst, '}')
}

// list appends an array of schemas.
func (s *sanitizer) list(dst, raw []byte, depth int) []byte {
	dst = append(dst, '[')
	for w := jsonscan.Walk(raw); w.Next(); {
		dst = s.schema(element(dst), w.Value, depth+1)
	}
	return append(dst, ']')
}

// count counts the optional and the union-typed properties of an object.
func (s *sanitizer) count(object, properties []byte) {
	required := make(map[string]bool)
	for w := jsonscan.Walk(jsonscan.Get(object, "required")); w.Next(); {
		required[jsonscan.String(w.Value)] = true
	}
	for w := jsonscan.Walk(properties); w.Next(); {
		if !required[string(w.Name)] {
			s.optional++
		}
		typ := jsonscan.Get(w.Value, "type")
		if len(typ) > 0 && typ[0] == '[' || jsonscan.Get(w.Value, "anyOf") != nil || jsonscan.Get(w.Value, "oneOf") != nil {
			s.unions++
		}
	}
}

// names reports whether the value of "type" is, or has among its elements, the type.
func names(value []byte, typ string) bool {
	if jsonscan.String(value) == typ {
		return true
	}
	for w := jsonscan.Walk(value); w.Next(); {
		if jsonscan.String(w.Value) == typ {
			return true
		}
	}
	return false
}

func hasContainers(list []byte) bool {
	for w := jsonscan.Walk(list); w.Next(); {
		if len(w.Value) > 0 && (w.Value[0] == '{' || w.Value[0] == '[') {
			return true
		}
	}
	return false
}

// kept reports whether the grammar enforces a constraint.
func kept(name string, value []byte) bool {
	switch name {
	case "format":
		return slices.Contains(keptFormats, jsonscan.String(value))
	case "minItems":
		return string(value) == "0" || string(value) == "1"
	case "pattern":
		p := jsonscan.String(value)
		for _, s := range []string{"(?", `\b`, `\B`, `\1`, `\2`, `\k`} {
			if strings.Contains(p, s) {
				return false
			}
		}
		return p != ""
	}
	return false
}

// note appends a constraint to the list of those that go to the description.
func note(dst, name, value []byte) []byte {
	if len(dst) > 0 {
		dst = append(dst, ", "...)
	}
	dst = jsonscan.Escape(dst, name)
	dst = append(dst, ": "...)
	return appendCompactEscaped(dst, value)
}

// describe appends the description with the constraints behind it.
func describe(dst, description, notes []byte) []byte {
	text := jsonscan.Inner(description)
	if len(text) == 0 && len(notes) == 0 {
		return dst
	}
	dst = append(member(dst, "description"), '"')
	dst = append(dst, text...)
	if len(notes) > 0 {
		if len(text) > 0 {
			dst = append(dst, `\n\n`...)
		}
		dst = append(dst, '{')
		dst = append(dst, notes...)
		dst = append(dst, '}')
	}
	return append(dst, '"')
}

// target returns the definition that a $ref points to, or nil. References into
// anything but the root's definitions cannot be followed.
func (s *sanitizer) target(ref []byte) []byte {
	r := jsonscan.String(ref)
	for _, name := range []string{"$defs", "definitions"} {
		if def, ok := strings.CutPrefix(r, "#/"+name+"/"); ok {
			def = strings.NewReplacer("~1", "/", "~0", "~").Replace(def)
			return jsonscan.Get(jsonscan.Get(s.root, name), def)
		}
	}
	return nil
}

// recursive reports whether a definition refers to itself, maybe by way of others.
func (s *sanitizer) recursive() bool {
	type definition struct {
		path string
		refs []string
	}
	var defs []definition
	for _, name := range []string{"$defs", "definitions"} {
		for w := jsonscan.Walk(jsonscan.Get(s.root, name)); w.Next(); {
			key := strings.NewReplacer("~", "~0", "/", "~1").Replace(string(w.Name))
			defs = append(defs, definition{"#/" + name + "/" + key, refs(nil, w.Value, 0)})
		}
	}
	index := make(map[string]int, len(defs))
	for i := range defs {
		index[defs[i].path] = i
	}
	const fresh, open, done = 0, 1, 2
	state := make([]int, len(defs))
	var visit func(i, depth int) bool
	visit = func(i, depth int) bool {
		if state[i] != fresh {
			return state[i] == open
		}
		if depth > maxSchemaDepth {
			return true
		}
		state[i] = open
		for _, r := range defs[i].refs {
			if k, ok := index[r]; ok && visit(k, depth+1) {
				return true
			}
		}
		state[i] = done
		return false
	}
	for i := range defs {
		if visit(i, 0) {
			return true
		}
	}
	return false
}

// refs appends the targets of all references inside a schema.
func refs(dst []string, raw []byte, depth int) []string {
	if depth > 2*maxSchemaDepth {
		return dst
	}
	for w := jsonscan.Walk(raw); w.Next(); {
		if string(w.Name) == "$ref" && jsonscan.IsString(w.Value) {
			dst = append(dst, jsonscan.String(w.Value))
		} else if len(w.Value) > 0 && (w.Value[0] == '{' || w.Value[0] == '[') {
			dst = refs(dst, w.Value, depth+1)
		}
	}
	return dst
}
