package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// view is what a client sees of an answer to a chat request.
type view struct {
	status  int
	choices map[int]*choice
	usage   *usage
	// failure is the envelope of an error answer, or of an error event.
	failure *failure
	// done says that the stream has ended with [DONE].
	done bool
	// wrong is what OpenAI would not have sent.
	wrong []string
	// excused are bytes of a provider that are passed, and whose form is its own.
	excused []byte
}

type choice struct {
	text, reasoning, refusal string
	calls                    []*toolCall
	function                 *toolCall
	finish                   string
	begun                    bool // a first delta has been seen
}

type toolCall struct{ id, kind, name, args string }

type usage struct {
	Prompt     int64 `json:"prompt_tokens"`
	Completion int64 `json:"completion_tokens"`
	Total      int64 `json:"total_tokens"`
	Input      struct {
		Cached int64 `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
	Output struct {
		Reasoning int64 `json:"reasoning_tokens"`
	} `json:"completion_tokens_details"`
}

type failure struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

func (f *failure) code() string {
	if f.Code == nil {
		return ""
	}
	return *f.Code
}

// said is a message, or a delta of one.
type said struct {
	Role      *string         `json:"role"`
	Content   json.RawMessage `json:"content"`
	Reasoning *string         `json:"reasoning_content"`
	Refusal   *string         `json:"refusal"`
	Calls     []struct {
		Index    *int    `json:"index"`
		ID       string  `json:"id"`
		Type     string  `json:"type"`
		Function *called `json:"function"`
	} `json:"tool_calls"`
	Function *called `json:"function_call"`
}

type called struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

// body is a completion or a chunk.
type body struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	Model   string `json:"model"`
	Choices []struct {
		Index   int     `json:"index"`
		Message *said   `json:"message"`
		Delta   *said   `json:"delta"`
		Finish  *string `json:"finish_reason"`
	} `json:"choices"`
	Usage *usage `json:"usage"`
}

// blame notes that something is wrong, unless that has been noted often enough.
func (v *view) blame(format string, args ...any) {
	if len(v.wrong) < 8 {
		v.wrong = append(v.wrong, fmt.Sprintf(format, args...))
	}
}

// validate holds a text against a schema.
func (v *view) validate(s *jsonschema.Schema, what string, text []byte) {
	bad := violation(s, text)
	if bad == "" {
		return
	}
	// The gateway takes this member out for clients that have not asked for usage.
	member := []byte(`,"usage":null`)
	if v.excused != nil && bytes.Contains(bytes.ReplaceAll(v.excused, member, nil), bytes.ReplaceAll(text, member, nil)) {
		return
	}
	v.blame("%s violates the schema: %s", what, bad)
}

// text is that of the first choice.
func (v *view) text() string { return v.first().text }

func (v *view) first() *choice {
	if c := v.choices[0]; c != nil {
		return c
	}
	return new(choice)
}

// read reads an answer to a chat request and holds it against what OpenAI promises.
func (s *schemas) read(a *answer, stream, includeUsage bool, excused ...byte) *view {
	v := &view{status: a.status, choices: map[int]*choice{}, excused: excused}
	if a.err != nil {
		v.blame("the answer broke off: %v", a.err)
	}
	kind := a.header.Get("Content-Type")
	switch {
	case a.status != 200:
		if !strings.HasPrefix(kind, "application/json") {
			v.blame("an error has the content type %q", kind)
		}
		v.readFailure(s, a.body)
	case stream:
		if !strings.HasPrefix(kind, "text/event-stream") {
			v.blame("a stream has the content type %q", kind)
		}
		v.readStream(s, a.body, includeUsage)
	default:
		if !strings.HasPrefix(kind, "application/json") {
			v.blame("an answer has the content type %q", kind)
		}
		v.readCompletion(s, a.body)
	}
	if id := a.header.Get("X-Request-Id"); id == "" {
		v.blame("there is no x-request-id")
	}
	return v
}

func (v *view) readFailure(s *schemas, text []byte) {
	v.validate(s.failure, "the error", text)
	var e struct {
		Error *failure `json:"error"`
	}
	if json.Unmarshal(text, &e) == nil {
		v.failure = e.Error
	}
	if v.failure == nil {
		v.failure = new(failure)
	}
}

func (v *view) readCompletion(s *schemas, text []byte) {
	v.validate(s.completion, "the answer", text)
	var b body
	if err := json.Unmarshal(text, &b); err != nil {
		v.blame("the answer cannot be decoded: %v", err)
		return
	}
	v.usage = b.Usage
	for _, c := range b.Choices {
		if c.Message == nil || v.choices[c.Index] != nil {
			v.blame("choice %d has no message, or comes twice", c.Index)
			continue
		}
		v.add(c.Index, c.Message, c.Finish)
	}
}

// readStream reads the events of a stream, as strictly as the least tolerant of OpenAI's
// own clients: lines end in LF or CRLF, and hold data or a comment.
func (v *view) readStream(s *schemas, text []byte, includeUsage bool) {
	var first *body
	counted := 0
	for _, data := range v.events(text) {
		switch {
		case v.done || v.failure != nil:
			v.blame("something follows the end of the stream: %.200s", data)
			continue
		case string(data) == "[DONE]":
			v.done = true
			continue
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(data, &members); err != nil {
			v.blame("an event is not JSON: %.200s", data)
			continue
		}
		if members["error"] != nil {
			v.readFailure(s, data)
			continue
		}
		v.validate(s.chunk, "a chunk", data)
		var b body
		if err := json.Unmarshal(data, &b); err != nil {
			v.blame("a chunk cannot be decoded: %v: %.200s", err, data)
			continue
		}
		if counted > 0 {
			v.blame("a chunk follows the one with usage: %.200s", data)
		}
		if members["usage"] != nil && !includeUsage {
			v.blame("a chunk has usage that was not asked for: %.200s", data)
		}
		if b.Usage != nil {
			counted++
			v.usage = b.Usage
			if len(b.Choices) > 0 {
				v.blame("the chunk with usage has choices: %.200s", data)
			}
		}
		if first == nil {
			first = &b
		}
		if b.ID != first.ID || b.Model != first.Model || b.Created != first.Created {
			v.blame("id, model or created differ from those of the first chunk: %.200s", data)
		}
		for _, c := range b.Choices {
			if c.Delta == nil {
				v.blame("a choice has no delta: %.200s", data)
				continue
			}
			v.add(c.Index, c.Delta, c.Finish)
		}
	}
}

// events returns the data of the events in a stream.
func (v *view) events(text []byte) [][]byte {
	var all [][]byte
	var data []byte
	for line := range bytes.Lines(text) {
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		value, isData := bytes.CutPrefix(line, []byte("data:"))
		switch {
		case isData && data == nil:
			data = append([]byte{}, bytes.TrimPrefix(value, []byte(" "))...)
		case isData:
			data = append(append(data, '\n'), bytes.TrimPrefix(value, []byte(" "))...)
		case len(line) == 0 && data != nil:
			all = append(all, data)
			data = nil
		case len(line) > 0 && line[0] != ':':
			v.blame("a line of the stream is neither data nor a comment: %.100q", line)
		}
	}
	if data != nil {
		v.blame("no blank line follows the last event: %.100q", data)
	}
	return all
}

// add adds a message, or a delta of one, to a choice.
func (v *view) add(index int, d *said, finish *string) {
	c := v.choices[index]
	if c == nil {
		c = new(choice)
		v.choices[index] = c
	}
	if c.finish != "" {
		v.blame("choice %d goes on after its end", index)
	}
	if (d.Role != nil) == c.begun {
		v.blame("choice %d: role stands in another delta than the first", index)
	}
	c.begun = true
	var text *string
	if d.Content != nil && json.Unmarshal(d.Content, &text) != nil {
		v.blame("choice %d: the content is not a string: %.200s", index, d.Content)
	}
	c.text += deref(text)
	c.reasoning += deref(d.Reasoning)
	c.refusal += deref(d.Refusal)
	if d.Function != nil {
		if c.function == nil {
			c.function = new(toolCall)
		}
		c.function.name += d.Function.Name
		c.function.args += d.Function.Arguments
	}
	v.addCalls(index, c, d)
	if finish != nil {
		c.finish = *finish
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// addCalls adds whole calls, or the fragments of calls that stand in a delta: the first
// of a call has its id, type and name, and the others have none of them.
func (v *view) addCalls(index int, c *choice, d *said) {
	for i, t := range d.Calls {
		at := len(c.calls)
		if t.Index != nil {
			at = *t.Index
		} else if i != at {
			v.blame("choice %d: a fragment of a call has no index", index)
			return
		}
		switch {
		case at < 0 || at > len(c.calls):
			v.blame("choice %d: call %d comes after %d others", index, at, len(c.calls))
			return
		case at == len(c.calls):
			if t.ID == "" || t.Type == "" || t.Function == nil || t.Function.Name == "" {
				v.blame("choice %d: call %d begins without id, type or name", index, at)
				return
			}
			c.calls = append(c.calls, &toolCall{id: t.ID, kind: t.Type, name: t.Function.Name})
		case t.ID != "" || t.Function != nil && t.Function.Name != "":
			v.blame("choice %d: call %d is named again", index, at)
		}
		if t.Function != nil {
			c.calls[at].args += t.Function.Arguments
		}
	}
}
