package gemini

import (
	"strings"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// The roles of contents.
const (
	roleUser  = "user"
	roleModel = "model"
)

// filler is the text of a turn that the provider insists on and nobody wrote.
const filler = "."

// systemInstruction writes the system messages: those at the head of the conversation
// and, unless they are to stay in place, the later ones behind them.
func (e *encoder) systemInstruction() {
	if e.caps.NoSystem {
		return
	}
	texts := e.systemTexts()
	if len(texts) == 0 {
		return
	}
	e.buf = append(appendName(e.buf, "systemInstruction"), `{"parts":[`...)
	for i, text := range texts {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		e.buf = append(jsonscan.Quote(append(e.buf, `{"text":`...), text), '}')
	}
	e.buf = append(e.buf, "]}"...)
}

// systemTexts returns the texts of the system instruction, none of them empty.
func (e *encoder) systemTexts() (texts []string) {
	for i, leading := 0, true; i < len(e.req.Turns); i++ {
		t := &e.req.Turns[i]
		if t.Role != translate.RoleSystem {
			leading = false
			continue
		}
		if !leading && e.wrapSystem() {
			continue
		}
		for k := range t.Parts {
			if text := t.Parts[k].Text; text != "" {
				texts = append(texts, text)
			}
		}
	}
	if e.instruct != "" {
		texts = append(texts, e.instruct)
	}
	return texts
}

// contentList writes "contents" and merges neighbours of equal role.
type contentList struct {
	role string // of the open content; "" before the first
}

// begin opens a part of a content with the role.
func (e *encoder) begin(role string) {
	l := &e.list
	switch {
	case l.role == role:
		e.buf = append(e.buf, ',')
		return
	case l.role != "":
		e.buf = append(e.buf, "]},"...)
	}
	l.role = role
	e.buf = append(e.buf, `{"role":"`...)
	e.buf = append(e.buf, role...)
	e.buf = append(e.buf, `","parts":[`...)
}

// text writes a text part unless it is empty.
func (e *encoder) text(role, text, signature string) {
	if text == "" && signature == "" {
		return
	}
	e.begin(role)
	e.buf = jsonscan.Quote(append(e.buf, `{"text":`...), text)
	e.signature(signature)
	e.buf = append(e.buf, '}')
}

func (e *encoder) signature(signature string) {
	if signature != "" {
		e.buf = jsonscan.Quote(appendName(e.buf, "thoughtSignature"), signature)
	}
}

// contents writes the conversation.
func (e *encoder) contents() {
	e.buf = append(appendName(e.buf, "contents"), '[')
	if texts := e.systemTexts(); e.caps.NoSystem && len(texts) > 0 {
		e.text(roleUser, strings.Join(texts, "\n\n")+"\n\n", "")
	}
	leading := true
	for i := 0; i < len(e.req.Turns); {
		t := &e.req.Turns[i]
		switch t.Role {
		case translate.RoleSystem:
			if !leading && e.wrapSystem() {
				e.userTurn(t)
			}
			i++
			continue
		case translate.RoleAssistant:
			i = e.step(i)
		default:
			e.userTurn(t)
			i++
		}
		leading = false
	}
	if e.list.role == "" {
		e.text(roleUser, filler, "")
	}
	e.buf = append(e.buf, "]}]"...)
}

// dropNames notes that participants have no names here.
func (e *encoder) dropNames() {
	for i := range e.req.Turns {
		if t := &e.req.Turns[i]; t.Name != "" && t.Role != translate.RoleTool {
			e.dropFirst(&e.namesDropped, t.Path+".name")
		}
	}
}

// userTurn writes what a user, a tool without a call or a late system message says.
func (e *encoder) userTurn(t *translate.Turn) {
	for i := range t.Parts {
		e.userPart(&t.Parts[i])
	}
}

func (e *encoder) userPart(p *translate.Part) {
	switch p.Kind {
	case translate.PartText, translate.PartRefusal:
		e.text(roleUser, p.Text, "")
	case translate.PartImage, translate.PartAudio, translate.PartFile, translate.PartVideo:
		e.begin(roleUser)
		e.media(p, true)
	case translate.PartToolResult:
		e.orphan(p)
	}
}

// orphan writes a result whose call is not in the conversation as text.
func (e *encoder) orphan(p *translate.Part) {
	r := p.Result
	if r == nil {
		return
	}
	who := r.CallID
	if r.Name != "" {
		who = strings.TrimSpace(r.Name + " " + r.CallID)
	}
	e.text(roleUser, "Tool result for "+who+": "+resultText(r), "")
	for i := range r.Parts {
		if r.Parts[i].Media != nil {
			e.begin(roleUser)
			e.media(&r.Parts[i], true)
		}
	}
}

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
