package openai

import (
	"bytes"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
	"github.com/ai-proxy/caddy-ai-proxy/translate/sse"
)

// finishes reports whether a chunk gives a reason for the end of a choice, which most
// chunks do with null.
func finishes(data []byte) bool {
	for {
		i := bytes.Index(data, memberFinish)
		if i < 0 {
			return false
		}
		data = data[i+len(memberFinish):]
		if !isNullMember(data) {
			return true
		}
	}
}

// isNullMember reports whether the text behind a member's name gives it the value null.
func isNullMember(rest []byte) bool {
	if bytes.HasPrefix(rest, colonNull) {
		return true
	}
	value, ok := bytes.CutPrefix(bytes.TrimLeft(rest, " \t\r\n"), colonNull[:1])
	return ok && bytes.HasPrefix(bytes.TrimLeft(value, " \t\r\n"), colonNull[1:])
}

// appendWithoutNull appends the event of a chunk without the member at name whose value
// is null, and without the comma that parts it from its neighbour.
func appendWithoutNull(dst, data []byte, name int) []byte {
	to := name + bytes.Index(data[name:], colonNull[1:]) + len(colonNull) - 1
	from := len(bytes.TrimRight(data[:name], " \t\r\n"))
	if from > 0 && data[from-1] == ',' {
		from--
	} else if next := bytes.TrimLeft(data[to:], " \t\r\n"); len(next) > 0 && next[0] == ',' {
		to = len(data) - len(next) + 1
	}
	return appendData(dst, data[:from], data[to:])
}

// appendData appends the event that two pieces of data make, on one line: a line end can
// only stand between the tokens of JSON.
func appendData(dst, a, b []byte) []byte {
	dst = append(dst, "data: "...)
	start := len(dst)
	dst = append(append(dst, a...), b...)
	for rest := dst[start:]; ; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			return append(dst, "\n\n"...)
		}
		rest[i] = ' '
		rest = rest[i+1:]
	}
}

// appendEvent appends an event untouched, with the blank line that a provider may have
// left out at the end.
func appendEvent(dst []byte, ev *sse.Event) []byte {
	raw := ev.Raw
	if bytes.IndexByte(raw, '\r') >= 0 && loneCR(raw) {
		raw = bytes.ReplaceAll(bytes.ReplaceAll(raw, crlf, crlf[1:]), crlf[:1], crlf[1:])
	}
	dst = append(dst, raw...)
	if !ev.Terminated {
		dst = append(dst, "\n\n"...)
	}
	return dst
}

// loneCR reports whether a CR in text ends a line by itself, which few clients take it to
// do. It may be the first half of a CRLF that the network cut in two.
func loneCR(text []byte) bool { return bytes.Count(text, crlf[:1]) != bytes.Count(text, crlf) }

// appendWithout appends the event of a chunk without one of its members.
func appendWithout(dst, data []byte, members []jsonscan.Member, at int) []byte {
	from, to := members[at].Start, members[at].End
	switch {
	case at > 0:
		from = members[at-1].End
	case len(members) > 1:
		to = members[1].Start
	}
	return appendData(dst, data[:from], data[to:])
}
