package openai

import (
	"strconv"
	"strings"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// judge says what kind of error a failure is. status is the HTTP status it came with,
// 0 for one inside an answer.
func (f *failure) judge(status int) *translate.Error {
	// Only these decide; the message is words of a person and comes last.
	words := strings.ToLower(f.typ + " " + f.code + " " + f.words)
	message := strings.ToLower(f.message)
	if status < 400 {
		status = f.status
	}
	if status < 400 {
		status = statusOf(words, message)
	}
	e := &translate.Error{Status: status, Message: f.message, Type: f.typ, Param: f.param, Code: f.code}
	f.classify(e, words, message)
	if e.Message == "" {
		e.Message = "The provider answered with status " + strconv.Itoa(status) + "."
	}
	return e
}

// statusOf finds the HTTP status for an error that came without one.
func statusOf(words, message string) int {
	for _, row := range statusWords {
		if containsAny(words, row.words) {
			return row.status
		}
	}
	switch {
	case containsAny(message, quotaWords), containsAny(message, rateWords):
		return 429
	case containsAny(message, contextWords):
		return 400
	case containsAny(message, overloadWords):
		return 503
	}
	return 502
}

// statusWords are what types and codes of errors have in them, and what HTTP says for
// it; the first row that fits counts.
var statusWords = []struct {
	status int
	words  []string
}{
	{429, []string{"insufficient_quota", "insufficient_balance", "quota_exceeded", "billing", "arrearage"}},
	{429, []string{"rate_limit", "ratelimit", "too_many_requests", "throttl", "resource_exhausted", "tokens_per_"}},
	{401, []string{"invalid_api_key", "authentication", "unauthorized", "unauthenticated", "api_key_invalid"}},
	{400, []string{"context_length", "context_size", "content_filter", "content_policy", "moderation", "sensitive"}},
	{403, []string{"permission", "forbidden", "unsupported_country"}},
	{404, []string{"model_not_found", "not_found"}},
	{503, []string{"overloaded", "unavailable", "capacity", "engine_busy"}},
	{504, []string{"timeout", "deadline"}},
	{500, []string{"server_error", "internal", "api_error"}},
	{400, []string{"invalid_request", "invalid_argument", "invalid argument", "bad_request", "badrequest", "validation", "tool_use_failed", "unsupported_"}},
}

// What messages say about the commonest troubles, in lower case.
var (
	quotaWords = []string{
		"insufficient balance", "insufficient_quota", "insufficient credits", "credit balance is too low", "out of credits", "payment required",
		"exceeded your current quota, please check your plan", "account balance", "monthly spending limit", "used all available credits",
		"requires more credits", "overdue-payment", "account is in good standing",
	}
	rateWords = []string{"rate limit", "ratelimit", "too many requests", "tokens per minute", "requests per minute", "request limit reached"}
	// contextWords are the wordings of OpenAI and vLLM, Anthropic, Google, xAI and
	// Mistral, Bedrock, DashScope, GLM, Moonshot, llama.cpp, Ollama, TGI and Together,
	// Cohere.
	contextWords = []string{
		"maximum context length", "context_length_exceeded", "context length", "context window", "prompt is too long", "input is too long",
		"exceeds the maximum number of tokens", "maximum prompt length", "exceed context limit", "range of input length should be",
		"prompt exceeds max length", "exceeded model token limit", "available context size", "context size", "input tokens exceed",
		"reduce the length of the messages", "`inputs` tokens + `max_new_tokens` must be", "too many tokens", "prompt too long",
		"exceeds the model's maximum", "exceeds the context",
	}
	overloadWords = []string{"overloaded", "over capacity", "no capacity", "temporarily unavailable", "server is busy", "high demand"}
	authWords     = []string{"api key not valid", "invalid api key", "incorrect api key", "api key expired", "api_key_invalid", "invalid_api_key"}
	policyWords   = []string{
		"content_filter", "content_policy", "content management policy", "responsibleaipolicy", "datainspectionfailed", "data_inspection_failed",
		"moderation", "sensitive", "prohibited_content", "content exists risk",
	}
)

func containsAny(s string, words []string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// classify sets the class of e, and what follows from it. e.Status is the status to
// go by.
func (f *failure) classify(e *translate.Error, words, message string) {
	status := e.Status
	quota := containsAny(words, statusWords[0].words) || containsAny(message, quotaWords) && !strings.Contains(words, "resource_exhausted")
	limited := status == 429 || containsAny(words, statusWords[1].words) || containsAny(message, rateWords)
	request := status == 400 || status == 413 || status == 422
	switch {
	case status == 402, quota && (status == 400 || status == 403 || status == 429):
		setQuota(e)
	case status == 429, limited && (status == 413 || status == 403 || status == 503):
		e.Class, e.Status = translate.ErrorRateLimit, 429
		fill(e, "rate_limit_exceeded", "rate_limit_exceeded")
	case (request || status == 500) && (containsAny(words, contextWords) || containsAny(message, contextWords)):
		e.Class, e.Status = translate.ErrorContextLength, 400
		e.Type, e.Code = "invalid_request_error", "context_length_exceeded"
	case status == 401, status == 400 && (containsAny(words, authWords) || containsAny(message, authWords)):
		e.Class, e.Status = translate.ErrorAuth, 401
		fill(e, "invalid_request_error", "invalid_api_key")
	case (request || status == 403 || status == 451) && (containsAny(words, policyWords) || containsAny(message, policyWords)):
		e.Class, e.Status = translate.ErrorContentPolicy, 400
		fill(e, "invalid_request_error", "content_policy_violation")
	case status == 403, status == 407:
		e.Class, e.Status = translate.ErrorAuth, 403
		fill(e, "invalid_request_error", "")
	case status == 404, status == 400 && strings.Contains(words, "model_not_found"):
		e.Class, e.Status = translate.ErrorNotFound, 404
		fill(e, "invalid_request_error", "model_not_found")
	default:
		classifyStatus(e, containsAny(words, statusWords[6].words) || containsAny(message, overloadWords))
	}
}

// classifyStatus sets the class of an error about which only the status is known, and
// whether its words speak of overload.
func classifyStatus(e *translate.Error, overload bool) {
	switch status := e.Status; {
	case status == 408 || status == 504 || status == 524:
		e.Class, e.Status = translate.ErrorTimeout, 504
		fill(e, "timeout_error", "upstream_timeout")
	case status == 503 || status == 529 || status == 498 || status >= 500 && overload: // 529: Anthropic, 498: Groq
		e.Class, e.Status = translate.ErrorOverloaded, 503
		fill(e, "server_error", "overloaded")
	case status == 413:
		e.Class = translate.ErrorRequest
		fill(e, "invalid_request_error", "request_too_large")
	case status >= 400 && status < 500 && status != 499:
		e.Class = translate.ErrorRequest
		fill(e, "invalid_request_error", "")
	case status == 500 || status == 501:
		e.Class = translate.ErrorServer
		fill(e, "server_error", "")
	default: // redirects, Cloudflare's 52x, and whatever else a proxy may answer
		e.Class, e.Status = translate.ErrorUpstream, 502
		fill(e, "upstream_error", "bad_gateway")
	}
}

// setQuota makes e tell that the account has nothing left. Only the status 402 is kept
// as it came; OpenAI's own is 429.
func setQuota(e *translate.Error) {
	e.Class, e.NoRetry = translate.ErrorQuota, true
	e.Type, e.Code = "insufficient_quota", "insufficient_quota"
	if e.Status != 402 {
		e.Status = 429
	}
}

// fill gives e a type and a code where the provider gave none.
func fill(e *translate.Error, kind, code string) {
	e.Type = either(e.Type, kind)
	e.Code = either(e.Code, code)
}

// minimaxError returns the HTTP status for a status_code of MiniMax, and words for
// those that HTTP does not tell apart.
// https://platform.minimax.io/docs/api-reference/errorcode
func minimaxError(code int, words string) (int, string) {
	switch code {
	case 1001:
		return 504, words
	case 1002, 1039, 1041, 2045:
		return 429, words
	case 1004, 2049:
		return 401, words
	case 1008, 2056:
		return 429, words + " insufficient_balance"
	case 1026, 1027:
		return 400, words + " sensitive"
	case 1042, 2013:
		return 400, words
	case 1000, 1013, 1024, 1033:
		return 500, words
	}
	return 502, words
}
