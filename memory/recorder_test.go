package memory

import (
	"strings"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// discard is a sink that counts.
type discard struct{ events int }

func (d *discard) Emit(*translate.Event) { d.events++ }

// record sends an answer through a guard and a recorder.
func record(m *Memory, t Tenant, h *History, plain bool, answer func(*translate.Guard)) {
	r := m.Recorder(t, h, plain, new(discard))
	defer r.Release()
	g := &translate.Guard{Out: r, ID: "chatcmpl-1"}
	g.Emit(&translate.Event{Kind: translate.EventStart})
	answer(g)
	g.Emit(&translate.Event{Kind: translate.EventFinish, Reason: translate.FinishToolCalls})
	g.End()
}

// think emits a block of reasoning in fragments; the texts are escaped.
func think(g *translate.Guard, index int, format, text, signature, encrypted string) {
	ev := func(kind translate.EventKind, meta translate.MetaKind, text string) {
		g.Emit(&translate.Event{Kind: kind, Block: translate.BlockReasoning, Index: index, Format: format, Meta: meta, Text: []byte(text)})
	}
	ev(translate.EventBlockStart, 0, "")
	if text != "" {
		ev(translate.EventBlockDelta, 0, text[:len(text)/2])
		ev(translate.EventBlockDelta, 0, text[len(text)/2:])
	}
	if signature != "" {
		ev(translate.EventBlockMeta, translate.MetaSignature, signature)
	}
	if encrypted != "" {
		ev(translate.EventBlockMeta, translate.MetaEncrypted, encrypted)
	}
	ev(translate.EventBlockStop, 0, "")
}

func toolCall(g *translate.Guard, index int, id, signature string) {
	g.Emit(&translate.Event{Kind: translate.EventBlockStart, Block: translate.BlockTool, Index: index, Call: translate.Call{ID: id, Name: "get_weather"}})
	if signature != "" {
		g.Emit(&translate.Event{Kind: translate.EventBlockMeta, Block: translate.BlockTool, Index: index, Meta: translate.MetaSignature, Format: google, Text: []byte(signature)})
	}
	g.Emit(&translate.Event{Kind: translate.EventBlockDelta, Block: translate.BlockTool, Index: index, Text: []byte(`{}`)})
	g.Emit(&translate.Event{Kind: translate.EventBlockStop, Block: translate.BlockTool, Index: index})
}

func TestRecorderUnescapes_E086(t *testing.T) {
	t.Parallel()
	m, _ := newMemory(10, 1<<20)
	tenant := TenantOf("key")
	record(m, tenant, nil, false, func(g *translate.Guard) {
		think(g, 0, claude, `a \"quote\"\n\u00e4 \ud83d\ude00 end`, `s\/ig==`, "")
		toolCall(g, 1, idA, "")
	})
	req := &translate.Request{Turns: []translate.Turn{assistant(callOf(idA))}}
	m.Restore(tenant, req)
	r := req.Turns[0].Parts[0].Reasoning
	if r == nil || r.Text != "a \"quote\"\nä 😀 end" || r.Signature != "s/ig==" || r.Format != claude {
		t.Errorf("got %+v", r)
	}
}

func TestInterleavedBlocksStayApart(t *testing.T) {
	t.Parallel()
	m, _ := newMemory(10, 1<<20)
	tenant := TenantOf("key")
	record(m, tenant, nil, false, func(g *translate.Guard) {
		for _, text := range []string{"one ", "two ", "three"} {
			for index, name := range []string{"a:", "b:"} {
				g.Emit(&translate.Event{Kind: translate.EventBlockDelta, Block: translate.BlockReasoning, Index: index * 7, Format: claude, Text: []byte(name + text)})
			}
		}
		toolCall(g, 20, idA, "")
		toolCall(g, 21, idB, "")
	})
	req := &translate.Request{Turns: []translate.Turn{assistant(callOf(idB))}}
	m.Restore(tenant, req)
	if got, want := show(req.Turns), "think(a:one a:two a:three) think(b:one b:two b:three) callBBBB"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWhatIsNotRemembered(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		plain  bool
		answer func(*translate.Guard)
	}{
		"an answer without calls": {true, func(g *translate.Guard) { think(g, 0, claude, "x", "y", "") }},
		"calls without reasoning": {true, func(g *translate.Guard) { toolCall(g, 0, idA, "") }},
		"text that nobody wants":  {false, func(g *translate.Guard) { think(g, 0, "", "x", "", ""); toolCall(g, 1, idA, "") }},
		"a signature without its text": {false, func(g *translate.Guard) {
			think(g, 0, "", "x", "sig", "")
			toolCall(g, 1, idA, "")
		}},
		"another choice": {true, func(g *translate.Guard) {
			g.Emit(&translate.Event{Kind: translate.EventBlockDelta, Choice: 1, Block: translate.BlockReasoning, Format: claude, Text: []byte("x")})
			g.Emit(&translate.Event{Kind: translate.EventBlockStart, Choice: 1, Index: 1, Block: translate.BlockTool, Call: translate.Call{ID: idA, Name: "f"}})
		}},
		"an answer that failed": {true, func(g *translate.Guard) {
			think(g, 0, claude, "x", "y", "")
			toolCall(g, 1, idA, "")
			g.Emit(&translate.Event{Kind: translate.EventError, Err: translate.UpstreamError("broke off")})
		}},
		"too much": {true, func(g *translate.Guard) {
			think(g, 0, claude, strings.Repeat("x", 200<<10), "y", "")
			toolCall(g, 1, idA, "")
		}},
		"an id used twice without a history": {true, func(g *translate.Guard) {
			think(g, 0, claude, "x", "y", "")
			toolCall(g, 1, "call_0", "")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, _ := newMemory(10, 1<<20)
			record(m, TenantOf("key"), nil, tc.plain, tc.answer)
			if n, bytes := m.Len(); n != 0 || bytes != 0 {
				t.Errorf("%d calls in %d bytes are remembered", n, bytes)
			}
			m.check(t)
		})
	}
}

func TestRecorderPassesEverythingOn(t *testing.T) {
	t.Parallel()
	m, _ := newMemory(10, 1<<20)
	count := func(wrap func(translate.Sink) translate.Sink) int {
		end := new(discard)
		g := &translate.Guard{Out: wrap(end), ID: "x"}
		think(g, 0, claude, strings.Repeat("x", 300<<10), "y", "z")
		toolCall(g, 1, idA, "sig")
		g.Emit(&translate.Event{Kind: translate.EventUsage, Usage: new(translate.Usage)})
		g.Emit(&translate.Event{Kind: translate.EventKeepAlive})
		g.End()
		return end.events
	}
	with := count(func(s translate.Sink) translate.Sink { return m.Recorder(Tenant{}, nil, true, s) })
	if without := count(func(s translate.Sink) translate.Sink { return s }); with != without {
		t.Errorf("%d of %d events passed", with, without)
	}
}

// sizes of an answer that comes in 64 chunks.
const (
	benchThoughts = 32
	benchTexts    = 31
)

// answer64 emits the events of an answer in 64 chunks.
func answer64(out translate.Sink, ev *translate.Event, calls bool) {
	emit := func(e translate.Event) { *ev = e; out.Emit(ev) }
	emit(translate.Event{Kind: translate.EventBlockStart, Block: translate.BlockReasoning, Format: claude})
	for range benchThoughts {
		emit(translate.Event{Kind: translate.EventBlockDelta, Block: translate.BlockReasoning, Format: claude, Text: benchText})
	}
	emit(translate.Event{Kind: translate.EventBlockMeta, Block: translate.BlockReasoning, Format: claude, Meta: translate.MetaSignature, Text: benchText})
	for range benchTexts {
		emit(translate.Event{Kind: translate.EventBlockDelta, Index: 1, Block: translate.BlockText, Text: benchText})
	}
	if calls {
		emit(translate.Event{Kind: translate.EventBlockStart, Index: 2, Block: translate.BlockTool, Call: translate.Call{ID: idA, Name: "get_weather"}})
		emit(translate.Event{Kind: translate.EventBlockDelta, Index: 2, Block: translate.BlockTool, Text: benchText})
	}
	emit(translate.Event{Kind: translate.EventEnd})
}

var benchText = []byte("some twenty bytes of it")

func TestRecorderAllocations(t *testing.T) {
	m, _ := newMemory(4096, 32<<20)
	out, ev := new(discard), new(translate.Event)
	r := m.Recorder(Tenant{}, nil, false, out)
	run := func(calls bool) func() {
		return func() {
			r.reset()
			r.memory, r.out = m, out
			answer64(r, ev, calls)
		}
	}
	if n := testing.AllocsPerRun(200, run(false)); n > 0 {
		t.Errorf("an answer without calls costs %v allocations, the budget is 0", n)
	}
	if n := testing.AllocsPerRun(200, run(true)); n > 12 {
		t.Errorf("an answer with a call costs %v allocations, the budget is 12", n)
	}
}

func BenchmarkRecorder(b *testing.B) {
	for _, bc := range []struct {
		name        string
		with, calls bool
	}{{"without recorder", false, false}, {"64 chunks", true, false}, {"64 chunks and a call", true, true}} {
		b.Run(bc.name, func(b *testing.B) {
			m, _ := newMemory(4096, 32<<20)
			out, ev := new(discard), new(translate.Event)
			b.ReportAllocs()
			for b.Loop() {
				if !bc.with {
					answer64(out, ev, bc.calls)
					continue
				}
				r := m.Recorder(Tenant{}, nil, false, out)
				answer64(r, ev, bc.calls)
				r.Release()
			}
		})
	}
}
