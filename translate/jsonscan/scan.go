// Package jsonscan reads JSON without decoding it: it checks a whole text in one
// pass and tells where the members of an object stand, so that a gateway can route,
// splice and observe bodies it otherwise leaves untouched.
//
// It accepts exactly what RFC 8259 allows in UTF-8, with two additions a gateway
// needs: a bound on nesting, and a refusal of objects whose top level names one
// member twice, because two readers of such a text may disagree about what it says.
package jsonscan

import (
	"bytes"
	"errors"
	"fmt"
	"math/bits"
)

// Member is one member of a JSON object, as it stands in the text that was scanned.
// Name is without its quotes and unescaped; Value is the raw value without the white
// space around it. Both alias the scanned text (Name only where it has no escapes).
type Member struct {
	Name  []byte
	Value []byte
	// Start is the offset of the name's opening quote, ValueStart and End those of
	// the value's first byte and of the byte behind it.
	Start, ValueStart, End int
}

// SyntaxError says where a text stops being JSON.
type SyntaxError struct {
	Offset int64 // of the offending byte
	Msg    string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s at byte %d", e.Msg, e.Offset)
}

// DuplicateError reports an object that has a member twice.
type DuplicateError struct {
	Name string
	// Path is the JSON path of the object, such as "messages[2].content[0]"; "" for
	// the outermost one.
	Path string
}

func (e *DuplicateError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("duplicate member %q", e.Name)
	}
	return fmt.Sprintf("duplicate member %q in %s", e.Name, e.Path)
}

// ErrDepth is returned for a text that is nested deeper than allowed.
var ErrDepth = errors.New("nested too deeply")

// ErrMembers is returned for an object with more members than [MaxMembers].
var ErrMembers = errors.New("too many members")

// ErrUTF8 is returned for a text that is not valid UTF-8.
var ErrUTF8 = errors.New("invalid UTF-8")

// MaxMembers bounds the members that [Object] indexes.
const MaxMembers = 1024

// hardDepth is the bound used where the caller gave none; it keeps the scanner's own
// bookkeeping small whatever the input.
const hardDepth = 10000

// Object checks that text is one JSON object, valid to its last byte, and appends its
// members to dst in source order. maxDepth bounds the nesting (the object itself is
// level 1); zero or less means 10000.
//
// The error is a *SyntaxError, a *DuplicateError, [ErrDepth], [ErrMembers] or
// [ErrUTF8].
func Object(dst []Member, text []byte, maxDepth int) ([]Member, error) {
	i := skipSpace(text, 0)
	if i >= len(text) || text[i] != '{' {
		return dst, syntaxError(text, i, "expected an object")
	}
	s := scanner{text: text, max: maxDepth}
	if s.max <= 0 {
		s.max = hardDepth
	}
	first := len(dst)
	dst, i, err := s.object(dst, i)
	if err != nil {
		return dst[:first], err
	}
	if i = skipSpace(text, i); i < len(text) {
		return dst[:first], syntaxError(text, i, "unexpected text behind the object")
	}
	if s.high&highBits != 0 && !validUTF8(text) {
		return dst[:first], ErrUTF8
	}
	return dst, nil
}

// Valid checks that text is one JSON value, valid to its last byte and nested no
// deeper than maxDepth (zero or less: 10000). Objects may repeat members.
func Valid(text []byte, maxDepth int) error {
	s := scanner{text: text, max: maxDepth}
	if s.max <= 0 {
		s.max = hardDepth
	}
	i, err := s.value(skipSpace(text, 0), 1)
	if err != nil {
		return err
	}
	if i = skipSpace(text, i); i < len(text) {
		return syntaxError(text, i, "unexpected text behind the value")
	}
	if s.high&highBits != 0 && !validUTF8(text) {
		return ErrUTF8
	}
	return nil
}

type scanner struct {
	text []byte
	max  int
	// high collects all bytes of strings, eight at a time, so that only texts with
	// bytes beyond ASCII pay for a check of their UTF-8.
	high uint64
}

// object indexes the members of the object at i and returns the offset behind it.
func (s *scanner) object(dst []Member, i int) ([]Member, int, error) {
	text, first := s.text, len(dst)
	i = skipSpace(text, i+1)
	if i < len(text) && text[i] == '}' {
		return dst, i + 1, nil
	}
	for {
		if i >= len(text) || text[i] != '"' {
			return dst, i, syntaxError(text, i, "expected a member name")
		}
		m := Member{Start: i}
		end, escaped, err := s.str(i + 1)
		if err != nil {
			return dst, i, err
		}
		m.Name = text[i+1 : end-1]
		if escaped {
			m.Name = Unquote(nil, text[i:end])
		}
		i = skipSpace(text, end)
		if i >= len(text) || text[i] != ':' {
			return dst, i, syntaxError(text, i, "expected a colon")
		}
		m.ValueStart = skipSpace(text, i+1)
		if m.End, err = s.value(m.ValueStart, 2); err != nil {
			return dst, i, err
		}
		m.Value = text[m.ValueStart:m.End]
		for k := first; k < len(dst); k++ {
			if len(dst[k].Name) == len(m.Name) && string(dst[k].Name) == string(m.Name) {
				return dst, i, &DuplicateError{Name: string(m.Name)}
			}
		}
		if len(dst)-first >= MaxMembers {
			return dst, i, ErrMembers
		}
		dst = append(dst, m)
		i = skipSpace(text, m.End)
		if i >= len(text) {
			return dst, i, syntaxError(text, i, "expected a comma or a closing brace")
		}
		switch text[i] {
		case ',':
			i = skipSpace(text, i+1)
		case '}':
			return dst, i + 1, nil
		default:
			return dst, i, syntaxError(text, i, "expected a comma or a closing brace")
		}
	}
}

// value returns the offset behind the value at i, which stands at the given level.
// It keeps the kinds of the open containers in a bit stack instead of recursing.
func (s *scanner) value(i, level int) (int, error) {
	text := s.text
	var stack kindStack
	base := level
	var err error
scan:
	for {
		if i >= len(text) {
			return i, syntaxError(text, i, "expected a value")
		}
		switch c := text[i]; c {
		case '{', '[':
			if level > s.max {
				return i, ErrDepth
			}
			stack.push(c == '{')
			level++
			i = skipSpace(text, i+1)
			if i < len(text) && text[i] == c+2 { // '{'+2 is '}', '['+2 is ']'
				break
			}
			if c == '[' {
				continue scan
			}
			if i, err = s.name(i); err != nil {
				return i, err
			}
			continue scan
		case '"':
			if i, _, err = s.str(i + 1); err != nil {
				return i, err
			}
		case 't':
			i, err = literal(text, i, "true")
		case 'f':
			i, err = literal(text, i, "false")
		case 'n':
			i, err = literal(text, i, "null")
		default:
			i, err = number(text, i)
		}
		if err != nil {
			return i, err
		}
		// A value ended at i (or, for an empty container, its end stands at i).
		for {
			if level == base {
				return i, nil
			}
			i = skipSpace(text, i)
			if i >= len(text) {
				return i, syntaxError(text, i, "unexpected end")
			}
			inObject := stack.top()
			switch {
			case text[i] == ',':
				i = skipSpace(text, i+1)
				if inObject {
					if i, err = s.name(i); err != nil {
						return i, err
					}
				}
				continue scan
			case inObject && text[i] == '}', !inObject && text[i] == ']':
				stack.pop()
				level--
				i++
			case inObject:
				return i, syntaxError(text, i, "expected a comma or a closing brace")
			default:
				return i, syntaxError(text, i, "expected a comma or a closing bracket")
			}
		}
	}
}

// name passes over a member name and its colon and returns where the value starts.
func (s *scanner) name(i int) (int, error) {
	if i >= len(s.text) || s.text[i] != '"' {
		return i, syntaxError(s.text, i, "expected a member name")
	}
	i, _, err := s.str(i + 1)
	if err != nil {
		return i, err
	}
	i = skipSpace(s.text, i)
	if i >= len(s.text) || s.text[i] != ':' {
		return i, syntaxError(s.text, i, "expected a colon")
	}
	return skipSpace(s.text, i+1), nil
}

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

func literal(text []byte, i int, want string) (int, error) {
	if !bytes.HasPrefix(text[i:], []byte(want)) {
		return i, syntaxError(text, i, "invalid literal")
	}
	return i + len(want), nil
}

func number(text []byte, i int) (int, error) {
	start := i
	if i < len(text) && text[i] == '-' {
		i++
	}
	switch {
	case i < len(text) && text[i] == '0':
		i++
	case i < len(text) && '1' <= text[i] && text[i] <= '9':
		i = digits(text, i)
	default:
		return i, syntaxError(text, start, "expected a value")
	}
	if i < len(text) && text[i] == '.' {
		n := digits(text, i+1)
		if n == i+1 {
			return i, syntaxError(text, i, "invalid number")
		}
		i = n
	}
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		n := i + 1
		if n < len(text) && (text[n] == '+' || text[n] == '-') {
			n++
		}
		if i = digits(text, n); i == n {
			return i, syntaxError(text, n, "invalid number")
		}
	}
	return i, nil
}

func digits(text []byte, i int) int {
	for i < len(text) && '0' <= text[i] && text[i] <= '9' {
		i++
	}
	return i
}

func skipSpace(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\n' || text[i] == '\r' || text[i] == '\t') {
		i++
	}
	return i
}

func syntaxError(text []byte, i int, msg string) error {
	if i >= len(text) {
		return &SyntaxError{Offset: int64(len(text)), Msg: "unexpected end of the JSON text"}
	}
	return &SyntaxError{Offset: int64(i), Msg: msg}
}

// kindStack remembers which open containers are objects, one bit each.
type kindStack struct {
	n     int
	small uint64
	rest  []uint64
}

func (k *kindStack) push(object bool) {
	if k.n > 0 && k.n%64 == 0 {
		k.rest = append(k.rest, k.small)
		k.small = 0
	}
	k.small <<= 1
	if object {
		k.small |= 1
	}
	k.n++
}

func (k *kindStack) top() bool { return k.small&1 == 1 }

func (k *kindStack) pop() {
	k.small >>= 1
	k.n--
	if k.n > 0 && k.n%64 == 0 {
		last := len(k.rest) - 1
		k.small, k.rest = k.rest[last], k.rest[:last]
	}
}
