package aiproxy

import (
	"fmt"
	"testing"
)

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

// Names that somebody makes up take up no more than a bounded place, and do not keep
// others out of it.
func TestMadeUpNamesAreForgotten(t *testing.T) {
	t.Parallel()
	rt := loadHandler(t, "model any/* mock\nprovider mock").router
	for i := range 3*maxMade + 7 {
		if _, err := rt.resolve(fmt.Sprint("any/", i)); err != nil {
			t.Fatal(err)
		}
	}
	kept := 0
	rt.made.Range(func(any, any) bool { kept++; return true })
	if kept > maxMade || int64(kept) != rt.count.Load() {
		t.Errorf("%d routes are kept, %d are counted, at most %d may be", kept, rt.count.Load(), maxMade)
	}
	first, _ := rt.resolve("any/real")
	if again, _ := rt.resolve("any/real"); first != again {
		t.Error("a name in use is worked out anew every time")
	}
}

func TestListingKeepsNoRoutes(t *testing.T) {
	t.Parallel()
	h := loadHandler(t, "")
	if body := h.listing.make(); len(body) < 1000 {
		t.Fatalf("the list is %s", body)
	}
	if n := h.router.count.Load(); n != 0 {
		t.Errorf("the list of models keeps %d routes", n)
	}
}

func TestKeysTakeTurns(t *testing.T) {
	t.Parallel()
	rt := loadHandler(t, "provider openai {\napi_key first-key-0123 second-key-0123 third-key-0123\n}").router
	r, err := rt.resolve("gpt-4o")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for range 9 {
		key, _ := r.deployments[0].HeldKey()
		seen[key]++
	}
	for key, n := range seen {
		if n != 3 || len(seen) != 3 {
			t.Errorf("%s was used %d times of 9", key, n)
		}
	}
	begins := map[string]bool{}
	for i := range 200 {
		r, _ := rt.resolve(fmt.Sprint("openai/m", i))
		key, _ := r.deployments[0].HeldKey()
		begins[key] = true
	}
	if len(begins) != 3 {
		t.Errorf("models that are used once share %d of 3 keys", len(begins))
	}
}
