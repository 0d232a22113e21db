package anthropic

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// noResult is what a call is told that the client gave no result for.
const noResult = "(no result)"

// resolveResults gives every tool_use block exactly one tool_result in the turn behind
// it, in the order of the calls, as the API demands. Results that answer no call
// become text.
func (e *encoder) resolveResults() {
	ids := idSet{used: make(map[string]bool), seen: make(map[string]int)}
	turns := make([]turn, 0, len(e.turns))
	for i := range e.turns {
		turns = append(turns, e.turns[i])
		if n := len(e.turns[i].calls); n > 0 && (i+1 == len(e.turns) || e.turns[i+1].role != translate.RoleUser) {
			turns = append(turns, turn{role: translate.RoleUser})
		}
	}
	e.turns = turns
	none := new(turn)
	for i := range turns {
		if turns[i].role != translate.RoleUser {
			continue
		}
		calls := none
		if i > 0 && turns[i-1].role == translate.RoleAssistant {
			calls = &turns[i-1]
		}
		answer(calls, &turns[i], &ids)
		if t := &turns[i]; len(t.blocks)+len(t.results) == 0 {
			t.blocks = []block{{kind: blockText, text: filler}}
		}
	}
}

// answer pairs the calls of a turn with the results of the user turn behind it, and
// gives both the ids they are sent with.
func answer(calls, u *turn, ids *idSet) {
	p := newPairing(calls.calls)
	blocks := u.blocks[:0:0]
	for i := range u.blocks {
		b := &u.blocks[i]
		switch {
		case b.kind != blockToolResult:
			blocks = append(blocks, *b)
		case !p.take(b):
			blocks = append(blocks, orphan(b)...)
		}
	}
	u.blocks = blocks
	for k := range calls.calls {
		call := &calls.calls[k]
		result := block{kind: blockToolResult, content: []block{{kind: blockText, text: noResult}}, isError: true}
		if p.found[k] != nil {
			result = *p.found[k]
		}
		call.id = ids.unique(call.id)
		result.id = call.id
		u.results = append(u.results, result)
	}
}

// pairing finds the result of each call of one turn.
type pairing struct {
	found []*block         // the result of each call, or nil
	calls map[string][]int // calls by id and by name
	next  map[string]int   // how many calls of a list are known to have results
}

func newPairing(calls []block) *pairing {
	p := &pairing{}
	if len(calls) == 0 {
		return p
	}
	p.found = make([]*block, len(calls))
	p.calls = make(map[string][]int, 2*len(calls))
	p.next = make(map[string]int, len(calls))
	for k := range calls {
		for _, key := range []string{"id " + calls[k].id, "name " + calls[k].name} {
			p.calls[key] = append(p.calls[key], k)
		}
	}
	return p
}

// take gives a result to the call it answers: the first one with its id that has no
// result yet, or else the last one with its id, whose result it replaces. A result
// without an id goes by its tool's name. It reports whether there is such a call.
func (p *pairing) take(result *block) bool {
	key := "id " + result.id
	if result.id == "" && result.name != "" {
		key = "name " + result.name
	}
	list := p.calls[key]
	if len(list) == 0 {
		return false
	}
	n := p.next[key]
	for n < len(list) && p.found[list[n]] != nil {
		n++
	}
	p.next[key] = n
	p.found[list[min(n, len(list)-1)]] = result
	return true
}

// orphan returns a result without a call as text, with its media behind it.
func orphan(result *block) []block {
	id := result.id
	if id == "" {
		id = result.name
	}
	out := []block{{kind: blockText, text: "Tool result for " + id + ":", cache: result.cache}}
	for _, c := range result.content {
		if c.kind == blockText {
			out[0].text += " " + c.text
			continue
		}
		out = append(out, c)
	}
	return out
}

// idSet gives out the ids of calls.
type idSet struct {
	used map[string]bool
	seen map[string]int // how often the client used an id
}

// unique returns an id for a call that the API takes and that no earlier call has: the
// client's own where possible, and always the same for the same conversation.
func (s *idSet) unique(id string) string {
	clean := replaceIllegal(id)
	out := clean
	if out != id || out == "" {
		out = join(clean, shortHash(id))
	}
	for s.used[out] {
		s.seen[id]++
		out = join(clean, shortHash(id+" "+strconv.Itoa(s.seen[id])))
	}
	s.used[out] = true
	return out
}

func join(a, b string) string {
	if a == "" {
		return "call_" + b
	}
	return a + "_" + b
}

// replaceIllegal returns s with every character outside [A-Za-z0-9_-] replaced by an
// underscore.
func replaceIllegal(s string) string {
	legal := true
	for i := range len(s) {
		legal = legal && isNameByte(s[i])
	}
	if legal {
		return s
	}
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if r < 0x80 && isNameByte(byte(r)) {
			out = append(out, byte(r))
		} else {
			out = append(out, '_')
		}
	}
	return string(out)
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

// shortHash returns eight hex digits that stand for s.
func shortHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:4])
}
