package openai

import (
	"slices"
	"strconv"
	"sync"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// StreamOptions are what a client asked of its stream.
type StreamOptions struct {
	// IncludeUsage is stream_options.include_usage: a last chunk has the usage, and
	// all others have "usage":null.
	IncludeUsage bool
}

// StreamEncoder writes an answer as a stream of chat.completion.chunk events, and
// implements [translate.Encoder]. It wants its events in the order that
// [translate.Guard] keeps.
//
// Each choice begins with a delta of the role; every event after that is one chunk,
// save that log probabilities and reasoning_details share the chunk of the text they
// belong to. A failed answer ends with an error event and without "[DONE]", so that
// clients do not take it for complete. Once its buffers have grown, text costs no
// allocation.
type StreamEncoder struct {
	opts    StreamOptions
	buf     []byte
	taken   int    // of buf: returned by Bytes
	head    []byte // of every chunk: up to and including "choices":[
	tail    string // of every chunk: from ] on
	tier    bool   // head names the service tier
	ended   bool
	choices []streamChoice

	// A chunk stays open until the next one begins or the bytes are wanted, because
	// further members may join it.
	open    *streamBlock // the block whose chunk is open; nil if no chunk is
	choice  int          // index of the open chunk's choice
	first   bool         // its delta has no member yet
	inTool  bool         // its delta ends in an element of tool_calls
	details bool         // its delta has reasoning_details
	content []byte       // its logprobs, as the inside of a list
	refusal []byte
}

// streamChoice is what has been written of one choice.
type streamChoice struct {
	index   int
	details int // how many places in reasoning_details have been given away
	blocks  []*streamBlock
}

// streamBlock is what has to be known of a block while it grows.
type streamBlock struct {
	index  int
	kind   translate.BlockKind
	format string
	id     string // of a tool call
	custom bool
	detail int // place in reasoning_details; -1 if it has none yet
}

// streamEncoders keeps the buffers of encoders that have been released.
var streamEncoders = sync.Pool{New: func() any { return new(StreamEncoder) }}

// maxKeptEncoder is the largest buffer that is kept, in bytes.
const maxKeptEncoder = 64 << 10

// NewStreamEncoder returns a StreamEncoder for one answer.
func NewStreamEncoder(opts StreamOptions) *StreamEncoder {
	e := streamEncoders.Get().(*StreamEncoder)
	e.opts, e.tail = opts, "]}\n\n"
	if opts.IncludeUsage {
		e.tail = "],\"usage\":null}\n\n"
	}
	return e
}

// Release gives the encoder's buffers to the next one. It and what Bytes returned must
// not be used afterwards.
func (e *StreamEncoder) Release() {
	if cap(e.buf) > maxKeptEncoder {
		return
	}
	*e = StreamEncoder{buf: e.buf[:0], head: e.head[:0]}
	streamEncoders.Put(e)
}

// AppendDone appends the event that ends a stream.
func AppendDone(dst []byte) []byte { return append(dst, "data: [DONE]\n\n"...) }

// AppendKeepAlive appends a sign of life. It is one line without a blank line behind
// it, since there are clients that take any blank line for an event.
func AppendKeepAlive(dst []byte) []byte { return append(dst, ": keep-alive\n"...) }

// AppendErrorEvent appends the event that ends a stream which failed.
func AppendErrorEvent(dst []byte, err *translate.Error) []byte {
	dst = append(dst, "data: "...)
	return append(AppendError(dst, err), "\n\n"...)
}

// Bytes implements [translate.Encoder].
func (e *StreamEncoder) Bytes() []byte {
	e.closeChunk("null")
	e.taken = len(e.buf)
	return e.buf
}

// Reset implements [translate.Encoder].
func (e *StreamEncoder) Reset() {
	n := copy(e.buf, e.buf[e.taken:])
	e.buf, e.taken = e.buf[:n], 0
}

// Emit implements [translate.Sink].
func (e *StreamEncoder) Emit(ev *translate.Event) {
	if e.ended {
		return
	}
	switch ev.Kind {
	case translate.EventStart:
		e.start(ev)
	case translate.EventBlockStart:
		e.blockStart(ev)
	case translate.EventBlockDelta:
		e.delta(ev)
	case translate.EventBlockMeta:
		e.meta(ev)
	case translate.EventUsage:
		e.usage(ev)
	case translate.EventFinish:
		e.began(ev.Choice, translate.BlockText)
		e.begin(ev.Choice, nil)
		e.closeChunk(quotedReason(ev.Reason))
	case translate.EventKeepAlive:
		e.closeChunk("null")
		e.buf = AppendKeepAlive(e.buf)
	case translate.EventError:
		e.closeChunk("null")
		e.ended = true
		e.buf = AppendErrorEvent(e.buf, errorOf(ev))
	case translate.EventEnd:
		e.closeChunk("null")
		e.ended = true
		e.buf = AppendDone(e.buf)
	}
}

// errorOf returns the event's error, or one in its place.
func errorOf(ev *translate.Event) *translate.Error {
	if ev.Err == nil {
		return translate.UpstreamError("The provider reported an error.")
	}
	return ev.Err
}

func (e *StreamEncoder) start(ev *translate.Event) {
	h := append(e.head[:0], `data: {"id":`...)
	h = jsonscan.Quote(h, ev.ID)
	h = append(h, `,"object":"chat.completion.chunk","created":`...)
	h = strconv.AppendInt(h, ev.Created, 10)
	h = append(h, `,"model":`...)
	h = jsonscan.Quote(h, ev.Model)
	if e.tier = ev.ServiceTier != ""; e.tier {
		h = jsonscan.Quote(append(h, `,"service_tier":`...), ev.ServiceTier)
	}
	if ev.Fingerprint != "" {
		h = jsonscan.Quote(append(h, `,"system_fingerprint":`...), ev.Fingerprint)
	}
	e.head = append(h, `,"choices":[`...)
}

// began returns a choice, and writes its first chunk if there is none yet. kind is
// what the choice begins with: where that is no text, the content is null.
func (e *StreamEncoder) began(index int, kind translate.BlockKind) *streamChoice {
	for i := range e.choices {
		if e.choices[i].index == index {
			return &e.choices[i]
		}
	}
	e.choices = append(e.choices, streamChoice{index: index})
	e.begin(index, nil)
	e.member(`"role":"assistant","content":`)
	switch kind {
	case translate.BlockTool, translate.BlockFunction, translate.BlockRefusal:
		e.buf = append(e.buf, "null"...)
	default:
		e.buf = append(e.buf, `""`...)
	}
	e.closeChunk("null")
	return &e.choices[len(e.choices)-1]
}

// block returns the block that ev speaks of; the Guard has opened it before.
func (e *StreamEncoder) block(ev *translate.Event) (*streamChoice, *streamBlock) {
	c := e.began(ev.Choice, ev.Block)
	for _, b := range slices.Backward(c.blocks) {
		if b.index == ev.Index {
			return c, b
		}
	}
	b := &streamBlock{index: ev.Index, kind: ev.Block, format: ev.Format, id: ev.Call.ID, detail: -1}
	b.custom = b.kind == translate.BlockTool && b.format == translate.FormatCustomTool
	c.blocks = append(c.blocks, b)
	return c, b
}

// begin begins a chunk with an empty delta.
func (e *StreamEncoder) begin(choice int, b *streamBlock) {
	e.closeChunk("null")
	if len(e.head) == 0 {
		e.start(&translate.Event{})
	}
	if b == nil {
		b = &noBlock
	}
	e.open, e.choice, e.first, e.inTool, e.details = b, choice, true, false, false
	e.buf = append(e.buf, e.head...)
	e.buf = append(e.buf, `{"index":`...)
	e.buf = strconv.AppendInt(e.buf, int64(choice), 10)
	e.buf = append(e.buf, `,"delta":{`...)
}

// noBlock stands for the block of a chunk that belongs to none.
var noBlock streamBlock

// member writes the beginning of a member of the open chunk's delta.
func (e *StreamEncoder) member(name string) {
	e.closeTool()
	if !e.first {
		e.buf = append(e.buf, ',')
	}
	e.first = false
	e.buf = append(e.buf, name...)
}

func (e *StreamEncoder) closeTool() {
	if e.inTool {
		e.inTool = false
		e.buf = append(e.buf, "}]"...)
	}
}

// closeChunk writes what the open chunk lacks, if one is open. finish is JSON.
func (e *StreamEncoder) closeChunk(finish string) {
	if e.open == nil {
		return
	}
	e.open = nil
	e.closeTool()
	e.buf = append(e.buf, `},"logprobs":`...)
	e.buf = appendLogprobs(e.buf, e.content, e.refusal)
	e.content, e.refusal = e.content[:0], e.refusal[:0]
	e.buf = append(e.buf, `,"finish_reason":`...)
	e.buf = append(e.buf, finish...)
	e.buf = append(e.buf, '}')
	e.buf = append(e.buf, e.tail...)
}

// appendLogprobs appends the member "logprobs" of a choice; both lists come without
// their brackets.
func appendLogprobs(dst, content, refusal []byte) []byte {
	if len(content) == 0 && len(refusal) == 0 {
		return append(dst, "null"...)
	}
	dst = append(dst, `{"content":`...)
	dst = appendList(dst, content)
	dst = append(dst, `,"refusal":`...)
	dst = appendList(dst, refusal)
	return append(dst, '}')
}

func appendList(dst, elements []byte) []byte {
	if len(elements) == 0 {
		return append(dst, "null"...)
	}
	return append(append(append(dst, '['), elements...), ']')
}

// quotedReason returns a finish reason as JSON.
func quotedReason(r translate.FinishReason) string {
	switch r {
	case translate.FinishLength:
		return `"length"`
	case translate.FinishToolCalls:
		return `"tool_calls"`
	case translate.FinishContentFilter:
		return `"content_filter"`
	case translate.FinishFunctionCall:
		return `"function_call"`
	}
	return `"stop"`
}

func (e *StreamEncoder) usage(ev *translate.Event) {
	if !e.opts.IncludeUsage || ev.Usage == nil {
		return
	}
	e.closeChunk("null")
	if len(e.head) == 0 {
		e.start(&translate.Event{})
	}
	e.buf = append(e.buf, e.head...)
	e.buf = append(e.buf, `],"usage":`...)
	e.buf = appendUsage(e.buf, ev.Usage)
	if !e.tier && ev.ServiceTier != "" {
		e.buf = jsonscan.Quote(append(e.buf, `,"service_tier":`...), ev.ServiceTier)
	}
	e.buf = append(e.buf, "}\n\n"...)
}
