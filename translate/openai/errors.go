package openai

import (
	"strconv"
	"strings"
	"time"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// ParseError reads the body of a provider's error answer, whatever its shape: OpenAI's
// envelope, an error that is a string or stands in a list, {detail}, {message},
// {code,msg}, MiniMax's base_resp, plain text, HTML, nothing. status is the HTTP
// status, retryAfter what its headers ask for; 0 if nothing, and then a wait that the
// message names counts.
//
// The provider's message, type, param and code are kept, except that context overflow
// and spent quota always have OpenAI's code, codes that only repeat the HTTP status are
// dropped, and markup is never copied. The Status is the provider's, as long as
// OpenAI's clients know it: whether the gateway's own key was refused (ErrorAuth, with
// status 401 or 403) is for the caller to hide.
func ParseError(status int, retryAfter time.Duration, body []byte) *translate.Error {
	f := readFailure(body)
	e := f.judge(status)
	e.Upstream = status
	e.RetryAfter = retryAfter
	if e.RetryAfter <= 0 && (e.Class == translate.ErrorRateLimit || e.Class == translate.ErrorOverloaded) {
		e.RetryAfter = f.wait
		if e.RetryAfter <= 0 {
			e.RetryAfter = waitIn(f.message)
		}
	}
	return e
}

// streamFailure is ParseError for an error inside an answer whose HTTP status was 200.
func streamFailure(data []byte) *translate.Error {
	e := ParseError(0, 0, data)
	e.Upstream = 0
	return e
}

// AppendError appends the error envelope, with all its four members, to dst.
func AppendError(dst []byte, e *translate.Error) []byte {
	message, kind := e.Message, e.Type
	if message == "" {
		message = "The request failed."
	}
	if kind == "" {
		kind = "upstream_error"
	}
	dst = append(dst, `{"error":{"message":`...)
	dst = jsonscan.Quote(dst, message)
	dst = append(dst, `,"type":`...)
	dst = jsonscan.Quote(dst, kind)
	dst = append(dst, `,"param":`...)
	dst = appendNullable(dst, e.Param)
	dst = append(dst, `,"code":`...)
	dst = appendNullable(dst, e.Code)
	return append(dst, "}}"...)
}

// appendNullable appends s as a string, or null if it is empty.
func appendNullable(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return jsonscan.Quote(dst, s)
}

// waitIn finds the wait that a message asks for: "try again in 20s", "retry in
// 1m4.5s", "retry after 30 seconds", "try again in 345ms". It returns 0 if there is
// none.
func waitIn(message string) time.Duration {
	message = strings.ToLower(message)
	for _, lead := range []string{"try again in ", "retry in ", "retry after ", "try again after "} {
		if _, rest, ok := strings.Cut(message, lead); ok {
			if wait := parseWait(rest); wait > 0 {
				return wait
			}
		}
	}
	return 0
}

// maxWait is the longest wait that is believed.
const maxWait = 30 * 24 * time.Hour

// parseWait reads a duration at the start of s: numbers with units, with or without
// spaces between them; seconds if there is no unit.
func parseWait(s string) (wait time.Duration) {
	for range 4 {
		end := 0
		for end < len(s) && (s[end] >= '0' && s[end] <= '9' || s[end] == '.') {
			end++
		}
		n, err := strconv.ParseFloat(strings.TrimRight(s[:end], "."), 64)
		if err != nil {
			break
		}
		s = strings.TrimLeft(s[end:], " ")
		end = 0
		for end < len(s) && s[end] >= 'a' && s[end] <= 'z' {
			end++
		}
		unit := time.Second
		switch s[:end] {
		case "ms", "millisecond", "milliseconds":
			unit = time.Millisecond
		case "m", "min", "minute", "minutes":
			unit = time.Minute
		case "h", "hour", "hours":
			unit = time.Hour
		case "d", "day", "days":
			unit = 24 * time.Hour
		}
		if n*float64(unit) > float64(maxWait) {
			return 0
		}
		wait += time.Duration(n * float64(unit))
		s = strings.TrimLeft(s[end:], " ")
	}
	return wait
}
