package e2e

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// dialogue is a conversation with a provider that gives scripted answers: three that
// call tools, one that does not, and one more when the user has said something else.
type dialogue struct {
	provider, path, model string
	answers               [5]string
	// stream is an answer as a stream, its texts in pieces.
	stream func(answer string, cut func(string) []string) string
	// turns is the list of turns in a request, and said what the assistant said in it.
	turns string
	said  func(request []byte) []string
	// tools is what the assistant must have said in the turns with calls, byte by byte;
	// last is what it said in the one without, kept or as far as OpenAI knows it.
	tools               []string
	lastKept, lastKnown []string
}

// Thoughts with what is easily lost: escapes, and characters of two and of four bytes.
const (
	thoughtOne   = "Look at \"Zürich\"\nfirst 😀 \\ then Oslo.\t"
	thoughtTwo   = " Bern is missing.\n"
	thoughtThree = "…"
)

const claudeText, claudeCut = `{"type":"text","text":"Let me look.\n"}`, `{"type":"redacted_thinking","data":"Eo0BCkYIARgCKkD+/w=="}`

func claudeThinking(text, signature string) string {
	return `{"type":"thinking","thinking":` + quote(text) + `,"signature":"` + signature + `"}`
}

func claudeCall(id, name, input string) string {
	return `{"type":"tool_use","id":"` + id + `","name":"` + name + `","input":` + input + `}`
}

func claudeAnswer(id, reason string, blocks ...string) string {
	return `{"id":"` + id + `","type":"message","role":"assistant","model":"claude-opus-4-8","content":[` + strings.Join(blocks, ",") + `],"stop_reason":"` + reason + `","stop_sequence":null,"usage":{"input_tokens":10,"output_tokens":20}}`
}

// claudeDialogue has signed thinking, thinking that is encrypted or has no text, and
// parallel calls with arguments that must not be written anew.
var claudeDialogue = dialogue{
	provider: "anthropic", path: "/v1", model: "claude-opus-4-8", turns: "messages",
	answers: [5]string{
		claudeAnswer("msg_1", "tool_use", claudeThinking(thoughtOne, "EqQBCkYIARgC/+a=="), claudeCut, claudeText,
			claudeCall("toolu_01ZuErIcH234567890abcd", "get_weather", `{"days":1.50,"city":"Z\u00fcrich","a":{"z":[],"b":1e3}}`), claudeCall("toolu_01OsLo1234567890abcdef", "get_weather", `{"city":"Oslo"}`)),
		claudeAnswer("msg_2", "tool_use", claudeThinking("", "EqQBonly/signature+=="), claudeThinking(thoughtTwo, "EqQBsecond=="), claudeCall("toolu_01BeRn1234567890abcdef", "get_time", `{}`)),
		claudeAnswer("msg_3", "tool_use", claudeCut, claudeThinking(thoughtThree, "EqQBthird=="), claudeCall("toolu_01Third234567890abcde", "get_time", `{"zone":"CET"}`), claudeCall("toolu_01Fourth34567890abcde", "get_time", `{"zone":"CET"}`)),
		claudeAnswer("msg_4", "end_turn", claudeThinking("Done.", "EqQBfourth=="), `{"type":"text","text":"Sunny."}`),
		claudeAnswer("msg_5", "end_turn", `{"type":"text","text":"Bye."}`),
	},
	stream: claudeStream,
	said: func(request []byte) (list []string) {
		for _, turn := range gjson.GetBytes(request, `messages.#(role=="assistant")#`).Array() {
			for _, b := range turn.Get("content").Array() {
				list = append(list, b.Raw)
			}
		}
		return list
	},
	tools: []string{
		claudeThinking(thoughtOne, "EqQBCkYIARgC/+a=="), claudeCut, claudeText,
		claudeCall("toolu_01ZuErIcH234567890abcd", "get_weather", `{"days":1.50,"city":"Z\u00fcrich","a":{"z":[],"b":1e3}}`), claudeCall("toolu_01OsLo1234567890abcdef", "get_weather", `{"city":"Oslo"}`),
		claudeThinking("", "EqQBonly/signature+=="), claudeThinking(thoughtTwo, "EqQBsecond=="), claudeCall("toolu_01BeRn1234567890abcdef", "get_time", `{}`),
		claudeCut, claudeThinking(thoughtThree, "EqQBthird=="), claudeCall("toolu_01Third234567890abcde", "get_time", `{"zone":"CET"}`), claudeCall("toolu_01Fourth34567890abcde", "get_time", `{"zone":"CET"}`),
	},
	lastKept:  []string{claudeThinking("Done.", "EqQBfourth=="), `{"type":"text","text":"Sunny."}`},
	lastKnown: []string{`{"type":"text","text":"Sunny."}`},
}

// claudeStream is an answer of the Messages API as a stream.
func claudeStream(answer string, cut func(string) []string) string {
	m := gjson.Parse(answer)
	var b strings.Builder
	event := func(kind, format string, args ...any) {
		fmt.Fprintf(&b, "event: "+kind+"\ndata: {\"type\":\""+kind+"\""+format+"}\n\n", args...)
	}
	delta := func(i int, kind, member, text string) {
		for _, p := range cut(text) {
			event("content_block_delta", `,"index":%d,"delta":{"type":%q,%q:%s}`, i, kind, member, quote(p))
		}
	}
	event("message_start", `,"message":{"id":%q,"type":"message","role":"assistant","model":%q,"content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":10,"output_tokens":1}}`, m.Get("id").String(), m.Get("model").String())
	for i, c := range m.Get("content").Array() {
		switch kind := c.Get("type").String(); kind {
		case "thinking":
			event("content_block_start", `,"index":%d,"content_block":{"type":"thinking","thinking":"","signature":""}`, i)
			delta(i, "thinking_delta", "thinking", c.Get("thinking").String())
			event("content_block_delta", `,"index":%d,"delta":{"type":"signature_delta","signature":%s}`, i, c.Get("signature").Raw)
		case "text":
			event("content_block_start", `,"index":%d,"content_block":{"type":"text","text":""}`, i)
			delta(i, "text_delta", "text", c.Get("text").String())
		case "tool_use":
			event("content_block_start", `,"index":%d,"content_block":{"type":"tool_use","id":%s,"name":%s,"input":{}}`, i, c.Get("id").Raw, c.Get("name").Raw)
			event("content_block_delta", `,"index":%d,"delta":{"type":"input_json_delta","partial_json":""}`, i)
			delta(i, "input_json_delta", "partial_json", c.Get("input").Raw)
		default:
			event("content_block_start", `,"index":%d,"content_block":%s`, i, c.Raw)
		}
		event("content_block_stop", `,"index":%d`, i)
		event("ping", "")
	}
	event("message_delta", `,"delta":{"stop_reason":%q,"stop_sequence":null},"usage":{"output_tokens":20}`, m.Get("stop_reason").String())
	event("message_stop", "")
	return b.String()
}

// whole leaves a text in one piece, thirds cuts it into up to three.
func whole(s string) []string { return []string{s} }

func thirds(s string) []string {
	r := []rune(s)
	n := len(r) / 3
	return slices.DeleteFunc([]string{string(r[:n]), string(r[n : 2*n]), string(r[2*n:])}, func(p string) bool { return p == "" })
}

func geminiAnswer(id string, parts ...string) string {
	return `{"responseId":"` + id + `","modelVersion":"gemini-3-pro-preview","candidates":[{"index":0,"content":{"role":"model","parts":[` + strings.Join(parts, ",") + `]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5,"thoughtsTokenCount":5,"totalTokenCount":20}}`
}

func geminiCall(id, name, args, signature string) string {
	part := `{"functionCall":{`
	if id != "" {
		part += `"id":"` + id + `",`
	}
	part += `"name":"` + name + `","args":` + args + `}`
	if signature != "" {
		part += `,"thoughtSignature":"` + signature + `"`
	}
	return part + "}"
}

func geminiThought(text string) string { return `{"text":` + quote(text) + `,"thought":true}` }

// geminiDialogue has thoughts, parallel calls of which the first is signed, calls with
// ids and without, and a signature on text.
var geminiDialogue = dialogue{
	provider: "gemini", path: "/v1beta", model: "gemini-3-pro-preview", turns: "contents",
	answers: [5]string{
		geminiAnswer("r1", geminiThought(thoughtOne), geminiCall("", "get_weather", `{"days":1.50,"city":"Zürich","a":{"z":[],"b":1e3}}`, "CsYBb25l+/8="), geminiCall("", "get_weather", `{"city":"Oslo"}`, "")),
		geminiAnswer("r2", geminiThought(thoughtTwo), `{"text":"One more.\n"}`, geminiCall("k2j4h5g6", "get_time", `{}`, "CsYBdHdvIQ==")),
		geminiAnswer("r3", geminiCall("a1b2c3d4", "get_time", `{"zone":"CET"}`, "CsYBdGhyZWX/"), geminiCall("e5f6g7h8", "get_time", `{"zone":"CET"}`, "")),
		geminiAnswer("r4", geminiThought(thoughtThree), `{"text":"Sunny.","thoughtSignature":"CsYBZm91cv4="}`),
		geminiAnswer("r5", `{"text":"Bye."}`),
	},
	stream: geminiStream,
	said: func(request []byte) (list []string) {
		for _, content := range gjson.GetBytes(request, `contents.#(role=="model")#`).Array() {
			for _, p := range content.Get("parts").Array() {
				list = append(list, p.Raw)
			}
		}
		return list
	},
	tools: []string{
		geminiCall("", "get_weather", `{"days":1.50,"city":"Zürich","a":{"z":[],"b":1e3}}`, "CsYBb25l+/8="), geminiCall("", "get_weather", `{"city":"Oslo"}`, ""),
		`{"text":"One more.\n"}`, geminiCall("k2j4h5g6", "get_time", `{}`, "CsYBdHdvIQ=="),
		geminiCall("a1b2c3d4", "get_time", `{"zone":"CET"}`, "CsYBdGhyZWX/"), geminiCall("e5f6g7h8", "get_time", `{"zone":"CET"}`, ""),
	},
	lastKept:  []string{`{"text":"Sunny.","thoughtSignature":"CsYBZm91cv4="}`},
	lastKnown: []string{`{"text":"Sunny."}`},
}

// geminiStream is an answer of the Gemini API as a stream: texts in pieces, each call in
// a chunk of its own, the signature of text in an empty one behind it.
func geminiStream(answer string, cut func(string) []string) string {
	m := gjson.Parse(answer)
	var b strings.Builder
	chunk := func(candidate, more string) {
		fmt.Fprintf(&b, "data: {\"responseId\":%s,\"modelVersion\":%s,\"candidates\":[{\"index\":0%s}]%s}\r\n\r\n", m.Get("responseId").Raw, m.Get("modelVersion").Raw, candidate, more)
	}
	part := func(p string) { chunk(`,"content":{"role":"model","parts":[`+p+`]}`, "") }
	for _, p := range m.Get("candidates.0.content.parts").Array() {
		if !p.Get("text").Exists() {
			part(p.Raw)
			continue
		}
		for _, piece := range cut(p.Get("text").String()) {
			thought := ""
			if p.Get("thought").Bool() {
				thought = `,"thought":true`
			}
			part(`{"text":` + quote(piece) + thought + `}`)
		}
		if sig := p.Get("thoughtSignature"); sig.Exists() {
			part(`{"text":"","thoughtSignature":` + sig.Raw + `}`)
		}
	}
	chunk(`,"finishReason":"STOP"`, `,"usageMetadata":`+m.Get("usageMetadata").Raw)
	return b.String()
}

func deepseekCall(id, name, arguments string) string {
	return `{"id":"` + id + `","type":"function","function":{"name":"` + name + `","arguments":` + quote(arguments) + `}}`
}

func deepseekAnswer(content, reasoning, reason string, calls ...string) string {
	message := `{"role":"assistant","content":` + quote(content) + `,"reasoning_content":` + quote(reasoning)
	if len(calls) > 0 {
		message += `,"tool_calls":[` + strings.Join(calls, ",") + `]`
	}
	return `{"id":"1","object":"chat.completion","created":1,"model":"deepseek-reasoner","choices":[{"index":0,"message":` + message + `},"finish_reason":"` + reason + `","logprobs":null}],"usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30}}`
}

// deepseekDialogue has reasoning that is plain text.
var deepseekDialogue = dialogue{
	provider: "deepseek", model: "deepseek-reasoner", turns: "messages",
	answers: [5]string{
		deepseekAnswer("Let me look.\n", thoughtOne, "tool_calls", deepseekCall("call_00_RnHgP4kFk3xgQ1ZbTzRk7m", "get_weather", `{"days": 1.50, "city":"Zürich"}`), deepseekCall("call_01_QmXbT2vWk8ysL5YcUaSp9n", "get_weather", `{"city":"Oslo"}`)),
		deepseekAnswer("", thoughtTwo, "tool_calls", deepseekCall("call_00_ZqWeR7tYu4iOp6AsDfGh1j", "get_time", `{}`)),
		deepseekAnswer("", thoughtThree, "tool_calls", deepseekCall("call_00_PlMkO9nJi8bHu7vGy6cFt5", "get_time", `{"zone":"CET"}`), deepseekCall("call_01_XdRz4sEa3wQq2pLo1kMj0n", "get_time", `{"zone":"CET"}`)),
		deepseekAnswer("Sunny.", "Done.", "stop"),
		deepseekAnswer("Bye.", "So.", "stop"),
	},
	stream: deepseekStream,
	said: func(request []byte) (list []string) {
		for _, m := range gjson.GetBytes(request, `messages.#(role=="assistant")#`).Array() {
			if !m.Get("tool_calls").Exists() {
				list = append(list, "content "+m.Get("content").Raw)
				continue
			}
			list = append(list, "reasoning "+m.Get("reasoning_content").String(), "content "+m.Get("content").String())
			for _, c := range m.Get("tool_calls").Array() {
				list = append(list, "call "+c.Get("id").String()+" "+c.Get("function.name").String()+" "+c.Get("function.arguments").String())
			}
		}
		return list
	},
	tools: []string{
		"reasoning " + thoughtOne, "content Let me look.\n", `call call_00_RnHgP4kFk3xgQ1ZbTzRk7m get_weather {"days": 1.50, "city":"Zürich"}`, `call call_01_QmXbT2vWk8ysL5YcUaSp9n get_weather {"city":"Oslo"}`,
		"reasoning " + thoughtTwo, "content ", "call call_00_ZqWeR7tYu4iOp6AsDfGh1j get_time {}",
		"reasoning " + thoughtThree, "content ", `call call_00_PlMkO9nJi8bHu7vGy6cFt5 get_time {"zone":"CET"}`, `call call_01_XdRz4sEa3wQq2pLo1kMj0n get_time {"zone":"CET"}`,
	},
	lastKept:  []string{`content "Sunny."`},
	lastKnown: []string{`content "Sunny."`},
}

// deepseekStream is an answer of an OpenAI-compatible API as a stream.
func deepseekStream(answer string, cut func(string) []string) string {
	m := gjson.Get(answer, "choices.0.message")
	var b strings.Builder
	chunk := func(delta, reason string) {
		b.WriteString(event(`{"id":"1","object":"chat.completion.chunk","created":1,"model":"deepseek-reasoner","choices":[{"index":0,"delta":` + delta + `,"finish_reason":` + reason + `}]}`))
	}
	chunk(`{"role":"assistant","content":null,"reasoning_content":""}`, "null")
	for _, member := range []string{"reasoning_content", "content"} {
		for _, p := range cut(m.Get(member).String()) {
			chunk(`{"`+member+`":`+quote(p)+`}`, "null")
		}
	}
	for i, c := range m.Get("tool_calls").Array() {
		chunk(fmt.Sprintf(`{"tool_calls":[{"index":%d,"id":%s,"type":"function","function":{"name":%s,"arguments":""}}]}`, i, c.Get("id").Raw, c.Get("function.name").Raw), "null")
		for _, p := range cut(c.Get("function.arguments").String()) {
			chunk(fmt.Sprintf(`{"tool_calls":[{"index":%d,"function":{"arguments":%s}}]}`, i, quote(p)), "null")
		}
	}
	chunk(`{"content":""}`, gjson.Get(answer, "choices.0.finish_reason").Raw)
	return b.String() + doneEvent
}
