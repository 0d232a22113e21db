package aiproxy

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/modules/standard"
)

var update = flag.Bool("update", false, "write the golden files anew")

// separator stands between a Caddyfile and what it adapts to, or a part of the error.
const separator = "\n----------\n"

// TestCaddyfileAdapt holds each file of testdata/adapt to what stands below its
// separator: the JSON of the ai_proxy handlers in it, or an error with file and line.
func TestCaddyfileAdapt(t *testing.T) {
	t.Setenv("AI_PROXY_TEST_URL", "https://llm.example.com/v1")
	t.Setenv("AI_PROXY_TEST_KEY", "planted-key-in-environment")
	files, err := filepath.Glob("testdata/adapt/*.caddyfiletest")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in testdata/adapt (%v)", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".caddyfiletest"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			source, want, ok := strings.Cut(string(raw), separator)
			if !ok {
				t.Fatalf("%s has no separator", file)
			}
			got := adapt(t, source)
			if *update {
				if err := os.WriteFile(file, []byte(source+separator+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// adapt returns the indented JSON of the handlers in a Caddyfile, or the error.
func adapt(t *testing.T, source string) string {
	t.Helper()
	out, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(source), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		return err.Error() + "\n"
	}
	var found []json.RawMessage
	findHandlers(t, out, &found)
	if len(found) == 0 {
		t.Fatalf("no ai_proxy handler in %s", out)
	}
	var text bytes.Buffer
	for _, h := range found {
		if err := json.Indent(&text, h, "", "\t"); err != nil {
			t.Fatal(err)
		}
		text.WriteByte('\n')
	}
	if err := caddy.Validate(parseConfig(t, out)); err != nil {
		t.Errorf("the adapted configuration is not valid: %v", err)
	}
	return text.String()
}

func parseConfig(t *testing.T, raw []byte) *caddy.Config {
	t.Helper()
	cfg := new(caddy.Config)
	if err := json.Unmarshal(raw, cfg); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// findHandlers collects the ai_proxy handlers anywhere in a configuration.
func findHandlers(t *testing.T, raw json.RawMessage, found *[]json.RawMessage) {
	t.Helper()
	switch raw[0] {
	case '{':
		var object map[string]json.RawMessage
		if err := json.Unmarshal(raw, &object); err != nil {
			t.Fatal(err)
		}
		if string(object["handler"]) == `"ai_proxy"` {
			*found = append(*found, raw)
			return
		}
		for _, v := range object {
			findHandlers(t, v, found)
		}
	case '[':
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			t.Fatal(err)
		}
		for _, v := range list {
			findHandlers(t, v, found)
		}
	}
}

func TestExampleIsValidAndFormatted(t *testing.T) {
	raw, err := os.ReadFile("Caddyfile.example")
	if err != nil {
		t.Fatal(err)
	}
	_, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt(raw, map[string]any{"filename": "Caddyfile.example"})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range warnings {
		t.Errorf("%s:%d: %s", w.File, w.Line, w.Message)
	}
}

// TestSecretsStayPlaceholders makes sure that no key is resolved while adapting: the
// result can be read at the admin endpoint.
func TestSecretsStayPlaceholders(t *testing.T) {
	t.Setenv("AI_PROXY_TEST_KEY", "planted-key-in-environment")
	got := adapt(t, "localhost {\n\tai_proxy {\n\t\tprovider openai {\n\t\t\tapi_key {env.AI_PROXY_TEST_KEY}\n\t\t}\n\t}\n}")
	if strings.Contains(got, "planted") || !strings.Contains(got, "{env.AI_PROXY_TEST_KEY}") {
		t.Errorf("got %s", got)
	}
}

func FuzzUnmarshalCaddyfile(f *testing.F) {
	f.Add("provider openai {\napi_key x\n}\nmodel a openai")
	f.Add("model your-model openai https://api.example.com/v1 {\napi_key {env.X}\n}")
	f.Add("transport http {\nversions 1.1 2\n}\ncors *\nkeep_alive off")
	f.Add("model a")
	f.Add("provider {\n")
	f.Fuzz(func(_ *testing.T, block string) {
		// A Caddyfile may be wrong in any way, but must not bring the adapter down.
		_, _, _ = caddyconfig.GetAdapter("caddyfile").Adapt([]byte("localhost {\nai_proxy {\n"+block+"\n}\n}"), nil)
	})
}
