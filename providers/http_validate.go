package providers

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp/headers"
	"golang.org/x/net/http/httpguts"
)

// Validate checks what could be wrong with the configuration.
func (h *HTTP) Validate() error {
	if err := h.validate(); err != nil {
		return fmt.Errorf("provider %s: %w", h.name(), err)
	}
	return nil
}

func (h *HTTP) validate() error {
	p := h.profile
	if p.BaseURL == "" {
		return fmt.Errorf("base_url is missing: every customer of %s has another; an example: %s", cmp.Or(p.Title, p.Type), p.Example)
	}
	if h.Dialect != "" && !slices.Contains(dialects, h.Dialect) {
		return fmt.Errorf("dialect %q is not one of %s", h.Dialect, strings.Join(dialects, ", "))
	}
	if h.HealthPath != "" && !strings.HasPrefix(h.HealthPath, "/") {
		return fmt.Errorf("health_path %q must begin with a slash", h.HealthPath)
	}
	if !httpguts.ValidHeaderFieldName(cmp.Or(p.AuthHeader, "Authorization")) {
		return fmt.Errorf("auth_header %q is not the name of a header", p.AuthHeader)
	}
	if (h.Organization != "" || h.Project != "") && p.Type != "openai" {
		return errors.New("organization and project are known to OpenAI only; set headers instead")
	}
	for _, name := range slices.Sorted(maps.Keys(p.Headers)) {
		if !httpguts.ValidHeaderFieldName(name) {
			return fmt.Errorf("%q is not the name of a header", name)
		}
		if !httpguts.ValidHeaderFieldValue(p.Headers[name]) {
			return fmt.Errorf("header %s has a value that cannot be sent", name)
		}
	}
	if h.HeaderUp != nil {
		if err := (headers.Handler{Request: h.HeaderUp}).Validate(); err != nil {
			return fmt.Errorf("header_up: %w", err)
		}
	}
	if h.Quirks != nil {
		return checkQuirks(h.Quirks)
	}
	return nil
}
