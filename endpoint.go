package aiproxy

import (
	"net/http"
	"strings"
)

// endpointKind is what a request asks of the gateway.
type endpointKind uint8

const (
	// endpointNone is not ours: the next handler's.
	endpointNone endpointKind = iota
	endpointChat
	endpointModels
	// endpointPass is passed to a provider of the OpenAI dialect as it is.
	endpointPass
	// endpointMethod is a path of ours with a method it does not know.
	endpointMethod
)

type endpoint struct {
	kind endpointKind
	// id is the model of GET /v1/models/{id}.
	id string
	// path is what is appended to the provider's base URL, without /v1.
	path string
	// allow are the methods of an endpointMethod.
	allow string
}

// passed are the endpoints below /v1 that are passed through, with the methods that
// OpenAI knows for them. An entry that ends in a slash stands for all paths below it.
var passed = map[string]string{
	"embeddings":    "POST",
	"completions":   "POST",
	"moderations":   "POST",
	"images/":       "POST",
	"audio/":        "GET, POST, DELETE",
	"responses":     "POST",
	"responses/":    "GET, POST, DELETE",
	"files":         "GET, POST",
	"files/":        "GET, DELETE",
	"batches":       "GET, POST",
	"batches/":      "GET, POST",
	"uploads":       "POST",
	"uploads/":      "POST",
	"conversations": "POST",
	// Stored completions.
	"chat/completions/": "GET, POST, DELETE",
	"conversations/":    "GET, POST, DELETE",
}

// findEndpoint sorts a request by method and path. Below /v1 stands OpenAI's API;
// without it only /chat/completions is recognised, because the other names (models,
// files, images) are what sites call their own pages.
func findEndpoint(method, path string) endpoint {
	rest, versioned := strings.CutPrefix(path, "/v1/")
	if !versioned {
		if path != "/chat/completions" || method != http.MethodPost && method != http.MethodOptions {
			return endpoint{}
		}
		rest = path[1:]
	}
	switch {
	case rest == "chat/completions", rest == "chat/completions/":
		switch method {
		case http.MethodPost:
			return endpoint{kind: endpointChat}
		case http.MethodGet: // the list of stored completions
			return endpoint{kind: endpointPass, path: "/chat/completions"}
		}
		return endpoint{kind: endpointMethod, allow: "GET, POST"}
	case rest == "models" || strings.HasPrefix(rest, "models/"):
		if method != http.MethodGet && method != http.MethodHead {
			return endpoint{kind: endpointMethod, allow: "GET, HEAD"}
		}
		return endpoint{kind: endpointModels, id: strings.TrimPrefix(strings.TrimPrefix(rest, "models"), "/")}
	}
	allow, ok := passed[rest]
	if !ok {
		i := strings.IndexByte(rest, '/')
		if i < 0 {
			return endpoint{}
		}
		allow, ok = passed[rest[:i+1]]
		if !ok {
			if allow, ok = passed["chat/completions/"]; !ok || !strings.HasPrefix(rest, "chat/completions/") {
				return endpoint{}
			}
		}
	}
	if !allows(allow, method) {
		return endpoint{kind: endpointMethod, allow: allow}
	}
	return endpoint{kind: endpointPass, path: "/" + rest}
}

// allows reports whether the comma-separated list of methods has method.
func allows(list, method string) bool {
	for m := range strings.SplitSeq(list, ", ") {
		if m == method || m == http.MethodGet && method == http.MethodHead {
			return true
		}
	}
	return false
}
