// Package providers knows who serves models: where each provider lives, how it
// authenticates, which dialect it speaks and what trips an OpenAI client there. Every
// provider is a Caddy module in the namespace http.ai_proxy.providers; those that
// speak a known dialect over HTTPS are rows of one embedded table.
package providers

import (
	"net/http"

	"github.com/ai-proxy/caddy-ai-proxy/translate/openai"
)

// Namespace is the module namespace of providers.
const Namespace = "http.ai_proxy.providers"

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
	// Title is the name a person would use.
	Title string `json:"title,omitempty"`
	// Dialect is the wire format of its chat endpoint: openai, anthropic, gemini,
	// bedrock or cohere.
	Dialect string `json:"dialect"`
	// BaseURL is what endpoint paths such as /chat/completions are appended to. It
	// may have a query, which every request then carries. "" for providers whose
	// address is the customer's own, such as Azure.
	BaseURL string `json:"base_url,omitempty"`
	// AuthHeader is the header that carries the key. In "Authorization" the key has
	// the prefix "Bearer "; in any other header it stands alone.
	AuthHeader string `json:"auth_header,omitempty"`
	// Headers are fixed headers of every request, such as an API version.
	Headers map[string]string `json:"headers,omitempty"`
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
