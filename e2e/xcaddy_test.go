package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestBuiltByXcaddy builds the binary in the way the README tells, and tries it.
func TestBuiltByXcaddy(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(runDir, "caddy-by-xcaddy")
	env := append(os.Environ(), "GOWORK=off")
	if out, err := run(t, repoRoot, env, "go", "tool", "xcaddy", "build", "v2.11.9", "--with", "github.com/ai-proxy/caddy-ai-proxy@v0.0.0=.", "--output", binary); err != nil {
		t.Fatalf("xcaddy: %v\n%s", err, out)
	}
	u := newUpstream(t)
	u.on("some-model", reply(helloText))
	site := "http://127.0.0.1:" + freePort(t)
	g := start(t, setup{binary: binary, sites: site + " {\n\tai_proxy {\n\t\tprovider own " + u.url + "/v1 {\n\t\t\ttype openai\n\t\t}\n\t}\n}\n"})
	list, err := g.caddy(t, "list-modules")
	if err != nil {
		t.Fatalf("caddy list-modules: %v\n%s", err, list)
	}
	modules := strings.Fields(list)
	for _, want := range append(providerModules(t), "http.handlers.ai_proxy", "http.ai_proxy.providers.mock", "caddy.logging.encoders.filter.ai_proxy") {
		if !slices.Contains(modules, want) {
			t.Errorf("caddy list-modules does not have %s", want)
		}
	}
	a := exchange(t, newClient(t, "HTTP/1.1", nil), site+chatPath, ask("own/some-model", true))
	v := published(t).read(a, true, false)
	if wrong := v.legal(true); len(wrong) > 0 || v.text() != helloText {
		t.Errorf("status %d, text %q: %q", a.status, v.text(), wrong)
	}
}

// providerModules are the modules of the rows in the table of providers.
func providerModules(t *testing.T) []string {
	t.Helper()
	var table struct {
		Providers []struct{ Name string }
	}
	text, err := os.ReadFile(filepath.Join(repoRoot, "providers", "profiles.json"))
	if err == nil {
		err = json.Unmarshal(text, &table)
	}
	if err != nil || len(table.Providers) < 10 {
		t.Fatalf("the table of providers has %d rows: %v", len(table.Providers), err)
	}
	var names []string
	for _, p := range table.Providers {
		names = append(names, "http.ai_proxy.providers."+p.Name)
	}
	return names
}
