package openai

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// allQuirks is a provider that differs from OpenAI in every way.
func allQuirks() Quirks {
	return Quirks{
		MaxTokens: "max_tokens", DeveloperRole: "system", Reject: []string{"logprobs"}, Drop: []string{"user", "n"},
		Rename: map[string]string{"seed": "random_seed"}, Add: map[string]jsontext.Value{"added": jsontext.Value("1")},
		AddToolStream: map[string]jsontext.Value{"tool_stream": jsontext.Value("true")}, MaxTemperature: 1,
		ToolChoice: map[string]string{"required": "any", "function": "any"}, ToolTypes: []string{"function"}, ToolID: "alnum9",
		FlattenText: true, ImageURL: "string", FilePart: "document_url", DropMessage: []string{"name"}, DropNulls: true, DropStrict: true,
		DropEmpty: true, AfterTool: "ok", FillUser: ".", Alternate: true, AssistantPrefix: "prefix", JSONSchema: "json_object",
		JSONObject: "json_schema", EffortValues: map[string]string{"xhigh": "max"}, Effort: "thinking", ReasoningEcho: "fill",
	}
}

// someQuirks are those of allQuirks whose bit is set.
func someQuirks(bits uint32) Quirks {
	all := allQuirks()
	var q Quirks
	for i, take := range []func(){
		func() { q.MaxTokens = all.MaxTokens }, func() { q.DeveloperRole = all.DeveloperRole }, func() { q.Reject = all.Reject },
		func() { q.Drop = all.Drop }, func() { q.Rename = all.Rename }, func() { q.Add = all.Add }, func() { q.AddToolStream = all.AddToolStream },
		func() { q.MaxTemperature = 1 }, func() { q.ToolChoice = all.ToolChoice }, func() { q.ToolTypes = all.ToolTypes },
		func() { q.ToolID = all.ToolID }, func() { q.FlattenText = true }, func() { q.ImageURL = all.ImageURL }, func() { q.FilePart = all.FilePart },
		func() { q.DropMessage = all.DropMessage }, func() { q.DropNulls = true }, func() { q.DropStrict = true }, func() { q.DropEmpty = true },
		func() { q.AfterTool = all.AfterTool }, func() { q.FillUser = all.FillUser }, func() { q.Alternate = true },
		func() { q.AssistantPrefix = all.AssistantPrefix }, func() { q.JSONSchema = all.JSONSchema }, func() { q.JSONObject = all.JSONObject },
		func() { q.EffortValues = all.EffortValues }, func() { q.Effort = all.Effort }, func() { q.ReasoningEcho = all.ReasoningEcho },
		func() { q.StreamUsage = "always" }, func() { q.StreamOnly = true }, func() { q.Effort = "none_high" }, func() { q.ReasoningEcho = "drop" }, func() { q.ReasoningEcho = "sign" },
	} {
		if bits>>i&1 != 0 {
			take()
		}
	}
	return q
}

// FuzzRewrite checks that a request stays one: valid JSON, no member twice, the edit
// applied, and members that nobody knows untouched.
func FuzzRewrite(f *testing.F) {
	for i, s := range requestSeeds {
		f.Add([]byte(s), byte(i), ^uint32(0), "other")
		f.Add([]byte(s), byte(i), uint32(1)<<i, "")
	}
	f.Fuzz(func(t *testing.T, body []byte, bits byte, quirkBits uint32, model string) {
		members, err := jsonscan.Object(nil, body, MaxDepth)
		if err != nil || strings.ContainsFunc(model, unicode.IsControl) || len(model) > MaxModel {
			return
		}
		if _, bad := ReadHead(members); bad != nil {
			return
		}
		q := someQuirks(quirkBits)
		edit := fuzzEdit(bits, model)
		edit.Reasoning = func(_ int, id, name string) string { return id + name }
		edit.Signature = func(_ int, id, _ string) (signature, format string) { return id, googleFormat }
		out, _, bad := Rewrite(nil, body, members, &q, edit)
		if bad != nil {
			return
		}
		if q.StreamOnly {
			edit.Stream = &yes
		}
		checkEdited(t, body, out, edit, false)
		after, _ := jsonscan.Object(nil, out, MaxDepth)
		at := 0
		for _, m := range members {
			name := string(m.Name)
			if knownParameter(name) || q.DropNulls && jsonscan.IsNull(m.Value) {
				continue
			}
			for at < len(after) && string(after[at].Name) != name {
				at++
			}
			if at == len(after) || !bytes.Equal(after[at].Value, m.Value) {
				t.Fatalf("%s\nbecame %s: %q is lost or out of place", body, out, name)
			}
		}
		if jsonscan.Unique(body) == nil && jsonscan.Unique(out) != nil {
			t.Fatalf("%s\nbecame %s: %v", body, out, jsonscan.Unique(out))
		}
	})
}

// knownParameter reports whether a quirk of allQuirks is about the parameter.
func knownParameter(name string) bool {
	switch name {
	case "model", "stream", "stream_options", "messages", "max_tokens", "max_completion_tokens", "temperature", "reasoning_effort", "response_format",
		"tools", "tool_choice", "parallel_tool_calls", "logprobs", "user", "n", "seed", "random_seed", "added", "tool_stream", "thinking":
		return true
	}
	return false
}

func BenchmarkRewrite(b *testing.B) {
	all := allQuirks()
	mistral := Quirks{MaxTokens: "max_tokens", Rename: map[string]string{"seed": "random_seed"}, ToolID: "alnum9", DropNulls: true, StreamUsage: "always", DropMessage: []string{"name"}}
	for name, q := range map[string]*Quirks{"mistral": &mistral, "all": &all} {
		b.Run(name, func(b *testing.B) {
			body := []byte(largeRequest(200 << 10))
			members := membersOf(b, string(body))
			edit := Edit{QuotedModel: []byte(`"other"`), IncludeUsage: true}
			dst := make([]byte, 0, 2*len(body))
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				out, _, err := Rewrite(dst[:0], body, members, q, edit)
				if err != nil || len(out) < len(body)/2 {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestRewriteBudget bounds the allocations of a rewrite; they must not grow with the
// number of messages beyond those that fit the stack.
func TestRewriteBudget(t *testing.T) {
	body := []byte(largeRequest(100 << 10))
	members := membersOf(t, string(body))
	q := Quirks{MaxTokens: "max_tokens", Rename: map[string]string{"seed": "random_seed"}, ToolID: "alnum9", DropNulls: true, StreamUsage: "always"}
	edit := Edit{QuotedModel: []byte(`"other"`), IncludeUsage: true}
	dst := make([]byte, 0, 2*len(body))
	allocs := testing.AllocsPerRun(20, func() {
		if _, _, err := Rewrite(dst[:0], body, members, &q, edit); err != nil {
			t.Fatal(err)
		}
	})
	const budget = 12
	if allocs > budget {
		t.Errorf("got %v allocations, want at most %d", allocs, budget)
	}
}
