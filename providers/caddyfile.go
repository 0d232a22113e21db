package providers

import (
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/headers"

	"github.com/ai-proxy/caddy-ai-proxy/translate/openai"
)

// UnmarshalCaddyfile sets up the provider from Caddyfile tokens. Syntax:
//
//	provider <name> [<base_url>] {
//		type          <type>
//		base_url      <url>
//		api_key       <keys...>
//		auth_header   <name>
//		header        <name> <value>
//		header_up     [+|-]<name> [<value|regexp> [<replacement>]]
//		organization  <id>
//		project       <id>
//		dialect       openai|anthropic|gemini
//		health_path   <path>
//		models        <patterns...>
//		quirk         <name> [<values...>]
//		quirks        <patterns...> {
//			<name> [<values...>]
//		}
//		ignore_quirks
//		transport     <module> {
//			...
//		}
//	}
//
// The type is a row of the table of providers and says what is known of the provider;
// it is the name if it is not given. Keys should be placeholders. api_key, header,
// header_up, models, quirk and quirks may be given more than once, and add up. quirks
// hold for models whose names match one of the patterns, quirk for all.
func (h *HTTP) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // "provider"
	if !d.NextArg() {
		return d.Errf("a provider has a name, as in: provider openai { ... }")
	}
	if err := h.setName(d, d.Val()); err != nil {
		return err
	}
	if d.NextArg() {
		if !strings.Contains(d.Val(), "://") && !strings.HasPrefix(d.Val(), "{") {
			return d.Errf("%q is not a URL; what may follow the name of a provider is its base_url", d.Val())
		}
		h.BaseURL = d.Val()
	}
	if d.NextArg() {
		return d.Errf("unexpected %q after the base_url; options belong into a block", d.Val())
	}
	seen := map[string]bool{"base_url": h.BaseURL != ""}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		option := d.Val()
		if seen[option] && !mayRepeat[option] {
			return d.Errf("%s is given twice for provider %s", option, h.name())
		}
		seen[option] = true
		if err := h.unmarshalOption(d, option); err != nil {
			return err
		}
	}
	return nil
}

// setName keeps the name where it differs from the type's.
func (h *HTTP) setName(d *caddyfile.Dispenser, name string) error {
	if strings.ContainsAny(name, "/{} ") {
		return d.Errf("a provider cannot be called %q; a slash separates its name from that of a model", name)
	}
	if name != h.row {
		h.Name = name
	}
	return nil
}

var (
	options   = []string{"type", "base_url", "api_key", "auth_header", "header", "header_up", "organization", "project", "dialect", "health_path", "models", "quirk", "quirks", "ignore_quirks", "transport"}
	mayRepeat = map[string]bool{"api_key": true, "header": true, "header_up": true, "models": true, "quirk": true, "quirks": true}
)

func (h *HTTP) unmarshalOption(d *caddyfile.Dispenser, option string) error {
	switch option {
	case "type":
		return h.unmarshalType(d)
	case "base_url":
		return oneArg(d, &h.BaseURL)
	case "auth_header":
		return oneArg(d, &h.AuthHeader)
	case "organization":
		return oneArg(d, &h.Organization)
	case "project":
		return oneArg(d, &h.Project)
	case "dialect":
		return oneArg(d, &h.Dialect)
	case "health_path":
		return oneArg(d, &h.HealthPath)
	case "api_key":
		return manyArgs(d, &h.APIKeys)
	case "models":
		return manyArgs(d, &h.Models)
	case "header":
		return h.unmarshalHeader(d)
	case "header_up":
		return h.unmarshalHeaderUp(d)
	case "ignore_quirks":
		h.IgnoreQuirks = true
		return noArg(d)
	case "quirk":
		if !d.NextArg() {
			return d.Errf("a quirk has a name; there are: %s", strings.Join(quirkNames(), ", "))
		}
		return unmarshalQuirk(d, h.quirks())
	case "quirks":
		return h.unmarshalQuirks(d)
	case "transport":
		return h.unmarshalTransport(d)
	}
	return d.Errf("unrecognized option %q of provider %s%s", option, h.name(), suggest(option, options))
}

// unmarshalType checks the type, which has already been used to choose the module.
func (h *HTTP) unmarshalType(d *caddyfile.Dispenser) error {
	var name string
	if err := oneArg(d, &name); err != nil {
		return err
	}
	row, ok := ByName(name)
	if !ok {
		return d.Errf("there is no provider type %q%s", name, suggest(name, RowNames()))
	}
	if own, ok := ByName(h.row); !ok || own != row {
		return d.Errf("provider %s is of type %s, not %s", h.name(), h.row, name)
	}
	return nil
}

func (h *HTTP) unmarshalHeader(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) != 2 {
		return d.Errf("header has a name and a value, as in: header X-Title \"My site\"")
	}
	if h.Headers == nil {
		h.Headers = map[string]string{}
	}
	name := http.CanonicalHeaderKey(args[0])
	if _, ok := h.Headers[name]; ok {
		return d.Errf("header %s is given twice", name)
	}
	h.Headers[name] = args[1]
	return nil
}

func (h *HTTP) unmarshalHeaderUp(d *caddyfile.Dispenser) error {
	if h.HeaderUp == nil {
		h.HeaderUp = new(headers.HeaderOps)
	}
	args := d.RemainingArgs()
	var err error
	switch len(args) {
	case 1:
		err = headers.CaddyfileHeaderOp(h.HeaderUp, args[0], "", nil)
	case 2:
		err = headers.CaddyfileHeaderOp(h.HeaderUp, args[0], args[1], nil)
	case 3:
		err = headers.CaddyfileHeaderOp(h.HeaderUp, args[0], args[1], &args[2])
	default:
		return d.ArgErr()
	}
	if err != nil {
		return d.WrapErr(err)
	}
	return nil
}

func (h *HTTP) unmarshalQuirks(d *caddyfile.Dispenser) error {
	patterns := d.RemainingArgs()
	if len(patterns) == 0 {
		return d.Errf("quirks has patterns of model names and a block, as in: quirks gpt-5* { max_tokens max_completion_tokens }")
	}
	rule := openai.Rule{Models: patterns}
	empty := true
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		empty = false
		if err := unmarshalQuirk(d, &rule.Quirks); err != nil {
			return err
		}
	}
	if empty {
		return d.Errf("quirks %s has no block, or an empty one", strings.Join(patterns, " "))
	}
	q := h.quirks()
	q.Rules = append(q.Rules, rule)
	return nil
}

func (h *HTTP) quirks() *openai.Quirks {
	if h.Quirks == nil {
		h.Quirks = new(openai.Quirks)
	}
	return h.Quirks
}

func (h *HTTP) unmarshalTransport(d *caddyfile.Dispenser) error {
	if !d.NextArg() {
		return d.Errf("transport has a module, as in: transport http { ... }")
	}
	name := d.Val()
	id := "http.reverse_proxy.transport." + name
	module, err := caddyfile.UnmarshalModule(d, id)
	if err != nil {
		return err
	}
	if _, ok := module.(http.RoundTripper); !ok {
		return d.Errf("module %s (%T) is not a http.RoundTripper", id, module)
	}
	var warnings []caddyconfig.Warning
	h.TransportRaw = caddyconfig.JSONModuleObject(module, "protocol", name, &warnings)
	if len(warnings) > 0 {
		return d.Errf("transport %s: %s", name, warnings[0].Message)
	}
	return nil
}

// oneArg reads the one argument of an option.
func oneArg(d *caddyfile.Dispenser, to *string) error {
	option := d.Val()
	args := d.RemainingArgs()
	if len(args) != 1 || args[0] == "" {
		return d.Errf("%s has one value", option)
	}
	*to = args[0]
	return nil
}

// manyArgs reads the arguments of an option that has at least one.
func manyArgs(d *caddyfile.Dispenser, to *[]string) error {
	option := d.Val()
	args := d.RemainingArgs()
	if len(args) == 0 {
		return d.Errf("%s has one or more values", option)
	}
	*to = append(*to, args...)
	return nil
}

// noArg makes sure that an option has no argument.
func noArg(d *caddyfile.Dispenser) error {
	if d.NextArg() {
		return d.Errf("unexpected %q", d.Val())
	}
	return nil
}
