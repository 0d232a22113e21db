package gemini

import (
	"bytes"
	"slices"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// chunk takes one GenerateContentResponse, or an error in its place. Proxies in front
// of the provider may wrap it in an object with a member "response".
func (d *Decoder) chunk(raw []byte, wrapped bool, out translate.Sink) {
	var candidates, usage, feedback, model, id, failure, response []byte
	members := jsonscan.Walk(raw)
	for members.Next() {
		switch string(members.Name) {
		case "candidates":
			candidates = members.Value
		case "usageMetadata":
			usage = members.Value
		case "promptFeedback":
			feedback = members.Value
		case "modelVersion":
			model = members.Value
		case "responseId":
			id = members.Value
		case "error":
			failure = members.Value
		case "response":
			response = members.Value
		}
	}
	if !jsonscan.IsNull(failure) {
		d.fail(streamError(raw), out)
		return
	}
	if wrapped && candidates == nil && len(response) > 0 && response[0] == '{' {
		d.chunk(response, false, out)
		return
	}
	if !d.started && (candidates != nil || id != nil || model != nil) {
		d.started = true
		d.id = bytes.Clone(jsonscan.Inner(id))
		d.ev = translate.Event{Kind: translate.EventStart, ID: answerID(jsonscan.String(id)), Model: jsonscan.String(model)}
		d.emit(out)
	}
	if !d.blocked {
		list := jsonscan.Walk(candidates)
		for list.Next() {
			d.candidate(list.Value, out)
		}
	}
	if !jsonscan.IsNull(usage) {
		d.usageMetadata(usage, out)
	}
	if !jsonscan.IsNull(feedback) {
		d.promptFeedback(feedback, out)
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
func (d *Decoder) candidate(raw []byte, out translate.Sink) {
	var content, finish, ground, logprobs, token []byte
	index := int64(0)
	var vendor vendorFields
	members := jsonscan.Walk(raw)
	for members.Next() {
		switch string(members.Name) {
		case "content":
			content = members.Value
		case "index":
			index, _ = jsonscan.Int(members.Value)
		case "finishReason":
			finish = members.Value
		case "groundingMetadata":
			ground = members.Value
		case "logprobsResult":
			logprobs = members.Value
		case "safetyRatings":
			vendor.safety = members.Value
		case "finishMessage":
			vendor.message = members.Value
		case "continuationToken":
			token = members.Value
		}
	}
	c := d.choice(index)
	if c == nil {
		return
	}
	parts := jsonscan.Walk(jsonscan.Get(content, "parts"))
	for n := 0; parts.Next(); n++ {
		if d.body {
			c.offsets.part(n)
		}
		d.part(c, parts.Value, out)
	}
	d.logprobs(c, logprobs, out)
	d.keepGrounding(c, ground)
	d.keepVendor(c, &vendor)
	if jsonscan.IsString(finish) {
		c.reason.set(jsonscan.Inner(finish))
	}
	if index == 0 && jsonscan.IsString(token) {
		d.hops.checkpoint(jsonscan.String(token))
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
func (d *Decoder) part(c *choice, raw []byte, out translate.Sink) {
	var text, signature, call, inline []byte
	thought, server := false, false
	members := jsonscan.Walk(raw)
	for members.Next() {
		switch string(members.Name) {
		case "text":
			text = members.Value
		case "thought":
			thought = len(members.Value) == 4 && members.Value[0] == 't'
		case "thoughtSignature":
			signature = jsonscan.Inner(members.Value)
		case "functionCall":
			call = members.Value
		case "inlineData":
			inline = members.Value
		case "executableCode", "codeExecutionResult", "toolCall", "toolResponse", "fileData":
			server = true
		}
	}
	switch {
	case !jsonscan.IsNull(call):
		d.functionCall(c, call, signature, out)
		return
	case server:
		d.keepServerPart(c, raw)
		return // its signature is part of what is kept
	case !jsonscan.IsNull(inline):
		d.inlineData(c, inline, thought, out)
	case len(text) > 2:
		d.text(c, jsonscan.Inner(text), thought, out)
	}
	if len(signature) > 0 {
		if sig, ok := d.keep(signature); ok {
			c.signatures = append(c.signatures, sig)
		}
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

// functionCall takes a call. It comes whole, or in pieces if somebody asked for that.
func (d *Decoder) functionCall(c *choice, raw, signature []byte, out translate.Sink) {
	var name, id, args, partial []byte
	more := false
	members := jsonscan.Walk(raw)
	for members.Next() {
		switch string(members.Name) {
		case "name":
			name = members.Value
		case "id":
			id = members.Value
		case "args":
			args = members.Value
		case "partialArgs":
			partial = members.Value
		case "willContinue":
			more, _ = jsonscan.Bool(members.Value)
		}
	}
	call := translate.Call{ID: jsonscan.String(id), Name: jsonscan.String(name)}
	if c.partial != nil || partial != nil || more {
		d.partialCall(c, call, signature, partial, more, out)
		return
	}
	if call.Name == "" {
		return
	}
	d.call(c, call, signature, args, out)
}

// arguments returns the text of a call: its arguments or, if it is one of a custom
// tool, the free text in them.
func (d *Decoder) arguments(args []byte, custom bool) []byte {
	if jsonscan.IsNull(args) {
		return nil
	}
	if custom {
		if input := jsonscan.Get(args, "input"); jsonscan.IsString(input) {
			return jsonscan.Inner(input)
		}
	}
	d.buf = appendEscapedJSON(d.buf[:0], args)
	return d.buf
}

// call emits one whole call; args is its arguments as raw JSON, nil for none.
func (d *Decoder) call(c *choice, call translate.Call, signature, args []byte, out translate.Sink) {
	format := ""
	if slices.Contains(d.enc.CustomTools, call.Name) {
		format = translate.FormatCustomTool
	}
	if old, ok := d.enc.Names[call.Name]; ok {
		call.Name = old
	}
	d.stop(c, out)
	c.content = true
	index := c.next
	c.next++
	d.ev = translate.Event{Kind: translate.EventBlockStart, Choice: c.index, Index: index, Block: translate.BlockTool, Call: call, Format: format}
	d.emit(out)
	if len(signature) > 0 {
		d.ev = translate.Event{
			Kind: translate.EventBlockMeta, Choice: c.index, Index: index, Block: translate.BlockTool,
			Meta: translate.MetaSignature, Format: FormatReasoning, Text: signature,
		}
		d.emit(out)
	}
	if text := d.arguments(args, format != ""); len(text) > 0 {
		d.ev = translate.Event{Kind: translate.EventBlockDelta, Choice: c.index, Index: index, Block: translate.BlockTool, Text: text}
		d.emit(out)
	}
	d.ev = translate.Event{Kind: translate.EventBlockStop, Choice: c.index, Index: index, Block: translate.BlockTool}
	d.emit(out)
	d.hops.progress()
}

// appendEscapedJSON appends valid JSON as the inside of a JSON string, without the
// white space between its tokens.
func appendEscapedJSON(dst, raw []byte) []byte {
	inString := false
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case c == '"':
			inString = !inString
			dst = append(dst, '\\', '"')
		case c == '\\' && i+1 < len(raw):
			i++
			dst = append(dst, '\\', '\\')
			if raw[i] == '"' || raw[i] == '\\' {
				dst = append(dst, '\\')
			}
			dst = append(dst, raw[i])
		case !inString && (c == ' ' || c == '\n' || c == '\r' || c == '\t'):
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// inlineData takes a generated image or sound. Images that are part of the reasoning
// are drafts and are left out.
func (d *Decoder) inlineData(c *choice, raw []byte, thought bool, out translate.Sink) {
	mime, data := jsonscan.Inner(jsonscan.Get(raw, "mimeType")), jsonscan.Inner(jsonscan.Get(raw, "data"))
	if thought || len(data) == 0 {
		return
	}
	meta := translate.MetaImages
	switch {
	case bytes.HasPrefix(mime, []byte("image/")):
		d.buf = append(d.buf[:0], `[{"type":"image_url","image_url":{"url":"data:`...)
		d.buf = append(append(append(append(d.buf, mime...), ";base64,"...), data...), `"}}]`...)
	case bytes.HasPrefix(mime, []byte("audio/")):
		meta = translate.MetaAudio
		d.audio(data)
	default:
		d.keepServerPart(c, raw)
		return
	}
	d.stop(c, out)
	c.content = true
	index := c.next
	c.next++
	d.ev = translate.Event{Kind: translate.EventBlockStart, Choice: c.index, Index: index, Block: translate.BlockMedia}
	d.emit(out)
	d.ev = translate.Event{Kind: translate.EventBlockMeta, Choice: c.index, Index: index, Block: translate.BlockMedia, Meta: meta, Raw: d.buf}
	d.emit(out)
	d.ev = translate.Event{Kind: translate.EventBlockStop, Choice: c.index, Index: index, Block: translate.BlockMedia}
	d.emit(out)
	d.hops.progress()
	if cap(d.buf) > 1<<20 {
		d.buf = nil
	}
}

// audio builds a fragment of OpenAI's audio object; the first one has the members that
// must be there, although the provider knows neither an expiry nor a transcript.
func (d *Decoder) audio(data []byte) {
	d.buf = append(append(append(d.buf[:0], `{"data":"`...), data...), '"')
	if !d.sounded {
		d.sounded = true
		d.buf = append(append(append(d.buf, `,"id":"audio_`...), d.id...), `","expires_at":0,"transcript":""`...)
	}
	d.buf = append(d.buf, '}')
}
