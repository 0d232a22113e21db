package translate

import (
	"fmt"
	"strings"
	"testing"
)

// legality is a sink that complains about every event which breaks the rules that
// encoders rely on.
type legality struct {
	t       *testing.T
	started int
	ended   int
	failed  int
	usage   int
	choices map[int]*legalChoice
	log     []string
}

type legalChoice struct {
	finished int
	tools    int
	function int
	ids      map[string]bool
	blocks   map[int]*legalBlock
}

type legalBlock struct {
	kind   BlockKind
	closed bool
	custom bool
	tool   int
	text   string
}

func newLegality(t *testing.T) *legality { return &legality{t: t, choices: map[int]*legalChoice{}} }

func (l *legality) Emit(ev *Event) {
	l.log = append(l.log, fmt.Sprintf("%d/%d/%d", ev.Kind, ev.Choice, ev.Index))
	if l.ended+l.failed > 0 {
		l.t.Errorf("event %d after the end", ev.Kind)
	}
	switch ev.Kind {
	case EventStart:
		if l.started++; l.started > 1 || ev.ID == "" || ev.Model == "" || ev.Created <= 0 {
			l.t.Errorf("start %d: %+v", l.started, ev)
		}
	case EventKeepAlive:
	case EventError:
		if l.failed++; ev.Err == nil {
			l.t.Error("error without an error")
		}
	case EventEnd:
		l.end()
	case EventUsage:
		if l.usage++; l.usage > 1 || ev.Usage == nil {
			l.t.Error("usage twice, or none in it")
		}
	default:
		l.content(ev)
	}
}

func (l *legality) content(ev *Event) {
	if l.started == 0 || l.usage > 0 || ev.Choice < 0 || ev.Choice >= maxChoices {
		l.t.Errorf("event %d of choice %d before the start or after the usage", ev.Kind, ev.Choice)
	}
	c := l.choices[ev.Choice]
	if c == nil {
		c = &legalChoice{ids: map[string]bool{}, blocks: map[int]*legalBlock{}}
		l.choices[ev.Choice] = c
	}
	if c.finished > 0 {
		l.t.Errorf("event %d of choice %d after its finish", ev.Kind, ev.Choice)
	}
	if ev.Kind == EventFinish {
		c.finish(l.t, ev)
		return
	}
	b := c.blocks[ev.Index]
	if ev.Kind == EventBlockStart {
		if b != nil {
			l.t.Errorf("block %d opened twice", ev.Index)
		}
		c.open(l.t, ev)
		return
	}
	if b == nil || b.closed || b.kind != ev.Block || b.tool != ev.Tool {
		l.t.Errorf("event %d for block %d, which is %+v", ev.Kind, ev.Index, b)
		return
	}
	switch ev.Kind {
	case EventBlockStop:
		if b.closed = true; (b.kind == BlockTool || b.kind == BlockFunction) && !b.custom && b.text == "" {
			l.t.Error("a call without arguments")
		}
	case EventBlockDelta:
		if b.text += string(ev.Text); len(ev.Text) == 0 || b.kind == BlockMedia {
			l.t.Errorf("delta %q of a block of kind %d", ev.Text, b.kind)
		}
		if text := string(ev.Text); strings.HasSuffix(text, `\ud83d`) && !strings.HasSuffix(text, `\\ud83d`) {
			l.t.Errorf("half a character at the end of %q", ev.Text)
		}
	}
}

func (c *legalChoice) open(t *testing.T, ev *Event) {
	t.Helper()
	b := &legalBlock{kind: ev.Block, tool: ev.Tool, custom: ev.Block == BlockTool && ev.Format == FormatCustomTool}
	c.blocks[ev.Index] = b
	switch ev.Block {
	case BlockTool:
		if ev.Tool != c.tools || ev.Call.ID == "" || c.ids[ev.Call.ID] {
			t.Errorf("call %d has place %d and id %q", c.tools, ev.Tool, ev.Call.ID)
		}
		c.tools++
		c.ids[ev.Call.ID] = true
	case BlockFunction:
		if c.function++; c.function > 1 {
			t.Error("two function calls in a choice")
		}
	case BlockText, BlockReasoning, BlockRefusal, BlockMedia:
	default:
		t.Errorf("block of kind %d", ev.Block)
	}
}

func (c *legalChoice) finish(t *testing.T, ev *Event) {
	t.Helper()
	c.finished++
	switch ev.Reason {
	case FinishLength, FinishContentFilter:
	case FinishToolCalls:
		if c.tools == 0 {
			t.Error("tool_calls without a call")
		}
	case FinishFunctionCall:
		if c.function == 0 || c.tools > 0 {
			t.Error("function_call without one")
		}
	case FinishStop:
		if c.tools+c.function > 0 {
			t.Error("stop with calls")
		}
	default:
		t.Errorf("finish reason %d", ev.Reason)
	}
	for i, b := range c.blocks {
		if !b.closed {
			t.Errorf("block %d is open at the finish", i)
		}
	}
}

func (l *legality) end() {
	l.ended++
	for n, c := range l.choices {
		if c.finished != 1 {
			l.t.Errorf("choice %d has %d finish reasons", n, c.finished)
		}
	}
	if l.started == 0 || len(l.choices) == 0 {
		l.t.Error("a good end of nothing")
	}
}

// check says whether there was exactly one terminal event.
func (l *legality) check() {
	l.t.Helper()
	if l.ended+l.failed != 1 {
		l.t.Errorf("%d good ends and %d errors", l.ended, l.failed)
	}
}
