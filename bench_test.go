package aiproxy

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

// canned answers every request with the same bytes, without a network.
type canned struct {
	contentType string
	body        []byte
}

func (c *canned) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	_ = r.Body.Close()
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {c.contentType}}, ContentLength: int64(len(c.body)),
		Body: io.NopCloser(bytes.NewReader(c.body)),
	}, nil
}

// discard is a client that reads and forgets.
type discard struct {
	header http.Header
	status int
	n      int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(p []byte) (int, error) { d.n += len(p); return len(p), nil }
func (d *discard) FlushError() error           { return nil }

// benchCase is one kind of request with the provider's answer.
type benchCase struct {
	request, contentType, answer string
	// budget is how many allocations a request may cost.
	budget float64
}

func benchCases() map[string]benchCase {
	prompt := strings.Repeat("All work and no play makes Jack a dull boy. ", 5000)
	ask := func(model, rest string) string {
		return `{"model":"` + model + `","messages":[{"role":"user","content":"hi"}]` + rest + `}`
	}
	claudeStream := `data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-opus-4-5","content":[],"stop_reason":null,"usage":{"input_tokens":5,"output_tokens":1}}}` + "\n\n" +
		`data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}` + "\n\n" +
		strings.Repeat(`data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"token by token"}}`+"\n\n", 64) +
		`data: {"type":"content_block_stop","index":0}` + "\n\n" +
		`data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":64}}` + "\n\n" +
		`data: {"type":"message_stop"}` + "\n\n"
	geminiStream := strings.Repeat(`data: {"candidates":[{"content":{"parts":[{"text":"token by token"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":9,"totalTokenCount":14},"modelVersion":"gemini-2.5-flash","responseId":"r"}`+"\n\n", 64) +
		`data: {"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":9,"totalTokenCount":14},"modelVersion":"gemini-2.5-flash","responseId":"r"}` + "\n\n"
	return map[string]benchCase{
		"pass JSON":              {ask("gpt-4o", ""), "application/json", answer, 46},
		"pass JSON 200 KB":       {ask("gpt-4o", `,"user":"`+prompt+`"`), "application/json", answer, 46},
		"pass stream":            {ask("gpt-4o", `,"stream":true`), "text/event-stream", roleChunk + strings.Repeat(textChunk, 64) + finishChunk + usageChunk + done, 58},
		"normalised stream":      {ask("deepseek-chat", `,"stream":true`), "text/event-stream", roleChunk + strings.Repeat(textChunk, 64) + finishChunk + usageChunk + done, 95},
		"Anthropic stream":       {ask("claude-opus-4-5", `,"stream":true`), "text/event-stream", claudeStream, 150},
		"Gemini stream":          {ask("gemini-2.5-flash", `,"stream":true`), "text/event-stream", geminiStream, 110},
		"Anthropic JSON, 200 KB": {ask("claude-opus-4-5", `,"user":"`+prompt+`"`), "application/json", `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":5,"output_tokens":1}}`, 145},
	}
}

// bench returns a function that serves one request of the case.
func (c benchCase) bench(tb testing.TB) func() {
	h := loadHandler(tb, "")
	h.transport = &canned{contentType: c.contentType, body: []byte(c.answer)}
	header := http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer client-key-0123456789"}, "User-Agent": {"OpenAI/Python"}}
	body := []byte(c.request)
	return func() {
		r, err := http.NewRequest(http.MethodPost, "/v1/chat/completions", bytes.NewReader(body))
		if err != nil {
			tb.Fatal(err)
		}
		r.Header = header
		w := &discard{header: http.Header{}}
		if err := h.ServeHTTP(w, withCaddy(r), nil); err != nil {
			tb.Fatal(err)
		}
		if w.status != 200 || w.n < len(answer) {
			tb.Fatalf("status %d, %d bytes", w.status, w.n)
		}
	}
}

func BenchmarkServe(b *testing.B) {
	for name, c := range benchCases() {
		b.Run(name, func(b *testing.B) {
			serveOne := c.bench(b)
			b.ReportAllocs()
			for b.Loop() {
				serveOne()
			}
		})
	}
}

// TestAllocationBudgets keeps what a request costs from creeping up. What the test
// itself allocates for a request (17 allocations) is part of it.
func TestAllocationBudgets(t *testing.T) {
	for name, c := range benchCases() {
		serveOne := c.bench(t)
		serveOne() // fills the pools
		if got := testing.AllocsPerRun(50, serveOne); got > c.budget*poolFactor {
			t.Errorf("%s: %.0f allocations, the budget is %.0f", name, got, c.budget*poolFactor)
		}
	}
}
