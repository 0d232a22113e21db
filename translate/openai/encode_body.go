package openai

import (
	"slices"
	"strconv"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// BodyEncoder puts an answer together as one chat.completion body, and implements
// [translate.Encoder]. It wants its events in the order that [translate.Guard] keeps,
// and has no bytes before the answer's end. A failed answer is an error envelope.
type BodyEncoder struct {
	max, size int
	buf       []byte
	ended     bool
	err       *translate.Error

	id, model, tier, fingerprint string
	created                      int64
	choices                      []*bodyChoice
	usage                        []byte
}

// defaultMaxBody is the limit of a BodyEncoder that was given none.
const defaultMaxBody = 64 << 20

// NewBodyEncoder returns a BodyEncoder for one answer. An answer that grows beyond
// about maxBytes fails; 0 or less stands for 64 MiB.
func NewBodyEncoder(maxBytes int) *BodyEncoder {
	if maxBytes <= 0 {
		maxBytes = defaultMaxBody
	}
	return &BodyEncoder{max: maxBytes}
}

// Err returns the error that the body reports, or nil: the one the answer ended with,
// or that it grew too large.
func (e *BodyEncoder) Err() *translate.Error { return e.err }

// Bytes implements [translate.Encoder].
func (e *BodyEncoder) Bytes() []byte { return e.buf }

// Reset implements [translate.Encoder].
func (e *BodyEncoder) Reset() { e.buf = e.buf[:0] }

// Emit implements [translate.Sink].
func (e *BodyEncoder) Emit(ev *translate.Event) {
	if e.ended {
		return
	}
	switch ev.Kind {
	case translate.EventStart:
		e.id, e.model, e.created, e.fingerprint = ev.ID, ev.Model, ev.Created, ev.Fingerprint
		e.tier = ev.ServiceTier
	case translate.EventBlockStart, translate.EventBlockDelta, translate.EventBlockMeta:
		if e.size += len(ev.Text) + len(ev.Raw) + len(ev.Call.ID) + len(ev.Call.Name); e.size > e.max {
			e.fail(&translate.Error{
				Class: translate.ErrorUpstream, Status: 502, Type: "upstream_error", Code: "response_too_large",
				Message: "The provider's answer is too large to be sent in one piece.",
			})
			return
		}
		c := e.choice(ev.Choice)
		c.take(c.block(ev), ev)
	case translate.EventUsage:
		if ev.Usage != nil {
			e.usage = appendUsage(e.usage[:0], ev.Usage)
		}
		e.tier = either(ev.ServiceTier, e.tier)
	case translate.EventFinish:
		e.choice(ev.Choice).reason = ev.Reason
	case translate.EventError:
		e.fail(errorOf(ev))
	case translate.EventEnd:
		e.ended = true
		e.write()
		e.choices = nil
	}
}

func (e *BodyEncoder) fail(err *translate.Error) {
	e.ended, e.err, e.choices = true, err, nil
	e.buf = AppendError(e.buf[:0], err)
}

func (e *BodyEncoder) choice(index int) *bodyChoice {
	for _, c := range e.choices {
		if c.index == index {
			return c
		}
	}
	c := &bodyChoice{index: index}
	e.choices = append(e.choices, c)
	return c
}

// write appends the body.
func (e *BodyEncoder) write() {
	slices.SortFunc(e.choices, func(a, b *bodyChoice) int { return a.index - b.index })
	b := slices.Grow(e.buf[:0], e.size+1024)
	b = jsonscan.Quote(append(b, `{"id":`...), e.id)
	b = append(b, `,"object":"chat.completion","created":`...)
	b = strconv.AppendInt(b, e.created, 10)
	b = jsonscan.Quote(append(b, `,"model":`...), e.model)
	b = append(b, `,"choices":[`...)
	for i, c := range e.choices {
		if i > 0 {
			b = append(b, ',')
		}
		b = c.append(b)
	}
	b = append(b, ']')
	if len(e.usage) > 0 {
		b = append(append(b, `,"usage":`...), e.usage...)
	}
	if e.tier != "" {
		b = jsonscan.Quote(append(b, `,"service_tier":`...), e.tier)
	}
	if e.fingerprint != "" {
		b = jsonscan.Quote(append(b, `,"system_fingerprint":`...), e.fingerprint)
	}
	e.buf = append(b, '}')
}
