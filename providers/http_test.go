package providers

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// load decodes, provisions and validates a provider as Caddy does.
func load(t *testing.T, config string) (Provider, error) {
	t.Helper()
	ctx, cancel := caddy.NewContext(caddy.Context{Context: context.Background()})
	t.Cleanup(cancel)
	var kind struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal([]byte(config), &kind); err != nil {
		t.Fatal(err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(config), &members); err != nil {
		t.Fatal(err)
	}
	delete(members, "type")
	raw, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	mod, err := ctx.LoadModuleByID(Namespace+"."+kind.Type, raw)
	if err != nil {
		return nil, err
	}
	return mod.(Provider), nil
}

func mustLoad(t *testing.T, config string) *HTTP {
	t.Helper()
	p, err := load(t, config)
	if err != nil {
		t.Fatal(err)
	}
	return p.(*HTTP)
}

func TestEveryRowWorksWithoutConfiguration(t *testing.T) {
	t.Parallel()
	for _, row := range All() {
		p, err := load(t, `{"type":"`+row.Name+`"}`)
		if row.BaseURL == "" {
			if err == nil || !strings.Contains(err.Error(), "base_url is missing") || !strings.Contains(err.Error(), row.Example) {
				t.Errorf("%s: %v, want an error that shows an example", row.Name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", row.Name, err)
			continue
		}
		if got := p.Profile(); got.Name != row.Name || got.Type != row.Name || got.BaseURL != row.BaseURL {
			t.Errorf("%s is %s of type %s at %s", row.Name, got.Name, got.Type, got.BaseURL)
		}
		if u := p.Endpoint("/chat/completions", "m"); !strings.HasPrefix(u, row.BaseURL) || strings.Contains(u[8:], "//") {
			t.Errorf("%s is reached at %s", row.Name, u)
		}
		if len(p.Keys()) > 0 {
			t.Errorf("%s has keys", row.Name)
		}
	}
}

func TestEveryExampleOfABaseURLWorks(t *testing.T) {
	t.Setenv("CLOUDFLARE_ACCOUNT_ID", "abc")
	for _, row := range All() {
		if row.Example == "" {
			continue
		}
		if _, err := load(t, `{"type":"`+row.Name+`","base_url":"`+row.Example+`"}`); err != nil {
			t.Errorf("%s: %v", row.Name, err)
		}
	}
}

func TestOverrides(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, `{"type":"openai","name":"mine","base_url":"https://h.example/v1","auth_header":"api-key","headers":{"x-a":"1"},
		"organization":"org-1","project":"proj-1","health_path":"/health","models":["llama-*"],"dialect":"openai",
		"quirks":{"max_tokens":"max_tokens","drop":["seed"],"rules":[{"models":["a*"],"tool_id":"alnum9"}]}}`)
	got := p.Profile()
	if got.Name != "mine" || got.Type != "openai" || got.HealthPath != "/health" || !slices.Equal(got.Models, []string{"llama-*"}) {
		t.Errorf("profile is %+v", got)
	}
	h := http.Header{}
	p.SetHeaders(h)
	p.Authorize(h, "k")
	for name, want := range map[string]string{"X-A": "1", "Openai-Organization": "org-1", "Openai-Project": "proj-1", "Api-Key": "k"} {
		if h.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, h.Get(name), want)
		}
	}
	if q := got.Quirks.For("o1"); q.MaxTokens != "max_tokens" || !slices.Contains(q.Drop, "seed") || q.ToolID != "" {
		t.Errorf("the configuration does not win over the table's rule for o1: %+v", q)
	}
	if q := got.Quirks.For("abc"); q.ToolID != "alnum9" {
		t.Errorf("the configured rule for a* is missing: %+v", q)
	}
	row, _ := ByName("openai")
	if q := row.Quirks.For("o1"); q.MaxTokens != "max_completion_tokens" || len(row.Headers) != 0 || len(row.Quirks.Rules) != 1 {
		t.Errorf("the configuration changed the table: %+v", row)
	}
}

func TestIgnoreQuirksForgetsTheTable(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, `{"type":"groq","ignore_quirks":true,"quirks":{"drop_nulls":true}}`)
	if q := p.Profile().Quirks.For("m"); len(q.Drop) > 0 || q.Normalize || !q.DropNulls {
		t.Errorf("got %+v", q)
	}
}

func TestFixedHeadersOfTheTableGiveWay(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, `{"type":"anthropic"}`)
	h := http.Header{"Anthropic-Version": {"2026-10-21"}}
	p.SetHeaders(h)
	if h.Get("Anthropic-Version") != "2026-10-21" {
		t.Error("the version that the request needs was replaced")
	}
	p = mustLoad(t, `{"type":"anthropic","headers":{"anthropic-version":"2023-01-01"}}`)
	p.SetHeaders(h)
	if h.Get("Anthropic-Version") != "2023-01-01" {
		t.Error("the configured version does not win")
	}
}

func TestKeysAreResolved(t *testing.T) {
	t.Setenv("AI_PROXY_TEST_KEY", "from-env")
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := mustLoad(t, `{"type":"openai","api_keys":["{env.AI_PROXY_TEST_KEY}","{file.`+file+`}","sk-{env.AI_PROXY_TEST_KEY}","{env.AI_PROXY_TEST_KEY}"]}`)
	if want := []string{"from-env", "from-file", "sk-from-env"}; !slices.Equal(p.Keys(), want) {
		t.Errorf("got %q, want %q", p.Keys(), want)
	}
}

func TestBadKeysAreErrorsThatDoNotShowThem(t *testing.T) {
	t.Setenv("AI_PROXY_TEST_SPACE", "two words")
	for keys, want := range map[string]string{
		`["{env.AI_PROXY_TEST_MISSING}"]`:            "{env.AI_PROXY_TEST_MISSING}",
		`["sk-planted-{env.AI_PROXY_TEST_MISSING}"]`: "{env.AI_PROXY_TEST_MISSING}",
		`["ok","{file./nowhere/at/all}"]`:            "API key 2",
		`["{vault.planted}"]`:                        "API key 1",
		`[""]`:                                       "is empty",
		`["   "]`:                                    "is empty",
		`["{env.AI_PROXY_TEST_SPACE}"]`:              "a character that no key has",
		`["planted\nX-Evil: 1"]`:                     "a character that no key has",
		`["pläntedé"]`:                               "a character that no key has",
	} {
		_, err := load(t, `{"type":"openai","api_keys":`+keys+`}`)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "provider openai") {
			t.Errorf("%s: %v, want an error with %q", keys, err, want)
			continue
		}
		for _, secret := range []string{"sk-planted", "X-Evil", "two words", "pläntedé"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the error shows the key: %v", keys, err)
			}
		}
	}
}

func TestBadConfigurations(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		`{"type":"azure"}`: "https://RESOURCE.openai.azure.com/openai/v1",
		`{"type":"azure","base_url":"res.openai.azure.com"}`:                                   "must begin with https://",
		`{"type":"openai","base_url":"{env.AI_PROXY_NO_URL}"}`:                                 "{env.AI_PROXY_NO_URL}",
		`{"type":"openai","dialect":"cobol"}`:                                                  `dialect "cobol" is not one of`,
		`{"type":"openai","health_path":"health"}`:                                             "must begin with a slash",
		`{"type":"openai","auth_header":"not a header"}`:                                       "is not the name of a header",
		`{"type":"openai","headers":{"a b":"c"}}`:                                              "is not the name of a header",
		`{"type":"openai","headers":{"A":"b\nc"}}`:                                             "cannot be sent",
		`{"type":"openai","headers":{"A":"{env.AI_PROXY_NO_HEADER}"}}`:                         "header A",
		`{"type":"groq","organization":"x"}`:                                                   "OpenAI only",
		`{"type":"openai","quirks":{"max_tokens":"maxtokens"}}`:                                "max_tokens or max_completion_tokens",
		`{"type":"openai","quirks":{"max_temperature":-1}}`:                                    "negative",
		`{"type":"openai","quirks":{"rules":[{"models":[]}]}}`:                                 "holds for no model",
		`{"type":"openai","quirks":{"rules":[{"models":["a"],"effort":"?"}]}}`:                 "effort",
		`{"type":"openai","quirks":{"nonsense":1}}`:                                            "nonsense",
		`{"type":"openai","base_uri":"x"}`:                                                     "base_uri",
		`{"type":"openai","transport":{"protocol":"pigeon"}}`:                                  "pigeon",
		`{"type":"openai","header_up":{"replace":{"A":[{"search_regexp":"("}]}}}`:              "header_up",
		`{"type":"openai","header_up":{"replace":{"A":[{"search":"a","search_regexp":"b"}]}}}`: "header_up",
	} {
		if _, err := load(t, config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", config, err, want)
		}
	}
}

// observe provisions h with a logger that remembers.
func observe(t *testing.T, h *HTTP) []observer.LoggedEntry {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	h.logger = zap.New(core)
	if err := h.provision(caddy.NewReplacer()); err != nil {
		t.Fatal(err)
	}
	return logs.All()
}

func TestWarnings(t *testing.T) {
	t.Setenv("AI_PROXY_TEST_KEY", "from-env")
	for _, tc := range []struct {
		name string
		h    *HTTP
		want []string
	}{
		{"placeholder", &HTTP{row: "openai", APIKeys: []string{"{env.AI_PROXY_TEST_KEY}"}}, nil},
		{"literal keys, once", &HTTP{row: "openai", APIKeys: []string{"sk-planted", "sk-planted2"}}, []string{"written in the configuration"}},
		{"cleartext", &HTTP{row: "compatible", BaseURL: "http://llm.example.com/v1", APIKeys: []string{"{env.AI_PROXY_TEST_KEY}"}}, []string{"unencrypted"}},
		{"cleartext without keys", &HTTP{row: "compatible", BaseURL: "http://llm.example.com/v1"}, nil},
		{"cleartext at home", &HTTP{row: "compatible", BaseURL: "http://192.168.1.2/v1", APIKeys: []string{"{env.AI_PROXY_TEST_KEY}"}}, nil},
		{"no path", &HTTP{row: "vllm", BaseURL: "http://gpu:8000"}, []string{"ends in /v1"}},
		{"no path where none is needed", &HTTP{row: "perplexity", BaseURL: "https://proxy.example.com"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			logs := observe(t, tc.h)
			if len(logs) != len(tc.want) {
				t.Fatalf("logged %v, want %q", logs, tc.want)
			}
			for i, want := range tc.want {
				if !strings.Contains(logs[i].Message, want) {
					t.Errorf("logged %q, want %q", logs[i].Message, want)
				}
				for _, f := range logs[i].Context {
					if strings.Contains(f.String, "planted") || strings.Contains(f.String, "from-env") {
						t.Errorf("the key is in the log: %v", f)
					}
				}
			}
		})
	}
}

func TestTransportOfItsOwn(t *testing.T) {
	t.Parallel()
	if mustLoad(t, `{"type":"openai"}`).Transport() != nil {
		t.Error("a provider without a transport has one")
	}
	rt := mustLoad(t, `{"type":"openai","transport":{"protocol":"http","dial_timeout":2000000000}}`).Transport()
	if _, ok := rt.(*reverseproxy.HTTPTransport); !ok {
		t.Errorf("got %T", rt)
	}
}

func TestHeaderOpsWorkOnRequests(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, `{"type":"openai","header_up":{"set":{"x-user":["{http.request.host}"]},"delete":["X-Gone"],"replace":{"Authorization":[{"search_regexp":"^Bearer","replace":"Token"}]}},"api_keys":["k"]}`)
	for range 2 { // a second request must not see what became of the first
		h := http.Header{"X-Gone": {"1"}}
		p.Authorize(h, "k")
		repl := caddy.NewReplacer()
		repl.Set("http.request.host", "me")
		p.HeaderOps().ApplyTo(h, repl)
		if h.Get("X-User") != "me" || h.Get("X-Gone") != "" || h.Get("Authorization") != "Token k" {
			t.Errorf("got %v", h)
		}
	}
}

func TestRequestsArriveWhereTheyShould(t *testing.T) {
	t.Parallel()
	var got *http.Request
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Clone(context.Background()) }))
	defer srv.Close()
	p := mustLoad(t, `{"type":"azure","base_url":"`+srv.URL+`/openai/deployments/{model}/chat/completions?api-version=2024-10-21","api_keys":["k1"]}`)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.Endpoint("/chat/completions", "my dep"), nil)
	if err != nil {
		t.Fatal(err)
	}
	p.SetHeaders(req.Header)
	p.Authorize(req.Header, p.Keys()[0])
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if got.RequestURI != "/openai/deployments/my%20dep/chat/completions?api-version=2024-10-21" || got.Header.Get("Api-Key") != "k1" || got.Header.Get("Authorization") != "" {
		t.Errorf("arrived: %s %v", got.RequestURI, got.Header)
	}
}

func TestNewSuggestsNames(t *testing.T) {
	t.Parallel()
	if _, err := New("opnai"); err == nil || !strings.Contains(err.Error(), "did you mean openai?") {
		t.Errorf("got %v", err)
	}
	if p, err := New("alibaba"); err != nil || p.Profile().Name != "qwen" {
		t.Errorf("got %v, %v", p, err)
	}
}

func BenchmarkProvision(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		h := &HTTP{row: "anthropic", APIKeys: []string{"{env.HOME}"}, logger: zap.NewNop()}
		if err := h.provision(caddy.NewReplacer()); err != nil {
			b.Fatal(err)
		}
	}
}
