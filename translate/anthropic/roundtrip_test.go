package anthropic

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// nativeRequest are the members of a recorded request that a canonical request can say.
type nativeRequest struct {
	Model       string            `json:"model"`
	MaxTokens   int64             `json:"max_tokens"`
	Stream      bool              `json:"stream"`
	System      json.RawMessage   `json:"system"`
	Messages    []json.RawMessage `json:"messages"`
	Tools       []json.RawMessage `json:"tools"`
	ToolChoice  json.RawMessage   `json:"tool_choice"`
	Stop        []string          `json:"stop_sequences"`
	Temperature *float64          `json:"temperature"`
}

type nativeMessage struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
}

type nativeBlock struct {
	Type      string          `json:"type"`
	Text      string          `json:"text"`
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Input     json.RawMessage `json:"input"`
	ToolUseID string          `json:"tool_use_id"`
	Content   json.RawMessage `json:"content"`
	IsError   bool            `json:"is_error"`
	Thinking  string          `json:"thinking"`
	Signature string          `json:"signature"`
	Data      string          `json:"data"`
	Source    struct {
		Type      string `json:"type"`
		MediaType string `json:"media_type"`
		Data      string `json:"data"`
		URL       string `json:"url"`
	} `json:"source"`
	CacheControl jsontext.Value `json:"cache_control"`
}

// blocksOf reads content, which may be a string. ok is false for blocks that a
// canonical request has no part for.
func blocksOf(t *testing.T, raw json.RawMessage) (parts []translate.Part, ok bool) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []translate.Part{{Kind: translate.PartText, Text: text}}, true
	}
	var blocks []nativeBlock
	if err := json.Unmarshal(raw, &blocks); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	for i, b := range blocks {
		p := translate.Part{CacheControl: b.CacheControl}
		switch b.Type {
		case "text":
			p.Kind, p.Text = translate.PartText, b.Text
		case "image":
			p.Kind, p.Media = translate.PartImage, &translate.Media{MIME: b.Source.MediaType, Data: b.Source.Data, URL: b.Source.URL}
		case "document":
			p.Kind, p.Media = translate.PartFile, &translate.Media{MIME: b.Source.MediaType, Data: b.Source.Data, URL: b.Source.URL}
		case "tool_use":
			p.Kind, p.Call = translate.PartToolCall, &translate.ToolCall{ID: b.ID, Name: b.Name, Arguments: string(b.Input)}
		case "tool_result":
			inner, innerOK := blocksOf(t, b.Content)
			if !innerOK {
				return nil, false
			}
			p.Kind, p.Result = translate.PartToolResult, &translate.ToolResult{CallID: b.ToolUseID, IsError: b.IsError, Parts: inner}
		case "thinking":
			p.Kind, p.Reasoning = translate.PartReasoning, &translate.Reasoning{Index: i, Text: b.Thinking, Signature: b.Signature, Format: FormatReasoning}
		case "redacted_thinking":
			p.Kind, p.Reasoning = translate.PartReasoning, &translate.Reasoning{Index: i, Encrypted: b.Data, Format: FormatReasoning}
		default:
			return nil, false
		}
		parts = append(parts, p)
	}
	return parts, true
}

// canonical reads a recorded request; ok is false if it says what a canonical request
// cannot.
func (n *nativeRequest) canonical(t *testing.T) (req *translate.Request, ok bool) {
	req = &translate.Request{Model: n.Model, Stream: n.Stream}
	req.Params.MaxTokens, req.Params.Stop = &n.MaxTokens, n.Stop
	if n.System != nil {
		parts, _ := blocksOf(t, n.System)
		req.Turns = append(req.Turns, translate.Turn{Role: translate.RoleSystem, Parts: parts})
	}
	for _, raw := range n.Messages {
		var m nativeMessage
		if json.Unmarshal(raw, &m) != nil {
			return nil, false
		}
		parts, ok := blocksOf(t, m.Content)
		if !ok {
			return nil, false
		}
		role := translate.RoleUser
		if m.Role == "assistant" {
			role = translate.RoleAssistant
		}
		req.Turns = append(req.Turns, translate.Turn{Role: role, Parts: parts})
	}
	for _, raw := range n.Tools {
		var f struct {
			Type, Name, Description string
			Schema                  jsontext.Value `json:"input_schema"`
			CacheControl            jsontext.Value `json:"cache_control"`
			Strict                  *bool
			Deferred                bool `json:"defer_loading"`
		}
		if err := json.Unmarshal(raw, &f); err != nil {
			t.Fatal(err)
		}
		if f.Schema == nil {
			req.Tools = append(req.Tools, translate.Tool{Kind: translate.ToolRaw, Name: f.Name, Raw: jsontext.Value(raw)})
			continue
		}
		if f.Deferred {
			return nil, false
		}
		req.Tools = append(req.Tools, translate.Tool{
			Kind: translate.ToolFunction, Name: f.Name, Description: f.Description, Parameters: f.Schema, CacheControl: f.CacheControl, Strict: f.Strict,
		})
	}
	return req, true
}

// normal brings what is equal to the API into one form.
func normal(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, value := range v {
			if value == nil || name == "description" && value == "" || name == "is_error" && value == false {
				continue
			}
			if text, ok := value.(string); ok && name == "content" {
				value = []any{map[string]any{"type": "text", "text": text}}
			}
			out[name] = normal(value)
		}
		return out
	case []any:
		for i := range v {
			v[i] = normal(v[i])
		}
	}
	return v
}

// Requests that were recorded on their way to the provider come out as they were, when
// they are read as canonical and encoded again.
func TestRecordedRequestsRoundTrip(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(recordings, "*", "request.json"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var in nativeRequest
		if err := json.Unmarshal(raw, &in); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		req, ok := in.canonical(t)
		if !ok || in.MaxTokens == 0 {
			continue
		}
		n++
		t.Run(filepath.Base(filepath.Dir(f)), func(t *testing.T) {
			t.Parallel()
			enc, m := encode(t, req, Options{})
			var want map[string]json.RawMessage
			if err := json.Unmarshal(raw, &want); err != nil {
				t.Fatal(err)
			}
			if len(enc.Dropped) > 0 || enc.Names != nil {
				t.Errorf("dropped %v, names %v", enc.Dropped, enc.Names)
			}
			for _, name := range []string{"model", "max_tokens", "system", "messages", "tools", "stop_sequences"} {
				var a, b any
				_ = json.Unmarshal(m[name], &a)
				_ = json.Unmarshal(want[name], &b)
				if text, ok := b.(string); ok && name == "system" {
					b = []any{map[string]any{"type": "text", "text": text}}
				}
				if a, b = normal(a), normal(b); !reflect.DeepEqual(a, b) && (name != "tools" || b != nil) {
					t.Errorf("%s is\n%v\nwant\n%v", name, a, b)
				}
			}
		})
	}
	if n < 20 {
		t.Errorf("only %d requests could be read", n)
	}
}
