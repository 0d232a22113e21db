package gemini

import "bytes"

// cursor reads valid JSON in one pass: it descends into values instead of looking for
// their ends first, as [jsonscan.Walker] does, which counts where every chunk of a
// stream is nested six levels deep. On a text that is not valid it stops early or
// yields nonsense, but never reads outside the text and never loops.
//
// A container is read by enter and then next until that is false; after each next the
// value must be read, by skip or as a container.
type cursor struct {
	b []byte
	i int
}

// enter moves into the object or array at the cursor if it begins with the byte; any
// other value it skips, and returns false.
func (c *cursor) enter(open byte) bool {
	if c.i < len(c.b) && c.b[c.i] == open {
		c.i++
		return true
	}
	c.skip()
	return false
}

// next moves to the next element of an array, or behind its end, and reports whether
// there is one.
func (c *cursor) next() bool {
	c.space()
	if c.i < len(c.b) && c.b[c.i] == ',' {
		c.i++
		c.space()
	}
	if c.i >= len(c.b) {
		return false
	}
	if ch := c.b[c.i]; ch == '}' || ch == ']' {
		c.i++
		return false
	}
	return true
}

// member moves to the value of the next member of an object and returns the member's
// name, still escaped; nil behind the end of the object.
func (c *cursor) member() []byte {
	if !c.next() {
		return nil
	}
	start := c.i + 1
	c.skip()
	end := c.i - 1
	c.space()
	if start > end || c.i >= len(c.b) || c.b[c.i] != ':' {
		c.i = len(c.b)
		return nil
	}
	c.i++
	c.space()
	return c.b[start:end]
}

// skip moves behind the value and returns it.
func (c *cursor) skip() []byte {
	b, start, depth := c.b, c.i, 0
	i := start
	for i < len(b) {
		switch b[i] {
		case '"':
			i = stringEnd(b, i+1)
		case '{', '[':
			depth++
			i++
			continue
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ', '\n', '\r', '\t':
			i++
			continue
		default:
			for i++; i < len(b) && !ends(b[i]); i++ {
			}
		}
		if depth <= 0 {
			break
		}
	}
	c.i = i
	return b[start:i]
}

// ends reports whether a byte ends a number or a literal.
func ends(c byte) bool {
	switch c {
	case ',', '}', ']', ' ', '\n', '\r', '\t':
		return true
	}
	return false
}

// shortString is how far a string is looked through byte by byte: most names and
// values end there, and a call of bytes.IndexByte would cost more.
const shortString = 24

// stringEnd returns the offset behind the closing quote of the string whose first byte
// stands at i.
func stringEnd(b []byte, i int) int {
	for stop := min(len(b), i+shortString); i < stop; i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	for start := i; i < len(b); {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return len(b)
		}
		i += n + 1
		slashes := 0
		for k := i - 2; k >= start && b[k] == '\\'; k-- {
			slashes++
		}
		if slashes%2 == 0 {
			return i
		}
	}
	return len(b)
}

func (c *cursor) space() {
	for c.i < len(c.b) {
		switch c.b[c.i] {
		case ' ', '\n', '\r', '\t':
			c.i++
		default:
			return
		}
	}
}
