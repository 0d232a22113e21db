package anthropic

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// nothing takes events and does nothing.
type nothing struct{ n int }

func (s *nothing) Emit(*translate.Event) { s.n++ }

// stream64 is a stream of 64 text deltas with what stands around them.
func stream64() [][]byte {
	events := []string{msgStart(`{"input_tokens":25,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1,"service_tier":"standard"}`), blockStart(0, `{"type":"text","text":""}`)}
	for i := range 64 {
		events = append(events, textDelta(0, fmt.Sprintf(" token\n%d über", i)))
	}
	events = append(events, blockStop(0), msgDelta("end_turn"), msgStop)
	var out [][]byte
	for _, ev := range events {
		out = append(out, []byte(ev))
	}
	return out
}

func BenchmarkDecodeStream64(b *testing.B) {
	events := stream64()
	b.ReportAllocs()
	for b.Loop() {
		g := translate.Guard{Out: &nothing{}, ID: "chatcmpl-x"}
		d := NewDecoder(plain)
		for _, ev := range events {
			d.Event(ev, nil, &g)
		}
		d.End(true, &g)
		g.End()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/chunk")
}

func BenchmarkDecodeBody(b *testing.B) {
	body := []byte(`{"type":"message","id":"msg_1","model":"m","content":[{"type":"text","text":` + quote(strings.Repeat("Some text with an ü. \n", 500)) + `}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":2}}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		g := translate.Guard{Out: &nothing{}, ID: "chatcmpl-x"}
		d := NewDecoder(plain)
		d.Body(body, &g)
		d.End(true, &g)
		g.End()
	}
}

// prompt200k is a conversation of 200 KB with tools.
func prompt200k() *translate.Request {
	req := request("claude-opus-5", system(strings.Repeat("You are a careful assistant.\n", 200)))
	text := strings.Repeat("A line of \"text\" with an ü in it,\nand another one. ", 40)
	for range 45 {
		req.Turns = append(req.Turns, user(text), assistant(text))
	}
	req.Turns = append(req.Turns, user("go on"))
	for i := range 20 {
		req.Tools = append(req.Tools, function(fmt.Sprintf("tool_%d", i), `{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"}},"required":["a"]}`))
	}
	return req
}

func BenchmarkEncodeRequest200K(b *testing.B) {
	req := prompt200k()
	enc, err := EncodeRequest(req, Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(enc.Body)))
	for b.Loop() {
		if _, err := EncodeRequest(req, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// A text, thinking or argument delta costs no allocation.
func TestDeltasDoNotAllocate(t *testing.T) {
	for name, delta := range map[string]string{
		"text":      textDelta(0, "a \"few\" wörds\n"),
		"thinking":  blockDelta(1, `{"type":"thinking_delta","thinking":"a \"few\" wörds\n"}`),
		"arguments": inputDelta(2, `"a":"few wörds"`),
		"ping":      `{"type":"ping"}`,
	} {
		g := &translate.Guard{Out: &nothing{}, ID: "chatcmpl-x"}
		d := NewDecoder(plain)
		for _, ev := range []string{
			msgStart(someUsage), blockStart(0, `{"type":"text","text":"x"}`), blockStart(1, `{"type":"thinking","thinking":"x"}`), blockStart(2, `{"type":"tool_use","id":"t","name":"f","input":{}}`),
		} {
			d.Event([]byte(ev), nil, g)
		}
		data := []byte(delta)
		if n := testing.AllocsPerRun(1000, func() { d.Event(data, nil, g) }); n != 0 {
			t.Errorf("a %s delta costs %v allocations", name, n)
		}
	}
}

// A whole stream costs a fixed handful of allocations, however long it is.
func TestStreamAllocations(t *testing.T) {
	events := stream64()
	got := testing.AllocsPerRun(100, func() {
		g := translate.Guard{Out: &nothing{}, ID: "chatcmpl-x"}
		d := NewDecoder(plain)
		for _, ev := range events {
			d.Event(ev, nil, &g)
		}
		d.End(true, &g)
		g.End()
	})
	if got > 24 {
		t.Errorf("a stream costs %v allocations", got)
	}
}
