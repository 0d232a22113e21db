package openai

import (
	"regexp"
	"strings"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// talk returns a request with these messages.
func talk(messages ...string) string { return `{"messages":[` + strings.Join(messages, ",") + `]}` }

const (
	userHi       = `{"role":"user","content":"hi"}`
	assistantYes = `{"role":"assistant","content":"yes"}`
	systemBe     = `{"role":"system","content":"be"}`
)

func TestRewriteMessages(t *testing.T) {
	t.Parallel()
	nulls := Quirks{DropNulls: true}
	flat := Quirks{FlattenText: true}
	checkRewrites(t, map[string]rewriteCase{
		"the developer is the system": {
			quirks: Quirks{DeveloperRole: "system"}, body: talk(`{"content":"x","role":"developer"}`, `{"role":"develop\u0065r"}`, userHi),
			want: talk(`{"content":"x","role":"system"}`, `{"role":"system"}`, userHi),
		},
		"members of messages": {
			quirks:  Quirks{DropMessage: []string{"name", "cache"}},
			body:    talk(`{"role":"user","name":"n","content":"a"}`, `{"role":"user","name":"m","content":"b","cache":null}`),
			want:    talk(`{"role":"user","content":"a"}`, `{"role":"user","content":"b"}`),
			dropped: []string{"messages[].name"},
		},
		"nulls in messages": {
			quirks: nulls, body: talk(`{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"a","index":null,"function":{"name":"f","arguments":"{\"x\":null}"}}]}`, `{"role":"user","content":[{"type":"text","text":"a","x":null}]}`),
			want: talk(`{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"x\":null}"}}]}`, `{"role":"user","content":[{"type":"text","text":"a"}]}`),
		},
		"text parts become a string": {
			quirks: flat, body: talk(`{"role":"user","content":[{"type":"text","text":"a\n\""},{"text":"é","type":"text"},{"type":"text","text":""}]}`, `{"role":"user","content":[]}`),
			want: talk(`{"role":"user","content":"a\n\"\né"}`, `{"role":"user","content":""}`),
		},
		"refusals become a string": {
			quirks: flat, body: talk(`{"role":"assistant","content":[{"type":"refusal","refusal":"no"}]}`), want: talk(`{"role":"assistant","content":"no"}`),
		},
		"images keep the parts": {
			quirks: flat, body: talk(`{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"u"}}]}`),
			want: talk(`{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"u"}}]}`),
		},
		"argument objects become strings": {
			quirks: Quirks{DropStrict: true},
			body:   talk(`{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":{ "x" : "q\"\n" }}},{"id":"b","function":{"arguments":""}},{"id":"c","function":{"arguments":null}},{"id":"d","function":{"arguments":"not json"}}],"function_call":{"name":"f","arguments":{}}}`),
			want:   talk(`{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"x\":\"q\\\"\\n\"}"}},{"id":"b","function":{"arguments":""}},{"id":"c","function":{"arguments":null}},{"id":"d","function":{"arguments":"not json"}}],"function_call":{"name":"f","arguments":"{}"}}`),
		},
		"images by bare URL": {
			quirks: Quirks{ImageURL: "string"}, body: talk(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a/b","detail":"low"}},{"type":"image_url","image_url":"c"}]}`),
			want: talk(`{"role":"user","content":[{"type":"image_url","image_url":"https://a/b"},{"type":"image_url","image_url":"c"}]}`),
		},
		"files as documents": {
			quirks: Quirks{FilePart: "document_url"},
			body:   talk(`{"role":"user","content":[{"type":"file","file":{"filename":"a.pdf","file_data":"JVBERi0="}},{"type":"file","file":{"file_data":"data:application/pdf;base64,AA=="}},{"type":"file","file":{"file_id":"f1"}},{"type":"file","file":{"file_data":"AAAA"}},{"type":"file"}]}`),
			want:   talk(`{"role":"user","content":[{"type":"document_url","document_url":"data:application/pdf;base64,JVBERi0=","document_name":"a.pdf"},{"type":"document_url","document_url":"data:application/pdf;base64,AA=="},{"type":"file","file_id":"f1"},{"type":"file","file":{"file_data":"AAAA"}},{"type":"file"}]}`),
		},
		"messages of other types pass": {
			quirks: Quirks{DeveloperRole: "system", Alternate: true}, body: talk(`5`, `null`, `"x"`, `{"role":5}`, userHi), want: talk(`{"role":"user","content":"."}`, `5`, `null`, `"x"`, `{"role":5}`, userHi),
		},
		"no list of messages": {quirks: nulls, body: `{"messages":"hi"}`, want: `{"messages":"hi"}`},
		"empty assistant turns": {
			quirks: Quirks{DropEmpty: true}, body: talk(userHi, `{"role":"assistant","content":""}`, `{"role":"assistant","content":null,"tool_calls":[]}`, `{"role":"assistant"}`, `{"role":"assistant","tool_calls":[{"id":"1"}]}`, `{"role":"user","content":""}`),
			want: talk(userHi, `{"role":"assistant","tool_calls":[{"id":"1"}]}`, `{"role":"user","content":""}`),
		},
		"the beginning of an answer":          {quirks: Quirks{AssistantPrefix: "prefix"}, body: talk(assistantYes, userHi, assistantYes), want: talk(assistantYes, userHi, `{"role":"assistant","content":"yes","prefix":true}`)},
		"the beginning, marked":               {quirks: Quirks{AssistantPrefix: "prefix"}, body: talk(`{"role":"assistant","prefix":false,"content":"a"}`), want: talk(`{"role":"assistant","prefix":false,"content":"a"}`)},
		"no beginning":                        {quirks: Quirks{AssistantPrefix: "prefix"}, body: talk(assistantYes, userHi), want: talk(assistantYes, userHi)},
		"user behind tool":                    {quirks: Quirks{AfterTool: "Done."}, body: talk(`{"role":"tool","content":"1"}`, `{"role":"tool","content":"2"}`, userHi), want: talk(`{"role":"tool","content":"1"}`, `{"role":"tool","content":"2"}`, `{"role":"assistant","content":"Done."}`, userHi)},
		"a user is needed":                    {quirks: Quirks{FillUser: "."}, body: talk(systemBe, assistantYes), want: talk(systemBe, `{"role":"user","content":"."}`, assistantYes)},
		"a user is there":                     {quirks: Quirks{FillUser: "."}, body: talk(systemBe, userHi), want: talk(systemBe, userHi)},
		"taking turns, as they do":            {quirks: Quirks{Alternate: true}, body: talk(systemBe, userHi, assistantYes, userHi), want: talk(systemBe, userHi, assistantYes, userHi)},
		"taking turns, neighbours are joined": {quirks: Quirks{Alternate: true}, body: talk(systemBe, systemBe, userHi, `{"role":"user","content":"you"}`, assistantYes, assistantYes, systemBe), want: talk(`{"role":"system","content":"be\n\nbe"}`, `{"role":"user","content":"hi\n\nyou"}`, `{"role":"assistant","content":"yes\n\nyes"}`, `{"role":"user","content":"be"}`)},
		"taking turns, parts are joined": {
			quirks: Quirks{Alternate: true}, body: talk(userHi, `{"role":"user","content":[{"type":"image_url","image_url":{"url":"u"}}]}`),
			want: talk(`{"role":"user","content":[{"type":"text","text":"hi"},{"type":"image_url","image_url":{"url":"u"}}]}`),
		},
		"taking turns, the user is last":  {quirks: Quirks{Alternate: true, FillUser: "go on"}, body: talk(userHi, assistantYes), want: talk(userHi, assistantYes, `{"role":"user","content":"go on"}`)},
		"taking turns, the user is first": {quirks: Quirks{Alternate: true}, body: talk(systemBe, assistantYes, userHi), want: talk(systemBe, `{"role":"user","content":"."}`, assistantYes, userHi)},
		"taking turns, system alone":      {quirks: Quirks{Alternate: true}, body: talk(systemBe), want: talk(systemBe, `{"role":"user","content":"."}`)},
		"taking turns, calls stay apart": {
			quirks: Quirks{Alternate: true}, body: talk(userHi, `{"role":"assistant","tool_calls":[{"id":"1"}]}`, `{"role":"tool","content":"1"}`, `{"role":"tool","content":"2"}`, assistantYes, userHi),
			want: talk(userHi, `{"role":"assistant","tool_calls":[{"id":"1"}]}`, `{"role":"tool","content":"1"}`, `{"role":"tool","content":"2"}`, assistantYes, userHi),
		},
	})
}

func TestRewritePutsTheSchemaIntoASystemMessage(t *testing.T) {
	t.Parallel()
	quirks := Quirks{JSONSchema: "json_object"}
	const format = `,"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object","x":"a\nb"}}}}`
	const says = `Answer with one JSON object and nothing else. The object must be valid against this JSON Schema:\n{\"type\":\"object\",\"x\":\"a\\nb\"}`
	const object = `,"response_format":{"type":"json_object"}}`
	list := func(messages ...string) string { return strings.TrimSuffix(talk(messages...), "}") }
	checkRewrites(t, map[string]rewriteCase{
		"no system message":     {quirks: quirks, body: list(userHi) + format, want: list(`{"role":"system","content":"`+says+`"}`, userHi) + object},
		"a system message":      {quirks: quirks, body: list(systemBe, userHi) + format, want: list(`{"role":"system","content":"be\n\n`+says+`"}`, userHi) + object},
		"a system message late": {quirks: quirks, body: list(userHi, systemBe) + format, want: list(`{"role":"system","content":"`+says+`"}`, userHi, systemBe) + object},
		"a system message of parts": {
			quirks: quirks, body: list(`{"role":"system","content":[{"type":"text","text":"be"}]}`, userHi) + format,
			want: list(`{"role":"system","content":[{"type":"text","text":"be"},{"type":"text","text":"`+says+`"}]}`, userHi) + object,
		},
		"a system message without content": {quirks: quirks, body: list(`{"role":"system"}`, userHi) + format, want: list(`{"role":"system","content":"`+says+`"}`, userHi) + object},
		"a developer message":              {quirks: Quirks{JSONSchema: "json_object", DeveloperRole: "system"}, body: list(`{"role":"developer","content":""}`) + format, want: list(`{"role":"system","content":"`+says+`"}`) + object},
		"several system messages joined":   {quirks: Quirks{JSONSchema: "json_object", Alternate: true}, body: list(systemBe, systemBe, userHi) + format, want: list(`{"role":"system","content":"be\n\nbe\n\n`+says+`"}`, userHi) + object},
		"the format comes first": {
			quirks: quirks, body: `{` + format[1:len(format)-1] + `,"messages":[` + userHi + `]}`,
			want: `{` + object[1:len(object)-1] + `,"messages":[{"role":"system","content":"` + says + `"},` + userHi + `]}`,
		},
		"no schema": {
			quirks: quirks, body: list(userHi) + `,"response_format":{"type":"json_schema","json_schema":{"name":"n"}}}`,
			want: list(`{"role":"system","content":"Answer with one JSON object and nothing else."}`, userHi) + object,
		},
		"a description": {
			quirks: quirks, body: list(systemBe) + `,"response_format":{"type":"json_schema","json_schema":{"description":"A \"thing\".","schema":{}}}}`,
			want: list(`{"role":"system","content":"be\n\nAnswer with one JSON object and nothing else. The object must be valid against this JSON Schema (A \"thing\".):\n{}"}`) + object,
		},
		"another format": {quirks: quirks, body: list(userHi) + object, want: list(userHi) + object},
	})
}

func TestRewriteEchoesReasoning_E084(t *testing.T) {
	t.Parallel()
	fill := Quirks{ReasoningEcho: "fill"}
	call := func(members string) string {
		return talk(`{"role":"assistant","content":null,"tool_calls":[{"id":"1","function":{"name":"f"}}]` + members + `}`)
	}
	checkRewrites(t, map[string]rewriteCase{
		"missing":                   {quirks: fill, body: call(``), want: call(`,"reasoning_content":" "`)},
		"null":                      {quirks: fill, body: call(`,"reasoning_content":null`), want: call(`,"reasoning_content":" "`)},
		"empty":                     {quirks: fill, body: call(`,"reasoning_content":""`), want: call(`,"reasoning_content":" "`)},
		"there":                     {quirks: fill, body: call(`,"reasoning_content":"why\n"`), want: call(`,"reasoning_content":"why\n"`)},
		"under another name":        {quirks: fill, body: call(`,"reasoning":"why"`), want: call(`,"reasoning":"why","reasoning_content":"why"`)},
		"in details":                {quirks: fill, body: call(`,"reasoning_details":[{"type":"reasoning.text","text":"a"},{"data":"x"},{"text":"b"}]`), want: call(`,"reasoning_details":[{"type":"reasoning.text","text":"a"},{"data":"x"},{"text":"b"}],"reasoning_content":"ab"`)},
		"in blocks":                 {quirks: fill, body: call(`,"thinking_blocks":[{"thinking":"a"}]`), want: call(`,"thinking_blocks":[{"thinking":"a"}],"reasoning_content":"a"`)},
		"turns without calls":       {quirks: fill, body: talk(assistantYes), want: talk(assistantYes)},
		"turns with an empty list":  {quirks: fill, body: talk(`{"role":"assistant","tool_calls":[]}`), want: talk(`{"role":"assistant","tool_calls":[]}`)},
		"the provider wants it not": {quirks: Quirks{ReasoningEcho: "drop"}, body: call(`,"reasoning_content":"a","reasoning":"b","reasoning_details":[],"thinking_blocks":[]`), want: call(``)},
		"the provider takes it":     {quirks: Quirks{DropStrict: true}, body: call(`,"reasoning_content":"a","reasoning_details":[{}]`), want: call(`,"reasoning_content":"a","reasoning_details":[{}]`)},
	})
}

func TestRewriteMakesToolIDsOfNineAlphanumerics_E057(t *testing.T) {
	t.Parallel()
	quirks := Quirks{ToolID: "alnum9"}
	body := talk(`{"role":"assistant","tool_calls":[{"id":"call_abc:1"},{"id":"call_abc:2"},{"id":"aB3456789"},{"id":"functions.é:0"}]}`,
		`{"role":"tool","tool_call_id":"call_abc:2","content":""}`, `{"tool_call_id":"call\u005fabc:1","role":"tool","content":""}`,
		`{"role":"tool","tool_call_id":"aB3456789","content":""}`, `{"role":"tool","tool_call_id":"functions.\u00e9:0","content":""}`)
	out, dropped, err := Rewrite(nil, []byte(body), membersOf(t, body), &quirks, Edit{})
	if err != nil || dropped != nil {
		t.Fatal(dropped, err)
	}
	var calls, results []string
	for w := jsonscan.Walk(jsonscan.Get(out, "messages")); w.Next(); {
		for c := jsonscan.Walk(jsonscan.Get(w.Value, "tool_calls")); c.Next(); {
			calls = append(calls, jsonscan.String(jsonscan.Get(c.Value, "id")))
		}
		if id := jsonscan.Get(w.Value, "tool_call_id"); id != nil {
			results = append(results, jsonscan.String(id))
		}
	}
	form := regexp.MustCompile(`^[A-Za-z0-9]{9}$`)
	if len(calls) != 4 || len(results) != 4 {
		t.Fatalf("got calls %q and results %q", calls, results)
	}
	for i, k := range []int{1, 0, 2, 3} {
		if results[i] != calls[k] || !form.MatchString(calls[k]) {
			t.Errorf("result %d has id %q, its call %q", i, results[i], calls[k])
		}
	}
	if calls[0] == calls[1] || calls[2] != "aB3456789" {
		t.Errorf("got ids %q", calls)
	}
	if again, _, _ := Rewrite(nil, []byte(body), membersOf(t, body), &quirks, Edit{}); string(again) != string(out) {
		t.Error("the ids are others the second time")
	}
}
