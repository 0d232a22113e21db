package openai

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// DecodeRequest reads a chat request for a provider of another dialect. It takes what
// OpenAI documents and the extensions of other gateways that carry reasoning and cache
// breakpoints; every mistake is a 400 with the JSON path of the value at fault. No
// object at any depth may name a member twice. The request keeps nothing of body.
//
// Members at the top level that [translate.Request] has no field for go to its Extra,
// unless they are null.
func DecodeRequest(body []byte) (*translate.Request, *translate.Error) {
	var buf [48]jsonscan.Member
	members, scan := jsonscan.Object(buf[:0], body, MaxDepth)
	if scan == nil {
		scan = jsonscan.Unique(body)
	}
	if scan != nil {
		return nil, ScanError(scan)
	}
	head, err := ReadHead(members)
	if err != nil {
		return nil, err
	}
	d := requestDecoder{req: &translate.Request{Model: head.Model, Stream: head.Stream, IncludeUsage: head.IncludeUsage}}
	for i := range members {
		if d.member(&members[i]); d.err != nil {
			return nil, d.err
		}
	}
	if d.finish(); d.err != nil {
		return nil, d.err
	}
	return d.req, nil
}

// requestDecoder builds the canonical request. The first mistake found is kept in err;
// what is read after it is of no interest.
type requestDecoder struct {
	req *translate.Request
	err *translate.Error

	maxTokens     *int64              // the deprecated parameter
	choiceAt      string              // the parameter that gave Choice
	functionCalls map[string][]string // ids of open calls in the deprecated form, by name
}

func (d *requestDecoder) member(m *jsonscan.Member) {
	switch string(m.Name) {
	case "model", "stream", "stream_options": // ReadHead has seen to them
	case "messages":
		d.messages(m.Value)
	case "tools", "tool_choice", "parallel_tool_calls", "functions", "function_call":
		d.toolMember(m)
	default:
		if !d.param(m) && !jsonscan.IsNull(m.Value) {
			d.req.Extra = append(d.req.Extra, translate.Member{Name: string(m.Name), Value: bytes.Clone(m.Value)})
		}
	}
}

// finish checks and settles what needs the whole request.
func (d *requestDecoder) finish() {
	if d.req.Params.MaxTokens == nil {
		d.req.Params.MaxTokens = d.maxTokens
	}
	d.finishTools()
}

// place is where a value stands in the request. It becomes a path only where one is
// needed, such as for an error.
type place struct {
	up    *place
	name  string // "" for an element of an array
	index int
}

func (p *place) at(name string) place { return place{up: p, name: name} }

func (p *place) elem(i int) place { return place{up: p, index: i} }

func (p *place) append(b []byte) []byte {
	if p.up != nil {
		b = p.up.append(b)
	}
	switch {
	case p.name == "":
		return append(strconv.AppendInt(append(b, '['), int64(p.index), 10), ']')
	case len(b) > 0:
		b = append(b, '.')
	}
	return append(b, p.name...)
}

// String returns the JSON path, such as "messages[0].content[1].type".
func (p *place) String() string {
	var buf [96]byte
	return string(p.append(buf[:0]))
}

func (d *requestDecoder) fail(err *translate.Error) {
	if d.err == nil {
		d.err = err
	}
}

func (d *requestDecoder) wrongType(p *place, want string, raw []byte) {
	d.fail(invalidType(p.String(), want, raw))
}

// object reports whether the value is an object; any other is a mistake.
func (d *requestDecoder) object(p *place, raw []byte) bool {
	if !isObject(raw) {
		d.wrongType(p, "an object", raw)
	}
	return isObject(raw)
}

// optional returns the text of a string; "" if it is absent or null.
func (d *requestDecoder) optional(p *place, raw []byte) string {
	if jsonscan.IsNull(raw) {
		return ""
	}
	if !jsonscan.IsString(raw) {
		d.wrongType(p, "a string", raw)
	}
	return jsonscan.String(raw)
}

// present reports whether a value is a string; that it is absent, or of another type,
// is a mistake.
func (d *requestDecoder) present(p *place, raw []byte) bool {
	switch {
	case raw == nil:
		d.fail(missing(p.String()))
	case !jsonscan.IsString(raw):
		d.wrongType(p, "a string", raw)
	default:
		return true
	}
	return false
}

// required returns the text of a string that must be there and must not be empty.
func (d *requestDecoder) required(p *place, raw []byte) string {
	if !d.present(p, raw) {
		return ""
	}
	s := jsonscan.String(raw)
	if s == "" {
		path := p.String()
		d.fail(invalidValue(path, "Invalid '"+path+"': empty string. Expected a string with minimum length 1, but got an empty string instead."))
	}
	return s
}

// oneOf returns a string that must be one of those given; "" if it is absent or null.
func (d *requestDecoder) oneOf(p *place, raw []byte, known ...string) string {
	if jsonscan.IsNull(raw) || !d.present(p, raw) {
		return ""
	}
	s := plain(raw)
	for _, k := range known {
		if string(s) == k {
			return k
		}
	}
	d.fail(invalidValue(p.String(), "Invalid value: '"+clip(string(s))+"'. Supported values are: "+sentence(known)+"."))
	return ""
}

// mustBeOneOf is oneOf for a string that must be there.
func (d *requestDecoder) mustBeOneOf(p *place, raw []byte, known ...string) string {
	if !d.present(p, raw) {
		return ""
	}
	return d.oneOf(p, raw, known...)
}

// sentence lists words as OpenAI's messages do.
func sentence(words []string) string {
	var b strings.Builder
	for i, w := range words {
		switch {
		case i > 0 && i == len(words)-1 && i > 1:
			b.WriteString(", and ")
		case i > 0 && i == len(words)-1:
			b.WriteString(" and ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString("'" + w + "'")
	}
	return b.String()
}

// boolean returns nil for a value that is absent or null.
func (d *requestDecoder) boolean(p *place, raw []byte) *bool {
	if jsonscan.IsNull(raw) {
		return nil
	}
	v, ok := jsonscan.Bool(raw)
	if !ok {
		d.wrongType(p, "a boolean", raw)
	}
	return &v
}

// integer returns nil for a value that is absent or null. Whole numbers count as
// integers however they are written.
func (d *requestDecoder) integer(p *place, raw []byte, low, high int64) *int64 {
	if jsonscan.IsNull(raw) {
		return nil
	}
	f, ok := jsonscan.Float(raw)
	n, err := strconv.ParseInt(string(raw), 10, 64) // saturates
	if err != nil && bytes.ContainsAny(raw, ".eE") {
		n, _ = jsonscan.Int(raw)
		if f >= -1<<63 && f < 1<<63 {
			err = nil
		}
	}
	switch {
	case !ok, math.Trunc(f) != f:
		d.wrongType(p, "an integer", raw)
	case n < low || err != nil && f < 0:
		d.outOfRange(p, raw, "integer", "below", "minimum", ">=", strconv.FormatInt(low, 10))
	case n > high || err != nil:
		d.outOfRange(p, raw, "integer", "above", "maximum", "<=", strconv.FormatInt(high, 10))
	}
	return &n
}

// decimal returns nil for a value that is absent or null.
func (d *requestDecoder) decimal(p *place, raw []byte, low, high float64) *float64 {
	if jsonscan.IsNull(raw) {
		return nil
	}
	f, ok := jsonscan.Float(raw)
	switch {
	case !ok:
		d.wrongType(p, "a decimal", raw)
	case f < low:
		d.outOfRange(p, raw, "decimal", "below", "minimum", ">=", strconv.FormatFloat(low, 'g', -1, 64))
	case f > high:
		d.outOfRange(p, raw, "decimal", "above", "maximum", "<=", strconv.FormatFloat(high, 'g', -1, 64))
	}
	return &f
}

func (d *requestDecoder) outOfRange(p *place, raw []byte, kind, side, bound, sign, limit string) {
	path := p.String()
	d.fail(translate.BadRequest(kind+"_"+side+"_"+bound[:3]+"_value", path,
		"Invalid '"+path+"': "+kind+" "+side+" "+bound+" value. Expected a value "+sign+" "+limit+", but got "+clip(string(raw))+" instead."))
}

// rawObject returns a copy of an object; nil if it is absent or null.
func (d *requestDecoder) rawObject(p *place, raw []byte) jsontext.Value {
	if jsonscan.IsNull(raw) || !d.object(p, raw) {
		return nil
	}
	return bytes.Clone(raw)
}

// texts returns an array of strings; nil if it is absent or null.
func (d *requestDecoder) texts(p *place, raw []byte) []string {
	if jsonscan.IsNull(raw) {
		return nil
	}
	if !isArray(raw) {
		d.wrongType(p, "an array of strings", raw)
		return nil
	}
	out := []string{}
	w := jsonscan.Walk(raw)
	for i := 0; w.Next(); i++ {
		at := p.elem(i)
		if !jsonscan.IsString(w.Value) {
			d.wrongType(&at, "a string", w.Value)
		}
		out = append(out, jsonscan.String(w.Value))
	}
	return out
}
