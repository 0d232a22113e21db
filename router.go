package aiproxy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2"

	"github.com/ai-proxy/caddy-ai-proxy/providers"
	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/openai"
	"github.com/ai-proxy/caddy-ai-proxy/upstream"
)

// Model is a model as clients know it, and who serves it.
type Model struct {
	// The name that clients ask for. A `*` stands for any text.
	Name string `json:"name,omitempty"`

	// Who serves the model, in order of preference: the next is asked when one fails
	// before it has sent any content.
	Deployments []*Deployment `json:"deployments,omitempty"`
}

// Deployment is a provider that serves a model.
type Deployment struct {
	// The name of a provider: a configured one or a preset.
	Provider string `json:"provider,omitempty"`

	// The provider's name for the model. A `*` is replaced by what the `*` of the
	// public name stood for. Default: the public name, or, for a public name such as
	// `openai/*`, what its `*` stood for.
	Model string `json:"model,omitempty"`
}

// route is a public model name with who serves it.
type route struct {
	model       string
	deployments []*upstream.Deployment
}

// router finds the route of a model name. It is safe for concurrent use.
type router struct {
	exact    map[string]*route
	patterns []*Model
	// named are the providers that models may be addressed at as provider/model.
	named map[string]providers.Provider
	// own are the names of providers in named that the configuration declares.
	own []string
	// open: models need not be declared; what the named providers make is served.
	open     bool
	preset   map[string]bool
	fallback string // provider of models that nobody is known to make
	// modelless is the route of requests without a model; nil if no provider stands out.
	modelless *route

	// made keeps routes that were worked out from a client's model name.
	made  sync.Map
	count atomic.Int64
	// allNames is names, worked out once.
	allNames func() []string
}

// maxMade bounds the routes kept for names that clients made up.
const maxMade = 4096

func newRouter(ctx caddy.Context, h *Handler, declared map[string]providers.Provider) (*router, error) {
	rt := &router{
		exact: map[string]*route{}, named: declared, own: slices.Sorted(maps.Keys(declared)),
		open: len(h.Models) == 0, preset: map[string]bool{},
	}
	rt.allNames = sync.OnceValue(rt.names)
	for name, p := range declared {
		rt.preset[name] = atPresetAddress(p)
	}
	if len(declared) == 0 && len(h.Models) == 0 {
		for _, p := range providers.All() {
			// A server that asks for no key is somebody's own: it must be named, or
			// whoever reaches the gateway reaches it too.
			if p.BaseURL == "" || p.KeyOptional {
				continue
			}
			if err := rt.addPreset(ctx, p.Name); err != nil {
				return nil, err
			}
		}
	}
	for i, m := range h.Models {
		if m == nil {
			return nil, fmt.Errorf("model %d is null", i+1)
		}
		if err := rt.addModel(ctx, m); err != nil {
			return nil, fmt.Errorf("model %s: %w", m.Name, err)
		}
	}
	return rt, rt.chooseDefaults(ctx, h)
}

// atPresetAddress reports whether a provider is where the table says it is, so that the
// shape of a key tells whether it is meant for it.
func atPresetAddress(p providers.Provider) bool {
	row, ok := providers.ByName(p.Profile().Type)
	return ok && row.BaseURL != "" && row.BaseURL == p.Profile().BaseURL
}

func (rt *router) addPreset(ctx caddy.Context, name string) error {
	mod, err := ctx.LoadModuleByID(providers.Namespace+"."+name, nil)
	if err != nil {
		return fmt.Errorf("loading provider %s: %w", name, err)
	}
	p, ok := mod.(providers.Provider)
	if !ok {
		return fmt.Errorf("module %T is not a provider (requires providers.Provider)", mod)
	}
	rt.named[name], rt.preset[name] = p, true
	return nil
}

// provider returns the provider called name, loading a preset on first mention.
func (rt *router) provider(ctx caddy.Context, name string) (string, error) {
	if _, ok := rt.named[name]; ok {
		return name, nil
	}
	row, ok := providers.ByName(name)
	if !ok {
		return "", fmt.Errorf("there is no provider %q%s", name, didYouMean(name, slices.Concat(rt.own, providers.RowNames())))
	}
	if _, ok := rt.named[row.Name]; ok {
		return row.Name, nil
	}
	if row.BaseURL == "" {
		return "", fmt.Errorf("provider %s has no address of its own; declare it with a base_url", row.Name)
	}
	return row.Name, rt.addPreset(ctx, row.Name)
}

func (rt *router) addModel(ctx caddy.Context, m *Model) error {
	if m.Name == "" {
		return errors.New("a name is required")
	}
	if len(m.Deployments) == 0 {
		return errors.New("at least one deployment is required")
	}
	for i, d := range m.Deployments {
		if d == nil {
			return fmt.Errorf("deployment %d is null", i+1)
		}
		name, err := rt.provider(ctx, d.Provider)
		if err != nil {
			return err
		}
		d.Provider = name
	}
	if strings.Contains(m.Name, "*") {
		rt.patterns = append(rt.patterns, m)
		return nil
	}
	if _, ok := rt.exact[m.Name]; ok {
		return fmt.Errorf("declared twice")
	}
	r, err := rt.makeRoute(m, m.Name, m.Name)
	if err != nil {
		return err
	}
	rt.exact[m.Name] = r
	return nil
}

// makeRoute returns the route of the public name that m stands for; star is what its
// "*" stood for.
func (rt *router) makeRoute(m *Model, name, star string) (*route, error) {
	r := &route{model: name}
	for _, d := range m.Deployments {
		model := strings.Replace(d.Model, "*", star, 1)
		if model == "" {
			model = name
			if strings.HasSuffix(m.Name, "/*") {
				model = star
			}
		}
		dep, err := rt.deployment(d.Provider, model)
		if err != nil {
			return nil, err
		}
		r.deployments = append(r.deployments, dep)
	}
	return r, nil
}

func (rt *router) deployment(provider, model string) (*upstream.Deployment, error) {
	p := rt.named[provider]
	if alias, ok := p.Profile().Aliases[model]; ok {
		model = alias
	}
	return upstream.New(provider, p, model, rt.preset[provider])
}

// chooseDefaults settles who gets requests without a model, and with a model that
// nobody is known to make.
func (rt *router) chooseDefaults(ctx caddy.Context, h *Handler) error {
	standard := ""
	switch {
	case h.DefaultProvider != "":
		name, err := rt.provider(ctx, h.DefaultProvider)
		if err != nil {
			return fmt.Errorf("default_provider: %w", err)
		}
		standard = name
		if rt.open {
			rt.fallback = name
		}
	case len(rt.named) == 1:
		for name, p := range rt.named {
			standard = name
			// A server that makes no models of its own serves whatever it was given.
			if rt.open && len(p.Profile().Models) == 0 && served(p) == nil {
				rt.fallback = name
			}
		}
	default:
		if _, ok := rt.named["openai"]; ok {
			standard = "openai"
		}
	}
	if standard == "" {
		return nil
	}
	d, err := rt.deployment(standard, "")
	if err != nil {
		return err
	}
	rt.modelless = &route{deployments: []*upstream.Deployment{d}}
	return nil
}

// served returns the names that a provider says it serves, nil if it does not say.
func served(p providers.Provider) []string {
	if l, ok := p.(providers.Lister); ok {
		return l.Models()
	}
	return nil
}

// resolve returns the route of a model name, or the 404 that a client sees for a name
// nobody serves.
func (rt *router) resolve(name string) (*route, *translate.Error) {
	if r := rt.known(name); r != nil {
		return r, nil
	}
	r, err := rt.workOut(name)
	if err != nil {
		return nil, translate.UpstreamError("The model's provider is not configured properly.")
	}
	if r == nil {
		return nil, rt.unknown(name)
	}
	if made, loaded := rt.made.LoadOrStore(name, r); loaded {
		return made.(*route), nil
	}
	if rt.count.Add(1) > maxMade {
		// Names that somebody makes up must not keep out those that are used.
		rt.made.Clear()
		rt.count.Store(0)
	}
	return r, nil
}

// known returns the route of a name that is declared or has been worked out, or nil.
func (rt *router) known(name string) *route {
	if r, ok := rt.exact[name]; ok {
		return r
	}
	if r, ok := rt.made.Load(name); ok {
		return r.(*route)
	}
	return nil
}

// workOut finds the route of a name that is not declared as such; nil if there is none.
func (rt *router) workOut(name string) (*route, error) {
	for _, m := range rt.patterns {
		if star, ok := openai.Capture(m.Name, name); ok {
			return rt.makeRoute(m, name, star)
		}
	}
	if !rt.open {
		return nil, nil
	}
	provider, model := rt.owner(name)
	if provider == "" {
		return nil, nil
	}
	d, err := rt.deployment(provider, model)
	if err != nil {
		return nil, err
	}
	return &route{model: name, deployments: []*upstream.Deployment{d}}, nil
}

// owner returns the provider of a name, and the name it has there.
func (rt *router) owner(name string) (provider, model string) {
	if prefix, rest, ok := strings.Cut(name, "/"); ok && rest != "" {
		if _, ok := rt.named[prefix]; ok {
			return prefix, rest
		}
		if row, ok := providers.ByName(prefix); ok {
			if _, ok := rt.named[row.Name]; ok {
				return row.Name, rest
			}
		}
	}
	for _, p := range rt.own {
		if slices.Contains(served(rt.named[p]), name) {
			return p, name
		}
	}
	for _, p := range rt.own {
		if claims(rt.named[p].Profile(), name) {
			return p, name
		}
	}
	if row, model, ok := providers.ByModel(name); ok {
		if _, ok := rt.named[row.Name]; ok {
			return row.Name, model
		}
		for _, p := range rt.own {
			if rt.named[p].Profile().Type == row.Name {
				return p, model
			}
		}
	}
	if p := rt.onlySeller(name); p != "" {
		return p, name
	}
	return rt.fallback, name
}

// claims reports whether the configuration says that a model of this name is the
// provider's.
func claims(p *providers.Profile, name string) bool {
	if row, ok := providers.ByName(p.Type); ok && slices.Equal(row.Models, p.Models) {
		return false // what the table says is for providers.ByModel to judge
	}
	return slices.ContainsFunc(p.Models, func(pattern string) bool { return openai.Match(pattern, name) })
}

// onlySeller returns the declared provider that alone has the model in its catalogue,
// such as the Chinese address of a maker whose international one is not declared; "" if
// there is none, or several.
func (rt *router) onlySeller(name string) string {
	found := ""
	for _, p := range rt.own {
		if _, ok := providers.Lookup(rt.named[p].Profile().Type, name); ok {
			if found != "" {
				return ""
			}
			found = p
		}
	}
	return found
}
