package anthropic

import (
	"slices"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// toolChoice is what is sent of tool_choice; the zero value is nothing.
type toolChoice struct {
	kind, name string
	// serial forbids more than one call in a turn.
	serial bool
}

// mayForce reports whether the model takes a choice that forces a call.
func (e *encoder) mayForce() bool { return e.row.ForcedChoice && e.thinking.kind != "enabled" }

// choiceParam is the parameter that gave the choice of a tool.
func (e *encoder) choiceParam() string {
	if e.req.Params.LegacyFunctions {
		return "function_call"
	}
	return "tool_choice"
}

// chooseTool maps the client's tool choice; declared is how many of the client's own
// tools there are.
func (e *encoder) chooseTool(declared int) {
	c := &e.req.Choice
	if declared == 0 {
		switch {
		case len(c.Names) > 0 && len(e.req.Tools) > 0:
			e.fail("invalid_value", e.choiceParam(), "None of the tools in 'tool_choice' is in 'tools'.")
		case e.format.viaTool:
			e.choice = toolChoice{kind: "tool", name: e.out.JSONTool}
		case c.Mode == translate.ToolNone && len(e.tools) > 0:
			e.choice.kind = "none"
		case c.Mode == translate.ToolRequired:
			e.drop(e.choiceParam()) // none of the tools is one that could be called here
		}
		return
	}
	switch c.Mode {
	case translate.ToolNone:
		e.choice.kind = "none"
		if e.format.viaTool {
			e.choice = toolChoice{kind: "tool", name: e.out.JSONTool}
		}
	case translate.ToolRequired:
		e.choice.kind = "any"
	case translate.ToolNamed:
		e.chooseNamed()
	case translate.ToolAuto:
		e.choice.kind = "auto"
	}
	if e.format.viaTool && (e.choice.kind == "" || e.choice.kind == "auto") {
		e.choice.kind = "any"
	}
	if e.choice.kind == "any" && !e.mayForce() {
		e.drop(e.choiceParam())
		e.choice.kind = "auto"
	}
}

// chooseNamed forces one tool, or leaves the model no other where it cannot be forced.
func (e *encoder) chooseNamed() {
	name := ""
	if len(e.req.Choice.Names) > 0 {
		name = e.req.Choice.Names[0]
	}
	if !slices.ContainsFunc(e.req.Tools, func(t translate.Tool) bool { return toolName(&t) == name }) {
		e.fail("invalid_value", e.choiceParam(), "The tool '"+name+"' in 'tool_choice' is not in 'tools'.")
		return
	}
	if !e.mayForce() {
		e.drop(e.choiceParam())
		e.choice.kind = "auto"
		return
	}
	e.choice = toolChoice{kind: "tool", name: e.sentName(name)}
}

// sentName is the name that a declared tool is sent with: the provider's own tools
// keep theirs.
func (e *encoder) sentName(name string) string {
	for i := range e.tools {
		if e.tools[i].raw != nil && e.tools[i].name == name {
			return name
		}
	}
	return e.names.of(name)
}
