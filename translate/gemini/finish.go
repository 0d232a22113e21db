package gemini

import (
	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// reason is why a candidate ended, as far as is known. The latest word counts: some
// models say STOP on every chunk.
type reason struct {
	native string
	finish translate.FinishReason
	// malformed: the model tried to call a tool and failed.
	malformed bool
	// continues: the provider's limit for one request was reached, not the client's.
	continues bool
}

// set takes a finishReason (genai v1.77.0, FinishReason). Words it does not know
// count as a natural end.
func (r *reason) set(native []byte) {
	word := string(native)
	switch word {
	case "", "FINISH_REASON_UNSPECIFIED":
		return
	}
	if word == r.native {
		return
	}
	*r = reason{native: word, finish: translate.FinishStop}
	switch word {
	case "MAX_TOKENS":
		r.finish = translate.FinishLength
	case "CONTINUATION":
		r.finish, r.continues = translate.FinishLength, true
	case "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR",
		"IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION":
		r.finish = translate.FinishContentFilter
	case "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS":
		r.malformed = true
	}
}

// verdict decides at a clean end whether there was an answer at all.
func (d *Decoder) verdict() *translate.Error {
	if d.blocked {
		return nil
	}
	empty, malformed := true, false
	for i := range d.choices {
		c := &d.choices[i]
		if c.content || c.partial != nil {
			return nil
		}
		malformed = malformed || c.reason.malformed
		if c.next > 0 || c.reason.native != "" || len(c.signatures) > 0 || c.served || d.body {
			empty = false
		}
	}
	switch {
	case malformed:
		return &translate.Error{
			Class: translate.ErrorUpstream, Status: 502, Type: "upstream_error", Code: "upstream_malformed_tool_call",
			Message: "The model tried to call a tool and did not succeed.",
		}
	case empty:
		return &translate.Error{
			Class: translate.ErrorUpstream, Status: 502, Type: "upstream_error", Code: "empty_upstream_response",
			Message: "The provider sent an empty answer.",
		}
	}
	return nil
}

// finish reports what was held back of a choice, and why it ended.
func (d *Decoder) finish(c *choice, out translate.Sink) {
	d.endPartial(c, out)
	d.annotations(c, out)
	d.vendorFields(c, out)
	d.stop(c, out)
	for _, sig := range c.signatures {
		d.encrypted(c, sig, out)
	}
	d.ev = translate.Event{Kind: translate.EventFinish, Choice: c.index, Reason: c.reason.finish}
	d.emit(out)
}

// encrypted reports the signature of text as reasoning state of its own: there is
// nothing to see in it, and the client only has to send it back.
func (d *Decoder) encrypted(c *choice, signature []byte, out translate.Sink) {
	index := c.next
	c.next++
	d.ev = translate.Event{Kind: translate.EventBlockStart, Choice: c.index, Index: index, Block: translate.BlockReasoning, Format: FormatReasoning}
	d.emit(out)
	d.ev = translate.Event{
		Kind: translate.EventBlockMeta, Choice: c.index, Index: index, Block: translate.BlockReasoning,
		Meta: translate.MetaEncrypted, Format: FormatReasoning, Text: signature,
	}
	d.emit(out)
	d.ev = translate.Event{Kind: translate.EventBlockStop, Choice: c.index, Index: index, Block: translate.BlockReasoning}
	d.emit(out)
}

// promptFeedback takes what the provider says about the prompt: if it refused it, the
// answer is a refusal and there is nothing else.
func (d *Decoder) promptFeedback(raw []byte, out translate.Sink) {
	why := jsonscan.Inner(jsonscan.Get(raw, "blockReason"))
	if string(why) == "BLOCKED_REASON_UNSPECIFIED" {
		why = nil
	}
	if len(why) == 0 {
		why = jsonscan.Inner(jsonscan.Get(raw, "blockReasonMessage"))
	}
	if d.feedback == nil || len(why) > 0 {
		if kept, ok := d.keep(raw); ok {
			d.feedback = kept
		}
	}
	if len(why) == 0 || d.blocked {
		return
	}
	d.blocked, d.started = true, true
	d.choice(0)
	for i := range d.choices {
		d.refuse(&d.choices[i], why, out)
	}
}

func (d *Decoder) refuse(c *choice, why []byte, out translate.Sink) {
	c.reason = reason{native: c.reason.native, finish: translate.FinishContentFilter}
	if c.content {
		return
	}
	d.open(c, translate.BlockRefusal, out)
	d.buf = append(append(d.buf[:0], "Prompt blocked: "...), why...)
	d.ev = translate.Event{Kind: translate.EventBlockDelta, Choice: c.index, Index: c.block, Block: translate.BlockRefusal, Text: d.buf}
	d.emit(out)
}
