package openai

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// shapes makes answers at random, of what providers have been seen to send and of what
// they have no business to.
type shapes struct{ *rand.Rand }

func (s shapes) pick(list ...string) string { return list[s.IntN(len(list))] }

func (s shapes) text() string {
	return s.pick(`"a"`, `"b\n"`, `""`, `null`, `"\ud83d"`, `"\ude00"`, `"<think>"`, `"</think>"`, `"</thi"`, `"ä"`, `5`, `{}`, `[]`, `true`)
}

func (s shapes) list(most int, element func() string) string {
	var b strings.Builder
	for i := range s.IntN(most + 1) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(element())
	}
	return "[" + b.String() + "]"
}

func (s shapes) call() string {
	var m []string
	if s.IntN(3) > 0 {
		m = append(m, `"index":`+s.pick("0", "0", "1", "2", "-1", "9", `"0"`, "null"))
	}
	if s.IntN(2) > 0 {
		m = append(m, `"id":`+s.pick(`"x"`, `"y"`, `"z"`, `""`, `null`, `7`))
	}
	name, args := s.pick(`"f"`, `"g"`, `""`, `null`), s.pick(`"{\"a\":"`, `"1}"`, `"{}"`, `""`, `null`, `{"a": 1}`, `[ ]`, `"\ud83d"`)
	switch s.IntN(8) {
	case 0:
		m = append(m, `"custom":{"name":`+name+`,"input":`+args+`}`)
	case 1:
		m = append(m, `"function":`+s.pick(`null`, `{}`, `[]`, `"f"`))
	default:
		m = append(m, `"function":{"name":`+name+`,"arguments":`+args+`}`)
	}
	if s.IntN(8) == 0 {
		m = append(m, `"extra_content":{"google":{"thought_signature":`+s.pick(`"s"`, `""`, `null`)+`}}`)
	}
	return "{" + strings.Join(m, ",") + "}"
}

func (s shapes) message() string {
	var m []string
	add := func(odds int, name string, value func() string) {
		if s.IntN(odds) == 0 {
			m = append(m, `"`+name+`":`+value())
		}
	}
	part := func() string {
		return s.pick(`{"type":"text","text":`+s.text()+`}`, `{"type":"thinking","thinking":[{"type":"text","text":`+s.text()+`}]}`, `{"type":"refusal","refusal":`+s.text()+`}`,
			`{"type":"image_url","image_url":{"url":"u"}}`, s.text())
	}
	add(2, "role", func() string { return s.pick(`"assistant"`, `""`, `null`) })
	add(2, "content", func() string { return s.pick(s.text(), s.text(), s.list(3, part), part()) })
	add(4, "reasoning", s.text)
	add(4, "reasoning_content", s.text)
	add(9, "refusal", s.text)
	add(3, "tool_calls", func() string { return s.pick(s.list(3, s.call), s.list(3, s.call), s.call(), "null") })
	add(20, "function_call", func() string {
		return `{"name":` + s.pick(`"f"`, `""`) + `,"arguments":` + s.pick(`"{"`, `"}"`, `{}`) + `}`
	})
	add(12, "annotations", func() string { return s.pick(`[{"type":"url_citation"}]`, `[]`, `null`) })
	add(12, "images", func() string { return s.pick(`[{"type":"image_url","image_url":{"url":"u"}}]`, `[]`) })
	add(12, "audio", func() string {
		return s.pick(`{"id":"a"}`, `{"data":"QQ=="}`, `{"transcript":"x","expires_at":1}`, `{}`, `null`)
	})
	add(9, "reasoning_details", func() string {
		return s.list(2, func() string {
			return `{"type":` + s.pick(`"reasoning.text"`, `"reasoning.summary"`) + `,"text":` + s.text() + `,"index":` + s.pick("0", "1", "null") + `}`
		})
	})
	return "{" + strings.Join(m, ",") + "}"
}

func (s shapes) choice(member string) string {
	var finish string
	if s.IntN(4) == 0 {
		finish = `,"finish_reason":` + s.pick(`"stop"`, `"stop"`, `"length"`, `"tool_calls"`, `"eos"`, `""`, `null`, `"function_call"`, `"content_filter"`, `"odd"`)
	}
	logprobs := s.pick("", "", `,"logprobs":null`, `,"logprobs":{"content":[{"token":"a"}],"refusal":null}`, `,"logprobs":{"content":null,"refusal":[{"token":"r"}]}`, `,"logprobs":{}`)
	return `{` + s.pick(`"index":0,`, `"index":0,`, ``, `"index":1,`) + `"` + member + `":` + s.message() + logprobs + finish + `}`
}

func (s shapes) chunk(member string) string {
	id := s.pick(`"id":"a","model":"m","created":1,`, `"id":"b",`, `"id":"","model":"","created":0,`, ``)
	usage := s.pick("", "", "", `,"usage":null`, `,"usage":{"prompt_tokens":3,"completion_tokens":-2,"cost":{"a": 1}}`, `,"usage":{"prompt_tokens":9,"prompt_tokens_details":{"cached_tokens":99}}`)
	return `{` + id + `"choices":` + s.pick(s.list(2, func() string { return s.choice(member) }), `[`+s.choice(member)+`]`, "[]", "null") + usage + `}`
}

func (s shapes) stream() string {
	var chunks []string
	for range 1 + s.IntN(8) {
		chunks = append(chunks, s.chunk("delta"))
	}
	if s.IntN(4) > 0 {
		chunks = append(chunks, "[DONE]")
	}
	return eventStream(chunks...)
}

// Whatever a provider makes of its answers, the client's are legal, and say the same as
// a stream and as a body.
func TestShapes(t *testing.T) {
	t.Parallel()
	const runs = 2000
	good := 0
	for seed := range uint64(runs) {
		s := shapes{rand.New(rand.NewPCG(seed, 1))}
		q := fuzzQuirks(byte(s.IntN(8)))
		if s.IntN(3) == 0 {
			body := s.chunk("message")
			if v := viewBody(t, q, body); v.Done {
				good++
			}
			if t.Failed() {
				t.Fatalf("seed %d, quirks %+v:\n%s", seed, q, body)
			}
			continue
		}
		stream := s.stream()
		if v := viewBoth(t, q, stream); v.Done {
			good++
		}
		if t.Failed() {
			t.Fatalf("seed %d, quirks %+v:\n%s", seed, q, stream)
		}
	}
	if good < runs/4 {
		t.Errorf("only %d of %d answers end well, the rest tests nothing", good, runs)
	}
}

// The text of a stream is that of its deltas, whatever stands between them.
func TestShapesKeepText(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		s := shapes{rand.New(rand.NewPCG(seed, 2))}
		var want strings.Builder
		var list []string
		for i := range 1 + s.IntN(30) {
			word := fmt.Sprint(" w", i)
			want.WriteString(word)
			list = append(list, s.pick(`{"content":"`+word+`"}`, `{"role":"assistant","content":[{"type":"text","text":"`+word+`"}],"tool_calls":[]}`, `{"content":"`+word+`","reasoning_content":"r","refusal":null}`))
			if s.IntN(3) == 0 {
				list = append(list, s.pick(`{}`, `{"content":""}`, `{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"1"}}]}`, "finish:stop"))
			}
		}
		if got := viewBoth(t, nil, deltaStream(list...)).choice().Content; got != want.String() {
			t.Fatalf("seed %d: text is %q instead of %q", seed, got, want.String())
		}
	}
}
