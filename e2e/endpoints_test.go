package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
)

// TestRequestsArriveAsTheProviderWantsThem looks at what reaches providers for a chat.
func TestRequestsArriveAsTheProviderWantsThem(t *testing.T) {
	t.Parallel()
	s := startStage(t)
	client := newClient(t, "HTTP/1.1", nil)
	for _, road := range roads {
		for _, c := range []struct {
			name   string
			stream bool
			more   []string
			want   map[string]string // members of the body, "" for none
		}{
			{"plain", false, nil, map[string]string{"stream": "", "stream_options": ""}},
			{"plain, said so", false, []string{`"stream":false`}, map[string]string{"stream": "false", "stream_options": ""}},
			{"stream", true, nil, map[string]string{"stream": "true", "stream_options": `{"include_usage":true}`}},
			{"stream with usage", true, []string{`"stream_options":{"include_usage":true}`}, map[string]string{"stream_options": `{"include_usage":true}`}},
			{"stream without usage", true, []string{`"stream_options":{"include_usage":false}`}, map[string]string{"stream_options": `{"include_usage":true}`}},
			{"stream with another option", true, []string{`"stream_options":{"include_obfuscation":false}`}, map[string]string{"stream_options": `{"include_obfuscation":false,"include_usage":true}`}},
			{"temperature", false, []string{`"temperature":0.70`, `"seed":9007199254740993`}, map[string]string{"temperature": "0.70", "seed": "9007199254740993"}},
		} {
			name := road + " " + c.name
			s.on(name, reply("fine"))
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				a := exchange(t, client, s.plain+chatPath, ask(road+"/"+name, c.stream, c.more...), "X-Stainless-Lang", "go", "Cookie", "session=secret", "X-Forwarded-For", "203.0.113.9", "Accept-Encoding", "br")
				if a.status != http.StatusOK {
					t.Fatalf("status %d: %s", a.status, a.body)
				}
				got := s.wait(t, name, 1)
				var members map[string]json.RawMessage
				if err := json.Unmarshal(got.body, &members); err != nil {
					t.Fatalf("%v: %s", err, got.body)
				}
				for member, want := range c.want {
					if string(members[member]) != want && !sameArguments(string(members[member]), json.RawMessage(want)) {
						t.Errorf("%s is %s, not %s", member, members[member], want)
					}
				}
				if got.path != chatPath || got.method != http.MethodPost || !strings.HasPrefix(got.header.Get("Content-Type"), "application/json") {
					t.Errorf("%s %s as %s", got.method, got.path, got.header.Get("Content-Type"))
				}
				for _, header := range []string{"X-Stainless-Lang", "Cookie", "X-Forwarded-For", "Accept-Encoding", "Via"} {
					if v := got.header.Get(header); v != "" {
						t.Errorf("the provider got %s: %s", header, v)
					}
				}
			})
		}
	}
}

// TestHeadersOfAnswers: E-026, E-027, and what is a provider's own business.
func TestHeadersOfAnswers(t *testing.T) {
	t.Parallel()
	s := startStage(t)
	for _, protocol := range protocols {
		client := newClient(t, protocol, s.authority(t))
		for _, tg := range tongues {
			for _, stream := range []bool{false, true} {
				name := fmt.Sprintf("%s %s %t", protocol, tg.name, stream)
				s.on(name, func(c *call) {
					h := c.w.Header()
					for _, field := range []string{"Set-Cookie", "Server", "Alt-Svc", "Cf-Ray", "Strict-Transport-Security", "Access-Control-Allow-Origin", "Via", "Openai-Processing-Ms", "X-Ratelimit-Remaining-Requests"} {
						h.Set(field, "of-the-provider")
					}
					h.Set("X-Request-Id", "req_of_the_provider")
					if c.stream {
						c.beginStream()
						c.send(tg.say("fine")...)
						return
					}
					c.json(http.StatusOK, tg.whole("fine"))
				})
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					a := exchange(t, client, s.secure+chatPath, ask(tg.name+"/"+name, stream))
					for _, field := range []string{"Set-Cookie", "Cf-Ray", "Strict-Transport-Security", "Access-Control-Allow-Origin", "Server", "Via", "Alt-Svc"} {
						if v := a.header.Get(field); strings.Contains(v, "of-the-provider") {
							t.Errorf("the client got %s: %s", field, v)
						}
					}
					for _, field := range []string{"Openai-Processing-Ms", "X-Ratelimit-Remaining-Requests"} {
						if a.header.Get(field) != "of-the-provider" {
							t.Errorf("the client did not get %s", field)
						}
					}
					if id := a.header.Get("X-Request-Id"); id != "req_of_the_provider" {
						t.Errorf("x-request-id is %q", id)
					}
					length := a.header.Get("Content-Length")
					if stream && (length != "" || a.header.Get("Cache-Control") != "no-cache") {
						t.Errorf("a stream has the length %q and Cache-Control %q", length, a.header.Get("Cache-Control"))
					}
					if !stream && length != fmt.Sprint(len(a.body)) {
						t.Errorf("the length of %d bytes is said to be %q", len(a.body), length)
					}
				})
			}
		}
	}
}

// TestOtherEndpointsArePassed: by the model in a JSON body or in a form, and without one
// to the default provider.
func TestOtherEndpointsArePassed(t *testing.T) {
	t.Parallel()
	u, standard := newUpstream(t), newUpstream(t)
	echo := func(who string) script {
		return func(c *call) {
			c.w.Header().Set("X-Who", who)
			c.w.Header().Set("Content-Type", c.header.Get("Content-Type"))
			c.w.WriteHeader(http.StatusCreated)
			_, _ = c.w.Write(c.body) // the gateway may be gone
		}
	}
	u.other, standard.other = echo("named"), echo("standard")
	site := "http://127.0.0.1:" + freePort(t)
	start(t, setup{sites: fmt.Sprintf("%s {\n\tai_proxy {\n\t\tdefault_provider standard\n\t\tprovider named %s/base/v1 {\n\t\t\ttype openai\n\t\t}\n\t\tprovider standard %s/v1 {\n\t\t\ttype openai\n\t\t}\n\t}\n}\n", site, u.url, standard.url)})
	client := newClient(t, "HTTP/1.1", nil)
	form := func(model string) (string, string) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		part, err := w.CreateFormFile("file", "a.mp3")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = part.Write([]byte("\r\n--not the boundary\r\n\x00\xff")) // into memory
		if model != "" {
			_ = w.WriteField("model", model)
		}
		_ = w.WriteField("language", "de")
		w.Close()
		return b.String(), w.FormDataContentType()
	}
	named, namedType := form("named/whisper-1")
	unnamed, unnamedType := form("")
	for _, c := range []struct {
		method, path string
		body, kind   string
		who, arrives string
	}{
		{"POST", "/v1/embeddings", `{ "input": "a", "model": "named/text-embedding-3-small" }`, "application/json", "named", `{ "input": "a", "model": "text-embedding-3-small" }`},
		{"POST", "/v1/completions", `{"model":"named/davinci","prompt":"a"}`, "application/json", "named", `{"model":"davinci","prompt":"a"}`},
		{"POST", "/v1/responses", `{"model":"named/gpt-5","input":"a"}`, "application/json", "named", `{"model":"gpt-5","input":"a"}`},
		{"POST", "/v1/moderations", `{"input":"a"}`, "application/json", "standard", `{"input":"a"}`},
		{"POST", "/v1/images/generations", `{"model":"named/dall-e-3","prompt":"a"}`, "application/json", "named", `{"model":"dall-e-3","prompt":"a"}`},
		{"POST", "/v1/audio/speech", `{"model":"named/tts-1","input":"a"}`, "application/json", "named", `{"model":"tts-1","input":"a"}`},
		{"POST", "/v1/audio/transcriptions", named, namedType, "named", strings.Replace(named, "named/whisper-1", "whisper-1", 1)},
		{"POST", "/v1/files", unnamed, unnamedType, "standard", unnamed},
		{"GET", "/v1/files?limit=2&after=x", "", "", "standard", ""},
		{"GET", "/v1/files/file-1/content", "", "", "standard", ""},
		{"DELETE", "/v1/files/file-1", "", "", "standard", ""},
		{"GET", "/v1/batches", "", "", "standard", ""},
		{"POST", "/v1/batches", `{"endpoint":"/v1/chat/completions"}`, "application/json", "standard", `{"endpoint":"/v1/chat/completions"}`},
		{"GET", "/v1/chat/completions", "", "", "standard", ""},
		{"GET", "/v1/chat/completions/chatcmpl-1", "", "", "standard", ""},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			t.Parallel()
			req, err := http.NewRequestWithContext(soon(t), c.method, site+c.path, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+clientKey)
			if c.kind != "" {
				req.Header.Set("Content-Type", c.kind)
			}
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			a := readAll(resp)
			if a.status != http.StatusCreated || a.header.Get("X-Who") != c.who || string(a.body) != c.arrives || a.err != nil {
				t.Errorf("status %d from %q: %q", a.status, a.header.Get("X-Who"), a.body)
			}
			if got, _, _ := mime.ParseMediaType(a.header.Get("Content-Type")); c.kind != "" && !strings.HasPrefix(c.kind, got) {
				t.Errorf("the content type became %q", got)
			}
			path, query, _ := strings.Cut(c.path, "?")
			found := false
			for _, call := range append(u.seen(""), standard.seen("")...) {
				prefix := map[string]string{"named": "/base", "standard": ""}[c.who]
				if call.method == c.method && call.path == prefix+path && string(call.body) == c.arrives && call.header.Get("Authorization") == "Bearer "+clientKey {
					found = found || sameQuery(call.query, query)
				}
			}
			if !found {
				t.Error("it did not arrive as it should")
			}
		})
	}
}

// sameQuery compares queries whose parameters may stand in another order.
func sameQuery(a, b string) bool {
	sort := func(q string) map[string]bool {
		set := map[string]bool{}
		for p := range strings.SplitSeq(q, "&") {
			set[p] = true
		}
		return set
	}
	x, y := sort(a), sort(b)
	for p := range x {
		if !y[p] {
			return false
		}
	}
	return len(x) == len(y)
}
