package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// example is the Caddyfile that people begin with.
const example = "../Caddyfile.example"

// TestExampleIsValid: the commands that people try first.
func TestExampleIsValid(t *testing.T) {
	t.Parallel()
	g := newGateway(t, setup{})
	file, err := filepath.Abs(example)
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"adapt", "--config", file, "--adapter", "caddyfile", "--validate"},
		{"validate", "--config", file, "--adapter", "caddyfile"},
		{"fmt", "--diff", file},
	} {
		t.Run(args[0], func(t *testing.T) {
			t.Parallel()
			out, err := g.caddy(t, args...)
			if err != nil || strings.Contains(out, `"level":"error"`) || strings.Contains(out, `"level":"warn"`) {
				t.Errorf("caddy %q: %v\n%s", args, err, out)
			}
			if args[0] == "fmt" && strings.Contains(out, "\n+") {
				t.Errorf("caddy fmt would change it:\n%s", out)
			}
		})
	}
}

// TestExampleWithEverythingUncommented: what waits behind the comments is valid too.
func TestExampleWithEverythingUncommented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	// Lines that begin with # and no space are configuration.
	var lines []string
	uncommented := 0
	for line := range strings.Lines(string(text)) {
		indent, code, ok := strings.Cut(line, "#")
		if ok && strings.Trim(indent, "\t") == "" && code[0] != ' ' && code[0] != '\n' {
			uncommented++
			line = indent + code
		}
		lines = append(lines, line)
	}
	if uncommented < 10 {
		t.Fatalf("only %d lines wait behind comments", uncommented)
	}
	config := strings.Join(lines, "")
	g := newGateway(t, setup{files: map[string]string{"key": "secret-key-from-a-file"}})
	for _, name := range regexp.MustCompile(`{env\.(\w+)}`).FindAllStringSubmatch(config, -1) {
		g.env = append(g.env, name[1]+"=sk-test-0123456789-"+name[1])
	}
	g.write(t, "Caddyfile", regexp.MustCompile(`{file\.[^}]+}`).ReplaceAllString(config, "{file."+filepath.Join(g.home, "key")+"}"))
	if out, err := g.caddy(t, "validate", "--config", "Caddyfile", "--adapter", "caddyfile"); err != nil {
		t.Errorf("caddy validate: %v\n%s\n%s", err, out, config)
	}
}

// TestExampleAnswers runs the example without a network, at other ports, and asks it.
func TestExampleAnswers(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	g := newGateway(t, setup{})
	// Nothing of it changes but where it listens.
	const option = "\tskip_install_trust\n"
	if !bytes.Contains(text, []byte(option)) {
		t.Fatalf("there is no %q in the example", option)
	}
	g.write(t, "Caddyfile", strings.Replace(string(text), option, fmt.Sprintf("%s\tadmin unix/{$HOME}/admin.sock\n\tpersist_config off\n\tgrace_period 1s\n\thttps_port %s\n\thttp_port %s\n", option, port, freePort(t)), 1))
	g.launch(t, "run", "--config", "Caddyfile", "--adapter", "caddyfile")
	g.certified(t, "localhost:"+port)
	client := newClient(t, "HTTP/2.0", g.authority(t))
	for _, c := range []struct {
		model  string
		stream bool
	}{{"mock", false}, {"mock", true}, {"mock/anything", true}} {
		a := exchange(t, client, "https://localhost:"+port+chatPath, ask(c.model, c.stream))
		v := published(t).read(a, c.stream, false)
		if wrong := v.legal(c.stream); len(wrong) > 0 || v.text() != "Hello! You asked: Hello" {
			t.Errorf("%s: status %d, text %q: %q", c.model, a.status, v.text(), wrong)
		}
	}
	if a := fetch(t, client, "GET", "https://localhost:"+port+"/"); !strings.Contains(string(a.body), "/v1") {
		t.Errorf("the site answers %d: %s", a.status, a.body)
	}
	checkModels(t, fetch(t, client, "GET", "https://localhost:"+port+"/v1/models"))
}

func checkModels(t *testing.T, a *answer) {
	t.Helper()
	if bad := violation(published(t).list, a.body); a.status != 200 || bad != "" {
		t.Errorf("the list of models: status %d, %s", a.status, bad)
	}
	var list struct{ Data []any }
	if json.Unmarshal(a.body, &list) != nil || len(list.Data) == 0 {
		t.Errorf("there are no models in %s", a.body)
	}
}

// TestCommand is the gateway in one line.
func TestCommand(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.on("some-model", reply("from the provider"))
	for name, c := range map[string]struct {
		args  []string
		model string
		want  string
	}{
		"mock":           {[]string{"--provider", "mock"}, "mock/anything", ""},
		"a server":       {[]string{"--provider", "local=" + u.url + "/v1"}, "local/some-model", "from the provider"},
		"a server alone": {[]string{"--provider", "local=" + u.url + "/v1"}, "some-model", "from the provider"},
		"a named model":  {[]string{"--provider", "local=" + u.url + "/v1", "--model", "fast=local/some-model", "--debug", "--access-log"}, "fast", "from the provider"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, setup{})
			address := "127.0.0.1:" + freePort(t)
			g.launch(t, append([]string{"ai-proxy", "--listen", address}, c.args...)...)
			g.out.wait(t, g.ended, "the gateway answering", func(text string) bool { return strings.Contains(text, "ai_proxy answers the OpenAI API at "+address) })
			client := newClient(t, "HTTP/1.1", nil)
			a := exchange(t, client, "http://"+address+chatPath, ask(c.model, false), "X-Api-Key", "planted-in-a-header")
			v := published(t).read(a, false, false)
			if wrong := v.legal(false); len(wrong) > 0 || v.text() == "" || c.want != "" && v.text() != c.want {
				t.Errorf("status %d, text %q: %q", a.status, v.text(), wrong)
			}
			if name != "a server" && name != "a server alone" { // whose models nobody knows
				checkModels(t, fetch(t, client, "GET", "http://"+address+"/v1/models"))
			}
			g.stop(t)
			if lines := g.out.lines("planted-in-a-header"); len(lines) > 0 {
				t.Errorf("the log shows a key: %q", lines)
			}
		})
	}
}
