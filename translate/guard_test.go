package translate

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func guarded(t *testing.T) (*Guard, *legality) {
	l := newLegality(t)
	n := 0
	return &Guard{Out: l, ID: "own", Model: "own", Created: 1, NewID: func() string { n++; return fmt.Sprint("new", n/2) }}, l
}

// randomEvents makes events of all kinds, most of them out of place.
func randomEvents(r *rand.Rand, n int) []Event {
	texts := []string{"", "a", `\ud83d`, `\ude00`, `\\ud83d`, "{}"}
	ids := []string{"", "x", "y", "new1", "call_own_0_1"}
	list := make([]Event, n)
	for i := range list {
		list[i] = Event{
			Kind: EventKind(r.IntN(12)), Choice: r.IntN(3), Index: r.IntN(5), Tool: r.IntN(9), Block: BlockKind(r.IntN(8)), Meta: MetaKind(r.IntN(10)),
			Call: Call{ID: ids[r.IntN(len(ids))], Name: "f"}, Text: []byte(texts[r.IntN(len(texts))]), Raw: []byte("[]"), Reason: FinishReason(r.IntN(8)),
			ID: ids[r.IntN(len(ids))], Model: ids[r.IntN(len(ids))], Created: int64(r.IntN(3) - 1),
		}
		if r.IntN(2) == 0 {
			list[i].Usage = &Usage{Prompt: int64(r.IntN(5) - 2), Cached: 9, Extra: []byte(`"a":1`)}
		}
		if r.IntN(3) == 0 {
			list[i].Block = BlockTool
		}
		if list[i].Kind == EventError && r.IntN(20) > 0 {
			list[i].Kind = EventBlockDelta
		}
	}
	return list
}

func TestGuardKeepsAnswersLegal(t *testing.T) {
	t.Parallel()
	good := 0
	for seed := range uint64(5000) {
		r := rand.New(rand.NewPCG(seed, 7))
		g, l := guarded(t)
		list := randomEvents(r, r.IntN(60))
		for i := range list {
			before := list[i]
			g.Emit(&list[i])
			if after := list[i]; after.Block != before.Block || after.Tool != before.Tool || string(after.Text) != string(before.Text) {
				t.Fatalf("seed %d: the decoder's event was changed", seed)
			}
		}
		g.End()
		g.End()
		l.check()
		if g.Ended() {
			good++
		}
		if t.Failed() {
			t.Fatalf("seed %d: %v", seed, l.log)
		}
	}
	if good < 500 {
		t.Errorf("only %d answers end well, the rest tests nothing", good)
	}
}

func FuzzGuard(f *testing.F) {
	f.Add([]byte{1, 0, 2, 0, 4, 3, 0, 1, 6, 0, 7, 0})
	f.Add([]byte("\x02\x00\x04\x02\x01\x04\x03\x00\x02\x05\x00\x00"))
	f.Fuzz(func(t *testing.T, program []byte) {
		g, l := guarded(t)
		for len(program) >= 3 {
			a, b, c := program[0], program[1], program[2]
			program = program[3:]
			ev := Event{
				Kind: EventKind(a % 12), Choice: int(b%8) - 1, Index: int(b >> 3 % 8), Block: BlockKind(c % 8), Meta: MetaKind(c >> 3 % 10),
				Reason: FinishReason(c % 9), Call: Call{ID: string(rune('a' + c%3))}, Text: []byte(strings.Repeat(`\ud83d`, int(c%2))),
			}
			if c&64 != 0 {
				ev.Call.ID, ev.Usage, ev.Format = "", &Usage{Prompt: int64(a) - 100}, FormatCustomTool
			}
			g.Emit(&ev)
		}
		g.End()
		l.check()
	})
}

func TestGuardStandsInForWhatIsMissing(t *testing.T) {
	t.Parallel()
	var got Event
	g := &Guard{Out: sinkFunc(func(ev *Event) {
		if ev.Kind == EventStart {
			got = *ev
		}
	}), ID: "own", Model: "own-model", Created: 7}
	g.Emit(&Event{Kind: EventBlockDelta, Block: BlockText, Text: []byte("a")})
	g.Emit(&Event{Kind: EventStart, ID: "late"})
	if got.ID != "own" || got.Model != "own-model" || got.Created != 7 || !g.Started() || !g.Content() {
		t.Errorf("start %+v", got)
	}
}

type sinkFunc func(*Event)

func (f sinkFunc) Emit(ev *Event) { f(ev) }

func TestGuardFinish(t *testing.T) {
	t.Parallel()
	text, tool, function := Event{Block: BlockText}, Event{Block: BlockTool}, Event{Block: BlockFunction}
	for _, c := range []struct {
		name   string
		block  Event
		reason FinishReason
		want   FinishReason
	}{
		{"text, unknown", text, FinishUnknown, FinishStop},
		{"text, stop", text, FinishStop, FinishStop},
		{"E-053 text, out of range", text, 77, FinishStop},
		{"text, tool_calls", text, FinishToolCalls, FinishStop},
		{"text, length", text, FinishLength, FinishLength},
		{"E-052 tool, stop", tool, FinishStop, FinishToolCalls},
		{"E-052 tool, unknown", tool, FinishUnknown, FinishToolCalls},
		{"tool, function_call", tool, FinishFunctionCall, FinishToolCalls},
		{"E-051 tool, length", tool, FinishLength, FinishLength},
		{"tool, filter", tool, FinishContentFilter, FinishContentFilter},
		{"function, stop", function, FinishStop, FinishFunctionCall},
		{"function, tool_calls", function, FinishToolCalls, FinishFunctionCall},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g, l := guarded(t)
			c.block.Kind = EventBlockStart
			g.Emit(&c.block)
			if g.Finish() != FinishUnknown {
				t.Error("finished before the end")
			}
			g.Emit(&Event{Kind: EventFinish, Reason: c.reason})
			if got := g.Finish(); got != c.want {
				t.Errorf("got %v instead of %v", got, c.want)
			}
			g.End()
			l.check()
		})
	}
}

func TestGuardUsage(t *testing.T) {
	t.Parallel()
	for _, keep := range []bool{false, true} {
		var got Usage
		g := &Guard{KeepUsage: keep, Out: sinkFunc(func(ev *Event) {
			if ev.Kind == EventUsage {
				got = *ev.Usage
			}
		})}
		u := Usage{Prompt: 198, Cached: 314, Completion: 1, Reasoning: 5, Extra: []byte(`"a":1`)}
		g.Emit(&Event{Kind: EventUsage, Usage: &Usage{Prompt: 9999, Extra: []byte(`"long":"er"`)}})
		g.Emit(&Event{Kind: EventFinish, Reason: FinishStop})
		g.Emit(&Event{Kind: EventUsage, Usage: &u})
		u.Extra[1] = 'x' // the decoder may use its memory again
		g.End()
		want := Usage{Prompt: 198, Cached: 198, Completion: 1, Reasoning: 1}
		if keep {
			want.Cached, want.Reasoning = 314, 5
		}
		if string(got.Extra) != `"a":1` {
			t.Errorf("extra is %s", got.Extra)
		}
		if got.Extra = nil; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("keep %v: %+v", keep, got)
		}
		if _, ok := g.Usage(); !ok {
			t.Error("no usage for accounting")
		}
	}
}

func TestGuardContent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ev   Event
		want bool
	}{
		"keep-alive":    {Event{Kind: EventKeepAlive}, false},
		"start":         {Event{Kind: EventStart}, false},
		"usage":         {Event{Kind: EventUsage, Usage: &Usage{}}, false},
		"open text":     {Event{Kind: EventBlockStart, Block: BlockText}, false},
		"empty text":    {Event{Kind: EventBlockDelta, Block: BlockText}, false},
		"vendor fields": {Event{Kind: EventBlockMeta, Block: BlockMedia, Meta: MetaVendor}, false},
		"text":          {Event{Kind: EventBlockDelta, Block: BlockText, Text: []byte("a")}, true},
		"reasoning":     {Event{Kind: EventBlockDelta, Block: BlockReasoning, Text: []byte("a")}, true},
		"image":         {Event{Kind: EventBlockMeta, Block: BlockMedia, Meta: MetaImages}, true},
		"call":          {Event{Kind: EventBlockStart, Block: BlockTool}, true},
		"finish":        {Event{Kind: EventFinish}, true},
	} {
		g, _ := guarded(t)
		if g.Emit(&c.ev); g.Content() != c.want {
			t.Errorf("%s: content is %v", name, g.Content())
		}
	}
}

func TestGuardErrors(t *testing.T) {
	t.Parallel()
	for name, list := range map[string][]Event{
		"E-011 nothing":             {},
		"nothing but a start":       {{Kind: EventStart}},
		"nothing but usage":         {{Kind: EventUsage, Usage: &Usage{}}},
		"error":                     {{Kind: EventError, Err: UpstreamError("x")}, {Kind: EventFinish}},
		"error without description": {{Kind: EventError}},
		"choice beyond all":         {{Kind: EventFinish, Choice: maxChoices}},
		"negative choice":           {{Kind: EventBlockDelta, Block: BlockText, Text: []byte("a"), Choice: -1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, l := guarded(t)
			for i := range list {
				g.Emit(&list[i])
			}
			g.End()
			l.check()
			if g.Err() == nil || g.Ended() || g.Err().Status < 500 {
				t.Errorf("error %+v", g.Err())
			}
		})
	}
}

func TestGuardBoundsBlocks(t *testing.T) {
	t.Parallel()
	g, l := guarded(t)
	for i := range maxBlocks + 1 {
		g.Emit(&Event{Kind: EventBlockStart, Block: BlockText, Index: i})
	}
	g.End()
	l.check()
	if g.Err() == nil {
		t.Error("there is no bound on blocks")
	}
}

func TestGuardAllocations(t *testing.T) {
	g := &Guard{Out: sinkFunc(func(*Event) {})}
	text := Event{Kind: EventBlockDelta, Block: BlockText, Text: []byte("word")}
	usage := Event{Kind: EventUsage, Usage: &Usage{Prompt: 1, Extra: []byte(`"a":1`)}}
	g.Emit(&text)
	g.Emit(&usage)
	if got := testing.AllocsPerRun(100, func() { g.Emit(&text); g.Emit(&usage) }); got != 0 {
		t.Errorf("%v allocations", got)
	}
}
