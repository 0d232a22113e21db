package openai

import (
	"slices"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// chatMessage is what the order of messages depends on, of one of the client's or of one
// that is added.
type chatMessage struct {
	raw   []byte // nil for one that is added
	place int    // among the client's messages
	text  string // of one that is added
	role  string // as the provider will see it
	calls bool   // has tool calls
	empty bool   // has neither content nor calls
}

// messages writes the conversation.
func (r *rewriter) messages(raw []byte) {
	r.value("messages", nil)
	if !isArray(raw) {
		r.raw(raw)
		return
	}
	var buf [64]chatMessage
	list := buf[:0]
	for w := jsonscan.Walk(raw); w.Next(); {
		m := r.look(w.Value)
		m.place = len(list)
		list = append(list, m)
	}
	list = r.arrange(list)
	r.out = append(r.out, '[')
	schema := r.schema
	if schema != nil && (len(list) == 0 || !list[0].instructs()) {
		r.raw([]byte(`{"role":"system","content":`))
		r.content(nil, true)
		r.out = append(r.out, '}')
		schema = nil
	}
	for i := 0; i < len(list); {
		n := 1
		for r.q.Alternate && i+n < len(list) && list[i].joins(&list[i+n]) {
			n++
		}
		tail := schema != nil && i == 0
		switch m := &list[i]; {
		case n == 1 && isObject(m.raw):
			r.message(m, tail, i+n == len(list))
		case n == 1 && m.raw != nil:
			r.raw(m.raw)
		default:
			r.merged(list[i:i+n], tail)
		}
		i += n
	}
	r.out = append(r.out, ']')
}

// look reads of a message what the rest depends on.
func (r *rewriter) look(raw []byte) (m chatMessage) {
	m.raw, m.empty = raw, isObject(raw)
	for w := jsonscan.Walk(raw); w.Next(); {
		switch string(w.Name) {
		case "role":
			m.role = r.role(w.Value)
		case "tool_calls":
			if m.calls = !isEmptyArray(w.Value) && isArray(w.Value); m.calls {
				m.empty = false
			}
		case "content", "refusal", "audio", "function_call":
			if !asksNothing(w.Value) {
				m.empty = false
			}
		}
	}
	return m
}

// role returns the role that the provider sees; the common ones are constants, so that
// no memory is taken.
func (r *rewriter) role(raw []byte) string {
	switch role := plain(raw); string(role) {
	case "user":
		return "user"
	case "assistant":
		return "assistant"
	case "system":
		return "system"
	case "tool":
		return "tool"
	case "developer":
		if r.q.DeveloperRole != "" {
			return r.q.DeveloperRole
		}
		return "developer"
	}
	return jsonscan.String(raw)
}

// arrange puts the messages into an order that the provider takes.
func (r *rewriter) arrange(list []chatMessage) []chatMessage {
	if r.q.DropEmpty {
		list = slices.DeleteFunc(list, func(m chatMessage) bool { return m.empty && m.role == "assistant" })
	}
	if text := r.q.AfterTool; text != "" {
		spaced := make([]chatMessage, 0, len(list)+8)
		for i := range list {
			if i > 0 && list[i-1].role == "tool" && list[i].role == "user" {
				spaced = append(spaced, chatMessage{role: "assistant", text: text})
			}
			spaced = append(spaced, list[i])
		}
		list = spaced
	}
	head := 0
	for head < len(list) && list[head].instructs() {
		head++
	}
	if r.q.Alternate {
		return r.alternate(list, head)
	}
	if r.q.FillUser != "" && !slices.ContainsFunc(list, func(m chatMessage) bool { return m.role == "user" }) {
		list = slices.Insert(list, head, chatMessage{role: "user", text: r.q.FillUser})
	}
	return list
}

// alternate makes the roles behind the leading system messages take turns; neighbours
// are merged when they are written.
func (r *rewriter) alternate(list []chatMessage, head int) []chatMessage {
	filler := chatMessage{role: "user", text: r.q.FillUser}
	if filler.text == "" {
		filler.text = "."
	}
	for i := head; i < len(list); i++ {
		if list[i].instructs() {
			list[i].role = "user"
		}
	}
	if head == len(list) || list[head].role != "user" {
		list = slices.Insert(list, head, filler)
	}
	if list[len(list)-1].role == "assistant" {
		list = append(list, filler)
	}
	return list
}

// instructs reports whether a message is one of the operator's.
func (m *chatMessage) instructs() bool { return m.role == "system" || m.role == "developer" }

// joins reports whether the next message can be merged with m.
func (m *chatMessage) joins(next *chatMessage) bool {
	return m.role == next.role && (m.role == "user" || m.role == "assistant" || m.instructs()) && !m.calls && !next.calls
}

// message writes one message of the client; tail asks for the schema at its end.
func (r *rewriter) message(m *chatMessage, tail, last bool) {
	fill := r.q.ReasoningEcho == "fill" && m.calls && m.role == "assistant"
	content := false
	r.object(m.raw, func(name, value []byte) bool {
		if s := listed(r.q.DropMessage, name); s != "" {
			if !jsonscan.IsNull(value) {
				r.drop("messages[]." + s)
			}
			return true
		}
		switch string(name) {
		case "role":
			if !jsonscan.IsString(value) {
				return false
			}
			r.name("role")
			r.out = jsonscan.Quote(r.out, m.role)
		case "content":
			content = true
			r.name("content")
			r.content([][]byte{value}, tail)
		case "tool_calls":
			r.name("tool_calls")
			r.toolCalls(m, value)
		case "tool_call_id":
			r.name("tool_call_id")
			r.toolID(value)
		case "function_call":
			r.name("function_call")
			r.function(value)
		case "reasoning_content":
			return r.q.ReasoningEcho == "drop" || fill
		case "reasoning", "reasoning_details", "thinking_blocks":
			return r.q.ReasoningEcho == "drop"
		default:
			return false
		}
		return true
	})
	r.out = r.out[:len(r.out)-1] // reopen it
	if tail && !content {
		r.name("content")
		r.content(nil, tail)
	}
	if fill {
		r.name("reasoning_content")
		r.reasoning(m)
	}
	if mark := r.q.AssistantPrefix; mark != "" && last && m.role == "assistant" && !m.calls && jsonscan.Get(m.raw, mark) == nil {
		r.name(mark)
		r.out = append(r.out, "true"...)
	}
	r.out = append(r.out, '}')
}

// merged writes neighbours as one message. Their contents are all that survives.
func (r *rewriter) merged(list []chatMessage, tail bool) {
	r.comma()
	r.out = append(r.out, '{')
	r.name("role")
	r.out = jsonscan.Quote(r.out, list[0].role)
	r.name("content")
	contents := make([][]byte, len(list))
	for i := range list {
		if contents[i] = jsonscan.Get(list[i].raw, "content"); list[i].raw == nil {
			contents[i] = jsonscan.Quote(nil, list[i].text)
		}
	}
	r.content(contents, tail)
	r.out = append(r.out, '}')
}

// toolCalls writes the calls of an assistant message.
func (r *rewriter) toolCalls(m *chatMessage, raw []byte) {
	if !isArray(raw) {
		r.raw(raw)
		return
	}
	sign := r.q.ReasoningEcho == "sign" && m.role == "assistant" && !isSigned(raw)
	r.comma()
	r.out = append(r.out, '[')
	for w := jsonscan.Walk(raw); w.Next(); {
		if !isObject(w.Value) {
			r.raw(w.Value)
			continue
		}
		r.object(w.Value, func(name, value []byte) bool {
			switch string(name) {
			case "id":
				r.name("id")
				r.toolID(value)
			case "function":
				r.name("function")
				r.function(value)
			default:
				return false
			}
			return true
		})
		if sign {
			r.sign(m, w.Value)
		}
	}
	r.out = append(r.out, ']')
}

// function writes the function of a call. Arguments that a client sends as an object
// become the string that the dialect wants.
func (r *rewriter) function(raw []byte) {
	if !isObject(raw) {
		r.raw(raw)
		return
	}
	r.object(raw, func(name, value []byte) bool {
		if string(name) != "arguments" || !isObject(value) {
			return false
		}
		r.name("arguments")
		r.out = append(appendEscaped(append(r.out, '"'), value), '"')
		return true
	})
}
