package anthropic

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

const (
	// defaultMaxTokens is the output limit of requests that have none: max_tokens is
	// required upstream.
	defaultMaxTokens = 32000
	// maxUnstreamed is the output limit up to which an answer may come in one piece.
	// Anthropic's SDKs refuse larger ones, because they may take over ten minutes:
	// an hour for 128000 tokens.
	maxUnstreamed = 21333
	// maxUserID is the longest metadata.user_id the API takes.
	maxUserID = 256
)

// readExtra sorts the members that the canonical request has no field for: extensions
// of this dialect are copied, the others dropped.
func (e *encoder) readExtra() {
	for _, m := range e.req.Extra {
		if jsonscan.IsNull(m.Value) {
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
		if v == "" || len(e.betas) >= maxBetas || contains(e.betas, v) || contains(retiredBetas, v) || !isToken(v) {
			continue
		}
		e.betas = append(e.betas, v)
	}
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

func isToken(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// checkUnsupported refuses what would change the answer's meaning if it were ignored,
// and drops what would not. Values that ask for what happens anyway are no loss.
func (e *encoder) checkUnsupported() {
	p := &e.req.Params
	if p.N != nil && *p.N > 1 {
		e.unsupported("n")
	}
	if p.Logprobs != nil && *p.Logprobs {
		e.unsupported("logprobs")
	}
	for _, m := range p.Modalities {
		if m == "audio" {
			e.unsupported("modalities")
		}
	}
	if !jsonscan.IsNull(p.Audio) {
		e.unsupported("audio")
	}
	if p.TopLogprobs != nil && *p.TopLogprobs > 0 {
		e.drop("top_logprobs")
	}
	if p.FrequencyPenalty != nil && *p.FrequencyPenalty != 0 {
		e.drop("frequency_penalty")
	}
	if p.PresencePenalty != nil && *p.PresencePenalty != 0 {
		e.drop("presence_penalty")
	}
	if w := jsonscan.Walk(p.LogitBias); w.Next() {
		e.drop("logit_bias")
	}
	if p.Seed != nil {
		e.drop("seed")
	}
	if !jsonscan.IsNull(p.Prediction) {
		e.drop("prediction")
	}
	if p.Verbosity != "" {
		e.drop("verbosity")
	}
	if p.Store != nil && *p.Store {
		e.drop("store")
	}
	if p.PromptCacheKey != "" {
		e.drop("prompt_cache_key")
	}
	switch p.ServiceTier {
	case "", "auto", "default", "priority", "fast":
	default:
		e.drop("service_tier")
	}
	for i, s := range p.Stop {
		if strings.TrimSpace(s) == "" {
			e.drop("stop[" + strconv.Itoa(i) + "]")
		}
	}
}

// limitOutput sets max_tokens and with it whether the answer must be streamed.
func (e *encoder) limitOutput() {
	most := e.row.MaxOutput
	if most <= 0 {
		most = defaultMaxTokens
	}
	if n := e.req.Params.MaxTokens; n != nil {
		if *n < 1 {
			e.fail("invalid_value", "max_completion_tokens", "The output limit must be at least 1.")
			return
		}
		e.setMaxTokens(min(*n, most))
		return
	}
	n := e.opt.MaxTokens
	if n <= 0 {
		n = defaultMaxTokens
	}
	e.setMaxTokens(min(n, most))
	e.out.ImplicitMaxTokens = e.maxTokens
}

func (e *encoder) setMaxTokens(n int64) {
	e.maxTokens = n
	e.out.Stream = e.req.Stream || n > maxUnstreamed
}

// sampling is what is sent of the sampling parameters.
type sampling struct {
	temperature, topP *float64
	topK              *int64
}

func (s *sampling) any() bool { return s.temperature != nil || s.topP != nil || s.topK != nil }

// decideSampling sends what model, version and thinking allow: temperature within its
// range, never together with top_p, and with thinking only a top_p near 1.
func (e *encoder) decideSampling() {
	p := &e.req.Params
	topK := p.TopK
	if topK == nil {
		topK = e.topK
	}
	if topK != nil && *topK < 1 {
		topK = nil // other servers' word for no limit
	}
	if !e.row.Sampling || isCurrent(e.opt.Version) {
		// A temperature or top_p of 1 is what the model does anyway.
		if p.Temperature != nil && *p.Temperature != 1 {
			e.drop("temperature")
		}
		if p.TopP != nil && *p.TopP != 1 {
			e.drop("top_p")
		}
		if topK != nil {
			e.drop("top_k")
		}
		return
	}
	if e.thinking.active() {
		if p.Temperature != nil && *p.Temperature != 1 {
			e.drop("temperature")
		}
		if topK != nil {
			e.drop("top_k")
		}
		if p.TopP != nil && *p.TopP < 0.95 {
			e.drop("top_p")
		} else if p.TopP != nil {
			e.sampling.topP = clamp(*p.TopP)
		}
		return
	}
	e.sampling.topK = topK
	if p.Temperature != nil {
		e.sampling.temperature = clamp(*p.Temperature)
		if p.TopP != nil && *p.TopP != 1 {
			e.drop("top_p")
		}
	} else if p.TopP != nil {
		e.sampling.topP = clamp(*p.TopP)
	}
}

// isCurrent reports whether a pinned version refuses sampling parameters. Versions of
// clouds, such as "vertex-2023-10-16", start with a letter and do not.
func isCurrent(version string) bool { return version >= versionCurrent && version < ":" }

func clamp(f float64) *float64 {
	f = min(max(f, 0), 1)
	return &f
}

func (e *encoder) appendSampling(dst []byte) []byte {
	if s := &e.sampling; s.temperature != nil {
		dst = strconv.AppendFloat(member(dst, "temperature"), *s.temperature, 'g', -1, 64)
	}
	if s := &e.sampling; s.topP != nil {
		dst = strconv.AppendFloat(member(dst, "top_p"), *s.topP, 'g', -1, 64)
	}
	if s := &e.sampling; s.topK != nil {
		dst = intMember(dst, "top_k", *s.topK)
	}
	return dst
}

// appendStop writes the stop sequences that are not blank: those are refused.
func (e *encoder) appendStop(dst []byte) []byte {
	first := true
	for _, s := range e.req.Params.Stop {
		if strings.TrimSpace(s) == "" {
			continue
		}
		if first {
			dst = append(member(dst, "stop_sequences"), '[')
			first = false
		}
		dst = jsonscan.Quote(element(dst), s)
	}
	if !first {
		dst = append(dst, ']')
	}
	return dst
}

// appendIdentity writes who the end user is, as opaque as the API demands.
func (e *encoder) appendIdentity(dst []byte) []byte {
	id := e.req.Params.SafetyIdentifier
	if id == "" {
		id = e.req.Params.User
	}
	if id == "" {
		return dst
	}
	if strings.Contains(id, "@") || len(id) > maxUserID {
		sum := sha256.Sum256([]byte(id))
		id = hex.EncodeToString(sum[:])
	}
	dst = append(member(dst, "metadata"), '{')
	return append(stringMember(dst, "user_id", id), '}')
}

// appendTier writes how urgent the request is, as far as the API has words for it.
func (e *encoder) appendTier(dst []byte) []byte {
	fast := false
	switch e.req.Params.ServiceTier {
	case "default":
		dst = stringMember(dst, "service_tier", "standard_only")
	case "priority", "fast":
		dst = stringMember(dst, "service_tier", "auto")
		fast = e.opt.FastMode
	}
	if raw := e.get("speed"); raw != nil {
		dst = append(member(dst, "speed"), raw...)
		fast = jsonscan.String(raw) == "fast"
	} else if fast {
		dst = stringMember(dst, "speed", "fast")
	}
	if fast {
		e.beta("fast-mode-2026-02-01")
	}
	return dst
}
