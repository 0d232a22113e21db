package providers

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/ai-proxy/caddy-ai-proxy/translate/openai"
)

// withoutHealthPath are the rows whose provider has no path that answers a GET for
// free, as far as is known.
var withoutHealthPath = []string{
	"anthropic-compat", "baichuan", "bedrock", "cloudflare", "cohere", "github", "perplexity", "tokenhub", "vertex",
}

// local are the rows of servers that people run themselves.
var local = []string{"ollama", "vllm", "lmstudio", "llamacpp"}

func TestTableHasEveryFactOfEveryRow(t *testing.T) {
	t.Parallel()
	envName := regexp.MustCompile(`^[A-Z][A-Z0-9_]+$`)
	rowName := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	for _, p := range All() {
		for _, name := range p.names() {
			if !rowName.MatchString(name) {
				t.Errorf("%s: %q cannot be the name of a module", p.Name, name)
			}
		}
		if p.Title == "" {
			t.Errorf("%s has no title", p.Name)
		}
		if !slices.Contains([]string{DialectOpenAI, DialectAnthropic, DialectGemini}, p.Dialect) {
			t.Errorf("%s: nobody speaks the dialect %q", p.Name, p.Dialect)
		}
		if len(p.Env) == 0 && p.Name != "gateway" && p.Name != "compatible" {
			t.Errorf("%s: no environment variable is known to hold its key", p.Name)
		}
		for _, name := range p.Env {
			if !envName.MatchString(name) {
				t.Errorf("%s: %q is not the name of an environment variable", p.Name, name)
			}
		}
		if p.HealthPath == "" != slices.Contains(withoutHealthPath, p.Name) {
			t.Errorf("%s: health path %q is not what this test expects", p.Name, p.HealthPath)
		}
		if p.HealthPath != "" && !strings.HasPrefix(p.HealthPath, "/") {
			t.Errorf("%s: health path %q must begin with a slash", p.Name, p.HealthPath)
		}
		for _, prefix := range p.KeyPrefixes {
			if len(prefix) < 3 || prefix == "sk-" {
				t.Errorf("%s: the key prefix %q proves nothing", p.Name, prefix)
			}
		}
		for _, name := range p.ForwardHeaders {
			if name != http.CanonicalHeaderKey(name) {
				t.Errorf("%s: forwarded header %q is not in canonical form", p.Name, name)
			}
		}
		if err := checkQuirks(&p.Quirks); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
}

func TestTableAddressesAreSafe(t *testing.T) {
	t.Parallel()
	for _, p := range All() {
		if (p.BaseURL == "") == (p.Example == "") {
			t.Errorf("%s must have either a base URL or an example of one", p.Name)
		}
		address := p.BaseURL + p.Example
		u, err := url.Parse(strings.ReplaceAll(address, "{env.CLOUDFLARE_ACCOUNT_ID}", "x"))
		if err != nil || u.Host == "" || strings.HasSuffix(address, "/") {
			t.Errorf("%s: bad address %q: %v", p.Name, address, err)
			continue
		}
		if want := map[bool]string{true: "http", false: "https"}[slices.Contains(local, p.Name)]; u.Scheme != want {
			t.Errorf("%s: address %q is not %s", p.Name, address, want)
		}
		if p.KeyOptional != (slices.Contains(local, p.Name) || p.Name == "gateway" || p.Name == "compatible") {
			t.Errorf("%s: key_optional is %v", p.Name, p.KeyOptional)
		}
	}
}

func TestTableNormalizesEveryoneButOpenAI(t *testing.T) {
	t.Parallel()
	for _, p := range All() {
		q := p.Quirks.For("some-model")
		exact := p.Name == "openai" || p.Name == "gateway" || p.Dialect != DialectOpenAI
		if q.PassResponse() != exact {
			t.Errorf("%s: answers are passed byte for byte: %v, should be %v", p.Name, q.PassResponse(), exact)
		}
		if exact && !q.PassRequest() {
			t.Errorf("%s: requests for some-model would be changed", p.Name)
		}
	}
}

// Patterns end in "*" at most, so that two overlap only if one's text begins with the
// other's.
func TestTablePatternsAreUnambiguous(t *testing.T) {
	t.Parallel()
	type pattern struct{ row, text string }
	var all []pattern
	for _, p := range All() {
		for _, text := range p.Models {
			if i := strings.IndexByte(text, '*'); i >= 0 && i != len(text)-1 {
				t.Errorf("%s: the pattern %q has a * that is not its end", p.Name, text)
			}
			all = append(all, pattern{p.Name, text})
		}
	}
	for _, a := range all {
		for _, b := range all {
			if a.row != b.row && openai.Match(a.text, strings.TrimSuffix(b.text, "*")) {
				t.Errorf("%s of %s also covers %s of %s", a.text, a.row, b.text, b.row)
			}
		}
	}
}

func TestTableHasTheExpectedNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"alibaba", "anthropic", "anthropic-compat", "azure", "deepseek", "gemini", "groq", "mistral", "moonshot", "ollama", "openai",
		"openrouter", "perplexity", "together", "xai", "google", "qwen", "dashscope", "qwen-cn", "dashscope-cn", "moonshot-cn", "kimi",
		"glm", "zhipu", "zai", "minimax", "minimax-cn", "siliconflow", "siliconflow-cn", "grok", "bedrock", "vertex", "cohere", "fireworks",
		"cerebras", "sambanova", "nvidia", "huggingface", "github", "baichuan", "yi", "stepfun", "volcengine", "hunyuan", "qianfan", "vllm",
		"lmstudio", "llamacpp", "deepinfra", "nebius", "novita", "modelscope", "xiaomi", "cloudflare", "gateway", "compatible",
	} {
		p, ok := ByName(name)
		if !ok {
			t.Errorf("there is no provider %q", name)
			continue
		}
		if _, err := caddy.GetModule(Namespace + "." + p.Name); err != nil {
			t.Error(err)
		}
	}
}

// The cheap scan at start-up must see what the parser sees.
func TestScanNamesFindsWhatTheParserFinds(t *testing.T) {
	t.Parallel()
	var scanned []string
	scanNames(func(name []byte) { scanned = append(scanned, string(name)) })
	var parsed []string
	for _, p := range All() {
		parsed = append(parsed, p.Name)
	}
	if !slices.Equal(scanned, parsed) {
		t.Errorf("scanned %q\nparsed %q", scanned, parsed)
	}
}

func TestParseProfilesRefusesMistakes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ json, want string }{
		"unknown field":        {`{"providers": [{"name": "a", "dialect": "openai", "base_uri": "x"}]}`, "base_uri"},
		"unknown quirk":        {`{"providers": [{"name": "a", "dialect": "openai", "quirks": {"maxtokens": "x"}}]}`, "maxtokens"},
		"unknown quirk, rule":  {`{"providers": [{"name": "a", "dialect": "openai", "quirks": {"rules": [{"models": ["x"], "nope": 1}]}}]}`, "nope"},
		"duplicate member":     {`{"providers": [{"name": "a", "name": "b", "dialect": "openai"}]}`, "duplicate"},
		"name given twice":     {`{"providers": [{"name": "a", "dialect": "openai"}, {"name": "a", "dialect": "openai"}]}`, `"a" is given twice`},
		"other name not free":  {`{"providers": [{"name": "a", "dialect": "openai"}, {"name": "b", "also": ["a"], "dialect": "openai"}]}`, `"a" is given twice`},
		"alias given twice":    {`{"providers": [{"name": "a", "dialect": "openai", "aliases": {"m": "x"}}, {"name": "b", "dialect": "openai", "aliases": {"m": "y"}}]}`, `alias "m" is given twice`},
		"not an array of rows": {`{"providers": {}}`, "providers"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parseProfiles([]byte(tc.json))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
}

func TestQuirksOfReasoningModels(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		provider, model, maxTokens string
		drops, keeps               []string
	}{
		{provider: "openai", model: "gpt-4o"},
		{provider: "openai", model: "gpt-3.5-turbo"},
		{provider: "openai", model: "o1", maxTokens: "max_completion_tokens"},
		{provider: "openai", model: "o3-mini", maxTokens: "max_completion_tokens"},
		{provider: "openai", model: "o4-mini", maxTokens: "max_completion_tokens"},
		{provider: "openai", model: "gpt-5.5-pro", maxTokens: "max_completion_tokens"},
		{provider: "openai", model: "gpt-6", maxTokens: "max_completion_tokens"},
		{provider: "azure", model: "gpt-5-nano", maxTokens: "max_completion_tokens"},
		{provider: "azure", model: "grok-4-1-fast-non-reasoning", maxTokens: "max_tokens"},
		{provider: "azure", model: "Llama-3.3-70B-Instruct", maxTokens: "max_tokens"},
		{provider: "azure", model: "my-deployment"},
		{provider: "xai", model: "grok-4", drops: []string{"stop", "presence_penalty"}},
		{provider: "xai", model: "grok-3-mini", drops: []string{"stop"}},
		{provider: "xai", model: "grok-4.20-0309-non-reasoning", keeps: []string{"stop"}},
		{provider: "xai", model: "grok-4-1-fast-non-reasoning", keeps: []string{"stop"}},
		{provider: "xai", model: "grok-4-1-fast-reasoning", drops: []string{"stop"}},
		{provider: "github", model: "openai/gpt-5-mini", maxTokens: "max_completion_tokens"},
		{provider: "github", model: "openai/gpt-4o", maxTokens: "max_tokens"},
		{provider: "moonshot", model: "kimi-k2.6", maxTokens: "max_tokens", drops: []string{"temperature"}},
		{provider: "moonshot", model: "moonshot-v1-8k", maxTokens: "max_tokens", keeps: []string{"temperature"}},
	} {
		t.Run("E-136 "+tc.provider+" "+tc.model, func(t *testing.T) {
			t.Parallel()
			p, _ := ByName(tc.provider)
			q := p.Quirks.For(tc.model)
			if q.MaxTokens != tc.maxTokens {
				t.Errorf("max_tokens is sent as %q, want %q", q.MaxTokens, tc.maxTokens)
			}
			for _, name := range tc.drops {
				if !slices.Contains(q.Drop, name) {
					t.Errorf("%s is not dropped", name)
				}
			}
			for _, name := range tc.keeps {
				if slices.Contains(q.Drop, name) {
					t.Errorf("%s is dropped", name)
				}
			}
		})
	}
}

func BenchmarkScanNames(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		scanNames(func([]byte) {})
	}
}

func BenchmarkParseProfiles(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseProfiles(profilesJSON); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRegister is what registering all rows costs at start-up, without Caddy's own
// map.
func BenchmarkRegister(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		scanNames(func(name []byte) { (&HTTP{row: string(name)}).CaddyModule().New() })
	}
}
