package aiproxy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

func TestHeaderUpChangesOneRequestOnly(t *testing.T) {
	t.Parallel()
	p := newProvider(t, answerJSON(200, answer))
	gateway := serve(t, "provider openai {\nbase_url "+p.URL+"/v1\nheader_up Content-Type json changed\nheader_up Accept json changed\nheader_up User-Agent gold silver\nheader_up +X-Team blue\n}")
	for range 2 {
		r := chat(t, gateway, question, "User-Agent", "gold/1")
		if got := r.header.Get("Content-Type"); got != "application/json" {
			t.Errorf("the client got the content type %q", got)
		}
	}
	for _, seen := range p.requests() {
		for name, want := range map[string]string{"Content-Type": "application/changed", "Accept": "application/changed", "User-Agent": "silver/1", "X-Team": "blue"} {
			if got := seen.header.Get(name); got != want {
				t.Errorf("%s arrived as %q, want %q", name, got, want)
			}
		}
	}
	if headerJSON[0] != "application/json" {
		t.Errorf("header_up has changed what all requests share: %q", headerJSON)
	}
}

func TestProviderMayHaveATransportOfItsOwn(t *testing.T) {
	t.Parallel()
	p := newProvider(t, answerJSON(200, answer))
	gateway := serve(t, "transport http {\ndial_timeout 1s\n}\nprovider openai {\nbase_url "+p.URL+"/v1\ntransport http {\ncompression off\nmax_response_header 1KiB\n}\n}")
	if r := chat(t, gateway, question); r.status != 200 {
		t.Errorf("got %d %s", r.status, r.body)
	}
	long := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", 32<<10))
		answerJSON(200, answer)(w, r)
	})
	gateway = serve(t, "provider openai {\nbase_url "+long.URL+"/v1\ntransport http {\nmax_response_header 1KiB\n}\n}")
	wantError(t, chat(t, gateway, question), 502, "bad_gateway", "")
}

func TestAttemptsWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err    error
		status int
		code   string
	}{
		"dial":       {reverseproxy.DialError{}, 502, "bad_gateway"},
		"timeout":    {&net.DNSError{IsTimeout: true}, 504, "upstream_timeout"},
		"broken":     {io.ErrUnexpectedEOF, 502, "bad_gateway"},
		"with a key": {errors.New("GET https://x/?key=client-key-0123456789"), 502, "bad_gateway"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := scripted(t, "provider openai")
			h.transport = roundTrip(func(*http.Request) (*http.Response, error) { return nil, tc.err })
			w := httptest.NewRecorder()
			if err := serveOn(t.Context(), h, w, question); err != nil {
				t.Fatal(err)
			}
			wantError(t, reply{status: w.Code, body: w.Body.String()}, tc.status, tc.code, "")
			if strings.Contains(w.Body.String(), "client-key") {
				t.Errorf("the error shows a key: %s", w.Body)
			}
		})
	}
}

// A provider that begins an error answer and does not end it must not keep the next one
// from being asked.
func TestErrorThatDoesNotEndIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	h := scripted(t, "provider a {\ntype openai\nbase_url http://a.test/v1\napi_key key-of-a-0123\n}\nprovider b {\ntype openai\nbase_url http://b.test/v1\napi_key key-of-b-0123\n}\nmodel gpt-4o a b")
	synctest.Test(t, func(t *testing.T) {
		h.transport = roundTrip(func(req *http.Request) (*http.Response, error) {
			resp, up := openStream(req)
			resp.Header = http.Header{"Content-Type": headerJSON}
			if req.URL.Host == "a.test" {
				resp.StatusCode = 500
				go func() { _, _ = io.WriteString(up, `{"error":{"message":"x"}}`) }()
				return resp, nil
			}
			go func() {
				_, _ = io.WriteString(up, answer)
				_ = up.Close()
			}()
			return resp, nil
		})
		w, begin := httptest.NewRecorder(), time.Now()
		over := make(chan error, 1)
		go func() { over <- serveOn(t.Context(), h, w, question) }()
		select {
		case err := <-over:
			if err != nil || w.Code != 200 || time.Since(begin) > errorBodyTime {
				t.Errorf("got %d after %v (%v): %s", w.Code, time.Since(begin), err, w.Body)
			}
		case <-time.After(time.Hour):
			t.Error("the next provider was not asked")
		}
	})
}

func TestKeysInNoPartOfAnError(t *testing.T) {
	t.Parallel()
	const key = "client-key-0123456789"
	long := strings.Repeat("x", 4<<10-len(key)/2) + key // cut by the bound of messages
	for name, handler := range map[string]http.HandlerFunc{
		"error":  answerJSON(400, `{"error":{"message":"m `+key+`","type":"t-`+key+`","param":"p-`+key+`","code":"c-`+key+`"}}`),
		"long":   answerJSON(400, `{"error":{"message":"`+long+`"}}`),
		"text":   func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no such key "+key, http.StatusForbidden) },
		"stream": answerSSE(`data: {"error":{"message":"m ` + key + `","type":"t-` + key + `","param":"p-` + key + `","code":"c-` + key + `"}}` + "\n\n"),
		"later":  answerSSE(roleChunk+textChunk, `data: {"error":{"message":"m `+key+`","type":"t-`+key+`","param":"p-`+key+`","code":"c-`+key+`"}}`+"\n\n"),
		"answer": answerJSON(200, `{"error":{"message":"m `+key+`","type":"t-`+key+`","param":"p-`+key+`","code":"c-`+key+`"}}`),
		"header": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Echo", r.Header.Get("Authorization"))
			w.Header().Set("X-Request-Id", "r-"+key)
			answerJSON(400, `{}`)(w, r)
		},
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/?"+r.Header.Get("Authorization"), http.StatusFound)
		},
	} {
		for quirk, block := range map[string]string{"passed": "", "rewritten": "\nquirk normalize"} {
			for _, body := range []string{question, streamed} {
				t.Run(fmt.Sprint(name, " ", quirk, " ", body == streamed), func(t *testing.T) {
					t.Parallel()
					p := newProvider(t, handler)
					r := chat(t, serve(t, "provider openai {\nbase_url "+p.URL+"/v1"+block+"\n}"), body)
					if dump := fmt.Sprint(r); strings.Contains(dump, key[:len(key)/2]) {
						t.Errorf("a key got out: %s", dump)
					}
				})
			}
		}
	}
}
