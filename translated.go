package aiproxy

import (
	"net/http"
	"net/url"
	"time"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/anthropic"
	"github.com/ai-proxy/caddy-ai-proxy/translate/gemini"
	"github.com/ai-proxy/caddy-ai-proxy/translate/openai"
	"github.com/ai-proxy/caddy-ai-proxy/upstream"
)

// canonical returns the client's request as one for the deployment's model. The request
// is decoded once; what the attempts share of it must not be changed.
func (x *exchange) canonical(d *upstream.Deployment) (*translate.Request, *translate.Error) {
	if x.request == nil {
		req, err := openai.DecodeRequest(x.body.b)
		if err != nil {
			return nil, err
		}
		x.request = req
	}
	x.restore()
	req := *x.request
	req.Model = d.Model
	return &req, nil
}

// reject says what becomes of parameters that a provider cannot take.
func (x *exchange) reject() bool { return x.h.UnsupportedParams == "reject" }

// planAnthropic translates the request into Anthropic's Messages dialect. Some models
// refuse thinking of earlier turns that they do not take for their own; then there is a
// second plan without it.
func (x *exchange) planAnthropic(d *upstream.Deployment) (*plan, *translate.Error) {
	p, err := x.planMessages(d, false)
	if err != nil {
		return nil, err
	}
	p.second = func(refusal *translate.Error) (*plan, *translate.Error) {
		if !anthropic.ThinkingRejected(refusal) {
			return nil, refusal
		}
		return x.planMessages(d, true)
	}
	return p, nil
}

func (x *exchange) planMessages(d *upstream.Deployment, stripThinking bool) (*plan, *translate.Error) {
	req, err := x.canonical(d)
	if err != nil {
		return nil, err
	}
	if err := x.fetchMedia(anthropic.RemoteMedia(req)); err != nil {
		return nil, err
	}
	enc, err := anthropic.EncodeRequest(req, anthropic.Options{Reject: x.reject(), Beta: x.r.Header["Anthropic-Beta"], StripThinking: stripThinking})
	if err != nil {
		return nil, err
	}
	p, err := x.translated(d, enc, anthropic.Path(d.Model, enc.Stream))
	if err != nil {
		return nil, err
	}
	p.decoder = func() translate.Decoder { return anthropic.NewDecoder(enc) }
	p.parseError = func(status int, header http.Header, body []byte) *translate.Error {
		return anthropic.ParseError(status, header.Get, body)
	}
	p.limits = func(header http.Header) [][2]string { return anthropic.RateLimitHeaders(header.Get, time.Now()) }
	return p, nil
}

// planGemini translates the request into Google's generateContent dialect.
func (x *exchange) planGemini(d *upstream.Deployment) (*plan, *translate.Error) {
	req, err := x.canonical(d)
	if err != nil {
		return nil, err
	}
	if err := x.fetchMedia(gemini.RemoteMedia(req)); err != nil {
		return nil, err
	}
	enc, err := gemini.EncodeRequest(req, gemini.Options{Reject: x.reject()})
	if err != nil {
		return nil, err
	}
	p, err := x.translated(d, enc, gemini.Path(d.Model, enc.Stream))
	if err != nil {
		return nil, err
	}
	p.decoder = func() translate.Decoder { return gemini.NewDecoder(enc) }
	p.parseError = func(status int, header http.Header, body []byte) *translate.Error {
		return gemini.ParseError(status, header.Get, body)
	}
	return p, nil
}

// translated is the plan for a request in a provider's own dialect.
func (x *exchange) translated(d *upstream.Deployment, enc *translate.Encoded, path string) (*plan, *translate.Error) {
	if err := x.dropped(enc.Dropped); err != nil {
		return nil, err
	}
	u, err := url.Parse(d.Provider().Endpoint(path, d.Model))
	if err != nil {
		return nil, translate.BadRequest("invalid_value", "model", "The name of the model cannot stand in a URL.")
	}
	p := &plan{method: http.MethodPost, url: u, header: enc.Header, stream: enc.Stream, buf: ownBuffer(enc.Body)}
	p.body = openai.Join(enc.Body)
	return p, nil
}
