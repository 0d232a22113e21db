package anthropic

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/openai"
)

var update = flag.Bool("update", false, "write the golden files anew")

// goldenRequests returns the chat requests of testdata/requests by name.
func goldenRequests(t testing.TB) map[string]*translate.Request {
	t.Helper()
	files, err := filepath.Glob("testdata/requests/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no requests: %v", err)
	}
	out := map[string]*translate.Request{}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		req, fail := openai.DecodeRequest(raw)
		if fail != nil {
			t.Fatalf("%s: %v", f, fail)
		}
		out[strings.TrimSuffix(filepath.Base(f), ".json")] = req
	}
	return out
}

// render shows everything that an encoded request says, one thing a line.
func render(enc *translate.Encoded) []byte {
	var b bytes.Buffer
	for _, h := range enc.Header {
		fmt.Fprintf(&b, "%s: %s\n", h[0], h[1])
	}
	fmt.Fprintf(&b, "\n%s\n\n", enc.Body)
	fmt.Fprintf(&b, "dropped: %s\n", strings.Join(enc.Dropped, ","))
	fmt.Fprintf(&b, "names: %v\n", enc.Names) // printed in the order of the keys
	fmt.Fprintf(&b, "json tool: %q %q\n", enc.JSONTool, enc.JSONMember)
	fmt.Fprintf(&b, "custom tools: %v\n", enc.CustomTools)
	fmt.Fprintf(&b, "stream %v, server tools %v, implicit limit %d\n", enc.Stream, enc.ServerTools, enc.ImplicitMaxTokens)
	return b.Bytes()
}

func TestGoldenRequests(t *testing.T) {
	t.Parallel()
	for name, req := range goldenRequests(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			enc, _ := encode(t, req, Options{})
			got, path := render(enc), "testdata/requests/"+name+".golden"
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// Equal requests give equal bytes, every time.
func TestE103EncodingIsDeterministic(t *testing.T) {
	t.Parallel()
	for name, req := range goldenRequests(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, _ := encode(t, req, Options{})
			want := render(first)
			for range 1000 {
				enc, err := EncodeRequest(req, Options{})
				if err != nil || !bytes.Equal(render(enc), want) {
					t.Fatalf("another run gives\n%s\nwant\n%s", render(enc), want)
				}
			}
		})
	}
}
