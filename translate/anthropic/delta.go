package anthropic

import (
	"bytes"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// deltaHead is how Anthropic itself begins the events that a stream mostly consists of.
const deltaHead = `{"type":"content_block_delta","index":`

// hotDeltas are the deltas that come by the hundred, in Anthropic's own writing.
var hotDeltas = []struct{ head, typ string }{
	{`,"delta":{"type":"text_delta","text":`, "text_delta"},
	{`,"delta":{"type":"input_json_delta","partial_json":`, "input_json_delta"},
	{`,"delta":{"type":"thinking_delta","thinking":`, "thinking_delta"},
}

// hotDelta reads an event that is written exactly as Anthropic writes the frequent
// deltas, white space behind its text aside, in one pass: value is the string it
// carries. ok is false for any other event, which says nothing against it.
func hotDelta(data []byte) (index int, typ string, value []byte, ok bool) {
	if len(data) < len(deltaHead)+2 || string(data[:len(deltaHead)]) != deltaHead {
		return 0, "", nil, false
	}
	rest := data[len(deltaHead):]
	n := 0
	for n < len(rest) && n < 6 && '0' <= rest[n] && rest[n] <= '9' {
		index = index*10 + int(rest[n]-'0')
		n++
	}
	if n == 0 || n > 1 && rest[0] == '0' {
		return 0, "", nil, false
	}
	rest = rest[n:]
	for i := range hotDeltas {
		h := &hotDeltas[i]
		if !bytes.HasPrefix(rest, []byte(h.head)) {
			continue
		}
		value = rest[len(h.head):]
		for range 2 {
			if value = trimSpace(value); len(value) == 0 || value[len(value)-1] != '}' {
				return 0, "", nil, false
			}
			value = value[:len(value)-1]
		}
		value = trimSpace(value)
		if !jsonscan.IsString(value) || jsonscan.Valid(value, 1) != nil {
			return 0, "", nil, false
		}
		return index, h.typ, value, true
	}
	return 0, "", nil, false
}
