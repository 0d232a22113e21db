package openai

import (
	"fmt"
	"testing"
)

// remembered is an Edit of a gateway that remembers what led to the calls "1" and "2" of
// the client's third message.
var remembered = Edit{
	Reasoning: func(message int, id, name string) string {
		if message == 2 && (id == "1" || id == "2") && name == "f" {
			return "because \"of\"\n" + id
		}
		return ""
	},
	Signature: func(message int, id, name string) (signature, format string) {
		switch fmt.Sprint(message, id, name) {
		case "21f":
			return "c2ln/w==", googleFormat
		case "22f":
			return "foreign", "anthropic-claude-v1"
		}
		return "", ""
	},
}

// toolTalk is a conversation whose third message has the calls and the further members.
func toolTalk(calls, members string) string {
	return talk(systemBe, userHi, `{"role":"assistant","content":null,"tool_calls":[`+calls+`]`+members+`}`)
}

func TestRewriteFillsInRememberedReasoning_E084(t *testing.T) {
	t.Parallel()
	fill := Quirks{ReasoningEcho: "fill"}
	one, two := `{"id":"1","function":{"name":"f"}}`, `{"id":"2","function":{"name":"f"}}`
	other := `{"id":"3","function":{"name":"f"}}`
	checkRewrites(t, map[string]rewriteCase{
		"missing":              {quirks: fill, edit: remembered, body: toolTalk(one, ``), want: toolTalk(one, `,"reasoning_content":"because \"of\"\n1"`)},
		"blank":                {quirks: fill, edit: remembered, body: toolTalk(one, `,"reasoning_content":""`), want: toolTalk(one, `,"reasoning_content":"because \"of\"\n1"`)},
		"the client's wins":    {quirks: fill, edit: remembered, body: toolTalk(one, `,"reasoning_content":"own"`), want: toolTalk(one, `,"reasoning_content":"own"`)},
		"details win":          {quirks: fill, edit: remembered, body: toolTalk(one, `,"reasoning_details":[{"text":"own"}]`), want: toolTalk(one, `,"reasoning_details":[{"text":"own"}],"reasoning_content":"own"`)},
		"of any call":          {quirks: fill, edit: remembered, body: toolTalk(other+","+two, ``), want: toolTalk(other+","+two, `,"reasoning_content":"because \"of\"\n2"`)},
		"of none":              {quirks: fill, edit: remembered, body: toolTalk(other, ``), want: toolTalk(other, `,"reasoning_content":" "`)},
		"odd calls":            {quirks: fill, edit: remembered, body: toolTalk(`1,{"id":1},{"id":"1","function":"f"}`, ``), want: toolTalk(`1,{"id":1},{"id":"1","function":"f"}`, `,"reasoning_content":" "`)},
		"messages move":        {quirks: Quirks{ReasoningEcho: "fill", DropEmpty: true, DeveloperRole: "system"}, edit: remembered, body: talk(`{"role":"assistant"}`, userHi, `{"role":"assistant","tool_calls":[`+one+`]}`), want: talk(userHi, `{"role":"assistant","tool_calls":[`+one+`],"reasoning_content":"because \"of\"\n1"}`)},
		"who does not want it": {quirks: Quirks{DropStrict: true}, edit: remembered, body: toolTalk(one, ``), want: toolTalk(one, ``)},
	})
}

func TestRewriteSignsCalls_E079(t *testing.T) {
	t.Parallel()
	sign := Quirks{ReasoningEcho: "sign"}
	call := func(id, members string) string { return `{"id":"` + id + `","function":{"name":"f"}` + members + `}` }
	signed := func(s string) string { return `,"extra_content":{"google":{"thought_signature":"` + s + `"}}` }
	const details = `,"reasoning_details":[{"type":"reasoning.encrypted","data":"other","format":"anthropic-claude-v1","id":"1"},{"type":"reasoning.encrypted","data":"own","format":"google-gemini-v1","id":"1"}]`
	checkRewrites(t, map[string]rewriteCase{
		"remembered":                   {quirks: sign, edit: remembered, body: toolTalk(call("1", ``)+","+call("3", ``), ``), want: toolTalk(call("1", signed("c2ln/w=="))+","+call("3", ``), ``)},
		"kept":                         {quirks: sign, edit: remembered, body: toolTalk(call("1", signed("own")), ``), want: toolTalk(call("1", signed("own")), ``)},
		"kept on another":              {quirks: sign, edit: remembered, body: toolTalk(call("3", signed("own"))+","+call("1", ``), ``), want: toolTalk(call("3", signed("own"))+","+call("1", ``), ``)},
		"kept in details":              {quirks: sign, edit: remembered, body: toolTalk(call("1", ``), details), want: toolTalk(call("1", signed("own")), details)},
		"kept in details, no memory":   {quirks: sign, body: toolTalk(call("1", ``), details), want: toolTalk(call("1", signed("own")), details)},
		"another vendor's":             {quirks: sign, edit: remembered, body: toolTalk(call("2", ``), ``), want: toolTalk(call("2", ``), ``)},
		"a member of that name":        {quirks: sign, edit: remembered, body: toolTalk(call("1", `,"extra_content":{}`), ``), want: toolTalk(call("1", `,"extra_content":{}`), ``)},
		"odd calls":                    {quirks: sign, edit: remembered, body: toolTalk(`1,{},{"id":"1"}`, ``), want: toolTalk(`1,{},{"id":"1"}`, ``)},
		"a provider that knows it not": {quirks: Quirks{DropStrict: true}, edit: remembered, body: toolTalk(call("1", ``), ``), want: toolTalk(call("1", ``), ``)},
	})
}
