package openai

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
)

// readClientBody reads a body as a strict client does.
func readClientBody(t *testing.T, body []byte) *seen {
	t.Helper()
	var top map[string]any
	if err := json.Unmarshal(body, &top); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, body)
	}
	s := &seen{Choices: map[int]*seenChoice{}}
	if e, ok := top["error"]; ok {
		s.Error = checkEnvelope(t, e)
		return s
	}
	s.checkTop(t, top, "chat.completion")
	if u, ok := top["usage"]; ok {
		s.Usage = checkUsage(t, u)
	}
	last := -1
	for _, v := range top["choices"].([]any) {
		choice := v.(map[string]any)
		index := int(choice["index"].(float64))
		if index <= last {
			t.Errorf("choice %d after %d", index, last)
		}
		last = index
		c := &seenChoice{}
		s.Choices[index] = c
		c.takeLogprobs(t, choice)
		c.Finish, _ = choice["finish_reason"].(string)
		if !slices.Contains(finishReasons, c.Finish) {
			t.Errorf("finish_reason is %v", choice["finish_reason"])
		}
		c.takeMessage(t, choice["message"].(map[string]any))
		checkTools(t, index, c)
	}
	if last < 0 {
		t.Error("a good body without choices")
	}
	s.Done = true
	return s
}

func (c *seenChoice) takeMessage(t *testing.T, m map[string]any) {
	t.Helper()
	content, hasContent := m["content"]
	refusal, hasRefusal := m["refusal"]
	if m["role"] != "assistant" || !hasContent || !hasRefusal {
		t.Errorf("message without role, content or refusal: %v", m)
	}
	c.NullContent = content == nil
	c.Content, _ = content.(string)
	c.Refusal, _ = refusal.(string)
	if refusal == "" {
		t.Error("refusal is empty and not null")
	}
	if calls, ok := m["tool_calls"]; ok {
		for i, v := range nonEmptyList(t, "tool_calls", calls) {
			call := v.(map[string]any)
			tool := seenTool{ID: fmt.Sprint(call["id"]), Type: fmt.Sprint(call["type"])}
			args := "arguments"
			if tool.Type == "custom" {
				args = "input"
			}
			function, ok := call[tool.Type].(map[string]any)
			if !ok {
				t.Fatalf("call %d: %v", i, call)
			}
			tool.Name, tool.Args = function["name"].(string), function[args].(string)
			if extra, ok := call["extra_content"].(map[string]any); ok {
				tool.Signature, _ = extra["google"].(map[string]any)["thought_signature"].(string)
			}
			c.Tools = append(c.Tools, tool)
		}
		delete(m, "tool_calls")
	}
	if f, ok := m["function_call"].(map[string]any); ok {
		c.Function = &seenTool{Name: f["name"].(string), Args: f["arguments"].(string)}
		delete(m, "function_call")
	}
	delete(m, "content")
	delete(m, "refusal")
	c.takeDelta(t, m)
}
