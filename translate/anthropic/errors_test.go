package anthropic

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

func headers(h map[string]string) func(string) string {
	return func(name string) string { return h[name] }
}

func errorBody(typ, message string) string {
	return `{"type":"error","error":{"type":"` + typ + `","message":` + quote(message) + `},"request_id":"req_1"}`
}

func TestErrorTable(t *testing.T) {
	t.Parallel()
	retry := map[string]string{"retry-after": "7"}
	tests := []struct {
		name   string
		status int
		header map[string]string
		body   string
		want   translate.Error
	}{
		{"invalid request", 400, nil, errorBody("invalid_request_error", "tools.0: bad"), translate.Error{Class: translate.ErrorRequest, Status: 400, Type: "invalid_request_error", Message: "tools.0: bad"}},
		{"E-145 prompt too long", 400, nil, errorBody("invalid_request_error", "prompt is too long: 2 > 1"), translate.Error{Class: translate.ErrorContextLength, Status: 400, Type: "invalid_request_error", Code: "context_length_exceeded", Param: "messages", Message: "prompt is too long: 2 > 1"}},
		{"E-145 with max_tokens", 400, nil, errorBody("invalid_request_error", "input length and `max_tokens` exceed context limit: 1 + 2"), translate.Error{Class: translate.ErrorContextLength, Status: 400, Type: "invalid_request_error", Code: "context_length_exceeded", Param: "messages", Message: "input length and `max_tokens` exceed context limit: 1 + 2"}},
		{"spend limit as 400", 400, nil, errorBody("invalid_request_error", "You have reached your specified API usage limits."), translate.Error{Class: translate.ErrorQuota, Status: 429, Type: "insufficient_quota", Code: "insufficient_quota", NoRetry: true, Message: "You have reached your specified API usage limits."}},
		{"filtered content", 400, nil, errorBody("invalid_request_error", "Output blocked by content filtering policy"), translate.Error{Class: translate.ErrorContentPolicy, Status: 400, Type: "invalid_request_error", Code: "content_policy_violation", Message: "Output blocked by content filtering policy"}},
		{"authentication", 401, nil, errorBody("authentication_error", "invalid x-api-key"), translate.Error{Class: translate.ErrorAuth, Status: 401, Type: "invalid_request_error", Code: "invalid_api_key", Message: "invalid x-api-key"}},
		{"billing", 402, nil, errorBody("billing_error", "no"), translate.Error{Class: translate.ErrorQuota, Status: 429, Type: "insufficient_quota", Code: "insufficient_quota", NoRetry: true, Message: "no"}},
		{"permission", 403, nil, errorBody("permission_error", "no"), translate.Error{Class: translate.ErrorAuth, Status: 403, Type: "invalid_request_error", Code: "permission_denied", Message: "no"}},
		{"not found", 404, nil, errorBody("not_found_error", "model: x"), translate.Error{Class: translate.ErrorNotFound, Status: 404, Type: "invalid_request_error", Code: "model_not_found", Message: "model: x"}},
		{"conflict", 409, nil, errorBody("conflict_error", "no"), translate.Error{Class: translate.ErrorServer, Status: 409, Type: "invalid_request_error", Message: "no"}},
		{"HTML from the edge", 413, nil, "<html><head><title>413</title></head></html>", translate.Error{Class: translate.ErrorRequest, Status: 413, Type: "invalid_request_error", Code: "request_too_large", Message: "The provider answered with status 413."}},
		{"E-143 rate limit", 429, retry, errorBody("rate_limit_error", "slow"), translate.Error{Class: translate.ErrorRateLimit, Status: 429, Type: "rate_limit_exceeded", Code: "rate_limit_exceeded", RetryAfter: 7 * time.Second, Message: "slow"}},
		{"E-144 spend cap", 429, nil, errorBody("rate_limit_error", "cap"), translate.Error{Class: translate.ErrorQuota, Status: 429, Type: "insufficient_quota", Code: "insufficient_quota", NoRetry: true, Message: "cap"}},
		{"E-143 rate limit with a reset time only", 429, map[string]string{"date": "Mon, 23 Nov 2026 10:00:00 GMT", "anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "2026-11-23T10:00:42Z", "anthropic-ratelimit-requests-remaining": "5", "anthropic-ratelimit-requests-reset": "2026-11-23T11:00:00Z"}, errorBody("rate_limit_error", "slow"), translate.Error{Class: translate.ErrorRateLimit, Status: 429, Type: "rate_limit_exceeded", Code: "rate_limit_exceeded", RetryAfter: 42 * time.Second, Message: "slow"}},
		{"server", 500, nil, errorBody("api_error", "oops"), translate.Error{Class: translate.ErrorServer, Status: 500, Type: "server_error", Message: "oops"}},
		{"timeout", 504, nil, errorBody("timeout_error", "slow"), translate.Error{Class: translate.ErrorTimeout, Status: 504, Type: "timeout_error", Code: "upstream_timeout", Message: "slow"}},
		{"overload keeps retry-after", 529, retry, errorBody("overloaded_error", "Overloaded"), translate.Error{Class: translate.ErrorOverloaded, Status: 503, Type: "server_error", Code: "overloaded", RetryAfter: 7 * time.Second, Message: "Overloaded"}},
		{"the type counts more than the status", 500, nil, errorBody("overloaded_error", "Overloaded"), translate.Error{Class: translate.ErrorOverloaded, Status: 503, Type: "server_error", Code: "overloaded", Message: "Overloaded"}},
		{"an unknown type goes by status", 422, nil, errorBody("odd_error", "x"), translate.Error{Class: translate.ErrorRequest, Status: 422, Type: "invalid_request_error", Message: "x"}},
		{"no body", 502, nil, "", translate.Error{Class: translate.ErrorUpstream, Status: 502, Type: "upstream_error", Code: "bad_gateway", Message: "The provider answered with status 502."}},
		{"a status nobody knows", 599, nil, "", translate.Error{Class: translate.ErrorServer, Status: 500, Type: "server_error", Message: "The provider answered with status 599."}},
		{"a redirect", 302, nil, "", translate.Error{Class: translate.ErrorUpstream, Status: 502, Type: "upstream_error", Code: "bad_gateway", Message: "The provider answered with status 302."}},
		{"an event as body", 529, nil, "event: error\ndata: " + errorBody("overloaded_error", "Overloaded") + "\n\n", translate.Error{Class: translate.ErrorOverloaded, Status: 503, Type: "server_error", Code: "overloaded", Message: "Overloaded"}},
		{"a cloud's body", 404, nil, `{"error":{"code":404,"message":"Publisher model not found","status":"NOT_FOUND"}}`, translate.Error{Class: translate.ErrorNotFound, Status: 404, Type: "invalid_request_error", Code: "model_not_found", Message: "Publisher model not found"}},
		{"a bare message", 400, nil, `{"message":"bad"}`, translate.Error{Class: translate.ErrorRequest, Status: 400, Type: "invalid_request_error", Message: "bad"}},
		{"x-should-retry", 500, map[string]string{"x-should-retry": "false"}, errorBody("api_error", "x"), translate.Error{Class: translate.ErrorServer, Status: 500, Type: "server_error", NoRetry: true, Message: "x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.want.Upstream = tt.status
			if got := *ParseError(tt.status, headers(tt.header), []byte(tt.body)); got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestErrorMessageIsBounded(t *testing.T) {
	t.Parallel()
	got := ParseError(400, nil, []byte(errorBody("invalid_request_error", strings.Repeat("ü", 2*maxMessage))))
	if n := len([]rune(got.Message)); n != maxMessage {
		t.Errorf("the message has %d characters", n)
	}
}

func TestRetryAfterForms(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		after, date string
		want        time.Duration
	}{
		{"7", "", 7 * time.Second}, {"0.5", "", 500 * time.Millisecond}, {"-3", "", 0}, {"1e300", "", maxRetryAfter}, {"soon", "", 0},
		{"Mon, 23 Nov 2026 10:01:00 GMT", "Mon, 23 Nov 2026 10:00:00 GMT", time.Minute}, {"Mon, 23 Nov 2026 10:01:00 GMT", "", 0}, {"NaN", "", 0},
	} {
		if got := retryAfter(headers(map[string]string{"retry-after": tt.after, "date": tt.date})); got != tt.want {
			t.Errorf("%q at %q is %v, want %v", tt.after, tt.date, got, tt.want)
		}
	}
}

func TestRateLimitHeaders(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	full := map[string]string{
		"anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "49", "anthropic-ratelimit-requests-reset": "2026-11-23T10:06:00Z",
		"anthropic-ratelimit-tokens-limit": "1000", "anthropic-ratelimit-tokens-remaining": "900", "anthropic-ratelimit-tokens-reset": "2026-11-23T10:00:01.5Z",
		"anthropic-ratelimit-input-tokens-limit": "1",
	}
	want := [][2]string{
		{"x-ratelimit-limit-requests", "50"}, {"x-ratelimit-limit-tokens", "1000"}, {"x-ratelimit-remaining-requests", "49"}, {"x-ratelimit-remaining-tokens", "900"},
		{"x-ratelimit-reset-requests", "6m0s"}, {"x-ratelimit-reset-tokens", "1.5s"},
	}
	if got := RateLimitHeaders(headers(full), now); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	only := map[string]string{"anthropic-ratelimit-input-tokens-limit": "9", "anthropic-ratelimit-input-tokens-reset": "2020-01-01T00:00:00Z", "anthropic-ratelimit-requests-limit": "a\r\nb"}
	want = [][2]string{{"x-ratelimit-limit-tokens", "9"}, {"x-ratelimit-reset-tokens", "0s"}}
	if got := RateLimitHeaders(headers(only), now); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestThinkingRejected(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]bool{
		"messages.1.content.0: Invalid `signature` in `thinking` block: bound to a different conversation": true,
		"messages.1: `tool_use` ids were found without results":                                            false,
	} {
		if got := ThinkingRejected(ParseError(400, nil, []byte(errorBody("invalid_request_error", message)))); got != want {
			t.Errorf("%q: got %v", message, got)
		}
	}
	if ThinkingRejected(nil) || ThinkingRejected(ParseError(500, nil, []byte(errorBody("api_error", "signature thinking")))) {
		t.Error("other errors have nothing to do with thinking")
	}
}
