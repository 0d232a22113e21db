package gemini

import (
	"bytes"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// Bounds of what a decoder keeps of an answer.
const (
	// maxStray is for JSON that stands in a stream without being an event.
	maxStray = 8 << 20
	// maxChoices bounds the candidates; the provider gives at most eight.
	maxChoices = 128
	// maxSignatures bounds the signatures of a candidate's text; one is usual.
	maxSignatures = 64
	// maxKept is for what is reported at the end: signatures, grounding, the parts of
	// server tools.
	maxKept = 4 << 20
)

// Decoder turns one answer of the provider into events. It implements
// [translate.Decoder].
//
// An answer that the provider cut at its limit for one request goes on with
// [Decoder.Continue].
type Decoder struct {
	// ExposeRaw passes on what has no place in an OpenAI answer, such as the parts of
	// the provider's own tools and safety ratings, as MetaVendor.
	ExposeRaw bool

	enc *translate.Encoded
	ev  translate.Event
	buf []byte // for what an event's Text or Raw is built in

	failed  bool
	started bool
	body    bool // the answer is not a stream
	blocked bool // the prompt was refused
	sounded bool // audio has been sent
	id      []byte

	choices  []choice
	kept     int // bytes kept in choices, see maxKept
	feedback []byte

	use   counts
	usage translate.Usage
	tier  string

	stray    []byte
	overflow bool

	hops    hops
	pattern pattern
}

// choice is the state of one candidate.
type choice struct {
	index   int
	next    int // index of the next block
	block   int // the open block, if kind is set
	kind    translate.BlockKind
	content bool // text, a call or media has been seen
	reason  reason

	offsets  offsets
	grounded []grounding
	// signatures of text, to be reported when the text has ended.
	signatures [][]byte
	partial    *partialCall
	vendor     vendorFields
	served     bool // a tool of the provider has run
}

var _ translate.Decoder = (*Decoder)(nil)

// NewDecoder returns a decoder for the answer to a request that was encoded as enc,
// which must not change while the decoder is in use. Without enc, tools have the names
// the provider knows them by and the answer cannot be continued.
func NewDecoder(enc *translate.Encoded) *Decoder {
	if enc == nil {
		enc = &translate.Encoded{}
	}
	return &Decoder{enc: enc}
}

// Event takes one event of a stream.
func (d *Decoder) Event(data, stray []byte, out translate.Sink) {
	if d.failed {
		return
	}
	if len(stray) > 0 {
		d.keepStray(stray)
	}
	data = bytes.TrimSpace(data)
	if len(data) == 0 || bytes.HasPrefix(data, []byte("[DONE]")) {
		return
	}
	if d.textChunk(data, out) {
		return
	}
	d.value(data, out)
	if !d.failed {
		d.learn(data)
	}
}

// Body takes a whole answer that is not a stream.
func (d *Decoder) Body(body []byte, out translate.Sink) {
	if d.failed {
		return
	}
	d.body = true
	d.value(bytes.TrimSpace(body), out)
}

// Done reports whether nothing more can come: a stream has no last event, because usage
// and grounding may follow the finish reason.
func (d *Decoder) Done() bool { return d.failed || d.body }

// End says that the answer is over. The provider marks no end of its own, so that a
// clean end of the bytes is the end of the answer and any other is a failure.
func (d *Decoder) End(clean bool, out translate.Sink) {
	if d.failed {
		return
	}
	d.catchUp(out)
	d.endStray(out)
	if d.failed {
		return
	}
	if !clean {
		d.fail(translate.UpstreamError("The provider's answer broke off."), out)
		return
	}
	if err := d.verdict(); err != nil {
		d.fail(err, out)
		return
	}
	for i := range d.choices {
		d.finish(&d.choices[i], out)
	}
}

// keepStray collects JSON that came without being an event: the provider ends failed
// streams with it, and answers with nothing else if it was not asked for events.
func (d *Decoder) keepStray(stray []byte) {
	if len(d.stray)+len(stray) > maxStray {
		d.overflow = true
		return
	}
	d.stray = append(d.stray, stray...)
}

func (d *Decoder) endStray(out translate.Sink) {
	stray := bytes.TrimSpace(d.stray)
	d.stray = nil
	switch {
	case d.overflow:
		d.fail(translate.UpstreamError("The provider sent too much text that is not an event."), out)
	case len(stray) > 0:
		d.value(stray, out)
	}
}

// value takes one JSON value: a chunk, or an array of them.
func (d *Decoder) value(raw []byte, out translate.Sink) {
	d.catchUp(out)
	if jsonscan.Valid(raw, maxDepth+100) != nil {
		d.fail(translate.UpstreamError("The provider's answer is not valid JSON."), out)
		return
	}
	switch raw[0] {
	case '{':
		d.chunk(raw, true, out)
	case '[':
		elements := jsonscan.Walk(raw)
		for !d.failed && elements.Next() {
			d.chunk(elements.Value, true, out)
		}
	default:
		d.fail(translate.UpstreamError("The provider's answer is not a JSON object."), out)
	}
}

// emit sends the event that has been put together in d.ev.
func (d *Decoder) emit(out translate.Sink) { out.Emit(&d.ev) }

func (d *Decoder) fail(err *translate.Error, out translate.Sink) {
	d.failed = true
	d.ev = translate.Event{Kind: translate.EventError, Err: err}
	d.emit(out)
}

// NativeFinish returns the provider's own word for the end of the first choice, for
// logs; "" if it gave none.
func (d *Decoder) NativeFinish() string {
	if len(d.choices) == 0 {
		return ""
	}
	return d.choices[0].reason.native
}

// keep copies bytes that are needed until the end, as long as there is room.
func (d *Decoder) keep(b []byte) ([]byte, bool) {
	if d.kept += len(b); d.kept > maxKept {
		d.kept = maxKept
		return nil, false
	}
	return bytes.Clone(b), true
}
