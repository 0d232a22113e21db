package aiproxy

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/ai-proxy/caddy-ai-proxy/memory"
	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
	"github.com/ai-proxy/caddy-ai-proxy/translate/openai"
	"github.com/ai-proxy/caddy-ai-proxy/upstream"
)

// ReasoningMemory bounds what is remembered of the reasoning of answers that called
// tools. Claude wants its signed thinking back with the results of the calls, Gemini its
// thought signatures, DeepSeek and Moonshot their reasoning text, and most OpenAI
// clients drop them: then they are put back.
//
// They stay in the memory of the process and survive reloads that do not change these
// bounds. They are only given back to requests with the same client key; requests
// without a key share one memory.
type ReasoningMemory struct {
	// Remembers nothing: clients have to send `reasoning_details` and `extra_content`
	// back by themselves.
	Disabled bool `json:"disabled,omitempty"`

	// How many tool calls are remembered. Default: 4096.
	MaxEntries int `json:"max_entries,omitempty"`

	// How much is remembered, in bytes; an answer may take an eighth of it. Default:
	// 32 MiB.
	MaxBytes int64 `json:"max_bytes,omitempty"`

	// How long an answer is remembered after it was made or last sent back. Default:
	// `1h`.
	TTL caddy.Duration `json:"ttl,omitempty"`
}

const (
	defaultMemoryEntries = 4096
	defaultMemoryBytes   = 32 << 20
	defaultMemoryTTL     = time.Hour
)

// withDefaults returns the bounds with those filled in that are not set.
func (c *ReasoningMemory) withDefaults() ReasoningMemory {
	var out ReasoningMemory
	if c != nil {
		out = *c
	}
	if out.MaxEntries == 0 {
		out.MaxEntries = defaultMemoryEntries
	}
	if out.MaxBytes == 0 {
		out.MaxBytes = defaultMemoryBytes
	}
	if out.TTL == 0 {
		out.TTL = caddy.Duration(defaultMemoryTTL)
	}
	return out
}

func (c *ReasoningMemory) validate() error {
	if c.MaxEntries < 0 || c.MaxBytes < 0 || c.TTL < 0 {
		return errors.New("the bounds of reasoning_memory must not be negative")
	}
	return nil
}

// memories are the memories in use, by their bounds, so that a reload finds what was
// remembered before it.
var memories = caddy.NewUsagePool()

// pooledMemory is a memory that forgets in time even if nobody uses it.
type pooledMemory struct {
	*memory.Memory
	every time.Duration

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
}

// leastSweep is the shortest time between two looks at what is too old.
const leastSweep = 10 * time.Second

func newPooledMemory(bounds ReasoningMemory) *pooledMemory {
	ttl := time.Duration(bounds.TTL)
	p := &pooledMemory{
		Memory: memory.New(memory.Options{MaxEntries: bounds.MaxEntries, MaxBytes: bounds.MaxBytes, TTL: ttl, Now: time.Now}),
		every:  max(ttl, leastSweep),
	}
	p.arm()
	return p
}

// arm sets the clock for the next look, until the memory is given up.
func (p *pooledMemory) arm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return
	}
	p.timer = time.AfterFunc(p.every, func() {
		p.Expire()
		p.arm()
	})
}

// Destruct implements [caddy.Destructor].
func (p *pooledMemory) Destruct() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	p.timer.Stop()
	return nil
}

// loadMemory takes the memory with the configured bounds into use.
func (h *Handler) loadMemory() error {
	bounds := h.ReasoningMemory.withDefaults()
	if bounds.Disabled {
		return nil
	}
	if err := bounds.validate(); err != nil {
		return err
	}
	pooled, _, err := memories.LoadOrNew(bounds, func() (caddy.Destructor, error) { return newPooledMemory(bounds), nil })
	if err != nil {
		return fmt.Errorf("loading the reasoning memory: %w", err)
	}
	h.memory, h.memoryBounds = pooled.(*pooledMemory).Memory, bounds
	return nil
}

// releaseMemory gives the memory up. Requests that are still under way may go on using
// it.
func (h *Handler) releaseMemory() error {
	if h.memory == nil {
		return nil
	}
	if _, err := memories.Delete(h.memoryBounds); err != nil {
		return fmt.Errorf("releasing the reasoning memory: %w", err)
	}
	return nil
}

// parseMemory parses "reasoning_memory off" and "reasoning_memory <entries> [<ttl>]".
func parseMemory(h *Handler, d *caddyfile.Dispenser) error {
	h.ReasoningMemory = new(ReasoningMemory)
	if !d.NextArg() {
		return d.Errf("reasoning_memory takes off, or how many tool calls are remembered and how long: 4096 1h")
	}
	if d.Val() == "off" {
		h.ReasoningMemory.Disabled = true
		return noArgs(d)
	}
	n, err := strconv.Atoi(d.Val())
	if err != nil || n < 1 || n > math.MaxInt32 {
		return d.Errf("reasoning_memory is off or a number of tool calls, not %q", d.Val())
	}
	h.ReasoningMemory.MaxEntries = n
	if !d.NextArg() {
		return nil
	}
	ttl, err := caddy.ParseDuration(d.Val())
	if err != nil || ttl <= 0 {
		return d.Errf("%q is not a duration, such as 1h", d.Val())
	}
	h.ReasoningMemory.TTL = caddy.Duration(ttl)
	return noArgs(d)
}

// takesText reports whether a provider of OpenAI's dialect wants the text of reasoning
// back.
func takesText(d *upstream.Deployment) bool { return d.Quirks.ReasoningEcho == "fill" }

// takesReasoning reports whether a provider of OpenAI's dialect wants reasoning back in
// any form, so that its answers have to be read.
func takesReasoning(d *upstream.Deployment) bool {
	return takesText(d) || d.Quirks.ReasoningEcho == "sign"
}

// restore puts the reasoning that the client has lost back into its decoded request,
// once, before any attempt uses it.
func (x *exchange) restore() {
	if x.h.memory != nil && !x.restored {
		x.restored = true
		x.h.memory.Restore(memory.TenantOf(x.key), x.request)
	}
}

// recall lets an edit ask for what the client has lost of the reasoning, if the
// deployment wants it.
func (x *exchange) recall(d *upstream.Deployment, edit *openai.Edit) {
	if x.h.memory == nil || !takesReasoning(d) {
		return
	}
	m, tenant := x.h.memory, memory.TenantOf(x.key)
	history := &memory.History{Request: x.conversation}
	edit.Reasoning = func(message int, id, name string) string { return m.Reasoning(tenant, history, message, id, name) }
	edit.Signature = func(message int, id, name string) (signature, format string) {
		return m.Signature(tenant, history, message, id, name)
	}
}

// remembers reports whether the deployment's answer is to be remembered if it calls
// tools.
func (x *exchange) remembers() bool {
	if x.h.memory == nil {
		return false
	}
	for i := range x.members {
		if m := &x.members[i]; string(m.Name) == "tools" {
			return !jsonscan.IsNull(m.Value)
		}
	}
	return false
}

// remember returns a sink in front of out that remembers the reasoning of an answer
// that calls tools; out itself where there is nothing to remember.
func (x *exchange) remember(d *upstream.Deployment, out translate.Sink) translate.Sink {
	x.endRecording() // of an earlier attempt
	if !x.remembers() {
		return out
	}
	if x.request == nil && x.body != nil {
		x.asked = x.body
		x.asked.retain()
	}
	x.recorder = x.h.memory.Recorder(memory.TenantOf(x.key), &memory.History{Request: x.conversation}, takesText(d), out)
	return x.recorder
}

func (x *exchange) endRecording() {
	if x.recorder != nil {
		x.recorder.Release()
		x.recorder = nil
	}
	if x.asked != nil {
		x.asked.release()
		x.asked = nil
	}
}

// conversation returns the client's request decoded, nil if it is gone or cannot be.
func (x *exchange) conversation() *translate.Request {
	body := x.body
	if body == nil {
		body = x.asked
	}
	if x.request == nil && body != nil {
		x.request, _ = openai.DecodeRequest(body.b)
	}
	return x.request
}
