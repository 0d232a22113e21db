package openai

import (
	"bytes"
	"slices"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// callState is one tool call of a choice, or its function_call.
type callState struct {
	index    int64 // the provider's; -1 if it gives none
	id, name string
	custom   bool
	started  bool   // the client knows of it
	begun    bool   // there are arguments
	pending  []byte // arguments that came before the name
	args     balance
}

// fragment is one element of a delta's tool_calls.
type fragment struct {
	id, name  []byte // raw strings
	args      []byte // raw
	signature []byte // raw string
	index     int64  // -1 if absent
	pos       int    // among the elements of its delta
	single    bool   // the only element of its delta
	custom    bool
}

// toolCalls reads tool_calls. whole says that every element is a call of its own.
func (d *Decoder) toolCalls(c *answerChoice, raw []byte, whole bool, out translate.Sink) {
	if len(raw) == 0 || raw[0] != '[' && raw[0] != '{' {
		return
	}
	if raw[0] == '{' { // one call that is not in a list
		f := readFragment(raw)
		f.single = true
		d.toolCall(c, &f, whole, out)
		return
	}
	single := isSingle(raw)
	w := jsonscan.Walk(raw)
	for pos := 0; w.Next() && !d.failed; pos++ {
		f := readFragment(w.Value)
		f.pos, f.single = pos, single
		d.toolCall(c, &f, whole, out)
	}
}

func isSingle(array []byte) bool {
	w := jsonscan.Walk(array)
	w.Next()
	return !w.Next()
}

func readFragment(raw []byte) fragment {
	f := fragment{index: -1}
	w := jsonscan.Walk(raw)
	for w.Next() {
		switch string(w.Name) {
		case "index":
			if n, ok := jsonscan.Int(w.Value); ok {
				f.index = max(n, 0)
			}
		case "id":
			f.id = nonEmpty(w.Value)
		case "function", "custom":
			readFunction(&f, w.Value, w.Name[0] == 'c')
		case "extra_content":
			f.signature = googleSignature(w.Value)
		}
	}
	return f
}

func readFunction(f *fragment, raw []byte, custom bool) {
	v := jsonscan.Walk(raw)
	for v.Next() {
		f.custom = custom
		switch string(v.Name) {
		case "name":
			f.name = nonEmpty(v.Value)
		case "arguments", "input":
			f.args = v.Value
		}
	}
}

// nonEmpty returns raw if it is a string with something in it: providers fill absent
// members with "" and null.
func nonEmpty(raw []byte) []byte {
	if len(jsonscan.Inner(raw)) == 0 {
		return nil
	}
	return raw
}

func (d *Decoder) toolCall(c *answerChoice, f *fragment, whole bool, out translate.Sink) {
	if f.id == nil && f.name == nil && isBlank(f.args) && f.signature == nil {
		return
	}
	i := -1
	if !whole {
		i = c.match(f)
	}
	if i < 0 {
		if f.id == nil && f.name == nil && len(c.calls) > 0 && !whole {
			i = len(c.calls) - 1 // nothing tells whose it is: the last call's
		} else if i = c.addCall(f); i < 0 {
			d.fail(translate.UpstreamError("The provider's answer has too many tool calls."), out)
			return
		}
	}
	call := &c.calls[i]
	if call.name == "" && f.name != nil {
		call.name = jsonscan.String(f.name)
	}
	if call.id == "" && f.id != nil && !call.started {
		call.id = jsonscan.String(f.id)
	}
	call.custom = call.custom || f.custom
	d.arguments(c, call, translate.BlockTool, indexTool+i, f.args, out)
	if f.signature != nil {
		d.startCall(c, call, translate.BlockTool, indexTool+i, out)
		d.signature(c, translate.BlockTool, indexTool+i, f.signature, out)
	}
}

func (c *answerChoice) addCall(f *fragment) int {
	if len(c.calls) >= maxCalls {
		return -1
	}
	c.calls = append(c.calls, callState{index: f.index})
	return len(c.calls) - 1
}

// match finds the call that a fragment of a stream continues; -1 if it begins one. The
// provider's index decides, unless the fragment is plainly another call: there are
// providers that number every call 0, and such that number none.
func (c *answerChoice) match(f *fragment) int {
	if f.index >= 0 {
		if i := c.lastAt(f.index); i >= 0 {
			if c.calls[i].isOther(f) {
				return -1
			}
			return i
		}
		if f.name != nil {
			return -1
		}
	}
	if f.id != nil {
		for i := range c.calls {
			if equalText(f.id, c.calls[i].id) {
				return i
			}
		}
		if f.name != nil || f.index >= 0 {
			return -1
		}
	}
	i := len(c.calls) - 1
	inPlace := f.single || f.pos < len(c.calls)
	if !f.single && inPlace {
		i = f.pos
	}
	if i >= 0 && f.name != nil && (!inPlace || !equalText(f.name, c.calls[i].name) || c.calls[i].isOther(f)) {
		return -1
	}
	return i
}

// lastAt returns the newest call with the provider's index, or -1.
func (c *answerChoice) lastAt(index int64) int {
	for i := range slices.Backward(c.calls) {
		if c.calls[i].index == index {
			return i
		}
	}
	return -1
}

// isOther reports whether a fragment in the call's place begins another call. Only a
// fragment with a name can. With an id, a new id decides; without one, a name that
// comes once the arguments have begun: another name at once, the same name, which some
// providers repeat with every fragment, when the arguments are complete.
func (call *callState) isOther(f *fragment) bool {
	switch {
	case f.name == nil || call.name == "":
		return false
	case f.id != nil && call.id != "":
		return !equalText(f.id, call.id)
	case !call.begun:
		return f.id != nil && !equalText(f.name, call.name)
	}
	return !equalText(f.name, call.name) || call.args.complete()
}

// equalText reports whether the raw string is text.
func equalText(raw []byte, text string) bool {
	inner := jsonscan.Inner(raw)
	return string(inner) == text || bytes.IndexByte(inner, '\\') >= 0 && jsonscan.String(raw) == text
}

// functionCall reads function_call, the deprecated form of a single call.
func (d *Decoder) functionCall(c *answerChoice, raw []byte, out translate.Sink) {
	var f fragment
	readFunction(&f, raw, false)
	if c.function.name == "" && f.name != nil {
		c.function.name = jsonscan.String(f.name)
	}
	d.arguments(c, &c.function, translate.BlockFunction, indexFunction, f.args, out)
}

// arguments emits arguments of a call, or keeps them until the call has a name.
func (d *Decoder) arguments(c *answerChoice, call *callState, block translate.BlockKind, index int, raw []byte, out translate.Sink) {
	var text []byte
	switch {
	case jsonscan.IsNull(raw):
	case raw[0] == '"':
		text = jsonscan.Inner(raw)
	default: // an object where there should be a string
		d.buf = appendEscaped(d.buf[:0], raw)
		text = d.buf
	}
	// The id may come one fragment after the name.
	if !call.started && call.name != "" && (call.id != "" || len(text) > 0) {
		d.startCall(c, call, block, index, out)
	}
	if len(text) == 0 {
		return
	}
	call.begun = true
	if !call.started {
		if len(call.pending)+len(text) > maxPending {
			d.fail(translate.UpstreamError("The provider sent the arguments of a call without its name."), out)
			return
		}
		call.pending = append(call.pending, text...)
		return
	}
	call.args.feed(text)
	d.text(c, block, index, text, out)
}

// startCall tells the client of a call, and the arguments that have come before.
func (d *Decoder) startCall(c *answerChoice, call *callState, block translate.BlockKind, index int, out translate.Sink) {
	if call.started || call.name == "" {
		return
	}
	call.started, c.content = true, true
	d.ev = translate.Event{
		Kind: translate.EventBlockStart, Choice: c.index, Index: index, Block: block,
		Call: translate.Call{ID: call.id, Name: call.name},
	}
	if call.custom {
		d.ev.Format = translate.FormatCustomTool
	}
	out.Emit(&d.ev)
	call.args.feed(call.pending)
	d.text(c, block, index, call.pending, out)
	call.pending = nil
}

// flushCalls tells the client of the calls that were waiting for more. It fails, and
// returns false, if there are arguments for nobody.
func (d *Decoder) flushCalls(c *answerChoice, out translate.Sink) bool {
	d.startCall(c, &c.function, translate.BlockFunction, indexFunction, out)
	nameless := len(c.function.pending) > 0
	for i := range c.calls {
		d.startCall(c, &c.calls[i], translate.BlockTool, indexTool+i, out)
		nameless = nameless || len(c.calls[i].pending) > 0
	}
	if nameless {
		d.fail(translate.UpstreamError("The provider sent a call without a name."), out)
	}
	return !nameless
}

// isBlank reports whether arguments say nothing.
func isBlank(raw []byte) bool { return jsonscan.IsNull(raw) || string(raw) == `""` }
