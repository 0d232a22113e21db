package providers

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// maxMockBody bounds what a mock reads of a request.
const maxMockBody = 256 << 20

// mockReply is an answer that is ready to be sent.
type mockReply struct {
	status int
	stream bool
	events []mockEvent
	// tokens is how many tokens have to be made before the first byte.
	tokens int
}

// RoundTrip answers a request. It fails as the configuration wants, or with the
// request's context.
func (m *Mock) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		body, err = io.ReadAll(io.LimitReader(req.Body, maxMockBody+1))
		_ = req.Body.Close() // whatever it says, the request has been read
		if err != nil {
			return nil, fmt.Errorf("reading request: %w", err)
		}
	}
	number := m.requests.Add(1)
	chance := m.chance(number)
	fails := req.Method != http.MethodGet && chance.Float64() < m.ErrorRate
	if fails && m.ErrorKind == failHang {
		<-req.Context().Done()
		return nil, context.Cause(req.Context())
	}
	var reply *mockReply
	if fails && m.ErrorKind == failStatus {
		reply = errorReply(statusError(m.ErrorStatus[chance.IntN(len(m.ErrorStatus))]))
	} else {
		reply = m.reply(req, body, m.id(number, chance), m.now())
	}
	perToken := m.perToken()
	if err := pause(req.Context(), m.latency(chance)+time.Duration(reply.tokens)*perToken); err != nil {
		return nil, err
	}
	if fails && m.ErrorKind == failReset {
		return nil, errReset
	}
	resp := reply.response(req, perToken)
	resp.Header.Set("X-Request-Id", "req_mock_"+strconv.FormatUint(number, 10))
	if fails && m.ErrorKind == failMidstream {
		resp.Body.(*pacedBody).breakOff()
		resp.ContentLength = -1
		resp.Header.Del("Content-Length")
	}
	return resp, nil
}

// chance returns the random numbers of the n-th request.
func (m *Mock) chance(n uint64) *rand.Rand {
	seed := m.Seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	return rand.New(rand.NewPCG(seed, n))
}

// id returns an id for the n-th request.
func (m *Mock) id(n uint64, chance *rand.Rand) string {
	if m.Seed != 0 {
		return "mock" + strconv.FormatUint(n, 10)
	}
	return "mock" + strconv.FormatUint(chance.Uint64(), 36)
}

// now returns the time for answers, in Unix seconds.
func (m *Mock) now() int64 {
	if m.Seed != 0 {
		return 1_700_000_000
	}
	return time.Now().Unix()
}

func (m *Mock) perToken() time.Duration {
	if m.TokenRate <= 0 {
		return 0
	}
	return time.Duration(float64(time.Second) / m.TokenRate)
}

// latency returns the time to the first byte.
func (m *Mock) latency(chance *rand.Rand) time.Duration {
	d := time.Duration(m.Latency)
	if m.Jitter > 0 {
		d += time.Duration((2*chance.Float64() - 1) * float64(m.Jitter))
	}
	return max(d, 0)
}

// pause waits, but no longer than the context lives.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// reply works out the answer to a request.
func (m *Mock) reply(req *http.Request, body []byte, id string, created int64) *mockReply {
	path := unversioned(req.URL.Path)
	if req.Method == http.MethodGet || req.Method == http.MethodHead {
		if path == "/models" || strings.HasPrefix(path, "/models/") {
			return m.models(strings.TrimPrefix(strings.TrimPrefix(path, "/models"), "/"))
		}
		return errorReply(notHere(req.Method, path))
	}
	answer := map[string]func(*mockRequest, string, int64) (*mockReply, *translate.Error){
		"/chat/completions": m.chat,
		"/responses":        m.responses,
		"/embeddings":       m.embeddings,
	}[path]
	if answer == nil || req.Method != http.MethodPost {
		return errorReply(notHere(req.Method, path))
	}
	if len(body) > maxMockBody {
		return errorReply(&translate.Error{Status: http.StatusRequestEntityTooLarge, Type: "invalid_request_error", Code: "request_too_large", Message: "The request is too large."})
	}
	r, failure := parseMockRequest(body)
	if failure == nil {
		var reply *mockReply
		if reply, failure = answer(r, id, created); failure == nil {
			return reply
		}
	}
	return errorReply(failure)
}

func notHere(method, path string) *translate.Error {
	return &translate.Error{
		Status: http.StatusNotFound, Type: "invalid_request_error", Code: "unknown_url",
		Message: fmt.Sprintf("A mock does not answer %s %s.", method, path),
	}
}

// response makes a HTTP response of the reply.
func (r *mockReply) response(req *http.Request, perToken time.Duration) *http.Response {
	resp := &http.Response{
		Status: fmt.Sprintf("%d %s", r.status, http.StatusText(r.status)), StatusCode: r.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: make(http.Header, 4), Request: req, ContentLength: -1,
	}
	if r.stream {
		resp.Header.Set("Content-Type", "text/event-stream; charset=utf-8")
		resp.Header.Set("Cache-Control", "no-cache")
	} else {
		resp.Header.Set("Content-Type", "application/json")
		resp.ContentLength = int64(len(r.events[0].data))
		resp.Header.Set("Content-Length", strconv.FormatInt(resp.ContentLength, 10))
	}
	if r.status == http.StatusTooManyRequests {
		resp.Header.Set("Retry-After", "1")
	}
	if req.Method == http.MethodHead {
		r.events = nil
	}
	resp.Body = newPacedBody(req.Context(), r.events, perToken)
	return resp
}

// jsonReply is a reply that is one JSON text, for which tokens had to be made.
func jsonReply(data []byte, tokens int) *mockReply {
	return &mockReply{status: http.StatusOK, events: []mockEvent{{data: data}}, tokens: tokens}
}

// errorReply is a failure in OpenAI's envelope.
func errorReply(e *translate.Error) *mockReply {
	b := append([]byte(nil), `{"error":{"message":`...)
	b = quote(b, e.Message)
	b = append(b, `,"type":`...)
	b = quote(b, e.Type)
	b = append(b, `,"param":`...)
	b = quoteOrNull(b, e.Param)
	b = append(b, `,"code":`...)
	b = quoteOrNull(b, e.Code)
	b = append(b, `}}`...)
	return &mockReply{status: e.Status, events: []mockEvent{{data: b}}}
}

func quoteOrNull(b []byte, text string) []byte {
	if text == "" {
		return append(b, "null"...)
	}
	return quote(b, text)
}

// statusError is the failure that OpenAI's API reports with a status.
func statusError(status int) *translate.Error {
	e := &translate.Error{Status: status, Type: "invalid_request_error", Message: "The mock was told to fail: " + http.StatusText(status) + "."}
	switch {
	case status == http.StatusUnauthorized:
		e.Code = "invalid_api_key"
	case status == http.StatusTooManyRequests:
		e.Type, e.Code = "rate_limit_exceeded", "rate_limit_exceeded"
	case status == http.StatusNotFound:
		e.Code = "model_not_found"
	case status >= http.StatusInternalServerError:
		e.Type = "server_error"
	}
	return e
}

// models lists the models, or tells about the one that is named.
func (m *Mock) models(name string) *mockReply {
	one := func(b []byte, name string) []byte {
		b = append(b, `{"id":`...)
		b = quote(b, name)
		return append(b, `,"object":"model","created":1700000000,"owned_by":"mock"}`...)
	}
	if name != "" {
		if slices.Contains(m.ModelNames, name) {
			return jsonReply(one(nil, name), 0)
		}
		return errorReply(&translate.Error{
			Status: http.StatusNotFound, Type: "invalid_request_error", Param: "model", Code: "model_not_found",
			Message: fmt.Sprintf("The model '%s' does not exist.", name),
		})
	}
	b := []byte(`{"object":"list","data":[`)
	for i, n := range m.ModelNames {
		if i > 0 {
			b = append(b, ',')
		}
		b = one(b, n)
	}
	return jsonReply(append(b, "]}"...), 0)
}
