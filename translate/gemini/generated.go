package gemini

import (
	"bytes"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// inlineData takes a generated image or sound. Images that are part of the reasoning
// are drafts and are left out.
func (d *Decoder) inlineData(c *choice, raw []byte, thought bool, out translate.Sink) {
	mime, data := jsonscan.Inner(jsonscan.Get(raw, "mimeType")), jsonscan.Inner(jsonscan.Get(raw, "data"))
	if thought || len(data) == 0 {
		return
	}
	meta := translate.MetaImages
	switch {
	case bytes.HasPrefix(mime, []byte("image/")):
		d.buf = append(d.buf[:0], `[{"type":"image_url","image_url":{"url":"data:`...)
		d.buf = append(append(append(append(d.buf, mime...), ";base64,"...), data...), `"}}]`...)
	case bytes.HasPrefix(mime, []byte("audio/")):
		meta = translate.MetaAudio
		d.audio(data)
	default:
		d.keepServerPart(c, raw)
		return
	}
	d.stop(c, out)
	c.content = true
	index := c.next
	c.next++
	d.ev = translate.Event{Kind: translate.EventBlockStart, Choice: c.index, Index: index, Block: translate.BlockMedia}
	d.emit(out)
	d.ev = translate.Event{Kind: translate.EventBlockMeta, Choice: c.index, Index: index, Block: translate.BlockMedia, Meta: meta, Raw: d.buf}
	d.emit(out)
	d.ev = translate.Event{Kind: translate.EventBlockStop, Choice: c.index, Index: index, Block: translate.BlockMedia}
	d.emit(out)
	d.hops.progress()
	if cap(d.buf) > 1<<20 {
		d.buf = nil
	}
}

// audio builds a fragment of OpenAI's audio object; the first one has the members that
// must be there, although the provider knows neither an expiry nor a transcript.
func (d *Decoder) audio(data []byte) {
	d.buf = append(append(append(d.buf[:0], `{"data":"`...), data...), '"')
	if !d.sounded {
		d.sounded = true
		d.buf = append(append(append(d.buf, `,"id":"audio_`...), d.id...), `","expires_at":0,"transcript":""`...)
	}
	d.buf = append(d.buf, '}')
}
