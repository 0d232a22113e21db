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
	// before and behind are the event that the client gets, around the text.
	before, behind []byte
}

var memberContent = []byte(`"content":"`)

// fits returns the text of a chunk that fits the pattern, escaped.
func (p *pattern) fits(data []byte) (text []byte, ok bool) {
	start, end := len(p.prefix), len(data)-len(p.suffix)
	if start == 0 || end < start || !bytes.HasPrefix(data, p.prefix) || !bytes.Equal(data[end:], p.suffix) {
		return nil, false
	}
	stop, ok := jsonscan.InnerEnd(data, start)
	return data[start:end], ok && stop == end
}

// learn takes the pattern from a valid text chunk and the event that was made of it,
// which may lack a member of the chunk before or behind the text.
func (p *pattern) learn(data, event []byte) {
	i, end := chunkText(data)
	k, stop := chunkText(event)
	if i < 0 || k < 0 || !bytes.Equal(data[i:end], event[k:stop]) {
		return
	}
	p.prefix = append(p.prefix[:0], data[:i]...)
	p.suffix = append(p.suffix[:0], data[end:]...)
	p.before = append(p.before[:0], event[:k]...)
	p.behind = append(p.behind[:0], event[stop:]...)
}

// chunkText finds the text of a chunk; start is negative if it has none, or is not written
// on one line.
func chunkText(chunk []byte) (start, end int) {
	i := bytes.Index(chunk, memberContent)
	if i < 0 || bytes.IndexByte(chunk[:i], '\n') >= 0 {
		return -1, 0
	}
	i += len(memberContent)
	end, ok := jsonscan.InnerEnd(chunk, i)
	if !ok {
		return -1, 0
	}
	return i, end
}
