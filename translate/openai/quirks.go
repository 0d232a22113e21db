// Package openai speaks OpenAI's chat-completions dialect: it reads what clients send,
// writes what they get, and evens out the many providers that speak almost the same.
package openai

import "github.com/go-json-experiment/json/jsontext"

// Quirks are the ways in which a provider of the OpenAI dialect differs from OpenAI.
// The zero value is OpenAI itself: bytes are passed in both directions. Quirks are
// data; nothing in this package asks for a provider's name.
//
// Requests are changed in this order: Reject and Drop look at the parameters as the
// client sent them, then the quirks of single parameters apply, then Rename, then Add.
// What the client spelled in the provider's own words is never overwritten.
type Quirks struct {
	// MaxTokens is the only name the provider knows for the output limit,
	// "max_tokens" or "max_completion_tokens"; "" if it takes both. A client's
	// max_completion_tokens wins over its max_tokens.
	MaxTokens string `json:"max_tokens,omitempty"`
	// DeveloperRole replaces the role "developer", usually by "system"; "" keeps it.
	DeveloperRole string `json:"developer_role,omitempty"`
	// Reject are top-level parameters that the provider does not have and whose loss
	// would change the answer: a request with one gets a 400, code
	// "unsupported_parameter". A value that asks for nothing passes and is left out:
	// null, false, "", {}, [] and, for "n", 1.
	Reject []string `json:"reject,omitempty"`
	// Drop are top-level parameters that the provider refuses and that are left out.
	// An "n" above 1 is refused as by Reject. With "tools" go tool_choice and
	// parallel_tool_calls; with "stream_options" here, usage is not asked for.
	Drop []string `json:"drop,omitempty"`
	// Rename maps top-level parameters to the provider's own names.
	Rename map[string]string `json:"rename,omitempty"`
	// Add are top-level members of every request, with their values as JSON. A key
	// may list names, divided by "|": the first is added, unless the client sent one
	// of them.
	Add map[string]jsontext.Value `json:"add,omitempty"`
	// AddToolStream is Add for requests that ask for a stream and declare tools.
	AddToolStream map[string]jsontext.Value `json:"add_tool_stream,omitempty"`
	// MaxTemperature is the highest temperature taken; higher ones are lowered to it.
	// 0 means that there is no limit.
	MaxTemperature float64 `json:"max_temperature,omitempty"`
	// ToolChoice maps values of tool_choice the provider refuses to ones it takes;
	// the value "" drops it, and for "none" the tools with it. The key "function" stands for the object forms: then
	// the tools are limited to those the client chose, so that "required" (or the
	// provider's word for it) says the same. For {"type":"allowed_tools"} it only
	// says that objects are refused: its mode is sent, mapped in turn, with the tools
	// limited to its list. A key that is the "type" of an object goes before
	// "function".
	ToolChoice map[string]string `json:"tool_choice,omitempty"`
	// ToolTypes are the types of tools that the provider takes, such as "function";
	// tools of other types are left out. None means all.
	ToolTypes []string `json:"tool_types,omitempty"`
	// ToolID is the form of tool-call ids the provider insists on: "alnum9" is nine
	// letters and digits. Ids of another form are replaced by a hash of themselves,
	// the same on a call and its result.
	ToolID string `json:"tool_id,omitempty"`
	// FlattenText sends content that is a list of text parts as one string, the
	// parts divided by a line break.
	FlattenText bool `json:"flatten_text,omitempty"`
	// ImageURL "string" sends image_url as the bare URL instead of an object.
	ImageURL string `json:"image_url,omitempty"`
	// FilePart "document_url" sends file parts as {"type":"document_url",
	// "document_url":<data URL>,"document_name":…}, or {"type":"file","file_id":…}.
	FilePart string `json:"file_part,omitempty"`
	// DropMessage are members of messages that the provider refuses, such as "name".
	DropMessage []string `json:"drop_message,omitempty"`
	// DropNulls leaves out members whose value is null: at the top level, in
	// messages, their parts and tool calls, in tools and in response_format, but not
	// in schemas.
	DropNulls bool `json:"drop_nulls,omitempty"`
	// DropStrict leaves "strict" out of tools.
	DropStrict bool `json:"drop_strict,omitempty"`
	// DropEmpty leaves out assistant messages with neither content nor calls.
	DropEmpty bool `json:"drop_empty,omitempty"`
	// AfterTool is the text of an assistant message that is put between a tool
	// message and a user message, where the provider refuses the one right behind
	// the other; "" adds none.
	AfterTool string `json:"after_tool,omitempty"`
	// FillUser is the text of a user message that is added where the provider insists
	// on one and the client has none; "" adds none.
	FillUser string `json:"fill_user,omitempty"`
	// Alternate makes user and assistant take turns behind one leading system
	// message, user first and last: neighbours of one role are merged, later system
	// messages become the user's, and a user message with the text FillUser, or "."
	// without it, stands in where one is missing.
	Alternate bool `json:"alternate,omitempty"`
	// AssistantPrefix is the boolean member that marks a trailing assistant message
	// as the beginning of the answer, such as "prefix"; "" if the provider needs none.
	AssistantPrefix string `json:"assistant_prefix,omitempty"`
	// JSONSchema says what becomes of response_format json_schema: "" passes it,
	// "json_object" asks for an object and puts the schema into a system message.
	JSONSchema string `json:"json_schema,omitempty"`
	// JSONObject says what becomes of response_format json_object: "" passes it,
	// "json_schema" asks for the schema {"type":"object"}.
	JSONObject string `json:"json_object,omitempty"`
	// EffortValues maps values of reasoning_effort the provider refuses to ones it
	// takes; the value "" drops it. It applies to what Effort leaves of it.
	EffortValues map[string]string `json:"effort_values,omitempty"`
	// Effort says how reasoning_effort is sent: "" as it is, "drop", "thinking" as
	// {"thinking":{"type":"enabled"|"disabled"}} beside it ("none" becomes "disabled"
	// alone), "thinking_only" instead of it, "enable_thinking" as that boolean,
	// "none_high" limited to those two ("minimal" becomes "none").
	Effort string `json:"effort,omitempty"`
	// ReasoningEcho says what becomes of reasoning in the history: "" passes it,
	// "drop" removes reasoning_content, reasoning, reasoning_details and
	// thinking_blocks, "fill" adds reasoning_content to assistant turns with tool
	// calls that lack it: the text of the other three, or what is remembered of it
	// ([Edit.Reasoning]), or one space. "sign" adds Google's signature to tool calls
	// that lack it, as extra_content: the one in reasoning_details, or what is
	// remembered ([Edit.Signature]).
	ReasoningEcho string `json:"reasoning_echo,omitempty"`
	// StreamUsage says how usage comes in streams: "" by stream_options, "always"
	// without being asked (and stream_options is refused).
	StreamUsage string `json:"stream_usage,omitempty"`
	// StreamOnly is set where the provider only answers in streams: one is asked for
	// whatever the client wants, and the answer must be put together from it.
	StreamOnly bool `json:"stream_only,omitempty"`

	// Normalize decodes answers and writes them anew instead of passing the bytes.
	// Every field below implies it.
	Normalize bool `json:"normalize,omitempty"`
	// ReasoningExcluded: completion_tokens does not count reasoning tokens.
	ReasoningExcluded bool `json:"reasoning_excluded,omitempty"`
	// ThinkTags moves <think>…</think> at the start of the text to the reasoning.
	ThinkTags bool `json:"think_tags,omitempty"`
	// EndWithoutFinish accepts a stream that ends well without a finish reason.
	EndWithoutFinish bool `json:"end_without_finish,omitempty"`

	// Rules are further quirks of some of the provider's models.
	Rules []Rule `json:"rules,omitempty"`
}

// PassRequest reports whether requests need nothing but an [Edit], so that [Splice]
// does.
func (q *Quirks) PassRequest() bool {
	return q.MaxTokens == "" && q.DeveloperRole == "" && len(q.Reject) == 0 && len(q.Drop) == 0 && len(q.Rename) == 0 &&
		len(q.Add) == 0 && len(q.AddToolStream) == 0 && q.MaxTemperature == 0 && len(q.ToolChoice) == 0 && len(q.ToolTypes) == 0 &&
		q.ToolID == "" && q.JSONSchema == "" && q.JSONObject == "" && len(q.EffortValues) == 0 && q.Effort == "" &&
		q.StreamUsage == "" && !q.StreamOnly && !q.DropStrict && q.passMessages()
}

// passMessages reports whether no quirk is about messages alone.
func (q *Quirks) passMessages() bool {
	return !q.FlattenText && q.ImageURL == "" && q.FilePart == "" && len(q.DropMessage) == 0 && !q.DropNulls && !q.DropEmpty &&
		q.AfterTool == "" && q.FillUser == "" && !q.Alternate && q.AssistantPrefix == "" && q.ReasoningEcho == ""
}

// PassResponse reports whether answers can be passed byte for byte.
func (q *Quirks) PassResponse() bool {
	return !q.Normalize && !q.ReasoningExcluded && !q.ThinkTags && !q.EndWithoutFinish
}
