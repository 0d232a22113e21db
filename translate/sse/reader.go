// Package sse reads and writes Server-Sent Events as the WHATWG HTML standard
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
	// Raw is the event as it came, comments and closing blank line included.
	Raw []byte
	// Name is the value of the last "event" field.
	Name []byte
	// Data holds the values of the "data" fields joined by LF; nil if there was none.
	Data []byte
	// Stray holds lines without a known field name whose block began with a brace or
	// a bracket: some providers end a stream with a bare JSON error.
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
	// minRead is the room that makes a read worth its system call.
	minRead = 1 << 10
	// maxKept is the largest buffer that is worth keeping for the next stream.
	maxKept = 64 << 10
)

// Reader splits a stream into events. It reads as much as one Read of the source
// gives, so that an event is delivered as soon as its last byte is there.
type Reader struct {
	src  io.Reader
	max  int
	buf  []byte
	r, w int // buf[r:w] is unread
	scan int // buf[r:scan] has been searched for the end of the event
	line int // start of the line that is being searched
	bom  bool
	err  error

	data  []byte // joined data of a multi-line event
	stray []byte
}

// NewReader returns a Reader of src that refuses events of more than max bytes.
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
		if end, ok := r.find(); ok {
			return r.take(end, true), nil
		}
		if r.err != nil {
			if r.r < r.w && len(bytes.TrimSpace(r.buf[r.r:r.w])) > 0 {
				return r.take(r.w, false), nil
			}
			return Event{}, r.err
		}
		if r.w-r.r > r.max {
			r.err = fmt.Errorf("%w: more than %d bytes", ErrTooLong, r.max)
			r.r = r.w
			return Event{}, r.err
		}
		r.fill()
	}
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
		r.r, r.w = 0, n
	}
	if r.w == len(r.buf) {
		size := max(2*len(r.buf), firstRead)
		grown := make([]byte, size)
		copy(grown, r.buf[:r.w])
		r.buf = grown
	}
	for range 100 {
		n, err := r.src.Read(r.buf[r.w:])
		r.w += n
		r.err = err
		if n > 0 || err != nil {
			if !r.bom && r.w-r.r >= 3 || err != nil {
				r.skipBOM()
			}
			return
		}
	}
	r.err = io.ErrNoProgress
}

// skipBOM drops a byte order mark at the start of the stream.
func (r *Reader) skipBOM() {
	if r.bom {
		return
	}
	r.bom = true
	if bytes.HasPrefix(r.buf[r.r:r.w], []byte("\xef\xbb\xbf")) {
		r.r += 3
		r.scan, r.line = max(r.scan, r.r), max(r.line, r.r)
	}
}

// find looks for the end of the event that starts at r.r: the offset behind its blank
// line. Blank lines before the event belong to it.
func (r *Reader) find() (end int, ok bool) {
	if !r.bom && r.err == nil && r.w-r.r < 3 {
		return 0, false
	}
	for r.scan < r.w {
		i := bytes.IndexByte(r.buf[r.scan:r.w], '\n')
		seg := r.buf[r.scan:r.w]
		if i >= 0 {
			seg = seg[:i]
		}
		// A lone CR ends a line as well.
		if c := bytes.IndexByte(seg, '\r'); c >= 0 {
			i = c
		}
		if i < 0 {
			r.scan = r.w
			return 0, false
		}
		at := r.scan + i
		next := at + 1
		if r.buf[at] == '\r' && next < r.w && r.buf[next] == '\n' {
			next++
		}
		blank := at == r.line
		// The LF of a CRLF that was cut between two reads looks like a blank line.
		if blank && r.buf[at] == '\n' && at > r.r && r.buf[at-1] == '\r' {
			blank = false
		}
		// A blank line ends the event, if anything but blank lines came before it.
		if blank && len(bytes.TrimRight(r.buf[r.r:at], "\r\n")) == 0 {
			blank = false
		}
		r.scan, r.line = next, next
		if blank {
			return next, true
		}
	}
	return 0, false
}

// take cuts the event that ends at end off the buffer and reads its fields.
func (r *Reader) take(end int, terminated bool) Event {
	raw := r.buf[r.r:end]
	r.r, r.scan, r.line = end, end, end
	e := Event{Raw: raw, Terminated: terminated}
	lines := 0
	var stray bool
	for rest := raw; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch {
		case len(line) == 0 || line[0] == ':' && !stray:
		case !stray && string(field) == "data":
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
		case !stray && string(field) == "event":
			e.Name = value
		case !stray && (string(field) == "id" || string(field) == "retry"):
		default:
			if !stray {
				if first := bytes.TrimLeft(line, " \t"); len(first) == 0 || first[0] != '{' && first[0] != '[' {
					continue
				}
				stray = true
				r.stray = r.stray[:0]
			}
			r.stray = append(append(r.stray, line...), '\n')
			e.Stray = r.stray
		}
	}
	return e
}

// cutLine splits b behind its first line and strips that line's end.
func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		i = len(b)
	}
	if c := bytes.IndexByte(b[:i], '\r'); c >= 0 {
		rest = b[c+1:]
		if len(rest) > 0 && rest[0] == '\n' {
			rest = rest[1:]
		}
		return b[:c], rest
	}
	if i == len(b) {
		return b, nil
	}
	return b[:i], b[i+1:]
}
