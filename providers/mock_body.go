package providers

import (
	"bytes"
	"context"
	"io"
	"sync"
	"syscall"
	"time"
)

// mockEvent is a piece of a body and the number of tokens in it.
type mockEvent struct {
	data   []byte
	tokens int
}

// pacedBody is a body that comes piece by piece, as fast as its tokens are made. Reads
// end at once when the request is cancelled or the body is closed.
type pacedBody struct {
	ctx    context.Context
	events []mockEvent
	breaks bool // ends with a broken connection
	// perToken is how long it takes to make one.
	perToken time.Duration
	// due is when the next event is ready.
	due    time.Time
	rest   []byte
	once   sync.Once
	closed chan struct{}
}

func newPacedBody(ctx context.Context, events []mockEvent, perToken time.Duration) *pacedBody {
	return &pacedBody{ctx: ctx, events: events, perToken: perToken, due: time.Now(), closed: make(chan struct{})}
}

// errReset is what a connection says that the other side has broken.
var errReset error = &netError{syscall.ECONNRESET}

// netError is an error of a read.
type netError struct{ err error }

func (e *netError) Error() string { return "read: " + e.err.Error() }

func (e *netError) Unwrap() error { return e.err }

// Read implements [io.Reader].
func (b *pacedBody) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		if err := b.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// next waits until the next event is ready.
func (b *pacedBody) next() error {
	if err := b.stopped(); err != nil {
		return err
	}
	if len(b.events) == 0 {
		if b.breaks {
			return errReset
		}
		return io.EOF
	}
	event := b.events[0]
	b.due = b.due.Add(time.Duration(event.tokens) * b.perToken)
	if wait := time.Until(b.due); event.tokens > 0 && wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-b.ctx.Done():
		case <-b.closed:
		}
		if err := b.stopped(); err != nil {
			return err
		}
	}
	b.events, b.rest = b.events[1:], event.data
	return nil
}

// stopped returns why there is nothing more to read, or nil.
func (b *pacedBody) stopped() error {
	select {
	case <-b.closed:
		return io.ErrClosedPipe
	default:
		return context.Cause(b.ctx)
	}
}

// Close implements [io.Closer].
func (b *pacedBody) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

// breakOff drops the second half of the events, and half of the event at the break.
func (b *pacedBody) breakOff() {
	b.events = b.events[:(len(b.events)+1)/2]
	if n := len(b.events); n > 0 {
		last := &b.events[n-1]
		last.data = bytes.Clone(last.data[:(len(last.data)+1)/2])
	}
	b.breaks = true
}
