package gemini

import (
	"slices"
	"strconv"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// customSchema is the schema of a function that stands in for a custom tool.
const customSchema = `{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}`

// encodeTools builds tools and toolConfig.
func (e *encoder) encodeTools() {
	decls, strict := e.declarations()
	e.functions = len(decls) > 0
	server := e.serverTools()
	if len(decls) == 0 && len(server) == 0 {
		if m := e.req.Choice.Mode; m == translate.ToolRequired || m == translate.ToolNamed {
			e.drop(e.choiceParam())
		}
		return
	}
	e.tools = append(e.tools, '[')
	if len(decls) > 0 {
		e.tools = append(e.tools, `{"functionDeclarations":[`...)
		e.tools = append(e.tools, decls...)
		e.tools = append(e.tools, "]}"...)
	}
	for _, raw := range server {
		if len(e.tools) > 1 {
			e.tools = append(e.tools, ',')
		}
		e.tools = append(e.tools, raw...)
	}
	e.tools = append(e.tools, ']')
	e.encodeToolConfig(strict, len(server) > 0)
}

// choiceParam is the parameter that gave the choice of a tool.
func (e *encoder) choiceParam() string {
	if e.req.Params.LegacyFunctions {
		return "function_call"
	}
	return "tool_choice"
}

// declarations returns the function declarations, comma-separated, and whether one of
// them is strict.
func (e *encoder) declarations() (decls []byte, strict bool) {
	declared := make(map[string]bool, len(e.req.Tools))
	for i := range e.req.Tools {
		t := &e.req.Tools[i]
		if t.Kind == translate.ToolRaw || t.Name == "" || declared[t.Name] || !e.allows(t.Name) {
			continue
		}
		declared[t.Name] = true
		strict = strict || t.Strict != nil && *t.Strict
		if len(decls) > 0 {
			decls = append(decls, ',')
		}
		decls = e.declaration(decls, t)
	}
	return decls, strict
}

// allows reports whether a tool may be declared: models that cannot be given a list of
// allowed functions without forcing a call are only told of those.
func (e *encoder) allows(name string) bool {
	c := &e.req.Choice
	return e.caps.Validated || len(c.Names) == 0 || c.Mode != translate.ToolAuto && c.Mode != translate.ToolDefault ||
		slices.Contains(c.Names, name)
}

func (e *encoder) declaration(dst []byte, t *translate.Tool) []byte {
	dst = jsonscan.Quote(append(dst, `{"name":`...), e.wireName(t.Name))
	description, schema := t.Description, []byte(t.Parameters)
	if t.Kind == translate.ToolCustom {
		e.out.CustomTools = append(e.out.CustomTools, e.wireName(t.Name))
		description, schema = customDescription(t), []byte(customSchema)
	}
	if description != "" {
		dst = jsonscan.Quote(appendName(dst, "description"), description)
	}
	if jsonscan.IsNull(schema) {
		return append(dst, '}')
	}
	if !isObject(schema) {
		e.fail("invalid_type", t.Path+".function.parameters", "The parameters of a function must be a JSON object.")
		return append(dst, '}')
	}
	if !takesNothing(schema) {
		name := "parametersJsonSchema"
		if e.openAPI() {
			name = "parameters"
		}
		dst = appendSchema(appendName(dst, name), schema, e.openAPI())
	}
	return append(dst, '}')
}

// customDescription adds the grammar of a custom tool to its description.
func customDescription(t *translate.Tool) string {
	if isObject(t.Format) {
		grammar := jsonscan.Get(t.Format, "grammar")
		if def := jsonscan.String(jsonscan.Get(grammar, "definition")); def != "" {
			return t.Description + "\n\nThe input must match this " + jsonscan.String(jsonscan.Get(grammar, "syntax")) + " grammar:\n" + def
		}
	}
	return t.Description
}

// takesNothing reports whether a schema describes a function without parameters, for
// which the provider wants no schema at all.
func takesNothing(schema []byte) bool {
	w := jsonscan.Walk(schema)
	for w.Next() {
		switch string(w.Name) {
		case "properties", "patternProperties":
			if inner := jsonscan.Walk(w.Value); inner.Next() {
				return false
			}
		case "additionalProperties":
			if w.Value[0] == '{' || w.Value[0] == 't' {
				return false
			}
		case "$ref", "anyOf", "oneOf", "allOf", "if":
			return false
		case "type":
			if w.Value[0] == '"' && jsonscan.String(w.Value) != "object" && jsonscan.String(w.Value) != "OBJECT" {
				return false
			}
		}
	}
	return true
}

// ownTools are the members of the provider's tool object that run on its servers
// (genai v1.77.0, Tool).
var ownTools = map[string]bool{
	"googleSearch": true, "googleSearchRetrieval": true, "codeExecution": true, "urlContext": true, "googleMaps": true,
	"fileSearch": true, "computerUse": true, "retrieval": true, "enterpriseWebSearch": true, "mcpServers": true,
}

// serverTools returns the tools that the provider runs itself: web search, and those
// the client wrote in the provider's form. Older models take them or functions.
func (e *encoder) serverTools() (tools [][]byte) {
	allowed := !e.functions || e.caps.SearchWithTools
	search := false
	for i := range e.req.Tools {
		t := &e.req.Tools[i]
		if t.Kind != translate.ToolRaw {
			continue
		}
		raw := ownTool(t)
		if raw == nil || !allowed {
			e.drop(t.Path)
			continue
		}
		search = search || jsonscan.Get(raw, "googleSearch") != nil
		tools = append(tools, raw)
	}
	if web := []byte(e.req.Params.WebSearch); sent(web) {
		switch {
		case !allowed:
			e.drop("web_search_options")
		case !search:
			tools = append(tools, []byte(`{"googleSearch":{}}`))
		}
	}
	return tools
}

// ownTool returns the tool in camel case if it is one of the provider's. A member "type",
// which OpenAI clients give every tool, is left out.
func ownTool(t *translate.Tool) []byte {
	if !isObject(t.Raw) {
		return nil
	}
	own := []byte{'{'}
	for w := jsonscan.Walk(camelKeys(nil, compact(t.Raw))); w.Next(); {
		switch name := string(w.Name); {
		case ownTools[name]:
			own = append(appendName(own, name), w.Value...)
		case name != "type":
			return nil
		}
	}
	if len(own) == 1 {
		return nil
	}
	return append(own, '}')
}

// encodeToolConfig builds toolConfig from tool_choice and strict.
func (e *encoder) encodeToolConfig(strict, server bool) {
	raw := []byte{'{'}
	if e.functions {
		if calling := e.callingConfig(strict); len(calling) > 0 {
			raw = append(appendName(raw, "functionCallingConfig"), calling...)
		}
	}
	// Without the flag the Gemini API refuses functions beside server tools; Vertex
	// AI does not know it (ai.google.dev/gemini-api/docs/tool-combination).
	if e.functions && server && !e.opt.Vertex {
		raw = append(appendName(raw, "includeServerSideToolInvocations"), "true"...)
	}
	if len(raw) > 1 {
		e.toolConfig = append(raw, '}')
	}
}

func (e *encoder) callingConfig(strict bool) []byte {
	choice := &e.req.Choice
	mode := ""
	switch choice.Mode {
	case translate.ToolNone:
		return []byte(`{"mode":"NONE"}`)
	case translate.ToolRequired, translate.ToolNamed:
		mode = "ANY"
	default:
		// AUTO takes no list of names, VALIDATED does.
		if (strict || len(choice.Names) > 0) && e.caps.Validated {
			mode = "VALIDATED"
		}
	}
	if mode == "" {
		return nil
	}
	raw := append([]byte(`{"mode":"`), mode...)
	raw = append(raw, '"')
	if names := e.allowedNames(); len(names) > 0 {
		raw = append(appendName(raw, "allowedFunctionNames"), names...)
	}
	return append(raw, '}')
}

// allowedNames returns the names that tool_choice allows; each must be declared, or
// the provider refuses the request.
func (e *encoder) allowedNames() []byte {
	choice := &e.req.Choice
	if len(choice.Names) == 0 {
		return nil
	}
	raw := []byte{'['}
	for _, name := range choice.Names {
		if !e.declares(name) {
			e.fail("invalid_value", e.choiceParam(), e.choiceParam()+" names the tool "+strconv.Quote(name)+", which is not among the tools.")
			return nil
		}
		if len(raw) > 1 {
			raw = append(raw, ',')
		}
		raw = jsonscan.Quote(raw, e.wireName(name))
	}
	return append(raw, ']')
}

func (e *encoder) declares(name string) bool {
	for i := range e.req.Tools {
		if t := &e.req.Tools[i]; t.Kind != translate.ToolRaw && t.Name == name {
			return true
		}
	}
	return false
}
