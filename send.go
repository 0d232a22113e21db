package aiproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/openai"
	"github.com/ai-proxy/caddy-ai-proxy/upstream"
)

// send makes one attempt and returns the provider's answer, whatever its status.
func (x *exchange) send(d *upstream.Deployment, p *plan, key string, held bool) (*http.Response, *translate.Error) {
	req := (&http.Request{
		Method: p.method, URL: p.url, Host: p.url.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: x.upstreamHeader(d, p, key, held),
	}).WithContext(x.r.Context())
	p.setBody(req)
	transport := d.Transport
	if transport == nil {
		transport = x.h.transport
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, x.sendError(d, err)
	}
	return resp, nil
}

// sendAgain asks a deployment that has answered already, with another body, and returns
// its success.
func (x *exchange) sendAgain(d *upstream.Deployment, first *plan, body []byte, key string, held bool) (*http.Response, *translate.Error) {
	p := *first
	p.buf = ownBuffer(body)
	p.body = openai.Join(body)
	defer p.release()
	resp, err := x.send(d, &p, key, held)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, x.refused(d, &p, resp, key, held)
	}
	return resp, nil
}

// upstreamHeader returns the header of an upstream request. Of the client's own header
// only what the provider's API defines is passed.
func (x *exchange) upstreamHeader(d *upstream.Deployment, p *plan, key string, held bool) http.Header {
	h := make(http.Header, 8)
	in := x.r.Header
	h["Content-Type"] = headerJSON
	if p.stream {
		h["Accept"] = headerSSE
	} else {
		h["Accept"] = headerJSON
	}
	if ua := in["User-Agent"]; len(ua) > 0 {
		h["User-Agent"] = ua
	} else {
		h["User-Agent"] = headerAgent
	}
	for _, name := range d.Profile().ForwardHeaders {
		// Whose account the client speaks of is decided by the key.
		if v := in[name]; len(v) > 0 && !held {
			h[name] = v
		}
	}
	for _, f := range p.header {
		h.Set(f[0], f[1])
	}
	d.Authorize(h, key)
	if ops := d.HeaderOps(); ops != nil {
		h = h.Clone() // it works in place, and many values are shared
		repl, _ := x.r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
		ops.ApplyTo(h, repl)
	}
	return h
}

// headerAgent stands in for clients that do not name themselves; some providers refuse
// the name of Go's own client.
var headerAgent = []string{"ai_proxy"}

// sendError sorts the failure of an attempt that brought no answer.
func (x *exchange) sendError(d *upstream.Deployment, err error) *translate.Error {
	if x.r.Context().Err() != nil {
		return errClientGone
	}
	if c := x.h.logger.Check(zapcore.DebugLevel, "no answer from provider"); c != nil {
		c.Write(zap.String("provider", d.Name), zap.Error(err))
	}
	var timeout net.Error
	var dial reverseproxy.DialError
	switch {
	case errors.As(err, &dial):
		return translate.UpstreamError(fmt.Sprintf("The provider %s could not be reached.", d.Name))
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return &translate.Error{
			Class: translate.ErrorTimeout, Status: http.StatusGatewayTimeout, Type: "timeout_error", Code: "upstream_timeout",
			Message: fmt.Sprintf("The provider %s did not answer in time.", d.Name),
		}
	}
	return translate.UpstreamError(fmt.Sprintf("The connection to the provider %s failed.", d.Name))
}

// maxErrorBody bounds what is read of an answer that is not a success.
const maxErrorBody = 256 << 10

// errorBodyTime bounds the wait for the rest of it.
const errorBodyTime = 5 * time.Second

// refused turns a provider's error answer into what the client sees.
func (x *exchange) refused(d *upstream.Deployment, p *plan, resp *http.Response, key string, held bool) *translate.Error {
	if resp.StatusCode < http.StatusBadRequest {
		// A success without an answer, or a redirect, which is never followed: the
		// key would go along.
		err := translate.UpstreamError(fmt.Sprintf("The provider %s answered with the unexpected status %d.", d.Name, resp.StatusCode))
		err.Upstream = resp.StatusCode
		return err
	}
	var body []byte
	if resp.Header.Get("Content-Encoding") == "" {
		timer := time.AfterFunc(errorBodyTime, func() { _ = resp.Body.Close() })
		body, _ = io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)) // what came before a failure is enough
		timer.Stop()
	}
	err := p.parseError(resp.StatusCode, resp.Header, body)
	err.Upstream = resp.StatusCode
	x.redactError(err, key)
	if held && err.Class == translate.ErrorAuth {
		err = x.heldKeyRefused(d, err)
	}
	x.refusal, x.refusalKey = resp, key
	return err
}

// heldKeyRefused hides from the client that the gateway's own key is at fault, which
// it could only take for its own, and tells the operator.
func (x *exchange) heldKeyRefused(d *upstream.Deployment, err *translate.Error) *translate.Error {
	x.h.logger.Error("provider refuses the configured key", zap.String("provider", d.Name), zap.Int("status", err.Upstream), zap.String("error", err.Message))
	return &translate.Error{
		Class: translate.ErrorAuth, Status: http.StatusBadGateway, Type: "upstream_error", Code: "upstream_auth_error", Upstream: err.Upstream, NoRetry: true,
		Message: fmt.Sprintf("The gateway's own credentials were refused by the provider %s.", d.Name),
	}
}

// readAnswer reads a whole answer, refusing more than limit bytes. The caller releases
// the buffer.
func readAnswer(resp *http.Response, limit int64) (*buffer, *translate.Error) {
	b := newBuffer()
	switch err := b.readAll(resp.Body, resp.ContentLength, limit); {
	case err == nil:
		return b, nil
	case errors.Is(err, errTooLarge):
		b.release()
		return nil, translate.UpstreamError(fmt.Sprintf("The provider's answer is larger than the %d bytes allowed here.", limit))
	default:
		b.release()
		return nil, translate.UpstreamError("The provider's answer broke off.")
	}
}
