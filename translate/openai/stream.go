package openai

import (
	"bytes"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// Decoder reads the answers of every provider that speaks OpenAI's dialect, however
// freely, and implements [translate.Decoder]. What it puts right is listed with each
// part: the identity of tool calls in toolcalls.go, finish reasons in finish.go, usage
// in usage.go, errors in errors.go.
//
// Event is the data of one server-sent event ("[DONE]" too), or of none: an event
// without data and stray text counts as a sign of life. A sequence of Events must end
// with End; a Body is complete in itself.
type Decoder struct {
	excluded bool // Quirks.ReasoningExcluded
	tags     bool // Quirks.ThinkTags
	lenient  bool // Quirks.EndWithoutFinish

	started bool
	done    bool // "[DONE]" or a whole body has been read
	failed  bool

	id, model, tier, fingerprint string
	created                      int64

	choices   []answerChoice
	stray     []byte
	oddFinish string
	// citations and results are the latest top-level members of these names: some
	// providers repeat them in every chunk.
	citations, results []byte

	// ev, usage, extra and buf are reused, so that events cost no allocation.
	ev    translate.Event
	usage translate.Usage
	extra []byte
	buf   []byte
}

// answerChoice is the state of one choice of an answer.
type answerChoice struct {
	index    int
	content  bool // something of substance has been emitted
	finished bool
	reason   translate.FinishReason
	calls    []callState
	function callState
	think    thinkState
}

// The blocks of a choice have fixed places, since in this dialect each kind grows in a
// member of its own; only tool calls are numbered.
const (
	indexText = iota
	indexReasoning
	indexRefusal
	indexMedia
	indexFunction
	indexTool // and up
)

// Bounds of what a provider can make the decoder remember.
const (
	maxStray     = 1 << 20
	maxAnswers   = 128
	maxCalls     = 1024
	maxPending   = 1 << 20
	maxExtra     = 16 << 10
	maxCitations = 1 << 20
	maxDepth     = 1000
)

// NewDecoder returns a Decoder for one answer of a provider with the given quirks, of
// which it reads ReasoningExcluded, ThinkTags and EndWithoutFinish; nil stands for
// none.
func NewDecoder(q *Quirks) *Decoder {
	d := new(Decoder)
	if q != nil {
		d.excluded, d.tags, d.lenient = q.ReasoningExcluded, q.ThinkTags, q.EndWithoutFinish
	}
	return d
}

var doneMark = []byte("[DONE]")

// Event implements [translate.Decoder].
func (d *Decoder) Event(data, stray []byte, out translate.Sink) {
	if d.failed || d.done {
		return
	}
	if len(stray) > 0 && len(d.stray)+len(stray) < maxStray {
		d.stray = append(append(d.stray, stray...), '\n')
	}
	data = bytes.TrimSpace(data)
	switch {
	case len(data) > 0 && !bytes.HasPrefix(data, doneMark):
		d.chunk(data, out)
	case len(data) > 0:
		if !d.judgeStray(out) {
			d.close(out)
		}
	case len(stray) == 0:
		d.ev = translate.Event{Kind: translate.EventKeepAlive}
		out.Emit(&d.ev)
	}
}

// Done implements [translate.Decoder].
func (d *Decoder) Done() bool { return d.done || d.failed }

// OddFinish returns a finish reason that is not known here and has been taken for a
// natural end, for the log; "" if there was none.
func (d *Decoder) OddFinish() string { return d.oddFinish }

// End implements [translate.Decoder].
func (d *Decoder) End(clean bool, out translate.Sink) {
	if d.failed || d.done || d.judgeStray(out) {
		return
	}
	if err := d.incomplete(clean); err != nil {
		d.fail(err, out)
		return
	}
	d.close(out)
}

// incomplete tells what is wrong with a stream that ends here, without "[DONE]".
func (d *Decoder) incomplete(clean bool) *translate.Error {
	finished, content := true, true
	for i := range d.choices {
		c := &d.choices[i]
		finished = finished && c.finished
		content = content && c.content
	}
	switch {
	case len(d.choices) == 0 && clean:
		return nil // the Guard knows what to say about an empty answer
	case !clean:
		return translate.UpstreamError("The connection to the provider broke off before the answer was complete.")
	case len(d.choices) > 0 && finished, d.lenient && content:
		return nil
	}
	return translate.UpstreamError("The provider ended the answer without a finish reason.")
}

// judgeStray looks at the text that was no event. It may hold an error, or be a whole
// answer, or a whole stream, of a provider that forgot about framing. It reports
// whether that ended the answer.
func (d *Decoder) judgeStray(out translate.Sink) bool {
	text := bytes.TrimSpace(d.stray)
	d.stray = nil
	fresh := !d.started
	if len(text) > 0 && jsonscan.Valid(text, maxDepth) == nil {
		return d.judgeDocument(text, fresh, out)
	}
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); jsonscan.Valid(line, maxDepth) == nil && d.judgeDocument(line, fresh, out) {
			return true
		}
	}
	return false
}

// judgeDocument is judgeStray for one JSON text; fresh says that no event has said
// anything yet.
func (d *Decoder) judgeDocument(doc []byte, fresh bool, out translate.Sink) bool {
	t := readTop(doc)
	switch {
	case t.failed() || doc[0] == '[' || fresh && jsonscan.IsNull(t.choices):
		d.fail(streamFailure(doc), out)
		return true
	case !fresh:
		return false
	case jsonscan.Get(first(t.choices), "message") == nil:
		d.chunk(doc, out)
		return d.failed
	}
	d.Body(doc, out)
	return true
}

// chunk reads the JSON of one event.
func (d *Decoder) chunk(data []byte, out translate.Sink) {
	data, ok := validJSON(data)
	if !ok {
		d.fail(translate.UpstreamError("The provider sent an event that is not JSON."), out)
		return
	}
	t := readTop(data)
	if data[0] != '{' || t.failed() {
		d.fail(streamFailure(data), out)
		return
	}
	d.remember(&t)
	d.readChoices(&t, false, out)
}

// readChoices emits what the choices of a chunk or of a whole answer say, and the
// usage beside them.
func (d *Decoder) readChoices(t *top, whole bool, out translate.Sink) {
	var usage []byte
	if len(t.choices) > 0 && t.choices[0] == '[' {
		w := jsonscan.Walk(t.choices)
		for pos := 0; w.Next(); pos++ {
			d.start(out)
			inner := d.choice(w.Value, pos, whole, out)
			if d.failed {
				return
			}
			if usage == nil {
				usage = inner
			}
		}
	}
	for _, raw := range [...][]byte{t.usage, t.groqUsage, usage} {
		if d.readUsage(raw) {
			d.ev = translate.Event{Kind: translate.EventUsage, Usage: &d.usage, ServiceTier: d.tier}
			out.Emit(&d.ev)
			return
		}
	}
}

// start opens the answer with what is known by now: providers send id and model in
// the first chunk that says anything, if ever.
func (d *Decoder) start(out translate.Sink) {
	if d.started {
		return
	}
	d.started = true
	d.ev = translate.Event{
		Kind: translate.EventStart, ID: d.id, Model: d.model, Created: d.created,
		ServiceTier: d.tier, Fingerprint: d.fingerprint,
	}
	out.Emit(&d.ev)
}

// fail ends the answer. Text that is held back comes before the error.
func (d *Decoder) fail(err *translate.Error, out translate.Sink) {
	for i := range d.choices {
		d.flushThink(&d.choices[i], out)
	}
	d.failed = true
	d.ev = translate.Event{Kind: translate.EventError, Err: err}
	out.Emit(&d.ev)
}

// close ends the answer well: it emits what is held back, and a finish for every
// choice that has none.
func (d *Decoder) close(out translate.Sink) {
	d.done = true
	for i := range d.choices {
		c := &d.choices[i]
		d.flushThink(c, out)
		if !d.flushCalls(c, out) {
			return
		}
		if !c.finished {
			d.ev = translate.Event{Kind: translate.EventFinish, Choice: c.index}
			out.Emit(&d.ev)
		}
	}
	d.emitCitations(out)
}

// state returns the state of choice n, or nil if n is beyond what a client takes.
func (d *Decoder) state(n int64) *answerChoice {
	n = max(n, 0)
	for i := range d.choices {
		if d.choices[i].index == int(n) {
			return &d.choices[i]
		}
	}
	if n >= maxAnswers {
		return nil
	}
	d.choices = append(d.choices, answerChoice{index: int(n)})
	return &d.choices[len(d.choices)-1]
}

// text emits a delta of a block.
func (d *Decoder) text(c *answerChoice, block translate.BlockKind, index int, text []byte, out translate.Sink) {
	if len(text) == 0 {
		return
	}
	c.content = true
	d.ev = translate.Event{Kind: translate.EventBlockDelta, Choice: c.index, Index: index, Block: block, Text: text}
	out.Emit(&d.ev)
}

// meta emits metadata of a block.
func (d *Decoder) meta(c *answerChoice, block translate.BlockKind, index int, meta translate.MetaKind, raw []byte, out translate.Sink) {
	d.ev = translate.Event{Kind: translate.EventBlockMeta, Choice: c.index, Index: index, Block: block, Meta: meta, Raw: raw}
	out.Emit(&d.ev)
}
