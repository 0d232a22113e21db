package anthropic

import (
	"slices"
	"sort"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// minBudget is the smallest budget of extended thinking.
const minBudget = 1024

// thinking is what is sent of "thinking" and of output_config.effort.
type thinking struct {
	kind   string // its type; "" for no thinking object
	raw    jsontext.Value
	budget int64
	effort string
	// display asks for thinking that can be read.
	display bool
}

// active reports whether the model was asked to think.
func (t *thinking) active() bool { return t.kind != "" && t.kind != "disabled" }

// effortLevels are the words of reasoning_effort behind "none", lowest first, and the
// budgets that stand for them on models that take budgets.
var effortLevels = []struct {
	name   string
	budget int64
}{{"minimal", 1024}, {"low", 2048}, {"medium", 8192}, {"high", 16384}, {"xhigh", 24576}, {"max", 32000}}

func levelOf(effort string) int {
	for i := range effortLevels {
		if effortLevels[i].name == effort {
			return i
		}
	}
	return -1
}

// decideThinking turns reasoning_effort into what the model's family understands. A
// "thinking" object of the client's own wins. Everything here depends on the request
// alone: a change of thinking or effort voids the provider's prompt cache.
func (e *encoder) decideThinking() {
	effort := e.req.Params.Effort
	if effort != "" && effort != "none" && levelOf(effort) < 0 {
		e.fail("invalid_value", "reasoning_effort", "'"+effort+"' is not a reasoning effort.")
		return
	}
	switch e.row.Thinking {
	case "adaptive":
		e.adaptive(effort)
	case "extended":
		e.extended(effort)
	default:
		if effort != "" && effort != "none" {
			e.drop("reasoning_effort")
		}
	}
	if raw := e.get("thinking"); raw != nil {
		e.thinking.kind = jsonscan.String(jsonscan.Get(raw, "type"))
		e.thinking.raw = raw
		e.thinking.budget, _ = jsonscan.Int(jsonscan.Get(raw, "budget_tokens"))
		if e.thinking.budget > 0 && e.req.Params.MaxTokens == nil {
			e.makeRoom(e.thinking.budget)
		}
		if jsonscan.Get(raw, "block_binding") != nil {
			e.beta("thinking-binding-controls-2026-08-01")
		}
	}
	if e.thinking.kind == "enabled" && e.opt.InterleavedThinking && e.row.Thinking == "extended" && len(e.req.Tools) > 0 {
		e.beta("interleaved-thinking-2025-05-14")
	}
}

// adaptive is for models that decide themselves how much to think.
func (e *encoder) adaptive(effort string) {
	switch effort {
	case "":
		return
	case "none":
		switch e.row.ThinkingDefault {
		case "on":
			e.thinking.kind = e.row.ThinkingOff
		case "always":
			e.thinking.effort = e.effort("low")
		}
		return
	}
	e.thinking.kind = "adaptive"
	e.thinking.display = true
	e.thinking.effort = e.effort(effort)
}

// effort returns the model's level for a reasoning effort: the same, or else the next
// lower one it has.
func (e *encoder) effort(name string) string {
	if name == "xhigh" && e.row.XHighEffort != "" {
		return e.row.XHighEffort
	}
	for i := levelOf(name); i >= 0; i-- {
		if slices.Contains(e.row.Efforts, effortLevels[i].name) {
			return effortLevels[i].name
		}
	}
	if len(e.row.Efforts) > 0 {
		return e.row.Efforts[0]
	}
	return ""
}

// extended is for models that think within a budget, which must leave room for the
// answer within the output limit.
func (e *encoder) extended(effort string) {
	level := levelOf(effort)
	if level < 0 {
		if effort == "none" && e.row.ThinkingDefault == "on" {
			e.thinking.kind = e.row.ThinkingOff
		}
		return
	}
	if e.get("thinking") != nil {
		return
	}
	budget := effortLevels[level].budget
	if e.mustNotThink() {
		e.noteDropped("reasoning_effort")
		return
	}
	if e.req.Params.MaxTokens == nil {
		e.makeRoom(budget)
	}
	budget = min(budget, e.maxTokens-minBudget)
	if budget < minBudget {
		e.drop("reasoning_effort")
		return
	}
	e.thinking.kind, e.thinking.budget = "enabled", budget
}

// makeRoom raises an output limit that the client did not set by a thinking budget.
func (e *encoder) makeRoom(budget int64) {
	most := max(e.row.MaxOutput, e.maxTokens)
	e.setMaxTokens(min(e.maxTokens+min(budget, most), most))
	e.out.ImplicitMaxTokens = e.maxTokens
}

// noteDropped names a parameter that this one request cannot have, without refusing
// it where others of the kind are refused: the client did nothing wrong.
func (e *encoder) noteDropped(param string) {
	if !slices.Contains(e.out.Dropped, param) {
		e.out.Dropped = append(e.out.Dropped, param)
	}
}

// mustNotThink reports whether extended thinking would fail the request: the turn that
// is being continued, a tool turn or a last assistant turn, has to begin with the
// thinking it was made with.
func (e *encoder) mustNotThink() bool {
	for i := len(e.turns) - 1; i >= 0; i-- {
		t := &e.turns[i]
		if t.role != translate.RoleAssistant {
			continue
		}
		if len(t.calls) == 0 && i != len(e.turns)-1 {
			return false
		}
		return len(t.blocks) == 0 || t.blocks[0].kind != blockThinking && t.blocks[0].kind != blockRedacted
	}
	return false
}

// appendThinking writes the thinking object.
func (e *encoder) appendThinking(dst []byte) []byte {
	t := &e.thinking
	if t.raw != nil {
		return append(member(dst, "thinking"), t.raw...)
	}
	bind := e.opt.DropUnbound && e.row.BindsThinking && !e.opt.StripThinking
	kind := t.kind
	if bind && kind == "" {
		kind = "adaptive"
	}
	if kind == "" {
		return dst
	}
	dst = append(member(dst, "thinking"), '{')
	dst = stringMember(dst, "type", kind)
	if kind == "enabled" {
		dst = intMember(dst, "budget_tokens", t.budget)
	}
	if t.display {
		display := e.opt.ReasoningDisplay
		if display == "" {
			display = "summarized"
		}
		dst = stringMember(dst, "display", display)
	}
	if bind {
		dst = append(member(dst, "block_binding"), `{"prefix_mismatch_behavior":"drop_block"}`...)
		e.beta("thinking-binding-controls-2026-08-01")
	}
	return append(dst, '}')
}

// reasoningBlocks returns the thinking of one assistant message as the blocks it was
// made as: in the order of their indices, fragments joined, and only what this
// provider signed. Unsigned text is refused upstream, foreign state means nothing.
func (e *encoder) reasoningBlocks(parts []translate.Part) []block {
	if e.opt.StripThinking {
		return nil
	}
	var list []*translate.Reasoning
	for i := range parts {
		if r := parts[i].Reasoning; parts[i].Kind == translate.PartReasoning && r != nil && (r.Format == FormatReasoning || r.Format == "") {
			list = append(list, r)
		}
	}
	sort.SliceStable(list, func(i, k int) bool { return list[i].Index < list[k].Index })
	var blocks []block
	var text strings.Builder
	var open *translate.Reasoning // the fragment that began the block under way
	signature := ""
	flush := func() {
		if open != nil && signature != "" {
			blocks = append(blocks, block{kind: blockThinking, text: text.String(), signature: signature})
		}
		open, signature = nil, ""
		text.Reset()
	}
	for _, r := range list {
		if open != nil && (open.Index != r.Index || signature != "" || r.Encrypted != "") {
			flush()
		}
		if r.Encrypted != "" {
			blocks = append(blocks, block{kind: blockRedacted, text: r.Encrypted})
		}
		if r.Text == "" && r.Signature == "" {
			continue
		}
		if open == nil {
			open = r
		}
		text.WriteString(r.Text)
		signature = r.Signature
	}
	flush()
	return blocks
}
