package aiproxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// roundTrip is a transport that a test scripts.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// scripted is a handler whose providers are reached over a transport without a network,
// so that its clock may be a false one.
func scripted(t *testing.T, block string) *Handler {
	t.Helper()
	h := loadHandler(t, "reasoning_memory off\n"+block)
	h.transport = roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("not scripted") })
	return h
}

// openStream is an upstream answer that the test writes to. It breaks off when the
// request is cancelled, as the body of a real one does.
func openStream(req *http.Request) (*http.Response, *io.PipeWriter) {
	r, w := io.Pipe()
	context.AfterFunc(req.Context(), func() { _ = r.CloseWithError(req.Context().Err()) })
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": headerSSE}, Body: r, ContentLength: -1}, w
}

// send writes all of text to the provider's answer.
func send(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Errorf("the provider's answer is not read any more: %v", err)
	}
}

// serveOn runs one chat request through the handler.
func serveOn(ctx context.Context, h *Handler, w http.ResponseWriter, body string) error {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/chat/completions", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer client-key-0123456789")
	return h.ServeHTTP(w, withCaddy(r), caddyhttp.HandlerFunc(func(http.ResponseWriter, *http.Request) error { return errors.New("next") }))
}

// reader is who an answer goes to, while a test looks at what has arrived.
type reader struct {
	mu sync.Mutex
	w  *httptest.ResponseRecorder
}

func (c *reader) Header() http.Header { return c.w.Header() }

func (c *reader) WriteHeader(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.w.WriteHeader(status)
}

func (c *reader) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.w.Write(b)
}

func (c *reader) Flush() {}

// text is what has arrived.
func (c *reader) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.w.Body.String()
}

// streaming starts a streamed chat request and returns what the provider writes to, and
// where the answer goes.
func streaming(t *testing.T, h *Handler) (up *io.PipeWriter, down *reader) {
	t.Helper()
	h.transport = roundTrip(func(req *http.Request) (*http.Response, error) {
		resp, w := openStream(req)
		up = w
		return resp, nil
	})
	down = &reader{w: httptest.NewRecorder()}
	go func() {
		if err := serveOn(t.Context(), h, down, streamed); err != nil {
			t.Errorf("ServeHTTP: %v", err)
		}
	}()
	synctest.Wait()
	return up, down
}

func TestHeaderIsHeldUntilContentOrTheHoldEnds(t *testing.T) {
	t.Parallel()
	h := scripted(t, "provider openai\nheader_hold 5s")
	synctest.Test(t, func(t *testing.T) {
		up, down := streaming(t, h)
		send(t, up, roleChunk)
		time.Sleep(5*time.Second - time.Millisecond)
		synctest.Wait()
		if got := down.text(); got != "" {
			t.Fatalf("the answer was begun before there was content: %q", got)
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if got := down.text(); got != plain(roleChunk) {
			t.Errorf("after the hold the client has %q", got)
		}
		send(t, up, "data: {\"error\":{\"message\":\"late\"}}\n\n")
		synctest.Wait()
		if got := down.text(); !strings.Contains(got, `"message":"late"`) || strings.Contains(got, "[DONE]") {
			t.Errorf("a failure after the hold is told as %q", got)
		}
	})
}

func TestMuchHeldBackEndsTheHold(t *testing.T) {
	t.Parallel()
	h := scripted(t, "provider openai")
	synctest.Test(t, func(t *testing.T) {
		up, down := streaming(t, h)
		for range 1 + maxHeld/len(plain(roleChunk)) {
			send(t, up, roleChunk)
		}
		synctest.Wait()
		if down.text() == "" {
			t.Error("more than the bound was held back")
		}
		_ = up.CloseWithError(io.ErrUnexpectedEOF)
	})
}

func TestSilenceIsBridgedByComments(t *testing.T) {
	t.Parallel()
	for name, block := range map[string]string{
		"hold shorter than the silence": "header_hold 1s\nkeep_alive 2s",
		"hold longer than the silence":  "header_hold 1h\nkeep_alive 2s",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := scripted(t, "provider openai\n"+block)
			synctest.Test(t, func(t *testing.T) {
				up, down := streaming(t, h)
				send(t, up, roleChunk+textChunk)
				time.Sleep(4500 * time.Millisecond)
				send(t, up, finishChunk)
				synctest.Wait()
				const comment = ": keep-alive\n"
				if got, want := down.text(), plain(roleChunk+textChunk)+comment+comment+plain(finishChunk); got != want {
					t.Errorf("got\n%q\nwant\n%q", got, want)
				}
				send(t, up, done)
				synctest.Wait()
				time.Sleep(time.Minute)
				if got := down.text(); !strings.HasSuffix(got, plain(finishChunk)+done) {
					t.Errorf("the stream ends with %q", got)
				}
			})
		})
	}
}

func TestNoCommentsIfTurnedOff(t *testing.T) {
	t.Parallel()
	h := scripted(t, "provider openai\nkeep_alive off")
	synctest.Test(t, func(t *testing.T) {
		up, down := streaming(t, h)
		send(t, up, roleChunk)
		time.Sleep(time.Hour)
		send(t, up, textChunk)
		time.Sleep(time.Hour)
		synctest.Wait()
		if got, want := down.text(), plain(roleChunk+textChunk); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		send(t, up, finishChunk+done)
		_ = up.Close()
	})
}

func TestNothingFollowsDone(t *testing.T) {
	t.Parallel()
	h := scripted(t, "provider openai\nheader_hold 10ms\nkeep_alive 20ms")
	synctest.Test(t, func(t *testing.T) {
		up, down := streaming(t, h)
		send(t, up, roleChunk+textChunk+finishChunk+done) // and stays open
		time.Sleep(time.Second)
		synctest.Wait()
		if got, want := down.text(), plain(roleChunk+textChunk+finishChunk)+done; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestTranslatedStreamEndsWithItsLastEvent(t *testing.T) {
	t.Parallel()
	h := scripted(t, "provider anthropic\nmodel gpt-4o anthropic/claude-sonnet-4-5\nkeep_alive 20ms")
	synctest.Test(t, func(t *testing.T) {
		up, down := streaming(t, h)
		send(t, up, claudeStream) // and stays open
		synctest.Wait()
		if got := down.text(); !strings.HasSuffix(got, done) {
			t.Errorf("the end waits for the connection's: %q", got)
		}
		time.Sleep(time.Second)
		if got := down.text(); !strings.HasSuffix(got, done) {
			t.Errorf("something follows the end: %q", got)
		}
		_ = up.Close()
	})
}

const claudeStream = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-sonnet-4-5\",\"content\":[],\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\n\n" +
	"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n" +
	"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hello\"}}\n\n" +
	"event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n" +
	"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":5}}\n\n" +
	"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"

// The clock must not begin an answer whose failure has been returned already: another
// deployment, or an HTTP status, is going to tell it.
func TestClockDoesNotCommitAFailedStream(t *testing.T) {
	t.Parallel()
	down := httptest.NewRecorder()
	x := newExchange(&Handler{HeaderHold: caddy.Duration(time.Hour), KeepAlive: -1, logger: zap.NewNop()}, down, httptest.NewRequest(http.MethodPost, "/", nil))
	s := newStream(x, func() {})
	s.add(func(out []byte) []byte { return append(out, roleChunk...) })
	failure := translate.UpstreamError("gone")
	if err := s.fail(failure, false); err != failure {
		t.Fatalf("the failure came back as %v", err)
	}
	s.tick()
	s.close()
	if x.committed || down.Body.Len() > 0 {
		t.Errorf("committed %v, written %q", x.committed, down.Body)
	}
	x.release()
}

// deaf is a client that takes no more.
type deaf struct{ *httptest.ResponseRecorder }

func (deaf) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

// unflushable hides that a writer can flush, as some middleware does.
type unflushable struct{ w *httptest.ResponseRecorder }

func (u unflushable) Header() http.Header         { return u.w.Header() }
func (u unflushable) Write(b []byte) (int, error) { return u.w.Write(b) }
func (u unflushable) WriteHeader(status int)      { u.w.WriteHeader(status) }

func TestWriterThatCannotFlushGetsTheWholeAnswer(t *testing.T) {
	t.Parallel()
	h := scripted(t, "provider openai")
	synctest.Test(t, func(t *testing.T) {
		h.transport = roundTrip(func(req *http.Request) (*http.Response, error) {
			resp, up := openStream(req)
			go func() {
				for _, part := range []string{roleChunk, textChunk, finishChunk, done} {
					send(t, up, part)
				}
				_ = up.Close()
			}()
			return resp, nil
		})
		down := httptest.NewRecorder()
		if err := serveOn(t.Context(), h, unflushable{down}, streamed); err != nil {
			t.Fatal(err)
		}
		if got, want := down.Body.String(), plain(roleChunk+textChunk+finishChunk)+done; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
