package aiproxy

import (
	"encoding/json"
	"net/http"
	"testing"
)

type modelList struct {
	Object string
	Data   []struct {
		ID            string
		Object        string
		Created       int64
		OwnedBy       string `json:"owned_by"`
		ContextLength int64  `json:"context_length"`
		Pricing       struct{ Prompt, Completion string }
	}
}

func listModels(t *testing.T, gateway string) map[string]int {
	t.Helper()
	r := call(t, http.MethodGet, gateway+"/v1/models", "")
	var list modelList
	if err := json.Unmarshal([]byte(r.body), &list); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
	names := map[string]int{}
	for i, m := range list.Data {
		names[m.ID] = i
		if m.Object != "model" || m.Created <= 0 || m.OwnedBy == "" {
			t.Errorf("incomplete: %+v", m)
		}
		if m.ID == "gpt-4o" && (m.ContextLength != 128000 || m.Pricing.Prompt != "0.0000025" || m.Pricing.Completion != "0.00001") {
			t.Errorf("facts of gpt-4o: %+v", m)
		}
	}
	if list.Object != "list" || len(names) != len(list.Data) {
		t.Errorf("object %q, %d names in %d entries", list.Object, len(names), len(list.Data))
	}
	return names
}

func TestModelsOfPresets(t *testing.T) {
	t.Parallel()
	gateway := serve(t, "")
	names := listModels(t, gateway)
	for _, want := range []string{"gpt-4o", "gpt-4o-mini", "llama-3.1-8b"} {
		if _, ok := names[want]; !ok {
			t.Errorf("%s is missing among %d models", want, len(names))
		}
	}
}

func TestModelsAreThoseDeclared(t *testing.T) {
	t.Parallel()
	gateway := serve(t, "model fast openai/gpt-4o-mini\nmodel gpt-4o openai\nmodel oa/* openai")
	names := listModels(t, gateway)
	for _, want := range []string{"fast", "gpt-4o", "oa/gpt-4o"} {
		if _, ok := names[want]; !ok {
			t.Errorf("%s is missing: %v", want, names)
		}
	}
	if _, ok := names["gpt-4o-mini"]; ok {
		t.Error("a model is listed that is not declared")
	}
	if r := call(t, http.MethodGet, gateway+"/v1/models/fast", ""); r.status != 200 {
		t.Errorf("GET fast: %d %s", r.status, r.body)
	}
	if r := call(t, http.MethodGet, gateway+"/v1/models/oa/gpt-5", ""); r.status != 200 {
		t.Errorf("GET oa/gpt-5: %d %s", r.status, r.body)
	}
	wantError(t, call(t, http.MethodGet, gateway+"/v1/models/gpt-4o-mini", ""), 404, "model_not_found", "model")
}

func TestEveryMainstreamModelResolves(t *testing.T) {
	t.Parallel()
	h := loadHandler(t, "")
	for model, want := range map[string]string{
		"gpt-4o": "openai", "gpt-4o-mini": "openai", "gpt-3.5-turbo": "openai", "claude-3-5-sonnet-20241022": "anthropic", "claude-3-opus-20240229": "anthropic",
		"gemini-1.5-pro": "gemini", "gemini-1.5-flash": "gemini", "grok-beta": "xai", "deepseek-chat": "deepseek", "qwen-max": "qwen", "llama-3.1-70b": "groq",
		"llama-3.1-8b": "groq", "moonshot-v1-8k": "moonshot", "glm-4": "glm",
		"gpt-5.5": "openai", "claude-opus-5": "anthropic", "gemini-3-pro-preview": "gemini", "grok-4": "xai", "deepseek-v4-pro": "deepseek", "kimi-k2.5": "moonshot",
		"mistral-large-latest": "mistral", "openrouter/anthropic/claude-opus-5": "openrouter", "groq/some-model": "groq",
	} {
		rt, err := h.router.resolve(model)
		if err != nil {
			t.Errorf("%s: %v", model, err)
			continue
		}
		if got := rt.deployments[0].Profile().Type; got != want {
			t.Errorf("%s is served by %s, want %s", model, got, want)
		}
	}
}

func TestModelsByHead(t *testing.T) {
	t.Parallel()
	gateway := serve(t, "provider mock")
	for _, path := range []string{"/v1/models", "/v1/models/mock", "/v1/models/no/model"} {
		get, head := call(t, http.MethodGet, gateway+path, ""), call(t, http.MethodHead, gateway+path, "")
		if get.status != head.status || head.body != "" || head.header.Get("Content-Length") != itoa(len(get.body)) || head.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: GET has %d and %d bytes, HEAD %d and %v", path, get.status, len(get.body), head.status, head.header)
		}
	}
}
