package aiproxy

import "testing"

func TestDeclaredProvidersGetModelsByName(t *testing.T) {
	t.Parallel()
	h := loadHandler(t, `
		provider qwen-cn
		provider deepseek
		provider zai
		provider groq
		provider mine {
			type     compatible
			base_url http://127.0.0.1:9/v1
			models   my-* foo
		}`)
	for name, want := range map[string]string{
		"qwen-max": "qwen-cn", "deepseek-chat": "deepseek", "glm-4.5": "zai", "my-x": "mine", "foo": "mine",
		"llama-3.1-8b": "groq", "mine/any": "mine",
	} {
		r, err := h.router.resolve(name)
		if err != nil || r.deployments[0].Name != want {
			t.Errorf("%s: %v %v, want %s", name, r, err, want)
		}
	}
	if r, err := h.router.resolve("gpt-4o"); err == nil {
		t.Errorf("gpt-4o is served by %s", r.deployments[0].Name)
	}
}

func TestServersWithoutKeysMustBeDeclared(t *testing.T) {
	t.Parallel()
	h := loadHandler(t, "")
	for _, name := range []string{"ollama/llama3", "vllm/x", "lmstudio/x", "llamacpp/x"} {
		if r, err := h.router.resolve(name); err == nil {
			t.Errorf("%s is served by %s without being declared", name, r.deployments[0].Name)
		}
	}
	h = loadHandler(t, "provider ollama")
	if _, err := h.router.resolve("ollama/llama3"); err != nil {
		t.Errorf("a declared ollama serves nothing: %v", err)
	}
}
