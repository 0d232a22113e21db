package aiproxy

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/ai-proxy/caddy-ai-proxy/providers"
	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
	"github.com/ai-proxy/caddy-ai-proxy/translate/openai"
	"github.com/ai-proxy/caddy-ai-proxy/upstream"
)

// pass sends a request of another OpenAI endpoint to a provider as it is, but for the
// model's name, and returns the answer as it is.
func (x *exchange) pass(ep endpoint) {
	named, err := x.readPassed()
	var rt *route
	if err == nil {
		rt, err = x.passRoute(named.model)
	}
	if err == nil {
		x.key = clientKey(x.r.Header)
		err = x.try(rt, func(d *upstream.Deployment, key string, held bool) *translate.Error {
			return x.askPassed(ep, named, d, key, held)
		})
	}
	if err != nil {
		x.fail(err)
	}
}

// namedModel is the model that a body names, and where in the body it stands.
type namedModel struct {
	model      string
	start, end int // of the name itself; both 0 if there is none
	json       bool
}

// readPassed reads the body and finds the model in it.
func (x *exchange) readPassed() (namedModel, *translate.Error) {
	ct := x.r.Header.Get("Content-Type")
	if isJSON(ct) && x.r.ContentLength != 0 {
		if err := x.readJSON(); err != nil {
			return namedModel{}, err
		}
		return x.passedModel()
	}
	if err := x.refuseOtherSites(); err != nil {
		return namedModel{}, err
	}
	body, err := readBody(x.r, x.h.MaxBodySize)
	if err != nil {
		return namedModel{}, err
	}
	x.body = body
	if len(body.b) == 0 {
		return namedModel{}, nil
	}
	return formModel(ct, body.b)
}

// refuseOtherSites refuses requests that a browser sends for a page of another site
// without asking first, as it does with forms: they would spend the keys of a gateway
// in its user's network.
func (x *exchange) refuseOtherSites() *translate.Error {
	origin, site := x.r.Header.Get("Origin"), x.r.Header.Get("Sec-Fetch-Site")
	if x.r.Method != http.MethodPost || x.h.CORS != nil && x.h.CORS.allowed(origin) {
		return nil
	}
	switch site {
	case "same-origin", "none":
		return nil
	case "": // not a browser, or an old one
		if u, err := url.Parse(origin); origin == "" || err == nil && u.Host == x.r.Host {
			return nil
		}
	}
	return &translate.Error{
		Class: translate.ErrorRequest, Status: http.StatusForbidden, Type: "invalid_request_error", Code: "cross_origin", NoRetry: true,
		Message: "Pages of other sites may not send this request.",
	}
}

// passedModel finds the model in a JSON body; there need not be one.
func (x *exchange) passedModel() (namedModel, *translate.Error) {
	named := namedModel{json: true}
	for i := range x.members {
		if m := &x.members[i]; string(m.Name) == "model" && !jsonscan.IsNull(m.Value) {
			named.start, named.end = m.ValueStart, m.End
		}
	}
	var err *translate.Error
	named.model, err = openai.ReadModel(x.members)
	if err != nil && err.Code == "missing_required_parameter" {
		return namedModel{json: true}, nil
	}
	return named, err
}

// formModel finds the model in a multipart/form-data body; there need not be one. Bodies
// in which a server could find another one than this, or one at all, are refused.
func formModel(contentType string, body []byte) (named namedModel, err *translate.Error) {
	t, params, parseErr := mime.ParseMediaType(contentType)
	if t != "multipart/form-data" {
		return named, &translate.Error{
			Class: translate.ErrorRequest, Status: http.StatusUnsupportedMediaType, Type: "invalid_request_error", Code: "unsupported_media_type", NoRetry: true,
			Message: "The request body must be JSON or a form: send the header Content-Type: application/json or multipart/form-data.",
		}
	}
	if parseErr != nil || params["boundary"] == "" {
		return named, errBadForm()
	}
	delimiter := []byte("\r\n--" + params["boundary"])
	part, ok := afterDelimiter(body, delimiter[2:], 0)
	if !ok || part != len(delimiter)-2 {
		return named, errBadForm()
	}
	delimiters := 1
	for ; !bytes.HasPrefix(body[part:], []byte("--")); delimiters++ {
		head := bytes.Index(body[part:], []byte("\r\n\r\n"))
		if head < 0 {
			return named, errBadForm()
		}
		start := part + head + 4
		next, ok := afterDelimiter(body, delimiter, start)
		field, plain := fieldName(body[part+2 : max(part+2, part+head)])
		if !ok || !plain {
			return named, errBadForm()
		}
		if field == "model" {
			if named.end != 0 {
				return named, translate.BadRequest("invalid_value", "model", "The form names more than one model.")
			}
			named.start, named.end = start, next-len(delimiter)
			if named.end-named.start > openai.MaxModel {
				return named, translate.BadRequest("invalid_value", "model", fmt.Sprintf("The name of the model is longer than %d bytes.", openai.MaxModel))
			}
			named.model = string(body[named.start:named.end])
		}
		part = next
	}
	if bytes.Count(body, delimiter[2:]) != delimiters { // one that only some servers take for one
		return named, errBadForm()
	}
	return named, nil
}

func errBadForm() *translate.Error {
	return translate.BadRequest("invalid_value", "", "The request body is not a well-formed multipart/form-data body.")
}

// afterDelimiter returns where the first delimiter at from or behind it ends. What only
// begins like one is none.
func afterDelimiter(body, delimiter []byte, from int) (end int, ok bool) {
	for {
		i := bytes.Index(body[from:], delimiter)
		if i < 0 {
			return 0, false
		}
		from += i + len(delimiter)
		if rest := body[from:]; bytes.HasPrefix(rest, []byte("\r\n")) || bytes.HasPrefix(rest, []byte("--")) {
			return from, true
		}
	}
}

// fieldName returns the name of the field in a part with this header; "" for a part
// without one. plain is false if servers could read the header in different ways, or
// take the model for a file.
func fieldName(header []byte) (field string, plain bool) {
	dispositions := 0
	for line := range bytes.SplitSeq(header, []byte("\r\n")) {
		if len(line) == 0 {
			continue
		}
		name, value, ok := strings.Cut(string(line), ":")
		if !ok || strings.ContainsAny(name, " \t") || strings.ContainsAny(value, "\r\n") {
			return "", false // folded lines begin with a space
		}
		if !strings.EqualFold(name, "Content-Disposition") {
			continue
		}
		t, params, err := mime.ParseMediaType(value)
		if dispositions++; err != nil || t != "form-data" || dispositions > 1 {
			return "", false
		}
		field = params["name"]
		if _, file := params["filename"]; file && field == "model" {
			return "", false
		}
	}
	return field, true
}

// passRoute returns who gets a passed request.
func (x *exchange) passRoute(model string) (*route, *translate.Error) {
	rt := x.h.router
	x.rec.model = model
	if model != "" {
		return rt.resolve(model)
	}
	if rt.modelless == nil {
		return nil, translate.BadRequest("missing_required_parameter", "model", "This request names no model, and several providers are configured here: set default_provider.")
	}
	return rt.modelless, nil
}

func (x *exchange) askPassed(ep endpoint, named namedModel, d *upstream.Deployment, key string, held bool) *translate.Error {
	if d.Profile().Dialect != providers.DialectOpenAI {
		return &translate.Error{
			Class: translate.ErrorRequest, Status: http.StatusNotFound, Type: "invalid_request_error", Code: "unsupported_endpoint", NoRetry: true,
			Message: title(d.Profile()) + " has no endpoint " + ep.path + " in OpenAI's form.",
		}
	}
	path, ok := passedPath(ep.path)
	if !ok {
		return translate.BadRequest("invalid_value", "", "The path is not valid.")
	}
	u, err := url.Parse(d.Provider().Endpoint(path, d.Model))
	if err != nil {
		return translate.BadRequest("invalid_value", "", "The path is not valid.")
	}
	u.RawQuery = joinQuery(u.RawQuery, x.r.URL.Query())
	p := &plan{method: x.r.Method, url: u, buf: x.body, parseError: parseOpenAIError}
	if named.model == "" {
		p.parseError = parseErrorWithoutModel
	}
	p.buf.retain()
	defer p.release()
	p.body = x.passedBody(named, d)
	for _, name := range [...]string{"Content-Type", "Accept", "Openai-Beta"} {
		if v := x.r.Header.Get(name); v != "" {
			p.header = append(p.header, [2]string{name, v})
		}
	}
	resp, failed := x.send(d, p, key, held)
	if failed != nil {
		return failed
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return x.refused(d, p, resp, key, held)
	}
	x.copyAnswer(resp, key)
	return nil
}

// passedPath returns a path as it stands in a URL; ok is false if it leads somewhere
// else than it seems to.
func passedPath(path string) (escaped string, ok bool) {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return "", false
		}
	}
	return (&url.URL{Path: path}).EscapedPath(), true
}

// parseErrorWithoutModel reads an error answer to a request that named no model: what
// was not found is something else.
func parseErrorWithoutModel(status int, header http.Header, body []byte) *translate.Error {
	err := parseOpenAIError(status, header, body)
	if err.Class == translate.ErrorNotFound {
		err.Code = ""
	}
	return err
}

// passedBody is the client's body with the provider's name for the model.
func (x *exchange) passedBody(named namedModel, d *upstream.Deployment) openai.Segments {
	body := x.body.b
	if named.end == 0 || named.model == d.Model {
		return openai.Join(body)
	}
	model := []byte(d.Model)
	if named.json {
		model = d.QuotedModel
	}
	return openai.Join(body[:named.start], model, body[named.end:])
}

// joinQuery adds the client's query to that of the provider's address, without
// parameters in which a key could stand.
func joinQuery(base string, client url.Values) string {
	for _, name := range [...]string{"key", "api_key", "api-key", "apikey", "access_token"} {
		client.Del(name)
	}
	q := client.Encode()
	switch {
	case q == "":
		return base
	case base == "":
		return q
	}
	return base + "&" + q
}

// copyAnswer sends an answer as it comes.
func (x *exchange) copyAnswer(resp *http.Response, key string) {
	x.copyHeaders(resp.Header, key, x.key)
	h := x.w.Header()
	for _, name := range [...]string{"Content-Type", "Content-Encoding"} {
		if v := resp.Header[name]; len(v) > 0 {
			h[name] = v
		}
	}
	h["X-Content-Type-Options"] = []string{"nosniff"} // a file must not become a page of this site
	if resp.ContentLength >= 0 {
		h["Content-Length"] = []string{itoa(int(resp.ContentLength))}
	}
	x.committed = true
	x.w.WriteHeader(resp.StatusCode)
	scrub := newScrubber(key, x.key)
	buf := make([]byte, copySize)
	for {
		n, err := resp.Body.Read(buf)
		x.out = scrub.scrub(x.out[:0], buf[:n])
		if err != nil {
			x.out = scrub.rest(x.out)
		}
		if len(x.out) > 0 {
			if _, werr := x.w.Write(x.out); werr != nil {
				x.rec.err = errClientGone
				return
			}
			if resp.ContentLength < 0 && flush(x.w) != nil {
				x.rec.err = errClientGone
				return
			}
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			x.rec.err = x.streamError(translate.UpstreamError("The provider's answer broke off."))
			// The status is sent, and the body's form unknown: only a broken
			// connection tells the client that the answer is not whole.
			panic(http.ErrAbortHandler)
		}
	}
}

// copySize is how much of an unread answer is moved at a time.
const copySize = 16 << 10
