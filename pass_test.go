package aiproxy

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// A path must not lead out of what is passed: with the gateway's own key everything at
// the provider could be asked for.
func TestPassedPathsStayBelowTheirEndpoint(t *testing.T) {
	t.Parallel()
	p := newProvider(t, answerJSON(200, `{}`))
	gateway := serve(t, "provider openai {\nbase_url "+p.URL+"/v1\napi_key held-key-0123456789\n}\nmodel cheap openai")
	for _, path := range []string{
		"/v1/files/..%2fchat/completions", "/v1/files/%2e%2e/%2e%2e/admin", "/v1/files/..", "/v1/files/./x", "/v1/responses/x/..",
	} {
		wantError(t, call(t, http.MethodGet, gateway+path, ""), 400, "invalid_value", "")
	}
	if seen := p.requests(); len(seen) > 0 {
		t.Fatalf("the provider was asked for %s", seen[0].path)
	}
	for path, want := range map[string]string{
		"/v1/files/a%3Fb=c":      "/v1/files/a%3Fb=c",
		"/v1/files/a%23b":        "/v1/files/a%23b",
		"/v1/files/a%25b/..c":    "/v1/files/a%25b/..c",
		"/v1/files/a%20b?after=": "/v1/files/a%20b?after=",
	} {
		call(t, http.MethodGet, gateway+path, "")
		seen := p.requests()
		if got := seen[len(seen)-1].path; got != want {
			t.Errorf("%s arrived as %s, want %s", path, got, want)
		}
	}
}

func multipartBody(fields ...string) string {
	var b strings.Builder
	for i := 0; i < len(fields); i += 2 {
		fmt.Fprintf(&b, "--b\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", fields[i], fields[i+1])
	}
	return b.String() + "--b--\r\n"
}

func TestPassedBodiesThatHideTheirModel(t *testing.T) {
	p := newProvider(t, answerJSON(200, `{}`))
	gateway := serve(t, "provider openai {\nbase_url "+p.URL+"/v1\napi_key held-key-0123456789\n}\nmodel cheap openai")
	form := "multipart/form-data; boundary=b"
	for name, tc := range map[string]struct {
		contentType, body string
		status            int
		code, param       string
	}{
		"JSON as plain text":       {"text/plain", `{"model":"dear"}`, 415, "unsupported_media_type", ""},
		"JSON as a form":           {"application/x-www-form-urlencoded", `{"model":"dear"}`, 415, "unsupported_media_type", ""},
		"two models in JSON":       {"application/json", `{"model":"cheap","model":"dear"}`, 400, "invalid_json", ""},
		"two models in a form":     {form, multipartBody("model", "cheap", "model", "dear"), 400, "invalid_value", "model"},
		"other model":              {form, multipartBody("prompt", "x", "model", "dear"), 404, "model_not_found", "model"},
		"model too long":           {form, multipartBody("model", strings.Repeat("x", 600)), 400, "invalid_value", "model"},
		"form without an end":      {form, "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\ncheap", 400, "invalid_value", ""},
		"form without a delimiter": {"multipart/form-data", multipartBody("model", "dear"), 400, "invalid_value", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := call(t, http.MethodPost, gateway+"/v1/images/edits", tc.body, "Content-Type", tc.contentType)
			if tc.code == "invalid_json" && r.status == 400 {
				return // the scanner says what is wrong with it
			}
			wantError(t, r, tc.status, tc.code, tc.param)
		})
	}
	if n := len(p.requests()); n != 0 {
		t.Errorf("%d requests got through", n)
	}
}

// A form can be sent by any page that its user looks at, without the browser asking.
func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	p := newProvider(t, answerJSON(200, `{}`))
	block := "provider openai {\nbase_url " + p.URL + "/v1\napi_key held-key-0123456789\n}"
	form := multipartBody("model", "gpt-image-1")
	post := func(gateway string, header ...string) reply {
		return call(t, http.MethodPost, gateway+"/v1/images/edits", form, append([]string{"Content-Type", "multipart/form-data; boundary=b"}, header...)...)
	}
	gateway := serve(t, block)
	wantError(t, post(gateway, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"), 403, "cross_origin", "")
	wantError(t, post(gateway, "Origin", "https://evil.example"), 403, "cross_origin", "")
	for name, header := range map[string][]string{"no browser": nil, "same origin": {"Origin", gateway, "Sec-Fetch-Site", "same-origin"}} {
		if r := post(gateway, header...); r.status != 200 {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	if r := post(serve(t, block+"\ncors https://app.example"), "Origin", "https://app.example", "Sec-Fetch-Site", "cross-site"); r.status != 200 {
		t.Errorf("an allowed origin: %d %s", r.status, r.body)
	}
}

func TestKeysTakeTurnsWithoutAModel(t *testing.T) {
	t.Parallel()
	p := newProvider(t, answerJSON(200, `{}`))
	gateway := serve(t, "provider openai {\nbase_url "+p.URL+"/v1\napi_key first-key-0123 second-key-0123\n}")
	for range 2 {
		call(t, http.MethodGet, gateway+"/v1/files", "")
	}
	seen := p.requests()
	if a, b := seen[0].header.Get("Authorization"), seen[1].header.Get("Authorization"); a == b {
		t.Errorf("both requests had the key %q", a)
	}
}

func TestEndpointOfAnotherDialect(t *testing.T) {
	t.Parallel()
	gateway := serve(t, "provider anthropic {\napi_key held-key-0123456789\n}")
	wantError(t, call(t, http.MethodPost, gateway+"/v1/embeddings", `{"model":"claude-sonnet-4-5"}`), 404, "unsupported_endpoint", "")
}

func TestHeadOfAFile(t *testing.T) {
	t.Parallel()
	p := newProvider(t, answerJSON(200, `{"id":"x"}`))
	r := call(t, http.MethodHead, serve(t, openaiAt(p))+"/v1/files/x", "", "Authorization", "Bearer client-key-0123456789")
	if seen := p.request(t); seen.method != http.MethodHead || r.status != 200 || r.header.Get("Content-Length") != "10" {
		t.Errorf("%s answered %d, length %q", seen.method, r.status, r.header.Get("Content-Length"))
	}
}

func TestFilesAreNotPagesOfTheSite(t *testing.T) {
	t.Parallel()
	p := newProvider(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write([]byte("<script>"))
	})
	r := call(t, http.MethodGet, serve(t, openaiAt(p))+"/v1/files/x/content", "", "Authorization", "Bearer client-key-0123456789")
	if got := r.header.Get("X-Content-Type-Options"); got != "nosniff" {
		t.Errorf("X-Content-Type-Options is %q", got)
	}
}

func TestAnswerWithoutABody(t *testing.T) {
	t.Parallel()
	p := newProvider(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	r := call(t, http.MethodDelete, serve(t, openaiAt(p))+"/v1/files/x", "", "Authorization", "Bearer client-key-0123456789")
	if _, ok := r.header["Content-Length"]; r.status != http.StatusNoContent || ok {
		t.Errorf("got %d with %v (RFC 9110, section 8.6)", r.status, r.header)
	}
}

func TestQueryGoesOnWithoutKeys(t *testing.T) {
	t.Parallel()
	p := newProvider(t, answerJSON(200, `{}`))
	gateway := serve(t, "provider openai {\nbase_url "+p.URL+"/v1?api-version=preview\n}")
	call(t, http.MethodGet, gateway+"/v1/files?key=planted&api_key=planted&api-key=planted&apikey=planted&access_token=planted&limit=2", "", "Authorization", "Bearer client-key-0123456789")
	if got := p.request(t).path; got != "/v1/files?api-version=preview&limit=2" {
		t.Errorf("the provider was asked for %s", got)
	}
}

func TestFormsOfRealClients(t *testing.T) {
	t.Parallel()
	p := newProvider(t, answerJSON(200, `{}`))
	gateway := serve(t, openaiAt(p)+"\nmodel whisper openai/real")
	for _, file := range []string{`"файл ü.wav"`, `"a\"b.wav"`, `"C:\dir\x.wav"`, `"x.wav"; filename*=UTF-8''%C3%BC.wav`, `x.wav`, `""`} {
		form := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=" + file + "\r\nContent-Type: audio/wav\r\n\r\nRIFF\x00\n--\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper\r\n--b--\r\n"
		r := call(t, http.MethodPost, gateway+"/v1/audio/transcriptions", form, "Content-Type", "multipart/form-data; boundary=b", "Authorization", "Bearer client-key-0123456789")
		seen := p.requests()
		if r.status != 200 || !strings.HasSuffix(string(seen[len(seen)-1].body), "\r\n\r\nreal\r\n--b--\r\n") {
			t.Errorf("%s: %d %s", file, r.status, r.body)
		}
	}
}
