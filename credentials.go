package aiproxy

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/ai-proxy/caddy-ai-proxy/providers"
	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/upstream"
)

// keyHeaders are the headers besides Authorization in which clients send a key, in
// canonical form, best first.
var keyHeaders = []string{"X-Api-Key", "Api-Key", "X-Goog-Api-Key"}

// clientKey returns the credential that the client brought, or "".
func clientKey(h http.Header) string {
	if v := h["Authorization"]; len(v) > 0 {
		const bearer = "bearer "
		if a := v[0]; len(a) > len(bearer) && strings.EqualFold(a[:len(bearer)], bearer) {
			return strings.TrimSpace(a[len(bearer):])
		}
	}
	for _, name := range keyHeaders {
		if v := h[name]; len(v) > 0 && v[0] != "" {
			return v[0]
		}
	}
	return ""
}

// keyFor decides which key goes to the deployment: one that the configuration holds,
// or else the client's. It refuses a client's key that was visibly made for another
// provider, because whoever gets a key can spend with it.
func keyFor(d *upstream.Deployment, client string) (key string, held bool, err *translate.Error) {
	if key, ok := d.HeldKey(); ok {
		return key, true, nil
	}
	p := d.Profile()
	if client == "" {
		if p.KeyOptional {
			return "", false, nil
		}
		return "", false, unauthorized(fmt.Sprintf("You didn't provide an API key. Send your %s key in an Authorization header: Authorization: Bearer YOUR_KEY.", title(p)))
	}
	if d.Preset() && !providers.KeyFits(p, client) {
		owner, _ := providers.OwnerOfKey(client) // a key without an owner fits everywhere
		return "", false, unauthorized(fmt.Sprintf("The key you sent looks like one of %s, but model %q is served by %s. It was not sent there.", title(owner), d.Model, title(p)))
	}
	return client, false, nil
}

func title(p *providers.Profile) string {
	if p.Title != "" {
		return p.Title
	}
	return p.Name
}

func unauthorized(message string) *translate.Error {
	return &translate.Error{
		Class: translate.ErrorAuth, Status: http.StatusUnauthorized, Message: message,
		Type: "invalid_request_error", Code: "invalid_api_key", NoRetry: true,
	}
}
