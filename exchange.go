package aiproxy

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/ai-proxy/caddy-ai-proxy/memory"
	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
	"github.com/ai-proxy/caddy-ai-proxy/translate/openai"
	"github.com/ai-proxy/caddy-ai-proxy/translate/sse"
)

// exchange is the life of one request. It is pooled: what must outlive the request is
// in its record.
type exchange struct {
	h     *Handler
	w     http.ResponseWriter
	r     *http.Request
	start time.Time
	rec   *record

	body    *buffer
	members []jsonscan.Member
	head    openai.Head
	request *translate.Request // decoded for a provider of another dialect
	key     string             // the client's

	restored bool             // what the client lost has been put into request
	recorder *memory.Recorder // of the answer; nil if it is not to be remembered
	asked    *buffer          // the body, kept for the recorder while request is nil

	events sse.Reader
	out    []byte // bytes on their way to the client

	committed bool // the answer's header has been sent
	requestID string

	// refusal is the last provider's error answer, whose header the client gets with
	// the error; refusalKey is the key it was given.
	refusal    *http.Response
	refusalKey string
	limits     func(http.Header) [][2]string // of the current attempt's plan
}

// record is what is known about a request when it is over. The access log reads it
// through placeholders after the handler has returned.
type record struct {
	model, provider, upstreamModel string
	attempts                       int
	usage                          translate.Usage
	hasUsage                       bool
	finish                         translate.FinishReason
	finished                       bool
	firstContent                   time.Duration
	err                            *translate.Error
}

// maxKeptOut and maxKeptMembers bound what a pooled exchange keeps.
const (
	maxKeptOut     = 64 << 10
	maxKeptMembers = 64
)

var exchanges = sync.Pool{New: func() any {
	return &exchange{members: make([]jsonscan.Member, 0, 16)}
}}

func newExchange(h *Handler, w http.ResponseWriter, r *http.Request) *exchange {
	x := exchanges.Get().(*exchange)
	x.h, x.w, x.r, x.start = h, w, r, time.Now()
	x.rec = new(record)
	if repl, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		repl.Map(x.rec.placeholder)
	}
	return x
}

// release ends the exchange; nothing may use it afterwards.
func (x *exchange) release() {
	x.log()
	x.endRecording()
	x.releaseBody()
	x.events.Reset(nil, 0)
	*x = exchange{members: x.members[:0], events: x.events, out: x.out[:0]}
	if cap(x.members) > maxKeptMembers {
		x.members = nil
	}
	if cap(x.out) > maxKeptOut {
		x.out = nil
	}
	exchanges.Put(x)
}

// releaseBody gives up the request body: there will be no further attempt.
func (x *exchange) releaseBody() {
	if x.body != nil {
		x.body.release()
		x.body = nil
		clear(x.members)
		x.members = x.members[:0]
	}
}

// checkHeaders refuses requests whose header is larger than allowed.
func (x *exchange) checkHeaders() *translate.Error {
	size := 0
	for name, values := range x.r.Header {
		for _, v := range values {
			size += len(name) + len(v)
		}
	}
	if size > x.h.MaxHeaderSize {
		return &translate.Error{
			Class: translate.ErrorRequest, Status: http.StatusRequestHeaderFieldsTooLarge, Type: "invalid_request_error", Code: "header_too_large", NoRetry: true,
			Message: fmt.Sprintf("The request header is larger than the %d bytes allowed here.", x.h.MaxHeaderSize),
		}
	}
	return nil
}

// readJSON reads the body and indexes its members.
func (x *exchange) readJSON() *translate.Error {
	if err := checkContentType(x.r.Header); err != nil {
		return err
	}
	body, err := readBody(x.r, x.h.MaxBodySize)
	if err != nil {
		return err
	}
	x.body = body
	members, scanErr := jsonscan.Object(x.members[:0], body.b, x.h.MaxNesting)
	x.members = members
	if scanErr != nil {
		return openai.ScanError(scanErr)
	}
	return nil
}

// checkContentType insists on JSON: a type that a browser sends without asking would
// let any web page spend the keys of a gateway in its reader's network.
func checkContentType(h http.Header) *translate.Error {
	ct := ""
	if v := h["Content-Type"]; len(v) > 0 {
		ct = v[0]
	}
	if isJSON(ct) && len(h["Content-Encoding"]) == 0 {
		return nil
	}
	msg := "The request body must be JSON: send the header Content-Type: application/json."
	if len(h["Content-Encoding"]) > 0 {
		msg = "The request body must not be compressed."
	}
	return &translate.Error{
		Class: translate.ErrorRequest, Status: http.StatusUnsupportedMediaType, Type: "invalid_request_error", Code: "unsupported_media_type",
		Message: msg, NoRetry: true,
	}
}

// isJSON reports whether a media type is application/json or ends in +json.
func isJSON(contentType string) bool {
	t, _, _ := strings.Cut(contentType, ";")
	t = strings.TrimSpace(t)
	return strings.EqualFold(t, "application/json") || len(t) > 5 && strings.EqualFold(t[len(t)-5:], "+json")
}

// defaultRetryAfter is what clients are told where a provider limits requests and does
// not say for how long.
const defaultRetryAfter = time.Second

// fail answers with an error, if no answer has begun.
func (x *exchange) fail(err *translate.Error) {
	x.rec.err = err
	if x.committed {
		return
	}
	if x.r.Context().Err() != nil {
		err = errClientGone
		x.rec.err = err
	}
	x.committed = true
	header := x.w.Header()
	if x.refusal != nil {
		x.copyHeaders(x.refusal.Header, x.refusalKey, x.key)
		header["X-Ai-Proxy-Upstream-Status"] = []string{itoa(x.refusal.StatusCode)}
	}
	x.setRequestID(header)
	if err == errClientGone {
		x.w.WriteHeader(err.Status) // nobody sees it but the access log
		return
	}
	switch {
	case err.RetryAfter > 0:
		setRetryAfter(header, err.RetryAfter)
	case err.Class == translate.ErrorRateLimit && header.Get("Retry-After") == "":
		setRetryAfter(header, defaultRetryAfter)
	}
	if err.NoRetry {
		header["X-Should-Retry"] = []string{"false"}
	}
	x.out = openai.AppendError(x.out[:0], err)
	setJSON(header, len(x.out))
	x.w.WriteHeader(err.Status)
	_, _ = x.w.Write(x.out) // the client may be gone; the access log tells
}

func (x *exchange) methodNotAllowed(ep endpoint) {
	x.w.Header().Set("Allow", ep.allow)
	x.fail(&translate.Error{
		Class: translate.ErrorRequest, Status: http.StatusMethodNotAllowed, Type: "invalid_request_error", Code: "method_not_allowed", NoRetry: true,
		Message: fmt.Sprintf("%s is not allowed here; allowed: %s.", x.r.Method, ep.allow),
	})
}

// log writes one event about the exchange: failures the operator can do something
// about as errors, the rest for debugging.
func (x *exchange) log() {
	level, msg := zapcore.DebugLevel, "served"
	if err := x.rec.err; err != nil {
		msg = "failed"
		if err.Status >= 500 {
			level = zapcore.ErrorLevel
		}
	}
	c := x.h.logger.Check(level, msg)
	if c == nil {
		return
	}
	fields := []zap.Field{
		zap.String("request_id", x.requestID), zap.String("model", x.rec.model), zap.String("provider", x.rec.provider),
		zap.String("upstream_model", x.rec.upstreamModel), zap.Int("attempts", x.rec.attempts), zap.Duration("duration", time.Since(x.start)),
	}
	if err := x.rec.err; err != nil {
		fields = append(fields, zap.Int("status", err.Status), zap.Int("upstream_status", err.Upstream), zap.String("code", err.Code), zap.String("error", err.Message))
	}
	if x.rec.hasUsage {
		fields = append(fields, zap.Int64("prompt_tokens", x.rec.usage.Prompt), zap.Int64("completion_tokens", x.rec.usage.Completion))
	}
	c.Write(fields...)
}

// placeholder gives the values of {http.ai_proxy.*}.
func (rec *record) placeholder(name string) (any, bool) {
	field, ok := strings.CutPrefix(name, "http.ai_proxy.")
	if !ok {
		return nil, false
	}
	switch field {
	case "model":
		return rec.model, true
	case "provider":
		return rec.provider, true
	case "upstream_model":
		return rec.upstreamModel, true
	case "attempts":
		return rec.attempts, true
	case "prompt_tokens":
		return rec.usage.Prompt, true
	case "completion_tokens":
		return rec.usage.Completion, true
	case "cached_tokens":
		return rec.usage.Cached, true
	case "reasoning_tokens":
		return rec.usage.Reasoning, true
	case "finish_reason":
		if !rec.finished {
			return "", true
		}
		return rec.finish.String(), true
	case "ttft":
		return rec.firstContent.Seconds(), true
	case "error":
		if rec.err == nil {
			return "", true
		}
		return rec.err.Code, true
	}
	return nil, false
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// randomID returns prefix and 24 random letters and digits. The ids are names, not
// secrets.
func randomID(prefix string) string {
	b := make([]byte, len(prefix), len(prefix)+24)
	copy(b, prefix)
	for range 3 {
		n := rand.Uint64()
		for range 8 {
			b = append(b, base62[n%62])
			n /= 62
		}
	}
	return string(b)
}
