package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

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
