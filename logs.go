package aiproxy

import (
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/logging"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func init() {
	caddy.RegisterModule(new(KeyFilter))
}

// KeyFilter is a log field filter that replaces the values of all headers in which
// clients send keys. Caddy itself hides only Authorization and cookies, and its access
// log is written from a copy of the request that a handler cannot change. Put it on
// the field that holds the headers, and on the URI if there may be clients that write
// their key there, though the gateway does not read it:
//
//	log {
//		format filter {
//			request>headers ai_proxy
//			request>uri     ai_proxy
//		}
//	}
type KeyFilter struct{}

// CaddyModule returns the Caddy module information.
func (*KeyFilter) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "caddy.logging.encoders.filter.ai_proxy",
		New: func() caddy.Module { return new(KeyFilter) },
	}
}

// filtered remembers the configuration being loaded, if its logs have the filter. Logs
// are set up before apps, and the registry is all that both are given of their config.
var filtered struct {
	sync.Mutex
	config *prometheus.Registry
}

// Provision notes that the configuration has the filter.
func (*KeyFilter) Provision(ctx caddy.Context) error {
	filtered.Lock()
	defer filtered.Unlock()
	filtered.config = ctx.GetMetricsRegistry()
	return nil
}

// UnmarshalCaddyfile sets up the filter from Caddyfile tokens. It has no options.
func (*KeyFilter) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // consume the filter's name
	if d.NextArg() {
		return d.ArgErr()
	}
	for d.NextBlock(0) {
		return d.Errf("the filter ai_proxy has no options, found %q", d.Val())
	}
	return nil
}

// Filter replaces the values of key headers in a header object, and of key parameters
// in a URI.
func (*KeyFilter) Filter(in zapcore.Field) zapcore.Field {
	if h, ok := in.Interface.(caddyhttp.LoggableHTTPHeader); ok {
		in.Interface = redactedHeader(h)
	}
	if in.Type == zapcore.StringType {
		in.String = redactURI(in.String)
	}
	return in
}

// keyParameters are the query parameters in which clients of some APIs send keys.
var keyParameters = []string{"key", "api_key", "api-key", "apikey", "access_token", "token"}

// redactURI replaces the values of key parameters in the query of a URI.
func redactURI(uri string) string {
	path, query, ok := strings.Cut(uri, "?")
	if !ok {
		return uri
	}
	params := strings.Split(query, "&")
	for i, p := range params {
		name, _, _ := strings.Cut(p, "=")
		if plain, err := url.QueryUnescape(name); err != nil || slices.Contains(keyParameters, strings.ToLower(plain)) {
			params[i] = name + "=REDACTED"
		}
	}
	return path + "?" + strings.Join(params, "&")
}

type redactedHeader caddyhttp.LoggableHTTPHeader

// MarshalLogObject writes the header with the keys replaced.
func (h redactedHeader) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	clean := h.Clone()
	for _, name := range keyHeaders {
		if clean[name] != nil {
			clean[name] = []string{"REDACTED"}
		}
	}
	return caddyhttp.LoggableHTTPHeader{Header: clean, ShouldLogCredentials: h.ShouldLogCredentials}.MarshalLogObject(enc)
}

// warnAboutLogs tells the operator once per load that the access log shows keys.
func (h *Handler) warnAboutLogs(ctx caddy.Context) {
	srv, ok := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if !ok || srv.Logs == nil || h.LogsRedacted {
		return
	}
	filtered.Lock()
	defer filtered.Unlock()
	if filtered.config == ctx.GetMetricsRegistry() {
		return
	}
	h.logger.Warn("the access log shows the headers in which clients send keys",
		zap.Strings("headers", keyHeaders),
		zap.String("remedy", "add to the log: format filter { request>headers ai_proxy; request>uri ai_proxy }"),
		zap.String("silence", "set logs_redacted if they are hidden in another way"))
}

// Interface guards
var (
	_ caddy.Provisioner      = (*KeyFilter)(nil)
	_ caddyfile.Unmarshaler  = (*KeyFilter)(nil)
	_ logging.LogFieldFilter = (*KeyFilter)(nil)
)
