// Package anthropic speaks Anthropic's Messages dialect to a provider: it encodes
// canonical requests for POST /v1/messages and decodes the answers.
//
// Its facts are those of API version 2026-10-21 (anthropic-sdk-go v2.13.0 and the
// platform documentation of November 2026) and of 2023-06-01, which older models still
// need for sampling parameters.
package anthropic

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// Versions of the API. The newer one refuses sampling parameters.
const (
	versionSampling = "2023-06-01"
	versionCurrent  = "2026-10-21"
)

// FormatReasoning is the format of the reasoning state that this dialect makes and
// takes.
const FormatReasoning = "anthropic-claude-v1"

// Options are what the configuration and the client's headers say about a request. The
// zero value is Anthropic's own API with nothing configured.
type Options struct {
	// Reject makes parameters that would be dropped an error.
	Reject bool
	// Version pins the API version; "" for the newest that takes the request.
	Version string
	// InBody puts the version into the body and leaves the model out of it, as
	// Vertex AI wants it.
	InBody bool
	// Beta are values of anthropic-beta headers to add, each maybe a comma list.
	Beta []string
	// Model replaces the built-in row for the request's model.
	Model *Model
	// MaxTokens is the output limit for requests without one; 0 is 32000.
	MaxTokens int64
	// FastMode asks for speed "fast" where the client's service tier is priority or
	// fast.
	FastMode bool
	// ReasoningDisplay is "summarized", "omitted" or, if empty, "summarized".
	ReasoningDisplay string
	// InterleavedThinking lets models with extended thinking think between tool
	// calls.
	InterleavedThinking bool
	// StripThinking leaves all reasoning out of the history. It is for the second
	// attempt after [ThinkingRejected].
	StripThinking bool
	// DropUnbound lets the provider drop replayed thinking that does not fit the
	// prompt instead of failing the request.
	DropUnbound bool
	// SystemTurns says where system messages behind the first turns go: "" where the
	// model takes them, "hoist" to the end of the system prompt, "wrap" into user
	// turns.
	SystemTurns string
	// NamePrefix writes a message's name before its text instead of dropping it.
	NamePrefix bool
	// Prefill is what becomes of a last assistant turn on models that refuse one: ""
	// an error, "continue" a user turn behind it.
	Prefill string
	// FileIDs lets clients name files of the provider's Files API.
	FileIDs bool
	// WebSearch is the type of the web search tool; "" is web_search_20250305.
	WebSearch string
}

// Path returns the path of the endpoint, relative to the provider's base URL.
func Path(string, bool) string { return "/v1/messages" }

// EncodeRequest returns req as a request to the Messages API. Equal requests and
// options give equal bytes. The error is the client's: status 400 and the JSON path of
// the field at fault.
func EncodeRequest(req *translate.Request, opt Options) (*translate.Encoded, *translate.Error) {
	e := &encoder{req: req, opt: &opt, row: opt.Model}
	if e.row == nil {
		e.row = LookupModel(req.Model)
	}
	e.readExtra()
	e.checkUnsupported()
	e.limitOutput()
	e.reserveNames()
	e.buildTurns()
	e.resolveResults()
	e.checkLastTurn()
	e.decideThinking()
	e.decideFormat()
	e.decideTools()
	e.decideSampling()
	e.limitBreakpoints()
	if e.err != nil {
		return nil, e.err
	}
	e.out.Body = e.body()
	e.out.Header = e.header()
	e.out.Names = e.names.changed()
	return &e.out, nil
}

// encoder holds the decisions about one request while it is encoded.
type encoder struct {
	req *translate.Request
	opt *Options
	row *Model
	out translate.Encoded
	err *translate.Error

	extra []translate.Member // to be copied
	betas []string
	topK  *int64 // top_k as an extension

	maxTokens int64
	system    []block
	turns     []turn
	names     namer
	thinking  thinking
	format    format
	tools     []tool
	choice    toolChoice
	sampling  sampling

	// breakpoints still to be left out, because there are too many
	skipBreakpoints int
}

// fail remembers the first error.
func (e *encoder) fail(code, param, message string) {
	if e.err == nil {
		e.err = translate.BadRequest(code, param, message)
	}
}

// drop notes that the provider or model cannot take a parameter.
func (e *encoder) drop(param string) {
	if e.opt.Reject {
		e.unsupported(param)
		return
	}
	if !slices.Contains(e.out.Dropped, param) {
		e.out.Dropped = append(e.out.Dropped, param)
	}
}

// unsupported refuses a parameter whatever the options say.
func (e *encoder) unsupported(param string) {
	e.fail("unsupported_parameter", param, "'"+param+"' is not supported by this model's provider.")
}

// get returns the extension member called name that is to be copied, or nil.
func (e *encoder) get(name string) jsontext.Value {
	for _, m := range e.extra {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}

// body writes the request. Tools, system and messages stand in the order in which the
// provider's prompt has them, which is also the order of cache breakpoints.
func (e *encoder) body() []byte {
	dst := make([]byte, 0, e.sizeHint())
	dst = append(dst, '{')
	if e.opt.InBody {
		dst = member(dst, "anthropic_version")
		dst = jsonscan.Quote(dst, e.version())
	} else {
		dst = member(dst, "model")
		dst = jsonscan.Quote(dst, e.req.Model)
	}
	dst = intMember(dst, "max_tokens", e.maxTokens)
	dst = e.appendTools(dst)
	dst = e.appendSystem(dst)
	dst = e.appendMessages(dst)
	dst = e.appendThinking(dst)
	dst = e.appendOutputConfig(dst)
	dst = e.appendStop(dst)
	dst = e.appendSampling(dst)
	dst = e.appendIdentity(dst)
	dst = e.appendTier(dst)
	if e.out.Stream {
		dst = append(member(dst, "stream"), "true"...)
	}
	for _, m := range e.extra {
		switch m.Name {
		case "thinking", "output_config", "speed": // written above
		default:
			dst = append(member(dst, m.Name), m.Value...)
		}
	}
	return append(dst, '}')
}

// sizeHint is a little more than the body will have in most cases.
func (e *encoder) sizeHint() int {
	n := 1 << 10
	for i := range e.req.Turns {
		for k := range e.req.Turns[i].Parts {
			p := &e.req.Turns[i].Parts[k]
			n += 64 + len(p.Text) + len(p.Text)/16
			if p.Media != nil {
				n += len(p.Media.Data)
			}
			if p.Call != nil {
				n += len(p.Call.Arguments)
			}
			if p.Reasoning != nil {
				n += len(p.Reasoning.Text) + len(p.Reasoning.Signature) + len(p.Reasoning.Encrypted)
			}
			if p.Result != nil {
				for m := range p.Result.Parts {
					n += 64 + len(p.Result.Parts[m].Text) + len(p.Result.Parts[m].Text)/16
				}
			}
		}
	}
	for i := range e.req.Tools {
		n += 64 + len(e.req.Tools[i].Description) + len(e.req.Tools[i].Parameters)
	}
	return n
}

// version is the API version to ask for: the newest, unless the request has sampling
// parameters that only the older one takes.
func (e *encoder) version() string {
	switch {
	case e.opt.Version != "":
		return e.opt.Version
	case e.row.Version != "":
		return e.row.Version
	case e.sampling.any() && e.opt.InBody:
		return "vertex-2023-10-16"
	case e.sampling.any():
		return versionSampling
	}
	return versionCurrent
}

// header returns the header fields that the body needs.
func (e *encoder) header() [][2]string {
	var h [][2]string
	if !e.opt.InBody {
		h = append(h, [2]string{"anthropic-version", e.version()})
	}
	if beta := strings.Join(e.betas, ","); beta != "" {
		h = append(h, [2]string{"anthropic-beta", beta})
	}
	return h
}

// member appends the name of an object's member, with a comma unless it is the first.
func member(dst []byte, name string) []byte {
	if len(dst) > 0 && dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	dst = append(dst, '"')
	dst = jsonscan.Escape(dst, name)
	return append(dst, '"', ':')
}

// element appends a comma unless the next element of an array is the first.
func element(dst []byte) []byte {
	if len(dst) > 0 && dst[len(dst)-1] != '[' {
		dst = append(dst, ',')
	}
	return dst
}

func stringMember(dst []byte, name, value string) []byte {
	return jsonscan.Quote(member(dst, name), value)
}

func intMember(dst []byte, name string, value int64) []byte {
	return strconv.AppendInt(member(dst, name), value, 10)
}
