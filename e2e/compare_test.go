package e2e

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// legal lists what a good answer must have besides what it says.
func (v *view) legal(stream bool) []string {
	wrong := slices.Clone(v.wrong)
	if v.failure != nil {
		return append(wrong, fmt.Sprintf("it fails with %q", v.failure.Message))
	}
	if stream && !v.done {
		wrong = append(wrong, "the stream has no [DONE]")
	}
	if len(v.choices) == 0 {
		wrong = append(wrong, "there is no choice")
	}
	for i, c := range v.choices {
		if c.finish == "" {
			wrong = append(wrong, fmt.Sprintf("choice %d has no finish_reason", i))
		}
		for _, t := range c.calls {
			if c.finish != "length" && !json.Valid([]byte(t.args)) {
				wrong = append(wrong, fmt.Sprintf("choice %d: the arguments of %s are not JSON: %q", i, t.name, t.args))
			}
		}
	}
	return wrong
}

// compare lists how what a client sees differs from what a recording says.
func (v *view) compare(r *recording, stream, includeUsage bool) []string {
	wrong := v.legal(stream)
	differ := func(what string, got, want any) {
		wrong = append(wrong, fmt.Sprintf("%s is %.300q, not %.300q", what, fmt.Sprint(got), fmt.Sprint(want)))
	}
	if len(v.choices) != len(r.expected.Choices) {
		differ("the number of choices", len(v.choices), len(r.expected.Choices))
		return wrong
	}
	for _, want := range r.expected.Choices {
		got := v.choices[want.Index]
		if got == nil {
			differ("a choice", "missing", want.Index)
			continue
		}
		if !sameText(got.text, &want) {
			differ("the text", got.text, want.Text)
		}
		if got.reasoning != want.Reasoning {
			differ("the reasoning", got.reasoning, want.Reasoning)
		}
		// Where the model declined without a word, the gateway may find one.
		if got.refusal != want.Refusal && (want.Refusal != "" || got.finish != "content_filter") {
			differ("the refusal", got.refusal, want.Refusal)
		}
		if !slices.Contains(want.Finish, got.finish) {
			differ("finish_reason", got.finish, want.Finish)
		}
		wrong = append(wrong, compareCalls(r, got, &want)...)
	}
	if stream && !includeUsage {
		return wrong
	}
	return append(wrong, v.usage.compare(r)...)
}

// sameText compares texts. A loose one only has parts that must come in their order.
func sameText(got string, want *expectedChoice) bool {
	if !want.TextLoose {
		return got == want.Text
	}
	for _, piece := range want.Pieces {
		_, rest, ok := strings.Cut(got, piece)
		if !ok {
			return false
		}
		got = rest
	}
	return true
}

func compareCalls(r *recording, got *choice, want *expectedChoice) []string {
	var wrong []string
	if len(got.calls) != len(want.Tools) {
		return []string{fmt.Sprintf("there are %d calls, not %d", len(got.calls), len(want.Tools))}
	}
	ids := map[string]bool{}
	for i, t := range want.Tools {
		g := got.calls[i]
		if g.name != t.Name || g.kind != "function" || !sameArguments(g.args, t.Args) {
			wrong = append(wrong, fmt.Sprintf("call %d is the %s %s(%s), not %s(%s)", i, g.kind, g.name, g.args, t.Name, t.Args))
		}
		// Gemini has ids only in some of its answers, and not always unique ones.
		if g.id == "" || ids[g.id] || t.ID != "" && g.id != t.ID && r.Family != "gemini" {
			wrong = append(wrong, fmt.Sprintf("call %d has the id %q, not %q", i, g.id, t.ID))
		}
		ids[g.id] = true
	}
	if f := want.FunctionCall; f != nil && (got.function == nil || got.function.name != f.Name || !sameArguments(got.function.args, f.Args)) {
		wrong = append(wrong, fmt.Sprintf("the function call is %v, not %s(%s)", got.function, f.Name, f.Args))
	}
	return wrong
}

// sameArguments compares arguments as values, or as texts where the recorded ones were
// cut off and are no JSON.
func sameArguments(got string, want json.RawMessage) bool {
	var text string
	if json.Unmarshal(want, &text) == nil {
		return got == text
	}
	var a, b any
	return json.Unmarshal([]byte(got), &a) == nil && json.Unmarshal(want, &b) == nil && reflect.DeepEqual(a, b)
}

func (u *usage) compare(r *recording) []string {
	want := r.expected.Usage
	if want == nil {
		return nil
	}
	if u == nil {
		return []string{"there is no usage"}
	}
	var wrong []string
	for _, n := range []struct {
		name string
		got  int64
		want []int64
	}{{"prompt_tokens", u.Prompt, want.Prompt}, {"completion_tokens", u.Completion, want.Completion}, {"total_tokens", u.Total, want.Total}} {
		if len(n.want) > 0 && !slices.Contains(n.want, n.got) {
			wrong = append(wrong, fmt.Sprintf("%s is %d, not %v", n.name, n.got, n.want))
		}
	}
	if want.Cached > 0 && u.Input.Cached != want.Cached {
		wrong = append(wrong, fmt.Sprintf("cached_tokens is %d, not %d", u.Input.Cached, want.Cached))
	}
	// Anthropic does not always say how many of its tokens were thoughts.
	if want.Reasoning > 0 && u.Output.Reasoning != want.Reasoning && r.Family != "anthropic" {
		wrong = append(wrong, fmt.Sprintf("reasoning_tokens is %d, not %d", u.Output.Reasoning, want.Reasoning))
	}
	return wrong
}
