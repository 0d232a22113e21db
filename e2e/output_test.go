package e2e

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// output collects what a process prints, so that a test can wait for some of it.
type output struct {
	mu    sync.Mutex
	text  []byte
	grown chan struct{} // closed and replaced whenever there is more
}

func newOutput() *output { return &output{grown: make(chan struct{})} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, p...)
	close(o.grown)
	o.grown = make(chan struct{})
	return len(p), nil
}

func (o *output) String() string {
	text, _ := o.state()
	return text
}

func (o *output) state() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.text), o.grown
}

// wait returns when ok holds for what has been printed, and fails the test if the
// process ends or time runs out before.
func (o *output) wait(t *testing.T, ended <-chan struct{}, what string, ok func(text string) bool) {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		text, grown := o.state()
		if ok(text) {
			return
		}
		select {
		case <-grown:
		case <-ended:
			if ok(o.String()) {
				return
			}
			t.Fatalf("the process ended before %s; it printed:\n%s", what, o)
		case <-limit.C:
			t.Fatalf("no sign of %s after %v; printed so far:\n%s", what, patience, o)
		}
	}
}

// lines returns the lines that contain all of the words.
func (o *output) lines(words ...string) []string {
	var found []string
lines:
	for line := range strings.Lines(o.String()) {
		for _, w := range words {
			if !strings.Contains(line, w) {
				continue lines
			}
		}
		found = append(found, line)
	}
	return found
}
