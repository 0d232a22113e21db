package aiproxy

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

const claudeAnswer = `{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[{"type":"text","text":"hello"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":5}}`

func claudeAt(p *provider) string {
	return "provider anthropic {\nbase_url " + p.URL + "\napi_key claude-key-0123\n}"
}

func TestWhatWasDroppedIsThatOfTheAnswer(t *testing.T) {
	t.Parallel()
	body := `{"model":"gpt-4o","logit_bias":{"1":1},"messages":[{"role":"user","content":"hi"}]}`
	first, second := newProvider(t, answerJSON(500, `{}`)), newProvider(t, answerJSON(200, answer))
	r := chat(t, serve(t, claudeAt(first)+"\nprovider openai {\nbase_url "+second.URL+"/v1\napi_key other-key-0123\n}\nmodel gpt-4o anthropic/claude-sonnet-4-5 openai"), body)
	if got, ok := r.header["X-Ai-Proxy-Dropped"]; r.status != 200 || ok {
		t.Errorf("%d, dropped: %q, though the provider that answered got it all", r.status, got)
	}
	p := newProvider(t, answerJSON(200, claudeAnswer))
	r = chat(t, serve(t, claudeAt(p)+"\nmodel gpt-4o anthropic/claude-sonnet-4-5"), body)
	if got := r.header.Get("X-Ai-Proxy-Dropped"); r.status != 200 || got != "logit_bias" {
		t.Errorf("%d, dropped: %q, want logit_bias", r.status, got)
	}
}

func TestDroppedNamesFitInAHeader(t *testing.T) {
	t.Parallel()
	var members strings.Builder
	for i := range 900 {
		fmt.Fprintf(&members, `"\u0000bad\nname\u00e9-%d":1,`, i)
	}
	p := newProvider(t, answerJSON(200, claudeAnswer))
	r := chat(t, serve(t, claudeAt(p)+"\nmodel gpt-4o anthropic/claude-sonnet-4-5"), `{`+members.String()+`"logit_bias":{},"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}`)
	got := r.header.Get("X-Ai-Proxy-Dropped")
	if r.status != 200 || len(got) > 4<<10 || len(got) == 0 || strings.ContainsFunc(got, func(c rune) bool { return c < ' ' || c > '~' }) {
		t.Errorf("status %d, %d bytes of names: %.100q", r.status, len(got), got)
	}
}

func TestRejectInsteadOfDropping(t *testing.T) {
	t.Parallel()
	body := `{"model":"gpt-4o","logit_bias":{"1":1},"messages":[{"role":"user","content":"hi"}]}`
	for name, block := range map[string]string{
		"anthropic": "provider anthropic {\napi_key k\n}\nmodel gpt-4o anthropic/claude-sonnet-4-5",
		"gemini":    "provider gemini {\napi_key k\n}\nmodel gpt-4o gemini/gemini-2.5-pro",
		"openai":    "provider openai {\napi_key k\nquirk drop logit_bias\n}\nmodel gpt-4o openai",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gateway := serve(t, block+"\nunsupported_params reject")
			e := wantError(t, chat(t, gateway, body), 400, "unsupported_parameter", "logit_bias")
			if !strings.Contains(e.Error.Message, "logit_bias") {
				t.Errorf("the message does not name it: %s", e.Error.Message)
			}
		})
	}
}

func TestThinkingThatIsRefusedIsLeftOut(t *testing.T) {
	t.Parallel()
	refusal := `{"type":"error","error":{"type":"invalid_request_error","message":"messages.1.content.0: Invalid ` + "`signature` in `thinking`" + ` block"}}`
	attempts := 0
	p := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
		if attempts++; attempts == 1 {
			answerJSON(400, refusal)(w, r)
			return
		}
		answerJSON(200, claudeAnswer)(w, r)
	})
	body := `{"model":"gpt-4o","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"hm","reasoning_details":[{"type":"reasoning.text","text":"let me see","signature":"EqQBsig==","format":"anthropic-claude-v1","index":0}]},{"role":"user","content":"and?"}]}`
	r := chat(t, serve(t, claudeAt(p)+"\nmodel gpt-4o anthropic/claude-sonnet-4-5"), body)
	if r.status != 200 || !strings.Contains(r.body, "hello") {
		t.Fatalf("got %d %s", r.status, r.body)
	}
	seen := p.requests()
	if len(seen) != 2 || !strings.Contains(string(seen[0].body), "EqQBsig==") || strings.Contains(string(seen[1].body), "EqQBsig==") {
		t.Errorf("the provider was asked %d times, at last with %s", len(seen), seen[len(seen)-1].body)
	}
}

func TestOtherRefusalsAreFinal(t *testing.T) {
	t.Parallel()
	p := newProvider(t, answerJSON(400, `{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: too many"}}`))
	r := chat(t, serve(t, claudeAt(p)+"\nmodel gpt-4o anthropic/claude-sonnet-4-5"), question)
	if p.request(t); r.status != 400 {
		t.Errorf("got %d %s", r.status, r.body)
	}
}

func TestPausedAnswerGoesOn(t *testing.T) {
	t.Parallel()
	legs := [2]string{
		strings.NewReplacer("hello", "one ", "end_turn", "pause_turn").Replace(claudeStream),
		strings.NewReplacer("hello", "two", "msg_1", "msg_2").Replace(claudeStream),
	}
	answers := [2]string{
		strings.NewReplacer("hello", "one ", "end_turn", "pause_turn").Replace(claudeAnswer),
		strings.NewReplacer("hello", "two", "msg_1", "msg_2").Replace(claudeAnswer),
	}
	for name, tc := range map[string]struct {
		stream bool
		second http.HandlerFunc
		want   []string
		status int
	}{
		"stream":                         {true, answerSSE(legs[1]), []string{`"content":"one "`, `"content":"two"`, `"finish_reason":"stop"`, done}, 200},
		"JSON":                           {false, answerJSON(200, answers[1]), []string{`"content":"one two"`, `"completion_tokens":10`}, 200},
		"stream whose second part fails": {true, answerJSON(529, `{"type":"error","error":{"type":"overloaded_error","message":"busy"}}`), []string{`"content":"one "`, `data: {"error":{"message":"busy"`}, 200},
		"JSON whose second part fails":   {false, answerJSON(529, `{"type":"error","error":{"type":"overloaded_error","message":"busy"}}`), []string{`"message":"busy"`}, 503},
		"stream whose second part is HTML": {true, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<p>hi"))
		}, []string{`"content":"one "`, "neither JSON nor an event stream"}, 200},
		"JSON whose second part is compressed": {false, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			answerJSON(200, answers[1])(w, r)
		}, []string{"compressed"}, 502},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			p := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
				if asked++; asked > 1 {
					tc.second(w, r)
				} else if tc.stream {
					answerSSE(legs[0])(w, r)
				} else {
					answerJSON(200, answers[0])(w, r)
				}
			})
			body := `{"model":"gpt-4o","web_search_options":{},"messages":[{"role":"user","content":"hi"}]}`
			if tc.stream {
				body = strings.Replace(body, `"model"`, `"stream":true,"model"`, 1)
			}
			r := chat(t, serve(t, claudeAt(p)+"\nmodel gpt-4o anthropic/claude-sonnet-4-5"), body)
			for _, want := range tc.want {
				if !strings.Contains(r.body, want) {
					t.Errorf("%s is missing in %d %s", want, r.status, r.body)
				}
			}
			if r.status != tc.status || r.err != nil {
				t.Errorf("status %d (%v), want %d", r.status, r.err, tc.status)
			}
			if len(tc.want) > 1 && strings.Contains(tc.want[1], "error") && strings.Contains(r.body, "[DONE]") {
				t.Errorf("[DONE] after a failure: %s", r.body)
			}
			seen := p.requests()
			if len(seen) != 2 || !strings.Contains(string(seen[1].body), "one ") {
				t.Errorf("the provider was asked %d times, at last with %s", len(seen), seen[len(seen)-1].body)
			}
		})
	}
}
