package anthropic

// appendCompactEscaped appends valid JSON without the white space between its tokens,
// as the inside of a JSON string.
func appendCompactEscaped(dst, raw []byte) []byte {
	inString := false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '"':
			inString = !inString
			dst = append(dst, '\\', '"')
		case c == '\\': // only in strings; what follows may be a quote
			dst = append(dst, '\\', '\\')
			if i+1 < len(raw) {
				i++
				if raw[i] == '"' || raw[i] == '\\' {
					dst = append(dst, '\\')
				}
				dst = append(dst, raw[i])
			}
		case !inString && isSpace(c):
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
