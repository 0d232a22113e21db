package openai

import (
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// decoded decodes a request that must be good.
func decoded(t *testing.T, body string) *translate.Request {
	t.Helper()
	r, err := DecodeRequest([]byte(body))
	if err != nil {
		t.Fatalf("%.300s: %v (%s)", body, err, err.Param)
	}
	return r
}

// mistake decodes a request that must be refused.
func mistake(t *testing.T, body, code, param, message string) {
	t.Helper()
	r, err := DecodeRequest([]byte(body))
	if err == nil {
		t.Errorf("%.300s: taken as %+v", body, r)
		return
	}
	if r != nil || err.Status != 400 || err.Type != "invalid_request_error" || err.Code != code || err.Param != param || !strings.Contains(err.Message, message) {
		t.Errorf("%.300s:\ngot  %s %q: %s\nwant %s %q: %s", body, err.Code, err.Param, err.Message, code, param, message)
	}
}

func TestDecodeReadsEveryParameter(t *testing.T) {
	t.Parallel()
	r := decoded(t, asking(`,"max_tokens":9,"max_completion_tokens":100,"temperature":0.5,"top_p":1,"top_k":40,"frequency_penalty":-2,"presence_penalty":2.0,
		"n":2.0,"seed":-9223372036854775808,"stop":["a","b"],"logprobs":true,"top_logprobs":20,"logit_bias":{ "50":-1},"reasoning_effort":"xhigh",
		"verbosity":"low","user":"u","safety_identifier":"s","prompt_cache_key":"k","service_tier":"flex","modalities":["text","audio"],
		"audio":{"voice":"x"},"prediction":{"type":"content"},"web_search_options":{},"metadata":{"a":"b"},"store":false,"stream":true,
		"stream_options":{"include_usage":true},"thinking":{ "type":"enabled" },"gone":null,"extra":"é"`))
	want := translate.Params{
		MaxTokens: new(int64(100)), Temperature: new(0.5), TopP: new(1.0), TopK: new(int64(40)), FrequencyPenalty: new(-2.0), PresencePenalty: new(2.0),
		N: new(int64(2)), Seed: new(int64(-1 << 63)), Stop: []string{"a", "b"}, Logprobs: new(true), TopLogprobs: new(int64(20)),
		LogitBias: []byte(`{ "50":-1}`), Effort: "xhigh", Verbosity: "low", User: "u", SafetyIdentifier: "s", PromptCacheKey: "k", ServiceTier: "flex",
		Modalities: []string{"text", "audio"}, Audio: []byte(`{"voice":"x"}`), Prediction: []byte(`{"type":"content"}`), WebSearch: []byte(`{}`),
		Metadata: []byte(`{"a":"b"}`), Store: new(false),
	}
	if !reflect.DeepEqual(r.Params, want) {
		t.Errorf("got %+v\nwant %+v", r.Params, want)
	}
	if r.Model != "m" || !r.Stream || !r.IncludeUsage {
		t.Errorf("got model %q, stream %v, usage %v", r.Model, r.Stream, r.IncludeUsage)
	}
	if len(r.Extra) != 2 || string(r.Get("thinking")) != `{ "type":"enabled" }` || string(r.Get("extra")) != `"é"` || r.Extra[0].Name != "thinking" || r.Get("gone") != nil {
		t.Errorf("got extra members %v", r.Extra)
	}
}

func TestDecodeTakesNullForAbsent(t *testing.T) {
	t.Parallel()
	r := decoded(t, asking(`,"max_tokens":null,"temperature":null,"stop":null,"logprobs":null,"logit_bias":null,"reasoning_effort":null,"response_format":null,
		"user":null,"modalities":null,"tools":null,"tool_choice":null,"parallel_tool_calls":null,"functions":null,"function_call":null,"stream":null,"n":null`))
	plain := decoded(t, asking(``))
	if !reflect.DeepEqual(r, plain) {
		t.Errorf("got  %+v\nwant %+v", r, plain)
	}
}

func TestDecodePrefersMaxCompletionTokens(t *testing.T) {
	t.Parallel()
	for members, want := range map[string]int64{
		`,"max_tokens":5`: 5, `,"max_completion_tokens":6`: 6, `,"max_completion_tokens":6,"max_tokens":5`: 6, `,"max_tokens":5,"max_completion_tokens":null`: 5,
	} {
		if r := decoded(t, asking(members)); r.Params.MaxTokens == nil || *r.Params.MaxTokens != want {
			t.Errorf("%s: got %v", members, r.Params.MaxTokens)
		}
	}
}

func TestDecodeReadsStopInBothForms(t *testing.T) {
	t.Parallel()
	for members, want := range map[string][]string{`,"stop":"a"`: {"a"}, `,"stop":[]`: {}, `,"stop":["a","","c","d","e"]`: {"a", "", "c", "d", "e"}} {
		if r := decoded(t, asking(members)); !reflect.DeepEqual(r.Params.Stop, want) {
			t.Errorf("%s: got %q", members, r.Params.Stop)
		}
	}
}

func TestDecodeReadsResponseFormats(t *testing.T) {
	t.Parallel()
	for members, want := range map[string]translate.ResponseFormat{
		`{"type":"text"}`:        {Type: "text"},
		`{"type":"json_object"}`: {Type: "json_object"},
		`{"json_schema":{"schema":{"z":1, "a":2},"strict":true,"name":"n","description":"d"},"type":"json_schema"}`: {Type: "json_schema", Name: "n", Description: "d", Schema: []byte(`{"z":1, "a":2}`), Strict: new(true)},
		`{"type":"json_schema","json_schema":{"name":"n","strict":null,"schema":null}}`:                             {Type: "json_schema", Name: "n"},
	} {
		if r := decoded(t, asking(`,"response_format":`+members)); !reflect.DeepEqual(*r.Params.Format, want) {
			t.Errorf("%s: got %+v", members, *r.Params.Format)
		}
	}
}

func TestDecodeNamesMistakesInParameters(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ members, code, param, message string }{
		{`,"max_tokens":0`, "integer_below_min_value", "max_tokens", "Invalid 'max_tokens': integer below minimum value. Expected a value >= 1, but got 0 instead."},
		{`,"max_tokens":1.5`, "invalid_type", "max_tokens", "expected an integer, but got a decimal number instead"},
		{`,"max_completion_tokens":9223372036854775808`, "integer_above_max_value", "max_completion_tokens", "integer above maximum value"},
		{`,"seed":9223372036854775808.0`, "integer_above_max_value", "seed", ""},
		{`,"seed":-9223372036854775809`, "integer_below_min_value", "seed", ""},
		{`,"seed":-1e300`, "integer_below_min_value", "seed", ">= -9223372036854775808"},
		{`,"n":129`, "integer_above_max_value", "n", "<= 128, but got 129"},
		{`,"temperature":2.1`, "decimal_above_max_value", "temperature", "Expected a value <= 2, but got 2.1 instead."},
		{`,"temperature":1e999`, "decimal_above_max_value", "temperature", ""},
		{`,"top_p":-0.1`, "decimal_below_min_value", "top_p", ">= 0"},
		{`,"stop":["a",1]`, "invalid_type", "stop[1]", "expected a string, but got an integer"},
		{`,"logprobs":1`, "invalid_type", "logprobs", "expected a boolean"},
		{`,"logit_bias":{},"top_logprobs":21`, "integer_above_max_value", "top_logprobs", ""},
		{`,"reasoning_effort":"huge"`, "invalid_value", "reasoning_effort", "Invalid value: 'huge'. Supported values are: 'none', 'minimal', 'low', 'medium', 'high', 'xhigh', and 'max'."},
		{`,"reasoning_effort":""`, "invalid_value", "reasoning_effort", ""},
		{`,"reasoning_effort":5`, "invalid_type", "reasoning_effort", ""},
		{`,"modalities":["text",null]`, "invalid_type", "modalities[1]", "but got null"},
		{`,"audio":"x"`, "invalid_type", "audio", ""},
		{`,"response_format":{}`, "missing_required_parameter", "response_format.type", ""},
		{`,"response_format":{"type":"xml"}`, "invalid_value", "response_format.type", "'text', 'json_object', and 'json_schema'"},
		{`,"response_format":{"type":"json_schema"}`, "missing_required_parameter", "response_format.json_schema", ""},
		{`,"response_format":{"type":"json_schema","json_schema":{}}`, "missing_required_parameter", "response_format.json_schema.name", ""},
		{`,"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":"s"}}`, "invalid_type", "response_format.json_schema.schema", ""},
		{`,"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":"s"}}`, "invalid_type", "response_format.json_schema.strict", ""},
		{`,"stream_options":{}`, "", "stream_options", "only allowed when"},
		{`,"x":{"a":[{"b":1,"c":2,"b":3}]}`, "invalid_json", "x.a[0].b", "the member 'x.a[0].b' is given twice"},
		{`,"x":{"a":"` + "\xff" + `"}`, "invalid_json", "", "not valid UTF-8"},
		{`,"x":1,"x":2`, "invalid_json", "x", "given twice"},
		{`,"x":` + strings.Repeat("[", MaxDepth), "invalid_json", "", "nested too deeply"},
		{`,"x":nul`, "invalid_json", "", "at byte 61"},
	} {
		mistake(t, asking(tc.members), tc.code, tc.param, tc.message)
	}
	mistake(t, `{"model":"m"}`, "missing_required_parameter", "messages", "")
	mistake(t, `[]`, "invalid_json", "", "expected an object")
}

func TestDecodeKeepsNothingOfTheBody(t *testing.T) {
	t.Parallel()
	body := []byte(asking(`,"tools":[{"type":"function","function":{"name":"f","parameters":{"a":1}}}],"tool_choice":"auto","x":{"y":1},"metadata":{"k":"v"},"stop":"s"`))
	r, err := DecodeRequest(body)
	if err != nil {
		t.Fatal(err)
	}
	want := decoded(t, string(body))
	for i := range body {
		body[i] = '#'
	}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("overwriting the body changed the request: %+v", r)
	}
}

// TestDecodeTakesRecordedRequests decodes every request that a provider of the dialect
// has been recorded to take.
func TestDecodeTakesRecordedRequests(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("../../e2e/testdata/recordings/*/*/request.json")
	n := 0
	for _, file := range files {
		var meta struct {
			Family string `json:"family"`
			Status int    `json:"status"`
		}
		text, err := os.ReadFile(filepath.Join(filepath.Dir(file), "meta.json"))
		if err == nil {
			err = json.Unmarshal(text, &meta)
		}
		body, readErr := os.ReadFile(file)
		if err != nil || readErr != nil {
			t.Fatal(file, err, readErr)
		}
		if meta.Family != "openai" || meta.Status != 200 {
			continue
		}
		n++
		r, bad := DecodeRequest(body)
		if bad != nil {
			t.Errorf("%s: %v (%s)", file, bad, bad.Param)
			continue
		}
		if r.Model == "" || len(r.Turns) == 0 {
			t.Errorf("%s: got model %q and %d turns", file, r.Model, len(r.Turns))
		}
	}
	if n < 20 {
		t.Fatalf("only %d recorded requests were found", n)
	}
}

// FuzzDecodeRequest checks that any text is either refused with a proper error or
// becomes a request whose parts are complete, the same each time.
func FuzzDecodeRequest(f *testing.F) {
	for _, s := range requestSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := string(body)
		r, err := DecodeRequest(body)
		if string(body) != before {
			t.Fatal("the body was changed")
		}
		if err != nil {
			if r != nil || err.Status != 400 || err.Message == "" || err.Class != translate.ErrorRequest {
				t.Fatalf("%s: got %+v, %+v", body, r, *err)
			}
			return
		}
		if r.Model == "" || len(r.Turns) == 0 {
			t.Fatalf("%s: got model %q and %d turns", body, r.Model, len(r.Turns))
		}
		for i := range r.Turns {
			if turn := &r.Turns[i]; turn.Role == 0 || turn.Path == "" {
				t.Fatalf("%s: turn %d is %+v", body, i, *turn)
			}
			checkParts(t, r.Turns[i].Parts)
		}
		for _, tool := range r.Tools {
			if tool.Kind == 0 || tool.Path == "" || tool.Kind != translate.ToolRaw && tool.Name == "" {
				t.Fatalf("%s: tool %+v", body, tool)
			}
		}
		if again, _ := DecodeRequest(body); !reflect.DeepEqual(r, again) {
			t.Fatalf("%s: got %+v and then %+v", body, r, again)
		}
	})
}

func checkParts(t *testing.T, parts []translate.Part) {
	t.Helper()
	for _, p := range parts {
		complete := p.Path != ""
		switch p.Kind {
		case translate.PartText, translate.PartRefusal:
		case translate.PartImage, translate.PartAudio, translate.PartFile, translate.PartVideo:
			m := p.Media
			complete = complete && m != nil
			if complete {
				n := 0
				for _, s := range []string{m.URL, m.Data, m.FileID} {
					n += min(len(s), 1)
				}
				complete = n == 1 && (m.Data == "" || len(m.Data)%4 == 0)
			}
		case translate.PartToolCall:
			complete = complete && p.Call != nil && p.Call.ID != "" && p.Call.Name != ""
		case translate.PartToolResult:
			complete = complete && p.Result != nil && p.Result.CallID != ""
			if complete {
				checkParts(t, p.Result.Parts)
			}
		case translate.PartReasoning:
			complete = complete && p.Reasoning != nil
		default:
			complete = false
		}
		if !complete {
			t.Fatalf("part %+v is not complete", p)
		}
	}
}

func BenchmarkDecodeRequest(b *testing.B) {
	body := []byte(largeRequest(200 << 10))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeRequest(body); err != nil {
			b.Fatal(err)
		}
	}
}

// TestDecodeRequestBudget bounds the allocations to a few for each message.
func TestDecodeRequestBudget(t *testing.T) {
	body := largeRequest(100 << 10)
	messages := strings.Count(body, `"role"`)
	text := []byte(body)
	allocs := testing.AllocsPerRun(20, func() {
		if _, err := DecodeRequest(text); err != nil {
			t.Fatal(err)
		}
	})
	if budget := float64(4*messages + 20); allocs > budget {
		t.Errorf("got %v allocations for %d messages, want at most %v", allocs, messages, budget)
	}
}

// TestManyOfEverythingTakesLinearTime has so many tools, names, calls and messages that
// anything done for each pair of them would not end.
func TestManyOfEverythingTakesLinearTime(t *testing.T) {
	t.Parallel()
	const n = 50_000
	list := func(format string) string {
		return strings.TrimSuffix(strings.Repeat(format+",", n), ",")
	}
	numbered := func(before, after string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString("," + before + strconv.Itoa(i) + after)
		}
		return b.String()[1:]
	}
	names := numbered(`{"type":"function","function":{"name":"f`, `"}}`)
	tools := asking(`,"tools":[` + names + `],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[` + names + `]}}`)
	legacy := conversation(list(`{"role":"assistant","function_call":{"name":"f","arguments":""}}`) + `,` + list(`{"role":"function","name":"g","content":""}`))
	turns := conversation(list(`{"role":"tool","tool_call_id":"a","content":""},{"role":"user","content":""}`))
	q := Quirks{AfterTool: "ok", ToolChoice: map[string]string{"function": "any", "required": "any"}, DropEmpty: true, Alternate: true}
	for _, body := range []string{tools, legacy, turns} {
		decoded(t, body)
		if _, _, err := Rewrite(nil, []byte(body), membersOf(t, body), &q, Edit{}); err != nil {
			t.Error(err)
		}
	}
}
