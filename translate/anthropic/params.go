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
