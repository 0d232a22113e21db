package gemini

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// parts returns a chunk with the parts, and with a finish reason unless it is empty.
func parts(finish string, list ...string) string {
	reason := ""
	if finish != "" {
		reason = `,"finishReason":"` + finish + `"`
	}
	return `{"candidates":[{"content":{"parts":[` + strings.Join(list, ",") + `],"role":"model"}` + reason + `}]}`
}

const (
	callA = `{"functionCall":{"name":"look","args":{"q":"a"}}}`
	callB = `{"functionCall":{"name":"look","args":{"q":"a"}}}`
)

func TestE005LargeImageInOneEvent(t *testing.T) {
	t.Parallel()
	data := strings.Repeat("QUJD", 5<<20) // 20 MB
	stream := "data: " + parts("STOP", `{"text":"here"}`, `{"inlineData":{"mimeType":"image/png","data":"`+data+`"}}`) + "\r\n\r\n"
	c := decodeStream(t, NewDecoder(nil), strings.NewReader(stream)).only(t)
	if want := `[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + data + `"}}]`; len(c.images) != 1 || c.images[0] != want {
		t.Errorf("got %d images", len(c.images))
	}
	if c.text != "here" || c.finish != translate.FinishStop {
		t.Errorf("text %q, finish %s", c.text, c.finish)
	}
}

func TestE009CleanEndWithoutFinishReason(t *testing.T) {
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

func TestE010BrokenStreamIsAnError(t *testing.T) {
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

func TestE013ErrorEventFirst(t *testing.T) {
	t.Parallel()
	v := decodeEvents(t, NewDecoder(nil), `{"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED"}}`)
	if v.err == nil || v.err.Status != 429 || v.err.Class != translate.ErrorRateLimit || v.err.Message != "slow down" || len(v.choices) > 0 {
		t.Errorf("got %+v", v.err)
	}
}

func TestE015BareErrorBehindEvents(t *testing.T) {
	t.Parallel()
	const failure = "{\r\n  \"error\": {\r\n    \"code\": 503,\r\n    \"message\": \"overloaded\",\r\n    \"status\": \"UNAVAILABLE\"\r\n  }\r\n}\r\n"
	for name, stream := range map[string]string{
		"after text": "data: " + parts("", `{"text":"a"}`) + "\r\n\r\n" + failure,
		"after STOP": "data: " + parts("STOP", `{"text":"a"}`) + "\r\n\r\n" + failure,
		"in array":   "data: " + parts("STOP", `{"text":"a"}`) + "\n\n[" + failure + "]",
		"glued":      "data: " + parts("STOP", `{"text":"a"}`) + "\n" + failure,
	} {
		for how, cut := range cuts {
			t.Run(name+"/"+how, func(t *testing.T) {
				t.Parallel()
				v := decodeStream(t, NewDecoder(nil), cut([]byte(stream)))
				if v.err == nil || v.err.Code != "overloaded" || v.err.Message != "overloaded" || v.choice(0).text != "a" {
					t.Errorf("error %+v, text %q", v.err, v.choice(0).text)
				}
			})
		}
	}
	t.Run("cut off", func(t *testing.T) {
		t.Parallel()
		v := decodeStream(t, NewDecoder(nil), strings.NewReader("data: "+parts("STOP", `{"text":"a"}`)+"\n\n"+failure[:40]))
		if v.err == nil || v.err.Status != 502 {
			t.Errorf("got %+v", v.err)
		}
	})
}

func TestE018ArrayInsteadOfEvents(t *testing.T) {
	t.Parallel()
	stream := "[" + parts("", `{"text":"a"}`) + "\n,\r\n" + parts("STOP", `{"text":"b"}`) + "\n]\n"
	if c := decodeStream(t, NewDecoder(nil), strings.NewReader(stream)).only(t); c.text != "ab" || c.finish != translate.FinishStop {
		t.Errorf("text %q, finish %s", c.text, c.finish)
	}
}

func TestE036InterleavedCandidates(t *testing.T) {
	t.Parallel()
	v := decodeEvents(t, NewDecoder(nil),
		`{"candidates":[{"index":1,"content":{"parts":[{"text":"b"}]}},{"content":{"parts":[{"text":"a"}]}}]}`,
		`{"candidates":[{"content":{"parts":[{"text":"A"}]},"finishReason":"MAX_TOKENS"},{"index":1,"content":{"parts":[`+callA+`]},"finishReason":"STOP"}]}`)
	if a, b := v.choice(0), v.choice(1); a.text != "aA" || b.text != "b" || a.finish != translate.FinishLength || b.finish != translate.FinishToolCalls || len(b.tools) != 1 {
		t.Errorf("got %+v and %+v", a, b)
	}
}

func TestE038ParallelCalls(t *testing.T) {
	t.Parallel()
	for name, events := range map[string][]string{
		"one chunk":   {parts("STOP", callA, callB)},
		"two chunks":  {parts("", callA), parts("STOP", callB)},
		"text before": {parts("", `{"text":"let me look"}`, callA), parts("", callB), parts("STOP")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := decodeEvents(t, NewDecoder(nil), events...).only(t)
			if len(c.tools) != 2 || c.tools[0].id == c.tools[1].id || c.tools[1].args != `{"q":"a"}` || c.finish != translate.FinishToolCalls {
				t.Errorf("got %+v", c)
			}
		})
	}
}

func TestE049CallsWithoutArguments(t *testing.T) {
	t.Parallel()
	for _, call := range []string{`{"name":"f"}`, `{"name":"f","args":{}}`, `{"name":"f","args":null}`, `{"name":"f","args":{ }}`} {
		chunk := parts("STOP", `{"functionCall":`+call+`}`)
		for how, c := range map[string]*choiceView{
			"stream": decodeEvents(t, NewDecoder(nil), chunk).only(t),
			"body":   decodeBody(t, NewDecoder(nil), chunk).only(t),
		} {
			if len(c.tools) != 1 || c.tools[0].args != "{}" {
				t.Errorf("%s %s: got %+v", call, how, c.tools)
			}
		}
	}
}

func TestE051CallBeforeTokenLimit(t *testing.T) {
	t.Parallel()
	if c := decodeEvents(t, NewDecoder(nil), parts("MAX_TOKENS", callA)).only(t); c.finish != translate.FinishLength || len(c.tools) != 1 {
		t.Errorf("got %+v", c)
	}
}

func TestE052StopInAnotherChunkThanTheCall(t *testing.T) {
	t.Parallel()
	c := decodeEvents(t, NewDecoder(nil), parts("", callA), parts("STOP", `{"text":""}`)).only(t)
	if c.finish != translate.FinishToolCalls {
		t.Errorf("finish %s, want tool_calls", c.finish)
	}
}

func TestE053FinishReasons(t *testing.T) {
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

func TestE068E069Usage(t *testing.T) {
	t.Parallel()
	usage := func(fields string) string {
		return `{"candidates":[{"content":{"parts":[{"text":"a"}]}}],"usageMetadata":{` + fields + `}}`
	}
	v := decodeEvents(t, NewDecoder(nil),
		usage(`"promptTokenCount":10,"candidatesTokenCount":1,"totalTokenCount":11`),
		usage(`"promptTokenCount":10,"candidatesTokenCount":5,"thoughtsTokenCount":7,"toolUsePromptTokenCount":3,"cachedContentTokenCount":4,"totalTokenCount":99,
			"promptTokensDetails":[{"modality":"TEXT","tokenCount":6},{"modality":"IMAGE","tokenCount":3},{"modality":"AUDIO","tokenCount":1}],
			"candidatesTokensDetails":[{"modality":"AUDIO","tokenCount":2},{"modality":"TEXT","tokenCount":3}],"serviceTier":"flex"`),
		usage(`"trafficType":"ON_DEMAND_FLEX"`),
		parts("STOP"))
	want := translate.Usage{
		Prompt: 13, Completion: 12, Cached: 4, Reasoning: 7, PromptText: 6, PromptImage: 3, PromptAudio: 1, CompletionAudio: 2, CompletionText: 3,
	}
	if v.only(t); !reflect.DeepEqual(*v.usage, want) || v.usage.Total() != 25 || v.tier != "flex" {
		t.Errorf("usage %+v, tier %q", *v.usage, v.tier)
	}
}

func TestE070EnvelopeAroundResponse(t *testing.T) {
	t.Parallel()
	inner := `{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":2,"candidatesTokenCount":1}}`
	for how, v := range map[string]*clientView{
		"stream": decodeEvents(t, NewDecoder(nil), `{"response":`+inner+`,"traceId":"x"}`),
		"body":   decodeBody(t, NewDecoder(nil), `{"response":`+inner+`}`),
	} {
		if c := v.only(t); c.text != "a" || v.usage == nil || v.usage.Prompt != 2 || v.usage.Completion != 1 {
			t.Errorf("%s: %+v, usage %+v", how, c, v.usage)
		}
	}
}

func TestUsageOfAFailedStreamIsKnown(t *testing.T) {
	t.Parallel()
	g, v := guarded(t)
	d := NewDecoder(nil)
	d.Event([]byte(`{"candidates":[{"content":{"parts":[{"text":"a"}]}}],"usageMetadata":{"promptTokenCount":2,"candidatesTokenCount":1}}`), nil, g)
	end(d, g, false)
	if u, ok := g.Usage(); !ok || u.Prompt != 2 || u.Completion != 1 || v.err == nil {
		t.Errorf("usage %+v (%t), error %v", u, ok, v.err)
	}
}

func TestE079SignatureOnItsCall(t *testing.T) {
	t.Parallel()
	c := decodeEvents(t, NewDecoder(nil), parts("STOP",
		`{"functionCall":{"name":"f","id":"spt7zdfl"},"thoughtSignature":"c2ln\u003d"}`, `{"functionCall":{"name":"g"}}`)).only(t)
	if first := c.tools[0]; first.id != "spt7zdfl" || first.signature != "c2ln=" || first.format != FormatReasoning {
		t.Errorf("first call %+v", first)
	}
	if c.tools[1].signature != "" || len(c.encrypted) != 0 {
		t.Errorf("the signature was copied: %+v, %v", c.tools[1], c.encrypted)
	}
}

func TestE081SignatureOnEmptyText(t *testing.T) {
	t.Parallel()
	for name, events := range map[string][]string{
		"own chunk":     {parts("", `{"text":"hi"}`), parts("STOP", `{"text":"","thoughtSignature":"c2ln"}`)},
		"with the text": {parts("STOP", `{"text":"hi","thoughtSignature":"c2ln"}`)},
		"behind finish": {parts("STOP", `{"text":"hi"}`), parts("", `{"text":"","thoughtSignature":"c2ln"}`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := decodeEvents(t, NewDecoder(nil), events...).only(t)
			if c.text != "hi" || c.reasoning != "" || !reflect.DeepEqual(c.encrypted, []string{"c2ln"}) {
				t.Errorf("got %+v", c)
			}
		})
	}
}

func TestE083ReasoningStaysOutOfTheText(t *testing.T) {
	t.Parallel()
	c := decodeEvents(t, NewDecoder(nil), parts("", `{"text":"think","thought":true}`, `{"text":"a"}`),
		parts("", `{"text":"more","thought":true}`), parts("STOP", `{"text":"b","thought":false}`)).only(t)
	if c.text != "ab" || c.reasoning != "thinkmore" {
		t.Errorf("text %q, reasoning %q", c.text, c.reasoning)
	}
}

func TestE117BlockedPrompt(t *testing.T) {
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

func TestE120TextIsNotRepeated(t *testing.T) {
	t.Parallel()
	c := decodeEvents(t, NewDecoder(nil), parts("", `{"text":"one "}`), parts("STOP", `{"text":"two"}`), parts("STOP"), parts("STOP", `{"text":""}`)).only(t)
	if c.text != "one two" {
		t.Errorf("text %q", c.text)
	}
}

func TestE122CandidateWithoutContent(t *testing.T) {
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

func TestE147HugeIntegersInUnusedFields(t *testing.T) {
	t.Parallel()
	v := decodeBody(t, NewDecoder(nil), `{"x":123456789012345678901234567890,"candidates":[{"avgLogprobs":-1e999,"content":{"parts":[{"text":"a"}]}}],
		"usageMetadata":{"promptTokenCount":99999999999999999999}}`)
	if c := v.only(t); c.text != "a" || v.usage.Prompt <= 0 || v.usage.Total() < 0 {
		t.Errorf("got %+v, usage %+v", c, v.usage)
	}
}

func TestIDAndModel(t *testing.T) {
	t.Parallel()
	v := decodeEvents(t, NewDecoder(nil), `{"candidates":[{"content":{"parts":[{"text":"a"}]}}],"modelVersion":"gemini-3.5-flash","responseId":"Jb-F"}`)
	if v.only(t); v.id != "chatcmpl-Jb-F" || v.model != "gemini-3.5-flash" {
		t.Errorf("id %q, model %q", v.id, v.model)
	}
	v = decodeEvents(t, NewDecoder(nil), parts("STOP", `{"text":"a"}`))
	if v.only(t); v.id != "chatcmpl-test" || v.model != "asked" {
		t.Errorf("without the provider's: id %q, model %q", v.id, v.model)
	}
}

func TestRenamedAndCustomTools(t *testing.T) {
	t.Parallel()
	enc := &translate.Encoded{Names: map[string]string{"a_b": "a b", "sh": "$h"}, CustomTools: []string{"sh"}}
	c := decodeEvents(t, NewDecoder(enc), parts("STOP", `{"functionCall":{"name":"a_b","args":{"n": 1.50, "s":"x \"y\" \\ \u00e9"}}}`,
		`{"functionCall":{"name":"sh","args":{"input":"ls\n\"-l\""}}}`, `{"functionCall":{"name":"sh","args":{"input":5}}}`, `{"functionCall":{"name":"sh"}}`)).only(t)
	want := []toolView{
		{name: "a b", args: `{"n":1.50,"s":"x \"y\" \\ \u00e9"}`}, {name: "$h", args: "ls\n\"-l\"", custom: true}, {name: "$h", args: `{"input":5}`, custom: true}, {name: "$h", custom: true},
	}
	for i := range c.tools {
		c.tools[i].id = ""
	}
	if !reflect.DeepEqual(c.tools, want) {
		t.Errorf("got  %+v\nwant %+v", c.tools, want)
	}
}

func TestServerToolsAreNeitherCallsNorText(t *testing.T) {
	t.Parallel()
	d := NewDecoder(nil)
	d.ExposeRaw = true
	c := decodeEvents(t, d, parts("", `{"executableCode":{"code":"1+1"},"thoughtSignature":"c2ln"}`, `{"codeExecutionResult":{"output":"2"}}`),
		`{"candidates":[{"content":{"parts":[{"text":"2"}]},"finishReason":"OTHER","finishMessage":"odd","safetyRatings":[{"category":"X"}]}]}`).only(t)
	want := `{"parts":[{"executableCode":{"code":"1+1"},"thoughtSignature":"c2ln"},{"codeExecutionResult":{"output":"2"}}],"safetyRatings":[{"category":"X"}],"finishReason":"OTHER","finishMessage":"odd"}`
	if c.text != "2" || len(c.tools) != 0 || !reflect.DeepEqual(c.vendor, []string{want}) {
		t.Errorf("text %q, tools %v, vendor %s", c.text, c.tools, c.vendor)
	}
	if d.NativeFinish() != "OTHER" {
		t.Errorf("native finish %q", d.NativeFinish())
	}
	if c := decodeEvents(t, NewDecoder(nil), parts("STOP", `{"toolCall":{}}`, `{"text":"2"}`)).only(t); len(c.vendor) != 0 {
		t.Errorf("vendor fields without being asked: %s", c.vendor)
	}
	if c := decodeEvents(t, NewDecoder(nil), parts("", `{"toolCall":{}}`)).only(t); c.finish != translate.FinishStop {
		t.Errorf("an answer of nothing but a server tool gave %+v", c)
	}
}

func TestMedia(t *testing.T) {
	t.Parallel()
	image := `{"inlineData":{"mimeType":"image/png","data":"AAAA"}`
	c := decodeEvents(t, NewDecoder(nil), `{"candidates":[{"content":{"parts":[`+image+`,"thought":true},`+image+`,"thoughtSignature":"c2ln"},
		{"inlineData":{"mimeType":"audio/L16;codec=pcm;rate=24000","data":"BBBB"}},{"inlineData":{"mimeType":"audio/L16","data":"CCCC"}}]},"finishReason":"STOP"}],"responseId":"r1"}`).only(t)
	if !reflect.DeepEqual(c.images, []string{`[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]`}) {
		t.Errorf("images %s", c.images)
	}
	if !reflect.DeepEqual(c.audio, []string{`{"data":"BBBB","id":"audio_r1","expires_at":0,"transcript":""}`, `{"data":"CCCC"}`}) {
		t.Errorf("audio %s", c.audio)
	}
	if !reflect.DeepEqual(c.encrypted, []string{"c2ln"}) {
		t.Errorf("signature of the image: %q", c.encrypted)
	}
}

func TestLogprobs(t *testing.T) {
	t.Parallel()
	c := decodeBody(t, NewDecoder(nil), `{"candidates":[{"content":{"parts":[{"text":"é\n"}]},"logprobsResult":{
		"chosenCandidates":[{"token":"é","tokenId":1,"logProbability":-0.5},{"token":"\n","logProbability":0}],
		"topCandidates":[{"candidates":[{"token":"é","logProbability":-0.5},{"token":"e","logProbability":-1.25}]},{"candidates":[]}]}}]}`).only(t)
	want := `[{"token":"é","logprob":-0.5,"bytes":[195,169],"top_logprobs":[{"token":"é","logprob":-0.5,"bytes":[195,169]},{"token":"e","logprob":-1.25,"bytes":[101]}]},` +
		`{"token":"\n","logprob":0,"bytes":[10],"top_logprobs":[]}]`
	if !reflect.DeepEqual(c.logprobs, []string{want}) {
		t.Errorf("got %s", c.logprobs)
	}
}

func TestArgumentsInPieces(t *testing.T) {
	t.Parallel()
	piece := func(args, more string) string { return `{"functionCall":{"partialArgs":[` + args + `]` + more + `}}` }
	const on = `,"willContinue":true`
	start := `{"functionCall":{"name":"order","willContinue":true},"thoughtSignature":"c2ln"}`
	for name, tc := range map[string]struct {
		parts []string
		want  []string
	}{
		"nested": {[]string{start,
			piece(`{"jsonPath":"$.items[0].name","stringValue":"Fresh ","willContinue":true}`, on), piece(`{"jsonPath":"$.items[0].name","stringValue":"\"red\" apple"}`, on),
			piece(`{"jsonPath":"$.items[1].price","numberValue":0.5},{"jsonPath":"$['a b']","boolValue":true}`, on), piece(`{"jsonPath":"$.none","nullValue":"NULL_VALUE"}`, ""),
			`{"text":""}`},
			[]string{`{"items":[{"name":"Fresh \"red\" apple"},{"price":0.5}],"a b":true,"none":null}`}},
		"ended by an empty call":      {[]string{start, piece(`{"jsonPath":"$.a","stringValue":"x"}`, on), `{"functionCall":{}}`}, []string{`{"a":"x"}`}},
		"ended by the next call":      {[]string{start, piece(`{"jsonPath":"$.a","numberValue":1}`, on), start, piece(`{"jsonPath":"$.a","numberValue":2}`, "")}, []string{`{"a":1}`, `{"a":2}`}},
		"ended by the end":            {[]string{start}, []string{`{}`}},
		"paths that make no sense":    {[]string{start, piece(`{"jsonPath":"a","numberValue":1},{"jsonPath":"$[99999]","numberValue":1},{"jsonPath":"$.","numberValue":1},{"jsonPath":"$..","numberValue":1}`, "")}, []string{`{}`}},
		"a scalar cannot have a name": {[]string{start, piece(`{"jsonPath":"$.a","numberValue":1},{"jsonPath":"$.a.b","numberValue":2}`, "")}, []string{`{"a":1}`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var events []string
			for _, p := range tc.parts {
				events = append(events, parts("", p))
			}
			c := decodeEvents(t, NewDecoder(nil), append(events, parts("STOP"))...).only(t)
			var got []string
			for _, call := range c.tools {
				got = append(got, call.args)
			}
			if !reflect.DeepEqual(got, tc.want) || c.tools[0].signature != "c2ln" {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestUnreadableAnswers(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `x`, `{`, `"text"`, `5`, `{"candidates":[}`, `<html>`, "{\"a\":\"\xff\"}"} {
		if v := decodeBody(t, NewDecoder(nil), body); v.err == nil || v.err.Status != 502 {
			t.Errorf("body %q gave %+v", body, v.err)
		}
		if body == "" {
			continue
		}
		if v := decodeEvents(t, NewDecoder(nil), parts("STOP", `{"text":"a"}`), body); v.err == nil || v.err.Status != 502 {
			t.Errorf("event %q gave %+v", body, v.err)
		}
	}
}

func TestNothingIsEmittedAfterAnError(t *testing.T) {
	t.Parallel()
	var log recorder
	d := NewDecoder(nil)
	d.Event([]byte(`{"error":{"message":"no"}}`), nil, &log)
	d.Event([]byte(parts("STOP", `{"text":"a"}`)), nil, &log)
	d.Body([]byte(parts("STOP", `{"text":"a"}`)), &log)
	d.End(true, &log)
	if !d.Done() || len(log) != 1 || log[0] != translate.EventError {
		t.Errorf("events %v, done %t", log, d.Done())
	}
}

// recorder notes the kinds of events.
type recorder []translate.EventKind

func (r *recorder) Emit(ev *translate.Event) { *r = append(*r, ev.Kind) }

func TestContinuation(t *testing.T) {
	t.Parallel()
	leg := func(text, finish, token string) string {
		return fmt.Sprintf(`{"candidates":[{"content":{"parts":[{"text":%q}]},"finishReason":%q,"continuationToken":%q}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5}}`, text, finish, token)
	}
	enc := &translate.Encoded{Body: []byte(`{"contents":[]}`)}

	t.Run("goes on and sums usage", func(t *testing.T) {
		t.Parallel()
		g, v := guarded(t)
		d := NewDecoder(enc)
		d.Event([]byte(leg("one ", "CONTINUATION", "t1")), nil, g)
		body, ok := d.Continue()
		if !ok || string(body) != `{"continuationToken":"t1","contents":[]}` {
			t.Fatalf("Continue gave %s, %t", body, ok)
		}
		d.Event([]byte(leg("two", "STOP", "")), nil, g)
		if d.Paused() {
			t.Error("a finished answer is paused")
		}
		end(d, g, true)
		if c := v.only(t); c.text != "one two" || c.finish != translate.FinishStop || v.usage.Prompt != 20 || v.usage.Completion != 10 {
			t.Errorf("got %+v, usage %+v", c, v.usage)
		}
	})
	t.Run("without continuing it is length", func(t *testing.T) {
		t.Parallel()
		if c := decodeBody(t, NewDecoder(enc), leg("one", "CONTINUATION", "t1")).only(t); c.finish != translate.FinishLength {
			t.Errorf("finish %s", c.finish)
		}
	})
	t.Run("a repeated token ends it", func(t *testing.T) {
		t.Parallel()
		g, v := guarded(t)
		d := NewDecoder(enc)
		d.Body([]byte(leg("a", "CONTINUATION", "t1")), g)
		if _, ok := d.Continue(); !ok {
			t.Fatal("not paused")
		}
		d.Body([]byte(leg("b", "CONTINUATION", "t1")), g)
		if _, ok := d.Continue(); ok {
			t.Fatal("a repeated token was taken")
		}
		end(d, g, true)
		if c := v.only(t); c.text != "ab" || c.finish != translate.FinishLength {
			t.Errorf("got %+v", c)
		}
	})
	t.Run("at most 16 times", func(t *testing.T) {
		t.Parallel()
		g, _ := guarded(t)
		d := NewDecoder(enc)
		n := 0
		for ; n < 100; n++ {
			d.Event([]byte(leg("a", "CONTINUATION", fmt.Sprint("t", n))), nil, g)
			if _, ok := d.Continue(); !ok {
				break
			}
		}
		if n != 16 {
			t.Errorf("continued %d times", n)
		}
	})
	t.Run("after a broken connection", func(t *testing.T) {
		t.Parallel()
		checkpoint := func(n int) []byte {
			return []byte(fmt.Sprintf(`{"candidates":[{"continuationToken":"t%d"}]}`, n))
		}
		g, _ := guarded(t)
		d := NewDecoder(enc)
		d.Event([]byte(parts("", `{"text":"a"}`)), nil, g)
		if d.Paused() {
			t.Fatal("paused without a checkpoint")
		}
		d.Event(checkpoint(0), nil, g)
		if !d.Paused() {
			t.Fatal("not paused behind a checkpoint")
		}
		d.Event([]byte(parts("", `{"text":"b"}`)), nil, g)
		if d.Paused() {
			t.Fatal("paused although text came behind the checkpoint")
		}
		n := 1
		for ; n < 20; n++ {
			d.Event(checkpoint(n), nil, g)
			if _, ok := d.Continue(); !ok {
				break
			}
		}
		if n != 5 { // once with something new, three times without
			t.Errorf("resumed %d times", n-1)
		}
	})
	t.Run("not a blocked or failed answer", func(t *testing.T) {
		t.Parallel()
		for _, event := range []string{`{"promptFeedback":{"blockReason":"SAFETY"}}`, `{"error":{"code":500}}`} {
			g, _ := guarded(t)
			d := NewDecoder(enc)
			d.Event([]byte(leg("a", "CONTINUATION", "t1")), nil, g)
			d.Event([]byte(event), nil, g)
			if d.Paused() {
				t.Errorf("paused after %s", event)
			}
		}
	})
}

func TestDecoderMemoryIsBounded(t *testing.T) {
	t.Parallel()
	d := NewDecoder(nil)
	d.ExposeRaw = true
	g, v := guarded(t)
	big := strings.Repeat("x", 1<<20)
	for range 20 {
		d.Event([]byte(parts("", `{"executableCode":{"code":"`+big+`"}}`)), nil, g)
		d.Event([]byte(`{"candidates":[{"groundingMetadata":{"groundingChunks":[{"web":{"uri":"`+big+`"}}]}}]}`), nil, g)
		d.Event([]byte(parts("", `{"text":"","thoughtSignature":"`+big+`"}`)), nil, g)
		d.Event(nil, bytes.Repeat([]byte(" "), 1<<20), g)
	}
	n := len(d.stray) + len(d.choices[0].vendor.parts)
	for _, s := range d.choices[0].signatures {
		n += len(s)
	}
	for i := range d.choices[0].grounded {
		n += len(d.choices[0].grounded[i].chunks)
	}
	if n > maxStray+maxKept {
		t.Errorf("keeps %d bytes", n)
	}
	end(d, g, true)
	if v.err == nil {
		t.Error("too much stray text is no error")
	}
}
