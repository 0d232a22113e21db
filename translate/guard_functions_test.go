package translate

import "testing"

// A client that uses the deprecated functions is answered in their form, whatever form the
// provider has.
func TestGuardMakesFunctionsOfTools(t *testing.T) {
	t.Parallel()
	g, l := guarded(t)
	var seen []Event
	g.Out, g.Functions = sinkFunc(func(ev *Event) { seen = append(seen, *ev); l.Emit(ev) }), true
	for _, ev := range []Event{
		{Kind: EventBlockDelta, Block: BlockText, Text: []byte("hm")},
		{Kind: EventBlockStart, Index: 1, Block: BlockTool, Call: Call{ID: "toolu_1", Name: "f"}},
		{Kind: EventBlockMeta, Index: 1, Block: BlockTool, Meta: MetaSignature, Format: "google-gemini-v1", Text: []byte("c2ln")},
		{Kind: EventBlockDelta, Index: 1, Block: BlockTool, Text: []byte(`{}`)},
		{Kind: EventBlockStart, Index: 2, Block: BlockTool, Call: Call{ID: "toolu_2", Name: "g"}},
		{Kind: EventBlockDelta, Index: 2, Block: BlockTool, Text: []byte(`{}`)},
		{Kind: EventFinish, Reason: FinishToolCalls},
	} {
		g.Emit(&ev)
	}
	g.End()
	l.check()
	calls := 0
	for _, ev := range seen {
		if ev.Block == BlockTool || ev.Index == 2 {
			t.Errorf("event %+v", ev)
		}
		if ev.Kind == EventBlockStart && ev.Block == BlockFunction {
			calls++
			if ev.Call.Name != "f" || ev.Call.ID != "" {
				t.Errorf("the call is %+v", ev.Call)
			}
		}
	}
	if calls != 1 || g.Finish() != FinishFunctionCall {
		t.Errorf("%d calls, finish reason %v", calls, g.Finish())
	}
}
