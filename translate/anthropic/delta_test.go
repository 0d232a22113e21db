package anthropic

import (
	"bytes"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
	"github.com/ai-proxy/caddy-ai-proxy/translate/sse"
)

// agree checks that the short way of reading a delta says what the long way says.
func agree(t *testing.T, data []byte) bool {
	t.Helper()
	index, typ, value, ok := hotDelta(data)
	if !ok {
		return false
	}
	if err := jsonscan.Valid(data, maxDepth); err != nil {
		t.Fatalf("invalid JSON was read: %v: %s", err, data)
	}
	var ev event
	ev.read(data)
	n, _ := jsonscan.Int(ev.index)
	if string(ev.typ) != "content_block_delta" || int(n) != index || jsonscan.String(jsonscan.Get(ev.delta, "type")) != typ {
		t.Fatalf("%s was read as %d %s", data, index, typ)
	}
	name := map[string]string{"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}[typ]
	if !bytes.Equal(jsonscan.Get(ev.delta, name), value) {
		t.Fatalf("%s was read as %s", data, value)
	}
	return true
}

func TestHotDeltasInRecordings(t *testing.T) {
	t.Parallel()
	hot, deltas := 0, 0
	for _, r := range loadRecordings(t) {
		if !r.stream {
			continue
		}
		for src := sse.NewReader(bytes.NewReader(r.body), 1<<20); ; {
			ev, err := src.Next()
			if err != nil {
				break
			}
			data := trimSpace(ev.Data)
			if bytes.Contains(data, []byte(`"content_block_delta"`)) {
				deltas++
			}
			if agree(t, data) {
				hot++
			}
		}
	}
	if hot*10 < deltas*9 {
		t.Errorf("the short way read %d of %d deltas", hot, deltas)
	}
}

func TestHotDeltaForms(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]bool{
		textDelta(0, "a"):     true,
		textDelta(12345, "a"): true,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a" } } `:      true,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}}`:        false,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}`:          false,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a","x":"b"}}`: false,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a\"}}`:        false,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":5}}`:           false,
		`{"type":"content_block_delta","index":00,"delta":{"type":"text_delta","text":"a"}}`:        false,
		`{"type":"content_block_delta","index":-1,"delta":{"type":"text_delta","text":"a"}}`:        false,
		`{"type":"content_block_delta","index":1234567,"delta":{"type":"text_delta","text":"a"}}`:   false,
		`{"type":"content_block_delta","index":0,"delta":{"text":"a","type":"text_delta"}}`:         false,
		`{"type":"content_block_delta","index":`:                                                    false,
		"":                                                                                          false,
	} {
		if got := agree(t, []byte(data)); got != want {
			t.Errorf("%s: read the short way: %v, want %v", data, got, want)
		}
	}
}

func FuzzHotDelta(f *testing.F) {
	f.Add([]byte(textDelta(3, "a\n\"ü")))
	f.Add([]byte(inputDelta(0, `{"a":"b\`)))
	f.Fuzz(func(t *testing.T, data []byte) { agree(t, data) })
}
