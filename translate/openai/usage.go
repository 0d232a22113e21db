package openai

import (
	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// readUsage reads a usage object into d.usage and reports whether it counts anything.
// Counts that are not where OpenAI has them are moved there; members that OpenAI does
// not know are kept in Extra.
func (d *Decoder) readUsage(raw []byte) bool {
	if len(raw) == 0 || raw[0] != '{' {
		return false
	}
	var u translate.Usage
	var total, cached int64
	var prompt, completion bool // whether OpenAI's own names have been seen
	counted := false
	d.extra = d.extra[:0]
	w := jsonscan.Walk(raw)
	for w.Next() {
		switch string(w.Name) {
		case "prompt_tokens", "input_tokens":
			own := w.Name[0] == 'p'
			if n, ok := jsonscan.Int(w.Value); ok && (own || !prompt) {
				u.Prompt, prompt, counted = n, own, true
			}
		case "completion_tokens", "output_tokens":
			own := w.Name[0] == 'c'
			if n, ok := jsonscan.Int(w.Value); ok && (own || !completion) {
				u.Completion, completion, counted = n, own, true
			}
		case "total_tokens":
			total, _ = jsonscan.Int(w.Value)
		case "prompt_tokens_details", "input_tokens_details":
			promptDetails(&u, w.Value)
		case "completion_tokens_details", "output_tokens_details":
			completionDetails(&u, w.Value)
		case "cached_tokens", "num_cached_tokens", "prompt_cache_hit_tokens": // Moonshot, Together; Mistral; DeepSeek
			n, _ := jsonscan.Int(w.Value)
			cached = max(cached, n)
			d.keepExtra(w.Name, w.Value)
		default:
			d.keepExtra(w.Name, w.Value)
		}
	}
	if !counted {
		return false
	}
	if u.Cached == 0 {
		u.Cached = cached
	}
	// The total tells whether the provider still leaves reasoning out.
	if d.excluded && (total == 0 || total >= u.Prompt+u.Completion+u.Reasoning) {
		u.Completion += u.Reasoning
	}
	u.Extra = d.extra
	d.usage = u
	return true
}

func promptDetails(u *translate.Usage, raw []byte) {
	w := jsonscan.Walk(raw)
	for w.Next() {
		n, _ := jsonscan.Int(w.Value)
		switch string(w.Name) {
		case "cached_tokens":
			u.Cached = n
		case "cache_write_tokens", "cache_creation_input_tokens", "cache_creation_tokens": // OpenAI; DashScope, LiteLLM
			u.CacheWrite = max(u.CacheWrite, n)
		case "audio_tokens":
			u.PromptAudio = n
		case "image_tokens":
			u.PromptImage = n
		case "text_tokens":
			u.PromptText = n
		}
	}
}

func completionDetails(u *translate.Usage, raw []byte) {
	w := jsonscan.Walk(raw)
	for w.Next() {
		n, _ := jsonscan.Int(w.Value)
		switch string(w.Name) {
		case "reasoning_tokens":
			u.Reasoning = n
		case "audio_tokens":
			u.CompletionAudio = n
		case "text_tokens":
			u.CompletionText = n
		case "accepted_prediction_tokens":
			u.AcceptedPrediction = n
		case "rejected_prediction_tokens":
			u.RejectedPrediction = n
		}
	}
}

// keepExtra adds a member to what is passed on as it came.
func (d *Decoder) keepExtra(name, value []byte) {
	if jsonscan.IsNull(value) || len(d.extra)+len(name)+len(value) > maxExtra {
		return
	}
	if len(d.extra) > 0 {
		d.extra = append(d.extra, ',')
	}
	d.extra = append(jsonscan.Quote(d.extra, name), ':')
	d.extra = appendCompact(d.extra, value)
}

// appendUsage appends u as OpenAI's usage object.
func appendUsage(dst []byte, u *translate.Usage) []byte {
	dst = appendCount(dst, `{"prompt_tokens":`, u.Prompt)
	dst = appendCount(dst, `,"completion_tokens":`, u.Completion)
	dst = appendCount(dst, `,"total_tokens":`, u.Total())
	dst = appendCount(dst, `,"prompt_tokens_details":{"cached_tokens":`, u.Cached)
	dst = appendPart(dst, `,"cache_write_tokens":`, u.CacheWrite)
	dst = appendPart(dst, `,"audio_tokens":`, u.PromptAudio)
	dst = appendPart(dst, `,"image_tokens":`, u.PromptImage)
	dst = appendPart(dst, `,"text_tokens":`, u.PromptText)
	dst = appendCount(dst, `},"completion_tokens_details":{"reasoning_tokens":`, u.Reasoning)
	dst = appendPart(dst, `,"audio_tokens":`, u.CompletionAudio)
	dst = appendPart(dst, `,"text_tokens":`, u.CompletionText)
	dst = appendPart(dst, `,"accepted_prediction_tokens":`, u.AcceptedPrediction)
	dst = appendPart(dst, `,"rejected_prediction_tokens":`, u.RejectedPrediction)
	dst = append(dst, '}')
	if len(u.Extra) > 0 {
		dst = append(append(dst, ','), u.Extra...)
	}
	return append(dst, '}')
}

// appendPart is appendCount for parts that providers leave out when they are zero.
func appendPart(dst []byte, name string, n int64) []byte {
	if n == 0 {
		return dst
	}
	return appendCount(dst, name, n)
}
