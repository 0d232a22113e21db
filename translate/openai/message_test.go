package openai

import (
	"fmt"
	"strings"
	"testing"
)

func TestReasoning(t *testing.T) {
	t.Parallel()
	for name, delta := range map[string]string{
		"reasoning_content":                    `{"content":"","reasoning_content":"think"}`,
		"reasoning":                            `{"content":"","reasoning":"think"}`,
		"reasoning_text":                       `{"reasoning_text":"think"}`,
		"thinking":                             `{"thinking":"think"}`,
		"two of them":                          `{"reasoning":"think","reasoning_content":"think"}`,
		"two of them, the other order":         `{"reasoning_content":"think","reasoning":"think"}`,
		"the second one empty":                 `{"reasoning_content":"","reasoning":"think"}`,
		"Mistral's parts":                      `{"content":[{"type":"thinking","thinking":[{"type":"text","text":"th"},{"type":"text","text":"ink"}],"closed":true}]}`,
		"parts with a string":                  `{"content":[{"type":"thinking","thinking":"think"}]}`,
		"parts with a text":                    `{"content":[{"type":"reasoning","text":"think"}]}`,
		"parts and a member":                   `{"reasoning_content":"think","content":[{"type":"thinking","thinking":"think"}]}`,
		"E-082 an object":                      `{"reasoning_content":{"text":"think","signature":"s"}}`,
		"E-082 a list":                         `{"reasoning_content":[{"type":"text","text":"th"},"ink"]}`,
		"reasoning_details alone":              `{"reasoning_details":[{"type":"reasoning.text","text":"th","index":0},{"type":"reasoning.summary","summary":"ink","index":1}]}`,
		"reasoning_details beside the member":  `{"reasoning":"think","reasoning_details":[{"type":"reasoning.text","text":"think","index":0}]}`,
		"E-083 reasoning and content together": `{"content":"","reasoning":"think","refusal":""}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for form, s := range map[string]*seen{
				"stream": viewBoth(t, nil, deltaStream(delta, `{"content":"answer"}`, "finish:stop")),
				"body":   viewBody(t, nil, wholeAnswer(strings.Replace(delta, "{", `{"role":"assistant",`, 1), `"stop"`)),
			} {
				want := "answer"
				if form == "body" {
					want = ""
				}
				if c := s.choice(); c.Reasoning != "think" || c.Content != want {
					t.Errorf("%s: reasoning %q, content %q", form, c.Reasoning, c.Content)
				}
			}
		})
	}
}

func TestReasoningDetails(t *testing.T) {
	t.Parallel()
	stream := deltaStream(
		`{"reasoning":"th","reasoning_details":[{"type":"reasoning.text","text":"th","format":"anthropic-claude-v1","index":0}]}`,
		`{"reasoning":"ink","reasoning_details":[{"type":"reasoning.text","text":"ink","format":"anthropic-claude-v1","index":0}]}`,
		`{"reasoning_details":[{"type":"reasoning.text","signature":"sig","format":"anthropic-claude-v1","index":0}]}`,
		`{"reasoning_details":[{"type":"reasoning.encrypted","data":"opaque","id":"e1","index":1,"extra":[1]}]}`,
		`{"reasoning_details":[]}`, `{"content":"hi"}`, "finish:stop")
	s := viewStream(t, nil, stream, StreamOptions{})
	if len(s.choice().Details) != 4 || s.choice().Reasoning != "think" {
		t.Errorf("stream: reasoning %q, details %v", s.choice().Reasoning, s.choice().Details)
	}
	// Text and detail of one fragment share a chunk.
	if n := len(s.Chunks); n != 1+4+1+1 {
		t.Errorf("%d chunks", n)
	}
	enc := NewBodyEncoder(0)
	answerStream(nil, strings.NewReader(stream), enc)
	const want = "[map[format:anthropic-claude-v1 index:0 signature:sig text:think type:reasoning.text] map[data:opaque extra:[1] id:e1 index:1 type:reasoning.encrypted]]"
	if got := fmt.Sprint(readClientBody(t, enc.Bytes()).choice().Details); got != want {
		t.Errorf("body: details\n%s, want\n%s", got, want)
	}
}

func TestRefusal(t *testing.T) {
	t.Parallel()
	for form, s := range map[string]*seen{
		"stream": viewBoth(t, nil, deltaStream(`{"role":"assistant","content":null,"refusal":""}`, `{"refusal":"I'm "}`, `{"refusal":"sorry"}`, "finish:stop")),
		"body":   viewBody(t, nil, wholeAnswer(`{"role":"assistant","content":null,"refusal":"I'm sorry"}`, `"stop"`)),
		"parts":  viewBody(t, nil, wholeAnswer(`{"role":"assistant","content":[{"type":"refusal","refusal":"I'm sorry"}]}`, `"stop"`)),
	} {
		if c := s.choice(); c.Refusal != "I'm sorry" || !c.NullContent || c.Finish != "stop" {
			t.Errorf("%s: %+v", form, c)
		}
	}
}

func TestEmptyContent(t *testing.T) {
	t.Parallel()
	for _, content := range []string{`""`, `null`, `[]`} {
		if c := viewBody(t, nil, wholeAnswer(`{"role":"assistant","content":`+content+`}`, `"length"`)).choice(); c.NullContent || c.Content != "" || c.Finish != "length" {
			t.Errorf("content %s became %+v", content, c)
		}
	}
}

func TestAnnotations(t *testing.T) {
	t.Parallel()
	const a, b = `{"type":"url_citation","url_citation":{"start_index":0,"end_index":1,"title":"a","url":"https://a.example"}}`, `{"type":"url_citation","url_citation":{"start_index":1,"end_index":2,"title":"b","url":"https://b.example"}}`
	for form, s := range map[string]*seen{
		"stream": viewBoth(t, nil, deltaStream(`{"content":"hi","annotations":[`+a+`]}`, `{"annotations":[`+b+`]}`, `{"annotations":[]}`, "finish:stop")),
		"body":   viewBody(t, nil, wholeAnswer(`{"role":"assistant","content":"hi","annotations":[`+a+`,`+b+`]}`, `"stop"`)),
	} {
		if got := s.choice().Annotations; len(got) != 2 || got[1].(map[string]any)["url_citation"].(map[string]any)["url"] != "https://b.example" {
			t.Errorf("%s: annotations %v", form, got)
		}
	}
}

// Citations without a place in the text are no annotations; those of the last chunk
// are passed on, once.
func TestCitations(t *testing.T) {
	t.Parallel()
	s := viewBoth(t, nil, eventStream(
		`{"choices":[{"delta":{"content":"h"}}],"citations":["https://a.example"]}`,
		`{"choices":[{"delta":{"content":"i"}}],"citations":["https://a.example"],"search_results":[]}`,
		`{"choices":[{"delta":{},"finish_reason":"stop"}],"citations":["https://a.example","https://b.example"],"search_results":[{"title":"b"}]}`))
	if c := s.choice(); c.Annotations != nil || fmt.Sprint(c.Vendor) != "map[citations:[https://a.example https://b.example] search_results:[map[title:b]]]" {
		t.Errorf("annotations %v, vendor %v", c.Annotations, c.Vendor)
	}
	if s := viewBoth(t, nil, eventStream(`{"choices":[{"delta":{"content":"hi"},"finish_reason":"stop"}],"search_results":[{"title":"b"}]}`)); fmt.Sprint(s.choice().Vendor) != "map[search_results:[map[title:b]]]" {
		t.Errorf("vendor %v", s.choice().Vendor)
	}
}

func TestLogprobs(t *testing.T) {
	t.Parallel()
	token := func(s string) string { return `{"token":"` + s + `","logprob":-0.5,"bytes":null,"top_logprobs":[]}` }
	s := viewBoth(t, nil, eventStream(
		`{"choices":[{"delta":{"content":"h"},"logprobs":{"content":[`+token("h")+`],"refusal":null}}]}`,
		`{"choices":[{"delta":{"content":"i"},"logprobs":{"content":[`+token("i")+`],"refusal":null}}]}`,
		`{"choices":[{"delta":{},"logprobs":{"content":[`+token("")+`],"refusal":null}}]}`,
		`{"choices":[{"delta":{},"logprobs":null,"finish_reason":"stop"}]}`))
	if len(s.choice().Logprobs) != 3 {
		t.Errorf("logprobs %v", s.choice().Logprobs)
	}
	// The role, two texts with their logprobs, the finish: those without text join the
	// text before them.
	if len(s.Chunks) != 4 {
		t.Errorf("%d chunks", len(s.Chunks))
	}
	body := viewBody(t, nil, strings.Replace(wholeAnswer(`{"role":"assistant","content":null,"refusal":"no"}`, `"stop"`), `"index":0`, `"index":0,"logprobs":{"content":null,"refusal":[`+token("no")+`]}`, 1))
	if c := body.choice(); len(c.RefusalLogprobs) != 1 || len(c.Logprobs) != 0 {
		t.Errorf("logprobs of a refusal: %v", c.RefusalLogprobs)
	}
}

func TestMedia(t *testing.T) {
	t.Parallel()
	s := viewBoth(t, nil, deltaStream(
		`{"content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,QQ=="}}]}`, `{"images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,Qg=="}}]}`, "finish:stop"))
	if len(s.choice().Images) != 2 {
		t.Errorf("images %v", s.choice().Images)
	}
	audio := deltaStream(`{"audio":{"id":"audio_1"}}`, `{"audio":{"transcript":"hel"}}`, `{"audio":{"data":"QQ=="}}`, `{"audio":{"data":"QkM="}}`, `{"audio":{"transcript":"lo","expires_at":123}}`, "finish:stop")
	enc := NewBodyEncoder(0)
	answerStream(nil, strings.NewReader(audio), enc)
	c := readClientBody(t, enc.Bytes()).choice()
	if got := fmt.Sprint(c.Audio); got != "map[data:QUJD expires_at:123 id:audio_1 transcript:hello]" || !c.NullContent {
		t.Errorf("audio %s, null content %v", got, c.NullContent)
	}
	viewStream(t, nil, audio, StreamOptions{})
	viewBody(t, nil, wholeAnswer(`{"role":"assistant","content":null,"audio":{"id":"a","data":"QQ==","expires_at":1,"transcript":"x"}}`, `"stop"`))
}

func TestAudioThatIsNoBase64(t *testing.T) {
	t.Parallel()
	var a bodyAudio
	for _, piece := range []string{"QQ==", "QkM=", "?", "=", "x"} {
		a.join([]byte(piece))
	}
	if string(a.data) != "QUJD?=x" {
		t.Errorf("data %q", a.data)
	}
}

func TestVendorFields(t *testing.T) {
	t.Parallel()
	s := viewBoth(t, nil, deltaStream(`{"content":"hi","provider_specific_fields":{"a":1}}`, `{"provider_specific_fields":{"b":"x","a":2}}`, `{"provider_specific_fields":{}}`, "finish:stop"))
	if got := fmt.Sprint(s.choice().Vendor); got != "map[a:2 b:x]" {
		t.Errorf("vendor %s", got)
	}
}

// A signature on text shows nothing, and is carried all the same.
func TestTextSignature(t *testing.T) {
	t.Parallel()
	s := viewBoth(t, nil, deltaStream(`{"content":"hi"}`, `{"content":"","extra_content":{"google":{"thought_signature":"c2ln"}}}`, "finish:stop"))
	if got := fmt.Sprint(s.choice().Details); got != "[map[data:c2ln format:google-gemini-v1 index:0 type:reasoning.encrypted]]" {
		t.Errorf("details %s", got)
	}
}
