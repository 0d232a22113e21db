package gemini

import (
	"bytes"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// chunk takes one GenerateContentResponse, or an error in its place. Proxies in front
// of the provider may wrap it in an object with a member "response".
func (d *Decoder) chunk(raw []byte, wrapped bool, out translate.Sink) {
	var feedback, model, id, failure, response []byte
	var candidates, usage cursor // read behind the id, which may come last
	seen := false                // candidates have been read already
	cur := cursor{b: raw}
	cur.enter('{')
	for name := cur.member(); name != nil; name = cur.member() {
		switch string(name) {
		case "candidates":
			if d.started && !d.blocked {
				seen = true
				d.candidates(&cur, out)
				continue
			}
			candidates = cur
			cur.skip()
		case "usageMetadata":
			usage = cur
			cur.skip()
		case "promptFeedback":
			feedback = cur.skip()
		case "modelVersion":
			model = cur.skip()
		case "responseId":
			id = cur.skip()
		case "error":
			failure = cur.skip()
		case "response":
			response = cur.skip()
		default:
			cur.skip()
		}
	}
	if !jsonscan.IsNull(failure) {
		d.fail(streamError(raw), out)
		return
	}
	if wrapped && !seen && candidates.b == nil && len(response) > 0 && response[0] == '{' {
		d.chunk(response, false, out)
		return
	}
	if !d.started && (candidates.b != nil || id != nil || model != nil) {
		d.started = true
		d.id = bytes.Clone(jsonscan.Inner(id))
		d.ev = translate.Event{Kind: translate.EventStart, ID: answerID(jsonscan.String(id)), Model: jsonscan.String(model)}
		d.emit(out)
	}
	if candidates.b != nil && !d.blocked {
		d.candidates(&candidates, out)
	}
	if usage.b != nil {
		d.usageMetadata(&usage, out)
	}
	if !jsonscan.IsNull(feedback) {
		d.promptFeedback(feedback, out)
	}
}

// candidates takes the candidates at the cursor.
func (d *Decoder) candidates(cur *cursor, out translate.Sink) {
	if !cur.enter('[') {
		return
	}
	for cur.next() {
		d.candidate(cur, out)
	}
}

// answerID returns OpenAI's form of a response id.
func answerID(id string) string {
	if id == "" {
		return ""
	}
	return "chatcmpl-" + id
}

// candidate takes one element of candidates.
func (d *Decoder) candidate(cur *cursor, out translate.Sink) {
	var finish, ground, logprobs, token []byte
	var content cursor // read behind the index
	index := int64(0)
	var vendor vendorFields
	if !cur.enter('{') {
		return
	}
	for name := cur.member(); name != nil; name = cur.member() {
		switch string(name) {
		case "content":
			content = *cur
			cur.skip()
		case "index":
			index, _ = jsonscan.Int(cur.skip())
		case "finishReason":
			finish = cur.skip()
		case "groundingMetadata":
			ground = cur.skip()
		case "logprobsResult":
			logprobs = cur.skip()
		case "safetyRatings":
			vendor.safety = cur.skip()
		case "finishMessage":
			vendor.message = cur.skip()
		case "continuationToken":
			token = cur.skip()
		default:
			cur.skip()
		}
	}
	c := d.choice(index)
	if c == nil {
		return
	}
	d.content(c, &content, out)
	if logprobs != nil {
		d.logprobs(c, logprobs, out)
	}
	if ground != nil {
		d.keepGrounding(c, ground)
	}
	d.keepVendor(c, &vendor)
	if jsonscan.IsString(finish) {
		c.reason.set(jsonscan.Inner(finish))
	}
	if index == 0 && jsonscan.IsString(token) {
		d.hops.checkpoint(jsonscan.String(token))
	}
}

// content takes the content of a candidate.
func (d *Decoder) content(c *choice, cur *cursor, out translate.Sink) {
	if !cur.enter('{') {
		return
	}
	for name := cur.member(); name != nil; name = cur.member() {
		if string(name) != "parts" {
			cur.skip()
			continue
		}
		if !cur.enter('[') {
			continue
		}
		for n := 0; cur.next(); n++ {
			if d.body {
				c.offsets.part(n)
			}
			d.part(c, cur, out)
		}
	}
}

// choice returns the state of the candidate with the index; nil beyond the bounds.
func (d *Decoder) choice(index int64) *choice {
	for i := range d.choices {
		if d.choices[i].index == int(index) {
			return &d.choices[i]
		}
	}
	if index < 0 || index >= maxChoices {
		return nil
	}
	d.choices = append(d.choices, choice{index: int(index)})
	return &d.choices[len(d.choices)-1]
}

// part takes one part of a candidate's content.
func (d *Decoder) part(c *choice, cur *cursor, out translate.Sink) {
	var text, signature, call, inline []byte
	thought, server := false, false
	start := cur.i
	if !cur.enter('{') {
		return
	}
	for name := cur.member(); name != nil; name = cur.member() {
		value := cur.skip()
		switch string(name) {
		case "text":
			text = value
		case "thought":
			thought = string(value) == "true"
		case "thoughtSignature":
			signature = jsonscan.Inner(value)
		case "functionCall":
			call = value
		case "inlineData":
			inline = value
		case "executableCode", "codeExecutionResult", "toolCall", "toolResponse", "fileData":
			server = true
		}
	}
	switch {
	case !jsonscan.IsNull(call):
		d.functionCall(c, call, signature, out)
		return
	case server:
		d.keepServerPart(c, cur.b[start:cur.i])
		return // its signature is part of what is kept
	case !jsonscan.IsNull(inline):
		d.inlineData(c, inline, thought, out)
	case jsonscan.IsString(text):
		d.text(c, jsonscan.Inner(text), thought, out)
	}
	if len(signature) > 0 {
		d.keepSignature(c, signature)
	}
}

// keepSignature keeps the signature of text until the text has ended. Of too many the
// last one counts: it stands for all that went before.
func (d *Decoder) keepSignature(c *choice, signature []byte) {
	kept, ok := d.keep(signature)
	switch {
	case !ok:
	case len(c.signatures) < maxSignatures:
		c.signatures = append(c.signatures, kept)
	default:
		c.signatures[maxSignatures-1] = kept
	}
}

// text takes visible text or, if thought is set, a piece of the reasoning's summary.
func (d *Decoder) text(c *choice, inner []byte, thought bool, out translate.Sink) {
	if len(inner) == 0 {
		return
	}
	kind := translate.BlockText
	if thought {
		kind = translate.BlockReasoning
	} else {
		c.content = true
		c.offsets.add(inner)
	}
	d.open(c, kind, out)
	d.ev = translate.Event{Kind: translate.EventBlockDelta, Choice: c.index, Index: c.block, Block: kind, Text: inner}
	d.emit(out)
	d.hops.progress()
}

// open makes a block of the kind the open one.
func (d *Decoder) open(c *choice, kind translate.BlockKind, out translate.Sink) {
	if c.kind == kind {
		return
	}
	d.stop(c, out)
	c.kind, c.block = kind, c.next
	c.next++
	d.ev = translate.Event{Kind: translate.EventBlockStart, Choice: c.index, Index: c.block, Block: kind}
	d.emit(out)
}

// stop closes the open block.
func (d *Decoder) stop(c *choice, out translate.Sink) {
	if c.kind == 0 {
		return
	}
	d.ev = translate.Event{Kind: translate.EventBlockStop, Choice: c.index, Index: c.block, Block: c.kind}
	c.kind = 0
	d.emit(out)
}
