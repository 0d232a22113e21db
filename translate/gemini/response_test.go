package gemini

import (
	"bytes"
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

func TestLargeImageInOneEvent_E005(t *testing.T) {
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

func TestErrorEventFirst_E013(t *testing.T) {
	t.Parallel()
	v := decodeEvents(t, NewDecoder(nil), `{"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED"}}`)
	if v.err == nil || v.err.Status != 429 || v.err.Class != translate.ErrorRateLimit || v.err.Message != "slow down" || len(v.choices) > 0 {
		t.Errorf("got %+v", v.err)
	}
}

func TestBareErrorBehindEvents_E015(t *testing.T) {
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

func TestArrayInsteadOfEvents_E018(t *testing.T) {
	t.Parallel()
	stream := "[" + parts("", `{"text":"a"}`) + "\n,\r\n" + parts("STOP", `{"text":"b"}`) + "\n]\n"
	if c := decodeStream(t, NewDecoder(nil), strings.NewReader(stream)).only(t); c.text != "ab" || c.finish != translate.FinishStop {
		t.Errorf("text %q, finish %s", c.text, c.finish)
	}
}

func TestInterleavedCandidates_E036(t *testing.T) {
	t.Parallel()
	v := decodeEvents(t, NewDecoder(nil),
		`{"candidates":[{"index":1,"content":{"parts":[{"text":"b"}]}},{"content":{"parts":[{"text":"a"}]}}]}`,
		`{"candidates":[{"content":{"parts":[{"text":"A"}]},"finishReason":"MAX_TOKENS"},{"index":1,"content":{"parts":[`+callA+`]},"finishReason":"STOP"}]}`)
	if a, b := v.choice(0), v.choice(1); a.text != "aA" || b.text != "b" || a.finish != translate.FinishLength || b.finish != translate.FinishToolCalls || len(b.tools) != 1 {
		t.Errorf("got %+v and %+v", a, b)
	}
}

func TestUsage_E068_E069(t *testing.T) {
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

func TestEnvelopeAroundResponse_E070(t *testing.T) {
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

func TestSignatureOnEmptyText_E081(t *testing.T) {
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

func TestReasoningStaysOutOfTheText_E083(t *testing.T) {
	t.Parallel()
	c := decodeEvents(t, NewDecoder(nil), parts("", `{"text":"think","thought":true}`, `{"text":"a"}`),
		parts("", `{"text":"more","thought":true}`), parts("STOP", `{"text":"b","thought":false}`)).only(t)
	if c.text != "ab" || c.reasoning != "thinkmore" {
		t.Errorf("text %q, reasoning %q", c.text, c.reasoning)
	}
}

func TestTextIsNotRepeated_E120(t *testing.T) {
	t.Parallel()
	c := decodeEvents(t, NewDecoder(nil), parts("", `{"text":"one "}`), parts("STOP", `{"text":"two"}`), parts("STOP"), parts("STOP", `{"text":""}`)).only(t)
	if c.text != "one two" {
		t.Errorf("text %q", c.text)
	}
}

func TestHugeIntegersInUnusedFields_E147(t *testing.T) {
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
	for range 1000 {
		d.Event([]byte(parts("", `{"text":"","thoughtSignature":"c2ln"}`)), nil, g)
	}
	if got := len(d.choices[0].signatures); got > maxSignatures {
		t.Errorf("keeps %d signatures", got)
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
