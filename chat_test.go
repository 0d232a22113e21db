package aiproxy

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

const (
	question = `{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}`
	streamed = `{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}],"stream":true}`
	answer   = `{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-4o-2024","choices":[{"index":0,"message":{"role":"assistant","content":"hello","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}`

	roleChunk   = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}` + "\n\n"
	textChunk   = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"hello"},"finish_reason":null}],"usage":null}` + "\n\n"
	finishChunk = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}` + "\n\n"
	usageChunk  = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}` + "\n\n"
	done        = "data: [DONE]\n\n"
)

// plain takes the member that only asking for usage brings out of a chunk.
func plain(chunks string) string { return strings.ReplaceAll(chunks, `,"usage":null`, "") }

func openaiAt(p *provider) string { return "provider openai {\nbase_url " + p.URL + "/v1\n}" }

func TestChatPassesBytes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ model, body, arrives string }{
		"same model":  {"model gpt-4o openai/gpt-4o", question, question},
		"other model": {"model gpt-4o openai/gpt-5", question, `{"model":"gpt-5","messages":[{"role":"user","content":"hi"}]}`},
		"unknown members, order and white space stay": {
			"model gpt-4o openai/x",
			"{ \"z\":1 , \"messages\":[{\"role\":\"user\",\"content\":\"h\\u0069\"}],\n\"model\" : \"gpt-4o\",\"a\":{\"b\":[1.0,2e3]} }",
			"{ \"z\":1 , \"messages\":[{\"role\":\"user\",\"content\":\"h\\u0069\"}],\n\"model\" : \"x\",\"a\":{\"b\":[1.0,2e3]} }",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, answerJSON(200, answer))
			r := chat(t, serve(t, openaiAt(p)+"\n"+tc.model), tc.body)
			if r.status != 200 || r.body != answer {
				t.Errorf("got %d %s", r.status, r.body)
			}
			seen := p.request(t)
			if string(seen.body) != tc.arrives {
				t.Errorf("the provider got\n%s\nwant\n%s", seen.body, tc.arrives)
			}
			if got := seen.header.Get("Authorization"); got != "Bearer client-key-0123456789" {
				t.Errorf("the provider got the key %q", got)
			}
			if seen.path != "/v1/chat/completions" {
				t.Errorf("the provider was asked at %s", seen.path)
			}
			if ct := r.header.Get("Content-Type"); ct != "application/json" {
				t.Errorf("content type %q", ct)
			}
			if r.header.Get("X-Request-Id") == "" {
				t.Error("no X-Request-Id")
			}
		})
	}
}

func TestStreamAsksForUsageAndHidesIt(t *testing.T) {
	t.Parallel()
	p := newProvider(t, answerSSE(roleChunk, textChunk, finishChunk, usageChunk, done))
	r := chat(t, serve(t, openaiAt(p)), streamed)
	if want := plain(roleChunk + textChunk + finishChunk + done); r.body != want {
		t.Errorf("got\n%s\nwant\n%s", r.body, want)
	}
	if got := string(p.request(t).body); !strings.Contains(got, `"stream_options":{"include_usage":true}`) {
		t.Errorf("the provider was not asked for usage: %s", got)
	}
	if ct := r.header.Get("Content-Type"); !strings.HasPrefix(ct, "text/event-stream") {
		t.Errorf("content type %q", ct)
	}
}

func TestStreamIsPassedUntouched(t *testing.T) {
	t.Parallel()
	withUsage := strings.Replace(streamed, `"stream":true`, `"stream":true,"stream_options":{"include_usage":true}`, 1)
	crlf := func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
	for name, tc := range map[string]struct{ sent, want string }{
		"usage":               {roleChunk + textChunk + finishChunk + usageChunk + done, roleChunk + textChunk + finishChunk + usageChunk + done},
		"comments":            {roleChunk + textChunk + ": still here\n\n" + finishChunk + done, roleChunk + textChunk + ": still here\n" + finishChunk + done},
		"early comments":      {": waiting\n\n" + roleChunk + textChunk + finishChunk + done, roleChunk + textChunk + finishChunk + done},
		"CRLF":                {crlf(roleChunk+textChunk+finishChunk) + crlf(done), crlf(roleChunk+textChunk+finishChunk) + done},
		"byte order mark":     {"\ufeff" + roleChunk + textChunk + finishChunk + done, roleChunk + textChunk + finishChunk + done},
		"missing DONE":        {roleChunk + textChunk + finishChunk, roleChunk + textChunk + finishChunk + done},
		"missing blank line":  {roleChunk + textChunk + strings.TrimRight(finishChunk, "\n"), roleChunk + textChunk + finishChunk + done},
		"nothing behind DONE": {roleChunk + textChunk + finishChunk + done + textChunk, roleChunk + textChunk + finishChunk + done},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, answerSSE(tc.sent))
			if r := chat(t, serve(t, openaiAt(p)), withUsage); r.body != tc.want || r.err != nil {
				t.Errorf("got\n%q\nwant\n%q (%v)", r.body, tc.want, r.err)
			}
		})
	}
}

func TestFailureBeforeContentIsAnHTTPError(t *testing.T) {
	t.Parallel()
	errorEvent := `data: {"error":{"message":"Slow down","type":"rate_limit_exceeded","param":null,"code":"rate_limit_exceeded"}}` + "\n\n"
	for name, tc := range map[string]struct {
		sent   http.HandlerFunc
		status int
		code   string
	}{
		"error event first":      {answerSSE(errorEvent), 429, "rate_limit_exceeded"},
		"error event after role": {answerSSE(roleChunk, errorEvent), 429, "rate_limit_exceeded"},
		"empty stream":           {answerSSE(""), 502, "empty_upstream_response"},
		"only comments":          {answerSSE(": x\n\n", ": y\n\n"), 502, "empty_upstream_response"},
		"cut after role":         {answerSSE(roleChunk), 502, "empty_upstream_response"},
		"only DONE":              {answerSSE(done), 502, "empty_upstream_response"},
		"not JSON":               {answerSSE("data: nonsense\n\n"), 502, "bad_gateway"},
		"HTML": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<p>hi")
		}, 502, "bad_gateway"},
		"redirect": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://example.com")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, 502, "bad_gateway"},
		"compressed without need": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			w.WriteHeader(http.StatusOK)
		}, 502, "bad_gateway"},
		"aborted": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 502, "bad_gateway"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, tc.sent)
			wantError(t, chat(t, serve(t, openaiAt(p)), streamed), tc.status, tc.code, "")
		})
	}
}

func TestFailureAfterContentIsAnEventWithoutDone(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		rest string // what the provider sends behind the first content
		cut  bool   // and whether it then cuts the connection
		want string
	}{
		"clean end without finish":      {"", false, "broke off"},
		"connection cut":                {"", true, "broke off"},
		"cut after finish, before DONE": {finishChunk, true, "broke off"},
		"error event":                   {"data: {\"error\":{\"message\":\"boom\",\"type\":\"server_error\"}}\n\n", false, "boom"},
		"not JSON":                      {"data: {\"choices\":[\n\n", false, "not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen := make(chan struct{})
			p := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
				answerSSE(roleChunk, textChunk)(w, r)
				<-seen
				answerSSE(tc.rest)(w, r)
				if tc.cut {
					panic(http.ErrAbortHandler)
				}
			})
			first, rest := chatUntil(t, serve(t, openaiAt(p)), plain(roleChunk+textChunk), func() { close(seen) })
			if first != plain(roleChunk+textChunk) {
				t.Fatalf("the content came as %q", first)
			}
			if n := strings.Count(rest, `data: {"error":{`); n != 1 || !strings.Contains(rest, tc.want) {
				t.Errorf("%d error events, want one that says %q: %s", n, tc.want, rest)
			}
			if strings.Contains(rest, "[DONE]") {
				t.Errorf("[DONE] after a failure: %s", rest)
			}
		})
	}
}

// chatUntil asks for a stream, calls then when as much as begin has arrived, and returns
// what came until then and what came after it.
func chatUntil(t *testing.T, gateway, begin string, then func()) (first, rest string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, gateway+"/v1/chat/completions", strings.NewReader(streamed))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer client-key-0123456789")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	head := make([]byte, len(begin))
	n, err := io.ReadFull(resp.Body, head)
	then()
	if err != nil {
		return string(head[:n]), ""
	}
	tail, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("the answer broke off: %v", err)
	}
	return string(head), string(tail)
}

func TestAnswerThatIsNoneIsABadGateway(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"empty": "", "not JSON": "{", "no choices": "{}", "empty choices": `{"choices":[]}`, "two values": answer + "{}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, answerJSON(200, body))
			r := chat(t, serve(t, openaiAt(p)), question)
			if r.status != 502 {
				t.Errorf("status %d: %s", r.status, r.body)
			}
		})
	}
}

func TestErrorInsideSuccessKeepsItsWords(t *testing.T) {
	t.Parallel()
	p := newProvider(t, answerJSON(200, `{"error":{"message":"No credit","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`))
	r := chat(t, serve(t, openaiAt(p)), question)
	if r.status < 400 || !strings.Contains(r.body, "No credit") {
		t.Errorf("got %d %s", r.status, r.body)
	}
}

func TestJSONAndStreamStandInForEachOther(t *testing.T) {
	t.Parallel()
	p := newProvider(t, answerJSON(200, answer))
	r := chat(t, serve(t, openaiAt(p)), streamed)
	if !strings.Contains(r.body, `"content":"hello"`) || !strings.HasSuffix(r.body, done) {
		t.Errorf("JSON asked for as a stream gave %q", r.body)
	}
	p = newProvider(t, answerSSE(roleChunk, textChunk, finishChunk, usageChunk, done))
	r = chat(t, serve(t, openaiAt(p)), question)
	if !strings.Contains(r.body, `"content":"hello"`) || !strings.Contains(r.body, `"object":"chat.completion"`) || !strings.Contains(r.body, `"total_tokens":3`) {
		t.Errorf("a stream asked for as JSON gave %q", r.body)
	}
}

func TestFailover(t *testing.T) {
	t.Parallel()
	bad := map[string]http.HandlerFunc{
		"500":         answerJSON(500, `{"error":{"message":"x"}}`),
		"429":         answerJSON(429, `{"error":{"message":"x"}}`),
		"401":         answerJSON(401, `{"error":{"message":"x"}}`),
		"empty":       answerSSE(""),
		"error event": answerSSE("data: {\"error\":{\"message\":\"x\"}}\n\n"),
		"hung up":     func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	for name, handler := range bad {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, second := newProvider(t, handler), newProvider(t, answerSSE(roleChunk, textChunk, finishChunk, done))
			block := fmt.Sprintf("provider a {\ntype openai\nbase_url %s/v1\napi_key key-of-a-0123\n}\nprovider b {\ntype openai\nbase_url %s/v1\napi_key key-of-b-0123\n}\nmodel gpt-4o a b", first.URL, second.URL)
			r := chat(t, serve(t, block), streamed)
			if r.status != 200 || !strings.HasSuffix(r.body, done) {
				t.Errorf("got %d %s", r.status, r.body)
			}
			if got := second.request(t).header.Get("Authorization"); got != "Bearer key-of-b-0123" {
				t.Errorf("the second provider got the key %q", got)
			}
		})
	}
}

func TestClientKeyStaysWithItsProvider(t *testing.T) {
	t.Parallel()
	first, second := newProvider(t, answerJSON(500, `{}`)), newProvider(t, answerJSON(200, answer))
	block := fmt.Sprintf("provider a {\ntype openai\nbase_url %s/v1\n}\nprovider b {\ntype openai\nbase_url %s/v1\n}\nmodel gpt-4o a b", first.URL, second.URL)
	r := chat(t, serve(t, block), question)
	if r.status != 500 {
		t.Errorf("status %d: %s", r.status, r.body)
	}
	if n := len(second.requests()); n != 0 {
		t.Errorf("the client's key went to another provider (%d requests)", n)
	}
}

func TestClientKeyPassesOverServersThatNeedNone(t *testing.T) {
	t.Parallel()
	local, real := newProvider(t, answerJSON(500, `{}`)), newProvider(t, answerJSON(200, answer))
	block := fmt.Sprintf("provider local {\ntype compatible\nbase_url %s/v1\n}\nprovider b {\ntype openai\nbase_url %s/v1\n}\nmodel gpt-4o local b", local.URL, real.URL)
	if r := chat(t, serve(t, block), question); r.status != 200 {
		t.Errorf("status %d: %s", r.status, r.body)
	}
	if got := local.request(t).header.Get("Authorization"); got != "" {
		t.Errorf("the server that needs no key got %q", got)
	}
	if got := real.request(t).header.Get("Authorization"); got != "Bearer client-key-0123456789" {
		t.Errorf("the provider got %q", got)
	}
}

func TestClientMistakesAreNotRetried(t *testing.T) {
	t.Parallel()
	first, second := newProvider(t, answerJSON(400, `{"error":{"message":"bad n","type":"invalid_request_error","param":"n","code":"invalid_value"}}`)), newProvider(t, answerJSON(200, answer))
	block := fmt.Sprintf("provider a {\ntype openai\nbase_url %s/v1\napi_key key-of-a-0123\n}\nprovider b {\ntype openai\nbase_url %s/v1\napi_key key-of-b-0123\n}\nmodel gpt-4o a b", first.URL, second.URL)
	wantError(t, chat(t, serve(t, block), question), 400, "invalid_value", "n")
	if n := len(second.requests()); n != 0 {
		t.Errorf("%d requests at the second provider", n)
	}
}

func TestHeldKey(t *testing.T) {
	t.Parallel()
	t.Run("replaces the client's", func(t *testing.T) {
		t.Parallel()
		p := newProvider(t, answerJSON(200, answer))
		chat(t, serve(t, "provider openai {\nbase_url "+p.URL+"/v1\napi_key held-key-0123456789\n}"), question)
		seen := p.request(t)
		if got := seen.header.Get("Authorization"); got != "Bearer held-key-0123456789" {
			t.Errorf("Authorization %q", got)
		}
		if dump := fmt.Sprint(seen.header); strings.Contains(dump, "client-key") {
			t.Errorf("the client's key reached the provider: %s", dump)
		}
	})
	t.Run("refused is not the client's fault", func(t *testing.T) {
		t.Parallel()
		p := newProvider(t, answerJSON(401, `{"error":{"message":"Incorrect API key provided: held-key-0123456789","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`))
		r := chat(t, serve(t, "provider openai {\nbase_url "+p.URL+"/v1\napi_key held-key-0123456789\n}"), question)
		wantError(t, r, 502, "upstream_auth_error", "")
		if strings.Contains(fmt.Sprint(r), "held-key") {
			t.Errorf("the key leaked: %v", r)
		}
	})
	t.Run("client's own refused is the client's", func(t *testing.T) {
		t.Parallel()
		p := newProvider(t, answerJSON(401, `{"error":{"message":"Incorrect API key provided: client-key-0123456789","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`))
		r := chat(t, serve(t, openaiAt(p)), question)
		wantError(t, r, 401, "invalid_api_key", "")
		if strings.Contains(r.body, "client-key-0123456789") {
			t.Errorf("the key is repeated: %s", r.body)
		}
	})
}

func TestKeyIsTakenFromEveryHeader(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"X-Api-Key", "Api-Key", "X-Goog-Api-Key"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, answerJSON(200, answer))
			call(t, http.MethodPost, serve(t, openaiAt(p))+"/chat/completions", question, name, "key-from-header")
			seen := p.request(t)
			if got := seen.header.Get("Authorization"); got != "Bearer key-from-header" || seen.header.Get(name) != "" {
				t.Errorf("Authorization %q, %s %q", got, name, seen.header.Get(name))
			}
		})
	}
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	p := newProvider(t, answerJSON(200, answer))
	gateway := serve(t, openaiAt(p)+"\nmodel gpt-4o openai\nmax_body_size 2KiB\nmax_nesting 8\nmax_header_size 4KiB")
	for name, tc := range map[string]struct {
		body, code, param string
		status            int
		header            []string
	}{
		"not JSON":             {body: "{", status: 400, code: "invalid_json"},
		"not an object":        {body: "[]", status: 400, code: "invalid_json"},
		"trailing text":        {body: question + "x", status: 400, code: "invalid_json"},
		"invalid UTF-8":        {body: "{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\",\"content\":\"\xff\"}]}", status: 400, code: "invalid_json"},
		"duplicate model":      {body: `{"model":"gpt-4o","messages":[{}],"model":"other"}`, status: 400, code: "invalid_json", param: "model"},
		"nested too deeply":    {body: `{"model":"gpt-4o","messages":[[[[[[[[1]]]]]]]]}`, status: 400, code: "invalid_json"},
		"no model":             {body: `{"messages":[{"role":"user","content":"x"}]}`, status: 400, code: "missing_required_parameter", param: "model"},
		"model is a number":    {body: `{"model":1,"messages":[{}]}`, status: 400, code: "invalid_type", param: "model"},
		"no messages":          {body: `{"model":"gpt-4o"}`, status: 400, code: "missing_required_parameter", param: "messages"},
		"stream is a string":   {body: `{"model":"gpt-4o","messages":[{}],"stream":"yes"}`, status: 400, code: "invalid_type", param: "stream"},
		"too large":            {body: `{"model":"` + strings.Repeat("x", 3000) + `"}`, status: 413, code: "request_too_large"},
		"wrong media type":     {body: question, header: []string{"Content-Type", "text/plain"}, status: 415, code: "unsupported_media_type"},
		"compressed":           {body: question, header: []string{"Content-Encoding", "gzip"}, status: 415, code: "unsupported_media_type"},
		"header too large":     {body: question, header: []string{"X-Long", strings.Repeat("x", 5000)}, status: 431, code: "header_too_large"},
		"unknown model":        {body: `{"model":"gpt-4","messages":[{}]}`, status: 404, code: "model_not_found", param: "model"},
		"member in other case": {body: `{"model":"gpt-4o","messages":[{}],"Model":"x"}`, status: 400, code: "unknown_parameter", param: "Model"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantError(t, chat(t, gateway, tc.body, tc.header...), tc.status, tc.code, tc.param)
		})
	}
	t.Run("wrong method", func(t *testing.T) {
		t.Parallel()
		r := call(t, http.MethodPut, gateway+"/v1/chat/completions", "")
		wantError(t, r, 405, "method_not_allowed", "")
		if r.header.Get("Allow") == "" {
			t.Error("no Allow header")
		}
	})
	t.Run("no key", func(t *testing.T) {
		t.Parallel()
		wantError(t, call(t, http.MethodPost, gateway+"/v1/chat/completions", question), 401, "invalid_api_key", "")
	})
}

func TestUnknownModelNamesNearOnes(t *testing.T) {
	t.Parallel()
	e := wantError(t, chat(t, serve(t, "model gpt-4o openai"), `{"model":"gpt-4p","messages":[{}]}`), 404, "model_not_found", "model")
	if !strings.Contains(e.Error.Message, `"gpt-4o"`) {
		t.Errorf("no suggestion: %s", e.Error.Message)
	}
}

func TestOtherPathsGoToTheNextHandler(t *testing.T) {
	t.Parallel()
	gateway := serve(t, "")
	for _, path := range []string{"/", "/v1", "/v1/", "/v1/unknown", "/models", "/files", "/v2/chat/completions", "/images/logo.png"} {
		if r := call(t, http.MethodGet, gateway+path, ""); r.status != http.StatusTeapot {
			t.Errorf("GET %s gave %d", path, r.status)
		}
	}
	if r := call(t, http.MethodGet, gateway+"/chat/completions", ""); r.status != http.StatusTeapot {
		t.Errorf("GET /chat/completions gave %d", r.status)
	}
}
