package anthropic

import (
	"bytes"
	"slices"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// answerKind is what becomes of a content block of an answer.
type answerKind uint8

const (
	answerText answerKind = iota + 1
	answerThinking
	answerRedacted
	answerTool
	// answerJSON is a call of the tool that stands in for structured output, and
	// answerMember one whose only member is that output.
	answerJSON
	answerMember
	// answerCustom is a call of a tool that takes free text.
	answerCustom
	// answerIgnored has no place in an OpenAI answer: the provider's own tools,
	// their results, and what is not known yet.
	answerIgnored
)

const (
	maxIndex = 1 << 20
	// maxAnswerBlocks and maxHeld bound what one answer makes the decoder remember.
	maxAnswerBlocks = 4096
	maxHeld         = 32 << 20
)

// answerBlock is a content block of an answer.
type answerBlock struct {
	source int // the provider's index
	index  int // the canonical one
	kind   answerKind
	open   bool
	begun  bool // its canonical block has been opened
	from   int  // where its text begins in the content, in characters
	grown  bool // had input deltas

	input     []byte // arguments, as far as they are needed again
	citations []byte // elements of an array

	// What is needed to send the block back, if it may have to be.
	start, text, signature []byte
}

// block returns the latest block with the provider's index, or nil.
func (d *Decoder) block(source int) *answerBlock {
	for i := len(d.blocks) - 1; i >= 0; i-- {
		if d.blocks[i].source == source {
			return &d.blocks[i]
		}
	}
	return nil
}

// take returns the canonical index for a new block: the provider's own, or the next
// free one where that is missing or has been used.
func (d *Decoder) take(source int) int {
	index := d.next
	if want := d.leg.base + source; source >= 0 && want >= d.next {
		index = want
	}
	d.next = index + 1
	return index
}

// add remembers a new block.
func (d *Decoder) add(source int, kind answerKind) *answerBlock {
	d.blocks = append(d.blocks, answerBlock{source: source, index: d.take(source), kind: kind, open: true})
	return &d.blocks[len(d.blocks)-1]
}

// keeps reports whether blocks are kept in the form they came in.
func (d *Decoder) keeps() bool { return d.record || d.ExposeRaw }

// hold accounts for n more bytes kept. At the limit keeping for later is given up
// first; what is needed for the answer itself fails it.
func (d *Decoder) hold(n int, out translate.Sink) {
	if d.held += n; d.held <= maxHeld || d.failed {
		return
	}
	d.held = 0
	if !d.keeps() {
		d.fail(out, translate.UpstreamError("The provider's answer is too long."))
		return
	}
	d.record, d.ExposeRaw, d.paused = false, false, nil
	for i := range d.blocks {
		b := &d.blocks[i]
		b.start, b.text, b.signature = nil, nil, nil
	}
}

// answerFields are the members of a content block, raw.
type answerFields struct {
	typ, id, name, input, text, thinking, signature, data, citations []byte
}

func (f *answerFields) read(raw []byte) {
	for w := jsonscan.Walk(raw); w.Next(); {
		switch string(w.Name) {
		case "type":
			f.typ = jsonscan.Inner(w.Value)
		case "id":
			f.id = w.Value
		case "name":
			f.name = w.Value
		case "input":
			f.input = w.Value
		case "text":
			f.text = w.Value
		case "thinking":
			f.thinking = w.Value
		case "signature":
			f.signature = w.Value
		case "data":
			f.data = w.Value
		case "citations":
			f.citations = w.Value
		}
	}
}

// startBlock opens a block. Some compatible servers forget to close the one before or
// use its index again.
func (d *Decoder) startBlock(source int, raw []byte, out translate.Sink) {
	if b := d.block(source); b != nil && b.open {
		d.stopBlock(b, out)
	}
	if len(d.blocks) >= maxAnswerBlocks {
		d.fail(out, translate.UpstreamError("The provider's answer has too many parts."))
	}
	if d.failed {
		return
	}
	var f answerFields
	f.read(raw)
	var b *answerBlock
	switch string(f.typ) {
	case "text":
		b = d.add(source, answerText)
		d.text(b, jsonscan.Inner(f.text), out)
		for w := jsonscan.Walk(f.citations); w.Next(); {
			d.cite(b, w.Value, out)
		}
	case "thinking":
		b = d.add(source, answerThinking)
		d.think(b, jsonscan.Inner(f.thinking), out)
		d.sign(b, jsonscan.Inner(f.signature), out)
	case "redacted_thinking":
		b = d.add(source, answerRedacted)
		d.beginThinking(b, out)
		if data := jsonscan.Inner(f.data); len(data) > 0 {
			d.opaque(b, translate.MetaEncrypted, data, out)
		}
	case "tool_use":
		b = d.call(source, &f, out)
	default:
		b = d.add(source, answerIgnored)
	}
	if d.keeps() {
		b.start = bytes.Clone(raw)
		d.hold(len(raw), out)
	}
}

// call opens a call of one of the client's tools, or of the tool that stands in for
// structured output. Input that comes with the start waits: deltas may replace it.
func (d *Decoder) call(source int, f *answerFields, out translate.Sink) *answerBlock {
	name := jsonscan.String(f.name)
	kind := answerTool
	switch {
	case name == d.enc.JSONTool && name != "" && d.enc.JSONMember != "":
		kind = answerMember
	case name == d.enc.JSONTool && name != "":
		kind = answerJSON
	case slices.Contains(d.enc.CustomTools, name):
		kind = answerCustom
	}
	b := d.add(source, kind)
	if w := jsonscan.Walk(f.input); w.Next() {
		b.input = bytes.Clone(f.input)
		d.hold(len(b.input), out)
	}
	if kind == answerJSON || kind == answerMember {
		return b
	}
	if own, ok := d.enc.Names[name]; ok {
		name = own
	}
	b.begun, d.called = true, true
	d.ev = translate.Event{Kind: translate.EventBlockStart, Block: translate.BlockTool, Index: b.index}
	d.ev.Call = translate.Call{ID: jsonscan.String(f.id), Name: name}
	if kind == answerCustom {
		d.ev.Format = translate.FormatCustomTool
	}
	out.Emit(&d.ev)
	return b
}

// stopBlock closes a block and emits what had to wait for its end.
func (d *Decoder) stopBlock(b *answerBlock, out translate.Sink) {
	if !b.open || d.failed {
		return
	}
	b.open = false
	switch b.kind {
	case answerText:
		if b.begun {
			d.annotate(b, out)
			d.emitStop(translate.BlockText, b.index, out)
		}
	case answerThinking, answerRedacted:
		if b.begun {
			d.emitStop(translate.BlockReasoning, b.index, out)
		}
	case answerTool:
		if !b.grown && len(b.input) > 0 {
			d.buf = appendCompactEscaped(d.buf[:0], b.input)
			d.emitDelta(translate.BlockTool, b.index, d.buf, out)
		}
		d.emitStop(translate.BlockTool, b.index, out)
	case answerCustom:
		if d.buf = appendCustomInput(d.buf[:0], b.input); len(d.buf) > 0 {
			d.emitDelta(translate.BlockTool, b.index, d.buf, out)
		}
		d.emitStop(translate.BlockTool, b.index, out)
	case answerJSON, answerMember:
		d.stopJSON(b, out)
	case answerIgnored:
		if d.ExposeRaw && b.start != nil {
			d.expose(b, out)
		}
	}
}

func (d *Decoder) emitStop(kind translate.BlockKind, index int, out translate.Sink) {
	d.ev = translate.Event{Kind: translate.EventBlockStop, Block: kind, Index: index}
	out.Emit(&d.ev)
}

func (d *Decoder) emitDelta(kind translate.BlockKind, index int, text []byte, out translate.Sink) {
	d.ev = translate.Event{Kind: translate.EventBlockDelta, Block: kind, Index: index, Text: text}
	out.Emit(&d.ev)
}

// expose passes an ignored block on for provider_specific_fields.
func (d *Decoder) expose(b *answerBlock, out translate.Sink) {
	d.buf = append(d.buf[:0], `{"anthropic_content":[`...)
	d.buf = append(b.appendTo(d.buf), "]}"...)
	d.vendor(b.index, d.buf, out)
}
