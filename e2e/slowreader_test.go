package e2e

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestSlowReaderHoldsTheProviderBack: a client that does not read must not fill the
// gateway's memory, and gets everything once it does.
func TestSlowReaderHoldsTheProviderBack(t *testing.T) {
	t.Parallel()
	s := startStage(t)
	const events, size, most = 1024, 32 << 10, 20 << 20 // 32 MiB in all
	text := strings.Repeat("x", size)
	for _, protocol := range protocols {
		for _, tg := range tongues {
			name := tg.name + " " + protocol
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				var sent atomic.Int64
				s.on(name, func(c *call) {
					c.beginStream()
					c.send(tg.begin)
					for range events {
						if !c.send(tg.delta(text)) {
							return
						}
						sent.Add(size)
					}
					c.send(tg.end)
				})
				st := open(t, soon(t), newClient(t, protocol, s.authority(t)), s.secure+chatPath, ask(tg.name+"/"+name, true))
				stalled := settled(t, &sent)
				t.Logf("the provider was held back after %d KiB", stalled>>10)
				if stalled > most {
					t.Errorf("the gateway has taken %d MiB that its client has not read", stalled>>20)
				}
				got, done := 0, false
				for !done {
					event, err := st.next()
					if err != nil {
						t.Fatalf("after %d events: %v", got, err)
					}
					got += strings.Count(event, text)
					done = event == doneEvent
				}
				if got != events {
					t.Errorf("%d of %d events arrived", got, events)
				}
			})
		}
	}
}

// settled returns a count that has stopped growing.
func settled(t *testing.T, n *atomic.Int64) int64 {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	last, still := int64(-1), 0
	for still < 6 {
		select {
		case <-tick.C:
			now := n.Load()
			if still++; now != last || now == 0 {
				last, still = now, 0
			}
		case <-limit:
			t.Fatalf("after %v there is no standstill, at %d bytes", patience, n.Load())
		}
	}
	return last
}

// TestManySlowReadersGetTheirOwnBytes: E-025, no buffer is used for another stream while
// somebody still reads from it.
func TestManySlowReadersGetTheirOwnBytes(t *testing.T) {
	t.Parallel()
	s := startStage(t)
	const readers, events = 12, 200
	for _, tg := range tongues {
		for i := range readers {
			name := tg.name + " " + strconv.Itoa(i)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				var want strings.Builder
				s.on(name, func(c *call) {
					c.beginStream()
					c.send(tg.begin)
					for n := range events {
						c.send(tg.delta(fmt.Sprintf("<%s/%d>", name, n)))
					}
					c.send(tg.end)
				})
				for n := range events {
					fmt.Fprintf(&want, "<%s/%d>", name, n)
				}
				resp, err := post(t, soon(t), newClient(t, protocols[i%len(protocols)], s.authority(t)), s.secure+chatPath, ask(tg.name+"/"+name, true))
				if err != nil {
					t.Fatal(err)
				}
				resp.Body = struct {
					io.Reader
					io.Closer
				}{nibbler{resp.Body}, resp.Body}
				v := published(t).read(readAll(resp), true, false)
				if v.text() != want.String() || !v.done {
					t.Errorf("the client got %q", v.text())
				}
			})
		}
	}
}

// nibbler reads a few bytes at a time.
type nibbler struct{ r io.Reader }

func (n nibbler) Read(p []byte) (int, error) { return n.r.Read(p[:min(len(p), 7)]) }
