package openai

import (
	"maps"
	"slices"
	"strings"
)

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

func (q *Quirks) merge(r *Quirks) {
	for _, f := range [][2]*string{
		{&q.MaxTokens, &r.MaxTokens}, {&q.DeveloperRole, &r.DeveloperRole}, {&q.ToolID, &r.ToolID}, {&q.ImageURL, &r.ImageURL},
		{&q.FilePart, &r.FilePart}, {&q.AfterTool, &r.AfterTool}, {&q.FillUser, &r.FillUser},
		{&q.AssistantPrefix, &r.AssistantPrefix}, {&q.JSONSchema, &r.JSONSchema}, {&q.JSONObject, &r.JSONObject},
		{&q.Effort, &r.Effort}, {&q.ReasoningEcho, &r.ReasoningEcho}, {&q.StreamUsage, &r.StreamUsage},
	} {
		set(f[0], *f[1])
	}
	for _, f := range [][2]*[]string{
		{&q.Reject, &r.Reject}, {&q.Drop, &r.Drop}, {&q.DropMessage, &r.DropMessage}, {&q.ToolTypes, &r.ToolTypes},
	} {
		*f[0] = append(slices.Clip(*f[0]), *f[1]...)
	}
	for _, f := range [][2]*bool{
		{&q.FlattenText, &r.FlattenText}, {&q.DropNulls, &r.DropNulls}, {&q.DropStrict, &r.DropStrict}, {&q.DropEmpty, &r.DropEmpty},
		{&q.Alternate, &r.Alternate}, {&q.StreamOnly, &r.StreamOnly}, {&q.Normalize, &r.Normalize},
		{&q.ReasoningExcluded, &r.ReasoningExcluded}, {&q.ThinkTags, &r.ThinkTags}, {&q.EndWithoutFinish, &r.EndWithoutFinish},
	} {
		*f[0] = *f[0] || *f[1]
	}
	set(&q.MaxTemperature, r.MaxTemperature)
	q.Rename = mergeMaps(q.Rename, r.Rename)
	q.ToolChoice = mergeMaps(q.ToolChoice, r.ToolChoice)
	q.EffortValues = mergeMaps(q.EffortValues, r.EffortValues)
	q.Add = mergeMaps(q.Add, r.Add)
	q.AddToolStream = mergeMaps(q.AddToolStream, r.AddToolStream)
}

func set[T comparable](dst *T, v T) {
	var zero T
	if v != zero {
		*dst = v
	}
}

// mergeMaps returns the entries of both; those of b win.
func mergeMaps[V any](a, b map[string]V) map[string]V {
	if len(b) == 0 {
		return a
	}
	out := make(map[string]V, len(a)+len(b))
	maps.Copy(out, a)
	maps.Copy(out, b)
	return out
}

// Match reports whether name fits the pattern, in which "*" stands for any text, also
// none. Case counts.
func Match(pattern, name string) bool {
	star, retry := -1, 0 // the last "*" met, and where the text it stands for ends
	p, n := 0, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, retry = p, n
			p++
		case p < len(pattern) && pattern[p] == name[n]:
			p++
			n++
		case star >= 0:
			retry++
			p, n = star+1, retry
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// Capture is Match that also returns what the first "*" stood for, as much as it can;
// the whole name for a pattern without one.
func Capture(pattern, name string) (string, bool) {
	before, rest, found := strings.Cut(pattern, "*")
	if !found {
		return name, pattern == name
	}
	if !strings.HasPrefix(name, before) {
		return "", false
	}
	for end := len(name); end >= len(before); end-- {
		if Match(rest, name[end:]) {
			return name[len(before):end], true
		}
	}
	return "", false
}
