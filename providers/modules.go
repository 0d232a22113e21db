package providers

import (
	"fmt"

	"github.com/caddyserver/caddy/v2"
)

// init registers a module for every row of the table.
func init() {
	scanNames(func(name []byte) { caddy.RegisterModule(&HTTP{row: string(name)}) })
	caddy.RegisterModule(new(Mock))

}

// CaddyModule returns the Caddy module information.
func (h *HTTP) CaddyModule() caddy.ModuleInfo {
	row := h.row
	return caddy.ModuleInfo{
		ID:  caddy.ModuleID(Namespace + "." + row),
		New: func() caddy.Module { return &HTTP{row: row} },
	}
}

// New returns the provider of the row called name, or with name among its other names,
// as it is without configuration. It must be provisioned before it is used.
func New(name string) (*HTTP, error) {
	row, ok := ByName(name)
	if !ok {
		return nil, fmt.Errorf("there is no provider called %q%s", name, suggest(name, RowNames()))
	}
	return &HTTP{row: row.Name}, nil
}
