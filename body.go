package aiproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/openai"
)

const (
	// firstBody is what is allocated for a body before its bytes arrive, whatever
	// length it claims.
	firstBody = 1 << 20
	// smallBody is what is allocated for a body of unknown length.
	smallBody = 8 << 10
	// maxKeptBody is the largest buffer that is kept for the next request.
	maxKeptBody = 1 << 20
)

// buffer holds a request body. The transport may still be reading it when the answer
// has long come, so it goes back to the pool only when nobody refers to it any more.
type buffer struct {
	b    []byte
	refs atomic.Int32
}

var buffers = sync.Pool{New: func() any { return new(buffer) }}

func newBuffer() *buffer {
	b := buffers.Get().(*buffer)
	b.b = b.b[:0]
	b.refs.Store(1)
	return b
}

// ownBuffer returns a buffer for bytes that others may hold on to: it never goes to the
// pool.
func ownBuffer(bytes []byte) *buffer {
	b := &buffer{b: bytes}
	b.refs.Store(2)
	return b
}

func (b *buffer) retain() { b.refs.Add(1) }

func (b *buffer) release() {
	if b.refs.Add(-1) == 0 && cap(b.b) <= maxKeptBody {
		buffers.Put(b)
	}
}

// errClientGone says that the client went away before its request was read.
var errClientGone = &translate.Error{Class: translate.ErrorRequest, Status: 499, Message: "The client closed the connection.", Type: "invalid_request_error"}

// readBody reads the whole body of a request, refusing more than limit bytes.
func readBody(r *http.Request, limit int64) (*buffer, *translate.Error) {
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	b := newBuffer()
	switch err := b.readAll(r.Body, r.ContentLength, limit); {
	case err == nil:
		return b, nil
	case errors.Is(err, errTooLarge):
		b.release()
		return nil, tooLarge(limit)
	default:
		b.release()
		return nil, readError(r.Context(), err)
	}
}

// errTooLarge says that there are more bytes than allowed.
var errTooLarge = errors.New("too large")

// readAll reads src to its end; length is what it claims to have, negative if unknown.
func (b *buffer) readAll(src io.Reader, length, limit int64) error {
	want := int64(smallBody)
	if length >= 0 {
		want = min(length+1, firstBody) // one more, so that the end is seen at once
	}
	if int64(cap(b.b)) < want {
		b.b = make([]byte, 0, want)
	}
	for {
		if len(b.b) == cap(b.b) {
			b.b = append(b.b, 0)[:len(b.b)]
		}
		n, err := src.Read(b.b[len(b.b):cap(b.b)])
		b.b = b.b[:len(b.b)+n]
		switch {
		case int64(len(b.b)) > limit:
			return errTooLarge
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

func tooLarge(limit int64) *translate.Error {
	return &translate.Error{
		Class: translate.ErrorRequest, Status: http.StatusRequestEntityTooLarge, Type: "invalid_request_error", Code: "request_too_large", NoRetry: true,
		Message: fmt.Sprintf("The request body is larger than the %d bytes allowed here.", limit),
	}
}

func readError(ctx context.Context, err error) *translate.Error {
	var maxBytes *http.MaxBytesError // of Caddy's request_body directive
	switch {
	case errors.As(err, &maxBytes):
		return tooLarge(maxBytes.Limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &translate.Error{
			Class: translate.ErrorTimeout, Status: http.StatusRequestTimeout, Type: "timeout_error", Code: "request_timeout",
			Message: "The request body did not arrive in time.",
		}
	case ctx.Err() != nil, errors.Is(err, io.ErrUnexpectedEOF):
		return errClientGone
	}
	return translate.BadRequest("invalid_body", "", "The request body could not be read.")
}

// bodyReader is the body of an upstream request. The transport may close it while it
// reads, and even close it twice.
type bodyReader struct {
	mu   sync.Mutex
	buf  *buffer // nil when closed
	segs openai.Segments
	seg  int
	off  int
}

// newBodyReader returns a reader of the segments, which may alias buf.
func newBodyReader(buf *buffer, segs openai.Segments) *bodyReader {
	buf.retain()
	return &bodyReader{buf: buf, segs: segs}
}

func (b *bodyReader) Read(p []byte) (n int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.buf == nil {
		return 0, http.ErrBodyReadAfterClose
	}
	for parts := b.segs.Slices(); n < len(p) && b.seg < len(parts); {
		s := parts[b.seg]
		m := copy(p[n:], s[b.off:])
		n += m
		if b.off += m; b.off == len(s) {
			b.seg, b.off = b.seg+1, 0
		}
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (b *bodyReader) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.buf != nil {
		b.buf.release()
		b.buf = nil
	}
	return nil
}
