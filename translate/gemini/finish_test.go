package gemini

import (
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

func TestCleanEndWithoutFinishReason_E009(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		events []string
		finish translate.FinishReason
		failed bool
	}{
		"text":           {[]string{parts("", `{"text":"hi"}`)}, translate.FinishStop, false},
		"call":           {[]string{parts("", callA)}, translate.FinishToolCalls, false},
		"nothing":        {nil, 0, true},
		"empty content":  {[]string{`{"candidates":[{"content":{"role":"model"}}],"modelVersion":"m"}`}, 0, true},
		"only usage":     {[]string{`{"usageMetadata":{"promptTokenCount":3},"responseId":"r"}`}, 0, true},
		"only reasoning": {[]string{parts("", `{"text":"hm","thought":true}`)}, translate.FinishStop, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := decodeEvents(t, NewDecoder(nil), tc.events...)
			switch {
			case tc.failed && (v.err == nil || v.err.Code != "empty_upstream_response"):
				t.Errorf("got %v, want an empty answer's error", v.err)
			case !tc.failed && v.only(t).finish != tc.finish:
				t.Errorf("finish %s, want %s", v.only(t).finish, tc.finish)
			}
		})
	}
}

func TestBrokenStreamIsAnError_E010(t *testing.T) {
	t.Parallel()
	for name, events := range map[string][]string{
		"before anything": nil,
		"after text":      {parts("", `{"text":"hi"}`)},
		"after STOP":      {parts("STOP", `{"text":"hi"}`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, v := guarded(t)
			d := NewDecoder(nil)
			for _, e := range events {
				d.Event([]byte(e), nil, g)
			}
			end(d, g, false)
			if v.err == nil || v.err.Status != 502 || v.ended {
				t.Errorf("error %v, ended %t", v.err, v.ended)
			}
		})
	}
}

func TestStopInAnotherChunkThanTheCall_E052(t *testing.T) {
	t.Parallel()
	c := decodeEvents(t, NewDecoder(nil), parts("", callA), parts("STOP", `{"text":""}`)).only(t)
	if c.finish != translate.FinishToolCalls {
		t.Errorf("finish %s, want tool_calls", c.finish)
	}
}

func TestFinishReasons_E053(t *testing.T) {
	t.Parallel()
	for native, want := range map[string]translate.FinishReason{
		"STOP": translate.FinishStop, "MAX_TOKENS": translate.FinishLength, "CONTINUATION": translate.FinishLength,
		"SAFETY": translate.FinishContentFilter, "RECITATION": translate.FinishContentFilter, "BLOCKLIST": translate.FinishContentFilter,
		"PROHIBITED_CONTENT": translate.FinishContentFilter, "SPII": translate.FinishContentFilter, "IMAGE_SAFETY": translate.FinishContentFilter,
		"IMAGE_PROHIBITED_CONTENT": translate.FinishContentFilter, "IMAGE_RECITATION": translate.FinishContentFilter,
		"LANGUAGE": translate.FinishStop, "OTHER": translate.FinishStop, "IMAGE_OTHER": translate.FinishStop, "NO_IMAGE": translate.FinishStop,
		"FINISH_REASON_UNSPECIFIED": translate.FinishStop, "SOMETHING_NEW": translate.FinishStop,
		"MALFORMED_FUNCTION_CALL": translate.FinishStop, "UNEXPECTED_TOOL_CALL": translate.FinishStop, "TOO_MANY_TOOL_CALLS": translate.FinishStop,
	} {
		if c := decodeEvents(t, NewDecoder(nil), parts(native, `{"text":"x"}`)).only(t); c.finish != want {
			t.Errorf("%s became %s, want %s", native, c.finish, want)
		}
	}
}

func TestMalformedCallWithoutContentIsAnError(t *testing.T) {
	t.Parallel()
	for _, native := range []string{"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"} {
		v := decodeBody(t, NewDecoder(nil), `{"candidates":[{"finishReason":"`+native+`"}]}`)
		if v.err == nil || v.err.Status != 502 || v.err.Code != "upstream_malformed_tool_call" || !v.err.Retryable() {
			t.Errorf("%s gave %+v", native, v.err)
		}
	}
}

func TestStopOnEveryChunkDoesNotEndTheAnswer(t *testing.T) {
	t.Parallel()
	c := decodeEvents(t, NewDecoder(nil), parts("STOP", `{"text":"a"}`), parts("STOP", `{"text":"b"}`), parts("MAX_TOKENS", `{"text":"c"}`)).only(t)
	if c.text != "abc" || c.finish != translate.FinishLength || c.finishes != 1 {
		t.Errorf("got %+v", c)
	}
}

func TestBlockedPrompt_E117(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ body, refusal string }{
		"reason":              {`{"promptFeedback":{"blockReason":"SAFETY"}}`, "Prompt blocked: SAFETY"},
		"reason and message":  {`{"promptFeedback":{"blockReason":"OTHER","blockReasonMessage":"why"}}`, "Prompt blocked: OTHER"},
		"message alone":       {`{"candidates":[],"promptFeedback":{"blockReasonMessage":"we \"said\" so"}}`, `Prompt blocked: we "said" so`},
		"Vertex's reason":     {`{"promptFeedback":{"blockReason":"MODEL_ARMOR"},"usageMetadata":{"promptTokenCount":5}}`, "Prompt blocked: MODEL_ARMOR"},
		"candidate beside it": {`{"candidates":[{"finishReason":"SAFETY"}],"promptFeedback":{"blockReason":"IMAGE_SAFETY"}}`, "Prompt blocked: IMAGE_SAFETY"},
	} {
		for how, v := range map[string]*clientView{
			"stream": decodeEvents(t, NewDecoder(nil), tc.body), "body": decodeBody(t, NewDecoder(nil), tc.body),
		} {
			if c := v.only(t); c.refusal != tc.refusal || c.finish != translate.FinishContentFilter || c.text != "" {
				t.Errorf("%s, %s: got %+v", name, how, c)
			}
		}
	}
	t.Run("feedback without a block", func(t *testing.T) {
		t.Parallel()
		v := decodeBody(t, NewDecoder(nil), `{"promptFeedback":{"blockReason":"BLOCKED_REASON_UNSPECIFIED"},"candidates":[{"content":{"parts":[{"text":"a"}]}}]}`)
		if c := v.only(t); c.text != "a" || c.refusal != "" || c.finish != translate.FinishStop {
			t.Errorf("got %+v", c)
		}
	})
}

func TestCandidateWithoutContent_E122(t *testing.T) {
	t.Parallel()
	for native, want := range map[string]translate.FinishReason{
		"SAFETY": translate.FinishContentFilter, "MAX_TOKENS": translate.FinishLength, "OTHER": translate.FinishStop,
	} {
		for _, body := range []string{
			`{"candidates":[{"finishReason":"` + native + `"}]}`, `{"candidates":[{"content":{},"finishReason":"` + native + `"}]}`,
			`{"candidates":[{"content":null,"finishReason":"` + native + `"}]}`, `{"candidates":[{"content":{"parts":null},"finishReason":"` + native + `"}]}`,
		} {
			for how, v := range map[string]*clientView{"stream": decodeEvents(t, NewDecoder(nil), body), "body": decodeBody(t, NewDecoder(nil), body)} {
				if c := v.only(t); c.finish != want || c.text != "" {
					t.Errorf("%s as %s gave %+v", body, how, c)
				}
			}
		}
	}
	if v := decodeBody(t, NewDecoder(nil), `{"candidates":[]}`); v.err == nil || v.err.Code != "empty_upstream_response" {
		t.Errorf("no candidates gave %+v", v.err)
	}
}
