package anthropic

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// cite remembers a citation of a text block. It is told to the client when the block
// is complete, because it stands for all of it.
func (d *Decoder) cite(b *answerBlock, citation []byte, out translate.Sink) {
	if b.kind != answerText || len(citation) == 0 || citation[0] != '{' {
		return
	}
	if len(b.citations) > 0 {
		b.citations = append(b.citations, ',')
	}
	b.citations = append(b.citations, citation...)
	d.hold(len(citation), out)
}

// annotate emits the citations of a complete text block that have a URL as OpenAI's
// annotations. Anthropic's citations say where in the source the text comes from and
// not where in the answer it stands, so each covers the whole block.
func (d *Decoder) annotate(b *answerBlock, out translate.Sink) {
	if len(b.citations) == 0 {
		return
	}
	list := append(append([]byte{'['}, b.citations...), ']')
	d.buf = append(d.buf[:0], '[')
	for w := jsonscan.Walk(list); w.Next(); {
		url, title := citationSource(w.Value)
		if len(url) == 0 {
			continue
		}
		d.buf = append(element(d.buf), `{"type":"url_citation","url_citation":{"start_index":`...)
		d.buf = strconv.AppendInt(d.buf, int64(b.from), 10)
		d.buf = intMember(d.buf, "end_index", int64(d.runes))
		d.buf = append(member(d.buf, "title"), '"')
		d.buf = append(append(d.buf, title...), '"')
		d.buf = append(member(d.buf, "url"), '"')
		d.buf = append(append(d.buf, url...), `"}}`...)
	}
	if len(d.buf) > 1 {
		d.buf = append(d.buf, ']')
		d.meta(translate.BlockText, b.index, translate.MetaAnnotations, d.buf, out)
	}
	if d.ExposeRaw {
		d.buf = append(append(append(d.buf[:0], `{"anthropic_citations":`...), list...), '}')
		d.meta(translate.BlockText, b.index, translate.MetaVendor, d.buf, out)
	}
}

// citationSource returns the URL and title of a citation, as insides of strings; no
// URL for citations of documents.
func citationSource(citation []byte) (url, title []byte) {
	var typ []byte
	for w := jsonscan.Walk(citation); w.Next(); {
		switch string(w.Name) {
		case "type":
			typ = jsonscan.Inner(w.Value)
		case "url", "source":
			url = jsonscan.Inner(w.Value)
		case "title":
			title = jsonscan.Inner(w.Value)
		}
	}
	switch string(typ) {
	case "web_search_result_location", "search_result_location":
		if bytes.Contains(url, []byte("://")) || bytes.Contains(url, []byte(`:\/\/`)) {
			return url, title
		}
	}
	return nil, nil
}

// countRunes returns how many characters the inside of a JSON string stands for.
func countRunes(inner []byte) int {
	n := 0
	for {
		i := bytes.IndexByte(inner, '\\')
		if i < 0 || i+1 >= len(inner) {
			return n + utf8.RuneCount(inner)
		}
		n += utf8.RuneCount(inner[:i]) + 1
		width := 2
		if inner[i+1] == 'u' {
			width = 6
			// Two escapes that are a surrogate pair are one character.
			if pair := inner[i:]; len(pair) >= 12 && isSurrogate(pair[:6], "dD", "89abAB") && isSurrogate(pair[6:12], "dD", "cdefCDEF") {
				width = 12
			}
		}
		inner = inner[min(i+width, len(inner)):]
	}
}

// isSurrogate reports whether an escape is \uXY.. with X and Y among the given digits.
func isSurrogate(escape []byte, x, y string) bool {
	return escape[0] == '\\' && escape[1] == 'u' && bytes.IndexByte([]byte(x), escape[2]) >= 0 && bytes.IndexByte([]byte(y), escape[3]) >= 0
}

// appendServerTools appends how often the provider's own tools were used, as a member
// of OpenAI's usage object; nothing if they were not.
func appendServerTools(dst []byte, searches, fetches int64) []byte {
	if searches+fetches == 0 {
		return dst
	}
	dst = append(dst, `"server_tool_use":{`...)
	if searches > 0 {
		dst = intMember(dst, "web_search_requests", searches)
	}
	if fetches > 0 {
		dst = intMember(dst, "web_fetch_requests", fetches)
	}
	return append(dst, '}')
}
