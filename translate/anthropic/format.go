package anthropic

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// format is how structured output is asked for. At most one way is taken.
type format struct {
	// native is the schema for output_config.format.
	native []byte
	// viaTool makes the answer the arguments of a tool with this schema; member is
	// the one that holds it where it is no object itself.
	viaTool     bool
	schema      []byte
	member      string
	description string
}

// jsonMember is the member that wraps an answer which is no object.
const jsonMember = "value"

const (
	askObject = "Answer with one JSON object and nothing else: no explanation, no code fence."
	askSchema = "Answer with JSON that matches the following JSON schema, and with nothing else: no explanation, no code fence.\n"
)

// decideFormat picks the strictest way to structured output that the model has: its
// own, a forced tool call, or a plain request.
func (e *encoder) decideFormat() {
	f := e.req.Params.Format
	if f == nil || jsonscan.Get(e.get("output_config"), "format") != nil {
		return
	}
	switch f.Type {
	case "", "text":
		return
	case "json_object":
		e.ask(askObject)
		return
	case "json_schema":
	default:
		e.fail("unsupported_value", "response_format.type", "'"+f.Type+"' is not a supported response format.")
		return
	}
	schema := f.Schema
	if jsonscan.IsNull(schema) {
		e.ask(askObject)
		return
	}
	if schema[0] != '{' {
		e.fail("invalid_type", "response_format.json_schema.schema", "The schema must be a JSON object.")
		return
	}
	if clean, ok := sanitize(schema); ok && e.row.NativeJSON {
		e.format.native = clean
		return
	}
	if !e.mayForce() {
		e.ask(askSchema + string(schema))
		return
	}
	e.format.viaTool = true
	e.format.description = f.Description
	if e.format.description == "" {
		e.format.description = "Gives the answer."
	}
	typ := jsonscan.Get(schema, "type")
	if isPlainObject(schema, typ) {
		e.format.schema = e.inputSchema(schema, "response_format.json_schema.schema")
		return
	}
	e.format.schema, e.format.member = wrapSchema(schema), jsonMember
}

// isPlainObject reports whether a schema can be a tool's as it is: that of an object,
// without combinations at its root, which would have to be loosened.
func isPlainObject(schema, typ []byte) bool {
	for w := jsonscan.Walk(schema); w.Next(); {
		if isCombination(w.Name) {
			return false
		}
	}
	return jsonscan.String(typ) == "object" || typ == nil && jsonscan.Get(schema, "properties") != nil
}

// ask adds a block to the end of the system prompt.
func (e *encoder) ask(text string) {
	e.system = append(e.system, block{kind: blockText, text: text})
}

// wrapSchema returns the schema of an object whose only member has the given schema.
// Definitions move to the root, where references look for them.
func wrapSchema(schema jsontext.Value) []byte {
	dst := append([]byte(nil), `{"type":"object","properties":{"value":`...)
	dst = append(dst, schema...)
	dst = append(dst, `},"required":["value"]`...)
	for _, name := range []string{"$defs", "definitions"} {
		if defs := jsonscan.Get(schema, name); defs != nil {
			dst = append(member(dst, name), defs...)
		}
	}
	return append(dst, '}')
}

// appendOutputConfig writes the client's own output_config with what it does not say
// itself: effort and format.
func (e *encoder) appendOutputConfig(dst []byte) []byte {
	own := e.get("output_config")
	effort, native := e.thinking.effort, e.format.native
	if jsonscan.Get(own, "effort") != nil {
		effort = ""
	}
	if len(own) > 0 && own[0] != '{' {
		return append(member(dst, "output_config"), own...)
	}
	if own == nil && effort == "" && native == nil {
		return dst
	}
	dst = append(member(dst, "output_config"), '{')
	for w := jsonscan.Walk(own); w.Next(); {
		dst = append(member(dst, string(w.Name)), w.Value...)
	}
	if effort != "" {
		dst = stringMember(dst, "effort", effort)
	}
	if native != nil {
		dst = append(member(dst, "format"), `{"type":"json_schema","schema":`...)
		dst = append(append(dst, native...), '}')
	}
	return append(dst, '}')
}
