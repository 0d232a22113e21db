package openai

import "github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"

// reasoning writes the reasoning of a message as one string, from whichever member has
// it, or as the gateway knows it; one space if nobody does.
func (r *rewriter) reasoning(m *chatMessage) {
	start := len(r.out)
	r.out = append(r.out, '"')
	for _, name := range [...]string{"reasoning_content", "reasoning", "reasoning_details", "thinking_blocks"} {
		value := jsonscan.Get(m.raw, name)
		r.out = append(r.out, jsonscan.Inner(value)...)
		for w := jsonscan.Walk(value); isArray(value) && w.Next(); {
			for _, text := range [...]string{"text", "summary", "thinking"} {
				r.out = append(r.out, jsonscan.Inner(jsonscan.Get(w.Value, text))...)
			}
		}
		if len(r.out) > start+1 {
			break
		}
	}
	if len(r.out) == start+1 {
		r.out = jsonscan.Escape(r.out, r.known(m))
	}
	if len(r.out) == start+1 {
		r.out = append(r.out, ' ')
	}
	r.out = append(r.out, '"')
}

// known returns what the gateway knows of the reasoning of a message with calls.
func (r *rewriter) known(m *chatMessage) string {
	if r.edit.Reasoning == nil {
		return ""
	}
	for w := jsonscan.Walk(jsonscan.Get(m.raw, "tool_calls")); w.Next(); {
		id, name := calledAs(w.Value)
		if text := r.edit.Reasoning(m.place, id, name); text != "" {
			return text
		}
	}
	return ""
}

// calledAs returns the id of a call and the name of its tool.
func calledAs(call []byte) (id, name string) {
	return jsonscan.String(jsonscan.Get(call, "id")), jsonscan.String(jsonscan.Get(jsonscan.Get(call, "function"), "name"))
}

// isSigned reports whether the client kept the signature of one of the calls: then it
// keeps them all, since of parallel calls only the first has one.
func isSigned(calls []byte) bool {
	for w := jsonscan.Walk(calls); w.Next(); {
		if googleSignature(jsonscan.Get(w.Value, "extra_content")) != nil {
			return true
		}
	}
	return false
}

// sign gives the call that has just been written the signature that Google's endpoint
// wants back with it, from the message's reasoning_details or as the gateway knows it.
func (r *rewriter) sign(m *chatMessage, call []byte) {
	if jsonscan.Get(call, "extra_content") != nil {
		return
	}
	id, name := calledAs(call)
	signature := signatureIn(jsonscan.Get(m.raw, "reasoning_details"), id)
	if signature == "" && r.edit.Signature != nil {
		var format string
		if signature, format = r.edit.Signature(m.place, id, name); format != googleFormat {
			return
		}
	}
	if signature == "" {
		return
	}
	r.out = r.out[:len(r.out)-1] // reopen it
	r.name("extra_content")
	r.out = append(r.out, `{"google":{"thought_signature":`...)
	r.out = append(jsonscan.Quote(r.out, signature), "}}}"...)
}

// signatureIn returns the signature of a call in reasoning_details, "" if there is none.
func signatureIn(details []byte, id string) string {
	for w := jsonscan.Walk(details); isArray(details) && id != "" && w.Next(); {
		if jsonscan.String(jsonscan.Get(w.Value, "format")) == googleFormat && jsonscan.String(jsonscan.Get(w.Value, "id")) == id {
			return jsonscan.String(jsonscan.Get(w.Value, "data"))
		}
	}
	return ""
}
