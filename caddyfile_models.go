package aiproxy

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/ai-proxy/caddy-ai-proxy/providers"
)

// provider parses "provider <name> [<base_url>] { ... }". The options are those of the
// module that the option type names, or else the provider's own name.
func (p *blockParser) provider(d *caddyfile.Dispenser) error {
	start := *d
	seg := d.NewFromNextSegment()
	name, kind, err := providerType(seg)
	if err != nil {
		return err
	}
	if _, ok := p.h.Providers[name]; ok {
		return start.Errf("provider %s is declared twice", name)
	}
	if strings.ContainsAny(name, "/*") {
		return start.Errf("a provider's name must not have / or *: %q", name)
	}
	seg.Reset()
	return p.addProvider(&start, name, kind, seg)
}

// providerType reads the name and the type of a provider's segment.
func providerType(seg *caddyfile.Dispenser) (name, kind string, err error) {
	seg.Next() // consume "provider"
	if !seg.NextArg() {
		return "", "", seg.Errf("provider needs a name, such as openai")
	}
	name = seg.Val()
	kind = name
	seg.RemainingArgs()
	for seg.NextBlock(0) {
		if seg.Val() == "type" {
			if !seg.AllArgs(&kind) {
				return "", "", seg.Errf("type takes the name of one provider module, such as openai")
			}
			continue
		}
		seg.NextSegment() // skip
	}
	return name, kind, nil
}

// addProvider adds the provider that the segment describes.
func (p *blockParser) addProvider(at *caddyfile.Dispenser, name, kind string, seg *caddyfile.Dispenser) error {
	if row, ok := providers.ByName(kind); ok {
		kind = row.Name
	}
	info, err := caddy.GetModule(providers.Namespace + "." + kind)
	if err != nil {
		hint := ""
		if kind == name {
			hint = "; if it is a name of your own, say which kind it is: type openai"
		}
		return at.Errf("there is no provider type %q%s%s", kind, didYouMean(kind, providers.RowNames()), hint)
	}
	mod := info.New()
	unm, ok := mod.(caddyfile.Unmarshaler)
	if !ok {
		return at.Errf("provider type %s cannot be configured in a Caddyfile", kind)
	}
	if err := unm.UnmarshalCaddyfile(seg); err != nil {
		return err
	}
	if p.h.Providers == nil {
		p.h.Providers = map[string]json.RawMessage{}
	}
	p.h.Providers[name] = caddyconfig.JSONModuleObject(unm, "type", kind, nil)
	return nil
}

// model parses the three forms of "model".
func (p *blockParser) model(d *caddyfile.Dispenser) error {
	start := *d
	tokens := d.NextSegment()
	seg := caddyfile.NewDispenser(slices.Clone(tokens))
	seg.Next() // consume "model"
	args := seg.RemainingArgs()
	if len(args) < 2 {
		return start.Errf("model needs a name and who serves it: model <name> <provider>, or <provider>/<model>")
	}
	m := &Model{Name: args[0]}
	if slices.ContainsFunc(p.h.Models, func(o *Model) bool { return o.Name == m.Name }) {
		return start.Errf("model %s is declared twice", m.Name)
	}
	p.h.Models = append(p.h.Models, m)
	if len(args) == 3 && isURL(args[2]) {
		return p.modelAt(&start, m, args[1], args[2], tokens)
	}
	for _, a := range args[1:] {
		if isURL(a) {
			return start.Errf("the address of a provider stands alone behind its name: model <name> <provider> <url>")
		}
		provider, model, _ := strings.Cut(a, "/")
		p.references = append(p.references, reference{provider: provider, at: start})
		m.Deployments = append(m.Deployments, &Deployment{Provider: provider, Model: model})
	}
	for seg.NextBlock(0) {
		return seg.Errf("unknown option %q of model", seg.Val())
	}
	return nil
}

// modelAt adds a provider for a model that is served at an address of its own. It gets
// no key that belongs to another address.
func (p *blockParser) modelAt(at *caddyfile.Dispenser, m *Model, kind, address string, tokens []caddyfile.Token) error {
	host := address
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		host = u.Host
	}
	host = strings.NewReplacer("{", "", "}", "", "/", "-", "*", "-", " ", "-").Replace(host) // of a placeholder
	name := kind + "@" + host
	for i := 2; p.h.Providers[name] != nil; i++ {
		name = kind + "@" + host + "#" + itoa(i)
	}
	// The same tokens, spelled as a provider: provider <name> <url> { ... }.
	spelled := append([]caddyfile.Token{tokens[0]}, tokens[2:]...)
	spelled[0].Text, spelled[1].Text = "provider", name
	m.Deployments = []*Deployment{{Provider: name}}
	return p.addProvider(at, name, kind, caddyfile.NewDispenser(spelled))
}

// knownProvider reports whether a provider exists without being declared.
func knownProvider(name string) bool {
	_, ok := providers.ByName(name)
	return ok
}

func (p *blockParser) providerNames() []string {
	return slices.Concat(slices.Collect(maps.Keys(p.h.Providers)), providers.RowNames())
}
