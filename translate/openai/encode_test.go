package openai

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// The kinds of events, for short.
type ev = translate.Event

// emitAll sends events to an encoder; a tool's place is set as the Guard would.
func emitAll(enc translate.Sink, list ...ev) {
	for i := range list {
		enc.Emit(&list[i])
	}
}

func startEvent() ev { return ev{Kind: translate.EventStart, ID: "id \"1\"", Model: "m", Created: 5} }

func startBlock(index int, block translate.BlockKind, format string) ev {
	return ev{Kind: translate.EventBlockStart, Index: index, Block: block, Format: format}
}

func deltaEvent(index int, block translate.BlockKind, text string) ev {
	return ev{Kind: translate.EventBlockDelta, Index: index, Block: block, Text: []byte(text)}
}

func metaEvent(index int, block translate.BlockKind, kind translate.MetaKind, format, text string) ev {
	return ev{Kind: translate.EventBlockMeta, Index: index, Block: block, Meta: kind, Format: format, Text: []byte(text)}
}

func rawEvent(index int, block translate.BlockKind, kind translate.MetaKind, text string) ev {
	return ev{Kind: translate.EventBlockMeta, Index: index, Block: block, Meta: kind, Raw: []byte(text)}
}

func finishEvent(r translate.FinishReason) ev { return ev{Kind: translate.EventFinish, Reason: r} }

var endEvent = ev{Kind: translate.EventEnd}

// The exact bytes, once: everything else compares meaning.
func TestStreamEncoderBytes(t *testing.T) {
	t.Parallel()
	enc := NewStreamEncoder(StreamOptions{IncludeUsage: true})
	emitAll(enc, startEvent(), startBlock(0, translate.BlockText, ""), deltaEvent(0, translate.BlockText, `a\n`),
		ev{Kind: translate.EventBlockStart, Index: 1, Block: translate.BlockTool, Call: translate.Call{ID: "c1", Name: "f"}},
		deltaEvent(1, translate.BlockTool, `{}`), finishEvent(translate.FinishToolCalls),
		ev{Kind: translate.EventUsage, Usage: &translate.Usage{Prompt: 1, Completion: 2, Extra: []byte(`"cost":0.5`)}, ServiceTier: "flex"}, endEvent)
	const head = `data: {"id":"id \"1\"","object":"chat.completion.chunk","created":5,"model":"m","choices":[`
	const tail = `,"logprobs":null,"finish_reason":null}],"usage":null}` + "\n\n"
	want := head + `{"index":0,"delta":{"role":"assistant","content":""}` + tail +
		head + `{"index":0,"delta":{"content":"a\n"}` + tail +
		head + `{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}}]}` + tail +
		head + `{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}` + tail +
		head + `{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}],"usage":null}` + "\n\n" +
		head + `],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0},"cost":0.5},"service_tier":"flex"}` + "\n\n" +
		"data: [DONE]\n\n"
	if got := string(enc.Bytes()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	enc.Emit(&endEvent)
	if enc.Reset(); len(enc.Bytes()) != 0 {
		t.Errorf("after Reset: %q", enc.Bytes())
	}
}

func TestBodyEncoderBytes(t *testing.T) {
	t.Parallel()
	enc := NewBodyEncoder(0)
	s := startEvent()
	s.ServiceTier, s.Fingerprint = "default", "fp"
	second := deltaEvent(0, translate.BlockText, "two")
	second.Choice = 1
	emitAll(enc, s, second, deltaEvent(0, translate.BlockText, `a\n`),
		ev{Kind: translate.EventBlockStart, Index: 1, Block: translate.BlockTool, Call: translate.Call{ID: "c1", Name: "f"}},
		deltaEvent(1, translate.BlockTool, `{}`))
	if len(enc.Bytes()) != 0 {
		t.Errorf("bytes before the end: %q", enc.Bytes())
	}
	emitAll(enc, finishEvent(translate.FinishToolCalls), ev{Kind: translate.EventFinish, Choice: 1, Reason: translate.FinishLength},
		ev{Kind: translate.EventUsage, Usage: &translate.Usage{Prompt: 1, Completion: 2}}, endEvent)
	const want = `{"id":"id \"1\"","object":"chat.completion","created":5,"model":"m","choices":[` +
		`{"index":0,"message":{"role":"assistant","content":"a\n","refusal":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},"logprobs":null,"finish_reason":"tool_calls"},` +
		`{"index":1,"message":{"role":"assistant","content":"two","refusal":null},"logprobs":null,"finish_reason":"length"}],` +
		`"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}},"service_tier":"default","system_fingerprint":"fp"}`
	if got := string(enc.Bytes()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestFormattedReasoning(t *testing.T) {
	t.Parallel()
	const format = "anthropic-claude-v1"
	list := []ev{
		startEvent(), startBlock(0, translate.BlockReasoning, format), deltaEvent(0, translate.BlockReasoning, "th"), deltaEvent(0, translate.BlockReasoning, "ink"),
		metaEvent(0, translate.BlockReasoning, translate.MetaSignature, format, "sig"),
		startBlock(1, translate.BlockReasoning, format), metaEvent(1, translate.BlockReasoning, translate.MetaEncrypted, format, "opaque"),
		startBlock(2, translate.BlockReasoning, format), metaEvent(2, translate.BlockReasoning, translate.MetaSignature, format, "only"),
		startBlock(3, translate.BlockText, ""), deltaEvent(3, translate.BlockText, "hi"), finishEvent(translate.FinishStop), endEvent,
	}
	enc := NewStreamEncoder(StreamOptions{})
	emitAll(enc, list...)
	s := readClientStream(t, string(enc.Bytes()), false).choice()
	const fragments = "[map[format:anthropic-claude-v1 index:0 text:th type:reasoning.text] map[format:anthropic-claude-v1 index:0 text:ink type:reasoning.text]" +
		" map[format:anthropic-claude-v1 index:0 signature:sig text: type:reasoning.text] map[data:opaque format:anthropic-claude-v1 index:1 type:reasoning.encrypted]" +
		" map[format:anthropic-claude-v1 index:2 signature:only text: type:reasoning.text]]"
	if got := fmt.Sprint(s.Details); got != fragments || s.Reasoning != "think" || s.Content != "hi" {
		t.Errorf("stream: reasoning %q, content %q, details\n%s, want\n%s", s.Reasoning, s.Content, got, fragments)
	}
	body := NewBodyEncoder(0)
	emitAll(body, list...)
	b := readClientBody(t, body.Bytes()).choice()
	const merged = "[map[format:anthropic-claude-v1 index:0 signature:sig text:think type:reasoning.text] map[data:opaque format:anthropic-claude-v1 index:1 type:reasoning.encrypted]" +
		" map[format:anthropic-claude-v1 index:2 signature:only text: type:reasoning.text]]"
	if got := fmt.Sprint(b.Details); got != merged || b.Reasoning != "think" {
		t.Errorf("body: reasoning %q, details\n%s, want\n%s", b.Reasoning, got, merged)
	}
}

// E-079: a signature of Gemini goes out with its call, in both forms.
func TestToolSignature_E079(t *testing.T) {
	t.Parallel()
	for _, order := range []string{"before the arguments", "after the arguments", "in another flush"} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			tool := ev{Kind: translate.EventBlockStart, Index: 1, Block: translate.BlockTool, Call: translate.Call{ID: "c1", Name: "f"}}
			sig := metaEvent(1, translate.BlockTool, translate.MetaSignature, googleFormat, "c2ln")
			args := deltaEvent(1, translate.BlockTool, "{}")
			list := []ev{startEvent(), tool, sig, args, finishEvent(translate.FinishToolCalls), endEvent}
			if order != "before the arguments" {
				list[2], list[3] = args, sig
			}
			enc := NewStreamEncoder(StreamOptions{})
			var out strings.Builder
			for i := range list {
				enc.Emit(&list[i])
				if order == "in another flush" {
					out.Write(enc.Bytes())
					enc.Reset()
				}
			}
			out.Write(enc.Bytes())
			body := NewBodyEncoder(0)
			emitAll(body, list...)
			for form, c := range map[string]*seenChoice{
				"stream": readClientStream(t, out.String(), false).choice(), "body": readClientBody(t, body.Bytes()).choice(),
			} {
				const details = "[map[data:c2ln format:google-gemini-v1 id:c1 index:0 type:reasoning.encrypted]]"
				if c.Tools[0].Signature != "c2ln" || fmt.Sprint(c.Details) != details || c.Tools[0].Args != "{}" {
					t.Errorf("%s: %+v, details %v", form, c.Tools, c.Details)
				}
			}
		})
	}
}

// A foreign signature of a call is no business of Google's clients.
func TestToolSignatureOfAnotherFormat(t *testing.T) {
	t.Parallel()
	enc := NewStreamEncoder(StreamOptions{})
	emitAll(enc, startEvent(), ev{Kind: translate.EventBlockStart, Index: 1, Block: translate.BlockTool, Call: translate.Call{ID: "c1", Name: "f"}},
		metaEvent(1, translate.BlockTool, translate.MetaSignature, "other-v1", "x"), deltaEvent(1, translate.BlockTool, "{}"), finishEvent(translate.FinishToolCalls), endEvent)
	if c := readClientStream(t, string(enc.Bytes()), false).choice(); c.Tools[0].Signature != "" || len(c.Details) != 1 {
		t.Errorf("%+v, details %v", c.Tools, c.Details)
	}
}

// Pretty-printed JSON of a whole answer must not break the lines of a stream.
func TestRawJSONOnOneLine(t *testing.T) {
	t.Parallel()
	enc := NewStreamEncoder(StreamOptions{})
	const list = "[\n  {\r\n \"a\" : \"x \\\" y\",\n\"b\": [1,\n2] }\n]"
	emitAll(enc, startEvent(), deltaEvent(0, translate.BlockText, "hi"), rawEvent(0, translate.BlockText, translate.MetaAnnotations, list),
		rawEvent(0, translate.BlockText, translate.MetaLogprobs, list), rawEvent(1, translate.BlockReasoning, translate.MetaReasoningDetails, list), finishEvent(translate.FinishStop), endEvent)
	c := readClientStream(t, string(enc.Bytes()), false).choice()
	for name, got := range map[string][]any{"annotations": c.Annotations, "logprobs": c.Logprobs, "details": c.Details} {
		if fmt.Sprint(got) != `[map[a:x " y b:[1 2]]]` {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestEncodersRefuseEmptyMetadata(t *testing.T) {
	t.Parallel()
	enc := NewStreamEncoder(StreamOptions{})
	emitAll(enc, startEvent(), deltaEvent(0, translate.BlockText, "hi"), rawEvent(0, translate.BlockText, translate.MetaAnnotations, ""), rawEvent(0, translate.BlockText, translate.MetaLogprobs, "[]"),
		rawEvent(0, translate.BlockReasoning, translate.MetaReasoningDetails, "[ ]"), metaEvent(0, translate.BlockText, translate.MetaSignature, "", "x"),
		metaEvent(0, translate.BlockText, translate.MetaSignature, googleFormat, ""), finishEvent(translate.FinishStop), endEvent)
	if s := readClientStream(t, string(enc.Bytes()), false); len(s.Chunks) != 3 {
		t.Errorf("%d chunks", len(s.Chunks))
	}
}

func TestStreamEncoderError(t *testing.T) {
	t.Parallel()
	enc := NewStreamEncoder(StreamOptions{})
	emitAll(enc, startEvent(), deltaEvent(0, translate.BlockText, "hi"), ev{Kind: translate.EventError, Err: translate.UpstreamError("gone")}, deltaEvent(0, translate.BlockText, "more"), endEvent)
	s := readClientStream(t, string(enc.Bytes()), false)
	if s.Done || s.Error["message"] != "gone" || s.choice().Content != "hi" {
		t.Errorf("done %v, error %v", s.Done, s.Error)
	}
	none := NewStreamEncoder(StreamOptions{})
	emitAll(none, ev{Kind: translate.EventError})
	if readClientStream(t, string(none.Bytes()), false).Error == nil {
		t.Error("an error without a description is lost")
	}
}

// Reset forgets what Bytes returned, and nothing else.
func TestStreamEncoderReset(t *testing.T) {
	t.Parallel()
	enc := NewStreamEncoder(StreamOptions{})
	emitAll(enc, startEvent(), deltaEvent(0, translate.BlockText, "a"))
	out := string(enc.Bytes())
	emitAll(enc, deltaEvent(0, translate.BlockText, "b"))
	enc.Reset()
	emitAll(enc, deltaEvent(0, translate.BlockText, "c"), finishEvent(translate.FinishStop), endEvent)
	if s := readClientStream(t, out+string(enc.Bytes()), false); s.choice().Content != "abc" {
		t.Errorf("content %q", s.choice().Content)
	}
}

func TestBodyEncoderLimit(t *testing.T) {
	t.Parallel()
	enc := NewBodyEncoder(100)
	emitAll(enc, startEvent())
	for range 11 {
		emitAll(enc, deltaEvent(0, translate.BlockText, "0123456789"))
	}
	emitAll(enc, finishEvent(translate.FinishStop), endEvent)
	if err := enc.Err(); err == nil || err.Code != "response_too_large" || err.Status != 502 {
		t.Errorf("error %+v", enc.Err())
	}
	if readClientBody(t, enc.Bytes()).Error == nil {
		t.Errorf("body %s", enc.Bytes())
	}
}

func TestEncodersWithoutAStart(t *testing.T) {
	t.Parallel()
	enc := NewStreamEncoder(StreamOptions{IncludeUsage: true})
	emitAll(enc, deltaEvent(0, translate.BlockText, "hi"))
	if !strings.HasPrefix(string(enc.Bytes()), `data: {"id":""`) {
		t.Errorf("got %q", enc.Bytes())
	}
	only := NewStreamEncoder(StreamOptions{IncludeUsage: true})
	emitAll(only, ev{Kind: translate.EventUsage, Usage: &translate.Usage{}})
	if !strings.HasPrefix(string(only.Bytes()), `data: {"id":""`) {
		t.Errorf("got %q", only.Bytes())
	}
}
