package openai

import (
	"strconv"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// rawMessage are the raw members of one message; nil where absent.
type rawMessage struct {
	role, name, content, refusal, audio                     []byte
	toolCalls, functionCall, toolCallID                     []byte
	isError, status                                         []byte
	reasoningContent, reasoning, reasoningDetails, thinking []byte
	marks                                                   cacheMarks
}

func readRawMessage(raw []byte) (m rawMessage) {
	for w := jsonscan.Walk(raw); w.Next(); {
		switch string(w.Name) {
		case "role":
			m.role = w.Value
		case "name":
			m.name = w.Value
		case "content":
			m.content = w.Value
		case "refusal":
			m.refusal = w.Value
		case "audio":
			m.audio = w.Value
		case "tool_calls":
			m.toolCalls = w.Value
		case "function_call":
			m.functionCall = w.Value
		case "tool_call_id":
			m.toolCallID = w.Value
		case "is_error":
			m.isError = w.Value
		case "status":
			m.status = w.Value
		case "reasoning_content":
			m.reasoningContent = w.Value
		case "reasoning":
			m.reasoning = w.Value
		case "reasoning_details":
			m.reasoningDetails = w.Value
		case "thinking_blocks":
			m.thinking = w.Value
		default:
			m.marks.take(w.Name, w.Value)
		}
	}
	return m
}

func (d *requestDecoder) messages(raw []byte) {
	n := 0
	for w := jsonscan.Walk(raw); w.Next(); {
		n++
	}
	d.req.Turns = make([]translate.Turn, 0, n)
	at := place{name: "messages"}
	w := jsonscan.Walk(raw)
	for i := 0; w.Next() && d.err == nil; i++ {
		p := at.elem(i)
		if d.object(&p, w.Value) {
			d.req.Turns = append(d.req.Turns, d.turn(&p, w.Value))
		}
	}
}

func (d *requestDecoder) turn(p *place, raw []byte) translate.Turn {
	m := readRawMessage(raw)
	t := translate.Turn{Path: p.String()}
	at := p.at("name")
	t.Name = d.optional(&at, m.name)
	at = p.at("role")
	switch d.mustBeOneOf(&at, m.role, "system", "assistant", "user", "function", "tool", "developer") {
	case "developer":
		t.Developer = true
		fallthrough
	case "system":
		t.Role = translate.RoleSystem
		t.Parts = d.content(p, m.content, partsOfInstructions)
	case "user":
		t.Role = translate.RoleUser
		t.Parts = d.content(p, m.content, partsOfUser)
	case "assistant":
		t.Role = translate.RoleAssistant
		t.Parts = d.assistant(p, &m)
	case "tool":
		d.toolResult(p, &m, &t)
	case "function":
		d.functionResult(p, &m, &t)
	}
	d.mark(p, &m, &t)
	return t
}

// mark moves a cache breakpoint of the whole message to its last part that can have
// one.
func (d *requestDecoder) mark(p *place, m *rawMessage, t *translate.Turn) {
	control := d.cacheControl(p, m.marks)
	for i := len(t.Parts) - 1; i >= 0 && control != nil; i-- {
		part := &t.Parts[i]
		if part.Kind == translate.PartReasoning || part.Kind == translate.PartText && part.Text == "" {
			continue
		}
		if part.CacheControl == nil {
			part.CacheControl = control
		}
		return
	}
}

// assistant reads what the model said in an earlier turn, in the order in which it
// thinks, speaks and calls.
func (d *requestDecoder) assistant(p *place, m *rawMessage) []translate.Part {
	parts := d.reasoning(p, m)
	if jsonscan.IsNull(m.content) {
		if jsonscan.IsNull(m.toolCalls) && jsonscan.IsNull(m.functionCall) && jsonscan.IsNull(m.audio) && jsonscan.IsNull(m.refusal) && len(parts) == 0 {
			d.content(p, m.content, partsOfAssistant) // which says that it is missing
		}
	} else if content := d.content(p, m.content, partsOfAssistant); len(parts) == 0 {
		parts = content
	} else {
		parts = append(parts, content...)
	}
	at := p.at("refusal")
	if refusal := d.optional(&at, m.refusal); refusal != "" {
		parts = append(parts, translate.Part{Kind: translate.PartRefusal, Text: refusal, Path: at.String()})
	}
	at = p.at("audio")
	if !jsonscan.IsNull(m.audio) && d.object(&at, m.audio) {
		id := at.at("id")
		parts = append(parts, translate.Part{
			Kind: translate.PartAudio, Path: at.String(),
			Media: &translate.Media{FileID: d.required(&id, jsonscan.Get(m.audio, "id"))},
		})
	}
	parts = d.toolCalls(p, m.toolCalls, parts)
	at = p.at("function_call")
	if !jsonscan.IsNull(m.functionCall) && d.object(&at, m.functionCall) {
		call := d.calledFunction(&at, m.functionCall)
		call.ID = "function_call_" + strconv.Itoa(p.index)
		if d.functionCalls == nil {
			d.functionCalls = make(map[string][]string)
		}
		d.functionCalls[call.Name] = append(d.functionCalls[call.Name], call.ID)
		parts = append(parts, translate.Part{Kind: translate.PartToolCall, Call: call, Path: at.String()})
	}
	return parts
}

// toolResult reads a tool message.
func (d *requestDecoder) toolResult(p *place, m *rawMessage, t *translate.Turn) {
	at := p.at("tool_call_id")
	r := &translate.ToolResult{CallID: d.required(&at, m.toolCallID), Name: t.Name}
	at = p.at("is_error")
	failed := d.boolean(&at, m.isError)
	r.IsError = failed != nil && *failed || jsonscan.String(m.status) == "error"
	r.Parts = d.content(p, m.content, partsOfTool)
	t.Role = translate.RoleTool
	t.Parts = []translate.Part{{Kind: translate.PartToolResult, Result: r, Path: t.Path}}
}

// functionResult reads a message of the deprecated role "function". It names the
// function instead of the call; the oldest open call of it is meant.
func (d *requestDecoder) functionResult(p *place, m *rawMessage, t *translate.Turn) {
	at := p.at("name")
	r := &translate.ToolResult{Name: d.required(&at, m.name), CallID: "function_call_" + strconv.Itoa(p.index)}
	if open := d.functionCalls[r.Name]; len(open) > 0 {
		r.CallID = open[0]
		d.functionCalls[r.Name] = open[1:]
	}
	if !jsonscan.IsNull(m.content) {
		r.Parts = d.content(p, m.content, partsOfTool)
	}
	t.Role = translate.RoleTool
	t.Parts = []translate.Part{{Kind: translate.PartToolResult, Result: r, Path: t.Path}}
}

// toolCalls reads the calls of an assistant message. An empty list, which some clients
// echo, is none.
func (d *requestDecoder) toolCalls(p *place, raw []byte, parts []translate.Part) []translate.Part {
	if jsonscan.IsNull(raw) {
		return parts
	}
	at := p.at("tool_calls")
	if !isArray(raw) {
		d.wrongType(&at, "an array of objects", raw)
		return parts
	}
	w := jsonscan.Walk(raw)
	for i := 0; w.Next() && d.err == nil; i++ {
		one := at.elem(i)
		if d.object(&one, w.Value) {
			parts = append(parts, d.toolCall(&one, w.Value))
		}
	}
	return parts
}

func (d *requestDecoder) toolCall(p *place, raw []byte) translate.Part {
	var id, kind, function, custom, extra, vendor []byte
	var marks cacheMarks
	for w := jsonscan.Walk(raw); w.Next(); {
		switch string(w.Name) {
		case "id":
			id = w.Value
		case "type":
			kind = w.Value
		case "function":
			function = w.Value
		case "custom":
			custom = w.Value
		case "extra_content":
			extra = w.Value
		case "provider_specific_fields":
			vendor = w.Value
		default:
			marks.take(w.Name, w.Value)
		}
	}
	part := translate.Part{Kind: translate.PartToolCall, Path: p.String(), CacheControl: d.cacheControl(p, marks)}
	at := p.at("type")
	word := d.oneOf(&at, kind, "function", "custom")
	inner := function
	if word == "custom" || word == "" && function == nil {
		word, inner = "custom", custom
	} else {
		word = "function"
	}
	at = p.at(word)
	if inner == nil {
		d.fail(missing(at.String()))
		return part
	}
	if !d.object(&at, inner) {
		return part
	}
	part.Call = d.calledFunction(&at, inner)
	part.Call.Custom = word == "custom"
	in := p.at("id")
	part.Call.ID = d.required(&in, id)
	for _, sig := range [...][]byte{googleSignature(extra), jsonscan.Get(vendor, "thought_signature"), jsonscan.Get(jsonscan.Get(inner, "provider_specific_fields"), "thought_signature")} {
		if s := jsonscan.String(sig); s != "" && part.Call.Signature == "" {
			part.Call.Signature, part.Call.Format = s, googleFormat
		}
	}
	return part
}

// calledFunction reads the name and the arguments, or the input, of a call. Arguments
// may be an object instead of the text of one, or null.
func (d *requestDecoder) calledFunction(p *place, raw []byte) *translate.ToolCall {
	call := new(translate.ToolCall)
	var name []byte
	for w := jsonscan.Walk(raw); w.Next(); {
		switch string(w.Name) {
		case "name":
			name = w.Value
		case "arguments", "input":
			if isObject(w.Value) {
				call.Arguments = string(w.Value)
				continue
			}
			at := p.at(string(w.Name))
			call.Arguments = d.optional(&at, w.Value)
		}
	}
	at := p.at("name")
	call.Name = d.required(&at, name)
	return call
}
