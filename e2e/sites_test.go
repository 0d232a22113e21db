package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// TestSitesOfOneProcessAreApart: several sites and blocks, each with its own providers,
// and everything else on the sites as it was.
func TestSitesOfOneProcessAreApart(t *testing.T) {
	t.Parallel()
	one, two := newUpstream(t), newUpstream(t)
	one.other, two.other = reply("one"), reply("two")
	first, second := "http://127.0.0.1:"+freePort(t), "http://127.0.0.1:"+freePort(t)
	start(t, setup{files: map[string]string{"page.txt": "a page"}, sites: fmt.Sprintf(`
%s {
	ai_proxy {
		provider shared %s/v1 {
			type openai
		}
		model alpha shared
	}
	handle /page.txt {
		file_server {
			root {$HOME}
		}
	}
	respond /v1/other "the site's own" 200
	respond "the rest of {method} {path}" 200
}
%s {
	handle_path /ai/* {
		ai_proxy {
			provider shared %s/v1 {
				type openai
			}
			model beta shared
		}
		respond "below the prefix" 200
	}
	handle /gateway/* {
		uri strip_prefix /gateway
		ai_proxy {
			provider another %[2]s/v1 {
				type openai
			}
			model gamma another
		}
	}
	respond "the second site" 200
}
`, first, one.url, second, two.url)})
	client := newClient(t, "HTTP/1.1", nil)
	for _, c := range []struct {
		method, url string
		model       string
		status      int
		want        string
	}{
		{"POST", first + "/v1/chat/completions", "alpha", 200, `"one"`},
		{"POST", first + "/chat/completions", "alpha", 200, `"one"`},
		{"POST", first + "/v1/chat/completions", "beta", 404, "model_not_found"},
		{"GET", first + "/v1/models", "", 200, `"id":"alpha"`},
		{"GET", first + "/v1/models/alpha", "", 200, `"id":"alpha"`},
		{"GET", first + "/v1/models/beta", "", 404, "model_not_found"},
		{"GET", first + "/", "", 200, "the rest of GET /"},
		{"POST", first + "/form", "alpha", 200, "the rest of POST /form"},
		{"GET", first + "/v1/other", "", 200, "the site's own"},
		{"GET", first + "/models", "", 200, "the rest of GET /models"},
		{"GET", first + "/chat/completions", "", 200, "the rest of GET /chat/completions"},
		{"GET", first + "/v1/chat/completionsandmore", "", 200, "the rest of GET /v1/chat/completionsandmore"},
		{"GET", first + "/ai/v1/models", "", 200, "the rest of GET /ai/v1/models"},
		{"GET", first + "/page.txt", "", 200, "a page"},
		{"PUT", first + "/v1/chat/completions", "", 405, "method_not_allowed"},

		{"POST", second + "/ai/v1/chat/completions", "beta", 200, `"two"`},
		{"POST", second + "/ai/chat/completions", "beta", 200, `"two"`},
		{"POST", second + "/ai/v1/chat/completions", "alpha", 404, "model_not_found"},
		{"POST", second + "/ai/v1/chat/completions", "gamma", 404, "model_not_found"},
		{"GET", second + "/ai/v1/models", "", 200, `"id":"beta"`},
		{"GET", second + "/ai/anything", "", 200, "below the prefix"},
		{"POST", second + "/gateway/v1/chat/completions", "gamma", 200, `"one"`},
		{"POST", second + "/v1/chat/completions", "beta", 200, "the second site"},
		{"GET", second + "/v1/models", "", 200, "the second site"},
	} {
		t.Run(c.method+" "+c.url[len("http://127.0.0.1:"):]+" "+c.model, func(t *testing.T) {
			t.Parallel()
			var a *answer
			if c.model != "" {
				a = exchange(t, client, c.url, ask(c.model, false))
			} else {
				a = fetch(t, client, c.method, c.url)
			}
			if a.status != c.status || !strings.Contains(string(a.body), c.want) {
				t.Errorf("status %d, not %d, with %q: %s", a.status, c.status, c.want, a.body)
			}
		})
	}
}

// TestReloadDropsNoStream: the configuration is replaced while streams run, and again;
// they go on to their ends, and new requests are answered by the new configuration.
func TestReloadDropsNoStream(t *testing.T) {
	t.Parallel()
	old, renewed := newUpstream(t), newUpstream(t)
	site := freePort(t)
	release := make(chan struct{})
	const streams = 20
	old.other = func(c *call) {
		c.beginStream()
		if c.send(roleEvent, delta("before")) && c.hold(release) {
			c.send(delta(" and after"), finishEvent, usageEvent, doneEvent)
		}
	}
	renewed.other = reply("renewed")
	config := func(u *upstream, more string) setup {
		return setup{patient: true, secure: []string{"https://localhost:" + site}, sites: fmt.Sprintf(
			"https://localhost:%s {\n\ttls internal\n\tai_proxy {\n\t\tprovider passed %s/v1 {\n\t\t\ttype openai\n\t\t}\n\t\tprovider rewritten %[2]s/v1 {\n\t\t\ttype compatible\n\t\t}\n%s\t}\n}\n", site, u.url, more)}
	}
	g := start(t, config(old, ""))
	url := "https://localhost:" + site + chatPath
	var open20 []*stream
	for i := range streams {
		road := roads[i%len(roads)]
		client := newClient(t, protocols[i%3], g.authority(t))
		st := open(t, soon(t), client, url, ask(road+"/some-model", true))
		st.until(t, "before")
		open20 = append(open20, st)
	}
	for i, s := range []setup{config(renewed, ""), config(renewed, "\t\tkeep_alive 30s\n"), config(renewed, "\t\theader_hold 5s\n")} {
		g.write(t, "Caddyfile", s.caddyfile())
		if out, err := g.caddy(t, "reload", "--config", "Caddyfile", "--adapter", "caddyfile", "--address", "unix/"+g.home+"/admin.sock"); err != nil {
			t.Fatalf("reload %d: %v\n%s", i, err, out)
		}
		a := exchange(t, newClient(t, "HTTP/2.0", g.authority(t)), url, ask("passed/some-model", false))
		if a.status != http.StatusOK || !strings.Contains(string(a.body), "renewed") {
			t.Errorf("after reload %d: status %d: %s", i, a.status, a.body)
		}
	}
	close(release)
	var all sync.WaitGroup
	for i, st := range open20 {
		all.Go(func() {
			text, err := io.ReadAll(bufio.NewReader(st.lines))
			if err != nil || !strings.Contains(string(text), " and after") || !strings.HasSuffix(string(text), doneEvent) {
				t.Errorf("stream %d over %s ended with %v after %q", i, st.Proto, err, text)
			}
		})
	}
	all.Wait()
	if n := len(old.seen("")); n != streams {
		t.Errorf("the provider was asked %d times for %d streams", n, streams)
	}
}

// TestLogWithoutTheFilterIsWarnedOf.
func TestLogWithoutTheFilterIsWarnedOf(t *testing.T) {
	t.Parallel()
	const warning = "the access log shows the headers in which clients send keys"
	for name, c := range map[string]struct {
		globals, site, option string
		want                  int
	}{
		"no access log":                  {"", "", "", 0},
		"access log":                     {"", "log", "", 1},
		"access log of its own":          {"", "log {\n\t\toutput file {$HOME}/access.log\n\t}", "", 1},
		"access log with the filter":     {"", keyFilter("log"), "", 0},
		"access log with another filter": {"", "log {\n\t\tformat filter {\n\t\t\trequest>uri delete\n\t\t}\n\t}", "", 1},
		"hidden in another way":          {"", "log", "logs_redacted", 0},
		"filter for everything":          {keyFilter("log"), "log", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := "http://127.0.0.1:" + freePort(t)
			g := start(t, setup{globals: c.globals, sites: fmt.Sprintf("%s {\n\tai_proxy {\n\t\t%s\n\t}\n\t%s\n}\n", site, c.option, c.site)})
			g.stop(t)
			lines := g.out.lines(warning)
			if len(lines) != c.want {
				t.Errorf("%d warnings, not %d: %q", len(lines), c.want, lines)
			}
			for _, l := range lines {
				if !strings.Contains(l, `"level":"warn"`) || !strings.Contains(l, "request>headers ai_proxy") {
					t.Errorf("the warning does not say what to do: %s", l)
				}
			}
		})
	}
}
