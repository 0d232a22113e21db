package anthropic

import (
	"bytes"
	"strings"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

var plain = &translate.Encoded{}

func TestStreamMapsEveryEvent(t *testing.T) {
	t.Parallel()
	v := decodeEvents(t, plain,
		`{"type":"message_start","message":{"id":"msg_01Abc","model":"claude-opus-5-20260101","content":[],"usage":{"input_tokens":10,"cache_creation_input_tokens":5,"cache_read_input_tokens":3,"cache_creation":{"ephemeral_5m_input_tokens":1,"ephemeral_1h_input_tokens":4},"output_tokens":1,"service_tier":"standard"}}}`,
		`{"type": "ping"}`,
		blockStart(0, `{"type":"thinking","thinking":"","signature":""}`),
		blockDelta(0, `{"type":"thinking_delta","thinking":"Let me \"see\".\n"}`),
		blockDelta(0, `{"type":"signature_delta","signature":"sig+/="}`),
		blockStop(0),
		blockStart(1, `{"type":"text","text":""}`),
		textDelta(1, "Grüße 👋\t"),
		textDelta(1, "there"),
		blockDelta(1, `{"type":"mystery_delta","x":1}`),
		blockStop(1),
		blockStart(2, `{"type":"tool_use","id":"toolu_1","name":"get_weather","input":{}}`),
		inputDelta(2, ""),
		inputDelta(2, `{"city":"Z`),
		inputDelta(2, `ürich"}`),
		blockStop(2),
		`{"type":"some_new_event","index":9}`,
		`{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":42,"output_tokens_details":{"thinking_tokens":9},"server_tool_use":{"web_search_requests":2}}}`,
		msgStop,
	)
	if v.id != "chatcmpl-01Abc" || v.model != "claude-opus-5-20260101" || v.tier != "default" || !v.ended || v.err != nil {
		t.Errorf("start or end is wrong: %+v", v)
	}
	if v.text != "Grüße 👋\tthere" || v.reasoning != "Let me \"see\".\n" {
		t.Errorf("text %q, reasoning %q", v.text, v.reasoning)
	}
	if len(v.details) != 1 || v.details[0] != (detailView{0, FormatReasoning, "Let me \"see\".\n", "sig+/=", ""}) {
		t.Errorf("reasoning details are %+v", v.details)
	}
	if len(v.tools) != 1 || v.tools[0] != (toolView{"toolu_1", "get_weather", `{"city":"Zürich"}`, 0, false}) {
		t.Errorf("tools are %+v", v.tools)
	}
	if v.finish != translate.FinishToolCalls || v.finishes != 1 || v.keepAlives != 1 {
		t.Errorf("finish %v (%d times), %d keep-alives", v.finish, v.finishes, v.keepAlives)
	}
	if want := (translate.Usage{Prompt: 18, Completion: 42, Cached: 3, CacheWrite: 5, CacheWrite1h: 4, Reasoning: 9}); !sameUsage(v.usage, want) {
		t.Errorf("usage is %+v, want %+v", v.usage, want)
	}
	if v.extra != `"server_tool_use":{"web_search_requests":2}` {
		t.Errorf("further usage is %s", v.extra)
	}
}

func sameUsage(got *translate.Usage, want translate.Usage) bool {
	if got == nil {
		return false
	}
	g := *got
	g.Extra, want.Extra = nil, nil
	return g.Prompt == want.Prompt && g.Completion == want.Completion && g.Cached == want.Cached && g.CacheWrite == want.CacheWrite &&
		g.CacheWrite1h == want.CacheWrite1h && g.Reasoning == want.Reasoning && g.HiddenPrompt == want.HiddenPrompt &&
		g.HiddenCompletion == want.HiddenCompletion && g.HiddenCached == want.HiddenCached && g.HiddenCacheWrite == want.HiddenCacheWrite
}

func TestStreamFailures(t *testing.T) {
	t.Parallel()
	begin := []string{msgStart(someUsage), blockStart(0, `{"type":"text","text":""}`), textDelta(0, "Hel")}
	with := func(events ...string) []string { return append(append([]string(nil), begin...), events...) }
	tests := []struct {
		name   string
		events []string
		status int
		class  translate.ErrorClass
		msg    string
	}{
		{"E-009 EOF without message_stop", with(), 502, translate.ErrorUpstream, "ended before"},
		{"E-009 EOF behind the stop reason", with(blockStop(0), msgDelta("end_turn")), 502, translate.ErrorUpstream, "ended before"},
		{"E-011 EOF before any byte", nil, 502, translate.ErrorUpstream, "ended before"},
		{"E-013 an error as first event", []string{`{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`}, 503, translate.ErrorOverloaded, "Overloaded"},
		{"E-014 an error keeps its message", with(`{"type":"error","error":{"type":"invalid_request_error","message":"messages.1: no"},"request_id":"req_1"}`), 400, translate.ErrorRequest, "messages.1: no"},
		{"E-016 an error object without a type", with(`{"error":{"type":"api_error","message":"Broken"}}`), 500, translate.ErrorServer, "Broken"},
		{"an error that is a string", with(`{"error":"Broken"}`), 502, translate.ErrorUpstream, "Broken"},
		{"an error without anything", with(`{"type":"error"}`), 502, translate.ErrorUpstream, "reported an error"},
		{"a rate limit in a stream is not a quota", with(`{"type":"error","error":{"type":"rate_limit_error","message":"Slow down"}}`), 429, translate.ErrorRateLimit, "Slow down"},
		{"E-106 two messages in one stream", with(strings.Replace(msgStart(someUsage), "msg_1", "msg_2", 1)), 502, translate.ErrorUpstream, "mixed two answers"},
		{"data that is not JSON", with(`{"type":"content_block_delta","ind`), 502, translate.ErrorUpstream, "not valid JSON"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := decodeEvents(t, plain, tt.events...)
			if v.err == nil || v.ended {
				t.Fatalf("no error: %+v", v)
			}
			if v.err.Status != tt.status || v.err.Class != tt.class || !strings.Contains(v.err.Message, tt.msg) {
				t.Errorf("error is %+v, want status %d, class %d, message with %q", v.err, tt.status, tt.class, tt.msg)
			}
		})
	}
}

func TestE010E078BrokenConnectionIsAnErrorAndBooked(t *testing.T) {
	t.Parallel()
	g, v := guarded(t)
	d := NewDecoder(plain)
	d.Event([]byte(msgStart(someUsage)), nil, g)
	d.End(false, g)
	g.End()
	if v.err == nil || !strings.Contains(v.err.Message, "broke off") || v.usage != nil && v.usage.Prompt != 10 {
		t.Errorf("error is %+v", v.err)
	}
	if u, ok := g.Usage(); !ok || u.Prompt != 10 {
		t.Error("the usage up to the break is not booked")
	}
}

// A bare JSON error between or behind events is recognised.
func TestE015StrayJSONIsAnError(t *testing.T) {
	t.Parallel()
	g, v := guarded(t)
	d := NewDecoder(plain)
	d.Event([]byte(msgStart(someUsage)), nil, g)
	d.Event(nil, []byte("{\n  \"error\": {\n \"type\": \"timeout_error\", \"message\": \"Too slow\"\n}}\n"), g)
	d.End(true, g)
	g.End()
	if v.err == nil || v.err.Status != 504 || v.err.Message != "Too slow" {
		t.Errorf("error is %+v", v.err)
	}
}

func TestStreamTolerance(t *testing.T) {
	t.Parallel()
	tool := `{"type":"tool_use","id":"toolu_1","name":"f","input":{}}`
	tests := []struct {
		name   string
		events []string
		check  func(v *clientView) bool
	}{
		{"the same message twice is one", []string{msgStart(someUsage), msgStart(someUsage), blockStart(0, `{"type":"text","text":"a"}`), blockStop(0), msgDelta("end_turn"), msgStop},
			func(v *clientView) bool { return v.text == "a" }},
		{"content in message_start is content", []string{strings.Replace(msgStart(someUsage), `"content":[]`, `"content":[{"type":"text","text":"pre"}]`, 1), textDelta(0, "fix"), blockStop(0), msgDelta("end_turn"), msgStop},
			func(v *clientView) bool { return v.text == "prefix" }},
		{"E-062 a call behind text on the same index", []string{msgStart(someUsage), blockStart(0, `{"type":"text","text":""}`), textDelta(0, "Hi"), blockStart(0, tool), inputDelta(0, `{"a":1}`), blockStop(0), msgDelta("end_turn"), msgStop},
			func(v *clientView) bool {
				return v.text == "Hi" && len(v.tools) == 1 && v.tools[0].args == `{"a":1}` && v.finish == translate.FinishToolCalls
			}},
		{"E-062 a call behind text that was never closed", []string{msgStart(someUsage), blockStart(0, `{"type":"text","text":""}`), textDelta(0, "Hi"), blockStart(1, tool), inputDelta(1, `{"a":1}`), msgDelta("tool_use"), msgStop},
			func(v *clientView) bool {
				return v.text == "Hi" && len(v.tools) == 1 && v.tools[0].args == `{"a":1}`
			}},
		{"a delta whose block was never started", []string{msgStart(someUsage), textDelta(0, "Hi"), msgDelta("end_turn"), msgStop},
			func(v *clientView) bool { return v.text == "Hi" }},
		{"no message_start", []string{blockStart(0, `{"type":"text","text":"Hi"}`), msgDelta("end_turn"), msgStop},
			func(v *clientView) bool { return v.text == "Hi" && v.id == "chatcmpl-test" }},
		{"blocks without an index", []string{msgStart(someUsage), `{"type":"content_block_start","content_block":{"type":"text","text":""}}`, `{"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}}`, `{"type":"content_block_stop"}`, msgDelta("end_turn"), msgStop},
			func(v *clientView) bool { return v.text == "Hi" }},
		{"[DONE] and comments", []string{msgStart(someUsage), "", "[DONE]", textDelta(0, "Hi"), msgDelta("end_turn"), msgStop, "[DONE]"},
			func(v *clientView) bool { return v.text == "Hi" && v.keepAlives == 2 }},
		{"E-023 a ping is a keep-alive", []string{`{"type":"ping"}`, msgStart(someUsage), textDelta(0, "Hi"), `{"type":"ping"}`, msgDelta("end_turn"), msgStop},
			func(v *clientView) bool { return v.keepAlives == 2 }},
		{"nothing counts behind message_stop", []string{msgStart(someUsage), textDelta(0, "Hi"), msgDelta("end_turn"), msgStop, `{"type":"error","error":{"type":"api_error","message":"late"}}`},
			func(v *clientView) bool { return v.ended }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := decodeEvents(t, plain, tt.events...)
			if v.err != nil || !v.ended || !tt.check(v) {
				t.Errorf("got %+v (error %v)", v, v.err)
			}
		})
	}
}

func TestStreamToolCalls(t *testing.T) {
	t.Parallel()
	start := func(i int, id, input string) string {
		return blockStart(i, `{"type":"tool_use","id":"`+id+`","name":"f","input":`+input+`}`)
	}
	text := blockStart(0, `{"type":"text","text":"Hi"}`)
	tests := []struct {
		name   string
		events []string
		want   []string
		finish translate.FinishReason
	}{
		{"E-039 text before the call does not shift its index", []string{text, blockStop(0), start(1, "a", "{}"), inputDelta(1, `{}`), blockStop(1), start(2, "b", "{}"), inputDelta(2, `{"x":2}`), blockStop(2), msgDelta("tool_use")}, []string{`{}`, `{"x":2}`}, translate.FinishToolCalls},
		{"E-049 no arguments", []string{start(0, "a", "{}"), inputDelta(0, ""), blockStop(0), msgDelta("tool_use")}, []string{"{}"}, translate.FinishToolCalls},
		{"E-049 arguments in the start only", []string{start(0, "a", `{ "q" : "a \"b\" \\ \n c" , "n" : [ 1 , 2 ] }`), blockStop(0), msgDelta("tool_use")}, []string{`{"q":"a \"b\" \\ \n c","n":[1,2]}`}, translate.FinishToolCalls},
		{"deltas replace arguments in the start", []string{start(0, "a", `{"old":1}`), inputDelta(0, `{"new":2}`), blockStop(0), msgDelta("tool_use")}, []string{`{"new":2}`}, translate.FinishToolCalls},
		{"E-051 cut-off arguments stay as they are", []string{start(0, "a", "{}"), inputDelta(0, `{"city":"Zü`), msgDelta("max_tokens")}, []string{`{"city":"Zü`}, translate.FinishLength},
		{"E-052 end_turn behind a call", []string{start(0, "a", "{}"), inputDelta(0, `{}`), blockStop(0), msgDelta("end_turn")}, []string{`{}`}, translate.FinishToolCalls},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := decodeEvents(t, plain, append(append([]string{msgStart(someUsage)}, tt.events...), msgStop)...)
			if v.err != nil || v.finish != tt.finish || len(v.tools) != len(tt.want) {
				t.Fatalf("got %+v (error %v), want %d calls and %v", v, v.err, len(tt.want), tt.finish)
			}
			for i := range tt.want {
				if v.tools[i].args != tt.want[i] || v.tools[i].index != i {
					t.Errorf("call %d is %+v, want arguments %s", i, v.tools[i], tt.want[i])
				}
			}
		})
	}
}

// Whatever the stop reason, the client gets one of the five words it knows.
func TestE053FinishReasons(t *testing.T) {
	t.Parallel()
	for stop, want := range map[string]string{
		`"end_turn"`: "stop", `"stop_sequence"`: "stop", `"pause_turn"`: "stop", `"compaction"`: "stop", `null`: "stop", `"something_new"`: "stop", `""`: "stop",
		`"max_tokens"`: "length", `"model_context_window_exceeded"`: "length", `"tool_use"`: "stop", `"refusal"`: "content_filter",
	} {
		v := decodeEvents(t, plain, msgStart(someUsage), textDelta(0, "x"), `{"type":"message_delta","delta":{"stop_reason":`+stop+`},"usage":{"output_tokens":1}}`, msgStop)
		if v.err != nil || v.finish.String() != want {
			t.Errorf("stop_reason %s gives %s (error %v), want %s", stop, v.finish, v.err, want)
		}
		b := decodeBody(t, plain, `{"type":"message","content":[{"type":"text","text":"x"}],"stop_reason":`+stop+`}`)
		if b.err != nil || b.finish.String() != want {
			t.Errorf("in a body, stop_reason %s gives %s (error %v), want %s", stop, b.finish, b.err, want)
		}
	}
}

// The provider's own tools are neither calls nor text.
func TestE061ServerToolsAreInvisible(t *testing.T) {
	t.Parallel()
	events := []string{
		msgStart(someUsage),
		blockStart(0, `{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}`),
		inputDelta(0, `{"query":"x"}`),
		blockStop(0),
		blockStart(1, `{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[{"type":"web_search_result","url":"https://e.com"}]}`),
		blockStop(1),
		blockStart(2, `{"type":"text","text":""}`), textDelta(2, "Found."), blockStop(2), msgDelta("end_turn"), msgStop,
	}
	v := decodeEvents(t, plain, events...)
	if len(v.tools) != 0 || v.text != "Found." || v.finish != translate.FinishStop || len(v.vendor) != 0 {
		t.Errorf("got %+v", v)
	}

	g, v := guarded(t)
	d := NewDecoder(plain)
	d.ExposeRaw = true
	for _, ev := range events {
		d.Event([]byte(ev), nil, g)
	}
	d.End(true, g)
	g.End()
	want := `{"anthropic_content":[{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{"query":"x"}}]}`
	if len(v.vendor) != 2 || v.vendor[0] != want || v.text != "Found." {
		t.Errorf("exposed blocks are %q", v.vendor)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, start, delta string
		want               translate.Usage
	}{
		{"E-064 cache reads and writes count once", `{"input_tokens":10,"cache_read_input_tokens":100,"cache_creation_input_tokens":1000}`, `{"output_tokens":5}`,
			translate.Usage{Prompt: 1110, Completion: 5, Cached: 100, CacheWrite: 1000}},
		{"E-065 numbers of message_delta replace", `{"input_tokens":10,"output_tokens":4}`, `{"input_tokens":12,"output_tokens":5}`,
			translate.Usage{Prompt: 12, Completion: 5}},
		{"E-066 numbers of message_delta alone count", `{"input_tokens":0,"output_tokens":0}`, `{"input_tokens":7,"cache_read_input_tokens":3,"output_tokens":5}`,
			translate.Usage{Prompt: 10, Completion: 5, Cached: 3}},
		{"nulls keep what was said before", `{"input_tokens":10,"cache_read_input_tokens":2}`, `{"input_tokens":null,"cache_read_input_tokens":null,"cache_creation":null,"output_tokens":5}`,
			translate.Usage{Prompt: 12, Completion: 5, Cached: 2}},
		{"E-067 writes for an hour stand apart", `{"input_tokens":1,"cache_creation_input_tokens":30,"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20}}`, `{"output_tokens":5}`,
			translate.Usage{Prompt: 31, Completion: 5, CacheWrite: 30, CacheWrite1h: 20}},
		{"E-077 compaction is billed and not shown", `{"input_tokens":682}`, `{"output_tokens":1320,"iterations":[{"type":"compaction","input_tokens":60385,"output_tokens":592},{"type":"message","input_tokens":682,"output_tokens":1320},{"type":"advisor_message","input_tokens":9,"output_tokens":9}]}`,
			translate.Usage{Prompt: 682, Completion: 1320, HiddenPrompt: 60385, HiddenCompletion: 592}},
		{"E-111 a fallback is not counted twice", `{"input_tokens":408}`, `{"input_tokens":412,"output_tokens":264,"iterations":[{"type":"message","input_tokens":408,"output_tokens":0},{"type":"fallback_message","input_tokens":412,"output_tokens":264}]}`,
			translate.Usage{Prompt: 412, Completion: 264}},
		{"nonsense is no number", `{"input_tokens":-5,"cache_read_input_tokens":"x"}`, `{"output_tokens":1e99}`,
			translate.Usage{Completion: maxCount}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := decodeEvents(t, plain, msgStart(tt.start), textDelta(0, "x"), `{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":`+tt.delta+`}`, msgStop)
			if !sameUsage(v.usage, tt.want) {
				t.Errorf("usage is %+v, want %+v", v.usage, tt.want)
			}
		})
	}
}

// A refusal is a content_filter with status 200, with and without text before it.
func TestE110Refusal(t *testing.T) {
	t.Parallel()
	end := `{"type":"message_delta","delta":{"stop_reason":"refusal","stop_details":{"type":"refusal","category":"cyber","explanation":"Not \"this\"."}},"usage":{"output_tokens":1}}`
	v := decodeEvents(t, plain, msgStart(someUsage), textDelta(0, "Well"), end, msgStop)
	if v.err != nil || v.finish != translate.FinishContentFilter || v.text != "Well" || v.refusal != `Not "this".` {
		t.Errorf("got %+v", v)
	}
	if len(v.vendor) != 1 || v.vendor[0] != `{"stop_details":{"type":"refusal","category":"cyber"}}` {
		t.Errorf("vendor fields are %q", v.vendor)
	}
	v = decodeEvents(t, plain, msgStart(someUsage), `{"type":"message_delta","delta":{"stop_reason":"refusal","stop_details":{"type":"refusal","category":null,"explanation":null}}}`, msgStop)
	if v.err != nil || v.finish != translate.FinishContentFilter || v.refusal != "The model declined to answer." || len(v.vendor) != 0 {
		t.Errorf("got %+v", v)
	}
}

func TestStopSequenceIsAVendorField(t *testing.T) {
	t.Parallel()
	v := decodeEvents(t, plain, msgStart(someUsage), textDelta(0, "x"), `{"type":"message_delta","delta":{"stop_reason":"stop_sequence","stop_sequence":"\"END"}}`, msgStop)
	if v.finish != translate.FinishStop || len(v.vendor) != 1 || v.vendor[0] != `{"stop_sequence":"\"END"}` {
		t.Errorf("got %+v", v)
	}
}

func TestCitationsBecomeAnnotations(t *testing.T) {
	t.Parallel()
	cite := func(i int, c string) string { return blockDelta(i, `{"type":"citations_delta","citation":`+c+`}`) }
	v := decodeEvents(t, plain, msgStart(someUsage),
		blockStart(0, `{"type":"text","text":""}`), textDelta(0, "Grüß\n\"dich\" 👋: "), blockDelta(0, `{"type":"text_delta","text":"\ud83d\ude00\u00e9"}`), blockStop(0),
		blockStart(1, `{"type":"text","text":"","citations":[]}`),
		cite(1, `{"type":"web_search_result_location","url":"https:\/\/e.com\/a?b=\"","title":"A \"title\"","encrypted_index":"x","cited_text":"y"}`),
		textDelta(1, "It is wärm."),
		cite(1, `{"type":"char_location","document_index":0,"document_title":"D","start_char_index":0,"end_char_index":5}`),
		cite(1, `{"type":"search_result_location","source":"https://e.com/2","title":null,"search_result_index":0}`),
		cite(1, `{"type":"search_result_location","source":"doc-12","title":"no URL"}`),
		blockStop(1), msgDelta("end_turn"), msgStop)
	if len(v.annotations) != 2 {
		t.Fatalf("annotations are %+v", v.annotations)
	}
	runes := []rune(v.text)
	a := v.annotations[0]
	if a.Type != "url_citation" || a.Citation.URL != `https://e.com/a?b="` || a.Citation.Title != `A "title"` {
		t.Errorf("first annotation is %+v", a)
	}
	for _, a := range v.annotations {
		if got := string(runes[a.Citation.Start:a.Citation.End]); got != "It is wärm." {
			t.Errorf("%+v covers %q", a.Citation, got)
		}
	}
	if v.annotations[1].Citation.Title != "" || v.annotations[1].Citation.URL != "https://e.com/2" {
		t.Errorf("second annotation is %+v", v.annotations[1])
	}
}

func TestCountRunes(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{
		``: 0, `abc`: 3, `äö`: 2, `a\n\"b`: 4, `\u00e9`: 1, `\ud83d\ude00`: 1, `\ud83d`: 1, `\ud83dx`: 2, `\ude00\ud83d`: 2, `👋\\`: 2, `\`: 1, `\u00`: 1,
	} {
		if got := countRunes([]byte(in)); got != want {
			t.Errorf("%q has %d characters, want %d", in, got, want)
		}
	}
}

// Reasoning comes in the provider's order and with everything that has
// to be sent back.
func TestE086E092ReasoningDetails(t *testing.T) {
	t.Parallel()
	v := decodeEvents(t, plain, msgStart(someUsage),
		blockStart(0, `{"type":"thinking","thinking":"","signature":""}`), blockDelta(0, `{"type":"signature_delta","signature":"only"}`), blockStop(0),
		blockStart(1, `{"type":"redacted_thinking","data":"opaque+/="}`), blockStop(1),
		blockStart(2, `{"type":"text","text":"a"}`), blockStop(2),
		blockStart(3, `{"type":"thinking","thinking":"b","signature":"s3"}`), blockStop(3),
		msgDelta("end_turn"), msgStop)
	want := []detailView{
		{0, FormatReasoning, "", "only", ""}, {1, FormatReasoning, "", "", "opaque+/="}, {3, FormatReasoning, "b", "s3", ""},
	}
	if len(v.details) != len(want) {
		t.Fatalf("details are %+v", v.details)
	}
	for i := range want {
		if v.details[i] != want[i] {
			t.Errorf("detail %d is %+v, want %+v", i, v.details[i], want[i])
		}
	}
	if v.reasoning != "b" || v.text != "a" {
		t.Errorf("reasoning %q, text %q", v.reasoning, v.text)
	}
}

func TestStandInToolIsContent(t *testing.T) {
	t.Parallel()
	start := func(name string) string {
		return blockStart(0, `{"type":"tool_use","id":"toolu_1","name":"`+name+`","input":{}}`)
	}
	enc := &translate.Encoded{JSONTool: "json_output"}
	v := decodeEvents(t, enc, msgStart(someUsage), start("json_output"), inputDelta(0, `{"a":`), inputDelta(0, `"\"x\""}`), blockStop(0), msgDelta("tool_use"), msgStop)
	if v.text != `{"a":"\"x\""}` || len(v.tools) != 0 || v.finish != translate.FinishStop {
		t.Errorf("got %+v", v)
	}
	b := decodeBody(t, enc, `{"type":"message","content":[{"type":"tool_use","id":"t","name":"json_output","input":{ "a" : "\"x\"" }}],"stop_reason":"tool_use"}`)
	if b.text != `{"a":"\"x\""}` || len(b.tools) != 0 || b.finish != translate.FinishStop {
		t.Errorf("in a body: %+v", b)
	}
	v = decodeEvents(t, enc, msgStart(someUsage), start("other"), inputDelta(0, `{}`), blockStop(0), msgDelta("tool_use"), msgStop)
	if v.text != "" || len(v.tools) != 1 || v.finish != translate.FinishToolCalls {
		t.Errorf("a real call is %+v", v)
	}
	v = decodeEvents(t, enc, msgStart(someUsage), start("json_output"), blockStop(0), msgDelta("tool_use"), msgStop)
	if v.text != "{}" {
		t.Errorf("an empty answer is %q", v.text)
	}

	wrapped := &translate.Encoded{JSONTool: "json_output", JSONMember: "value"}
	v = decodeEvents(t, wrapped, msgStart(someUsage), start("json_output"), inputDelta(0, `{"value": [1, `), inputDelta(0, `"ü"]}`), blockStop(0), msgDelta("tool_use"), msgStop)
	if v.text != `[1,"ü"]` || v.finish != translate.FinishStop {
		t.Errorf("a wrapped answer is %+v", v)
	}
	v = decodeEvents(t, wrapped, msgStart(someUsage), start("json_output"), inputDelta(0, `{"value": [1, "ü`), msgDelta("max_tokens"), msgStop)
	if v.text != `[1, "ü` || v.finish != translate.FinishLength {
		t.Errorf("a wrapped answer that was cut off is %+v", v)
	}
}

func TestCustomToolInputIsUnwrapped(t *testing.T) {
	t.Parallel()
	enc := &translate.Encoded{CustomTools: []string{"run_sql"}, Names: map[string]string{"run_sql": "run.sql"}}
	start := blockStart(0, `{"type":"tool_use","id":"toolu_1","name":"run_sql","input":{}}`)
	for _, tt := range []struct{ name, input, want string }{
		{"whole", `{"input":"SELECT \"a\"\nFROM t -- ü"}`, "SELECT \"a\"\nFROM t -- ü"},
		{"cut off", `{"input": "SELECT \"a\`, `SELECT "a`},
		{"cut off in an escape", `{"input": "SELECT \u00`, `SELECT `},
		{"empty", `{"input":""}`, ""},
		{"no string", `{"input":5}`, `{"input":5}`},
		{"nothing", ``, ""},
	} {
		events := []string{msgStart(someUsage), start}
		for _, part := range strings.SplitAfter(tt.input, " ") {
			events = append(events, inputDelta(0, part))
		}
		v := decodeEvents(t, enc, append(events, blockStop(0), msgDelta("tool_use"), msgStop)...)
		if len(v.tools) != 1 || v.tools[0] != (toolView{"toolu_1", "run.sql", tt.want, 0, true}) || v.finish != translate.FinishToolCalls {
			t.Errorf("%s: %+v", tt.name, v.tools)
		}
	}
}

func TestDecoderBounds(t *testing.T) {
	t.Parallel()
	t.Run("blocks", func(t *testing.T) {
		t.Parallel()
		g, v := guarded(t)
		d := NewDecoder(plain)
		for i := range maxAnswerBlocks + 1 {
			d.Event([]byte(blockStart(i, `{"type":"server_tool_use"}`)), nil, g)
		}
		if v.err == nil || !d.Done() {
			t.Error("an answer of endless blocks was not stopped")
		}
	})
	t.Run("buffered arguments", func(t *testing.T) {
		t.Parallel()
		g, v := guarded(t)
		d := NewDecoder(&translate.Encoded{CustomTools: []string{"f"}})
		d.Event([]byte(blockStart(0, `{"type":"tool_use","id":"a","name":"f","input":{}}`)), nil, g)
		part := []byte(inputDelta(0, strings.Repeat("x", 1<<20)))
		for range maxHeld>>20 + 1 {
			d.Event(part, nil, g)
		}
		if v.err == nil {
			t.Error("endless arguments were not stopped")
		}
	})
	t.Run("recording for a continuation", func(t *testing.T) {
		t.Parallel()
		g, v := guarded(t)
		d := NewDecoder(&translate.Encoded{ServerTools: true})
		part := []byte(textDelta(0, strings.Repeat("x", 1<<20)))
		for range maxHeld>>20 + 1 {
			d.Event(part, nil, g)
		}
		if v.err != nil || d.record {
			t.Error("a long answer must go on without being recorded")
		}
	})
	t.Run("depth", func(t *testing.T) {
		t.Parallel()
		deep := strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1)
		if v := decodeEvents(t, plain, `{"type":"ping","x":`+deep+`}`); v.err == nil {
			t.Error("endless nesting was not stopped")
		}
	})
}

// The decoder must keep nothing of an event's bytes.
func TestStreamKeepsNothingOfTheData(t *testing.T) {
	t.Parallel()
	g, v := guarded(t)
	d := NewDecoder(&translate.Encoded{CustomTools: []string{"f"}, ServerTools: true})
	for _, ev := range []string{
		msgStart(someUsage), blockStart(0, `{"type":"text","text":"a"}`), blockDelta(0, `{"type":"citations_delta","citation":{"type":"web_search_result_location","url":"https://e.com","title":"t"}}`), blockStop(0),
		blockStart(1, `{"type":"tool_use","id":"t1","name":"f","input":{"input":"free"}}`), blockStop(1),
		blockStart(2, `{"type":"tool_use","id":"t2","name":"g","input":{"x":1}}`), blockStop(2),
		`{"type":"message_delta","delta":{"stop_reason":"refusal","stop_sequence":"S","stop_details":{"category":"c","explanation":"why"}}}`, msgStop,
	} {
		data := []byte(ev)
		d.Event(data, nil, g)
		copy(data, bytes.Repeat([]byte{'#'}, len(data)))
	}
	d.End(true, g)
	g.End()
	if v.text != "a" || v.tools[0].args != "free" || v.tools[1].args != `{"x":1}` || v.refusal != "why" || len(v.annotations) != 1 || v.annotations[0].Citation.URL != "https://e.com" ||
		v.vendor[0] != `{"stop_sequence":"S"}` {
		t.Errorf("got %+v", v)
	}
}
