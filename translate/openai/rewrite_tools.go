package openai

import (
	"slices"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// choice is what becomes of the client's tool_choice.
type choice struct {
	mapped bool
	to     string // if mapped; "" leaves it out
	lost   bool   // the provider is told less than the client said
	none   bool   // the client wants no calls, which is said by leaving the tools out
	// only are the names of the tools that stay, because the choice cannot be said
	// otherwise; nil for all.
	only map[string]bool
}

// planTools decides about the choice first, because the tools depend on it and it on
// whether there are tools.
func (r *rewriter) planTools() {
	tools := r.get("tools")
	if tools == nil {
		return
	}
	if slices.Contains(r.q.Drop, "tools") {
		r.noTools = true
		return
	}
	r.planChoice(r.get("tool_choice"), tools)
	if r.choice.none {
		r.noTools = true
		return
	}
	if len(r.q.ToolTypes) > 0 {
		r.noTools = true
		for w := jsonscan.Walk(tools); w.Next(); {
			if r.takesTool(w.Value) && r.chosen(w.Value) {
				r.noTools = false
			}
		}
	}
}

// planChoice maps tool_choice to what the provider takes.
func (r *rewriter) planChoice(raw, tools []byte) {
	c := &r.choice
	switch {
	case len(r.q.ToolChoice) == 0:
	case jsonscan.IsString(raw):
		from := jsonscan.String(raw)
		if c.to, c.mapped = r.q.ToolChoice[from]; c.mapped {
			c.none = from == "none" && c.to == ""
			c.lost = (c.to == "" || c.to == "auto") && !c.none
		}
	case isObject(raw):
		kind := jsonscan.String(jsonscan.Get(raw, "type"))
		names, mode := chosenTools(raw, kind)
		c.to, c.mapped = r.q.ToolChoice[kind]
		if fallback, ok := r.q.ToolChoice["function"]; ok && !c.mapped {
			c.to, c.mapped = fallback, true
			if kind == "allowed_tools" {
				c.to = mode
				if to, ok := r.q.ToolChoice[mode]; ok {
					c.to = to
				}
			}
		}
		if !c.mapped {
			return
		}
		c.lost = c.to == "" || c.to == "auto" && mode != "auto"
		if c.to != "none" && declaresAny(tools, names) {
			c.only = names
		}
	}
}

// chosenTools returns the names in an object form of tool_choice, and its mode.
func chosenTools(raw []byte, kind string) (names map[string]bool, mode string) {
	names = map[string]bool{}
	if kind != "allowed_tools" {
		names[jsonscan.String(jsonscan.Get(jsonscan.Get(raw, kind), "name"))] = true
		return names, "required"
	}
	allowed := jsonscan.Get(raw, kind)
	for w := jsonscan.Walk(jsonscan.Get(allowed, "tools")); w.Next(); {
		names[toolName(w.Value)] = true
	}
	return names, jsonscan.String(jsonscan.Get(allowed, "mode"))
}

// toolName returns the name in a tool or a reference to one, "" if it has none.
func toolName(raw []byte) string {
	kind := jsonscan.String(jsonscan.Get(raw, "type"))
	return jsonscan.String(jsonscan.Get(jsonscan.Get(raw, kind), "name"))
}

// declaresAny reports whether one of the tools has one of the names.
func declaresAny(tools []byte, names map[string]bool) bool {
	for w := jsonscan.Walk(tools); w.Next(); {
		if name := toolName(w.Value); name != "" && names[name] {
			return true
		}
	}
	return false
}

// takesTool reports whether a tool is of a type that the provider takes.
func (r *rewriter) takesTool(raw []byte) bool {
	kind := jsonscan.Get(raw, "type")
	return len(r.q.ToolTypes) == 0 || jsonscan.IsNull(kind) || slices.Contains(r.q.ToolTypes, jsonscan.String(kind))
}

// chosen reports whether the choice leaves a tool in.
func (r *rewriter) chosen(raw []byte) bool {
	return r.choice.only == nil || r.choice.only[toolName(raw)]
}

// toolChoice writes tool_choice.
func (r *rewriter) toolChoice(m *jsonscan.Member) {
	c := &r.choice
	switch {
	case r.noTools:
	case !c.mapped:
		r.keep(m)
	case c.to != "":
		r.value("tool_choice", jsonscan.Quote(nil, c.to))
	}
	if c.lost {
		r.drop("tool_choice")
	}
}

// tools writes the tools that stay.
func (r *rewriter) tools(raw []byte) {
	if r.noTools {
		if !r.choice.none {
			r.drop("tools")
		}
		return
	}
	if !isArray(raw) || len(r.q.ToolTypes) == 0 && r.choice.only == nil && !r.q.DropStrict && !r.q.DropNulls {
		r.value("tools", raw)
		return
	}
	r.value("tools", []byte{'['})
	for w := jsonscan.Walk(raw); w.Next(); {
		switch {
		case !r.takesTool(w.Value):
			r.drop("tools[].type")
		case !r.chosen(w.Value):
		case isObject(w.Value):
			r.tool(w.Value)
		default:
			r.raw(w.Value)
		}
	}
	r.out = append(r.out, ']')
}

// tool writes one tool without what the provider refuses of it. Its schema is not
// touched.
func (r *rewriter) tool(raw []byte) {
	strict := func(name, value []byte) bool {
		if !r.q.DropStrict || string(name) != "strict" {
			return false
		}
		if string(value) == "true" {
			r.drop("tools[].function.strict")
		}
		return true
	}
	r.object(raw, func(name, value []byte) bool {
		if string(name) == "function" && isObject(value) {
			r.name("function")
			r.object(value, strict)
			return true
		}
		return strict(name, value)
	})
}
