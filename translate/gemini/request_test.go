package gemini

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/go-json-experiment/json/jsontext"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Short forms of turns and parts.

func turn(role translate.Role, list ...translate.Part) translate.Turn {
	return translate.Turn{Role: role, Parts: list}
}
func text(s string) translate.Part {
	return translate.Part{Kind: translate.PartText, Text: s}
}
func user(s string) translate.Turn      { return turn(translate.RoleUser, text(s)) }
func system(s string) translate.Turn    { return turn(translate.RoleSystem, text(s)) }
func assistant(s string) translate.Turn { return turn(translate.RoleAssistant, text(s)) }
func call(id, name, args string) translate.Part {
	return translate.Part{Kind: translate.PartToolCall, Call: &translate.ToolCall{ID: id, Name: name, Arguments: args}}
}
func signed(id, name, args, signature, format string) translate.Part {
	p := call(id, name, args)
	p.Call.Signature, p.Call.Format = signature, format
	return p
}
func reasoning(id, data, format string) translate.Part {
	return translate.Part{Kind: translate.PartReasoning, Reasoning: &translate.Reasoning{ID: id, Encrypted: data, Format: format}}
}
func result(id, s string) translate.Turn {
	return turn(translate.RoleTool, translate.Part{Kind: translate.PartToolResult, Result: &translate.ToolResult{CallID: id, Parts: []translate.Part{text(s)}}})
}
func media(kind translate.PartKind, m translate.Media) translate.Part {
	return translate.Part{Kind: kind, Media: &m, Path: "messages[0].content[0]"}
}
func function(name, schema string) translate.Tool {
	return translate.Tool{Kind: translate.ToolFunction, Name: name, Parameters: jsontext.Value(schema), Path: "tools[0]"}
}

const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVQImWNwav0CAALIAbzDqqRyAAAAAElFTkSuQmCC"

// encodeCases are requests whose encoded form is kept in golden files.
var encodeCases = []struct {
	name string
	req  translate.Request
	opt  Options
}{
	{"system-and-turns", translate.Request{Model: "gemini-3.5-flash", Turns: []translate.Turn{
		system("Be brief."), {Role: translate.RoleSystem, Developer: true, Parts: []translate.Part{text("One."), text(""), text("Two.")}},
		user("Hi \"you\"\n"), user("there"), assistant("Yes?"), system("Later."), user("Bye"),
	}}, Options{}},
	{"late-system-wrapped", translate.Request{Model: "gemini-3.5-flash", Turns: []translate.Turn{system("Be brief."), user("Hi"), system("Later.")}}, Options{SystemTurns: "wrap"}},
	{"only-system", translate.Request{Model: "gemini-3.5-flash", Turns: []translate.Turn{system("Be brief.")}}, Options{}},
	{"gemma-has-no-system", translate.Request{Model: "gemma-3-27b-it", Turns: []translate.Turn{system("Be brief."), user("Hi"), system("Later.")}}, Options{}},
	{"all-parameters", translate.Request{Model: "gemini-3.5-flash", Turns: []translate.Turn{user("Hi")}, Params: translate.Params{
		MaxTokens: new(int64(100)), Temperature: new(1.4), TopP: new(0.5), TopK: new(int64(40)), FrequencyPenalty: new(0.25), PresencePenalty: new(-2.0),
		N: new(int64(2)), Seed: new(int64(1<<31 + 5)), Stop: []string{"", "END", "\n"}, Logprobs: new(true), TopLogprobs: new(int64(3)), Effort: "high",
		ServiceTier: "fast", Store: new(true), Modalities: []string{"text"}, WebSearch: jsontext.Value(`{}`),
	}}, Options{SafetySettings: jsontext.Value(`[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"OFF"}]`)}},
	{"tools", translate.Request{Model: "gemini-3.5-flash", Turns: []translate.Turn{user("Hi")}, Tools: []translate.Tool{
		{Kind: translate.ToolFunction, Name: "look", Description: "Looks.", Parameters: jsontext.Value(`{"type": "object", "properties": {"z": {"type": "string"}, "a": {"type": "integer"}}, "required": ["z"]}`)},
		function("now", ""), function("later", `{"type":"object","properties":{},"additionalProperties":false}`), function("9 lives!", `null`),
		{Kind: translate.ToolCustom, Name: "shell", Description: "Runs.", Format: jsontext.Value(`{"type":"grammar","grammar":{"syntax":"lark","definition":"start: \"a\""}}`)},
		{Kind: translate.ToolRaw, Raw: jsontext.Value(`{"url_context": {}}`), Path: "tools[5]"}, {Kind: translate.ToolRaw, Raw: jsontext.Value(`{"type":"web_search"}`), Path: "tools[6]"},
	}, Choice: translate.ToolChoice{Mode: translate.ToolNamed, Names: []string{"9 lives!"}}}, Options{}},
	{"tools-openapi", translate.Request{Model: "gemini-2.0-flash", Turns: []translate.Turn{user("Hi")}, Tools: []translate.Tool{
		function("look", `{"$schema":"x","type":"object","properties":{"a":{"type":["string","null"]},"b":{"$ref":"#/$defs/B"}},"$defs":{"B":{"type":"integer","enum":[1,2]}}}`),
	}, Params: translate.Params{Format: &translate.ResponseFormat{Type: "json_schema", Schema: jsontext.Value(`{"type": "object", "properties": {"x": {"type": "string"}}}`)}}}, Options{}},
	{"tool-step", translate.Request{Model: "gemini-3.5-flash", Turns: []translate.Turn{
		user("Hi"),
		turn(translate.RoleAssistant, text("Let me look."), signed("spt7zdfl", "look", `{"q": 1}`, "c2ln", FormatReasoning), call("call_883098", "look", "")),
		turn(translate.RoleAssistant, call("call_abcdefghijklmnopqrstuvwx", "shut", "not json")),
		result("call_abcdefghijklmnopqrstuvwx", "[1,2]"), result("spt7zdfl", `{"ok":true}`), result("unknown", "what?"), user("And?"),
	}}, Options{}},
	{"vertex", translate.Request{Model: "gemini-2.5-pro", Turns: []translate.Turn{
		turn(translate.RoleUser, media(translate.PartImage, translate.Media{URL: "gs://bucket/cat.PNG"})),
		turn(translate.RoleAssistant, call("spt7zdfl", "look", "{}")), result("spt7zdfl", "done"),
	}, Params: translate.Params{ServiceTier: "flex", Store: new(true), PresencePenalty: new(1.0), Effort: "none"}}, Options{Vertex: true}},
	{"media", translate.Request{Model: "gemini-3-pro-preview", Turns: []translate.Turn{turn(translate.RoleUser,
		media(translate.PartImage, translate.Media{Data: pixel, MIME: "image/jpg", Detail: "low"}),
		media(translate.PartImage, translate.Media{URL: "https://generativelanguage.googleapis.com/v1beta/files/abc", MIME: "image/png", Detail: "high"}),
		media(translate.PartVideo, translate.Media{URL: "https://www.youtube.com/watch?v=x"}),
		media(translate.PartFile, translate.Media{Data: "JVBERi0xLjcK", Filename: "a.pdf"}), media(translate.PartFile, translate.Media{FileID: "files/abc"}),
		media(translate.PartAudio, translate.Media{Data: "AAAA", MIME: "audio/mpeg"}), text("What is this?"),
	)}}, Options{}},
	{"extensions", translate.Request{Model: "gemini-3.5-flash", Turns: []translate.Turn{user("Hi")}, Params: translate.Params{Effort: "low", Temperature: new(0.5)}, Extra: []translate.Member{
		{Name: "generation_config", Value: jsontext.Value(`{"temperature":0.9,"media_resolution":"MEDIA_RESOLUTION_LOW","response_schema":{"properties":{"my_prop":{"type":"string"}}}}`)},
		{Name: "safety_settings", Value: jsontext.Value(`[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_NONE"}]`)},
		{Name: "extra_body", Value: jsontext.Value(`{"google":{"thinking_config":{"thinking_budget":5,"include_thoughts":true},"cached_content":"cachedContents/1"}}`)},
	}}, Options{SafetySettings: jsontext.Value(`[]`)}},
	{"json-schema", translate.Request{Model: "gemini-2.5-flash", Turns: []translate.Turn{user("Hi")}, Params: translate.Params{
		Effort: "minimal", Format: &translate.ResponseFormat{Type: "json_schema", Name: "x", Schema: jsontext.Value(`{"type":"object","properties":{"b":{"type":"string","minLength":2},"a":{"type":"null"}},"required":["b","a"],"additionalProperties":false}`)},
	}}, Options{}},
}

func TestEncodeRequestGolden(t *testing.T) {
	t.Parallel()
	for _, tc := range encodeCases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			enc, err := EncodeRequest(&tc.req, tc.opt)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", "requests", tc.name+".json")
			if *update {
				if err := os.WriteFile(path, append(enc.Body, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, readErr := os.ReadFile(path)
			if readErr != nil {
				t.Fatal(readErr)
			}
			if got := string(enc.Body); got != strings.TrimSuffix(string(want), "\n") {
				t.Errorf("body differs from %s:\n got %s\nwant %s", path, got, want)
			}
			if !json.Valid(enc.Body) {
				t.Error("the body is not JSON")
			}
		})
	}
}

func TestEqualRequestsGiveEqualBytes_E103(t *testing.T) {
	t.Parallel()
	for _, tc := range encodeCases {
		first := encode(t, tc.req, tc.opt)
		for range 100 {
			if again := encode(t, tc.req, tc.opt); !reflect.DeepEqual(again, first) {
				t.Fatalf("%s: encoded differently:\n%s\n%s", tc.name, first.Body, again.Body)
			}
		}
	}
}

func TestSchemasKeepTheirBytes_E103(t *testing.T) {
	t.Parallel()
	schema := `{"type":"object","properties":{"z":{"type":"string","description":"A \u00e9."},"a":{"type":"array","items":{"type":"number","minimum":1.50}}},"required":["z","a"],"additionalProperties":false,"title":"T"}`
	enc := encode(t, translate.Request{Model: "gemini-3.5-flash", Tools: []translate.Tool{function("f", schema)}}, Options{})
	if !strings.Contains(string(enc.Body), `"parametersJsonSchema":`+schema) {
		t.Errorf("the schema was changed: %s", enc.Body)
	}
}

func TestAllKeysAreCamelCase_E115(t *testing.T) {
	t.Parallel()
	snake := regexp.MustCompile(`"[a-z]+_[a-z_]+":`)
	for _, tc := range encodeCases {
		body := string(encode(t, tc.req, tc.opt).Body)
		if found := snake.FindString(strings.ReplaceAll(body, `"my_prop":`, "")); found != "" {
			t.Errorf("%s has the key %s", tc.name, found)
		}
	}
}

func encode(t testing.TB, req translate.Request, opt Options) *translate.Encoded {
	t.Helper()
	if len(req.Turns) == 0 {
		req.Turns = []translate.Turn{user("Hi")}
	}
	enc, err := EncodeRequest(&req, opt)
	if err != nil {
		t.Fatalf("%v (%s)", err, err.Param)
	}
	return enc
}

// body returns the decoded body of a request.
func body(t testing.TB, req translate.Request, opt Options) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(encode(t, req, opt).Body, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// at follows a path of names and indices into a decoded body.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

func TestPath(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		model  string
		stream bool
		want   string
	}{
		{"gemini-3.5-flash", false, "/models/gemini-3.5-flash:generateContent"},
		{"gemini-3.5-flash", true, "/models/gemini-3.5-flash:streamGenerateContent?alt=sse"},
		{"models/gemini-3.5-flash", false, "/models/gemini-3.5-flash:generateContent"},
		{"publishers/google/models/gemini-2.5-pro", false, "/models/gemini-2.5-pro:generateContent"},
		{"tunedModels/my-model", false, "/tunedModels/my-model:generateContent"},
		{"a/../b?x#y", false, "/models/a%2F..%2Fb%3Fx%23y:generateContent"},
	} {
		if got := Path(tc.model, tc.stream); got != tc.want {
			t.Errorf("Path(%q, %t) = %s, want %s", tc.model, tc.stream, got, tc.want)
		}
	}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		model   string
		params  translate.Params
		opt     Options
		key     string
		want    any
		dropped []string
		fails   string
	}{
		"seed inside":             {params: translate.Params{Seed: new(int64(-7))}, key: "seed", want: -7.0},
		"seed too large":          {params: translate.Params{Seed: new(int64(1 << 31))}, key: "seed", want: 0.0},
		"seed too small":          {params: translate.Params{Seed: new(int64(-1<<31 - 1))}, key: "seed", want: float64(1<<31 - 1)},
		"n of one":                {params: translate.Params{N: new(int64(1))}, key: "candidateCount"},
		"n of nine":               {params: translate.Params{N: new(int64(9))}, fails: "n"},
		"no output":               {params: translate.Params{MaxTokens: new(int64(0))}, fails: "max_completion_tokens"},
		"six stops":               {params: translate.Params{Stop: []string{"a", "b", "c", "d", "e", "f"}}, fails: "stop"},
		"five stops and a blank":  {params: translate.Params{Stop: []string{"a", "b", "", "c", "d", "e"}}, key: "stopSequences", want: []any{"a", "b", "c", "d", "e"}},
		"only blank stops":        {params: translate.Params{Stop: []string{""}}, key: "stopSequences"},
		"penalty on 2.5":          {model: "gemini-2.5-flash", params: translate.Params{PresencePenalty: new(1.0), FrequencyPenalty: new(1.0)}, key: "presencePenalty", dropped: []string{"presence_penalty", "frequency_penalty"}},
		"penalty on 2.5 rejected": {model: "gemini-2.5-flash", params: translate.Params{PresencePenalty: new(1.0)}, opt: Options{Reject: true}, fails: "presence_penalty"},
		"penalty on Vertex":       {model: "gemini-2.5-flash", params: translate.Params{PresencePenalty: new(1.0)}, opt: Options{Vertex: true}, key: "presencePenalty", want: 1.0},
		"logprobs off":            {params: translate.Params{Logprobs: new(false), TopLogprobs: new(int64(2))}, key: "logprobs", dropped: []string{"top_logprobs"}},
		"audio without a voice":   {params: translate.Params{Modalities: []string{"text", "audio"}, Audio: jsontext.Value(`{"voice":"alloy","format":"pcm16"}`)}, fails: "modalities"},
		"audio as mp3":            {params: translate.Params{Modalities: []string{"audio"}, Audio: jsontext.Value(`{"voice":"alloy","format":"mp3"}`)}, opt: Options{Voices: map[string]string{"*": "Kore"}}, fails: "audio.format"},
		"audio": {params: translate.Params{Modalities: []string{"text", "audio"}, Audio: jsontext.Value(`{"voice":{"id":"alloy"},"format":"pcm16"}`)}, opt: Options{Voices: map[string]string{"alloy": "Kore"}},
			key: "speechConfig", want: map[string]any{"voiceConfig": map[string]any{"prebuiltVoiceConfig": map[string]any{"voiceName": "Kore"}}}},
		"images":             {params: translate.Params{Modalities: []string{"image", "text"}}, key: "responseModalities", want: []any{"IMAGE", "TEXT"}},
		"unknown modality":   {params: translate.Params{Modalities: []string{"smell"}}, fails: "modalities"},
		"unknown effort":     {params: translate.Params{Effort: "huge"}, fails: "reasoning_effort"},
		"JSON object":        {params: translate.Params{Format: &translate.ResponseFormat{Type: "json_object"}}, key: "responseMimeType", want: "application/json"},
		"schema of no kind":  {params: translate.Params{Format: &translate.ResponseFormat{Type: "json_schema", Schema: jsontext.Value(`[]`)}}, fails: "response_format.json_schema.schema"},
		"without equivalent": {params: translate.Params{User: "u", SafetyIdentifier: "s", Metadata: jsontext.Value(`{}`), LogitBias: jsontext.Value(`{}`), Prediction: jsontext.Value(`{}`), Verbosity: "low", PromptCacheKey: "k"}, dropped: []string{"user", "safety_identifier", "metadata", "logit_bias", "prediction", "verbosity", "prompt_cache_key"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := translate.Request{Model: tc.model, Turns: []translate.Turn{user("Hi")}, Params: tc.params}
			if req.Model == "" {
				req.Model = "gemini-3.5-flash"
			}
			enc, err := EncodeRequest(&req, tc.opt)
			if tc.fails != "" {
				if err == nil || err.Param != tc.fails || err.Status != 400 {
					t.Fatalf("error %+v, want one about %s", err, tc.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var v map[string]any
			if jsonErr := json.Unmarshal(enc.Body, &v); jsonErr != nil {
				t.Fatal(jsonErr)
			}
			if got := at(v, "generationConfig", tc.key); tc.key != "" && !reflect.DeepEqual(got, tc.want) {
				t.Errorf("%s is %v, want %v", tc.key, got, tc.want)
			}
			if !reflect.DeepEqual(enc.Dropped, tc.dropped) {
				t.Errorf("dropped %q, want %q", enc.Dropped, tc.dropped)
			}
		})
	}
}

func TestTopLevelMembers(t *testing.T) {
	t.Parallel()
	for tier, want := range map[string]any{"flex": "flex", "priority": "priority", "fast": "priority", "default": "standard", "auto": nil, "": nil, "scale": nil} {
		v := body(t, translate.Request{Model: "m", Params: translate.Params{ServiceTier: tier}}, Options{})
		if v["serviceTier"] != want {
			t.Errorf("service_tier %q became %v, want %v", tier, v["serviceTier"], want)
		}
		if _, ok := v["store"]; ok {
			t.Error("store is sent without being asked for")
		}
	}
	enc := encode(t, translate.Request{Model: "m", Params: translate.Params{ServiceTier: "priority", Store: new(false)}}, Options{Vertex: true})
	if !reflect.DeepEqual(enc.Header, [][2]string{{"X-Vertex-AI-LLM-Shared-Request-Type", "priority"}}) || !reflect.DeepEqual(enc.Dropped, []string{"store"}) {
		t.Errorf("on Vertex: header %v, dropped %v", enc.Header, enc.Dropped)
	}
}

func TestExtensions(t *testing.T) {
	t.Parallel()
	extra := func(name, value string) translate.Request {
		return translate.Request{Model: "gemini-3.5-flash", Turns: []translate.Turn{user("Hi")}, Extra: []translate.Member{{Name: name, Value: jsontext.Value(value)}}}
	}
	for name, value := range map[string]string{"safety_settings": `{}`, "cached_content": `5`, "generation_config": `[]`, "google": `{"thinking_config":5}`} {
		req := extra(name, value)
		if _, err := EncodeRequest(&req, Options{}); err == nil || err.Code != "invalid_type" || !strings.HasPrefix(err.Param, name) {
			t.Errorf("%s: %s gave %+v", name, value, err)
		}
	}
	req := extra("generation_config", `{"a`)
	if _, err := EncodeRequest(&req, Options{}); err == nil || err.Code != "invalid_json" {
		t.Errorf("invalid JSON gave %+v", err)
	}
	enc := encode(t, extra("unheard_of", `1`), Options{})
	if !reflect.DeepEqual(enc.Dropped, []string{"unheard_of"}) || strings.Contains(string(enc.Body), "unheard") {
		t.Errorf("dropped %v, body %s", enc.Dropped, enc.Body)
	}
	if enc := encode(t, extra("google", `{"other":1}`), Options{}); !reflect.DeepEqual(enc.Dropped, []string{"google.other"}) {
		t.Errorf("dropped %v", enc.Dropped)
	}
	req = extra("unheard_of", `1`)
	if _, err := EncodeRequest(&req, Options{Reject: true}); err == nil || err.Code != "unsupported_parameter" || err.Param != "unheard_of" {
		t.Errorf("in strict mode got %+v", err)
	}
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	req := translate.Request{Model: "m", Turns: []translate.Turn{user(strings.Repeat("x", 2000))}}
	if _, err := EncodeRequest(&req, Options{MaxBody: 1000}); err == nil || err.Status != 413 || err.Code != "request_too_large" {
		t.Errorf("got %+v", err)
	}
}

func TestDroppedNamesAreBounded(t *testing.T) {
	t.Parallel()
	req := translate.Request{Model: "m", Turns: []translate.Turn{user("Hi")}}
	for i := range 1000 {
		req.Extra = append(req.Extra, translate.Member{Name: strings.Repeat("x", i+1), Value: jsontext.Value(`1`)})
	}
	if enc := encode(t, req, Options{}); len(enc.Dropped) != maxDropped {
		t.Errorf("names %d parameters", len(enc.Dropped))
	}
}
