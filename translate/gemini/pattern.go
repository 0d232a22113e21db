package gemini

import (
	"bytes"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// pattern is what the text chunks of one stream have in common: the bytes before the
// text, and those behind it but for the token counts. A chunk that fits it is known to
// be valid and to say nothing but its text and its counts.
type pattern struct {
	prefix []byte
	// behind are the pieces of what stands behind the text; between two of them stands
	// a token count.
	behind [][]byte
	misses int // chunks that did not fit
	// tail is what stands behind the text of the last chunk that fitted. Its counts are
	// read when they matter: each chunk has its own, and the last ones hold.
	tail []byte
}

// maxMisses is how many patterns are tried on one stream.
const maxMisses = 8

// plainNames are the members that a chunk may have whose pattern is kept: those that are
// the same in all chunks, and the counts.
var plainNames = map[string]bool{
	"candidates": true, "content": true, "parts": true, "text": true, "role": true, "index": true, "modelVersion": true, "responseId": true,
	"usageMetadata": true, "promptTokenCount": true, "candidatesTokenCount": true, "totalTokenCount": true, "thoughtsTokenCount": true,
	"cachedContentTokenCount": true, "promptTokensDetails": true, "candidatesTokensDetails": true, "cacheTokensDetails": true,
	"modality": true, "tokenCount": true, "trafficType": true, "serviceTier": true,
}

var (
	nameText  = []byte(`"text"`)
	nameUsage = []byte(`"usageMetadata"`)
	endCount  = []byte(`Count"`)
)

// textChunk takes a chunk that fits the pattern, and reports whether it does.
func (d *Decoder) textChunk(data []byte, out translate.Sink) bool {
	p := &d.pattern
	if len(p.prefix) == 0 || len(d.choices) != 1 || d.blocked || !bytes.HasPrefix(data, p.prefix) {
		return false
	}
	end, ok := jsonscan.InnerEnd(data, len(p.prefix))
	if !ok || !fitsCounts(data[end:], p.behind) {
		return false
	}
	d.text(&d.choices[0], data[len(p.prefix):end], false, out)
	p.tail = append(p.tail[:0], data[end:]...)
	return true
}

// fitsCounts reports whether text consists of the pieces with a number between each two.
func fitsCounts(text []byte, pieces [][]byte) bool {
	for i, piece := range pieces {
		if i > 0 {
			n := digits(text)
			if n == 0 || n > 1 && text[0] == '0' {
				return false
			}
			text = text[n:]
		}
		if !bytes.HasPrefix(text, piece) {
			return false
		}
		text = text[len(piece):]
	}
	return len(text) == 0
}

// digits returns how many digits text begins with.
func digits(text []byte) int {
	n := 0
	for n < len(text) && '0' <= text[n] && text[n] <= '9' {
		n++
	}
	return n
}

// learn keeps the pattern of a valid chunk, if the chunk says nothing but text.
func (d *Decoder) learn(data []byte) {
	p := &d.pattern
	if p.misses >= maxMisses || d.body || d.blocked || len(d.choices) != 1 || !onlyPlainNames(data) || bytes.Count(data, nameText) != 1 {
		return
	}
	p.misses++
	i := bytes.Index(data, nameText) + len(nameText)
	value := bytes.TrimLeft(data[i:], ": ")
	if len(value) == 0 || value[0] != '"' {
		return
	}
	i = len(data) - len(value) + 1
	end, ok := jsonscan.InnerEnd(data, i)
	if !ok {
		return
	}
	p.prefix = append(p.prefix[:0], data[:i]...)
	p.behind = splitCounts(bytes.Clone(data[end:]))
}

// splitCounts cuts text at the values of members whose name ends in Count.
func splitCounts(text []byte) (pieces [][]byte) {
	for at := 0; ; {
		i := bytes.Index(text[at:], endCount)
		if i < 0 {
			return append(pieces, text)
		}
		at += i + len(endCount)
		for at < len(text) && (text[at] == ':' || text[at] == ' ') {
			at++
		}
		if n := digits(text[at:]); n > 0 {
			pieces = append(pieces, text[:at])
			text, at = text[at+n:], 0
		}
	}
}

// onlyPlainNames reports whether all members of a valid chunk, at any depth, are among
// the plain ones.
func onlyPlainNames(data []byte) bool {
	for i := 0; i < len(data); {
		open := bytes.IndexByte(data[i:], '"')
		if open < 0 {
			return true
		}
		i += open + 1
		end, ok := jsonscan.InnerEnd(data, i)
		if !ok {
			return false
		}
		name := data[i:end]
		i = end + 1
		if rest := bytes.TrimLeft(data[i:], " \t\r\n"); len(rest) > 0 && rest[0] == ':' && !plainNames[string(name)] {
			return false
		}
	}
	return true
}

// catchUp reads the counts of the last chunk that fitted the pattern.
func (d *Decoder) catchUp(out translate.Sink) {
	tail := d.pattern.tail
	if len(tail) == 0 {
		return
	}
	d.pattern.tail = tail[:0]
	i := bytes.Index(tail, nameUsage)
	if i < 0 {
		return
	}
	cur := cursor{b: tail, i: i + len(nameUsage)}
	cur.space()
	if cur.i < len(tail) && tail[cur.i] == ':' {
		cur.i++
		cur.space()
		d.usageMetadata(&cur, out)
	}
}
