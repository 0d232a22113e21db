package aiproxy

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

// load loads a handler from JSON.
func load(t *testing.T, config string) (*Handler, error) {
	t.Helper()
	ctx, cancel := caddy.NewContext(caddy.Context{Context: context.Background()})
	t.Cleanup(cancel)
	mod, err := ctx.LoadModuleByID("http.handlers.ai_proxy", json.RawMessage(config))
	h, _ := mod.(*Handler)
	return h, err
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ config, says string }{
		"unknown option":           {`{"modles":[]}`, `unknown field "modles"`},
		"model that is null":       {`{"models":[null]}`, "model 1 is null"},
		"model without a name":     {`{"models":[{"deployments":[{"provider":"openai"}]}]}`, "a name is required"},
		"model without anybody":    {`{"models":[{"name":"x"}]}`, "at least one deployment"},
		"deployment that is null":  {`{"models":[{"name":"x","deployments":[{"provider":"openai"},null]}]}`, "deployment 2 is null"},
		"model twice":              {`{"models":[{"name":"x","deployments":[{"provider":"openai"}]},{"name":"x","deployments":[{"provider":"openai"}]}]}`, "declared twice"},
		"unknown provider":         {`{"models":[{"name":"x","deployments":[{"provider":"opnai"}]}]}`, `did you mean "openai"`},
		"provider without address": {`{"models":[{"name":"x","deployments":[{"provider":"azure"}]}]}`, "base_url"},
		"default provider":         {`{"default_provider":"opnai"}`, "default_provider"},
		"no provider":              {`{"providers":{"x":{"type":"nonsense"}}}`, "nonsense"},
		"provider that is null":    {`{"providers":{"openai":null}}`, "loading providers"},
		"transport":                {`{"transport":{"protocol":"nonsense"}}`, "loading transport"},
		"negative limit":           {`{"max_nesting":-1}`, "limits must not be negative"},
		"negative hold":            {`{"header_hold":-1}`, "header_hold must not be negative"},
		"unsupported_params":       {`{"unsupported_params":"ignore"}`, "must be drop or reject"},
		"no origins":               {`{"cors":{}}`, "at least one origin"},
		"no origin":                {`{"cors":{"origins":["https://a.example/path"]}}`, "is not an origin"},
		"memory":                   {`{"reasoning_memory":{"ttl":-1}}`, "must not be negative"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := load(t, tc.config); err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %v, want words of %q", err, tc.says)
			}
		})
	}
}

func TestEmptyConfigurationHasDefaults(t *testing.T) {
	t.Parallel()
	for _, config := range []string{"{}", `{"providers":{},"models":[]}`, `{"providers":null,"models":null,"cors":null,"reasoning_memory":null}`} {
		h, err := load(t, config)
		if err != nil {
			t.Fatalf("%s: %v", config, err)
		}
		if h.MaxBodySize != defaultBodySize || h.MaxAnswerSize != defaultBodySize || h.MaxEventSize != defaultBodySize || h.MaxNesting != defaultNesting ||
			h.MaxHeaderSize != defaultHeaderSize || h.HeaderHold != caddy.Duration(defaultHeaderHold) || h.KeepAlive != caddy.Duration(defaultKeepAlive) || h.memory == nil {
			t.Errorf("%s: %+v", config, h)
		}
		if _, err := h.router.resolve("gpt-4o"); err != nil {
			t.Errorf("%s: %v", config, err)
		}
		if h.router.modelless == nil || h.router.modelless.deployments[0].Name != "openai" {
			t.Errorf("%s: requests without a model go to %+v", config, h.router.modelless)
		}
	}
}

// A reload provisions the new handler before it cleans up the old one; requests that are
// under way still use that one.
func TestOldHandlerServesOnAfterAReload(t *testing.T) {
	t.Parallel()
	p := newProvider(t, answerJSON(200, answer))
	first, second := loadHandler(t, openaiAt(p)), loadHandler(t, openaiAt(p))
	if _, ok := first.transport.(*reverseproxy.HTTPTransport); !ok || first.transport == second.transport {
		t.Fatalf("transport %T", first.transport)
	}
	gateway := serveHandler(t, first)
	chat(t, gateway, question)
	if err := first.transport.(*reverseproxy.HTTPTransport).Cleanup(); err != nil {
		t.Fatal(err)
	}
	if r := chat(t, gateway, question); r.status != http.StatusOK {
		t.Errorf("got %d %s", r.status, r.body)
	}
}

func TestCleanupClosesIdleConnections(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{}, 1)
	p := httptest.NewUnstartedServer(answerJSON(200, answer))
	p.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			select {
			case closed <- struct{}{}:
			default:
			}
		}
	}
	p.Start()
	defer p.Close()
	ctx, cancel := caddy.NewContext(caddy.Context{Context: context.Background()})
	mod, err := ctx.LoadModuleByID("http.handlers.ai_proxy", json.RawMessage(`{"providers":{"openai":{"type":"openai","base_url":"`+p.URL+`/v1"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	chat(t, serveHandler(t, mod.(*Handler)), question)
	cancel()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Error("the connections of a handler that is gone stay open")
	}
}
