package openai

import (
	"bytes"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// Body implements [translate.Decoder]: it reads an answer that is not a stream.
func (d *Decoder) Body(body []byte, out translate.Sink) {
	if d.failed || d.done {
		return
	}
	d.done = true
	body = skipPrefix(body)
	if len(body) == 0 {
		return // the Guard knows what to say about an empty answer
	}
	body, ok := validJSON(body)
	if !ok {
		d.fail(translate.UpstreamError("The provider's answer is not JSON."), out)
		return
	}
	t := readTop(body)
	if body[0] != '{' || t.failed() || jsonscan.IsNull(t.choices) {
		d.fail(streamFailure(body), out)
		return
	}
	d.remember(&t)
	d.readChoices(&t, true, out)
	if !d.failed {
		d.close(out)
	}
}

// skipPrefix skips what providers send to keep the connection open while a whole
// answer is being made: blank lines, and comments as in event streams.
func skipPrefix(body []byte) []byte {
	for {
		body = bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\ufeff"))
		if len(body) == 0 || body[0] != ':' {
			return bytes.TrimSpace(body)
		}
		_, body, _ = bytes.Cut(body, []byte("\n"))
	}
}
