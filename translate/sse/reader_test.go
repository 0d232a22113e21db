package sse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// seen is an Event that owns its bytes.
type seen struct {
	name, data, stray string
	hasName, hasData  bool
	comment, cut      bool
}

func (s seen) String() string {
	return fmt.Sprintf("{name %q, data %q, stray %q, comment %v, cut off %v}", s.name, s.data, s.stray, s.comment, s.cut)
}

const testMax = 1 << 20

// readAll reads a body to its end.
func readAll(t testing.TB, src io.Reader, limit int) (events []seen, raw []byte, err error) {
	t.Helper()
	r := NewReader(src, limit)
	for {
		e, err := r.Next()
		if err != nil {
			if again, err2 := r.Next(); !errors.Is(err2, err) {
				t.Fatalf("behind %v comes %v, %v", err, again, err2)
			}
			return events, raw, err
		}
		events = append(events, seen{
			name: string(e.Name), data: string(e.Data), stray: string(e.Stray),
			hasName: e.Name != nil, hasData: e.Data != nil, comment: e.Comment(), cut: !e.Terminated,
		})
		raw = append(raw, e.Raw...)
	}
}

// pieces delivers a body in reads that end at the given offsets.
type pieces struct {
	body []byte
	cuts []int
	at   int
}

func (p *pieces) Read(b []byte) (int, error) {
	if p.at == len(p.body) {
		return 0, io.EOF
	}
	end := len(p.body)
	for _, c := range p.cuts {
		if c > p.at {
			end = min(end, c)
			break
		}
	}
	n := copy(b, p.body[p.at:end])
	p.at += n
	return n, nil
}

// everyCut calls fn for a body delivered in every way that has shown faults before: at
// once, byte by byte, and cut in two at every byte.
func everyCut(body string, fn func(how string, src io.Reader)) {
	fn("at once", strings.NewReader(body))
	fn("at once with the end", iotest.DataErrReader(strings.NewReader(body)))
	fn("byte by byte", iotest.OneByteReader(strings.NewReader(body)))
	fn("byte by byte with the end", iotest.DataErrReader(iotest.OneByteReader(strings.NewReader(body))))
	for i := 1; i < len(body); i++ {
		fn(fmt.Sprintf("cut at %d", i), &pieces{body: []byte(body), cuts: []int{i}})
	}
}

func TestReaderReadsFields(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		body string
		want []seen
	}{
		"E-001 no space behind the colon":            {"data:{\"a\":1}\n\n", []seen{{data: `{"a":1}`, hasData: true}}},
		"only one space is taken off":                {"data:  x\n\n", []seen{{data: " x", hasData: true}}},
		"E-002 other fields do not cost the data":    {"id: 7\nretry: 10\nfoo: bar\nevent: e\ndata: x\nfoo\n\n", []seen{{name: "e", hasName: true, data: "x", hasData: true}}},
		"E-002 data lines are joined by LF":          {"data: a\ndata:\ndata: c\n\n", []seen{{data: "a\n\nc", hasData: true}}},
		"E-007 last event without a blank line":      {"data: a\n\ndata: b\n", []seen{{data: "a", hasData: true}, {data: "b", hasData: true, cut: true}}},
		"E-007 last event without a line end":        {"data: a\n\ndata: b", []seen{{data: "a", hasData: true}, {data: "b", hasData: true, cut: true}}},
		"CR alone ends lines":                        {"data: a\r\rdata: b\rdata: c\r\r", []seen{{data: "a", hasData: true}, {data: "b\nc", hasData: true}}},
		"CRLF ends lines":                            {"data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n", []seen{{data: "a\nb", hasData: true}, {data: "c", hasData: true}}},
		"line ends may be mixed":                     {"data: a\rdata: b\ndata: c\r\n\ndata: d\n\r\n", []seen{{data: "a\nb\nc", hasData: true}, {data: "d", hasData: true}}},
		"a byte order mark is skipped":               {"\xef\xbb\xbfdata: a\n\n", []seen{{data: "a", hasData: true}}},
		"half a byte order mark is part of the line": {"\xef\xbbdata: a\n\n", []seen{{comment: true}}},
		"blank lines before an event are nothing":    {"\n\n\r\n\rdata: a\n\n\n\n", []seen{{data: "a", hasData: true}}},
		"an empty body has no events":                {"", nil},
		"blank lines alone are no events":            {"\n\r\n\n  \n", []seen{{comment: true, cut: true}}[:0]},
		"a comment is an event at once":              {": keep-alive\ndata: a\n\n: x\n\n:\n", []seen{{comment: true}, {data: "a", hasData: true}, {comment: true}, {comment: true}}},
		"a comment inside an event belongs to it":    {"data: a\n: c\ndata: b\n\n", []seen{{data: "a\nb", hasData: true}}},
		"data without a colon is empty":              {"data\n\n", []seen{{hasData: true}}},
		"data without a value is empty":              {"data:\n\n", []seen{{hasData: true}}},
		"names count case and spaces":                {"Data: a\n data: b\ndata : c\n\n", []seen{{comment: true}}},
		"the last event field counts":                {"event: a\nevent: b\ndata: x\n\n", []seen{{name: "b", hasName: true, data: "x", hasData: true}}},
		"a bare JSON error is kept":                  {"data: a\n\n{\n  \"error\": {\n  }\n}\n", []seen{{data: "a", hasData: true}, {stray: "{\n  \"error\": {\n  }\n}\n", cut: true}}},
		"a bare JSON array is kept":                  {"[{\"error\":1}]", []seen{{stray: "[{\"error\":1}]\n", cut: true}}},
		"bare JSON does not cost the data":           {"{\"x\":1}\ndata: a\n\n", []seen{{stray: "{\"x\":1}\n", data: "a", hasData: true}}},
		"markup is not kept":                         {"<html>\n{x}\n\n", []seen{{stray: "{x}\n"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			everyCut(tc.body, func(how string, src io.Reader) {
				got, _, err := readAll(t, src, testMax)
				if !errors.Is(err, io.EOF) {
					t.Fatalf("%s: ended with %v", how, err)
				}
				if fmt.Sprint(got) != fmt.Sprint(tc.want) {
					t.Fatalf("%s: %q\ngot  %v\nwant %v", how, tc.body, got, tc.want)
				}
			})
		})
	}
}

func TestTrailingSpacesOfDataAreHarmless_E008(t *testing.T) {
	t.Parallel()
	body := "data: {\"type\":\"ping\" }  \t \n\ndata: {\"a\": 1}   \r\n\r\n"
	events, _, _ := readAll(t, strings.NewReader(body), testMax)
	if len(events) != 2 {
		t.Fatalf("got %d events, want 2", len(events))
	}
	for _, e := range events {
		if err := jsonscan.Valid([]byte(e.data), 0); err != nil {
			t.Errorf("%q is not read as JSON: %v", e.data, err)
		}
	}
}

// TestAnyCutGivesTheSameEvents_E003_E004 replays every recorded stream under cuts at
// every byte of its first part, through every UTF-8 sequence, and byte by byte.
func TestAnyCutGivesTheSameEvents_E003_E004(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../e2e/testdata/recordings/*/*/response.sse")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded streams: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimPrefix(filepath.Dir(file), "../../e2e/testdata/recordings/"), func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want, _, err := readAll(t, bytes.NewReader(body), 64<<20)
			if !errors.Is(err, io.EOF) || len(want) == 0 {
				t.Fatalf("got %d events and %v", len(want), err)
			}
			check := func(how string, src io.Reader) {
				got, _, _ := readAll(t, src, 64<<20)
				if len(got) != len(want) {
					t.Fatalf("%s: got %d events, want %d", how, len(got), len(want))
				}
				for i := range got {
					if got[i] != want[i] {
						t.Fatalf("%s: event %d is %v, want %v", how, i, got[i], want[i])
					}
				}
			}
			check("byte by byte", iotest.OneByteReader(bytes.NewReader(body)))
			check("in halves of each read", iotest.HalfReader(bytes.NewReader(body)))
			for i := 1; i < min(len(body), 300); i++ {
				check(fmt.Sprintf("cut at %d", i), &pieces{body: body, cuts: []int{i}})
			}
			var cuts []int
			for i := 1; i < len(body); i++ {
				if !utf8.RuneStart(body[i]) {
					cuts = append(cuts, i)
				}
			}
			check("cut inside every character", &pieces{body: body, cuts: cuts})
			for _, e := range want {
				if strings.Contains(e.data, "\ufffd") && !bytes.Contains(body, []byte("\ufffd")) {
					t.Fatalf("a character was lost in %q", e.data)
				}
			}
		})
	}
}

func TestRawBytesAreTheWholeStream(t *testing.T) {
	t.Parallel()
	body := "event: a\ndata: x\n\n: c\ndata: y\r\n\r\nid: 1\n\ndata: z"
	everyCut(body, func(how string, src io.Reader) {
		_, raw, _ := readAll(t, src, testMax)
		got, want := normalEnds(string(raw)), normalEnds(body)
		if got != want {
			t.Fatalf("%s: got %q, want %q", how, got, want)
		}
	})
}

// normalEnds makes all line ends LF and drops those at the end.
func normalEnds(s string) string {
	return strings.TrimRight(strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n"), "\n")
}

func TestLongLinesPassAndTooLongOnesAreAClearError_E005(t *testing.T) {
	t.Parallel()
	const limit = 32 << 20
	image := bytes.Repeat([]byte("QUJD"), 5<<20)
	body := slicesConcat([]byte("data: a\n\ndata: "), image, []byte("\n\ndata: b\n\n"))
	got, _, err := readAll(t, bytes.NewReader(body), limit)
	if !errors.Is(err, io.EOF) || len(got) != 3 || got[1].data != string(image) || got[2].data != "b" {
		t.Fatalf("a line of %d bytes: got %d events and %v", len(image), len(got), err)
	}
	got, _, err = readAll(t, bytes.NewReader(body), 10<<20)
	if !errors.Is(err, ErrTooLong) || len(got) != 1 {
		t.Fatalf("a line beyond the limit: got %d events and %v", len(got), err)
	}
	endless := io.MultiReader(strings.NewReader("data: "), endlessReader{})
	if _, _, err := readAll(t, endless, 1<<20); !errors.Is(err, ErrTooLong) {
		t.Fatalf("an endless line: got %v", err)
	}
}

func slicesConcat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// endlessReader never ends and never has a line end.
type endlessReader struct{}

func (endlessReader) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

func TestLimitDoesNotDependOnCuts(t *testing.T) {
	t.Parallel()
	const limit = 20
	for size := limit - 3; size <= limit+3; size++ {
		for _, end := range []string{"\n\n", "\r\r", "\r\n\r\n", "\n", ""} {
			body := "\n\r\n" + "data: " + strings.Repeat("x", size-6) + end
			everyCut(body, func(how string, src io.Reader) {
				got, _, err := readAll(t, src, limit)
				if fits := size <= limit; fits != errors.Is(err, io.EOF) || !fits && !errors.Is(err, ErrTooLong) || fits != (len(got) == 1) {
					t.Fatalf("%d bytes of %d, %s, end %q: got %d events and %v", size, limit, how, end, len(got), err)
				}
			})
		}
	}
}

func TestABrokenBodyGivesWhatCameAndThenTheError(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	src := io.MultiReader(strings.NewReader("data: a\n\ndata: b"), iotest.ErrReader(broken))
	got, _, err := readAll(t, src, testMax)
	if !errors.Is(err, broken) || len(got) != 2 || !got[1].cut {
		t.Fatalf("got %v and %v", got, err)
	}
}

func TestASourceThatNeverReadsIsGivenUp(t *testing.T) {
	t.Parallel()
	if _, _, err := readAll(t, stuckReader{}, testMax); !errors.Is(err, io.ErrNoProgress) {
		t.Fatalf("got %v", err)
	}
}

type stuckReader struct{}

func (stuckReader) Read([]byte) (int, error) { return 0, nil }

func TestEventIsDeliveredBeforeTheNextRead(t *testing.T) {
	t.Parallel()
	src := &countingReader{parts: []string{"data: a\n", "\nda", "ta: b\n\n", ": c\n", "data: d\n\ndata: e\n\n"}}
	r := NewReader(src, testMax)
	for i, want := range []struct {
		data     string
		reads    int
		buffered bool
	}{{"a", 2, false}, {"b", 3, false}, {"", 4, false}, {"d", 5, true}, {"e", 5, false}} {
		e, err := r.Next()
		if err != nil || string(e.Data) != want.data || src.reads != want.reads || r.Buffered() != want.buffered {
			t.Errorf("event %d: got %q after %d reads, buffered %v, %v; want %+v", i, e.Data, src.reads, r.Buffered(), err, want)
		}
	}
}

type countingReader struct {
	parts []string
	reads int
}

func (c *countingReader) Read(b []byte) (int, error) {
	if c.reads == len(c.parts) {
		return 0, io.EOF
	}
	c.reads++
	return copy(b, c.parts[c.reads-1]), nil
}

// TestManyCarriageReturnsTakeLinearTime has as many lines as fit the limit, without the
// LF that a search would stop at.
func TestManyCarriageReturnsTakeLinearTime(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("data:x\r", 1<<20) + "\r"
	got, _, err := readAll(t, strings.NewReader(body), 16<<20)
	if !errors.Is(err, io.EOF) || len(got) != 1 || len(got[0].data) != 2<<20-1 {
		t.Fatalf("got %d events and %v", len(got), err)
	}
}

func TestResetForgetsTheOldStream(t *testing.T) {
	t.Parallel()
	r := NewReader(strings.NewReader("data: old\ndata: older\n\ndata: half"), testMax)
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	r.Reset(strings.NewReader("\xef\xbb\xbfdata: new\n\n"), testMax)
	e, err := r.Next()
	if err != nil || string(e.Data) != "new" || e.Name != nil || e.Stray != nil {
		t.Fatalf("got %q, %v", e.Data, err)
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Fatalf("got %v at the end", err)
	}
}

func TestReaderKeepsNoLargeBuffers(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", 1<<20)
	r := NewReader(strings.NewReader("data: "+big+"\ndata: "+big+"\n{"+big+"\n\n"), 64<<20)
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	r.Reset(nil, 0)
	if cap(r.buf) > maxKept || cap(r.data) > maxKept || cap(r.stray) > maxKept {
		t.Errorf("kept %d, %d and %d bytes", cap(r.buf), cap(r.data), cap(r.stray))
	}
}

func TestNextDoesNotAllocate(t *testing.T) {
	body := strings.Repeat("data: {\"choices\":[{\"delta\":{\"content\":\"hello\"}}]}\n\n", 100)
	src := strings.NewReader(body)
	r := NewReader(src, testMax)
	allocs := testing.AllocsPerRun(20, func() {
		src.Reset(body)
		r.Reset(src, testMax)
		for {
			if _, err := r.Next(); err != nil {
				return
			}
		}
	})
	if allocs != 0 {
		t.Errorf("got %v allocations for 100 events", allocs)
	}
}

func BenchmarkReader(b *testing.B) {
	const events = 1000
	for name, event := range map[string]string{
		"openai":    "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" world\"}}]}\n\n",
		"anthropic": "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" world\"}}\n\n",
	} {
		body := strings.Repeat(event, events)
		b.Run(name, func(b *testing.B) {
			src := strings.NewReader(body)
			r := NewReader(src, testMax)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				src.Reset(body)
				r.Reset(src, testMax)
				for {
					if _, err := r.Next(); err != nil {
						break
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/events, "ns/event")
		})
	}
}
