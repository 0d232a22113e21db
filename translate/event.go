// Package translate holds what all dialects of LLM APIs have in common: the canonical
// [Request], the stream of [Event]s that an answer is, and the [Guard] that keeps such
// a stream legal. A dialect is a folder of its own below this one; it turns requests
// into a provider's form and the provider's answers into events, or events into what a
// client reads.
//
// Nothing here does I/O, reads a clock or knows HTTP: equal input gives equal output.
package translate

// EventKind tells what an [Event] says.
type EventKind uint8

// The kinds of events, in the order in which a good answer has them. Blocks of one
// choice follow each other or interleave; those of several choices interleave freely.
const (
	// EventStart opens the answer: ID, Model, Created.
	EventStart EventKind = iota + 1
	// EventBlockStart opens block Index of Choice: Block, and Call or Format.
	EventBlockStart
	// EventBlockDelta adds Text to an open block.
	EventBlockDelta
	// EventBlockMeta says something about an open block: Meta, and Text or Raw.
	EventBlockMeta
	// EventBlockStop closes a block.
	EventBlockStop
	// EventUsage gives the tokens used so far; the last one counts.
	EventUsage
	// EventFinish says why Choice ended: Reason.
	EventFinish
	// EventKeepAlive says that the provider is alive and has nothing to say.
	EventKeepAlive
	// EventError ends the answer as failed: Err.
	EventError
	// EventEnd ends the answer as complete. Only the Guard emits it.
	EventEnd
)

// BlockKind is what a block consists of.
type BlockKind uint8

// The kinds of blocks.
const (
	BlockText BlockKind = iota + 1
	BlockReasoning
	BlockRefusal
	// BlockTool is a call of one of the client's tools; its text is the JSON of the
	// arguments.
	BlockTool
	// BlockFunction is a call in the form of the deprecated "functions" parameter.
	BlockFunction
	// BlockMedia is an image or audio; it comes as metadata only.
	BlockMedia
)

// MetaKind is what an EventBlockMeta tells.
type MetaKind uint8

// The kinds of metadata.
const (
	// MetaSignature: Text is the provider's signature of a reasoning or tool block,
	// to be sent back with it.
	MetaSignature MetaKind = iota + 1
	// MetaEncrypted: Text is opaque reasoning state that stands for a whole block.
	MetaEncrypted
	// MetaReasoningDetails: Raw is an array in the form of reasoning_details.
	MetaReasoningDetails
	// MetaAnnotations: Raw is an array of OpenAI annotations on the choice's text.
	MetaAnnotations
	// MetaLogprobs: Raw is an array of OpenAI token logprobs of a text or refusal
	// block.
	MetaLogprobs
	// MetaImages: Raw is an array of {type:"image_url",image_url:{url}}.
	MetaImages
	// MetaAudio: Raw is an object, or a fragment of one, in the form of OpenAI's
	// "audio".
	MetaAudio
	// MetaVendor: Raw is an object for provider_specific_fields.
	MetaVendor
)

// FormatCustomTool as the Format of a BlockTool's start says that the call is one of a
// "custom" tool: its text is the tool's input as the model wrote it, and not JSON.
const FormatCustomTool = "custom"

// Call names a tool call.
type Call struct {
	ID   string
	Name string
}

// Event is one step of an answer. Which fields are set depends on Kind. An Event and
// the slices in it belong to whoever emits it and are only valid during Emit.
type Event struct {
	Kind EventKind

	// Choice is the index of the choice ("choices[].index"); Index tells the blocks
	// of one choice apart and is any number the decoder likes, as long as a block
	// keeps it. Tool is the place of a tool block among the tool blocks of its
	// choice, dense from 0; the Guard sets it.
	Choice, Index, Tool int

	Block  BlockKind
	Meta   MetaKind
	Call   Call
	Format string // of reasoning state, such as "anthropic-claude-v1"; "" for none

	// Text is the inside of a JSON string: escaped, without its quotes. Most
	// providers send text in that form and most clients want it in that form, so it
	// is copied and never unescaped on the way.
	Text []byte
	// Raw is JSON.
	Raw []byte

	ID, Model   string // EventStart
	Created     int64  // EventStart: Unix seconds; 0 if the provider does not say
	ServiceTier string // EventStart and EventUsage; "" if unknown or not OpenAI's
	Fingerprint string // EventStart: system_fingerprint

	Usage  *Usage
	Reason FinishReason
	Err    *Error
}

// FinishReason is why a choice ended; the zero value says that the provider did not
// give a reason.
type FinishReason uint8

// The complete set of reasons an OpenAI client knows.
const (
	FinishUnknown FinishReason = iota
	FinishStop
	FinishLength
	FinishToolCalls
	FinishContentFilter
	FinishFunctionCall
)

// String returns OpenAI's word for the reason; "stop" for FinishUnknown.
func (r FinishReason) String() string {
	switch r {
	case FinishLength:
		return "length"
	case FinishToolCalls:
		return "tool_calls"
	case FinishContentFilter:
		return "content_filter"
	case FinishFunctionCall:
		return "function_call"
	default:
		return "stop"
	}
}

// Sink takes the events of one answer, in order. It must not keep the Event nor what
// it points to.
type Sink interface {
	Emit(*Event)
}

// Decoder turns one answer of a provider into events. It is made for one answer and
// used by one goroutine. It reports every failure as an EventError, never panics on
// any input, and emits nothing after an error.
type Decoder interface {
	// Event takes one event of a stream. The decoder keeps nothing of it.
	Event(data, stray []byte, out Sink)
	// Body takes a whole answer that is not a stream.
	Body(body []byte, out Sink)
	// Done reports whether the provider has said its last word: nothing that could
	// still come belongs to the answer, so its end need not be waited for.
	Done() bool
	// End says that the answer's bytes have ended; clean is false if they broke off.
	// It is called once, after the last Event or Body.
	End(clean bool, out Sink)
}

// Encoder turns events into the bytes a client reads. It is made for one answer.
type Encoder interface {
	Sink
	// Bytes returns what has been encoded and not been taken by Reset yet. It is
	// valid until the next call.
	Bytes() []byte
	// Reset forgets the bytes that Bytes returned.
	Reset()
}
