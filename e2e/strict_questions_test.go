package e2e

import (
	"encoding/base64"
	"strings"
)

// question is a request as a client of OpenAI's may send it.
type question struct {
	name string
	// body are the members of the request, without the model; if there are no messages
	// among them, there is one that says hello.
	body string
	// anthropic and gemini name the parameter for which the provider's models must refuse
	// the request; "" if they must take it. "some" is for a request that some of the
	// models take and others cannot.
	anthropic, gemini string
}

// members returns the request for a model.
func (q *question) members(model string, stream bool) []byte {
	body := `{"model":` + quote(model) + `,`
	if !strings.Contains(q.body, `"messages":`) {
		body += `"messages":[{"role":"user","content":"Hello"}],`
	}
	if stream {
		body += `"stream":true,`
	}
	return []byte(strings.TrimRight(body+q.body, ",") + "}")
}

func base64Of(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// Small files, each beginning as its kind does.
var (
	pngData  = base64Of("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00")
	jpegData = base64Of("\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9")
	gifData  = base64Of("GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00;")
	webpData = base64Of("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00")
	pdfData  = base64Of("%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF")
	wavData  = base64Of("RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00")
	mp3Data  = base64Of("ID3\x03\x00\x00\x00\x00\x00\x0a\xff\xfb\x90\x00")
	textData = base64Of("Zürich is a city.\n")
)

func user(parts ...string) string {
	return `"messages":[{"role":"user","content":[` + strings.Join(parts, ",") + `]}]`
}

func text(s string) string { return `{"type":"text","text":` + quote(s) + `}` }

func image(mime, data string, more ...string) string {
	return `{"type":"image_url","image_url":{"url":"data:` + mime + `;base64,` + data + `"` + strings.Join(more, "") + `}}`
}

func file(members string) string { return `{"type":"file","file":{` + members + `}}` }

func messages(list ...string) string { return `"messages":[` + strings.Join(list, ",") + `]` }

func says(role, content string) string {
	return `{"role":"` + role + `","content":` + quote(content) + `}`
}

// calls is an assistant message that calls a function once for each id.
func calls(ids ...string) string {
	for i, id := range ids {
		ids[i] = `{"id":` + quote(id) + `,"type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Zürich\"}"}}`
	}
	return `{"role":"assistant","content":null,"tool_calls":[` + strings.Join(ids, ",") + `]}`
}

func result(id, content string) string {
	return `{"role":"tool","tool_call_id":` + quote(id) + `,"content":` + content + `}`
}

const (
	weather   = `{"type":"function","function":{"name":"get_weather","description":"Get the weather.","parameters":{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}},"required":["city"]}}}`
	clock     = `{"type":"function","function":{"name":"get_time"}}`
	shell     = `{"type":"custom","custom":{"name":"run_shell","description":"Runs a command."}}`
	withTools = `"tools":[` + weather + `,` + clock + `,` + shell + `]`
)

// strictSchema is one that OpenAI takes with strict.
const strictSchema = `{"type":"object","properties":{"city":{"type":"string","description":"Where"},"unit":{"type":["string","null"],"enum":["c","f",null]},"at":{"anyOf":[{"type":"string","format":"date-time"},{"type":"null"}]},"list":{"type":"array","items":{"$ref":"#/$defs/item"},"minItems":1,"maxItems":5}},` +
	`"required":["city","unit","at","list"],"additionalProperties":false,"$defs":{"item":{"type":"object","properties":{"n":{"type":"number","minimum":0,"exclusiveMaximum":10,"multipleOf":0.5}},"required":["n"],"additionalProperties":false}}}`

// everyKeyword is a schema with all the keywords that generators write.
const everyKeyword = `{"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"https://example.com/s","$comment":"c","title":"T","description":"D","type":"object","additionalProperties":{"type":"string"},"minProperties":1,"maxProperties":9,"patternProperties":{"^x-":{"type":"string"}},"propertyNames":{"pattern":"^[a-z]"},` +
	`"properties":{"s":{"type":"string","minLength":1,"maxLength":5,"pattern":"^a","format":"email","default":"a@b.c","examples":["x"],"contentEncoding":"base64"},"n":{"type":"integer","exclusiveMinimum":0,"exclusiveMaximum":9,"multipleOf":3,"enum":[3,6]},"c":{"const":"k"},"z":{"const":null},"t":{"type":["string","integer","null"]},` +
	`"o":{"oneOf":[{"type":"string"},{"type":"object","properties":{}}]},"a":{"allOf":[{"type":"object","properties":{"x":{"type":"string"}}},{"required":["x"]}]},"p":{"type":"array","prefixItems":[{"type":"string"},{"type":"number"}],"items":false,"uniqueItems":true,"contains":{"type":"string"}},"l":{"type":"array"},"e":{"enum":["a",1,null,true]},` +
	`"i":{"type":"object","if":{"required":["a"]},"then":{"required":["b"]},"else":{"not":{}},"dependentRequired":{"a":["b"]}},"r":{"$ref":"#/$defs/Tree"},"w":true,"u":{"type":"string","nullable":true},"v":{"$ref":"#/definitions/Old","description":"beside"}},` +
	`"required":["s","missing"],"$defs":{"Tree":{"type":"object","properties":{"kids":{"type":"array","items":{"$ref":"#/$defs/Tree"}}}}},"definitions":{"Old":{"type":"string"}}}`

func function(name, members string) string {
	return `{"type":"function","function":{"name":` + quote(name) + members + `}}`
}

func format(schema, more string) string {
	return `"response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":` + schema + more + `}}`
}

const mark = `,"cache_control":{"type":"ephemeral","ttl":"1h"}`

func marked(part, mark string) string { return strings.TrimSuffix(part, "}") + mark + "}" }

// questions are requests with every parameter and every kind of content that OpenAI's
// API has.
var questions = slicesOf(messageQuestions, mediaQuestions, toolQuestions, resultQuestions, formatQuestions, parameterQuestions, effortQuestions(), cacheQuestions, oddQuestions)

func slicesOf(lists ...[]question) (all []question) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

var messageQuestions = []question{
	{name: "text"},
	{name: "system and developer", body: messages(says("system", "Be brief."), says("developer", "Be kind."), says("user", "Hello"))},
	{name: "instructions in parts", body: messages(`{"role":"system","content":[`+text("a")+`,`+text("")+`,`+text("b")+`]}`, `{"role":"developer","content":[`+text("c")+`],"name":"ops"}`, says("user", "Hello"))},
	{name: "nothing but instructions", body: messages(says("developer", "Say hello."))},
	{name: "empty instructions", body: messages(says("system", ""), says("user", "Hello"))},
	{name: "instructions between turns", body: messages(says("user", "a"), says("system", "b"), says("assistant", "c"), says("system", "d"), says("user", "e"), says("developer", "f"))},
	{name: "instructions behind an answer", body: messages(says("user", "a"), says("assistant", "b"), says("system", "c"))},
	{name: "names", body: messages(`{"role":"system","content":"s","name":"boss"}`, `{"role":"user","content":"a","name":"ann"}`, `{"role":"assistant","content":"b","name":"bot"}`, says("user", "c"))},
	{name: "parts", body: user(text("a"), text("b"), text(""), text(" \n"), text("ü😀"))},
	{name: "blank message", body: messages(says("user", " \n\t"))},
	{name: "several messages of one", body: messages(says("user", "a"), says("user", "b"), says("assistant", "c"), says("assistant", "d"), says("user", "e"))},
	{name: "answer in parts", body: messages(says("user", "a"), `{"role":"assistant","content":[`+text("b")+`,{"type":"refusal","refusal":"No."}]}`, says("user", "c"))},
	{name: "refusal", body: messages(says("user", "a"), `{"role":"assistant","content":null,"refusal":"No."}`, says("user", "c"))},
	{name: "empty answer", body: messages(says("user", "a"), says("assistant", ""), says("user", "c"))},
	{name: "earlier audio", body: messages(says("user", "a"), `{"role":"assistant","content":null,"audio":{"id":"audio_1"}}`, says("user", "c")), gemini: "messages[1].audio"},
	{name: "answer first", body: messages(says("assistant", "a"), says("user", "b"))},
	{name: "answer begun", body: messages(says("user", "a"), says("assistant", "It is \n")), anthropic: "some"},
	{name: "unsigned reasoning", body: messages(says("user", "a"), `{"role":"assistant","content":"b","reasoning_content":"hm","reasoning":"hm"}`, says("user", "c"))},
	{name: "nothing but reasoning", body: messages(says("user", "a"), `{"role":"assistant","content":"","reasoning_content":"hm"}`, says("user", "c"))},
	{name: "Claude's reasoning", body: messages(says("user", "a"), `{"role":"assistant","content":"b","reasoning_details":[{"type":"reasoning.text","text":"one","index":0},{"type":"reasoning.text","text":" two","signature":"c2ln","format":"anthropic-claude-v1","index":0},{"type":"reasoning.encrypted","data":"ZGF0YQ==","format":"anthropic-claude-v1","index":1}]}`, says("user", "c"))},
	{name: "Gemini's reasoning", body: messages(says("user", "a"), `{"role":"assistant","content":"b","reasoning_details":[{"type":"reasoning.encrypted","data":"c2ln","format":"google-gemini-v1","index":0}]}`, says("user", "c"))},
	{name: "OpenAI's reasoning", body: messages(says("user", "a"), `{"role":"assistant","content":"b","reasoning_details":[{"type":"reasoning.encrypted","data":"Z0FB","format":"openai-responses-v1","id":"rs_1","index":0},{"type":"reasoning.summary","summary":"s","index":1}]}`, says("user", "c"))},
	{name: "thinking blocks", body: messages(says("user", "a"), `{"role":"assistant","content":"b","thinking_blocks":[{"type":"thinking","thinking":"t","signature":"c2ln"},{"type":"redacted_thinking","data":"ZGF0YQ=="}]}`, says("user", "c"))},
}

var mediaQuestions = []question{
	{name: "images", body: user(text("a"), image("image/png", pngData), image("image/jpeg", jpegData, `,"detail":"low"`), image("IMAGE/JPG;name=x", jpegData, `,"detail":"high"`), image("image/webp", webpData, `,"detail":"original"`), image("image/png", jpegData, `,"detail":"auto"`))},
	{name: "GIF", body: user(image("image/gif", gifData)), gemini: "messages[0].content[0]"},
	{name: "SVG", body: user(image("image/svg+xml", base64Of("<svg/>"))), anthropic: "messages[0].content[0]", gemini: "messages[0].content[0]"},
	{name: "image that is nothing", body: user(`{"type":"image_url","image_url":{"url":"data:image/png;base64,"}}`), anthropic: "messages[0].content[0].image_url.url", gemini: "messages[0].content[0].image_url.url"},
	{name: "image nowhere", body: user(`{"type":"image_url","image_url":{"url":"http://127.0.0.1:1/a.png"}}`), anthropic: "messages", gemini: "messages"},
	{name: "PDF", body: user(text("a"), file(`"filename":"a.pdf","file_data":"data:application/pdf;base64,`+pdfData+`"`), file(`"file_data":"`+pdfData+`"`))},
	{name: "text file", body: user(file(`"filename":"a.txt","file_data":"data:text/plain;base64,`+textData+`"`), file(`"filename":"a.csv","file_data":"`+textData+`"`))},
	{name: "office file", body: user(file(`"filename":"a.docx","file_data":"` + base64Of("PK\x03\x04") + `"`)), anthropic: "messages[0].content[0]"},
	{name: "file of another provider", body: user(file(`"file_id":"file-abc"`)), anthropic: "messages[0].content[0]", gemini: "messages[0].content[0]"},
	{name: "audio", body: user(text("a"), `{"type":"input_audio","input_audio":{"data":"`+wavData+`","format":"wav"}}`, `{"type":"input_audio","input_audio":{"data":"`+mp3Data+`","format":"mp3"}}`), anthropic: "messages[0].content[1]"},
	{name: "video", body: user(text("a"), `{"type":"video_url","video_url":{"url":"https://www.youtube.com/watch?v=x"}}`), anthropic: "messages[0].content[1]"},
	{name: "uploaded file", body: user(file(`"file_id":"files/abc-123"`)), anthropic: "messages[0].content[0]"},
}

var toolQuestions = []question{
	{name: "tools", body: withTools},
	{name: "functions without parameters", body: `"tools":[` + function("a", "") + `,` + function("b", `,"parameters":null`) + `,` + function("c", `,"parameters":{}`) + `,` + function("d", `,"parameters":{"type":"object"}`) + `,` + function("e", `,"parameters":{"type":"object","properties":{}},"strict":null`) + `,` + function("f", `,"parameters":{"properties":{"a":{}}}`) + `]`},
	{name: "strict function", body: `"tools":[` + function("f", `,"strict":true,"parameters":`+strictSchema) + `,` + weather + `]`},
	{name: "every keyword", body: `"tools":[` + function("f", `,"parameters":`+everyKeyword) + `]`},
	{name: "every keyword, strict", body: `"tools":[` + function("f", `,"strict":true,"parameters":`+everyKeyword) + `]`},
	{name: "names", body: `"tools":[` + function("ns.tool:run", "") + `,` + function("ns_tool_run", "") + `,` + function("ns/tool run", "") + `,` + function("größe", "") + `,` + function("9lives", "") + `,` + function(strings.Repeat("long", 40), "") + `,` + function(strings.Repeat("long", 41), "") + `]`},
	{name: "custom tools", body: `"tools":[` + shell + `,{"type":"custom","custom":{"name":"plain","format":{"type":"text"}}},{"type":"custom","custom":{"name":"sql","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"start: \"a\""}}}},{"type":"custom","custom":{"name":"re","format":{"type":"grammar","grammar":{"syntax":"regex","definition":"^a+$"}}}}]`},
	{name: "choice none", body: withTools + `,"tool_choice":"none"`},
	{name: "choice auto", body: withTools + `,"tool_choice":"auto"`},
	{name: "choice auto, no tools", body: `"tool_choice":"auto"`},
	{name: "choice none, no tools", body: `"tool_choice":"none"`},
	{name: "choice required", body: withTools + `,"tool_choice":"required"`},
	{name: "choice of a function", body: withTools + `,"tool_choice":{"type":"function","function":{"name":"get_weather"}}`},
	{name: "choice of a custom tool", body: withTools + `,"tool_choice":{"type":"custom","custom":{"name":"run_shell"}}`},
	{name: "choice of some", body: withTools + `,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"get_time"}}]}}`},
	{name: "choice of some, required", body: withTools + `,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"get_time"}},{"type":"custom","custom":{"name":"run_shell"}}]}}`},
	{name: "choice with a renamed tool", body: `"tools":[` + function("ns.tool/run", "") + `],"tool_choice":{"type":"function","function":{"name":"ns.tool/run"}}`},
	{name: "serial", body: withTools + `,"parallel_tool_calls":false`},
	{name: "parallel", body: withTools + `,"parallel_tool_calls":true`},
	{name: "serial, none", body: withTools + `,"parallel_tool_calls":false,"tool_choice":"none"`},
	{name: "serial, required", body: withTools + `,"parallel_tool_calls":false,"tool_choice":"required"`},
	{name: "serial, no tools", body: `"parallel_tool_calls":false`},
	{name: "no tools", body: `"tools":[]`},
	{name: "functions", body: `"functions":[{"name":"f","description":"d","parameters":{"type":"object","properties":{"a":{"type":"string"}}}},{"name":"g"}]`},
	{name: "functions and a choice", body: `"functions":[{"name":"f"},{"name":"g"}],"function_call":{"name":"g"}`},
	{name: "functions, none", body: `"functions":[{"name":"f"}],"function_call":"none"`},
	{name: "function messages", body: `"functions":[{"name":"f"}],` + messages(says("user", "a"), `{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{\"a\":1}"}}`, `{"role":"function","name":"f","content":"r"}`, `{"role":"assistant","content":"b","function_call":{"name":"f","arguments":""}}`, `{"role":"function","name":"f","content":null}`)},
	{name: "search", body: `"web_search_options":{}`},
	{name: "search near", body: `"web_search_options":{"search_context_size":"low","user_location":{"type":"approximate","approximate":{"city":"Zürich","country":"CH","region":"ZH","timezone":"Europe/Zurich"}}}`},
	{name: "search and tools", body: `"web_search_options":{"user_location":{"type":"approximate","approximate":{"country":"CH"}}},` + withTools},
	{name: "search and a choice", body: `"web_search_options":{},"tool_choice":"required",` + withTools},
}

var resultQuestions = []question{
	{name: "results", body: withTools + "," + messages(says("user", "a"), calls("call_1", "call_2"), result("call_1", `"sunny"`), result("call_2", `[`+text("rainy")+`,`+text("cold")+`]`))},
	{name: "results in another order", body: withTools + "," + messages(says("user", "a"), calls("call_1", "call_2"), result("call_2", `"b"`), result("call_1", `"a"`), says("user", "c"))},
	{name: "results without tools", body: messages(says("user", "a"), calls("call_1"), result("call_1", `"b"`))},
	{name: "result missing", body: withTools + "," + messages(says("user", "a"), calls("call_1", "call_2"), result("call_2", `"b"`), says("user", "c"))},
	{name: "all results missing", body: withTools + "," + messages(says("user", "a"), calls("call_1", "call_2"), says("user", "c"))},
	{name: "last calls without results", body: withTools + "," + messages(says("user", "a"), calls("call_1"))},
	{name: "orphan result", body: withTools + "," + messages(says("user", "a"), result("call_9", `"b"`), says("assistant", "c"), result("call_8", `"d"`))},
	{name: "result twice", body: withTools + "," + messages(says("user", "a"), calls("call_1"), result("call_1", `"b"`), result("call_1", `"c"`))},
	{name: "call twice", body: withTools + "," + messages(says("user", "a"), calls("call_1", "call_1"), result("call_1", `"b"`), result("call_1", `"c"`))},
	{name: "ids used again", body: withTools + "," + messages(says("user", "a"), calls("call_1"), result("call_1", `"b"`), says("assistant", "c"), says("user", "d"), calls("call_1"), result("call_1", `"e"`))},
	{name: "strange ids", body: withTools + "," + messages(says("user", "a"), calls("functions.f:0", "functions_f_0", "ü"), result("functions.f:0", `"b"`), result("ü", `"c"`), result("functions_f_0", `"d"`))},
	{name: "empty and other results", body: withTools + "," + messages(says("user", "a"), calls("c1", "c2", "c3", "c4", "c5", "c6", "c7"), result("c1", `""`), result("c2", `" "`), result("c3", `"{\"a\":{\"$ref\":1}}"`), result("c4", `"[1,2]"`), result("c5", `"{\"ok\":true}"`), result("c6", `"null"`), result("c7", `[]`))},
	{name: "failed results", body: withTools + "," + messages(says("user", "a"), calls("c1", "c2", "c3"), `{"role":"tool","tool_call_id":"c1","content":"no","is_error":true}`, `{"role":"tool","tool_call_id":"c2","content":"{\"code\":5}","status":"error"}`, `{"role":"tool","tool_call_id":"c3","content":"Error: no"}`)},
	{name: "results with images", body: withTools + "," + messages(says("user", "a"), calls("c1", "c2"), result("c1", `[`+text("here")+`,`+image("image/png", pngData)+`]`), result("c2", `[`+image("image/jpeg", jpegData)+`]`), says("user", "b"))},
	{name: "results with a PDF", body: withTools + "," + messages(says("user", "a"), calls("c1"), result("c1", `[`+file(`"filename":"a.pdf","file_data":"`+pdfData+`"`)+`]`))},
	{name: "orphan result with an image", body: messages(says("user", "a"), result("c9", `[`+text("here")+`,`+image("image/png", pngData)+`]`))},
	{name: "user before results", body: withTools + "," + messages(says("user", "a"), calls("c1", "c2"), result("c1", `"b"`), says("user", "wait"), result("c2", `"c"`), says("assistant", "d"), says("user", "e"))},
	{name: "text and calls", body: withTools + "," + messages(says("user", "a"), strings.Replace(calls("c1"), `"content":null`, `"content":"Let me look."`, 1), result("c1", `"b"`), strings.Replace(calls("c2"), `"content":null`, `"content":[`+text("And")+`]`, 1), result("c2", `"b"`))},
	{name: "answers of several messages", body: withTools + "," + messages(says("user", "a"), calls("c1"), says("assistant", "b"), calls("c2"), result("c1", `"c"`), result("c2", `"d"`))},
	{name: "system among results", body: withTools + "," + messages(says("user", "a"), calls("c1"), says("system", "careful"), result("c1", `"c"`), says("system", "done"))},
	{name: "arguments", body: withTools + "," + messages(says("user", "a"), `{"role":"assistant","tool_calls":[`+argument("c1", `""`)+`,`+argument("c2", `null`)+`,`+argument("c3", `"{\"city\":"`)+`,`+argument("c4", `"[1]"`)+`,`+argument("c5", `"5"`)+`,`+argument("c6", `{"city":"x"}`)+`,`+argument("c7", `"null"`)+`,`+argument("c8", `" {\"a\": 1.50} "`)+`]}`)},
	{name: "custom calls", body: withTools + "," + messages(says("user", "a"), `{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"custom","custom":{"name":"run_shell","input":"ls \"x\"\n"}}]}`, result("c1", `"b"`))},
	{name: "calls of a renamed tool", body: `"tools":[` + function("ns.tool/run", "") + `],` + messages(says("user", "a"), `{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"ns.tool/run","arguments":"{}"}}]}`, result("c1", `"b"`))},
	{name: "calls of a tool that is gone", body: withTools + "," + messages(says("user", "a"), `{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"gone","arguments":"{}"}}]}`, result("c1", `"b"`))},
	{name: "signed calls", body: withTools + "," + messages(says("user", "a"), `{"role":"assistant","content":null,"reasoning_details":[{"type":"reasoning.text","text":"t","signature":"c2ln","format":"anthropic-claude-v1","index":0}],"tool_calls":[{"id":"c1","type":"function","function":{"name":"get_time","arguments":"{}"},"extra_content":{"google":{"thought_signature":"c2ln"}}},{"id":"c2","type":"function","function":{"name":"get_time","arguments":"{}"}}]}`, result("c1", `"b"`), result("c2", `"c"`))},
	{name: "effort with unsigned calls", body: withTools + `,"reasoning_effort":"high",` + messages(says("user", "a"), calls("c1"), result("c1", `"b"`))},
	{name: "choice none with history", body: `"tool_choice":"none",` + withTools + "," + messages(says("user", "a"), calls("c1"), result("c1", `"b"`))},
}

func argument(id, arguments string) string {
	return `{"id":` + quote(id) + `,"type":"function","function":{"name":"get_weather","arguments":` + arguments + `}}`
}

var formatQuestions = []question{
	{name: "format text", body: `"response_format":{"type":"text"}`},
	{name: "format json_object", body: `"response_format":{"type":"json_object"}`},
	{name: "format json_object with tools", body: `"response_format":{"type":"json_object"},` + withTools},
	{name: "format schema", body: format(strictSchema, `,"strict":true,"description":"d"`)},
	{name: "format schema, strict null", body: format(strictSchema, `,"strict":null`)},
	{name: "format without schema", body: `"response_format":{"type":"json_schema","json_schema":{"name":"answer"}}`},
	{name: "format schema of no object", body: format(`{"type":"array","items":{"$ref":"#/$defs/a"},"$defs":{"a":{"type":"string"}}}`, "")},
	{name: "format schema of a union", body: format(`{"anyOf":[{"type":"string"},{"type":"null"}]}`, "")},
	{name: "format open schema", body: format(`{"type":"object","additionalProperties":{"type":"integer"}}`, "")},
	{name: "format recursive schema", body: format(`{"type":"object","properties":{"kids":{"type":"array","items":{"$ref":"#"}}},"required":["kids"]}`, "")},
	{name: "format every keyword", body: format(everyKeyword, `,"strict":false`)},
	{name: "format schema with tools", body: format(strictSchema, `,"strict":true`) + `,` + withTools},
	{name: "format open schema with tools", body: format(`{"type":"object"}`, "") + `,` + withTools},
	{name: "format open schema and a choice", body: format(`{"type":"object"}`, "") + `,"tool_choice":"none",` + withTools},
	{name: "format schema and a forced tool", body: format(strictSchema, "") + `,"tool_choice":{"type":"function","function":{"name":"get_time"}},` + withTools},
	{name: "format schema and effort", body: format(strictSchema, "") + `,"reasoning_effort":"medium"`},
	{name: "format open schema and effort", body: format(`{"type":"object"}`, "") + `,"reasoning_effort":"medium"`},
	{name: "format schema with search", body: format(strictSchema, "") + `,"web_search_options":{}`},
	{name: "format schema with results", body: format(`{"type":"object"}`, "") + `,` + messages(says("user", "a"), calls("c1"), result("c1", `"b"`))},
}

var parameterQuestions = []question{
	{name: "max_tokens", body: `"max_tokens":500`},
	{name: "max_completion_tokens", body: `"max_completion_tokens":700,"max_tokens":500`},
	{name: "max_completion_tokens of one", body: `"max_completion_tokens":1`},
	{name: "max_completion_tokens too high", body: `"max_completion_tokens":1000000`},
	{name: "temperature 0", body: `"temperature":0`},
	{name: "temperature 0.7", body: `"temperature":0.7`},
	{name: "temperature 1", body: `"temperature":1`},
	{name: "temperature 1.4", body: `"temperature":1.4`},
	{name: "temperature 2 and top_p", body: `"temperature":2,"top_p":0.5`},
	{name: "top_p", body: `"top_p":0.95`},
	{name: "top_p 0", body: `"top_p":0`},
	{name: "top_k", body: `"top_k":40`},
	{name: "sampling and effort", body: `"temperature":0.5,"top_p":0.97,"top_k":10,"reasoning_effort":"low"`},
	{name: "n of one", body: `"n":1`},
	{name: "n of two", body: `"n":2`, anthropic: "n"},
	{name: "stop", body: `"stop":"END"`},
	{name: "stops", body: `"stop":["END","\n\n","","ü",null]`, anthropic: "stop[4]", gemini: "stop[4]"},
	{name: "blank stops", body: `"stop":["END","\n\n",""," ","ü"]`},
	{name: "stop null", body: `"stop":null`},
	{name: "six stops", body: `"stop":["a","b","c","d","e","f"]`, gemini: "stop"},
	{name: "penalties", body: `"frequency_penalty":0.5,"presence_penalty":-0.5`},
	{name: "penalties of none", body: `"frequency_penalty":0,"presence_penalty":0`},
	{name: "logit_bias", body: `"logit_bias":{"50256":-100}`},
	{name: "logprobs", body: `"logprobs":true,"top_logprobs":5`, anthropic: "logprobs"},
	{name: "no logprobs", body: `"logprobs":false,"top_logprobs":0`},
	{name: "seed", body: `"seed":42`},
	{name: "big seed", body: `"seed":9007199254740993`},
	{name: "negative seed", body: `"seed":-9223372036854775808`},
	{name: "stream options", body: `"stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false}`},
	{name: "verbosity", body: `"verbosity":"low"`},
	{name: "modalities", body: `"modalities":["text"]`},
	{name: "audio out", body: `"modalities":["text","audio"],"audio":{"voice":"alloy","format":"wav"}`, anthropic: "modalities", gemini: "modalities"},
	{name: "prediction", body: `"prediction":{"type":"content","content":[{"type":"text","text":"x"}]}`},
	{name: "service_tier auto", body: `"service_tier":"auto"`},
	{name: "service_tier default", body: `"service_tier":"default"`},
	{name: "service_tier flex", body: `"service_tier":"flex"`},
	{name: "service_tier scale", body: `"service_tier":"scale"`},
	{name: "service_tier priority", body: `"service_tier":"priority"`},
	{name: "service_tier fast", body: `"service_tier":"fast"`},
	{name: "store", body: `"store":true`},
	{name: "no store", body: `"store":false`},
	{name: "metadata", body: `"metadata":{"job":"1","team":"x"}`},
	{name: "user", body: `"user":"u-1"`},
	{name: "user by address", body: `"user":"ann@example.com"`},
	{name: "safety_identifier", body: `"safety_identifier":"s-1","user":"u-1"`},
	{name: "long safety_identifier", body: `"safety_identifier":"` + strings.Repeat("s", 300) + `"`},
	{name: "prompt cache", body: `"prompt_cache_key":"k","prompt_cache_retention":"24h","prompt_cache_options":{"mode":"explicit","ttl":"30m"}`},
	{name: "moderation", body: `"moderation":{"model":"omni-moderation-latest","policy":{"input":{"mode":"block"}}}`},
	{name: "unknown parameters", body: `"top_a":0.5,"transforms":["middle-out"],"provider":{"order":["x"]}`},
	{name: "nulls", body: `"max_tokens":null,"temperature":null,"tools":null,"tool_choice":null,"response_format":null,"reasoning_effort":null,"n":null,"seed":null,"user":null,"metadata":null,"logit_bias":null,"web_search_options":null,"service_tier":null,"modalities":null,"audio":null,"stop":null,"store":null,"parallel_tool_calls":null,"functions":null,"function_call":null,"prediction":null,"verbosity":null`},
}

// effortQuestions are all efforts, with all that they have to get along with.
func effortQuestions() (all []question) {
	for _, effort := range []string{"none", "minimal", "low", "medium", "high", "xhigh", "max"} {
		for name, more := range map[string]string{
			"":                         "",
			" and a low limit":         `,"max_completion_tokens":500`,
			" and a limit":             `,"max_completion_tokens":3000`,
			" and a high limit":        `,"max_completion_tokens":120000`,
			" and tools":               `,` + withTools,
			" and required tools":      `,"tool_choice":"required",` + withTools,
			" and a forced tool":       `,"tool_choice":{"type":"function","function":{"name":"get_time"}},` + withTools,
			" and sampling":            `,"temperature":0.3,"top_p":0.9`,
			" and an open format":      `,` + format(`{"type":"object"}`, ""),
			" and reasoning in a turn": `,` + withTools + `,` + messages(says("user", "a"), strings.Replace(calls("c1"), `"content":null`, `"content":null,"reasoning_details":[{"type":"reasoning.text","text":"t","signature":"c2ln","format":"anthropic-claude-v1","index":0}]`, 1), result("c1", `"b"`)),
		} {
			all = append(all, question{name: "effort " + effort + name, body: `"reasoning_effort":"` + effort + `"` + more})
		}
	}
	return all
}

var cacheQuestions = []question{
	{name: "cache_control", body: `"tools":[` + marked(weather, mark) + `,` + function("g", mark) + `],` + messages(`{"role":"system","content":[`+marked(text("s"), mark)+`]}`, `{"role":"user","content":[`+marked(text("a"), mark)+`,`+text("b")+`]}`)},
	{name: "cache_control of messages", body: messages(`{"role":"system","content":"s"`+mark+`}`, `{"role":"user","content":"a"`+mark+`}`, `{"role":"assistant","content":"b"`+mark+`}`, says("user", "c"))},
	{name: "cache_control of results", body: withTools + "," + messages(says("user", "a"), calls("c1", "c2"), marked(result("c1", `"b"`), mark), result("c2", `[`+marked(text("x"), mark)+`,`+marked(text("y"), mark)+`]`))},
	{name: "cache_control of media", body: user(marked(image("image/png", pngData), mark), marked(file(`"file_data":"`+pdfData+`"`), mark), text("a"))},
	{name: "cache_control of blank text", body: user(marked(text(" "), mark), text("a"))},
	{name: "too many breakpoints", body: `"tools":[` + marked(weather, mark) + `],` + user(marked(text("a"), mark), marked(text("b"), mark), marked(text("c"), mark), marked(text("d"), mark), marked(text("e"), mark))},
	{name: "automatic caching", body: `"cache_control":{"type":"ephemeral"},` + user(marked(text("a"), mark), marked(text("b"), mark), marked(text("c"), mark), marked(text("d"), mark))},
	{name: "prompt_cache_breakpoint", body: user(marked(text("a"), `,"prompt_cache_breakpoint":{"mode":"explicit"}`), marked(text("b"), `,"prompt_cache_breakpoint":{"mode":"explicit","ttl":"30m"}`), marked(text("c"), `,"prompt_cache_breakpoint":{"mode":"explicit","ttl":"12h"}`))},
	{name: "calls with breakpoints", body: withTools + "," + messages(says("user", "a"), strings.Replace(calls("c1"), `"type":"function"`, `"type":"function"`+mark, 1), result("c1", `"b"`))},
}
