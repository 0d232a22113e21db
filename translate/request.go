package translate

import (
	"iter"

	"github.com/go-json-experiment/json/jsontext"
)

// Request is a chat request in nobody's dialect: turns of blocks, tools with their
// schemas as raw JSON, and optional parameters. A client dialect decodes into it, a
// provider's dialect encodes from it, and neither changes it.
type Request struct {
	Model  string
	Turns  []Turn
	Tools  []Tool
	Choice ToolChoice

	// Stream asks for an event stream; IncludeUsage for usage in it.
	Stream       bool
	IncludeUsage bool

	Params Params

	// Extra are the top-level members that no field here stands for, in source
	// order: extensions of a vendor that its encoder may know.
	Extra []Member
}

// Member is one member of an object, its value raw.
type Member struct {
	Name  string
	Value jsontext.Value
}

// Get returns the value of the extra member called name, or nil.
func (r *Request) Get(name string) jsontext.Value {
	for _, m := range r.Extra {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}

// Parts goes through the parts of all turns, and of the tool results in them. They are
// the request's own.
func (r *Request) Parts() iter.Seq[*Part] {
	return func(yield func(*Part) bool) {
		for i := range r.Turns {
			for k := range r.Turns[i].Parts {
				p := &r.Turns[i].Parts[k]
				if !yield(p) {
					return
				}
				if p.Result == nil {
					continue
				}
				for n := range p.Result.Parts {
					if !yield(&p.Result.Parts[n]) {
						return
					}
				}
			}
		}
	}
}

// Role is who speaks in a turn.
type Role uint8

// The roles. Developer messages are system turns with Turn.Developer set; a tool
// message is a RoleTool turn with one PartToolResult.
const (
	RoleSystem Role = iota + 1
	RoleUser
	RoleAssistant
	RoleTool
)

// Turn is one message.
type Turn struct {
	Role      Role
	Developer bool // RoleSystem: the client wrote "developer"
	Name      string
	Parts     []Part
	// Path is the JSON path of the message in the client's request, such as
	// "messages[3]"; errors name it.
	Path string
}

// PartKind is what a part of a turn is.
type PartKind uint8

// The kinds of parts.
const (
	PartText PartKind = iota + 1
	PartRefusal
	PartImage
	PartAudio
	PartFile
	PartVideo
	PartToolCall
	PartToolResult
	PartReasoning
)

// Part is one piece of a turn. Only the fields of its kind are set.
type Part struct {
	Kind PartKind
	// Text of PartText and PartRefusal.
	Text      string
	Media     *Media      // PartImage, PartAudio, PartFile, PartVideo
	Call      *ToolCall   // PartToolCall
	Result    *ToolResult // PartToolResult
	Reasoning *Reasoning  // PartReasoning
	// CacheControl is Anthropic's {"type":"ephemeral","ttl":…}, given as such or as
	// OpenAI's prompt_cache_breakpoint; nil if the part marks no breakpoint.
	CacheControl jsontext.Value
	// Path is the JSON path of the part in the client's request.
	Path string
}

// Media is an image, audio, file or video. One of URL, Data and FileID is set.
type Media struct {
	URL    string // http, https, gs
	Data   string // base64, standard alphabet
	FileID string
	// MIME is the media type, lower case, without parameters; "" if unknown.
	MIME     string
	Filename string
	Detail   string // of an image: auto, low, high, original
}

// ToolCall is a call the assistant made in an earlier turn.
type ToolCall struct {
	ID   string
	Name string
	// Arguments is the text the model wrote: meant to be a JSON object, and not
	// always one. For a custom tool it is the free text of the input.
	Arguments string
	Custom    bool
	// Signature is the provider's opaque state of the call, and Format whose it is
	// ("google-gemini-v1"); empty if the client has none.
	Signature, Format string
}

// ToolResult is what a call gave.
type ToolResult struct {
	CallID  string
	Name    string // of the tool; "" if the client did not say
	IsError bool
	Parts   []Part // text and media
}

// Reasoning is a piece of the assistant's reasoning from an earlier turn.
type Reasoning struct {
	Text      string
	Signature string // of Text
	Encrypted string // opaque state that stands for a whole block
	Format    string // whose state it is, such as "anthropic-claude-v1"; "" if unknown
	ID        string // of the item or tool call the state belongs to
	Index     int
}

// ToolKind is the kind of a tool.
type ToolKind uint8

// The kinds of tools.
const (
	ToolFunction ToolKind = iota + 1
	// ToolCustom takes free text.
	ToolCustom
	// ToolRaw is a provider's own tool, to be passed verbatim to that provider.
	ToolRaw
)

// Tool is a tool the model may call.
type Tool struct {
	Kind        ToolKind
	Name        string
	Description string
	// Parameters is the JSON schema as the client wrote it, nil if there is none.
	// Its bytes are kept in order: caches and signatures depend on them.
	Parameters jsontext.Value
	Strict     *bool
	Format     jsontext.Value // ToolCustom: its "format"
	Raw        jsontext.Value // ToolRaw: the whole tool
	// CacheControl as in Part.
	CacheControl jsontext.Value
	Path         string
}

// ToolMode says whether the model may, must or must not call tools.
type ToolMode uint8

// The modes; the zero value is what the provider does by default.
const (
	ToolDefault ToolMode = iota
	ToolAuto
	ToolNone
	ToolRequired
	// ToolNamed: the one in ToolChoice.Names must be called.
	ToolNamed
)

// ToolChoice is what the client wants of the tools.
type ToolChoice struct {
	Mode ToolMode
	// Names limits the tools that may be called; with ToolNamed it has one element.
	Names []string
	// Parallel is parallel_tool_calls.
	Parallel *bool
}

// Params are the optional parameters of a request. A nil pointer, nil slice or empty
// string is a parameter the client did not send.
type Params struct {
	MaxTokens        *int64 // max_completion_tokens, or else max_tokens
	Temperature      *float64
	TopP             *float64
	TopK             *int64
	FrequencyPenalty *float64
	PresencePenalty  *float64
	N                *int64
	Seed             *int64
	Stop             []string
	Logprobs         *bool
	TopLogprobs      *int64
	LogitBias        jsontext.Value

	// Effort is reasoning_effort: none, minimal, low, medium, high, xhigh, max.
	Effort string
	// Verbosity is low, medium or high.
	Verbosity string
	Format    *ResponseFormat

	User             string
	SafetyIdentifier string
	PromptCacheKey   string
	ServiceTier      string
	Modalities       []string
	Audio            jsontext.Value
	Prediction       jsontext.Value
	WebSearch        jsontext.Value // web_search_options
	Metadata         jsontext.Value
	Store            *bool

	// LegacyFunctions: the client used "functions" and "function_call", and expects
	// answers in that form.
	LegacyFunctions bool
}

// ResponseFormat is response_format.
type ResponseFormat struct {
	// Type is text, json_object or json_schema.
	Type        string
	Name        string
	Description string
	Schema      jsontext.Value // nil if absent
	Strict      *bool
}

// Encoded is a request in a provider's dialect.
type Encoded struct {
	// Body is the JSON to send.
	Body []byte
	// Header are further header fields the body needs, as name and value.
	Header [][2]string
	// Dropped names the client's fields that the provider or model cannot take, as
	// JSON paths in the client's request.
	Dropped []string
	// Stream is whether the provider was asked for a stream; it may differ from
	// what the client asked for.
	Stream bool
	// Names maps tool names that had to be changed, new to old; nil if none had.
	Names map[string]string
	// JSONTool is the name of a tool that stands in for structured output: its
	// arguments are the answer's content. "" if there is none.
	JSONTool string
	// JSONMember is the member of JSONTool's arguments that is the content, where
	// the client's schema is not that of an object; "" if all of them are.
	JSONMember string
	// CustomTools names the tools, as the provider knows them, that stand for tools
	// taking free text: the member "input" of their arguments is that text.
	CustomTools []string
	// ServerTools is whether the provider may run tools of its own, and so may pause
	// the answer to be asked for the rest.
	ServerTools bool
	// ImplicitMaxTokens is an output limit that the provider insists on and the
	// client did not give; 0 if there is none.
	ImplicitMaxTokens int64
}
