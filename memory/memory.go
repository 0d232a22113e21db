// Package memory keeps the reasoning state of answers that called tools for as long as
// a conversation goes on. Claude wants its signed thinking back with the results of the
// calls, Gemini its thought signatures, DeepSeek and Moonshot the reasoning text; most
// OpenAI clients drop all of it, because their API does not have it. The memory puts it
// back, found by the ids of the calls, which every client returns.
//
// It is a courtesy, not a store: small, short-lived, in this process only. What is
// forgotten leaves a conversation as it is without the memory.
package memory

import (
	"sync"
	"time"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// Options bound a Memory. All of them must be set.
type Options struct {
	// MaxEntries is how many tool calls are remembered at most.
	MaxEntries int
	// MaxBytes is how much reasoning is remembered at most, in bytes, bookkeeping
	// included. An answer may take an eighth of it.
	MaxBytes int64
	// TTL is how long an answer is remembered after it was made or last asked for.
	TTL time.Duration
	// Now is the clock.
	Now func() time.Time
}

// Memory remembers the reasoning of answers by the ids of their tool calls. What has
// not been asked for the longest is forgotten first. It is safe for concurrent use.
type Memory struct {
	opt Options

	mu    sync.Mutex
	calls map[key]*entry
	// first and last are the ends of the list of entries, the latest used first.
	first, last *entry
	bytes       int64
	bound       int // keys that stand for a call and what was said before it
}

// entry is one remembered answer.
type entry struct {
	prev, next *entry
	keys       []key
	state      *state
	expires    time.Time
}

// state is what an answer leaves behind. It is never changed, since requests share it.
type state struct {
	// reasoning are the reasoning blocks, in order, their Index dense from 0.
	reasoning []*translate.Reasoning
	calls     []call
	// opaque: there is more in reasoning than text.
	opaque bool
	size   int64
}

// call is a tool call of an answer with its signature; most have none.
type call struct{ id, name, signature, format string }

// What bookkeeping costs, in bytes: of an entry, of a call and of a piece of reasoning.
const (
	entryCost = 256
	callCost  = 224
	pieceCost = 128
)

// New returns an empty Memory.
func New(opt Options) *Memory {
	return &Memory{opt: opt, calls: make(map[key]*entry)}
}

// Expire forgets what has not been asked for within the TTL. A Memory that is in use
// does that by itself; an idle one has to be reminded.
func (m *Memory) Expire() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire(m.opt.Now())
}

// Len returns how many tool calls are remembered, and in how many bytes.
func (m *Memory) Len() (calls int, bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.calls), m.bytes
}

// holds reports whether anything is remembered, or anything that is bound to what was
// said before it.
func (m *Memory) holds(bound bool) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if bound {
		return m.bound > 0
	}
	return len(m.calls) > 0
}

// get returns the state of the answer that made a call, nil if there is none.
func (m *Memory) get(k key) *state {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.opt.Now()
	m.expire(now)
	e := m.calls[k]
	if e == nil {
		return nil
	}
	e.expires = now.Add(m.opt.TTL)
	m.unlink(e)
	m.link(e)
	return e.state
}

// maxAnswer is the size of the largest answer that is remembered.
func (m *Memory) maxAnswer() int64 { return m.opt.MaxBytes / 8 }

// put remembers an answer under the keys of its calls. A call that is remembered
// already belongs to the new answer from now on.
func (m *Memory) put(keys []key, s *state) {
	if len(keys) == 0 || len(keys) > m.opt.MaxEntries || s.size > m.maxAnswer() {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.opt.Now()
	m.expire(now)
	e := &entry{keys: keys, state: s, expires: now.Add(m.opt.TTL)}
	for _, k := range keys {
		if old := m.calls[k]; old != nil && old != e {
			m.remove(old)
		}
		if m.calls[k] == nil && k.bound {
			m.bound++
		}
		m.calls[k] = e
	}
	m.bytes += s.size
	m.link(e)
	for len(m.calls) > m.opt.MaxEntries || m.bytes > m.opt.MaxBytes {
		m.remove(m.last)
	}
}

// expire removes what is too old. The list is in the order of age, because all entries
// live equally long.
func (m *Memory) expire(now time.Time) {
	for m.last != nil && !now.Before(m.last.expires) {
		m.remove(m.last)
	}
}

// remove forgets an entry with all its calls.
func (m *Memory) remove(e *entry) {
	for _, k := range e.keys {
		if m.calls[k] != e {
			continue
		}
		delete(m.calls, k)
		if k.bound {
			m.bound--
		}
	}
	m.bytes -= e.state.size
	m.unlink(e)
}

// link puts an entry at the front of the list.
func (m *Memory) link(e *entry) {
	e.prev, e.next = nil, m.first
	if m.first != nil {
		m.first.prev = e
	} else {
		m.last = e
	}
	m.first = e
}

func (m *Memory) unlink(e *entry) {
	if e.prev != nil {
		e.prev.next = e.next
	} else {
		m.first = e.next
	}
	if e.next != nil {
		e.next.prev = e.prev
	} else {
		m.last = e.prev
	}
	e.prev, e.next = nil, nil
}
