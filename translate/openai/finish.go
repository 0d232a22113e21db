package openai

import (
	"bytes"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// ending is what a provider's finish reason means.
type ending uint8

const (
	endingNone      ending = iota // not the end
	endingGood                    // the end, for a reason clients know
	endingFailed                  // the provider gave up
	endingBusy                    // the provider had no capacity to go on
	endingTimeout                 // the provider took too long
	endingMalformed               // the model wrote a tool call that is none
)

// maxReason is the longest finish reason that is looked at.
const maxReason = 64

// finish reads a choice's finish reason. The Guard holds it until the end of the
// answer, since it may come twice and content may follow it.
func (d *Decoder) finish(c *answerChoice, raw, matched []byte, out translate.Sink) {
	reason, end := readFinish(raw)
	switch end {
	case endingNone:
		return
	case endingGood:
		if reason == translate.FinishUnknown {
			d.oddFinish = string(raw[:min(len(raw), maxReason)])
		}
	case endingFailed:
		d.fail(translate.UpstreamError("The provider ended the answer with an error."), out)
		return
	case endingBusy:
		d.fail(&translate.Error{
			Class: translate.ErrorOverloaded, Status: 503, Type: "server_error", Code: "overloaded",
			Message: "The provider ran out of capacity during the answer.",
		}, out)
		return
	case endingTimeout:
		d.fail(&translate.Error{
			Class: translate.ErrorTimeout, Status: 504, Type: "timeout_error", Code: "upstream_timeout",
			Message: "The provider took too long over the answer.",
		}, out)
		return
	case endingMalformed:
		if !c.content {
			d.fail(&translate.Error{
				Class: translate.ErrorUpstream, Status: 502, Type: "upstream_error", Code: "upstream_malformed_tool_call",
				Message: "The model wrote a malformed tool call.",
			}, out)
			return
		}
	}
	if c.finished && c.reason != translate.FinishStop && c.reason != translate.FinishUnknown &&
		(reason == translate.FinishStop || reason == translate.FinishUnknown) {
		return // the first one says more
	}
	c.finished, c.reason = true, reason
	d.ev = translate.Event{Kind: translate.EventFinish, Choice: c.index, Reason: reason}
	out.Emit(&d.ev)
	d.stopSequence(c, raw, matched, out)
}

// stopSequence passes on the stop string that ended the text, where the provider names
// it. Other values of these members are token numbers, or words for the reason itself.
func (d *Decoder) stopSequence(c *answerChoice, raw, matched []byte, out translate.Sink) {
	if len(matched) <= len(`""`) || string(jsonscan.Inner(raw)) != "stop" {
		return
	}
	if reason, end := readFinish(matched); reason != translate.FinishUnknown || end != endingGood {
		return
	}
	d.buf = append(append(append(d.buf[:0], `{"stop_sequence":`...), matched...), '}')
	d.meta(c, translate.BlockMedia, indexMedia, translate.MetaVendor, d.buf, out)
}

// readFinish reads a finish reason of any provider. A word nobody knows is an end like
// any other, for the reason FinishUnknown.
func readFinish(raw []byte) (translate.FinishReason, ending) {
	word := jsonscan.Inner(raw)
	if len(word) == 0 {
		return 0, endingNone // null, or "" as some write it in every chunk
	}
	if len(word) > maxReason {
		word = word[:maxReason]
	}
	var lower [maxReason]byte
	for i, b := range word {
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		lower[i] = b
	}
	return finishOf(lower[:len(word)])
}

// finishOf maps a reason in lower case. Beside OpenAI's five there are those of
// Mistral, DeepSeek, GLM, Together, vLLM, Anthropic, Cohere and Google, which
// OpenAI-compatible endpoints let through.
func finishOf(word []byte) (translate.FinishReason, ending) {
	switch string(word) {
	case "stop", "eos", "eos_token", "end_turn", "stop_sequence", "complete", "completed", "done", "finish":
		return translate.FinishStop, endingGood
	case "length", "max_tokens", "max_token", "max_output_tokens", "model_length", "model_context_window_exceeded",
		"context_length", "token_limit":
		return translate.FinishLength, endingGood
	case "tool_calls", "tool_call", "tool_use":
		return translate.FinishToolCalls, endingGood
	case "function_call":
		return translate.FinishFunctionCall, endingGood
	case "content_filter", "content_filtered", "sensitive", "refusal", "guardrail_intervened", "safety", "recitation",
		"blocklist", "prohibited_content", "spii", "image_safety", "image_prohibited_content", "image_recitation":
		return translate.FinishContentFilter, endingGood
	case "error", "network_error", "abort", "aborted", "failed":
		return 0, endingFailed
	case "insufficient_system_resource", "overloaded":
		return 0, endingBusy
	case "timeout":
		return 0, endingTimeout
	case "malformed_function_call", "unexpected_tool_call", "too_many_tool_calls", "malformed_model_output",
		"malformed_tool_use":
		return translate.FinishStop, endingMalformed
	}
	// Google: "content_filter: SAFETY", "function_call_filter: MALFORMED_FUNCTION_CALL".
	switch {
	case bytes.HasPrefix(word, []byte("content_filter")):
		return translate.FinishContentFilter, endingGood
	case bytes.HasPrefix(word, []byte("function_call_filter")):
		return translate.FinishStop, endingMalformed
	}
	return translate.FinishUnknown, endingGood
}
