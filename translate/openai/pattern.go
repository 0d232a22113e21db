package openai

import (
	"bytes"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// pattern is what the text chunks of one stream have in common: all that stands before
// and behind the text. A chunk that fits it is known to be valid, to hold text, and
// neither to fail nor to finish, so that only the text itself has to be looked at.
type pattern struct {
	prefix, suffix []byte
	// passed is what becomes of suffix on the way to the client.
	passed []byte
	same   bool // passed is suffix
}

var memberContent = []byte(`"content":"`)

// fits returns the end of the text of a chunk that fits the pattern.
func (p *pattern) fits(data []byte) (end int, ok bool) {
	end = len(data) - len(p.suffix)
	if len(p.suffix) == 0 || end < len(p.prefix) || !bytes.HasPrefix(data, p.prefix) || !bytes.Equal(data[end:], p.suffix) {
		return 0, false
	}
	stop, ok := jsonscan.InnerEnd(data, len(p.prefix))
	return end, ok && stop == end
}

// learn takes the pattern from a valid text chunk and from what was passed of it, which
// begin alike.
func (p *pattern) learn(data, passed []byte) {
	i := bytes.Index(data, memberContent)
	if i < 0 || bytes.IndexByte(data, '\n') >= 0 {
		return
	}
	i += len(memberContent)
	end, ok := jsonscan.InnerEnd(data, i)
	if !ok || len(passed) < end || !bytes.Equal(data[:end], passed[:end]) {
		return
	}
	p.prefix = append(p.prefix[:0], data[:i]...)
	p.suffix = append(p.suffix[:0], data[end:]...)
	p.passed = append(p.passed[:0], passed[end:]...)
	p.same = bytes.Equal(p.suffix, p.passed)
}
