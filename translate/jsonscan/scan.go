// Package jsonscan reads JSON without decoding it: it checks a whole text in one
// pass and tells where the members of an object stand, so that a gateway can route,
// splice and observe bodies it otherwise leaves untouched.
//
// It accepts exactly what RFC 8259 allows in UTF-8, with two additions a gateway
// needs: a bound on nesting, and a refusal of objects whose top level names one
// member twice, because two readers of such a text may disagree about what it says.
package jsonscan

import (
	"errors"
	"fmt"
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
