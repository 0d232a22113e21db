package translate

import "strconv"

// choiceState is what the Guard remembers of one choice.
type choiceState struct {
	choice   int
	reason   FinishReason
	finished bool
	blocks   []blockState
	tools    int
	function bool // a BlockFunction has been opened
}

// blockState is what the Guard remembers of one block.
type blockState struct {
	index  int
	kind   BlockKind
	open   bool
	custom bool // a tool block whose text is not JSON
	text   bool // has had a delta
	tool   int
	id     string
	// half holds the first half of a surrogate pair that a delta ended with, as the
	// six bytes of its escape; halved is whether it does.
	half   [6]byte
	halved bool
}

// finish is the reason the client is told: one of the five. Calls decide over what the
// provider claims, unless it says that the answer was cut short.
func (c *choiceState) finish() FinishReason {
	switch {
	case c.reason == FinishLength || c.reason == FinishContentFilter:
		return c.reason
	case c.tools > 0:
		return FinishToolCalls
	case c.function:
		return FinishFunctionCall
	}
	return FinishStop
}

// find returns the choice numbered n, or nil if nothing has been said about it.
func (g *Guard) find(n int) *choiceState {
	for i := range g.choices {
		if g.choices[i].choice == n {
			return &g.choices[i]
		}
	}
	return nil
}

// choice is find that adds the choice. It fails the answer, and returns nil, for a
// number that no client could take.
func (g *Guard) choice(n int) *choiceState {
	if c := g.find(n); c != nil {
		return c
	}
	if n < 0 || n >= maxChoices {
		g.fail(UpstreamError("The provider's answer has too many choices."))
		return nil
	}
	g.choices = append(g.choices, choiceState{choice: n})
	return &g.choices[len(g.choices)-1]
}

func (c *choiceState) block(index int) *blockState {
	for i := len(c.blocks) - 1; i >= 0; i-- {
		if c.blocks[i].index == index {
			return &c.blocks[i]
		}
	}
	return nil
}

// open opens the block ev speaks of, unless it has been opened before, and returns it;
// nil if it cannot be.
func (g *Guard) open(ev *Event) *blockState {
	c := g.choice(ev.Choice)
	if c == nil || ev.Block < BlockText || ev.Block > BlockMedia {
		return nil
	}
	if b := c.block(ev.Index); b != nil {
		return b
	}
	kind := ev.Block
	if g.Functions && kind == BlockTool {
		kind = BlockFunction
	}
	if kind == BlockFunction && c.function {
		return nil // a message has room for one
	}
	if len(c.blocks) >= maxBlocks {
		g.fail(UpstreamError("The provider's answer has too many parts."))
		return nil
	}
	b := blockState{index: ev.Index, kind: kind, open: true}
	out := *ev
	out.Kind, out.Block, out.Meta, out.Text, out.Raw, out.Tool = EventBlockStart, kind, 0, nil, nil, 0
	switch kind {
	case BlockTool:
		if out.Call.ID == "" || c.hasID(out.Call.ID) {
			out.Call.ID = g.newID(c)
		}
		b.id, b.tool, b.custom = out.Call.ID, c.tools, ev.Format == FormatCustomTool
		out.Tool = b.tool
		c.tools++
		g.content = true
	case BlockFunction:
		out.Call.ID = "" // its form has none
		c.function = true
		g.content = true
	}
	c.blocks = append(c.blocks, b)
	g.Out.Emit(&out)
	return &c.blocks[len(c.blocks)-1]
}

func (c *choiceState) hasID(id string) bool {
	for i := range c.blocks {
		if c.blocks[i].id == id {
			return true
		}
	}
	return false
}

// newID returns an id that no call of the choice has.
func (g *Guard) newID(c *choiceState) string {
	for range 8 {
		if g.NewID == nil {
			break
		}
		if id := g.NewID(); id != "" && !c.hasID(id) {
			return id
		}
	}
	for n := c.tools; ; n++ {
		if id := "call_" + g.ID + "_" + strconv.Itoa(c.choice) + "_" + strconv.Itoa(n); !c.hasID(id) {
			return id
		}
	}
}

// grow passes on a delta or metadata of a block, which it opens if need be.
func (g *Guard) grow(ev *Event) {
	delta := ev.Kind == EventBlockDelta
	if delta && len(ev.Text) == 0 {
		return
	}
	c := g.choice(ev.Choice)
	if c == nil {
		return
	}
	b := c.block(ev.Index)
	if b == nil {
		if ev.Block == 0 || ev.Block == BlockTool || ev.Block == BlockFunction {
			return // a call without a name cannot be opened by its arguments
		}
		if b = g.open(ev); b == nil {
			return
		}
	}
	if !b.open || delta && b.kind == BlockMedia {
		return
	}
	kind, tool, text := ev.Block, ev.Tool, ev.Text
	ev.Block, ev.Tool = b.kind, b.tool
	switch {
	case delta:
		g.content = true
		if ev.Text = g.whole(b, text); len(ev.Text) > 0 {
			b.text = true
			g.Out.Emit(ev)
		}
	default:
		g.content = g.content || ev.Meta != MetaVendor
		g.Out.Emit(ev)
	}
	ev.Block, ev.Tool, ev.Text = kind, tool, text
}

// whole returns text with the half character before it, and without one at its end:
// providers that cut text into UTF-16 units send the two halves of an emoji in two
// deltas, and many clients turn each half into U+FFFD.
func (g *Guard) whole(b *blockState, text []byte) []byte {
	if b.halved {
		before := replacement
		if surrogate(text) == lowHalf {
			before = b.half[:]
		}
		g.joined = append(append(g.joined[:0], before...), text...)
		text, b.halved = g.joined, false
	}
	if n := len(text) - len(b.half); n >= 0 && text[n] == '\\' && surrogate(text[n:]) == highHalf && !escapedAt(text, n) {
		b.halved = true
		copy(b.half[:], text[n:])
		text = text[:n]
	}
	return text
}

// The halves of a surrogate pair: \ud800 to \udbff, \udc00 to \udfff.
const (
	highHalf = iota + 1
	lowHalf
)

// surrogate tells which half of a pair the escape sequence at the start of text is; 0
// if it is none.
func surrogate(text []byte) int {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' || text[2]|0x20 != 'd' {
		return 0
	}
	switch text[3] | 0x20 {
	case '8', '9', 'a', 'b':
		return highHalf
	case 'c', 'd', 'e', 'f':
		return lowHalf
	}
	return 0
}

// escapedAt reports whether the byte at i belongs to an escape sequence that begins
// with the backslash before it.
func escapedAt(text []byte, i int) bool {
	n := 0
	for n < i && text[i-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

// close closes a block, and completes what it lacks.
func (g *Guard) close(c *choiceState, b *blockState) {
	if b == nil || !b.open {
		return
	}
	b.open = false
	ev := Event{Kind: EventBlockDelta, Choice: c.choice, Index: b.index, Block: b.kind, Tool: b.tool}
	switch {
	case b.halved: // the other half never came
		b.halved, b.text = false, true
		ev.Text = replacement
		g.Out.Emit(&ev)
	case !b.text && (b.kind == BlockTool && !b.custom || b.kind == BlockFunction):
		ev.Text = emptyObject
		g.Out.Emit(&ev)
	}
	ev.Kind, ev.Text = EventBlockStop, nil
	g.Out.Emit(&ev)
}

var (
	// emptyObject is the arguments of a call that was sent without any.
	emptyObject = []byte("{}")
	// replacement is U+FFFD as an escape.
	replacement = []byte(`\ufffd`)
)
