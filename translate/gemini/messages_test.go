package gemini

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// contentsOf returns the contents of a request as JSON.
func contentsOf(t *testing.T, req translate.Request, opt Options) string {
	t.Helper()
	if req.Model == "" {
		req.Model = "gemini-2.5-flash"
	}
	raw, err := json.Marshal(body(t, req, opt)["contents"])
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// sameJSON compares two JSON texts by their values.
func sameJSON(t *testing.T, got, want string) {
	t.Helper()
	var a, b any
	if err := json.Unmarshal([]byte(got), &a); err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatalf("%v: %s", err, want)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestContents(t *testing.T) {
	t.Parallel()
	failed := result("x", "boom")
	failed.Parts[0].Result.IsError = true
	named := result("other", "by name")
	named.Parts[0].Result.Name = "f"
	const hi = `{"role":"user","parts":[{"text":"Hi"}]}`
	const calls = `{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]}`
	response := func(r string) string {
		return `{"role":"user","parts":[{"functionResponse":{"name":"f","response":` + r + `}}]}`
	}
	for name, tc := range map[string]struct {
		turns []translate.Turn
		want  string
	}{
		"nothing":                     {nil, `[` + hi + `]`},
		"empty text is not sent":      {[]translate.Turn{turn(translate.RoleUser, text(""), text("Hi"), text(""))}, `[` + hi + `]`},
		"a turn of nothing vanishes":  {[]translate.Turn{user("Hi"), assistant(""), user("there")}, `[{"role":"user","parts":[{"text":"Hi"},{"text":"there"}]}]`},
		"refusals are text":           {[]translate.Turn{user("Hi"), turn(translate.RoleAssistant, translate.Part{Kind: translate.PartRefusal, Text: "No."})}, `[` + hi + `,{"role":"model","parts":[{"text":"No."}]}]`},
		"result as text":              {[]translate.Turn{user("Hi"), turn(translate.RoleAssistant, call("x", "f", "")), result("x", "done")}, `[` + hi + `,` + calls + `,` + response(`{"output":"done"}`) + `]`},
		"result as object":            {[]translate.Turn{user("Hi"), turn(translate.RoleAssistant, call("x", "f", "")), result("x", ` {"a":1} `)}, `[` + hi + `,` + calls + `,` + response(`{"a":1}`) + `]`},
		"result as number":            {[]translate.Turn{user("Hi"), turn(translate.RoleAssistant, call("x", "f", "")), result("x", `42`)}, `[` + hi + `,` + calls + `,` + response(`{"output":"42"}`) + `]`},
		"result with a reference":     {[]translate.Turn{user("Hi"), turn(translate.RoleAssistant, call("x", "f", "")), result("x", `{"$ref":"#/a"}`)}, `[` + hi + `,` + calls + `,` + response(`{"output":"{\"$ref\":\"#/a\"}"}`) + `]`},
		"result of nothing":           {[]translate.Turn{user("Hi"), turn(translate.RoleAssistant, call("x", "f", "")), result("x", "")}, `[` + hi + `,` + calls + `,` + response(`{"output":""}`) + `]`},
		"failed call":                 {[]translate.Turn{user("Hi"), turn(translate.RoleAssistant, call("x", "f", "")), failed}, `[` + hi + `,` + calls + `,` + response(`{"error":"boom"}`) + `]`},
		"E-059 missing result":        {[]translate.Turn{user("Hi"), turn(translate.RoleAssistant, call("x", "f", ""))}, `[` + hi + `,` + calls + `,` + response(`{"error":"no result"}`) + `]`},
		"E-059 last of two results":   {[]translate.Turn{user("Hi"), turn(translate.RoleAssistant, call("x", "f", "")), result("x", "1"), result("x", "2")}, `[` + hi + `,` + calls + `,` + response(`{"output":"2"}`) + `]`},
		"result found by name":        {[]translate.Turn{user("Hi"), turn(translate.RoleAssistant, call("x", "f", "")), named}, `[` + hi + `,` + calls + `,` + response(`{"output":"by name"}`) + `]`},
		"E-059 result without a call": {[]translate.Turn{user("Hi"), result("x", "lost")}, `[{"role":"user","parts":[{"text":"Hi"},{"text":"Tool result for x: lost"}]}]`},
		"E-058 order of the calls": {[]translate.Turn{user("Hi"), turn(translate.RoleAssistant, call("x", "f", ""), call("y", "g", "")), result("y", "2"), user("and"), result("x", "1")},
			`[` + hi + `,{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}},{"functionCall":{"name":"g","args":{}}}]},
			{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"1"}}},{"functionResponse":{"name":"g","response":{"output":"2"}}},{"text":"and"}]}]`},
		"equal ids in order": {[]translate.Turn{user("Hi"), turn(translate.RoleAssistant, call("x", "f", ""), call("x", "f", "")), result("x", "1"), result("x", "2")},
			`[` + hi + `,{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}},{"functionCall":{"name":"f","args":{}}}]},
			{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"1"}}},{"functionResponse":{"name":"f","response":{"output":"2"}}}]}]`},
		"a call needs a user turn before it": {[]translate.Turn{turn(translate.RoleAssistant, call("x", "f", "")), result("x", "done")},
			`[{"role":"user","parts":[{"text":"."}]},` + calls + `,` + response(`{"output":"done"}`) + `]`},
		"system between call and result": {[]translate.Turn{user("Hi"), turn(translate.RoleAssistant, call("x", "f", "")), system("s"), result("x", "done")},
			`[` + hi + `,` + calls + `,` + response(`{"output":"done"}`) + `]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sameJSON(t, contentsOf(t, translate.Request{Turns: tc.turns}, Options{}), tc.want)
		})
	}
}

func TestArguments_E050(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"": `{}`, " ": `{}`, "null": `{}`, "{}": `{}`, `{"a":1}`: `{"a":1}`, `[1]`: `{"input":[1]}`, `5`: `{"input":5}`, `"x"`: `{"input":"x"}`,
		`{"a":`: `{"input":"{\"a\":"}`, "not json": `{"input":"not json"}`, "{\"a\":\"\xff\"}": "{\"input\":\"{\\\"a\\\":\\\"\ufffd\\\"}\"}",
	} {
		got := appendArguments(nil, &translate.ToolCall{Arguments: args})
		sameJSON(t, string(got), want)
	}
}

func TestCallIDs_E116(t *testing.T) {
	t.Parallel()
	for id, own := range map[string]bool{
		"spt7zdfl": true, "call_883098": true, "call_00000000000000000000abcd": false, "call_123456789012345678901234": false, "toolu_01abc": false, "SPT7ZDFL": false, "": false, "call_": false, "chatcmpl-tool-1": false,
	} {
		req := translate.Request{Model: "gemini-3.5-flash", Turns: []translate.Turn{user("Hi"), turn(translate.RoleAssistant, call(id, "f", "")), result(id, "done")}}
		for _, vertex := range []bool{false, true} {
			v := body(t, req, Options{Vertex: vertex})
			called, answered := at(v, "contents", 1, "parts", 0, "functionCall", "id"), at(v, "contents", 2, "parts", 0, "functionResponse", "id")
			if (called != nil) != (own && !vertex) || called != answered || called != nil && called != id {
				t.Errorf("id %q (Vertex %t): sent %v and %v", id, vertex, called, answered)
			}
		}
	}
}

func TestImagesInResults(t *testing.T) {
	t.Parallel()
	shot := result("x", "seen")
	shot.Parts[0].Result.Parts = append(shot.Parts[0].Result.Parts, media(translate.PartImage, translate.Media{Data: pixel, Detail: "high"}))
	turns := []translate.Turn{user("Hi"), turn(translate.RoleAssistant, call("x", "f", ""), call("y", "f", "")), shot, result("y", "ok")}
	image := `{"inlineData":{"mimeType":"image/png","data":"` + pixel + `"}}`
	v := body(t, translate.Request{Model: "gemini-3.5-flash", Turns: turns}, Options{})
	raw, _ := json.Marshal(at(v, "contents", 2, "parts"))
	sameJSON(t, string(raw), `[{"functionResponse":{"name":"f","response":{"output":"seen"},"parts":[`+image+`]}},{"functionResponse":{"name":"f","response":{"output":"ok"}}}]`)
	v = body(t, translate.Request{Model: "gemini-2.5-flash", Turns: turns}, Options{})
	raw, _ = json.Marshal(at(v, "contents", 2, "parts"))
	sameJSON(t, string(raw), `[{"functionResponse":{"name":"f","response":{"output":"seen"}}},{"functionResponse":{"name":"f","response":{"output":"ok"}}},`+image+`]`)
}

func TestNamesOfParticipantsAreDropped(t *testing.T) {
	t.Parallel()
	req := translate.Request{Model: "m", Turns: []translate.Turn{
		{Role: translate.RoleUser, Name: "ann", Path: "messages[0]", Parts: []translate.Part{text("Hi")}}, {Role: translate.RoleUser, Name: "bob", Path: "messages[1]", Parts: []translate.Part{text("Ho")}},
	}}
	if enc := encode(t, req, Options{}); !reflect.DeepEqual(enc.Dropped, []string{"messages[0].name"}) {
		t.Errorf("dropped %v", enc.Dropped)
	}
}
