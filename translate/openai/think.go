package openai

import (
	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// thinkState is where a choice stands with the <think> element that some models begin
// their text with. The zero value has seen nothing yet.
type thinkState struct {
	state uint8
	// match counts the characters of the awaited tag that have come; held is their
	// text, which a chunk may have ended with.
	match int
	held  []byte
}

const (
	thinkStart uint8 = iota // nothing but white space so far
	thinkIn                 // inside the element
	thinkGap                // behind it, before the answer's first character
	thinkOver               // what comes is the answer
)

const (
	openTag  = "<think>"
	closeTag = "</think>"
	// maxHeld bounds the white space before the element.
	maxHeld = 256
)

// off says that the provider separates reasoning from text by itself.
func (t *thinkState) off() {
	if t.state == thinkStart && len(t.held) == 0 {
		t.state = thinkOver
	}
}

// think moves what stands in a <think> element at the start of a choice's text to its
// reasoning. The text is escaped, and so may be the tags' brackets.
func (d *Decoder) think(c *answerChoice, text []byte, out translate.Sink) {
	t := &c.think
	from := 0 // what is not emitted yet
	for i := 0; i < len(text); {
		char, size := unit(text[i:])
		switch t.state {
		case thinkStart:
			space := t.match == 0 && isSpace(char) && len(t.held) < maxHeld
			if !space && char != openTag[t.match] {
				d.flushThink(c, out)
				d.text(c, translate.BlockText, indexText, text[i:], out)
				return
			}
			t.held = append(t.held, text[i:i+size]...)
			if !space {
				t.match++
			}
			if t.match == len(openTag) {
				t.state, t.match, t.held = thinkIn, 0, t.held[:0]
			}
			i += size
			from = i
		case thinkIn:
			if char != closeTag[t.match] {
				if t.match > 0 {
					d.release(c, out)
					continue // the character may begin the tag
				}
				i += size
				continue
			}
			d.text(c, translate.BlockReasoning, indexReasoning, text[from:i], out)
			t.held = append(t.held, text[i:i+size]...)
			if t.match++; t.match == len(closeTag) {
				t.state, t.match, t.held = thinkGap, 0, t.held[:0]
			}
			i += size
			from = i
		default:
			if isSpace(char) {
				i += size
				continue
			}
			t.state = thinkOver
			d.text(c, translate.BlockText, indexText, text[i:], out)
			return
		}
	}
	if t.state == thinkIn {
		d.text(c, translate.BlockReasoning, indexReasoning, text[from:], out)
	}
}

// release emits text that looked like the closing tag and is none.
func (d *Decoder) release(c *answerChoice, out translate.Sink) {
	d.text(c, translate.BlockReasoning, indexReasoning, c.think.held, out)
	c.think.match, c.think.held = 0, c.think.held[:0]
}

// flushThink emits what is held back, as no more text will come to make it a tag.
func (d *Decoder) flushThink(c *answerChoice, out translate.Sink) {
	switch c.think.state {
	case thinkStart:
		d.text(c, translate.BlockText, indexText, c.think.held, out)
	case thinkIn:
		d.release(c, out)
	}
	c.think = thinkState{state: thinkOver}
}

// unit returns the first character of escaped text, if it is one of ASCII, and how
// many bytes stand for it. Any other character is 0.
func unit(text []byte) (char byte, size int) {
	if text[0] != '\\' || len(text) < 2 {
		return text[0], 1
	}
	switch c := text[1]; c {
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'b', 'f':
		return 0, 2
	case 'u':
		if len(text) < 6 {
			return 0, len(text)
		}
		if text[2] != '0' || text[3] != '0' {
			return 0, 6
		}
		return hexDigit(text[4])<<4 | hexDigit(text[5]), 6
	default:
		return c, 2
	}
}

func hexDigit(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }
