package gemini

import (
	"strconv"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// FormatReasoning is the format of the reasoning state that this dialect makes and
// takes.
const FormatReasoning = "google-gemini-v1"

// skipSignature is the value that Google documents for a history whose signatures are
// lost or that another model produced (ai.google.dev/gemini-api/docs/thought-signatures).
const skipSignature = "skip_thought_signature_validator"

// efforts are OpenAI's words for reasoning_effort.
var efforts = map[string]bool{"none": true, "minimal": true, "low": true, "medium": true, "high": true, "xhigh": true, "max": true}

// thinking turns reasoning_effort into a level or a budget, never both: the provider
// refuses that. What the client wrote in the provider's own form replaces it.
func (e *encoder) thinking() {
	effort := e.req.Params.Effort
	if effort != "" && !efforts[effort] {
		e.fail("unsupported_value", "reasoning_effort", "Unknown reasoning effort "+strconv.Quote(effort)+".")
		return
	}
	if e.clientThinking != nil {
		e.set("thinkingConfig", e.clientThinking)
		return
	}
	if !e.caps.thinks() {
		if effort != "" && effort != "none" {
			e.drop("reasoning_effort")
		}
		return
	}
	raw := []byte{'{'}
	if effort != "" {
		if level, ok := e.caps.Levels[effort]; ok {
			raw = jsonscan.Quote(appendName(raw, "thinkingLevel"), level)
		} else if budget, ok := e.caps.Budgets[effort]; ok {
			raw = strconv.AppendInt(appendName(raw, "thinkingBudget"), budget, 10)
		}
	}
	if effort != "" && effort != "none" || e.opt.IncludeThoughts {
		raw = append(appendName(raw, "includeThoughts"), "true"...)
	}
	if len(raw) > 1 {
		e.set("thinkingConfig", append(raw, '}'))
	}
}

// signatures are the thought signatures that one assistant turn carries.
type signatures struct {
	byCall map[string]string
	// text belongs to no call: to the text of the turn, or to its first call if it
	// has no text.
	text string
}

// readSignatures collects the provider's own signatures of a turn; those of other
// vendors stay out.
func (e *encoder) readSignatures(t *translate.Turn) signatures {
	var s signatures
	if !e.caps.Signatures && !e.caps.CarriesSignatures {
		return s
	}
	for i := range t.Parts {
		r := t.Parts[i].Reasoning
		if t.Parts[i].Kind != translate.PartReasoning || r == nil || r.Format != FormatReasoning {
			continue
		}
		sig := r.Encrypted
		if sig == "" {
			sig = r.Signature
		}
		switch {
		case !isBase64(sig):
		case r.ID == "":
			s.text = sig
		default:
			if s.byCall == nil {
				s.byCall = make(map[string]string)
			}
			s.byCall[r.ID] = sig
		}
	}
	return s
}

// ofCall returns the signature of a call, or "".
func (e *encoder) ofCall(c *translate.ToolCall, s *signatures) string {
	if !e.caps.Signatures && !e.caps.CarriesSignatures {
		return ""
	}
	// Nobody else signs tool calls, so that a signature without a format is Google's.
	if (c.Format == FormatReasoning || c.Format == "") && isBase64(c.Signature) {
		return c.Signature
	}
	return s.byCall[c.ID]
}

// isBase64 reports whether s can be the JSON form of bytes, in either alphabet.
func isBase64(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '+', c == '/', c == '-', c == '_', c == '=':
		default:
			return false
		}
	}
	return s != ""
}

// isOwnID reports whether a tool-call id can have come from the provider: eight small
// letters and digits, or "call_" and a number. Ids of other vendors and those made up
// on the way must not be sent.
func isOwnID(id string) bool {
	if len(id) > 5 && id[:5] == "call_" {
		return len(id) <= 20 && allOf(id[5:], false)
	}
	return len(id) == 8 && allOf(id, true)
}

func allOf(s string, letters bool) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (!letters || c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}
