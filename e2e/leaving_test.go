package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"
)

// leaving is a moment at which a client leaves.
type leaving struct {
	name   string
	stream bool
	// answer plays the provider up to then; began is closed when the client may leave.
	answer func(c *call, tg *tongue, began chan<- struct{})
}

var leavings = []leaving{
	{"before the provider answers", true, func(c *call, _ *tongue, began chan<- struct{}) { close(began); c.hold(nil) }},
	{"before the provider answers, no stream", false, func(c *call, _ *tongue, began chan<- struct{}) { close(began); c.hold(nil) }},
	{"in the midst of a stream", true, func(c *call, tg *tongue, _ chan<- struct{}) {
		c.beginStream()
		c.send(tg.begin, tg.delta("first"))
		c.hold(nil)
	}},
	{"while the provider is busy sending", true, func(c *call, tg *tongue, _ chan<- struct{}) {
		c.beginStream()
		c.send(tg.begin)
		for c.send(tg.delta("more")) {
		}
	}},
}

// TestClientThatLeavesCancelsTheProvider: E-037. It does not run beside others, because
// it measures.
func TestClientThatLeavesCancelsTheProvider(t *testing.T) {
	const limit = 100 * time.Millisecond
	s := startStage(t)
	for _, protocol := range protocols {
		for _, tg := range tongues {
			for _, l := range leavings {
				t.Run(protocol+" "+tg.name+" "+l.name, func(t *testing.T) {
					client := newClient(t, protocol, s.authority(t))
					var took []time.Duration
					for i := range 5 {
						took = append(took, s.leave(t, client, l, tg, fmt.Sprintf("%s %s %s %d", protocol, tg.name, l.name, i)))
					}
					slices.Sort(took)
					t.Logf("the provider noticed after %v", took)
					if middle := took[len(took)/2]; middle > limit {
						t.Errorf("the provider noticed after %v, which must be %v at most", middle, limit)
					}
				})
			}
		}
	}
}

// leave asks, leaves, and returns after how long the provider has noticed.
func (s *stage) leave(t *testing.T, client *http.Client, l leaving, tg *tongue, model string) time.Duration {
	t.Helper()
	began := make(chan struct{})
	s.on(model, func(c *call) { l.answer(c, tg, began) })
	ctx, cancel := context.WithCancel(soon(t))
	defer cancel()
	got := make(chan error, 1)
	go func() {
		resp, err := post(t, ctx, client, s.secure+chatPath, ask(tg.name+"/"+model, l.stream))
		if err == nil {
			_, err = io.ReadFull(resp.Body, make([]byte, 100))
			resp.Body.Close()
		}
		got <- err
	}()
	c := s.wait(t, model, 1)
	select {
	case <-began:
		cancel()
	case err := <-got: // what has come has been read, and Close has told the gateway
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(patience):
		t.Fatal("the stream does not begin")
	}
	left := time.Now()
	cancel()
	select {
	case <-c.gone:
	case <-time.After(patience):
		t.Fatalf("the provider did not notice within %v", patience)
	}
	return time.Since(left)
}
