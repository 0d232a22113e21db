package openai

import (
	"slices"
	"strconv"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// bodyChoice collects one choice of a whole answer. Texts are escaped; lists and
// objects come without their brackets.
type bodyChoice struct {
	index  int
	reason translate.FinishReason

	content, reasoning, refusal      []byte
	tools                            []*bodyBlock
	function                         *bodyBlock
	details                          []reasoningDetail
	annotations, images              []byte
	contentLogprobs, refusalLogprobs []byte
	audio                            bodyAudio
	vendor                           []rawMember
	blocks                           []*bodyBlock
}

// bodyBlock is one block of a choice.
type bodyBlock struct {
	index     int
	kind      translate.BlockKind
	format    string
	custom    bool
	call      translate.Call
	arguments []byte // of a call
	signature []byte // of a call, in Google's form
	detail    int    // place in details; -1 if it has none
}

// rawMember is a member of an object; both parts alias nothing.
type rawMember struct {
	name  string
	value []byte
}

// block returns the block that ev speaks of.
func (c *bodyChoice) block(ev *translate.Event) *bodyBlock {
	for _, b := range slices.Backward(c.blocks) {
		if b.index == ev.Index {
			return b
		}
	}
	b := &bodyBlock{index: ev.Index, kind: ev.Block, format: ev.Format, call: ev.Call, detail: -1}
	c.blocks = append(c.blocks, b)
	switch b.kind {
	case translate.BlockTool:
		b.custom = b.format == translate.FormatCustomTool
		c.tools = append(c.tools, b)
	case translate.BlockFunction:
		c.function = b
	}
	return b
}

// take adds what the event says.
func (c *bodyChoice) take(b *bodyBlock, ev *translate.Event) {
	switch ev.Kind {
	case translate.EventBlockDelta:
		c.grow(b, ev.Text)
	case translate.EventBlockMeta:
		c.meta(b, ev)
	}
}

func (c *bodyChoice) grow(b *bodyBlock, text []byte) {
	switch b.kind {
	case translate.BlockTool, translate.BlockFunction:
		b.arguments = append(b.arguments, text...)
	case translate.BlockReasoning:
		c.reasoning = append(c.reasoning, text...)
		if b.format != "" {
			d := c.detail(b, reasoningText)
			d.text = append(d.text, text...)
		}
	case translate.BlockRefusal:
		c.refusal = append(c.refusal, text...)
	default:
		c.content = append(c.content, text...)
	}
}

func (c *bodyChoice) meta(b *bodyBlock, ev *translate.Event) {
	switch ev.Meta {
	case translate.MetaSignature:
		c.sign(b, ev)
	case translate.MetaEncrypted:
		b.format = either(b.format, ev.Format)
		d := c.detail(b, reasoningEncrypted)
		d.id = either(ev.ID, b.call.ID)
		d.data = append(d.data, ev.Text...)
	case translate.MetaReasoningDetails:
		c.mergeDetails(ev.Raw)
	case translate.MetaAnnotations:
		c.annotations = appendElements(c.annotations, ev.Raw)
	case translate.MetaImages:
		c.images = appendElements(c.images, ev.Raw)
	case translate.MetaLogprobs:
		if b.kind == translate.BlockRefusal {
			c.refusalLogprobs = appendElements(c.refusalLogprobs, ev.Raw)
		} else {
			c.contentLogprobs = appendElements(c.contentLogprobs, ev.Raw)
		}
	case translate.MetaAudio:
		c.audio.merge(ev.Raw)
	case translate.MetaVendor:
		c.mergeVendor(ev.Raw)
	}
}

// sign keeps the signature of a block; see [StreamEncoder.signature].
func (c *bodyChoice) sign(b *bodyBlock, ev *translate.Event) {
	format := either(ev.Format, b.format)
	if len(ev.Text) == 0 || format == "" {
		return
	}
	if b.kind == translate.BlockReasoning {
		b.format = format
		d := c.detail(b, reasoningText)
		d.signature = append(d.signature, ev.Text...)
		return
	}
	if b.kind == translate.BlockTool && format == googleFormat {
		b.signature = append(b.signature[:0], ev.Text...)
	}
	own := bodyBlock{format: format, detail: -1}
	d := c.detail(&own, reasoningEncrypted)
	d.id = b.call.ID
	d.data = append(d.data, ev.Text...)
}

// appendElements joins the elements of a list to those of another.
func appendElements(dst, raw []byte) []byte {
	elements := inside(raw)
	if len(elements) == 0 {
		return dst
	}
	if len(dst) > 0 {
		dst = append(dst, ',')
	}
	return append(dst, elements...)
}

// maxVendor bounds the members of provider_specific_fields.
const maxVendor = 64

// mergeVendor adds the members of an object; of two with one name the later stays.
func (c *bodyChoice) mergeVendor(raw []byte) {
	w := jsonscan.Walk(raw)
next:
	for w.Next() {
		for i := range c.vendor {
			if m := &c.vendor[i]; m.name == string(w.Name) {
				m.value = append(m.value[:0], w.Value...)
				continue next
			}
		}
		if len(c.vendor) < maxVendor {
			c.vendor = append(c.vendor, rawMember{string(w.Name), append([]byte(nil), w.Value...)})
		}
	}
}

// append writes the choice.
func (c *bodyChoice) append(b []byte) []byte {
	b = append(b, `{"index":`...)
	b = strconv.AppendInt(b, int64(c.index), 10)
	b = append(b, `,"message":{"role":"assistant","content":`...)
	// Only something else in its place makes the content null.
	if len(c.content) == 0 && (len(c.tools) > 0 || c.function != nil || len(c.refusal) > 0 || c.audio.any) {
		b = append(b, "null"...)
	} else {
		b = append(append(append(b, '"'), c.content...), '"')
	}
	b = append(b, `,"refusal":`...)
	if len(c.refusal) == 0 {
		b = append(b, "null"...)
	} else {
		b = append(append(append(b, '"'), c.refusal...), '"')
	}
	if len(c.reasoning) > 0 {
		b = append(append(append(b, `,"reasoning_content":"`...), c.reasoning...), '"')
	}
	b = c.appendDetails(b)
	for i, t := range c.tools {
		b = t.appendTool(b, i == 0)
	}
	if len(c.tools) > 0 {
		b = append(b, ']')
	}
	if c.function != nil {
		b = append(b, `,"function_call":`...)
		b = c.function.appendFunction(b, "arguments")
	}
	b = appendExtension(b, `,"annotations":[`, c.annotations, ']')
	b = c.audio.append(b)
	b = appendExtension(b, `,"images":[`, c.images, ']')
	for i, m := range c.vendor {
		if b = append(b, ','); i == 0 {
			b = append(b, `"provider_specific_fields":{`...)
		}
		b = append(append(jsonscan.Quote(b, m.name), ':'), m.value...)
	}
	if len(c.vendor) > 0 {
		b = append(b, '}')
	}
	b = append(b, `},"logprobs":`...)
	b = appendLogprobs(b, c.contentLogprobs, c.refusalLogprobs)
	b = append(b, `,"finish_reason":`...)
	b = append(b, quotedReason(c.reason)...)
	return append(b, '}')
}

// appendExtension appends a member that is left out when it is empty.
func appendExtension(b []byte, open string, elements []byte, closing byte) []byte {
	if len(elements) == 0 {
		return b
	}
	return append(append(append(b, open...), elements...), closing)
}

// appendTool appends an element of tool_calls, and before the first one the member's
// name.
func (t *bodyBlock) appendTool(b []byte, first bool) []byte {
	if b = append(b, ','); first {
		b = append(b, `"tool_calls":[`...)
	}
	b = jsonscan.Quote(append(b, `{"id":`...), t.call.ID)
	if t.custom {
		b = append(b, `,"type":"custom","custom":`...)
		b = t.appendFunction(b, "input")
	} else {
		b = append(b, `,"type":"function","function":`...)
		b = t.appendFunction(b, "arguments")
	}
	if len(t.signature) > 0 {
		b = append(b, `,"extra_content":{"google":{"thought_signature":"`...)
		b = append(append(b, t.signature...), `"}}`...)
	}
	return append(b, '}')
}

func (t *bodyBlock) appendFunction(b []byte, arguments string) []byte {
	b = jsonscan.Quote(append(b, `{"name":`...), t.call.Name)
	b = jsonscan.Quote(append(b, ','), arguments)
	b = append(append(b, `:"`...), t.arguments...)
	return append(b, `"}`...)
}
