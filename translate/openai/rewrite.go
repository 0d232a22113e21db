package openai

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// Rewrite appends the request to dst as a provider with these quirks takes it. The
// members are those of the body, in source order, as [ReadHead] accepted them; q holds
// for the model ([Quirks.For]). What no quirk is about keeps its bytes and its place.
//
// The parameters of the client that did not make it are returned by name, such as
// "seed" or "messages[].name"; what was merely renamed, or replaced by something that
// says the same, is not among them. The error is a 400 for a parameter that the
// provider cannot do without changing the answer; out is dst then.
func Rewrite(dst, body []byte, members []jsonscan.Member, q *Quirks, e Edit) (out []byte, dropped []string, err *translate.Error) {
	r := rewriter{q: q, edit: e, body: body, members: members, out: dst}
	if q.StreamOnly {
		r.edit.Stream = &yes
	}
	r.plan()
	r.out = append(r.out, '{')
	for i := range members {
		if r.member(&members[i]); r.err != nil {
			return dst, nil, r.err
		}
	}
	r.add()
	return append(r.out, '}'), r.dropped, nil
}

var yes = true

// rewriter writes one request anew.
type rewriter struct {
	q       *Quirks
	edit    Edit
	body    []byte
	members []jsonscan.Member
	out     []byte
	dropped []string
	err     *translate.Error

	streaming bool
	usage     bool   // stream_options.include_usage is to be set
	noTools   bool   // all of the client's tools are left out
	limit     string // the member that gives the output limit; "" if there is none
	choice    choice
	schema    []byte // the raw json_schema that goes into a system message
}

// get returns the raw value of the client's parameter, nil if it is absent or null.
func (r *rewriter) get(name string) []byte {
	for i := range r.members {
		if m := &r.members[i]; string(m.Name) == name && !jsonscan.IsNull(m.Value) {
			return m.Value
		}
	}
	return nil
}

// plan decides what depends on more than one parameter.
func (r *rewriter) plan() {
	r.streaming = r.edit.streams(r.get("stream"))
	r.usage = r.streaming && r.edit.IncludeUsage && r.q.StreamUsage != "always" && !slices.Contains(r.q.Drop, "stream_options")
	for _, name := range [...]string{"max_completion_tokens", "max_tokens"} {
		if r.limit == "" && r.get(name) != nil {
			r.limit = name
		}
	}
	r.planTools()
	if format := r.get("response_format"); r.q.JSONSchema == "json_object" && formatType(format) == "json_schema" {
		if r.schema = jsonscan.Get(format, "json_schema"); r.schema == nil {
			r.schema = []byte("{}")
		}
	}
}

// has reports whether the client's parameter will be written, be it as null.
func (r *rewriter) has(name string) bool {
	for i := range r.members {
		if m := &r.members[i]; string(m.Name) == name {
			return !r.q.DropNulls || !jsonscan.IsNull(m.Value)
		}
	}
	return false
}

func (r *rewriter) drop(name string) {
	if !slices.Contains(r.dropped, name) {
		r.dropped = append(r.dropped, name)
	}
}

// member writes one of the client's top-level members.
func (r *rewriter) member(m *jsonscan.Member) {
	null := jsonscan.IsNull(m.Value)
	if listed(r.q.Reject, m.Name) != "" {
		if !asksNothing(m.Value) {
			r.err = unsupported(string(m.Name))
		}
		return
	}
	if name := listed(r.q.Drop, m.Name); name != "" {
		switch {
		case null, name == "n" && asksNothing(m.Value):
		case name == "n":
			r.err = unsupported(name)
		default:
			r.drop(name)
		}
		return
	}
	if null && r.q.DropNulls {
		return
	}
	switch string(m.Name) {
	case "model":
		if name := r.edit.model(); name != nil {
			r.value("model", name)
			return
		}
	case "stream":
		if r.edit.Stream != nil {
			r.value("stream", strconv.AppendBool(nil, r.streaming))
			return
		}
	case "stream_options":
		r.streamOptions(m.Value)
		return
	case "max_tokens", "max_completion_tokens":
		if r.q.MaxTokens != "" {
			r.maxTokens(m)
			return
		}
	case "temperature":
		if t, ok := jsonscan.Float(m.Value); ok && r.q.MaxTemperature > 0 && t > r.q.MaxTemperature {
			r.value("temperature", strconv.AppendFloat(nil, r.q.MaxTemperature, 'g', -1, 64))
			return
		}
	case "reasoning_effort":
		r.effort(m)
		return
	case "response_format":
		r.responseFormat(m.Value)
		return
	case "tools":
		r.tools(m.Value)
		return
	case "tool_choice":
		r.toolChoice(m)
		return
	case "parallel_tool_calls":
		if r.noTools {
			return
		}
	case "messages":
		r.messages(m.Value)
		return
	}
	r.keep(m)
}

// listed returns the entry of the list that is the name, or "".
func listed(list []string, name []byte) string {
	for _, s := range list {
		if s == string(name) {
			return s
		}
	}
	return ""
}

// asksNothing reports whether a parameter has a value that is as good as none; for the
// only one it is about that is a number, "n", that is 1.
func asksNothing(raw []byte) bool {
	switch {
	case isNumber(raw):
		f, _ := jsonscan.Float(raw)
		return f == 1
	case isObject(raw), isArray(raw):
		w := jsonscan.Walk(raw)
		return !w.Next()
	}
	return jsonscan.IsNull(raw) || raw[0] == 'f' || string(raw) == `""`
}

func unsupported(param string) *translate.Error {
	return translate.BadRequest("unsupported_parameter", param, "Unsupported parameter: '"+param+"' is not supported with this model.")
}

// keep writes a member with its own value, under the provider's name for it.
func (r *rewriter) keep(m *jsonscan.Member) {
	to, ok := r.q.Rename[string(m.Name)]
	switch {
	case !ok:
		r.raw(r.body[m.Start:m.End])
	case r.has(to):
		if !jsonscan.IsNull(m.Value) {
			r.drop(string(m.Name))
		}
	default:
		r.name(to)
		r.out = append(r.out, m.Value...)
	}
}

// value writes a member with another value, under the provider's name for it.
func (r *rewriter) value(name string, raw []byte) {
	if to, ok := r.q.Rename[name]; ok && !r.has(to) {
		name = to
	}
	r.name(name)
	r.out = append(r.out, raw...)
}

// raw writes a member or element as it stands in the client's text.
func (r *rewriter) raw(text []byte) {
	r.comma()
	r.out = append(r.out, text...)
}

// name writes a member's name; the value is to follow.
func (r *rewriter) name(name string) {
	r.comma()
	r.out = append(jsonscan.Quote(r.out, name), ':')
}

// comma divides what follows from what is there, unless that is an opening bracket or a
// colon: no value ends in one.
func (r *rewriter) comma() {
	if last := r.out[len(r.out)-1]; last != '{' && last != '[' && last != ':' {
		r.out = append(r.out, ',')
	}
}

// object writes an object; edit may write a member in its own way, or leave it out, and
// then returns true.
func (r *rewriter) object(raw []byte, edit func(name, value []byte) bool) {
	r.comma()
	r.out = append(r.out, '{')
	for w := jsonscan.Walk(raw); w.Next(); {
		if r.q.DropNulls && jsonscan.IsNull(w.Value) || edit != nil && edit(w.Name, w.Value) {
			continue
		}
		r.raw(raw[w.Start:w.End])
	}
	r.out = append(r.out, '}')
}

// add writes what the client did not send and the provider or the gateway wants.
func (r *rewriter) add() {
	if r.edit.Stream != nil && r.streaming && !r.has("stream") {
		r.value("stream", jsonTrue)
	}
	if r.usage && !r.has("stream_options") {
		r.value("stream_options", usageOptions)
	}
	r.addAll(r.q.Add)
	if r.streaming && r.get("tools") != nil && !r.noTools {
		r.addAll(r.q.AddToolStream)
	}
}

func (r *rewriter) addAll(members map[string]jsontext.Value) {
	if len(members) == 0 {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(members)) {
		if names := strings.Split(key, "|"); !slices.ContainsFunc(names, r.has) {
			r.name(names[0])
			r.out = append(r.out, members[key]...)
		}
	}
}
