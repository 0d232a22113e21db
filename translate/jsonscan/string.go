package jsonscan

import "math/bits"

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
	// flip exchanges space and quote, so that one comparison finds a quote and all
	// that is below space.
	flip      = 0x02 * lowBits
	flipped   = 0x21 * lowBits
	backslash = '\\' * lowBits
)

// str returns the offset behind the closing quote of the string whose first byte
// stands at i, and whether it has escapes.
func (s *scanner) str(i int) (end int, escaped bool, err error) {
	rest, high := s.text[i:], s.high
	for {
		// Sixteen bytes at a time: a byte below space, a quote or a backslash sets its
		// high bit. Borrows only run from a byte that is a hit itself, so the lowest
		// set bit is exact.
		for len(rest) >= 16 {
			v, w := word(rest), word(rest[8:])
			high |= v | w
			vh := (((v ^ flip) - flipped) | ((v ^ backslash) - lowBits)) &^ v
			wh := (((w ^ flip) - flipped) | ((w ^ backslash) - lowBits)) &^ w
			if (vh|wh)&highBits == 0 {
				rest = rest[16:]
				continue
			}
			if vh &= highBits; vh != 0 {
				rest = rest[bits.TrailingZeros64(vh)/8:]
			} else {
				rest = rest[8+bits.TrailingZeros64(wh&highBits)/8:]
			}
			break
		}
		for len(rest) > 0 && rest[0] != '"' && rest[0] != '\\' && rest[0] >= ' ' {
			high |= uint64(rest[0])
			rest = rest[1:]
		}
		if len(rest) > 1 && rest[0] == '\\' && simpleEscape[rest[1]] {
			escaped = true
			rest = rest[2:]
			continue
		}
		i = len(s.text) - len(rest)
		switch {
		case len(rest) == 0:
			return i, escaped, syntaxError(s.text, i, "unexpected end of a string")
		case rest[0] == '"':
			s.high = high
			return i + 1, escaped, nil
		case rest[0] < ' ':
			return i, escaped, syntaxError(s.text, i, "control character in a string")
		}
		escaped = true
		if i, err = escape(s.text, i); err != nil {
			return i, escaped, err
		}
		rest = s.text[i:]
	}
}

// simpleEscape holds the characters that stand behind a backslash alone.
var simpleEscape = [256]bool{'"': true, '\\': true, '/': true, 'b': true, 'f': true, 'n': true, 'r': true, 't': true}

// escape returns the offset behind the escape sequence at i.
func escape(text []byte, i int) (int, error) {
	if i+1 >= len(text) {
		return i, syntaxError(text, i+1, "unexpected end of a string")
	}
	switch c := text[i+1]; {
	case simpleEscape[c]:
		return i + 2, nil
	case c != 'u':
		return i, syntaxError(text, i, "invalid escape")
	case i+6 > len(text):
		return i, syntaxError(text, len(text), "unexpected end of a string")
	}
	if _, ok := hex4(text[i+2 : i+6]); !ok {
		return i, syntaxError(text, i, "invalid escape")
	}
	return i + 6, nil
}

func hex4(b []byte) (r rune, ok bool) {
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
