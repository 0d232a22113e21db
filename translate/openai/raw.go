package openai

import (
	"bytes"
	"strconv"
)

// appendCount appends name and n.
func appendCount(dst []byte, name string, n int64) []byte {
	return strconv.AppendInt(append(dst, name...), n, 10)
}

// appendLine appends valid JSON as one line, as an event stream needs it. Line breaks
// only stand between tokens: strings have them escaped.
func appendLine(dst, raw []byte) []byte {
	if bytes.IndexByte(raw, '\n') < 0 && bytes.IndexByte(raw, '\r') < 0 {
		return append(dst, raw...)
	}
	return appendCompact(dst, raw)
}

// appendCompact appends valid JSON without white space between its tokens.
func appendCompact(dst, raw []byte) []byte {
	inString := false
	for i := 0; i < len(raw); i++ {
		switch b := raw[i]; {
		case inString && b == '\\' && i+1 < len(raw):
			dst = append(dst, b)
			i++
		case b == '"':
			inString = !inString
		case !inString && (b == ' ' || b == '\n' || b == '\r' || b == '\t'):
			continue
		}
		dst = append(dst, raw[i])
	}
	return dst
}

// appendEscaped appends valid JSON, compact, as the inside of a JSON string.
func appendEscaped(dst, raw []byte) []byte {
	inString := false
	for i := 0; i < len(raw); i++ {
		switch b := raw[i]; {
		case inString && b == '\\' && i+1 < len(raw):
			dst = append(dst, '\\', '\\')
			if i++; raw[i] == '"' || raw[i] == '\\' {
				dst = append(dst, '\\')
			}
		case b == '"':
			inString = !inString
			dst = append(dst, '\\')
		case !inString && (b == ' ' || b == '\n' || b == '\r' || b == '\t'):
			continue
		}
		dst = append(dst, raw[i])
	}
	return dst
}

// inside returns what stands between the braces or brackets of a raw object or array.
func inside(raw []byte) []byte {
	if len(raw) < 2 {
		return nil
	}
	return bytes.TrimSpace(raw[1 : len(raw)-1])
}
