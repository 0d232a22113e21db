package openai

import (
	"fmt"
	"strings"
	"testing"
)

// usageOf runs a stream whose last chunk has the given members.
func usageOf(t *testing.T, q *Quirks, members string) *seen {
	t.Helper()
	return viewBoth(t, q, eventStream(
		`{"id":"up-1","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}`, `{`+members+`}`, "[DONE]"))
}

func TestUsage(t *testing.T) {
	t.Parallel()
	const none = "map[completion_tokens:2 completion_tokens_details:map[reasoning_tokens:0] prompt_tokens:1 prompt_tokens_details:map[cached_tokens:0] total_tokens:3]"
	excluded := &Quirks{ReasoningExcluded: true}
	for _, c := range []struct {
		name    string
		quirks  *Quirks
		members string
		want    string
	}{
		{"with empty choices", nil, `"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}`, none},
		{"E-072 in x_groq", nil, `"choices":[],"x_groq":{"usage":{"prompt_tokens":1,"completion_tokens":2}}`, none},
		{"E-072 in both", nil, `"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2},"x_groq":{"usage":{"prompt_tokens":7,"completion_tokens":7}}`, none},
		{"E-072 cached tokens of Groq", nil, `"x_groq":{"usage":{"prompt_tokens":5,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":4}}}`,
			"map[completion_tokens:2 completion_tokens_details:map[reasoning_tokens:0] prompt_tokens:5 prompt_tokens_details:map[cached_tokens:4] total_tokens:7]"},
		{"E-074 in a choice", nil, `"choices":[{"index":0,"delta":{},"usage":{"prompt_tokens":1,"completion_tokens":2}}]`, none},
		{"E-074 beside a choice", nil, `"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}`, none},
		{"null after it", nil, `"usage":{"prompt_tokens":1,"completion_tokens":2}}` + "\n\ndata: " + `{"usage":null}` + "\n\ndata: " + `{"usage":{}`, none},
		{"the last one counts", nil, `"usage":{"prompt_tokens":9,"completion_tokens":9}}` + "\n\ndata: " + `{"usage":{"prompt_tokens":1,"completion_tokens":2}`, none},
		{"other names", nil, `"usage":{"input_tokens":1,"output_tokens":2}`, none},
		{"both names", nil, `"usage":{"prompt_tokens":1,"completion_tokens":2,"input_tokens":7,"output_tokens":7}`, none},
		{"floats", nil, `"usage":{"prompt_tokens":1.0,"completion_tokens":2e0}`, none},
		{"E-071 E-073 all the rest", nil, `"usage":{"prompt_tokens":20,"completion_tokens":30,"total_tokens":50,"prompt_tokens_details":{"cached_tokens":5,"cache_write_tokens":6,"audio_tokens":1,"image_tokens":2,"text_tokens":3},"completion_tokens_details":{"reasoning_tokens":22,"audio_tokens":4,"text_tokens":5,"accepted_prediction_tokens":7,"rejected_prediction_tokens":8}}`,
			"map[completion_tokens:30 completion_tokens_details:map[accepted_prediction_tokens:7 audio_tokens:4 reasoning_tokens:22 rejected_prediction_tokens:8 text_tokens:5] prompt_tokens:20 prompt_tokens_details:map[audio_tokens:1 cache_write_tokens:6 cached_tokens:5 image_tokens:2 text_tokens:3] total_tokens:50]"},
		{"E-073 Moonshot", nil, `"usage":{"prompt_tokens":20,"completion_tokens":2,"cached_tokens":10}`,
			"map[cached_tokens:10 completion_tokens:2 completion_tokens_details:map[reasoning_tokens:0] prompt_tokens:20 prompt_tokens_details:map[cached_tokens:10] total_tokens:22]"},
		{"E-073 DeepSeek", nil, `"usage":{"prompt_tokens":20,"completion_tokens":2,"prompt_cache_hit_tokens":12,"prompt_cache_miss_tokens":8}`,
			"map[completion_tokens:2 completion_tokens_details:map[reasoning_tokens:0] prompt_cache_hit_tokens:12 prompt_cache_miss_tokens:8 prompt_tokens:20 prompt_tokens_details:map[cached_tokens:12] total_tokens:22]"},
		{"OpenRouter's cost", nil, `"usage":{"prompt_tokens":1,"completion_tokens":2,"cost":0.5,"is_byok":false,"cost_details":{ "upstream": null },"none":null}`,
			"map[completion_tokens:2 completion_tokens_details:map[reasoning_tokens:0] cost:0.5 cost_details:map[upstream:<nil>] is_byok:false prompt_tokens:1 prompt_tokens_details:map[cached_tokens:0] total_tokens:3]"},
		{"E-071 reasoning left out of the completion", excluded, `"usage":{"prompt_tokens":12,"completion_tokens":1,"total_tokens":241,"completion_tokens_details":{"reasoning_tokens":228}}`,
			"map[completion_tokens:229 completion_tokens_details:map[reasoning_tokens:228] prompt_tokens:12 prompt_tokens_details:map[cached_tokens:0] total_tokens:241]"},
		{"reasoning not left out any more", excluded, `"usage":{"prompt_tokens":12,"completion_tokens":229,"total_tokens":241,"completion_tokens_details":{"reasoning_tokens":228}}`,
			"map[completion_tokens:229 completion_tokens_details:map[reasoning_tokens:228] prompt_tokens:12 prompt_tokens_details:map[cached_tokens:0] total_tokens:241]"},
		{"not an object", nil, `"usage":[1,2]`, "map[]"},
		{"numbers that are none", nil, `"usage":{"prompt_tokens":"1"}`, "map[]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := fmt.Sprint(usageOf(t, c.quirks, c.members).Usage); got != c.want {
				t.Errorf("got\n%s, want\n%s", got, c.want)
			}
		})
	}
}

// E-076: a client that did not ask for usage gets no such member, yet accounting has
// the numbers. readClientStream checks the first half.
func TestUsageNotAskedFor_E076(t *testing.T) {
	t.Parallel()
	enc := NewStreamEncoder(StreamOptions{})
	g := answerStream(nil, strings.NewReader(deltaStream(`{"content":"hi"}`, "finish:stop")[:0]+eventStream(`{"choices":[{"delta":{"content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}`)), enc)
	readClientStream(t, string(enc.Bytes()), false)
	if u, ok := g.Usage(); !ok || u.Total() != 3 {
		t.Errorf("usage %+v", u)
	}
}

func TestUsageTier(t *testing.T) {
	t.Parallel()
	s := usageOf(t, nil, `"choices":[],"service_tier":"flex","usage":{"prompt_tokens":1,"completion_tokens":2}`)
	if s.Tier != "flex" {
		t.Errorf("service_tier that comes last: %q", s.Tier)
	}
}

func TestUsageExtraIsBounded(t *testing.T) {
	t.Parallel()
	s := usageOf(t, nil, `"usage":{"prompt_tokens":1,"completion_tokens":2,"big":"`+strings.Repeat("x", maxExtra)+`","small":1}`)
	if s.Usage["big"] != nil || s.Usage["small"] != 1.0 {
		t.Error("further members of usage are not bounded")
	}
}
