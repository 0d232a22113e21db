package anthropic

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/sse"
)

const recordings = "../../e2e/testdata/recordings/anthropic"

type recording struct {
	name   string
	body   []byte
	stream bool
	meta   struct {
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
	}
	expected struct {
		Kind    string  `json:"kind"`
		Message *string `json:"message"`
		Choices []struct {
			Text      string   `json:"text"`
			Reasoning string   `json:"reasoning"`
			Refusal   string   `json:"refusal"`
			Finish    []string `json:"finish"`
			Tools     []struct {
				ID   string          `json:"id"`
				Name string          `json:"name"`
				Args json.RawMessage `json:"args"`
			} `json:"tools"`
		} `json:"choices"`
		Usage *struct {
			Prompt     []int64 `json:"prompt"`
			Completion []int64 `json:"completion"`
			Total      []int64 `json:"total"`
			Cached     int64   `json:"cached"`
			Reasoning  int64   `json:"reasoning"`
		} `json:"usage"`
	}
}

func loadRecordings(t testing.TB) []recording {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(recordings, "*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no recordings in %s: %v", recordings, err)
	}
	var out []recording
	for _, dir := range dirs {
		r := recording{name: filepath.Base(dir)}
		for name, into := range map[string]any{"meta.json": &r.meta, "expected.json": &r.expected} {
			raw, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(raw, into); err != nil {
				t.Fatalf("%s/%s: %v", r.name, name, err)
			}
		}
		for _, name := range []string{"response.sse", "response.json", "response.txt"} {
			if raw, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
				r.body, r.stream = raw, name == "response.sse"
			}
		}
		if r.body == nil {
			t.Fatalf("%s: no response", r.name)
		}
		out = append(out, r)
	}
	return out
}

// cuts are the ways in which a body can reach the reader.
var cuts = map[string]func(body []byte) io.Reader{
	"whole":    func(b []byte) io.Reader { return bytes.NewReader(b) },
	"bytewise": func(b []byte) io.Reader { return iotest.OneByteReader(bytes.NewReader(b)) },
	"in runes": func(b []byte) io.Reader {
		var parts []io.Reader
		for start, i := 0, 0; ; {
			if i >= len(b) {
				parts = append(parts, bytes.NewReader(b[start:]))
				return io.MultiReader(parts...)
			}
			_, n := utf8.DecodeRune(b[i:])
			if n > 1 {
				parts = append(parts, bytes.NewReader(b[start:i+n/2]))
				start = i + n/2
			}
			i += n
		}
	},
}

func decodeStream(t testing.TB, enc *translate.Encoded, src io.Reader) *clientView {
	g, v := guarded(t)
	d := NewDecoder(enc)
	r := sse.NewReader(src, 32<<20)
	for {
		ev, err := r.Next()
		if err != nil {
			d.End(err == io.EOF, g)
			break
		}
		d.Event(ev.Data, ev.Stray, g)
	}
	g.End()
	return v
}

// covers are the edge cases that recordings show on real traffic.
var covers = map[string]string{
	"stream-tool-cut-args-max-tokens": "E-007 E-008 E-051",
	"stream-error-event-text":         "E-014 E-016",
	"stream-tool-no-args":             "E-049",
	"json-tool-search-tool":           "E-061",
	"stream-code-exec":                "E-061",
	"stream-web-search-refusal":       "E-061 E-110",
	"json-text-cached-emoji":          "E-064",
	"stream-max-tokens-cached":        "E-065",
	"json-compaction-emoji-long":      "E-077",
	"json-redacted":                   "E-092",
	"stream-refusal-empty":            "E-110",
	"stream-fallback":                 "E-111",
	"error-429":                       "E-143",
	"error-400-2":                     "E-145",
}

// Every recording reads as what its provider said, however its bytes arrive.
func TestRecordingsReadAsTheProviderSaid(t *testing.T) {
	t.Parallel()
	n := 0
	for _, r := range loadRecordings(t) {
		if r.meta.Status >= 400 {
			continue
		}
		n++
		for how, cut := range cuts {
			if !r.stream && how != "whole" {
				continue
			}
			t.Run(strings.TrimSpace(covers[r.name]+" "+r.name)+"/"+how, func(t *testing.T) {
				t.Parallel()
				var v *clientView
				if r.stream {
					v = decodeStream(t, &translate.Encoded{}, cut(r.body))
				} else {
					v = decodeBody(t, &translate.Encoded{}, string(r.body))
				}
				compare(t, &r, v)
			})
		}
	}
	if n != 50 {
		t.Errorf("%d recordings of answers, want 50", n)
	}
}

func compare(t *testing.T, r *recording, v *clientView) {
	t.Helper()
	want := r.expected
	switch want.Kind {
	case "midstream-error":
		if v.err == nil || v.ended || v.err.Message != *want.Message {
			t.Errorf("the answer must end with the error %q, got %+v", *want.Message, v.err)
		}
	case "ok":
		if v.err != nil || !v.ended {
			t.Fatalf("the answer did not end well: %+v", v.err)
		}
	default:
		t.Fatalf("unknown kind %q", want.Kind)
	}
	c := want.Choices[0]
	if v.text != c.Text {
		t.Errorf("text is %q, want %q", v.text, c.Text)
	}
	if v.reasoning != c.Reasoning {
		t.Errorf("reasoning is %q, want %q", v.reasoning, c.Reasoning)
	}
	if want.Kind == "ok" && !slices.Contains(c.Finish, v.finish.String()) {
		t.Errorf("finish reason is %s, want one of %v", v.finish, c.Finish)
	}
	if (v.finish == translate.FinishContentFilter) != (v.refusal != "") {
		t.Errorf("finish reason %s with refusal %q", v.finish, v.refusal)
	}
	if len(v.tools) != len(c.Tools) {
		t.Fatalf("tool calls are %+v, want %d", v.tools, len(c.Tools))
	}
	for i, tool := range v.tools {
		w := c.Tools[i]
		if tool.index != i || tool.id != w.ID || tool.name != w.Name || !sameArguments(tool.args, w.Args) {
			t.Errorf("call %d is %+v, want id %s, name %s, arguments %s", i, tool, w.ID, w.Name, w.Args)
		}
	}
	if want.Usage == nil {
		return
	}
	u := v.usage
	if u == nil {
		t.Fatal("no usage")
	}
	if !slices.Contains(want.Usage.Prompt, u.Prompt) || !slices.Contains(want.Usage.Completion, u.Completion) || !slices.Contains(want.Usage.Total, u.Total()) ||
		u.Cached != want.Usage.Cached || u.Reasoning != want.Usage.Reasoning {
		t.Errorf("usage is %+v, want %+v", *u, *want.Usage)
	}
}

// sameArguments compares arguments by value, or by their bytes where they were cut off.
func sameArguments(got string, want json.RawMessage) bool {
	var cut string
	if json.Unmarshal(want, &cut) == nil {
		return got == cut
	}
	var a, b any
	if json.Unmarshal([]byte(got), &a) != nil || json.Unmarshal(want, &b) != nil {
		return false
	}
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return bytes.Equal(x, y)
}

// A recorded stream that is cut off anywhere ends in an error, never as complete.
func TestE009RecordingsCutOffAreErrors(t *testing.T) {
	t.Parallel()
	for _, r := range loadRecordings(t) {
		if !r.stream {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			last := bytes.LastIndex(r.body, []byte("message_stop\""))
			if last < 0 {
				return // it ends in an error by itself
			}
			for cut := 0; cut < last; cut += 1 + len(r.body)/40 {
				if v := decodeStream(t, &translate.Encoded{}, bytes.NewReader(r.body[:cut])); v.ended || v.err == nil {
					t.Fatalf("cut at byte %d of %d: no error", cut, len(r.body))
				}
			}
		})
	}
}

func TestRecordedErrors(t *testing.T) {
	t.Parallel()
	want := map[string]translate.Error{
		"error-400":   {Class: translate.ErrorRequest, Status: 400, Type: "invalid_request_error"},
		"error-400-2": {Class: translate.ErrorContextLength, Status: 400, Type: "invalid_request_error", Code: "context_length_exceeded", Param: "messages"},
		"error-404":   {Class: translate.ErrorNotFound, Status: 404, Type: "invalid_request_error", Code: "model_not_found"},
		"error-413":   {Class: translate.ErrorRequest, Status: 413, Type: "invalid_request_error", Code: "request_too_large"},
		"error-429":   {Class: translate.ErrorRateLimit, Status: 429, Type: "rate_limit_exceeded", Code: "rate_limit_exceeded"},
		"error-500":   {Class: translate.ErrorServer, Status: 500, Type: "server_error"},
		"error-529":   {Class: translate.ErrorOverloaded, Status: 503, Type: "server_error", Code: "overloaded"},
	}
	n := 0
	for _, r := range loadRecordings(t) {
		if r.meta.Status < 400 {
			continue
		}
		n++
		t.Run(strings.TrimSpace(covers[r.name]+" "+r.name), func(t *testing.T) {
			t.Parallel()
			header := func(name string) string { return r.meta.Headers[strings.ToLower(name)] }
			got := *ParseError(r.meta.Status, header, r.body)
			if r.name == "error-429" && got.RetryAfter <= 0 {
				t.Error("the wait of the rate limit is lost")
			}
			w := want[r.name]
			w.Message, w.Upstream, w.RetryAfter = *r.expected.Message, r.meta.Status, got.RetryAfter
			w.NoRetry = header("x-should-retry") == "false"
			if got != w {
				t.Errorf("got  %+v\nwant %+v", got, w)
			}
		})
	}
	if n != len(want) {
		t.Errorf("%d recorded errors, want %d", n, len(want))
	}
}
