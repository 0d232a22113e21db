package openai

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

var finishReasons = []string{"stop", "length", "tool_calls", "content_filter", "function_call"}

// readClientStream reads a stream as a strict client does, and fails the test for
// whatever OpenAI would not send.
func readClientStream(t *testing.T, stream string, includeUsage bool) *seen {
	t.Helper()
	s := &seen{Choices: map[int]*seenChoice{}}
	for stream != "" {
		if rest, ok := strings.CutPrefix(stream, ": keep-alive\n"); ok {
			stream = rest
			s.KeepAlives++
			continue
		}
		event, rest, ok := strings.Cut(stream, "\n\n")
		if !ok {
			t.Fatalf("event without an end: %q", stream)
		}
		stream = rest
		data, ok := strings.CutPrefix(event, "data: ")
		if !ok {
			t.Fatalf("not a data line: %q", event)
		}
		if s.Done || s.Error != nil {
			t.Fatalf("an event after the end: %q", event)
		}
		if data == "[DONE]" {
			s.Done = true
			continue
		}
		s.takeChunk(t, decodeJSON(t, data), includeUsage)
	}
	if s.Done == (s.Error != nil) {
		t.Fatalf("done %v with error %v: exactly one must end the stream", s.Done, s.Error)
	}
	if s.Done {
		for i, c := range s.Choices {
			if c.Finish == "" {
				t.Errorf("choice %d has no finish reason", i)
			}
			checkTools(t, i, c)
		}
		if len(s.Choices) == 0 {
			t.Error("a good end without a choice")
		}
	}
	return s
}

func (s *seen) takeChunk(t *testing.T, chunk map[string]any, includeUsage bool) {
	t.Helper()
	if e, ok := chunk["error"]; ok {
		s.Error = checkEnvelope(t, e)
		if len(chunk) != 1 {
			t.Errorf("an error event with other members: %v", chunk)
		}
		return
	}
	s.checkTop(t, chunk, "chat.completion.chunk")
	s.Chunks = append(s.Chunks, chunk)
	usage, hasUsage := chunk["usage"]
	if hasUsage != includeUsage {
		t.Errorf("usage in a chunk: %v, asked for: %v", hasUsage, includeUsage)
	}
	choices := chunk["choices"].([]any)
	if s.Usage != nil {
		t.Errorf("a chunk behind the usage chunk: %v", chunk)
	}
	if usage != nil {
		s.Usage = checkUsage(t, usage)
		if len(choices) != 0 {
			t.Error("the usage chunk has choices")
		}
		return
	}
	if len(choices) != 1 {
		t.Fatalf("%d choices in a chunk", len(choices))
	}
	s.takeChoice(t, choices[0].(map[string]any))
}

// checkTop checks and takes what stands at the top of chunks and bodies.
func (s *seen) checkTop(t *testing.T, top map[string]any, object string) {
	t.Helper()
	id, _ := top["id"].(string)
	model, _ := top["model"].(string)
	created, _ := top["created"].(float64)
	tier, _ := top["service_tier"].(string)
	fingerprint, _ := top["system_fingerprint"].(string)
	if top["object"] != object {
		t.Errorf("object is %v", top["object"])
	}
	if id == "" || model == "" || created <= 0 {
		t.Errorf("id %q, model %q, created %v", id, model, created)
	}
	if _, ok := top["service_tier"]; ok && !slices.Contains([]string{"auto", "default", "flex", "scale", "priority", "fast"}, tier) {
		t.Errorf("service_tier is %v", top["service_tier"])
	}
	if s.ID != "" && (s.ID != id || s.Model != model || s.Created != created) {
		t.Errorf("id, model or created change: %q %q %v, now %q %q %v", s.ID, s.Model, s.Created, id, model, created)
	}
	s.ID, s.Model, s.Created, s.Fingerprint = id, model, created, fingerprint
	if tier != "" {
		s.Tier = tier
	}
	for name := range top {
		switch name {
		case "id", "object", "created", "model", "choices", "usage", "service_tier", "system_fingerprint":
		default:
			t.Errorf("unknown member %q at the top", name)
		}
	}
}

func (s *seen) takeChoice(t *testing.T, choice map[string]any) {
	t.Helper()
	index := int(choice["index"].(float64))
	delta := choice["delta"].(map[string]any)
	c := s.Choices[index]
	role, hasRole := delta["role"]
	if c == nil {
		c = &seenChoice{}
		s.Choices[index] = c
		if role != "assistant" || len(delta) != 2 {
			t.Errorf("first delta of choice %d: %v", index, delta)
		}
		content, ok := delta["content"]
		if !ok || content != nil && content != "" {
			t.Errorf("content of the first delta of choice %d: %v", index, content)
		}
		c.NullContent = content == nil
		delete(delta, "content")
	} else if hasRole {
		t.Errorf("role in a later delta: %v", delta)
	}
	if c.Finish != "" {
		t.Errorf("choice %d goes on after its finish reason: %v", index, choice)
	}
	switch finish := choice["finish_reason"].(type) {
	case nil:
		if len(delta) == 0 && choice["logprobs"] == nil {
			t.Errorf("a chunk that says nothing: %v", choice)
		}
	case string:
		c.Finish = finish
		if !slices.Contains(finishReasons, finish) || len(delta) != 0 {
			t.Errorf("finish reason %q with delta %v", finish, delta)
		}
	default:
		t.Errorf("finish_reason is %v", finish)
	}
	if _, ok := choice["finish_reason"]; !ok {
		t.Error("no finish_reason")
	}
	c.takeLogprobs(t, choice)
	c.takeDelta(t, delta)
}

func (c *seenChoice) takeLogprobs(t *testing.T, choice map[string]any) {
	t.Helper()
	logprobs, ok := choice["logprobs"]
	if !ok {
		t.Error("no logprobs")
	}
	if l, ok := logprobs.(map[string]any); ok {
		content, _ := l["content"].([]any)
		refusal, _ := l["refusal"].([]any)
		c.Logprobs, c.RefusalLogprobs = append(c.Logprobs, content...), append(c.RefusalLogprobs, refusal...)
		if _, ok := l["refusal"]; !ok || len(content)+len(refusal) == 0 {
			t.Errorf("logprobs: %v", l)
		}
	}
}

func (c *seenChoice) takeDelta(t *testing.T, delta map[string]any) {
	t.Helper()
	for name, v := range delta {
		switch name {
		case "role":
		case "content":
			c.Content += nonEmptyText(t, name, v)
		case "reasoning_content":
			c.Reasoning += nonEmptyText(t, name, v)
		case "refusal":
			c.Refusal += nonEmptyText(t, name, v)
		case "tool_calls":
			for _, call := range v.([]any) {
				c.takeTool(t, call.(map[string]any))
			}
		case "function_call":
			c.takeFunction(t, v.(map[string]any))
		case "reasoning_details":
			c.Details = append(c.Details, nonEmptyList(t, name, v)...)
		case "annotations":
			c.Annotations = append(c.Annotations, nonEmptyList(t, name, v)...)
		case "images":
			c.Images = append(c.Images, nonEmptyList(t, name, v)...)
		case "audio":
			c.Audio = v.(map[string]any)
		case "provider_specific_fields":
			if c.Vendor == nil {
				c.Vendor = map[string]any{}
			}
			maps.Copy(c.Vendor, v.(map[string]any))
		default:
			t.Errorf("unknown member %q in a delta", name)
		}
	}
}

func nonEmptyText(t *testing.T, name string, v any) string {
	t.Helper()
	s, ok := v.(string)
	if !ok || s == "" {
		t.Errorf("%s is %v", name, v)
	}
	return s
}

func nonEmptyList(t *testing.T, name string, v any) []any {
	t.Helper()
	l, ok := v.([]any)
	if !ok || len(l) == 0 {
		t.Errorf("%s is %v", name, v)
	}
	return l
}

func (c *seenChoice) takeTool(t *testing.T, call map[string]any) {
	t.Helper()
	index, ok := call["index"].(float64)
	if !ok || int(index) > len(c.Tools) {
		t.Fatalf("tool index %v after %d calls", call["index"], len(c.Tools))
	}
	member, text := "function", "arguments"
	if _, ok := call["custom"]; ok {
		member, text = "custom", "input"
	}
	function, _ := call[member].(map[string]any)
	args, ok := function[text].(string)
	if !ok {
		t.Errorf("no arguments in %v", call)
	}
	if int(index) == len(c.Tools) {
		tool := seenTool{}
		tool.ID, _ = call["id"].(string)
		tool.Type, _ = call["type"].(string)
		tool.Name, _ = function["name"].(string)
		if tool.ID == "" || tool.Type != member || tool.Name == "" || args != "" {
			t.Errorf("start of a call: %v", call)
		}
		c.Tools = append(c.Tools, tool)
	} else if call["id"] != nil || call["type"] != nil || function["name"] != nil {
		t.Errorf("id, type or name again: %v", call)
	}
	tool := &c.Tools[int(index)]
	tool.Args += args
	if extra, ok := call["extra_content"].(map[string]any); ok {
		tool.Signature, _ = extra["google"].(map[string]any)["thought_signature"].(string)
	}
}

func (c *seenChoice) takeFunction(t *testing.T, call map[string]any) {
	t.Helper()
	name, hasName := call["name"].(string)
	args, _ := call["arguments"].(string)
	if hasName != (c.Function == nil) || hasName && (name == "" || args != "") {
		t.Errorf("function_call: %v", call)
	}
	if c.Function == nil {
		c.Function = &seenTool{Name: name}
	}
	c.Function.Args += args
}
