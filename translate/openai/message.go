package openai

import (
	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// choice reads one element of "choices" and returns its usage, which some providers
// put there. pos stands in for a missing index. whole is set for answers that are not
// streams.
func (d *Decoder) choice(raw []byte, pos int, whole bool, out translate.Sink) (usage []byte) {
	var delta, message, finish, matched, logprobs []byte
	n := int64(pos)
	w := jsonscan.Walk(raw)
	for w.Next() {
		switch string(w.Name) {
		case "index":
			if v, ok := jsonscan.Int(w.Value); ok {
				n = v
			}
		case "delta":
			delta = w.Value
		case "message":
			message = w.Value
		case "finish_reason":
			finish = w.Value
		case "stop_reason", "matched_stop": // vLLM, SGLang
			if jsonscan.IsString(w.Value) {
				matched = w.Value
			}
		case "logprobs":
			logprobs = w.Value
		case "usage":
			usage = w.Value
		}
	}
	c := d.state(n)
	if c == nil {
		d.fail(translate.UpstreamError("The provider's answer has too many choices."), out)
		return nil
	}
	// A message in a stream repeats what the deltas have said, unless there were none.
	src := delta
	if whole && !jsonscan.IsNull(message) || jsonscan.IsNull(delta) && !c.content {
		src, whole = message, true
	}
	d.message(c, src, whole, out)
	if d.failed {
		return nil
	}
	d.logprobs(c, logprobs, out)
	d.finish(c, finish, matched, out)
	return usage
}

// said is what a delta or a message holds, raw.
type said struct {
	content, reasoning, details, refusal []byte
	calls, function                      []byte
	annotations, images, audio           []byte
	vendor, signature                    []byte
}

// message reads a delta or a message and emits it in the order in which models
// produce its parts.
func (d *Decoder) message(c *answerChoice, raw []byte, whole bool, out translate.Sink) {
	m := readMessage(raw)
	thought := d.reasoning(c, m.reasoning, 0, out)
	if isFilled(m.details) {
		if !thought {
			thought = d.detailsText(c, m.details, out)
		}
		d.meta(c, translate.BlockReasoning, indexReasoning, translate.MetaReasoningDetails, m.details, out)
		c.content = true
	}
	d.content(c, m.content, thought, out)
	d.text(c, translate.BlockRefusal, indexRefusal, jsonscan.Inner(m.refusal), out)
	if len(m.function) > 0 && m.function[0] == '{' {
		d.functionCall(c, m.function, out)
	}
	d.toolCalls(c, m.calls, whole, out)
	if d.failed {
		return
	}
	if isFilled(m.annotations) {
		d.meta(c, translate.BlockText, indexText, translate.MetaAnnotations, m.annotations, out)
	}
	if isFilled(m.images) {
		d.meta(c, translate.BlockMedia, indexMedia, translate.MetaImages, m.images, out)
		c.content = true
	}
	if len(m.audio) > len("{}") && m.audio[0] == '{' {
		d.meta(c, translate.BlockMedia, indexMedia, translate.MetaAudio, m.audio, out)
		c.content = true
	}
	if len(m.vendor) > len("{}") && m.vendor[0] == '{' {
		d.meta(c, translate.BlockMedia, indexMedia, translate.MetaVendor, m.vendor, out)
	}
	d.signature(c, translate.BlockText, indexText, m.signature, out)
}

func readMessage(raw []byte) (m said) {
	var rank int
	w := jsonscan.Walk(raw)
	for w.Next() {
		switch string(w.Name) {
		case "content":
			m.content = w.Value
		case "reasoning_content", "reasoning", "reasoning_text", "thinking":
			// Providers that send two of these say the same in both.
			if r := reasoningRank(w.Name); r > rank && hasText(w.Value) {
				m.reasoning, rank = w.Value, r
			}
		case "reasoning_details":
			m.details = w.Value
		case "refusal":
			m.refusal = w.Value
		case "tool_calls":
			m.calls = w.Value
		case "function_call":
			m.function = w.Value
		case "annotations":
			m.annotations = w.Value
		case "images":
			m.images = w.Value
		case "audio":
			m.audio = w.Value
		case "provider_specific_fields":
			m.vendor = w.Value
		case "extra_content":
			m.signature = googleSignature(w.Value)
		}
	}
	return m
}

func reasoningRank(name []byte) int {
	switch string(name) {
	case "reasoning_content":
		return 4
	case "reasoning":
		return 3
	case "reasoning_text":
		return 2
	}
	return 1
}

// hasText reports whether a member for reasoning says anything.
func hasText(raw []byte) bool {
	return len(raw) > 2 && (raw[0] == '"' || raw[0] == '{' || raw[0] == '[')
}

// isFilled reports whether raw is an array with elements.
func isFilled(raw []byte) bool { return first(raw) != nil }

// reasoning emits reasoning text and reports whether there was any. Providers send a
// string, an object with the text in it, or a list of either.
func (d *Decoder) reasoning(c *answerChoice, raw []byte, depth int, out translate.Sink) (any bool) {
	switch {
	case len(raw) == 0 || depth > 3:
		return false
	case raw[0] == '"':
		text := jsonscan.Inner(raw)
		d.text(c, translate.BlockReasoning, indexReasoning, text, out)
		if len(text) > 0 {
			c.think.off()
		}
		return len(text) > 0
	case raw[0] == '[':
		w := jsonscan.Walk(raw)
		for w.Next() {
			any = d.reasoning(c, w.Value, depth+1, out) || any
		}
	case raw[0] == '{':
		w := jsonscan.Walk(raw)
		for w.Next() {
			switch string(w.Name) {
			case "text", "content", "thinking", "summary":
				any = d.reasoning(c, w.Value, depth+1, out) || any
			}
		}
	}
	return any
}

// detailsText emits the text in reasoning_details, for providers that send it nowhere
// else.
func (d *Decoder) detailsText(c *answerChoice, details []byte, out translate.Sink) (any bool) {
	w := jsonscan.Walk(details)
	for w.Next() {
		v := jsonscan.Walk(w.Value)
		for v.Next() {
			if name := string(v.Name); name == "text" || name == "summary" {
				any = d.reasoning(c, v.Value, 0, out) || any
			}
		}
	}
	return any
}

// content emits the content of a message: a string, or a list of parts. thought says
// that the reasoning has been emitted already.
func (d *Decoder) content(c *answerChoice, raw []byte, thought bool, out translate.Sink) {
	switch {
	case len(raw) == 0:
	case raw[0] == '"':
		d.visible(c, jsonscan.Inner(raw), out)
	case raw[0] == '{':
		d.part(c, raw, thought, out)
	case raw[0] == '[':
		w := jsonscan.Walk(raw)
		for w.Next() {
			if jsonscan.IsString(w.Value) {
				d.visible(c, jsonscan.Inner(w.Value), out)
				continue
			}
			d.part(c, w.Value, thought, out)
		}
	}
}

// part emits one part of a content list. Parts that have no text, such as Mistral's
// references, say nothing a client could show.
func (d *Decoder) part(c *answerChoice, raw []byte, thought bool, out translate.Sink) {
	var kind, text, thinking, refusal []byte
	w := jsonscan.Walk(raw)
	for w.Next() {
		switch string(w.Name) {
		case "type":
			kind = jsonscan.Inner(w.Value)
		case "text":
			text = jsonscan.Inner(w.Value)
		case "thinking", "reasoning":
			thinking = w.Value
		case "refusal":
			refusal = jsonscan.Inner(w.Value)
		}
	}
	switch string(kind) {
	case "thinking", "reasoning":
		if thought {
			return
		}
		if thinking == nil {
			d.text(c, translate.BlockReasoning, indexReasoning, text, out)
			return
		}
		d.reasoning(c, thinking, 0, out)
	case "refusal":
		d.text(c, translate.BlockRefusal, indexRefusal, refusal, out)
	case "image_url":
		d.buf = append(append(append(d.buf[:0], '['), raw...), ']')
		d.meta(c, translate.BlockMedia, indexMedia, translate.MetaImages, d.buf, out)
		c.content = true
	default:
		d.visible(c, text, out)
	}
}

// visible emits text of the answer proper.
func (d *Decoder) visible(c *answerChoice, text []byte, out translate.Sink) {
	if d.tags && c.think.state != thinkOver {
		d.think(c, text, out)
		return
	}
	d.text(c, translate.BlockText, indexText, text, out)
}

// logprobs emits the log probabilities of the tokens of text and refusal.
func (d *Decoder) logprobs(c *answerChoice, raw []byte, out translate.Sink) {
	if jsonscan.IsNull(raw) {
		return
	}
	if list := jsonscan.Get(raw, "content"); isFilled(list) {
		d.meta(c, translate.BlockText, indexText, translate.MetaLogprobs, list, out)
	}
	if list := jsonscan.Get(raw, "refusal"); isFilled(list) {
		d.meta(c, translate.BlockRefusal, indexRefusal, translate.MetaLogprobs, list, out)
	}
}
