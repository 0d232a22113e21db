package aiproxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/ai-proxy/caddy-ai-proxy/translate/openai"
)

// A provider may answer long before it has read the request. Then the transport still
// sends the body while the next request's is read into a buffer.
func TestBodiesAreNotReusedWhileTheyAreSent(t *testing.T) {
	t.Parallel()
	p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("User-Agent"), "early") {
			answerJSON(400, `{"error":{"message":"early"}}`)(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		fill := r.Header.Get("User-Agent")
		if err != nil || bytes.Count(body, []byte(fill)) != 40_000/len(fill) {
			http.Error(w, "the body is another's", http.StatusTeapot)
			return
		}
		answerJSON(200, answer)(w, r)
	}))
	t.Cleanup(p.Close)
	gateway := serve(t, "provider openai {\nbase_url "+p.URL+"/v1\n}")
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 25 {
				fill := fmt.Sprintf("<%d-%02d>", worker, i)
				body := strings.Replace(question, "hi", strings.Repeat(fill, 40_000/len(fill)), 1)
				if i%2 == 0 {
					chat(t, gateway, body, "User-Agent", "early")
				} else if r := chat(t, gateway, body, "User-Agent", fill); r.status != 200 {
					t.Errorf("%s: %d %s", fill, r.status, r.body)
				}
			}
		})
	}
	all.Wait()
}

func TestBufferGoesBackOnceAllHaveLetGo(t *testing.T) {
	t.Parallel()
	b := newBuffer()
	b.b = append(b.b, "hello"...)
	r := newBodyReader(b, openai.Join(b.b[:2], b.b[2:]))
	b.release()
	if got, err := io.ReadAll(r); string(got) != "hello" || err != nil || b.refs.Load() != 1 {
		t.Errorf("got %q (%v), %d references", got, err, b.refs.Load())
	}
	for range 2 {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := b.refs.Load(); n != 0 {
		t.Errorf("%d references after closing twice", n)
	}
	if _, err := r.Read(make([]byte, 1)); err != http.ErrBodyReadAfterClose {
		t.Errorf("reading a closed body: %v", err)
	}
	own := ownBuffer([]byte("x"))
	own.release()
	if n := own.refs.Load(); n < 1 {
		t.Errorf("bytes that others hold have %d references", n)
	}
}

func TestBodyReaderInSmallReads(t *testing.T) {
	t.Parallel()
	b := ownBuffer([]byte("one two three"))
	r := newBodyReader(b, openai.Join(b.b[:3], []byte(","), b.b[3:]))
	if err := iotest.TestReader(r, []byte("one, two three")); err != nil {
		t.Error(err)
	}
	if n, err := r.Read(nil); n != 0 || err != nil {
		t.Errorf("reading nothing: %d, %v", n, err)
	}
}

func TestReadBody(t *testing.T) {
	t.Parallel()
	gone, leave := context.WithCancel(t.Context())
	leave()
	for name, tc := range map[string]struct {
		ctx    context.Context
		src    io.Reader
		length int64
		want   string
		status int
		code   string
	}{
		"known length":               {t.Context(), strings.NewReader("hello"), 5, "hello", 0, ""},
		"unknown length":             {t.Context(), iotest.OneByteReader(strings.NewReader(strings.Repeat("x", 64))), -1, strings.Repeat("x", 64), 0, ""},
		"at the limit":               {t.Context(), strings.NewReader(strings.Repeat("x", 64)), 64, strings.Repeat("x", 64), 0, ""},
		"length over the limit":      {t.Context(), strings.NewReader(""), 65, "", 413, "request_too_large"},
		"over the limit":             {t.Context(), strings.NewReader(strings.Repeat("x", 65)), -1, "", 413, "request_too_large"},
		"limit of Caddy":             {t.Context(), iotest.ErrReader(&http.MaxBytesError{Limit: 3}), -1, "", 413, "request_too_large"},
		"too slow":                   {t.Context(), iotest.ErrReader(os.ErrDeadlineExceeded), -1, "", 408, "request_timeout"},
		"broken off":                 {t.Context(), iotest.ErrReader(io.ErrUnexpectedEOF), 5, "", 499, ""},
		"client gone":                {gone, iotest.ErrReader(errors.New("x")), 5, "", 499, ""},
		"nobody knows what happened": {t.Context(), iotest.ErrReader(errors.New("x")), 5, "", 400, "invalid_body"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req, err := http.NewRequestWithContext(tc.ctx, http.MethodPost, "/", tc.src)
			if err != nil {
				t.Fatal(err)
			}
			req.ContentLength = tc.length
			b, failed := readBody(req, 64)
			switch {
			case failed != nil:
				if failed.Status != tc.status || failed.Code != tc.code {
					t.Errorf("got %+v", failed)
				}
			case tc.status != 0 || string(b.b) != tc.want:
				t.Errorf("got %q", b.b)
			}
		})
	}
}

func TestClaimedLengthIsNotBelieved(t *testing.T) {
	t.Parallel()
	b := new(buffer)
	if err := b.readAll(strings.NewReader("x"), 1<<40, 1<<40); err != nil || cap(b.b) > firstBody {
		t.Errorf("%d bytes were allocated for one (%v)", cap(b.b), err)
	}
}
