package gemini

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// Bounds of one schema: its nesting, its size as written, and the bytes read while
// references and allOf are resolved, which may be many more than the schema has. What
// lies beyond is cut down to an object of any kind.
const (
	maxSchemaDepth = 48
	maxSchemaSize  = 1 << 20
	maxSchemaWork  = 16 << 20
)

// appendSchema appends a valid JSON schema in the form the provider takes: its subset
// of JSON schema or, if openAPI is set, of OpenAPI 3.0. Keywords keep their order.
// What cannot be expressed is said in the description.
func appendSchema(dst, raw []byte, openAPI bool) []byte {
	w := schemaWriter{dst: dst, start: len(dst), root: raw, openAPI: openAPI, work: maxSchemaWork}
	if openAPI {
		w.refs = append(w.refs, "#")
	} else {
		w.cycles, w.scope = findCycles(raw), "#"
	}
	w.node(raw, 0)
	return w.dst
}

type schemaWriter struct {
	dst     []byte
	start   int
	root    []byte
	openAPI bool
	refs    []string // pointers that are being written in place
	work    int
	cycles  *cycles
	scope   string // pointer of the definition that is being written
}

// keyword is one member of a schema.
type keyword struct {
	name string
	raw  []byte
}

// node writes one schema.
func (w *schemaWriter) node(raw []byte, depth int) {
	if depth > maxSchemaDepth || w.work <= 0 || len(w.dst)-w.start > maxSchemaSize {
		w.dst = append(w.dst, `{"type":"object"}`...)
		return
	}
	if len(raw) == 0 || raw[0] != '{' {
		w.anything(raw)
		return
	}
	held := len(w.refs)
	list, ref := w.collect(nil, raw, depth)
	if ref != "" && depth == 0 {
		list, ref = w.inline(list, ref, depth), "" // the root must say what it is
	}
	if ref != "" {
		w.reference(list, ref)
	} else if w.openAPI {
		w.openNode(list, depth)
	} else {
		w.jsonNode(list, depth)
	}
	w.refs = w.refs[:held]
}

// anything writes a boolean schema.
func (w *schemaWriter) anything(raw []byte) {
	switch {
	case string(raw) == "false":
		w.dst = append(w.dst, `{"type":"string","description":"not allowed"}`...)
	case w.openAPI:
		w.dst = append(w.dst, `{"type":"string","description":"any value"}`...)
	default:
		w.dst = append(w.dst, "{}"...)
	}
}

// keywords are those that mean something to the provider or to the model. Others,
// such as $schema and $comment, are left out.
var keywords = func() map[string]bool {
	m := make(map[string]bool)
	for _, name := range []string{
		"$id", "$anchor", "$defs", "definitions", "type", "format", "title", "description", "enum", "const", "nullable",
		"items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains", "unevaluatedItems",
		"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern",
		"contentEncoding", "contentMediaType", "anyOf", "oneOf", "not", "if", "then", "else", "properties", "required",
		"additionalProperties", "patternProperties", "propertyNames", "minProperties", "maxProperties", "propertyOrdering",
		"dependentRequired", "dependentSchemas", "dependencies", "unevaluatedProperties", "default", "example", "examples",
	} {
		m[name] = true
	}
	return m
}()

// collect adds the keywords of a schema to the list, with those of its allOf branches
// and of references that must be written in place. A reference that can stay is
// returned instead.
func (w *schemaWriter) collect(list []keyword, raw []byte, depth int) (out []keyword, ref string) {
	w.work -= len(raw) + 64
	if w.work <= 0 || depth > maxSchemaDepth {
		return w.merge(list, keyword{"type", []byte(`"object"`)}), ""
	}
	var pointer string
	var allOf []byte
	members := jsonscan.Walk(raw)
	for members.Next() {
		switch name := string(members.Name); name {
		case "$ref", "$dynamicRef":
			pointer = jsonscan.String(members.Value)
		case "allOf":
			allOf = members.Value
		default:
			if keywords[name] {
				list = w.merge(list, keyword{name, members.Value})
			}
		}
	}
	if only := onlyRef(allOf); pointer == "" && only != "" {
		pointer, allOf = only, nil
	}
	if pointer != "" {
		if _, ok := w.keptRef(pointer); ok && allOf == nil {
			return list, pointer
		}
		list = w.inline(list, pointer, depth)
	}
	branches := jsonscan.Walk(allOf)
	for branches.Next() {
		if branches.Value[0] != '{' {
			continue
		}
		var inner string
		if list, inner = w.collect(list, branches.Value, depth+1); inner != "" {
			list = w.inline(list, inner, depth+1)
		}
	}
	return list, ""
}

// onlyRef returns the reference that an allOf consists of, as generators write it to
// put a description beside it; "" for any other.
func onlyRef(allOf []byte) string {
	branches := jsonscan.Walk(allOf)
	if !branches.Next() {
		return ""
	}
	members := jsonscan.Walk(branches.Value)
	if !members.Next() || string(members.Name) != "$ref" {
		return ""
	}
	ref := jsonscan.String(members.Value)
	if members.Next() || branches.Next() {
		return ""
	}
	return ref
}

// inline adds the keywords of what a pointer points at. A pointer that is being
// written already is cut: it becomes an object that says what it would have been.
func (w *schemaWriter) inline(list []keyword, pointer string, depth int) []keyword {
	target, text := w.resolve(pointer), "see "+pointer
	if slices.Contains(w.refs, pointer) {
		target, text = nil, "nested "+pointer[strings.LastIndexByte(pointer, '/')+1:]
	}
	if len(target) == 0 || target[0] != '{' {
		list = w.merge(list, keyword{"type", []byte(`"object"`)})
		return w.merge(list, keyword{"description", jsonscan.Quote(nil, text)})
	}
	w.refs = append(w.refs, pointer)
	list, ref := w.collect(list, target, depth+1)
	if ref != "" {
		list = w.inline(list, ref, depth+1)
	}
	return list
}

// merge adds a keyword to the list. Where two schemas hold at once, their properties
// and required names are joined; of other keywords the first stays.
func (w *schemaWriter) merge(list []keyword, k keyword) []keyword {
	for i := range list {
		if list[i].name != k.name {
			continue
		}
		if k.name != "properties" && k.name != "required" {
			return list
		}
		a, b := bytes.TrimSpace(list[i].raw), bytes.TrimSpace(k.raw)
		w.work -= len(a) + len(b)
		if w.work <= 0 || len(a) < 2 || len(b) < 2 || a[0] != b[0] || a[0] != '{' && a[0] != '[' {
			return list
		}
		joined := append([]byte(nil), a[:len(a)-1]...)
		if len(bytes.TrimSpace(a[1:len(a)-1])) > 0 && len(bytes.TrimSpace(b[1:len(b)-1])) > 0 {
			joined = append(joined, ',')
		}
		list[i].raw = append(joined, b[1:]...)
		return list
	}
	return append(list, k)
}

// resolve returns the schema that a pointer into the root points at, or nil.
func (w *schemaWriter) resolve(pointer string) []byte {
	rest, ok := bytes.CutPrefix([]byte(pointer), []byte("#"))
	if !ok {
		return nil
	}
	at := w.root
	for len(rest) > 0 {
		if rest[0] != '/' {
			return nil
		}
		token := rest[1:]
		if i := bytes.IndexByte(token, '/'); i >= 0 {
			token, rest = token[:i], token[i:]
		} else {
			rest = nil
		}
		token = bytes.ReplaceAll(bytes.ReplaceAll(token, []byte("~1"), []byte("/")), []byte("~0"), []byte("~"))
		w.work -= len(at)
		if at = step(at, string(token)); at == nil || w.work <= 0 {
			return nil
		}
	}
	return at
}

// step returns the member or element of a value that a pointer's token names.
func step(at []byte, token string) []byte {
	if len(at) > 0 && at[0] == '{' {
		return jsonscan.Get(at, token)
	}
	elements := jsonscan.Walk(at)
	for n := 0; elements.Next() && n < maxDefinitions; n++ {
		if strconv.Itoa(n) == token {
			return elements.Value
		}
	}
	return nil
}
