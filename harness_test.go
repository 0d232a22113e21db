package aiproxy

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		if leaked := leakedGoroutines(); leaked != "" {
			_, _ = os.Stderr.WriteString("goroutines leaked:\n" + leaked)
			code = 1
		}
	}
	os.Exit(code)
}

// leakedGoroutines returns the stacks of goroutines that still run this module's code
// when all tests are over, giving them five seconds to end.
func leakedGoroutines() string {
	buf := make([]byte, 4<<20)
	var leaked []string
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); runtime.Gosched() {
		leaked = leaked[:0]
		stacks := strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")
		for _, stack := range stacks[1:] {
			if strings.Contains(stack, "caddy-ai-proxy") {
				leaked = append(leaked, stack)
			}
		}
		if len(leaked) == 0 {
			return ""
		}
	}
	return strings.Join(leaked, "\n\n") + "\n"
}

// loadHandler provisions the handler that a Caddyfile block describes.
func loadHandler(t testing.TB, block string) *Handler {
	t.Helper()
	h := new(Handler)
	if err := h.UnmarshalCaddyfile(caddyfile.NewTestDispenser("ai_proxy {\n" + block + "\n}")); err != nil {
		t.Fatalf("parsing the block: %v", err)
	}
	ctx, cancel := caddy.NewContext(caddy.Context{Context: context.Background()})
	t.Cleanup(cancel)
	mod, err := ctx.LoadModuleByID("http.handlers.ai_proxy", caddyconfig.JSON(h, nil))
	if err != nil {
		t.Fatalf("loading the handler: %v", err)
	}
	h = mod.(*Handler)
	h.logger = zap.NewNop()
	return h
}

// serve starts a server with the handler and returns its address. Requests that are
// not the gateway's get status 418.
func serve(t testing.TB, block string) string {
	t.Helper()
	return serveHandler(t, loadHandler(t, block))
}

// serveHandler is serve with a handler that is loaded already.
func serveHandler(t testing.TB, h *Handler) string {
	t.Helper()
	next := caddyhttp.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusTeapot)
		return nil
	})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h.ServeHTTP(w, withCaddy(r), next); err != nil {
			t.Errorf("ServeHTTP: %v", err)
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// serveRecorded runs a chat request through the handler with the replacer of the caller.
func serveRecorded(t testing.TB, h *Handler, body string, repl *caddy.Replacer) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer client-key-0123456789")
	w := httptest.NewRecorder()
	r = withCaddy(r)
	if err := h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), caddy.ReplacerCtxKey, repl)), nil); err != nil {
		t.Fatal(err)
	}
	return w
}

// withCaddy gives a request what Caddy's server puts into its context.
func withCaddy(r *http.Request) *http.Request {
	ctx := context.WithValue(r.Context(), caddy.ReplacerCtxKey, caddy.NewReplacer())
	return r.WithContext(context.WithValue(ctx, caddyhttp.VarsCtxKey, map[string]any{}))
}

// provider is an upstream that a test scripts.
type provider struct {
	*httptest.Server
	mu   sync.Mutex
	seen []seenRequest
}

type seenRequest struct {
	method, path string
	header       http.Header
	body         []byte
}

// newProvider starts an upstream that answers with answer.
func newProvider(t testing.TB, answer http.HandlerFunc) *provider {
	t.Helper()
	p := new(provider)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("reading the upstream request: %v", err)
		}
		p.mu.Lock()
		p.seen = append(p.seen, seenRequest{method: r.Method, path: r.URL.RequestURI(), header: r.Header.Clone(), body: body})
		p.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *provider) requests() []seenRequest {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]seenRequest(nil), p.seen...)
}

// the one request that the provider must have seen.
func (p *provider) request(t testing.TB) seenRequest {
	t.Helper()
	seen := p.requests()
	if len(seen) != 1 {
		t.Fatalf("the provider saw %d requests, want 1", len(seen))
	}
	return seen[0]
}

// answerJSON answers with a JSON body.
func answerJSON(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// answerSSE answers with a stream, each part flushed.
func answerSSE(parts ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, part := range parts {
			_, _ = io.WriteString(w, part)
			w.(http.Flusher).Flush()
		}
	}
}

type reply struct {
	status int
	header http.Header
	body   string
	err    error // of reading the body
}

// call sends a request to the gateway.
func call(t testing.TB, method, url, body string, header ...string) reply {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return reply{status: resp.StatusCode, header: resp.Header, body: string(b), err: err}
}

// chat posts a chat request with a client's key.
func chat(t testing.TB, gateway, body string, header ...string) reply {
	t.Helper()
	return call(t, http.MethodPost, gateway+"/v1/chat/completions", body, append([]string{"Authorization", "Bearer client-key-0123456789"}, header...)...)
}

type envelope struct {
	Error struct {
		Message, Type string
		Param, Code   *string
	}
}

// wantError checks that the reply is an error in OpenAI's envelope, with all its keys.
func wantError(t testing.TB, r reply, status int, code, param string) envelope {
	t.Helper()
	var e envelope
	dec := json.NewDecoder(strings.NewReader(r.body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&e); err != nil {
		t.Fatalf("status %d, not an envelope (%v): %s", r.status, err, r.body)
	}
	for _, key := range []string{`"message"`, `"type"`, `"param"`, `"code"`} {
		if !bytes.Contains([]byte(r.body), []byte(key)) {
			t.Errorf("the envelope lacks %s: %s", key, r.body)
		}
	}
	if r.status != status || deref(e.Error.Code) != code || deref(e.Error.Param) != param {
		t.Errorf("got status %d, code %q, param %q (%s); want %d, %q, %q", r.status, deref(e.Error.Code), deref(e.Error.Param), e.Error.Message, status, code, param)
	}
	if e.Error.Message == "" || e.Error.Type == "" {
		t.Errorf("empty message or type: %s", r.body)
	}
	return e
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

var nopLogger = zap.NewNop()
