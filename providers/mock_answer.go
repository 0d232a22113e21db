package providers

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// mockAnswer is what a mock says, in tokens.
type mockAnswer struct {
	id        string // without a prefix
	model     string
	created   int64
	reasoning []string
	text      []string
	calls     []mockCall
	cut       bool // by the limit of tokens
	choices   int
	usage     MockUsage
	// reasoningTokens are part of the usage's completion tokens.
	reasoningTokens int64
}

type mockCall struct {
	id, name  string
	arguments []string
}

// answer makes up an answer.
func (m *Mock) answer(r *mockRequest, id string, created int64) *mockAnswer {
	a := &mockAnswer{id: id, model: r.Model, created: created, choices: 1}
	if r.N != nil {
		a.choices = int(*r.N)
	}
	fill := strings.NewReplacer("{model}", r.Model, "{prompt}", r.prompt())
	left := r.limit()
	a.reasoning = a.take(fill.Replace(m.Reasoning), &left)
	if len(m.ToolCalls) > 0 && r.wantsTools() {
		for i, call := range m.ToolCalls {
			if a.cut {
				break
			}
			a.calls = append(a.calls, mockCall{"call_" + id + "_" + strconv.Itoa(i), call.Name, a.take(call.Arguments, &left)})
		}
	} else {
		text := fill.Replace(m.Reply)
		if r.ResponseFormat.Type != "" && r.ResponseFormat.Type != "text" && !jsontext.Value(text).IsValid() {
			text = `{"reply":` + string(quote(nil, text)) + `}`
		}
		a.text = a.take(beforeStop(text, r.stops()), &left)
	}
	a.count(m.Usage, r)
	return a
}

// count sets the usage.
func (a *mockAnswer) count(fixed *MockUsage, r *mockRequest) {
	n := len(a.text) + len(a.reasoning)
	for _, call := range a.calls {
		n += len(call.arguments)
	}
	a.reasoningTokens = int64(len(a.reasoning) * a.choices)
	a.usage = MockUsage{PromptTokens: r.promptTokens(), CompletionTokens: int64(n * a.choices)}
	if fixed != nil {
		a.usage = *fixed
		a.reasoningTokens = min(a.reasoningTokens, fixed.CompletionTokens)
	}
}

// tokens is how many tokens were made, over all choices.
func (a *mockAnswer) tokens() int {
	n := len(a.reasoning) + len(a.text)
	for _, call := range a.calls {
		n += len(call.arguments)
	}
	return n * a.choices
}

// finish is OpenAI's finish_reason.
func (a *mockAnswer) finish() string {
	switch {
	case a.cut:
		return "length"
	case len(a.calls) > 0:
		return "tool_calls"
	}
	return "stop"
}

// take splits text into tokens, of which it takes as many as are left; left is -1 if
// there is no limit.
func (a *mockAnswer) take(text string, left *int) []string {
	tokens := splitTokens(text)
	if *left < 0 {
		return tokens
	}
	if len(tokens) > *left {
		tokens, a.cut = tokens[:*left], true
	}
	*left -= len(tokens)
	return tokens
}

// beforeStop returns the part of text before the first of the stop sequences in it.
func beforeStop(text string, stops []string) string {
	for _, stop := range stops {
		if at := strings.Index(text, stop); at >= 0 && stop != "" {
			text = text[:at]
		}
	}
	return text
}

// splitTokens splits text into tokens: as many whole characters as fit into four bytes.
func splitTokens(text string) []string {
	if text == "" {
		return nil
	}
	tokens := make([]string, 0, len(text)/4+1)
	start := 0
	for at := 0; at < len(text); {
		_, size := utf8.DecodeRuneInString(text[at:])
		if at > start && at+size-start > 4 {
			tokens = append(tokens, text[start:at])
			start = at
		}
		at += size
	}
	return append(tokens, text[start:])
}

// countTokens returns how many tokens splitTokens would make, more or less.
func countTokens(text string) int64 { return int64(len(text)+3) / 4 }

// quote appends text as a JSON string. Text that is not UTF-8 gets replacement
// characters.
func quote(dst []byte, text string) []byte {
	out, err := jsontext.AppendQuote(dst, text)
	if err != nil && out == nil {
		return append(dst, `""`...)
	}
	return out
}
