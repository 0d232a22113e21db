package anthropic

import (
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds the wait that is believed.
const maxRetryAfter = 24 * time.Hour

// retryAfter returns how long the provider wants to be left alone: by Retry-After, or
// else until the limits that are used up are full again, by the clock of the answer's
// own Date. It returns 0 if the answer does not say.
func retryAfter(header func(string) string) time.Duration {
	date, dateErr := parseDate(header("date"))
	if v := strings.TrimSpace(header("retry-after")); v != "" {
		if s, err := strconv.ParseFloat(v, 64); err == nil {
			return wait(time.Duration(min(max(s, 0), maxRetryAfter.Seconds()) * float64(time.Second)))
		}
		if at, err := parseDate(v); err == nil && dateErr == nil {
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

// parseDate reads a date in the only form that HTTP lets servers write.
func parseDate(s string) (time.Time, error) { return time.Parse("Mon, 02 Jan 2006 15:04:05 GMT", s) }
