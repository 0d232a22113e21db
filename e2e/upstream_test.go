package e2e

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// call is a request that has reached a fake provider, and the means to answer it.
type call struct {
	method, path, query string
	header              http.Header
	body                []byte
	model               string
	stream              bool
	at                  time.Time
	// gone is closed when the gateway has left, or the answer is complete.
	gone <-chan struct{}
	w    http.ResponseWriter
}

// script answers a call.
type script func(c *call)

// begin sends the header of the answer.
func (c *call) begin(status int, contentType string) {
	if contentType == "" {
		c.w.Header()["Content-Type"] = nil // none, instead of a guess
	} else {
		c.w.Header().Set("Content-Type", contentType)
	}
	c.w.WriteHeader(status)
	c.flush()
}

func (c *call) beginStream() { c.begin(http.StatusOK, "text/event-stream") }

// send sends each part by itself. It reports whether the gateway took them.
func (c *call) send(parts ...string) bool {
	for _, p := range parts {
		if _, err := io.WriteString(c.w, p); err != nil || !c.flush() {
			return false
		}
	}
	return true
}

func (c *call) flush() bool { return http.NewResponseController(c.w).Flush() == nil }

// json answers with a whole body.
func (c *call) json(status int, body string) {
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(status)
	_, _ = io.WriteString(c.w, body) // the gateway may be gone
}

// hold waits until release is closed, or the gateway is gone, of which it tells.
func (c *call) hold(release <-chan struct{}) bool {
	select {
	case <-release:
		return true
	case <-c.gone:
		return false
	}
}

// abort closes the connection as a crashed server's kernel does, without any end of the
// answer.
func (c *call) abort() { panic(http.ErrAbortHandler) }

// reset resets the connection.
func (c *call) reset() {
	conn, _, err := http.NewResponseController(c.w).Hijack()
	if err != nil {
		c.abort()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // makes Close send a reset
	}
	conn.Close()
}

// upstream is a fake provider. It answers by the name of the model.
type upstream struct {
	url    string
	server *httptest.Server

	mu      sync.Mutex
	scripts map[string]script
	other   script
	calls   []*call
	more    chan struct{} // closed and replaced whenever there is another call
}

func newUpstream(t *testing.T) *upstream {
	t.Helper()
	u := &upstream{scripts: map[string]script{}, more: make(chan struct{})}
	u.server = httptest.NewServer(u)
	u.url = u.server.URL
	t.Cleanup(func() {
		u.server.CloseClientConnections()
		u.server.Close()
	})
	return u
}

// on says how calls for a model are answered.
func (u *upstream) on(model string, s script) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.scripts[model] = s
}

var modelInPath = regexp.MustCompile(`/models/(.+):(generateContent|streamGenerateContent)$`)

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the gateway left while it was sending
	}
	c := &call{method: r.Method, path: r.URL.Path, query: r.URL.RawQuery, header: r.Header.Clone(), body: body, at: time.Now(), gone: r.Context().Done(), w: w}
	c.header.Set("Host", r.Host)
	var head struct {
		Model  string
		Stream bool
	}
	if json.Unmarshal(body, &head) == nil {
		c.model, c.stream = head.Model, head.Stream
	}
	if m := modelInPath.FindStringSubmatch(c.path); m != nil {
		c.model, c.stream = m[1], m[2] == "streamGenerateContent"
	}
	u.mu.Lock()
	u.calls = append(u.calls, c)
	answer, ok := u.scripts[c.model]
	if !ok {
		answer = u.other
	}
	close(u.more)
	u.more = make(chan struct{})
	u.mu.Unlock()
	if answer == nil {
		c.json(http.StatusNotFound, `{"error":{"message":"the fake provider has no such model","type":"invalid_request_error","param":"model","code":"model_not_found"}}`)
		return
	}
	answer(c)
}

// seen returns the calls for a model, or all if it is "".
func (u *upstream) seen(model string) []*call {
	u.mu.Lock()
	defer u.mu.Unlock()
	var calls []*call
	for _, c := range u.calls {
		if model == "" || c.model == model {
			calls = append(calls, c)
		}
	}
	return calls
}

// wait returns the nth call for a model, waiting for it if need be.
func (u *upstream) wait(t *testing.T, model string, n int) *call {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		u.mu.Lock()
		more := u.more
		u.mu.Unlock()
		if calls := u.seen(model); len(calls) >= n {
			return calls[n-1]
		}
		select {
		case <-more:
		case <-limit.C:
			t.Fatalf("call %d for %q did not reach the provider", n, model)
		}
	}
}

// What fake providers say.

// delta is an event with a piece of text.
func delta(text string) string {
	return event(`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"fake","choices":[{"index":0,"delta":{"content":` + quote(text) + `},"logprobs":null,"finish_reason":null}]}`)
}

// Events that begin and end the stream of a fake provider.
var (
	roleEvent   = event(`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"fake","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}`)
	finishEvent = event(`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"fake","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}`)
	usageEvent  = event(`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"fake","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8}}`)
	doneEvent   = event("[DONE]")
)

func event(data string) string { return "data: " + data + "\n\n" }

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// completion is a whole answer.
func completion(text string) string {
	return `{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"fake","choices":[{"index":0,"message":{"role":"assistant","content":` + quote(text) +
		`,"refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8}}`
}

// reply answers a chat request with a text, in the form that was asked for.
func reply(text string) script {
	return func(c *call) {
		if !c.stream {
			c.json(http.StatusOK, completion(text))
			return
		}
		c.beginStream()
		c.send(roleEvent, delta(text), finishEvent, usageEvent, doneEvent)
	}
}

// ask is the body of a chat request.
func ask(model string, stream bool, more ...string) []byte {
	body := `{"model":` + quote(model) + `,"messages":[{"role":"user","content":"Hello"}]`
	if stream {
		body += `,"stream":true`
	}
	for _, m := range more {
		body += "," + m
	}
	return []byte(body + "}")
}

// joined returns one string of everything in a call.
func (c *call) joined() string {
	var b strings.Builder
	b.WriteString(c.method + " " + c.path + "?" + c.query + "\n")
	_ = c.header.Write(&b) // a strings.Builder takes everything
	b.WriteString("\n")
	b.Write(c.body)
	return b.String()
}
