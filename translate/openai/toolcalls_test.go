package openai

import (
	"fmt"
	"strings"
	"testing"
)

func TestToolCalls(t *testing.T) {
	t.Parallel()
	a := seenTool{ID: "a", Type: "function", Name: "f", Args: `{"x":1}`}
	b := seenTool{ID: "b", Type: "function", Name: "g", Args: `{"y":2}`}
	own := func(n int, name, args string) seenTool {
		return seenTool{ID: fmt.Sprint("call_own", n), Type: "function", Name: name, Args: args}
	}
	for _, c := range []struct {
		name   string
		deltas []string
		want   []seenTool
	}{
		{"E-039 text before shifts no index", []string{
			`{"content":"let me see"}`, `{"tool_calls":[{"index":1,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}`,
			`{"tool_calls":[{"index":1,"function":{"arguments":"{\"x\":"}}]}`, `{"tool_calls":[{"index":1,"function":{"arguments":"1}"}}]}`,
		}, []seenTool{a}},
		{"E-039 indices with gaps", []string{
			`{"tool_calls":[{"index":3,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}]}`,
			`{"tool_calls":[{"index":7,"id":"b","function":{"name":"g","arguments":"{\"y\":2}"}}]}`,
		}, []seenTool{a, b}},
		{"E-041 no index: by id", []string{
			`{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"x\""}},{"id":"b","function":{"name":"g","arguments":"{\"y\""}}]}`,
			`{"tool_calls":[{"id":"b","function":{"arguments":":2}"}}]}`, `{"tool_calls":[{"id":"a","function":{"arguments":":1}"}}]}`,
		}, []seenTool{a, b}},
		{"E-041 no index: by position", []string{
			`{"tool_calls":[{"id":"a","function":{"name":"f"}},{"id":"b","function":{"name":"g"}}]}`,
			`{"tool_calls":[{"function":{"arguments":"{\"x\":1}"}},{"function":{"arguments":"{\"y\":2}"}}]}`,
		}, []seenTool{a, b}},
		{"E-041 no index: the last open call", []string{
			`{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"x\":"}}]}`, `{"tool_calls":[{"function":{"arguments":"1}"}}]}`,
			`{"tool_calls":[{"id":"b","function":{"name":"g","arguments":"{\"y\":"}}]}`, `{"tool_calls":[{"function":{"arguments":"2}"}}]}`,
		}, []seenTool{a, b}},
		{"E-041 neither index nor id: whole calls", []string{
			`{"tool_calls":[{"function":{"name":"f","arguments":"{\"x\":1}"}},{"function":{"name":"f","arguments":"{\"x\":1}"}},{"function":{"name":"g","arguments":""}}]}`,
			`{"tool_calls":[{"function":{"name":"g","arguments":"{}"}}]}`,
		}, []seenTool{own(1, "f", `{"x":1}`), own(2, "f", `{"x":1}`), own(3, "g", `{}`)}},
		{"E-042 all calls index 0", []string{
			`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}]}`,
			`{"tool_calls":[{"index":0,"id":"b","function":{"name":"g","arguments":"{\"y\":2}"}}]}`,
		}, []seenTool{a, b}},
		{"E-042 all calls index 0, in one delta", []string{
			`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}},{"index":0,"id":"b","function":{"name":"g","arguments":"{\"y\":2}"}}]}`,
		}, []seenTool{a, b}},
		{"E-043 id in every fragment", []string{
			`{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":"}}]}`,
			`{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"1"}}]}`,
			`{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"arguments":"}"}}]}`,
		}, []seenTool{a}},
		{"E-043 another id in every fragment", []string{
			`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}]}`, `{"tool_calls":[{"index":0,"id":"a2","function":{"arguments":"1}"}}]}`,
		}, []seenTool{a}},
		{"E-043 index grows with every fragment", []string{
			`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}]}`, `{"tool_calls":[{"index":1,"id":"a","function":{"arguments":"1}"}}]}`,
		}, []seenTool{a}},
		{"E-044 empty id and name", []string{
			`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":null}}]}`,
			`{"tool_calls":[{"index":0,"id":"","type":"function","function":{"name":"","arguments":"{\"x\":"}}]}`,
			`{"tool_calls":[{"index":0,"id":null,"function":{"name":null,"arguments":"1}"}}]}`, `{"tool_calls":[{"index":0,"id":"","function":{"arguments":""}}]}`,
		}, []seenTool{a}},
		{"E-044 name in every fragment, without id", []string{
			`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}]}`, `{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"1}"}}]}`,
		}, []seenTool{a}},
		{"E-045 no id", []string{
			`{"tool_calls":[{"index":0,"function":{"name":"f","arguments":""}}]}`, `{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\":1}"}}]}`,
		}, []seenTool{own(1, "f", `{"x":1}`)}},
		{"E-045 id after the name", []string{
			`{"tool_calls":[{"index":0,"function":{"name":"f","arguments":""}}]}`, `{"tool_calls":[{"index":0,"id":"a","function":{"arguments":"{\"x\":1}"}}]}`,
		}, []seenTool{a}},
		{"E-045 name after the arguments", []string{
			`{"tool_calls":[{"index":0,"id":"a","function":{"arguments":"{\"x\":"}}]}`, `{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"1}"}}]}`,
		}, []seenTool{a}},
		{"E-047 new name on the same index", []string{
			`{"tool_calls":[{"index":0,"id":"","function":{"name":"f","arguments":"{\"x\":1}"}}]}`, `{"tool_calls":[{"index":0,"id":"","function":{"name":"g","arguments":"{\"y\":2}"}}]}`,
		}, []seenTool{own(1, "f", `{"x":1}`), own(2, "g", `{"y":2}`)}},
		{"E-047 same name on the same index", []string{
			`{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{\"x\":\"}\"}"}}]}`, `{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{\"x\":2}"}}]}`,
		}, []seenTool{own(1, "f", `{"x":"}"}`), own(2, "f", `{"x":2}`)}},
		{"E-048 arguments that are complete too early", []string{
			`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}`, `{"tool_calls":[{"index":0,"function":{"arguments":" "}}]}`,
		}, []seenTool{{ID: "a", Type: "function", Name: "f", Args: "{} "}}},
		{"E-049 no arguments", []string{
			`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}]}`, `{"tool_calls":[{"index":1,"id":"b","function":{"name":"g"}}]}`,
			`{"tool_calls":[{"index":2,"function":{"name":"h"}}]}`,
		}, []seenTool{{ID: "a", Type: "function", Name: "f", Args: "{}"}, {ID: "b", Type: "function", Name: "g", Args: "{}"}, own(1, "h", "{}")}},
		{"E-052 finish reason stop", []string{`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}]}`, "finish:stop"}, []seenTool{a}},
		{"E-052 finish reason end_turn", []string{`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}]}`, "finish:end_turn"}, []seenTool{a}},
		{"E-052 finish reason empty", []string{`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}]}`, "finish:"}, []seenTool{a}},
		{"arguments as an object", []string{
			`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":{"x": "q\"\\ \n", "l": [1, {}]}}}]}`,
		}, []seenTool{{ID: "a", Type: "function", Name: "f", Args: `{"x":"q\"\\ \n","l":[1,{}]}`}}},
		{"one call that is not in a list", []string{`{"tool_calls":{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}}`}, []seenTool{a}},
		{"interleaved calls", []string{
			`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}},{"index":1,"id":"b","function":{"name":"g","arguments":""}}]}`,
			`{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\""}}]}`, `{"tool_calls":[{"index":1,"function":{"arguments":"{\"y\""}}]}`,
			`{"tool_calls":[{"index":1,"function":{"arguments":":2}"}},{"index":0,"function":{"arguments":":1}"}}]}`,
		}, []seenTool{a, b}},
		{"one id for two calls", []string{
			`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}},{"index":1,"id":"a","function":{"name":"g","arguments":"{\"y\":2}"}}]}`,
		}, []seenTool{a, own(1, "g", `{"y":2}`)}},
		{"custom tool", []string{
			`{"tool_calls":[{"index":0,"id":"a","type":"custom","custom":{"name":"sh","input":""}}]}`, `{"tool_calls":[{"index":0,"custom":{"input":"ls -l"}}]}`,
		}, []seenTool{{ID: "a", Type: "custom", Name: "sh", Args: "ls -l"}}},
		{"Google's signature", []string{
			`{"tool_calls":[{"index":0,"id":"a","extra_content":{"google":{"thought_signature":"c2ln"}},"function":{"name":"f","arguments":"{\"x\":1}"}}]}`,
		}, []seenTool{{ID: "a", Type: "function", Name: "f", Args: `{"x":1}`, Signature: "c2ln"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := viewBoth(t, nil, deltaStream(c.deltas...)).choice()
			if fmt.Sprint(got.Tools) != fmt.Sprint(c.want) || got.Finish != "tool_calls" {
				t.Errorf("finish %q, calls\n%+v, want\n%+v", got.Finish, got.Tools, c.want)
			}
		})
	}
}

func TestToolCallsThatAreNone(t *testing.T) {
	t.Parallel()
	for name, delta := range map[string]string{
		"E-063 empty list":  `{"content":"hi","tool_calls":[]}`,
		"empty element":     `{"content":"hi","tool_calls":[{}]}`,
		"empty members":     `{"content":"hi","tool_calls":[{"index":0,"id":"","type":"function","function":{"name":"","arguments":""}}]}`,
		"an id and no name": `{"content":"hi","tool_calls":[{"index":0,"id":"a","function":{"arguments":""}}]}`,
		"a string":          `{"content":"hi","tool_calls":"none"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// E-053: without a call the reason cannot be tool_calls either.
			for _, finish := range []string{"finish:stop", "finish:tool_calls"} {
				s := viewBoth(t, nil, deltaStream(delta, finish))
				if c := s.choice(); s.Error != nil || len(c.Tools) != 0 || c.Finish != "stop" || c.Content != "hi" {
					t.Errorf("%s: %+v", finish, c)
				}
			}
		})
	}
	if s := viewStream(t, nil, deltaStream(`{"tool_calls":[{"index":0,"id":"a","function":{"arguments":"{}"}}]}`, "finish:tool_calls"), StreamOptions{}); s.Error == nil {
		t.Error("arguments without a name are no error")
	}
}

// E-051: arguments that were cut off stay as they are.
func TestToolCallCutOff_E051(t *testing.T) {
	t.Parallel()
	c := viewBoth(t, nil, deltaStream(`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\": \"half"}}]}`, "finish:length")).choice()
	if c.Finish != "length" || c.Tools[0].Args != `{"x": "half` {
		t.Errorf("finish %q, arguments %q", c.Finish, c.Tools[0].Args)
	}
}

func TestToolCallsInBody(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ calls, want string }{
		"E-042 same index and no ids": {`[{"index":0,"function":{"name":"f","arguments":"{}"}},{"index":0,"function":{"name":"f","arguments":"{}"}}]`, "[{call_own1 function f {} } {call_own2 function f {} }]"},
		"E-046 no type":               {`[{"id":"a","function":{"name":"f","arguments":"{}"}}]`, "[{a function f {} }]"},
		"E-049 no arguments":          {`[{"id":"a","function":{"name":"f"}},{"id":"b","function":{"name":"g","arguments":null}}]`, "[{a function f {} } {b function g {} }]"},
		"an object":                   {`[{"id":"a","function":{"name":"f","arguments":{"x":1}}}]`, `[{a function f {"x":1} }]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := viewBody(t, nil, wholeAnswer(`{"role":"assistant","content":null,"tool_calls":`+c.calls+`}`, `"stop"`)).choice()
			if fmt.Sprint(got.Tools) != c.want || got.Finish != "tool_calls" || !got.NullContent {
				t.Errorf("finish %q, null content %v, calls %v", got.Finish, got.NullContent, got.Tools)
			}
		})
	}
}

func TestFunctionCall(t *testing.T) {
	t.Parallel()
	s := viewBoth(t, nil, deltaStream(`{"role":"assistant","content":null,"function_call":{"name":"f","arguments":""}}`, `{"function_call":{"arguments":"{\"x\""}}`, `{"function_call":{"name":"","arguments":":1}"}}`, "finish:stop"))
	if c := s.choice(); c.Function == nil || c.Function.Name != "f" || c.Function.Args != `{"x":1}` || c.Finish != "function_call" || !c.NullContent {
		t.Errorf("%+v, function %+v", c, c.Function)
	}
}

func TestTooManyToolCalls(t *testing.T) {
	t.Parallel()
	var calls []string
	for i := range maxCalls + 1 {
		calls = append(calls, fmt.Sprintf(`{"index":%d,"id":"c%d","function":{"name":"f","arguments":"{}"}}`, i, i))
	}
	if s := viewStream(t, nil, deltaStream(`{"tool_calls":[`+strings.Join(calls, ",")+`]}`), StreamOptions{}); s.Error == nil {
		t.Error("there is no bound on tool calls")
	}
}
