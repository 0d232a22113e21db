package openai

import "testing"

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
