package anthropic

import (
	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// finishReason maps a stop_reason. called is whether one of the client's tools was
// called: a call of the tool that stands in for structured output is a natural end.
// What it does not know is FinishUnknown, for the guard to settle.
func finishReason(stop string, called bool) translate.FinishReason {
	switch stop {
	case "end_turn", "stop_sequence", "compaction", "pause_turn":
		return translate.FinishStop
	case "tool_use":
		if called {
			return translate.FinishToolCalls
		}
		return translate.FinishStop
	case "max_tokens", "model_context_window_exceeded":
		return translate.FinishLength
	case "refusal":
		return translate.FinishContentFilter
	}
	return translate.FinishUnknown
}

// refusalText is what a refusal says that the provider did not explain.
var refusalText = []byte("The model declined to answer.")

// finish ends the answer as complete, or as paused.
func (d *Decoder) finish(out translate.Sink) {
	for i := range d.blocks {
		if d.blocks[i].open && !d.failed {
			d.stopBlock(&d.blocks[i], out)
		}
	}
	if d.failed {
		return
	}
	if d.leg.stopSequence != nil {
		d.buf = append(append(append(d.buf[:0], `{"stop_sequence":`...), d.leg.stopSequence...), '}')
		d.vendor(d.take(-1), d.buf, out)
	}
	if d.leg.stop == "refusal" {
		d.refuse(out)
	}
	d.ended = true
	if d.leg.stop != "pause_turn" {
		d.reason(out)
	}
}

func (d *Decoder) reason(out translate.Sink) {
	d.ev = translate.Event{Kind: translate.EventFinish, Reason: finishReason(d.leg.stop, d.called)}
	out.Emit(&d.ev)
}

// refuse tells the client that, and why, the model declined.
func (d *Decoder) refuse(out translate.Sink) {
	index := d.take(-1)
	text := jsonscan.Inner(d.leg.explanation)
	if len(text) == 0 {
		text = refusalText
	}
	d.ev = translate.Event{Kind: translate.EventBlockStart, Block: translate.BlockRefusal, Index: index}
	out.Emit(&d.ev)
	d.emitDelta(translate.BlockRefusal, index, text, out)
	if jsonscan.IsString(d.leg.category) {
		d.buf = append(append(append(d.buf[:0], `{"stop_details":{"type":"refusal","category":`...), d.leg.category...), "}}"...)
		d.meta(translate.BlockRefusal, index, translate.MetaVendor, d.buf, out)
	}
	d.emitStop(translate.BlockRefusal, index, out)
}

// vendor passes on what only this provider says, as a block of its own.
func (d *Decoder) vendor(index int, raw []byte, out translate.Sink) {
	d.ev = translate.Event{Kind: translate.EventBlockStart, Block: translate.BlockMedia, Index: index}
	out.Emit(&d.ev)
	d.meta(translate.BlockMedia, index, translate.MetaVendor, raw, out)
	d.emitStop(translate.BlockMedia, index, out)
}
