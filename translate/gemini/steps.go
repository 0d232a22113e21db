package gemini

import (
	"strings"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// callRef is one call of a step.
type callRef struct {
	call   *translate.ToolCall
	id     string // as sent, "" if it is not sent
	result *translate.ToolResult
}

// step writes a run of assistant turns from turn i on and, if they call tools, one
// content with the results of all calls in their order; it returns the first turn
// behind what it wrote. The provider refuses a call without a result, and results in
// another order or number.
func (e *encoder) step(i int) int {
	var calls []callRef
	j := i
	for ; j < len(e.req.Turns); j++ {
		t := &e.req.Turns[j]
		if t.Role == translate.RoleSystem && !e.wrapSystem() {
			continue
		}
		if t.Role != translate.RoleAssistant {
			break
		}
		calls = e.assistantTurn(t, calls)
	}
	if len(calls) == 0 {
		return j
	}
	end := j
	for end < len(e.req.Turns) && e.req.Turns[end].Role != translate.RoleAssistant {
		end++
	}
	consumed := e.matchResults(calls, e.req.Turns[j:end])
	for k := range calls {
		e.functionResponse(&calls[k])
	}
	if !e.caps.ResultImages {
		for k := range calls {
			e.resultMedia(calls[k].result)
		}
	}
	for k := j; k < end; k++ {
		e.afterResults(&e.req.Turns[k], consumed)
	}
	return end
}

// afterResults writes what a turn behind the calls says besides their results.
func (e *encoder) afterResults(t *translate.Turn, consumed map[*translate.ToolResult]bool) {
	if t.Role == translate.RoleSystem && !e.wrapSystem() {
		return
	}
	for i := range t.Parts {
		if p := &t.Parts[i]; p.Kind != translate.PartToolResult || !consumed[p.Result] {
			e.userPart(p)
		}
	}
}

// assistantTurn writes one assistant message and adds its calls.
func (e *encoder) assistantTurn(t *translate.Turn, calls []callRef) []callRef {
	sigs := e.readSignatures(t)
	lastText := -1
	hasCalls := false
	for i := range t.Parts {
		p := &t.Parts[i]
		if (p.Kind == translate.PartText || p.Kind == translate.PartRefusal) && p.Text != "" {
			lastText = i
		}
		hasCalls = hasCalls || p.Kind == translate.PartToolCall
	}
	if lastText < 0 && !hasCalls {
		e.text(roleModel, "", sigs.text)
	}
	for i := range t.Parts {
		switch p := &t.Parts[i]; p.Kind {
		case translate.PartText, translate.PartRefusal:
			sig := ""
			if i == lastText {
				sig = sigs.text
			}
			if p.Text != "" {
				e.text(roleModel, p.Text, sig)
			}
		case translate.PartImage, translate.PartAudio, translate.PartFile, translate.PartVideo:
			e.begin(roleModel)
			e.media(p, false)
		case translate.PartToolCall:
			if p.Call == nil {
				continue
			}
			sig := e.ofCall(p.Call, &sigs)
			if sig == "" && len(calls) == 0 {
				if lastText < 0 {
					sig = sigs.text
				}
				if sig == "" && e.caps.Signatures {
					sig = skipSignature
				}
			}
			calls = append(calls, e.functionCall(p.Call, sig))
		}
	}
	return calls
}

// functionCall writes one call. A conversation cannot begin with one, so that a user
// turn is put in front.
func (e *encoder) functionCall(c *translate.ToolCall, signature string) callRef {
	ref := callRef{call: c}
	if !e.opt.Vertex && isOwnID(c.ID) {
		ref.id = c.ID
	}
	if e.list.role == "" {
		e.text(roleUser, filler, "")
	}
	e.begin(roleModel)
	e.buf = append(e.buf, `{"functionCall":{`...)
	if ref.id != "" {
		e.buf = jsonscan.Quote(appendName(e.buf, "id"), ref.id)
	}
	e.buf = jsonscan.Quote(appendName(e.buf, "name"), e.wireName(c.Name))
	e.buf = appendArguments(appendName(e.buf, "args"), c)
	e.buf = append(e.buf, '}')
	e.signature(signature)
	e.buf = append(e.buf, '}')
	return ref
}

// appendArguments appends the arguments of a call as an object, whatever the model or
// the client made of them.
func appendArguments(dst []byte, c *translate.ToolCall) []byte {
	text := strings.TrimSpace(c.Arguments)
	if c.Custom {
		return append(jsonscan.Quote(append(dst, `{"input":`...), c.Arguments), '}')
	}
	switch raw := []byte(text); {
	case text == "" || text == "null":
		return append(dst, "{}"...)
	case jsonscan.Valid(raw, maxDepth) != nil:
		return append(jsonscan.Quote(append(dst, `{"input":`...), c.Arguments), '}')
	case raw[0] != '{':
		return append(append(append(dst, `{"input":`...), raw...), '}')
	default:
		return append(dst, raw...)
	}
}
