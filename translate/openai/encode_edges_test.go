package openai

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// TestEncodersThatFailSaySo_E021 gives encoders what they cannot make an answer of: they
// end with an error that a client understands, and with nothing behind it.
func TestEncodersThatFailSaySo_E021(t *testing.T) {
	t.Parallel()
	more := []ev{deltaEvent(0, translate.BlockText, "more"), finishEvent(translate.FinishStop), {Kind: translate.EventUsage, Usage: &translate.Usage{Prompt: 1}}, {Kind: translate.EventError}, endEvent}
	for name, failure := range map[string]ev{
		"an error":            {Kind: translate.EventError, Err: translate.UpstreamError("gone")},
		"an error about none": {Kind: translate.EventError},
	} {
		for at, before := range map[string][]ev{
			"at once":     nil,
			"at start":    {startEvent()},
			"inside text": {startEvent(), startBlock(0, translate.BlockText, ""), deltaEvent(0, translate.BlockText, "hi")},
			"inside a call": {startEvent(), {Kind: translate.EventBlockStart, Block: translate.BlockTool, Call: translate.Call{ID: "c1", Name: "f"}},
				deltaEvent(0, translate.BlockTool, `{\"a`)},
			"behind the finish": {startEvent(), deltaEvent(0, translate.BlockText, "hi"), finishEvent(translate.FinishStop)},
		} {
			t.Run(name+" "+at, func(t *testing.T) {
				t.Parallel()
				stream, body := NewStreamEncoder(StreamOptions{IncludeUsage: true}), NewBodyEncoder(0)
				for _, enc := range []translate.Encoder{stream, body} {
					emitAll(enc, before...)
					emitAll(enc, failure)
					emitAll(enc, more...)
				}
				if s := readClientStream(t, string(stream.Bytes()), true); s.Error == nil || s.Error["message"] == "" || s.Done {
					t.Errorf("the stream ends with %v, done %t", s.Error, s.Done)
				}
				if s := readClientBody(t, body.Bytes()); s.Error == nil || body.Err() == nil {
					t.Errorf("the body is %s", body.Bytes())
				}
			})
		}
	}
}

// TestEventsInNoOrder_E021 sends encoders events that no guard has put in order: all of
// them, behind each of them.
func TestEventsInNoOrder_E021(t *testing.T) {
	t.Parallel()
	var all []ev
	for kind := range translate.EventKind(16) {
		for block := range translate.BlockKind(8) {
			for meta := range translate.MetaKind(12) {
				all = append(all, ev{Kind: kind, Block: block, Meta: meta, Index: int(block), Choice: int(meta) % 2, Text: []byte("x"), Raw: []byte(`[{}]`), Format: "f"},
					ev{Kind: kind, Block: block, Meta: meta, Index: -1, Choice: 7, Raw: []byte(`{`)})
			}
		}
	}
	for first := range all {
		stream, body := NewStreamEncoder(StreamOptions{}), NewBodyEncoder(1<<10)
		for _, enc := range []translate.Encoder{stream, body} {
			emitAll(enc, all[first], all[(first*7)%len(all)], all[(first*31)%len(all)], ev{Kind: translate.EventError})
			if !strings.Contains(string(enc.Bytes()), `"error":{`) && !strings.HasSuffix(string(enc.Bytes()), "[DONE]\n\n") && !strings.Contains(string(enc.Bytes()), `"object":"chat.completion"`) {
				t.Fatalf("%T, event %+v: the answer does not end: %q", enc, all[first], enc.Bytes())
			}
		}
	}
}

// TestJSONInsideReasoningStaysThere_E095 has a model answer a structured request in its
// reasoning. Nobody asked for it to be taken for the answer.
func TestJSONInsideReasoningStaysThere_E095(t *testing.T) {
	t.Parallel()
	const answer = `{\"city\":\"Zürich\"}`
	for name, q := range map[string]*Quirks{"no quirks": nil, "think tags": {ThinkTags: true}} {
		for i, content := range []string{"null", `""`} {
			t.Run(fmt.Sprint(name, i), func(t *testing.T) {
				t.Parallel()
				stream := viewBoth(t, q, deltaStream(`{"role":"assistant","content":`+content+`}`, `{"reasoning_content":"`+answer+`"}`, "finish:stop"))
				body := viewBody(t, q, wholeAnswer(`{"role":"assistant","content":`+content+`,"reasoning_content":"`+answer+`"}`, `"stop"`))
				for form, s := range map[string]*seen{"stream": stream, "body": body} {
					if c := s.choice(); c.Content != "" || c.Reasoning != `{"city":"Zürich"}` || c.Finish != "stop" {
						t.Errorf("%s: content %q, reasoning %q, finish %q", form, c.Content, c.Reasoning, c.Finish)
					}
				}
			})
		}
	}
}
