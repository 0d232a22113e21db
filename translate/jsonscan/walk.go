package jsonscan

import (
	"bytes"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// Walker goes through the members of an object or the elements of an array whose text
// is known to be valid ([Valid] or [Object] said so). On any other text it stops early
// or yields nonsense, but never reads outside the text and never loops.
//
// The zero Walker is empty. A Walker must not be copied while in use.
type Walker struct {
	text  []byte
	i     int
	close byte
	// Name is the current member's name without its quotes, unescaped; nil in arrays.
	Name []byte
	// Value is the current value, raw and without white space around it.
	Value []byte
	// Start is the offset, in the text given to Walk, of the name's opening quote (in
	// arrays: of the value), ValueStart and End those of the value's first byte and of
	// the byte behind it.
	Start, ValueStart, End int
}

// Walk starts at the members of the object, or the elements of the array, that raw is.
// Any other value has none.
func Walk(raw []byte) Walker {
	i := skipSpace(raw, 0)
	if i >= len(raw) || raw[i] != '{' && raw[i] != '[' {
		return Walker{}
	}
	return Walker{text: raw, i: i + 1, close: raw[i] + 2}
}

// Next moves to the next member or element and reports whether there is one.
func (w *Walker) Next() bool {
	text := w.text
	i := skipSpace(text, w.i)
	if i < len(text) && text[i] == ',' {
		i = skipSpace(text, i+1)
	}
	if i >= len(text) || text[i] == w.close {
		w.text = nil
		return false
	}
	w.Start = i
	if w.close == '}' {
		end, escaped := stringEnd(text, i)
		if end < i+2 {
			w.text = nil
			return false
		}
		w.Name = text[i+1 : end-1]
		if escaped {
			w.Name = Unquote(nil, text[i:end])
		}
		i = skipSpace(text, end)
		if i >= len(text) || text[i] != ':' {
			w.text = nil
			return false
		}
		i = skipSpace(text, i+1)
	}
	end := valueEnd(text, i)
	if end <= i {
		w.text = nil
		return false
	}
	w.Value = text[i:end]
	w.ValueStart, w.End, w.i = i, end, end
	return true
}

// Get returns the raw value of the first member called name, or nil.
func Get(object []byte, name string) []byte {
	w := Walk(object)
	if w.close != '}' {
		return nil
	}
	for w.Next() {
		if string(w.Name) == name {
			return w.Value
		}
	}
	return nil
}

// valueEnd returns the offset behind the valid value at i.
func valueEnd(text []byte, i int) int {
	if i >= len(text) {
		return i
	}
	switch text[i] {
	case '"':
		end, _ := stringEnd(text, i)
		return end
	case '{', '[':
		depth := 0
		for i < len(text) {
			switch text[i] {
			case '"':
				i, _ = stringEnd(text, i)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				depth--
				if depth == 0 {
					return i + 1
				}
			}
			i++
		}
		return i
	}
	for i < len(text) {
		switch text[i] {
		case ',', '}', ']', ' ', '\n', '\r', '\t':
			return i
		}
		i++
	}
	return i
}

// stringEnd returns the offset behind the closing quote of the valid string at i, and
// whether it has escapes. Without a string at i it returns i.
func stringEnd(text []byte, i int) (end int, escaped bool) {
	if i >= len(text) || text[i] != '"' {
		return i, false
	}
	start := i + 1
	for i = start; ; {
		n := bytes.IndexByte(text[i:], '"')
		if n < 0 {
			return len(text), escaped
		}
		if !escaped {
			escaped = bytes.IndexByte(text[i:i+n], '\\') >= 0
		}
		i += n + 1
		slashes := 0
		for k := i - 2; k >= start && text[k] == '\\'; k-- {
			slashes++
		}
		if slashes%2 == 0 {
			return i, escaped
		}
	}
}

// IsNull reports whether the raw value is absent or null.
func IsNull(raw []byte) bool { return len(raw) == 0 || raw[0] == 'n' }

// IsString reports whether the raw value is a string.
func IsString(raw []byte) bool { return len(raw) >= 2 && raw[0] == '"' }

// Inner returns what stands between the quotes of a raw string, still escaped; nil for
// any other value.
func Inner(raw []byte) []byte {
	if !IsString(raw) {
		return nil
	}
	return raw[1 : len(raw)-1]
}

// String returns the text of a raw string; "" for any other value.
func String(raw []byte) string {
	inner := Inner(raw)
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	text := Unquote(make([]byte, 0, len(inner)), raw)
	return unsafe.String(unsafe.SliceData(text), len(text)) // nobody else has text
}

// Int returns the value of a raw number, rounded toward zero and saturated at the
// bounds of int64; ok is false for any other value.
func Int(raw []byte) (n int64, ok bool) {
	if len(raw) == 0 || raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return 0, false
	}
	if len(raw) < 18 {
		neg := raw[0] == '-'
		for _, c := range raw[b2i(neg):] {
			if c < '0' || c > '9' {
				return intFromFloat(raw)
			}
			n = n*10 + int64(c-'0')
		}
		if neg {
			n = -n
		}
		return n, true
	}
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return n, true
	}
	return intFromFloat(raw)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func intFromFloat(raw []byte) (int64, bool) {
	f, ok := Float(raw)
	switch {
	case !ok:
		return 0, false
	case f >= 1<<63:
		return 1<<63 - 1, true
	case f < -1<<63:
		return -1 << 63, true
	}
	return int64(f), true
}

// Float returns the value of a raw number; ok is false for any other value.
func Float(raw []byte) (f float64, ok bool) {
	if len(raw) == 0 || raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil && f == 0 {
		return 0, false
	}
	return f, true
}

// Bool returns the value of a raw boolean; ok is false for any other value.
func Bool(raw []byte) (v, ok bool) {
	switch string(raw) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}

// Unquote appends the text of a raw, valid JSON string to dst. Half a surrogate pair
// becomes U+FFFD.
func Unquote(dst, raw []byte) []byte {
	b := Inner(raw)
	for {
		i := bytes.IndexByte(b, '\\')
		if i < 0 || i+1 >= len(b) {
			return append(dst, b...)
		}
		dst = append(dst, b[:i]...)
		c := b[i+1]
		b = b[i+2:]
		switch c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			var r rune
			if r, b = unescapeRune(b); r >= 0 {
				dst = utf8.AppendRune(dst, r)
			}
		default: // quote, backslash, slash
			dst = append(dst, c)
		}
	}
}

// unescapeRune reads the four hex digits at the start of b, and a second escape where
// they are the first half of a surrogate pair.
func unescapeRune(b []byte) (rune, []byte) {
	if len(b) < 4 {
		return -1, nil
	}
	r, ok := hex4(b)
	b = b[4:]
	if !ok {
		return utf8.RuneError, b
	}
	if !utf16.IsSurrogate(r) {
		return r, b
	}
	if len(b) >= 6 && b[0] == '\\' && b[1] == 'u' {
		if low, ok := hex4(b[2:6]); ok {
			if full := utf16.DecodeRune(r, low); full != utf8.RuneError {
				return full, b[6:]
			}
		}
	}
	return utf8.RuneError, b
}

const hexDigits = "0123456789abcdef"

// Escape appends text to dst as the inside of a JSON string, without quotes. Invalid
// UTF-8 becomes U+FFFD; what needs no escape is copied as it is.
func Escape[T ~[]byte | ~string](dst []byte, text T) []byte {
	start := 0
	for i := 0; i < len(text); {
		for i+8 <= len(text) {
			hits := needsLook(load(text, i))
			if hits != 0 {
				i += bits.TrailingZeros64(hits) / 8
				break
			}
			i += 8
		}
		for i < len(text) && text[i] >= 0x80 {
			size := runeSize(text, i)
			if size == 0 {
				break
			}
			i += size
		}
		if i == len(text) {
			break
		}
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' && c < 0x80 {
			i++
			continue
		}
		dst = append(dst, text[start:i]...)
		switch {
		case c >= 0x80:
			dst = append(dst, "\ufffd"...)
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	return append(dst, text[start:]...)
}

// Quote appends text to dst as a JSON string.
func Quote[T ~[]byte | ~string](dst []byte, text T) []byte {
	dst = append(dst, '"')
	dst = Escape(dst, text)
	return append(dst, '"')
}
