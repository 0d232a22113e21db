package sse

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

// reference reads a body as section 9.2.6 of the HTML standard says, in the plainest
// way: all lines first, then field by field. It returns the events that the standard
// dispatches, and with them the block that the body ends in, which the standard drops
// and the Reader delivers.
func reference(body string) (events []seen) {
	body = strings.TrimPrefix(body, "\ufeff")
	body = strings.ReplaceAll(body, "\r\n", "\n")
	body = strings.ReplaceAll(body, "\r", "\n")
	lines := strings.Split(body, "\n")
	var cur seen
	flush := func(cut bool) {
		if cur.hasData {
			cur.cut = cut
			cur.data = strings.TrimSuffix(cur.data, "\n")
			events = append(events, cur)
		}
		cur = seen{}
	}
	for _, line := range lines[:len(lines)-1] {
		referenceLine(&cur, line)
		if line == "" {
			flush(false)
		}
	}
	referenceLine(&cur, lines[len(lines)-1])
	flush(true)
	return events
}

func referenceLine(cur *seen, line string) {
	if line == "" || line[0] == ':' {
		return
	}
	field, value, _ := strings.Cut(line, ":")
	value = strings.TrimPrefix(value, " ")
	switch field {
	case "data":
		cur.data += value + "\n"
		cur.hasData = true
	case "event":
		cur.name, cur.hasName = value, true
	}
}

// FuzzReaderAgreesWithTheStandard compares the Reader with the reference, under the
// cuts that the fuzzer likes.
func FuzzReaderAgreesWithTheStandard(f *testing.F) {
	for _, s := range []string{
		"data: a\n\n", "data:a\r\rdata\r\n\r\n", "\xef\xbb\xbfdata: x\nevent: y\n\n: c\n\n", ":\n:\r\n\ndata", "event: a\n\ndata: b\n\n",
		"{\"error\":\n1}\n\ndata: z", "id: 1\ndata: 漢😀\ndata: \n\n\n", "data: a\n\r\n\rdata: b\r", "\n\n\n", "\xef\xbb", "retry\n\ndata:  \n\n", " \n\ndata: x",
	} {
		f.Add(s, uint16(3), uint16(7))
	}
	f.Fuzz(func(t *testing.T, body string, a, b uint16) {
		want := reference(body)
		first, second := int(a)%(len(body)+1), int(b)%(len(body)+1)
		for how, src := range map[string]io.Reader{
			"at once":      strings.NewReader(body),
			"byte by byte": &pieces{body: []byte(body), cuts: every(len(body))},
			"cut":          &pieces{body: []byte(body), cuts: []int{min(first, second), max(first, second)}},
		} {
			all, raw, err := readAll(t, src, 1<<20)
			if !errors.Is(err, io.EOF) {
				t.Fatalf("%s: %q ended with %v", how, body, err)
			}
			var got []seen
			for _, e := range all {
				if e.hasData {
					e.stray = ""
					got = append(got, e)
				}
			}
			if len(got) != len(want) {
				t.Fatalf("%s: %q\ngot  %v\nwant %v", how, body, got, want)
			}
			for i := range got {
				if got[i] != want[i] {
					t.Fatalf("%s: %q: event %d is %v, want %v", how, body, i, got[i], want[i])
				}
			}
			if bytes.Contains(raw, []byte("data")) != strings.Contains(body, "data") {
				t.Fatalf("%s: %q: the raw events are %q", how, body, raw)
			}
			if again := reference(string(raw)); len(again) != len(want) {
				t.Fatalf("%s: %q: read anew, the raw events are %v, want %v", how, body, again, want)
			}
		}
	})
}

// every returns all offsets of a body.
func every(n int) []int {
	cuts := make([]int, 0, n)
	for i := 1; i < n; i++ {
		cuts = append(cuts, i)
	}
	return cuts
}
