package anthropic

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// pausedRequest is a request whose answer may be paused.
func pausedRequest(t *testing.T) *translate.Encoded {
	t.Helper()
	req := &translate.Request{Model: "claude-sonnet-4-6", Stream: true, Turns: []translate.Turn{user("Search.")}}
	req.Params.WebSearch = []byte(`{}`)
	enc, err := EncodeRequest(req, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return enc
}

func TestPausedAnswerGoesOn(t *testing.T) {
	t.Parallel()
	enc := pausedRequest(t)
	g, v := guarded(t)
	d := NewDecoder(enc)
	feed := func(events ...string) {
		for _, ev := range events {
			d.Event([]byte(ev), nil, g)
		}
	}
	feed(
		`{"type":"message_start","message":{"id":"msg_1","model":"m","content":[],"container":{"id":"container_1"},"usage":{"input_tokens":10}}}`,
		blockStart(0, `{"type":"thinking","thinking":"","signature":""}`), blockDelta(0, `{"type":"thinking_delta","thinking":"Hm \"ü\""}`), blockDelta(0, `{"type":"signature_delta","signature":"s+/="}`), blockStop(0),
		blockStart(1, `{"type":"text","text":""}`), textDelta(1, "Let me\n"), textDelta(1, "look. "), blockDelta(1, `{"type":"citations_delta","citation":{"type":"char_location"}}`), blockStop(1),
		blockStart(2, `{"type":"server_tool_use","id":"srv_1","name":"web_search","input":{}}`), inputDelta(2, `{"query":`), inputDelta(2, `"a \"b\""}`), blockStop(2),
		blockStart(3, `{"type":"web_search_tool_result","tool_use_id":"srv_1","content":[{"url":"https://e.com"}]}`), blockStop(3),
		blockStart(4, `{"type":"text","text":""}`), blockStop(4),
		`{"type":"message_delta","delta":{"stop_reason":"pause_turn"},"usage":{"output_tokens":5,"server_tool_use":{"web_search_requests":1}}}`, msgStop)
	if !d.Done() || !d.Paused() {
		t.Fatal("the answer is not paused")
	}
	body, ok := d.Continue()
	if !ok || d.Paused() || d.Done() {
		t.Fatal("the answer does not go on")
	}
	var before, after map[string]json.RawMessage
	if json.Unmarshal(enc.Body, &before) != nil || json.Unmarshal(body, &after) != nil {
		t.Fatalf("not JSON: %s", body)
	}
	wantMessages := `[{"role":"user","content":[{"type":"text","text":"Search."}]},{"role":"assistant","content":[` +
		`{"type":"thinking","thinking":"Hm \"ü\"","signature":"s+/="},` +
		`{"type":"text","text":"Let me\nlook. ","citations":[{"type":"char_location"}]},` +
		`{"type":"server_tool_use","id":"srv_1","name":"web_search","input":{"query":"a \"b\""}},` +
		`{"type":"web_search_tool_result","tool_use_id":"srv_1","content":[{"url":"https://e.com"}]}]}]`
	if string(after["messages"]) != wantMessages {
		t.Errorf("messages are\n%s\nwant\n%s", after["messages"], wantMessages)
	}
	if string(after["container"]) != `"container_1"` {
		t.Errorf("container is %s", after["container"])
	}
	for name, value := range before {
		if name != "messages" && string(after[name]) != string(value) {
			t.Errorf("%s changed from %s to %s", name, value, after[name])
		}
	}

	feed(strings.Replace(msgStart(`{"input_tokens":20}`), "msg_1", "msg_2", 1),
		blockStart(0, `{"type":"text","text":""}`), textDelta(0, "Found it."), blockDelta(0, `{"type":"citations_delta","citation":{"type":"web_search_result_location","url":"https://e.com","title":"E"}}`), blockStop(0),
		`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3,"server_tool_use":{"web_search_requests":2}}}`, msgStop)
	if d.Paused() {
		t.Error("a complete answer is not paused")
	}
	d.End(true, g)
	g.End()
	if v.err != nil || !v.ended || v.id != "chatcmpl-1" || v.text != "Let me\nlook. Found it." || v.finish != translate.FinishStop || v.finishes != 1 {
		t.Errorf("got %+v (error %v)", v, v.err)
	}
	if !sameUsage(v.usage, translate.Usage{Prompt: 30, Completion: 8}) || v.extra != `"server_tool_use":{"web_search_requests":3}` {
		t.Errorf("usage is %+v with %s", v.usage, v.extra)
	}
	if len(v.annotations) != 1 || v.annotations[0].Citation.Start != 13 || v.annotations[0].Citation.End != 22 {
		t.Errorf("annotations are %+v", v.annotations)
	}
}

func TestPausedBodyGoesOn(t *testing.T) {
	t.Parallel()
	g, v := guarded(t)
	d := NewDecoder(pausedRequest(t))
	leg := `{"type":"message","id":"msg_1","content":[{"type":"text","text":"a"},{"type":"server_tool_use","id":"s","name":"web_search","input":{"query":"x"}}],"stop_reason":"pause_turn","usage":{"input_tokens":1,"output_tokens":1}}`
	n := 0
	for d.Body([]byte(leg), g); ; d.Body([]byte(leg), g) {
		body, ok := d.Continue()
		if !ok {
			break
		}
		if n++; strings.Count(string(body), `"text":"a"`) != n || !json.Valid(body) {
			t.Fatalf("continuation %d has the wrong content: %s", n, body)
		}
	}
	d.End(true, g)
	g.End()
	if n != maxContinuations || v.finish != translate.FinishStop || v.text != "aaaaaa" || !v.ended || v.usage.Prompt != 6 {
		t.Errorf("%d continuations, got %+v (error %v)", n, v, v.err)
	}
}

func TestPauseWithoutContinuationIsAStop(t *testing.T) {
	t.Parallel()
	for name, enc := range map[string]*translate.Encoded{"not recorded": plain, "recorded": pausedRequest(t)} {
		v := decodeEvents(t, enc, msgStart(someUsage), blockStart(0, `{"type":"text","text":"a"}`), blockStop(0), msgDelta("pause_turn"), msgStop)
		if v.err != nil || v.finish != translate.FinishStop || !v.ended {
			t.Errorf("%s: got %+v (error %v)", name, v, v.err)
		}
	}
}

func TestContinuedRequests(t *testing.T) {
	t.Parallel()
	content := []byte(`{"type":"text","text":"x"}`)
	for _, tt := range []struct{ name, body, container, want string }{
		{"no container", `{"messages":[{"role":"user","content":[]}],"a":1}`, ``, `{"messages":[{"role":"user","content":[]},{"role":"assistant","content":[{"type":"text","text":"x"}]}],"a":1}`},
		{"a container of its own", `{"messages":[],"container":"c0"}`, `"c1"`, `{"messages":[{"role":"assistant","content":[{"type":"text","text":"x"}]}],"container":"c0"}`},
		{"a container with skills", `{"messages":[],"container":{"skills":[]}}`, `"c1"`, `{"messages":[{"role":"assistant","content":[{"type":"text","text":"x"}]}],"container":{"id":"c1","skills":[]}}`},
		{"an empty container", `{"messages":[],"container":{}}`, `"c1"`, `{"messages":[{"role":"assistant","content":[{"type":"text","text":"x"}]}],"container":{"id":"c1"}}`},
		{"a prefill", `{"messages":[{"role":"assistant","content":[]}]}`, ``, ``},
		{"no messages", `{}`, ``, ``},
		{"no JSON", `{`, ``, ``},
	} {
		if got := string(continued([]byte(tt.body), content, []byte(tt.container))); got != tt.want {
			t.Errorf("%s: got  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}
