package e2e

import "strings"

// oddQuestions are requests that are legal, or that OpenAI forgives, and that clients do
// send.
var oddQuestions = []question{
	{name: "odd: no parts", body: messages(`{"role":"user","content":[]}`)},
	{name: "odd: no parts between answers", body: messages(says("user", "a"), says("assistant", "b"), `{"role":"user","content":[]}`, says("assistant", "c"), says("user", "d"))},
	{name: "odd: lone surrogates", body: `"messages":[{"role":"user","content":"a\ud800b\udc00\u0000\u2028"}],"stop":"\ud83d","user":"\udfff"`},
	{name: "odd: escaped names", body: `"messages":[{"r\u006fle":"user","c\u006fntent":[{"t\u0079pe":"text","te\u0078t":"\u0061"}]}],"\u0074emperature":1`},
	{name: "odd: white space", body: "\n\t\"messages\": [ { \"role\" : \"user\" , \"content\" : [ { \"type\" : \"text\" , \"text\" : \"a\" } ] } ] , \"tools\" : [ " + weather + " ] "},
	{name: "odd: a tool twice", body: `"tools":[` + clock + `,` + weather + `,` + clock + `]`},
	{name: "odd: a function and a custom tool of one name", body: `"tools":[` + clock + `,{"type":"custom","custom":{"name":"get_time"}}]`},
	{name: "odd: tools named like ours", body: `"web_search_options":{},"tools":[` + function("web_search", "") + `,` + function("json_output", "") + `],` + format(`{"type":"array"}`, "")},
	{name: "odd: tools of nobody here", body: `"tools":[{"type":"web_search_preview"},{"type":"mcp","server_label":"x"},` + clock + `]`},
	{name: "odd: nothing but tools of nobody here", body: `"tools":[{"type":"web_search_preview"}]`},
	{name: "odd: nothing but tools of nobody here, required", body: `"tools":[{"type":"web_search_preview"}],"tool_choice":"required"`},
	{name: "odd: properties named like keywords", body: `"tools":[` + function("f", `,"parameters":{"type":"object","properties":{"$ref":{"type":"string"},"type":{"type":"string"},"required":{"type":"boolean"},"properties":{"type":"object","properties":{"anyOf":{"type":"array","items":{"type":"string"}}}},"enum":{"type":"string","enum":["type"]}},"required":["$ref","type","required"]}`) + `]`},
	{name: "odd: properties named like keywords, strict", body: `"tools":[` + function("f", `,"strict":true,"parameters":{"type":"object","properties":{"$ref":{"type":"string"},"type":{"type":"string"}},"required":["$ref","type"],"additionalProperties":false}`) + `]`},
	{name: "odd: a schema that is a union", body: `"tools":[` + function("f", `,"parameters":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"anyOf":[{"required":["a"]},{"required":["b"]}]}`) + `,` + function("g", `,"strict":true,"parameters":{"oneOf":[{"type":"object","properties":{"kind":{"const":"x"}},"required":["kind"]},{"$ref":"#/$defs/B"}],"$defs":{"B":{"type":"object","properties":{"kind":{"const":"y"}},"required":["kind"]}}}`) + `,` + function("h", `,"parameters":{"allOf":[{"type":"object","properties":{"a":{"type":"integer"}}}]}`) + `]`},
	{name: "odd: a format that is a union of objects", body: format(`{"type":"object","anyOf":[{"properties":{"a":{"type":"string"}},"required":["a"]},{"properties":{"b":{"type":"string"}},"required":["b"]}]}`, "")},
	{name: "odd: a schema that is a reference", body: `"tools":[` + function("f", `,"parameters":{"$ref":"#/$defs/A","$defs":{"A":{"type":"object","properties":{"a":{"type":"string"}}}}}`) + `]`},
	{name: "odd: a schema of types in capitals", body: `"tools":[` + function("f", `,"parameters":{"type":"object","properties":{"a":{"type":"STRING","nullable":true}}}`) + `]`},
	{name: "odd: a schema with null in it", body: `"tools":[` + function("f", `,"parameters":{"type":"object","properties":{"a":{"type":"string","default":null,"description":null}},"description":null}`) + `]`},
	{name: "odd: files of other kinds", body: user(file(`"filename":"a.html","file_data":"data:text/html;base64,`+base64Of("<p>a</p>")+`"`), file(`"filename":"a.json","file_data":"`+base64Of(`{"a":1}`)+`"`), file(`"filename":"a.md","file_data":"`+base64Of("# a")+`"`))},
	{name: "odd: base64 with white space and without padding", body: user(image("image/png", pngData[:20]+"\\n "+strings.TrimRight(pngData[20:], "=")), file(`"file_data":"`+strings.TrimRight(pdfData, "=")+`"`))},
	{name: "odd: one cache mark and the other", body: user(marked(text("a"), `,"cache_control":{"type":"ephemeral"},"prompt_cache_breakpoint":{"mode":"explicit","ttl":"12h"}`), marked(text("b"), `,"cache_control":null`))},
	{name: "odd: no stops", body: `"stop":[]`},
	{name: "odd: whole numbers as fractions", body: `"max_tokens":100.0,"temperature":1.0,"n":1.0,"seed":1e3`},
	{name: "odd: very small numbers", body: `"temperature":1e-7,"top_p":1e-9`},
	{name: "odd: effort beside other words for it", body: `"reasoning":{"effort":"high"},"enable_thinking":true,"thinking":{"type":"enabled"},"chat_template_kwargs":{"enable_thinking":true}`},
	{name: "odd: calls among texts", body: withTools + "," + messages(says("user", "a"), `{"role":"assistant","content":[`+text("")+`,`+text(" ")+`],"tool_calls":[`+argument("c1", `"{}"`)+`],"function_call":null,"refusal":null,"audio":null,"annotations":[]}`, result("c1", `"b"`))},
	{name: "odd: no calls", body: messages(says("user", "a"), `{"role":"assistant","content":"b","tool_calls":[]}`, says("user", "c"))},
	{name: "odd: citations of a former answer E-109", body: messages(says("user", "a"), `{"role":"assistant","content":"b","annotations":[{"type":"url_citation","url_citation":{"start_index":0,"end_index":1,"title":"t","url":"https://example.com"}}]}`, says("user", "c"))},
	{name: "odd: a former answer as it came", body: messages(says("user", "a"), `{"role":"assistant","content":"b","refusal":null,"reasoning_content":"t","reasoning_details":[{"type":"reasoning.text","text":"t","signature":"c2ln","format":"anthropic-claude-v1","index":0}],"images":[],"provider_specific_fields":{"x":1},"audio":null}`, says("user", "c"))},
	{name: "odd: arguments with numbers of any size", body: withTools + "," + messages(says("user", "a"), `{"role":"assistant","tool_calls":[`+argument("c1", `"{\"a\":12345678901234567890,\"b\":1e300,\"c\":-0.0}"`)+`]}`, result("c1", `"b"`))},
}
