package anthropic

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// clientView is what a client has read at the end of an answer.
type clientView struct {
	id, model, tier string
	text            string
	reasoning       string
	refusal         string
	tools           []toolView
	details         []detailView
	annotations     []annotationView
	vendor          []string
	finish          translate.FinishReason
	finishes        int
	usage           *translate.Usage
	extra           string
	keepAlives      int
	err             *translate.Error
	ended           bool
	kinds           []translate.EventKind
}

type toolView struct {
	id, name, args string
	index          int
	custom         bool
}

type detailView struct {
	index                   int
	format                  string
	text, signature, opaque string
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

// viewSink builds a clientView and checks that every event is legal by itself.
type viewSink struct {
	t testing.TB
	v clientView
}

func (s *viewSink) Emit(ev *translate.Event) {
	v := &s.v
	v.kinds = append(v.kinds, ev.Kind)
	text := s.unescape(ev.Text)
	if len(ev.Raw) > 0 && !json.Valid(ev.Raw) {
		s.t.Fatalf("raw of event %d is not JSON: %s", ev.Kind, ev.Raw)
	}
	switch ev.Kind {
	case translate.EventStart:
		v.id, v.model, v.tier = ev.ID, ev.Model, ev.ServiceTier
	case translate.EventBlockStart:
		switch ev.Block {
		case translate.BlockTool:
			v.tools = append(v.tools, toolView{id: ev.Call.ID, name: ev.Call.Name, index: ev.Tool, custom: ev.Format == translate.FormatCustomTool})
		case translate.BlockReasoning:
			v.details = append(v.details, detailView{index: ev.Index, format: ev.Format})
		}
	case translate.EventBlockDelta:
		switch ev.Block {
		case translate.BlockText:
			v.text += text
		case translate.BlockRefusal:
			v.refusal += text
		case translate.BlockReasoning:
			v.reasoning += text
			s.detail(ev.Index).text += text
		case translate.BlockTool:
			v.tools[ev.Tool].args += text
		}
	case translate.EventBlockMeta:
		switch ev.Meta {
		case translate.MetaSignature:
			s.detail(ev.Index).signature += text
		case translate.MetaEncrypted:
			s.detail(ev.Index).opaque += text
		case translate.MetaAnnotations:
			var list []annotationView
			if err := json.Unmarshal(ev.Raw, &list); err != nil {
				s.t.Fatalf("annotations: %v: %s", err, ev.Raw)
			}
			v.annotations = append(v.annotations, list...)
		case translate.MetaVendor:
			v.vendor = append(v.vendor, string(ev.Raw))
		}
	case translate.EventUsage:
		u := *ev.Usage
		v.extra = string(u.Extra)
		u.Extra = nil
		v.usage = &u
	case translate.EventFinish:
		v.finish = ev.Reason
		v.finishes++
	case translate.EventKeepAlive:
		v.keepAlives++
	case translate.EventError:
		v.err = ev.Err
	case translate.EventEnd:
		v.ended = true
	}
}

func (s *viewSink) detail(index int) *detailView {
	for i := range s.v.details {
		if s.v.details[i].index == index {
			return &s.v.details[i]
		}
	}
	s.t.Fatalf("reasoning block %d was never opened", index)
	return nil
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
	s := &viewSink{t: t}
	n := 0
	return &translate.Guard{Out: s, ID: "chatcmpl-test", Model: "m", Created: 1, NewID: func() string { n++; return fmt.Sprintf("call_%d", n) }}, &s.v
}

// decodeEvents feeds the data of events and ends the answer well.
func decodeEvents(t testing.TB, enc *translate.Encoded, events ...string) *clientView {
	t.Helper()
	g, v := guarded(t)
	d := NewDecoder(enc)
	for _, ev := range events {
		d.Event([]byte(ev), nil, g)
	}
	d.End(true, g)
	g.End()
	return v
}

// decodeBody feeds a whole answer.
func decodeBody(t testing.TB, enc *translate.Encoded, body string) *clientView {
	t.Helper()
	g, v := guarded(t)
	d := NewDecoder(enc)
	d.Body([]byte(body), g)
	d.End(true, g)
	g.End()
	return v
}

// Shorthands for the events of a stream.

func msgStart(usage string) string {
	return `{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-opus-5","content":[],"stop_reason":null,"usage":` + usage + `}}`
}

func blockStart(index int, block string) string {
	return fmt.Sprintf(`{"type":"content_block_start","index":%d,"content_block":%s}`, index, block)
}

func blockDelta(index int, delta string) string {
	return fmt.Sprintf(`{"type":"content_block_delta","index":%d,"delta":%s}`, index, delta)
}

func textDelta(index int, text string) string {
	return blockDelta(index, `{"type":"text_delta","text":`+quote(text)+`}`)
}

func inputDelta(index int, part string) string {
	return blockDelta(index, `{"type":"input_json_delta","partial_json":`+quote(part)+`}`)
}

func blockStop(index int) string {
	return fmt.Sprintf(`{"type":"content_block_stop","index":%d}`, index)
}

func msgDelta(stop string) string {
	return `{"type":"message_delta","delta":{"stop_reason":` + quote(stop) + `,"stop_sequence":null},"usage":{"output_tokens":7}}`
}

const (
	msgStop   = `{"type":"message_stop"}`
	someUsage = `{"input_tokens":10,"output_tokens":1}`
)

func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
