// Package aiproxy is an LLM gateway as a handler of the Caddy web server: a site that
// has it answers OpenAI's API for the models of every mainstream provider.
package aiproxy

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
	"go.uber.org/zap"

	"github.com/ai-proxy/caddy-ai-proxy/memory"
	"github.com/ai-proxy/caddy-ai-proxy/providers"
)

func init() {
	caddy.RegisterModule(new(Handler))
}

// Handler answers the OpenAI API for the models of many providers. Requests for other
// paths go to the next handler, so it can be put in front of an existing site.
//
// With neither providers nor models configured it serves the models of all presets,
// and every client brings the key of the provider it asks for. As soon as a provider
// or a model is configured, only what is configured is served.
//
// Endpoints (also below a stripped prefix, such as in `handle_path /ai/*`):
//
// Path | Answered by
// -----|------------
// `POST /v1/chat/completions`, `POST /chat/completions` | the model's provider
// `GET /v1/models`, `GET /v1/models/{id}` | the configuration
// `/v1/embeddings`, `/v1/completions`, `/v1/responses`, `/v1/moderations`, `/v1/images/*`, `/v1/audio/*`, `/v1/files`, `/v1/batches` | passed to the provider of the model named in the body, or to the default provider
type Handler struct {
	// The providers by the name that models refer to them with. Presets need not be
	// declared; a model's reference is enough.
	Providers map[string]json.RawMessage `json:"providers,omitempty" caddy:"namespace=http.ai_proxy.providers inline_key=type"`

	// The models that are served, in the order in which they are matched: exact
	// names first, then patterns.
	Models []*Model `json:"models,omitempty"`

	// The provider of requests that name no model, such as file uploads. Default: the
	// only configured provider, or `openai` if none is configured.
	DefaultProvider string `json:"default_provider,omitempty"`

	// How providers are reached, unless a provider has a transport of its own.
	// Default: `http` with 512 idle connections per host and no compression.
	TransportRaw json.RawMessage `json:"transport,omitempty" caddy:"namespace=http.reverse_proxy.transport inline_key=protocol"`

	// The largest request body, in bytes. Default: 64 MiB.
	MaxBodySize int64 `json:"max_body_size,omitempty"`

	// The largest answer that is not a stream, in bytes. Default: 64 MiB.
	MaxAnswerSize int64 `json:"max_answer_size,omitempty"`

	// The largest event of a stream, in bytes. Default: 64 MiB.
	MaxEventSize int `json:"max_event_size,omitempty"`

	// The deepest nesting of a request's JSON. Default: 256.
	MaxNesting int `json:"max_nesting,omitempty"`

	// The largest sum of a request's header names and values, in bytes. Default:
	// 16 KiB. Caddy's own `max_header_size` comes first.
	MaxHeaderSize int `json:"max_header_size,omitempty"`

	// How long an answer is held back until the provider has sent the first content,
	// so that a failure can still be told by an HTTP status. Default: `10s`.
	HeaderHold caddy.Duration `json:"header_hold,omitempty"`

	// How long a stream may be silent before the client is sent a comment that keeps
	// the connection open. Negative: never. Default: `15s`.
	KeepAlive caddy.Duration `json:"keep_alive,omitempty"`

	// Which browser pages of other origins may call the API. Default: none.
	CORS *CORS `json:"cors,omitempty"`

	// What happens to parameters that a provider or model does not take: `drop`
	// leaves them out and names them in the response header `x-ai-proxy-dropped`,
	// `reject` answers 400. Default: `drop`.
	UnsupportedParams string `json:"unsupported_params,omitempty"`

	// What is remembered of the reasoning of answers that called tools, so that it
	// can be put back into the conversations of clients that drop it.
	ReasoningMemory *ReasoningMemory `json:"reasoning_memory,omitempty"`

	// Confirms that the access log does not show the headers that carry clients'
	// keys, and silences the warning about it.
	LogsRedacted bool `json:"logs_redacted,omitempty"`

	logger       *zap.Logger
	memory       *memory.Memory // nil if nothing is remembered
	memoryBounds ReasoningMemory
	transport    http.RoundTripper
	media        *http.Client // fetches what clients give by URL
	router       *router
	listing      *listing
}

// CaddyModule returns the Caddy module information.
func (*Handler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.ai_proxy",
		New: func() caddy.Module { return new(Handler) },
	}
}

const (
	defaultBodySize   = 64 << 20
	defaultNesting    = 256
	defaultHeaderSize = 16 << 10
	defaultHeaderHold = 10 * time.Second
	defaultKeepAlive  = 15 * time.Second
	defaultIdleConns  = 512
)

// Provision loads providers and transport and works out what is served.
func (h *Handler) Provision(ctx caddy.Context) error {
	h.logger, h.media = ctx.Logger(), mediaClient
	h.setDefaults()
	if err := h.loadMemory(); err != nil {
		return err
	}
	if err := h.loadTransport(ctx); err != nil {
		return err
	}
	declared, err := h.loadProviders(ctx)
	if err != nil {
		return err
	}
	h.router, err = newRouter(ctx, h, declared)
	if err != nil {
		return err
	}
	h.listing = newListing(h.router, time.Now())
	h.warnAboutLogs(ctx)
	return nil
}

func (h *Handler) setDefaults() {
	if h.MaxBodySize == 0 {
		h.MaxBodySize = defaultBodySize
	}
	if h.MaxAnswerSize == 0 {
		h.MaxAnswerSize = defaultBodySize
	}
	if h.MaxEventSize == 0 {
		h.MaxEventSize = defaultBodySize
	}
	if h.MaxNesting == 0 {
		h.MaxNesting = defaultNesting
	}
	if h.MaxHeaderSize == 0 {
		h.MaxHeaderSize = defaultHeaderSize
	}
	if h.HeaderHold == 0 {
		h.HeaderHold = caddy.Duration(defaultHeaderHold)
	}
	if h.KeepAlive == 0 {
		h.KeepAlive = caddy.Duration(defaultKeepAlive)
	}
}

func (h *Handler) loadTransport(ctx caddy.Context) error {
	if h.TransportRaw == nil {
		t := defaultTransport()
		if err := t.Provision(ctx); err != nil {
			return fmt.Errorf("provisioning default transport: %w", err)
		}
		h.transport = t
		return nil
	}
	mod, err := ctx.LoadModule(h, "TransportRaw")
	if err != nil {
		return fmt.Errorf("loading transport: %w", err)
	}
	h.transport = mod.(http.RoundTripper)
	return nil
}

// defaultTransport is Caddy's HTTP transport with settings for LLM providers: many
// parallel requests to few hosts, and bodies that are passed on as they come, so that
// asking for compression would only cost both sides time.
func defaultTransport() *reverseproxy.HTTPTransport {
	off := false
	return &reverseproxy.HTTPTransport{
		Compression: &off,
		KeepAlive:   &reverseproxy.KeepAlive{MaxIdleConnsPerHost: defaultIdleConns},
	}
}

func (h *Handler) loadProviders(ctx caddy.Context) (map[string]providers.Provider, error) {
	out := make(map[string]providers.Provider, len(h.Providers))
	if len(h.Providers) == 0 {
		return out, nil
	}
	mods, err := ctx.LoadModule(h, "Providers")
	if err != nil {
		return nil, fmt.Errorf("loading providers: %w", err)
	}
	for name, mod := range mods.(map[string]any) {
		p, ok := mod.(providers.Provider)
		if !ok {
			return nil, fmt.Errorf("provider %s: module %T is not a provider (requires providers.Provider)", name, mod)
		}
		out[name] = p
	}
	return out, nil
}

// Validate checks the configuration.
func (h *Handler) Validate() error {
	if h.MaxBodySize < 0 || h.MaxAnswerSize < 0 || h.MaxEventSize < 0 || h.MaxNesting < 0 || h.MaxHeaderSize < 0 {
		return errors.New("limits must not be negative")
	}
	if h.HeaderHold < 0 {
		return errors.New("header_hold must not be negative")
	}
	switch h.UnsupportedParams {
	case "", "drop", "reject":
	default:
		return fmt.Errorf("unsupported_params is %q, must be drop or reject", h.UnsupportedParams)
	}
	if h.CORS != nil {
		if err := h.CORS.validate(); err != nil {
			return err
		}
	}
	return nil
}

// Cleanup gives up what outlives the configuration. Requests that are under way go on.
func (h *Handler) Cleanup() error {
	if t, ok := h.transport.(*reverseproxy.HTTPTransport); ok && h.TransportRaw == nil {
		_ = t.Cleanup() // closes idle connections, and cannot fail
	}
	return h.releaseMemory()
}

// ServeHTTP answers requests for API endpoints and leaves others to next.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	ep := findEndpoint(r.Method, r.URL.Path)
	if ep.kind == endpointNone {
		return next.ServeHTTP(w, r)
	}
	if h.CORS != nil && h.CORS.apply(w, r) {
		return nil
	}
	x := newExchange(h, w, r)
	defer x.release()
	if err := x.checkHeaders(); err != nil {
		x.fail(err)
		return nil
	}
	switch ep.kind {
	case endpointChat:
		x.chat()
	case endpointModels:
		h.listing.serve(x, ep.id)
	case endpointPass:
		x.pass(ep)
	default:
		x.methodNotAllowed(ep)
	}
	return nil
}

// Interface guards
var (
	_ caddy.Provisioner           = (*Handler)(nil)
	_ caddy.Validator             = (*Handler)(nil)
	_ caddy.CleanerUpper          = (*Handler)(nil)
	_ caddyhttp.MiddlewareHandler = (*Handler)(nil)
)
