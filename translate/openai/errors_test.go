package openai

import (
	"strings"
	"testing"
	"time"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

func TestParseError(t *testing.T) {
	t.Parallel()
	const (
		request = translate.ErrorRequest
		quota   = translate.ErrorQuota
		limit   = translate.ErrorRateLimit
		length  = translate.ErrorContextLength
		auth    = translate.ErrorAuth
		server  = translate.ErrorServer
	)
	for _, c := range []struct {
		name    string
		status  int
		body    string
		class   translate.ErrorClass
		want    int
		typ     string
		code    string
		param   string
		message string
	}{
		{"OpenAI's envelope", 400, `{"error":{"message":"Unsupported parameter: 'stop'","type":"invalid_request_error","param":"stop","code":"unsupported_parameter"}}`,
			request, 400, "invalid_request_error", "unsupported_parameter", "stop", "Unsupported parameter: 'stop'"},
		{"E-139 numeric code", 401, `{"error":{"message":"Invalid API key","type":"invalid_api_key","code":401}}`, auth, 401, "invalid_api_key", "invalid_api_key", "", "Invalid API key"},
		{"E-139 numeric code of a vendor", 400, `{"error":{"message":"no","code":1214}}`, request, 400, "invalid_request_error", "1214", "", "no"},
		{"E-139 number as a string", 401, `{"error":{"code":"401","message":"Access denied"}}`, auth, 401, "invalid_request_error", "invalid_api_key", "", "Access denied"},
		{"E-140 detail", 401, `{"detail":"Unauthorized"}`, auth, 401, "invalid_request_error", "invalid_api_key", "", "Unauthorized"},
		{"E-140 list of details", 422, `{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","messages",0,"name"],"msg":"Extra inputs are not permitted"}]},"type":"invalid_request_error","code":null}`,
			request, 422, "extra_forbidden", "", "messages[0].name", "Extra inputs are not permitted"},
		{"E-140 error string", 400, `{"error":"text"}`, request, 400, "invalid_request_error", "", "", "text"},
		{"xAI", 400, `{"code":"Client specified an invalid argument","error":"Model not found: grok-9"}`, request, 400, "invalid_request_error", "Client specified an invalid argument", "", "Model not found: grok-9"},
		{"message alone", 404, `{"message":"model 'x' not found"}`, translate.ErrorNotFound, 404, "invalid_request_error", "model_not_found", "", "model 'x' not found"},
		{"code and msg", 500, `{"code":50505,"msg":"Model service overloaded."}`, translate.ErrorOverloaded, 503, "server_error", "50505", "", "Model service overloaded."},
		{"vLLM's old form", 400, `{"object":"error","message":"bad","type":"BadRequestError","param":null,"code":400}`, request, 400, "BadRequestError", "", "", "bad"},
		{"list", 400, `[{"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT"}}]`, request, 400, "invalid_request_error", "", "", "bad"},
		{"errors", 400, `{"success":false,"errors":[{"code":7003,"message":"No route"}]}`, request, 400, "invalid_request_error", "7003", "", "No route"},
		{"event stream", 429, "data: {\"error\":{\"message\":\"slow\",\"type\":\"requests\"}}\n\ndata: [DONE]\n\n", limit, 429, "requests", "rate_limit_exceeded", "", "slow"},
		{"blank lines and comments first", 400, "\n: wait\n\n{\"error\":{\"message\":\"bad\"}}", request, 400, "invalid_request_error", "", "", "bad"},
		{"JSON in the message", 500, `{"error":{"message":"{\"error\":{\"message\":\"inner\",\"type\":\"api_error\"}}"}}`, server, 500, "api_error", "", "", "inner"},
		{"plain text", 503, "no healthy upstream", translate.ErrorOverloaded, 503, "server_error", "overloaded", "", "no healthy upstream"},
		{"empty", 500, "", server, 500, "server_error", "", "", "The provider answered with status 500."},
		{"E-123 HTML", 502, "<html>\r\n<head><title>502 Bad Gateway</title></head></html>", translate.ErrorUpstream, 502, "upstream_error", "bad_gateway", "", "The provider answered with status 502."},
		{"E-123 HTML in a message", 500, `{"error":{"message":"oops <HTML><body>x</body>"}}`, server, 500, "server_error", "", "", "The provider answered with status 500."},
		{"XML", 403, `<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>`, auth, 403, "invalid_request_error", "", "", "The provider answered with status 403."},
		{"not UTF-8", 500, "\xff\xfe", server, 500, "server_error", "", "", "The provider answered with status 500."},
		{"E-141 a 400 stays", 400, `{"error":{"message":"Invalid 'messages'","type":"server_error"}}`, request, 400, "server_error", "", "", "Invalid 'messages'"},
		{"E-144 quota", 429, `{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`,
			quota, 429, "insufficient_quota", "insufficient_quota", "", "You exceeded your current quota, please check your plan and billing details."},
		{"E-144 rate limit", 429, `{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}`, limit, 429, "requests", "rate_limit_exceeded", "", "Rate limit reached"},
		{"E-144 quota in Google's words is a rate limit", 429, `[{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED"}}]`,
			limit, 429, "rate_limit_exceeded", "rate_limit_exceeded", "", "You exceeded your current quota, please check your plan and billing details."},
		{"E-144 DeepSeek's balance", 402, `{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}`, quota, 402, "insufficient_quota", "insufficient_quota", "", "Insufficient Balance"},
		{"E-144 GLM's balance", 429, `{"error":{"code":"1113","message":"Insufficient balance or no resource package. Please recharge."}}`, quota, 429, "insufficient_quota", "insufficient_quota", "", "Insufficient balance or no resource package. Please recharge."},
		{"E-144 DashScope's arrears", 400, `{"error":{"code":"Arrearage","message":"Access denied, please make sure your account is in good standing."}}`, quota, 429, "insufficient_quota", "insufficient_quota", "", "Access denied, please make sure your account is in good standing."},
		{"Groq's tokens per minute", 413, `{"error":{"message":"Request too large for model on tokens per minute (TPM): Limit 6000, Requested 9000","type":"tokens","code":"rate_limit_exceeded"}}`,
			limit, 429, "tokens", "rate_limit_exceeded", "", "Request too large for model on tokens per minute (TPM): Limit 6000, Requested 9000"},
		{"Groq's flex tier", 498, `{"error":{"message":"Flex tier capacity exceeded"}}`, translate.ErrorOverloaded, 503, "server_error", "overloaded", "", "Flex tier capacity exceeded"},
		{"Azure", 429, `{"error":{"code":"RateLimitReached","message":"exceeded"}}`, limit, 429, "rate_limit_exceeded", "RateLimitReached", "", "exceeded"},
		{"Azure's filter", 400, `{"error":{"message":"The response was filtered","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}`,
			translate.ErrorContentPolicy, 400, "invalid_request_error", "content_filter", "prompt", "The response was filtered"},
		{"OpenRouter's moderation", 403, `{"error":{"code":403,"message":"Input was flagged","metadata":{"reasons":["violence"],"flagged_input":"x"}}}`, translate.ErrorContentPolicy, 400, "invalid_request_error", "content_policy_violation", "", "Input was flagged"},
		{"OpenRouter's provider", 400, `{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"error\":{\"message\":\"prompt is too long: 9 tokens\",\"type\":\"invalid_request_error\"}}","provider_name":"X"}}}`,
			length, 400, "invalid_request_error", "context_length_exceeded", "", "Provider returned error: prompt is too long: 9 tokens"},
		{"Google's key", 400, `[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}]`,
			auth, 401, "invalid_request_error", "invalid_api_key", "", "API key not valid. Please pass a valid API key."},
		{"model not found", 400, `{"error":{"message":"no","code":"model_not_found"}}`, translate.ErrorNotFound, 404, "invalid_request_error", "model_not_found", "", "no"},
		{"request timeout", 408, ``, translate.ErrorTimeout, 504, "timeout_error", "upstream_timeout", "", "The provider answered with status 408."},
		{"payload", 413, `too big`, request, 413, "invalid_request_error", "request_too_large", "", "too big"},
		{"Cloudflare", 522, ``, translate.ErrorUpstream, 502, "upstream_error", "bad_gateway", "", "The provider answered with status 522."},
		{"Anthropic's overload", 529, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, translate.ErrorOverloaded, 503, "overloaded_error", "overloaded", "", "Overloaded"},
		{"redirect", 302, ``, translate.ErrorUpstream, 502, "upstream_error", "bad_gateway", "", "The provider answered with status 502."},
		{"MiniMax in a 200", 200, `{"id":"x","choices":null,"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}`, quota, 429, "insufficient_quota", "insufficient_quota", "", "insufficient balance"},
		{"MiniMax's filter", 200, `{"base_resp":{"status_code":1026,"status_msg":"input new_sensitive"}}`, translate.ErrorContentPolicy, 400, "invalid_request_error", "1026", "", "input new_sensitive"},
		{"a title beside the message", 400, `{"statusCode":400,"error":"Bad Request","message":"messages is missing"}`, request, 400, "invalid_request_error", "", "", "messages is missing"},
		{"RFC 9457", 400, `{"type":"https://example.com/errors/bad","title":"Bad","status":400,"detail":"no model given"}`, request, 400, "invalid_request_error", "", "", "no model given"},
		{"overlong members", 400, `{"error":{"message":"m","type":"` + strings.Repeat("t", 1000) + `","code":"<b>","param":"` + strings.Repeat("p", 1000) + `"}}`, request, 400, "invalid_request_error", "", "", "m"},
		{"nested without end", 500, strings.Repeat(`{"error":`, 50) + `"deep"` + strings.Repeat(`}`, 50), server, 500, "server_error", "", "", "The provider answered with status 500."},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := ParseError(c.status, 0, []byte(c.body))
			if e.Class != c.class || e.Status != c.want || e.Type != c.typ || e.Code != c.code || e.Param != c.param || e.Message != c.message {
				t.Errorf("got  class %d, %d %q %q %q: %q\nwant class %d, %d %q %q %q: %q", e.Class, e.Status, e.Type, e.Code, e.Param, e.Message, c.class, c.want, c.typ, c.code, c.param, c.message)
			}
			if e.NoRetry != (c.class == quota) || e.Upstream != c.status {
				t.Errorf("no retry %v, upstream %d", e.NoRetry, e.Upstream)
			}
			checkEnvelope(t, decodeJSON(t, string(AppendError(nil, e)))["error"])
		})
	}
}

// E-145: every vendor's wording for a prompt that is too long.
func TestParseErrorContextLength_E145(t *testing.T) {
	t.Parallel()
	for vendor, message := range map[string]string{
		"OpenAI":     "This model's maximum context length is 128000 tokens. However, your messages resulted in 200000 tokens.",
		"GPT-5":      "Your input exceeds the context window of this model. Please adjust your input and try again.",
		"Anthropic":  "prompt is too long: 210000 tokens > 200000 maximum",
		"Google":     "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
		"xAI":        "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
		"Mistral":    "Prompt contains 65673 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
		"Bedrock":    "Input is too long for requested model.",
		"DashScope":  "Range of input length should be [1, 30720]",
		"GLM":        "Prompt exceeds max length",
		"Moonshot":   "Invalid request: Your request exceeded model token limit: 8192",
		"llama.cpp":  "the request exceeds the available context size, try increasing it",
		"Groq":       "Please reduce the length of the messages or completion.",
		"Together":   "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097",
		"Cohere":     "too many tokens: size limit exceeded by 500 tokens",
		"OpenRouter": "This endpoint's maximum context length is 200000 tokens. However, you requested about 2500021 tokens",
	} {
		for _, status := range []int{400, 413, 0} {
			e := ParseError(status, 0, []byte(`{"error":{"message":"`+message+`","type":"x","code":null}}`))
			if e.Class != translate.ErrorContextLength || e.Status != 400 || e.Code != "context_length_exceeded" || e.Type != "invalid_request_error" || e.Retryable() {
				t.Errorf("%s with status %d: %+v", vendor, status, e)
			}
		}
		if e := ParseError(429, 0, []byte(`{"error":{"message":"`+message+`"}}`)); e.Class != translate.ErrorRateLimit {
			t.Errorf("%s: a rate limit became %+v", vendor, e)
		}
	}
}

// E-143: the wait that a message asks for.
func TestParseErrorWait_E143(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]time.Duration{
		"Please try again in 20s.":                      20 * time.Second,
		"Please retry in 48.9s.":                        48900 * time.Millisecond,
		"Please try again in 1m4.5s.":                   64500 * time.Millisecond,
		"try again in 345ms":                            345 * time.Millisecond,
		"Please retry after 30 seconds.":                30 * time.Second,
		"try again in 2h":                               2 * time.Hour,
		"retry after 3":                                 3 * time.Second,
		"try again in 99999999999999999999999999 years": 0,
		"try again in a minute":                         0,
		"try again later":                               0,
	} {
		if e := ParseError(429, 0, []byte(`{"error":{"message":"`+message+`"}}`)); e.RetryAfter != want {
			t.Errorf("%q: %v instead of %v", message, e.RetryAfter, want)
		}
	}
	if e := ParseError(429, 7*time.Second, []byte(`{"error":"try again in 20s"}`)); e.RetryAfter != 7*time.Second {
		t.Errorf("the header does not count: %v", e.RetryAfter)
	}
	if e := ParseError(429, 0, []byte(`[{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"37s"}]}}]`)); e.RetryAfter != 37*time.Second {
		t.Errorf("Google's retryDelay: %v", e.RetryAfter)
	}
	if e := ParseError(400, 0, []byte(`{"error":"try again in 20s"}`)); e.RetryAfter != 0 {
		t.Errorf("a bad request need not wait: %v", e.RetryAfter)
	}
}

func TestParseErrorBoundsMessage(t *testing.T) {
	t.Parallel()
	e := ParseError(500, 0, []byte(`{"error":"`+strings.Repeat("ä", 1<<20)+`"}`))
	if len(e.Message) > maxMessage+8 || !strings.HasSuffix(e.Message, "ä…") {
		t.Errorf("message of %d bytes ends with %q", len(e.Message), e.Message[len(e.Message)-8:])
	}
}

func TestAppendError(t *testing.T) {
	t.Parallel()
	got := string(AppendError([]byte("x"), &translate.Error{Message: "say \"no\"\n\xff", Type: "t", Param: "messages[0]", Code: "c"}))
	if want := `x{"error":{"message":"say \"no\"\n` + "\ufffd" + `","type":"t","param":"messages[0]","code":"c"}}`; got != want {
		t.Errorf("got %s", got)
	}
	if got := string(AppendError(nil, &translate.Error{})); got != `{"error":{"message":"The request failed.","type":"upstream_error","param":null,"code":null}}` {
		t.Errorf("empty error: %s", got)
	}
}

func TestBodyErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"error object":             {`{"error":{"message":"m","code":503}}`, 503},
		"error beside choices":     {`{"choices":[],"error":{"message":"m","type":"server_error"}}`, 500},
		"not JSON":                 {`oops`, 502},
		"cut off":                  {`{"choices":[{"message":{"content":"hi"}}`, 502},
		"no choices":               {`{"id":"x"}`, 502},
		"choices that are null":    {`{"choices":null}`, 502},
		"no choice":                {`{"choices":[]}`, 502},
		"empty":                    {``, 502},
		"blank":                    {" \n\n ", 502},
		"comments only":            {": wait\n: wait", 502},
		"detail":                   {`{"detail":"not allowed"}`, 502},
		"a list":                   {`[{"error":{"code":429,"message":"m"}}]`, 429},
		"a string":                 {`"hi"`, 502},
		"E-018 error of a stream":  {`{"code":"x","error":"rate limit"}`, 429},
		"finish reason error":      {wholeAnswer(`{"content":"hi"}`, `"error"`), 502},
		"choice numbers too great": {`{"choices":[{"index":1000,"message":{"content":"x"}}]}`, 502},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			enc := NewBodyEncoder(0)
			g := answerBody(nil, c.body, enc)
			if g.Err() == nil || g.Err().Status != c.status || enc.Err() != g.Err() {
				t.Fatalf("error %+v, encoder's %+v", g.Err(), enc.Err())
			}
			if readClientBody(t, enc.Bytes()).Error == nil {
				t.Errorf("body %s", enc.Bytes())
			}
		})
	}
}

// E-019: what is sent to keep the connection open does not matter.
func TestBodyPrefix_E019(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"\n\n   \n", ": keep-alive\n\n: keep-alive\n\n", "\ufeff", "\r\n: x\r\n\r\n"} {
		if s := viewBody(t, nil, prefix+wholeAnswer(`{"role":"assistant","content":"hi"}`, `"stop"`)+"\n"); s.choice().Content != "hi" {
			t.Errorf("prefix %q: %+v", prefix, s)
		}
	}
}
