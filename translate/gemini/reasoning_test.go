package gemini

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

func TestEfforts_E090(t *testing.T) {
	t.Parallel()
	level := func(l string) map[string]any { return map[string]any{"thinkingLevel": l, "includeThoughts": true} }
	budget := func(n float64) map[string]any {
		return map[string]any{"thinkingBudget": n, "includeThoughts": true}
	}
	for model, want := range map[string]map[string]any{
		"gemini-3-pro-preview":                         {"none": "LOW", "minimal": level("LOW"), "low": level("LOW"), "medium": level("HIGH"), "high": level("HIGH"), "max": level("HIGH")},
		"gemini-3.1-pro-preview":                       {"none": "LOW", "minimal": level("LOW"), "medium": level("MEDIUM"), "xhigh": level("HIGH")},
		"gemini-3-flash-preview":                       {"none": "MINIMAL", "minimal": level("MINIMAL"), "medium": level("MEDIUM"), "max": level("HIGH")},
		"gemini-3.1-flash-lite":                        {"none": "MINIMAL", "low": level("LOW")},
		"gemini-3.7-flash":                             {"none": "LOW", "minimal": level("LOW"), "medium": level("MEDIUM")},
		"gemini-4-pro":                                 {"none": "LOW", "minimal": level("LOW"), "high": level("HIGH")},
		"gemini-flash-latest":                          {"none": "LOW", "high": level("HIGH")},
		"gemini-2.5-pro":                               {"none": 128.0, "minimal": budget(128), "low": budget(2048), "medium": budget(8192), "high": budget(24576), "max": budget(32768)},
		"gemini-2.5-flash":                             {"none": 0.0, "minimal": budget(128), "high": budget(24576), "xhigh": budget(24576)},
		"models/gemini-2.5-flash-lite-preview-09-2025": {"none": 0.0, "minimal": budget(512), "max": budget(24576)},
		"gemini-2.5-flash-image":                       {"none": nil, "high": nil},
		"gemini-3-pro-image-preview":                   {"high": nil},
		"gemini-2.0-flash":                             {"none": nil, "high": nil},
		"gemma-3-27b-it":                               {"high": nil},
	} {
		for effort, config := range want {
			switch c := config.(type) {
			case string:
				config = map[string]any{"thinkingLevel": c}
			case float64:
				config = map[string]any{"thinkingBudget": c}
			}
			got := at(body(t, translate.Request{Model: model, Params: translate.Params{Effort: effort}}, Options{}), "generationConfig", "thinkingConfig")
			if !reflect.DeepEqual(got, config) {
				t.Errorf("%s with effort %s: %v, want %v", model, effort, got, config)
			}
		}
		if got := at(body(t, translate.Request{Model: model}, Options{}), "generationConfig", "thinkingConfig"); got != nil {
			t.Errorf("%s without effort: %v", model, got)
		}
	}
	if enc := encode(t, translate.Request{Model: "gemini-2.0-flash", Params: translate.Params{Effort: "high"}}, Options{}); !reflect.DeepEqual(enc.Dropped, []string{"reasoning_effort"}) {
		t.Errorf("dropped %v", enc.Dropped)
	}
	got := at(body(t, translate.Request{Model: "gemini-3.5-flash"}, Options{IncludeThoughts: true}), "generationConfig", "thinkingConfig")
	if !reflect.DeepEqual(got, map[string]any{"includeThoughts": true}) {
		t.Errorf("with IncludeThoughts: %v", got)
	}
}

func TestEveryRowHasEveryEffort(t *testing.T) {
	t.Parallel()
	for _, row := range models() {
		if len(row.Levels) > 0 && len(row.Budgets) > 0 {
			t.Errorf("%v has levels and budgets; the provider refuses both", row.Match)
		}
		for effort := range efforts {
			_, level := row.Levels[effort]
			_, budget := row.Budgets[effort]
			if row.thinks() && !level && !budget {
				t.Errorf("%v has no word for effort %s", row.Match, effort)
			}
		}
	}
	if last := models()[len(models())-1]; !reflect.DeepEqual(last.Match, []string{"*"}) {
		t.Errorf("the last row matches %v, not every name", last.Match)
	}
}

// signaturesOf returns the signatures of the model's parts, "-" for none.
func signaturesOf(t *testing.T, req translate.Request, opt Options) string {
	t.Helper()
	var b strings.Builder
	contents, _ := body(t, req, opt)["contents"].([]any)
	for _, c := range contents {
		if at(c, "role") != "model" {
			continue
		}
		list, _ := at(c, "parts").([]any)
		for _, p := range list {
			sig := at(p, "thoughtSignature")
			if sig == nil {
				sig = "-"
			}
			fmt.Fprintf(&b, "%v ", sig)
		}
	}
	return strings.TrimSpace(b.String())
}

func TestSignatures_E079_E080_E096(t *testing.T) {
	t.Parallel()
	step := func(list ...translate.Part) []translate.Turn {
		turns := []translate.Turn{user("Hi"), turn(translate.RoleAssistant, list...)}
		for _, p := range list {
			if p.Call != nil {
				turns = append(turns, result(p.Call.ID, "ok"))
			}
		}
		return turns
	}
	const own, foreign = FormatReasoning, "anthropic-claude-v1"
	for name, tc := range map[string]struct {
		model string
		turns []translate.Turn
		want  string
	}{
		"on its call":             {"gemini-3.5-flash", step(signed("a", "f", "{}", "c2ln", own), call("b", "f", "{}")), "c2ln -"},
		"from details":            {"gemini-3.5-flash", step(reasoning("a", "c2ln", own), call("a", "f", "{}"), call("b", "f", "{}")), "c2ln -"},
		"from details, no id":     {"gemini-3.5-flash", step(reasoning("", "c2ln", own), call("a", "f", "{}")), "c2ln"},
		"without a format":        {"gemini-3.5-flash", step(signed("a", "f", "{}", "c2ln", "")), "c2ln"},
		"missing":                 {"gemini-3.5-flash", step(call("a", "f", "{}"), call("b", "f", "{}")), skipSignature + " -"},
		"missing behind text":     {"gemini-3.5-flash", step(text("hm"), call("a", "f", "{}"), call("b", "f", "{}")), "- " + skipSignature + " -"},
		"foreign":                 {"gemini-3.5-flash", step(reasoning("a", "c2ln", foreign), signed("a", "f", "{}", "c2ln", foreign)), skipSignature},
		"not base64":              {"gemini-3.5-flash", step(signed("a", "f", "{}", "<sig>", own)), skipSignature},
		"missing on 2.5":          {"gemini-2.5-flash", step(call("a", "f", "{}")), "-"},
		"carried on 2.5":          {"gemini-2.5-flash", step(signed("a", "f", "{}", "c2ln", own)), "c2ln"},
		"model without reasoning": {"gemini-2.0-flash", step(signed("a", "f", "{}", "c2ln", own)), "-"},
		"of text":                 {"gemini-3.5-flash", step(reasoning("", "c2ln", own), text("one"), text("two")), "- c2ln"},
		"of text, beside a call":  {"gemini-3.5-flash", step(reasoning("", "c2ln", own), text("one"), call("a", "f", "{}")), "c2ln " + skipSignature},
		"of no text":              {"gemini-3.5-flash", step(reasoning("", "c2ln", own), text("")), "c2ln"},
		"three sequential steps": {"gemini-3.5-flash", append(append(append(step(signed("a", "f", "{}", "c2E=", own), call("a2", "f", "{}")),
			step(signed("b", "f", "{}", "c2I=", own))[1:]...), step(call("c", "f", "{}"))[1:]...), user("go on")), "c2E= - c2I= " + skipSignature},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := signaturesOf(t, translate.Request{Model: tc.model, Turns: tc.turns}, Options{}); got != tc.want {
				t.Errorf("signatures %q, want %q", got, tc.want)
			}
		})
	}
}

func TestForeignReasoningLeavesNoEmptyTurn_E087(t *testing.T) {
	t.Parallel()
	v := body(t, translate.Request{Model: "gemini-3.5-flash", Turns: []translate.Turn{
		user("Hi"), turn(translate.RoleAssistant, reasoning("", "c2ln", "anthropic-claude-v1"), translate.Part{Kind: translate.PartReasoning, Reasoning: &translate.Reasoning{Text: "secret"}}), user("Hello?"),
	}}, Options{})
	contents := v["contents"].([]any)
	if len(contents) != 1 || len(at(contents[0], "parts").([]any)) != 2 {
		t.Errorf("contents %v", contents)
	}
}
