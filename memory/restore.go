package memory

import (
	"slices"
	"strings"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// Restore puts what the tenant's client dropped back into its request: the reasoning of
// assistant turns that call tools, in front of what they say, and the signatures of
// their calls. Neighbouring assistant turns are one answer. Where the client sent
// reasoning state of its own, nothing is touched; bare text, which no provider that
// signs its reasoning takes back, counts for nothing beside signed text.
//
// The request must not be shared yet. What is put into it is shared and must not be
// changed, as encoders don't.
func (m *Memory) Restore(t Tenant, req *translate.Request) {
	if !m.holds(false) {
		return
	}
	h := History{req: req, read: true}
	for i := 0; i < len(req.Turns); {
		end := i + 1
		if req.Turns[i].Role == translate.RoleAssistant {
			for end < len(req.Turns) && req.Turns[end].Role == translate.RoleAssistant {
				end++
			}
			m.restoreAnswer(&t, &h, req.Turns[i:end], i)
		}
		i = end
	}
}

// Reasoning returns the text of the reasoning that led to a call of one of a request's
// turns, "" if it is not remembered.
func (m *Memory) Reasoning(t Tenant, h *History, turn int, id, name string) string {
	s := m.find(&t, h, turn, id, name)
	if s == nil {
		return ""
	}
	if len(s.reasoning) == 1 {
		return s.reasoning[0].Text
	}
	var text strings.Builder
	for _, r := range s.reasoning {
		text.WriteString(r.Text)
	}
	return text.String()
}

// Signature returns the signature of a call of one of a request's turns and whose it is,
// "" if it has none or is not remembered.
func (m *Memory) Signature(t Tenant, h *History, turn int, id, name string) (signature, format string) {
	if s := m.find(&t, h, turn, id, name); s != nil {
		if c := s.call(id); c != nil {
			return c.signature, c.format
		}
	}
	return "", ""
}

// find returns the state of the answer that made a call of a turn, nil if there is none.
func (m *Memory) find(t *Tenant, h *History, turn int, id, name string) *state {
	if id == "" {
		return nil
	}
	if isUnique(id, name) {
		return m.get(uniqueKey(t, id))
	}
	if !m.holds(true) {
		return nil
	}
	sum, ok := h.before(turn)
	if !ok {
		return nil
	}
	return m.get(boundKey(t, &sum, id))
}

// restoreAnswer restores the turns of one answer, the first of which is turn number n.
func (m *Memory) restoreAnswer(t *Tenant, h *History, turns []translate.Turn, n int) {
	if hasState(turns) {
		return
	}
	var few [4]found
	list := few[:0]
	for i := range turns {
		for k := range turns[i].Parts {
			c := turns[i].Parts[k].Call
			if c == nil {
				continue
			}
			s := m.find(t, h, n, c.ID, c.Name)
			if s == nil {
				continue
			}
			if own := s.call(c.ID); own != nil {
				c.Signature, c.Format = own.signature, own.format
			}
			if !slices.ContainsFunc(list, func(f found) bool { return f.state == s }) {
				list = append(list, found{s, i})
			}
		}
	}
	restoreReasoning(turns, list)
}

// found is an answer that is remembered, and the turn that one of its calls stands in.
type found struct {
	state *state
	turn  int
}

// restoreReasoning puts reasoning in front of what the turns say, in place of the bare
// text that the client may have kept of it.
func restoreReasoning(turns []translate.Turn, list []found) {
	bare := func(p translate.Part) bool { return p.Kind == translate.PartReasoning }
	opaque := slices.ContainsFunc(list, func(f found) bool { return f.state.opaque })
	for i := range turns {
		if opaque {
			turns[i].Parts = slices.DeleteFunc(turns[i].Parts, bare)
		} else if slices.ContainsFunc(turns[i].Parts, bare) {
			return // the client's own text is as good
		}
	}
	for i, f := range list {
		at := &turns[f.turn]
		if i == 0 {
			at = &turns[0] // a client may have parted the text from the calls
		}
		parts := make([]translate.Part, 0, len(f.state.reasoning)+len(at.Parts))
		for _, r := range f.state.reasoning {
			parts = append(parts, translate.Part{Kind: translate.PartReasoning, Reasoning: r, Path: at.Path})
		}
		at.Parts = append(parts, at.Parts...)
	}
}

// hasState reports whether a client kept reasoning state.
func hasState(turns []translate.Turn) bool {
	for i := range turns {
		for k := range turns[i].Parts {
			p := &turns[i].Parts[k]
			if isOpaque(p.Reasoning) || p.Call != nil && p.Call.Signature != "" {
				return true
			}
		}
	}
	return false
}

func isOpaque(r *translate.Reasoning) bool {
	return r != nil && (r.Signature != "" || r.Encrypted != "")
}

// call returns the call with an id, or nil.
func (s *state) call(id string) *call {
	for i := range s.calls {
		if s.calls[i].id == id {
			return &s.calls[i]
		}
	}
	return nil
}
