// Package sse reads Server-Sent Events as the WHATWG HTML standard
// describes them (section 9.2), with the leniency that LLM providers need: an event
// that the body ends with is delivered even without its blank line, and lines that
// belong to no field are kept when they look like JSON.
package sse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Event is one event of a stream. Its slices are valid until the next call of
// [Reader.Next].
type Event struct {
	// Raw is the event as it came, closing blank line included. Comments that stand
	// inside the event belong to it; a comment line in front of it is an event of its
	// own, delivered at once, because it is how a server that has nothing to say yet
	// keeps the line alive. Blank lines in front of an event are in no Raw.
	Raw []byte
	// Name is the value of the last "event" field.
	Name []byte
	// Data holds the values of the "data" fields joined by LF; nil if there was none.
	Data []byte
	// Stray holds the lines without a known field name, from the first one on that
	// begins with a brace or a bracket: some providers end a stream with a bare JSON
	// error.
	Stray []byte
	// Terminated is false for an event that the end of the body cut off or closed
	// without a blank line.
	Terminated bool
}

// Comment reports whether the event carries nothing but comments.
func (e *Event) Comment() bool { return e.Data == nil && e.Name == nil && e.Stray == nil }

// ErrTooLong is matched by the error for an event larger than the reader's limit.
var ErrTooLong = errors.New("event too long")

const (
	// firstRead is the size of a fresh buffer; it grows with the largest event.
	firstRead = 4 << 10
	// fastRead is the size to which the buffer of a source grows that fills it at once,
	// so that a fast stream is moved in few pieces and a slow one keeps little memory.
	fastRead = 32 << 10
	// minRead is the room that makes a read worth its system call.
	minRead = 1 << 10
	// maxKept is the largest buffer that is worth keeping for the next stream.
	maxKept = 64 << 10
)

// Reader splits a stream into events. It reads as much as one Read of the source
// gives, so that an event is delivered as soon as its last byte is there. What it
// delivers depends on the bytes alone and not on how they were cut into reads. A
// Reader is used by one goroutine; its memory is bounded by the limit on events.
type Reader struct {
	src    io.Reader
	max    int
	buf    []byte
	r, w   int  // buf[r:w] is unread
	scan   int  // buf[r:scan] has been searched for the end of the event
	line   int  // start of the line that is being searched
	lf     int  // buf[scan:lf] has no LF
	found  int  // end of the event that find has found; r.r or less if there is none
	single bool // the event at found is one line of data
	cr     bool // there has been a CR
	full   bool // the last read left no room
	bom    bool
	err    error

	data  []byte // joined data of a multi-line event
	stray []byte
}

// NewReader returns a Reader of src that refuses events of more than max bytes, not
// counting line ends around them.
func NewReader(src io.Reader, max int) *Reader {
	r := new(Reader)
	r.Reset(src, max)
	return r
}

// Reset makes r read from src, reusing its buffer.
func (r *Reader) Reset(src io.Reader, max int) {
	buf := r.buf
	if cap(buf) > maxKept {
		buf = nil
	}
	*r = Reader{src: src, max: max, buf: buf, data: r.data[:0], stray: r.stray[:0]}
	if cap(r.data) > maxKept {
		r.data = nil
	}
	if cap(r.stray) > maxKept {
		r.stray = nil
	}
}

// Next returns the next event. At the end of the body it returns io.EOF, at a broken
// body the source's error; an event that was under way then is returned first, marked
// as not terminated. An event larger than the limit gives an error that matches
// [ErrTooLong], and ends the stream.
func (r *Reader) Next() (Event, error) {
	for {
		end, ok := r.find()
		if !ok {
			end = r.w
		}
		if end-r.r > r.max && contentLen(r.buf[r.r:end]) > r.max {
			r.err = fmt.Errorf("%w: more than %d bytes", ErrTooLong, r.max)
			r.r, r.scan, r.line = r.w, r.w, r.w
			return Event{}, r.err
		}
		if ok {
			return r.take(end, true), nil
		}
		if r.err != nil {
			if len(bytes.TrimSpace(r.buf[r.r:r.w])) > 0 {
				return r.take(r.w, false), nil
			}
			r.r = r.w
			return Event{}, r.err
		}
		r.fill()
	}
}

// contentLen returns the length without the line ends at the end.
func contentLen(b []byte) int {
	n := len(b)
	for n > 0 && (b[n-1] == '\n' || b[n-1] == '\r') {
		n--
	}
	return n
}

// Buffered reports whether Next can return an event without reading.
func (r *Reader) Buffered() bool {
	_, ok := r.find()
	return ok || r.err != nil && r.r < r.w
}

// fill reads once.
func (r *Reader) fill() {
	if r.r > 0 && (r.r == r.w || len(r.buf)-r.w < minRead) {
		n := copy(r.buf, r.buf[r.r:r.w])
		r.scan -= r.r
		r.line -= r.r
		r.lf = max(r.lf-r.r, 0)
		r.found -= r.r
		r.r, r.w = 0, n
	}
	if r.full && len(r.buf) < fastRead {
		grown := make([]byte, min(4*len(r.buf), fastRead))
		r.w = copy(grown, r.buf[:r.w])
		r.buf = grown
	}
	if r.w == len(r.buf) {
		// An unfinished event is at most as long as the limit and one line end.
		size := max(min(2*len(r.buf), r.max+firstRead), len(r.buf)+minRead, firstRead)
		grown := make([]byte, size)
		copy(grown, r.buf[:r.w])
		r.buf = grown
	}
	for range 100 {
		n, err := r.src.Read(r.buf[r.w:])
		r.cr = r.cr || bytes.IndexByte(r.buf[r.w:r.w+n], '\r') >= 0
		r.w += n
		r.err = err
		r.full = r.w == len(r.buf)
		if n > 0 || err != nil {
			r.skipBOM()
			return
		}
	}
	r.err = io.ErrNoProgress
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// skipBOM drops a byte order mark at the start of the stream.
func (r *Reader) skipBOM() {
	start := r.buf[r.r:r.w]
	if r.bom || len(start) < len(byteOrderMark) && bytes.HasPrefix(byteOrderMark, start) {
		return // seen, or too early to tell
	}
	r.bom = true
	if bytes.HasPrefix(start, byteOrderMark) {
		r.r += len(byteOrderMark)
		r.scan, r.line = max(r.scan, r.r), max(r.line, r.r)
	}
}

// find looks for the end of the event that starts at r.r: the offset behind its blank
// line, or behind the comment line that it is. It skips blank lines before the event.
func (r *Reader) find() (end int, ok bool) {
	if r.found > r.r {
		return r.found, true
	}
	if r.scan == r.r && r.findLine() {
		return r.found, true
	}
	for r.scan < r.w {
		at := r.lineEnd()
		if at == r.w {
			r.scan = r.w
			return 0, false
		}
		line := r.buf[r.line:at]
		first := r.line == r.r
		// The LF of a CRLF that was cut between two reads looks like a blank line.
		rest := !first && len(line) == 0 && r.buf[at] == '\n' && r.buf[at-1] == '\r'
		next := at + 1
		if r.buf[at] == '\r' && next < r.w && r.buf[next] == '\n' {
			next++
		}
		r.scan, r.line = next, next
		switch {
		case len(line) == 0 && first:
			r.r = next
		case len(line) == 0 && !rest, len(line) > 0 && line[0] == ':' && first:
			r.found = next
			return next, true
		}
	}
	return 0, false
}

// findLine finds the event of one line that nearly all are: a data field, LF, LF. Only
// for streams without a single CR so far, where nothing else ends a line.
func (r *Reader) findLine() bool {
	text := r.buf[r.r:r.w]
	if r.cr || !bytes.HasPrefix(text, dataField) {
		return false
	}
	i := bytes.IndexByte(text, '\n')
	if i < 0 || i+1 >= len(text) || text[i+1] != '\n' {
		return false
	}
	r.found, r.single = r.r+i+2, true
	return true
}

var dataField = []byte("data:")

// lineEnd returns the offset of the first CR or LF from r.scan on, or r.w if there is
// none. It remembers where the next LF is, so that a text full of CRs is not searched
// for it again and again.
func (r *Reader) lineEnd() int {
	r.lf = max(r.lf, r.scan)
	if r.lf < r.w && r.buf[r.lf] != '\n' {
		r.lf = indexOrEnd(r.buf[:r.w], r.lf, '\n')
	}
	return indexOrEnd(r.buf[:r.lf], r.scan, '\r')
}

// indexOrEnd returns the offset of the first c in b[from:], or len(b).
func indexOrEnd(b []byte, from int, c byte) int {
	if i := bytes.IndexByte(b[from:], c); i >= 0 {
		return from + i
	}
	return len(b)
}

// take cuts the event that ends at end off the buffer and reads its fields.
func (r *Reader) take(end int, terminated bool) Event {
	raw := r.buf[r.r:end]
	r.r, r.scan, r.line = end, end, end
	e := Event{Raw: raw, Terminated: terminated}
	if r.single {
		r.single = false
		e.Data = raw[len(dataField) : len(raw)-2]
		if len(e.Data) > 0 && e.Data[0] == ' ' {
			e.Data = e.Data[1:]
		}
		return e
	}
	lines := 0
	for start, lf := 0, 0; start < len(raw); {
		if lf = max(lf, start); lf < len(raw) && raw[lf] != '\n' {
			lf = indexOrEnd(raw, lf, '\n')
		}
		at := indexOrEnd(raw[:lf], start, '\r')
		line := raw[start:at]
		// The LF of a CRLF makes a blank line here, which says nothing.
		if start = at + 1; len(line) == 0 || line[0] == ':' {
			continue
		}
		colon := indexOrEnd(line, 0, ':')
		value := line[min(colon+1, len(line)):]
		if len(value) > 0 && value[0] == ' ' {
			value = value[1:]
		}
		switch string(line[:colon]) {
		case "data":
			switch lines++; lines {
			case 1:
				e.Data = value
			case 2:
				r.data = append(r.data[:0], e.Data...)
				fallthrough
			default:
				r.data = append(append(r.data, '\n'), value...)
				e.Data = r.data
			}
		case "event":
			e.Name = value
		case "id", "retry":
		default:
			r.strayLine(&e, line)
		}
	}
	return e
}

// strayLine keeps a line that belongs to no field, if it is part of a bare JSON text.
func (r *Reader) strayLine(e *Event, line []byte) {
	if e.Stray == nil {
		if first := bytes.TrimLeft(line, " \t"); len(first) == 0 || first[0] != '{' && first[0] != '[' {
			return
		}
		r.stray = r.stray[:0]
	}
	r.stray = append(append(r.stray, line...), '\n')
	e.Stray = r.stray
}
