package memory

import (
	"crypto/sha256"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// History is the conversation of one request, as far as it tells calls apart whose ids
// are used more than once: all that was said before the answer, but for what assistants
// said, of which clients drop the one or other part. Two conversations with one history
// have no secrets from each other.
//
// It is made for one request and used by one goroutine.
type History struct {
	// Request returns the request, or nil if there is none to be had. It is called
	// once at most, and only if it has to be.
	Request func() *translate.Request

	req  *translate.Request
	read bool

	sum  [sha256.Size]byte // of the turns before the one called next
	next int
	buf  []byte
}

func (h *History) turns() ([]translate.Turn, bool) {
	if h == nil {
		return nil, false
	}
	if !h.read {
		h.read = true
		if h.Request != nil {
			h.req = h.Request()
		}
	}
	if h.req == nil {
		return nil, false
	}
	return h.req.Turns, true
}

// before returns the sum of what was said before a turn, or before the answer if turn
// is negative; ok is false if that is not known.
func (h *History) before(turn int) (sum [sha256.Size]byte, ok bool) {
	turns, ok := h.turns()
	if !ok || turn > len(turns) {
		return sum, false
	}
	if turn < 0 {
		turn = len(turns)
	}
	if turn < h.next {
		h.next, h.sum = 0, [sha256.Size]byte{}
	}
	for ; h.next < turn; h.next++ {
		if t := &turns[h.next]; t.Role != translate.RoleAssistant {
			h.buf = appendTurn(append(h.buf[:0], h.sum[:]...), t)
			h.sum = sha256.Sum256(h.buf)
		}
	}
	return h.sum, true
}

func appendTurn(dst []byte, t *translate.Turn) []byte {
	dst = appendText(append(dst, byte(t.Role)), t.Name)
	return appendParts(dst, t.Parts)
}

// appendParts appends what parts say. Empty texts, which clients add and drop as they
// please, say nothing; cache marks move from turn to turn and are left out.
func appendParts(dst []byte, parts []translate.Part) []byte {
	for i := range parts {
		p := &parts[i]
		switch {
		case p.Media != nil:
			dst = append(dst, byte(p.Kind))
			for _, s := range [...]string{p.Media.URL, p.Media.Data, p.Media.FileID} {
				dst = appendText(dst, s)
			}
		case p.Result != nil:
			dst = appendText(append(dst, byte(p.Kind)), p.Result.CallID)
			dst = append(appendParts(dst, p.Result.Parts), 0)
		case p.Text != "":
			dst = appendText(append(dst, byte(p.Kind)), p.Text)
		}
	}
	return dst
}
