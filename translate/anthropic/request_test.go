package anthropic

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// encodingCase changes a plain request and says what becomes of it.
type encodingCase struct {
	name  string
	model string // claude-opus-5 if empty
	opt   Options
	set   func(r *translate.Request)
	// want are members of the body by name; "" is one that must be absent.
	want    map[string]string
	dropped string
	header  map[string]string
	code    string // of the error, if one is wanted
	param   string
}

func runEncodingCases(t *testing.T, cases []encodingCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.model == "" {
				c.model = "claude-opus-5"
			}
			req := request(c.model, user("q"))
			if c.set != nil {
				c.set(req)
			}
			if c.code != "" {
				enc, err := EncodeRequest(req, c.opt)
				if err == nil {
					t.Fatalf("accepted as %s", enc.Body)
				}
				if err.Status != 400 || err.Code != c.code || err.Param != c.param {
					t.Errorf("error is %+v, want code %s, param %s", err, c.code, c.param)
				}
				return
			}
			enc, m := encode(t, req, c.opt)
			for name, want := range c.want {
				if got := string(m[name]); got != want {
					t.Errorf("%s is %s, want %s", name, got, want)
				}
			}
			if got := strings.Join(enc.Dropped, ","); got != c.dropped {
				t.Errorf("dropped %q, want %q", got, c.dropped)
			}
			for name, want := range c.header {
				if got := header(enc, name); got != want {
					t.Errorf("header %s is %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	none := map[string]string{"temperature": "", "top_p": "", "top_k": ""}
	current := map[string]string{"anthropic-version": "2026-10-21"}
	older := map[string]string{"anthropic-version": "2023-06-01"}
	sampling := func(temperature, topP *float64, topK *int64) func(r *translate.Request) {
		return func(r *translate.Request) {
			r.Params.Temperature, r.Params.TopP, r.Params.TopK = temperature, topP, topK
		}
	}
	extra := func(name, value string) func(r *translate.Request) {
		return func(r *translate.Request) {
			r.Extra = append(r.Extra, translate.Member{Name: name, Value: jsontext.Value(value)})
		}
	}
	runEncodingCases(t, []encodingCase{
		{name: "a plain request", want: map[string]string{"model": `"claude-opus-5"`, "max_tokens": "32000", "messages": `[{"role":"user","content":[{"type":"text","text":"q"}]}]`, "stream": "true", "tools": "", "system": ""}, header: current},
		{name: "max_tokens of the client", set: func(r *translate.Request) { r.Params.MaxTokens = new(int64(77)) }, want: map[string]string{"max_tokens": "77", "stream": ""}},
		{name: "max_tokens over the model's limit", model: "claude-3-haiku-20240307", set: func(r *translate.Request) { r.Params.MaxTokens = new(int64(1e9)) }, want: map[string]string{"max_tokens": "4096"}},
		{name: "E-107 an unknown Claude model", model: "claude-next-9", want: map[string]string{"max_tokens": "32000"}},
		{name: "the limit by configuration", opt: Options{MaxTokens: 500}, want: map[string]string{"max_tokens": "500", "stream": ""}},
		{name: "max_tokens 0", set: func(r *translate.Request) { r.Params.MaxTokens = new(int64(0)) }, code: "invalid_value", param: "max_completion_tokens"},
		{name: "a stream", set: func(r *translate.Request) { r.Stream, r.Params.MaxTokens = true, new(int64(5)) }, want: map[string]string{"stream": "true"}},
		{name: "an answer that could take long is streamed", set: func(r *translate.Request) { r.Params.MaxTokens = new(int64(21334)) }, want: map[string]string{"stream": "true"}},
		{name: "E-099 blank stop sequences", set: func(r *translate.Request) { r.Params.Stop = []string{"", "a", " \n", "b "} }, want: map[string]string{"stop_sequences": `["a","b "]`}, dropped: "stop[0],stop[2]"},
		{name: "E-099 only blank stop sequences", set: func(r *translate.Request) { r.Params.Stop = []string{"\n"} }, want: map[string]string{"stop_sequences": ""}, dropped: "stop[0]"},
		{name: "n", set: func(r *translate.Request) { r.Params.N = new(int64(2)) }, code: "unsupported_parameter", param: "n"},
		{name: "n of 1", set: func(r *translate.Request) { r.Params.N = new(int64(1)) }},
		{name: "logprobs", set: func(r *translate.Request) { r.Params.Logprobs = new(true) }, code: "unsupported_parameter", param: "logprobs"},
		{name: "logprobs off", opt: Options{Reject: true}, set: func(r *translate.Request) { r.Params.Logprobs, r.Params.TopLogprobs = new(false), new(int64(0)) }},
		{name: "audio", set: func(r *translate.Request) { r.Params.Modalities = []string{"text", "audio"} }, code: "unsupported_parameter", param: "modalities"},
		{name: "a voice", set: func(r *translate.Request) { r.Params.Audio = jsontext.Value(`{"voice":"x"}`) }, code: "unsupported_parameter", param: "audio"},
		{name: "what has no counterpart is dropped", set: func(r *translate.Request) {
			p := &r.Params
			p.FrequencyPenalty, p.PresencePenalty, p.Seed, p.LogitBias = new(0.5), new(-0.5), new(int64(1)), jsontext.Value(`{"1":2}`)
			p.Prediction, p.Verbosity, p.Store, p.PromptCacheKey, p.ServiceTier = jsontext.Value(`{"type":"content"}`), "low", new(true), "k", "flex"
			p.Metadata = jsontext.Value(`{"a":"b"}`)
			r.Extra = []translate.Member{{Name: "moderation", Value: jsontext.Value(`{}`)}, {Name: "unheard_of", Value: jsontext.Value(`1`)}, {Name: "nothing", Value: jsontext.Value(`null`)}}
		}, want: map[string]string{"metadata": "", "moderation": "", "service_tier": ""},
			dropped: "moderation,unheard_of,frequency_penalty,presence_penalty,logit_bias,seed,prediction,verbosity,store,prompt_cache_key,service_tier"},
		{name: "strict mode rejects instead", opt: Options{Reject: true}, set: func(r *translate.Request) { r.Params.Seed = new(int64(1)) }, code: "unsupported_parameter", param: "seed"},
		{name: "strict mode rejects unknown members", opt: Options{Reject: true}, set: extra("moderation", "{}"), code: "unsupported_parameter", param: "moderation"},
		{name: "strict mode lets neutral values pass", opt: Options{Reject: true}, set: func(r *translate.Request) {
			p := &r.Params
			p.FrequencyPenalty, p.PresencePenalty, p.LogitBias, p.Store, p.Temperature, p.TopP = new(0.0), new(0.0), jsontext.Value(`{}`), new(false), new(1.0), new(1.0)
		}, want: none},

		{name: "E-101 no sampling on current models", set: sampling(new(0.5), new(0.9), new(int64(5))), want: none, dropped: "temperature,top_p,top_k", header: current},
		{name: "E-101 no sampling under a pinned version", model: "claude-sonnet-4-5", opt: Options{Version: "2026-10-21"}, set: sampling(new(0.5), nil, nil), want: none, dropped: "temperature", header: current},
		{name: "sampling asks for the older version", model: "claude-sonnet-4-5", set: sampling(new(0.5), nil, new(int64(5))), want: map[string]string{"temperature": "0.5", "top_k": "5"}, header: older},
		{name: "no sampling asks for the current version", model: "claude-sonnet-4-5", header: current},
		{name: "E-100 a temperature of 1.4", model: "claude-sonnet-4-5", set: sampling(new(1.4), nil, nil), want: map[string]string{"temperature": "1"}, header: older},
		{name: "E-100 temperature and top_p", model: "claude-haiku-4-5", set: sampling(new(0.2), new(0.9), nil), want: map[string]string{"temperature": "0.2", "top_p": ""}, dropped: "top_p"},
		{name: "top_p alone", model: "claude-haiku-4-5", set: sampling(nil, new(0.9), nil), want: map[string]string{"temperature": "", "top_p": "0.9"}},
		{name: "thinking leaves top_p near 1", model: "claude-sonnet-4-5", set: func(r *translate.Request) {
			sampling(new(0.2), new(0.97), new(int64(3)))(r)
			r.Params.Effort = "low"
		}, want: map[string]string{"temperature": "", "top_p": "0.97", "top_k": ""}, dropped: "temperature,top_k"},
		{name: "thinking drops other top_p", model: "claude-sonnet-4-5", set: func(r *translate.Request) {
			sampling(nil, new(0.9), nil)(r)
			r.Params.Effort = "low"
		}, want: none, dropped: "top_p", header: current},
		{name: "top_k as an extension", model: "claude-sonnet-4-5", set: extra("top_k", "7"), want: map[string]string{"top_k": "7"}, header: older},
		{name: "top_k as an extension on a model without", set: extra("top_k", "7"), want: none, dropped: "top_k"},

		{name: "user", set: func(r *translate.Request) { r.Params.User = "u1" }, want: map[string]string{"metadata": `{"user_id":"u1"}`}},
		{name: "safety_identifier wins", set: func(r *translate.Request) { r.Params.User, r.Params.SafetyIdentifier = "u1", "s1" }, want: map[string]string{"metadata": `{"user_id":"s1"}`}},
		{name: "an address is hashed", set: func(r *translate.Request) { r.Params.User = "ann@example.com" }, want: map[string]string{"metadata": `{"user_id":"71d4f55f72fa128dfb468a1a3901507c804b74316488744d769d7f4b16696476"}`}},

		{name: "tier auto", set: func(r *translate.Request) { r.Params.ServiceTier = "auto" }, want: map[string]string{"service_tier": ""}},
		{name: "tier default", set: func(r *translate.Request) { r.Params.ServiceTier = "default" }, want: map[string]string{"service_tier": `"standard_only"`}},
		{name: "tier priority", set: func(r *translate.Request) { r.Params.ServiceTier = "priority" }, want: map[string]string{"service_tier": `"auto"`, "speed": ""}},
		{name: "tier fast by configuration", opt: Options{FastMode: true}, set: func(r *translate.Request) { r.Params.ServiceTier = "fast" }, want: map[string]string{"service_tier": `"auto"`, "speed": `"fast"`}, header: map[string]string{"anthropic-beta": "fast-mode-2026-02-01"}},

		{name: "extensions are copied", set: func(r *translate.Request) {
			extra("inference_geo", `"us"`)(r)
			extra("context_management", `{"edits":[{"type":"compact_20260112"}]}`)(r)
			extra("mcp_servers", `[{"type":"url"}]`)(r)
			extra("speed", `"fast"`)(r)
			extra("fallbacks", `"default"`)(r)
			extra("container", `"c1"`)(r)
		}, want: map[string]string{"inference_geo": `"us"`, "mcp_servers": `[{"type":"url"}]`, "speed": `"fast"`, "fallbacks": `"default"`, "container": `"c1"`, "context_management": `{"edits":[{"type":"compact_20260112"}]}`},
			header: map[string]string{"anthropic-beta": "context-management-2025-06-27,compact-2026-01-12,mcp-client-2025-11-20,server-side-fallback-2026-07-01,fast-mode-2026-02-01"}},
		{name: "E-132 betas of the client are merged", opt: Options{Beta: []string{"a-1, b-2", "a-1", "pdfs-2024-09-25", "c\r\nd"}}, set: extra("anthropic_beta", `["b-2","e-3"]`), header: map[string]string{"anthropic-beta": "b-2,e-3,a-1"}},
		{name: "Vertex AI", opt: Options{InBody: true}, want: map[string]string{"model": "", "anthropic_version": `"2026-10-21"`}, header: map[string]string{"anthropic-version": ""}},
		{name: "E-135 output_config on Vertex AI", model: "claude-opus-4-6@default", opt: Options{InBody: true}, set: func(r *translate.Request) { r.Params.Effort = "low" }, want: map[string]string{"output_config": `{"effort":"low"}`}},
		{name: "Vertex AI with sampling", model: "claude-sonnet-4-5@20250929", opt: Options{InBody: true}, set: sampling(new(0.5), nil, nil), want: map[string]string{"anthropic_version": `"vertex-2023-10-16"`, "temperature": "0.5"}},
		{name: "a cloud's pinned version takes sampling", model: "claude-sonnet-4-5", opt: Options{Version: "vertex-2023-10-16"}, set: sampling(new(0.5), nil, nil), want: map[string]string{"temperature": "0.5"}, header: map[string]string{"anthropic-version": "vertex-2023-10-16"}},
		{name: "a row of the configuration", model: "my-model", opt: Options{Model: &Model{MaxOutput: 10}}, want: map[string]string{"max_tokens": "10"}, header: current},
		{name: "models of others keep the first version", model: "kimi-k3", set: sampling(new(0.5), nil, nil), want: map[string]string{"temperature": "0.5"}, header: older},
	})
}

func TestE105PathIsAbsolute(t *testing.T) {
	t.Parallel()
	if got := Path("claude-opus-5", true); got != "/v1/messages" {
		t.Errorf("path is %s", got)
	}
}

// A limit that the client did not ask for is known to the caller.
func TestE107ImplicitLimitIsReported(t *testing.T) {
	t.Parallel()
	enc, _ := encode(t, request("claude-brand-new", user("q")), Options{})
	if enc.ImplicitMaxTokens != 32000 {
		t.Errorf("implicit limit is %d", enc.ImplicitMaxTokens)
	}
	req := request("claude-brand-new", user("q"))
	req.Params.MaxTokens = new(int64(10))
	if enc, _ = encode(t, req, Options{}); enc.ImplicitMaxTokens != 0 {
		t.Errorf("implicit limit is %d although the client gave one", enc.ImplicitMaxTokens)
	}
}

func TestTools(t *testing.T) {
	t.Parallel()
	tools := func(tools ...translate.Tool) func(r *translate.Request) {
		return func(r *translate.Request) { r.Tools = tools }
	}
	choose := func(mode translate.ToolMode, names ...string) func(r *translate.Request) {
		return func(r *translate.Request) {
			r.Tools = []translate.Tool{function("f", `{"type":"object"}`), function("g", `{"type":"object"}`)}
			r.Choice = translate.ToolChoice{Mode: mode, Names: names}
		}
	}
	serial := func(set func(r *translate.Request)) func(r *translate.Request) {
		return func(r *translate.Request) { set(r); r.Choice.Parallel = new(false) }
	}
	strict := func(parameters string) translate.Tool {
		f := function("f", parameters)
		f.Strict, f.Path = new(true), "tools[0]"
		return f
	}
	const f, g = `{"name":"f","input_schema":{"type":"object"}}`, `{"name":"g","input_schema":{"type":"object"}}`
	const unforced = "claude-fable-5-1"
	withHistory := func(r *translate.Request) {
		r.Turns = append(r.Turns, assistant(call("a", "x.y", "{}"), call("b", "z", "{}"), call("c", "z", "{}")))
	}
	runEncodingCases(t, []encodingCase{
		{name: "a schema keeps its bytes", set: tools(translate.Tool{Kind: translate.ToolFunction, Name: "f", Description: "d", Parameters: jsontext.Value(`{ "type":"object", "z": 1.0, "a":{"b" : 2} }`)}),
			want: map[string]string{"tools": `[{"name":"f","description":"d","input_schema":{ "type":"object", "z": 1.0, "a":{"b" : 2} }}]`, "tool_choice": ""}},
		{name: "no parameters", set: tools(function("a", ""), function("b", "null"), function("c", "{ }"), function("d", `{"properties":{"x":{}}}`), function("e", `{"description":"x"}`)),
			want: map[string]string{"tools": list(
				`{"name":"a","input_schema":{"type":"object","properties":{}}}`, `{"name":"b","input_schema":{"type":"object","properties":{}}}`, `{"name":"c","input_schema":{"type":"object","properties":{}}}`,
				`{"name":"d","input_schema":{"type":"object","properties":{"x":{}}}}`, `{"name":"e","input_schema":{"type":"object","properties":{},"description":"x"}}`)}},
		{name: "parameters that are no schema", set: tools(function("a", `[1]`)), code: "invalid_type", param: "tools[0].function.parameters"},
		{name: "E-060 strict", set: tools(strict(`{"type":"object","properties":{"a":{"type":"string","minLength":2}},"required":["a"]}`)),
			want: map[string]string{"tools": `[{"name":"f","input_schema":{"type":"object","properties":{"a":{"type":"string","description":"{minLength: 2}"}},"required":["a"],"additionalProperties":false},"strict":true}]`}},
		{name: "E-060 strict on a model without", model: "claude-3-5-haiku-latest", set: tools(strict(`{"type":"object","properties":{}}`)), want: map[string]string{"tools": `[{"name":"f","input_schema":{"type":"object","properties":{}}}]`}, dropped: "tools[0].function.strict"},
		{name: "E-060 strict with a schema that cannot be", set: tools(strict(`{"type":"object"}`)), want: map[string]string{"tools": `[` + f + `]`}, dropped: "tools[0].function.strict"},
		{name: "a custom tool", set: tools(translate.Tool{Kind: translate.ToolCustom, Name: "sql", Description: "Runs SQL.", Format: jsontext.Value(`{"type":"grammar","grammar":{"syntax":"lark","definition":"start: \"x\""}}`)}),
			want: map[string]string{"tools": `[{"name":"sql","description":"Runs SQL.\n\nThe input must match this lark grammar:\nstart: \"x\"","input_schema":` + customSchema + `}]`}},
		{name: "the provider's own tool is verbatim", set: tools(translate.Tool{Kind: translate.ToolRaw, Raw: jsontext.Value(`{"type":"code_execution_20260521", "name":"code_execution"}`)}),
			want: map[string]string{"tools": `[{"type":"code_execution_20260521", "name":"code_execution"}]`}},
		{name: "another provider's tool is dropped", set: tools(translate.Tool{Kind: translate.ToolRaw, Raw: jsontext.Value(`{"google_search":{}}`)}), want: map[string]string{"tools": ""}, dropped: "tools[0]"},
		{name: "web search", set: func(r *translate.Request) {
			r.Params.WebSearch = jsontext.Value(`{"user_location":{"type":"approximate","approximate":{"timezone":"Europe/Zurich","city":"Zürich","region":""}}}`)
			r.Tools = []translate.Tool{function("web_search", `{"type":"object"}`)}
		}, want: map[string]string{"tools": list(`{"name":"web_search_`+shortHash("web_search")+`","input_schema":{"type":"object"}}`,
			`{"type":"web_search_20250305","name":"web_search","user_location":{"type":"approximate","city":"Zürich","timezone":"Europe/Zurich"}}`)}},
		{name: "web search of another version", opt: Options{WebSearch: "web_search_20260318"}, set: func(r *translate.Request) { r.Params.WebSearch = jsontext.Value(`{"search_context_size":"low"}`) },
			want: map[string]string{"tools": `[{"type":"web_search_20260318","name":"web_search"}]`}, dropped: "web_search_options.search_context_size"},
		{name: "E-055 history without tools", model: "claude-sonnet-4-5", set: withHistory,
			want: map[string]string{"tools": list(`{"name":"x_y","input_schema":`+anyObject+`}`, `{"name":"z","input_schema":`+anyObject+`}`), "tool_choice": `{"type":"none"}`}},

		{name: "choice auto", set: choose(translate.ToolAuto), want: map[string]string{"tools": list(f, g), "tool_choice": `{"type":"auto"}`}},
		{name: "E-054 choice none keeps the tools", set: choose(translate.ToolNone), want: map[string]string{"tools": list(f, g), "tool_choice": `{"type":"none"}`}},
		{name: "choice required", set: choose(translate.ToolRequired), want: map[string]string{"tool_choice": `{"type":"any"}`}},
		{name: "choice of one", set: choose(translate.ToolNamed, "g"), want: map[string]string{"tools": list(f, g), "tool_choice": `{"type":"tool","name":"g"}`}},
		{name: "choice of one that is not there", set: choose(translate.ToolNamed, "h"), code: "invalid_value", param: "tool_choice"},
		{name: "choice of some", set: choose(translate.ToolAuto, "h", "g"), want: map[string]string{"tools": list(g), "tool_choice": `{"type":"auto"}`}},
		{name: "choice of some, required", set: choose(translate.ToolRequired, "g", "f"), want: map[string]string{"tools": list(f, g), "tool_choice": `{"type":"any"}`}},
		{name: "choice of none of them", set: choose(translate.ToolAuto, "h"), code: "invalid_value", param: "tool_choice"},
		{name: "choice required where it cannot be", model: unforced, set: choose(translate.ToolRequired), want: map[string]string{"tools": list(f, g), "tool_choice": `{"type":"auto"}`}, dropped: "tool_choice"},
		{name: "choice of one where it cannot be", model: unforced, set: choose(translate.ToolNamed, "g"), want: map[string]string{"tools": list(g), "tool_choice": `{"type":"auto"}`}, dropped: "tool_choice"},
		{name: "choice required with extended thinking", model: "claude-sonnet-4-5", set: func(r *translate.Request) { choose(translate.ToolRequired)(r); r.Params.Effort = "low" }, want: map[string]string{"tool_choice": `{"type":"auto"}`}, dropped: "tool_choice"},
		{name: "choice required where it cannot be, strict mode", model: unforced, opt: Options{Reject: true}, set: choose(translate.ToolRequired), code: "unsupported_parameter", param: "tool_choice"},
		{name: "one call at a time", set: serial(choose(translate.ToolDefault)), want: map[string]string{"tool_choice": `{"type":"auto","disable_parallel_tool_use":true}`}},
		{name: "one required call", set: serial(choose(translate.ToolRequired)), want: map[string]string{"tool_choice": `{"type":"any","disable_parallel_tool_use":true}`}},
		{name: "one call of none", set: serial(choose(translate.ToolNone)), want: map[string]string{"tool_choice": `{"type":"none"}`}},
		{name: "one call without tools", set: func(r *translate.Request) { r.Choice.Parallel = new(false) }, want: map[string]string{"tool_choice": ""}},
	})
}

func TestToolNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", 130)
	req := request("claude-opus-5", user("q"), assistant(call("1", "a.b", "{}"), call("2", "old:one", "{}"), call("3", "ok", "{}")))
	req.Tools = []translate.Tool{function("ok", ""), function("a_b", ""), function("a.b", ""), function(long, ""), function("", "")}
	req.Choice = translate.ToolChoice{Mode: translate.ToolNamed, Names: []string{"a.b"}}
	enc, m := encode(t, req, Options{})
	ab := "a_b_" + shortHash("a.b")
	want := map[string]string{ab: "a.b", "old_one": "old:one", long[:128]: long, "tool": ""}
	if len(enc.Names) != len(want) {
		t.Errorf("names are %v, want %v", enc.Names, want)
	}
	for sent, own := range want {
		if got, ok := enc.Names[sent]; !ok || got != own {
			t.Errorf("%s stands for %q, want %q", sent, got, own)
		}
	}
	if got := string(m["tool_choice"]); got != `{"type":"tool","name":"`+ab+`"}` {
		t.Errorf("tool_choice is %s", got)
	}
	if got := string(m["messages"]); !strings.Contains(got, `"name":"`+ab+`"`) || !strings.Contains(got, `"name":"old_one"`) || !strings.Contains(got, `"name":"ok"`) {
		t.Errorf("messages are %s", got)
	}
	req.Tools, req.Choice = []translate.Tool{function("ok", "")}, translate.ToolChoice{}
	req.Turns = []translate.Turn{user("q")}
	if enc, _ = encode(t, req, Options{}); enc.Names != nil {
		t.Errorf("legal names were changed: %v", enc.Names)
	}
}

func TestCustomToolsAreNamed(t *testing.T) {
	t.Parallel()
	req := request("claude-opus-5", user("q"))
	req.Tools = []translate.Tool{function("f", ""), {Kind: translate.ToolCustom, Name: "run.sql"}}
	enc, _ := encode(t, req, Options{})
	if len(enc.CustomTools) != 1 || enc.CustomTools[0] != "run_sql" || enc.Names["run_sql"] != "run.sql" {
		t.Errorf("custom tools are %v, names %v", enc.CustomTools, enc.Names)
	}
}
