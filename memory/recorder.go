package memory

import (
	"math"
	"sync"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// Recorder is a [translate.Sink] between a guard and an encoder: it passes every event
// on and remembers the reasoning of the first choice, if the answer ends well and has
// called tools. An answer without reasoning costs it nothing, and text no memory of its
// own once its buffers have grown.
type Recorder struct {
	out     translate.Sink
	memory  *Memory
	tenant  Tenant
	history *History
	plain   bool

	blocks []recorded // the first n are in use
	n      int
	calls  []call
	size   int64
	over   bool // there is too much to remember
}

// recorded is a block of reasoning, or the signature of a text. The texts are escaped
// and begin with a quote.
type recorded struct {
	index                      int
	format                     string
	text, signature, encrypted []byte
	partial                    bool // some of its text has not been kept
}

// noBlock is no decoder's index of a block.
const noBlock = math.MinInt

// maxKept bounds the buffers that a Recorder keeps for the next answer.
const maxKept = 64 << 10

var recorders = sync.Pool{New: func() any { return new(Recorder) }}

// Recorder returns a recorder in front of out for the answer to a tenant's request,
// whose conversation the history is. plain also remembers reasoning that is nothing but
// text, for providers that want it back. Release must be called when the answer is over.
func (m *Memory) Recorder(t Tenant, h *History, plain bool, out translate.Sink) *Recorder {
	r := recorders.Get().(*Recorder)
	r.out, r.memory, r.tenant, r.history, r.plain = out, m, t, h, plain
	return r
}

// Release ends the recorder, which must not be used afterwards.
func (r *Recorder) Release() {
	r.reset()
	recorders.Put(r)
}

// reset leaves nothing but the buffers, if they are not too large.
func (r *Recorder) reset() {
	blocks, calls := r.blocks, r.calls[:0]
	if len(blocks) > 16 || r.size > maxKept {
		blocks, calls = nil, nil
	}
	clear(r.calls)
	*r = Recorder{blocks: blocks, calls: calls}
}

// Emit implements [translate.Sink].
func (r *Recorder) Emit(ev *translate.Event) {
	switch {
	case ev.Kind == translate.EventEnd:
		r.keep()
	case ev.Choice != 0 || r.over:
	case ev.Block == translate.BlockReasoning:
		r.reasoning(ev)
	case ev.Block == translate.BlockTool && ev.Kind != translate.EventBlockDelta:
		r.call(ev)
	case ev.Block == translate.BlockText && ev.Meta == translate.MetaSignature:
		r.signedText(ev)
	}
	r.out.Emit(ev)
}

func (r *Recorder) reasoning(ev *translate.Event) {
	b := r.block(ev.Index)
	if ev.Format != "" {
		b.format = ev.Format
	}
	switch {
	case ev.Kind == translate.EventBlockDelta:
		// Text without state is for those who take text.
		if b.format == "" && !r.plain {
			b.partial = true
			return
		}
		b.text = r.grow(b.text, ev.Text)
	case ev.Kind != translate.EventBlockMeta:
	case ev.Meta == translate.MetaSignature:
		b.signature = r.grow(b.signature, ev.Text)
	case ev.Meta == translate.MetaEncrypted:
		b.encrypted = r.grow(b.encrypted, ev.Text)
	}
}

func (r *Recorder) call(ev *translate.Event) {
	switch {
	case ev.Kind == translate.EventBlockStart:
		r.calls = append(r.calls, call{id: ev.Call.ID, name: ev.Call.Name})
		r.account(callCost + len(ev.Call.ID) + len(ev.Call.Name))
	case ev.Meta == translate.MetaSignature && ev.Tool < len(r.calls) && len(ev.Text) > 0:
		c := &r.calls[ev.Tool]
		c.signature, c.format = unescape(ev.Text), ev.Format
		r.account(len(c.signature))
	}
}

// signedText keeps the signature of a text as the clients are given it: as a piece of
// reasoning that shows nothing.
func (r *Recorder) signedText(ev *translate.Event) {
	if ev.Format == "" || len(ev.Text) == 0 {
		return
	}
	b := r.add(noBlock)
	b.format = ev.Format
	b.encrypted = r.grow(b.encrypted, ev.Text)
}

// block returns the block with an index.
func (r *Recorder) block(index int) *recorded {
	for i := r.n - 1; i >= 0; i-- {
		if r.blocks[i].index == index {
			return &r.blocks[i]
		}
	}
	return r.add(index)
}

func (r *Recorder) add(index int) *recorded {
	if r.n == len(r.blocks) {
		r.blocks = append(r.blocks, recorded{})
	}
	b := &r.blocks[r.n]
	r.n++
	*b = recorded{index: index, text: b.text[:0], signature: b.signature[:0], encrypted: b.encrypted[:0]}
	r.account(pieceCost)
	return b
}

// grow adds to a text.
func (r *Recorder) grow(dst, text []byte) []byte {
	if len(dst) == 0 {
		dst = append(dst, '"')
	}
	r.account(len(text))
	if r.over {
		return dst
	}
	return append(dst, text...)
}

func (r *Recorder) account(n int) {
	r.size += int64(n)
	r.over = r.over || r.size > r.memory.maxAnswer()
}

// keep remembers the answer, which has ended well.
func (r *Recorder) keep() {
	if r.over || len(r.calls) == 0 {
		return
	}
	s := r.state()
	if s == nil {
		return
	}
	keys := make([]key, 0, len(r.calls))
	for i := range r.calls {
		switch c := &r.calls[i]; {
		case c.id == "":
		case isUnique(c.id, c.name):
			keys = append(keys, uniqueKey(&r.tenant, c.id))
		default:
			if before, ok := r.history.before(-1); ok {
				keys = append(keys, boundKey(&r.tenant, &before, c.id))
			}
		}
	}
	r.memory.put(keys, s)
}

// state returns what the answer leaves behind, nil if that is nothing.
func (r *Recorder) state() *state {
	s := &state{size: entryCost + r.size}
	for i := range r.blocks[:r.n] {
		b := &r.blocks[i]
		if len(b.text)+len(b.signature)+len(b.encrypted) == 0 || b.partial && len(b.signature) > 0 {
			continue // a signature is worth nothing without all that it signs
		}
		one := &translate.Reasoning{
			Text: text(b.text), Signature: text(b.signature), Encrypted: text(b.encrypted),
			Format: b.format, Index: len(s.reasoning),
		}
		s.opaque = s.opaque || isOpaque(one)
		s.reasoning = append(s.reasoning, one)
	}
	signed := false
	for i := range r.calls {
		signed = signed || r.calls[i].signature != ""
	}
	if len(s.reasoning) == 0 && !signed {
		return nil
	}
	s.calls = append(s.calls, r.calls...)
	return s
}

// text returns what is escaped in an open string.
func text(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return jsonscan.String(append(b, '"'))
}

func unescape(inner []byte) string {
	return text(append([]byte{'"'}, inner...))
}
