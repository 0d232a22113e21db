package aiproxy

import (
	"encoding/json"
	"testing"
)

// toolConversation is a conversation of three turns with tools at one provider: the
// first answer has parallel calls, the second one more, the third is the end.
type toolConversation struct {
	provider, model string
	path            string // of the provider's base URL
	answers         [3]string
	stream          func(t testing.TB, answer string) string
	// history reads the assistant's parts, one line each, in an upstream request.
	history func(t testing.TB, body []byte) []string
	// whole is the history in the third request with nothing lost, lost the one
	// without the reasoning.
	whole, lost []string
}

const (
	firstThought  = "Look at \"Zürich\"\nfirst 😀 \\ then Oslo."
	secondThought = "Bern is missing."
)

func asJSON(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

var toolConversations = map[string]toolConversation{
	"anthropic_E086_E092": {
		provider: "anthropic", model: "claude-opus-4-8", path: "/v1",
		answers: [3]string{
			`{"id":"msg_1","type":"message","role":"assistant","model":"claude-opus-4-8","content":[{"type":"thinking","thinking":` + asJSON(firstThought) + `,"signature":"EqQBCkYIARgC/+a=="},{"type":"redacted_thinking","data":"Eo0BCkYIARgCKkD+/w=="},{"type":"text","text":"Let me look."},{"type":"tool_use","id":"toolu_01ZuErIcH234567890abcd","name":"get_weather","input":{"city":"Zürich"}},{"type":"tool_use","id":"toolu_01OsLo1234567890abcdef","name":"get_weather","input":{"city":"Oslo"}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":10,"output_tokens":20}}`,
			`{"id":"msg_2","type":"message","role":"assistant","model":"claude-opus-4-8","content":[{"type":"thinking","thinking":"","signature":"EqQBonly/signature+=="},{"type":"thinking","thinking":` + asJSON(secondThought) + `,"signature":"EqQBsecond=="},{"type":"tool_use","id":"toolu_01BeRn1234567890abcdef","name":"get_weather","input":{"city":"Bern"}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":10,"output_tokens":20}}`,
			`{"id":"msg_3","type":"message","role":"assistant","model":"claude-opus-4-8","content":[{"type":"text","text":"Sunny."}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":10,"output_tokens":20}}`,
		},
		stream: anthropicStream, history: anthropicHistory,
		whole: []string{
			"thinking " + asJSON(firstThought) + " EqQBCkYIARgC/+a==", "redacted Eo0BCkYIARgCKkD+/w==", "text Let me look.",
			"call toolu_01ZuErIcH234567890abcd", "call toolu_01OsLo1234567890abcdef",
			`thinking "" EqQBonly/signature+==`, "thinking " + asJSON(secondThought) + " EqQBsecond==", "call toolu_01BeRn1234567890abcdef",
		},
		lost: []string{"text Let me look.", "call toolu_01ZuErIcH234567890abcd", "call toolu_01OsLo1234567890abcdef", "call toolu_01BeRn1234567890abcdef"},
	},
	"gemini_E079": {
		provider: "gemini", model: "gemini-3-pro-preview", path: "/v1beta",
		answers: [3]string{
			`{"responseId":"r1","modelVersion":"gemini-3-pro-preview","candidates":[{"index":0,"content":{"role":"model","parts":[{"text":` + asJSON(firstThought) + `,"thought":true},{"functionCall":{"name":"get_weather","args":{"city":"Zürich"}},"thoughtSignature":"CsYBsigOne+/w=="},{"functionCall":{"name":"get_weather","args":{"city":"Oslo"}}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5,"thoughtsTokenCount":5,"totalTokenCount":20}}`,
			`{"responseId":"r2","modelVersion":"gemini-3-pro-preview","candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"One more."},{"functionCall":{"name":"get_weather","args":{"city":"Bern"}},"thoughtSignature":"CsYBsigTwo=="}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5,"totalTokenCount":15}}`,
			`{"responseId":"r3","modelVersion":"gemini-3-pro-preview","candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"Sunny."}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5,"totalTokenCount":15}}`,
		},
		stream: geminiStream, history: geminiHistory,
		whole: []string{"call Zürich CsYBsigOne+/w==", "call Oslo", "text One more.", "call Bern CsYBsigTwo=="},
		lost:  []string{"call Zürich skip_thought_signature_validator", "call Oslo", "text One more.", "call Bern skip_thought_signature_validator"},
	},
	"gemini-compat_E079": {
		provider: "gemini-compat", model: "gemini-compat/gemini-3-pro-preview", path: "/v1beta/openai",
		answers: compatConversation, stream: compatStream, history: compatHistory,
		whole: []string{"call k2j4h5g6 CsYBsigOne+/w==", "call call_2", "call call_3 CsYBsigTwo=="},
		lost:  []string{"call k2j4h5g6", "call call_2", "call call_3"},
	},
	"deepseek_E084": {
		provider: "deepseek", model: "deepseek-reasoner",
		answers: textConversation("call_00_RnHgP4kFk3xgQ1ZbTzRk7m", "call_01_QmXbT2vWk8ysL5YcUaSp9n", "call_00_ZqWeR7tYu4iOp6AsDfGh1j"),
		stream:  openaiStream, history: openaiHistory,
		whole: []string{"reasoning " + asJSON(firstThought), "calls 2", "reasoning " + asJSON(secondThought), "calls 1"},
		lost:  []string{`reasoning " "`, "calls 2", `reasoning " "`, "calls 1"},
	},
	"moonshot_E084": { // which numbers its calls
		provider: "moonshot", model: "kimi-k2.5", path: "/v1",
		answers: textConversation("functions.get_weather:0", "functions.get_weather:1", "functions.get_weather:2"),
		stream:  openaiStream, history: openaiHistory,
		whole: []string{"reasoning " + asJSON(firstThought), "calls 2", "reasoning " + asJSON(secondThought), "calls 1"},
		lost:  []string{`reasoning " "`, "calls 2", `reasoning " "`, "calls 1"},
	},
}

// compatConversation are the answers of Google's OpenAI-compatible endpoint.
var compatConversation = [3]string{
	`{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","tool_calls":[{"id":"k2j4h5g6","type":"function","function":{"name":"get_weather","arguments":"{}"},"extra_content":{"google":{"thought_signature":"CsYBsigOne+/w=="}}},{"id":"call_2","type":"function","function":{"name":"get_weather","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}`,
	`{"id":"2","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"One more.","tool_calls":[{"id":"call_3","type":"function","function":{"name":"get_weather","arguments":"{}"},"extra_content":{"google":{"thought_signature":"CsYBsigTwo=="}}}]},"finish_reason":"tool_calls"}]}`,
	`{"id":"3","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Sunny."},"finish_reason":"stop"}]}`,
}

// textConversation are the answers of a provider whose reasoning is text.
func textConversation(a, b, c string) [3]string {
	answer := func(message, reason string) string {
		return `{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant",` + message + `},"finish_reason":"` + reason + `"}],"usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30}}`
	}
	call := func(id, city string) string {
		return `{"id":"` + id + `","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"` + city + `\"}"}}`
	}
	return [3]string{
		answer(`"content":"","reasoning_content":`+asJSON(firstThought)+`,"tool_calls":[`+call(a, "Zürich")+`,`+call(b, "Oslo")+`]`, "tool_calls"),
		answer(`"content":"","reasoning_content":`+asJSON(secondThought)+`,"tool_calls":[`+call(c, "Bern")+`]`, "tool_calls"),
		answer(`"content":"Sunny.","reasoning_content":"Done."`, "stop"),
	}
}
