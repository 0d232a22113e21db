package openai

import (
	"strings"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// emptyChunk is what Azure begins its streams with.
const emptyChunk = `{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0}]}`

func TestStreamShape(t *testing.T) {
	t.Parallel()
	for name, stream := range map[string]string{
		"E-008 white space around the JSON":    "data:   {\"id\":\"up-1\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\" } ,\"finish_reason\":\"stop\"} ] }   \n\ndata: [DONE] \n\n",
		"E-017 first chunk without choices":    eventStream(emptyChunk) + deltaStream(`{"role":"assistant","content":""}`, `{"content":"hi"}`, "finish:stop"),
		"E-028 role in every delta":            deltaStream(`{"role":"assistant","content":"h"}`, `{"role":"assistant","content":"i"}`, "finish:stop"),
		"E-028 role in no delta":               deltaStream(`{"content":"h"}`, `{"content":"i"}`, "finish:stop"),
		"E-028 empty role":                     deltaStream(`{"role":"","content":"h"}`, `{"role":null,"content":"i"}`, "finish:stop"),
		"E-029 [DONE] without a finish reason": deltaStream(`{"content":"hi"}`),
		"E-030 text with the finish reason":    eventStream(`{"id":"up-1","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}`),
		"E-030 text after the finish reason":   deltaStream(`{"content":"h"}`, "finish:stop", `{"content":"i"}`),
		"E-031 finish reason twice":            deltaStream(`{"content":"hi"}`, "finish:stop", "finish:stop"),
		"E-032 other objects":                  strings.ReplaceAll(deltaStream(`{"content":"hi"}`, "finish:stop"), "chat.completion.chunk", "chat.completion.done"),
		"E-033 deltas that say nothing":        deltaStream(`{"content":""}`, `{}`, `{"content":null,"tool_calls":null,"refusal":""}`, `{"content":"hi"}`, `{"content":"","tool_calls":[]}`, "finish:stop"),
		"E-034 error that is null":             strings.ReplaceAll(deltaStream(`{"content":"hi"}`, "finish:stop"), `"created"`, `"error":null,"created"`),
		"E-035 id that changes":                eventStream(`{"id":"up-1","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"h"}}]}`, `{"id":"up-2","created":9,"model":"n","choices":[{"index":0,"delta":{"content":"i"},"finish_reason":"stop"}]}`),
		"E-147 integers beyond int64":          strings.ReplaceAll(deltaStream(`{"content":"hi"}`, "finish:stop"), `"index":0`, `"index":0,"seed":99999999999999999999999999`),
		"choices that are null":                eventStream(`{"choices":null,"usage":null}`) + deltaStream(`{"content":"hi"}`),
		"no index":                             strings.ReplaceAll(deltaStream(`{"content":"hi"}`, "finish:stop"), `"index":0,`, ``),
		"negative index":                       strings.ReplaceAll(deltaStream(`{"content":"hi"}`, "finish:stop"), `"index":0,`, `"index":-1,`),
		"chunks without choices in between":    eventStream(`{"choices":null}`, `{}`) + deltaStream(`{"content":"hi"}`, "finish:stop"),
		"a message instead of deltas":          eventStream(`{"id":"up-1","created":1,"model":"m","choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}]}`),
		"a cumulative message beside deltas":   eventStream(`{"id":"up-1","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"hi"},"message":{"content":"hi"}}]}`, `{"choices":[{"index":0,"delta":{"content":""},"message":{"content":"hi"},"finish_reason":"stop"}]}`),
		"a cumulative message after deltas":    eventStream(`{"id":"up-1","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"hi"}}]}`, `{"choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}]}`),
		"content in parts":                     deltaStream(`{"content":[{"type":"text","text":"h"},"i",{"type":"reference","reference_ids":[1]}]}`, "finish:stop"),
		"content in one part":                  deltaStream(`{"content":{"type":"text","text":"hi"}}`, "finish:stop"),
		"events after [DONE]":                  deltaStream(`{"content":"hi"}`, "finish:stop") + deltaStream(`{"content":"more"}`),
		"bytes that are no UTF-8 in a name":    strings.ReplaceAll(deltaStream(`{"content":"hi"}`, "finish:stop"), `"created"`, "\"x\":\"\xff\",\"created\""),
		"chunks without framing":               "{\"id\":\"up-1\",\"created\":1,\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"h\"}}]}\n{\"choices\":[{\"delta\":{\"content\":\"i\"},\"finish_reason\":\"stop\"}]}\n",
		"E-018 one JSON body in place of it":   wholeAnswer(`{"role":"assistant","content":"hi"}`, `"stop"`),
		"E-018 a JSON body with line breaks":   strings.ReplaceAll(wholeAnswer(`{"role":"assistant","content":"hi"}`, `"stop"`), ",", ",\n  "),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := viewBoth(t, nil, stream)
			if s.Error != nil || s.choice().Content != "hi" || s.choice().Finish != "stop" {
				t.Errorf("error %v, content %q, finish %q", s.Error, s.choice().Content, s.choice().Finish)
			}
			if s.ID != "up-1" || s.Model != "m" || s.Created != 1 {
				t.Errorf("id %q, model %q, created %v", s.ID, s.Model, s.Created)
			}
		})
	}
}

func TestStreamStart(t *testing.T) {
	t.Parallel()
	own := viewBoth(t, nil, eventStream(`{"choices":[{"delta":{"content":"hi"},"finish_reason":"stop"}]}`))
	if own.ID != "chatcmpl-own" || own.Model != "own-model" || own.Created != 1700000000 {
		t.Errorf("id %q, model %q, created %v: nothing stands in for what is missing", own.ID, own.Model, own.Created)
	}
	for tier, want := range map[string]string{`"default"`: "default", `"priority"`: "priority", `"on_demand"`: "", `null`: "", `3`: ""} {
		s := viewBoth(t, nil, strings.ReplaceAll(deltaStream(`{"content":"hi"}`, "finish:stop"), `"created":1`, `"created":1,"service_tier":`+tier+`,"system_fingerprint":"fp"`))
		if s.Tier != want || s.Fingerprint != "fp" {
			t.Errorf("service_tier %s became %q, fingerprint %q", tier, s.Tier, s.Fingerprint)
		}
	}
	if s := viewBoth(t, nil, strings.ReplaceAll(deltaStream(`{"content":"hi"}`), `"created":1`, `"created":1,"system_fingerprint":null`)); s.Fingerprint != "" {
		t.Errorf("fingerprint %q", s.Fingerprint)
	}
}

// E-036: interleaved choices keep what is theirs.
func TestStreamChoices_E036(t *testing.T) {
	t.Parallel()
	call := func(choice int, id string) string {
		return `{"id":"up-1","created":1,"model":"m","choices":[{"index":` + string(rune('0'+choice)) + `,"delta":{"tool_calls":[{"index":0,"id":"` + id + `","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}`
	}
	s := viewBoth(t, nil, eventStream(
		`{"id":"up-1","created":1,"model":"m","choices":[{"index":1,"delta":{"role":"assistant","content":"one"}},{"index":0,"delta":{"content":"zero"}}]}`,
		call(1, "b"), call(0, "a"), `{"choices":[{"index":2,"delta":{"content":"two"},"finish_reason":"length"}]}`))
	if len(s.Choices) != 3 || s.Choices[0].Content != "zero" || s.Choices[1].Content != "one" || s.Choices[1].Tools[0].ID != "b" || s.Choices[2].Finish != "length" {
		t.Errorf("choices: %+v", s.Choices)
	}
}

func TestStreamEnds(t *testing.T) {
	t.Parallel()
	text := strings.TrimSuffix(deltaStream(`{"content":"hi"}`), "data: [DONE]\n\n")
	finished := strings.TrimSuffix(deltaStream(`{"content":"hi"}`, "finish:stop"), "data: [DONE]\n\n")
	two := eventStream(`{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"},{"index":1,"delta":{"content":"b"}}]}`)
	lenient := &Quirks{EndWithoutFinish: true}
	for _, c := range []struct {
		name   string
		quirks *Quirks
		stream string
		clean  bool
		good   bool
	}{
		{"E-007 finish without [DONE]", nil, finished, true, true},
		{"E-009 neither finish nor [DONE]", nil, text, true, false},
		{"E-009 one of two choices unfinished", nil, two, true, false},
		{"E-009 tolerated by quirk", lenient, text, true, true},
		{"E-009 nothing but a role, even by quirk", lenient, eventStream(`{"choices":[{"delta":{"role":"assistant","content":""}}]}`), true, false},
		{"E-010 broken after text", nil, text, false, false},
		{"E-010 broken after text, even by quirk", lenient, text, false, false},
		{"broken after the finish", nil, finished, false, false},
		{"broken after [DONE]", nil, deltaStream(`{"content":"hi"}`), false, true},
		{"E-011 broken before anything", nil, "", false, false},
		{"nothing at all", nil, "", true, false},
		{"nothing but [DONE]", nil, eventStream("[DONE]"), true, false},
		{"nothing but an empty chunk", nil, eventStream(emptyChunk, "[DONE]"), true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			src := &cutReader{text: c.stream}
			if !c.clean {
				src.err = errBroken
			}
			enc := NewStreamEncoder(StreamOptions{})
			g := answerStream(c.quirks, src, enc)
			s := readClientStream(t, string(enc.Bytes()), false)
			if s.Done != c.good || g.Ended() != c.good {
				t.Errorf("good end: %v, error %v", s.Done, s.Error)
			}
			if !c.good && (g.Err().Status != 502 || g.Err().Class != translate.ErrorUpstream || !g.Err().Retryable()) {
				t.Errorf("error %+v", g.Err())
			}
		})
	}
}

func TestStreamErrors(t *testing.T) {
	t.Parallel()
	const text = "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\n"
	const stop = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
	for _, c := range []struct {
		name, stream, message, kind, code string
		status                            int
	}{
		{"E-013 first event", `data: {"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}` + "\n\n", "slow down", "requests", "rate_limit_exceeded", 429},
		{"E-014 all members", text + `data: {"error":{"message":"m","type":"t","param":"p","code":"c"}}` + "\n\n", "m", "t", "c", 502},
		{"E-016 last event", text + `data: {"error":{"message":"The server had an error","type":"server_error","param":null,"code":null}}` + "\n\n", "The server had an error", "server_error", "", 500},
		{"E-016 before [DONE]", text + `data: {"error":"boom"}` + "\n\ndata: [DONE]\n\n", "boom", "upstream_error", "bad_gateway", 502},
		{"E-015 stray text", text + "{\n \"error\": {\n  \"message\": \"late\", \"code\": 503\n }\n}\n", "late", "server_error", "overloaded", 503},
		{"E-015 stray text after the finish", text + stop + "{\"error\": {\"message\": \"late\"}}\n", "late", "upstream_error", "bad_gateway", 502},
		{"E-015 stray text before [DONE]", text + stop + "{\"error\": {\"message\": \"late\"}}\n\ndata: [DONE]\n\n", "late", "upstream_error", "bad_gateway", 502},
		{"E-015 stray list", text + "[{\"error\": {\"message\": \"late\", \"status\": \"UNAVAILABLE\"}}]\n", "late", "server_error", "overloaded", 503},
		{"E-018 an error body in place of the stream", "{\"code\":\"invalid\",\"error\":\"no such model\"}\n", "no such model", "upstream_error", "invalid", 502},
		{"E-139 numeric code", `data: {"error":{"code":429,"message":"limited","metadata":{"provider_name":"x"}},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}` + "\n\n", "limited", "rate_limit_exceeded", "rate_limit_exceeded", 429},
		{"Groq", text + `data: {"x_groq":{"error":"over capacity"},"choices":[]}` + "\n\n", "over capacity", "server_error", "overloaded", 503},
		{"MiniMax", `data: {"choices":null,"base_resp":{"status_code":1002,"status_msg":"rate limit"}}` + "\n\n", "rate limit", "rate_limit_exceeded", "1002", 429},
		{"a list of errors", `data: [{"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT"}}]` + "\n\n", "bad", "invalid_request_error", "", 400},
		{"an event that is not JSON", text + "data: {oops\n\n", "The provider sent an event that is not JSON.", "upstream_error", "bad_gateway", 502},
		{"finish reason error", text + `data: {"choices":[{"delta":{},"finish_reason":"error"}]}` + "\n\n", "The provider ended the answer with an error.", "upstream_error", "bad_gateway", 502},
		{"DeepSeek out of resources", `data: {"choices":[{"delta":{},"finish_reason":"insufficient_system_resource"}]}` + "\n\n", "The provider ran out of capacity during the answer.", "server_error", "overloaded", 503},
		{"GLM network error", `data: {"choices":[{"delta":{},"finish_reason":"network_error"}]}` + "\n\n", "The provider ended the answer with an error.", "upstream_error", "bad_gateway", 502},
		{"too many choices", `data: {"choices":[{"index":500,"delta":{"content":"x"}}]}` + "\n\n", "The provider's answer has too many choices.", "upstream_error", "bad_gateway", 502},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			enc := NewStreamEncoder(StreamOptions{})
			g := answerStream(nil, strings.NewReader(c.stream), enc)
			s := readClientStream(t, string(enc.Bytes()), false)
			err := g.Err()
			if err == nil {
				t.Fatal("no error")
			}
			if err.Message != c.message || err.Type != c.kind || err.Code != c.code || err.Status != c.status {
				t.Errorf("got %d %q %q: %q", err.Status, err.Type, err.Code, err.Message)
			}
			if s.Error["message"] != c.message {
				t.Errorf("the client reads %v", s.Error)
			}
			if wantText := strings.HasPrefix(c.stream, text); wantText && s.choice().Content != "hi" {
				t.Errorf("text before the error: %q", s.choice().Content)
			}
		})
	}
}

// E-006: comments are no content. E-023: yet they keep the client's connection open,
// and E-022: by a line that no client takes for an event.
func TestStreamComments_E006_E022_E023(t *testing.T) {
	t.Parallel()
	enc := NewStreamEncoder(StreamOptions{})
	g := answerGuard(enc)
	dec := NewDecoder(nil)
	dec.Event(nil, nil, g)
	if g.Content() || g.Started() {
		t.Error("a comment counts as content")
	}
	if got := string(enc.Bytes()); got != ": keep-alive\n" {
		t.Errorf("keep-alive is %q", got)
	}
	enc.Reset()
	dec.Event([]byte(`{"choices":[{"delta":{"content":"a"}}]}`), nil, g)
	dec.Event(nil, nil, g)
	dec.Event([]byte(`{"choices":[{"delta":{"content":"b"},"finish_reason":"stop"}]}`), nil, g)
	dec.Event([]byte("[DONE]"), nil, g)
	if !dec.Done() {
		t.Error("not done after [DONE]")
	}
	g.End()
	s := readClientStream(t, string(enc.Bytes()), false)
	if s.choice().Content != "ab" || s.KeepAlives != 1 {
		t.Errorf("content %q, %d keep-alives", s.choice().Content, s.KeepAlives)
	}
}

// E-004: a character cut over two deltas as the halves of a surrogate pair is whole
// again in one of the client's deltas.
func TestStreamSurrogates_E004(t *testing.T) {
	t.Parallel()
	s := viewBoth(t, nil, deltaStream(`{"content":"a\ud83d"}`, `{"content":"\ude00b \\ud83d"}`, `{"reasoning_content":"\ud83d"}`, "finish:stop"))
	if c := s.choice(); c.Content != "a😀b \\ud83d" || c.Reasoning != "\ufffd" {
		t.Errorf("content %q, reasoning %q", c.Content, c.Reasoning)
	}
	if s := viewBoth(t, nil, deltaStream("{\"content\":\"caf\xc3\"}", `{"content":"!"}`)); s.choice().Content != "caf\ufffd!" {
		t.Errorf("bytes that are no UTF-8: %q", s.choice().Content)
	}
}

// E-005: a line of 20 MB passes.
func TestStreamLongLine_E005(t *testing.T) {
	t.Parallel()
	image := strings.Repeat("QUJD", 5<<20)
	s := viewStream(t, nil, deltaStream(`{"content":"","images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,`+image+`"}}]}`, "finish:stop"), StreamOptions{})
	if len(s.choice().Images) != 1 || len(s.choice().Images[0].(map[string]any)["image_url"].(map[string]any)["url"].(string)) != len(image)+22 {
		t.Error("a line of 20 MB does not arrive whole")
	}
}
