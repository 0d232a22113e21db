package gemini

import (
	"slices"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

const (
	// maxHops and maxResumes bound how often an answer is continued, and how often
	// in a row after a broken connection without anything new (genai v1.77.0,
	// continuation.go).
	maxHops    = 16
	maxResumes = 3
)

// hops is the state of an answer that comes in several requests.
type hops struct {
	token   string // the last checkpoint of this request
	used    []string
	fresh   bool // nothing has come since the checkpoint
	moved   bool // something has come since the last continuation
	resumes int
	spent   translate.Usage // by the requests before this one
}

// checkpoint takes a continuation token.
func (h *hops) checkpoint(token string) {
	if token != "" {
		h.token, h.fresh = token, true
	}
}

// progress notes that something was emitted.
func (h *hops) progress() { h.fresh, h.moved = false, true }

// Paused reports whether the answer can go on in another request: the provider cut it
// at its limit for one request, or its bytes ended, well or not, right behind a
// checkpoint. It is to be asked after the last Event or Body and before End; End alone
// takes what there is as the whole answer, finished by length.
func (d *Decoder) Paused() bool {
	h := &d.hops
	if d.failed || d.blocked || d.overflow || len(d.stray) > 0 || len(d.enc.Body) < 2 || len(d.choices) == 0 {
		return false
	}
	if h.token == "" || len(h.used) >= maxHops || slices.Contains(h.used, h.token) {
		return false
	}
	r := &d.choice(0).reason
	return r.continues || r.native == "" && h.fresh && (h.moved || h.resumes < maxResumes)
}

// Continue returns the body of the request that makes a paused answer go on, to be
// sent like the first one, and readies the decoder for the answer to it: its events
// continue the first answer's, its usage is added. ok is false if the answer is not
// paused.
func (d *Decoder) Continue() (body []byte, ok bool) {
	if !d.Paused() {
		return nil, false
	}
	d.catchUp(nothing{})
	h := &d.hops
	if h.moved {
		h.resumes = 0
	} else {
		h.resumes++
	}
	body = continued(d.enc.Body, h.token)
	h.used = append(h.used, h.token)
	d.use.addTo(&h.spent)
	d.use = counts{}
	h.token, h.fresh, h.moved = "", false, false
	for i := range d.choices {
		d.choices[i].reason = reason{}
		d.choices[i].offsets.nextAnswer()
	}
	d.body = false
	return body, true
}

// continued returns a request with a continuation token.
func continued(request []byte, token string) []byte {
	body := make([]byte, 0, len(request)+len(token)+32)
	body = jsonscan.Quote(append(body, `{"continuationToken":`...), token)
	if request[1] != '}' {
		body = append(body, ',')
	}
	return append(body, request[1:]...)
}

// nothing takes events that nobody needs: the usage of the requests so far is reported
// with that of the next one.
type nothing struct{}

func (nothing) Emit(*translate.Event) {}
