package openai

import (
	"bytes"
	"slices"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// toolMember reads a parameter about tools.
func (d *requestDecoder) toolMember(m *jsonscan.Member) {
	if jsonscan.IsNull(m.Value) {
		return
	}
	at := place{name: string(m.Name)}
	switch at.name {
	case "tools":
		d.tools(&at, m.Value, d.tool)
	case "functions":
		d.req.Params.LegacyFunctions = true
		d.tools(&at, m.Value, func(p *place, raw []byte) translate.Tool {
			return d.function(p, raw, translate.Tool{Kind: translate.ToolFunction})
		})
	case "tool_choice":
		d.toolChoice(&at, m.Value)
	case "function_call":
		d.req.Params.LegacyFunctions = true
		d.functionChoice(&at, m.Value)
	case "parallel_tool_calls":
		d.req.Choice.Parallel = d.boolean(&at, m.Value)
	}
}

func (d *requestDecoder) tools(p *place, raw []byte, read func(*place, []byte) translate.Tool) {
	if !isArray(raw) {
		d.wrongType(p, "an array of objects", raw)
		return
	}
	if len(d.req.Tools) > 0 {
		d.fail(invalidValue(p.name, "Only one of 'tools' and 'functions' can be given."))
		return
	}
	w := jsonscan.Walk(raw)
	for i := 0; w.Next() && d.err == nil; i++ {
		at := p.elem(i)
		if !d.object(&at, w.Value) {
			return
		}
		t := read(&at, w.Value)
		t.Path = at.String()
		d.req.Tools = append(d.req.Tools, t)
	}
}

// tool reads a function, a custom tool, or a tool of a provider's own.
func (d *requestDecoder) tool(p *place, raw []byte) translate.Tool {
	var kind, function, custom, name []byte
	var marks cacheMarks
	for w := jsonscan.Walk(raw); w.Next(); {
		switch string(w.Name) {
		case "type":
			kind = w.Value
		case "function":
			function = w.Value
		case "custom":
			custom = w.Value
		case "name":
			name = w.Value
		default:
			marks.take(w.Name, w.Value)
		}
	}
	t := translate.Tool{Kind: translate.ToolFunction, CacheControl: d.cacheControl(p, marks)}
	word := "function"
	if kind != nil || function == nil {
		at := p.at("type")
		word = d.required(&at, kind)
	}
	switch word {
	case "function":
		at := p.at("function")
		return d.function(&at, function, t)
	case "custom":
		t.Kind = translate.ToolCustom
		at := p.at("custom")
		return d.function(&at, custom, t)
	}
	t.Kind, t.Raw = translate.ToolRaw, bytes.Clone(raw)
	t.Name = jsonscan.String(name)
	return t
}

// function reads what a function, a custom tool and a legacy function have in common.
func (d *requestDecoder) function(p *place, raw []byte, t translate.Tool) translate.Tool {
	if raw == nil {
		d.fail(missing(p.String()))
		return t
	}
	if !d.object(p, raw) {
		return t
	}
	var name []byte
	var marks cacheMarks
	for w := jsonscan.Walk(raw); w.Next(); {
		switch string(w.Name) {
		case "name":
			name = w.Value
		case "description":
			at := p.at("description")
			t.Description = d.optional(&at, w.Value)
		case "parameters":
			at := p.at("parameters")
			t.Parameters = d.rawObject(&at, w.Value)
		case "strict":
			at := p.at("strict")
			t.Strict = d.boolean(&at, w.Value)
		case "format":
			if at := p.at("format"); t.Kind == translate.ToolCustom {
				t.Format = d.rawObject(&at, w.Value)
			}
		default:
			marks.take(w.Name, w.Value)
		}
	}
	at := p.at("name")
	t.Name = d.required(&at, name)
	if t.CacheControl == nil {
		t.CacheControl = d.cacheControl(p, marks)
	}
	return t
}

// choose notes which parameter gives the choice; there can be only one.
func (d *requestDecoder) choose(p *place) *translate.ToolChoice {
	if d.choiceAt != "" {
		d.fail(invalidValue(p.name, "Only one of 'tool_choice' and 'function_call' can be given."))
	}
	d.choiceAt = p.name
	return &d.req.Choice
}

func (d *requestDecoder) toolChoice(p *place, raw []byte) {
	c := d.choose(p)
	switch {
	case jsonscan.IsString(raw):
		c.Mode = toolMode(d.oneOf(p, raw, "none", "auto", "required"))
		return
	case !isObject(raw):
		d.wrongType(p, "one of a string or object", raw)
		return
	}
	at := p.at("type")
	kind := jsonscan.Get(raw, "type")
	switch word := d.mustBeOneOf(&at, kind, "function", "custom", "allowed_tools"); word {
	case "function", "custom":
		c.Mode, c.Names = translate.ToolNamed, []string{d.reference(p, raw, word)}
	case "allowed_tools":
		d.allowedTools(p, raw)
	}
}

func toolMode(word string) translate.ToolMode {
	switch word {
	case "auto":
		return translate.ToolAuto
	case "none":
		return translate.ToolNone
	case "required":
		return translate.ToolRequired
	}
	return translate.ToolDefault
}

// reference reads the name in {"function":{"name":…}} or {"custom":{"name":…}}.
func (d *requestDecoder) reference(p *place, raw []byte, kind string) string {
	at := p.at(kind)
	inner := jsonscan.Get(raw, kind)
	if inner == nil {
		d.fail(missing(at.String()))
		return ""
	}
	if !d.object(&at, inner) {
		return ""
	}
	in := at.at("name")
	return d.required(&in, jsonscan.Get(inner, "name"))
}

func (d *requestDecoder) allowedTools(p *place, raw []byte) {
	at := p.at("allowed_tools")
	allowed := jsonscan.Get(raw, "allowed_tools")
	if allowed == nil {
		d.fail(missing(at.String()))
		return
	}
	if !d.object(&at, allowed) {
		return
	}
	in := at.at("mode")
	mode := jsonscan.Get(allowed, "mode")
	d.req.Choice.Mode = toolMode(d.mustBeOneOf(&in, mode, "auto", "required"))
	in = at.at("tools")
	list := jsonscan.Get(allowed, "tools")
	if !isArray(list) {
		d.wrongType(&in, "an array of objects", list)
		return
	}
	w := jsonscan.Walk(list)
	for i := 0; w.Next() && d.err == nil; i++ {
		one := in.elem(i)
		if !d.object(&one, w.Value) {
			return
		}
		kind := "function"
		if jsonscan.Get(w.Value, "custom") != nil {
			kind = "custom"
		}
		d.req.Choice.Names = append(d.req.Choice.Names, d.reference(&one, w.Value, kind))
	}
}

// functionChoice reads the deprecated function_call.
func (d *requestDecoder) functionChoice(p *place, raw []byte) {
	c := d.choose(p)
	switch {
	case jsonscan.IsString(raw):
		c.Mode = toolMode(d.oneOf(p, raw, "none", "auto"))
	case isObject(raw):
		at := p.at("name")
		c.Mode, c.Names = translate.ToolNamed, []string{d.required(&at, jsonscan.Get(raw, "name"))}
	default:
		d.wrongType(p, "one of a string or object", raw)
	}
}

// finishTools checks the choice against the tools.
func (d *requestDecoder) finishTools() {
	if names := d.req.Choice.Names; len(names) > 0 {
		declared := make(map[string]bool, len(d.req.Tools))
		for i := range d.req.Tools {
			declared[d.req.Tools[i].Name] = true
		}
		if i := slices.IndexFunc(names, func(name string) bool { return !declared[name] }); i >= 0 {
			d.fail(invalidValue(d.choiceAt, "Invalid value for '"+d.choiceAt+"': no tool is called '"+clip(names[i])+"'."))
			return
		}
	}
	if d.req.Choice.Mode == translate.ToolRequired && len(d.req.Tools) == 0 {
		d.fail(invalidValue("tool_choice", "'tool_choice' is only allowed when 'tools' are specified."))
	}
	if d.req.Params.LegacyFunctions {
		one := false // an answer has room for one function_call
		d.req.Choice.Parallel = &one
	}
}
