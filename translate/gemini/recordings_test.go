package gemini

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

const recordings = "../../e2e/testdata/recordings"

// recording is one recorded answer and what a client must see of it.
type recording struct {
	name   string
	stream bool
	status int
	body   []byte
	expect expectation
}

type expectation struct {
	Kind    string  `json:"kind"`
	Message *string `json:"message"`
	Choices []struct {
		Index     int      `json:"index"`
		Text      string   `json:"text"`
		TextLoose bool     `json:"textLoose"`
		Pieces    []string `json:"pieces"`
		Reasoning string   `json:"reasoning"`
		Refusal   string   `json:"refusal"`
		Finish    []string `json:"finish"`
		Tools     []struct {
			ID   *string `json:"id"`
			Name string  `json:"name"`
			Args any     `json:"args"`
		} `json:"tools"`
	} `json:"choices"`
	Usage *struct {
		Prompt     []int64 `json:"prompt"`
		Completion []int64 `json:"completion"`
		Cached     int64   `json:"cached"`
		Reasoning  int64   `json:"reasoning"`
	} `json:"usage"`
}

func readRecordings(t testing.TB) []recording {
	t.Helper()
	metas, err := filepath.Glob(filepath.Join(recordings, "*", "*", "meta.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list []recording
	for _, path := range metas {
		var meta struct {
			Family string `json:"family"`
			Status int    `json:"status"`
			Stream bool   `json:"stream"`
		}
		readJSON(t, path, &meta)
		if meta.Family != "gemini" {
			continue
		}
		dir := filepath.Dir(path)
		files, _ := filepath.Glob(filepath.Join(dir, "response.*"))
		if len(files) != 1 {
			t.Fatalf("%s has %d responses", dir, len(files))
		}
		body, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		r := recording{name: filepath.Base(dir), stream: meta.Stream, status: meta.Status, body: body}
		readJSON(t, filepath.Join(dir, "expected.json"), &r.expect)
		list = append(list, r)
	}
	if len(list) != 60 {
		t.Fatalf("found %d recordings, want 60", len(list))
	}
	return list
}

func readJSON(t testing.TB, path string, v any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// splitter cuts its text in the middle of every character of more than one byte.
type splitter struct{ rest []byte }

func (s *splitter) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		return 0, io.EOF
	}
	n := 1
	for n < len(s.rest) && s.rest[n] < utf8.RuneSelf {
		n++
	}
	n = min(n+1, len(s.rest), len(p)) // with the first byte of the next character
	copy(p, s.rest[:n])
	s.rest = s.rest[n:]
	return n, nil
}

// cuts are the ways in which the bytes of a stream may arrive.
var cuts = map[string]func([]byte) io.Reader{
	"one write":  func(b []byte) io.Reader { return bytes.NewReader(b) },
	"one byte":   func(b []byte) io.Reader { return iotest.OneByteReader(bytes.NewReader(b)) },
	"split rune": func(b []byte) io.Reader { return &splitter{b} },
}

func TestRecordings(t *testing.T) {
	t.Parallel()
	for _, r := range readRecordings(t) {
		switch {
		case r.status >= 400:
			t.Run(r.name, func(t *testing.T) {
				t.Parallel()
				checkErrorRecording(t, &r)
			})
		case !r.stream:
			t.Run(r.name, func(t *testing.T) {
				t.Parallel()
				checkRecording(t, &r, decodeBody(t, NewDecoder(nil), string(r.body)))
			})
		default:
			for how, cut := range cuts {
				t.Run(r.name+"/"+how, func(t *testing.T) {
					t.Parallel()
					checkRecording(t, &r, decodeStream(t, NewDecoder(nil), cut(r.body)))
				})
			}
		}
	}
}

func checkErrorRecording(t *testing.T, r *recording) {
	err := ParseError(r.status, nil, r.body)
	if err.Status != r.status && err.Class != translate.ErrorAuth {
		t.Errorf("status %d, want %d", err.Status, r.status)
	}
	if err.Message == "" || err.Type == "" {
		t.Errorf("incomplete error %+v", err)
	}
	if m := r.expect.Message; m != nil && err.Message != *m {
		t.Errorf("message %q, want %q", err.Message, *m)
	}
	if strings.ContainsAny(err.Message, "<>") {
		t.Errorf("markup in the message %q", err.Message)
	}
}

func checkRecording(t *testing.T, r *recording, v *clientView) {
	switch r.expect.Kind {
	case "blocked":
		c := v.only(t)
		if c.finish != translate.FinishContentFilter || !strings.HasPrefix(c.refusal, "Prompt blocked: ") || c.text != "" {
			t.Errorf("a blocked prompt gave %+v", c)
		}
		return
	case "midstream-error":
		if v.err == nil || v.err.Message != *r.expect.Message {
			t.Errorf("error %v, want %q", v.err, *r.expect.Message)
		}
	default:
		if v.err != nil || !v.ended {
			t.Fatalf("error %v, ended %t", v.err, v.ended)
		}
	}
	if len(v.choices) != len(r.expect.Choices) {
		t.Fatalf("%d choices, want %d", len(v.choices), len(r.expect.Choices))
	}
	for i := range r.expect.Choices {
		checkChoice(t, r, i, v)
	}
	checkUsage(t, r, v)
}

func checkChoice(t *testing.T, r *recording, i int, v *clientView) {
	want := &r.expect.Choices[i]
	got := v.choice(want.Index)
	if want.TextLoose {
		if got.text != strings.Join(want.Pieces, "") {
			t.Errorf("text %q, want the pieces %q", got.text, want.Pieces)
		}
	} else if got.text != want.Text {
		t.Errorf("text %q, want %q", got.text, want.Text)
	}
	if got.reasoning != want.Reasoning {
		t.Errorf("reasoning %q, want %q", got.reasoning, want.Reasoning)
	}
	if got.refusal != want.Refusal {
		t.Errorf("refusal %q, want %q", got.refusal, want.Refusal)
	}
	if v.err == nil && (got.finishes != 1 || !slices.Contains(want.Finish, got.finish.String())) {
		t.Errorf("finish reason %s (%d times), want one of %v", got.finish, got.finishes, want.Finish)
	}
	if len(got.tools) != len(want.Tools) {
		t.Fatalf("%d tool calls, want %d", len(got.tools), len(want.Tools))
	}
	ids := make(map[string]bool)
	for k, tool := range want.Tools {
		call := got.tools[k]
		var args any
		if err := json.Unmarshal([]byte(call.args), &args); err != nil {
			t.Errorf("arguments of %s: %v: %q", call.name, err, call.args)
		}
		if call.name != tool.Name || !reflect.DeepEqual(args, tool.Args) {
			t.Errorf("call %s(%s), want %s(%v)", call.name, call.args, tool.Name, tool.Args)
		}
		if tool.ID != nil && call.id != *tool.ID {
			t.Errorf("call id %q, want %q", call.id, *tool.ID)
		}
		if call.id == "" || ids[call.id] {
			t.Errorf("call id %q is empty or not unique", call.id)
		}
		ids[call.id] = true
	}
}

func checkUsage(t *testing.T, r *recording, v *clientView) {
	want := r.expect.Usage
	if want == nil || v.err != nil {
		return
	}
	if v.usage == nil {
		t.Fatal("no usage")
	}
	// The larger reading counts what server tools read as prompt.
	if u := v.usage; u.Prompt != slices.Max(want.Prompt) || !slices.Contains(want.Completion, u.Completion) || u.Cached != want.Cached || u.Reasoning != want.Reasoning {
		t.Errorf("usage %+v, want %+v", *v.usage, *want)
	}
}
