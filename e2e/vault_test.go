package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// planted are keys that stand in one place each, and so tell how they got elsewhere.
var planted = map[string]string{
	"authorization": "planted-authorization-5f1c9e", "x-api-key": "planted-xapikey-88ad20", "api-key": "planted-apikey-c3b7e1", "x-goog-api-key": "planted-goog-19d4fa",
	"query": "planted-query-7b20c8", "second": "planted-second-e6f013", "env": "planted-env-40cc5d", "file": "planted-file-d27a96",
}

// vault is a gateway whose providers hold keys, or do not, with everything switched on
// that says something about requests.
type vault struct {
	*gateway
	// own takes the client's key; env and file are held keys, in Authorization and in a
	// header of its own; other and elsewhere must never see a key.
	own, env, file, other, elsewhere *upstream
	site                             string
	answers                          []string // all that clients got
}

const vaultProviders = `
		provider own %s/v1 {
			type openai
		}
		provider env %s/v1 {
			type openai
			api_key {env.PLANTED}
		}
		provider file %s/v1 {
			type compatible
			api_key {file.{$HOME}/planted}
			auth_header X-Provider-Key
		}
		provider other %s/v1 {
			type openai
		}
`

// keyFilter is a log with the filter that hides keys.
func keyFilter(name string, more ...string) string {
	return fmt.Sprintf("\t%s {\n\t\t%s\n\t\tformat filter {\n\t\t\trequest>headers ai_proxy\n\t\t\trequest>uri ai_proxy\n\t\t\turi ai_proxy\n\t\t}\n\t}\n", name, strings.Join(more, "\n\t\t"))
}

// openVault starts the gateway. Its logs have the filter: that of requests, and that of
// everything else, where Caddy writes about requests that it rewrites or that fail.
func openVault(t *testing.T) *vault {
	t.Helper()
	v := &vault{own: newUpstream(t), env: newUpstream(t), file: newUpstream(t), other: newUpstream(t), elsewhere: newUpstream(t), site: "http://127.0.0.1:" + freePort(t)}
	for _, u := range []*upstream{v.own, v.env, v.file} {
		for model, s := range v.manners() {
			u.on(model, s)
		}
	}
	v.other.on("good", reply("from the other"))
	providers := fmt.Sprintf(vaultProviders, v.own.url, v.env.url, v.file.url, v.other.url)
	models := "\t\tmodel fallback own/bad other/good\n\t\tmodel rescue own/bad env/good\n"
	v.gateway = start(t, setup{
		globals: "\tdebug\n\tmetrics\n" + keyFilter("log"),
		env:     []string{"PLANTED=" + planted["env"]},
		files:   map[string]string{"planted": planted["file"] + "\n"},
		sites: fmt.Sprintf(`%s {
	handle_path /declared/* {
		ai_proxy {
%s%s		}
	}
	ai_proxy {
%s	}
	handle_path /files/* {
		file_server
	}
	handle /broken {
		error "no such thing" 500
	}
%s}
`, v.site, providers, models, providers, keyFilter("log", "output file {$HOME}/access.log")),
	})
	return v
}

// manners are what the providers do with a key, at worst.
func (v *vault) manners() map[string]script {
	repeat := func(c *call) string { return quote("You sent me " + c.joined()) }
	repeatHeader := func(c *call) {
		for name, values := range c.header {
			c.w.Header()["X-Debug-"+name] = values
		}
		c.w.Header().Set("X-Request-Id", "req-"+c.header.Get("Authorization")+c.header.Get("X-Provider-Key"))
	}
	return map[string]script{
		"good": reply("fine"),
		"headers": func(c *call) {
			repeatHeader(c)
			reply("fine")(c)
		},
		"refused": func(c *call) {
			repeatHeader(c)
			c.json(http.StatusUnauthorized, `{"error":{"message":`+repeat(c)+`,"type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`)
		},
		"bad": func(c *call) {
			repeatHeader(c)
			c.json(http.StatusInternalServerError, `{"error":{"message":`+repeat(c)+`,"type":"server_error","param":`+repeat(c)+`,"code":`+repeat(c)+`}}`)
		},
		"page": func(c *call) {
			c.begin(http.StatusBadRequest, "text/plain")
			c.send("You sent me " + c.joined())
		},
		"inside": func(c *call) {
			c.json(http.StatusOK, `{"error":{"message":`+repeat(c)+`,"type":"server_error","param":null,"code":null}}`)
		},
		"late": func(c *call) {
			c.beginStream()
			c.send(roleEvent, delta("Hello"), event(`{"error":{"message":`+repeat(c)+`,"type":"server_error","param":null,"code":`+repeat(c)+`}}`))
		},
		"moved": func(c *call) {
			c.w.Header().Set("Location", v.elsewhere.url+"/v1/chat/completions?key="+c.header.Get("Authorization"))
			c.w.WriteHeader(http.StatusTemporaryRedirect)
		},
	}
}

// knock sends a request with the planted keys in the places, and keeps the answer.
func (v *vault) knock(t *testing.T, method, path string, body []byte, places ...string) {
	t.Helper()
	for _, p := range places {
		if p == "query" {
			path += "?key=" + planted[p]
		}
	}
	req, err := http.NewRequestWithContext(soon(t), method, v.site+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, p := range places {
		switch p {
		case "query":
		case "authorization":
			req.Header.Set("Authorization", "Bearer "+planted[p])
		case "second":
			req.Header.Set("X-Api-Key", planted[p])
		default:
			req.Header.Set(p, planted[p])
		}
	}
	resp, err := newClient(t, "HTTP/1.1", nil).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	a := readAll(resp)
	var header strings.Builder
	_ = a.header.Write(&header) // a strings.Builder takes everything
	v.answers = append(v.answers, fmt.Sprintf("%s %s with %q and %.60q: %d\n%s\n%s", method, path, places, body, a.status, &header, a.body))
}
