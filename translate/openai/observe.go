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
}

// What the observer looks for. Inside the strings of a chunk these bytes cannot occur,
// because a quote is escaped there.
var (
	memberUsage  = []byte(`"usage"`)
	memberError  = []byte(`"error"`)
	memberFinish = []byte(`"finish_reason"`)
	dataDone     = []byte("[DONE]")
)

// Pass appends the event to dst as the client is to get it, and notes what it says.
func (o *Observer) Pass(dst []byte, ev *sse.Event) []byte {
	if ev.Stray != nil {
		o.Err = streamFailure(ev.Stray)
		return dst
	}
	data := ev.Data
	if data == nil {
		return append(dst, ev.Raw...)
	}
	if bytes.HasPrefix(data, dataDone) {
		o.Done = true
		return AppendDone(dst)
	}
	if jsonscan.Valid(data, maxDepth) != nil {
		if ev.Terminated {
			o.Err = translate.UpstreamError("The provider sent an event that is not JSON.")
		}
		return dst // what a broken connection left of an event
	}
	if bytes.Contains(data, memberError) && o.failed(data) {
		return dst
	}
	if !o.Content || bytes.Contains(data, memberFinish) {
		o.lookAt(data)
	}
	if i := bytes.Index(data, memberUsage); i >= 0 {
		return o.passUsage(dst, ev, data)
	}
	return appendEvent(dst, ev)
}

// appendEvent appends an event untouched, with the blank line that a provider may have
// left out at the end.
func appendEvent(dst []byte, ev *sse.Event) []byte {
	dst = append(dst, ev.Raw...)
	if !ev.Terminated {
		dst = append(dst, "\n\n"...)
	}
	return dst
}

// failed notes an error that stands where a chunk should.
func (o *Observer) failed(data []byte) bool {
	if !isError(jsonscan.Get(data, "error")) {
		return false
	}
	o.Err = streamFailure(data)
	return true
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
	switch {
	case at < 0:
		return appendEvent(dst, ev)
	case jsonscan.IsNull(members[at].Value):
		if !o.StripUsageNull {
			return appendEvent(dst, ev)
		}
	default:
		o.readUsage(members[at].Value)
		if !o.StripUsage {
			return appendEvent(dst, ev)
		}
		if empty {
			return dst
		}
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

// appendWithout appends the event of a chunk without one of its members.
func appendWithout(dst, data []byte, members []jsonscan.Member, at int) []byte {
	from, to := members[at].Start, members[at].End
	switch {
	case at > 0:
		from = members[at-1].End
	case len(members) > 1:
		to = members[1].Start
	}
	dst = append(dst, "data: "...)
	dst = append(dst, data[:from]...)
	dst = append(dst, data[to:]...)
	return append(dst, "\n\n"...)
}

// End judges the end of the stream; clean is false if the connection broke. It returns
// the error for the client, or nil if the answer is whole.
func (o *Observer) End(clean bool) *translate.Error {
	if o.Done || clean && o.Finished {
		return nil
	}
	if clean && !o.Content {
		return translate.UpstreamError("The provider sent an empty answer.")
	}
	return translate.UpstreamError("The provider's answer broke off.")
}

// ObserveAnswer reads what accounting needs from the members of a whole answer that is
// passed on. It returns an error for an answer that is none.
func ObserveAnswer(members []jsonscan.Member) (Observer, *translate.Error) {
	var o Observer
	var choices []byte
	for i := range members {
		switch m := &members[i]; string(m.Name) {
		case "error":
			if isError(m.Value) {
				return o, streamFailure(errorObject(m.Value))
			}
		case "choices":
			choices = m.Value
		case "usage":
			if !jsonscan.IsNull(m.Value) {
				o.readUsage(m.Value)
			}
		}
	}
	w := jsonscan.Walk(choices)
	for w.Next() {
		o.Content = true
		if reason := jsonscan.Get(w.Value, "finish_reason"); jsonscan.IsString(reason) && !o.Finished {
			o.Finished = true
			o.Finish, _ = readFinish(reason)
		}
	}
	if !o.Content {
		return o, &translate.Error{
			Class: translate.ErrorUpstream, Status: 502, Type: "upstream_error", Code: "empty_upstream_response", Message: "The provider sent an empty answer.",
		}
	}
	return o, nil
}

// errorObject wraps the value of a member "error" again.
func errorObject(value []byte) []byte {
	return append(append([]byte(`{"error":`), value...), '}')
}
