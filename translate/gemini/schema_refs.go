package gemini

import (
	"strings"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// keptRef returns the form in which a reference may stay: the provider's JSON schema
// knows references to the root and to its definitions.
func (w *schemaWriter) keptRef(pointer string) (string, bool) {
	if w.openAPI {
		return "", false
	}
	if pointer == "#" {
		return pointer, true
	}
	name, ok := definitionName(pointer)
	if !ok || len(w.resolve(pointer)) == 0 {
		return "", false
	}
	return "#/$defs/" + name, true
}

// definitionName returns the name, still escaped, of the definition of the root that
// a pointer points at.
func definitionName(pointer string) (string, bool) {
	name, ok := strings.CutPrefix(pointer, "#/$defs/")
	if !ok {
		name, ok = strings.CutPrefix(pointer, "#/definitions/")
	}
	return name, ok && name != "" && !strings.Contains(name, "/")
}

// reference writes a reference. Beside it the provider allows nothing but members
// that begin with "$", so that a description needs a schema around it.
func (w *schemaWriter) reference(list []keyword, pointer string) {
	ref, _ := w.keptRef(pointer)
	text, null := describe(list, false), string(find(list, "nullable")) == "true"
	if text == nil && !null {
		w.dst = append(jsonscan.Quote(append(w.dst, `{"$ref":`...), ref), '}')
		return
	}
	w.dst = append(jsonscan.Quote(append(w.dst, `{"anyOf":[{"$ref":`...), ref), '}')
	if null {
		w.dst = append(w.dst, `,{"type":"null"}`...)
	}
	w.dst = append(w.dst, ']')
	if text != nil {
		w.dst = append(appendName(w.dst, "description"), text...)
	}
	w.dst = append(w.dst, '}')
}

// cycles knows which definitions of a schema lead back to themselves. The provider
// unrolls such references, and only in properties that are not required.
type cycles struct {
	// reach holds, for each definition and for "#", what its references lead to.
	reach map[string]map[string]bool
}

// maxDefinitions bounds the definitions whose cycles are looked for.
const maxDefinitions = 128

// findCycles returns nil if the schema has no references, or too many.
func findCycles(root []byte) *cycles {
	direct := map[string]map[string]bool{"#": refsOf(root, true)}
	for _, key := range []string{"$defs", "definitions"} {
		defs := jsonscan.Walk(jsonscan.Get(root, key))
		for defs.Next() {
			if len(direct) > maxDefinitions {
				return nil
			}
			name := "#/$defs/" + strings.ReplaceAll(strings.ReplaceAll(string(defs.Name), "~", "~0"), "/", "~1")
			direct[name] = refsOf(defs.Value, false)
		}
	}
	for _, refs := range direct {
		for ref := range refs {
			if direct[ref] == nil {
				delete(refs, ref)
			}
		}
	}
	c := &cycles{reach: make(map[string]map[string]bool, len(direct))}
	for name := range direct {
		seen := make(map[string]bool)
		follow(direct, name, seen)
		c.reach[name] = seen
	}
	return c
}

// follow collects everything that references lead to, directly or not.
func follow(direct map[string]map[string]bool, name string, seen map[string]bool) {
	for ref := range direct[name] {
		if !seen[ref] {
			seen[ref] = true
			follow(direct, ref, seen)
		}
	}
}

// refsOf returns the references in a schema, in the form in which they are kept. At
// the root the definitions are left out: they count for themselves.
func refsOf(raw []byte, root bool) map[string]bool {
	refs := make(map[string]bool)
	collectRefs(refs, raw, root, 0)
	return refs
}

func collectRefs(refs map[string]bool, raw []byte, root bool, depth int) {
	if len(raw) == 0 || raw[0] != '{' && raw[0] != '[' || depth > maxDepth {
		return
	}
	members := jsonscan.Walk(raw)
	for members.Next() {
		switch name := string(members.Name); {
		case root && (name == "$defs" || name == "definitions"):
		case name == "$ref" && members.Value[0] == '"':
			pointer := jsonscan.String(members.Value)
			if def, ok := definitionName(pointer); ok {
				pointer = "#/$defs/" + def
			}
			refs[pointer] = true
		default:
			collectRefs(refs, members.Value, false, depth+1)
		}
	}
}

// recursive reports whether a property of the definition that is being written leads
// back to that definition.
func (w *schemaWriter) recursive(property []byte) bool {
	if w.cycles == nil {
		return false
	}
	for ref := range refsOf(property, false) {
		if ref == w.scope || w.cycles.reach[ref][w.scope] {
			return true
		}
	}
	return false
}
