package anthropic

import (
	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// tokens are the counts of one answer, or of one leg of an answer that was paused.
type tokens struct {
	input, output, cacheRead, cacheWrite, cacheWrite1h, thinking int64
	webSearches, webFetches                                      int64

	// iterations are the sums over the model calls that make up the answer; zero if
	// the provider does not list them.
	iterations sums
}

type sums struct{ input, output, cacheRead, cacheWrite int64 }

// maxCount bounds every count, so that sums cannot overflow.
const maxCount = 1 << 48

// update takes over what a usage object says. The numbers of an event replace those of
// earlier ones, because they are cumulative; what is absent or null keeps its value.
func (t *tokens) update(usage []byte) {
	for w := jsonscan.Walk(usage); w.Next(); {
		switch string(w.Name) {
		case "input_tokens":
			setCount(&t.input, w.Value)
		case "output_tokens":
			setCount(&t.output, w.Value)
		case "cache_read_input_tokens":
			setCount(&t.cacheRead, w.Value)
		case "cache_creation_input_tokens":
			setCount(&t.cacheWrite, w.Value)
		case "cache_creation":
			setCount(&t.cacheWrite1h, jsonscan.Get(w.Value, "ephemeral_1h_input_tokens"))
		case "output_tokens_details":
			setCount(&t.thinking, jsonscan.Get(w.Value, "thinking_tokens"))
		case "server_tool_use":
			setCount(&t.webSearches, jsonscan.Get(w.Value, "web_search_requests"))
			setCount(&t.webFetches, jsonscan.Get(w.Value, "web_fetch_requests"))
		case "iterations":
			t.iterate(w.Value)
		}
	}
}

func setCount(dst *int64, raw []byte) {
	if n, ok := jsonscan.Int(raw); ok {
		*dst = min(max(n, 0), maxCount)
	}
}

// iterate sums the calls that the answer consists of. Where another model stepped in,
// the numbers at the top are already those of its call; advisor calls are never the
// client's.
func (t *tokens) iterate(list []byte) {
	var it sums
	for w := jsonscan.Walk(list); w.Next(); {
		switch jsonscan.String(jsonscan.Get(w.Value, "type")) {
		case "fallback_message":
			t.iterations = sums{}
			return
		case "message", "compaction":
			var row tokens
			row.update(w.Value)
			it.input = min(it.input+row.input, maxCount)
			it.output = min(it.output+row.output, maxCount)
			it.cacheRead = min(it.cacheRead+row.cacheRead, maxCount)
			it.cacheWrite = min(it.cacheWrite+row.cacheWrite, maxCount)
		}
	}
	t.iterations = it
}

// addTo adds the counts to a canonical usage: the client sees the numbers of the
// answer; what more was billed for it stands beside them.
func (t *tokens) addTo(u *translate.Usage) {
	prompt := t.input + t.cacheRead + t.cacheWrite
	u.Prompt += prompt
	u.Completion += t.output
	u.Cached += t.cacheRead
	u.CacheWrite += t.cacheWrite
	u.CacheWrite1h += t.cacheWrite1h
	u.Reasoning += t.thinking
	it := &t.iterations
	u.HiddenPrompt += max(0, it.input+it.cacheRead+it.cacheWrite-prompt)
	u.HiddenCompletion += max(0, it.output-t.output)
	u.HiddenCached += max(0, it.cacheRead-t.cacheRead)
	u.HiddenCacheWrite += max(0, it.cacheWrite-t.cacheWrite)
}

// serviceTier maps the tier that served the request to OpenAI's word; "" if it has
// none.
func serviceTier(usage []byte) string {
	switch jsonscan.String(jsonscan.Get(usage, "service_tier")) {
	case "standard":
		return "default"
	case "priority":
		return "priority"
	case "batch":
		return "flex"
	}
	return ""
}
