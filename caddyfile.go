package aiproxy

import (
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/dustin/go-humanize"
)

func init() {
	httpcaddyfile.RegisterHandlerDirective("ai_proxy", parseCaddyfile)
	// Before respond, so that a catch-all answer on the same site does not shadow the
	// API. Paths that are not ours go on to it.
	httpcaddyfile.RegisterDirectiveOrder("ai_proxy", httpcaddyfile.Before, "respond")
}

func parseCaddyfile(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	handler := new(Handler)
	return handler, handler.UnmarshalCaddyfile(h.Dispenser)
}

// UnmarshalCaddyfile sets up the handler from Caddyfile tokens. Syntax:
//
//	ai_proxy [<matcher>] {
//		# who serves models; a preset's name is enough, its options change it
//		provider <name> [<base_url>] {
//			type <preset>
//			...
//		}
//		default_provider <name>
//
//		# which models; without any, all models of the providers above
//		model <name> <provider>
//		model <name> <provider> <url> {
//			# options of the provider, such as api_key
//		}
//		model <name> <provider>/<model> [<provider>/<model> ...]
//
//		# how providers are reached
//		transport <name> {
//			...
//		}
//
//		# limits
//		max_body_size   <size>
//		max_answer_size <size>
//		max_event_size  <size>
//		max_header_size <size>
//		max_nesting     <levels>
//
//		# streams
//		header_hold <duration>
//		keep_alive  <duration>|off
//
//		cors <origins...>
//		unsupported_params drop|reject
//		reasoning_memory <entries> [<ttl>]|off
//		logs_redacted
//	}
func (h *Handler) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	p := blockParser{h: h, seen: map[string]bool{}}
	d.Next() // consume the directive's name
	if d.NextArg() {
		return d.Errf("ai_proxy takes no arguments but a matcher, and a block; found %q", d.Val())
	}
	for d.NextBlock(0) {
		if err := p.option(d); err != nil {
			return err
		}
	}
	return p.checkReferences()
}

// blockParser parses the options of one ai_proxy block.
type blockParser struct {
	h    *Handler
	seen map[string]bool
	// references are mentions of providers, with where they stand.
	references []reference
}

type reference struct {
	provider string
	at       caddyfile.Dispenser
}

// options are the options that take one value or none, and how it is read.
var options = map[string]func(*Handler, *caddyfile.Dispenser) error{
	"default_provider": func(h *Handler, d *caddyfile.Dispenser) error { return oneArg(d, &h.DefaultProvider) },
	"max_body_size":    func(h *Handler, d *caddyfile.Dispenser) error { return sizeArg(d, &h.MaxBodySize) },
	"max_answer_size":  func(h *Handler, d *caddyfile.Dispenser) error { return sizeArg(d, &h.MaxAnswerSize) },
	"max_event_size":   func(h *Handler, d *caddyfile.Dispenser) error { return sizeArg(d, &h.MaxEventSize) },
	"max_header_size":  func(h *Handler, d *caddyfile.Dispenser) error { return sizeArg(d, &h.MaxHeaderSize) },
	"max_nesting":      parseNesting,
	"header_hold":      func(h *Handler, d *caddyfile.Dispenser) error { return durationArg(d, &h.HeaderHold) },
	"keep_alive":       parseKeepAlive,
	"transport":        parseTransport,
	"cors":             parseCORS,
	"unsupported_params": func(h *Handler, d *caddyfile.Dispenser) error {
		if err := oneArg(d, &h.UnsupportedParams); err != nil {
			return err
		}
		if h.UnsupportedParams != "drop" && h.UnsupportedParams != "reject" {
			return d.Errf("unsupported_params is drop or reject, not %q", h.UnsupportedParams)
		}
		return nil
	},
	"reasoning_memory": parseMemory,
	"logs_redacted": func(h *Handler, d *caddyfile.Dispenser) error {
		h.LogsRedacted = true
		return noArgs(d)
	},
}

func (p *blockParser) option(d *caddyfile.Dispenser) error {
	name := d.Val()
	switch name {
	case "provider":
		return p.provider(d)
	case "model":
		return p.model(d)
	case "{":
		return d.Errf("the option before it takes no block")
	}
	parse, ok := options[name]
	if !ok {
		return d.Errf("unknown option %q of ai_proxy%s", name, didYouMean(name, optionNames()))
	}
	if p.seen[name] {
		return d.Errf("%s is set twice", name)
	}
	p.seen[name] = true
	if name == "default_provider" && d.NextArg() {
		p.references = append(p.references, reference{provider: d.Val(), at: *d})
		d.Prev()
	}
	return parse(p.h, d)
}

func optionNames() []string {
	names := make([]string, 0, 2+len(options))
	names = append(names, "provider", "model")
	for name := range options {
		names = append(names, name)
	}
	return names
}

func oneArg(d *caddyfile.Dispenser, dst *string) error {
	if option := d.Val(); !d.AllArgs(dst) {
		return d.Errf("%s takes exactly one value", option)
	}
	return nil
}

func noArgs(d *caddyfile.Dispenser) error {
	if d.NextArg() {
		return d.Errf("unexpected value %q", d.Val())
	}
	return nil
}

func sizeArg[T int | int64](d *caddyfile.Dispenser, dst *T) error {
	var s string
	if err := oneArg(d, &s); err != nil {
		return err
	}
	n, err := humanize.ParseBytes(s)
	if err != nil || n == 0 || n > 1<<40 {
		return d.Errf("%q is not a size, such as 64MiB", s)
	}
	*dst = T(n)
	return nil
}

func durationArg(d *caddyfile.Dispenser, dst *caddy.Duration) error {
	var s string
	if err := oneArg(d, &s); err != nil {
		return err
	}
	return parseDuration(d, s, dst)
}

func parseDuration(d *caddyfile.Dispenser, s string, dst *caddy.Duration) error {
	v, err := caddy.ParseDuration(s)
	if err != nil || v <= 0 {
		return d.Errf("%q is not a duration, such as 10s", s)
	}
	*dst = caddy.Duration(v)
	return nil
}

func parseNesting(h *Handler, d *caddyfile.Dispenser) error {
	var s string
	if err := oneArg(d, &s); err != nil {
		return err
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 4 || n > 10000 {
		return d.Errf("max_nesting is a number from 4 to 10000, not %q", s)
	}
	h.MaxNesting = n
	return nil
}

func parseKeepAlive(h *Handler, d *caddyfile.Dispenser) error {
	var s string
	if err := oneArg(d, &s); err != nil {
		return err
	}
	if s == "off" {
		h.KeepAlive = -1
		return nil
	}
	return parseDuration(d, s, &h.KeepAlive)
}

func parseTransport(h *Handler, d *caddyfile.Dispenser) error {
	if !d.NextArg() {
		return d.Errf("transport needs the name of a module, such as http")
	}
	name := d.Val()
	unm, err := caddyfile.UnmarshalModule(d, "http.reverse_proxy.transport."+name)
	if err != nil {
		return err
	}
	h.TransportRaw = caddyconfig.JSONModuleObject(unm, "protocol", name, nil)
	return nil
}

func parseCORS(h *Handler, d *caddyfile.Dispenser) error {
	h.CORS = &CORS{Origins: d.RemainingArgs()}
	if err := h.CORS.validate(); err != nil {
		return d.WrapErr(err)
	}
	return nil
}

// checkReferences refuses mentions of providers that nothing is known of.
func (p *blockParser) checkReferences() error {
	for _, r := range p.references {
		if _, ok := p.h.Providers[r.provider]; ok || knownProvider(r.provider) {
			continue
		}
		return r.at.Errf("there is no provider %q%s", r.provider, didYouMean(r.provider, p.providerNames()))
	}
	return nil
}

func isURL(s string) bool { return strings.Contains(s, "://") || strings.HasPrefix(s, "{") }

// Interface guards
var _ caddyfile.Unmarshaler = (*Handler)(nil)
