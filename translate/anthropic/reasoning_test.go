package anthropic

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/openai"
)

func TestEffort(t *testing.T) {
	t.Parallel()
	effort := func(level string) func(r *translate.Request) {
		return func(r *translate.Request) { r.Params.Effort = level }
	}
	limited := func(level string, limit int64) func(r *translate.Request) {
		return func(r *translate.Request) { r.Params.Effort, r.Params.MaxTokens = level, &limit }
	}
	const summarized = `{"type":"adaptive","display":"summarized"}`
	budget := func(n int) string { return fmt.Sprintf(`{"type":"enabled","budget_tokens":%d}`, n) }
	row := func(name, model, level, thinking, config string) encodingCase {
		return encodingCase{name: name + " " + model + " " + level, model: model, set: effort(level), want: map[string]string{"thinking": thinking, "output_config": config}}
	}
	cases := []encodingCase{
		row("nothing asked", "claude-opus-5", "", "", ""),
		row("E-089 E-091", "claude-opus-5", "minimal", summarized, `{"effort":"low"}`),
		row("E-089 E-091", "claude-opus-5", "low", summarized, `{"effort":"low"}`),
		row("E-089 E-091", "claude-sonnet-5", "medium", summarized, `{"effort":"medium"}`),
		row("E-089 E-091", "claude-opus-4-7", "high", summarized, `{"effort":"high"}`),
		row("E-089 E-091", "claude-haiku-5-5", "xhigh", summarized, `{"effort":"xhigh"}`),
		row("E-089 E-091", "claude-unknown-7", "max", summarized, `{"effort":"max"}`),
		row("no xhigh", "claude-opus-4-6", "xhigh", summarized, `{"effort":"max"}`),
		row("no xhigh", "claude-sonnet-4-6", "max", summarized, `{"effort":"max"}`),
		row("E-088 off by default", "claude-opus-4-8", "none", "", ""),
		row("E-088 on by default", "claude-opus-5", "none", `{"type":"disabled"}`, ""),
		row("E-088 between tools", "claude-sonnet-5-5", "none", `{"type":"between_tools"}`, ""),
		row("E-088 always on", "claude-opus-5-5", "none", "", `{"effort":"low"}`),
		row("E-088 always on", "claude-fable-5", "none", "", `{"effort":"low"}`),
		row("extended", "claude-sonnet-4-5", "none", "", ""),
		row("extended", "claude-opus-4-1", "minimal", budget(1024), ""),
		row("extended", "claude-sonnet-4-5", "low", budget(2048), ""),
		row("extended", "claude-opus-4-5", "medium", budget(8192), ""),
		row("extended", "claude-3-7-sonnet-20250219", "high", budget(16384), ""),
		row("extended", "claude-sonnet-4-20250514", "xhigh", budget(24576), ""),
		row("extended", "claude-haiku-4-5", "max", budget(32000), ""),
		row("another's model", "kimi-k3", "none", `{"type":"disabled"}`, ""),

		{name: "the budget is on top of a default limit", model: "claude-haiku-4-5", set: effort("low"), want: map[string]string{"max_tokens": "34048", "thinking": budget(2048)}},
		{name: "E-090 but never over the model's", model: "claude-opus-4-1", set: effort("max"), want: map[string]string{"max_tokens": "32000", "thinking": budget(30976)}},
		{name: "E-090 the client's limit keeps room for the answer", model: "claude-haiku-4-5", set: limited("high", 4000), want: map[string]string{"max_tokens": "4000", "thinking": budget(2976)}},
		{name: "E-090 too small a limit means no thinking", model: "claude-haiku-4-5", set: limited("high", 2047), want: map[string]string{"max_tokens": "2047", "thinking": ""}, dropped: "reasoning_effort"},
		{name: "a model that cannot think", model: "claude-3-5-sonnet-20241022", set: effort("high"), want: map[string]string{"thinking": ""}, dropped: "reasoning_effort"},
		{name: "a word that is none", set: effort("extreme"), code: "invalid_value", param: "reasoning_effort"},
		{name: "display by configuration", opt: Options{ReasoningDisplay: "omitted"}, set: effort("low"), want: map[string]string{"thinking": `{"type":"adaptive","display":"omitted"}`}},
		{name: "binding controls", model: "claude-fable-5-1", opt: Options{DropUnbound: true}, set: effort("low"), want: map[string]string{"thinking": `{"type":"adaptive","display":"summarized","block_binding":{"prefix_mismatch_behavior":"drop_block"}}`}, header: map[string]string{"anthropic-beta": "thinking-binding-controls-2026-08-01"}},
		{name: "binding controls without effort", model: "claude-opus-5-5", opt: Options{DropUnbound: true}, want: map[string]string{"thinking": `{"type":"adaptive","block_binding":{"prefix_mismatch_behavior":"drop_block"}}`}},
		{name: "binding controls where nothing is bound", model: "claude-opus-5", opt: Options{DropUnbound: true}, want: map[string]string{"thinking": ""}, header: map[string]string{"anthropic-beta": ""}},
		{name: "interleaved thinking", model: "claude-sonnet-4-5", opt: Options{InterleavedThinking: true}, set: func(r *translate.Request) {
			r.Params.Effort, r.Tools = "low", []translate.Tool{function("f", "")}
		}, header: map[string]string{"anthropic-beta": "interleaved-thinking-2025-05-14"}},
		{name: "the client's own thinking wins", model: "claude-sonnet-4-5", set: func(r *translate.Request) {
			r.Params.Effort = "low"
			r.Extra = []translate.Member{{Name: "thinking", Value: jsontext.Value(`{"type":"enabled", "budget_tokens":5000}`)}}
		}, want: map[string]string{"thinking": `{"type":"enabled", "budget_tokens":5000}`, "max_tokens": "37000"}},
		{name: "the client's own output_config is completed", set: func(r *translate.Request) {
			r.Params.Effort = "low"
			r.Extra = []translate.Member{{Name: "output_config", Value: jsontext.Value(`{"effort":"high","task_budget":1}`)}}
			r.Params.Format = &translate.ResponseFormat{Type: "json_schema", Schema: jsontext.Value(`{"type":"object","properties":{}}`)}
		}, want: map[string]string{"output_config": `{"effort":"high","task_budget":1,"format":{"type":"json_schema","schema":{"type":"object","properties":{},"additionalProperties":false}}}`}},
		{name: "the client's own block binding", set: func(r *translate.Request) {
			r.Extra = []translate.Member{{Name: "thinking", Value: jsontext.Value(`{"type":"adaptive","block_binding":{}}`)}}
		}, header: map[string]string{"anthropic-beta": "thinking-binding-controls-2026-08-01"}},

		{name: "extended thinking cannot continue a tool turn without its thinking", model: "claude-sonnet-4-5", opt: Options{Reject: true}, set: func(r *translate.Request) {
			r.Params.Effort = "low"
			r.Turns = append(r.Turns, assistant(call("a", "f", "{}")), result("a", "x"))
		}, want: map[string]string{"thinking": ""}, dropped: "reasoning_effort"},
		{name: "extended thinking continues a tool turn with its thinking", model: "claude-sonnet-4-5", set: func(r *translate.Request) {
			r.Params.Effort = "low"
			r.Turns = append(r.Turns, assistant(thought(0, "x", "s"), call("a", "f", "{}")), result("a", "x"))
		}, want: map[string]string{"thinking": budget(2048)}},
		{name: "extended thinking does not mind earlier tool turns", model: "claude-sonnet-4-5", set: func(r *translate.Request) {
			r.Params.Effort = "low"
			r.Turns = append(r.Turns, assistant(call("a", "f", "{}")), result("a", "x"), assistant("done"), user("next"))
		}, want: map[string]string{"thinking": budget(2048)}},
		{name: "extended thinking cannot continue a prefill", model: "claude-sonnet-4-5", set: func(r *translate.Request) {
			r.Params.Effort = "low"
			r.Turns = append(r.Turns, assistant("so"))
		}, want: map[string]string{"thinking": ""}, dropped: "reasoning_effort"},
		{name: "adaptive thinking does not need it", model: "claude-opus-4-6", set: func(r *translate.Request) {
			r.Params.Effort = "low"
			r.Turns = append(r.Turns, assistant(call("a", "f", "{}")), result("a", "x"))
		}, want: map[string]string{"thinking": summarized}},
	}
	runEncodingCases(t, cases)
}

// Blocks go back byte-equal and in order, however the client kept them.
func TestE086ReasoningReplay(t *testing.T) {
	t.Parallel()
	encrypted := func(index int, data string) translate.Part {
		return translate.Part{Kind: translate.PartReasoning, Reasoning: &translate.Reasoning{Index: index, Encrypted: data, Format: FormatReasoning}}
	}
	unknown := thought(0, "x", "s")
	unknown.Reasoning.Format = ""
	th := func(text, sig string) string {
		return `{"type":"thinking","thinking":` + quote(text) + `,"signature":` + quote(sig) + `}`
	}
	tests := []struct {
		name  string
		opt   Options
		parts []any
		want  []string
	}{
		{"whole", Options{}, []any{thought(0, "a \"b\"\n", "s+/=")}, []string{th("a \"b\"\n", "s+/=")}},
		{"in fragments", Options{}, []any{thought(0, "a ", ""), thought(0, "b", ""), thought(0, "", "s")}, []string{th("a b", "s")}},
		{"two blocks in fragments, mixed", Options{}, []any{thought(2, "c", ""), thought(0, "a", ""), thought(2, "", "s2"), thought(0, "b", "s0")}, []string{th("ab", "s0"), th("c", "s2")}},
		{"two complete blocks with one index", Options{}, []any{thought(0, "a", "s1"), thought(0, "b", "s2")}, []string{th("a", "s1"), th("b", "s2")}},
		{"a signature without text", Options{}, []any{thought(0, "", "s")}, []string{th("", "s")}},
		{"E-092 redacted among others", Options{}, []any{thought(0, "a", "s"), encrypted(1, "zz=="), thought(2, "b", "t")}, []string{th("a", "s"), `{"type":"redacted_thinking","data":"zz=="}`, th("b", "t")}},
		{"without a format", Options{}, []any{unknown}, []string{th("x", "s")}},
		{"E-087 unsigned", Options{}, []any{thought(0, "a", "")}, nil},
		{"E-087 foreign", Options{}, []any{translate.Part{Kind: translate.PartReasoning, Reasoning: &translate.Reasoning{Encrypted: "x", Format: "openai-responses-v1"}}}, nil},
		{"stripped for the second attempt", Options{StripThinking: true}, []any{thought(0, "a", "s"), encrypted(1, "z")}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			// Reasoning stands before text and calls wherever the client has it.
			parts := append([]any{"text", call("a", "f", "{}")}, tt.parts...)
			_, m := encode(t, request("claude-opus-5", user("q"), assistant(parts...), result("a", "r")), tt.opt)
			blocks := append(append([]string(nil), tt.want...), `{"type":"text","text":"text"}`, use("a", "{}"))
			want := list(said("user", "q"), uses(blocks...), gaveAll(gave("a", "r")))
			if got := string(m["messages"]); got != want {
				t.Errorf("messages are\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// Thousands of fragments must not make the encoder slow.
func TestReasoningInManyFragments(t *testing.T) {
	t.Parallel()
	a := assistant("x")
	for range 50000 {
		a.Parts = append(a.Parts, thought(0, "0123456789", ""))
	}
	a.Parts = append(a.Parts, thought(0, "", "s"))
	enc, _ := encode(t, request("claude-opus-5", user("q"), a, user("r")), Options{})
	if len(enc.Body) < 500000 {
		t.Error("fragments are missing")
	}
}

// clientMessage is what an OpenAI client keeps of an answer: its message, as it came.
func clientMessage(t *testing.T, body string) json.RawMessage {
	t.Helper()
	enc := openai.NewBodyEncoder(1 << 20)
	g := &translate.Guard{Out: enc, ID: "chatcmpl-x", Created: 1}
	d := NewDecoder(plain)
	d.Body([]byte(body), g)
	d.End(true, g)
	g.End()
	var out struct {
		Choices []struct{ Message json.RawMessage }
	}
	if err := json.Unmarshal(enc.Bytes(), &out); err != nil || len(out.Choices) != 1 {
		t.Fatalf("%v: %s", err, enc.Bytes())
	}
	return out.Choices[0].Message
}

// Three rounds of parallel calls with thinking. What the provider sent goes to a client
// as OpenAI's, comes back from it, and is at every round the very same bytes.
func TestE086E096ThinkingSurvivesThreeToolRounds(t *testing.T) {
	t.Parallel()
	messages := []string{`{"role":"system","content":"s"}`, `{"role":"user","content":"q"}`}
	var sent []string
	prefix := ""
	for round := range 3 {
		think := fmt.Sprintf(`{"type":"thinking","thinking":"Round %d:\n\"ü\" 👋 \\","signature":"sig%d+/=="}`, round, round)
		redacted := fmt.Sprintf(`{"type":"redacted_thinking","data":"data%d=="}`, round)
		calls := fmt.Sprintf(`{"type":"tool_use","id":"toolu_%da","name":"f","input":{"x":%d}},{"type":"tool_use","id":"toolu_%db","name":"g","input":{}}`, round, round, round)
		blocks := think + `,` + redacted + `,{"type":"text","text":"so"},` + calls
		sent = append(sent, blocks)

		// The client keeps the message and adds the results, in the wrong order.
		message := clientMessage(t, `{"type":"message","id":"msg_1","content":[`+blocks+`],"stop_reason":"tool_use"}`)
		messages = append(messages, string(message),
			fmt.Sprintf(`{"role":"tool","tool_call_id":"toolu_%db","content":"B"}`, round), fmt.Sprintf(`{"role":"tool","tool_call_id":"toolu_%da","content":"A"}`, round))
		req, fail := openai.DecodeRequest([]byte(`{"model":"claude-opus-5","reasoning_effort":"high","messages":` + list(messages...) +
			`,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}},{"type":"function","function":{"name":"g","parameters":{"type":"object"}}}]}`))
		if fail != nil {
			t.Fatal(fail)
		}
		enc, m := encode(t, req, Options{})
		for i, blocks := range sent {
			if !strings.Contains(string(m["messages"]), uses(blocks)+`,{"role":"user","content":[`+gave(fmt.Sprintf("toolu_%da", i), "A")+`,`+gave(fmt.Sprintf("toolu_%db", i), "B")+`]}`) {
				t.Fatalf("round %d: round %d changed:\n%s\nwant\n%s", round, i, m["messages"], blocks)
			}
		}
		// What was sent before is a prefix of what is sent now: caches stay warm.
		if !strings.HasPrefix(string(enc.Body), prefix) {
			t.Fatalf("round %d changed what went before:\n%s\nwant prefix\n%s", round, enc.Body, prefix)
		}
		prefix, _, _ = strings.Cut(string(enc.Body), `],"thinking"`)
	}
}
