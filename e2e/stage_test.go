package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// roads are the ways through the gateway of an answer that is in OpenAI's own form
// already, and the providers that take them: its bytes are passed, or it is decoded and
// written anew.
var roads = []string{"passed", "rewritten"}

// stage is a gateway with a provider for each tongue, all played by one fake.
type stage struct {
	*gateway
	*upstream
	// plain is a site over HTTP, secure one over HTTPS, zipped one with compression.
	plain, secure, zipped string
}

// startStage starts a stage. more are further lines of the options of ai_proxy.
func startStage(t *testing.T, more ...string) *stage {
	t.Helper()
	s := &stage{upstream: newUpstream(t)}
	s.plain, s.secure, s.zipped = "http://127.0.0.1:"+freePort(t), "https://localhost:"+freePort(t), "https://localhost:"+freePort(t)
	options := ""
	for _, tg := range tongues {
		options += fmt.Sprintf("\t\tprovider %s %s%s {\n\t\t\ttype %s\n\t\t}\n", tg.name, s.url, tg.path, tg.kind)
	}
	options += strings.Join(more, "\n") + "\n"
	s.gateway = start(t, setup{secure: []string{s.secure, s.zipped}, sites: fmt.Sprintf(`
(gateway) {
	ai_proxy {
%s	}
}
%s {
	import gateway
}
%s {
	tls internal
	import gateway
}
%s {
	tls internal
	encode gzip
	import gateway
}
`, options, s.plain, s.secure, s.zipped)})
	return s
}

const chatPath = "/v1/chat/completions"

// stream is an answer that is read event by event.
type stream struct {
	*http.Response
	lines *bufio.Reader
}

// open asks for a stream. Whatever comes of it must come soon, unless the test's own
// context ends before.
func open(t *testing.T, ctx context.Context, client *http.Client, url string, body []byte, header ...string) *stream {
	t.Helper()
	resp, err := post(t, ctx, client, url, body, header...)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	if resp.StatusCode != http.StatusOK {
		a := readAll(resp)
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return &stream{resp, bufio.NewReader(resp.Body)}
}

// next returns the next event, with all its lines.
func (s *stream) next() (string, error) {
	var event strings.Builder
	for {
		line, err := s.lines.ReadString('\n')
		event.WriteString(line)
		if err != nil {
			return event.String(), err
		}
		if line == "\n" && event.Len() > 1 {
			return event.String(), nil
		}
	}
}

// until reads events up to one that contains the text.
func (s *stream) until(t *testing.T, text string) {
	t.Helper()
	for {
		event, err := s.next()
		if err != nil {
			t.Fatalf("waiting for %q: %v, after %q", text, err, event)
		}
		if strings.Contains(event, text) {
			return
		}
	}
}

// rest reads to the end.
func (s *stream) rest(t *testing.T) string {
	t.Helper()
	text, err := io.ReadAll(s.lines)
	if err != nil {
		t.Fatalf("reading the rest: %v", err)
	}
	return string(text)
}

// soon returns a context that ends when waiting has become pointless.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
