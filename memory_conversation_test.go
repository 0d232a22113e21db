package aiproxy

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
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

// chatMessage is all that a client of OpenAI's API knows of a message.
type chatMessage struct {
	Role       string     `json:"role"`
	Content    string     `json:"content"`
	ToolCalls  []chatCall `json:"tool_calls,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
}

type chatCall struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
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

// upstream starts a provider that gives the answers one after the other.
func (c *toolConversation) upstream(t testing.TB, stream bool) *provider {
	t.Helper()
	var n atomic.Int32
	return newProvider(t, func(w http.ResponseWriter, r *http.Request) {
		answer := c.answers[(n.Add(1)-1)%3]
		if stream {
			answerSSE(c.stream(t, answer))(w, r)
			return
		}
		answerJSON(200, answer)(w, r)
	})
}

func (c *toolConversation) block(p *provider, options string) string {
	return fmt.Sprintf("provider %s {\nbase_url %s%s\n}\n%s", c.provider, p.URL, c.path, options)
}

// client has a conversation with tools.
type client struct {
	model   string
	stream  bool
	keeps   bool // sends messages back as they came, with all that is not OpenAI's
	key     string
	history []json.RawMessage
}

func newClient(model string, stream bool) *client {
	return &client{model: model, stream: stream, key: "client-key-0123456789", history: []json.RawMessage{json.RawMessage(`{"role":"user","content":"How is the weather?"}`)}}
}

// ask sends the conversation, adds the answer and the results of its calls, and
// returns how many calls there were.
func (c *client) ask(t testing.TB, gateway string) int {
	t.Helper()
	messages, err := json.Marshal(c.history)
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"model":%q,"stream":%v,"reasoning_effort":"high","messages":%s,"tools":[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}]}`, c.model, c.stream, messages)
	r := chat(t, gateway, body, "Authorization", "Bearer "+c.key)
	if r.status != 200 || r.err != nil {
		t.Fatalf("got %d %s (%v)", r.status, r.body, r.err)
	}
	raw := messageOf(t, r.body, c.stream)
	m := decodeJSON[chatMessage](t, raw)
	if c.keeps {
		c.history = append(c.history, raw)
	} else {
		c.add(t, m)
	}
	for _, call := range m.ToolCalls {
		c.add(t, chatMessage{Role: "tool", Content: "sunny", ToolCallID: call.ID})
	}
	return len(m.ToolCalls)
}

func (c *client) add(t testing.TB, m chatMessage) {
	t.Helper()
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	c.history = append(c.history, raw)
}

// messageOf returns the message of an answer; that of a stream is put together from
// its deltas, as a client does that keeps whatever it is given.
func messageOf(t testing.TB, body string, stream bool) json.RawMessage {
	t.Helper()
	if !stream {
		return decodeJSON[struct {
			Choices []struct{ Message json.RawMessage }
		}](t, []byte(body)).Choices[0].Message
	}
	message := map[string]any{"role": "assistant"}
	var details, calls []any
	for line := range strings.Lines(body) {
		data, ok := strings.CutPrefix(strings.TrimSpace(line), "data: {")
		if !ok {
			continue
		}
		chunk := decodeJSON[struct {
			Choices []struct{ Delta map[string]any }
		}](t, []byte("{"+data))
		if len(chunk.Choices) == 0 {
			continue
		}
		delta := chunk.Choices[0].Delta
		for _, name := range []string{"content", "reasoning_content"} {
			if s, ok := delta[name].(string); ok {
				old, _ := message[name].(string)
				message[name] = old + s
			}
		}
		list, _ := delta["reasoning_details"].([]any)
		details = append(details, list...)
		list, _ = delta["tool_calls"].([]any)
		for _, part := range list {
			calls = mergeCall(calls, part.(map[string]any))
		}
	}
	if details != nil {
		message["reasoning_details"] = details
	}
	if calls != nil {
		message["tool_calls"] = calls
	}
	raw, err := json.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func mergeCall(calls []any, part map[string]any) []any {
	index := int(part["index"].(float64))
	delete(part, "index")
	if index == len(calls) {
		return append(calls, part)
	}
	call := calls[index].(map[string]any)
	if f, ok := part["function"].(map[string]any); ok {
		own := call["function"].(map[string]any)
		own["arguments"] = own["arguments"].(string) + f["arguments"].(string)
	}
	if extra, ok := part["extra_content"]; ok {
		call["extra_content"] = extra
	}
	return calls
}

// converse has all three turns and returns the third request that the provider got.
func (c *client) converse(t testing.TB, gateway string, p *provider) []byte {
	t.Helper()
	for turn, want := range []int{2, 1, 0} {
		if n := c.ask(t, gateway); n != want {
			t.Fatalf("turn %d has %d calls, want %d", turn+1, n, want)
		}
	}
	seen := p.requests()
	if len(seen) != 3 {
		t.Fatalf("the provider saw %d requests, want 3", len(seen))
	}
	return seen[2].body
}

func wantHistory(t testing.TB, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("the provider is told\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// forms runs a test with whole answers and with streams.
func forms(t *testing.T, test func(t *testing.T, stream bool)) {
	t.Helper()
	for name, stream := range map[string]bool{"JSON": false, "stream": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, stream)
		})
	}
}

func TestReasoningSurvivesForgetfulClients_E096(t *testing.T) {
	t.Parallel()
	for name, c := range toolConversations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forms(t, func(t *testing.T, stream bool) {
				p := c.upstream(t, stream)
				gateway := serve(t, c.block(p, "reasoning_memory 1001"))
				wantHistory(t, c.history(t, newClient(c.model, stream).converse(t, gateway, p)), c.whole)
			})
		})
	}
}

func TestReasoningSurvivesWithoutMemory_E096(t *testing.T) {
	t.Parallel()
	for name, c := range toolConversations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forms(t, func(t *testing.T, stream bool) {
				p := c.upstream(t, stream)
				gateway := serve(t, c.block(p, "reasoning_memory off"))
				keeping := newClient(c.model, stream)
				keeping.keeps = true
				wantHistory(t, c.history(t, keeping.converse(t, gateway, p)), c.whole)

				p = c.upstream(t, stream)
				gateway = serve(t, c.block(p, "reasoning_memory off"))
				wantHistory(t, c.history(t, newClient(c.model, stream).converse(t, gateway, p)), c.lost)
			})
		})
	}
}

func TestReasoningStaysWithItsClient(t *testing.T) {
	t.Parallel()
	for name, c := range toolConversations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := c.upstream(t, false)
			gateway := serve(t, c.block(p, "reasoning_memory 1002"))
			owner := newClient(c.model, false)
			owner.ask(t, gateway)
			owner.ask(t, gateway)
			thief := newClient(c.model, false)
			thief.key, thief.history = "another-key-0123456789", owner.history
			thief.ask(t, gateway)
			wantHistory(t, c.history(t, p.requests()[2].body), c.lost)
		})
	}
}

// TestNumberedCallsOfOtherConversations is about a provider that gives the same ids to
// the calls of every conversation, with one key for all of them.
func TestNumberedCallsOfOtherConversations(t *testing.T) {
	t.Parallel()
	c := toolConversations["moonshot_E084"]
	p := c.upstream(t, false)
	gateway := serve(t, c.block(p, "reasoning_memory 1003"))
	first := newClient(c.model, false)
	first.ask(t, gateway)
	first.ask(t, gateway)
	other := newClient(c.model, false)
	other.history = slices.Clone(first.history)
	other.history[0] = json.RawMessage(`{"role":"user","content":"What did you think?"}`)
	other.ask(t, gateway)
	wantHistory(t, c.history(t, p.requests()[2].body), c.lost)
	first.ask(t, gateway)
	wantHistory(t, c.history(t, p.requests()[3].body), c.whole)
}

func TestReasoningSurvivesAReload(t *testing.T) {
	t.Parallel()
	c := toolConversations["anthropic_E086_E092"]
	p := c.upstream(t, false)
	cl := newClient(c.model, false)
	cl.ask(t, serve(t, c.block(p, "reasoning_memory 1004 20m")))
	cl.ask(t, serve(t, c.block(p, "reasoning_memory 1004 20m")))
	cl.ask(t, serve(t, c.block(p, "reasoning_memory 1004 20m\nkeep_alive off")))
	wantHistory(t, c.history(t, p.requests()[2].body), c.whole)
	cl.history = cl.history[:len(cl.history)-1]
	cl.ask(t, serve(t, c.block(p, "reasoning_memory 1004 21m")))
	wantHistory(t, c.history(t, p.requests()[3].body), c.lost)
}

// TestReasoningOfAnotherVendorStaysOut has a conversation go on at another provider.
func TestReasoningOfAnotherVendorStaysOut(t *testing.T) {
	t.Parallel()
	claude, gemini := toolConversations["anthropic_E086_E092"], toolConversations["gemini_E079"]
	a, g := claude.upstream(t, false), gemini.upstream(t, false)
	gateway := serve(t, claude.block(a, "")+gemini.block(g, "reasoning_memory 1005"))
	cl := newClient(claude.model, false)
	cl.ask(t, gateway)
	cl.model = gemini.model
	cl.ask(t, gateway)
	if body := string(g.request(t).body); strings.Contains(body, "EqQB") || strings.Contains(body, "Eo0B") || strings.Contains(body, "first 😀") {
		t.Errorf("Gemini got what Claude thought: %s", body)
	}
	cl.model = claude.model
	cl.ask(t, gateway)
	body := string(a.requests()[1].body)
	if strings.Contains(body, "CsYB") {
		t.Errorf("Claude got Gemini's signature: %s", body)
	}
	if !strings.Contains(body, "EqQBCkYIARgC/+a==") {
		t.Errorf("Claude did not get its own thinking back: %s", body)
	}
}
