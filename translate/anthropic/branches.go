package anthropic

import (
	"bytes"
	"slices"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// isCombination reports whether a keyword combines schemas. The API refuses these at the
// root of a tool's schema: "input_schema does not support oneOf, allOf, or anyOf at the
// top level" (400, anthropics/claude-code#5973 and many others).
func isCombination(name []byte) bool {
	return string(name) == "anyOf" || string(name) == "oneOf" || string(name) == "allOf"
}

// maxBranches bounds how many schemas are joined at the root of a tool's schema. Those
// beyond it are only named in the description.
const maxBranches = 64

// joined is an object's schema that takes whatever one of several would take: the
// properties of all, and of their required names those that all branches have.
type joined struct {
	root       []byte
	properties []joinedProperty
	index      map[string]int // of a property
	required   [][]byte       // as written
	known      map[string]bool
	notes      []byte
}

// joinedProperty is a property with the different schemas it has in the branches.
type joinedProperty struct {
	name    []byte // as written, quoted
	schemas [][]byte
}

// joinBranches returns an object schema without combinations at its root. What they said
// is in the description, where the model reads it; the rest stays as it was written.
func joinBranches(schema []byte) []byte {
	j := joined{root: schema, index: make(map[string]int), known: make(map[string]bool)}
	j.addProperties(jsonscan.Get(schema, "properties"))
	j.addRequired(jsonscan.Get(schema, "required"))
	var description []byte
	for w := jsonscan.Walk(schema); w.Next(); {
		switch {
		case string(w.Name) == "description":
			description = w.Value
		case string(w.Name) == "allOf":
			j.all(w.Value)
		case isCombination(w.Name):
			j.any(w.Value)
		}
		if isCombination(w.Name) {
			j.notes = note(j.notes, w.Name, w.Value)
		}
	}
	return j.append(make([]byte, 0, 2*len(schema)), description)
}

// all joins schemas that hold at once.
func (j *joined) all(list []byte) {
	n := 0
	for w := jsonscan.Walk(list); w.Next() && n < maxBranches; n++ {
		branch := j.follow(w.Value)
		j.addProperties(jsonscan.Get(branch, "properties"))
		j.addRequired(jsonscan.Get(branch, "required"))
	}
}

// any joins schemas of which one holds: only what all of them require is required.
func (j *joined) any(list []byte) {
	var first [][]byte
	branches, count := 0, make(map[string]int)
	for w := jsonscan.Walk(list); w.Next() && branches < maxBranches; branches++ {
		branch := j.follow(w.Value)
		j.addProperties(jsonscan.Get(branch, "properties"))
		for r := jsonscan.Walk(jsonscan.Get(branch, "required")); r.Next(); {
			name := string(r.Value)
			if branches == 0 {
				first = append(first, r.Value)
			}
			if count[name] == branches { // in every branch so far, this one for the first time
				count[name]++
			}
		}
	}
	for _, name := range first {
		if count[string(name)] == branches {
			j.require(name)
		}
	}
}

// follow returns what a branch that is a reference points to.
func (j *joined) follow(branch []byte) []byte {
	if ref := jsonscan.Get(branch, "$ref"); ref != nil {
		return (&sanitizer{root: j.root}).target(ref)
	}
	return branch
}

func (j *joined) addProperties(object []byte) {
	for w := jsonscan.Walk(object); w.Next(); {
		i, ok := j.index[string(w.Name)]
		if !ok {
			i = len(j.properties)
			j.index[string(w.Name)] = i
			j.properties = append(j.properties, joinedProperty{name: jsonscan.Quote(nil, w.Name)})
		}
		p := &j.properties[i]
		if len(p.schemas) < maxBranches && !slices.ContainsFunc(p.schemas, func(s []byte) bool { return bytes.Equal(s, w.Value) }) {
			p.schemas = append(p.schemas, w.Value)
		}
	}
}

func (j *joined) addRequired(list []byte) {
	for w := jsonscan.Walk(list); w.Next(); {
		j.require(w.Value)
	}
}

func (j *joined) require(name []byte) {
	if !j.known[string(name)] {
		j.known[string(name)] = true
		j.required = append(j.required, name)
	}
}

func (j *joined) append(dst, description []byte) []byte {
	dst = append(dst, `{"type":"object"`...)
	dst = describe(dst, description, j.notes)
	dst = append(member(dst, "properties"), '{')
	for i := range j.properties {
		p := &j.properties[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(dst, p.name...), ':')
		if len(p.schemas) == 1 {
			dst = append(dst, p.schemas[0]...)
			continue
		}
		dst = append(dst, `{"anyOf":[`...)
		for _, s := range p.schemas {
			dst = append(element(dst), s...)
		}
		dst = append(dst, "]}"...)
	}
	dst = append(dst, '}')
	if len(j.required) > 0 {
		dst = append(member(dst, "required"), '[')
		for _, name := range j.required {
			dst = append(element(dst), name...)
		}
		dst = append(dst, ']')
	}
	for w := jsonscan.Walk(j.root); w.Next(); {
		switch string(w.Name) {
		case "type", "description", "properties", "required", "anyOf", "oneOf", "allOf":
		default:
			dst = append(member(dst, string(w.Name)), w.Value...)
		}
	}
	return append(dst, '}')
}
