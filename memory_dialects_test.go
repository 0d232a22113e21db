package aiproxy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func decodeJSON[T any](t testing.TB, raw []byte) (v T) {
	t.Helper()
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return v
}

// pieces cuts a text into up to three, at characters.
func pieces(s string) []string {
	r := []rune(s)
	n := len(r) / 3
	return slices.DeleteFunc([]string{string(r[:n]), string(r[n : 2*n]), string(r[2*n:])}, func(p string) bool { return p == "" })
}

type anthropicBlock struct {
	Type, Thinking, Signature, Data, Text, ID, Name string
	Input                                           json.RawMessage
}

func anthropicStream(t testing.TB, answer string) string {
	m := decodeJSON[struct {
		ID         string
		Content    []anthropicBlock
		StopReason string `json:"stop_reason"`
	}](t, []byte(answer))
	var b strings.Builder
	event := func(kind, format string, args ...any) {
		fmt.Fprintf(&b, "event: "+kind+"\ndata: {\"type\":\""+kind+"\","+format+"}\n\n", args...)
	}
	event("message_start", `"message":{"id":%q,"type":"message","role":"assistant","model":"claude-opus-4-8","content":[],"stop_reason":null,"usage":{"input_tokens":10,"output_tokens":1}}`, m.ID)
	for i, c := range m.Content {
		switch c.Type {
		case "thinking":
			event("content_block_start", `"index":%d,"content_block":{"type":"thinking","thinking":"","signature":""}`, i)
			for _, p := range pieces(c.Thinking) {
				event("content_block_delta", `"index":%d,"delta":{"type":"thinking_delta","thinking":%s}`, i, asJSON(p))
			}
			event("content_block_delta", `"index":%d,"delta":{"type":"signature_delta","signature":%q}`, i, c.Signature)
		case "redacted_thinking":
			event("content_block_start", `"index":%d,"content_block":{"type":"redacted_thinking","data":%q}`, i, c.Data)
		case "text":
			event("content_block_start", `"index":%d,"content_block":{"type":"text","text":""}`, i)
			for _, p := range pieces(c.Text) {
				event("content_block_delta", `"index":%d,"delta":{"type":"text_delta","text":%s}`, i, asJSON(p))
			}
		case "tool_use":
			event("content_block_start", `"index":%d,"content_block":{"type":"tool_use","id":%q,"name":%q,"input":{}}`, i, c.ID, c.Name)
			for _, p := range pieces(string(c.Input)) {
				event("content_block_delta", `"index":%d,"delta":{"type":"input_json_delta","partial_json":%s}`, i, asJSON(p))
			}
		}
		event("content_block_stop", `"index":%d`, i)
	}
	event("message_delta", `"delta":{"stop_reason":%q,"stop_sequence":null},"usage":{"output_tokens":20}`, m.StopReason)
	event("message_stop", `"x":0`)
	return b.String()
}

func anthropicHistory(t testing.TB, body []byte) (list []string) {
	req := decodeJSON[struct {
		Messages []struct {
			Role    string
			Content json.RawMessage
		}
	}](t, body)
	for _, m := range req.Messages {
		if m.Role != "assistant" {
			continue
		}
		for _, b := range decodeJSON[[]anthropicBlock](t, m.Content) {
			switch b.Type {
			case "thinking":
				list = append(list, "thinking "+asJSON(b.Thinking)+" "+b.Signature)
			case "redacted_thinking":
				list = append(list, "redacted "+b.Data)
			case "text":
				list = append(list, "text "+b.Text)
			case "tool_use":
				list = append(list, "call "+b.ID)
			}
		}
	}
	return list
}

// geminiStream sends every part as a chunk of its own.
func geminiStream(t testing.TB, answer string) string {
	m := decodeJSON[struct {
		ResponseID string
		Candidates []struct {
			Content struct{ Parts []json.RawMessage }
		}
	}](t, []byte(answer))
	var b strings.Builder
	for _, part := range m.Candidates[0].Content.Parts {
		fmt.Fprintf(&b, "data: {\"responseId\":%q,\"candidates\":[{\"index\":0,\"content\":{\"role\":\"model\",\"parts\":[%s]}}]}\n\n", m.ResponseID, part)
	}
	fmt.Fprintf(&b, "data: {\"responseId\":%q,\"candidates\":[{\"index\":0,\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":10,\"candidatesTokenCount\":5}}\n\n", m.ResponseID)
	return b.String()
}

func geminiHistory(t testing.TB, body []byte) (list []string) {
	req := decodeJSON[struct {
		Contents []struct {
			Role  string
			Parts []struct {
				Text             string
				ThoughtSignature string
				FunctionCall     *struct{ Args struct{ City string } }
			}
		}
	}](t, body)
	for _, c := range req.Contents {
		for _, p := range c.Parts {
			switch {
			case c.Role != "model":
			case p.FunctionCall != nil:
				list = append(list, strings.TrimSpace("call "+p.FunctionCall.Args.City+" "+p.ThoughtSignature))
			default:
				list = append(list, strings.TrimSpace("text "+p.Text+" "+p.ThoughtSignature))
			}
		}
	}
	return list
}

func openaiStream(t testing.TB, answer string) string {
	m := decodeJSON[struct {
		Choices []struct {
			Message struct {
				chatMessage
				ReasoningContent string `json:"reasoning_content"`
			}
			FinishReason string `json:"finish_reason"`
		}
	}](t, []byte(answer)).Choices[0]
	var b strings.Builder
	chunk := func(format string, args ...any) {
		fmt.Fprintf(&b, `data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,`+format+"}]}\n\n", args...)
	}
	chunk(`"delta":{"role":"assistant","content":""},"finish_reason":null`)
	for _, p := range pieces(m.Message.ReasoningContent) {
		chunk(`"delta":{"reasoning_content":%s},"finish_reason":null`, asJSON(p))
	}
	for _, p := range pieces(m.Message.Content) {
		chunk(`"delta":{"content":%s},"finish_reason":null`, asJSON(p))
	}
	for i, c := range m.Message.ToolCalls {
		chunk(`"delta":{"tool_calls":[{"index":%d,"id":%q,"type":"function","function":{"name":%q,"arguments":""}}]},"finish_reason":null`, i, c.ID, c.Function.Name)
		for _, p := range pieces(c.Function.Arguments) {
			chunk(`"delta":{"tool_calls":[{"index":%d,"function":{"arguments":%s}}]},"finish_reason":null`, i, asJSON(p))
		}
	}
	chunk(`"delta":{},"finish_reason":%q`, m.FinishReason)
	return b.String() + done
}

func openaiHistory(t testing.TB, body []byte) (list []string) {
	req := decodeJSON[struct {
		Messages []struct {
			chatMessage
			ReasoningContent *string `json:"reasoning_content"`
		}
	}](t, body)
	for _, m := range req.Messages {
		if m.Role != "assistant" {
			continue
		}
		if m.ReasoningContent != nil {
			list = append(list, "reasoning "+asJSON(*m.ReasoningContent))
		}
		list = append(list, fmt.Sprint("calls ", len(m.ToolCalls)))
	}
	return list
}

// compatStream sends calls whole, as that endpoint does.
func compatStream(t testing.TB, answer string) string {
	m := decodeJSON[struct {
		Choices []struct {
			Message      json.RawMessage
			FinishReason string `json:"finish_reason"`
		}
	}](t, []byte(answer)).Choices[0]
	return fmt.Sprintf(`data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":%s,"finish_reason":%q}]}`, m.Message, m.FinishReason) + "\n\n" + done
}

func compatHistory(t testing.TB, body []byte) (list []string) {
	req := decodeJSON[struct {
		Messages []struct {
			ToolCalls []struct {
				ID           string
				ExtraContent struct {
					Google struct {
						ThoughtSignature string `json:"thought_signature"`
					}
				} `json:"extra_content"`
			} `json:"tool_calls"`
		}
	}](t, body)
	for _, m := range req.Messages {
		for _, c := range m.ToolCalls {
			list = append(list, strings.TrimSpace("call "+c.ID+" "+c.ExtraContent.Google.ThoughtSignature))
		}
	}
	return list
}
