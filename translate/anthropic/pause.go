package anthropic

import (
	"bytes"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// maxContinuations is how often a paused answer is asked to go on.
const maxContinuations = 5

// Paused reports whether the answer so far was paused by the provider, in the middle
// of using its own tools, and can be continued. It is to be asked after the last Event
// or Body and before End; End alone takes what there is as the whole answer.
func (d *Decoder) Paused() bool {
	return d.ended && !d.failed && d.leg.stop == "pause_turn" && d.record && d.legs < maxContinuations
}

// Continue returns the body of the request that makes a paused answer go on, to be sent
// with the header of the first one, and readies the decoder for the answer to it: its
// events continue the first answer's, its usage is added. ok is false if the answer is
// not paused or has nothing to continue from.
func (d *Decoder) Continue() (body []byte, ok bool) {
	if !d.Paused() {
		return nil, false
	}
	content := d.paused
	for i := range d.blocks {
		if n := len(content); d.blocks[i].sendable() {
			if n > 0 {
				content = append(content, ',')
			}
			content = d.blocks[i].appendTo(content)
		}
	}
	if body = continued(d.enc.Body, content, d.leg.container); body == nil {
		return nil, false
	}
	d.paused = content
	d.legs++
	d.before = d.usage
	d.searches += d.leg.tokens.webSearches
	d.fetches += d.leg.tokens.webFetches
	d.leg = leg{base: d.next}
	d.blocks = d.blocks[:0]
	d.ended = false
	return body, true
}

// sendable reports whether a block can be sent back: the API refuses empty text and
// thinking that is not signed.
func (b *answerBlock) sendable() bool {
	switch b.kind {
	case answerText:
		return len(trimSpace(b.text)) > 0
	case answerThinking:
		return len(b.signature) > 0
	}
	return b.start != nil
}

// appendTo appends the complete block as the API takes it back.
func (b *answerBlock) appendTo(dst []byte) []byte {
	switch b.kind {
	case answerText:
		dst = append(append(dst, `{"type":"text","text":"`...), b.text...)
		dst = append(dst, '"')
		if len(b.citations) > 0 {
			dst = append(append(append(dst, `,"citations":[`...), b.citations...), ']')
		}
		return append(dst, '}')
	case answerThinking:
		dst = append(append(dst, `{"type":"thinking","thinking":"`...), b.text...)
		dst = append(append(dst, `","signature":"`...), b.signature...)
		return append(dst, '"', '}')
	}
	dst = append(dst, '{')
	for w := jsonscan.Walk(b.start); w.Next(); {
		dst = member(dst, string(w.Name))
		switch {
		case string(w.Name) == "input" && b.grown:
			if jsonscan.Valid(b.input, maxDepth) == nil {
				dst = append(dst, b.input...)
			} else {
				dst = append(dst, "{}"...)
			}
		case string(w.Name) == "content" && len(b.text) > 0: // of a compaction
			dst = append(append(append(dst, '"'), b.text...), '"')
		default:
			dst = append(dst, w.Value...)
		}
	}
	return append(dst, '}')
}

// continued returns a request with the answer so far behind its messages, as an
// assistant turn, and with the container the answer was made in; nil if that cannot be.
func continued(body, content, container []byte) []byte {
	members, err := jsonscan.Object(nil, body, 0)
	if err != nil || len(content) == 0 {
		return nil
	}
	var messages, own *jsonscan.Member
	for i := range members {
		switch string(members[i].Name) {
		case "messages":
			messages = &members[i]
		case "container":
			own = &members[i]
		}
	}
	if messages == nil || endsInAssistant(messages.Value) {
		return nil
	}
	dst := make([]byte, 0, len(body)+len(content)+len(container)+64)
	dst = append(dst, body[:messages.End-1]...)
	dst = append(element(dst), `{"role":"assistant","content":[`...)
	dst = append(append(dst, content...), "]}"...)
	rest := body[messages.End-1:]
	if !jsonscan.IsString(container) {
		return append(dst, rest...)
	}
	if own == nil {
		end := bytes.LastIndexByte(rest, '}')
		dst = append(dst, rest[:end]...)
		return append(append(append(dst, `,"container":`...), container...), '}')
	}
	if own.Value[0] == '{' && own.Start > messages.End && jsonscan.Get(own.Value, "id") == nil {
		at := own.ValueStart + 1 - (messages.End - 1)
		dst = append(dst, rest[:at]...)
		dst = append(append(dst, `"id":`...), container...)
		if w := jsonscan.Walk(own.Value); w.Next() {
			dst = append(dst, ',')
		}
		rest = rest[at:]
	}
	return append(dst, rest...)
}

// endsInAssistant reports whether the last of the messages is the assistant's.
func endsInAssistant(messages []byte) bool {
	var last []byte
	for w := jsonscan.Walk(messages); w.Next(); {
		last = w.Value
	}
	return jsonscan.String(jsonscan.Get(last, "role")) == "assistant"
}
