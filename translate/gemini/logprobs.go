package gemini

import (
	"strconv"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// maxTokensLogged bounds the tokens whose probabilities are taken from one chunk.
const maxTokensLogged = 1 << 16

// logprobs reports the probabilities of the tokens that a chunk brought.
func (d *Decoder) logprobs(c *choice, raw []byte, out translate.Sink) {
	chosen := jsonscan.Walk(jsonscan.Get(raw, "chosenCandidates"))
	top := jsonscan.Walk(jsonscan.Get(raw, "topCandidates"))
	d.buf = append(d.buf[:0], '[')
	for n := 0; n < maxTokensLogged && chosen.Next(); n++ {
		if n > 0 {
			d.buf = append(d.buf, ',')
		}
		d.buf = appendLogprob(d.buf, chosen.Value)
		d.buf = append(appendName(d.buf, "top_logprobs"), '[')
		if top.Next() {
			others := jsonscan.Walk(jsonscan.Get(top.Value, "candidates"))
			for k := 0; k < maxLogprobs && others.Next(); k++ {
				if k > 0 {
					d.buf = append(d.buf, ',')
				}
				d.buf = append(appendLogprob(d.buf, others.Value), '}')
			}
		}
		d.buf = append(d.buf, "]}"...)
	}
	if len(d.buf) == 1 {
		return
	}
	d.buf = append(d.buf, ']')
	d.open(c, translate.BlockText, out)
	d.ev = translate.Event{
		Kind: translate.EventBlockMeta, Choice: c.index, Index: c.block, Block: translate.BlockText, Meta: translate.MetaLogprobs, Raw: d.buf,
	}
	d.emit(out)
}

// appendLogprob appends the token, its probability and its bytes, without the closing
// brace.
func appendLogprob(dst, raw []byte) []byte {
	token := jsonscan.Get(raw, "token")
	dst = append(append(append(dst, `{"token":"`...), jsonscan.Inner(token)...), '"')
	dst = appendName(dst, "logprob")
	if p := jsonscan.Get(raw, "logProbability"); len(p) > 0 && (p[0] == '-' || '0' <= p[0] && p[0] <= '9') {
		dst = append(dst, p...)
	} else {
		dst = append(dst, '0')
	}
	dst = append(appendName(dst, "bytes"), '[')
	for i, b := range []byte(jsonscan.String(token)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, int64(b), 10)
	}
	return append(dst, ']')
}
