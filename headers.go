package aiproxy

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

const (
	typeJSON = "application/json"
	typeSSE  = "text/event-stream; charset=utf-8"
)

// Header values of all requests to providers. They are shared and must not be changed in
// place. Answers to clients have their own: Caddy's header directive may change them.
var (
	headerJSON = []string{typeJSON}
	headerSSE  = []string{typeSSE}
)

// setJSON sets the header of a JSON answer of n bytes.
func setJSON(h http.Header, n int) {
	v := [...]string{typeJSON, strconv.Itoa(n)}
	h["Content-Type"], h["Content-Length"] = v[:1:1], v[1:]
}

// notForClients are the response headers of providers that say something about the
// connection, the provider's own infrastructure, or a body that is not passed as it
// is; keys in canonical form.
var notForClients = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Proxy-Authenticate": true, "Proxy-Authorization": true, "Proxy-Connection": true, "Te": true, "Trailer": true,
	"Transfer-Encoding": true, "Upgrade": true, "Content-Length": true, "Content-Encoding": true, "Content-Type": true, "Date": true,
	"Set-Cookie": true, "Set-Cookie2": true, "Server": true, "Alt-Svc": true, "Via": true, "X-Powered-By": true, "Strict-Transport-Security": true,
	"Report-To": true, "Reporting-Endpoints": true, "Nel": true, "Server-Timing": true, "X-Envoy-Upstream-Service-Time": true,
	// What a browser would take for the word of the site.
	"Clear-Site-Data": true, "Content-Security-Policy": true, "Content-Security-Policy-Report-Only": true, "Refresh": true, "Link": true, "Permissions-Policy": true,
	"Referrer-Policy": true, "Service-Worker-Allowed": true, "Sourcemap": true, "Timing-Allow-Origin": true, "Origin-Agent-Cluster": true, "X-Frame-Options": true,
	// What only this gateway says.
	"X-Ai-Proxy-Dropped": true, "X-Ai-Proxy-Upstream-Status": true,
	"Vary": true, "Cache-Control": true, "Expires": true, "Pragma": true, "Location": true, "Www-Authenticate": true, "Etag": true, "Last-Modified": true,
	"Accept-Ranges": true, "Age": true, "X-Request-Id": true,
	"Authorization": true, "X-Api-Key": true, "Api-Key": true, "X-Goog-Api-Key": true,
}

// copyHeaders passes a provider's response headers to the client, without those of
// notForClients and without any value that has a key in it.
func (x *exchange) copyHeaders(from http.Header, keys ...string) {
	to, hop := x.w.Header(), from["Connection"]
	for name, values := range from {
		if notForClients[name] || strings.HasPrefix(name, "Cf-") || strings.HasPrefix(name, "Access-Control-") || strings.HasPrefix(name, "Cross-Origin-") ||
			containsKey(values, keys) || ofConnection(hop, name) {
			continue
		}
		to[name] = values
	}
	if x.limits != nil {
		for _, f := range x.limits(from) {
			to.Set(f[0], f[1])
		}
	}
	if id := requestID(from); id != "" && !containsKey([]string{id}, keys) {
		x.requestID = id
		to["X-Ai-Proxy-Upstream-Request-Id"] = []string{id}
	}
	x.setRequestID(to)
}

// ofConnection reports whether the values of Connection say that a header is meant for
// the next hop only (RFC 9110, section 7.6.1).
func ofConnection(lists []string, name string) bool {
	for _, list := range lists {
		for option := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(strings.TrimSpace(option), name) {
				return true
			}
		}
	}
	return false
}

// requestID returns the name that the provider gave the request.
func requestID(h http.Header) string {
	for _, name := range [...]string{"X-Request-Id", "Request-Id", "X-Amzn-Requestid", "Apim-Request-Id"} {
		if v := h[name]; len(v) > 0 && v[0] != "" {
			return v[0]
		}
	}
	return ""
}

func (x *exchange) setRequestID(h http.Header) {
	if x.requestID == "" {
		x.requestID = randomID("req_")
	}
	h["X-Request-Id"] = []string{x.requestID}
}

// minKey is the shortest credential that is worth hiding; anything shorter stands in
// ordinary words.
const minKey = 8

// containsKey reports whether a key stands in one of the values.
func containsKey(values, keys []string) bool {
	for _, k := range keys {
		if len(k) < minKey {
			continue
		}
		for _, v := range values {
			if strings.Contains(v, k) {
				return true
			}
		}
	}
	return false
}

// redact removes keys from a text that a provider wrote, also one at whose beginning
// the text was cut off.
func redact(text string, keys ...string) string {
	for _, k := range keys {
		if len(k) < minKey {
			continue
		}
		text = strings.ReplaceAll(text, k, redacted)
		if whole, ok := strings.CutSuffix(text, cutOff); ok {
			for n := len(k) - 1; n >= minKey; n-- {
				if rest, ok := strings.CutSuffix(whole, k[:n]); ok {
					text = rest + redacted + cutOff
					break
				}
			}
		}
	}
	return text
}

const (
	redacted = "[redacted]"
	// cutOff is the end of messages that were too long.
	cutOff = "…"
)

// redactError removes the key of the attempt, and the client's, from what a provider
// said.
func (x *exchange) redactError(err *translate.Error, key string) {
	if err == errClientGone {
		return // shared, and not the provider's
	}
	for _, text := range [...]*string{&err.Message, &err.Type, &err.Param, &err.Code} {
		*text = redact(*text, key, x.key)
	}
}

// retryAfter reads how long a provider wants to be left alone from the headers that
// OpenAI's SDKs read, in their order: milliseconds, then seconds or a date (RFC 9110,
// section 10.2.3). 0 if it does not say.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if v := h.Get("Retry-After-Ms"); v != "" {
		if ms, err := strconv.ParseFloat(v, 64); err == nil && ms > 0 && ms < math.MaxInt32 {
			return time.Duration(ms * float64(time.Millisecond))
		}
	}
	v := h.Get("Retry-After")
	if v == "" {
		return 0
	}
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		if s > 0 && s < math.MaxInt32 {
			return time.Duration(s * float64(time.Second))
		}
		return 0
	}
	if t, err := http.ParseTime(v); err == nil && t.After(now) {
		return t.Sub(now)
	}
	return 0
}

// setRetryAfter tells the client how long to wait, in the whole seconds every client
// knows and in the milliseconds that OpenAI's SDKs prefer.
func setRetryAfter(h http.Header, d time.Duration) {
	h["Retry-After"] = []string{strconv.FormatInt(int64(math.Ceil(d.Seconds())), 10)}
	h["Retry-After-Ms"] = []string{strconv.FormatInt(int64(math.Ceil(float64(d)/float64(time.Millisecond))), 10)}
}

func itoa(n int) string { return strconv.Itoa(n) }
