package openai

import (
	"encoding/json"
	"fmt"
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
			for k, v := range v.(map[string]any) {
				c.Vendor[k] = v
			}
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

// checkTools checks what holds for the calls of a complete answer.
func checkTools(t *testing.T, index int, c *seenChoice) {
	t.Helper()
	ids := map[string]bool{}
	for i, tool := range c.Tools {
		if ids[tool.ID] {
			t.Errorf("choice %d: id %q twice", index, tool.ID)
		}
		ids[tool.ID] = true
		if tool.Type == "function" && tool.Args == "" {
			t.Errorf("choice %d: call %d has no arguments", index, i)
		}
	}
	switch c.Finish {
	case "tool_calls":
		if len(c.Tools) == 0 {
			t.Errorf("choice %d ends with tool_calls and has none", index)
		}
	case "function_call":
		if c.Function == nil {
			t.Errorf("choice %d ends with function_call and has none", index)
		}
	case "stop":
		if len(c.Tools) > 0 || c.Function != nil {
			t.Errorf("choice %d ends with stop and has calls", index)
		}
	}
}

func checkUsage(t *testing.T, v any) map[string]any {
	t.Helper()
	u, ok := v.(map[string]any)
	if !ok {
		t.Fatalf("usage is %v", v)
	}
	for _, name := range []string{"prompt_tokens", "completion_tokens", "total_tokens"} {
		if _, ok := u[name].(float64); !ok {
			t.Errorf("usage.%s is %v", name, u[name])
		}
	}
	if u["total_tokens"] != u["prompt_tokens"].(float64)+u["completion_tokens"].(float64) {
		t.Errorf("total is no sum: %v", u)
	}
	for _, name := range []string{"prompt_tokens_details", "completion_tokens_details"} {
		if _, ok := u[name].(map[string]any); !ok {
			t.Errorf("usage.%s is %v", name, u[name])
		}
	}
	return u
}

func checkEnvelope(t *testing.T, v any) map[string]any {
	t.Helper()
	e, ok := v.(map[string]any)
	if !ok || len(e) != 4 {
		t.Fatalf("error is %v", v)
	}
	for _, name := range []string{"message", "type"} {
		if s, _ := e[name].(string); s == "" {
			t.Errorf("error.%s is %v", name, e[name])
		}
	}
	for _, name := range []string{"param", "code"} {
		v, ok := e[name]
		if _, isText := v.(string); !ok || v != nil && !isText {
			t.Errorf("error.%s is %v", name, v)
		}
	}
	return e
}

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
