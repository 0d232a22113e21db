package aiproxy

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/openai"
)

// maxHeld is how many bytes of a stream are held back at most while no content has
// come.
const maxHeld = 1 << 10

// stream writes an event stream to the client. The header is held back until there is
// content, so that an attempt that fails before it can be followed by another, or by
// an HTTP error; time or size end that wait. After it, a silent provider is bridged by
// comments.
type stream struct {
	x *exchange

	mu        sync.Mutex
	out       []byte // whole events that have not been written
	committed bool
	closed    bool
	writeErr  error
	lastWrite time.Time
	timer     *time.Timer
	header    func() // sets the response header, once
}

// newStream starts the clock of the hold; close must be called.
func newStream(x *exchange, header func()) *stream {
	s := &stream{x: x, out: x.out[:0], header: header, lastWrite: time.Now()}
	s.mu.Lock() // the timer may fire before it is assigned
	defer s.mu.Unlock()
	s.timer = time.AfterFunc(time.Duration(x.h.HeaderHold), s.tick)
	return s
}

// tick commits what has been held for too long, and then keeps the connection alive.
func (s *stream) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if !s.committed {
		s.flushLocked()
	}
	every := time.Duration(s.x.h.KeepAlive)
	if every < 0 || s.writeErr != nil {
		return
	}
	wait := every - time.Since(s.lastWrite)
	if wait <= 0 {
		s.out = openai.AppendKeepAlive(s.out)
		s.flushLocked()
		wait = every
	}
	s.timer.Reset(wait)
}

// close stops the clock; nothing more is written. It may be called more than once.
func (s *stream) close() {
	s.timer.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.x.committed = s.committed
	s.x.out = s.out[:0]
}

// add passes the pending output to appendTo, which appends whole events to it.
func (s *stream) add(appendTo func(out []byte) []byte) {
	s.mu.Lock()
	s.out = appendTo(s.out)
	s.mu.Unlock()
}

// flush writes what has been added, if there is content in the answer already or too
// much has been held back. It returns the error of writing to the client.
func (s *stream) flush(content bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if content && s.x.rec.firstContent == 0 {
		s.x.rec.firstContent = time.Since(s.x.start)
	}
	if s.committed || content || len(s.out) > maxHeld {
		s.flushLocked()
	}
	return s.writeErr
}

func (s *stream) flushLocked() {
	if s.writeErr != nil || s.committed && len(s.out) == 0 {
		return
	}
	if !s.committed {
		s.committed = true
		s.header()
		s.x.w.WriteHeader(http.StatusOK)
		if every := time.Duration(s.x.h.KeepAlive); every > 0 {
			s.timer.Reset(every) // from now on the clock is for comments
		}
	}
	if _, s.writeErr = s.x.w.Write(s.out); s.writeErr == nil {
		s.writeErr = flush(s.x.w)
	}
	s.out = s.out[:0]
	s.lastWrite = time.Now()
}

// flush sends what has been written. Middleware in front of the handler may collect the
// answer on purpose, and then cannot.
func flush(w http.ResponseWriter) error {
	if err := http.NewResponseController(w).Flush(); !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// fail ends the stream with an error. It returns the error if there has been no content
// and the client can still be told by a status, or be answered by another deployment.
// Content decides, not what happens to be written already: that depends on how the
// network cut the stream.
func (s *stream) fail(err *translate.Error, content bool) *translate.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.committed && !content {
		s.closed = true // the clock must not begin the answer now
		return err
	}
	s.x.rec.err = err
	s.out = openai.AppendErrorEvent(s.out, err)
	s.flushLocked()
	return nil
}

// streamHeader sets the header of an event stream.
func (x *exchange) streamHeader(resp *http.Response, key string) {
	x.copyHeaders(resp.Header, key, x.key)
	h := x.w.Header()
	v := [...]string{typeSSE, "no-cache", "no"}
	h["Content-Type"], h["Cache-Control"] = v[:1:1], v[1:2:2]
	h["X-Accel-Buffering"] = v[2:] // tells proxies such as nginx not to collect it
}
