package anthropic

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// tool is a tool as it is sent.
type tool struct {
	name        string
	raw         jsontext.Value // the whole tool, of a kind that is the provider's own
	description string
	schema      []byte
	strict      bool
	cache       jsontext.Value
}

// customInput is the only parameter of a function that stands for a tool taking free
// text, and what arguments that are no object are wrapped in.
const customInput = "input"

const (
	anyObject    = `{"type":"object","properties":{}}`
	customSchema = `{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}`
	webSearch    = "web_search"
)

// reserveNames keeps the names of the provider's own tools from the client's tools.
func (e *encoder) reserveNames() {
	e.names.reserve("")
	for i := range e.req.Tools {
		if t := &e.req.Tools[i]; t.Kind == translate.ToolRaw {
			e.names.reserve(jsonscan.String(jsonscan.Get(t.Raw, "name")))
		}
	}
	if e.hasWebSearch() {
		e.names.reserve(webSearch)
	}
}

func (e *encoder) hasWebSearch() bool {
	return len(e.req.Params.WebSearch) > 0 && e.req.Params.WebSearch[0] == '{'
}

// decideTools settles which tools are declared and which of them must be called.
func (e *encoder) decideTools() {
	allowed := e.req.Choice.Names
	if e.req.Choice.Mode == translate.ToolNamed && e.mayForce() {
		allowed = nil // all stay declared, one is forced
	}
	names := make(map[string]bool, len(e.req.Tools))
	for i := range e.req.Tools {
		e.declare(i, allowed, names)
	}
	declared := len(e.tools)
	if declared == 0 {
		e.declareHistory()
	}
	if e.hasWebSearch() {
		e.declareWebSearch()
	}
	if e.format.viaTool {
		e.out.JSONTool = e.names.fresh("json_output")
		e.out.JSONMember = e.format.member
		e.tools = append(e.tools, tool{name: e.out.JSONTool, description: e.format.description, schema: e.format.schema})
	}
	e.chooseTool(declared)
	if p := e.req.Choice.Parallel; p != nil && !*p || e.format.viaTool {
		switch {
		case len(e.tools) == 0 || e.choice.kind == "none":
		case e.choice.kind == "":
			e.choice = toolChoice{kind: "auto", serial: true}
		default:
			e.choice.serial = true
		}
	}
}

func toolName(t *translate.Tool) string {
	if t.Kind == translate.ToolRaw {
		return jsonscan.String(jsonscan.Get(t.Raw, "name"))
	}
	return t.Name
}

// declare adds the client's tool at index i, unless others only are allowed, or one of
// its name is there already: the API refuses the second.
func (e *encoder) declare(i int, allowed []string, declared map[string]bool) {
	t := &e.req.Tools[i]
	if len(allowed) > 0 && !slices.Contains(allowed, toolName(t)) {
		return
	}
	if t.Kind != translate.ToolRaw {
		if declared[t.Name] {
			return
		}
		declared[t.Name] = true
	}
	switch t.Kind {
	case translate.ToolRaw:
		if !isProviderTool(t.Raw) {
			e.drop(e.toolPath(i))
			return
		}
		e.out.ServerTools = true
		e.tools = append(e.tools, tool{name: toolName(t), raw: t.Raw})
	case translate.ToolCustom:
		out := tool{name: e.names.of(t.Name), description: t.Description + grammarNote(t.Format), schema: []byte(customSchema), cache: breakpoint(t.CacheControl)}
		e.out.CustomTools = append(e.out.CustomTools, out.name)
		e.tools = append(e.tools, out)
	default:
		out := tool{name: e.names.of(t.Name), description: t.Description, cache: breakpoint(t.CacheControl)}
		out.schema = e.inputSchema(t.Parameters, e.functionPath(i, "parameters"))
		if t.Strict != nil && *t.Strict {
			if strict, ok := sanitize(out.schema); ok && e.row.NativeJSON {
				out.schema, out.strict = strict, true
			} else {
				e.drop(e.functionPath(i, "strict"))
			}
		}
		e.tools = append(e.tools, out)
	}
}

func (e *encoder) toolPath(i int) string {
	if p := e.req.Tools[i].Path; p != "" {
		return p
	}
	return "tools[" + strconv.Itoa(i) + "]"
}

// functionPath is the path of a function's member, also of the deprecated "functions".
func (e *encoder) functionPath(i int, name string) string {
	path := e.toolPath(i)
	if strings.HasPrefix(path, "functions") {
		return path + "." + name
	}
	return path + ".function." + name
}

// isProviderTool reports whether a raw tool is one of Anthropic's own, whose types end
// in a date: {"type":"code_execution_20260521","name":"code_execution"}.
func isProviderTool(raw []byte) bool {
	typ := jsonscan.String(jsonscan.Get(raw, "type"))
	if typ == "mcp_toolset" {
		return true
	}
	n := len(typ) - 9
	return n > 0 && typ[n] == '_' && isDigits(typ[n+1:])
}

// inputSchema returns a function's schema as the API insists on it, which is with a
// type and without combinations at its root, and otherwise as the client wrote it.
func (e *encoder) inputSchema(raw jsontext.Value, path string) []byte {
	if jsonscan.IsNull(raw) {
		return []byte(anyObject)
	}
	if raw[0] != '{' {
		e.fail("invalid_type", path, "The parameters of a function must be a JSON schema object.")
		return nil
	}
	members, typed, properties, combined := 0, false, false, false
	for w := jsonscan.Walk(raw); w.Next(); members++ {
		typed = typed || string(w.Name) == "type"
		properties = properties || string(w.Name) == "properties"
		combined = combined || isCombination(w.Name)
	}
	switch {
	case members == 0:
		return []byte(anyObject)
	case combined:
		return joinBranches(raw)
	case typed:
		return raw
	}
	dst := make([]byte, 0, len(raw)+len(anyObject))
	dst = append(dst, `{"type":"object",`...)
	if !properties {
		dst = append(dst, `"properties":{},`...)
	}
	return append(dst, raw[1:]...)
}

// grammarNote tells the model about the grammar of a custom tool, which the API has no
// field for.
func grammarNote(format jsontext.Value) string {
	g := jsonscan.Get(format, "grammar")
	if g == nil {
		g = format // the Responses API has its members here
	}
	definition := jsonscan.String(jsonscan.Get(g, "definition"))
	if definition == "" {
		return ""
	}
	return "\n\nThe input must match this " + jsonscan.String(jsonscan.Get(g, "syntax")) + " grammar:\n" + definition
}

// declareHistory declares the tools that the history calls, when there are no others:
// calls without tools are refused upstream. The model may not call them.
func (e *encoder) declareHistory() {
	seen := make(map[string]bool)
	for i := range e.turns {
		for k := range e.turns[i].calls {
			if name := e.names.of(e.turns[i].calls[k].name); !seen[name] {
				seen[name] = true
				e.tools = append(e.tools, tool{name: name, schema: []byte(anyObject)})
			}
		}
	}
	if len(e.tools) > 0 && !e.hasWebSearch() {
		e.choice.kind = "none"
	}
}

// declareWebSearch declares the provider's web search for web_search_options.
func (e *encoder) declareWebSearch() {
	typ := e.opt.WebSearch
	if typ == "" {
		typ = "web_search_20250305"
	}
	dst := stringMember([]byte{'{'}, "type", typ)
	dst = stringMember(dst, "name", webSearch)
	if at := jsonscan.Get(jsonscan.Get(e.req.Params.WebSearch, "user_location"), "approximate"); at != nil {
		dst = append(member(dst, "user_location"), '{')
		dst = stringMember(dst, "type", "approximate")
		for _, name := range []string{"city", "country", "region", "timezone"} {
			if v := jsonscan.Get(at, name); jsonscan.IsString(v) && len(v) > 2 {
				dst = append(member(dst, name), v...)
			}
		}
		dst = append(dst, '}')
	}
	if jsonscan.IsString(jsonscan.Get(e.req.Params.WebSearch, "search_context_size")) {
		e.drop("web_search_options.search_context_size")
	}
	e.out.ServerTools = true
	e.tools = append(e.tools, tool{name: webSearch, raw: append(dst, '}')})
}

// appendTools writes tools and tool_choice.
func (e *encoder) appendTools(dst []byte) []byte {
	if len(e.tools) > 0 {
		dst = append(member(dst, "tools"), '[')
		for i := range e.tools {
			dst = e.appendTool(element(dst), &e.tools[i])
		}
		dst = append(dst, ']')
	}
	if e.choice.kind == "" {
		return dst
	}
	dst = append(member(dst, "tool_choice"), '{')
	dst = stringMember(dst, "type", e.choice.kind)
	if e.choice.name != "" {
		dst = stringMember(dst, "name", e.choice.name)
	}
	if e.choice.serial {
		dst = append(member(dst, "disable_parallel_tool_use"), "true"...)
	}
	return append(dst, '}')
}

func (e *encoder) appendTool(dst []byte, t *tool) []byte {
	if t.raw != nil {
		return append(dst, t.raw...)
	}
	dst = append(dst, '{')
	dst = stringMember(dst, "name", t.name)
	if t.description != "" {
		dst = stringMember(dst, "description", t.description)
	}
	dst = append(member(dst, "input_schema"), t.schema...)
	if t.strict {
		dst = append(member(dst, "strict"), "true"...)
	}
	dst = e.appendBreakpoint(dst, t.cache)
	return append(dst, '}')
}
