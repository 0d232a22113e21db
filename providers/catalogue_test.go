package providers

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

func TestCatalogueDecodesInFull(t *testing.T) {
	t.Parallel()
	count := 0
	for section, entries := range catalogue() {
		if !slices.IsSortedFunc(entries, func(a, b catalogueEntry) int { return strings.Compare(string(a.name), string(b.name)) }) {
			t.Errorf("%s is not sorted", section)
		}
		for i, e := range entries {
			count++
			if i > 0 && string(e.name) == string(entries[i-1].name) {
				t.Errorf("%s has %s twice", section, e.name)
			}
			var m Model
			if err := json.Unmarshal(e.value, &m, json.RejectUnknownMembers(true)); err != nil {
				t.Errorf("%s %s: %v", section, e.name, err)
			}
			if strings.ContainsAny(string(e.name), `\"`) {
				t.Errorf("%s: the name %s has escapes, which the index does not undo", section, e.name)
			}
			if m.Context < 0 || m.MaxOutput < 0 || m.Price != nil && (m.Price.Input < 0 || m.Price.Output < 0) {
				t.Errorf("%s %s has negative numbers", section, e.name)
			}
			if !slices.Contains([]string{"", "beta", "deprecated"}, m.Status) {
				t.Errorf("%s %s has the status %q", section, e.name, m.Status)
			}
			if !slices.IsSortedFunc(m.Tiers, func(a, b Tier) int { return a.AboveContext - b.AboveContext }) {
				t.Errorf("%s %s has tiers out of order", section, e.name)
			}
		}
	}
	if count < 1300 {
		t.Errorf("only %d models", count)
	}
}

func TestCatalogueSectionsBelongToRows(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, p := range All() {
		used[p.section()] = true
		if p.Catalogue != "" && !hasCatalogue(p) {
			t.Errorf("%s: there is no section %q", p.Name, p.Catalogue)
		}
	}
	for section := range catalogue() {
		if !used[section] {
			t.Errorf("no provider has the section %q", section)
		}
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	m, ok := Lookup("openai", "gpt-5.4")
	if !ok || m.Context != 1050000 || m.MaxOutput != 128000 || m.Price == nil || m.Price.Input != 2.5 || m.Price.Output != 15 || m.Price.CacheRead != 0.25 ||
		!m.Reasoning || !m.ToolCall || m.Temperature || m.Released != "2026-03-05" || !slices.Equal(m.Modalities.Output, []string{"text"}) {
		t.Errorf("gpt-5.4 is %+v", m)
	}
	if len(m.Tiers) != 1 || m.Tiers[0].AboveContext != 272000 || m.Tiers[0].Output != 22.5 {
		t.Errorf("the tiers of gpt-5.4 are %+v", m.Tiers)
	}
	for _, tc := range []struct {
		provider, model string
		want            bool
	}{
		{"openai", "gpt-4o", true},
		{"openai", "gpt-5-2025-08-07", true},                   // without its date
		{"anthropic-compat", "claude-opus-4-5-20251101", true}, // shares Anthropic's section
		{"qwen-cn", "qwen-max", true},
		{"alibaba", "qwen-max", true},
		{"glm", "glm-4.6", true},
		{"kimi", "kimi-k2.5", true},
		{"groq", "meta-llama/llama-4-scout-17b-16e-instruct", true},
		{"openai", "claude-opus-4-5", false},
		{"openai", "", false},
		{"nobody", "gpt-4o", false},
		{"vllm", "anything", false},
	} {
		if _, ok := Lookup(tc.provider, tc.model); ok != tc.want {
			t.Errorf("%s %s: %v", tc.provider, tc.model, ok)
		}
	}
}

func TestNamesAreSortedAndComplete(t *testing.T) {
	t.Parallel()
	names := Names("anthropic")
	if !slices.IsSorted(names) || !slices.Contains(names, "claude-3-opus-20240229") || len(names) != 24 {
		t.Errorf("%d names: %q", len(names), names)
	}
	if Names("nobody") != nil || len(Names("vllm")) != 0 {
		t.Error("names of nobody")
	}
}

func TestUndated(t *testing.T) {
	t.Parallel()
	for model, want := range map[string]string{
		"gpt-5-2025-08-07": "gpt-5", "claude-x-20251101": "claude-x", "gpt-4": "gpt-4", "-20251101": "-20251101",
		"mistral-large-2411": "mistral-large-2411", "": "", "a-2025-8-07": "a-2025-8-07",
	} {
		if got := undated(model); got != want {
			t.Errorf("%q: %q, want %q", model, got, want)
		}
	}
}

func TestIndexCatalogueRefusesBrokenFiles(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"", "{", `{"a"`, `{"a":{`, `{"a":{"m"`, `{"a":{"m":{}`, `{"a":{"m":{}}`, `{"a":{"m":[}}`, `{"a":{},1}`, `{"a":nul}`} {
		if s, err := indexCatalogue([]byte(file)); err == nil {
			t.Errorf("%s gives %v", file, s)
		}
	}
}

func BenchmarkIndexCatalogue(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := indexCatalogue(modelsJSON); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	Lookup("openai", "gpt-4o")
	b.ReportAllocs()
	for b.Loop() {
		Lookup("openai", "gpt-4o")
	}
}
