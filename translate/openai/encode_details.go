package openai

import (
	"strconv"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// reasoningDetail is one element of reasoning_details, in OpenRouter's form. The texts
// are escaped.
type reasoningDetail struct {
	kind, format, id               string
	index                          int64 // the provider's; -1 if it gave none
	text, summary, data, signature []byte
	other                          []byte // further members, each with a comma before it
}

// maxDetails bounds the elements of reasoning_details.
const maxDetails = 4096

// detail returns the element that belongs to a block, which it adds if need be.
func (c *bodyChoice) detail(b *bodyBlock, kind string) *reasoningDetail {
	if b.detail < 0 {
		b.detail = len(c.details)
		c.details = append(c.details, reasoningDetail{kind: kind, format: b.format, index: int64(b.detail)})
	}
	return &c.details[b.detail]
}

// mergeDetails joins the fragments in which a stream sends the provider's own
// reasoning_details: fragments of one type and index are one element.
func (c *bodyChoice) mergeDetails(raw []byte) {
	w := jsonscan.Walk(raw)
	for w.Next() {
		if len(w.Value) == 0 || w.Value[0] != '{' {
			continue
		}
		kind := jsonscan.String(jsonscan.Get(w.Value, "type"))
		index, ok := jsonscan.Int(jsonscan.Get(w.Value, "index"))
		if !ok {
			index = -1
		}
		d := c.findDetail(kind, index)
		fresh := d == nil
		if fresh {
			if len(c.details) >= maxDetails {
				return
			}
			c.details = append(c.details, reasoningDetail{kind: kind, index: index})
			d = &c.details[len(c.details)-1]
		}
		d.merge(w.Value, fresh)
	}
}

func (c *bodyChoice) findDetail(kind string, index int64) *reasoningDetail {
	for i := len(c.details) - 1; i >= 0 && index >= 0; i-- {
		if d := &c.details[i]; d.index == index && d.kind == kind {
			return d
		}
	}
	return nil
}

func (d *reasoningDetail) merge(raw []byte, fresh bool) {
	w := jsonscan.Walk(raw)
	for w.Next() {
		text := jsonscan.Inner(w.Value)
		switch string(w.Name) {
		case "type", "index":
		case "format":
			d.format = either(d.format, jsonscan.String(w.Value))
		case "id":
			d.id = either(d.id, jsonscan.String(w.Value))
		case "text":
			d.text = append(d.text, text...)
		case "summary":
			d.summary = append(d.summary, text...)
		case "data":
			d.data = append(d.data, text...)
		case "signature":
			d.signature = append(d.signature, text...)
		default:
			if fresh && !jsonscan.IsNull(w.Value) {
				d.other = jsonscan.Quote(append(d.other, ','), w.Name)
				d.other = append(append(d.other, ':'), w.Value...)
			}
		}
	}
}

// appendDetails appends the member reasoning_details, if there is anything for it.
func (c *bodyChoice) appendDetails(b []byte) []byte {
	for i := range c.details {
		if b = append(b, ','); i == 0 {
			b = append(b, `"reasoning_details":[`...)
		}
		b = c.details[i].append(b)
	}
	if len(c.details) > 0 {
		b = append(b, ']')
	}
	return b
}

func (d *reasoningDetail) append(b []byte) []byte {
	b = jsonscan.Quote(append(b, `{"type":`...), d.kind)
	if d.kind == reasoningText || len(d.text) > 0 {
		b = append(append(append(b, `,"text":"`...), d.text...), '"')
	}
	b = appendExtension(b, `,"summary":"`, d.summary, '"')
	b = appendExtension(b, `,"data":"`, d.data, '"')
	b = appendExtension(b, `,"signature":"`, d.signature, '"')
	if d.id != "" {
		b = jsonscan.Quote(append(b, `,"id":`...), d.id)
	}
	if d.format != "" {
		b = jsonscan.Quote(append(b, `,"format":`...), d.format)
	}
	b = append(b, d.other...)
	if d.index >= 0 {
		b = append(b, `,"index":`...)
		b = strconv.AppendInt(b, d.index, 10)
	}
	return append(b, '}')
}
