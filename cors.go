package aiproxy

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// CORS says which pages of other origins may call the API from a browser. A page that
// may, needs a key as any other client.
type CORS struct {
	// The allowed origins, such as `https://app.example.com`. `*` allows every page.
	Origins []string `json:"origins,omitempty"`
}

// exposed are the response headers that a page may read.
const exposed = "x-request-id, retry-after, retry-after-ms, openai-processing-ms, x-ratelimit-limit-requests, x-ratelimit-limit-tokens, " +
	"x-ratelimit-remaining-requests, x-ratelimit-remaining-tokens, x-ratelimit-reset-requests, x-ratelimit-reset-tokens, x-ai-proxy-dropped"

// maxRequestedHeaders bounds the list of headers that a preflight answer repeats.
const maxRequestedHeaders = 2 << 10

func (c *CORS) validate() error {
	if len(c.Origins) == 0 {
		return errors.New("cors: at least one origin is required")
	}
	for _, o := range c.Origins {
		if o == "*" {
			continue
		}
		u, err := url.Parse(o)
		if err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
			return fmt.Errorf("cors: %q is not an origin (expected a scheme and host, such as https://app.example.com, or *)", o)
		}
	}
	return nil
}

func (c *CORS) allowed(origin string) bool {
	return slices.ContainsFunc(c.Origins, func(o string) bool { return o == "*" || strings.EqualFold(o, origin) })
}

// apply sets the headers of the Fetch standard's CORS protocol and reports whether it
// has answered the request, which it does with preflights.
func (c *CORS) apply(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	header := w.Header()
	header.Add("Vary", "Origin")
	ok := c.allowed(origin)
	if ok {
		header.Set("Access-Control-Allow-Origin", origin)
		header.Set("Access-Control-Expose-Headers", exposed)
	}
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	if ok {
		header.Set("Access-Control-Allow-Methods", "GET, POST, DELETE")
		if want := r.Header.Get("Access-Control-Request-Headers"); want != "" && len(want) <= maxRequestedHeaders {
			header.Set("Access-Control-Allow-Headers", want)
		}
		header.Set("Access-Control-Max-Age", "7200")
	}
	w.WriteHeader(http.StatusNoContent)
	return true
}
