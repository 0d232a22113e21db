package openai

import (
	"strings"
	"testing"
)

// fuzzQuirks are the quirks that the bits of a byte stand for.
func fuzzQuirks(bits byte) *Quirks {
	return &Quirks{ReasoningExcluded: bits&1 != 0, ThinkTags: bits&2 != 0, EndWithoutFinish: bits&4 != 0}
}

// Whatever bytes a provider sends as a stream, the client gets a legal answer, and the
// same one however the bytes are cut.
func FuzzAnswerStream(f *testing.F) {
	for _, r := range recordings(f) {
		if len(r.body) < 8<<10 {
			f.Add(r.body, byte(1), byte(7))
		}
	}
	for _, s := range []string{
		deltaStream(`{"content":"<think>a<"}`, `{"content":"/think>b\ud83d"}`, `{"content":"\ude00"}`, "finish:stop"),
		deltaStream(`{"tool_calls":[{"index":0,"function":{"name":"f","arguments":{"a":[1]}}},{"id":"b","custom":{"name":"g","input":"x"}}]}`, "finish:end_turn"),
		deltaStream(`{"function_call":{"name":"f","arguments":"{"}}`, `{"audio":{"data":"QQ=="}}`, `{"images":[1]}`, `{"annotations":[{}]}`),
		deltaStream(`{"reasoning_details":[{"type":"reasoning.text","text":"a","index":0}],"refusal":"no"}`, "finish:error"),
		eventStream(emptyChunk, `{"choices":null,"error":{}}`, `{"choices":[{"index":3,"delta":{"content":[{"type":"thinking","thinking":["a"]}]},"logprobs":{"content":[1]}}]}`),
		"{\"error\":\n{\"message\":\"x\"}}\n", ": c\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"stop_reason\":\"b\",\"finish_reason\":\"stop\"}],\"citations\":[1]}\n\n",
	} {
		f.Add(s, byte(2), byte(3))
	}
	f.Fuzz(func(t *testing.T, stream string, bits, step byte) {
		q := fuzzQuirks(bits)
		enc := NewStreamEncoder(StreamOptions{IncludeUsage: bits&8 != 0})
		answerStream(q, strings.NewReader(stream), enc)
		readClientStream(t, string(enc.Bytes()), bits&8 != 0)

		var cuts []int
		for at := 1 + int(step); at < len(stream); at += 1 + int(step) {
			cuts = append(cuts, at)
		}
		cut := NewStreamEncoder(StreamOptions{IncludeUsage: bits&8 != 0})
		answerStream(q, &cutReader{text: stream, cuts: cuts}, cut)
		if string(cut.Bytes()) != string(enc.Bytes()) {
			t.Errorf("cut after every %d bytes:\n%s\nwhole:\n%s", 1+int(step), cut.Bytes(), enc.Bytes())
		}

		body := NewBodyEncoder(1 << 16)
		answerStream(q, strings.NewReader(stream), body)
		readClientBody(t, body.Bytes())
	})
}

// The same for whole answers.
func FuzzAnswerBody(f *testing.F) {
	for _, r := range recordings(f) {
		if len(r.body) < 8<<10 {
			f.Add(r.body, byte(0))
		}
	}
	f.Add(wholeAnswer(`{"content":[{"type":"text","text":"<think>a</think>b"}],"tool_calls":[{"function":{"name":"f","arguments":null}}]}`, `"eos"`), byte(2))
	f.Add(": x\n[{\"error\":{\"message\":\"m\",\"code\":429}}]", byte(0))
	f.Fuzz(func(t *testing.T, answer string, bits byte) {
		q := fuzzQuirks(bits)
		body := NewBodyEncoder(0)
		answerBody(q, answer, body)
		readClientBody(t, body.Bytes())
		enc := NewStreamEncoder(StreamOptions{IncludeUsage: true})
		answerBody(q, answer, enc)
		readClientStream(t, string(enc.Bytes()), true)
	})
}

// Any body of any status makes an error that a client can read.
func FuzzParseError(f *testing.F) {
	for _, r := range recordings(f) {
		if r.status >= 400 {
			f.Add(r.status, r.body)
		}
	}
	f.Add(400, `{"detail":[{"loc":["body",0],"msg":"m"}]}`)
	f.Add(200, `{"base_resp":{"status_code":1002,"status_msg":"x"}}`)
	f.Add(500, `{"error":{"message":"{\"error\":{\"message\":\"x\"}}","metadata":{"raw":"{}"}}}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		e := ParseError(status, 0, []byte(body))
		if e.Class == 0 || e.Status < 400 || e.Status > 599 || e.Message == "" || e.Type == "" || e.RetryAfter < 0 || e.RetryAfter > 4*maxWait {
			t.Errorf("%+v", e)
		}
		if len(e.Message) > 4*maxMessage {
			t.Errorf("message of %d bytes", len(e.Message))
		}
		checkEnvelope(t, decodeJSON(t, string(AppendError(nil, e)))["error"])
	})
}
