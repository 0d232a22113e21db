package anthropic

import (
	"slices"
	"strings"
	"unicode"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// turn is one message of the Messages API. Neighbours never have the same role.
type turn struct {
	role translate.Role // user, assistant, or system behind the first user turn
	// calls are the tool_use blocks of an assistant turn and stand behind its other
	// blocks; results are the tool_result blocks of a user turn and stand before
	// them. Until resolveResults, results are among the other blocks.
	calls   []block
	results []block
	blocks  []block
}

// filler stands where the API insists on a turn and the client has nothing to say.
const filler = "."

// Ways to place system messages behind the first turn.
const (
	systemInPlace = "in_place"
	systemHoist   = "hoist"
	systemWrap    = "wrap"
)

// turnBuilder lays the messages of a request out as turns.
type turnBuilder struct {
	*encoder
	// pending are system messages in search of a legal place, moved what assistants
	// may not say themselves.
	pending []block
	moved   []block
	place   string
}

// buildTurns merges the client's messages into alternating turns. System messages at
// the start become the system prompt.
func (e *encoder) buildTurns() {
	b := turnBuilder{encoder: e, place: systemHoist}
	if e.opt.SystemTurns != "" {
		b.place = e.opt.SystemTurns
	} else if e.row.SystemTurns != "" {
		b.place = systemInPlace
	}
	last := -1
	for i := range e.req.Turns {
		if e.req.Turns[i].Role != translate.RoleSystem {
			last = i
		}
	}
	spoken := false
	for i := range e.req.Turns {
		t := &e.req.Turns[i]
		switch t.Role {
		case translate.RoleSystem:
			b.systemMessage(t, spoken, i > last)
			continue
		case translate.RoleAssistant:
			b.assistantMessage(t)
		default: // user and tool
			b.userMessage(t)
		}
		spoken = true
	}
	b.finish()
}

// systemMessage puts a system message where the model takes it.
func (b *turnBuilder) systemMessage(t *translate.Turn, spoken, trailing bool) {
	b.dropName(t)
	blocks := b.parts(t)
	switch {
	case len(blocks) == 0:
	case !spoken:
		b.system = append(b.system, blocks...)
	case b.place == systemInPlace:
		b.pending = append(b.pending, blocks...)
	case b.place == systemWrap, trailing && b.lastIs(translate.RoleAssistant):
		// Hoisted from behind an assistant turn, it would leave that turn the last.
		u := b.user()
		u.blocks = append(u.blocks, blocks...)
	default:
		b.system = append(b.system, blocks...)
	}
}

// userMessage adds a user or tool message.
func (b *turnBuilder) userMessage(t *translate.Turn) {
	u, blocks := b.user(), b.parts(t)
	if prefix := b.dropName(t); prefix != "" {
		if i := slices.IndexFunc(blocks, func(b block) bool { return b.kind == blockText }); i >= 0 {
			blocks[i].text = prefix + blocks[i].text
		}
	}
	u.blocks = append(u.blocks, blocks...)
}

// assistantMessage adds an assistant message, unless nothing of it can be sent: a turn
// may not be empty nor end in thinking.
func (b *turnBuilder) assistantMessage(t *translate.Turn) {
	b.dropName(t)
	thinking := b.reasoningBlocks(t.Parts)
	var texts, calls []block
	for _, bl := range b.parts(t) {
		switch bl.kind {
		case blockToolUse:
			calls = append(calls, bl)
		case blockText:
			texts = append(texts, bl)
		default:
			b.moved = append(b.moved, bl)
		}
	}
	if len(texts)+len(calls) == 0 {
		return
	}
	a := b.assistant()
	a.blocks = append(append(a.blocks, thinking...), texts...)
	a.calls = append(a.calls, calls...)
}

// finish places what is left when all messages have been read.
func (b *turnBuilder) finish() {
	if len(b.moved) > 0 {
		b.user()
	}
	if len(b.pending) > 0 && b.lastIs(translate.RoleAssistant) {
		u := b.user()
		if len(b.turns[len(b.turns)-2].calls) == 0 {
			u.blocks = append(u.blocks, b.pending...)
			b.pending = nil
		}
	}
	b.placePending()
	if len(b.turns) == 0 {
		b.user()
	}
}

// placePending adds the pending system messages as a turn, if a user turn is the last:
// only behind one and before an assistant turn or the end are they legal.
func (b *turnBuilder) placePending() {
	if len(b.pending) == 0 || !b.lastIs(translate.RoleUser) {
		return
	}
	b.turns = append(b.turns, turn{role: translate.RoleSystem, blocks: b.pending})
	b.pending = nil
	if b.row.SystemTurns != "yes" {
		b.beta("mid-conversation-system-2026-04-07")
	}
}

func (b *turnBuilder) lastIs(role translate.Role) bool {
	return len(b.turns) > 0 && b.turns[len(b.turns)-1].role == role
}

// user returns the user turn that the next user content goes to.
func (b *turnBuilder) user() *turn {
	if !b.lastIs(translate.RoleUser) {
		b.turns = append(b.turns, turn{role: translate.RoleUser})
	}
	u := &b.turns[len(b.turns)-1]
	u.blocks = append(u.blocks, b.moved...)
	b.moved = nil
	return u
}

// assistant returns the assistant turn that the next assistant content goes to.
func (b *turnBuilder) assistant() *turn {
	if len(b.turns) == 0 {
		b.user() // the first turn has to be the user's
	}
	b.placePending()
	if !b.lastIs(translate.RoleAssistant) {
		b.turns = append(b.turns, turn{role: translate.RoleAssistant})
	}
	return &b.turns[len(b.turns)-1]
}

// dropName returns what a message's name puts before its text: the API has no place
// for names.
func (b *turnBuilder) dropName(t *translate.Turn) string {
	switch {
	case t.Name == "" || t.Role == translate.RoleTool:
		return ""
	case b.opt.NamePrefix && t.Role == translate.RoleUser:
		return t.Name + ": "
	}
	b.drop(t.Path + ".name")
	return ""
}

// checkLastTurn deals with conversations that end in an assistant turn: a prefill of
// the answer for old models, an error for new ones.
func (e *encoder) checkLastTurn() {
	if len(e.turns) == 0 {
		return
	}
	t := &e.turns[len(e.turns)-1]
	if t.role != translate.RoleAssistant {
		return
	}
	switch {
	case e.row.Prefill:
		last := &t.blocks[len(t.blocks)-1]
		last.text = strings.TrimRightFunc(last.text, unicode.IsSpace)
	case e.opt.Prefill == "continue":
		e.turns = append(e.turns, turn{role: translate.RoleUser, blocks: []block{{kind: blockText, text: "Continue."}}})
	default:
		e.fail("unsupported_value", "messages", "This model does not take a conversation that ends with an assistant message.")
	}
}
