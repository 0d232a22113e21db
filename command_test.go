package aiproxy

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/spf13/cobra"

	"github.com/ai-proxy/caddy-ai-proxy/providers"
)

// commandFlags parses the arguments of `caddy ai-proxy`.
func commandFlags(t *testing.T, args ...string) caddycmd.Flags {
	t.Helper()
	cmd := new(cobra.Command)
	setFlags(cmd)
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	return caddycmd.Flags{FlagSet: cmd.Flags()}
}

// withoutKeys clears the environment of all keys of providers.
func withoutKeys(t *testing.T) {
	t.Helper()
	for _, p := range providers.All() {
		for _, name := range p.Env {
			t.Setenv(name, "")
		}
	}
}

// commandServer returns the configuration of the command, and its one server.
func commandServer(t *testing.T, args ...string) (*caddy.Config, *caddyhttp.Server, *Handler) {
	t.Helper()
	cfg, err := commandConfig(commandFlags(t, args...))
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	var app caddyhttp.App
	if err := json.Unmarshal(cfg.AppsRaw["http"], &app); err != nil {
		t.Fatal(err)
	}
	srv, h := app.Servers["ai_proxy"], new(Handler)
	if err := json.Unmarshal(srv.Routes[0].HandlersRaw[0], h); err != nil {
		t.Fatal(err)
	}
	return cfg, srv, h
}

func TestCommandAddresses(t *testing.T) {
	withoutKeys(t)
	for address, tc := range map[string]struct {
		listen, host string
		plain        bool
	}{
		"localhost:8080":         {"localhost:8080", "", true},
		":8080":                  {":8080", "", true},
		"localhost":              {"localhost:80", "", true},
		"127.0.0.1:8080":         {"127.0.0.1:8080", "", true},
		"[::1]:8080":             {"[::1]:8080", "", true},
		"0.0.0.0:8080":           {"0.0.0.0:8080", "", true},
		"[::]:8080":              {"[::]:8080", "", true},
		"http://ai.example.com":  {"ai.example.com:80", "", true},
		"ai.example.com":         {":443", "ai.example.com", false},
		"ai.example.com:8443":    {":8443", "ai.example.com", false},
		"https://localhost:8443": {":8443", "localhost", false},
		"https://:8443":          {":8443", "", false},
	} {
		cfg, srv, _ := commandServer(t, "--listen", address)
		if len(srv.Listen) != 1 || srv.Listen[0] != tc.listen {
			t.Errorf("%s listens on %q, want %q", address, srv.Listen, tc.listen)
		}
		if plain := srv.AutoHTTPS != nil && srv.AutoHTTPS.Disabled; plain != tc.plain {
			t.Errorf("%s: plain HTTP is %v", address, plain)
		}
		host := ""
		if sets := srv.Routes[0].MatcherSetsRaw; len(sets) > 0 {
			host = string(sets[0]["host"])
		}
		if want := fmt.Sprintf("[%q]", tc.host); tc.host == "" && host != "" || tc.host != "" && host != want {
			t.Errorf("%s matches the host %s, want %s", address, host, tc.host)
		}
		if err := caddy.Validate(cfg); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"localhost:port", "localhost:99999", "localhost:8080/path"} {
		if _, err := commandConfig(commandFlags(t, "--listen", address)); err == nil {
			t.Errorf("%s is taken", address)
		}
	}
}

func TestCommandServesWhatHasAKey(t *testing.T) {
	withoutKeys(t)
	t.Setenv("GROQ_API_KEY", "gsk_planted-key-0123456789")
	cfg, _, h := commandServer(t)
	if len(h.Providers) < 20 || !strings.Contains(string(h.Providers["groq"]), `"{env.GROQ_API_KEY}"`) || strings.Contains(string(h.Providers["openai"]), "api_key") {
		t.Errorf("%d providers; groq: %s; openai: %s", len(h.Providers), h.Providers["groq"], h.Providers["openai"])
	}
	for name := range h.Providers {
		if row, ok := providers.ByName(name); !ok || row.KeyOptional {
			t.Errorf("somebody's own server is served without having been named: %s", name)
		}
	}
	if err := caddy.Validate(cfg); err != nil {
		t.Error(err)
	}
	if dump := fmt.Sprint(string(cfg.AppsRaw["http"])); strings.Contains(dump, "planted-key") {
		t.Errorf("the key stands in the configuration: %s", dump)
	}
	_, _, h = commandServer(t, "--model", "fast=groq/llama-3.1-8b-instant")
	if len(h.Providers) != 1 || len(h.Models) != 1 || h.Models[0].Name != "fast" || *h.Models[0].Deployments[0] != (Deployment{Provider: "groq", Model: "llama-3.1-8b-instant"}) {
		t.Errorf("providers %v, models %+v", h.Providers, h.Models)
	}
}

func TestCommandProviders(t *testing.T) {
	withoutKeys(t)
	t.Setenv("OPENAI_API_KEY", "sk-proj-planted-key-0123456789")
	cfg, _, h := commandServer(t, "--provider", "mock", "--provider", "openai", "-p", "local=http://localhost:8000/v1", "-m", "a=mock", "-m", "b=local/x")
	for name, want := range map[string]string{
		"mock": `{"type":"mock"}`, "openai": `{"api_keys":["{env.OPENAI_API_KEY}"],"type":"openai"}`, "local": `{"base_url":"http://localhost:8000/v1","type":"compatible"}`,
	} {
		if got := string(h.Providers[name]); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if err := caddy.Validate(cfg); err != nil {
		t.Error(err)
	}
	for _, args := range [][]string{{"--provider", "opnai"}, {"--model", "fast"}, {"--model", "=groq"}, {"--model", "fast="}, {"--model", "fast=/x"}} {
		if _, err := commandConfig(commandFlags(t, args...)); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
	if _, err := commandConfig(commandFlags(t, "--provider", "opnai")); err == nil || !strings.Contains(err.Error(), `"openai"`) {
		t.Errorf("the error does not help: %v", err)
	}
}

func TestCommandSwitches(t *testing.T) {
	withoutKeys(t)
	cfg, srv, _ := commandServer(t, "--provider", "mock")
	if srv.Logs != nil || cfg.AppsRaw["tls"] != nil || cfg.Logging.Logs["default"].Level != "" || !cfg.Admin.Disabled {
		t.Error("something is on that was not asked for")
	}
	cfg, srv, _ = commandServer(t, "--provider", "mock", "--access-log", "--internal-certs", "--debug")
	if srv.Logs == nil || !strings.Contains(string(cfg.AppsRaw["tls"]), `"internal"`) || cfg.Logging.Logs["default"].Level != "DEBUG" {
		t.Error("a switch does nothing")
	}
	if !strings.Contains(string(cfg.Logging.Logs["default"].EncoderRaw), `"ai_proxy"`) {
		t.Errorf("the access log shows keys: %s", cfg.Logging.Logs["default"].EncoderRaw)
	}
	if err := caddy.Validate(cfg); err != nil {
		t.Error(err)
	}
}
