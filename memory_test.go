package aiproxy

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// loadMemoryConfig provisions a handler with a JSON configuration of the memory, and
// returns what unloads it.
func loadMemoryConfig(t *testing.T, config string) (h *Handler, unload func(), err error) {
	t.Helper()
	ctx, cancel := caddy.NewContext(caddy.Context{Context: context.Background()})
	t.Cleanup(cancel)
	mod, err := ctx.LoadModuleByID("http.handlers.ai_proxy", json.RawMessage(`{"reasoning_memory":`+config+`}`))
	if err != nil {
		return nil, cancel, err
	}
	return mod.(*Handler), cancel, nil
}

func TestMemoryIsReleasedWithItsLastHandler(t *testing.T) {
	t.Parallel()
	const config = `{"max_entries":1010,"max_bytes":1000000,"ttl":"30m"}`
	bounds := ReasoningMemory{MaxEntries: 1010, MaxBytes: 1e6, TTL: caddy.Duration(30 * time.Minute)}
	first, unloadFirst, err := loadMemoryConfig(t, config)
	if err != nil {
		t.Fatal(err)
	}
	second, unloadSecond, err := loadMemoryConfig(t, config)
	if err != nil {
		t.Fatal(err)
	}
	if first.memory == nil || first.memory != second.memory {
		t.Error("two handlers with the same bounds have two memories")
	}
	for want, unload := range []func(){unloadFirst, unloadSecond} {
		unload()
		if n, loaded := memories.References(bounds); n != 1-want || loaded != (want == 0) {
			t.Errorf("%d references to the memory after %d handlers went", n, want+1)
		}
	}
}

func TestMemoryConfiguration(t *testing.T) {
	t.Parallel()
	h, _, err := loadMemoryConfig(t, `null`)
	if err != nil {
		t.Fatal(err)
	}
	want := ReasoningMemory{MaxEntries: 4096, MaxBytes: 32 << 20, TTL: caddy.Duration(time.Hour)}
	if h.memory == nil || h.memoryBounds != want {
		t.Errorf("without configuration the bounds are %+v", h.memoryBounds)
	}
	if h, _, err := loadMemoryConfig(t, `{"disabled":true}`); err != nil || h.memory != nil {
		t.Errorf("there is a memory though it is off (%v)", err)
	}
	for _, config := range []string{`{"max_entries":-1}`, `{"max_bytes":-1}`, `{"ttl":-1}`} {
		if _, _, err := loadMemoryConfig(t, config); err == nil || !strings.Contains(err.Error(), "reasoning_memory") {
			t.Errorf("%s: got error %v", config, err)
		}
	}
}

func TestMemoryIsSweptUntilItIsGivenUp(t *testing.T) {
	t.Parallel()
	p := newPooledMemory(ReasoningMemory{MaxEntries: 1, MaxBytes: 1, TTL: 1})
	if p.every < leastSweep {
		t.Errorf("a short life makes the memory look every %v", p.every)
	}
	first := p.timer
	p.arm()
	if p.timer == first || !first.Stop() {
		t.Error("the clock is not set anew")
	}
	if err := p.Destruct(); err != nil {
		t.Error(err)
	}
	last := p.timer
	p.arm() // as a look does that was under way
	if p.timer != last || last.Stop() {
		t.Error("the clock runs on when the memory is given up")
	}
}

// TestAnswersThatCouldPassAreReadForTheirReasoning has a provider whose answers need no
// change but whose reasoning is wanted back.
func TestAnswersThatCouldPassAreReadForTheirReasoning(t *testing.T) {
	t.Parallel()
	c := toolConversations["deepseek_E084"]
	forms(t, func(t *testing.T, stream bool) {
		p := c.upstream(t, stream)
		gateway := serve(t, "provider own {\ntype openai\nbase_url "+p.URL+"\nquirk reasoning_echo fill\n}\nmodel deepseek-reasoner own\nreasoning_memory 1011")
		wantHistory(t, c.history(t, newClient(c.model, stream).converse(t, gateway, p)), c.whole)
	})
}
