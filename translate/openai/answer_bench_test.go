package openai

import (
	"strconv"
	"strings"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// benchChunks are the events of a stream as OpenAI sends them: 64 with text between
// the role and the finish.
func benchChunks(delta func(i int) string) [][]byte {
	const head = `{"id":"chatcmpl-AbCdEfGhIjKlMnOpQrStUvWx","object":"chat.completion.chunk","created":1731368640,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_0ba0d124f1","choices":[`
	const tail = `],"usage":null,"obfuscation":"dZxXZ1a"}`
	chunks := [][]byte{[]byte(head + `{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}` + tail)}
	for i := range 64 {
		chunks = append(chunks, []byte(head+`{"index":0,"delta":`+delta(i)+`,"logprobs":null,"finish_reason":null}`+tail))
	}
	return append(chunks,
		[]byte(head+`{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}`+tail),
		[]byte(strings.TrimSuffix(head, "[")+`[],"usage":{"prompt_tokens":26,"completion_tokens":64,"total_tokens":90,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}`),
		[]byte("[DONE]"))
}

func textDelta(i int) string { return `{"content":" word` + strconv.Itoa(i) + `\n"}` }

// runChunks sends the events through, taking the bytes after each as a handler does.
func runChunks(q *Quirks, chunks [][]byte, enc translate.Encoder) (n int) {
	g := &translate.Guard{Out: enc, ID: "chatcmpl-own", Model: "m", Created: 1}
	dec := NewDecoder(q)
	for _, c := range chunks {
		dec.Event(c, nil, g)
		n += len(enc.Bytes())
		enc.Reset()
	}
	g.End()
	return n + len(enc.Bytes())
}

func BenchmarkAnswerStream(b *testing.B) {
	for name, delta := range map[string]func(int) string{
		"text": textDelta,
		"reasoning": func(i int) string {
			return `{"content":"","reasoning":"w","reasoning_details":[{"type":"reasoning.text","text":"w","format":"anthropic-claude-v1","index":0}]}`
		},
		"tool": func(i int) string {
			return `{"tool_calls":[{"index":0,"id":"call_1","function":{"name":"f","arguments":"{\"a\":"}}]}`
		},
	} {
		b.Run(name, func(b *testing.B) {
			chunks := benchChunks(delta)
			total := 0
			for _, c := range chunks {
				total += len(c)
			}
			b.SetBytes(int64(total))
			b.ReportAllocs()
			for b.Loop() {
				runChunks(nil, chunks, NewStreamEncoder(StreamOptions{IncludeUsage: true}))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(chunks)), "ns/chunk")
		})
	}
}

func BenchmarkAnswerBody(b *testing.B) {
	chunks := benchChunks(textDelta)
	b.ReportAllocs()
	for b.Loop() {
		runChunks(nil, chunks, NewBodyEncoder(0))
	}
}

// A chunk of text, reasoning or arguments costs no allocation on its way.
func TestAnswerStreamAllocations(t *testing.T) {
	for name, delta := range map[string]string{
		"text":               `{"content":" word\n"}`,
		"reasoning":          `{"content":"","reasoning_content":"w"}`,
		"reasoning details":  `{"content":"","role":"assistant","reasoning":"w","reasoning_details":[{"type":"reasoning.text","text":"w","format":"f","index":0}]}`,
		"arguments":          `{"tool_calls":[{"index":0,"id":"","function":{"name":"","arguments":"{\"a\":"}}]}`,
		"arguments as JSON":  `{"tool_calls":[{"index":0,"function":{"arguments":{"a":1}}}]}`,
		"parts":              `{"content":[{"type":"text","text":"w"}]}`,
		"half a character":   `{"content":"\ud83d"}`,
		"behind a think tag": `{"content":"</think>w"}`,
	} {
		t.Run(name, func(t *testing.T) {
			enc := NewStreamEncoder(StreamOptions{IncludeUsage: true})
			g := &translate.Guard{Out: enc, ID: "chatcmpl-own", Model: "m", Created: 1}
			dec := NewDecoder(&Quirks{ThinkTags: strings.Contains(name, "think")})
			chunk := []byte(`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":"fp","citations":["a"],"choices":[{"index":0,"delta":` + delta +
				`,"logprobs":null,"finish_reason":null}],"usage":{"prompt_tokens":1,"completion_tokens":2,"cost":0.1},"obfuscation":"dZxXZ1a"}`)
			dec.Event([]byte(`{"choices":[{"delta":{"content":"<think>","tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":""}}]}}]}`), nil, g)
			if got := testing.AllocsPerRun(200, func() {
				dec.Event(chunk, nil, g)
				enc.Bytes()
				enc.Reset()
			}); got != 0 {
				t.Errorf("%v allocations", got)
			}
		})
	}
}

func TestAnswerStreamBudget(t *testing.T) {
	chunks := benchChunks(textDelta)
	got := testing.AllocsPerRun(20, func() { runChunks(nil, chunks, NewStreamEncoder(StreamOptions{})) })
	if perChunk := got / float64(len(chunks)); perChunk > 0.5 {
		t.Errorf("%v allocations for a stream of %d events", got, len(chunks))
	}
}
