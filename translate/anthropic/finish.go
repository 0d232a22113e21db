package anthropic

import "github.com/ai-proxy/caddy-ai-proxy/translate"

// finishReason maps a stop_reason. called is whether one of the client's tools was
// called: a call of the tool that stands in for structured output is a natural end.
// What it does not know is FinishUnknown, for the guard to settle.
func finishReason(stop string, called bool) translate.FinishReason {
	switch stop {
	case "end_turn", "stop_sequence", "compaction", "pause_turn":
		return translate.FinishStop
	case "tool_use":
		if called {
			return translate.FinishToolCalls
		}
		return translate.FinishStop
	case "max_tokens", "model_context_window_exceeded":
		return translate.FinishLength
	case "refusal":
		return translate.FinishContentFilter
	}
	return translate.FinishUnknown
}
