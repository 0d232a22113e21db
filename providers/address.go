package providers

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// modelMarker stands for the upstream model's name in a base URL.
const modelMarker = "{model}"

// Address is where requests to a provider go and what they carry, prepared so that
// little is left to do per request. It does not change; many goroutines may use it.
type Address struct {
	// before and after are the URL around the model's name; after is empty, and
	// before all of it, if the name is not part of it.
	before, after string
	marked        bool
	// root is the URL for paths that belong to no model.
	root string
	// deployments is set where only some paths are below the model's URL.
	deployments bool
	// query is "" or begins with "?".
	query   string
	dialect string

	authHeader string // canonical
	bearer     bool
	tokens     []bearerToken
	keys       []preparedKey
	headers    []preparedHeader
	// shared says that header values may be shared between requests, because
	// nothing that follows changes them in place.
	shared bool
}

type bearerToken struct {
	prefix  string
	headers []preparedHeader
}

type preparedKey struct {
	key    string
	header string
	values []string
	extra  []preparedHeader
}

type preparedHeader struct {
	name   string // canonical
	values []string
	force  bool // also replaces what is there
}

// NewAddress prepares the address that a profile gives, for the keys that requests are
// going to carry. The error says what is wrong with the profile's base URL.
//
// What providers and their users call a base URL differs, so these are taken as the
// same: with and without a slash at the end; with the endpoint, such as
// /chat/completions, and without; for Anthropic's dialect, with and without /v1
// (E-105); for Gemini's, with and without /v1beta.
func NewAddress(p *Profile, keys []string) (*Address, error) {
	a := &Address{dialect: p.Dialect, shared: true}
	if err := a.parse(p.BaseURL); err != nil {
		return nil, err
	}
	a.authHeader = http.CanonicalHeaderKey(p.AuthHeader)
	if a.authHeader == "" {
		a.authHeader = "Authorization"
	}
	a.bearer = a.authHeader == "Authorization"
	for prefix, extra := range p.BearerKeys {
		a.tokens = append(a.tokens, bearerToken{prefix, prepareHeaders(extra)})
	}
	slices.SortFunc(a.tokens, func(x, y bearerToken) int { return strings.Compare(x.prefix, y.prefix) })
	for _, key := range keys {
		a.keys = append(a.keys, a.prepareKey(key))
	}
	a.headers = prepareHeaders(p.Headers)
	return a, nil
}

func prepareHeaders(fields map[string]string) []preparedHeader {
	list := make([]preparedHeader, 0, len(fields))
	for name, value := range fields {
		list = append(list, preparedHeader{name: http.CanonicalHeaderKey(name), values: []string{value}})
	}
	slices.SortFunc(list, func(x, y preparedHeader) int { return strings.Compare(x.name, y.name) })
	return list
}

// endpoints are what a full endpoint URL ends in, by dialect.
var endpoints = map[string][]string{
	DialectOpenAI:    {"/chat/completions", "/responses"},
	DialectAnthropic: {"/messages"},
}

func (a *Address) parse(base string) error {
	if strings.Count(base, modelMarker) > 1 {
		return errors.New("it has {model} more than once")
	}
	u, err := url.Parse(base)
	switch {
	case err != nil:
		return errors.New("it is not a URL") // the error of url.Parse repeats the URL, query and all
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New("it must begin with https:// or http://")
	case u.Host == "":
		return errors.New("it has no host")
	case u.User != nil:
		return errors.New("it has a user name or password; keys belong into api_keys")
	case u.Fragment != "":
		return errors.New("it has a fragment (#)")
	case strings.Contains(u.RawQuery, modelMarker):
		return errors.New("{model} can only be part of its path")
	}
	path := strings.Replace(u.EscapedPath(), "%7Bmodel%7D", modelMarker, 1)
	path = strings.TrimRight(path, "/")
	for _, end := range endpoints[a.dialect] {
		if cut, ok := strings.CutSuffix(path, end); ok {
			path = strings.TrimRight(cut, "/")
			break
		}
	}
	switch {
	case a.dialect == DialectAnthropic && !strings.HasSuffix(path, "/v1"):
		path += "/v1"
	case a.dialect == DialectGemini && path == "":
		path = "/v1beta"
	}
	if u.RawQuery != "" {
		a.query = "?" + u.RawQuery
	}
	origin := u.Scheme + "://" + u.Host
	a.before, a.after, a.marked = strings.Cut(origin+path, modelMarker)
	a.root = a.before + a.after
	if head, _, ok := strings.Cut(origin+path, "/openai/deployments/"); ok {
		a.root, a.deployments = head+"/openai", true
	} else if a.marked {
		a.root = strings.TrimRight(a.before, "/")
	}
	return nil
}

// Endpoint returns the URL of a path such as "/chat/completions" or
// "/models/gemini-2.5-pro:streamGenerateContent?alt=sse". A version in front of it
// ("/v1/chat/completions", what clients ask for) is left out, since the base URL says
// which version there is. The query of the base URL is kept. The model is the upstream
// model's name; it matters only where it is part of the base URL, and may be empty for
// paths that belong to no model.
func (a *Address) Endpoint(path, model string) string {
	path = unversioned(path)
	query := a.query
	if query != "" && strings.Contains(path, "?") {
		query = "&" + query[1:]
	}
	if model == "" && a.marked || a.deployments && !belowDeployment(path) {
		return a.root + path + query
	}
	if !a.marked {
		return a.before + path + query
	}
	return a.before + url.PathEscape(model) + a.after + path + query
}

// unversioned cuts /v1, /v1beta and the like off the beginning of a path.
func unversioned(path string) string {
	rest, ok := strings.CutPrefix(path, "/v1")
	if !ok {
		return path
	}
	for _, more := range []string{"beta", "alpha"} {
		if cut, ok := strings.CutPrefix(rest, more); ok {
			rest = cut
			break
		}
	}
	if !strings.HasPrefix(rest, "/") {
		return path
	}
	return rest
}

// belowDeployment reports whether classic Azure has the path below
// /openai/deployments/{deployment}; the others, such as /models, are below /openai.
func belowDeployment(path string) bool {
	for _, p := range []string{"/chat/", "/completions", "/embeddings", "/images/", "/audio/"} {
		if strings.HasPrefix(path, p) {
			return true
		}
	}
	return false
}

// Authorize sets the header that carries the key. Keys that are OAuth tokens go where
// the provider wants those. An empty key sets nothing.
func (a *Address) Authorize(h http.Header, key string) {
	if key == "" {
		return
	}
	var ready *preparedKey
	for i := range a.keys {
		if a.keys[i].key == key {
			ready = &a.keys[i]
			break
		}
	}
	if ready == nil {
		made := a.prepareKey(key)
		ready = &made
	}
	h[ready.header] = a.share(ready.values)
	for _, extra := range ready.extra {
		addToList(h, extra.name, extra.values[0])
	}
}

func (a *Address) prepareKey(key string) preparedKey {
	for _, t := range a.tokens {
		if strings.HasPrefix(key, t.prefix) {
			return preparedKey{key, "Authorization", []string{"Bearer " + key}, t.headers}
		}
	}
	if a.bearer {
		return preparedKey{key, "Authorization", []string{"Bearer " + key}, nil}
	}
	return preparedKey{key, a.authHeader, []string{key}, nil}
}

// SetHeaders sets the profile's fixed headers. Where h has one of them already, it
// stays, for the body of a request may need another version than the usual one; but
// headers that the configuration fixes always win.
func (a *Address) SetHeaders(h http.Header) {
	for i := range a.headers {
		field := &a.headers[i]
		if _, ok := h[field.name]; field.force || !ok {
			h[field.name] = a.share(field.values)
		}
	}
}

// force lets the header win over one that is there.
func (a *Address) force(name string) {
	name = http.CanonicalHeaderKey(name)
	for i := range a.headers {
		if a.headers[i].name == name {
			a.headers[i].force = true
		}
	}
}

func (a *Address) share(values []string) []string {
	if a.shared {
		return values
	}
	return []string{values[0]}
}

// addToList adds a value to a header that is a list separated by commas.
func addToList(h http.Header, name, value string) {
	if has := h[name]; len(has) > 0 {
		value = fmt.Sprintf("%s,%s", strings.Join(has, ","), value)
	}
	h[name] = []string{value}
}
