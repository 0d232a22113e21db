package memory

import (
	"reflect"
	"strings"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

const (
	claude = "anthropic-claude-v1"
	google = "google-gemini-v1"
)

func user(text string) translate.Turn {
	return translate.Turn{Role: translate.RoleUser, Parts: []translate.Part{{Kind: translate.PartText, Text: text}}}
}

func result(id, text string) translate.Turn {
	return translate.Turn{Role: translate.RoleTool, Parts: []translate.Part{{
		Kind: translate.PartToolResult, Result: &translate.ToolResult{CallID: id, Parts: []translate.Part{{Kind: translate.PartText, Text: text}}},
	}}}
}

// assistant makes a turn of texts (plain strings), calls ("id" in parentheses) and
// reasoning.
func assistant(parts ...any) translate.Turn {
	t := translate.Turn{Role: translate.RoleAssistant, Path: "messages[1]"}
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			t.Parts = append(t.Parts, translate.Part{Kind: translate.PartText, Text: p})
		case *translate.ToolCall:
			t.Parts = append(t.Parts, translate.Part{Kind: translate.PartToolCall, Call: p})
		case *translate.Reasoning:
			t.Parts = append(t.Parts, translate.Part{Kind: translate.PartReasoning, Reasoning: p})
		}
	}
	return t
}

func callOf(id string) *translate.ToolCall { return &translate.ToolCall{ID: id, Name: "get_weather"} }

// show writes turns down in one line.
func show(turns []translate.Turn) string {
	var list []string
	for i := range turns {
		var parts []string
		for _, p := range turns[i].Parts {
			switch {
			case p.Reasoning != nil:
				state := strings.Join([]string{p.Reasoning.Text, p.Reasoning.Signature, p.Reasoning.Encrypted}, "|")
				parts = append(parts, "think("+strings.TrimRight(state, "|")+")")
			case p.Call != nil && p.Call.Signature != "":
				parts = append(parts, p.Call.ID[:8]+"("+p.Call.Signature+","+p.Call.Format+")")
			case p.Call != nil:
				parts = append(parts, p.Call.ID[:8])
			case p.Result != nil:
				parts = append(parts, "result")
			default:
				parts = append(parts, p.Text)
			}
		}
		list = append(list, strings.Join(parts, " "))
	}
	return strings.Join(list, " / ")
}

// calls with ids that no other call has.
const (
	idA = "callAAAA0123456789ab"
	idB = "callBBBB0123456789ab"
	idC = "callCCCC0123456789ab"
)

// taught returns a memory that knows a Claude answer with the calls A and B, and a
// Gemini answer with the call C.
func taught(t *testing.T) *Memory {
	t.Helper()
	m, _ := newMemory(100, 1<<20)
	record(m, TenantOf("key"), nil, true, func(g *translate.Guard) {
		think(g, 0, claude, "hm", "sig1", "")
		think(g, 1, claude, "", "", "redacted")
		toolCall(g, 2, idA, "")
		toolCall(g, 3, idB, "")
	})
	record(m, TenantOf("key"), nil, false, func(g *translate.Guard) {
		think(g, 0, "", "a summary", "", "")
		toolCall(g, 1, idC, "gsig")
	})
	record(m, TenantOf("key"), nil, true, func(g *translate.Guard) {
		think(g, 0, "", "plain thought", "", "")
		toolCall(g, 1, "callDDDD0123456789ab", "")
	})
	if n, _ := m.Len(); n != 4 {
		t.Fatalf("%d calls are remembered, want 4", n)
	}
	return m
}

func TestRestore(t *testing.T) {
	t.Parallel()
	const idD = "callDDDD0123456789ab"
	for name, tc := range map[string]struct {
		turns []translate.Turn
		want  string
	}{
		"thinking stands before text and calls": {
			[]translate.Turn{user("q"), assistant("let me see", callOf(idA), callOf(idB)), result(idA, "1"), result(idB, "2")},
			"q / think(hm|sig1) think(||redacted) let me see callAAAA callBBBB / result / result",
		},
		"one call of several is enough": {
			[]translate.Turn{user("q"), assistant(callOf(idB)), result(idB, "2")},
			"q / think(hm|sig1) think(||redacted) callBBBB / result",
		},
		"a text that was parted from its calls": {
			[]translate.Turn{user("q"), assistant("let me see"), assistant(callOf(idA)), assistant(callOf(idB))},
			"q / think(hm|sig1) think(||redacted) let me see / callAAAA / callBBBB",
		},
		"a signature goes to its call": {
			[]translate.Turn{user("q"), assistant(callOf(idC))},
			"q / callCCCC(gsig,google-gemini-v1)",
		},
		"what the client kept wins": {
			[]translate.Turn{user("q"), assistant(&translate.Reasoning{Text: "own", Signature: "own"}, callOf(idA))},
			"q / think(own|own) callAAAA",
		},
		"a kept signature wins": {
			[]translate.Turn{user("q"), assistant(&translate.ToolCall{ID: idC, Name: "get_weather", Signature: "own", Format: google})},
			"q / callCCCC(own,google-gemini-v1)",
		},
		"a kept redacted block wins": {
			[]translate.Turn{user("q"), assistant(&translate.Reasoning{Encrypted: "own"}, callOf(idA))},
			"q / think(||own) callAAAA",
		},
		"bare text gives way to signed text": {
			[]translate.Turn{user("q"), assistant(&translate.Reasoning{Text: "hm"}, "let me see", callOf(idA), callOf(idB))},
			"q / think(hm|sig1) think(||redacted) let me see callAAAA callBBBB",
		},
		"bare text stays where there is no more than text": {
			[]translate.Turn{user("q"), assistant(&translate.Reasoning{Text: "own words"}, callOf(idD))},
			"q / think(own words) callDDDD",
		},
		"text is restored as text": {
			[]translate.Turn{user("q"), assistant(callOf(idD))},
			"q / think(plain thought) callDDDD",
		},
		"every step gets its own": {
			[]translate.Turn{user("q"), assistant(callOf(idA)), result(idA, "1"), assistant(callOf(idC)), result(idC, "2"), assistant("done"), user("and?")},
			"q / think(hm|sig1) think(||redacted) callAAAA / result / callCCCC(gsig,google-gemini-v1) / result / done / and?",
		},
		"unknown calls are left alone": {
			[]translate.Turn{user("q"), assistant("x", callOf("call_unknown0123456789"), &translate.ToolCall{})},
			"",
		},
		"no calls": {[]translate.Turn{user("q"), assistant("x"), user("y")}, "q / x / y"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := taught(t)
			req := &translate.Request{Turns: tc.turns}
			m.Restore(TenantOf("another key"), req)
			for i := range req.Turns {
				if len(req.Turns[i].Parts) != len(tc.turns[i].Parts) {
					t.Fatalf("another tenant got %s", show(req.Turns))
				}
			}
			if tc.want == "" {
				m.Restore(TenantOf("key"), req)
				if len(req.Turns[1].Parts) != 3 {
					t.Errorf("an unknown call got %d parts", len(req.Turns[1].Parts))
				}
				return
			}
			m.Restore(TenantOf("key"), req)
			if got := show(req.Turns); got != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
			once := show(req.Turns)
			m.Restore(TenantOf("key"), req)
			if got := show(req.Turns); got != once {
				t.Errorf("restored twice it is\n%s", got)
			}
		})
	}
}

func TestRestoredReasoningIsInTheOrderItWasMade_E086(t *testing.T) {
	t.Parallel()
	m := taught(t)
	req := &translate.Request{Turns: []translate.Turn{user("q"), assistant(callOf(idA))}}
	m.Restore(TenantOf("key"), req)
	want := []translate.Reasoning{
		{Text: "hm", Signature: "sig1", Format: claude, Index: 0},
		{Encrypted: "redacted", Format: claude, Index: 1},
	}
	var got []translate.Reasoning
	for _, p := range req.Turns[1].Parts {
		if p.Kind == translate.PartReasoning {
			got = append(got, *p.Reasoning)
			if p.Path != "messages[1]" {
				t.Errorf("an error in it would name %q", p.Path)
			}
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestIdsUsedTwiceAreBoundToTheConversation is about providers that number calls: what
// another conversation thought must not get into this one, nor an earlier step's
// thought into a later one.
func TestIdsUsedTwiceAreBoundToTheConversation(t *testing.T) {
	t.Parallel()
	const id = "functions.get_weather:0"
	tenant := TenantOf("key")
	m, _ := newMemory(100, 1<<20)
	conversation := func(question string) []translate.Turn { return []translate.Turn{user(question)} }
	for _, question := range []string{"in Berlin?", "in Rome?"} {
		history := &History{Request: func() *translate.Request { return &translate.Request{Turns: conversation(question)} }}
		record(m, tenant, history, true, func(g *translate.Guard) {
			think(g, 0, "", "thought about "+question, "", "")
			toolCall(g, 1, id, "")
		})
	}
	m.check(t)
	if n, _ := m.Len(); n != 2 {
		t.Fatalf("%d calls are remembered, want 2", n)
	}
	for question, want := range map[string]string{
		"in Berlin?": "in Berlin? / think(thought about in Berlin?) function / result",
		"in Rome?":   "in Rome? / think(thought about in Rome?) function / result",
		"in Oslo?":   "in Oslo? / function / result",
	} {
		req := &translate.Request{Turns: append(conversation(question), assistant(callOf(id)), result(id, "sunny"))}
		m.Restore(tenant, req)
		if got := show(req.Turns); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		asked := 0
		h := &History{Request: func() *translate.Request { asked++; return req }}
		text := m.Reasoning(tenant, h, 1, id, "get_weather")
		if !strings.Contains(want, "("+text+")") && text != "" || text == "" && question != "in Oslo?" {
			t.Errorf("%s: the reasoning is %q", question, text)
		}
		if m.Reasoning(tenant, h, 1, id, "get_weather"); asked != 1 {
			t.Errorf("the request was asked for %d times", asked)
		}
	}
	if got := m.Reasoning(tenant, &History{}, 1, id, "get_weather"); got != "" {
		t.Errorf("without a history there is %q", got)
	}
}

// TestHistoryIsWhatWasSaid checks what makes two conversations the same: not how a
// client writes things down, but what they say.
func TestHistoryIsWhatWasSaid(t *testing.T) {
	t.Parallel()
	base := func() []translate.Turn {
		return []translate.Turn{user("look at this"), assistant(callOf(idA)), result(idA, "42")}
	}
	sum := func(turns []translate.Turn) [32]byte {
		h := &History{Request: func() *translate.Request { return &translate.Request{Turns: turns} }}
		s, ok := h.before(-1)
		if !ok {
			t.Fatal("no sum")
		}
		return s
	}
	same := map[string]func([]translate.Turn) []translate.Turn{
		"cache mark": func(l []translate.Turn) []translate.Turn { l[0].Parts[0].CacheControl = []byte(`{}`); return l },
		"empty text": func(l []translate.Turn) []translate.Turn {
			l[0].Parts = append(l[0].Parts, translate.Part{Kind: translate.PartText})
			return l
		},
		"lost answer": func(l []translate.Turn) []translate.Turn { l[1].Parts = nil; return l },
		"paths":       func(l []translate.Turn) []translate.Turn { l[0].Path = "messages[0]"; return l },
	}
	other := map[string]func([]translate.Turn) []translate.Turn{
		"other text":   func(l []translate.Turn) []translate.Turn { l[0].Parts[0].Text += "!"; return l },
		"other result": func(l []translate.Turn) []translate.Turn { l[2] = result(idA, "43"); return l },
		"other call":   func(l []translate.Turn) []translate.Turn { l[2] = result(idB, "42"); return l },
		"image": func(l []translate.Turn) []translate.Turn {
			l[0].Parts = append(l[0].Parts, translate.Part{Kind: translate.PartImage, Media: &translate.Media{Data: "aGk="}})
			return l
		},
		"system": func(l []translate.Turn) []translate.Turn {
			s := user("be brief")
			s.Role = translate.RoleSystem
			return append([]translate.Turn{s}, l...)
		},
		"other role":     func(l []translate.Turn) []translate.Turn { l[0].Role = translate.RoleSystem; return l },
		"one more":       func(l []translate.Turn) []translate.Turn { return append(l, user("")) },
		"one less":       func(l []translate.Turn) []translate.Turn { return l[:2] },
		"moved boundary": func(l []translate.Turn) []translate.Turn { l[0] = user("look"); return append(l, user(" at this")) },
	}
	want := sum(base())
	for name, change := range same {
		if sum(change(base())) != want {
			t.Errorf("%s: is another conversation", name)
		}
	}
	for name, change := range other {
		if sum(change(base())) == want {
			t.Errorf("%s: is the same conversation", name)
		}
	}
}

func TestHistoryCanBeAskedInAnyOrder(t *testing.T) {
	t.Parallel()
	req := &translate.Request{Turns: []translate.Turn{user("1"), assistant("2"), user("3"), assistant("4"), user("5")}}
	inOrder := &History{Request: func() *translate.Request { return req }}
	var sums [6][32]byte
	for i := range sums {
		sums[i], _ = inOrder.before(i)
	}
	if sums[1] != sums[2] || sums[0] == sums[1] || sums[2] == sums[3] {
		t.Error("not what assistants say but all the rest must tell")
	}
	mixed := &History{Request: func() *translate.Request { return req }}
	for _, i := range []int{5, 2, 0, 4, 1, 3} {
		if got, ok := mixed.before(i); !ok || got != sums[i] {
			t.Errorf("turn %d: other than in order", i)
		}
	}
	if _, ok := mixed.before(6); ok {
		t.Error("there is something before a turn that is not there")
	}
}
