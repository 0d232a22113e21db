package aiproxy

import (
	"bytes"
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
	body, err := readBody(x.r, x.h.MaxBodySize)
	if err != nil {
		return namedModel{}, err
	}
	x.body = body
	if start, end, ok := multipartField(ct, body.b, "model"); ok {
		return namedModel{model: string(body.b[start:end]), start: start, end: end}, nil
	}
	return namedModel{}, nil
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

// multipartField finds the value of a simple field in a multipart/form-data body.
func multipartField(contentType string, body []byte, field string) (start, end int, ok bool) {
	t, params, err := mime.ParseMediaType(contentType)
	if err != nil || t != "multipart/form-data" || params["boundary"] == "" {
		return 0, 0, false
	}
	delimiter := []byte("--" + params["boundary"])
	at := bytes.Index(body, delimiter)
	for at >= 0 {
		part := at + len(delimiter)
		head := bytes.Index(body[part:], []byte("\r\n\r\n"))
		if head < 0 {
			return 0, 0, false
		}
		start = part + head + 4
		next := bytes.Index(body[start:], append([]byte("\r\n"), delimiter...))
		if next < 0 {
			return 0, 0, false
		}
		end = start + next
		if isField(body[part:part+head], field) {
			return start, end, end-start <= openai.MaxModel
		}
		at = end + 2
	}
	return 0, 0, false
}

// isField reports whether a part's header names the field, and no file.
func isField(header []byte, field string) bool {
	for line := range bytes.SplitSeq(header, []byte("\r\n")) {
		name, value, ok := strings.Cut(string(line), ":")
		if !ok || !strings.EqualFold(strings.TrimSpace(name), "Content-Disposition") {
			continue
		}
		_, params, err := mime.ParseMediaType(value)
		return err == nil && params["name"] == field && params["filename"] == ""
	}
	return false
}

// passRoute returns who gets a passed request.
func (x *exchange) passRoute(model string) (*route, *translate.Error) {
	rt := x.h.router
	x.rec.model = model
	if model != "" {
		return rt.resolve(model)
	}
	if rt.standard == "" {
		return nil, translate.BadRequest("missing_required_parameter", "model", "This request names no model, and several providers are configured here: set default_provider.")
	}
	d, err := rt.deployment(rt.standard, "")
	if err != nil {
		return nil, translate.UpstreamError("The default provider is not configured properly.")
	}
	return &route{deployments: []*upstream.Deployment{d}}, nil
}

func (x *exchange) askPassed(ep endpoint, named namedModel, d *upstream.Deployment, key string, held bool) *translate.Error {
	if d.Profile().Dialect != providers.DialectOpenAI {
		return &translate.Error{
			Class: translate.ErrorRequest, Status: http.StatusNotFound, Type: "invalid_request_error", Code: "unsupported_endpoint", NoRetry: true,
			Message: title(d.Profile()) + " has no endpoint " + ep.path + " in OpenAI's form.",
		}
	}
	u, err := url.Parse(d.Provider().Endpoint(ep.path, d.Model))
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
	client.Del("key")
	client.Del("api_key")
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
