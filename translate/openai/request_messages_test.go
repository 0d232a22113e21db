package openai

import (
	"reflect"
	"strings"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// conversation returns a request with these messages.
func conversation(messages string) string { return `{"model":"m","messages":[` + messages + `]}` }

// turnsOf decodes messages and checks the paths, which are then left out.
func turnsOf(t *testing.T, messages string) []translate.Turn {
	t.Helper()
	r := decoded(t, conversation(messages))
	for i := range r.Turns {
		if !strings.HasPrefix(r.Turns[i].Path, "messages[") {
			t.Errorf("turn %d has path %q", i, r.Turns[i].Path)
		}
		r.Turns[i].Path = ""
		clearPaths(t, r.Turns[i].Parts)
	}
	return r.Turns
}

func clearPaths(t *testing.T, parts []translate.Part) {
	t.Helper()
	for i := range parts {
		if !strings.HasPrefix(parts[i].Path, "messages[") {
			t.Errorf("part %+v has path %q", parts[i], parts[i].Path)
		}
		parts[i].Path = ""
		if parts[i].Result != nil {
			clearPaths(t, parts[i].Result.Parts)
		}
	}
}

func text(s string) translate.Part { return translate.Part{Kind: translate.PartText, Text: s} }

func thought(r translate.Reasoning) translate.Part {
	return translate.Part{Kind: translate.PartReasoning, Reasoning: &r}
}

func called(c translate.ToolCall) translate.Part {
	return translate.Part{Kind: translate.PartToolCall, Call: &c}
}

func result(r translate.ToolResult) translate.Part {
	return translate.Part{Kind: translate.PartToolResult, Result: &r}
}

func TestDecodeReadsTurns(t *testing.T) {
	t.Parallel()
	const google = "google-gemini-v1"
	for name, tc := range map[string]struct {
		message string
		want    translate.Turn
	}{
		"system":    {`{"role":"system","content":"a\né"}`, translate.Turn{Role: translate.RoleSystem, Parts: []translate.Part{text("a\né")}}},
		"developer": {`{"content":[{"type":"text","text":"a"},{"text":"","type":"text"}],"name":"n","role":"developer"}`, translate.Turn{Role: translate.RoleSystem, Developer: true, Name: "n", Parts: []translate.Part{text("a"), text("")}}},
		"user":      {`{"role":"user","content":""}`, translate.Turn{Role: translate.RoleUser, Parts: []translate.Part{text("")}}},
		"no parts":  {`{"role":"user","content":[]}`, translate.Turn{Role: translate.RoleUser, Parts: []translate.Part{}}},
		"assistant": {`{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"refusal","refusal":"b"}],"refusal":null,"tool_calls":null,"audio":null}`, translate.Turn{
			Role: translate.RoleAssistant, Parts: []translate.Part{text("a"), {Kind: translate.PartRefusal, Text: "b"}},
		}},
		"refusal": {`{"role":"assistant","content":null,"refusal":"no"}`, translate.Turn{Role: translate.RoleAssistant, Parts: []translate.Part{{Kind: translate.PartRefusal, Text: "no"}}}},
		"audio":   {`{"role":"assistant","audio":{"id":"a1"}}`, translate.Turn{Role: translate.RoleAssistant, Parts: []translate.Part{{Kind: translate.PartAudio, Media: &translate.Media{FileID: "a1"}}}}},
		"E-050 calls": {`{"role":"assistant","content":null,"tool_calls":[
			{"id":"1","type":"function","function":{"name":"f","arguments":"{\"a\":"}},{"id":"2","function":{"name":"g","arguments":null}},
			{"id":"3","type":"function","index":1,"function":{"name":"h","arguments":{"x": 1}}},{"id":"4","type":"custom","custom":{"name":"c","input":"free"}},
			{"id":"5","type":"function","function":{"name":"i","arguments":""}}]}`, translate.Turn{Role: translate.RoleAssistant, Parts: []translate.Part{
			called(translate.ToolCall{ID: "1", Name: "f", Arguments: `{"a":`}), called(translate.ToolCall{ID: "2", Name: "g"}),
			called(translate.ToolCall{ID: "3", Name: "h", Arguments: `{"x": 1}`}), called(translate.ToolCall{ID: "4", Name: "c", Arguments: "free", Custom: true}),
			called(translate.ToolCall{ID: "5", Name: "i"}),
		}}},
		"text and calls": {`{"role":"assistant","tool_calls":[{"id":"1","function":{"name":"f"}}],"content":"a"}`, translate.Turn{Role: translate.RoleAssistant, Parts: []translate.Part{text("a"), called(translate.ToolCall{ID: "1", Name: "f"})}}},
		"E-079 signatures of calls": {`{"role":"assistant","tool_calls":[
			{"id":"1","function":{"name":"f"},"extra_content":{"google":{"thought_signature":"s1"}}},
			{"id":"2","function":{"name":"f"},"provider_specific_fields":{"thought_signature":"s2"}},
			{"id":"3","function":{"name":"f","provider_specific_fields":{"thought_signature":"s3"}}},
			{"id":"4","function":{"name":"f"},"extra_content":null,"provider_specific_fields":{"thought_signature":null}}]}`, translate.Turn{Role: translate.RoleAssistant, Parts: []translate.Part{
			called(translate.ToolCall{ID: "1", Name: "f", Signature: "s1", Format: google}), called(translate.ToolCall{ID: "2", Name: "f", Signature: "s2", Format: google}),
			called(translate.ToolCall{ID: "3", Name: "f", Signature: "s3", Format: google}), called(translate.ToolCall{ID: "4", Name: "f"}),
		}}},
		"tool":                      {`{"role":"tool","tool_call_id":"1","content":"r"}`, translate.Turn{Role: translate.RoleTool, Parts: []translate.Part{result(translate.ToolResult{CallID: "1", Parts: []translate.Part{text("r")}})}}},
		"tool with error":           {`{"role":"tool","tool_call_id":"1","is_error":true,"name":"f","content":[]}`, translate.Turn{Role: translate.RoleTool, Name: "f", Parts: []translate.Part{result(translate.ToolResult{CallID: "1", Name: "f", IsError: true, Parts: []translate.Part{}})}}},
		"tool in status":            {`{"role":"tool","tool_call_id":"1","status":"error","content":"x"}`, translate.Turn{Role: translate.RoleTool, Parts: []translate.Part{result(translate.ToolResult{CallID: "1", IsError: true, Parts: []translate.Part{text("x")}})}}},
		"tool with image":           {`{"role":"tool","tool_call_id":"1","content":[{"type":"image_url","image_url":{"url":"https://a/b.png"}}]}`, translate.Turn{Role: translate.RoleTool, Parts: []translate.Part{result(translate.ToolResult{CallID: "1", Parts: []translate.Part{{Kind: translate.PartImage, Media: &translate.Media{URL: "https://a/b.png"}}}})}}},
		"reasoning text":            {`{"role":"assistant","content":"a","reasoning_content":"why"}`, translate.Turn{Role: translate.RoleAssistant, Parts: []translate.Part{thought(translate.Reasoning{Text: "why"}), text("a")}}},
		"reasoning by another name": {`{"role":"assistant","content":"a","reasoning":"why","reasoning_content":null}`, translate.Turn{Role: translate.RoleAssistant, Parts: []translate.Part{thought(translate.Reasoning{Text: "why"}), text("a")}}},
		"reasoning alone":           {`{"role":"assistant","reasoning_content":"why"}`, translate.Turn{Role: translate.RoleAssistant, Parts: []translate.Part{thought(translate.Reasoning{Text: "why"})}}},
		"reasoning details": {`{"role":"assistant","content":"a","reasoning_content":"t1","reasoning_details":[
			{"type":"reasoning.encrypted","data":"d","format":"anthropic-claude-v1","index":1},
			{"type":"reasoning.text","text":"t1","signature":"s","format":"anthropic-claude-v1","index":0,"id":null},
			{"type":"reasoning.summary","summary":"sum","index":2,"id":"rs_1"},{"type":"reasoning.other","index":3}]}`, translate.Turn{Role: translate.RoleAssistant, Parts: []translate.Part{
			thought(translate.Reasoning{Text: "t1", Signature: "s", Format: "anthropic-claude-v1"}), thought(translate.Reasoning{Encrypted: "d", Format: "anthropic-claude-v1", Index: 1}),
			thought(translate.Reasoning{Text: "sum", Index: 2, ID: "rs_1"}), text("a"),
		}}},
		"E-086 reasoning details in fragments": {`{"role":"assistant","content":"a","reasoning_details":[
			{"type":"reasoning.text","text":"t","format":"anthropic-claude-v1","index":0},{"type":"reasoning.text","text":"1","index":0},{"type":"reasoning.text","signature":"s","index":0},
			{"type":"reasoning.text","text":"t2","index":0},{"type":"reasoning.text","text":"t3","index":1}]}`, translate.Turn{Role: translate.RoleAssistant, Parts: []translate.Part{
			thought(translate.Reasoning{Text: "t1", Signature: "s", Format: "anthropic-claude-v1"}), thought(translate.Reasoning{Text: "t2"}), thought(translate.Reasoning{Text: "t3", Index: 1}), text("a"),
		}}},
		"opaque reasoning beside text": {`{"role":"assistant","content":"a","reasoning_content":"why","reasoning_details":[{"type":"reasoning.encrypted","data":"d","format":"google-gemini-v1","id":"call_1","index":0}]}`, translate.Turn{Role: translate.RoleAssistant, Parts: []translate.Part{
			thought(translate.Reasoning{Text: "why"}), thought(translate.Reasoning{Encrypted: "d", Format: google, ID: "call_1"}), text("a"),
		}}},
		"a signature without its text": {`{"role":"assistant","content":"a","reasoning_content":"summary","reasoning_details":[{"type":"reasoning.text","text":"","signature":"s","index":0}]}`, translate.Turn{Role: translate.RoleAssistant, Parts: []translate.Part{
			thought(translate.Reasoning{Signature: "s"}), text("a"),
		}}},
		"E-092 thinking blocks": {`{"role":"assistant","content":"a","thinking_blocks":[{"type":"thinking","thinking":"t","signature":"s"},{"type":"redacted_thinking","data":"d"},{"type":"x"}]}`, translate.Turn{Role: translate.RoleAssistant, Parts: []translate.Part{
			thought(translate.Reasoning{Text: "t", Signature: "s"}), thought(translate.Reasoning{Encrypted: "d", Format: "anthropic-claude-v1", Index: 1}), text("a"),
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := turnsOf(t, tc.message)[0]; !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %s\nwant %s", describe(got), describe(tc.want))
			}
		})
	}
}

func TestDecodePairsLegacyCallsWithTheirResults(t *testing.T) {
	t.Parallel()
	turns := turnsOf(t, `{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"1"},
		{"role":"assistant","function_call":{"name":"f","arguments":"{}"}},{"role":"assistant","function_call":{"name":"g","arguments":"{}"}},
		{"role":"function","name":"g","content":null},{"role":"function","name":"f","content":"2"},{"role":"function","name":"f","content":"3"}`)
	id := func(i int) string {
		if c := turns[i].Parts[0].Call; c != nil {
			return c.ID
		}
		return turns[i].Parts[0].Result.CallID
	}
	if id(0) != id(1) || id(2) != id(5) || id(3) != id(4) || id(0) == id(2) || id(6) == id(5) || id(6) == id(0) {
		t.Errorf("got ids %q %q %q %q %q %q %q", id(0), id(1), id(2), id(3), id(4), id(5), id(6))
	}
	if r := turns[5].Parts[0].Result; r.Name != "f" || r.Parts[0].Text != "2" || turns[4].Parts[0].Result.Parts != nil {
		t.Errorf("got %+v", r)
	}
}

func TestDecodeReadsCacheBreakpoints_E104(t *testing.T) {
	t.Parallel()
	const plainMark = `{"type":"ephemeral"}`
	for _, tc := range []struct {
		message string
		want    []string // of the parts
	}{
		{`{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral", "ttl":"1h"}},{"type":"text","text":"b","cache_control":null}]}`, []string{`{"type":"ephemeral", "ttl":"1h"}`, ""}},
		{`{"role":"user","content":[{"type":"text","text":"a","prompt_cache_breakpoint":{"mode":"explicit"}},{"type":"text","text":"b","prompt_cache_breakpoint":{"ttl":"30m"}},{"type":"text","text":"c","prompt_cache_breakpoint":{"ttl":"12h"}}]}`,
			[]string{plainMark, `{"type":"ephemeral","ttl":"5m"}`, `{"type":"ephemeral","ttl":"1h"}`}},
		{`{"role":"user","content":[{"type":"text","text":"a","prompt_cache_breakpoint":{},"cache_control":{"x":1}}]}`, []string{`{"x":1}`}},
		{`{"role":"system","content":"a","cache_control":{"type":"ephemeral"}}`, []string{plainMark}},
		{`{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":""}],"cache_control":{"type":"ephemeral"}}`, []string{plainMark, ""}},
		{`{"role":"user","content":[{"type":"text","text":"a","cache_control":{"y":1}}],"cache_control":{"type":"ephemeral"}}`, []string{`{"y":1}`}},
		{`{"role":"tool","tool_call_id":"1","content":"a","cache_control":{"type":"ephemeral"}}`, []string{plainMark}},
		{`{"role":"assistant","reasoning_content":"r","content":"a","tool_calls":[{"id":"1","function":{"name":"f"}}],"cache_control":{"type":"ephemeral"}}`, []string{"", "", plainMark}},
		{`{"role":"assistant","content":"","tool_calls":[{"id":"1","function":{"name":"f"},"cache_control":{"type":"ephemeral"}}]}`, []string{"", plainMark}},
	} {
		parts := turnsOf(t, tc.message)[0].Parts
		if len(parts) != len(tc.want) {
			t.Errorf("%s: got %d parts", tc.message, len(parts))
			continue
		}
		for i, want := range tc.want {
			if got := string(parts[i].CacheControl); got != want {
				t.Errorf("%s: part %d has %s, want %s", tc.message, i, got, want)
			}
		}
	}
}

func TestDecodeKeepsThePathsOfTheClient(t *testing.T) {
	t.Parallel()
	r := decoded(t, conversation(`{"role":"system","content":"a"},{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
		{"role":"assistant","content":null,"reasoning_details":[{"type":"reasoning.text","text":"x"}],"tool_calls":[{"id":"1","function":{"name":"f"}}]},
		{"role":"tool","tool_call_id":"1","content":[{"type":"text","text":"a"}]}`))
	for _, tc := range []struct{ got, want string }{
		{r.Turns[0].Path, "messages[0]"}, {r.Turns[0].Parts[0].Path, "messages[0].content"}, {r.Turns[1].Parts[1].Path, "messages[1].content[1]"},
		{r.Turns[2].Parts[0].Path, "messages[2].reasoning_details[0]"}, {r.Turns[2].Parts[1].Path, "messages[2].tool_calls[0]"},
		{r.Turns[3].Parts[0].Path, "messages[3]"}, {r.Turns[3].Parts[0].Result.Parts[0].Path, "messages[3].content[0]"},
	} {
		if tc.got != tc.want {
			t.Errorf("got path %q, want %q", tc.got, tc.want)
		}
	}
}

func TestDecodeNamesMistakesInMessages(t *testing.T) {
	t.Parallel()
	const first = `{"role":"user","content":"hi"},`
	for _, tc := range []struct{ message, code, param, message2 string }{
		{`5`, "invalid_type", "messages[1]", "Invalid type for 'messages[1]': expected an object, but got an integer instead."},
		{`null`, "invalid_type", "messages[1]", "but got null"},
		{`{}`, "missing_required_parameter", "messages[1].role", "Missing required parameter: 'messages[1].role'."},
		{`{"role":null,"content":""}`, "invalid_type", "messages[1].role", ""},
		{`{"role":"boss","content":""}`, "invalid_value", "messages[1].role", "Invalid value: 'boss'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'."},
		{`{"role":"user"}`, "missing_required_parameter", "messages[1].content", ""},
		{`{"role":"user","content":null}`, "invalid_type", "messages[1].content", "expected one of a string or array of objects, but got null instead"},
		{`{"role":"user","content":{}}`, "invalid_type", "messages[1].content", "but got an object"},
		{`{"role":"user","content":"","name":5}`, "invalid_type", "messages[1].name", ""},
		{`{"role":"assistant"}`, "missing_required_parameter", "messages[1].content", ""},
		{`{"role":"assistant","content":null}`, "invalid_type", "messages[1].content", ""},
		{`{"role":"assistant","content":"","refusal":[]}`, "invalid_type", "messages[1].refusal", ""},
		{`{"role":"assistant","audio":{}}`, "missing_required_parameter", "messages[1].audio.id", ""},
		{`{"role":"assistant","tool_calls":{}}`, "invalid_type", "messages[1].tool_calls", "expected an array of objects"},
		{`{"role":"assistant","tool_calls":["x"]}`, "invalid_type", "messages[1].tool_calls[0]", ""},
		{`{"role":"assistant","tool_calls":[{"id":"1","type":"function"}]}`, "missing_required_parameter", "messages[1].tool_calls[0].function", ""},
		{`{"role":"assistant","tool_calls":[{"id":"1","type":"custom","function":{"name":"f"}}]}`, "missing_required_parameter", "messages[1].tool_calls[0].custom", ""},
		{`{"role":"assistant","tool_calls":[{"id":"1","type":"x","function":{"name":"f"}}]}`, "invalid_value", "messages[1].tool_calls[0].type", "'function' and 'custom'"},
		{`{"role":"assistant","tool_calls":[{"function":{"name":"f"}}]}`, "missing_required_parameter", "messages[1].tool_calls[0].id", ""},
		{`{"role":"assistant","tool_calls":[{"id":"","function":{"name":"f"}}]}`, "invalid_value", "messages[1].tool_calls[0].id", "empty string"},
		{`{"role":"assistant","tool_calls":[{"id":"1","function":{}}]}`, "missing_required_parameter", "messages[1].tool_calls[0].function.name", ""},
		{`{"role":"assistant","tool_calls":[{"id":"1","function":{"name":"f","arguments":[1]}}]}`, "invalid_type", "messages[1].tool_calls[0].function.arguments", "expected a string"},
		{`{"role":"assistant","function_call":{"arguments":""}}`, "missing_required_parameter", "messages[1].function_call.name", ""},
		{`{"role":"assistant","content":"","reasoning_content":{}}`, "invalid_type", "messages[1].reasoning_content", ""},
		{`{"role":"assistant","content":"","reasoning_details":{}}`, "invalid_type", "messages[1].reasoning_details", ""},
		{`{"role":"assistant","content":"","reasoning_details":[{"type":"reasoning.text","text":5}]}`, "invalid_type", "messages[1].reasoning_details[0].text", ""},
		{`{"role":"assistant","content":"","thinking_blocks":[5]}`, "invalid_type", "messages[1].thinking_blocks[0]", ""},
		{`{"role":"tool","content":"x"}`, "missing_required_parameter", "messages[1].tool_call_id", ""},
		{`{"role":"tool","tool_call_id":"1"}`, "missing_required_parameter", "messages[1].content", ""},
		{`{"role":"tool","tool_call_id":"1","content":"x","is_error":"yes"}`, "invalid_type", "messages[1].is_error", ""},
		{`{"role":"function","content":"x"}`, "missing_required_parameter", "messages[1].name", ""},
		{`{"role":"user","content":["x"]}`, "invalid_type", "messages[1].content[0]", ""},
		{`{"role":"user","content":[{"text":"x"}]}`, "missing_required_parameter", "messages[1].content[0].type", ""},
		{`{"role":"user","content":[{"type":"text","text":"x"},{"type":"thinking","text":"x"}]}`, "invalid_value", "messages[1].content[1].type", "Invalid value: 'thinking'. Supported values are: 'text', 'image_url', 'input_audio', 'file', and 'video_url'."},
		{`{"role":"system","content":[{"type":"image_url","image_url":{"url":"https://a/b"}}]}`, "invalid_value", "messages[1].content[0].type", "Supported values are: 'text'."},
		{`{"role":"user","content":[{"type":"refusal","refusal":"x"}]}`, "invalid_value", "messages[1].content[0].type", ""},
		{`{"role":"user","content":[{"type":"text"}]}`, "missing_required_parameter", "messages[1].content[0].text", ""},
		{`{"role":"user","content":[{"type":"text","text":null}]}`, "invalid_type", "messages[1].content[0].text", ""},
		{`{"role":"user","content":[{"type":"text","text":"a","cache_control":"x"}]}`, "invalid_type", "messages[1].content[0].cache_control", ""},
		{`{"role":"user","content":[{"type":"text","text":"a","prompt_cache_breakpoint":{"ttl":"1y"}}]}`, "invalid_value", "messages[1].content[0].prompt_cache_breakpoint.ttl", "'30m' and '12h'"},
		{`{"role":"user","content":"x","content":"y"}`, "invalid_json", "messages[1].content", "given twice"},
	} {
		mistake(t, conversation(first+tc.message), tc.code, tc.param, tc.message2)
	}
}
