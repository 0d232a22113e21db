package openai

import (
	"strconv"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// blockStart writes the start of a call. Other blocks need none, but show that the
// choice has begun.
func (e *StreamEncoder) blockStart(ev *translate.Event) {
	_, b := e.block(ev)
	switch ev.Block {
	case translate.BlockTool:
		e.begin(ev.Choice, b)
		e.toolElement(ev.Tool)
		e.buf = jsonscan.Quote(append(e.buf, `,"id":`...), ev.Call.ID)
		if b.custom {
			e.buf = append(e.buf, `,"type":"custom","custom":{"name":`...)
			e.buf = jsonscan.Quote(e.buf, ev.Call.Name)
			e.buf = append(e.buf, `,"input":""}`...)
			return
		}
		e.buf = append(e.buf, `,"type":"function","function":{"name":`...)
		e.buf = jsonscan.Quote(e.buf, ev.Call.Name)
		e.buf = append(e.buf, `,"arguments":""}`...)
	case translate.BlockFunction:
		e.begin(ev.Choice, b)
		e.member(`"function_call":{"name":`)
		e.buf = jsonscan.Quote(e.buf, ev.Call.Name)
		e.buf = append(e.buf, `,"arguments":""}`...)
	}
}

// toolElement begins an element of tool_calls, which stays open.
func (e *StreamEncoder) toolElement(tool int) {
	e.member(`"tool_calls":[{"index":`)
	e.buf = strconv.AppendInt(e.buf, int64(tool), 10)
	e.inTool = true
}

func (e *StreamEncoder) delta(ev *translate.Event) {
	c, b := e.block(ev)
	e.begin(ev.Choice, b)
	switch b.kind {
	case translate.BlockTool:
		e.toolElement(ev.Tool)
		if b.custom {
			e.buf = append(e.buf, `,"custom":{"input":"`...)
		} else {
			e.buf = append(e.buf, `,"function":{"arguments":"`...)
		}
		e.buf = append(append(e.buf, ev.Text...), `"}`...)
		return
	case translate.BlockFunction:
		e.member(`"function_call":{"arguments":"`)
		e.buf = append(append(e.buf, ev.Text...), `"}`...)
		return
	case translate.BlockReasoning:
		e.member(`"reasoning_content":"`)
	case translate.BlockRefusal:
		e.member(`"refusal":"`)
	default:
		e.member(`"content":"`)
	}
	e.buf = append(append(e.buf, ev.Text...), '"')
	if b.kind == translate.BlockReasoning && b.format != "" {
		e.detail(c, b, reasoningText, "", ev.Text, nil)
	}
}

// meta writes metadata into the open chunk if it is the block's own, else into a new
// one. The ID of a MetaEncrypted event is the id of the opaque state, if it has one.
func (e *StreamEncoder) meta(ev *translate.Event) {
	c, b := e.block(ev)
	switch ev.Meta {
	case translate.MetaSignature:
		e.signature(c, b, ev)
	case translate.MetaEncrypted:
		b.format = either(b.format, ev.Format)
		e.join(ev.Choice, b, e.details)
		e.detail(c, b, reasoningEncrypted, either(ev.ID, b.id), ev.Text, nil)
	case translate.MetaReasoningDetails:
		if elements := inside(ev.Raw); len(elements) > 0 {
			e.join(ev.Choice, b, e.details)
			e.member(`"reasoning_details":`)
			e.buf = appendLine(e.buf, ev.Raw)
			e.details = true
		}
	case translate.MetaLogprobs:
		e.logprobs(ev, b)
	case translate.MetaAnnotations:
		e.extension(ev, `"annotations":`)
	case translate.MetaImages:
		e.extension(ev, `"images":`)
	case translate.MetaAudio:
		e.extension(ev, `"audio":`)
	case translate.MetaVendor:
		e.extension(ev, `"provider_specific_fields":`)
	}
}

// join makes a chunk be open that metadata of the block may go into; occupied says
// that the one which is open has no room for it.
func (e *StreamEncoder) join(choice int, b *streamBlock, occupied bool) {
	if e.open != b || e.choice != choice || occupied {
		e.begin(choice, b)
	}
}

// extension writes a chunk with one raw member.
func (e *StreamEncoder) extension(ev *translate.Event, name string) {
	if len(ev.Raw) == 0 {
		return
	}
	e.begin(ev.Choice, nil)
	e.member(name)
	e.buf = appendLine(e.buf, ev.Raw)
}

func (e *StreamEncoder) logprobs(ev *translate.Event, b *streamBlock) {
	elements := inside(ev.Raw)
	if len(elements) == 0 {
		return
	}
	list := &e.content
	if b.kind == translate.BlockRefusal {
		list = &e.refusal
	}
	e.join(ev.Choice, b, false)
	if len(*list) > 0 {
		*list = append(*list, ',')
	}
	*list = appendLine(*list, elements)
}

// signature writes the signature of a block: of a call, where Google's clients look
// for it and in reasoning_details; of reasoning, into the block's own detail; of text,
// as a detail that shows nothing.
func (e *StreamEncoder) signature(c *streamChoice, b *streamBlock, ev *translate.Event) {
	format := either(ev.Format, b.format)
	if len(ev.Text) == 0 || format == "" {
		return
	}
	e.join(ev.Choice, b, e.details)
	switch b.kind {
	case translate.BlockReasoning:
		b.format = format
		e.detail(c, b, reasoningText, "", nil, ev.Text)
		return
	case translate.BlockTool:
		if format == googleFormat {
			if !e.inTool {
				e.toolElement(ev.Tool)
				e.buf = append(e.buf, `,"function":{"arguments":""}`...)
			}
			e.buf = append(e.buf, `,"extra_content":{"google":{"thought_signature":"`...)
			e.buf = append(append(e.buf, ev.Text...), `"}}`...)
		}
	}
	// Not the block's own detail: that of a text or call has no more to say.
	own := streamBlock{format: format, detail: -1}
	e.detail(c, &own, reasoningEncrypted, b.id, ev.Text, nil)
}

// The types of reasoning_details, which are OpenRouter's.
const (
	reasoningText      = "reasoning.text"
	reasoningEncrypted = "reasoning.encrypted"
)

// detail writes one fragment of reasoning_details into the open chunk. Clients join
// the fragments of one index.
func (e *StreamEncoder) detail(c *streamChoice, b *streamBlock, kind, id string, text, signature []byte) {
	if b.detail < 0 {
		b.detail = c.details
		c.details++
	}
	e.details = true
	e.member(`"reasoning_details":[{"type":"`)
	e.buf = append(e.buf, kind...)
	if kind == reasoningEncrypted {
		e.buf = append(e.buf, `","data":"`...)
	} else {
		e.buf = append(e.buf, `","text":"`...)
	}
	e.buf = append(e.buf, text...)
	if len(signature) > 0 {
		e.buf = append(e.buf, `","signature":"`...)
		e.buf = append(e.buf, signature...)
	}
	e.buf = append(e.buf, '"')
	if id != "" {
		e.buf = jsonscan.Quote(append(e.buf, `,"id":`...), id)
	}
	if b.format != "" {
		e.buf = jsonscan.Quote(append(e.buf, `,"format":`...), b.format)
	}
	e.buf = append(e.buf, `,"index":`...)
	e.buf = strconv.AppendInt(e.buf, int64(b.detail), 10)
	e.buf = append(e.buf, "}]"...)
}
