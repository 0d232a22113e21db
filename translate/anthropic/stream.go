package anthropic

import (
	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// event are the members of one event of a stream, raw; typ is the inside of a string.
type event struct {
	typ, index, delta, block, message, usage, err []byte
}

func (ev *event) read(data []byte) {
	for w := jsonscan.Walk(data); w.Next(); {
		switch string(w.Name) {
		case "type":
			ev.typ = jsonscan.Inner(w.Value)
		case "index":
			ev.index = w.Value
		case "delta":
			ev.delta = w.Value
		case "content_block":
			ev.block = w.Value
		case "message":
			ev.message = w.Value
		case "usage":
			ev.usage = w.Value
		case "error":
			ev.err = w.Value
		}
	}
}

// Event takes one event of a stream. It goes by the type in the JSON, not by the
// event's name, and ignores types it does not know: the API may add some at any time.
func (d *Decoder) Event(data, stray []byte, out translate.Sink) {
	if d.failed || d.ended {
		return
	}
	if data = trimSpace(data); len(data) > 0 && string(data) != "[DONE]" {
		d.event(data, out)
	} else if len(stray) == 0 {
		d.keepAlive(out)
	}
	if stray = trimSpace(stray); len(stray) > 0 && !d.failed && !d.ended {
		d.stray(stray, out)
	}
}

func (d *Decoder) keepAlive(out translate.Sink) {
	d.ev = translate.Event{Kind: translate.EventKeepAlive}
	out.Emit(&d.ev)
}

// stray takes JSON that stands in the stream without belonging to an event: an error
// as a rule.
func (d *Decoder) stray(raw []byte, out translate.Sink) {
	if jsonscan.Valid(raw, maxDepth) != nil {
		d.fail(out, translate.UpstreamError("The provider sent something that is not an event."))
		return
	}
	if err := jsonscan.Get(raw, "error"); !jsonscan.IsNull(err) {
		d.fail(out, eventError(err))
	}
}

func (d *Decoder) event(data []byte, out translate.Sink) {
	if index, typ, value, ok := hotDelta(data); ok {
		d.grow(index, typ, value, out)
		return
	}
	if jsonscan.Valid(data, maxDepth) != nil {
		d.fail(out, translate.UpstreamError("The provider sent an event that is not valid JSON."))
		return
	}
	var ev event
	ev.read(data)
	switch string(ev.typ) {
	case "content_block_delta":
		d.blockDelta(d.index(ev.index, false), ev.delta, out)
	case "content_block_start":
		d.startBlock(d.index(ev.index, true), ev.block, out)
	case "content_block_stop":
		if b := d.block(d.index(ev.index, false)); b != nil {
			d.stopBlock(b, out)
		}
	case "message_start":
		var m message
		m.read(ev.message)
		fresh := !d.leg.started
		d.start(&m, out)
		if !fresh {
			return
		}
		for i, w := 0, jsonscan.Walk(m.content); w.Next() && !d.failed; i++ {
			d.startBlock(i, w.Value, out)
		}
	case "message_delta":
		d.delta(ev.delta)
		d.count(ev.usage, out)
	case "message_stop":
		d.finish(out)
	case "ping":
		d.keepAlive(out)
	default:
		if string(ev.typ) == "error" || !jsonscan.IsNull(ev.err) {
			d.fail(out, eventError(ev.err))
		}
	}
}

// index returns the provider's index of a block. An event without one is about the
// last block, or starts a new one.
func (d *Decoder) index(raw []byte, start bool) int {
	if n, ok := jsonscan.Int(raw); ok && n >= 0 && n < maxIndex {
		return int(n)
	}
	if n := len(d.blocks); n > 0 && !start {
		return d.blocks[n-1].source
	}
	return -1
}

// blockDelta reads a delta of any form.
func (d *Decoder) blockDelta(index int, delta []byte, out translate.Sink) {
	var typ, value []byte
	for w := jsonscan.Walk(delta); w.Next(); {
		switch string(w.Name) {
		case "type":
			typ = jsonscan.Inner(w.Value)
		case "text", "thinking", "partial_json", "signature", "citation", "content":
			value = w.Value
		}
	}
	switch string(typ) { // which costs no copy
	case "text_delta":
		d.grow(index, "text_delta", value, out)
	case "thinking_delta":
		d.grow(index, "thinking_delta", value, out)
	case "input_json_delta":
		d.grow(index, "input_json_delta", value, out)
	default:
		d.grow(index, string(typ), value, out)
	}
}

// grow adds to an open block what a delta of the given type carries.
func (d *Decoder) grow(index int, typ string, value []byte, out translate.Sink) {
	b := d.block(index)
	if b == nil || !b.open {
		if b = d.implied(index, typ); b == nil {
			return
		}
	}
	switch typ {
	case "text_delta":
		d.text(b, jsonscan.Inner(value), out)
	case "thinking_delta":
		d.think(b, jsonscan.Inner(value), out)
	case "signature_delta":
		d.sign(b, jsonscan.Inner(value), out)
	case "input_json_delta":
		d.input(b, value, out)
	case "citations_delta":
		d.cite(b, value, out)
	case "compaction_delta":
		if d.keeps() {
			b.text = append(b.text[:0], jsonscan.Inner(value)...)
			d.hold(len(b.text), out)
		}
	}
}

// implied opens the block that a delta is about and that was never started; nil if the
// delta does not say enough.
func (d *Decoder) implied(index int, typ string) *answerBlock {
	switch typ {
	case "text_delta":
		return d.add(index, answerText)
	case "thinking_delta":
		return d.add(index, answerThinking)
	}
	return nil
}

// text adds text to a block. It is passed as it came: the inside of a JSON string.
func (d *Decoder) text(b *answerBlock, text []byte, out translate.Sink) {
	if len(text) == 0 || b.kind != answerText {
		return
	}
	d.content(b, text, out)
	d.runes += countRunes(text)
	if d.record {
		b.text = append(b.text, text...)
		d.hold(len(text), out)
	}
}

// content emits a piece of the answer's content.
func (d *Decoder) content(b *answerBlock, text []byte, out translate.Sink) {
	if !b.begun {
		b.begun = true
		b.from = d.runes
		d.ev = translate.Event{Kind: translate.EventBlockStart, Block: translate.BlockText, Index: b.index}
		out.Emit(&d.ev)
	}
	d.emitDelta(translate.BlockText, b.index, text, out)
}

// beginThinking opens a reasoning block.
func (d *Decoder) beginThinking(b *answerBlock, out translate.Sink) {
	if b.begun {
		return
	}
	b.begun = true
	d.ev = translate.Event{Kind: translate.EventBlockStart, Block: translate.BlockReasoning, Index: b.index, Format: FormatReasoning}
	out.Emit(&d.ev)
}

func (d *Decoder) think(b *answerBlock, text []byte, out translate.Sink) {
	if b.kind != answerThinking {
		return
	}
	d.beginThinking(b, out)
	if len(text) == 0 {
		return
	}
	d.ev = translate.Event{Kind: translate.EventBlockDelta, Block: translate.BlockReasoning, Index: b.index, Format: FormatReasoning, Text: text}
	out.Emit(&d.ev)
	if d.record {
		b.text = append(b.text, text...)
		d.hold(len(text), out)
	}
}

// sign gives a block the signature it must be sent back with.
func (d *Decoder) sign(b *answerBlock, signature []byte, out translate.Sink) {
	if b.kind != answerThinking || len(signature) == 0 {
		return
	}
	d.beginThinking(b, out)
	d.opaque(b, translate.MetaSignature, signature, out)
	if d.record {
		b.signature = append(b.signature, signature...)
		d.hold(len(signature), out)
	}
}

func (d *Decoder) opaque(b *answerBlock, meta translate.MetaKind, text []byte, out translate.Sink) {
	d.ev = translate.Event{Kind: translate.EventBlockMeta, Block: translate.BlockReasoning, Index: b.index, Format: FormatReasoning, Meta: meta, Text: text}
	out.Emit(&d.ev)
}

// input adds to the arguments of a call; raw is a string with a piece of their JSON.
func (d *Decoder) input(b *answerBlock, raw []byte, out translate.Sink) {
	part := jsonscan.Inner(raw)
	if len(part) == 0 {
		return
	}
	switch b.kind {
	case answerTool:
		d.emitDelta(translate.BlockTool, b.index, part, out)
	case answerJSON:
		d.content(b, part, out)
		d.runes += countRunes(part)
	}
	if !b.grown {
		b.grown, b.input = true, b.input[:0]
	}
	if d.record || b.kind == answerMember || b.kind == answerCustom || b.kind == answerIgnored && d.ExposeRaw {
		n := len(b.input)
		b.input = jsonscan.Unquote(b.input, raw)
		d.hold(len(b.input)-n, out)
	}
}
