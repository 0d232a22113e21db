package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

// demand is a request, and what must reach the provider for it.
type demand struct {
	name, model, body string
	// has are JSON values by their path; "" is for what must not be there.
	has map[string]string
	// header are the values of header fields.
	header map[string]string
	// dropped are the parameters that the client is told were left out.
	dropped []string
}

var claudeDemands = []demand{
	{
		name: "instructions and turns", model: "claude-opus-4-8", body: messages(`{"role":"system","content":[`+text("a")+`,`+text("b")+`]}`, says("developer", "c"), says("user", "d"), says("system", "e"), says("assistant", "f"), says("user", "g"), says("system", "h")),
		has: map[string]string{
			"system":           `[{"type":"text","text":"a"},{"type":"text","text":"b"},{"type":"text","text":"c"}]`,
			"messages.#.role":  `["user","system","assistant","user","system"]`,
			"messages.1":       `{"role":"system","content":[{"type":"text","text":"e"}]}`,
			"messages.4":       `{"role":"system","content":[{"type":"text","text":"h"}]}`,
			"stop_sequences":   "",
			"max_tokens":       "32000",
			"stream":           "true",
			"temperature":      "",
			"messages.2.role":  `"assistant"`,
			"thinking":         "",
			"output_config":    "",
			"metadata.user_id": "",
		},
		header: map[string]string{"anthropic-version": "2026-10-21", "anthropic-beta": ""},
	},
	{
		name: "instructions inside, under a beta", model: "claude-opus-5", body: messages(says("user", "a"), says("system", "b")),
		has: map[string]string{"messages.#.role": `["user","system"]`}, header: map[string]string{"anthropic-beta": "mid-conversation-system-2026-04-07"},
	},
	{
		name: "instructions inside, where they cannot be", model: "claude-opus-4-7", body: messages(says("user", "a"), says("system", "b")),
		has: map[string]string{"messages.#.role": `["user"]`, "system": `[{"type":"text","text":"b"}]`}, header: map[string]string{"anthropic-beta": ""},
	},
	{
		name: "media", model: "claude-opus-5", body: user(text("a"), image("image/jpg;x=y", pngData), `{"type":"image_url","image_url":{"url":"https://example.com/a.png","detail":"high"}}`, file(`"filename":"a.pdf","file_data":"data:application/pdf;base64,`+pdfData+`"`), file(`"filename":"a.txt","file_data":"`+textData+`"`)),
		has: map[string]string{
			"messages.0.content.1": `{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + pngData + `"}}`,
			"messages.0.content.2": `{"type":"image","source":{"type":"url","url":"https://example.com/a.png"}}`,
			"messages.0.content.3": `{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"` + pdfData + `"},"title":"a.pdf"}`,
			"messages.0.content.4": `{"type":"document","source":{"type":"text","media_type":"text/plain","data":"Zürich is a city.\n"},"title":"a.txt"}`,
		},
		dropped: []string{"messages[0].content[2].image_url.detail"},
	},
	{
		name: "tools E-055 E-060 E-103", model: "claude-sonnet-4-5", body: `"tools":[` + function("b", `,"description":"d","strict":true,"parameters":{"type":"object","required":["z","a"],"properties":{"z":{"type":"string"},"a":{"type":"integer","minimum":3}}}`) + `,` + function("ns.tool/run", `,"parameters":{"properties":{"q":{}}}`) + `,` + shell + `],"parallel_tool_calls":false`,
		has: map[string]string{
			"tools.0":     `{"name":"b","description":"d","input_schema":{"type":"object","required":["z","a"],"properties":{"z":{"type":"string"},"a":{"type":"integer","description":"{minimum: 3}"}},"additionalProperties":false},"strict":true}`,
			"tools.1":     `{"name":"ns_tool_run","input_schema":{"type":"object","properties":{"q":{}}}}`,
			"tools.2":     `{"name":"run_shell","description":"Runs a command.","input_schema":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}}`,
			"tool_choice": `{"type":"auto","disable_parallel_tool_use":true}`,
		},
	},
	{name: "choice none keeps the tools E-054", model: "claude-opus-5-5", body: withTools + `,"tool_choice":"none"`, has: map[string]string{"tool_choice": `{"type":"none"}`, "tools.#": "3"}},
	{name: "choice required", model: "claude-opus-5", body: withTools + `,"tool_choice":"required"`, has: map[string]string{"tool_choice": `{"type":"any"}`}},
	{name: "choice required, refused", model: "claude-opus-5-5", body: withTools + `,"tool_choice":"required"`, has: map[string]string{"tool_choice": `{"type":"auto"}`, "tools.#": "3"}, dropped: []string{"tool_choice"}},
	{name: "choice named, refused", model: "claude-opus-5-5", body: withTools + `,"tool_choice":{"type":"function","function":{"name":"get_time"}}`, has: map[string]string{"tool_choice": `{"type":"auto"}`, "tools.#.name": `["get_time"]`}, dropped: []string{"tool_choice"}},
	{name: "choice of a legacy function, refused", model: "claude-opus-5-5", body: `"functions":[{"name":"f"},{"name":"g"}],"function_call":{"name":"g"}`, has: map[string]string{"tools.#.name": `["g"]`, "tool_choice": `{"type":"auto","disable_parallel_tool_use":true}`}, dropped: []string{"function_call"}},
	{name: "choice of some", model: "claude-opus-5", body: withTools + `,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"custom","custom":{"name":"run_shell"}},{"type":"function","function":{"name":"get_weather"}}]}}`, has: map[string]string{"tools.#.name": `["get_weather","run_shell"]`, "tool_choice": `{"type":"any"}`}},
	{
		name: "results E-058 E-059", model: "claude-opus-5", body: withTools + "," + messages(says("user", "a"), calls("c.1", "c2", "c3"), result("c3", `[`+text("x")+`,`+image("image/png", pngData)+`]`), says("user", "wait"), `{"role":"tool","tool_call_id":"c.1","content":"","is_error":true}`, result("c9", `"lost"`)),
		has: map[string]string{
			"messages.1.content.#.id":          `["c_1_255b58d8","c2","c3"]`,
			"messages.2.content.#.type":        `["tool_result","tool_result","tool_result","text","text"]`,
			"messages.2.content.0":             `{"type":"tool_result","tool_use_id":"c_1_255b58d8","is_error":true}`,
			"messages.2.content.1":             `{"type":"tool_result","tool_use_id":"c2","content":"(no result)","is_error":true}`,
			"messages.2.content.2.content":     `[{"type":"text","text":"x"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + pngData + `"}}]`,
			"messages.2.content.3.text":        `"wait"`,
			"messages.2.content.4.text":        `"Tool result for c9: lost"`,
			"messages.2.content.2.is_error":    "",
			"messages.1.content.0.input":       `{"city":"Zürich"}`,
			"messages.2.content.0.tool_use_id": `"c_1_255b58d8"`,
		},
	},
	{
		name: "arguments E-050", model: "claude-opus-5", body: withTools + "," + messages(says("user", "a"), `{"role":"assistant","tool_calls":[`+argument("c1", `""`)+`,`+argument("c2", `null`)+`,`+argument("c3", `"{\"city\":"`)+`,`+argument("c4", `"[1]"`)+`,`+argument("c5", `"{\"a\": 1.50}"`)+`]}`),
		has: map[string]string{"messages.1.content.#.input": `[{},{},{"input":"{\"city\":"},{"input":[1]},{"a": 1.50}]`},
	},
	{name: "history without tools E-055", model: "claude-opus-5", body: messages(says("user", "a"), calls("c1"), result("c1", `"b"`)), has: map[string]string{"tools": `[{"name":"get_weather","input_schema":{"type":"object","properties":{}}}]`, "tool_choice": `{"type":"none"}`}},
	{name: "schema, native E-102", model: "claude-opus-5-5", body: format(`{"type":"object","properties":{"a":{"type":"string","maxLength":3}},"required":["a"]}`, ""), has: map[string]string{"output_config": `{"format":{"type":"json_schema","schema":{"type":"object","properties":{"a":{"type":"string","description":"{maxLength: 3}"}},"required":["a"],"additionalProperties":false}}}`, "tools": "", "tool_choice": ""}},
	{name: "schema as a tool", model: "claude-sonnet-4-20250514", body: format(`{"type":"array","items":{"type":"string"}}`, `,"description":"d"`), has: map[string]string{"tools": `[{"name":"json_output","description":"d","input_schema":{"type":"object","properties":{"value":{"type":"array","items":{"type":"string"}}},"required":["value"]}}]`, "tool_choice": `{"type":"tool","name":"json_output","disable_parallel_tool_use":true}`, "output_config": ""}},
	{name: "schema as words", model: "claude-opus-5-5", body: format(`{"type":"object"}`, ""), has: map[string]string{"tools": "", "output_config": "", "system.#": "1"}},
	{name: "JSON object", model: "claude-opus-5", body: `"response_format":{"type":"json_object"}`, has: map[string]string{"tools": "", "output_config": "", "system.#": "1", "messages.#": "1"}},
	{name: "effort of an adaptive model E-089 E-091", model: "claude-opus-5-5", body: `"reasoning_effort":"xhigh"`, has: map[string]string{"thinking": `{"type":"adaptive","display":"summarized"}`, "output_config.effort": `"xhigh"`}},
	{name: "effort that the model has not", model: "claude-sonnet-4-6", body: `"reasoning_effort":"xhigh"`, has: map[string]string{"thinking": `{"type":"adaptive","display":"summarized"}`, "output_config.effort": `"max"`}},
	{name: "effort minimal", model: "claude-opus-4-7", body: `"reasoning_effort":"minimal"`, has: map[string]string{"thinking.type": `"adaptive"`, "output_config.effort": `"low"`}},
	{name: "no effort, on by default E-088", model: "claude-opus-5", body: `"reasoning_effort":"none"`, has: map[string]string{"thinking": `{"type":"disabled"}`, "output_config": ""}},
	{name: "no effort, between tools", model: "claude-sonnet-5-5", body: `"reasoning_effort":"none"`, has: map[string]string{"thinking": `{"type":"between_tools"}`, "output_config": ""}},
	{name: "no effort, always on", model: "claude-fable-5", body: `"reasoning_effort":"none"`, has: map[string]string{"thinking": "", "output_config.effort": `"low"`}},
	{name: "no effort, off by default", model: "claude-opus-4-8", body: `"reasoning_effort":"none"`, has: map[string]string{"thinking": "", "output_config": ""}},
	{name: "budget beside the limit E-090", model: "claude-opus-4-1", body: `"reasoning_effort":"high","max_completion_tokens":8000`, has: map[string]string{"thinking": `{"type":"enabled","budget_tokens":6976}`, "max_tokens": "8000"}},
	{name: "budget that does not fit", model: "claude-opus-4-1", body: `"reasoning_effort":"high","max_completion_tokens":1500`, has: map[string]string{"thinking": "", "max_tokens": "1500"}, dropped: []string{"reasoning_effort"}},
	{name: "budget on top", model: "claude-sonnet-4-5", body: `"reasoning_effort":"medium"`, has: map[string]string{"thinking.budget_tokens": "8192", "max_tokens": "40192", "stream": "true"}},
	{name: "sampling, old E-100", model: "claude-opus-4-1", body: `"temperature":1.4,"top_p":0.5,"top_k":7,"max_tokens":100`, has: map[string]string{"temperature": "1", "top_p": "", "top_k": "7", "max_tokens": "100", "stream": ""}, header: map[string]string{"anthropic-version": "2023-06-01"}, dropped: []string{"top_p"}},
	{name: "sampling, new E-101", model: "claude-opus-5", body: `"temperature":0.5,"top_p":0.5,"top_k":7`, has: map[string]string{"temperature": "", "top_p": "", "top_k": ""}, header: map[string]string{"anthropic-version": "2026-10-21"}, dropped: []string{"temperature", "top_p", "top_k"}},
	{name: "limits E-107", model: "claude-3-haiku-20240307", body: `"max_tokens":1000000`, has: map[string]string{"max_tokens": "4096"}},
	{name: "both limits", model: "claude-opus-5", body: `"max_tokens":5,"max_completion_tokens":7`, has: map[string]string{"max_tokens": "7", "stream": ""}},
	{name: "stops E-099", model: "claude-opus-5", body: `"stop":["a","\n"," b"]`, has: map[string]string{"stop_sequences": `["a"," b"]`}, dropped: []string{"stop[1]"}},
	{name: "who asks", model: "claude-opus-5", body: `"user":"u","safety_identifier":"ann@example.com","metadata":{"a":"b"}`, has: map[string]string{"metadata": `{"user_id":"71d4f55f72fa128dfb468a1a3901507c804b74316488744d769d7f4b16696476"}`}},
	{name: "service tiers", model: "claude-opus-5", body: `"service_tier":"default"`, has: map[string]string{"service_tier": `"standard_only"`}},
	{name: "priority", model: "claude-opus-5", body: `"service_tier":"priority"`, has: map[string]string{"service_tier": `"auto"`, "speed": ""}},
	{name: "flex", model: "claude-opus-5", body: `"service_tier":"flex"`, has: map[string]string{"service_tier": ""}, dropped: []string{"service_tier"}},
	{
		name: "what there is nothing for", model: "claude-opus-5", body: `"frequency_penalty":1,"presence_penalty":1,"logit_bias":{"1":2},"seed":1,"prediction":{"type":"content","content":"x"},"verbosity":"low","store":true,"prompt_cache_key":"k","prompt_cache_retention":"24h","prompt_cache_options":{"mode":"implicit"},"moderation":{"model":"m"}`,
		dropped: []string{"prompt_cache_retention", "prompt_cache_options", "moderation", "frequency_penalty", "presence_penalty", "logit_bias", "seed", "prediction", "verbosity", "store", "prompt_cache_key"},
	},
	{
		name: "search", model: "claude-opus-5", body: `"web_search_options":{"search_context_size":"low","user_location":{"type":"approximate","approximate":{"city":"Bern","country":"CH"}}}`,
		has: map[string]string{"tools": `[{"type":"web_search_20250305","name":"web_search","user_location":{"type":"approximate","city":"Bern","country":"CH"}}]`}, dropped: []string{"web_search_options.search_context_size"},
	},
	{
		name: "breakpoints E-104", model: "claude-opus-5", body: `"tools":[` + marked(weather, mark) + `],` + messages(`{"role":"system","content":"s","cache_control":{"type":"ephemeral"}}`, says("user", "a"), calls("c1"), marked(result("c1", `"b"`), mark), `{"role":"user","content":[`+marked(text("q"), `,"prompt_cache_breakpoint":{"mode":"explicit","ttl":"12h"}`)+`]}`),
		has: map[string]string{
			"tools.0.cache_control": `{"type":"ephemeral","ttl":"1h"}`, "system.0.cache_control": `{"type":"ephemeral"}`,
			"messages.2.content.0.cache_control": `{"type":"ephemeral","ttl":"1h"}`, "messages.2.content.1.cache_control": `{"type":"ephemeral","ttl":"1h"}`,
		},
	},
	{
		name: "Anthropic's own parameters", model: "claude-sonnet-4-6", body: `"thinking":{"type":"enabled","budget_tokens":2000},"cache_control":{"type":"ephemeral"},"inference_geo":"eu","speed":"fast","context_management":{"edits":[{"type":"clear_tool_uses_20250919"}]},"reasoning_effort":"low"`,
		has:    map[string]string{"thinking": `{"type":"enabled","budget_tokens":2000}`, "cache_control": `{"type":"ephemeral"}`, "inference_geo": `"eu"`, "speed": `"fast"`, "context_management.edits.0.type": `"clear_tool_uses_20250919"`, "output_config.effort": `"low"`},
		header: map[string]string{"anthropic-beta": "context-management-2025-06-27,fast-mode-2026-02-01"},
	},
	{name: "another vendor's thinking", model: "claude-sonnet-4-5", body: `"thinking":{"type":"enabled"}`, has: map[string]string{"thinking": ""}, dropped: []string{"thinking"}},
	{name: "Anthropic's own tools", model: "claude-opus-5", body: `"tools":[{"type":"code_execution_20260120","name":"code_execution"},{"type":"web_search_20250305","name":"web_search","max_uses":3},` + weather + `]`, has: map[string]string{"tools.0": `{"type":"code_execution_20260120","name":"code_execution"}`, "tools.1.max_uses": "3", "tools.#": "3"}},
}

var geminiDemands = []demand{
	{
		name: "instructions and turns", model: "gemini-3-pro-preview", body: messages(`{"role":"system","content":[`+text("a")+`,`+text("")+`]}`, says("developer", "b"), says("user", "c"), says("user", "d"), says("system", "e"), says("assistant", "f"), says("user", "g")),
		has: map[string]string{
			"systemInstruction": `{"parts":[{"text":"a"},{"text":"b"},{"text":"e"}]}`,
			"contents":          `[{"role":"user","parts":[{"text":"c"},{"text":"d"}]},{"role":"model","parts":[{"text":"f"}]},{"role":"user","parts":[{"text":"g"}]}]`,
			"generationConfig":  "", "tools": "", "safetySettings": "",
		},
	},
	{name: "no instructions", model: "gemma-3-27b-it", body: messages(says("system", "a"), says("user", "b")), has: map[string]string{"systemInstruction": "", "contents.0.parts": `[{"text":"a\n\n"},{"text":"b"}]`}},
	{
		name: "media", model: "gemini-3-pro-preview", body: user(text("a"), image("image/jpg", jpegData, `,"detail":"low"`), file(`"filename":"a.pdf","file_data":"`+pdfData+`"`), `{"type":"input_audio","input_audio":{"data":"`+wavData+`","format":"wav"}}`, `{"type":"video_url","video_url":{"url":"https://youtu.be/x"}}`, file(`"file_id":"files/abc"`)),
		has: map[string]string{
			"contents.0.parts.1": `{"inlineData":{"mimeType":"image/jpeg","data":"` + jpegData + `"},"mediaResolution":{"level":"MEDIA_RESOLUTION_LOW"}}`,
			"contents.0.parts.2": `{"inlineData":{"mimeType":"application/pdf","data":"` + pdfData + `"}}`,
			"contents.0.parts.3": `{"inlineData":{"mimeType":"audio/wav","data":"` + wavData + `"}}`,
			"contents.0.parts.4": `{"fileData":{"mimeType":"video/mp4","fileUri":"https://youtu.be/x"}}`,
			"contents.0.parts.5": `{"fileData":{"fileUri":"https://generativelanguage.googleapis.com/v1beta/files/abc"}}`,
		},
	},
	{name: "detail of older models", model: "gemini-2.5-pro", body: user(image("image/png", pngData, `,"detail":"high"`)), has: map[string]string{"contents.0.parts.0.mediaResolution": ""}, dropped: []string{"messages[0].content[0].image_url.detail"}},
	{
		name: "tools E-112 E-113", model: "gemini-3-pro-preview", body: `"tools":[` + function("ns/tool", `,"description":"d","parameters":{"$schema":"x","type":"object","properties":{"a":{"type":"integer","exclusiveMinimum":0},"b":{"$ref":"#/$defs/B"}},"additionalProperties":false,"$defs":{"B":{"type":"string"}}}`) + `,` + clock + `,` + shell + `]`,
		has: map[string]string{
			"tools.0.functionDeclarations.0": `{"name":"ns_tool","description":"d","parametersJsonSchema":{"type":"object","properties":{"a":{"type":"integer","description":"exclusiveMinimum: 0"},"b":{"$ref":"#/$defs/B"}},"additionalProperties":false,"$defs":{"B":{"type":"string"}}}}`,
			"tools.0.functionDeclarations.1": `{"name":"get_time"}`,
			"tools.0.functionDeclarations.2": `{"name":"run_shell","description":"Runs a command.","parametersJsonSchema":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}}`,
			"tools.#":                        "1", "toolConfig": "",
		},
	},
	{name: "tools of older models", model: "gemini-2.0-flash", body: `"tools":[` + function("f", `,"parameters":{"type":"object","properties":{"b":{"$ref":"#/$defs/B"}},"$defs":{"B":{"type":["string","null"]}}}`) + `]`, has: map[string]string{"tools.0.functionDeclarations.0": `{"name":"f","parameters":{"type":"object","properties":{"b":{"type":"string","nullable":true}}}}`}},
	{name: "strict", model: "gemini-3-pro-preview", body: `"tools":[` + function("f", `,"strict":true,"parameters":`+strictSchema) + `]`, has: map[string]string{"toolConfig": `{"functionCallingConfig":{"mode":"VALIDATED"}}`}},
	{name: "choice none keeps the tools E-054", model: "gemini-3-pro-preview", body: withTools + `,"tool_choice":"none"`, has: map[string]string{"toolConfig": `{"functionCallingConfig":{"mode":"NONE"}}`, "tools.0.functionDeclarations.#": "3"}},
	{name: "choice required", model: "gemini-2.5-pro", body: withTools + `,"tool_choice":"required"`, has: map[string]string{"toolConfig": `{"functionCallingConfig":{"mode":"ANY"}}`}},
	{name: "choice named", model: "gemini-2.5-pro", body: withTools + `,"tool_choice":{"type":"custom","custom":{"name":"run_shell"}}`, has: map[string]string{"toolConfig": `{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["run_shell"]}}`}},
	{name: "choice of some", model: "gemini-2.5-pro", body: withTools + `,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"get_time"}}]}}`, has: map[string]string{"toolConfig": `{"functionCallingConfig":{"mode":"VALIDATED","allowedFunctionNames":["get_time"]}}`, "tools.0.functionDeclarations.#": "3"}},
	{name: "serial", model: "gemini-2.5-pro", body: withTools + `,"parallel_tool_calls":false`, dropped: []string{"parallel_tool_calls"}},
	{name: "legacy functions", model: "gemini-2.5-pro", body: `"functions":[{"name":"f"}],"function_call":{"name":"f"}`, has: map[string]string{"tools.0.functionDeclarations": `[{"name":"f"}]`, "toolConfig": `{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}}`}},
	{
		name: "results E-080", model: "gemini-3-pro-preview", body: withTools + "," + messages(says("user", "a"), calls("c1", "k2j4h5g6"), result("k2j4h5g6", `"{\"ok\":true}"`), says("user", "wait"), `{"role":"tool","tool_call_id":"c1","content":"no","is_error":true}`),
		has: map[string]string{
			"contents.1.parts.0": `{"functionCall":{"name":"get_weather","args":{"city":"Zürich"}},"thoughtSignature":"skip_thought_signature_validator"}`,
			"contents.1.parts.1": `{"functionCall":{"id":"k2j4h5g6","name":"get_weather","args":{"city":"Zürich"}}}`,
			"contents.2.parts":   `[{"functionResponse":{"name":"get_weather","response":{"error":"no"}}},{"functionResponse":{"id":"k2j4h5g6","name":"get_weather","response":{"ok":true}}},{"text":"wait"}]`,
		},
	},
	{name: "result missing E-059", model: "gemini-2.5-pro", body: withTools + "," + messages(says("user", "a"), calls("c1"), says("user", "b")), has: map[string]string{"contents.2.parts": `[{"functionResponse":{"name":"get_weather","response":{"error":"no result"}}},{"text":"b"}]`, "contents.1.parts.0.thoughtSignature": ""}},
	{name: "image in a result", model: "gemini-3-pro-preview", body: withTools + "," + messages(says("user", "a"), calls("c1"), result("c1", `[`+image("image/png", pngData)+`]`)), has: map[string]string{"contents.2.parts.0.functionResponse.parts": `[{"inlineData":{"mimeType":"image/png","data":"` + pngData + `"}}]`}},
	{name: "image beside a result", model: "gemini-2.5-pro", body: withTools + "," + messages(says("user", "a"), calls("c1"), result("c1", `[`+image("image/png", pngData)+`]`)), has: map[string]string{"contents.2.parts.1": `{"inlineData":{"mimeType":"image/png","data":"` + pngData + `"}}`}},
	{name: "signature E-079", model: "gemini-3-pro-preview", body: withTools + "," + messages(says("user", "a"), strings.Replace(calls("c1"), `"type":"function"`, `"type":"function","extra_content":{"google":{"thought_signature":"c2ln"}}`, 1), result("c1", `"b"`)), has: map[string]string{"contents.1.parts.0.thoughtSignature": `"c2ln"`}},
	{name: "schema", model: "gemini-3-pro-preview", body: format(`{"type":"object","properties":{"a":{"type":"string","maxLength":3}},"required":["a"],"additionalProperties":false}`, ""), has: map[string]string{"generationConfig": `{"responseMimeType":"application/json","responseJsonSchema":{"type":"object","properties":{"a":{"type":"string","description":"maxLength: 3"}},"required":["a"],"additionalProperties":false}}`}},
	{name: "schema and tools of older models", model: "gemini-2.5-pro", body: format(`{"type":"object"}`, "") + "," + withTools, has: map[string]string{"generationConfig": "", "systemInstruction.parts.#": "1"}},
	{name: "JSON object", model: "gemini-2.5-pro", body: `"response_format":{"type":"json_object"}`, has: map[string]string{"generationConfig": `{"responseMimeType":"application/json"}`}},
	{name: "effort of level models", model: "gemini-3-flash-preview", body: `"reasoning_effort":"minimal"`, has: map[string]string{"generationConfig.thinkingConfig": `{"thinkingLevel":"MINIMAL","includeThoughts":true}`}},
	{name: "effort with two levels", model: "gemini-3-pro-preview", body: `"reasoning_effort":"medium"`, has: map[string]string{"generationConfig.thinkingConfig": `{"thinkingLevel":"HIGH","includeThoughts":true}`}},
	{name: "no effort", model: "gemini-3-pro-preview", body: `"reasoning_effort":"none"`, has: map[string]string{"generationConfig.thinkingConfig": `{"thinkingLevel":"LOW"}`}},
	{name: "no effort of budget models E-090", model: "gemini-2.5-pro", body: `"reasoning_effort":"none"`, has: map[string]string{"generationConfig.thinkingConfig": `{"thinkingBudget":128}`}},
	{name: "effort of budget models E-090", model: "gemini-2.5-flash-lite", body: `"reasoning_effort":"max"`, has: map[string]string{"generationConfig.thinkingConfig": `{"thinkingBudget":24576,"includeThoughts":true}`}},
	{name: "effort of models that do not think", model: "gemini-2.0-flash", body: `"reasoning_effort":"high"`, has: map[string]string{"generationConfig": ""}, dropped: []string{"reasoning_effort"}},
	{
		name: "parameters", model: "gemini-3-pro-preview", body: `"max_completion_tokens":100,"max_tokens":5,"temperature":1.7,"top_p":0.5,"top_k":7,"stop":["a","","b"],"n":2,"seed":4294967299,"presence_penalty":0.5,"frequency_penalty":-0.5,"logprobs":true,"top_logprobs":3,"modalities":["text"]`,
		has: map[string]string{"generationConfig": `{"maxOutputTokens":100,"temperature":1.7,"topP":0.5,"topK":7,"stopSequences":["a","b"],"candidateCount":2,"seed":3,"presencePenalty":0.5,"frequencyPenalty":-0.5,"responseLogprobs":true,"logprobs":3,"responseModalities":["TEXT"]}`},
	},
	{name: "penalties of 2.5", model: "gemini-2.5-pro", body: `"presence_penalty":0.5,"frequency_penalty":-0.5`, has: map[string]string{"generationConfig": ""}, dropped: []string{"presence_penalty", "frequency_penalty"}},
	{name: "tier and store", model: "gemini-3-pro-preview", body: `"service_tier":"fast","store":false`, has: map[string]string{"serviceTier": `"priority"`, "store": "false"}},
	{
		name: "what there is nothing for", model: "gemini-3-pro-preview", body: `"user":"u","safety_identifier":"s","metadata":{"a":"b"},"logit_bias":{"1":2},"prediction":{"type":"content","content":"x"},"verbosity":"low","prompt_cache_key":"k","prompt_cache_retention":"24h","moderation":{"model":"m"}`,
		has:     map[string]string{"labels": ""},
		dropped: []string{"user", "safety_identifier", "metadata", "logit_bias", "prediction", "verbosity", "prompt_cache_key", "prompt_cache_retention", "moderation"},
	},
	{name: "search", model: "gemini-2.5-pro", body: `"web_search_options":{}`, has: map[string]string{"tools": `[{"googleSearch":{}}]`, "toolConfig": ""}},
	{name: "search and tools", model: "gemini-3-pro-preview", body: `"web_search_options":{},"tools":[` + clock + `]`, has: map[string]string{"tools": `[{"functionDeclarations":[{"name":"get_time"}]},{"googleSearch":{}}]`, "toolConfig": `{"includeServerSideToolInvocations":true}`}},
	{name: "search or tools", model: "gemini-2.5-pro", body: `"web_search_options":{},"tools":[` + clock + `]`, has: map[string]string{"tools": `[{"functionDeclarations":[{"name":"get_time"}]}]`}, dropped: []string{"web_search_options"}},
	{
		name: "Google's own parameters E-115", model: "gemini-2.5-pro", body: `"safety_settings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_NONE"}],"cached_content":"cachedContents/x","generation_config":{"media_resolution":"MEDIA_RESOLUTION_LOW","max_output_tokens":9},"extra_body":{"google":{"thinking_config":{"thinking_budget":500,"include_thoughts":true}}},"reasoning_effort":"low"`,
		has: map[string]string{"safetySettings": `[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_NONE"}]`, "cachedContent": `"cachedContents/x"`, "generationConfig.thinkingConfig": `{"thinkingBudget":500,"includeThoughts":true}`, "generationConfig.mediaResolution": `"MEDIA_RESOLUTION_LOW"`, "generationConfig.maxOutputTokens": "9"},
	},
	{name: "Google's own tools", model: "gemini-2.5-pro", body: `"tools":[{"type":"url_context","url_context":{}},{"type":"code_execution","code_execution":{}}]`, has: map[string]string{"tools": `[{"urlContext":{}},{"codeExecution":{}}]`}},
}

// TestWhatReachesClaude and its counterpart pin what becomes of each parameter, value by
// value.
func TestWhatReachesClaude(t *testing.T) {
	t.Parallel()
	s := startStrict(t)
	s.fulfil(t, "anthropic", claudeDemands, func(c *call) []string { return claudeFaults(c.header, c.body) })
}

func TestWhatReachesGemini(t *testing.T) {
	t.Parallel()
	s := startStrict(t)
	s.fulfil(t, "gemini", geminiDemands, func(c *call) []string { return geminiFaults(c.path, c.query, c.body) })
}

func (s *strictSite) fulfil(t *testing.T, provider string, demands []demand, faults func(*call) []string) {
	for i := range demands {
		d := &demands[i]
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			q, model := question{body: d.body}, fmt.Sprintf("%s-case%d", d.model, i) // which tells the calls apart
			body := q.members(provider+"/"+model, false)
			a, c := s.put(t, provider, model, body)
			if wrong := outcome(&q, "", body, a, c, faults); len(wrong) > 0 {
				t.Fatal(strings.Join(wrong, "\n"))
			}
			for path, want := range d.has {
				if got := gjson.GetBytes(c.body, path); got.Raw != want {
					t.Errorf("%s is %s, not %s", path, got.Raw, want)
				}
			}
			for name, want := range d.header {
				if got := c.header.Get(name); got != want {
					t.Errorf("the header %s is %q, not %q", name, got, want)
				}
			}
			if got := dropped(a); !slices.Equal(got, d.dropped) {
				t.Errorf("dropped are %q, not %q", got, d.dropped)
			}
			if t.Failed() {
				t.Logf("asked %s\nsent %s", body, c.body)
			}
		})
	}
}
