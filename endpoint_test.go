package aiproxy

import (
	"net/http"
	"strings"
	"testing"
)

func TestFindEndpoint(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		method, path string
		want         endpoint
	}{
		{"POST", "/v1/chat/completions", endpoint{kind: endpointChat}},
		{"POST", "/chat/completions", endpoint{kind: endpointChat}},
		{"POST", "/v1/chat/completions/", endpoint{kind: endpointChat}},
		{"GET", "/chat/completions", endpoint{}},
		{"GET", "/v1/chat/completions", endpoint{kind: endpointPass, path: "/chat/completions"}},
		{"GET", "/v1/chat/completions/c-1", endpoint{kind: endpointPass, path: "/chat/completions/c-1"}},
		{"PUT", "/v1/chat/completions", endpoint{kind: endpointMethod, allow: "GET, POST"}},
		{"GET", "/v1/models", endpoint{kind: endpointModels}},
		{"HEAD", "/v1/models", endpoint{kind: endpointModels}},
		{"GET", "/v1/models/org/model", endpoint{kind: endpointModels, id: "org/model"}},
		{"POST", "/v1/models", endpoint{kind: endpointMethod, allow: "GET, HEAD"}},
		{"POST", "/v1/embeddings", endpoint{kind: endpointPass, path: "/embeddings"}},
		{"GET", "/v1/embeddings", endpoint{kind: endpointMethod, allow: "POST"}},
		{"POST", "/v1/images/generations", endpoint{kind: endpointPass, path: "/images/generations"}},
		{"POST", "/v1/audio/transcriptions", endpoint{kind: endpointPass, path: "/audio/transcriptions"}},
		{"GET", "/v1/files/f-1/content", endpoint{kind: endpointPass, path: "/files/f-1/content"}},
		{"DELETE", "/v1/files/f-1", endpoint{kind: endpointPass, path: "/files/f-1"}},
		{"POST", "/v1/batches/b-1/cancel", endpoint{kind: endpointPass, path: "/batches/b-1/cancel"}},
		{"POST", "/v1/responses", endpoint{kind: endpointPass, path: "/responses"}},
		{"GET", "/models", endpoint{}},
		{"GET", "/v1", endpoint{}},
		{"GET", "/v1/", endpoint{}},
		{"POST", "/v1/chat", endpoint{}},
		{"POST", "/v1/unknown/thing", endpoint{}},
		{"POST", "/api/v1/chat/completions", endpoint{}},
	} {
		if got := findEndpoint(tc.method, tc.path); got != tc.want {
			t.Errorf("%s %s: got %+v, want %+v", tc.method, tc.path, got, tc.want)
		}
	}
}

func TestPassedEndpoints(t *testing.T) {
	t.Parallel()
	multipart := strings.ReplaceAll("--b\nContent-Disposition: form-data; name=\"file\"; filename=\"model\"\nContent-Type: audio/wav\n\nRIFF model\n--b\nContent-Disposition: form-data; name=\"model\"\n\nwhisper\n--b--\n", "\n", "\r\n")
	for name, tc := range map[string]struct {
		method, path, body, contentType, arrives string
	}{
		"JSON":      {"POST", "/v1/embeddings", `{"model":"embed","input":"x"}`, "application/json", `{"model":"real","input":"x"}`},
		"multipart": {"POST", "/v1/audio/transcriptions", multipart, "multipart/form-data; boundary=b", strings.Replace(multipart, "whisper", "real", 1)},
		"no model":  {"POST", "/v1/batches/b-1/cancel", "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, answerJSON(201, `{"ok":true}`))
			gateway := serve(t, openaiAt(p)+"\nmodel embed openai/real\nmodel whisper openai/real")
			r := call(t, tc.method, gateway+tc.path, tc.body, "Authorization", "Bearer client-key-0123456789", "Content-Type", tc.contentType)
			if r.status != 201 || r.body != `{"ok":true}` {
				t.Errorf("got %d %s", r.status, r.body)
			}
			seen := p.request(t)
			if string(seen.body) != tc.arrives || seen.path != tc.path || seen.method != tc.method {
				t.Errorf("the provider got %s %s\n%q\nwant\n%q", seen.method, seen.path, seen.body, tc.arrives)
			}
			if tc.contentType != "" && seen.header.Get("Content-Type") != tc.contentType {
				t.Errorf("content type %q", seen.header.Get("Content-Type"))
			}
		})
	}
	t.Run("query without keys", func(t *testing.T) {
		t.Parallel()
		p := newProvider(t, answerJSON(200, `{}`))
		call(t, http.MethodGet, serve(t, openaiAt(p))+"/v1/files?limit=2&key=planted-key", "", "Authorization", "Bearer client-key-0123456789")
		if seen := p.request(t); seen.path != "/v1/files?limit=2" {
			t.Errorf("the provider was asked for %s", seen.path)
		}
	})
	t.Run("error", func(t *testing.T) {
		t.Parallel()
		p := newProvider(t, answerJSON(404, `{"error":{"message":"no such file","type":"invalid_request_error","param":"id","code":null}}`))
		wantError(t, call(t, http.MethodGet, serve(t, openaiAt(p))+"/v1/files/x", "", "Authorization", "Bearer client-key-0123456789"), 404, "", "id")
	})
	t.Run("cut off answer", func(t *testing.T) {
		t.Parallel()
		p := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
			answerSSE("data: {}\n\n")(w, r)
			panic(http.ErrAbortHandler)
		})
		r := call(t, http.MethodPost, serve(t, openaiAt(p))+"/v1/responses", `{"model":"gpt-4o"}`, "Authorization", "Bearer client-key-0123456789")
		if r.err == nil {
			t.Errorf("the client took %q for whole", r.body)
		}
	})
	t.Run("several providers and no model", func(t *testing.T) {
		t.Parallel()
		gateway := serve(t, "provider groq\nprovider xai")
		wantError(t, call(t, http.MethodGet, gateway+"/v1/files", "", "Authorization", "Bearer k"), 400, "missing_required_parameter", "model")
	})
}
