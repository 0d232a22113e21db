package aiproxy

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ai-proxy/caddy-ai-proxy/providers"
	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/openai"
	"github.com/ai-proxy/caddy-ai-proxy/upstream"
)

// plan is how one deployment is asked, and how its answer is read.
type plan struct {
	method string
	url    *url.URL
	// buf is what body aliases; the plan holds a reference to it.
	buf    *buffer
	body   openai.Segments
	header [][2]string
	// stream: the provider was asked for a stream. addedUsage: it was asked for usage
	// in it, which the client did not ask for.
	stream, addedUsage bool
	// pass: an answer in the form that was asked for is passed byte for byte.
	pass bool
	// decoder reads an answer that is not passed.
	decoder func() translate.Decoder
	// limits are rate-limit headers in OpenAI's form, from those of the provider; nil
	// where the provider's are in that form, or there are none.
	limits func(http.Header) [][2]string
	// second returns another plan for the same deployment, if the refusal is one that
	// it avoids, and the refusal if not; nil where there is none.
	second func(refusal *translate.Error) (*plan, *translate.Error)
	// again sends a further request to the same deployment with another body.
	again func(body []byte) (*http.Response, *translate.Error)
	// parseError reads an answer that is not a success.
	parseError func(status int, header http.Header, body []byte) *translate.Error
}

// release gives up what the plan holds: it will not be sent again. It may be called
// more than once.
func (p *plan) release() {
	if p.buf != nil {
		p.buf.release()
		p.buf = nil
	}
}

// smallRequest is the largest body that is copied for the transport.
const smallRequest = 8 << 10

// setBody gives an upstream request its body, which the transport may ask for again when
// a kept connection turns out to be closed. net/http sends a body together with the
// header, in one packet, only if it knows that reading it cannot block; for that, a
// small one is worth a copy.
func (p *plan) setBody(req *http.Request) {
	n := p.body.Len()
	req.ContentLength = int64(n)
	switch {
	case n == 0:
		req.Body = http.NoBody
	case n <= smallRequest:
		b := p.body.AppendTo(make([]byte, 0, n))
		req.Body = io.NopCloser(bytes.NewReader(b))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
	default:
		req.Body = newBodyReader(p.buf, p.body)
		req.GetBody = func() (io.ReadCloser, error) { return newBodyReader(p.buf, p.body), nil }
	}
}

// planners make the plan for a chat request in each dialect.
var planners = map[string]func(*exchange, *upstream.Deployment) (*plan, *translate.Error){
	providers.DialectOpenAI:    (*exchange).planOpenAI,
	providers.DialectAnthropic: (*exchange).planAnthropic,
	providers.DialectGemini:    (*exchange).planGemini,
}

// planOpenAI passes the client's own bytes, or rewrites them where the provider has
// quirks.
func (x *exchange) planOpenAI(d *upstream.Deployment) (*plan, *translate.Error) {
	q := &d.Quirks
	p := &plan{
		method: http.MethodPost, url: d.ChatURL, stream: x.head.Stream || q.StreamOnly, pass: q.PassResponse(),
		decoder:    func() translate.Decoder { return openai.NewDecoder(q) },
		parseError: parseOpenAIError,
	}
	p.addedUsage = p.stream && !x.head.IncludeUsage && q.StreamUsage == "" && !slices.Contains(q.Drop, "stream_options")
	if takesReasoning(d) && x.remembers() {
		p.pass = false // its reasoning has to be read
	}
	edit := openai.Edit{Model: d.Model, QuotedModel: d.QuotedModel, IncludeUsage: p.addedUsage}
	x.recall(d, &edit)
	var dropped []string
	var err *translate.Error
	if q.PassRequest() {
		p.buf = x.body
		p.buf.retain()
		p.body = openai.Splice(x.body.b, x.members, edit)
	} else {
		p.buf = newBuffer()
		p.buf.b, dropped, err = openai.Rewrite(p.buf.b, x.body.b, x.members, q, edit)
		p.body = openai.Join(p.buf.b)
	}
	if err == nil {
		err = x.dropped(dropped)
	}
	if err != nil {
		p.release()
		return nil, err
	}
	return p, nil
}

// dropped tells the client which of its parameters the provider does not get, or
// refuses the request if the configuration wants that.
func (x *exchange) dropped(names []string) *translate.Error {
	if len(names) == 0 {
		x.w.Header().Del(headerDropped) // of an earlier attempt
		return nil
	}
	if x.reject() {
		return translate.BadRequest("unsupported_parameter", names[0], "Unsupported parameter: '"+names[0]+"' is not supported with this model.")
	}
	x.w.Header().Set(headerDropped, droppedHeader(names))
	return nil
}

// headerDropped names the parameters that the provider did not get.
const headerDropped = "X-Ai-Proxy-Dropped"

// maxDroppedHeader bounds the header that names what was dropped.
const maxDroppedHeader = 2 << 10

// droppedHeader lists names that clients chose in a header. What cannot stand in one is
// a question mark.
func droppedHeader(names []string) string {
	var b strings.Builder
	for i, name := range names {
		if b.Len()+len(name) > maxDroppedHeader {
			b.WriteString(", ...")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strings.Map(func(c rune) rune {
			if c <= ' ' || c > '~' || c == ',' {
				return '?'
			}
			return c
		}, name))
	}
	return strings.TrimPrefix(b.String(), ", ")
}

func parseOpenAIError(status int, header http.Header, body []byte) *translate.Error {
	return openai.ParseError(status, retryAfter(header, time.Now()), body)
}
