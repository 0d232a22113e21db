package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// families are the wire formats that the gateway speaks to providers, of those that there
// are recordings of, with the path below which providers of the kind have their API.
var families = map[string]string{
	"anthropic": "/v1",
	"gemini":    "/v1beta",
	"openai":    "/v1",
}

// recording is what a real provider once answered; testdata/recordings/README.md says
// what is in it.
type recording struct {
	ID       string            `json:"id"`
	Provider string            `json:"provider"`
	Family   string            `json:"family"`
	Model    string            `json:"model"`
	Status   int               `json:"status"`
	Headers  map[string]string `json:"headers"`

	sse      bool
	body     []byte
	request  map[string]json.RawMessage // nil if unknown
	expected expectation
}

// expectation is what an OpenAI client must see of a recording.
type expectation struct {
	Kind    string           `json:"kind"`
	Message string           `json:"message"`
	Choices []expectedChoice `json:"choices"`
	Usage   *struct {
		Prompt     []int64 `json:"prompt"`
		Completion []int64 `json:"completion"`
		Total      []int64 `json:"total"`
		Cached     int64   `json:"cached"`
		Reasoning  int64   `json:"reasoning"`
	} `json:"usage"`
}

type expectedChoice struct {
	Index        int            `json:"index"`
	Text         string         `json:"text"`
	TextLoose    bool           `json:"textLoose"`
	Pieces       []string       `json:"pieces"`
	Reasoning    string         `json:"reasoning"`
	Refusal      string         `json:"refusal"`
	Tools        []expectedCall `json:"tools"`
	FunctionCall *expectedCall  `json:"functionCall"`
	Finish       []string       `json:"finish"`
}

type expectedCall struct {
	ID   string          `json:"id"`
	Name string          `json:"name"`
	Args json.RawMessage `json:"args"`
}

const recordingsDir = "testdata/recordings"

// loadRecordings returns the recordings of the families that the gateway speaks.
var loadRecordings = sync.OnceValues(func() ([]*recording, error) {
	files, err := filepath.Glob(recordingsDir + "/*/*/meta.json")
	if err != nil {
		return nil, err
	}
	var all []*recording
	for _, f := range files {
		r, err := loadRecording(filepath.Dir(f))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		if families[r.Family] != "" {
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("there are no recordings in %s", recordingsDir)
	}
	return all, nil
})

func recordings(t *testing.T) []*recording {
	t.Helper()
	all, err := loadRecordings()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func loadRecording(dir string) (*recording, error) {
	r := new(recording)
	if err := readJSON(filepath.Join(dir, "meta.json"), r); err != nil {
		return nil, err
	}
	if err := readJSON(filepath.Join(dir, "expected.json"), &r.expected); err != nil {
		return nil, err
	}
	if err := readJSON(filepath.Join(dir, "request.json"), &r.request); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	bodies, err := filepath.Glob(dir + "/response.*")
	if err != nil || len(bodies) != 1 {
		return nil, fmt.Errorf("not one response but %d", len(bodies))
	}
	r.sse = strings.HasSuffix(bodies[0], ".sse")
	r.body, err = os.ReadFile(bodies[0])
	return r, err
}

func readJSON(file string, into any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// address is the name under which a client asks the gateway for the recording: the
// provider, a model that its quirks know, and the case for the replay. how says how the
// answer is sent; see [cut].
func (r *recording) address(how string) string {
	model := r.Model
	if i := strings.LastIndexByte(model, '/'); i >= 0 {
		model = model[i+1:]
	}
	if model == "" {
		model = "some-model"
	}
	model = strings.Map(func(c rune) rune {
		if c == '.' || c == '-' || c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			return c
		}
		return '-'
	}, model)
	return r.Provider + "/" + model + "~case:" + r.ID + "@" + how
}

// excused are the bytes that the gateway passes as they are, because the provider is
// OpenAI: their form is that of some years ago, and may violate today's schema.
func (r *recording) excused() []byte {
	if r.Provider == "openai" {
		return r.body
	}
	return nil
}

// question is the request that the answer belongs to: the recorded one, if a client of
// OpenAI could have sent it.
func (r *recording) question(how string, stream, includeUsage bool) []byte {
	q := map[string]any{"messages": []any{map[string]any{"role": "user", "content": "Hello"}}}
	if r.Family == "openai" && r.request["messages"] != nil {
		for name, value := range r.request {
			q[name] = value
		}
	}
	delete(q, "stream_options")
	q["model"] = r.address(how)
	q["stream"] = stream
	if stream && includeUsage {
		q["stream_options"] = map[string]any{"include_usage": true}
	}
	if n := len(r.expected.Choices); n > 1 {
		q["n"] = n
	}
	body, err := json.Marshal(q)
	if err != nil {
		panic(err)
	}
	return body
}

// replay answers with the recording that a model's name asks for.
func replay(all []*recording) script {
	byID := map[string]*recording{}
	for _, r := range all {
		byID[r.ID] = r
	}
	return func(c *call) {
		_, name, _ := strings.Cut(c.model, "~case:")
		id, how, _ := strings.Cut(name, "@")
		r := byID[id]
		if r == nil {
			c.json(404, `{"error":{"message":"there is no such recording","type":"invalid_request_error","param":"model","code":"model_not_found"}}`)
			return
		}
		for name, value := range r.Headers {
			c.w.Header().Set(name, value)
		}
		mode, arg, _ := strings.Cut(how, ":")
		body := r.body
		if n, err := strconv.Atoi(arg); err == nil && strings.HasPrefix(mode, "cut") {
			body = body[:n]
		}
		if mode == "whole" {
			c.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		}
		c.begin(r.Status, r.Headers["content-type"])
		for _, piece := range cut(body, how) {
			if !c.send(string(piece)) {
				return
			}
		}
		switch mode {
		case "cut":
			c.abort()
		case "cut-reset":
			c.reset()
		}
	}
}

// replaySite is a gateway whose providers replay recordings.
type replaySite struct {
	*gateway
	*upstream
	all []*recording
	// plain and secure are its addresses.
	plain, secure string
}

// startReplay starts a gateway with all the providers that there are recordings of, and
// a site over HTTP and one over HTTPS.
func startReplay(t *testing.T) *replaySite {
	t.Helper()
	s := &replaySite{upstream: newUpstream(t), all: recordings(t)}
	s.other = replay(s.all)
	plain, secure := freePort(t), freePort(t)
	s.plain, s.secure = "http://127.0.0.1:"+plain, "https://localhost:"+secure
	options := providerOptions(s.all, s.url)
	s.gateway = start(t, setup{
		sites: fmt.Sprintf("(gateway) {\n\tai_proxy {\n%s\t}\n}\n%s {\n\timport gateway\n}\n%s {\n\ttls internal\n\timport gateway\n}\n", options, s.plain, s.secure), secure: []string{s.secure},
	})
	return s
}

// providerOptions are the options of ai_proxy for the providers of the recordings.
func providerOptions(all []*recording, upstream string) string {
	var lines []string
	for _, r := range all {
		lines = append(lines, fmt.Sprintf("\t\tprovider %s %s%s\n", r.Provider, upstream, families[r.Family]))
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "")
}
