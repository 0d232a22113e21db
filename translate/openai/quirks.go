// Package openai speaks OpenAI's chat-completions dialect: it reads what clients send,
// writes what they get, and evens out the many providers that speak almost the same.
package openai

import "slices"

// Quirks are the ways in which a provider of the OpenAI dialect differs from OpenAI.
// The zero value is OpenAI itself: bytes are passed in both directions. Quirks are
// data; nothing in this package asks for a provider's name.
type Quirks struct {
	// MaxTokens is the only name the provider knows for the output limit,
	// "max_tokens" or "max_completion_tokens"; "" if it takes both.
	MaxTokens string `json:"max_tokens,omitempty"`
	// DeveloperRole replaces the role "developer", usually by "system".
	DeveloperRole string `json:"developer_role,omitempty"`
	// Drop are top-level parameters that the provider refuses.
	Drop []string `json:"drop,omitempty"`
	// Rename maps top-level parameters to the provider's own names.
	Rename map[string]string `json:"rename,omitempty"`
	// MaxTemperature is the highest temperature taken; higher ones are lowered to it.
	MaxTemperature float64 `json:"max_temperature,omitempty"`
	// ToolChoice maps values of tool_choice the provider refuses to ones it takes;
	// the key "function" stands for the object form. The value "" drops it.
	ToolChoice map[string]string `json:"tool_choice,omitempty"`
	// ToolID is the form of tool-call ids the provider insists on: "alnum9" is nine
	// letters and digits.
	ToolID string `json:"tool_id,omitempty"`
	// FlattenText sends content that is a list of text parts as one string.
	FlattenText bool `json:"flatten_text,omitempty"`
	// DropMessage are members of messages that the provider refuses, such as "name".
	DropMessage []string `json:"drop_message,omitempty"`
	// DropNulls leaves out members whose value is null, in messages too.
	DropNulls bool `json:"drop_nulls,omitempty"`
	// DropStrict leaves "strict" out of tools.
	DropStrict bool `json:"drop_strict,omitempty"`
	// JSONSchema says what becomes of response_format json_schema: "" passes it,
	// "json_object" asks for an object and puts the schema into a system message.
	JSONSchema string `json:"json_schema,omitempty"`
	// Effort says how reasoning_effort is sent: "" as it is, "drop", "thinking" as
	// {"thinking":{"type":"enabled"|"disabled"}} beside it, "thinking_only" instead
	// of it, "enable_thinking" as that boolean, "none_high" limited to those two.
	Effort string `json:"effort,omitempty"`
	// ReasoningEcho says what becomes of reasoning_content in the history:
	// "" passes it, "drop" removes it, "fill" adds one space to assistant turns
	// with tool calls that lack it.
	ReasoningEcho string `json:"reasoning_echo,omitempty"`
	// StreamUsage says how usage comes in streams: "" by stream_options, "always"
	// without being asked (and stream_options is refused).
	StreamUsage string `json:"stream_usage,omitempty"`

	// Normalize decodes answers and writes them anew instead of passing the bytes.
	// Every field below implies it.
	Normalize bool `json:"normalize,omitempty"`
	// ReasoningExcluded: completion_tokens does not count reasoning tokens.
	ReasoningExcluded bool `json:"reasoning_excluded,omitempty"`
	// ThinkTags moves <think>…</think> at the start of the text to the reasoning.
	ThinkTags bool `json:"think_tags,omitempty"`
	// EndWithoutFinish accepts a stream that ends well without a finish reason.
	EndWithoutFinish bool `json:"end_without_finish,omitempty"`

	// Rules are further quirks of some of the provider's models.
	Rules []Rule `json:"rules,omitempty"`
}

// Rule adds quirks for models whose name matches one of the patterns, in which "*"
// stands for any text.
type Rule struct {
	Models []string `json:"models"`
	Quirks
}

// For returns the quirks that hold for one model: those of the provider with those of
// every matching rule on top. Lists are joined, other fields replaced where the rule
// sets them.
func (q *Quirks) For(model string) Quirks {
	out := *q
	out.Rules = nil
	for i := range q.Rules {
		if r := &q.Rules[i]; slices.ContainsFunc(r.Models, func(p string) bool { return Match(p, model) }) {
			out.merge(&r.Quirks)
		}
	}
	return out
}

// PassRequest reports whether requests need no change but the model's name.
func (q *Quirks) PassRequest() bool {
	return q.MaxTokens == "" && q.DeveloperRole == "" && len(q.Drop) == 0 && len(q.Rename) == 0 && q.MaxTemperature == 0 &&
		len(q.ToolChoice) == 0 && q.ToolID == "" && !q.FlattenText && len(q.DropMessage) == 0 && !q.DropNulls && !q.DropStrict &&
		q.JSONSchema == "" && q.Effort == "" && q.ReasoningEcho == ""
}

// PassResponse reports whether answers can be passed byte for byte.
func (q *Quirks) PassResponse() bool {
	return !q.Normalize && !q.ReasoningExcluded && !q.ThinkTags && !q.EndWithoutFinish
}

func (q *Quirks) merge(r *Quirks) {
	set(&q.MaxTokens, r.MaxTokens)
	set(&q.DeveloperRole, r.DeveloperRole)
	set(&q.MaxTemperature, r.MaxTemperature)
	set(&q.ToolID, r.ToolID)
	set(&q.JSONSchema, r.JSONSchema)
	set(&q.Effort, r.Effort)
	set(&q.ReasoningEcho, r.ReasoningEcho)
	set(&q.StreamUsage, r.StreamUsage)
	q.Drop = append(slices.Clip(q.Drop), r.Drop...)
	q.DropMessage = append(slices.Clip(q.DropMessage), r.DropMessage...)
	q.Rename = mergeMaps(q.Rename, r.Rename)
	q.ToolChoice = mergeMaps(q.ToolChoice, r.ToolChoice)
	for _, f := range [][2]*bool{
		{&q.FlattenText, &r.FlattenText}, {&q.DropNulls, &r.DropNulls}, {&q.DropStrict, &r.DropStrict}, {&q.Normalize, &r.Normalize},
		{&q.ReasoningExcluded, &r.ReasoningExcluded}, {&q.ThinkTags, &r.ThinkTags}, {&q.EndWithoutFinish, &r.EndWithoutFinish},
	} {
		*f[0] = *f[0] || *f[1]
	}
}

func set[T comparable](dst *T, v T) {
	var zero T
	if v != zero {
		*dst = v
	}
}

func mergeMaps(a, b map[string]string) map[string]string {
	if len(b) == 0 {
		return a
	}
	out := make(map[string]string, len(a)+len(b))
	for k, v := range a {
		out[k] = v
	}
	for k, v := range b {
		out[k] = v
	}
	return out
}

// Match reports whether name fits the pattern, in which "*" stands for any text, also
// none. Case counts.
func Match(pattern, name string) bool {
	_, ok := Capture(pattern, name)
	return ok
}

// Capture is Match that also returns what the first "*" stood for; the whole name for
// a pattern without one.
func Capture(pattern, name string) (string, bool) {
	star := -1
	for i := range len(pattern) {
		if pattern[i] == '*' {
			star = i
			break
		}
	}
	if star < 0 {
		return name, pattern == name
	}
	if len(name) < star || name[:star] != pattern[:star] {
		return "", false
	}
	rest := pattern[star+1:]
	for end := len(name); end >= star; end-- {
		if Match(rest, name[end:]) {
			return name[star:end], true
		}
	}
	return "", false
}
