package e2e

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestEventsPassWhileTheProviderIsBlocked: E-024, over every version of HTTP, with and
// without compression.
func TestEventsPassWhileTheProviderIsBlocked(t *testing.T) {
	t.Parallel()
	s := startStage(t)
	for _, protocol := range protocols {
		for _, tg := range tongues {
			for _, site := range []string{"secure", "zipped"} {
				name := tg.name + " " + site + " " + protocol
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					release := make(chan struct{})
					s.on(name, func(c *call) {
						c.beginStream()
						if c.send(tg.begin, tg.delta("first")) && c.hold(release) {
							c.send(tg.delta("second"), tg.end)
						}
					})
					url := map[string]string{"secure": s.secure, "zipped": s.zipped}[site]
					st := open(t, soon(t), newClient(t, protocol, s.authority(t)), url+chatPath, ask(tg.name+"/"+name, true), "Accept-Encoding", "gzip")
					if st.Proto != protocol {
						t.Errorf("the answer came over %s", st.Proto)
					}
					if st.Header.Get("Content-Encoding") == "gzip" {
						unzip, err := gzip.NewReader(st.lines)
						if err != nil {
							t.Fatal(err)
						}
						st.lines = bufio.NewReader(unzip)
					} else if site == "zipped" {
						t.Log("the site has compression, and the stream is not compressed")
					}
					st.until(t, `"first"`)
					close(release)
					st.until(t, `"second"`)
					if rest := st.rest(t); !strings.HasSuffix(rest, doneEvent) {
						t.Errorf("the stream ends with %q", rest)
					}
				})
			}
		}
	}
}

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

// TestEventOf32MiBPasses: E-005.
func TestEventOf32MiBPasses(t *testing.T) {
	t.Parallel()
	s := startStage(t)
	const size = 32 << 20
	big := strings.Repeat("0123456789abcdef", size/16)
	for _, road := range roads {
		t.Run(road, func(t *testing.T) {
			t.Parallel()
			s.on(road+"-stream", func(c *call) {
				c.beginStream()
				c.send(roleEvent, delta(big), finishEvent, usageEvent, doneEvent)
			})
			s.on(road+"-whole", reply(big))
			for _, stream := range []bool{true, false} {
				model := road + "/" + road + map[bool]string{true: "-stream", false: "-whole"}[stream]
				a := exchange(t, newClient(t, "HTTP/2.0", s.authority(t)), s.secure+chatPath, ask(model, stream))
				v := published(t).read(a, stream, false)
				if wrong := v.legal(stream); len(wrong) > 0 || v.text() != big {
					t.Errorf("stream %t: status %d, %d bytes of text arrived, and: %.500q", stream, a.status, len(v.text()), wrong)
				}
			}
		})
	}
}

// TestEventAboveTheLimitIsAnError: E-005.
func TestEventAboveTheLimitIsAnError(t *testing.T) {
	t.Parallel()
	s := startStage(t, "\t\tmax_event_size 1MiB", "\t\tmax_answer_size 1MiB")
	big := strings.Repeat("x", 2<<20)
	for _, road := range roads {
		s.on(road+"-first", func(c *call) { c.beginStream(); c.send(roleEvent, delta(big), finishEvent, doneEvent) })
		s.on(road+"-later", func(c *call) { c.beginStream(); c.send(roleEvent, delta("hello"), delta(big), finishEvent, doneEvent) })
		s.on(road+"-whole", reply(big))
		s.on(road+"-endless", func(c *call) {
			c.beginStream()
			c.send(roleEvent, delta("hello"), "data: ")
			for c.send(big) {
			}
		})
		for _, c := range []struct {
			model, text string
			stream      bool
			status      int
		}{
			{"first", "", true, 502},
			{"later", "hello", true, 200},
			{"endless", "hello", true, 200},
			{"whole", "", false, 502},
		} {
			t.Run(road+" "+c.model, func(t *testing.T) {
				t.Parallel()
				a := exchange(t, newClient(t, "HTTP/1.1", nil), s.plain+chatPath, ask(road+"/"+road+"-"+c.model, c.stream))
				v := published(t).read(a, c.stream, false)
				if v.failure == nil || v.done || a.status != c.status || v.text() != c.text || len(v.wrong) > 0 {
					t.Errorf("status %d, text %q, failure %v, done %t, and: %q", a.status, v.text(), v.failure, v.done, v.wrong)
				}
			})
		}
	}
}

// TestSilentProviderIsBridgedByComments: E-022, and the bound on holding back the header.
func TestSilentProviderIsBridgedByComments(t *testing.T) {
	t.Parallel()
	s := startStage(t, "\t\theader_hold 50ms", "\t\tkeep_alive 50ms")
	for _, protocol := range protocols {
		for _, tg := range tongues {
			name := tg.name + " " + protocol
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				release := make(chan struct{})
				s.on(name, func(c *call) {
					c.beginStream()
					if c.send(tg.begin) && c.hold(release) {
						c.send(tg.delta("text"), tg.end)
					}
				})
				st := open(t, soon(t), newClient(t, protocol, s.authority(t)), s.secure+chatPath, ask(tg.name+"/"+name, true))
				var lines []string
				for comments := 0; comments < 2; {
					line, err := st.lines.ReadString('\n')
					if err != nil {
						t.Fatal(err)
					}
					lines = append(lines, line)
					if strings.HasPrefix(line, ":") {
						comments++
					}
				}
				close(release)
				rest := st.rest(t)
				lines = slices.AppendSeq(lines, strings.Lines(rest))
				for i, line := range lines[1:] {
					// Old clients take any blank line for the end of an event.
					if line == "\n" && strings.HasPrefix(lines[i], ":") {
						t.Error("a blank line follows a comment")
					}
				}
				if !strings.Contains(rest, `"text"`) || !strings.HasSuffix(rest, doneEvent) {
					t.Errorf("the stream goes on with %q", rest)
				}
			})
		}
	}
}
