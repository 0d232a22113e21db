package gemini

import (
	"reflect"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

func TestParallelCalls_E038(t *testing.T) {
	t.Parallel()
	for name, events := range map[string][]string{
		"one chunk":   {parts("STOP", callA, callB)},
		"two chunks":  {parts("", callA), parts("STOP", callB)},
		"text before": {parts("", `{"text":"let me look"}`, callA), parts("", callB), parts("STOP")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := decodeEvents(t, NewDecoder(nil), events...).only(t)
			if len(c.tools) != 2 || c.tools[0].id == c.tools[1].id || c.tools[1].args != `{"q":"a"}` || c.finish != translate.FinishToolCalls {
				t.Errorf("got %+v", c)
			}
		})
	}
}

func TestCallsWithoutArguments_E049(t *testing.T) {
	t.Parallel()
	for _, call := range []string{`{"name":"f"}`, `{"name":"f","args":{}}`, `{"name":"f","args":null}`, `{"name":"f","args":{ }}`} {
		chunk := parts("STOP", `{"functionCall":`+call+`}`)
		for how, c := range map[string]*choiceView{
			"stream": decodeEvents(t, NewDecoder(nil), chunk).only(t),
			"body":   decodeBody(t, NewDecoder(nil), chunk).only(t),
		} {
			if len(c.tools) != 1 || c.tools[0].args != "{}" {
				t.Errorf("%s %s: got %+v", call, how, c.tools)
			}
		}
	}
}

func TestCallBeforeTokenLimit_E051(t *testing.T) {
	t.Parallel()
	if c := decodeEvents(t, NewDecoder(nil), parts("MAX_TOKENS", callA)).only(t); c.finish != translate.FinishLength || len(c.tools) != 1 {
		t.Errorf("got %+v", c)
	}
}

func TestSignatureOnItsCall_E079(t *testing.T) {
	t.Parallel()
	c := decodeEvents(t, NewDecoder(nil), parts("STOP",
		`{"functionCall":{"name":"f","id":"spt7zdfl"},"thoughtSignature":"c2ln\u003d"}`, `{"functionCall":{"name":"g"}}`)).only(t)
	if first := c.tools[0]; first.id != "spt7zdfl" || first.signature != "c2ln=" || first.format != FormatReasoning {
		t.Errorf("first call %+v", first)
	}
	if c.tools[1].signature != "" || len(c.encrypted) != 0 {
		t.Errorf("the signature was copied: %+v, %v", c.tools[1], c.encrypted)
	}
}

func TestRenamedAndCustomTools(t *testing.T) {
	t.Parallel()
	enc := &translate.Encoded{Names: map[string]string{"a_b": "a b", "sh": "$h"}, CustomTools: []string{"sh"}}
	c := decodeEvents(t, NewDecoder(enc), parts("STOP", `{"functionCall":{"name":"a_b","args":{"n": 1.50, "s":"x \"y\" \\ \u00e9"}}}`,
		`{"functionCall":{"name":"sh","args":{"input":"ls\n\"-l\""}}}`, `{"functionCall":{"name":"sh","args":{"input":5}}}`, `{"functionCall":{"name":"sh"}}`)).only(t)
	want := []toolView{
		{name: "a b", args: `{"n":1.50,"s":"x \"y\" \\ \u00e9"}`}, {name: "$h", args: "ls\n\"-l\"", custom: true}, {name: "$h", args: `{"input":5}`, custom: true}, {name: "$h", custom: true},
	}
	for i := range c.tools {
		c.tools[i].id = ""
	}
	if !reflect.DeepEqual(c.tools, want) {
		t.Errorf("got  %+v\nwant %+v", c.tools, want)
	}
}

func TestServerToolsAreNeitherCallsNorText(t *testing.T) {
	t.Parallel()
	d := NewDecoder(nil)
	d.ExposeRaw = true
	c := decodeEvents(t, d, parts("", `{"executableCode":{"code":"1+1"},"thoughtSignature":"c2ln"}`, `{"codeExecutionResult":{"output":"2"}}`),
		`{"candidates":[{"content":{"parts":[{"text":"2"}]},"finishReason":"OTHER","finishMessage":"odd","safetyRatings":[{"category":"X"}]}]}`).only(t)
	want := `{"parts":[{"executableCode":{"code":"1+1"},"thoughtSignature":"c2ln"},{"codeExecutionResult":{"output":"2"}}],"safetyRatings":[{"category":"X"}],"finishReason":"OTHER","finishMessage":"odd"}`
	if c.text != "2" || len(c.tools) != 0 || !reflect.DeepEqual(c.vendor, []string{want}) {
		t.Errorf("text %q, tools %v, vendor %s", c.text, c.tools, c.vendor)
	}
	if d.NativeFinish() != "OTHER" {
		t.Errorf("native finish %q", d.NativeFinish())
	}
	if c := decodeEvents(t, NewDecoder(nil), parts("STOP", `{"toolCall":{}}`, `{"text":"2"}`)).only(t); len(c.vendor) != 0 {
		t.Errorf("vendor fields without being asked: %s", c.vendor)
	}
	if c := decodeEvents(t, NewDecoder(nil), parts("", `{"toolCall":{}}`)).only(t); c.finish != translate.FinishStop {
		t.Errorf("an answer of nothing but a server tool gave %+v", c)
	}
}

func TestArgumentsInPieces(t *testing.T) {
	t.Parallel()
	piece := func(args, more string) string { return `{"functionCall":{"partialArgs":[` + args + `]` + more + `}}` }
	const on = `,"willContinue":true`
	start := `{"functionCall":{"name":"order","willContinue":true},"thoughtSignature":"c2ln"}`
	for name, tc := range map[string]struct {
		parts []string
		want  []string
	}{
		"nested": {[]string{start,
			piece(`{"jsonPath":"$.items[0].name","stringValue":"Fresh ","willContinue":true}`, on), piece(`{"jsonPath":"$.items[0].name","stringValue":"\"red\" apple"}`, on),
			piece(`{"jsonPath":"$.items[1].price","numberValue":0.5},{"jsonPath":"$['a b']","boolValue":true}`, on), piece(`{"jsonPath":"$.none","nullValue":"NULL_VALUE"}`, ""),
			`{"text":""}`},
			[]string{`{"items":[{"name":"Fresh \"red\" apple"},{"price":0.5}],"a b":true,"none":null}`}},
		"ended by an empty call":      {[]string{start, piece(`{"jsonPath":"$.a","stringValue":"x"}`, on), `{"functionCall":{}}`}, []string{`{"a":"x"}`}},
		"ended by the next call":      {[]string{start, piece(`{"jsonPath":"$.a","numberValue":1}`, on), start, piece(`{"jsonPath":"$.a","numberValue":2}`, "")}, []string{`{"a":1}`, `{"a":2}`}},
		"ended by the end":            {[]string{start}, []string{`{}`}},
		"paths that make no sense":    {[]string{start, piece(`{"jsonPath":"a","numberValue":1},{"jsonPath":"$[99999]","numberValue":1},{"jsonPath":"$.","numberValue":1},{"jsonPath":"$..","numberValue":1}`, "")}, []string{`{}`}},
		"a scalar cannot have a name": {[]string{start, piece(`{"jsonPath":"$.a","numberValue":1},{"jsonPath":"$.a.b","numberValue":2}`, "")}, []string{`{"a":1}`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var events []string
			for _, p := range tc.parts {
				events = append(events, parts("", p))
			}
			c := decodeEvents(t, NewDecoder(nil), append(events, parts("STOP"))...).only(t)
			var got []string
			for _, call := range c.tools {
				got = append(got, call.args)
			}
			if !reflect.DeepEqual(got, tc.want) || c.tools[0].signature != "c2ln" {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
