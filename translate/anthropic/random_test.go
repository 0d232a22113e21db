package anthropic

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// maker builds requests out of a run of bytes, so that a fuzzer can steer it.
type maker struct{ rest []byte }

func (m *maker) pick(n int) int {
	if len(m.rest) == 0 {
		return 0
	}
	b := m.rest[0]
	m.rest = m.rest[1:]
	return int(b) % n
}

func one[T any](m *maker, list ...T) T { return list[m.pick(len(list))] }

func (m *maker) text() string { return one(m, "a", "", " \n", "ü \"q\"", "b \t", "\x00\xff") }

func (m *maker) cache() jsontext.Value {
	return one(m, nil, nil, jsontext.Value(`{"type":"ephemeral"}`), jsontext.Value(`{"mode":"explicit","ttl":"12h"}`))
}

func (m *maker) part(role translate.Role) translate.Part {
	p := translate.Part{CacheControl: m.cache(), Path: "messages[0]"}
	media := one(m, translate.Media{URL: "https://e.com/a"}, translate.Media{Data: "/9j/4AAQ"}, translate.Media{Data: "JVBERi0xLjQK"}, translate.Media{FileID: "file_1"}, translate.Media{Data: "SGk=", MIME: "text/plain"})
	switch m.pick(8) {
	case 0:
		p.Kind, p.Media = translate.PartImage, &media
	case 1:
		p.Kind, p.Media = translate.PartFile, &media
	case 2, 3, 4:
		if role != translate.RoleAssistant {
			break
		}
		p.Kind, p.Call = translate.PartToolCall, &translate.ToolCall{
			ID: one(m, "a", "b", "", "x.y", "toolu_1"), Name: one(m, "f", "g.h", "", "web_search"), Arguments: one(m, `{}`, "", `[1]`, `{"a"`, `{"b":"ü"}`), Custom: m.pick(5) == 0,
		}
		return p
	case 5:
		if role != translate.RoleAssistant {
			break
		}
		p.Kind, p.Reasoning = translate.PartReasoning, &translate.Reasoning{
			Text: m.text(), Signature: one(m, "", "s"), Encrypted: one(m, "", "", "d"), Format: one(m, FormatReasoning, "", "other"), Index: m.pick(3),
		}
		return p
	}
	if p.Media == nil {
		p.Kind, p.Text = one(m, translate.PartText, translate.PartText, translate.PartRefusal), m.text()
	}
	return p
}

func (m *maker) turn() translate.Turn {
	t := translate.Turn{Role: one(m, translate.RoleUser, translate.RoleAssistant, translate.RoleTool, translate.RoleSystem, translate.RoleAssistant, translate.RoleTool), Name: one(m, "", "", "n")}
	switch t.Role {
	case translate.RoleTool:
		r := &translate.ToolResult{CallID: one(m, "a", "b", "", "x.y", "toolu_1"), Name: one(m, "", "f"), IsError: m.pick(4) == 0}
		for range m.pick(3) {
			r.Parts = append(r.Parts, m.part(translate.RoleUser))
		}
		t.Parts = []translate.Part{{Kind: translate.PartToolResult, Result: r, CacheControl: m.cache()}}
	case translate.RoleSystem:
		for range m.pick(3) {
			t.Parts = append(t.Parts, translate.Part{Kind: translate.PartText, Text: m.text(), CacheControl: m.cache()})
		}
	default:
		for range m.pick(4) {
			t.Parts = append(t.Parts, m.part(t.Role))
		}
	}
	return t
}

func (m *maker) request() (*translate.Request, Options) {
	req := &translate.Request{Model: one(m, fuzzedModels...), Stream: m.pick(2) == 0}
	p := &req.Params
	p.Effort = one(m, "", "none", "minimal", "high", "xhigh", "max")
	p.MaxTokens = one(m, nil, new(int64(1)), new(int64(3000)), new(int64(1<<40)))
	p.Temperature, p.TopP, p.TopK = one(m, nil, new(0.5), new(2.0)), one(m, nil, new(0.99), new(0.1)), one(m, nil, new(int64(-1)), new(int64(9)))
	p.Stop, p.WebSearch = one(m, nil, []string{" ", "a"}), one(m, nil, jsontext.Value(`{}`))
	p.Format = one(m, nil, &translate.ResponseFormat{Type: "json_object"}, &translate.ResponseFormat{Type: "json_schema", Schema: jsontext.Value(`{"type":"object"}`)}, &translate.ResponseFormat{Type: "json_schema", Schema: jsontext.Value(`{"type":"array","items":{"type":"string"}}`)})
	for range m.pick(4) {
		req.Tools = append(req.Tools, one(m,
			function("f", `{"type":"object"}`), function("g.h", ""), function("web_search", `{}`), translate.Tool{Kind: translate.ToolCustom, Name: "c"},
			translate.Tool{Kind: translate.ToolRaw, Raw: jsontext.Value(`{"type":"web_fetch_20250910","name":"f","cache_control":{"type":"ephemeral"}}`)}, translate.Tool{Kind: translate.ToolRaw, Raw: jsontext.Value(`{"type":"x"}`)}))
	}
	req.Choice = translate.ToolChoice{Mode: translate.ToolMode(m.pick(5)), Names: one(m, nil, []string{"f"}, []string{"g.h"}), Parallel: one(m, nil, new(false))}
	if m.pick(4) == 0 {
		req.Extra = []translate.Member{{Name: one(m, "thinking", "output_config", "cache_control", "container"), Value: jsontext.Value(`{"type":"enabled","budget_tokens":2000}`)}}
	}
	opt := Options{
		Prefill: one(m, "continue", "continue", ""), SystemTurns: one(m, "", "hoist", "wrap", "in_place"), FileIDs: m.pick(8) != 0, NamePrefix: m.pick(2) == 0,
		DropUnbound: m.pick(2) == 0, InBody: m.pick(4) == 0, StripThinking: m.pick(4) == 0, Reject: m.pick(16) == 1,
	}
	for range 1 + m.pick(12) {
		req.Turns = append(req.Turns, m.turn())
	}
	return req, opt
}

// lawful encodes the request that the bytes make and checks it; it reports whether it
// was accepted.
func lawful(t *testing.T, seed []byte) bool {
	req, opt := (&maker{rest: seed}).request()
	before, _ := json.Marshal(req)
	enc, refused := EncodeRequest(req, opt)
	if after, _ := json.Marshal(req); !bytes.Equal(before, after) {
		t.Fatalf("the request was changed from\n%s\nto\n%s", before, after)
	}
	if refused != nil {
		return false
	}
	again, _ := EncodeRequest(req, opt)
	if !bytes.Equal(render(enc), render(again)) {
		t.Fatal("a second run gives another request")
	}
	checkLaws(t, enc, opt)
	if n := bytes.Count(enc.Body, []byte(`"cache_control":{`)); n > maxBreakpoints && n > bytes.Count(enc.Body, []byte("web_fetch_20250910")) {
		t.Fatalf("%d breakpoints: %s", n, enc.Body)
	}
	if !opt.InBody && header(enc, "anthropic-version") == versionCurrent && (bytes.Contains(enc.Body, []byte(`"temperature":`)) || bytes.Contains(enc.Body, []byte(`"top_`))) {
		t.Fatalf("sampling under %s: %s", versionCurrent, enc.Body)
	}
	return true
}

func TestRandomRequestsKeepTheLaws(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	for range 4000 {
		seed := make([]byte, 400)
		for i := range seed {
			seed[i] = byte(r.Uint32())
		}
		if lawful(t, seed) {
			accepted++
		}
	}
	if accepted < 1500 {
		t.Errorf("only %d requests were accepted", accepted)
	}
}

func FuzzEncodeCanonical(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		seed := make([]byte, 200)
		for i := range seed {
			seed[i] = byte(r.Uint32())
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed []byte) { lawful(t, seed) })
}
