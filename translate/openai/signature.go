package openai

import (
	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// googleFormat names the kind of reasoning state that Google's endpoint signs calls
// and texts with.
const googleFormat = "google-gemini-v1"

// googleSignature returns the signature in an extra_content member, or nil.
func googleSignature(extra []byte) []byte {
	return jsonscan.Get(jsonscan.Get(extra, "google"), "thought_signature")
}

// signature emits the signature of a block.
func (d *Decoder) signature(c *answerChoice, block translate.BlockKind, index int, raw []byte, out translate.Sink) {
	if text := jsonscan.Inner(raw); len(text) > 0 {
		d.ev = translate.Event{
			Kind: translate.EventBlockMeta, Choice: c.index, Index: index, Block: block,
			Meta: translate.MetaSignature, Format: googleFormat, Text: text,
		}
		out.Emit(&d.ev)
	}
}
