package providers

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestEndpoint(t *testing.T) {
	t.Parallel()
	const azure = "https://res.openai.azure.com/openai/deployments/{model}"
	for _, tc := range []struct{ name, dialect, base, path, model, want string }{
		{"plain", "openai", "https://api.openai.com/v1", "/chat/completions", "gpt-4o", "https://api.openai.com/v1/chat/completions"},
		{"client's path", "openai", "https://api.openai.com/v1", "/v1/chat/completions", "gpt-4o", "https://api.openai.com/v1/chat/completions"},
		{"slash at the end", "openai", "https://api.openai.com/v1/", "/models", "", "https://api.openai.com/v1/models"},
		{"slashes at the end", "openai", "https://h//", "/models", "", "https://h/models"},
		{"full endpoint", "openai", "https://h/x/v1/chat/completions", "/chat/completions", "", "https://h/x/v1/chat/completions"},
		{"full endpoint, other path", "openai", "https://h/v1/chat/completions?a=b", "/embeddings", "", "https://h/v1/embeddings?a=b"},
		{"full endpoint, slash", "openai", "https://h/v1/chat/completions/", "/models", "", "https://h/v1/models"},
		{"no version in the base", "openai", "https://api.perplexity.ai", "/v1/chat/completions", "", "https://api.perplexity.ai/chat/completions"},
		{"other version in the base", "openai", "https://api.z.ai/api/paas/v4", "/v1/models", "", "https://api.z.ai/api/paas/v4/models"},
		{"query kept", "openai", "https://h/v1?api-version=1", "/models", "", "https://h/v1/models?api-version=1"},
		{"two queries", "openai", "https://h/v1?api-version=1", "/models?limit=2", "", "https://h/v1/models?limit=2&api-version=1"},
		{"escaped base", "openai", "https://h/a%2Fb/v1", "/models", "", "https://h/a%2Fb/v1/models"},
		{"port and IPv6", "openai", "http://[::1]:8080/v1", "/models", "", "http://[::1]:8080/v1/models"},
		{"not a version", "openai", "https://h", "/v1x/y", "", "https://h/v1x/y"},

		{"E-105 with version", "anthropic", "https://api.anthropic.com/v1", "/messages", "", "https://api.anthropic.com/v1/messages"},
		{"E-105 without version", "anthropic", "https://api.anthropic.com", "/messages", "", "https://api.anthropic.com/v1/messages"},
		{"E-105 client's path", "anthropic", "https://api.anthropic.com/v1", "/v1/messages", "", "https://api.anthropic.com/v1/messages"},
		{"E-105 both missing", "anthropic", "https://api.anthropic.com/", "/v1/messages/count_tokens", "", "https://api.anthropic.com/v1/messages/count_tokens"},
		{"E-105 full endpoint", "anthropic", "https://h/anthropic/v1/messages", "/messages", "", "https://h/anthropic/v1/messages"},
		{"E-105 prefix", "anthropic", "https://h/anthropic", "/messages", "", "https://h/anthropic/v1/messages"},

		{"gemini", "gemini", "https://g/v1beta", "/models/gemini-2.5-pro:streamGenerateContent?alt=sse", "", "https://g/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse"},
		{"gemini without version", "gemini", "https://g", "/models/x:generateContent", "", "https://g/v1beta/models/x:generateContent"},
		{"gemini client's path", "gemini", "https://g/v1beta", "/v1beta/models", "", "https://g/v1beta/models"},
		{"gemini other path", "gemini", "https://p/google/v1", "/models", "", "https://p/google/v1/models"},

		{"azure", "openai", azure + "/chat/completions?api-version=2024-10-21", "/chat/completions", "gpt 4/o", "https://res.openai.azure.com/openai/deployments/gpt%204%2Fo/chat/completions?api-version=2024-10-21"},
		{"azure embeddings", "openai", azure + "?api-version=1", "/embeddings", "ada", "https://res.openai.azure.com/openai/deployments/ada/embeddings?api-version=1"},
		{"azure models", "openai", azure + "?api-version=1", "/models", "", "https://res.openai.azure.com/openai/models?api-version=1"},
		{"azure responses", "openai", azure + "?api-version=1", "/responses", "gpt-5", "https://res.openai.azure.com/openai/responses?api-version=1"},
		{"azure one deployment", "openai", "https://res.openai.azure.com/openai/deployments/mine/chat/completions?api-version=1", "/chat/completions", "gpt-4o", "https://res.openai.azure.com/openai/deployments/mine/chat/completions?api-version=1"},
		{"azure one deployment, models", "openai", "https://res.openai.azure.com/openai/deployments/mine?api-version=1", "/models", "", "https://res.openai.azure.com/openai/models?api-version=1"},
		{"azure v1", "openai", "https://res.openai.azure.com/openai/v1/", "/chat/completions", "dep", "https://res.openai.azure.com/openai/v1/chat/completions"},

		{"marker elsewhere", "openai", "https://h/serve/{model}/v1", "/chat/completions", "m", "https://h/serve/m/v1/chat/completions"},
		{"marker elsewhere, no model", "openai", "https://h/serve/{model}/v1", "/models", "", "https://h/serve/models"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a, err := NewAddress(&Profile{Dialect: tc.dialect, BaseURL: tc.base}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := a.Endpoint(tc.path, tc.model); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestNewAddressRefusesBadURLsWithoutRepeatingThem(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"api.secret.com/v1":                 "https://",
		"ftp://secret/v1":                   "https://",
		"https:///v1":                       "no host",
		"https://me:secret@h/v1":            "user name",
		"https://h/v1#secret":               "fragment",
		"https://h/{model}/{model}?secret":  "more than once",
		"https://h/v1?m={model}&s=secret":   "path",
		"https://{model}.secret.com/v1":     "not a URL",
		"https://h/\x7fsecret":              "not a URL",
		"https://h/v1?key=secret%zz#{model": "fragment",
	} {
		_, err := NewAddress(&Profile{Dialect: DialectOpenAI, BaseURL: base}, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error with %q", base, err, want)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error gives something away: %v", base, err)
		}
	}
}

func TestAuthorize(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		provider, key string
		want          map[string]string
	}{
		{"openai", "sk-1", map[string]string{"Authorization": "Bearer sk-1"}},
		{"anthropic", "sk-ant-api03-1", map[string]string{"X-Api-Key": "sk-ant-api03-1"}},
		{"anthropic", "sk-ant-oat01-1", map[string]string{"Authorization": "Bearer sk-ant-oat01-1", "Anthropic-Beta": "given,oauth-2025-04-20"}},
		{"gemini", "AIza1", map[string]string{"X-Goog-Api-Key": "AIza1"}},
		{"gemini", "ya29.1", map[string]string{"Authorization": "Bearer ya29.1"}},
		{"azure", "0123", map[string]string{"Api-Key": "0123"}},
		{"azure", "eyJhbGci.e30.x", map[string]string{"Authorization": "Bearer eyJhbGci.e30.x"}}, // Entra
		{"openai", "", nil},
	} {
		for _, held := range []bool{true, false} { // prepared, and brought by a client
			p, _ := ByName(tc.provider)
			q := *p
			q.BaseURL = "https://h/v1"
			var keys []string
			if held && tc.key != "" {
				keys = []string{"another", tc.key}
			}
			a, err := NewAddress(&q, keys)
			if err != nil {
				t.Fatal(err)
			}
			h := http.Header{"Anthropic-Beta": {"given"}}
			a.Authorize(h, tc.key)
			if tc.want["Anthropic-Beta"] == "" && h.Get("Anthropic-Beta") == "given" {
				h.Del("Anthropic-Beta")
			}
			if len(h) != len(tc.want) {
				t.Errorf("%s %s: %v, want %v", tc.provider, tc.key, h, tc.want)
			}
			for name, value := range tc.want {
				if !slices.Equal(h[name], []string{value}) {
					t.Errorf("%s %s: %s is %q, want %q", tc.provider, tc.key, name, h[name], value)
				}
			}
		}
	}
}

func TestSetHeadersKeepsWhatTheRequestNeeds(t *testing.T) {
	t.Parallel()
	p := &Profile{Dialect: DialectOpenAI, BaseURL: "https://h", Headers: map[string]string{"x-version": "1", "X-Fixed": "mine"}}
	a, err := NewAddress(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	a.force("x-fixed")
	h := http.Header{"X-Version": {"2"}, "X-Fixed": {"theirs"}}
	a.SetHeaders(h)
	if h.Get("X-Version") != "2" || h.Get("X-Fixed") != "mine" {
		t.Errorf("got %v", h)
	}
	h = http.Header{}
	a.SetHeaders(h)
	if h.Get("X-Version") != "1" || h.Get("X-Fixed") != "mine" {
		t.Errorf("got %v", h)
	}
}

// Header operations replace values in place; with them no value may be shared.
func TestHeaderValuesAreNotSharedWhereTheyMayChange(t *testing.T) {
	t.Parallel()
	a, err := NewAddress(&Profile{Dialect: DialectOpenAI, BaseURL: "https://h", Headers: map[string]string{"A": "1"}}, []string{"k"})
	if err != nil {
		t.Fatal(err)
	}
	a.shared = false
	first, second := http.Header{}, http.Header{}
	for _, h := range []http.Header{first, second} {
		a.Authorize(h, "k")
		a.SetHeaders(h)
		for name := range h {
			h[name][0] = "changed"
		}
	}
	third := http.Header{}
	a.Authorize(third, "k")
	a.SetHeaders(third)
	if third.Get("Authorization") != "Bearer k" || third.Get("A") != "1" {
		t.Errorf("a change to one request's header shows in another's: %v", third)
	}
}

func TestAddressAllocations(t *testing.T) {
	p, _ := ByName("anthropic")
	a, err := NewAddress(p, []string{"sk-ant-1", "sk-ant-2"})
	if err != nil {
		t.Fatal(err)
	}
	h := make(http.Header, 8)
	if n := testing.AllocsPerRun(100, func() {
		a.Authorize(h, "sk-ant-2")
		a.SetHeaders(h)
	}); n > 0 {
		t.Errorf("authorizing a request allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { a.Endpoint("/messages", "claude-opus-4-5") }); n > 1 {
		t.Errorf("an endpoint allocates %v times", n)
	}
}

func FuzzNewAddress(f *testing.F) {
	for _, seed := range []string{"https://api.openai.com/v1", "https://h/{model}/chat/completions?a=b", "http://[::1]:80//", "{model}", "https://h/openai/deployments/x", "https://h/%7Bmodel%7D"} {
		f.Add(seed, "/v1/chat/completions", "a/b c")
	}
	f.Fuzz(func(t *testing.T, base, path, model string) {
		for _, dialect := range []string{DialectOpenAI, DialectAnthropic, DialectGemini} {
			a, err := NewAddress(&Profile{Dialect: dialect, BaseURL: base}, nil)
			if err != nil {
				continue
			}
			u, err := url.Parse(a.Endpoint("/chat/completions", "m"))
			if err != nil {
				t.Fatalf("%q becomes a URL that cannot be parsed: %v", base, err)
			}
			if b, err := url.Parse(base); err != nil || b.Host != u.Host || b.Scheme != u.Scheme {
				t.Fatalf("%q becomes %s, another host", base, u)
			}
			if u.Query().Has("key") && !strings.Contains(base, "key") {
				t.Fatalf("%q gains a query: %s", base, u)
			}
			a.Endpoint(path, model)
		}
	})
}

func BenchmarkEndpointAndAuthorize(b *testing.B) {
	p, _ := ByName("openai")
	a, err := NewAddress(p, []string{"sk-1", "sk-2"})
	if err != nil {
		b.Fatal(err)
	}
	h := make(http.Header, 8)
	b.ReportAllocs()
	for b.Loop() {
		_ = a.Endpoint("/chat/completions", "gpt-4o")
		a.Authorize(h, "sk-2")
		a.SetHeaders(h)
	}
}

func BenchmarkNewAddress(b *testing.B) {
	p, _ := ByName("anthropic")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewAddress(p, []string{"sk-ant-1"}); err != nil {
			b.Fatal(err)
		}
	}
}
