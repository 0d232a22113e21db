package anthropic

import (
	"slices"
	"strings"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// readExtra sorts the members that the canonical request has no field for: extensions
// of this dialect are copied, the others dropped.
func (e *encoder) readExtra() {
	for _, m := range e.req.Extra {
		if jsonscan.IsNull(m.Value) {
			continue
		}
		if m.Name == "thinking" && isForeignThinking(m.Value) {
			e.drop(m.Name)
			continue
		}
		switch m.Name {
		case "thinking", "output_config", "cache_control", "speed", "inference_geo", "container", "context_management", "mcp_servers", "fallbacks":
			if e.get(m.Name) == nil {
				e.extra = append(e.extra, m)
			}
		case "anthropic_beta":
			for w := jsonscan.Walk(m.Value); w.Next(); {
				e.beta(jsonscan.String(w.Value))
			}
		case "top_k":
			if n, ok := jsonscan.Int(m.Value); ok && e.req.Params.TopK == nil {
				e.topK = &n
			}
		default:
			e.drop(m.Name)
		}
	}
	for _, b := range e.opt.Beta {
		e.beta(b)
	}
	if e.get("context_management") != nil {
		e.beta("context-management-2025-06-27")
		if strings.Contains(string(e.get("context_management")), `"compact_`) {
			e.beta("compact-2026-01-12")
		}
	}
	if e.get("mcp_servers") != nil {
		e.beta("mcp-client-2025-11-20")
		e.out.ServerTools = true
	}
	if e.get("fallbacks") != nil {
		e.beta("server-side-fallback-2026-07-01")
	}
}

// isForeignThinking reports whether a "thinking" object is not Anthropic's but that of
// DeepSeek, GLM and Kimi, whose kind "enabled" has no budget: it is refused upstream.
func isForeignThinking(raw []byte) bool {
	return jsonscan.String(jsonscan.Get(raw, "type")) == "enabled" && jsonscan.Get(raw, "budget_tokens") == nil
}

// retiredBetas are values that the API no longer takes.
var retiredBetas = []string{
	"prompt-caching-2024-07-31", "pdfs-2024-09-25", "token-counting-2024-11-01", "token-efficient-tools-2025-02-19", "extended-cache-ttl-2025-04-11",
}

// maxBetas bounds the beta header.
const maxBetas = 64

// beta adds the values of a comma list to the beta header, each once. Values with
// characters that no header may have are left out.
func (e *encoder) beta(list string) {
	for v := range strings.SplitSeq(list, ",") {
		v = strings.TrimSpace(v)
		if v == "" || len(e.betas) >= maxBetas || slices.Contains(e.betas, v) || slices.Contains(retiredBetas, v) || !isToken(v) {
			continue
		}
		e.betas = append(e.betas, v)
	}
}

func isToken(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
