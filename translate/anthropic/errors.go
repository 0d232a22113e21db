package anthropic

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// maxMessage bounds the provider's words in an error, in characters.
const maxMessage = 4096

// ParseError returns what an OpenAI client is to see of an answer that failed. header
// returns the value of a header field of the answer, or "". Bodies that are not JSON,
// such as the pages of an edge server, never become part of the message.
//
// An error about the key is of class ErrorAuth with status 401; whether the client may
// hear of it depends on whose key it was.
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
		status = 401
	case "billing_error":
		status = 402
	case "permission_error":
		status = 403
	case "not_found_error":
		status = 404
	case "conflict_error":
		status = 409
	case "request_too_large":
		status = 413
	case "rate_limit_error":
		status = 429
	case "api_error":
		status = 500
	case "timeout_error":
		status = 504
	case "overloaded_error":
		status = 529 // Anthropic's own
	}
	return byStatus(status, message)
}

func byStatus(status int, message string) *translate.Error {
	e := &translate.Error{Status: status, Message: message, Type: "invalid_request_error"}
	switch status {
	case 401:
		e.Class, e.Code = translate.ErrorAuth, "invalid_api_key"
	case 402:
		return quotaError(message)
	case 403:
		e.Class, e.Code = translate.ErrorAuth, "permission_denied"
	case 404:
		e.Class, e.Code = translate.ErrorNotFound, "model_not_found"
	case 409:
		e.Class = translate.ErrorServer
	case 413:
		e.Class, e.Code = translate.ErrorRequest, "request_too_large"
	case 429:
		e.Class, e.Type, e.Code = translate.ErrorRateLimit, "rate_limit_exceeded", "rate_limit_exceeded"
	case 408, 504:
		e.Class, e.Status, e.Type, e.Code = translate.ErrorTimeout, 504, "timeout_error", "upstream_timeout"
	case 503, 529:
		e.Class, e.Status, e.Type, e.Code = translate.ErrorOverloaded, 503, "server_error", "overloaded"
	case 502:
		return translate.UpstreamError(message)
	default:
		switch {
		case status >= 500:
			e.Class, e.Status, e.Type = translate.ErrorServer, 500, "server_error"
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
		Class: translate.ErrorQuota, Status: 429, Message: message,
		Type: "insufficient_quota", Code: "insufficient_quota", NoRetry: true,
	}
}
