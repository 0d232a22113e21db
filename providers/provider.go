// Package providers knows who serves models: where each provider lives, how it
// authenticates, which dialect it speaks and what trips an OpenAI client there. Every
// provider is a Caddy module in the namespace http.ai_proxy.providers; those that
// speak a known dialect over HTTPS are rows of one embedded table.
package providers

import (
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp/headers"

	"github.com/ai-proxy/caddy-ai-proxy/translate/openai"
)

// Namespace is the module namespace of providers.
const Namespace = "http.ai_proxy.providers"

// dialects are the wire formats that a configuration may choose.
var dialects = []string{DialectOpenAI, DialectAnthropic, DialectGemini, DialectBedrock, DialectCohere}

// Dialects a provider can speak.
const (
	DialectOpenAI    = "openai"
	DialectAnthropic = "anthropic"
	DialectGemini    = "gemini"
	DialectBedrock   = "bedrock"
	DialectCohere    = "cohere"
)

// Provider is one company's API, or one server that speaks as one. Its methods may be
// called by many goroutines at once, after Provision.
type Provider interface {
	// Profile returns the facts of the provider with the Caddyfile's overrides
	// applied. It must not be changed.
	Profile() *Profile
	// Keys returns the API keys that the configuration holds for the provider, with
	// their placeholders resolved; none if every client brings its own.
	Keys() []string
	// Endpoint returns the URL of an endpoint, such as /chat/completions, for one of
	// the provider's models ("" if the request names none).
	Endpoint(path, model string) string
	// Authorize puts a key into the header from which the provider reads it.
	Authorize(h http.Header, key string)
}

// Transporter is implemented by providers that may be reached over a transport of their
// own; a nil transport stands for the handler's.
type Transporter interface {
	Transport() http.RoundTripper
}

// HeaderOperator is implemented by providers whose configuration may change the header
// of requests to them; nil stands for no change.
type HeaderOperator interface {
	HeaderOps() *headers.HeaderOps
}

// Lister is implemented by providers that know the names of all models they serve.
type Lister interface {
	Models() []string
}

// HeaderSetter is implemented by providers that set the headers of the profile
// themselves: those of their configuration replace what is there, the others do not.
type HeaderSetter interface {
	SetHeaders(h http.Header)
}

// RoundTripper is implemented by providers that answer requests themselves instead of
// sending them over the network.
type RoundTripper interface {
	Provider
	http.RoundTripper
}

// Profile are the facts of one provider.
type Profile struct {
	// Name is the provider's name in configurations, models and metrics.
	Name string `json:"name"`
	// Also are other names under which configurations may call for the same row.
	Also []string `json:"also,omitempty"`
	// Title is the name a person would use.
	Title string `json:"title,omitempty"`
	// Type is the Name of the row of the table that the profile was made from. It
	// differs from Name where a configuration has given the provider a name of its
	// own; [Lookup] wants the Type.
	Type string `json:"-"`
	// Catalogue is the section of the catalogue with the provider's models; "" if
	// the section is called like the provider, or there is none.
	Catalogue string `json:"catalogue,omitempty"`
	// Dialect is the wire format of its chat endpoint: openai, anthropic, gemini,
	// bedrock or cohere.
	Dialect string `json:"dialect"`
	// BaseURL is what endpoint paths such as /chat/completions are appended to. It
	// may have a query, which every request then carries. "" for providers whose
	// address is the customer's own, such as Azure. "{model}" in its path stands for
	// the upstream model's name.
	BaseURL string `json:"base_url,omitempty"`
	// Example is a BaseURL to show to people who must write their own.
	Example string `json:"example,omitempty"`
	// AuthHeader is the header that carries the key. In "Authorization" the key has
	// the prefix "Bearer "; in any other header it stands alone.
	AuthHeader string `json:"auth_header,omitempty"`
	// BearerKeys are the beginnings of keys that are OAuth tokens: they are sent as
	// "Authorization: Bearer" whatever AuthHeader says, with the headers given here
	// added.
	BearerKeys map[string]map[string]string `json:"bearer_keys,omitempty"`
	// Headers are fixed headers of every request, such as an API version.
	Headers map[string]string `json:"headers,omitempty"`
	// ForwardHeaders are the client's request headers, in canonical form, that go on
	// to the provider when the client's own key is used.
	ForwardHeaders []string `json:"forward_headers,omitempty"`
	// Env are the environment variables in which people keep the key, best first.
	Env []string `json:"env,omitempty"`
	// KeyPrefixes are how the provider's keys begin. They keep a client's key from
	// being sent to a provider it was not made for.
	KeyPrefixes []string `json:"key_prefixes,omitempty"`
	// KeyOptional is set where requests without a key may work, such as local
	// servers.
	KeyOptional bool `json:"key_optional,omitempty"`
	// HealthPath answers a GET for free, relative to BaseURL.
	HealthPath string `json:"health_path,omitempty"`
	// Models are patterns of the model names that the provider itself makes; a
	// client's model that matches goes to this provider without being declared. "*"
	// stands for any text.
	Models []string `json:"models,omitempty"`
	// Aliases maps other names of models, such as their short form, to the
	// provider's.
	Aliases map[string]string `json:"aliases,omitempty"`
	// Quirks are how its dialect differs from OpenAI's.
	Quirks openai.Quirks `json:"quirks,omitzero"`
}
