package anthropic

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
)

// Model says what the models of one family take and refuse. The built-in rows are in
// models.json; their sources are Anthropic's thinking and errors pages and the
// capability table of @ai-sdk/anthropic 3.0.140, as of 2026-11-23.
type Model struct {
	// Prefixes are names, without provider prefix, date or version suffix.
	Prefixes []string `json:"prefixes,omitempty"`
	// Version is the anthropic-version to send; "" for the newest that takes the
	// request.
	Version string `json:"version,omitempty"`
	// MaxOutput is the most tokens an answer may have.
	MaxOutput int64 `json:"max_output"`
	// Sampling is whether temperature, top_p and top_k are taken, under version
	// 2023-06-01.
	Sampling bool `json:"sampling,omitempty"`
	// Thinking is how the model is asked to think: "adaptive", "extended" with a
	// budget, or "" if it cannot.
	Thinking string `json:"thinking,omitempty"`
	// ThinkingDefault is what it does unasked: "always", "on" or "off".
	ThinkingDefault string `json:"thinking_default,omitempty"`
	// ThinkingOff is the type of thinking that comes closest to none where it is on
	// by default: "disabled" or "between_tools".
	ThinkingOff string `json:"thinking_off,omitempty"`
	// Efforts are the levels of output_config.effort, lowest first.
	Efforts []string `json:"efforts,omitempty"`
	// XHighEffort replaces the level xhigh where the model lacks it; "" for the next
	// lower one.
	XHighEffort string `json:"xhigh_effort,omitempty"`
	// ForcedChoice is whether tool_choice any and tool are taken.
	ForcedChoice bool `json:"forced_choice,omitempty"`
	// NativeJSON is whether output_config.format and strict tools are taken.
	NativeJSON bool `json:"native_json,omitempty"`
	// Prefill is whether the last turn may be the assistant's.
	Prefill bool `json:"prefill,omitempty"`
	// SystemTurns is whether system turns may stand inside messages: "yes", "beta"
	// with a beta header, or "".
	SystemTurns string `json:"system_turns,omitempty"`
	// BindsThinking is whether replayed thinking is refused behind a changed prompt.
	BindsThinking bool `json:"binds_thinking,omitempty"`
}

//go:embed models.json
var modelsJSON []byte

type modelTable struct {
	Rows []Model `json:"rows"`
	// Newest stands for Claude models that no row knows, Foreign for models of
	// others that speak this dialect.
	Newest  Model `json:"newest"`
	Foreign Model `json:"foreign"`
}

var models = sync.OnceValue(func() *modelTable {
	t := new(modelTable)
	if err := json.Unmarshal(modelsJSON, t, json.RejectUnknownMembers(true)); err != nil {
		panic("models.json: " + err.Error()) // embedded: a test keeps it valid
	}
	return t
})

// LookupModel returns the row for a model name, which may carry a provider or region
// prefix, a date and a version suffix. A Claude model that is not in the table gets
// the rejections of the newest row; any other model gets what the original Messages
// API took. The row is shared and must not be changed.
func LookupModel(name string) *Model {
	t := models()
	bare := bareName(name)
	var best *Model
	length := 0
	for i := range t.Rows {
		for _, p := range t.Rows[i].Prefixes {
			if len(p) > length && matchesPrefix(bare, p) {
				best, length = &t.Rows[i], len(p)
			}
		}
	}
	switch {
	case best != nil:
		return best
	case strings.HasPrefix(bare, "claude-"):
		return &t.Newest
	}
	return &t.Foreign
}

// bareName strips what routers and clouds put around a model's name:
// "openrouter/anthropic/claude-opus-4.5", "us.anthropic.claude-opus-4-5-20251101-v1:0",
// "claude-opus-4-5@20251101".
func bareName(name string) string {
	name = strings.ToLower(name)
	name = name[strings.LastIndexByte(name, '/')+1:]
	if i := strings.Index(name, "anthropic."); i >= 0 {
		name = name[i+len("anthropic."):]
	}
	name, _, _ = strings.Cut(name, "@")
	name, _, _ = strings.Cut(name, ":")
	if i := strings.LastIndex(name, "-v"); i >= 0 && isDigits(name[i+2:]) {
		name = name[:i]
	}
	return strings.ReplaceAll(name, ".", "-")
}

// matchesPrefix reports whether name is prefix, with at most a date or a word behind
// it. One or two digits behind it are a newer minor version, which the row does not
// speak for.
func matchesPrefix(name, prefix string) bool {
	rest, ok := strings.CutPrefix(name, prefix)
	if !ok || rest == "" {
		return ok
	}
	if rest[0] != '-' {
		return false
	}
	word, _, _ := strings.Cut(rest[1:], "-")
	return len(word) > 2 || !isDigits(word)
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
