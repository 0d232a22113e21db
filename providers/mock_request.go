package providers

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// mockRequest is what a mock wants to know of a request, of whichever endpoint.
type mockRequest struct {
	Model    string        `json:"model"`
	Messages []mockMessage `json:"messages"`
	// Input is that of responses and embeddings.
	Input         jsontext.Value `json:"input"`
	Instructions  string         `json:"instructions"`
	Stream        bool           `json:"stream"`
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	MaxTokens           *int64           `json:"max_tokens"`
	MaxCompletionTokens *int64           `json:"max_completion_tokens"`
	MaxOutputTokens     *int64           `json:"max_output_tokens"`
	N                   *int64           `json:"n"`
	Stop                jsontext.Value   `json:"stop"`
	Tools               []jsontext.Value `json:"tools"`
	ToolChoice          jsontext.Value   `json:"tool_choice"`
	ResponseFormat      struct {
		Type string `json:"type"`
	} `json:"response_format"`
	Dimensions     *int64 `json:"dimensions"`
	EncodingFormat string `json:"encoding_format"`
}

// mockMessage is a message, or an item of a response's input.
type mockMessage struct {
	Type    string         `json:"type"`
	Role    string         `json:"role"`
	Content jsontext.Value `json:"content"`
	Output  jsontext.Value `json:"output"`
}

// parseMockRequest decodes a body. It is strict where it is not told what to make of
// something, as a real provider would be.
func parseMockRequest(body []byte) (*mockRequest, *translate.Error) {
	r := new(mockRequest)
	if err := json.Unmarshal(body, r); err != nil {
		if !jsontext.Value(body).IsValid() {
			return nil, translate.BadRequest("invalid_json", "", "The body of the request is not valid JSON.")
		}
		return nil, translate.BadRequest("invalid_type", "", fmt.Sprintf("The request has a member of a wrong type: %v", err))
	}
	if r.Model == "" {
		return nil, translate.BadRequest("missing_required_parameter", "model", "Missing required parameter: 'model'.")
	}
	return r, nil
}

// limit returns how many tokens the answer may have, -1 if the request does not say.
func (r *mockRequest) limit() int {
	for _, v := range []*int64{r.MaxCompletionTokens, r.MaxTokens, r.MaxOutputTokens} {
		if v != nil && *v >= 0 {
			return int(min(*v, 1<<30))
		}
	}
	return -1
}

// stops returns the stop sequences.
func (r *mockRequest) stops() []string {
	var one string
	if json.Unmarshal(r.Stop, &one) == nil && one != "" {
		return []string{one}
	}
	var many []string
	if json.Unmarshal(r.Stop, &many) == nil {
		return many
	}
	return nil
}

// wantsTools reports whether the model should call tools: there are some, they are not
// forbidden, and none has just answered.
func (r *mockRequest) wantsTools() bool {
	if len(r.Tools) == 0 || string(r.ToolChoice) == `"none"` {
		return false
	}
	if len(r.Messages) == 0 {
		return true
	}
	last := r.Messages[len(r.Messages)-1]
	return last.Role != "tool" && last.Role != "function" && last.Type != "function_call_output"
}

// readInput takes the input of the responses endpoint for messages.
func (r *mockRequest) readInput() *translate.Error {
	var text string
	if json.Unmarshal(r.Input, &text) == nil {
		r.Messages = []mockMessage{{Role: "user", Content: r.Input}}
		return nil
	}
	if err := json.Unmarshal(r.Input, &r.Messages); err != nil {
		return translate.BadRequest("invalid_type", "input", "'input' must be a string or a list of items.")
	}
	return nil
}

// prompt returns the text of the user's last message.
func (r *mockRequest) prompt() string {
	for i := len(r.Messages) - 1; i >= 0; i-- {
		if m := &r.Messages[i]; m.Role == "user" {
			return m.text()
		}
	}
	return ""
}

// promptTokens counts the tokens of all messages.
func (r *mockRequest) promptTokens() int64 {
	n := countTokens(r.Instructions)
	for i := range r.Messages {
		n += countTokens(r.Messages[i].text())
	}
	return n
}

// text returns the text of a message, of whichever form.
func (m *mockMessage) text() string {
	content := m.Content
	if content == nil {
		content = m.Output
	}
	var text string
	if json.Unmarshal(content, &text) == nil {
		return text
	}
	var parts []struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(content, &parts) != nil {
		return ""
	}
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Text)
	}
	return b.String()
}
