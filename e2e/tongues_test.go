package e2e

import "strings"

// tongue is how a provider on a stage speaks: what it says is the same in each.
type tongue struct {
	name string
	// kind is the type of the provider in the Caddyfile, path that of its API.
	kind, path string
	// begin is what stands before the text of a stream, and end what follows it.
	begin, end string
	delta      func(text string) string
	whole      func(text string) string
}

// say returns all of a stream.
func (t *tongue) say(texts ...string) []string {
	parts := []string{t.begin}
	for _, text := range texts {
		parts = append(parts, t.delta(text))
	}
	return append(parts, t.end)
}

// tongues are those of all roads through the gateway: passed, decoded and written anew,
// and translated.
var tongues = []*tongue{
	{"passed", "openai", "/v1", roleEvent, finishEvent + usageEvent + doneEvent, delta, completion},
	{"rewritten", "compatible", "/v1", roleEvent, finishEvent + usageEvent + doneEvent, delta, completion},
	{"claude", "anthropic", "/v1", claudeBegin, claudeEnd, claudeDelta, claudeMessage},
	{"gemini", "gemini", "/v1beta", "", geminiEnd, geminiDelta, geminiWhole},
}

const (
	claudeBegin = `event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"fake","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

`
	claudeEnd = `event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":5}}

event: message_stop
data: {"type":"message_stop"}

`
)

func claudeDelta(text string) string {
	return "event: content_block_delta\n" + event(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":`+quote(text)+`}}`)
}

func claudeMessage(text string) string {
	return `{"id":"msg_1","type":"message","role":"assistant","model":"fake","content":[{"type":"text","text":` + quote(text) + `}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":5}}`
}

func geminiDelta(text string) string {
	return crlf(event(`{"candidates":[{"content":{"role":"model","parts":[{"text":` + quote(text) + `}]},"index":0}],"modelVersion":"fake","responseId":"r-1"}`))
}

var geminiEnd = crlf(event(geminiWhole("")))

func geminiWhole(text string) string {
	return `{"candidates":[{"content":{"role":"model","parts":[{"text":` + quote(text) + `}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":5,"totalTokenCount":8},"modelVersion":"fake","responseId":"r-1"}`
}

func crlf(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }
