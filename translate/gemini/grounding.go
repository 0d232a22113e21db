package gemini

import (
	"bytes"
	"slices"
	"sort"
	"strconv"
	"unicode/utf8"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

const (
	// maxGrounding bounds the groundingMetadata kept of a candidate, maxAnnotations
	// the citations made of it, maxSources the sources they name.
	maxGrounding   = 64
	maxAnnotations = 512
	maxSources     = 512
)

// grounding is one groundingMetadata, kept until the whole text is known: it may come
// before the text it is about.
type grounding struct {
	chunks, supports []byte
	starts           []int // where the parts begin that the segments count from
	base             int   // where the answer begins, without starts
}

// keepGrounding keeps the sources and supports of a groundingMetadata.
func (d *Decoder) keepGrounding(c *choice, raw []byte) {
	chunks, supports := jsonscan.Get(raw, "groundingChunks"), jsonscan.Get(raw, "groundingSupports")
	if jsonscan.IsNull(chunks) && jsonscan.IsNull(supports) || len(c.grounded) >= maxGrounding {
		return
	}
	g := grounding{base: c.offsets.base}
	var ok bool
	if g.chunks, ok = d.keep(chunks); !ok {
		return
	}
	if g.supports, ok = d.keep(supports); !ok {
		return
	}
	if d.body {
		g.starts = slices.Clone(c.offsets.starts)
	}
	c.grounded = append(c.grounded, g)
}

// source is a web page or document that supports the text; both are escaped.
type source struct{ uri, title []byte }

// annotations reports the citations of a choice.
func (d *Decoder) annotations(c *choice, out translate.Sink) {
	if len(c.grounded) == 0 || c.offsets.bytes == 0 || c.offsets.lost {
		return
	}
	var sources []source
	seen := make(map[string]bool)
	d.buf = append(d.buf[:0], '[')
	for i := range c.grounded {
		g := &c.grounded[i]
		if !jsonscan.IsNull(g.chunks) {
			sources = readSources(g.chunks)
		}
		supports := jsonscan.Walk(g.supports)
		for supports.Next() {
			d.support(c, g, supports.Value, sources, seen)
		}
	}
	if len(d.buf) == 1 {
		return
	}
	d.buf = append(d.buf, ']')
	d.open(c, translate.BlockText, out)
	d.ev = translate.Event{
		Kind: translate.EventBlockMeta, Choice: c.index, Index: c.block, Block: translate.BlockText, Meta: translate.MetaAnnotations, Raw: d.buf,
	}
	d.emit(out)
}

// support appends one citation for each source of a groundingSupport.
func (d *Decoder) support(c *choice, g *grounding, raw []byte, sources []source, seen map[string]bool) {
	segment := jsonscan.Get(raw, "segment")
	start, _ := jsonscan.Int(jsonscan.Get(segment, "startIndex"))
	end, ok := jsonscan.Int(jsonscan.Get(segment, "endIndex"))
	if !ok {
		return
	}
	base := g.base
	if part, _ := jsonscan.Int(jsonscan.Get(segment, "partIndex")); part >= 0 && part < int64(len(g.starts)) {
		base = g.starts[part]
	}
	from, to := c.offsets.rune(base, start), c.offsets.rune(base, end)
	if from > to {
		return
	}
	indices := jsonscan.Walk(jsonscan.Get(raw, "groundingChunkIndices"))
	for indices.Next() {
		n, ok := jsonscan.Int(indices.Value)
		if !ok || n < 0 || n >= int64(len(sources)) || len(sources[n].uri) == 0 || len(seen) >= maxAnnotations {
			continue
		}
		at := len(d.buf)
		if at > 1 {
			d.buf = append(d.buf, ',')
		}
		body := len(d.buf)
		d.buf = append(d.buf, `{"type":"url_citation","url_citation":{"start_index":`...)
		d.buf = strconv.AppendInt(d.buf, int64(from), 10)
		d.buf = append(d.buf, `,"end_index":`...)
		d.buf = strconv.AppendInt(d.buf, int64(to), 10)
		d.buf = append(append(append(d.buf, `,"title":"`...), sources[n].title...), `","url":"`...)
		d.buf = append(append(d.buf, sources[n].uri...), `"}}`...)
		if seen[string(d.buf[body:])] {
			d.buf = d.buf[:at]
			continue
		}
		seen[string(d.buf[body:])] = true
	}
}

// readSources returns the sources in their order; one that is neither a page, a
// document nor a place has no address.
func readSources(chunks []byte) (sources []source) {
	elements := jsonscan.Walk(chunks)
	for elements.Next() && len(sources) < maxSources {
		var s source
		kinds := jsonscan.Walk(elements.Value)
		for kinds.Next() {
			switch string(kinds.Name) {
			case "web", "retrievedContext", "maps", "image":
				s.uri = jsonscan.Inner(jsonscan.Get(kinds.Value, "uri"))
				s.title = jsonscan.Inner(jsonscan.Get(kinds.Value, "title"))
			}
		}
		sources = append(sources, s)
	}
	return sources
}

// offsets turns offsets in bytes of the UTF-8 text into offsets in characters without
// keeping the text: it only remembers where characters of more than one byte stand.
type offsets struct {
	bytes  int
	runs   []wideRun
	starts []int // of the parts of the current answer
	base   int   // where the current answer begins
	lost   bool  // there were too many runs
}

// wideRun is a run of characters of the same width.
type wideRun struct {
	at    int // byte offset of the first
	n     int
	width int
	extra int // bytes beyond one per character, in all runs before this one
}

const maxRuns = 1 << 16

// part notes that the n-th part of an answer begins.
func (o *offsets) part(n int) {
	if n < 256 {
		o.starts = append(o.starts[:min(n, len(o.starts))], o.bytes)
	}
}

// nextAnswer notes that the next offsets count from here.
func (o *offsets) nextAnswer() { o.base, o.starts = o.bytes, nil }

// add takes the text that is the inside of a JSON string.
func (o *offsets) add(inner []byte) {
	for len(inner) > 0 {
		n := 0
		for n < len(inner) && inner[n] < utf8.RuneSelf && inner[n] != '\\' {
			n++
		}
		o.bytes += n
		if inner = inner[n:]; len(inner) == 0 {
			return
		}
		if inner[0] == '\\' {
			n = min(2, len(inner))
			if n == 2 && inner[1] == 'u' {
				n = escapeLen(inner)
			}
			o.char(escapedWidth(inner[:n]))
		} else {
			_, n = utf8.DecodeRune(inner)
			o.char(n)
		}
		inner = inner[n:]
	}
}

// escapedWidth returns the bytes of the character that one escape sequence stands for.
func escapedWidth(escape []byte) int {
	var text, quoted [16]byte
	raw := append(append(append(quoted[:0], '"'), escape...), '"')
	return len(jsonscan.Unquote(text[:0], raw))
}

// escapeLen returns the length of the \u escape at the start of b: twelve for a
// surrogate pair, or else six.
func escapeLen(b []byte) int {
	n := min(6, len(b))
	if n == 6 && (b[2] == 'd' || b[2] == 'D') && bytes.IndexByte([]byte("89abAB"), b[3]) >= 0 &&
		len(b) >= 12 && b[6] == '\\' && b[7] == 'u' && (b[8] == 'd' || b[8] == 'D') && bytes.IndexByte([]byte("cdefCDEF"), b[9]) >= 0 {
		return 12
	}
	return n
}

// char counts one character.
func (o *offsets) char(width int) {
	if width > 1 && !o.lost {
		last := len(o.runs) - 1
		switch {
		case last >= 0 && o.runs[last].width == width && o.runs[last].at+o.runs[last].n*width == o.bytes:
			o.runs[last].n++
		case len(o.runs) >= maxRuns:
			o.lost = true
		default:
			run := wideRun{at: o.bytes, n: 1, width: width}
			if last >= 0 {
				run.extra = o.runs[last].extra + o.runs[last].n*(o.runs[last].width-1)
			}
			o.runs = append(o.runs, run)
		}
	}
	o.bytes += width
}

// rune returns the character in which the byte at base+offset stands, within the text.
func (o *offsets) rune(base int, offset int64) int {
	b := base + int(min(max(offset, 0), int64(o.bytes-base)))
	i := sort.Search(len(o.runs), func(i int) bool { return o.runs[i].at >= b }) - 1
	if i < 0 {
		return b
	}
	r := &o.runs[i]
	whole := min((b-r.at)/r.width, r.n)
	rest := 0
	if whole < r.n {
		rest = (b - r.at) % r.width
	}
	return b - r.extra - whole*(r.width-1) - rest
}
