package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestAbortedRequestsLeaveNoGoroutines: after a storm of clients that leave at every
// moment, over every version of HTTP, the gateway has as many goroutines as before it.
func TestAbortedRequestsLeaveNoGoroutines(t *testing.T) {
	t.Parallel()
	s := startStage(t, "\t\tkeep_alive 20ms", "\t\theader_hold 10ms")
	s.other = func(c *call) {
		tg := tongues[0]
		for _, other := range tongues {
			if strings.HasPrefix(c.model, other.name) {
				tg = other
			}
		}
		switch {
		case strings.HasSuffix(c.model, "silent"):
			c.hold(nil)
		case strings.HasSuffix(c.model, "begun"):
			c.beginStream()
			c.send(tg.begin)
			c.hold(nil)
		case strings.HasSuffix(c.model, "talking"):
			c.beginStream()
			c.send(tg.begin)
			for c.send(tg.delta("more")) {
			}
		case c.stream:
			c.beginStream()
			c.send(tg.say("fine")...)
		default:
			c.json(http.StatusOK, tg.whole("fine"))
		}
	}
	s.storm(t, 4) // what is made once and kept is made now
	before := s.goroutines(t, 0)
	s.storm(t, 60)
	after := s.goroutines(t, before)
	t.Logf("%d goroutines before, %d after", before, after)
	if after > before {
		t.Errorf("%d goroutines became %d:\n%s", before, after, s.ask(t, "GET", "/debug/pprof/goroutine?debug=1", "", ""))
	}
}

// storm lets many clients ask and leave.
func (s *stage) storm(t *testing.T, clients int) {
	t.Helper()
	var all sync.WaitGroup
	var used []*http.Client
	for _, protocol := range protocols {
		client := newClient(t, protocol, s.authority(t))
		used = append(used, client)
		for i := range clients {
			model := fmt.Sprintf("%s/%[1]s-%d-%s", tongues[i/4%4].name, i, []string{"silent", "begun", "talking", "fine"}[i%4])
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*2*time.Millisecond)
				defer cancel()
				resp, err := post(t, ctx, client, s.secure+chatPath, ask(model, i%3 > 0))
				if err != nil {
					return
				}
				_, _ = io.CopyN(io.Discard, resp.Body, int64(i)*20) // it ends when it ends
				resp.Body.Close()
			})
		}
	}
	all.Wait()
	for _, client := range used {
		if closer, ok := client.Transport.(io.Closer); ok { // that of HTTP/3
			closer.Close()
		}
		client.CloseIdleConnections()
	}
}

var goroutineTotal = regexp.MustCompile(`total (\d+)`)

// goroutines returns how many goroutines the gateway has once that number does not
// change, or is as low as it was.
func (s *stage) goroutines(t *testing.T, enough int) int {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	last, still := 0, 0
	for {
		s.server.CloseClientConnections() // those that the gateway keeps for later
		s.admin.CloseIdleConnections()
		m := goroutineTotal.FindStringSubmatch(s.ask(t, http.MethodGet, "/debug/pprof/goroutine?debug=1", "", ""))
		if m == nil {
			t.Fatal("the gateway does not say how many goroutines it has")
		}
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		if still++; n != last {
			last, still = n, 0
		}
		if n <= enough || enough == 0 && still > 8 {
			return n
		}
		select {
		case <-tick.C:
		case <-limit:
			return n
		}
	}
}
