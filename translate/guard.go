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
	// Functions makes tool calls calls in the form of the deprecated "functions"
	// parameter, for clients that use it: a choice has room for one.
	Functions bool

	started  bool
	content  bool
	ended    bool
	err      *Error
	choices  []choiceState
	usage    Usage
	hasUsage bool
	tier     string
	joined   []byte // a delta put together with the half character before it
}

// maxChoices and maxBlocks bound what a provider can make the Guard remember.
// OpenAI's own limit for choices is 128.
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
		if c := g.find(ev.Choice); c != nil {
			g.close(c, c.block(ev.Index))
		}
	case EventUsage:
		g.keepUsage(ev)
	case EventFinish:
		g.ensureStarted()
		if c := g.choice(ev.Choice); c != nil {
			c.reason, c.finished = ev.Reason, true
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

// Started reports whether anything but keep-alives has been seen.
func (g *Guard) Started() bool { return g.started }

// Content reports whether the answer has begun in earnest: there is text, a call, a
// refusal or a finish reason. Until then a failure can still be an HTTP error.
func (g *Guard) Content() bool { return g.content }

// Err returns the error that ended the answer, or nil.
func (g *Guard) Err() *Error { return g.err }

// Ended reports whether the answer ended well.
func (g *Guard) Ended() bool { return g.ended }

// Usage returns the tokens reported so far, and whether there was a report. Its Extra
// is only valid until the next event.
func (g *Guard) Usage() (Usage, bool) { return g.usage, g.hasUsage }

// Finish returns the reason for the end of choice 0 as the client is told, or
// FinishUnknown if it has not ended.
func (g *Guard) Finish() FinishReason {
	if c := g.find(0); c != nil && (g.ended || c.finished) {
		return c.finish()
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
	if out.ServiceTier != "" {
		g.tier = out.ServiceTier
	}
	g.Out.Emit(&out)
}

func (g *Guard) ensureStarted() {
	if !g.started {
		g.start(&Event{Kind: EventStart})
	}
}

func (g *Guard) keepUsage(ev *Event) {
	if ev.Usage != nil {
		extra := append(g.usage.Extra[:0], ev.Usage.Extra...)
		g.usage, g.hasUsage = *ev.Usage, true
		g.usage.Extra = extra
	}
	if ev.ServiceTier != "" {
		g.tier = ev.ServiceTier
	}
}
