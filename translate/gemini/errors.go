package gemini

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// ParseError turns a failed answer into the error an OpenAI client must see. The body
// is a google.rpc.Status in JSON, alone or in an array, or what a front end had to
// say; markup never gets into the message. header may be nil.
//
// An error about the provider's key is of class ErrorAuth with status 401; whether
// the client may hear of it depends on whose key it was.
func ParseError(status int, header func(string) string, body []byte) *translate.Error {
	s := readStatus(body)
	if s.message == "" {
		s.message = "The provider answered with status " + strconv.Itoa(status) + "."
	}
	err := s.classify(status)
	err.Message, err.Upstream = s.message, status
	if err.RetryAfter == 0 && header != nil && retryLater(err) {
		err.RetryAfter = retryHeader(header("Retry-After"))
	}
	return err
}

// streamError turns an error inside an answer with status 200 into one that the
// client must see.
func streamError(raw []byte) *translate.Error {
	s := readStatus(raw)
	if s.message == "" {
		s.message = "The provider reported an error."
	}
	err := s.classify(502)
	err.Message, err.Upstream = s.message, s.code
	return err
}

// rpcStatus is what is known of a google.rpc.Status.
type rpcStatus struct {
	code    int
	status  string
	message string
	reason  string // ErrorInfo
	daily   bool   // QuotaFailure of a quota per day
	delay   time.Duration
}

func readStatus(body []byte) (s rpcStatus) {
	body = bytes.TrimSpace(body)
	if len(body) > maxErrorBody || jsonscan.Valid(body, maxDepth) != nil {
		s.message = plainText(body)
		return s
	}
	if body[0] == '[' {
		first := jsonscan.Walk(body)
		first.Next()
		body = first.Value
	}
	failure := jsonscan.Get(body, "error")
	if jsonscan.IsString(failure) {
		s.message = scrub(jsonscan.String(failure))
		return s
	}
	if failure == nil {
		failure = body
	}
	members := jsonscan.Walk(failure)
	for members.Next() {
		switch string(members.Name) {
		case "code":
			if n, ok := jsonscan.Int(members.Value); ok && n >= 100 && n < 1000 {
				s.code = int(n)
			}
		case "status":
			s.status = jsonscan.String(members.Value)
		case "message":
			s.message = scrub(jsonscan.String(members.Value))
		case "details":
			s.details(members.Value)
		}
	}
	if s.delay == 0 {
		s.delay = delayInText(s.message)
	}
	return s
}

// maxErrorBody is the largest error that is looked into, maxMessage the longest
// message that is passed on.
const (
	maxErrorBody = 1 << 20
	maxMessage   = 4 << 10
)

// details reads the google.rpc details that matter.
func (s *rpcStatus) details(raw []byte) {
	elements := jsonscan.Walk(raw)
	for elements.Next() {
		kind := jsonscan.String(jsonscan.Get(elements.Value, "@type"))
		switch kind[strings.LastIndexByte(kind, '.')+1:] {
		case "ErrorInfo":
			s.reason = jsonscan.String(jsonscan.Get(elements.Value, "reason"))
		case "RetryInfo":
			s.delay = parseDelay(jsonscan.String(jsonscan.Get(elements.Value, "retryDelay")))
		case "QuotaFailure":
			violations := jsonscan.Walk(jsonscan.Get(elements.Value, "violations"))
			for violations.Next() {
				s.daily = s.daily || strings.Contains(jsonscan.String(jsonscan.Get(violations.Value, "quotaId")), "PerDay")
			}
		}
	}
}

// statusCodes are the HTTP statuses of google.rpc.Code.
var statusCodes = map[string]int{
	"INVALID_ARGUMENT": 400, "FAILED_PRECONDITION": 412, "OUT_OF_RANGE": 400, "UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403, "NOT_FOUND": 404,
	"ABORTED": 409, "ALREADY_EXISTS": 409, "RESOURCE_EXHAUSTED": 429, "CANCELLED": 499, "INTERNAL": 500, "UNKNOWN": 500, "DATA_LOSS": 500,
	"UNIMPLEMENTED": 501, "UNAVAILABLE": 503, "DEADLINE_EXCEEDED": 504,
}

// classify sorts the error by its status word, or else by its code, or else by the
// HTTP status.
func (s *rpcStatus) classify(answered int) *translate.Error {
	code, ok := statusCodes[s.status]
	if !ok {
		if code = s.code; code == 0 {
			code = answered
		}
	}
	if answered == 413 {
		code = answered
	}
	switch {
	case code == 401, s.badKey():
		return &translate.Error{Class: translate.ErrorAuth, Status: 401, Type: "invalid_request_error", Code: "invalid_api_key"}
	case code == 412:
		return s.precondition()
	case code == 429:
		return s.exhausted()
	case code == 400 && strings.Contains(s.message, "exceeds the maximum number of tokens"):
		return &translate.Error{Class: translate.ErrorContextLength, Status: 400, Type: "invalid_request_error", Code: "context_length_exceeded"}
	}
	err := errorOf(code)
	if err.Class == translate.ErrorOverloaded {
		err.RetryAfter = s.delay
	}
	return err
}

// badKey recognises a wrong key, which the provider calls an invalid argument.
func (s *rpcStatus) badKey() bool {
	return s.reason == "API_KEY_INVALID" || strings.Contains(s.message, "API key not valid") || strings.Contains(s.message, "API key expired")
}

// precondition is an account that may not use the API: from its country, or without
// billing. Another account may.
func (s *rpcStatus) precondition() *translate.Error {
	code := "permission_denied"
	if strings.Contains(strings.ToLower(s.message), "location") {
		code = "unsupported_country_region_territory"
	}
	return &translate.Error{Class: translate.ErrorAuth, Status: 403, Type: "invalid_request_error", Code: code}
}

// exhausted tells a rate limit, after which waiting helps, from a used-up quota.
func (s *rpcStatus) exhausted() *translate.Error {
	if s.daily || strings.Contains(s.message, "credits are depleted") {
		return &translate.Error{Class: translate.ErrorQuota, Status: 429, Type: "insufficient_quota", Code: "insufficient_quota", NoRetry: true}
	}
	return &translate.Error{Class: translate.ErrorRateLimit, Status: 429, Type: "rate_limit_exceeded", Code: "rate_limit_exceeded", RetryAfter: s.delay}
}

// errorOf returns the error for a plain status.
func errorOf(code int) *translate.Error {
	bad := func(class translate.ErrorClass, status int, code string) *translate.Error {
		return &translate.Error{Class: class, Status: status, Type: "invalid_request_error", Code: code}
	}
	switch code {
	case 403:
		return bad(translate.ErrorAuth, 403, "permission_denied")
	case 404:
		return bad(translate.ErrorNotFound, 404, "model_not_found")
	case 409:
		return &translate.Error{Class: translate.ErrorServer, Status: 409, Type: "server_error"}
	case 413:
		return bad(translate.ErrorRequest, 413, "request_too_large")
	case 499:
		return &translate.Error{Class: translate.ErrorServer, Status: 499, Type: "server_error", Code: "cancelled"}
	case 500:
		return &translate.Error{Class: translate.ErrorServer, Status: 500, Type: "server_error"}
	case 501:
		return bad(translate.ErrorRequest, 400, "unsupported_value")
	case 503:
		return &translate.Error{Class: translate.ErrorOverloaded, Status: 503, Type: "server_error", Code: "overloaded"}
	case 408, 504:
		return &translate.Error{Class: translate.ErrorTimeout, Status: 504, Type: "timeout_error", Code: "upstream_timeout"}
	}
	if code >= 400 && code < 500 {
		return bad(translate.ErrorRequest, 400, "invalid_value")
	}
	return translate.UpstreamError("")
}

func retryLater(err *translate.Error) bool {
	return err.Class == translate.ErrorRateLimit || err.Class == translate.ErrorOverloaded
}

// retryHeader reads a Retry-After in seconds.
func retryHeader(v string) time.Duration {
	seconds, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
	if err != nil {
		return 0
	}
	return inSeconds(seconds)
}

// parseDelay reads a google.protobuf.Duration, such as "1.5s".
func parseDelay(v string) time.Duration {
	number, ok := strings.CutSuffix(v, "s")
	if !ok {
		return 0
	}
	return retryHeader(number)
}

// delayInText finds the delay in "Please retry in 48.9s."
func delayInText(message string) time.Duration {
	_, rest, ok := strings.Cut(message, "retry in ")
	if !ok {
		return 0
	}
	n := 0
	for n < len(rest) && (rest[n] >= '0' && rest[n] <= '9' || rest[n] == '.') {
		n++
	}
	d := retryHeader(rest[:n])
	if strings.HasPrefix(rest[n:], "ms") {
		return d / 1000
	}
	return d
}

// inSeconds converts and bounds a delay: to a day, and never below zero.
func inSeconds(seconds float64) time.Duration {
	if math.IsNaN(seconds) || seconds <= 0 {
		return 0
	}
	return time.Duration(min(seconds, 24*60*60) * float64(time.Second))
}

// plainText returns a body that is not JSON as a message, or "" if it is markup.
func plainText(body []byte) string {
	if len(body) > 500 || bytes.IndexByte(body, '<') >= 0 || bytes.IndexByte(body, '{') >= 0 {
		return ""
	}
	return scrub(strings.ToValidUTF8(string(body), "\ufffd"))
}

// scrub takes what looks like a key out of a message, and cuts it to a sane length.
func scrub(message string) string {
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	for _, prefix := range []string{"AIza", "ya29."} {
		for at := 0; ; {
			i := strings.Index(message[at:], prefix)
			if i < 0 {
				break
			}
			i += at
			end := i + len(prefix)
			for end < len(message) && keyByte(message[end]) {
				end++
			}
			if at = end; end-i >= 20 {
				message = message[:i] + "[key]" + message[end:]
				at = i + len("[key]")
			}
		}
	}
	return message
}

func keyByte(c byte) bool {
	return letter(c) || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.'
}
