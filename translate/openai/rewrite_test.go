package openai

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// rewriteCase is a request, what becomes of it, and what the client is told it lost.
type rewriteCase struct {
	quirks  Quirks
	edit    Edit
	body    string
	want    string
	dropped []string
}

func checkRewrites(t *testing.T, cases map[string]rewriteCase) {
	t.Helper()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, dropped, err := Rewrite([]byte("x"), []byte(tc.body), membersOf(t, tc.body), &tc.quirks, tc.edit)
			if err != nil {
				t.Fatal(err)
			}
			if string(out) != "x"+tc.want {
				t.Errorf("\ngot  %s\nwant %s", out[1:], tc.want)
			}
			if !slices.Equal(dropped, tc.dropped) {
				t.Errorf("dropped %q, want %q", dropped, tc.dropped)
			}
			if err := jsonscan.Valid(out[1:], 0); err != nil {
				t.Errorf("%s: %v", out, err)
			}
			if tc.quirks.PassRequest() {
				segs := Splice([]byte(tc.body), membersOf(t, tc.body), tc.edit)
				if spliced := string(segs.AppendTo(nil)); canonical(t, spliced) != canonical(t, tc.want) {
					t.Errorf("Splice makes %s of it", spliced)
				}
			}
			again, _, _ := Rewrite(nil, []byte(tc.body), membersOf(t, tc.body), &tc.quirks, tc.edit)
			if string(again) != tc.want {
				t.Errorf("a second time it is %s", again)
			}
		})
	}
}

func canonical(t *testing.T, s string) string {
	t.Helper()
	v := jsontext.Value(s)
	if err := v.Canonicalize(); err != nil {
		t.Fatal(err)
	}
	return string(v)
}

func TestRewriteParameters(t *testing.T) {
	t.Parallel()
	maxTokens := Quirks{MaxTokens: "max_tokens"}
	checkRewrites(t, map[string]rewriteCase{
		"what no quirk is about keeps its bytes and its place": {
			quirks: Quirks{Drop: []string{"seed"}}, edit: Edit{Model: "b"},
			body:    `{ "z" : [1, 2],"seed":1,"model":"a","messages":[{"role":"user", "content":"\u00e9","x":{ }}],"a":{"b" :null}}`,
			want:    `{"z" : [1, 2],"model":"b","messages":[{"role":"user","content":"\u00e9","x":{ }}],"a":{"b" :null}}`,
			dropped: []string{"seed"},
		},
		"null is no loss": {
			quirks: Quirks{Drop: []string{"seed", "user"}}, body: `{"seed":null,"user":"u","model":"a"}`,
			want: `{"model":"a"}`, dropped: []string{"user"},
		},
		"one of n is no loss": {
			quirks: Quirks{Drop: []string{"n"}}, body: `{"n":1,"model":"a"}`, want: `{"model":"a"}`,
		},
		"rejected parameters that ask for nothing pass": {
			quirks: Quirks{Reject: []string{"logprobs", "tools", "functions", "x", "n"}},
			body:   `{"logprobs":false,"tools":[ ],"functions":null,"x":{},"n":1.0,"model":"a"}`, want: `{"model":"a"}`,
		},
		"renaming": {
			quirks: Quirks{Rename: map[string]string{"seed": "random_seed"}}, body: `{"seed" : 5,"model":"a"}`, want: `{"random_seed":5,"model":"a"}`,
		},
		"the provider's own name goes before a renamed one": {
			quirks: Quirks{Rename: map[string]string{"seed": "random_seed"}}, body: `{"seed":5,"random_seed":6}`,
			want: `{"random_seed":6}`, dropped: []string{"seed"},
		},
		"dropping goes before renaming": {
			quirks: Quirks{Rename: map[string]string{"seed": "random_seed"}, Drop: []string{"seed"}}, body: `{"seed":5,"a":1}`,
			want: `{"a":1}`, dropped: []string{"seed"},
		},
		"max_completion_tokens to max_tokens": {quirks: maxTokens, body: `{"max_completion_tokens":5}`, want: `{"max_tokens":5}`},
		"max_tokens stays":                    {quirks: maxTokens, body: `{"max_tokens":5}`, want: `{"max_tokens":5}`},
		"max_completion_tokens wins":          {quirks: maxTokens, body: `{"max_tokens":9,"max_completion_tokens":5}`, want: `{"max_tokens":5}`, dropped: []string{"max_tokens"}},
		"both the same":                       {quirks: maxTokens, body: `{"max_completion_tokens":5,"max_tokens":5}`, want: `{"max_tokens":5}`},
		"a null does not win":                 {quirks: maxTokens, body: `{"max_completion_tokens":null,"max_tokens":5}`, want: `{"max_tokens":5}`},
		"nulls alone":                         {quirks: maxTokens, body: `{"max_completion_tokens":null,"max_tokens":null}`, want: `{}`},
		"max_tokens to max_completion_tokens": {quirks: Quirks{MaxTokens: "max_completion_tokens"}, body: `{"max_tokens":5}`, want: `{"max_completion_tokens":5}`},
		"both, the other way":                 {quirks: Quirks{MaxTokens: "max_completion_tokens"}, body: `{"max_tokens":9,"max_completion_tokens":5}`, want: `{"max_completion_tokens":5}`, dropped: []string{"max_tokens"}},
		"temperature above":                   {quirks: Quirks{MaxTemperature: 1}, body: `{"temperature":1.4}`, want: `{"temperature":1}`},
		"temperature below":                   {quirks: Quirks{MaxTemperature: 1}, body: `{"temperature":0.70}`, want: `{"temperature":0.70}`},
		"temperature of another type":         {quirks: Quirks{MaxTemperature: 1}, body: `{"temperature":null}`, want: `{"temperature":null}`},
		"nulls at the top": {
			quirks: Quirks{DropNulls: true}, body: `{"a":null,"b":1,"stop":null,"response_format":{"type":"json_schema","json_schema":{"strict":null,"name":"n","schema":{"default":null}}}}`,
			want: `{"b":1,"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"default":null}}}}`,
		},
		"additions": {
			quirks: Quirks{Add: map[string]jsontext.Value{"z": jsontext.Value("1"), "b|c": jsontext.Value(`{"x":[]}`), "a": jsontext.Value("2"), "d|e": jsontext.Value("3")}},
			body:   `{"a":0,"e":null}`, want: `{"a":0,"e":null,"b":{"x":[]},"z":1}`,
		},
		"additions for streams with tools": {
			quirks: Quirks{AddToolStream: map[string]jsontext.Value{"tool_stream": jsontext.Value("true")}},
			body:   `{"stream":true,"tools":[1]}`, want: `{"stream":true,"tools":[1],"tool_stream":true}`,
		},
		"not for streams without tools": {
			quirks: Quirks{AddToolStream: map[string]jsontext.Value{"tool_stream": jsontext.Value("true")}}, body: `{"stream":true}`, want: `{"stream":true}`,
		},
		"json_object where only schemas are known": {
			quirks: Quirks{JSONObject: "json_schema"}, body: `{"response_format":{"type":"json_object"}}`,
			want: `{"response_format":{"type":"json_schema","json_schema":{"name":"json_object","schema":{"type":"object"}}}}`,
		},
	})
}

func TestRewriteStreams(t *testing.T) {
	t.Parallel()
	checkRewrites(t, map[string]rewriteCase{
		"usage is asked for":             {edit: Edit{IncludeUsage: true}, body: `{"stream":true}`, want: `{"stream":true,"stream_options":{"include_usage":true}}`},
		"other options stay":             {edit: Edit{IncludeUsage: true}, body: `{"stream_options":{"a":1,"include_usage":false,"b":2},"stream":true}`, want: `{"stream_options":{"a":1,"b":2,"include_usage":true},"stream":true}`},
		"null options":                   {edit: Edit{IncludeUsage: true}, body: `{"stream_options":null,"stream":true}`, want: `{"stream_options":{"include_usage":true},"stream":true}`},
		"null options among no nulls":    {quirks: Quirks{DropNulls: true}, edit: Edit{IncludeUsage: true}, body: `{"stream_options":null,"stream":true}`, want: `{"stream":true,"stream_options":{"include_usage":true}}`},
		"no stream, no usage":            {edit: Edit{IncludeUsage: true}, body: `{"stream":false}`, want: `{"stream":false}`},
		"usage comes always":             {quirks: Quirks{StreamUsage: "always"}, edit: Edit{IncludeUsage: true}, body: `{"stream":true,"stream_options":{"include_usage":true}}`, want: `{"stream":true}`},
		"options are refused":            {quirks: Quirks{Drop: []string{"stream_options"}}, edit: Edit{IncludeUsage: true}, body: `{"stream":true}`, want: `{"stream":true}`},
		"a stream is turned on":          {edit: Edit{Stream: &yes, IncludeUsage: true}, body: `{"a":1}`, want: `{"a":1,"stream":true,"stream_options":{"include_usage":true}}`},
		"a stream is turned on at null":  {edit: Edit{Stream: &yes}, body: `{"stream":null}`, want: `{"stream":true}`},
		"nulls go and a stream comes":    {quirks: Quirks{DropNulls: true}, edit: Edit{Stream: &yes}, body: `{"stream":null}`, want: `{"stream":true}`},
		"a stream is turned off":         {edit: Edit{Stream: &no, IncludeUsage: true}, body: `{"stream":true,"stream_options":{}}`, want: `{"stream":false}`},
		"a provider with streams alone":  {quirks: Quirks{StreamOnly: true}, edit: Edit{Stream: &no, IncludeUsage: true}, body: `{"stream":false}`, want: `{"stream":true,"stream_options":{"include_usage":true}}`},
		"the model's place can be first": {edit: Edit{Model: "é\""}, body: `{"model":"a","b":1}`, want: `{"model":"é\"","b":1}`},
	})
}

func TestRewriteEffort(t *testing.T) {
	t.Parallel()
	values := map[string]string{"minimal": "low", "xhigh": "max", "none": ""}
	cases := map[string]rewriteCase{}
	for _, tc := range []struct{ mode, body, want, dropped string }{
		{"", `{"reasoning_effort":"low"}`, `{"reasoning_effort":"low"}`, ""},
		{"", `{"reasoning_effort":null}`, `{"reasoning_effort":null}`, ""},
		{"", `{"reasoning_effort":7}`, `{"reasoning_effort":7}`, ""},
		{"drop", `{"reasoning_effort":"low"}`, `{}`, "reasoning_effort"},
		{"drop", `{"reasoning_effort":null}`, `{}`, ""},
		{"thinking", `{"reasoning_effort":"low","a":1}`, `{"thinking":{"type":"enabled"},"reasoning_effort":"low","a":1}`, ""},
		{"thinking", `{"reasoning_effort":"none"}`, `{"thinking":{"type":"disabled"}}`, ""},
		{"thinking", `{"reasoning_effort":"low","thinking":{"type":"auto"}}`, `{"reasoning_effort":"low","thinking":{"type":"auto"}}`, ""},
		{"thinking_only", `{"reasoning_effort":"high"}`, `{"thinking":{"type":"enabled"}}`, ""},
		{"thinking_only", `{"reasoning_effort":"none"}`, `{"thinking":{"type":"disabled"}}`, ""},
		{"enable_thinking", `{"reasoning_effort":"high"}`, `{"enable_thinking":true}`, ""},
		{"enable_thinking", `{"reasoning_effort":"none"}`, `{"enable_thinking":false}`, ""},
		{"enable_thinking", `{"reasoning_effort":"none","enable_thinking":true}`, `{"enable_thinking":true}`, ""},
		{"none_high", `{"reasoning_effort":"minimal"}`, `{"reasoning_effort":"none"}`, ""},
		{"none_high", `{"reasoning_effort":"low"}`, `{"reasoning_effort":"high"}`, ""},
		{"values", `{"reasoning_effort":"minimal"}`, `{"reasoning_effort":"low"}`, ""},
		{"values", `{"reasoning_effort":"xhigh"}`, `{"reasoning_effort":"max"}`, ""},
		{"values", `{"reasoning_effort":"none"}`, `{}`, "reasoning_effort"},
		{"values thinking", `{"reasoning_effort":"none"}`, `{"thinking":{"type":"disabled"}}`, ""},
		{"values thinking", `{"reasoning_effort":"xhigh"}`, `{"thinking":{"type":"enabled"},"reasoning_effort":"max"}`, ""},
	} {
		c := rewriteCase{body: tc.body, want: tc.want}
		rest, mapped := strings.CutPrefix(tc.mode, "values")
		if c.quirks.Effort = strings.TrimSpace(rest); mapped {
			c.quirks.EffortValues = values
		}
		if tc.dropped != "" {
			c.dropped = []string{tc.dropped}
		}
		cases["E-088 "+tc.mode+" "+tc.body] = c
	}
	checkRewrites(t, cases)
}

func TestRewriteTools(t *testing.T) {
	t.Parallel()
	const tools = `[{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"c"}},{"type":"function","function":{"name":"g"}}]`
	const f = `{"type":"function","function":{"name":"f"}}`
	mistral := Quirks{ToolChoice: map[string]string{"required": "any", "function": "any"}}
	auto := Quirks{ToolChoice: map[string]string{"required": "auto", "none": "", "function": "auto"}}
	checkRewrites(t, map[string]rewriteCase{
		"required has another word":           {quirks: mistral, body: `{"tools":` + tools + `,"tool_choice":"required"}`, want: `{"tools":` + tools + `,"tool_choice":"any"}`},
		"auto stays":                          {quirks: mistral, body: `{"tools":` + tools + `,"tool_choice":"auto"}`, want: `{"tools":` + tools + `,"tool_choice":"auto"}`},
		"one function":                        {quirks: mistral, body: `{"tool_choice":` + f + `,"tools":` + tools + `}`, want: `{"tool_choice":"any","tools":[` + f + `]}`},
		"a custom tool":                       {quirks: mistral, body: `{"tool_choice":{"type":"custom","custom":{"name":"c"}},"tools":` + tools + `}`, want: `{"tool_choice":"any","tools":[{"type":"custom","custom":{"name":"c"}}]}`},
		"a function that is not there":        {quirks: mistral, body: `{"tool_choice":{"type":"function","function":{"name":"x"}},"tools":[` + f + `]}`, want: `{"tool_choice":"any","tools":[` + f + `]}`},
		"allowed tools":                       {quirks: mistral, body: `{"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[` + f + `]}},"tools":` + tools + `}`, want: `{"tool_choice":"any","tools":[` + f + `]}`},
		"allowed tools, auto":                 {quirks: auto, body: `{"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[` + f + `]}},"tools":` + tools + `}`, want: `{"tool_choice":"auto","tools":[` + f + `]}`},
		"allowed tools, required is weaker":   {quirks: auto, body: `{"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[` + f + `]}},"tools":` + tools + `}`, want: `{"tool_choice":"auto","tools":[` + f + `]}`, dropped: []string{"tool_choice"}},
		"a type of its own":                   {quirks: Quirks{ToolChoice: map[string]string{"allowed_tools": ""}}, body: `{"tools":` + tools + `,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[` + f + `]}}}`, want: `{"tools":[` + f + `]}`, dropped: []string{"tool_choice"}},
		"weaker":                              {quirks: auto, body: `{"tools":` + tools + `,"tool_choice":"required"}`, want: `{"tools":` + tools + `,"tool_choice":"auto"}`, dropped: []string{"tool_choice"}},
		"one function, weaker":                {quirks: auto, body: `{"tools":` + tools + `,"tool_choice":` + f + `}`, want: `{"tools":[` + f + `],"tool_choice":"auto"}`, dropped: []string{"tool_choice"}},
		"none by leaving the tools out":       {quirks: auto, body: `{"tools":` + tools + `,"tool_choice":"none","parallel_tool_calls":true,"a":1}`, want: `{"a":1}`},
		"objects are taken":                   {quirks: Quirks{ToolChoice: map[string]string{"required": "any"}}, body: `{"tools":` + tools + `,"tool_choice":` + f + `}`, want: `{"tools":` + tools + `,"tool_choice":` + f + `}`},
		"types":                               {quirks: Quirks{ToolTypes: []string{"function"}}, body: `{"tools":[{"type":"web_search"},` + f + `,{"function":{}}]}`, want: `{"tools":[` + f + `,{"function":{}}]}`, dropped: []string{"tools[].type"}},
		"no tool is left":                     {quirks: Quirks{ToolTypes: []string{"function"}}, body: `{"tool_choice":"auto","parallel_tool_calls":true,"tools":[{"type":"web_search"}],"a":1}`, want: `{"a":1}`, dropped: []string{"tools"}},
		"tools are dropped with their choice": {quirks: Quirks{Drop: []string{"tools"}}, body: `{"tool_choice":"auto","tools":[` + f + `],"parallel_tool_calls":true,"a":1}`, want: `{"a":1}`, dropped: []string{"tools"}},
		"E-060 strict goes": {
			quirks: Quirks{DropStrict: true}, body: `{"tools":[{"type":"function","function":{"strict":true,"name":"f","parameters":{"strict":true}}},{"type":"function","function":{"name":"g","strict":false}}]}`,
			want:    `{"tools":[{"type":"function","function":{"name":"f","parameters":{"strict":true}}},{"type":"function","function":{"name":"g"}}]}`,
			dropped: []string{"tools[].function.strict"},
		},
		"E-060 strict stays": {quirks: mistral, body: `{"tools":[{"type":"function","function":{"strict":true,"name":"f"}}]}`, want: `{"tools":[{"type":"function","function":{"strict":true,"name":"f"}}]}`},
		"nulls in tools": {
			quirks: Quirks{DropNulls: true}, body: `{"tools":[{"type":"function","function":{"name":"f","description":null,"parameters":{"enum":[null],"default":null}}}]}`,
			want: `{"tools":[{"type":"function","function":{"name":"f","parameters":{"enum":[null],"default":null}}}]}`,
		},
		"schemas keep their bytes": {
			quirks: Quirks{DropStrict: true}, body: `{"tools":[{"type":"function","function":{"parameters":{ "z" : 1, "a":[1,  2]}}}]}`,
			want: `{"tools":[{"type":"function","function":{"parameters":{ "z" : 1, "a":[1,  2]}}}]}`,
		},
	})
}

func TestRewriteRefusesWhatCannotBeLeftOut(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		quirks Quirks
		body   string
		param  string
	}{
		{Quirks{Drop: []string{"n"}}, `{"model":"a","n":2}`, "n"},
		{Quirks{Reject: []string{"n"}}, `{"model":"a","n":2}`, "n"},
		{Quirks{Reject: []string{"tools"}}, `{"tools":[1]}`, "tools"},
		{Quirks{Reject: []string{"functions"}, Drop: []string{"functions"}}, `{"functions":[{}]}`, "functions"},
		{Quirks{Reject: []string{"logprobs"}}, `{"logprobs":true}`, "logprobs"},
	} {
		out, dropped, err := Rewrite([]byte("x"), []byte(tc.body), membersOf(t, tc.body), &tc.quirks, Edit{})
		if err == nil || err.Code != "unsupported_parameter" || err.Status != 400 || err.Param != tc.param || string(out) != "x" || dropped != nil {
			t.Errorf("%s: got %s, %v, %v", tc.body, out, dropped, err)
		}
	}
}
