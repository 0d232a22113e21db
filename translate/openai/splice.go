package openai

import "github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"

// Edit is what the gateway itself changes in a request.
type Edit struct {
	// Model is the name that the provider knows the model by; "" keeps the client's.
	Model string
	// QuotedModel is Model as a JSON string, for callers that keep it; nil if not.
	QuotedModel []byte
	// Stream, if not nil, is what "stream" becomes. Where it turns a stream off,
	// stream_options goes too, because it is not allowed without.
	Stream *bool
	// IncludeUsage sets stream_options.include_usage, if a stream is asked for.
	IncludeUsage bool
	// Reasoning returns the reasoning that led to a tool call, given by its id and the
	// name of its tool, of one of the client's messages, given by its place among them;
	// "" if it is not known. It is asked for what a client has lost of the reasoning
	// that a provider wants back ([Quirks.ReasoningEcho]). Nil: nothing is known.
	Reasoning func(message int, id, name string) string
	// Signature is Reasoning for the signature of a call, with the format that says
	// whose it is, such as "google-gemini-v1".
	Signature func(message int, id, name string) (signature, format string)
}

// model returns the model's name as JSON, nil if it stays.
func (e *Edit) model() []byte {
	if e.QuotedModel == nil && e.Model != "" {
		return jsonscan.Quote(nil, e.Model)
	}
	return e.QuotedModel
}

// streams reports whether the edited request asks for a stream; value is the raw value
// of the client's "stream".
func (e *Edit) streams(value []byte) bool {
	if e.Stream != nil {
		return *e.Stream
	}
	on, _ := jsonscan.Bool(value)
	return on
}

// Segments are the pieces of a request body that was edited without being copied. They
// alias the body, the Edit and constants, and must not be changed. Making one takes no
// memory beyond its own.
type Segments struct {
	parts [8][]byte
	n     int
	size  int
}

// Join returns the body that up to eight parts are, one behind the other.
func Join(parts ...[]byte) (s Segments) {
	for _, p := range parts {
		s.add(p)
	}
	return s
}

// Len returns the length of the whole body in bytes.
func (s *Segments) Len() int { return s.size }

// Slices returns the pieces; one behind the other they are the body.
func (s *Segments) Slices() [][]byte { return s.parts[:s.n] }

// AppendTo appends the body to dst.
func (s *Segments) AppendTo(dst []byte) []byte {
	for _, p := range s.parts[:s.n] {
		dst = append(dst, p...)
	}
	return dst
}

func (s *Segments) add(part []byte) {
	if len(part) > 0 {
		s.parts[s.n] = part
		s.n++
		s.size += len(part)
	}
}

var (
	jsonTrue           = []byte("true")
	jsonFalse          = []byte("false")
	usageOption        = []byte(`"include_usage":true`)
	usageOptionComma   = []byte(`"include_usage":true,`)
	usageOptions       = []byte(`{"include_usage":true}`)
	usageOptionsMember = []byte(`,"stream_options":{"include_usage":true}`)
	streamMember       = []byte(`,"stream":true`)
)

// Splice edits a request that needs nothing else ([Quirks.PassRequest]), by offsets.
// The members are those of the body, in source order, as [ReadHead] accepted them; a
// body without members is returned as it is.
func Splice(body []byte, members []jsonscan.Member, e Edit) (segs Segments) {
	var c cuts
	var stream, options *jsonscan.Member
	at := 0 // the place of options
	for i := range members {
		switch m := &members[i]; string(m.Name) {
		case "model":
			if name := e.model(); name != nil {
				c.replace(m.ValueStart, m.End, name)
			}
		case "stream":
			stream = m
		case "stream_options":
			options, at = m, i
		}
	}
	var value []byte
	if stream != nil {
		value = stream.Value
	}
	on := e.streams(value)
	if e.Stream != nil {
		switch {
		case stream != nil && on:
			c.replace(stream.ValueStart, stream.End, jsonTrue)
		case stream != nil:
			c.replace(stream.ValueStart, stream.End, jsonFalse)
		case on && len(members) > 0:
			c.insert(members[len(members)-1].End, streamMember)
		}
	}
	switch {
	case options != nil && !on && e.Stream != nil:
		c.remove(members, at)
	case options != nil && on && e.IncludeUsage:
		c.includeUsage(options)
	case on && e.IncludeUsage && len(members) > 0:
		c.insert(members[len(members)-1].End, usageOptionsMember)
	}
	return c.apply(body)
}

// cuts are up to three edits: of the model, the stream and its options.
type cuts struct {
	list [3]cut
	n    int
}

// cut puts with in the place of the bytes from start to end.
type cut struct {
	start, end int
	with       []byte
}

// replace notes an edit, in the order of their places; one that is noted later stands
// behind one at the same place.
func (c *cuts) replace(start, end int, with []byte) {
	i := c.n
	for ; i > 0 && c.list[i-1].start > start; i-- {
		c.list[i] = c.list[i-1]
	}
	c.list[i] = cut{start, end, with}
	c.n++
}

func (c *cuts) insert(at int, with []byte) { c.replace(at, at, with) }

// remove takes a member out, with the comma on one side of it.
func (c *cuts) remove(members []jsonscan.Member, i int) {
	switch {
	case i > 0:
		c.replace(members[i-1].End, members[i].End, nil)
	case len(members) > 1:
		c.replace(members[0].Start, members[1].Start, nil)
	default:
		c.replace(members[0].Start, members[0].End, nil)
	}
}

// includeUsage sets the option inside the options that are there.
func (c *cuts) includeUsage(options *jsonscan.Member) {
	if !isObject(options.Value) {
		c.replace(options.ValueStart, options.End, usageOptions)
		return
	}
	base := options.ValueStart
	with := usageOption
	for w := jsonscan.Walk(options.Value); w.Next(); {
		if string(w.Name) == "include_usage" {
			c.replace(base+w.ValueStart, base+w.End, jsonTrue)
			return
		}
		with = usageOptionComma
	}
	c.insert(base+1, with)
}

func (c *cuts) apply(body []byte) (segs Segments) {
	from := 0
	for _, edit := range c.list[:c.n] {
		segs.add(body[from:edit.start])
		segs.add(edit.with)
		from = edit.end
	}
	segs.add(body[from:])
	return segs
}
