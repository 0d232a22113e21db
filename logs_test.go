package aiproxy

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/logging"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// encodedHeader is what a log shows of a header, through a filter.
func encodedHeader(t *testing.T, h caddyhttp.LoggableHTTPHeader) string {
	t.Helper()
	enc := logging.FilterEncoder{
		WrappedRaw: json.RawMessage(`{"format":"json"}`),
		FieldsRaw:  map[string]json.RawMessage{"request>headers": json.RawMessage(`{"filter":"ai_proxy"}`)},
	}
	ctx, cancel := caddy.NewContext(caddy.Context{Context: context.Background()})
	t.Cleanup(cancel)
	if err := enc.Provision(ctx); err != nil {
		t.Fatal(err)
	}
	request := zap.Object("request", zapcore.ObjectMarshalerFunc(func(enc zapcore.ObjectEncoder) error { return enc.AddObject("headers", h) }))
	out, err := enc.EncodeEntry(zapcore.Entry{}, []zapcore.Field{request})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestFilterHidesKeys(t *testing.T) {
	t.Parallel()
	h := http.Header{"X-Other": {"seen"}, "Authorization": {"Bearer planted-0"}}
	for i, name := range keyHeaders {
		h[name] = []string{fmt.Sprint("planted-", i+1), "planted-too"}
	}
	for _, credentials := range []bool{false, true} {
		out := encodedHeader(t, caddyhttp.LoggableHTTPHeader{Header: h, ShouldLogCredentials: credentials})
		if !strings.Contains(out, "seen") || !strings.Contains(out, "X-Api-Key") {
			t.Errorf("the filter hides too much: %s", out)
		}
		if credentials {
			out = strings.Replace(out, "planted-0", "", 1) // which the configuration asks for
		}
		if strings.Contains(out, "planted") {
			t.Errorf("the filter shows a key: %s", out)
		}
	}
	if h.Get("X-Api-Key") != "planted-1" {
		t.Error("the filter has changed the request")
	}
	if f := new(KeyFilter).Filter(zap.String("headers", "text")); f.String != "text" {
		t.Errorf("another field became %q", f.String)
	}
}

func TestFilterHasNoOptions(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{"ai_proxy": true, "ai_proxy x": false, "ai_proxy {\nx\n}": false} {
		if err := new(KeyFilter).UnmarshalCaddyfile(caddyfile.NewTestDispenser(text)); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// The operator is warned about an access log that shows keys, and only about that.
// Not parallel: what is known of the logs belongs to the configuration that is loaded.
func TestWarningAboutLogs(t *testing.T) {
	for name, tc := range map[string]struct {
		logs             *caddyhttp.ServerLogConfig
		filter, redacted bool
		warns            bool
	}{
		"no access log":         {nil, false, false, false},
		"access log":            {&caddyhttp.ServerLogConfig{}, false, false, true},
		"with the filter":       {&caddyhttp.ServerLogConfig{}, true, false, false},
		"hidden another way":    {&caddyhttp.ServerLogConfig{}, false, true, false},
		"filter, no log at all": {nil, true, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := caddy.NewContext(caddy.Context{Context: context.WithValue(t.Context(), caddyhttp.ServerCtxKey, &caddyhttp.Server{Logs: tc.logs})})
			defer cancel()
			if tc.filter {
				if _, err := ctx.LoadModuleByID("caddy.logging.encoders.filter.ai_proxy", nil); err != nil {
					t.Fatal(err)
				}
			}
			core, seen := observer.New(zapcore.WarnLevel)
			h := &Handler{logger: zap.New(core), LogsRedacted: tc.redacted}
			h.warnAboutLogs(ctx)
			if n := seen.Len(); (n == 1) != tc.warns || n > 1 {
				t.Errorf("%d warnings: %v", n, seen.All())
			}
			if tc.warns {
				if fields := fmt.Sprint(seen.All()[0].ContextMap()); !strings.Contains(fields, "request>headers ai_proxy") {
					t.Errorf("the warning does not say what to do: %s", fields)
				}
			}
		})
	}
}

// A filter of the configuration before this one says nothing about this one's logs.
func TestFilterIsThatOfThisConfiguration(t *testing.T) {
	load := func(filter bool) int {
		ctx, cancel := caddy.NewContext(caddy.Context{Context: context.WithValue(t.Context(), caddyhttp.ServerCtxKey, &caddyhttp.Server{Logs: new(caddyhttp.ServerLogConfig)})})
		defer cancel()
		if filter {
			if _, err := ctx.LoadModuleByID("caddy.logging.encoders.filter.ai_proxy", nil); err != nil {
				t.Fatal(err)
			}
		}
		core, seen := observer.New(zapcore.WarnLevel)
		(&Handler{logger: zap.New(core)}).warnAboutLogs(ctx)
		return seen.Len()
	}
	if before, after := load(true), load(false); before != 0 || after != 1 {
		t.Errorf("%d warnings with the filter, %d after it was taken out", before, after)
	}
}

// What a handler logs about failures must not show what providers repeat of a request.
func TestLogsShowNoKeys(t *testing.T) {
	t.Parallel()
	p := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
		auth := r.Header.Get("Authorization")
		answerJSON(500, `{"error":{"message":"`+auth+`","type":"`+auth+`","param":"`+auth+`","code":"`+auth+`"}}`)(w, r)
	})
	refuses := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
		answerJSON(401, `{"error":{"message":"wrong key `+r.Header.Get("Authorization")+`"}}`)(w, r)
	})
	h := loadHandler(t, fmt.Sprintf("provider a {\ntype openai\nbase_url %s/v1\n}\nprovider b {\ntype openai\nbase_url %s/v1\napi_key held-key-0123456789\n}\nprovider c {\ntype openai\nbase_url http://127.0.0.1:1/v1?key=held-key-in-url\napi_key held-key-0123456789\n}\nmodel gpt-4o a b c", p.URL, refuses.URL))
	core, seen := observer.New(zapcore.DebugLevel)
	h.logger = zap.New(core)
	r := chat(t, serveHandler(t, h), question)
	if r.status != 502 {
		t.Errorf("got %d %s", r.status, r.body)
	}
	var all strings.Builder
	for _, entry := range seen.All() {
		fmt.Fprintln(&all, entry.Message, entry.ContextMap())
	}
	for _, want := range []string{"deployment failed, asking the next", "provider refuses the configured key", "no answer from provider", "failed"} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("%q was not logged: %s", want, all.String())
		}
	}
	if strings.Contains(all.String()+r.body, "client-key") || strings.Contains(all.String()+r.body, "held-key") {
		t.Errorf("a key is shown: %s\n%s", all.String(), r.body)
	}
}

// The placeholders that access logs and headers read.
func TestPlaceholders(t *testing.T) {
	t.Parallel()
	p := newProvider(t, answerJSON(200, answer))
	h := loadHandler(t, openaiAt(p)+"\nmodel gpt-4o openai/gpt-5")
	read := func(body string) map[string]any {
		repl := caddy.NewReplacer()
		serveRecorded(t, h, body, repl)
		got := map[string]any{}
		for _, name := range []string{"model", "provider", "upstream_model", "attempts", "prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens", "finish_reason", "error"} {
			got[name], _ = repl.Get("http.ai_proxy." + name)
		}
		if ttft, _ := repl.Get("http.ai_proxy.ttft"); ttft == nil {
			t.Error("no ttft")
		}
		if _, ok := repl.Get("http.ai_proxy.nonsense"); ok {
			t.Error("there is a placeholder called nonsense")
		}
		return got
	}
	if got, want := fmt.Sprint(read(question)), "map[attempts:1 cached_tokens:0 completion_tokens:2 error: finish_reason:stop model:gpt-4o prompt_tokens:1 provider:openai reasoning_tokens:0 upstream_model:gpt-5]"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got, want := fmt.Sprint(read(`{"model":"nobody","messages":[{"role":"user","content":"x"}]}`)), "map[attempts:0 cached_tokens:0 completion_tokens:0 error:model_not_found finish_reason: model:nobody prompt_tokens:0 provider: reasoning_tokens:0 upstream_model:]"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
