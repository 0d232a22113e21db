package anthropic

import (
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// blockKind is the type of a content block in a request.
type blockKind uint8

const (
	blockText blockKind = iota + 1
	blockImage
	blockDocument
	blockToolUse
	blockToolResult
	blockThinking
	blockRedacted
)

// block is one content block of a request. Only the fields of its kind are set.
type block struct {
	kind blockKind

	text      string // text, thinking, or the data of redacted thinking
	signature string // thinking

	source, mime, data, title string // image, document

	id, name string // tool_use, tool_result: as the client wrote them, until resolved
	call     *translate.ToolCall
	content  []block // tool_result
	isError  bool

	cache jsontext.Value
}

// breakpoint returns the cache_control object for a breakpoint in Anthropic's form or in
// OpenAI's, which has a mode and lifetimes of its own; nil if raw is neither.
func breakpoint(raw jsontext.Value) jsontext.Value {
	if len(raw) == 0 || raw[0] != '{' {
		return nil
	}
	if jsonscan.Get(raw, "type") != nil {
		return raw
	}
	if jsonscan.Get(raw, "mode") == nil {
		return nil
	}
	switch jsonscan.String(jsonscan.Get(raw, "ttl")) {
	case "30m":
		return jsontext.Value(`{"type":"ephemeral","ttl":"5m"}`)
	case "12h":
		return jsontext.Value(`{"type":"ephemeral","ttl":"1h"}`)
	}
	return jsontext.Value(`{"type":"ephemeral"}`)
}

// maxBreakpoints is how many cache breakpoints a request may have.
const maxBreakpoints = 4

// limitBreakpoints makes the request keep its last breakpoints only. Automatic caching
// takes one of them, and those inside verbatim tools cannot be left out.
func (e *encoder) limitBreakpoints() {
	n, fixed := 0, 0
	if e.get("cache_control") != nil {
		fixed++
	}
	for i := range e.tools {
		switch t := &e.tools[i]; {
		case t.raw != nil && jsonscan.Get(t.raw, "cache_control") != nil:
			fixed++
		case t.cache != nil:
			n++
		}
	}
	count := func(blocks []block) {
		for i := range blocks {
			if blocks[i].cache != nil {
				n++
			}
		}
	}
	count(e.system)
	for i := range e.turns {
		count(e.turns[i].results)
		count(e.turns[i].blocks)
		count(e.turns[i].calls)
	}
	e.skipBreakpoints = max(0, n-max(0, maxBreakpoints-fixed))
}

// appendBreakpoint writes a block's or tool's breakpoint, unless it is one too many.
func (e *encoder) appendBreakpoint(dst []byte, cache jsontext.Value) []byte {
	if cache == nil {
		return dst
	}
	if e.skipBreakpoints > 0 {
		e.skipBreakpoints--
		return dst
	}
	return append(member(dst, "cache_control"), cache...)
}

// appendSystem writes the system prompt: a block for each text part, never joined,
// because joining would move cache breakpoints.
func (e *encoder) appendSystem(dst []byte) []byte {
	if len(e.system) == 0 {
		return dst
	}
	dst = append(member(dst, "system"), '[')
	return append(e.appendBlocks(dst, e.system), ']')
}

func (e *encoder) appendMessages(dst []byte) []byte {
	dst = append(member(dst, "messages"), '[')
	for i := range e.turns {
		t := &e.turns[i]
		dst = append(element(dst), '{')
		role := "user"
		switch t.role {
		case translate.RoleAssistant:
			role = "assistant"
		case translate.RoleSystem:
			role = "system"
		}
		dst = stringMember(dst, "role", role)
		dst = append(member(dst, "content"), '[')
		dst = e.appendBlocks(dst, t.results)
		dst = e.appendBlocks(dst, t.blocks)
		dst = e.appendBlocks(dst, t.calls)
		dst = append(dst, ']', '}')
	}
	return append(dst, ']')
}

func (e *encoder) appendBlocks(dst []byte, blocks []block) []byte {
	for i := range blocks {
		dst = e.appendBlock(element(dst), &blocks[i])
	}
	return dst
}

func (e *encoder) appendBlock(dst []byte, b *block) []byte {
	dst = append(dst, '{')
	switch b.kind {
	case blockText:
		dst = stringMember(dst, "type", "text")
		dst = stringMember(dst, "text", b.text)
	case blockImage:
		dst = stringMember(dst, "type", "image")
		dst = appendSource(dst, b)
	case blockDocument:
		dst = stringMember(dst, "type", "document")
		dst = appendSource(dst, b)
		if b.title != "" {
			dst = stringMember(dst, "title", cut(b.title, maxTitle))
		}
	case blockToolUse:
		dst = stringMember(dst, "type", "tool_use")
		dst = stringMember(dst, "id", b.id)
		dst = stringMember(dst, "name", e.names.of(b.name))
		dst = appendInput(member(dst, "input"), b.call)
	case blockToolResult:
		dst = stringMember(dst, "type", "tool_result")
		dst = stringMember(dst, "tool_use_id", b.id)
		if len(b.content) == 1 && b.content[0].kind == blockText {
			dst = stringMember(dst, "content", b.content[0].text)
		} else if len(b.content) > 0 {
			dst = append(member(dst, "content"), '[')
			dst = append(e.appendBlocks(dst, b.content), ']')
		}
		if b.isError {
			dst = append(member(dst, "is_error"), "true"...)
		}
	case blockThinking:
		dst = stringMember(dst, "type", "thinking")
		dst = stringMember(dst, "thinking", b.text)
		dst = stringMember(dst, "signature", b.signature)
	case blockRedacted:
		dst = stringMember(dst, "type", "redacted_thinking")
		dst = stringMember(dst, "data", b.text)
	}
	dst = e.appendBreakpoint(dst, b.cache)
	return append(dst, '}')
}

// maxTitle is the longest title of a document, in characters.
const maxTitle = 500

// cut returns the first n characters of s.
func cut(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// appendSource writes where an image or document is to be had.
func appendSource(dst []byte, b *block) []byte {
	dst = append(member(dst, "source"), '{')
	dst = stringMember(dst, "type", b.source)
	name := "data"
	switch b.source {
	case "url":
		name = "url"
	case "file":
		name = "file_id"
	default:
		dst = stringMember(dst, "media_type", b.mime)
	}
	return append(stringMember(dst, name, b.data), '}')
}

// maxInputDepth bounds the nesting of arguments that are passed as they are.
const maxInputDepth = 512

// appendInput writes the arguments of a call as the object that "input" has to be. The
// model may have written anything: an object is copied byte for byte, nothing is an
// empty object, and what is left is wrapped in one.
func appendInput(dst []byte, call *translate.ToolCall) []byte {
	if call.Custom {
		dst = append(dst, '{')
		return append(stringMember(dst, customInput, call.Arguments), '}')
	}
	raw := trimSpace([]byte(call.Arguments))
	if len(raw) == 0 || string(raw) == "null" {
		return append(dst, "{}"...)
	}
	valid := jsonscan.Valid(raw, maxInputDepth) == nil
	if valid && raw[0] == '{' {
		return append(dst, raw...)
	}
	dst = append(dst, '{')
	dst = member(dst, customInput)
	if valid {
		dst = append(dst, raw...)
	} else {
		dst = jsonscan.Quote(dst, raw)
	}
	return append(dst, '}')
}

func trimSpace(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }
