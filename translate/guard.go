package translate

// Guard stands between a decoder and an encoder and lets only legal answers through,
// however sloppy the provider or its decoder: one start, blocks that are open before
// they grow, dense tool indices, unique tool-call ids, one finish reason for each
// choice after all its content, one usage, and exactly one terminal event with nothing
// behind it.
//
// Finish reasons and usage are held until [Guard.End], because providers repeat them,
// correct them, or send content after them.
type Guard struct {
	// Out takes the legal events.
	Out Sink
	// ID, Model and Created stand in for what the provider does not say.
	ID, Model string
	Created   int64
	// NewID returns a fresh tool-call id; the Guard asks it for calls that came
	// without one.
	NewID func() string
	// KeepUsage lets usage numbers through as the provider sent them, even where
	// they contradict each other.
	KeepUsage bool

	started  bool
	content  bool
	ended    bool
	err      *Error
	choices  []choiceState
	usage    Usage
	hasUsage bool
	tier     string
}

type choiceState struct {
	choice int
	reason FinishReason
	blocks []blockState
	tools  int
	called bool
}

type blockState struct {
	index int
	kind  BlockKind
	open  bool
	tool  int
	id    string
	text  bool // has had a delta
}

// maxChoices and maxBlocks bound what a provider can make the Guard remember.
const (
	maxChoices = 128
	maxBlocks  = 4096
)

// Emit checks one event and passes on what is legal of it.
func (g *Guard) Emit(ev *Event) {
	if g.ended || g.err != nil {
		return
	}
	switch ev.Kind {
	case EventStart:
		g.start(ev)
	case EventBlockStart:
		g.ensureStarted()
		g.open(ev)
	case EventBlockDelta, EventBlockMeta:
		g.ensureStarted()
		g.grow(ev)
	case EventBlockStop:
		if c := g.choice(ev.Choice); c != nil {
			g.close(c, c.block(ev.Index))
		}
	case EventUsage:
		if ev.Usage != nil {
			g.usage, g.hasUsage = *ev.Usage, true
			g.usage.Extra = append([]byte(nil), ev.Usage.Extra...)
		}
		if ev.ServiceTier != "" {
			g.tier = ev.ServiceTier
		}
	case EventFinish:
		g.ensureStarted()
		if c := g.choice(ev.Choice); c != nil {
			c.reason = ev.Reason
			g.content = true
		}
	case EventKeepAlive:
		g.Out.Emit(ev)
	case EventError:
		g.fail(ev.Err)
	}
}

// End ends the answer: the decoder has nothing more to say. It emits what was held
// and the terminal event.
func (g *Guard) End() {
	if g.ended || g.err != nil {
		return
	}
	if !g.started || len(g.choices) == 0 {
		g.fail(&Error{Class: ErrorUpstream, Status: 502, Type: "upstream_error", Code: "empty_upstream_response", Message: "The provider sent an empty answer."})
		return
	}
	for i := range g.choices {
		c := &g.choices[i]
		for k := range c.blocks {
			g.close(c, &c.blocks[k])
		}
	}
	for i := range g.choices {
		c := &g.choices[i]
		g.Out.Emit(&Event{Kind: EventFinish, Choice: c.choice, Reason: c.finish()})
	}
	if g.hasUsage {
		if !g.KeepUsage {
			g.usage.Clamp()
		}
		g.Out.Emit(&Event{Kind: EventUsage, Usage: &g.usage, ServiceTier: g.tier})
	}
	g.ended = true
	g.Out.Emit(&Event{Kind: EventEnd})
}

// finish is the reason the client is told: one of the five, and tool_calls whenever
// there are calls and the provider claims a natural end.
func (c *choiceState) finish() FinishReason {
	switch {
	case c.called && (c.reason == FinishStop || c.reason == FinishUnknown):
		return FinishToolCalls
	case c.reason == FinishUnknown:
		return FinishStop
	}
	return c.reason
}

// Started reports whether anything but keep-alives has been seen.
func (g *Guard) Started() bool { return g.started }

// Content reports whether the answer has begun in earnest: there is text, a call, a
// refusal or a finish reason. Until then a failure can still be an HTTP error.
func (g *Guard) Content() bool { return g.content }

// Err returns the error that ended the answer, or nil.
func (g *Guard) Err() *Error { return g.err }

// Ended reports whether the answer ended well.
func (g *Guard) Ended() bool { return g.ended }

// Usage returns the tokens reported so far, and whether there was a report.
func (g *Guard) Usage() (Usage, bool) { return g.usage, g.hasUsage }

// Finish returns the reason for the end of choice 0 as the client is told, or
// FinishUnknown if it has not ended.
func (g *Guard) Finish() FinishReason {
	for i := range g.choices {
		if c := &g.choices[i]; c.choice == 0 && (g.ended || c.reason != FinishUnknown) {
			return c.finish()
		}
	}
	return FinishUnknown
}

func (g *Guard) fail(err *Error) {
	if err == nil {
		err = UpstreamError("The provider reported an error.")
	}
	g.err = err
	g.Out.Emit(&Event{Kind: EventError, Err: err})
}

func (g *Guard) start(ev *Event) {
	if g.started {
		return
	}
	g.started = true
	out := *ev
	if out.ID == "" {
		out.ID = g.ID
	}
	if out.Model == "" {
		out.Model = g.Model
	}
	if out.Created <= 0 {
		out.Created = g.Created
	}
	g.tier = out.ServiceTier
	g.Out.Emit(&out)
}

func (g *Guard) ensureStarted() {
	if !g.started {
		g.start(&Event{Kind: EventStart})
	}
}

func (g *Guard) choice(n int) *choiceState {
	for i := range g.choices {
		if g.choices[i].choice == n {
			return &g.choices[i]
		}
	}
	if n < 0 || n >= maxChoices || len(g.choices) >= maxChoices {
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

func (g *Guard) open(ev *Event) *blockState {
	c := g.choice(ev.Choice)
	if c == nil || ev.Block == 0 {
		return nil
	}
	if b := c.block(ev.Index); b != nil {
		return b
	}
	if len(c.blocks) >= maxBlocks {
		g.fail(UpstreamError("The provider's answer has too many parts."))
		return nil
	}
	b := blockState{index: ev.Index, kind: ev.Block, open: true}
	out := *ev
	if ev.Block == BlockTool {
		b.tool = c.tools
		c.tools++
		c.called = true
		g.content = true
		if out.Call.ID == "" || c.hasID(out.Call.ID) {
			out.Call.ID = g.newID(c)
		}
		b.id = out.Call.ID
	}
	if ev.Block == BlockFunction {
		g.content = true
	}
	out.Tool = b.tool
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

func (g *Guard) newID(c *choiceState) string {
	for range 8 {
		if g.NewID == nil {
			break
		}
		if id := g.NewID(); id != "" && !c.hasID(id) {
			return id
		}
	}
	return "call_" + g.ID + "_" + itoa(c.tools)
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

func (g *Guard) grow(ev *Event) {
	c := g.choice(ev.Choice)
	if c == nil {
		return
	}
	b := c.block(ev.Index)
	if b == nil {
		if ev.Block == 0 || ev.Block == BlockTool || ev.Block == BlockFunction {
			return // a call without a name cannot be opened by its arguments
		}
		if b = g.open(&Event{Kind: EventBlockStart, Choice: ev.Choice, Index: ev.Index, Block: ev.Block, Format: ev.Format}); b == nil {
			return
		}
	}
	if !b.open {
		return
	}
	if ev.Kind == EventBlockDelta {
		if len(ev.Text) == 0 {
			return
		}
		b.text = true
	}
	g.content = true
	kind, tool := ev.Block, ev.Tool
	ev.Block, ev.Tool = b.kind, b.tool
	g.Out.Emit(ev)
	ev.Block, ev.Tool = kind, tool
}

func (g *Guard) close(c *choiceState, b *blockState) {
	if b == nil || !b.open {
		return
	}
	b.open = false
	ev := Event{Kind: EventBlockStop, Choice: c.choice, Index: b.index, Block: b.kind, Tool: b.tool}
	if b.kind == BlockTool && !b.text {
		ev.Kind, ev.Text = EventBlockDelta, emptyObject
		g.Out.Emit(&ev)
		ev.Kind, ev.Text = EventBlockStop, nil
	}
	g.Out.Emit(&ev)
}

// emptyObject is the arguments of a call that was sent without any.
var emptyObject = []byte("{}")
