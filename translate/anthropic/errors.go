package anthropic

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// maxMessage bounds the provider's words in an error, in characters.
const maxMessage = 4096

// ParseError returns what an OpenAI client is to see of an answer that failed. header
// returns the value of a header field of the answer, or "". Bodies that are not JSON,
// such as the pages of an edge server, never become part of the message.
//
// An authentication error is status 502, as for a key that is the gateway's own.
func ParseError(status int, header func(string) string, body []byte) *translate.Error {
	if header == nil {
		header = func(string) string { return "" }
	}
	typ, message := readError(body)
	if message == "" {
		message = "The provider answered with status " + strconv.Itoa(status) + "."
	}
	err := classify(typ, status, message)
	err.Upstream = status
	err.RetryAfter = retryAfter(header)
	if err.Class == translate.ErrorRateLimit && err.RetryAfter == 0 && header("retry-after") == "" {
		// A limit that does not say when it ends is the account's spend cap.
		quota := quotaError(message)
		quota.Upstream = status
		return quota
	}
	if header("x-should-retry") == "false" {
		err.NoRetry = true
	}
	return err
}

// ThinkingRejected reports whether a request failed because replayed thinking does not
// fit its prompt. The same request with [Options].StripThinking may succeed.
func ThinkingRejected(err *translate.Error) bool {
	if err == nil || err.Class != translate.ErrorRequest {
		return false
	}
	m := strings.ToLower(err.Message)
	return strings.Contains(m, "signature") && strings.Contains(m, "thinking")
}

// eventError returns the error in an event of a stream or in a body with status 200;
// raw is the value of its member "error".
func eventError(raw []byte) *translate.Error {
	typ, message := errorMembers(raw)
	if message == "" {
		message = "The provider reported an error."
	}
	return classify(typ, 0, message)
}

// readError returns type and message of an error body; both "" if it has none.
func readError(body []byte) (typ, message string) {
	body = skipComments(body)
	if i := bytes.Index(body, []byte("data:")); i >= 0 && (i == 0 || bytes.HasPrefix(body, []byte("event:"))) {
		body, _, _ = bytes.Cut(body[i+len("data:"):], []byte("\n"))
		body = trimSpace(body)
	}
	if jsonscan.Valid(body, maxDepth) != nil {
		return "", ""
	}
	if e := jsonscan.Get(body, "error"); !jsonscan.IsNull(e) {
		return errorMembers(e)
	}
	for _, name := range []string{"message", "detail"} {
		if m := jsonscan.String(jsonscan.Get(body, name)); m != "" {
			return "", cut(m, maxMessage)
		}
	}
	return "", ""
}

func errorMembers(raw []byte) (typ, message string) {
	if jsonscan.IsString(raw) {
		return "", cut(jsonscan.String(raw), maxMessage)
	}
	return jsonscan.String(jsonscan.Get(raw, "type")), cut(jsonscan.String(jsonscan.Get(raw, "message")), maxMessage)
}

// classify maps an error by its type, or by the status where the type is unknown.
func classify(typ string, status int, message string) *translate.Error {
	switch typ {
	case "invalid_request_error":
		return requestError(status, message)
	case "authentication_error":
		status = http.StatusUnauthorized
	case "billing_error":
		status = http.StatusPaymentRequired
	case "permission_error":
		status = http.StatusForbidden
	case "not_found_error":
		status = http.StatusNotFound
	case "conflict_error":
		status = http.StatusConflict
	case "request_too_large":
		status = http.StatusRequestEntityTooLarge
	case "rate_limit_error":
		status = http.StatusTooManyRequests
	case "api_error":
		status = http.StatusInternalServerError
	case "timeout_error":
		status = http.StatusGatewayTimeout
	case "overloaded_error":
		status = statusOverloaded
	}
	return byStatus(status, message)
}

// statusOverloaded is the status that Anthropic gives to overload.
const statusOverloaded = 529

func byStatus(status int, message string) *translate.Error {
	e := &translate.Error{Status: status, Message: message, Type: "invalid_request_error"}
	switch status {
	case http.StatusUnauthorized:
		e.Class, e.Status, e.Type, e.Code = translate.ErrorAuth, http.StatusBadGateway, "upstream_error", "upstream_auth_error"
	case http.StatusPaymentRequired:
		return quotaError(message)
	case http.StatusForbidden:
		e.Class, e.Code = translate.ErrorAuth, "permission_denied"
	case http.StatusNotFound:
		e.Class, e.Code = translate.ErrorNotFound, "model_not_found"
	case http.StatusConflict:
		e.Class = translate.ErrorServer
	case http.StatusRequestEntityTooLarge:
		e.Class, e.Code = translate.ErrorRequest, "request_too_large"
	case http.StatusTooManyRequests:
		e.Class, e.Type, e.Code = translate.ErrorRateLimit, "rate_limit_exceeded", "rate_limit_exceeded"
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		e.Class, e.Status, e.Type, e.Code = translate.ErrorTimeout, http.StatusGatewayTimeout, "timeout_error", "upstream_timeout"
	case http.StatusServiceUnavailable, statusOverloaded:
		e.Class, e.Status, e.Type, e.Code = translate.ErrorOverloaded, http.StatusServiceUnavailable, "server_error", "overloaded"
	case http.StatusBadGateway:
		return translate.UpstreamError(message)
	default:
		switch {
		case status >= 500:
			e.Class, e.Status, e.Type = translate.ErrorServer, http.StatusInternalServerError, "server_error"
		case status >= 400:
			return requestError(status, message)
		default:
			return translate.UpstreamError(message)
		}
	}
	return e
}

// requestError returns the error for a request that Anthropic calls invalid. Only its
// words tell the reasons apart that clients act on.
func requestError(status int, message string) *translate.Error {
	m := strings.ToLower(message)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(m, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("usage limits", "credit balance is too low"):
		return quotaError(message)
	case has("prompt is too long", "exceed context limit", "input length"):
		e := translate.BadRequest("context_length_exceeded", "messages", message)
		e.Class = translate.ErrorContextLength
		return e
	case has("content filtering policy"):
		e := translate.BadRequest("content_policy_violation", "", message)
		e.Class = translate.ErrorContentPolicy
		return e
	}
	e := translate.BadRequest("", "", message)
	if status > 400 && status < 500 {
		e.Status = status
	}
	return e
}

func quotaError(message string) *translate.Error {
	return &translate.Error{
		Class: translate.ErrorQuota, Status: http.StatusTooManyRequests, Message: message,
		Type: "insufficient_quota", Code: "insufficient_quota", NoRetry: true,
	}
}

// maxRetryAfter bounds the wait that is believed.
const maxRetryAfter = 24 * time.Hour

// retryAfter returns how long the provider wants to be left alone: by Retry-After, or
// else until the limits that are used up are full again, by the clock of the answer's
// own Date. It returns 0 if the answer does not say.
func retryAfter(header func(string) string) time.Duration {
	date, dateErr := http.ParseTime(header("date"))
	if v := strings.TrimSpace(header("retry-after")); v != "" {
		if s, err := strconv.ParseFloat(v, 64); err == nil {
			return wait(time.Duration(min(max(s, 0), maxRetryAfter.Seconds()) * float64(time.Second)))
		}
		if at, err := http.ParseTime(v); err == nil && dateErr == nil {
			return wait(at.Sub(date))
		}
		return 0
	}
	if dateErr != nil {
		return 0
	}
	longest := time.Duration(0)
	for _, kind := range []string{"requests", "tokens", "input-tokens", "output-tokens"} {
		if header("anthropic-ratelimit-"+kind+"-remaining") != "0" {
			continue
		}
		if at, err := time.Parse(time.RFC3339, header("anthropic-ratelimit-"+kind+"-reset")); err == nil {
			longest = max(longest, wait(at.Sub(date)))
		}
	}
	return longest
}

func wait(d time.Duration) time.Duration { return min(max(d, 0), maxRetryAfter) }

// RateLimitHeaders returns the answer's rate limits as OpenAI's header fields, in a
// fixed order. get returns the value of a header field of the answer, or ""; now is
// when it came: the times at which limits reset become durations from then.
func RateLimitHeaders(get func(string) string, now time.Time) [][2]string {
	var out [][2]string
	for _, what := range []string{"limit", "remaining", "reset"} {
		for _, kind := range []string{"requests", "tokens"} {
			v := get("anthropic-ratelimit-" + kind + "-" + what)
			if v == "" && kind == "tokens" {
				v = get("anthropic-ratelimit-input-tokens-" + what)
			}
			if what == "reset" {
				at, err := time.Parse(time.RFC3339, v)
				if err != nil {
					continue
				}
				v = max(at.Sub(now), 0).Round(time.Millisecond).String()
			} else if !isDigits(v) {
				continue
			}
			out = append(out, [2]string{"x-ratelimit-" + what + "-" + kind, v})
		}
	}
	return out
}
