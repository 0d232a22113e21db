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
