package aiproxy

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// edgeStream is the beginning of a stream in one dialect: what says nothing, and a text.
type edgeStream struct {
	provider, path, model string
	silence, text         string
	// usage comes before the text, of so many tokens.
	usage      string
	prompt     int64
	completion int64
	// failure is how the provider says that it is overloaded.
	failure string
}

var edgeStreams = map[string]edgeStream{
	"passed": {
		provider: "openai", path: "/v1", model: "gpt-4o", silence: ": wait\n\n",
		text:  `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"hello"},"finish_reason":null}]}` + "\n\n",
		usage: `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}` + "\n\n", prompt: 7, completion: 3,
		failure: `data: {"error":{"message":"overloaded","type":"server_error","param":null,"code":null}}` + "\n\n",
	},
	"rewritten": {
		provider: "deepseek", model: "deepseek-chat", silence: ": wait\n\n",
		text:  `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"hello"},"finish_reason":null}]}` + "\n\n",
		usage: `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}` + "\n\n", prompt: 7, completion: 3,
		failure: `data: {"error":{"message":"overloaded","type":"server_error","param":null,"code":null}}` + "\n\n",
	},
	"anthropic": {
		provider: "anthropic", path: "/v1", model: "claude-opus-4-8", silence: "event: ping\ndata: {\"type\":\"ping\"}\n\n",
		text: `data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}` + "\n\n" +
			`data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hello"}}` + "\n\n",
		usage:  `data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":7,"output_tokens":3}}}` + "\n\n",
		prompt: 7, completion: 3,
		failure: `data: {"type":"error","error":{"type":"overloaded_error","message":"overloaded"}}` + "\n\n",
	},
	"gemini": {
		provider: "gemini", path: "/v1beta", model: "gemini-3-pro", silence: ": wait\r\n\r\n",
		text:  `data: {"responseId":"r","candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"hello"}]}}]}` + "\r\n\r\n",
		usage: `data: {"responseId":"r","candidates":[{"index":0}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":3}}` + "\r\n\r\n", prompt: 7, completion: 3,
		failure: `data: {"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}` + "\r\n\r\n",
	},
}

func (s *edgeStream) request() string {
	return `{"model":"public","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}]}`
}

// endings are how a stream can fail.
var endings = map[string]func(w http.ResponseWriter, r *http.Request, s *edgeStream){
	"idle": func(w http.ResponseWriter, r *http.Request, _ *edgeStream) {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	},
	"broken": func(w http.ResponseWriter, _ *http.Request, _ *edgeStream) {
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	},
	"told": func(w http.ResponseWriter, _ *http.Request, s *edgeStream) {
		_, _ = io.WriteString(w, s.failure)
	},
}

// TestStreamThatFails_E011_E012_E013_E020_E035 has a provider send the beginning of a
// stream and then fail, or nothing at all: before its first word the next deployment is
// asked, behind it the client is told, and nobody else is asked.
func TestStreamThatFails_E011_E012_E013_E020_E035(t *testing.T) {
	t.Parallel()
	for name, s := range edgeStreams {
		for ending, end := range endings {
			for _, spoken := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %s, spoken %t", name, ending, spoken), func(t *testing.T) {
					t.Parallel()
					fails := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
						w.Header().Set("Content-Type", "text/event-stream")
						_, _ = io.WriteString(w, s.silence)
						if spoken {
							_, _ = io.WriteString(w, s.usage+s.text)
						}
						end(w, r, &s)
					})
					next := newProvider(t, answerSSE(edgeStreams["passed"].text, finishOfNext, "data: [DONE]\n\n"))
					gateway := serve(t, fmt.Sprintf("provider %s {\nbase_url %s%s\ntransport http {\nread_timeout 100ms\n}\n}\nprovider next {\ntype openai\nbase_url %s/v1\napi_key held-key-0123456789\n}\nmodel public %s/%s next/gpt-4o", s.provider, fails.URL, s.path, next.URL, s.provider, s.model))
					r := chat(t, gateway, s.request())
					if said := strings.Count(r.body, `"content":"hello"`); r.status != 200 || said != 1 {
						t.Fatalf("got %d %s", r.status, r.body)
					}
					failed, done := strings.Contains(r.body, `{"error":{`), strings.HasSuffix(r.body, "data: [DONE]\n\n")
					if asked := len(next.requests()); spoken && (asked != 0 || !failed || done) || !spoken && (asked != 1 || failed || !done) {
						t.Errorf("the next deployment was asked %d times, and the client got %s", asked, r.body)
					}
					if asked := len(fails.requests()); asked != 1 {
						t.Errorf("the failing deployment was asked %d times", asked)
					}
					ids := regexp.MustCompile(`"id":"[^"]*"`).FindAllString(r.body, -1)
					if slices.Sort(ids); len(slices.Compact(ids)) != 1 {
						t.Errorf("the answer has the ids %q", ids)
					}
				})
			}
		}
	}
}

const finishOfNext = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n"

// TestFailedStreamIsBookedAsFailed_E078 has a provider break off behind its usage: the
// request is logged as failed, with the tokens that it cost.
func TestFailedStreamIsBookedAsFailed_E078(t *testing.T) {
	t.Parallel()
	for name, s := range edgeStreams {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = io.WriteString(w, s.usage+s.text)
				w.(http.Flusher).Flush()
				panic(http.ErrAbortHandler)
			})
			h := loadHandler(t, fmt.Sprintf("provider %s {\nbase_url %s%s\n}\nmodel public %s/%s", s.provider, p.URL, s.path, s.provider, s.model))
			core, seen := observer.New(zapcore.DebugLevel)
			h.logger = zap.New(core)
			repl := caddy.NewReplacer()
			w := serveRecorded(t, h, s.request(), repl)
			if body := w.Body.String(); !strings.Contains(body, "hello") || !strings.Contains(body, `{"error":{`) || strings.Contains(body, "[DONE]") {
				t.Errorf("the client got %s", body)
			}
			for placeholder, want := range map[string]any{"prompt_tokens": s.prompt, "completion_tokens": s.completion, "finish_reason": "", "error": "bad_gateway"} {
				if got, _ := repl.Get("http.ai_proxy." + placeholder); got != want {
					t.Errorf("%s is %v, not %v", placeholder, got, want)
				}
			}
			failed, served := seen.FilterMessage("failed"), seen.FilterMessage("served")
			if failed.Len() != 1 || served.Len() != 0 {
				t.Fatalf("the log has %v", seen.All())
			}
			if fields := failed.All()[0].ContextMap(); fields["prompt_tokens"] != s.prompt || fields["completion_tokens"] != s.completion {
				t.Errorf("the log has %v", fields)
			}
		})
	}
}

// TestErrorsPassASecondGatewayUnchanged_E142 puts a gateway in front of a gateway: what
// the inner one says of its own accord is not taken for a provider's words and
// translated once more.
func TestErrorsPassASecondGatewayUnchanged_E142(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ block, body string }{
		"model that nobody serves":    {"provider openai {\nbase_url http://127.0.0.1:1/v1\n}\nmodel other openai", `{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}`},
		"parameter of the wrong type": {"provider anthropic {\nbase_url http://127.0.0.1:1/v1\n}\nmodel gpt-4o anthropic/claude-opus-5", `{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}],"temperature":"hot"}`},
		"parameter that nobody has":   {"provider anthropic {\nbase_url http://127.0.0.1:1/v1\n}\nmodel gpt-4o anthropic/claude-opus-5", `{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}],"n":2}`},
		"provider that is not there":  {"provider openai {\nbase_url http://127.0.0.1:1/v1\n}\nmodel gpt-4o openai", `{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}`},
		"provider that is elsewhere":  {"provider anthropic {\nbase_url http://127.0.0.1:1/v1\n}\nmodel gpt-4o anthropic/claude-opus-5", `{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}],"stream":true}`},
		"file of another provider":    {"provider gemini {\nbase_url http://127.0.0.1:1/v1beta\n}\nmodel gpt-4o gemini/gemini-3-pro", `{"model":"gpt-4o","messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"file-1"}}]}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inner := serve(t, tc.block)
			outer := serve(t, "provider openai {\nbase_url "+inner+"/v1\n}\nmodel gpt-4o openai/gpt-4o")
			first, second := chat(t, inner, tc.body), chat(t, outer, tc.body)
			if first.status < 400 || first.status != second.status || first.body != second.body {
				t.Errorf("the inner gateway says %d %s\nthe outer one says %d %s", first.status, first.body, second.status, second.body)
			}
			if a, b := first.header.Get("X-Should-Retry"), second.header.Get("X-Should-Retry"); a != b {
				t.Errorf("X-Should-Retry is %q inside and %q outside", a, b)
			}
		})
	}
}
