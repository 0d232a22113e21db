package translate

// Usage counts the tokens of one answer. Prompt and Completion count everything that
// is billed; the other fields are parts of them.
type Usage struct {
	Prompt     int64 // all input: fresh, read from a cache, written to a cache
	Completion int64 // all output, reasoning included

	Cached       int64 // of Prompt: read from the provider's cache
	CacheWrite   int64 // of Prompt: written to the provider's cache
	CacheWrite1h int64 // of CacheWrite: kept for an hour
	PromptAudio  int64
	PromptImage  int64
	PromptText   int64

	Reasoning          int64 // of Completion
	CompletionAudio    int64
	CompletionText     int64
	AcceptedPrediction int64
	RejectedPrediction int64

	// What the provider bills beside the counts above without showing it in them,
	// such as the input of a summary it made of the conversation.
	HiddenPrompt, HiddenCompletion, HiddenCached, HiddenCacheWrite int64

	// Extra are members of the provider's usage object that OpenAI does not know,
	// as JSON members without braces: "cost":0.1,"server_tool_use":{}.
	Extra []byte
}

// Total is what the answer's total_tokens must be.
func (u *Usage) Total() int64 { return u.Prompt + u.Completion }

// Clamp makes the counts keep the rules that clients and bills rely on: nothing is
// negative, and no part is larger than its whole.
func (u *Usage) Clamp() {
	for _, n := range []*int64{
		&u.Prompt, &u.Completion, &u.Cached, &u.CacheWrite, &u.CacheWrite1h, &u.PromptAudio, &u.PromptImage, &u.PromptText,
		&u.Reasoning, &u.CompletionAudio, &u.CompletionText, &u.AcceptedPrediction, &u.RejectedPrediction,
		&u.HiddenPrompt, &u.HiddenCompletion, &u.HiddenCached, &u.HiddenCacheWrite,
	} {
		*n = max(*n, 0)
	}
	u.Cached = min(u.Cached, u.Prompt)
	u.CacheWrite = min(u.CacheWrite, u.Prompt-u.Cached)
	u.CacheWrite1h = min(u.CacheWrite1h, u.CacheWrite)
	u.Reasoning = min(u.Reasoning, u.Completion)
}
