package openai

// balance follows a JSON text to tell whether it is complete.
type balance struct {
	depth           int
	begun, inString bool
	escaped         bool
}

// complete reports whether the text so far is an object or array that is closed.
func (b *balance) complete() bool { return b.begun && b.depth == 0 }

// feed takes the next piece of the text, as the inside of a JSON string.
func (b *balance) feed(text []byte) {
	for i := 0; i < len(text); {
		char, size := unit(text[i:])
		i += size
		switch {
		case b.escaped:
			b.escaped = false
		case b.inString:
			b.escaped = char == '\\'
			b.inString = char != '"'
		case char == '"':
			b.inString = true
		case char == '{' || char == '[':
			b.begun = true
			b.depth++
		case (char == '}' || char == ']') && b.depth > 0:
			b.depth--
		}
	}
}
