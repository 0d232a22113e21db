package aiproxy

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// The clock of these tests stands still unless somebody waits for it: what has happened
// when it has not moved was done at once.
func TestClientThatLeavesCancelsTheProvider(t *testing.T) {
	t.Parallel()
	claude := "provider anthropic\nmodel gpt-4o anthropic/claude-sonnet-4-5"
	for name, tc := range map[string]struct {
		block, body string
		header      bool // the provider has sent its header
		sent        string
		status      int
	}{
		"before the header":                    {"provider openai", streamed, false, "", 499},
		"before the header, not a stream":      {"provider openai", question, false, "", 499},
		"before content":                       {"provider openai", streamed, true, roleChunk, 499},
		"in the middle of the stream":          {"provider openai", streamed, true, roleChunk + textChunk, 200},
		"in the middle of an answer":           {"provider openai", question, true, answer[:40], 499},
		"translated, before the header":        {claude, streamed, false, "", 499},
		"translated, before content":           {claude, streamed, true, claudeStream[:300], 499},
		"translated, in the middle of text":    {claude, streamed, true, claudeStream[:len(claudeStream)-200], 200},
		"translated, in the middle, no stream": {claude, question, true, `{"id":"msg_1",`, 499},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := scripted(t, tc.block)
			synctest.Test(t, func(t *testing.T) {
				cancelled := false
				h.transport = roundTrip(func(req *http.Request) (*http.Response, error) {
					context.AfterFunc(req.Context(), func() { cancelled = true })
					if !tc.header {
						<-req.Context().Done()
						return nil, req.Context().Err()
					}
					resp, up := openStream(req)
					if tc.body == question {
						resp.Header = http.Header{"Content-Type": headerJSON}
					}
					go func() { _, _ = io.WriteString(up, tc.sent) }()
					return resp, nil
				})
				ctx, leave := context.WithCancel(t.Context())
				down, over := httptest.NewRecorder(), false
				go func() {
					if err := serveOn(ctx, h, down, tc.body); err != nil {
						t.Errorf("ServeHTTP: %v", err)
					}
					over = true
				}()
				synctest.Wait()
				if over || cancelled {
					t.Fatalf("it was over before the client left: %d %s", down.Code, down.Body)
				}
				before := time.Now()
				leave()
				synctest.Wait()
				if !over || !cancelled || time.Since(before) > 0 {
					t.Errorf("handler ended: %v, provider cancelled: %v, after %v", over, cancelled, time.Since(before))
				}
				if down.Code != tc.status {
					t.Errorf("status %d, want %d", down.Code, tc.status)
				}
			})
		})
	}
}

// A connection may break without the server noticing it but by writing.
func TestClientThatTakesNoMoreCancelsTheProvider(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ block, sent string }{
		"passed":     {"provider openai", roleChunk + textChunk},
		"translated": {"provider anthropic\nmodel gpt-4o anthropic/claude-sonnet-4-5", claudeStream[:len(claudeStream)-200]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := scripted(t, tc.block)
			synctest.Test(t, func(t *testing.T) {
				var up *io.PipeWriter
				h.transport = roundTrip(func(req *http.Request) (*http.Response, error) {
					resp, w := openStream(req)
					up = w
					go func() { _, _ = io.WriteString(w, tc.sent) }()
					return resp, nil
				})
				if err := serveOn(t.Context(), h, deaf{httptest.NewRecorder()}, streamed); err != nil {
					t.Fatal(err)
				}
				if _, err := io.WriteString(up, textChunk); err != io.ErrClosedPipe {
					t.Errorf("the provider's answer is still open: %v", err)
				}
			})
		})
	}
}
