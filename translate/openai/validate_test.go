package openai

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// membersOf scans a request that must be valid JSON.
func membersOf(t testing.TB, body string) []jsonscan.Member {
	t.Helper()
	members, err := jsonscan.Object(nil, []byte(body), MaxDepth)
	if err != nil {
		t.Fatalf("%.200s: %v", body, err)
	}
	return members
}

// asking returns a small request with further members.
func asking(members string) string {
	return `{"model":"m","messages":[{"role":"user","content":"hi"}]` + members + `}`
}

func TestReadHeadFindsWhatRoutingNeeds(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		body string
		want Head
	}{
		{asking(``), Head{Model: "m"}},
		{asking(`,"stream":null,"stream_options":null,"n":null,"stop":null`), Head{Model: "m"}},
		{asking(`,"stream":false`), Head{Model: "m", HasStream: true}},
		{asking(`,"stream":true,"stream_options":{}`), Head{Model: "m", HasStream: true, Stream: true}},
		{asking(`,"stream_options":{"include_obfuscation":false,"include_usage":true},"stream":true`), Head{Model: "m", HasStream: true, Stream: true, IncludeUsage: true}},
		{asking(`,"stream":true,"stream_options":{"include_usage":false}`), Head{Model: "m", HasStream: true, Stream: true}},
		{asking(`,"x":1,"modelx":2,"temperature":1,"stop":"a","tools":[],"tool_choice":"auto","reasoning_effort":3`), Head{Model: "m"}},
		{`{"messages":[1],"model":"gpt-4o\u002dmini é/漢"}`, Head{Model: "gpt-4o-mini é/漢"}},
	} {
		got, err := ReadHead(membersOf(t, tc.body))
		messages := string(got.Messages)
		got.Messages = nil
		if err != nil || fmt.Sprint(got) != fmt.Sprint(tc.want) || !strings.Contains(tc.body, messages) || messages == "" {
			t.Errorf("%s: got %+v, %v; want %+v", tc.body, got, err, tc.want)
		}
		if model, err := ReadModel(membersOf(t, tc.body)); err != nil || model != tc.want.Model {
			t.Errorf("%s: ReadModel says %q, %v", tc.body, model, err)
		}
	}
}

func TestReadHeadNamesMistakes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ body, code, param, message string }{
		{`{"messages":[1]}`, "missing_required_parameter", "model", "Missing required parameter: 'model'."},
		{`{"model":null,"messages":[1]}`, "invalid_type", "model", "Invalid type for 'model': expected a string, but got null instead."},
		{`{"model":5,"messages":[1]}`, "invalid_type", "model", "Invalid type for 'model': expected a string, but got an integer instead."},
		{`{"model":["m"],"messages":[1]}`, "invalid_type", "model", "expected a string, but got an array instead"},
		{`{"model":"","messages":[1]}`, "invalid_value", "model", "empty string"},
		{`{"model":"a\nb","messages":[1]}`, "invalid_value", "model", "control characters"},
		{`{"model":"a\u0085b","messages":[1]}`, "invalid_value", "model", "control characters"},
		{`{"model":"` + strings.Repeat("m", MaxModel+1) + `","messages":[1]}`, "string_above_max_length", "model", "maximum length 512, but got a string with length 513"},
		{`{"model":"m"}`, "missing_required_parameter", "messages", "Missing required parameter: 'messages'."},
		{`{"model":"m","messages":null}`, "invalid_type", "messages", "Invalid type for 'messages': expected an array of objects, but got null instead."},
		{`{"model":"m","messages":"hi"}`, "invalid_type", "messages", "but got a string instead"},
		{`{"model":"m","messages":{}}`, "invalid_type", "messages", "but got an object instead"},
		{`{"model":"m","messages":[ ]}`, "empty_array", "messages", "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead."},
		{asking(`,"stream":"true"`), "invalid_type", "stream", "Invalid type for 'stream': expected a boolean, but got a string instead."},
		{asking(`,"stream":1`), "invalid_type", "stream", "but got an integer instead"},
		{asking(`,"stream":true,"stream_options":[]`), "invalid_type", "stream_options", "expected an object, but got an array"},
		{asking(`,"stream":true,"stream_options":{"include_usage":"yes"}`), "invalid_type", "stream_options.include_usage", "expected a boolean"},
		{asking(`,"stream":true,"stream_options":{"include_usage":true,"include\u005fusage":false}`), "invalid_json", "stream_options.include_usage", "given twice"},
		{asking(`,"stream_options":{}`), "", "stream_options", "The 'stream_options' parameter is only allowed when 'stream' is enabled."},
		{asking(`,"stream":false,"stream_options":{"include_usage":true}`), "", "stream_options", "only allowed when 'stream' is enabled"},
		{asking(`,"temperature":"1"`), "invalid_type", "temperature", "Invalid type for 'temperature': expected a decimal, but got a string instead."},
		{asking(`,"n":"2"`), "invalid_type", "n", "Invalid type for 'n': expected an integer, but got a string instead."},
		{asking(`,"stop":1.5`), "invalid_type", "stop", "expected one of a string or array of strings, but got a decimal number instead"},
		{asking(`,"tools":{}`), "invalid_type", "tools", "expected an array of objects"},
		{asking(`,"tool_choice":true`), "invalid_type", "tool_choice", "expected one of a string or object, but got a boolean instead"},
		{asking(`,"response_format":"json"`), "invalid_type", "response_format", "expected an object"},
		{asking(`,"user":[]`), "invalid_type", "user", "expected a string"},
		{asking(`,"parallel_tool_calls":0`), "invalid_type", "parallel_tool_calls", "expected a boolean"},
		{asking(`,"modalities":"text"`), "invalid_type", "modalities", "expected an array of strings"},
		{asking(`,"Model":"other"`), "unknown_parameter", "Model", "Did you mean 'model'?"},
		{asking(`,"MODEL":"other"`), "unknown_parameter", "MODEL", "'model'"},
		{asking(`,"ſtream":true`), "unknown_parameter", "ſtream", "'stream'"},
		{asking(`,"meſſageſ":[]`), "unknown_parameter", "meſſageſ", "'messages'"},
		{asking(`,"\u004dessages":[]`), "unknown_parameter", "Messages", "'messages'"},
	} {
		_, err := ReadHead(membersOf(t, tc.body))
		if err == nil {
			t.Errorf("%.120s: no error", tc.body)
			continue
		}
		if err.Status != 400 || err.Type != "invalid_request_error" || err.Class != translate.ErrorRequest || err.Code != tc.code || err.Param != tc.param || !strings.Contains(err.Message, tc.message) {
			t.Errorf("%.120s:\ngot  %+v\nwant code %q, param %q, message %q", tc.body, *err, tc.code, tc.param, tc.message)
		}
	}
}

func TestReadHeadAllocatesTheModelAlone(t *testing.T) {
	members := membersOf(t, asking(`,"stream":true,"stream_options":{"include_usage":true},"temperature":1,"stop":["a"],"tool_choice":"auto","unknown":1`))
	allocs := testing.AllocsPerRun(100, func() {
		if _, err := ReadHead(members); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 1 {
		t.Errorf("got %v allocations, want one for the model", allocs)
	}
}

func TestScanErrorTellsWhere(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", MaxDepth+1)
	for _, tc := range []struct{ body, param, message string }{
		{`{"model":}`, "", "expected a value at byte 9"},
		{`{"model":"m"`, "", "unexpected end of the JSON text at byte 12"},
		{``, "", "unexpected end of the JSON text at byte 0"},
		{`[]`, "", "expected an object at byte 0"},
		{`{"a":1,"a":2}`, "a", "the member 'a' is given twice"},
		{`{"a":` + deep, "", "nested too deeply"},
		{"{\"a\":\"\xff\"}", "", "not valid UTF-8"},
		{`{"` + strings.Repeat("é", 500) + `":1,"` + strings.Repeat("é", 500) + `":1}`, strings.Repeat("é", 128) + "…", "given twice"},
	} {
		_, err := jsonscan.Object(nil, []byte(tc.body), MaxDepth)
		got := ScanError(fmt.Errorf("reading: %w", err))
		if got.Status != 400 || got.Code != "invalid_json" || got.Param != tc.param || !strings.Contains(got.Message, tc.message) {
			t.Errorf("%.60q: got %+v, want param %q, message %q", tc.body, *got, tc.param, tc.message)
		}
	}
	if ScanError(nil) != nil {
		t.Error("no error becomes one")
	}
	for _, err := range []error{jsonscan.ErrMembers, errors.New("other")} {
		if got := ScanError(err); got.Code != "invalid_json" || strings.Contains(got.Message, "other") {
			t.Errorf("%v: got %+v", err, got)
		}
	}
	nested := ScanError(&jsonscan.DuplicateError{Name: "b", Path: "a[0]"})
	if nested.Param != "a[0].b" {
		t.Errorf("got %q for a nested duplicate", nested.Param)
	}
}
