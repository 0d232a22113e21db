package jsonscan

import "bytes"

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
