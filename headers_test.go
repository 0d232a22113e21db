package aiproxy

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestHeadersOfTheConnectionStayThere(t *testing.T) {
	t.Parallel()
	from := http.Header{
		"Connection": {"X-Hop, keep-alive", "x-other"}, "X-Hop": {"1"}, "X-Other": {"1"}, "Keep-Alive": {"timeout=5"}, "Trailer": {"X-Sum"}, "Te": {"trailers"},
		"Set-Cookie": {"a=b"}, "Cf-Ray": {"1"}, "Server": {"x"}, "Alt-Svc": {"h3"}, "Access-Control-Max-Age": {"1"}, "Access-Control-Allow-Private-Network": {"true"},
		"Clear-Site-Data": {`"*"`}, "Content-Security-Policy": {"x"}, "Refresh": {"0"}, "Link": {"<x>"}, "Content-Length": {"3"}, "Content-Encoding": {"br"},
		"X-Ai-Proxy-Dropped":   {"of another gateway"},
		"Openai-Processing-Ms": {"5"}, "X-Ratelimit-Remaining-Requests": {"7"}, "Retry-After": {"3"}, "X-Request-Id": {"req-1"},
	}
	w := httptest.NewRecorder()
	x := newExchange(&Handler{logger: nopLogger}, w, httptest.NewRequest(http.MethodGet, "/", nil))
	x.copyHeaders(from)
	want := map[string]string{"Openai-Processing-Ms": "5", "X-Ratelimit-Remaining-Requests": "7", "Retry-After": "3", "X-Request-Id": "req-1", "X-Ai-Proxy-Upstream-Request-Id": "req-1"}
	for name, value := range want {
		if got := w.Header().Get(name); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
	for name, values := range w.Header() {
		if want[name] == "" {
			t.Errorf("%s was passed on: %q", name, values)
		}
	}
	x.release()
}

func TestRetryAfterIsReadAsTheSDKsDo(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tc := range []struct {
		name, value string
		want        time.Duration
	}{
		{"Retry-After-Ms", "1500.5", 1500500 * time.Microsecond},
		{"Retry-After-Ms", "-1", 0},
		{"Retry-After-Ms", "NaN", 0},
		{"Retry-After", "2.5", 2500 * time.Millisecond},
		{"Retry-After", "0", 0},
		{"Retry-After", "1e300", 0},
		{"Retry-After", "NaN", 0},
		{"Retry-After", "soon", 0},
		{"Retry-After", "", 0},
		{"Retry-After", now.Add(time.Minute).Format(http.TimeFormat), time.Minute},
		{"Retry-After", now.Add(-time.Minute).Format(http.TimeFormat), 0},
	} {
		if got := retryAfter(http.Header{tc.name: {tc.value}}, now); got != tc.want {
			t.Errorf("%s: %s is %v, want %v", tc.name, tc.value, got, tc.want)
		}
	}
	h := http.Header{}
	setRetryAfter(h, 1500*time.Millisecond)
	if h.Get("Retry-After") != "2" || h.Get("Retry-After-Ms") != "1500" {
		t.Errorf("1.5s is told as %v", h)
	}
}

func TestRequestIDsOfProviders(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"X-Request-Id", "Request-Id", "X-Amzn-Requestid", "Apim-Request-Id"} {
		if got := requestID(http.Header{name: {"id"}}); got != "id" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := requestID(http.Header{"X-Request-Id": {""}}); got != "" {
		t.Errorf("an empty id is %q", got)
	}
}

func TestShortKeysAreNoReasonToBlackenText(t *testing.T) {
	t.Parallel()
	if got := redact("a key of mine", "a", "", "key"); got != "a key of mine" {
		t.Errorf("got %q", got)
	}
	if got := redact("Bearer 12345678.", "12345678"); got != "Bearer [redacted]." {
		t.Errorf("got %q", got)
	}
	if containsKey([]string{"x"}, []string{"", "x"}) {
		t.Error("an empty key stands everywhere")
	}
}

// rewriter changes response headers in place when they are sent, as Caddy's header
// directive does with a deferred replacement.
type rewriter struct{ http.ResponseWriter }

func (w rewriter) WriteHeader(status int) {
	for _, values := range w.Header() {
		for i := range values {
			values[i] = "rewritten"
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w rewriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func TestHeadersOfOneAnswerAreItsOwn(t *testing.T) {
	stream, whole := newProvider(t, answerSSE(roleChunk, textChunk, finishChunk, done)), newProvider(t, answerJSON(200, answer))
	for name, tc := range map[string]struct {
		provider     *provider
		method, path string
		body         string
	}{
		"stream": {stream, http.MethodPost, "/v1/chat/completions", streamed},
		"answer": {whole, http.MethodPost, "/v1/chat/completions", question},
		"error":  {whole, http.MethodPost, "/v1/chat/completions", "{}"},
		"models": {whole, http.MethodGet, "/v1/models", ""},
		"passed": {whole, http.MethodGet, "/v1/files", ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := loadHandler(t, openaiAt(tc.provider))
			r := httptest.NewRequest(tc.method, tc.path, strings.NewReader(tc.body))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer client-key-0123456789")
			if err := h.ServeHTTP(rewriter{httptest.NewRecorder()}, withCaddy(r), nil); err != nil {
				t.Fatal(err)
			}
		})
	}
	if headerJSON[0] != typeJSON || headerSSE[0] != typeSSE {
		t.Errorf("a header of all requests was changed: %q, %q", headerJSON, headerSSE)
	}
	r := chat(t, serve(t, openaiAt(whole)), "{}")
	if got := r.header.Get("Content-Type"); got != typeJSON {
		t.Errorf("the next answer has the content type %q", got)
	}
}
