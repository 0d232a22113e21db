package gemini

import (
	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// counts are the token counts of usageMetadata. A count that is missing is zero or
// has not changed, and a later one replaces an earlier one.
type counts struct {
	prompt, toolPrompt, candidates, thoughts, cached int64
	promptAudio, promptImage, promptText             int64
	outputAudio, outputText                          int64
	seen                                             bool
}

// usageMetadata takes the usage so far and reports it, so that the tokens of an answer
// that fails later are known as well.
func (d *Decoder) usageMetadata(cur *cursor, out translate.Sink) {
	if !cur.enter('{') {
		return
	}
	u := &d.use
	for name := cur.member(); name != nil; name = cur.member() {
		switch string(name) {
		case "promptTokenCount":
			u.count(&u.prompt, cur.skip())
		case "toolUsePromptTokenCount":
			u.count(&u.toolPrompt, cur.skip())
		case "candidatesTokenCount":
			u.count(&u.candidates, cur.skip())
		case "thoughtsTokenCount":
			u.count(&u.thoughts, cur.skip())
		case "cachedContentTokenCount":
			u.count(&u.cached, cur.skip())
		case "promptTokensDetails":
			u.details(cur, &u.promptAudio, &u.promptImage, &u.promptText)
		case "candidatesTokensDetails":
			var images int64
			u.details(cur, &u.outputAudio, &images, &u.outputText)
		case "serviceTier", "trafficType":
			if tier := serviceTier(jsonscan.Inner(cur.skip())); tier != "" {
				d.tier = tier
			}
		default:
			cur.skip()
		}
	}
	if !u.seen {
		return
	}
	d.usage = d.hops.spent
	u.addTo(&d.usage)
	d.ev = translate.Event{Kind: translate.EventUsage, Usage: &d.usage, ServiceTier: d.tier}
	d.emit(out)
}

func (u *counts) count(dst *int64, raw []byte) {
	if n, ok := jsonscan.Int(raw); ok {
		*dst, u.seen = min(max(n, 0), maxTokens), true
	}
}

// maxTokens keeps sums of counts from overflowing.
const maxTokens = 1 << 50

// details takes the counts by modality.
func (u *counts) details(cur *cursor, audio, image, text *int64) {
	if !cur.enter('[') {
		return
	}
	for cur.next() {
		var modality, tokens []byte
		if !cur.enter('{') {
			continue
		}
		for name := cur.member(); name != nil; name = cur.member() {
			switch value := cur.skip(); string(name) {
			case "modality":
				modality = jsonscan.Inner(value)
			case "tokenCount":
				tokens = value
			}
		}
		switch string(modality) {
		case "AUDIO":
			u.count(audio, tokens)
		case "IMAGE":
			u.count(image, tokens)
		case "TEXT":
			u.count(text, tokens)
		}
	}
}

// addTo adds the counts to a usage in OpenAI's sense: the prompt includes what server
// tools read, and thoughts are output.
func (u *counts) addTo(dst *translate.Usage) {
	dst.Prompt += u.prompt + u.toolPrompt
	dst.Completion += u.candidates + u.thoughts
	dst.Cached += u.cached
	dst.Reasoning += u.thoughts
	dst.PromptAudio += u.promptAudio
	dst.PromptImage += u.promptImage
	dst.PromptText += u.promptText
	dst.CompletionAudio += u.outputAudio
	dst.CompletionText += u.outputText
}

// serviceTier returns OpenAI's word for the tier that served the request.
func serviceTier(theirs []byte) string {
	switch string(theirs) {
	case "standard", "STANDARD", "ON_DEMAND":
		return "default"
	case "flex", "FLEX", "ON_DEMAND_FLEX":
		return "flex"
	case "priority", "PRIORITY", "ON_DEMAND_PRIORITY":
		return "priority"
	}
	return ""
}
