package anthropic

import (
	"bytes"
	"strings"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// maxDepth bounds the nesting of what the provider sends.
const maxDepth = 512

// Decoder turns one answer of the Messages API into events. It implements
// [translate.Decoder].
//
// An answer that the provider paused goes on with [Decoder.Continue].
type Decoder struct {
	// ExposeRaw passes on what has no place in an OpenAI answer, such as the blocks
	// of the provider's own tools, as MetaVendor.
	ExposeRaw bool

	enc *translate.Encoded
	ev  translate.Event // reused, so that an event costs no allocation

	started bool
	leg     leg
	blocks  []answerBlock
	next    int // the lowest block index that is free
	runes   int // characters of content so far
	called  bool
	held    int // bytes kept in blocks

	usage             translate.Usage
	before            translate.Usage // of earlier legs
	searches, fetches int64           // of earlier legs
	extra             []byte
	tier              string
	buf               []byte

	ended  bool // complete, as far as this leg goes
	failed bool

	record bool
	paused []byte // the content of earlier legs, as array elements
	legs   int    // continued so far
}

var _ translate.Decoder = (*Decoder)(nil)

// leg is what one response says about itself; an answer that was paused has several.
type leg struct {
	started      bool
	id           string
	base         int // what its block indices are counted from
	tokens       tokens
	stop         string
	stopSequence []byte
	category     []byte
	explanation  []byte
	container    []byte
}

// NewDecoder returns a decoder for the answer to a request that was encoded as enc. It
// must not change while the decoder is in use, nor may its Body, which
// [Decoder.Continue] begins from.
func NewDecoder(enc *translate.Encoded) *Decoder {
	return &Decoder{enc: enc, record: enc.ServerTools}
}

// Body decodes an answer that is not a stream. White space and comment lines before
// the JSON are passed over.
func (d *Decoder) Body(body []byte, out translate.Sink) {
	if d.failed || d.ended {
		return
	}
	body = skipComments(body)
	if err := jsonscan.Valid(body, maxDepth); err != nil {
		d.fail(out, translate.UpstreamError("The provider's answer is not valid JSON."))
		return
	}
	var m message
	m.read(body)
	switch {
	case string(m.typ) == "error" || m.err != nil:
		d.fail(out, eventError(m.err))
		return
	case m.content == nil && m.stopReason == nil:
		d.fail(out, translate.UpstreamError("The provider's answer is not a message."))
		return
	}
	d.start(&m, out)
	for i, w := 0, jsonscan.Walk(m.content); w.Next(); i++ {
		d.startBlock(i, w.Value, out)
		if b := d.block(i); b != nil {
			d.stopBlock(b, out)
		}
		if d.failed {
			return
		}
	}
	d.delta(body)
	d.finish(out)
}

// skipComments returns body without the blank and comment lines that some servers keep
// connections open with.
func skipComments(body []byte) []byte {
	for {
		body = trimSpace(body)
		if len(body) == 0 || body[0] != ':' {
			return body
		}
		n := bytes.IndexByte(body, '\n')
		if n < 0 {
			return nil
		}
		body = body[n+1:]
	}
}

// message are the members of a message object, raw; typ is the inside of a string.
type message struct {
	typ, id, model, content, usage, err, container, stopReason []byte
}

func (m *message) read(raw []byte) {
	for w := jsonscan.Walk(raw); w.Next(); {
		switch string(w.Name) {
		case "type":
			m.typ = jsonscan.Inner(w.Value)
		case "id":
			m.id = w.Value
		case "model":
			m.model = w.Value
		case "content":
			m.content = w.Value
		case "usage":
			m.usage = w.Value
		case "container":
			m.container = w.Value
		case "stop_reason":
			m.stopReason = w.Value
		case "error":
			if !jsonscan.IsNull(w.Value) {
				m.err = w.Value
			}
		}
	}
}

// start opens the answer, or its next leg.
func (d *Decoder) start(m *message, out translate.Sink) {
	id := jsonscan.String(m.id)
	if d.leg.started {
		if id != d.leg.id {
			d.fail(out, translate.UpstreamError("The provider mixed two answers in one stream."))
		}
		return
	}
	d.leg.started, d.leg.id = true, id
	d.leg.container = bytes.Clone(jsonscan.Get(m.container, "id"))
	if tier := serviceTier(m.usage); tier != "" {
		d.tier = tier
	}
	if !d.started {
		d.started = true
		d.ev = translate.Event{Kind: translate.EventStart, ID: answerID(id), Model: jsonscan.String(m.model), ServiceTier: d.tier}
		out.Emit(&d.ev)
	}
	d.count(m.usage, out)
}

// answerID returns OpenAI's form of a message id, in a way that can be undone.
func answerID(id string) string {
	if id == "" {
		return ""
	}
	return "chatcmpl-" + strings.TrimPrefix(id, "msg_")
}

// count takes over a usage object and reports the sum over all legs.
func (d *Decoder) count(usage []byte, out translate.Sink) {
	if len(usage) == 0 || usage[0] != '{' {
		return
	}
	t := &d.leg.tokens
	t.update(usage)
	if tier := serviceTier(usage); tier != "" {
		d.tier = tier
	}
	d.usage = d.before
	t.addTo(&d.usage)
	d.extra = appendServerTools(d.extra[:0], d.searches+t.webSearches, d.fetches+t.webFetches)
	d.usage.Extra = d.extra
	d.ev = translate.Event{Kind: translate.EventUsage, Usage: &d.usage, ServiceTier: d.tier}
	out.Emit(&d.ev)
}

// delta takes over what is said about the message as a whole: raw has the members of
// message_delta's "delta", or is a whole message.
func (d *Decoder) delta(raw []byte) {
	for w := jsonscan.Walk(raw); w.Next(); {
		switch string(w.Name) {
		case "stop_reason":
			if jsonscan.IsString(w.Value) {
				d.leg.stop = jsonscan.String(w.Value)
			}
		case "stop_sequence":
			if jsonscan.IsString(w.Value) {
				d.leg.stopSequence = bytes.Clone(w.Value)
			}
		case "stop_details":
			for m := jsonscan.Walk(w.Value); m.Next(); {
				switch string(m.Name) {
				case "category":
					d.leg.category = bytes.Clone(m.Value)
				case "explanation":
					d.leg.explanation = bytes.Clone(m.Value)
				}
			}
		case "container":
			if id := jsonscan.Get(w.Value, "id"); id != nil {
				d.leg.container = bytes.Clone(id)
			}
		}
	}
}

// meta says something about a block in JSON.
func (d *Decoder) meta(kind translate.BlockKind, index int, meta translate.MetaKind, raw []byte, out translate.Sink) {
	d.ev = translate.Event{Kind: translate.EventBlockMeta, Block: kind, Index: index, Meta: meta, Raw: raw}
	out.Emit(&d.ev)
}

// fail ends the answer as failed.
func (d *Decoder) fail(out translate.Sink, err *translate.Error) {
	d.failed = true
	d.ev = translate.Event{Kind: translate.EventError, Err: err}
	out.Emit(&d.ev)
}

// Done reports whether the message is complete. One that is [Decoder.Paused] may go on.
func (d *Decoder) Done() bool { return d.failed || d.ended }

// End says that the answer's bytes have ended. Without the event that ends a message,
// the answer is not complete, however cleanly the connection was closed.
func (d *Decoder) End(clean bool, out translate.Sink) {
	switch {
	case d.failed:
	case d.ended && d.leg.stop == "pause_turn":
		d.reason(out)
	case d.ended:
	case clean:
		d.fail(out, translate.UpstreamError("The provider's answer ended before it was complete."))
	default:
		d.fail(out, translate.UpstreamError("The connection to the provider broke off before the answer was complete."))
	}
}
