package providers

import (
	"slices"
	"strings"
	"testing"
)

func TestByModel(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ model, provider, upstream string }{
		{"gpt-4o", "openai", ""},
		{"gpt-4o-mini", "openai", ""},
		{"gpt-3.5-turbo", "openai", ""},
		{"claude-3-5-sonnet-20241022", "anthropic", ""},
		{"claude-3-opus-20240229", "anthropic", ""},
		{"gemini-1.5-pro", "gemini", ""},
		{"gemini-1.5-flash", "gemini", ""},
		{"grok-beta", "xai", ""},
		{"deepseek-chat", "deepseek", ""},
		{"qwen-max", "qwen", ""},
		{"llama-3.1-70b", "groq", "llama-3.3-70b-versatile"},
		{"llama-3.1-8b", "groq", "llama-3.1-8b-instant"},
		{"moonshot-v1-8k", "moonshot", ""},
		{"glm-4", "glm", ""},

		{"glm-4.6", "glm", ""}, // Z.AI has it too
		{"text-embedding-3-large", "openai", ""},
		{"text-embedding-4", "openai", ""}, // newer than the catalogue
		{"gpt-image-1", "openai", ""},
		{"whisper-1", "openai", ""},
		{"whisper-large-v3", "groq", ""}, // not OpenAI's, though named like it
		{"gpt-oss-120b", "cerebras", ""},
		{"llama-3.3-70b-versatile", "groq", ""},
		{"mistral-large-latest", "mistral", ""},
		{"codestral-latest", "mistral", ""},
		{"labs-devstral-small-2512", "mistral", ""},
		{"gemma-4-31b-it", "gemini", ""},
		{"sonar-pro", "perplexity", ""},
		{"MiniMax-M3", "minimax", ""},
		{"doubao-seed-1-6-251015", "volcengine", ""},
		{"kimi-k2.5", "moonshot", ""},
		{"@cf/meta/llama-3.1-8b-instruct", "cloudflare", ""},
		{"accounts/fireworks/models/glm-5p2", "fireworks", ""},

		{"zai-org/GLM-5", "", ""}, // several sell it
		{"my-own-model", "", ""},
		{"", "", ""},
		{"GPT-4O", "", ""}, // case counts
	} {
		p, upstream, ok := ByModel(tc.model)
		if !ok {
			if tc.provider != "" {
				t.Errorf("%s: nobody, want %s", tc.model, tc.provider)
			}
			continue
		}
		want := tc.upstream
		if want == "" {
			want = tc.model
		}
		if p.Name != tc.provider || upstream != want {
			t.Errorf("%s: %s as %s, want %q as %s", tc.model, p.Name, upstream, tc.provider, want)
		}
	}
}

func TestAliasesPointToModelsThatAreServed(t *testing.T) {
	t.Parallel()
	for _, p := range All() {
		for alias, model := range p.Aliases {
			if _, ok := Lookup(p.Name, model); !ok {
				t.Errorf("%s: the alias %s points to %s, which is not in the catalogue", p.Name, alias, model)
			}
		}
	}
}

func TestOwnerOfKey(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"sk-ant-api03-abc": "anthropic", "sk-ant-oat01-abc": "anthropic", "sk-or-v1-abc": "openrouter", "sk-proj-abc": "openai",
		"sk-svcacct-abc": "openai", "gsk_abc": "groq", "xai-abc": "xai", "AIzaSyabc": "gemini", "pplx-abc": "perplexity", "nvapi-abc": "nvidia",
		"hf_abc": "huggingface", "github_pat_abc": "github", "bce-v3/ALTAK-abc": "qianfan", "ABSKQmVk": "bedrock", "ya29.abc": "vertex",
		"sk-abcdef": "", "sk-": "", "": "", "0123456789abcdef": "", "sk": "", "gsk": "",
	} {
		p, ok := OwnerOfKey(key)
		if got := map[bool]string{true: name(p)}[ok]; got != want {
			t.Errorf("%s belongs to %q, want %q", key, got, want)
		}
	}
}

func name(p *Profile) string {
	if p == nil {
		return ""
	}
	return p.Name
}

func TestKeyFits(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		provider, key string
		want          bool
	}{
		{"anthropic", "sk-ant-api03-x", true},
		{"anthropic-compat", "sk-ant-api03-x", true}, // its first owner is another row of the same company
		{"openai", "sk-ant-api03-x", false},
		{"openai", "sk-whatever", true},
		{"deepseek", "sk-whatever", true},
		{"deepseek", "gsk_x", false},
		{"gemini-compat", "AIzaX", true},
	} {
		p, _ := ByName(tc.provider)
		if got := KeyFits(p, tc.key); got != tc.want {
			t.Errorf("%s fits %s: %v", tc.key, tc.provider, got)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	names := RowNames()
	for _, tc := range []struct {
		name string
		from []string
		n    int
		want []string
	}{
		{"opnai", names, 1, []string{"openai"}},
		{"opeanai", names, 1, []string{"openai"}},
		{"OpenAI", names, 1, []string{"openai"}},
		{"antropic", names, 1, []string{"anthropic"}},
		{"gpt4o", []string{"gpt-4o", "gpt-4o-mini", "o1"}, 1, []string{"gpt-4o"}},
		{"claude-3-5-sonnet", []string{"claude-3-5-sonnet-20241022", "gpt-4o"}, 3, []string{"claude-3-5-sonnet-20241022"}},
		{"xyzzy-plugh", names, 3, nil},
		{"", names, 3, nil},
		{"openai", names, 0, nil},
		{"b", []string{"a", "c"}, 5, []string{"a", "c"}}, // equally near: by name
		{strings.Repeat("x", 65), []string{strings.Repeat("x", 65)}, 1, nil},
	} {
		if got := Nearest(tc.name, tc.from, tc.n); !slices.Equal(got, tc.want) && len(got)+len(tc.want) > 0 {
			t.Errorf("nearest to %q: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestNearestIsIndependentOfTheOrderOfCandidates(t *testing.T) {
	t.Parallel()
	names := Names("openrouter")
	back := slices.Clone(names)
	slices.Reverse(back)
	if a, b := Nearest("openai/gpt4o", names, 5), Nearest("openai/gpt4o", back, 5); !slices.Equal(a, b) || len(a) == 0 {
		t.Errorf("%q and %q", a, b)
	}
}

func FuzzByModel(f *testing.F) {
	for _, seed := range []string{"gpt-4o", "", "*", "a/b", "\x00", "claude-" + strings.Repeat("x", 200)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, model string) {
		p, upstream, ok := ByModel(model)
		if ok != (p != nil) || ok && upstream == "" && model != "" {
			t.Fatalf("%q: %v %q %v", model, p, upstream, ok)
		}
		if near := Nearest(model, RowNames(), 3); len(near) > 3 {
			t.Fatalf("%q: %q", model, near)
		}
		OwnerOfKey(model)
		Lookup("openai", model)
	})
}

func BenchmarkByModel(b *testing.B) {
	ByModel("gpt-4o")
	for _, model := range []string{"gpt-4o", "qwen-max", "llama-3.1-8b", "unknown-model"} {
		b.Run(model, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ByModel(model)
			}
		})
	}
}

func BenchmarkNearest(b *testing.B) {
	names := Names("openrouter")
	b.ReportAllocs()
	for b.Loop() {
		Nearest("anthropic/claude-sonet-4", names, 3)
	}
}
