package aiproxy

import (
	"net/http"
	"testing"
)

func TestCORS(t *testing.T) {
	t.Parallel()
	preflight := []string{"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,x-stainless-lang"}
	for name, tc := range map[string]struct {
		block, origin, allowed string
	}{
		"off":            {"model gpt-4o openai", "https://app.example.com", ""},
		"allowed origin": {"cors https://app.example.com", "https://app.example.com", "https://app.example.com"},
		"other origin":   {"cors https://app.example.com", "https://evil.example.com", ""},
		"all":            {"cors *", "https://any.example.com", "https://any.example.com"},
		"no origin":      {"cors *", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gateway := serve(t, tc.block)
			r := call(t, http.MethodOptions, gateway+"/v1/chat/completions", "", append([]string{"Origin", tc.origin}, preflight...)...)
			if got := r.header.Get("Access-Control-Allow-Origin"); got != tc.allowed {
				t.Errorf("preflight allows %q, want %q", got, tc.allowed)
			}
			if tc.allowed != "" && (r.status != 204 || r.header.Get("Access-Control-Allow-Headers") != preflight[3]) {
				t.Errorf("preflight: %d %v", r.status, r.header)
			}
			r = call(t, http.MethodGet, gateway+"/v1/models", "", "Origin", tc.origin)
			if got := r.header.Get("Access-Control-Allow-Origin"); got != tc.allowed {
				t.Errorf("GET allows %q, want %q", got, tc.allowed)
			}
		})
	}
}
