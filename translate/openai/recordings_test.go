package openai

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// recording is one recorded answer and what an OpenAI client must make of it.
type recording struct {
	name     string
	body     string
	status   int
	stream   bool
	expected expected
}

type expected struct {
	Kind    string
	Message *string
	Choices []struct {
		Index                    int
		Text, Reasoning, Refusal string
		Tools                    []struct {
			ID, Name string
			Args     any
		}
		FunctionCall *struct {
			Name string
			Args any
		}
		Finish []string
	}
	Usage *struct {
		Prompt, Completion, Total []float64
		Cached, CachedSoft        float64
		Reasoning                 float64
	}
}

// recordings returns the recorded answers of all providers of this dialect.
func recordings(t testing.TB) []recording {
	t.Helper()
	root := filepath.Join("..", "..", "e2e", "testdata", "recordings")
	files, err := filepath.Glob(filepath.Join(root, "*", "*", "meta.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings below %s: %v", root, err)
	}
	var all []recording
	for _, file := range files {
		var meta struct {
			ID, Family string
			Status     int
			Stream     bool
		}
		readJSONFile(t, file, &meta)
		if meta.Family != "openai" {
			continue
		}
		dir := filepath.Dir(file)
		r := recording{name: meta.ID, status: meta.Status, stream: meta.Stream}
		readJSONFile(t, filepath.Join(dir, "expected.json"), &r.expected)
		bodies, _ := filepath.Glob(filepath.Join(dir, "response.*"))
		body, err := os.ReadFile(bodies[0])
		if err != nil {
			t.Fatal(err)
		}
		r.body = string(body)
		all = append(all, r)
	}
	if len(all) < 80 {
		t.Fatalf("only %d recordings", len(all))
	}
	return all
}

func readJSONFile(t testing.TB, file string, v any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// quirksOf returns the quirks that matter for a recording.
func (r *recording) quirks() *Quirks {
	return &Quirks{Normalize: true, ReasoningExcluded: strings.HasPrefix(r.name, "xai.")}
}

// E-001 to E-008, E-017, E-030 to E-033, E-036, E-039 to E-046, E-063, E-071 to E-074,
// E-139 and E-147 have their inputs among the recordings.
func TestRecordings(t *testing.T) {
	t.Parallel()
	for _, r := range recordings(t) {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			switch {
			case r.status >= 400:
				r.checkError(t)
			case r.stream:
				for _, way := range waysToCut {
					t.Run(way.name, func(t *testing.T) { r.checkStream(t, way.cuts(r.body)) })
				}
			default:
				r.check(t, viewBody(t, r.quirks(), r.body))
			}
		})
	}
}

func (r *recording) checkStream(t *testing.T, cuts []int) {
	for _, includeUsage := range []bool{false, true} {
		enc := NewStreamEncoder(StreamOptions{IncludeUsage: includeUsage})
		g := answerStream(r.quirks(), &cutReader{text: r.body, cuts: cuts}, enc)
		s := readClientStream(t, string(enc.Bytes()), includeUsage)
		if !includeUsage && s.Usage == nil {
			if u, ok := g.Usage(); ok { // E-076: accounting has it all the same
				s.Usage = checkUsage(t, decodeJSON(t, string(appendUsage(nil, &u))))
			}
		}
		r.check(t, s)
	}
	body := NewBodyEncoder(0)
	answerStream(r.quirks(), &cutReader{text: r.body, cuts: cuts}, body)
	r.check(t, readClientBody(t, body.Bytes()))
}

// check compares what the client sees with what the recording says.
func (r *recording) check(t *testing.T, s *seen) {
	t.Helper()
	if r.expected.Kind == "midstream-error" {
		if s.Error == nil || r.expected.Message != nil && s.Error["message"] != *r.expected.Message {
			t.Errorf("error is %v", s.Error)
		}
		return
	}
	if s.Error != nil {
		t.Fatalf("the client gets an error: %v", s.Error)
	}
	if len(s.Choices) != len(r.expected.Choices) {
		t.Fatalf("%d choices instead of %d", len(s.Choices), len(r.expected.Choices))
	}
	for _, want := range r.expected.Choices {
		got := s.Choices[want.Index]
		if got.Content != want.Text {
			t.Errorf("choice %d: text is %q instead of %q", want.Index, got.Content, want.Text)
		}
		if got.Reasoning != want.Reasoning {
			t.Errorf("choice %d: reasoning is %q instead of %q", want.Index, got.Reasoning, want.Reasoning)
		}
		if got.Refusal != want.Refusal {
			t.Errorf("choice %d: refusal is %q instead of %q", want.Index, got.Refusal, want.Refusal)
		}
		if !slices.Contains(want.Finish, got.Finish) {
			t.Errorf("choice %d: finish is %q, none of %v", want.Index, got.Finish, want.Finish)
		}
		if len(got.Tools) != len(want.Tools) {
			t.Fatalf("choice %d: %d calls instead of %d", want.Index, len(got.Tools), len(want.Tools))
		}
		for i, tool := range want.Tools {
			g := got.Tools[i]
			if g.ID != tool.ID || g.Name != tool.Name || !reflect.DeepEqual(parsedArgs(g.Args), tool.Args) {
				t.Errorf("choice %d: call %d is %+v instead of %+v", want.Index, i, g, tool)
			}
		}
		if f := want.FunctionCall; f != nil && (got.Function == nil || got.Function.Name != f.Name || !reflect.DeepEqual(parsedArgs(got.Function.Args), f.Args)) {
			t.Errorf("choice %d: function_call is %+v instead of %+v", want.Index, got.Function, f)
		}
	}
	r.checkUsage(t, s)
}

func parsedArgs(args string) any {
	var v any
	if err := json.Unmarshal([]byte(args), &v); err != nil {
		return args
	}
	return v
}

func (r *recording) checkUsage(t *testing.T, s *seen) {
	t.Helper()
	want := r.expected.Usage
	if want == nil {
		return
	}
	if s.Usage == nil {
		t.Fatal("no usage")
	}
	one := func(name string, got any, want []float64) {
		if n, _ := got.(float64); !slices.Contains(want, n) {
			t.Errorf("%s is %v, none of %v", name, got, want)
		}
	}
	one("prompt_tokens", s.Usage["prompt_tokens"], want.Prompt)
	one("completion_tokens", s.Usage["completion_tokens"], want.Completion)
	one("total_tokens", s.Usage["total_tokens"], want.Total)
	one("cached_tokens", s.Usage["prompt_tokens_details"].(map[string]any)["cached_tokens"], []float64{max(want.Cached, want.CachedSoft)})
	one("reasoning_tokens", s.Usage["completion_tokens_details"].(map[string]any)["reasoning_tokens"], []float64{want.Reasoning})
}

// statuses are those that an error's own may become.
var statuses = map[int][]int{402: {402, 429}, 413: {413, 429}, 500: {500, 502}, 529: {529, 503}}

func (r *recording) checkError(t *testing.T) {
	e := ParseError(r.status, 0, []byte(r.body))
	if want, ok := statuses[r.status]; !slices.Contains(want, e.Status) && (ok || e.Status != r.status) {
		t.Errorf("status is %d", e.Status)
	}
	if e.Upstream != r.status || e.Class == 0 {
		t.Errorf("upstream %d, class %d", e.Upstream, e.Class)
	}
	env := checkEnvelope(t, decodeJSON(t, string(AppendError(nil, e)))["error"])
	if want := r.expected.Message; want != nil && env["message"] != *want {
		t.Errorf("message is %q instead of %q", env["message"], *want)
	}
	if strings.Contains(e.Message, "<") {
		t.Errorf("markup in the message: %q", e.Message)
	}
	// In the middle of a stream the same error must fail the answer.
	if s := viewStream(t, nil, eventStream(strings.ReplaceAll(r.body, "\n", " ")), StreamOptions{}); s.Error == nil {
		t.Error("the error is no failure inside a stream")
	}
}
