package anthropic

import (
	"strings"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

func TestE019E108BodyMapsEveryBlock(t *testing.T) {
	t.Parallel()
	v := decodeBody(t, plain, ": keep-alive\n\n \n"+`{
	  "type": "message", "id": "msg_9", "model": "claude-opus-5", "role": "assistant",
	  "content": [
	    {"type": "thinking", "thinking": "Hm.\n", "signature": "sig"},
	    {"type": "redacted_thinking", "data": "opaque"},
	    {"type": "text", "text": "One. "},
	    {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "x"}},
	    {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []},
	    {"type": "text", "text": "Two \u00fc.", "citations": [{"type": "web_search_result_location", "url": "https://e.com", "title": "E"}]},
	    {"type": "tool_use", "id": "t1", "name": "f", "input": { "a": [ 1, "b c" ] }},
	    {"type": "tool_use", "id": "t2", "name": "g", "input": {}},
	    {"type": "tool_use", "id": "t3", "name": "h"}
	  ],
	  "stop_reason": "tool_use", "stop_sequence": null,
	  "usage": {"input_tokens": 3, "output_tokens": 4, "service_tier": "priority"}
	}`)
	if v.err != nil || !v.ended {
		t.Fatalf("the answer did not end well: %v", v.err)
	}
	// All text blocks are joined, comments before the JSON are skipped.
	if v.id != "chatcmpl-9" || v.tier != "priority" || v.text != "One. Two ü." || v.reasoning != "Hm.\n" || v.finish != translate.FinishToolCalls {
		t.Errorf("got %+v", v)
	}
	wantDetails := []detailView{{0, FormatReasoning, "Hm.\n", "sig", ""}, {1, FormatReasoning, "", "", "opaque"}}
	for i, w := range wantDetails {
		if len(v.details) != 2 || v.details[i] != w {
			t.Errorf("reasoning details are %+v, want %+v", v.details, wantDetails)
		}
	}
	want := []toolView{{"t1", "f", `{"a":[1,"b c"]}`, 0, false}, {"t2", "g", "{}", 1, false}, {"t3", "h", "{}", 2, false}}
	for i, w := range want {
		if len(v.tools) != 3 || v.tools[i] != w {
			t.Errorf("tools are %+v, want %+v", v.tools, want)
		}
	}
	if len(v.annotations) != 1 || v.annotations[0].Citation.Start != 5 || v.annotations[0].Citation.End != 11 {
		t.Errorf("annotations are %+v", v.annotations)
	}
}

func TestBodyFailures(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body string
		status     int
		msg        string
	}{
		{"an error with status 200", `{"type":"error","error":{"type":"not_found_error","message":"model: x"}}`, 404, "model: x"},
		{"an error without a type", `{"error":{"message":"Broken"}}`, 502, "Broken"},
		{"HTML", "<html><body>502</body></html>", 502, "not valid JSON"},
		{"nothing", "", 502, "not valid JSON"},
		{"comments only", ": a\n: b", 502, "not valid JSON"},
		{"another object", `{"choices":[]}`, 502, "not a message"},
		{"a list", `[]`, 502, "not a message"},
		{"a cut body", `{"type":"message","content":[{"type":"text","te`, 502, "not valid JSON"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := decodeBody(t, plain, tt.body)
			if v.err == nil || v.ended || v.err.Status != tt.status || !strings.Contains(v.err.Message, tt.msg) {
				t.Errorf("error is %+v, want status %d, message with %q", v.err, tt.status, tt.msg)
			}
		})
	}
}

// A body that never came is an error too.
func TestBodyEndWithoutBody(t *testing.T) {
	t.Parallel()
	g, v := guarded(t)
	d := NewDecoder(plain)
	if d.Done() {
		t.Error("done before the beginning")
	}
	d.End(false, g)
	g.End()
	if v.err == nil || !d.Done() {
		t.Error("no error")
	}
}

func TestNamesComeBackAsTheClientWroteThem(t *testing.T) {
	t.Parallel()
	enc := &translate.Encoded{Names: map[string]string{"a_b": "a.b"}}
	v := decodeEvents(t, enc, msgStart(someUsage), blockStart(0, `{"type":"tool_use","id":"t","name":"a_b","input":{}}`), blockStop(0), msgDelta("tool_use"), msgStop)
	if len(v.tools) != 1 || v.tools[0].name != "a.b" {
		t.Errorf("tools are %+v", v.tools)
	}
}
