// Package gemini speaks Google's generateContent dialect to a provider: requests are
// encoded into it and its answers are decoded into events. It serves the Gemini API
// (v1beta) and, with [Options.Vertex], the same models on Vertex AI.
package gemini

import (
	"net/url"
	"slices"
	"strings"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/go-json-experiment/json/jsontext"
)

// Options are what the configuration of a provider says about its requests. The zero
// value is the public Gemini API with the behaviour that loses least.
type Options struct {
	// Reject answers a parameter the provider cannot take with an error instead of
	// leaving it out.
	Reject bool
	// Vertex is set for Vertex AI, which takes gs:// files and refuses call ids,
	// store and serviceTier.
	Vertex bool
	// SafetySettings is an array of {category, threshold} that is sent unless the
	// client sends its own; nil sends none.
	SafetySettings jsontext.Value
	// SystemTurns says where system messages behind the first turns go: "" or "hoist"
	// to the end of the system instruction, "wrap" into user turns.
	SystemTurns string
	// OpenAPISchemas sends schemas in the OpenAPI subset even to models that take
	// JSON schema, for regions that refuse it.
	OpenAPISchemas bool
	// PassRemote passes public http(s) URLs of media on instead of insisting that
	// they have been fetched.
	PassRemote bool
	// IncludeThoughts asks for thought summaries although the client did not ask
	// for reasoning.
	IncludeThoughts bool
	// Voices maps OpenAI's voice names to the provider's; audio output is refused
	// for a voice that is not in it. The key "*" stands for any voice.
	Voices map[string]string
	// Model is the model whose abilities hold, where the request's model is only a
	// name for it, such as an endpoint; "" for the request's own.
	Model string
	// MaxBody is the largest body in bytes that the provider takes; 0 means
	// [DefaultMaxBody].
	MaxBody int
}

// DefaultMaxBody is the provider's limit for a request with inline data: 100 MB
// since January 2026 (blog.google, "Increased file size limits").
const DefaultMaxBody = 100 << 20

// maxDepth bounds the nesting of what clients and providers send.
const maxDepth = 200

// Path returns the path and query to append to the provider's base URL, which ends in
// /v1beta (or, on Vertex AI, in /publishers/google).
func Path(model string, stream bool) string {
	name, kind := bareModel(model), "/models/"
	if tuned, ok := strings.CutPrefix(name, "tunedModels/"); ok {
		name, kind = tuned, "/tunedModels/"
	}
	path := kind + url.PathEscape(name)
	if stream {
		return path + ":streamGenerateContent?alt=sse"
	}
	return path + ":generateContent"
}

// EncodeRequest returns the request in the provider's form. Equal requests and
// options give equal bytes. Media at URLs must have been fetched before, see
// [RemoteMedia]. The error is the client's mistake, or a request that the provider
// cannot take.
func EncodeRequest(req *translate.Request, opt Options) (*translate.Encoded, *translate.Error) {
	e := newEncoder(req, opt)
	e.readExtensions()
	e.encodeTools()
	e.generationConfig()
	if e.err != nil {
		return nil, e.err
	}

	e.buf = append(make([]byte, 0, e.sizeHint()), '{')
	e.systemInstruction()
	e.contents()
	e.raw("tools", e.tools)
	e.raw("toolConfig", e.toolConfig)
	e.raw("safetySettings", e.safety)
	if len(e.config) > 0 {
		e.raw("generationConfig", appendMembers(nil, e.config))
	}
	e.raw("cachedContent", e.cached)
	e.tierAndStore()
	e.buf = append(e.buf, '}')
	e.dropRest()
	if e.err != nil {
		return nil, e.err
	}
	if limit := e.opt.MaxBody; len(e.buf) > limit {
		return nil, &translate.Error{
			Class: translate.ErrorRequest, Status: 413, Type: "invalid_request_error", Code: "request_too_large", Param: "messages",
			Message: "The request is larger than the provider takes; send large files by reference instead of inline.",
		}
	}
	e.out.Body = e.buf
	return e.out, nil
}

// encoder holds what the sections of one request have to know of each other.
type encoder struct {
	req  *translate.Request
	opt  Options
	caps *capabilities
	out  *translate.Encoded
	err  *translate.Error
	buf  []byte

	list contentList

	tools, toolConfig []byte
	functions         bool // at least one function is declared
	wire              map[string]string
	taken             map[string]bool
	config            []rawMember
	safety, cached    []byte
	clientConfig      []byte // generation_config of the client, camel case
	clientThinking    []byte // thinking_config of the client, camel case
	instruct          string // what JSON mode would have said

	namesDropped, detailDropped bool
}

// rawMember is a member of an object that is being built.
type rawMember struct {
	name string
	raw  []byte
}

func newEncoder(req *translate.Request, opt Options) *encoder {
	model := opt.Model
	if model == "" {
		model = req.Model
	}
	if opt.MaxBody <= 0 {
		opt.MaxBody = DefaultMaxBody
	}
	return &encoder{req: req, opt: opt, caps: lookup(model), out: &translate.Encoded{Stream: req.Stream}}
}

// wrapSystem reports whether late system messages stay in place, as user text.
func (e *encoder) wrapSystem() bool { return e.opt.SystemTurns == "wrap" }

// sizeHint estimates the size of the body, so that the buffer need not grow.
func (e *encoder) sizeHint() int {
	n := 512 + len(e.tools) + len(e.instruct)
	for i := range e.req.Turns {
		n += 48
		for k := range e.req.Turns[i].Parts {
			n += partSize(&e.req.Turns[i].Parts[k])
		}
	}
	return min(n+n/32, 2*e.opt.MaxBody)
}

func partSize(p *translate.Part) int {
	n := 48 + len(p.Text)
	if p.Media != nil {
		n += len(p.Media.Data) + 64
	}
	if p.Call != nil {
		n += len(p.Call.Arguments) + len(p.Call.Signature) + 64
	}
	if p.Result != nil {
		for i := range p.Result.Parts {
			n += len(p.Result.Parts[i].Text) + 64
		}
	}
	return n
}

// fail remembers the first error.
func (e *encoder) fail(code, param, message string) {
	if e.err == nil {
		e.err = translate.BadRequest(code, param, message)
	}
}

// drop notes a parameter that cannot be sent; in strict mode it is an error.
func (e *encoder) drop(param string) {
	if e.opt.Reject {
		e.fail("unsupported_parameter", param, "The provider of this model does not support "+param+".")
		return
	}
	if len(e.out.Dropped) < maxDropped && !slices.Contains(e.out.Dropped, param) {
		e.out.Dropped = append(e.out.Dropped, param)
	}
}

// dropFirst drops a parameter that many messages may have, and names one of them.
func (e *encoder) dropFirst(done *bool, param string) {
	if !*done {
		*done = true
		e.drop(param)
	}
}

// maxDropped bounds the names of left-out parameters: they end up in a header.
const maxDropped = 64

// raw appends a member to the body unless the value is empty.
func (e *encoder) raw(name string, value []byte) {
	if len(value) > 0 {
		e.buf = append(appendName(e.buf, name), value...)
	}
}

// appendName appends a member's name and colon, and a comma unless the member is the
// first of its object. The name must not need escapes.
func appendName(dst []byte, name string) []byte {
	if c := dst[len(dst)-1]; c != '{' && c != '[' {
		dst = append(dst, ',')
	}
	dst = append(dst, '"')
	dst = append(dst, name...)
	return append(dst, '"', ':')
}

func appendMembers(dst []byte, members []rawMember) []byte {
	dst = append(dst, '{')
	for _, m := range members {
		dst = append(appendName(dst, m.name), m.raw...)
	}
	return append(dst, '}')
}
