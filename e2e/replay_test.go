package e2e

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// cuttings are the ways in which each recording is sent; see [cut].
var cuttings = []string{"whole", "event", "byte", "character", "random:1", "random:2", "random:3"}

// TestRecordingsReachTheClientUnchanged asks for every recording, cut in every way, with
// and without usage, and as the client's other form: E-003, E-004, E-018, E-076.
func TestRecordingsReachTheClientUnchanged(t *testing.T) {
	t.Parallel()
	site := startReplay(t)
	client, s := newClient(t, "HTTP/1.1", nil), published(t)
	for _, r := range site.all {
		t.Run(r.ID, func(t *testing.T) {
			t.Parallel()
			for i, how := range cuttings {
				for _, stream := range []bool{r.sse, !r.sse} {
					if stream != r.sse && how != "event" {
						continue
					}
					includeUsage := stream && i%2 == 0
					a := exchange(t, client, site.plain+"/v1/chat/completions", r.question(how, stream, includeUsage))
					for _, wrong := range site.judge(s, r, a, stream, includeUsage) {
						t.Errorf("%s, stream %t, usage %t: %s", how, stream, includeUsage, wrong)
					}
				}
			}
		})
	}
}

// judge lists what is wrong with the answer that a client got for a recording.
func (site *replaySite) judge(s *schemas, r *recording, a *answer, stream, includeUsage bool) []string {
	v := s.read(a, stream, includeUsage, r.excused()...)
	switch r.expected.Kind {
	case "error":
		return v.compareError(r)
	case "midstream-error":
		return v.compareBroken(r, true)
	case "blocked":
		if v.failure == nil && v.first().finish != "content_filter" {
			return append(v.wrong, "a blocked prompt is neither an error nor content_filter")
		}
		return v.wrong
	}
	if a.status != http.StatusOK {
		return append(v.wrong, fmt.Sprintf("status %d: %s", a.status, a.body))
	}
	return v.compare(r, stream, includeUsage)
}

// statuses are those that a client may see for an error that is recorded.
func (r *recording) statuses() []int {
	switch {
	case r.Family == "gemini" && r.Status == http.StatusBadRequest:
		return []int{400, 401, 403} // how Google says that a key is wrong
	case r.Status == 402:
		return []int{402, 429}
	case r.Status == 422:
		return []int{422, 400}
	case r.Status == 529:
		return []int{503}
	}
	return []int{r.Status}
}

func (v *view) compareError(r *recording) []string {
	wrong := v.wrong
	if !slices.Contains(r.statuses(), v.status) {
		wrong = append(wrong, fmt.Sprintf("the status is %d, not %v", v.status, r.statuses()))
	}
	if v.failure == nil {
		return append(wrong, "there is no error")
	}
	if want := r.expected.Message; want != "" && !strings.Contains(v.failure.Message, want) {
		wrong = append(wrong, fmt.Sprintf("the message is %q, not %q", v.failure.Message, want))
	}
	return wrong
}

// compareBroken lists what is wrong with how a client was told that an answer broke off.
// A failure in the midst of a stream comes last; one before it has a status of its own.
func (v *view) compareBroken(r *recording, reported bool) []string {
	wrong := v.wrong
	switch {
	case v.failure == nil:
		return append(wrong, fmt.Sprintf("the provider failed, and the client is not told; [DONE]: %t", v.done))
	case v.done:
		wrong = append(wrong, "a failed answer ends with [DONE]")
	case v.status != http.StatusOK && v.status < 500 && !reported:
		wrong = append(wrong, fmt.Sprintf("a provider's failure has the status %d", v.status))
	}
	if reported && !strings.Contains(v.failure.Message, r.expected.Message) {
		wrong = append(wrong, fmt.Sprintf("the message is %q, not %q", v.failure.Message, r.expected.Message))
	}
	for _, want := range r.expected.Choices {
		if got := v.choices[want.Index]; got != nil && !want.TextLoose && !strings.HasPrefix(want.Text, got.text) {
			wrong = append(wrong, fmt.Sprintf("the text so far is %q, which %q does not begin with", got.text, want.Text))
		}
	}
	return wrong
}

// TestCutRecordingsEndInAnError breaks every recording off in many places, by a closed
// connection, a reset one, and a clean end: E-009, E-010, E-011, E-012.
func TestCutRecordingsEndInAnError(t *testing.T) {
	t.Parallel()
	site := startReplay(t)
	client, s := newClient(t, "HTTP/1.1", nil), published(t)
	for _, r := range site.all {
		if r.expected.Kind != "ok" {
			continue
		}
		t.Run(r.ID, func(t *testing.T) {
			t.Parallel()
			for i, n := range breaks(r) {
				how := []string{"cut", "cut-clean", "cut-reset"}[i%3] + ":" + strconv.Itoa(n)
				a := exchange(t, client, site.plain+"/v1/chat/completions", r.question(how, r.sse, true))
				v := s.read(a, r.sse, true, r.excused()...)
				if r.Family == "gemini" && r.sse && strings.HasPrefix(how, "cut-clean") && v.failure == nil {
					continue // Gemini sometimes ends without a finishReason
				}
				for _, wrong := range v.compareBroken(r, false) {
					t.Errorf("%s of %d bytes: %s", how, len(r.body), wrong)
				}
			}
		})
	}
}

// breaks are places to break a recording off before its end is known: a few at random,
// and the first and the last of them.
func breaks(r *recording) []int {
	last := len(bytes.TrimRight(r.body, "\r\n\t }")) - 1
	if r.sse {
		last = endOf(r)
	}
	if last < 2 {
		return nil
	}
	h := fnv.New64()
	h.Write([]byte(r.ID))
	places := []int{1, last}
	random := rand.New(rand.NewPCG(h.Sum64(), 2))
	for range 10 {
		places = append(places, 1+random.IntN(last-1))
	}
	return places
}

// endOf is where the event begins that says how the first choice ended.
func endOf(r *recording) int {
	for _, marker := range []string{`"finish_reason":"`, `"finish_reason": "`, `"stop_reason":"`, `"stop_reason": "`, `"finishReason":"`, `"finishReason": "`} {
		if i := bytes.Index(r.body, []byte(marker)); i >= 0 {
			return max(bytes.LastIndex(r.body[:i], []byte("data:")), 0)
		}
	}
	return 0
}
