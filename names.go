package aiproxy

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/ai-proxy/caddy-ai-proxy/providers"
	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/openai"
)

// names returns the model names that are served, sorted, as far as they are known.
func (rt *router) names() []string {
	set := map[string]bool{}
	for name := range rt.exact {
		set[name] = true
	}
	for _, m := range rt.patterns {
		for _, d := range m.Deployments {
			for _, n := range rt.offered(d.Provider) {
				if name := publicName(m.Name, n); name != "" {
					set[name] = true
				}
			}
		}
	}
	if rt.open {
		for p := range rt.named {
			for _, n := range rt.offered(p) {
				if owner, _ := rt.owner(n); owner == p {
					set[n] = true
				} else {
					set[p+"/"+n] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// offered returns the names that a provider is known to have for its models.
func (rt *router) offered(provider string) []string {
	p := rt.named[provider]
	return slices.Concat(served(p), providers.Names(p.Profile().Type), slices.Collect(maps.Keys(p.Profile().Aliases)))
}

// publicName returns the name under which the pattern serves a provider's model, ""
// if it does not.
func publicName(pattern, model string) string {
	if prefix, ok := strings.CutSuffix(pattern, "/*"); ok {
		return prefix + "/" + model
	}
	if openai.Match(pattern, model) {
		return model
	}
	return ""
}

func (rt *router) unknown(name string) *translate.Error {
	return &translate.Error{
		Class: translate.ErrorNotFound, Status: http.StatusNotFound, Type: "invalid_request_error", Param: "model", Code: "model_not_found",
		Message: fmt.Sprintf("The model %q does not exist here%s.", name, didYouMean(name, rt.allNames())),
		NoRetry: true,
	}
}

// didYouMean returns a parenthesis about an unknown name, or "".
func didYouMean(name string, candidates []string) string {
	near := providers.Nearest(name, candidates, 3)
	if len(near) == 0 {
		return ""
	}
	for i, n := range near {
		near[i] = fmt.Sprintf("%q", n)
	}
	return " (did you mean " + strings.Join(near, " or ") + "?)"
}
