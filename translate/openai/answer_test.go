package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/sse"
)

// answerGuard returns a guard in front of out, with ids that tests can foresee.
func answerGuard(out translate.Sink) *translate.Guard {
	n := 0
	return &translate.Guard{
		Out: out, ID: "chatcmpl-own", Model: "own-model", Created: 1700000000, KeepUsage: true,
		NewID: func() string { n++; return "call_own" + strconv.Itoa(n) },
	}
}

// answerStream runs an event stream through decoder, guard and encoder.
func answerStream(q *Quirks, src io.Reader, enc translate.Sink) *translate.Guard {
	g := answerGuard(enc)
	dec := NewDecoder(q)
	r := sse.NewReader(src, 64<<20)
	for {
		ev, err := r.Next()
		if err != nil {
			dec.End(err == io.EOF, g)
			break
		}
		dec.Event(ev.Data, ev.Stray, g)
	}
	g.End()
	return g
}

// answerBody runs a whole answer through decoder, guard and encoder.
func answerBody(q *Quirks, body string, enc translate.Sink) *translate.Guard {
	g := answerGuard(enc)
	dec := NewDecoder(q)
	dec.Body([]byte(body), g)
	dec.End(true, g)
	g.End()
	return g
}

// eventStream joins chunks to an event stream.
func eventStream(chunks ...string) string {
	var b strings.Builder
	for _, c := range chunks {
		b.WriteString("data: " + c + "\n\n")
	}
	return b.String()
}

// deltaStream is eventStream for chunks given by their deltas, closed by "[DONE]". A delta that
// begins with "finish:" is a finish reason.
func deltaStream(list ...string) string {
	chunks := make([]string, 0, len(list)+1)
	for _, d := range list {
		finish := "null"
		if reason, ok := strings.CutPrefix(d, "finish:"); ok {
			d, finish = "{}", `"`+reason+`"`
		}
		chunks = append(chunks, `{"id":"up-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":`+d+`,"finish_reason":`+finish+`}]}`)
	}
	return eventStream(append(chunks, "[DONE]")...)
}

// wholeAnswer is a whole answer with the given message and finish reason.
func wholeAnswer(msg, finish string) string {
	return `{"id":"up-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":` + msg + `,"finish_reason":` + finish + `}]}`
}

// seenTool is a tool call as a client sees it.
type seenTool struct {
	ID, Type, Name, Args string
	Signature            string
}

// seenChoice is a choice as a client sees it.
type seenChoice struct {
	Content, Reasoning, Refusal string
	NullContent                 bool
	Tools                       []seenTool
	Function                    *seenTool
	Finish                      string
	Details, Annotations        []any
	Images                      []any
	Audio                       map[string]any
	Vendor                      map[string]any
	Logprobs                    []any
	RefusalLogprobs             []any
}

// seen is an answer as a client sees it.
type seen struct {
	ID, Model, Tier, Fingerprint string
	Created                      float64
	Choices                      map[int]*seenChoice
	Usage                        map[string]any
	Error                        map[string]any
	Done                         bool
	KeepAlives                   int
	Chunks                       []map[string]any
}

// choice returns the first choice, so that tests need not check for it.
func (s *seen) choice() *seenChoice {
	if c := s.Choices[0]; c != nil {
		return c
	}
	return &seenChoice{}
}

// viewStream runs a stream through to a client's view and checks that it is legal.
func viewStream(t *testing.T, q *Quirks, stream string, opts StreamOptions) *seen {
	t.Helper()
	enc := NewStreamEncoder(opts)
	answerStream(q, strings.NewReader(stream), enc)
	return readClientStream(t, string(enc.Bytes()), opts.IncludeUsage)
}

// viewBoth runs a stream through both encoders and checks that they agree.
func viewBoth(t *testing.T, q *Quirks, stream string) *seen {
	t.Helper()
	s := viewStream(t, q, stream, StreamOptions{IncludeUsage: true})
	enc := NewBodyEncoder(0)
	answerStream(q, strings.NewReader(stream), enc)
	compareViews(t, s, readClientBody(t, enc.Bytes()))
	return s
}

// viewBody runs a whole answer through both encoders and checks that they agree.
func viewBody(t *testing.T, q *Quirks, body string) *seen {
	t.Helper()
	enc := NewStreamEncoder(StreamOptions{IncludeUsage: true})
	answerBody(q, body, enc)
	s := readClientStream(t, string(enc.Bytes()), true)
	whole := NewBodyEncoder(0)
	answerBody(q, body, whole)
	b := readClientBody(t, whole.Bytes())
	compareViews(t, s, b)
	return b
}

func compareViews(t *testing.T, stream, body *seen) {
	t.Helper()
	if (stream.Error == nil) != (body.Error == nil) {
		t.Fatalf("error differs: stream %v, body %v", stream.Error, body.Error)
	}
	if stream.Error != nil {
		return
	}
	if len(stream.Choices) != len(body.Choices) {
		t.Fatalf("choices differ: stream %d, body %d", len(stream.Choices), len(body.Choices))
	}
	for i, a := range stream.Choices {
		b := body.Choices[i]
		if b == nil {
			t.Fatalf("choice %d is missing in the body", i)
		}
		for _, p := range [][3]string{
			{"content", a.Content, b.Content}, {"reasoning", a.Reasoning, b.Reasoning}, {"refusal", a.Refusal, b.Refusal}, {"finish", a.Finish, b.Finish},
			{"tools", fmt.Sprint(a.Tools), fmt.Sprint(b.Tools)}, {"annotations", fmt.Sprint(a.Annotations), fmt.Sprint(b.Annotations)},
			{"images", fmt.Sprint(a.Images), fmt.Sprint(b.Images)}, {"vendor", fmt.Sprint(a.Vendor), fmt.Sprint(b.Vendor)},
			{"logprobs", fmt.Sprint(a.Logprobs), fmt.Sprint(b.Logprobs)},
		} {
			if p[1] != p[2] {
				t.Errorf("choice %d: %s differs\nstream: %q\nbody:   %q", i, p[0], p[1], p[2])
			}
		}
	}
	if fmt.Sprint(stream.Usage) != fmt.Sprint(body.Usage) {
		t.Errorf("usage differs\nstream: %v\nbody:   %v", stream.Usage, body.Usage)
	}
}

// cutReader delivers a text in pieces that end at the given offsets.
type cutReader struct {
	text string
	cuts []int
	pos  int
	err  error
}

func (r *cutReader) Read(p []byte) (int, error) {
	if r.pos == len(r.text) {
		if r.err != nil {
			return 0, r.err
		}
		return 0, io.EOF
	}
	end := len(r.text)
	for len(r.cuts) > 0 && r.cuts[0] <= r.pos {
		r.cuts = r.cuts[1:]
	}
	if len(r.cuts) > 0 {
		end = r.cuts[0]
	}
	n := copy(p, r.text[r.pos:end])
	r.pos += n
	return n, nil
}

// everyByte cuts behind every byte, insideRunes inside every character that has
// several bytes and inside every CRLF.
func everyByte(s string) (cuts []int) {
	for i := 1; i < len(s); i++ {
		cuts = append(cuts, i)
	}
	return cuts
}

func insideRunes(s string) (cuts []int) {
	for i := 1; i < len(s); i++ {
		if !utf8.RuneStart(s[i]) || s[i] == '\n' && s[i-1] == '\r' {
			cuts = append(cuts, i)
		}
	}
	return cuts
}

// waysToCut are the three ways in which every stream is tried.
var waysToCut = []struct {
	name string
	cuts func(string) []int
}{
	{"whole", func(string) []int { return nil }},
	{"byte by byte", everyByte},
	{"inside characters", insideRunes},
}

var errBroken = errors.New("connection reset")

func decodeJSON(t *testing.T, data string) map[string]any {
	t.Helper()
	if strings.ContainsAny(data, "\n\r") {
		t.Fatalf("more than one line: %q", data)
	}
	var v map[string]any
	d := json.NewDecoder(bytes.NewReader([]byte(data)))
	if err := d.Decode(&v); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, data)
	}
	if d.More() {
		t.Fatalf("text behind the JSON: %s", data)
	}
	return v
}
