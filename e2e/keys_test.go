package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
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
	return fmt.Sprintf("\t%s {\n\t\t%s\n\t\tformat filter {\n\t\t\trequest>headers ai_proxy\n\t\t}\n\t}\n", name, strings.Join(more, "\n\t\t"))
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

// TestKeysStayWhereTheyBelong plants keys everywhere, lets every provider misbehave with
// them, and searches everything that comes out.
func TestKeysStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	v := openVault(t)
	for _, place := range [][]string{{"authorization"}, {"x-api-key"}, {"api-key"}, {"x-goog-api-key"}, {"query"}, {"authorization", "second"}, {}} {
		for _, provider := range []string{"own", "env", "file"} {
			for model := range v.manners() {
				for _, stream := range []bool{false, true} {
					v.knock(t, "POST", chatPath, ask(provider+"/"+model, stream), place...)
				}
				if model != "inside" && model != "late" {
					v.knock(t, "POST", "/v1/embeddings", ask(provider+"/"+model, false), place...)
				}
			}
		}
		for _, model := range []string{"fallback", "rescue"} {
			v.knock(t, "POST", "/declared"+chatPath, ask(model, true), place...)
		}
		v.knock(t, "POST", chatPath, ask("nobody/knows", false), place...)
		v.knock(t, "POST", chatPath, []byte(`{"model":`), place...)
		v.knock(t, "GET", "/v1/models", nil, place...)
		v.knock(t, "PUT", chatPath, nil, place...)
		v.knock(t, "GET", "/v1/files", nil, place...)
		v.knock(t, "GET", "/files/nothing", nil, place...)
		v.knock(t, "GET", "/broken", nil, place...)
	}
	v.searchProviders(t)
	adapted, err := v.caddy(t, "adapt", "--config", "Caddyfile", "--adapter", "caddyfile", "--pretty", "--validate")
	if err != nil {
		t.Errorf("caddy adapt: %v\n%s", err, adapted)
	}
	outcomes := map[string]string{
		"caddy adapt":                adapted,
		"the configuration endpoint": v.ask(t, "GET", "/config/", "", ""),
		"the metrics":                v.ask(t, "GET", "/metrics", "", ""),
	}
	v.stop(t)
	outcomes["the log"] = v.out.String()
	outcomes["the access log"] = v.read(t, "access.log")
	for _, a := range v.answers {
		first, _, _ := strings.Cut(a, ": ")
		outcomes["the answer to "+strings.NewReplacer(planted["query"], "KEY").Replace(first)] = strings.SplitN(a, "\n", 2)[1]
	}
	for _, where := range slices.Sorted(maps.Keys(outcomes)) {
		searchText(t, where, outcomes[where])
	}
	if n := len(v.out.lines("refuses the configured key")); n == 0 {
		t.Error("the log does not tell the operator that a provider refuses a configured key")
	}
	if n := strings.Count(outcomes["the access log"], "\n"); n != len(v.answers) {
		t.Errorf("the access log has %d lines for %d requests", n, len(v.answers))
	}
}

// TestKeysInPassedAnswers: the provider repeats its key in an answer that looks like a
// success, of an endpoint whose answers are passed.
func TestKeysInPassedAnswers(t *testing.T) {
	t.Parallel()
	v := openVault(t)
	for _, provider := range []string{"own", "env", "file"} {
		for _, model := range []string{"inside", "late"} {
			v.knock(t, "POST", "/v1/embeddings", ask(provider+"/"+model, false), "authorization")
		}
	}
	for _, a := range v.answers {
		first, rest, _ := strings.Cut(a, "\n")
		searchText(t, "the answer to "+first, rest)
	}
}

// searchText fails the test for the keys in a text, each with the first line it is in.
func searchText(t *testing.T, where, text string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(planted)) {
		n := 0
		first := ""
		for line := range strings.Lines(text) {
			if strings.Contains(line, planted[name]) {
				if n++; n == 1 {
					first = line
				}
			}
		}
		if n > 0 {
			at := strings.Index(first, planted[name])
			t.Errorf("%s shows the key planted as %q in %d lines, such as: …%s…", where, name, n, first[max(0, at-300):min(len(first), at+100)])
		}
	}
}

// searchProviders looks for keys at providers that they are not meant for.
func (v *vault) searchProviders(t *testing.T) {
	t.Helper()
	if n := len(v.elsewhere.seen("")); n > 0 {
		t.Errorf("a redirect was followed, %d times", n)
	}
	for _, p := range []struct {
		name     string
		upstream *upstream
		header   string
		allowed  []string
	}{
		{"own", v.own, "Authorization", []string{"authorization", "x-api-key", "api-key", "x-goog-api-key", "second"}},
		{"env", v.env, "Authorization", []string{"env"}},
		{"file", v.file, "X-Provider-Key", []string{"file"}},
		{"other", v.other, "", nil},
	} {
		calls := p.upstream.seen("")
		if len(calls) == 0 && p.name != "other" {
			t.Errorf("provider %s was not asked", p.name)
		}
		for _, c := range calls {
			for name, key := range planted {
				switch n := strings.Count(c.joined(), key); {
				case n == 0:
				case !slices.Contains(p.allowed, name):
					t.Errorf("provider %s got the key planted as %q:\n%s", p.name, name, c.joined())
				case n > 1 || strings.TrimPrefix(c.header.Get(p.header), "Bearer ") != key:
					t.Errorf("provider %s got the key planted as %q in a place where it does not belong:\n%s", p.name, name, c.joined())
				}
			}
			if c.header.Get(p.header) == "" && p.header != "" {
				t.Errorf("provider %s was asked without a key:\n%s", p.name, c.joined())
			}
		}
	}
}

// TestClientsOwnKeyIsSentOn: wherever a client has its key, the provider gets it where it
// wants it, and gets the better one of two.
func TestClientsOwnKeyIsSentOn(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	site := "http://127.0.0.1:" + freePort(t)
	start(t, setup{sites: fmt.Sprintf("%s {\n\tai_proxy {\n\t\tprovider bearer %s/v1 {\n\t\t\ttype openai\n\t\t}\n\t\tprovider header %[2]s/v1 {\n\t\t\ttype azure\n\t\t}\n\t}\n}\n", site, u.url)})
	for _, c := range []struct {
		name   string
		header []string
		want   string
	}{
		{"authorization", []string{"Authorization", "Bearer the-key-1234"}, "the-key-1234"},
		{"authorization in other letters", []string{"Authorization", "bearer   the-key-1234 "}, "the-key-1234"},
		{"x-api-key", []string{"Authorization", "", "X-Api-Key", "the-key-1234"}, "the-key-1234"},
		{"api-key", []string{"Authorization", "", "Api-Key", "the-key-1234"}, "the-key-1234"},
		{"x-goog-api-key", []string{"Authorization", "", "X-Goog-Api-Key", "the-key-1234"}, "the-key-1234"},
		{"two of them", []string{"Authorization", "Bearer the-key-1234", "X-Api-Key", "the-key-5678"}, "the-key-1234"},
		{"none", []string{"Authorization", ""}, ""},
		{"another scheme", []string{"Authorization", "Basic dXNlcjpwYXNz"}, ""},
	} {
		for provider, header := range map[string]string{"bearer": "Authorization", "header": "Api-Key"} {
			name := provider + " " + c.name
			u.on(name, reply("fine"))
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				a := exchange(t, newClient(t, "HTTP/1.1", nil), site+chatPath, ask(provider+"/"+name, false), c.header...)
				calls := u.seen(name)
				if c.want == "" {
					v := published(t).read(a, false, false)
					if a.status != 401 || len(calls) > 0 || v.failure.code() != "invalid_api_key" || len(v.wrong) > 0 {
						t.Errorf("without a key: status %d, %d calls, %s", a.status, len(calls), a.body)
					}
					return
				}
				if a.status != 200 || len(calls) != 1 {
					t.Fatalf("status %d, %d calls: %s", a.status, len(calls), a.body)
				}
				got := calls[0].header.Get(header)
				if strings.TrimPrefix(got, "Bearer ") != c.want || strings.HasPrefix(got, "Bearer ") != (header == "Authorization") || strings.Count(calls[0].joined(), "the-key") != 1 {
					t.Errorf("the provider got %s", calls[0].joined())
				}
			})
		}
	}
}
