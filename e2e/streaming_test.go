package e2e

import (
	"bufio"
	"compress/gzip"
	"slices"
	"strings"
	"testing"
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
