package anthropic

import (
	"encoding/json"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// Shorthands for canonical requests.

func user(parts ...any) translate.Turn      { return turnOf(translate.RoleUser, parts...) }
func system(parts ...any) translate.Turn    { return turnOf(translate.RoleSystem, parts...) }
func assistant(parts ...any) translate.Turn { return turnOf(translate.RoleAssistant, parts...) }

// turnOf returns a turn; strings are its text parts.
func turnOf(role translate.Role, parts ...any) translate.Turn {
	t := translate.Turn{Role: role}
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			t.Parts = append(t.Parts, translate.Part{Kind: translate.PartText, Text: p})
		case translate.Part:
			t.Parts = append(t.Parts, p)
		}
	}
	return t
}

func call(id, name, args string) translate.Part {
	return translate.Part{Kind: translate.PartToolCall, Call: &translate.ToolCall{ID: id, Name: name, Arguments: args}}
}

func result(id string, parts ...any) translate.Turn {
	m := turnOf(translate.RoleTool, parts...)
	return translate.Turn{Role: translate.RoleTool, Parts: []translate.Part{{Kind: translate.PartToolResult, Result: &translate.ToolResult{CallID: id, Parts: m.Parts}}}}
}

func thought(index int, text, signature string) translate.Part {
	return translate.Part{Kind: translate.PartReasoning, Reasoning: &translate.Reasoning{Index: index, Text: text, Signature: signature, Format: FormatReasoning}}
}

func image(m translate.Media) translate.Part {
	return translate.Part{Kind: translate.PartImage, Media: &m, Path: "messages[0].content[0]"}
}

func file(m translate.Media) translate.Part {
	return translate.Part{Kind: translate.PartFile, Media: &m, Path: "messages[0].content[0]"}
}

func cached(text string) translate.Part {
	return translate.Part{Kind: translate.PartText, Text: text, CacheControl: jsontext.Value(`{"type":"ephemeral"}`)}
}

func function(name, parameters string) translate.Tool {
	return translate.Tool{Kind: translate.ToolFunction, Name: name, Parameters: jsontext.Value(parameters)}
}

// encode encodes a request and returns its members.
func encode(t testing.TB, req *translate.Request, opt Options) (*translate.Encoded, map[string]json.RawMessage) {
	t.Helper()
	enc, err := EncodeRequest(req, opt)
	if err != nil {
		t.Fatalf("the request was refused: %+v", err)
	}
	var m map[string]json.RawMessage
	if e := json.Unmarshal(enc.Body, &m); e != nil {
		t.Fatalf("the request is not JSON: %v: %s", e, enc.Body)
	}
	return enc, m
}

// request returns a request for a model with the given turns.
func request(model string, turns ...translate.Turn) *translate.Request {
	return &translate.Request{Model: model, Turns: turns}
}

func header(enc *translate.Encoded, name string) string {
	for _, h := range enc.Header {
		if h[0] == name {
			return h[1]
		}
	}
	return ""
}
