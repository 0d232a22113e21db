package memory

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// FuzzRecorder sends any sequence of events through a guard and a recorder, and asks
// for what became of them: the books must be right, the bounds kept, and nobody may be
// given what was not recorded for him.
func FuzzRecorder(f *testing.F) {
	f.Add([]byte{2, 0, 3, 0, 4, 0, 2, 9, 3, 9, 10, 0}, "thought", "toolu_0123456789ab")
	f.Add([]byte{3, 0, 4, 1, 2, 9, 10, 0, 11, 0, 2, 9, 10}, `\ud83d`, "functions.f:0")
	f.Add([]byte{9, 9, 9, 9}, "", "")
	f.Fuzz(func(t *testing.T, steps []byte, text, id string) {
		m, c := newMemory(8, 16<<10)
		escaped := jsonscan.Escape(nil, text)
		if strings.HasPrefix(text, `\u`) && jsonscan.Valid([]byte(`"`+text+`"`), 1) == nil {
			escaped = []byte(text)
		}
		mine, others := TenantOf("mine"), TenantOf("others")
		history := &History{Request: func() *translate.Request { return &translate.Request{Turns: []translate.Turn{user(text)}} }}
		r := m.Recorder(mine, history, len(steps)%2 == 0, new(discard))
		g := &translate.Guard{Out: r, ID: "x"}
		for i := 0; i+1 < len(steps); i += 2 {
			ev := &translate.Event{
				Kind: translate.EventKind(steps[i] % 12), Choice: int(steps[i+1] >> 6), Index: int(steps[i+1] & 7), Block: translate.BlockKind(steps[i+1] % 7),
				Meta: translate.MetaKind(steps[i] >> 4), Format: []string{"", claude, google}[steps[i]%3], Text: escaped, Usage: new(translate.Usage),
				Call: translate.Call{ID: fmt.Sprint(id, steps[i]%3), Name: "f"},
			}
			g.Emit(ev)
			if steps[i] == 0xff {
				c.pass(40 * time.Minute)
			}
		}
		g.End()
		r.Release()
		m.check(t)
		for n := range 3 {
			call := &translate.ToolCall{ID: fmt.Sprint(id, n), Name: "f"}
			req := &translate.Request{Turns: []translate.Turn{user(text), {Role: translate.RoleAssistant, Parts: []translate.Part{{Kind: translate.PartToolCall, Call: call}}}}}
			m.Restore(others, req)
			if len(req.Turns[1].Parts) != 1 || call.Signature != "" {
				t.Fatal("another tenant was given something")
			}
			m.Restore(mine, req)
			parts := req.Turns[1].Parts
			if last := parts[len(parts)-1]; last.Call != call {
				t.Fatal("the call is not the last part any more")
			}
			for _, p := range parts[:len(parts)-1] {
				if p.Reasoning == nil || p.Reasoning.Text+p.Reasoning.Signature+p.Reasoning.Encrypted == "" {
					t.Fatalf("an empty part was put in: %+v", p)
				}
			}
		}
		m.check(t)
	})
}
