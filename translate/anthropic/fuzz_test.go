package anthropic

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/openai"
	"github.com/ai-proxy/caddy-ai-proxy/translate/sse"
)

// lawSink checks what must hold for the events of any answer behind the guard.
type lawSink struct {
	t                 *testing.T
	started, terminal bool
	finishes          int
}

func (s *lawSink) Emit(ev *translate.Event) {
	if s.terminal {
		s.t.Fatalf("event %d behind the end", ev.Kind)
	}
	if len(ev.Text) > 0 && !json.Valid([]byte(`"`+string(ev.Text)+`"`)) {
		s.t.Fatalf("text %q is not the inside of a JSON string", ev.Text)
	}
	if len(ev.Raw) > 0 && !json.Valid(ev.Raw) {
		s.t.Fatalf("raw %q is not JSON", ev.Raw)
	}
	switch ev.Kind {
	case translate.EventStart:
		s.started = true
	case translate.EventBlockStart, translate.EventBlockDelta, translate.EventBlockMeta, translate.EventBlockStop:
		if !s.started {
			s.t.Fatal("content before the start")
		}
	case translate.EventUsage:
		u := ev.Usage
		if u.Prompt < 0 || u.Completion < 0 || u.Cached+u.CacheWrite > u.Prompt || u.Reasoning > u.Completion || u.Total() < 0 {
			s.t.Fatalf("usage %+v", *u)
		}
		if !json.Valid([]byte("{" + string(u.Extra) + "}")) {
			s.t.Fatalf("further usage %q", u.Extra)
		}
	case translate.EventFinish:
		s.finishes++
	case translate.EventError:
		s.terminal = true
		if ev.Err == nil || ev.Err.Status < 400 || ev.Err.Message == "" {
			s.t.Fatalf("error %+v", ev.Err)
		}
	case translate.EventEnd:
		s.terminal = true
		if s.finishes != 1 {
			s.t.Fatalf("%d finish reasons", s.finishes)
		}
	}
}

// fuzzedRequests are what the fuzzed answers answer: every feature of the decoder.
var fuzzedRequests = []*translate.Encoded{
	{},
	{JSONTool: "json_output", Names: map[string]string{"f": "f.g"}},
	{JSONTool: "json_output", JSONMember: "value", CustomTools: []string{"f"}, ServerTools: true, Body: []byte(`{"messages":[],"container":{"skills":[]}}`)},
}

func addRecordings(f *testing.F, stream bool) {
	f.Helper()
	for _, r := range loadRecordings(f) {
		if r.stream == stream && len(r.body) < 20000 {
			for i := range fuzzedRequests {
				f.Add(r.body, uint8(i))
			}
		}
	}
}

func FuzzStream(f *testing.F) {
	addRecordings(f, true)
	for i := range fuzzedRequests {
		f.Add([]byte("data: "+strings.Join([]string{
			msgStart(someUsage), blockStart(0, `{"type":"tool_use","id":"t","name":"f","input":{"a":1}}`), inputDelta(0, `{"input":"x\`), blockStop(0),
			blockStart(1, `{"type":"tool_use","id":"u","name":"json_output","input":{}}`), inputDelta(1, `{"value":[1,2`), blockStop(1), msgDelta("pause_turn"), msgStop,
		}, "\n\ndata: ")+"\n\n"), uint8(i))
	}
	f.Fuzz(func(t *testing.T, body []byte, which uint8) {
		enc := fuzzedRequests[int(which)%len(fuzzedRequests)]
		s := &lawSink{t: t}
		g := &translate.Guard{Out: s, ID: "chatcmpl-x", NewID: func() string { return "call_x" }}
		d := NewDecoder(enc)
		d.ExposeRaw = which >= 128
		for leg := 0; ; leg++ {
			r := sse.NewReader(bytes.NewReader(body), 1<<20)
			for {
				ev, err := r.Next()
				if err != nil {
					break
				}
				d.Event(ev.Data, ev.Stray, g)
			}
			next, ok := d.Continue()
			if !ok {
				break
			}
			if !json.Valid(next) || leg > maxContinuations {
				t.Fatalf("continuation %d: %s", leg, next)
			}
		}
		d.End(true, g)
		g.End()
		if !s.terminal || !d.Done() {
			t.Fatal("the answer never ends")
		}
	})
}

func FuzzBody(f *testing.F) {
	addRecordings(f, false)
	f.Fuzz(func(t *testing.T, body []byte, which uint8) {
		s := &lawSink{t: t}
		g := &translate.Guard{Out: s, ID: "chatcmpl-x", NewID: func() string { return "call_x" }}
		d := NewDecoder(fuzzedRequests[int(which)%len(fuzzedRequests)])
		d.ExposeRaw = which >= 128
		d.Body(body, g)
		if next, ok := d.Continue(); ok && !json.Valid(next) {
			t.Fatalf("continuation: %s", next)
		}
		d.End(true, g)
		g.End()
		if !s.terminal {
			t.Fatal("the answer never ends")
		}
		if err := ParseError(400+int(which), nil, body); err.Message == "" || err.Status < 400 {
			t.Fatalf("as an error: %+v", err)
		}
	})
}

// fuzzedModels are one of each kind.
var fuzzedModels = []string{"claude-fable-5-1", "claude-opus-5", "claude-sonnet-5-5", "claude-opus-4-8", "claude-sonnet-4-6", "claude-sonnet-4-5", "claude-3-5-sonnet", "kimi-k3"}

func FuzzEncodeRequest(f *testing.F) {
	files, err := filepath.Glob("testdata/requests/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for i := range fuzzedModels {
			f.Add(raw, uint8(i))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, which uint8) {
		req, fail := openai.DecodeRequest(body)
		if fail != nil {
			return
		}
		req.Model = fuzzedModels[int(which)%len(fuzzedModels)]
		opt := Options{Reject: which&8 != 0, FileIDs: which&16 != 0, NamePrefix: which&32 != 0, DropUnbound: which&64 != 0}
		if which&128 != 0 {
			opt.Prefill, opt.SystemTurns = "continue", "wrap"
		}
		enc, refused := EncodeRequest(req, opt)
		if refused != nil {
			if refused.Status != 400 || refused.Message == "" {
				t.Fatalf("error %+v", refused)
			}
			return
		}
		again, _ := EncodeRequest(req, opt)
		if again == nil || !bytes.Equal(render(enc), render(again)) {
			t.Fatal("a second run gives another request")
		}
		checkLaws(t, enc, opt)
	})
}

// checkLaws checks what the API insists on in every request.
func checkLaws(t *testing.T, enc *translate.Encoded, opt Options) {
	var m struct {
		MaxTokens int64 `json:"max_tokens"`
		Messages  []struct {
			Role    string
			Content []struct {
				Type, Text, ID string
				ToolUseID      string `json:"tool_use_id"`
				Input          json.RawMessage
			}
		}
		Tools    []map[string]json.RawMessage
		Thinking struct {
			Budget int64 `json:"budget_tokens"`
		}
	}
	if err := json.Unmarshal(enc.Body, &m); err != nil {
		// Extensions are copied as they are and may be of another type.
		if !json.Valid(enc.Body) {
			t.Fatalf("%v: %s", err, enc.Body)
		}
		return
	}
	if opt.Reject && len(enc.Dropped) > 1 {
		t.Fatalf("dropped %v in strict mode", enc.Dropped)
	}
	if m.MaxTokens < 1 || len(m.Messages) == 0 || m.Messages[0].Role != "user" {
		t.Fatalf("no limit or no user turn: %s", enc.Body)
	}
	ids := map[string]bool{}
	var open []string
	last := ""
	for _, msg := range m.Messages {
		if msg.Role == last || len(msg.Content) == 0 {
			t.Fatalf("two %s turns in a row, or an empty one: %s", msg.Role, enc.Body)
		}
		last = msg.Role
		var calls []string
		for i, b := range msg.Content {
			switch b.Type {
			case "text":
				if strings.TrimSpace(b.Text) == "" {
					t.Fatalf("blank text: %s", enc.Body)
				}
			case "tool_use":
				if ids[b.ID] || b.ID == "" || replaceIllegal(b.ID) != b.ID || len(b.Input) == 0 || b.Input[0] != '{' {
					t.Fatalf("call %s: %s", b.ID, enc.Body)
				}
				ids[b.ID] = true
				calls = append(calls, b.ID)
			case "tool_result":
				if i >= len(open) || open[i] != b.ToolUseID {
					t.Fatalf("result %d of %v is for %s: %s", i, open, b.ToolUseID, enc.Body)
				}
			}
		}
		if n := len(open); n > 0 && (len(msg.Content) < n || msg.Content[n-1].Type != "tool_result") {
			t.Fatalf("calls %v lack results: %s", open, enc.Body)
		}
		open = calls
	}
	if len(open) > 0 {
		t.Fatalf("calls %v have no results: %s", open, enc.Body)
	}
	if len(ids) > 0 && len(m.Tools) == 0 {
		t.Fatalf("calls without tools: %s", enc.Body)
	}
}
