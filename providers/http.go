package providers

import (
	"cmp"
	"encoding/json" // for the type of raw modules, which Caddy prescribes
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/headers"
	"go.uber.org/zap"

	"github.com/ai-proxy/caddy-ai-proxy/translate/openai"
)

// HTTP is a provider that is reached over HTTP and speaks one of the known dialects.
// Each row of the table of providers is a module of this type, so that
// `"type": "groq"` has the address, the authentication and the quirks of Groq
// without any configuration.
//
// The values of `api_keys`, `base_url`, `headers`, `organization` and `project` may have
// global placeholders, such as `{env.OPENAI_API_KEY}` or `{file./run/secrets/openai}`.
// They are replaced when the configuration is loaded; one that is empty is an error.
type HTTP struct {
	// The name under which models, metrics and logs know the provider. Default: the
	// module's name.
	Name string `json:"name,omitempty"`

	// The API keys. If there are several, requests are spread over them. Without any,
	// every client must bring its own. Keys belong into placeholders, since the
	// configuration itself can be read at the admin endpoint.
	APIKeys []string `json:"api_keys,omitempty"`

	// The URL to which paths such as `/chat/completions` are appended. The URL of an
	// endpoint itself does as well. Its query is sent with every request. `{model}` in
	// its path stands for the upstream model's name, as in the URLs of Azure's
	// deployments. Default: the provider's own, if it has one for all its customers.
	BaseURL string `json:"base_url,omitempty"`

	// The header that carries the key. In `Authorization` it has the prefix `Bearer`; in
	// any other header it stands alone. Default: the provider's own.
	AuthHeader string `json:"auth_header,omitempty"`

	// Headers that are sent with every request, in addition to the provider's own, such
	// as `anthropic-version`.
	Headers map[string]string `json:"headers,omitempty"`

	// Changes to the headers of requests, as in `reverse_proxy`. Placeholders are those
	// of the client's request. They are made last.
	HeaderUp *headers.HeaderOps `json:"header_up,omitempty"`

	// The organization that is billed. Only OpenAI knows it.
	Organization string `json:"organization,omitempty"`

	// The project that is billed. Only OpenAI knows it.
	Project string `json:"project,omitempty"`

	// The wire format: `openai`, `anthropic` or `gemini`. Default: the provider's own.
	// Some providers have an endpoint for each, at another `base_url`.
	Dialect string `json:"dialect,omitempty"`

	// A path below `base_url` that answers a GET for free, for health checks. Default:
	// the provider's own, usually `/models`.
	HealthPath string `json:"health_path,omitempty"`

	// Patterns of the names of models that go to this provider if they are asked for
	// without a provider. `*` stands for any text. Default: the names of the models that
	// the provider makes itself.
	Models []string `json:"models,omitempty"`

	// Deviations from OpenAI's API, in addition to those known of the provider.
	Quirks *openai.Quirks `json:"quirks,omitempty"`

	// Forgets the deviations known of the provider, so that only those in `quirks` count.
	// Default: `false`.
	IgnoreQuirks bool `json:"ignore_quirks,omitempty"`

	// How the provider is reached: a module of the namespace of reverse_proxy's
	// transports. Default: the one of the handler.
	TransportRaw json.RawMessage `json:"transport,omitempty" caddy:"namespace=http.reverse_proxy.transport inline_key=protocol"`

	row       string // name of the module: a row of the table
	profile   *Profile
	keys      []string
	address   *Address
	transport http.RoundTripper
	logger    *zap.Logger
}

// Provision resolves the placeholders, prepares the address and loads the transport.
func (h *HTTP) Provision(ctx caddy.Context) error {
	h.logger = ctx.Logger()
	if err := h.provision(caddy.NewReplacer()); err != nil {
		return fmt.Errorf("provider %s: %w", h.name(), err)
	}
	if h.HeaderUp != nil {
		if err := h.HeaderUp.Provision(ctx); err != nil {
			return fmt.Errorf("provider %s: header_up: %w", h.name(), err)
		}
	}
	if len(h.TransportRaw) > 0 {
		mod, err := ctx.LoadModule(h, "TransportRaw")
		if err != nil {
			return fmt.Errorf("provider %s: loading transport: %w", h.name(), err)
		}
		rt, ok := mod.(http.RoundTripper)
		if !ok {
			return fmt.Errorf("provider %s: transport %T is not a http.RoundTripper", h.name(), mod)
		}
		h.transport = rt
	}
	return nil
}

// provision does what needs no Caddy context.
func (h *HTTP) provision(repl *caddy.Replacer) error {
	row, ok := ByName(h.row)
	if !ok {
		return fmt.Errorf("there is no provider called %q%s", h.row, suggest(h.row, RowNames()))
	}
	keys, literal, err := resolveKeys(repl, h.APIKeys)
	if err != nil {
		return err
	}
	h.keys = keys
	if h.profile, err = h.override(row, repl); err != nil {
		return err
	}
	if literal {
		h.logger.Warn("an API key is written in the configuration, where everyone who may read that can see it; use {env.NAME} or {file./path}",
			zap.String("provider", h.name()))
	}
	if h.profile.BaseURL == "" {
		return nil // Validate says what is wrong
	}
	if h.address, err = NewAddress(h.profile, keys); err != nil {
		return fmt.Errorf("base_url: %w; an example: %s", err, cmp.Or(row.Example, row.BaseURL))
	}
	for name := range h.fixedHeaders() {
		h.address.force(name)
	}
	h.address.shared = h.HeaderUp == nil || len(h.HeaderUp.Replace) == 0 // which works in place
	h.warnAboutAddress(row)
	return nil
}

// override returns a copy of the row with what the configuration says on top.
func (h *HTTP) override(row *Profile, repl *caddy.Replacer) (*Profile, error) {
	p := *row
	p.Name = h.name()
	p.Dialect = cmp.Or(h.Dialect, p.Dialect)
	p.AuthHeader = cmp.Or(h.AuthHeader, p.AuthHeader)
	p.HealthPath = cmp.Or(h.HealthPath, p.HealthPath)
	if len(h.Models) > 0 {
		p.Models = h.Models
	}
	var err error
	if h.BaseURL != "" {
		if p.BaseURL, err = resolve(repl, h.BaseURL); err != nil {
			return nil, fmt.Errorf("base_url: %w", err)
		}
	}
	fixed := h.fixedHeaders()
	p.Headers = make(map[string]string, len(row.Headers)+len(fixed))
	for name, value := range row.Headers {
		p.Headers[http.CanonicalHeaderKey(name)] = value
	}
	for name, value := range fixed {
		if p.Headers[http.CanonicalHeaderKey(name)], err = resolve(repl, value); err != nil {
			return nil, fmt.Errorf("header %s: %w", name, err)
		}
	}
	if h.IgnoreQuirks {
		p.Quirks = openai.Quirks{}
	}
	if h.Quirks != nil {
		// A rule for all models, behind the row's own rules, so that it wins over them.
		own := *h.Quirks
		own.Rules = nil
		p.Quirks.Rules = slices.Concat(p.Quirks.Rules, []openai.Rule{{Models: []string{"*"}, Quirks: own}}, h.Quirks.Rules)
	}
	return &p, nil
}

// fixedHeaders are the headers that the configuration wants sent, unresolved.
func (h *HTTP) fixedHeaders() map[string]string {
	fixed := maps.Clone(h.Headers)
	if fixed == nil {
		fixed = map[string]string{}
	}
	if h.Organization != "" {
		fixed["OpenAI-Organization"] = h.Organization
	}
	if h.Project != "" {
		fixed["OpenAI-Project"] = h.Project
	}
	return fixed
}

// warnAboutAddress logs what is odd about an address without being wrong.
func (h *HTTP) warnAboutAddress(row *Profile) {
	u, err := url.Parse(h.profile.BaseURL)
	if err != nil || h.BaseURL == "" {
		return
	}
	if u.Scheme == "http" && len(h.keys) > 0 && !isLocal(u.Hostname()) {
		h.logger.Warn("API keys are sent over an unencrypted connection; base_url should begin with https://",
			zap.String("provider", h.profile.Name), zap.String("host", u.Host))
	}
	if strings.Trim(u.Path, "/") == "" && h.profile.Dialect == DialectOpenAI && (row.BaseURL == "" || strings.HasSuffix(row.BaseURL, "/v1")) {
		h.logger.Warn("base_url has no path; most servers want one that ends in /v1",
			zap.String("provider", h.profile.Name), zap.String("host", u.Host))
	}
}

// isLocal reports whether the host is this machine or on a private network.
func isLocal(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast()
	}
	return !strings.Contains(host, ".") || strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".internal") || strings.HasSuffix(host, ".localhost")
}

// Profile returns the facts of the provider with the configuration's overrides applied.
// Before Provision they are those of its row of the table.
func (h *HTTP) Profile() *Profile {
	if h.profile == nil {
		if row, ok := ByName(h.row); ok {
			return row
		}
	}
	return h.profile
}

// Keys returns the API keys of the configuration, resolved and each of them once.
func (h *HTTP) Keys() []string { return h.keys }

// Endpoint returns the URL of a path; see [Address.Endpoint].
func (h *HTTP) Endpoint(path, model string) string { return h.address.Endpoint(path, model) }

// Authorize sets the header that carries the key; see [Address.Authorize].
func (h *HTTP) Authorize(header http.Header, key string) { h.address.Authorize(header, key) }

// SetHeaders sets the fixed headers; see [Address.SetHeaders].
func (h *HTTP) SetHeaders(header http.Header) { h.address.SetHeaders(header) }

// Transport returns the provider's own transport, or nil if it shares the handler's.
func (h *HTTP) Transport() http.RoundTripper { return h.transport }

// HeaderOps returns the changes to make to the headers of requests, or nil.
func (h *HTTP) HeaderOps() *headers.HeaderOps { return h.HeaderUp }

// name is the name for people, also before Provision.
func (h *HTTP) name() string {
	if h.Name != "" {
		return h.Name
	}
	if row, ok := ByName(h.row); ok {
		return row.Name
	}
	return h.row
}

// Interface guards
var (
	_ Provider              = (*HTTP)(nil)
	_ Transporter           = (*HTTP)(nil)
	_ HeaderOperator        = (*HTTP)(nil)
	_ HeaderSetter          = (*HTTP)(nil)
	_ caddy.Provisioner     = (*HTTP)(nil)
	_ caddy.Validator       = (*HTTP)(nil)
	_ caddyfile.Unmarshaler = (*HTTP)(nil)
)
