// Package upstream knows the deployments that can serve a model: which provider, under
// which name there, with which keys.
package upstream

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp/headers"

	"github.com/ai-proxy/caddy-ai-proxy/providers"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
	"github.com/ai-proxy/caddy-ai-proxy/translate/openai"
)

// Deployment is one provider with one of its models: something that can serve a public
// model. It is safe for concurrent use.
type Deployment struct {
	// Name is the name of the provider in the configuration.
	Name string
	// Model is the provider's name for the model.
	Model string
	// QuotedModel is Model as a JSON string.
	QuotedModel []byte
	// Quirks are those of the provider with those of the model on top.
	Quirks openai.Quirks
	// Transport is the provider's own, or nil.
	Transport http.RoundTripper
	// ChatURL is where chat completions go. It must not be changed.
	ChatURL *url.URL

	provider providers.Provider
	preset   bool
	keys     []string
	next     atomic.Uint32
}

// New returns the deployment of a model at a provider; preset says that the provider
// is reached at the address the table has for it.
func New(name string, p providers.Provider, model string, preset bool) (*Deployment, error) {
	d := &Deployment{
		Name: name, Model: model, QuotedModel: jsonscan.Quote(nil, model),
		Quirks: p.Profile().Quirks.For(model), provider: p, preset: preset, keys: p.Keys(),
	}
	u, err := url.Parse(p.Endpoint("/chat/completions", model))
	if err != nil {
		return nil, fmt.Errorf("provider %s: %w", name, err)
	}
	d.ChatURL = u
	// Deployments come and go with the names that clients use; none of them must begin
	// with the same key every time.
	d.next.Store(rand.Uint32())
	if t, ok := p.(providers.Transporter); ok {
		d.Transport = t.Transport()
	}
	if t, ok := p.(providers.RoundTripper); ok {
		d.Transport = t
	}
	return d, nil
}

// Profile returns the facts of the provider.
func (d *Deployment) Profile() *providers.Profile { return d.provider.Profile() }

// Provider returns the provider.
func (d *Deployment) Provider() providers.Provider { return d.provider }

// Authorize puts the key and the provider's fixed fields into the header of a request;
// where a fixed field is there already, the provider's configuration decides.
func (d *Deployment) Authorize(h http.Header, key string) {
	if s, ok := d.provider.(providers.HeaderSetter); ok {
		s.SetHeaders(h)
	}
	d.provider.Authorize(h, key)
}

// HeaderOps returns the changes that the configuration makes to the header of requests,
// or nil.
func (d *Deployment) HeaderOps() *headers.HeaderOps {
	if o, ok := d.provider.(providers.HeaderOperator); ok {
		return o.HeaderOps()
	}
	return nil
}

// Preset reports whether the provider is reached at its well-known address.
func (d *Deployment) Preset() bool { return d.preset }

// HoldsKeys reports whether the configuration holds keys for the deployment.
func (d *Deployment) HoldsKeys() bool { return len(d.keys) > 0 }

// HeldKey returns the next of the keys that the configuration holds, in turn; ok is
// false if it holds none.
func (d *Deployment) HeldKey() (key string, ok bool) {
	switch len(d.keys) {
	case 0:
		return "", false
	case 1:
		return d.keys[0], true
	}
	return d.keys[d.next.Add(1)%uint32(len(d.keys))], true
}
