package openai

import (
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// E-053: the client sees one of five reasons, whatever the provider says.
func TestFinishReasons_E053(t *testing.T) {
	t.Parallel()
	for native, want := range map[string]string{
		"stop": "stop", "eos": "stop", "end_turn": "stop", "STOP": "stop", "stop_sequence": "stop", "COMPLETE": "stop",
		"length": "length", "max_tokens": "length", "MAX_TOKENS": "length", "model_length": "length", "model_context_window_exceeded": "length",
		"content_filter": "content_filter", "sensitive": "content_filter", "SAFETY": "content_filter", "RECITATION": "content_filter",
		"content_filter: PROHIBITED_CONTENT": "content_filter", "refusal": "content_filter",
		"OTHER": "stop", "something new": "stop", "tool_calls": "stop", "function_call": "stop",
		"function_call_filter: MALFORMED_FUNCTION_CALL":                                   "stop",
		"a reason that is far longer than anything a provider has ever been seen to send": "stop",
	} {
		t.Run(native, func(t *testing.T) {
			t.Parallel()
			for form, s := range map[string]*seen{
				"stream": viewBoth(t, nil, deltaStream(`{"content":"hi"}`, "finish:"+native)),
				"body":   viewBody(t, nil, wholeAnswer(`{"role":"assistant","content":"hi"}`, `"`+native+`"`)),
			} {
				if got := s.choice().Finish; s.Error != nil || got != want {
					t.Errorf("%s: finish %q instead of %q, error %v", form, got, want, s.Error)
				}
			}
		})
	}
}

func TestFinishReasonAbsent(t *testing.T) {
	t.Parallel()
	for _, finish := range []string{`null`, `""`, `5`, `{}`} {
		if s := viewBody(t, nil, wholeAnswer(`{"role":"assistant","content":"hi"}`, finish)); s.choice().Finish != "stop" {
			t.Errorf("finish reason %s in a body became %q", finish, s.choice().Finish)
		}
	}
	// In every chunk of a stream "" says as little as null.
	if s := viewStream(t, nil, eventStream(`{"choices":[{"delta":{"content":"hi"},"finish_reason":""}]}`), StreamOptions{}); s.Error == nil {
		t.Error("an empty finish reason passes for an end")
	}
}

func TestFinishReasonOrder(t *testing.T) {
	t.Parallel()
	for _, reasons := range [][]string{{"finish:length", "finish:stop"}, {"finish:stop", "finish:length"}} {
		if got := viewBoth(t, nil, deltaStream(`{"content":"hi"}`, reasons[0], reasons[1])).choice().Finish; got != "length" {
			t.Errorf("%v became %q", reasons, got)
		}
	}
}

// A model that wrote a malformed call and nothing else has not answered.
func TestFinishMalformedCall(t *testing.T) {
	t.Parallel()
	enc := NewBodyEncoder(0)
	g := answerBody(nil, wholeAnswer(`{"role":"assistant"}`, `"function_call_filter: MALFORMED_FUNCTION_CALL"`), enc)
	if err := g.Err(); err == nil || err.Code != "upstream_malformed_tool_call" || !err.Retryable() || enc.Err() != err {
		t.Errorf("error %+v", g.Err())
	}
}

func TestFinishTimeout(t *testing.T) {
	t.Parallel()
	g := answerBody(nil, wholeAnswer(`{"role":"assistant","content":"hi"}`, `"timeout"`), NewBodyEncoder(0))
	if err := g.Err(); err == nil || err.Class != translate.ErrorTimeout || err.Status != 504 {
		t.Errorf("error %+v", g.Err())
	}
}

// E-157: the stop string that ended the text is passed on where the provider names it.
func TestStopSequence_E157(t *testing.T) {
	t.Parallel()
	for member, want := range map[string]any{
		`"stop_reason":"END\n"`: "END\n", `"matched_stop":"###"`: "###",
		`"stop_reason":null`: nil, `"matched_stop":151645`: nil, `"stop_reason":"end_turn"`: nil, `"stop_reason":""`: nil,
	} {
		s := viewBoth(t, nil, eventStream(`{"choices":[{"delta":{"content":"hi"},`+member+`,"finish_reason":"stop"}]}`))
		if got := s.choice().Vendor["stop_sequence"]; got != want {
			t.Errorf("%s became %v", member, got)
		}
	}
	if s := viewBoth(t, nil, eventStream(`{"choices":[{"delta":{"content":"hi"},"stop_reason":"x","finish_reason":"length"}]}`)); s.choice().Vendor != nil {
		t.Error("a stop string without a stop")
	}
}

func TestFinishReasonUnknownIsReported(t *testing.T) {
	t.Parallel()
	for finish, want := range map[string]string{`"odd"`: `"odd"`, `"stop"`: "", `""`: ""} {
		dec := NewDecoder(nil)
		dec.Body([]byte(wholeAnswer(`{"content":"hi"}`, finish)), answerGuard(NewBodyEncoder(0)))
		if got := dec.OddFinish(); got != want {
			t.Errorf("%s: %q", finish, got)
		}
	}
}
