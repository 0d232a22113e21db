package anthropic

import (
	"bytes"
	"strconv"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// stopJSON emits structured output that was not streamed.
func (d *Decoder) stopJSON(b *answerBlock, out translate.Sink) {
	switch {
	case b.kind == answerMember:
		d.buf = appendMember(d.buf[:0], b.input, d.enc.JSONMember)
	case b.grown:
		d.buf = d.buf[:0]
	case len(b.input) == 0:
		d.buf = append(d.buf[:0], "{}"...)
	default:
		d.buf = appendCompactEscaped(d.buf[:0], b.input)
	}
	if len(d.buf) > 0 {
		d.content(b, d.buf, out)
		d.runes += countRunes(d.buf)
	}
	if b.begun {
		d.emitStop(translate.BlockText, b.index, out)
	}
}

// appendMember appends the member that wraps structured output, as the inside of a
// string. Output that was cut off loses the wrapping at its front only.
func appendMember(dst, input []byte, name string) []byte {
	if jsonscan.Valid(input, maxDepth) == nil {
		if v := jsonscan.Get(input, name); v != nil {
			return appendCompactEscaped(dst, v)
		}
		return appendCompactEscaped(dst, input)
	}
	if head, rest, ok := bytes.Cut(input, []byte{':'}); ok && bytes.Contains(head, []byte(strconv.Quote(name))) {
		input = trimSpace(rest)
	}
	return jsonscan.Escape(dst, input)
}

// appendCustomInput appends the free text in the arguments of a custom tool, as the
// inside of a string, also if they were cut off in the middle of it.
func appendCustomInput(dst, input []byte) []byte {
	if jsonscan.Valid(input, maxDepth) == nil {
		if v := jsonscan.Get(input, customInput); jsonscan.IsString(v) {
			return append(dst, jsonscan.Inner(v)...)
		}
		return appendCompactEscaped(dst, input)
	}
	_, rest, _ := bytes.Cut(input, []byte{':'})
	rest = trimSpace(rest)
	if len(rest) == 0 || rest[0] != '"' {
		return dst
	}
	for rest = rest[1:]; ; {
		whole := append(append([]byte{'"'}, rest...), '"')
		if jsonscan.Valid(whole, 1) == nil {
			return append(dst, rest...)
		}
		i := bytes.LastIndexByte(rest, '\\')
		if i < 0 {
			return jsonscan.Escape(dst, rest)
		}
		rest = rest[:i]
	}
}
