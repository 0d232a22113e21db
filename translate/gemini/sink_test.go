package gemini

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/sse"
)

// clientView is what a client has read at the end of an answer.
type clientView struct {
	id, model, tier string
	choices         map[int]*choiceView
	usage           *translate.Usage
	err             *translate.Error
	ended           bool
}

type choiceView struct {
	text, reasoning, refusal string
	tools                    []toolView
	encrypted                []string
	annotations              []annotationView
	images                   []string
	audio, vendor, logprobs  []string
	finish                   translate.FinishReason
	finishes                 int
}

type toolView struct {
	id, name, args, signature, format string
	custom                            bool
}

type annotationView struct {
	Type     string `json:"type"`
	Citation struct {
		Start int    `json:"start_index"`
		End   int    `json:"end_index"`
		Title string `json:"title"`
		URL   string `json:"url"`
	} `json:"url_citation"`
}

func (v *clientView) choice(n int) *choiceView {
	c := v.choices[n]
	if c == nil {
		c = &choiceView{}
		v.choices[n] = c
	}
	return c
}

// viewSink builds a clientView and checks that every event is legal by itself.
type viewSink struct {
	t testing.TB
	v clientView
}

func (s *viewSink) Emit(ev *translate.Event) {
	v := &s.v
	if v.err != nil || v.ended {
		s.t.Fatalf("event %d after the end", ev.Kind)
	}
	text := s.unescape(ev.Text)
	if len(ev.Raw) > 0 && !json.Valid(ev.Raw) {
		s.t.Fatalf("raw of event %d is not JSON: %s", ev.Kind, ev.Raw)
	}
	switch ev.Kind {
	case translate.EventStart:
		v.id, v.model = ev.ID, ev.Model
	case translate.EventBlockStart:
		c := v.choice(ev.Choice)
		if ev.Block == translate.BlockTool {
			if ev.Tool != len(c.tools) {
				s.t.Fatalf("tool %d has the index %d", len(c.tools), ev.Tool)
			}
			c.tools = append(c.tools, toolView{id: ev.Call.ID, name: ev.Call.Name, custom: ev.Format == translate.FormatCustomTool})
		}
	case translate.EventBlockDelta:
		c := v.choice(ev.Choice)
		switch ev.Block {
		case translate.BlockText:
			c.text += text
		case translate.BlockRefusal:
			c.refusal += text
		case translate.BlockReasoning:
			c.reasoning += text
		case translate.BlockTool:
			c.tools[ev.Tool].args += text
		}
	case translate.EventBlockMeta:
		s.meta(v.choice(ev.Choice), ev, text)
	case translate.EventUsage:
		u := *ev.Usage
		v.usage, v.tier = &u, ev.ServiceTier
	case translate.EventFinish:
		c := v.choice(ev.Choice)
		c.finish = ev.Reason
		c.finishes++
	case translate.EventError:
		v.err = ev.Err
	case translate.EventEnd:
		v.ended = true
	}
}

func (s *viewSink) meta(c *choiceView, ev *translate.Event, text string) {
	switch ev.Meta {
	case translate.MetaSignature:
		c.tools[ev.Tool].signature, c.tools[ev.Tool].format = text, ev.Format
	case translate.MetaEncrypted:
		if ev.Block != translate.BlockReasoning || ev.Format != FormatReasoning {
			s.t.Fatalf("reasoning state in a block of kind %d with the format %q", ev.Block, ev.Format)
		}
		c.encrypted = append(c.encrypted, text)
	case translate.MetaAnnotations:
		var list []annotationView
		if err := json.Unmarshal(ev.Raw, &list); err != nil {
			s.t.Fatalf("annotations: %v: %s", err, ev.Raw)
		}
		c.annotations = append(c.annotations, list...)
	case translate.MetaImages:
		c.images = append(c.images, string(ev.Raw))
	case translate.MetaAudio:
		c.audio = append(c.audio, string(ev.Raw))
	case translate.MetaLogprobs:
		c.logprobs = append(c.logprobs, string(ev.Raw))
	case translate.MetaVendor:
		c.vendor = append(c.vendor, string(ev.Raw))
	}
}

func (s *viewSink) unescape(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	var out string
	if err := json.Unmarshal([]byte(`"`+string(text)+`"`), &out); err != nil {
		s.t.Fatalf("event text is not the inside of a JSON string: %v: %q", err, text)
	}
	return out
}

// guarded returns a guard in front of a fresh view.
func guarded(t testing.TB) (*translate.Guard, *clientView) {
	s := &viewSink{t: t, v: clientView{choices: make(map[int]*choiceView)}}
	n := 0
	newID := func() string { n++; return fmt.Sprintf("call_%024d", n) }
	return &translate.Guard{Out: s, ID: "chatcmpl-test", Model: "asked", Created: 1, NewID: newID}, &s.v
}

// end ends an answer as the exchange does.
func end(d *Decoder, g *translate.Guard, clean bool) {
	d.End(clean, g)
	g.End()
}

// decodeEvents decodes events of a stream that ends well.
func decodeEvents(t testing.TB, d *Decoder, events ...string) *clientView {
	t.Helper()
	g, v := guarded(t)
	for _, e := range events {
		d.Event([]byte(e), nil, g)
	}
	end(d, g, true)
	return v
}

// decodeBody decodes an answer that is not a stream.
func decodeBody(t testing.TB, d *Decoder, body string) *clientView {
	t.Helper()
	g, v := guarded(t)
	d.Body([]byte(body), g)
	end(d, g, true)
	return v
}

// decodeStream decodes the bytes of a stream.
func decodeStream(t testing.TB, d *Decoder, src io.Reader) *clientView {
	t.Helper()
	g, v := guarded(t)
	r := sse.NewReader(src, 64<<20)
	for {
		ev, err := r.Next()
		if err != nil {
			end(d, g, errors.Is(err, io.EOF))
			return v
		}
		d.Event(ev.Data, ev.Stray, g)
	}
}

// only returns the single choice of an answer.
func (v *clientView) only(t testing.TB) *choiceView {
	t.Helper()
	if v.err != nil {
		t.Fatalf("the answer failed: %v", v.err)
	}
	if len(v.choices) != 1 || v.choices[0] == nil {
		t.Fatalf("got %d choices, want one", len(v.choices))
	}
	if !v.ended {
		t.Fatal("the answer did not end")
	}
	return v.choices[0]
}
