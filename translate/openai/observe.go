package openai

import (
	"bytes"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
	"github.com/ai-proxy/caddy-ai-proxy/translate/sse"
)

// Observer looks at the events of a stream that is passed on untouched: it reads what
// accounting needs, notices when the provider fails, and takes out the usage that the
// gateway asked for and the client did not. It allocates nothing but what it reports.
type Observer struct {
	// StripUsage leaves out the extra chunk that holds the usage, StripUsageNull the
	// member "usage":null of all others.
	StripUsage, StripUsageNull bool

	// Content says that the answer has begun in earnest: there was text, a call, a
	// refusal, reasoning or a finish reason.
	Content bool
	// Done says that "[DONE]" has been passed; nothing may follow it.
	Done     bool
	Finished bool
	Finish   translate.FinishReason
	HasUsage bool
	Usage    translate.Usage
	// Err is the failure that the provider reported; the event is not passed.
	Err *translate.Error

	torn   bool // the last event was cut off
	text   pattern
	misses int // chunks that did not fit the pattern
}

// maxMisses is how many patterns are tried on one stream.
const maxMisses = 8

// What the observer looks for. Inside the strings of a chunk these bytes cannot occur,
// because a quote is escaped there.
var (
	memberUsage  = []byte(`"usage"`)
	memberError  = []byte(`"error"`)
	memberFinish = []byte(`"finish_reason"`)
	dataDone     = []byte("[DONE]")
	colonNull    = []byte(":null")
	crlf         = []byte("\r\n")
)

// Pass appends the event to dst as the client is to get it, and notes what it says.
func (o *Observer) Pass(dst []byte, ev *sse.Event) []byte {
	if ev.Stray != nil {
		o.Err = streamFailure(ev.Stray)
		return dst
	}
	data := ev.Data
	if data == nil {
		return appendComment(dst, ev.Raw)
	}
	// "data: " and two line ends: an event with other fields is passed with them.
	if text, ok := o.text.fits(data); ok && len(ev.Raw) <= len(data)+8 {
		dst = append(append(dst, o.text.before...), text...)
		return append(dst, o.text.behind...)
	}
	if bytes.HasPrefix(data, dataDone) {
		if !o.Content {
			o.Err = emptyAnswer()
			return dst
		}
		o.Done = true
		return AppendDone(dst)
	}
	if jsonscan.Valid(data, maxDepth) != nil {
		if ev.Terminated {
			o.Err = translate.UpstreamError("The provider sent an event that is not JSON.")
		}
		o.torn = true
		return dst
	}
	if bytes.Contains(data, memberError) {
		switch value := jsonscan.Get(data, "error"); {
		case isError(value):
			o.Err = streamFailure(data)
			return dst
		case value != nil: // OpenAI's Go client fails at the name alone
			return o.passWithout(dst, data, "error")
		}
	}
	finishes := finishes(data)
	if !o.Content || finishes {
		o.lookAt(data)
	}
	start := len(dst)
	switch i := bytes.Index(data, memberUsage); {
	case i < 0:
		dst = appendEvent(dst, ev)
	case isNullMember(data[i+len(memberUsage):]):
		if o.StripUsageNull {
			dst = appendWithoutNull(dst, data, i)
		} else {
			dst = appendEvent(dst, ev)
		}
	default:
		return o.passUsage(dst, ev, data)
	}
	if o.Content && !finishes {
		o.learn(data, dst[start:])
	}
	return dst
}

// appendComment appends an event without data if it is a comment. Others are no events
// (HTML standard, section 9.2.6), and OpenAI's JavaScript client fails at those that have
// a name.
func appendComment(dst, raw []byte) []byte {
	if len(raw) == 0 || raw[0] != ':' {
		return dst
	}
	dst = append(dst, raw...)
	if last := raw[len(raw)-1]; last != '\n' && last != '\r' {
		dst = append(dst, '\n') // the body ended in it
	}
	return dst
}

// learn keeps what the text chunks of the stream have in common, and what became of the
// last one. It gives up on streams whose chunks are never alike.
func (o *Observer) learn(data, event []byte) {
	if o.misses < maxMisses {
		o.misses++
		o.text.learn(data, event)
	}
}

// passWithout passes the event of a chunk without one of its members.
func (o *Observer) passWithout(dst, data []byte, name string) []byte {
	members, err := jsonscan.Object(nil, data, maxDepth)
	if err != nil {
		o.Err = translate.UpstreamError("The provider sent an event that has a member twice.")
		return dst
	}
	for i := range members {
		if string(members[i].Name) == name {
			raw := appendWithout(nil, data, members, i)
			ev := sse.Event{Raw: raw, Data: raw[len("data: ") : len(raw)-len("\n\n")], Terminated: true}
			return o.Pass(dst, &ev)
		}
	}
	return dst
}

// lookAt notes whether the chunk has content, and why a choice ended.
func (o *Observer) lookAt(data []byte) {
	choices := jsonscan.Walk(jsonscan.Get(data, "choices"))
	for choices.Next() {
		members := jsonscan.Walk(choices.Value)
		index := int64(0)
		for members.Next() {
			switch string(members.Name) {
			case "index":
				index, _ = jsonscan.Int(members.Value)
			case "finish_reason":
				if jsonscan.IsString(members.Value) {
					o.Content, o.Finished = true, true
					if index == 0 {
						o.Finish, _ = readFinish(members.Value)
					}
				}
			case "delta":
				o.Content = o.Content || hasContent(members.Value)
			}
		}
	}
}

// hasContent reports whether a delta says more than who speaks.
func hasContent(delta []byte) bool {
	members := jsonscan.Walk(delta)
	for members.Next() {
		if string(members.Name) == "role" {
			continue
		}
		switch string(members.Value) {
		case "null", `""`, "[]", "{}":
		default:
			return true
		}
	}
	return false
}

// passUsage passes an event that has a member "usage", as far as the client wants it.
func (o *Observer) passUsage(dst []byte, ev *sse.Event, data []byte) []byte {
	var few [16]jsonscan.Member
	members, err := jsonscan.Object(few[:0], data, maxDepth)
	if err != nil {
		return appendEvent(dst, ev)
	}
	at, empty := -1, false
	for i := range members {
		switch string(members[i].Name) {
		case "usage":
			at = i
		case "choices":
			w := jsonscan.Walk(members[i].Value)
			empty = !w.Next()
		}
	}
	if at < 0 || jsonscan.IsNull(members[at].Value) {
		return appendEvent(dst, ev)
	}
	o.readUsage(members[at].Value)
	switch {
	case !o.StripUsage:
		return appendEvent(dst, ev)
	case empty:
		return dst
	}
	return appendWithout(dst, data, members, at)
}

func (o *Observer) readUsage(raw []byte) {
	var d Decoder
	if d.readUsage(raw) {
		o.Usage, o.HasUsage = d.usage, true
		o.Usage.Extra = nil // of no account
	}
}

// End judges the end of the stream; clean is false if the connection broke. It returns
// the error for the client, or nil if the answer is whole.
func (o *Observer) End(clean bool) *translate.Error {
	if o.Done || clean && o.Finished && !o.torn {
		return nil
	}
	if clean && !o.Content && !o.torn {
		return emptyAnswer()
	}
	return translate.UpstreamError("The provider's answer broke off.")
}

// emptyAnswer is the error for an answer in which nothing is said.
func emptyAnswer() *translate.Error {
	err := translate.UpstreamError("The provider sent an empty answer.")
	err.Code = "empty_upstream_response"
	return err
}
