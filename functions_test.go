package aiproxy

import (
	"fmt"
	"strings"
	"testing"
)

// A client that uses the deprecated "functions" gets a function_call from providers whose
// dialect has none, and the provider gets the history back in its own.
func TestFunctionsOfOldClients(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ provider, path, model, answer, stream, sent string }{
		"anthropic": {
			"anthropic", "/v1", "claude-opus-4-8",
			`{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Hm."},{"type":"tool_use","id":"toolu_1","name":"f","input":{"a":1}},{"type":"tool_use","id":"toolu_2","name":"f","input":{}}],"stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":2}}`,
			`data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":1,"output_tokens":2}}}` + "\n\n" +
				`data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":"Hm."}}` + "\n\n" + `data: {"type":"content_block_stop","index":0}` + "\n\n" +
				`data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_1","name":"f","input":{}}}` + "\n\n" +
				`data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\":1}"}}` + "\n\n" + `data: {"type":"content_block_stop","index":1}` + "\n\n" +
				`data: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":2}}` + "\n\n" + `data: {"type":"message_stop"}` + "\n\n",
			`{"type":"tool_use","id":"function_call_1","name":"f","input":{"a":1}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"function_call_1","content":"sunny"}]`,
		},
		"gemini": {
			"gemini", "/v1beta", "gemini-2.5-pro",
			`{"responseId":"r","candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"Hm."},{"functionCall":{"name":"f","args":{"a":1}}},{"functionCall":{"name":"f","args":{}}}]},"finishReason":"STOP"}]}`,
			`data: {"responseId":"r","candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"Hm."},{"functionCall":{"name":"f","args":{"a":1}}}]},"finishReason":"STOP"}]}` + "\n\n",
			`{"functionCall":{"name":"f","args":{"a":1}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"sunny"}}}]`,
		},
	} {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, stream %t", name, stream), func(t *testing.T) {
				t.Parallel()
				answer := answerJSON(200, c.answer)
				if stream {
					answer = answerSSE(c.stream)
				}
				p := newProvider(t, answer)
				gateway := serve(t, fmt.Sprintf("provider %s {\nbase_url %s%s\n}", c.provider, p.URL, c.path))
				ask := func(more string) reply {
					return chat(t, gateway, fmt.Sprintf(`{"model":%q,"stream":%t,"functions":[{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"integer"}}}}],"messages":[{"role":"user","content":"hi"}%s]}`, c.model, stream, more))
				}
				r := ask("")
				want := `"function_call":{"name":"f","arguments":"{\"a\":1}"}`
				if stream {
					want = `"delta":{"function_call":{"name":"f","arguments":""}}`
				}
				if r.status != 200 || !strings.Contains(r.body, want) || !strings.Contains(r.body, `"finish_reason":"function_call"`) || strings.Contains(r.body, "tool") {
					t.Errorf("got %d %s", r.status, r.body)
				}
				ask(`,{"role":"assistant","content":"Hm.","function_call":{"name":"f","arguments":"{\"a\":1}"}},{"role":"function","name":"f","content":"sunny"}`)
				if sent := string(p.requests()[1].body); !strings.Contains(sent, c.sent) {
					t.Errorf("the provider got %s", sent)
				}
			})
		}
	}
}
