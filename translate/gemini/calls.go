package gemini

import (
	"slices"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

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
