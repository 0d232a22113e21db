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
func (d *Decoder) usageMetadata(raw []byte, out translate.Sink) {
	u := &d.use
	members := jsonscan.Walk(raw)
	for members.Next() {
		switch string(members.Name) {
		case "promptTokenCount":
			u.count(&u.prompt, members.Value)
		case "toolUsePromptTokenCount":
			u.count(&u.toolPrompt, members.Value)
		case "candidatesTokenCount":
			u.count(&u.candidates, members.Value)
		case "thoughtsTokenCount":
			u.count(&u.thoughts, members.Value)
		case "cachedContentTokenCount":
			u.count(&u.cached, members.Value)
		case "promptTokensDetails":
			u.details(members.Value, &u.promptAudio, &u.promptImage, &u.promptText)
		case "candidatesTokensDetails":
			var images int64
			u.details(members.Value, &u.outputAudio, &images, &u.outputText)
		case "serviceTier", "trafficType":
			if tier := serviceTier(jsonscan.Inner(members.Value)); tier != "" {
				d.tier = tier
			}
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
func (u *counts) details(raw []byte, audio, image, text *int64) {
	elements := jsonscan.Walk(raw)
	for elements.Next() {
		n := jsonscan.Get(elements.Value, "tokenCount")
		switch string(jsonscan.Inner(jsonscan.Get(elements.Value, "modality"))) {
		case "AUDIO":
			u.count(audio, n)
		case "IMAGE":
			u.count(image, n)
		case "TEXT":
			u.count(text, n)
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
