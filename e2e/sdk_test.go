package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// scene is something that an application does with an official client.
type scene struct {
	Name string `json:"name"`
	// Call is what it calls: chat, gathered (the helper that gathers a stream), models,
	// model or embedding.
	Call    string         `json:"call"`
	Stream  bool           `json:"stream"`
	Retries int            `json:"retries"`
	Body    map[string]any `json:"body"`

	// want are conditions on what the application sees; each returns what is wrong.
	want []condition
	// asked is how often the provider is asked; 0 is any number.
	asked int
}

type condition func(s *sighting) string

// sighting is what an application sees.
type sighting struct {
	Name    string          `json:"name"`
	Choices []sightedChoice `json:"choices"`
	Chunks  int             `json:"chunks"`
	Models  []string        `json:"models"`
	Vector  []float64       `json:"vector"`
	Usage   *sightedUsage   `json:"usage"`
	Error   *sightedError   `json:"error"`
}

type sightedUsage struct {
	Prompt     int64 `json:"prompt"`
	Completion int64 `json:"completion"`
	Total      int64 `json:"total"`
}

type sightedChoice struct {
	Text      string        `json:"text"`
	Reasoning string        `json:"reasoning"`
	Refusal   string        `json:"refusal"`
	Calls     []sightedCall `json:"calls"`
	Finish    string        `json:"finish"`
}

type sightedCall struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Args string `json:"args"`
}

// sightedError is what the client raises. Class is "" for clients without classes.
type sightedError struct {
	Class   string `json:"class"`
	Status  int    `json:"status"`
	Code    string `json:"code"`
	Type    string `json:"type"`
	Param   string `json:"param"`
	Message string `json:"message"`
}

// errorClasses are the classes of errors in the clients that have them, by status; 0 is
// an error without one, inside a stream.
var errorClasses = map[int][]string{
	0: {"APIError"}, 400: {"BadRequestError"}, 401: {"AuthenticationError"}, 403: {"PermissionDeniedError"}, 404: {"NotFoundError"},
	409: {"ConflictError"}, 422: {"UnprocessableEntityError"}, 429: {"RateLimitError"}, 402: {"APIError", "APIStatusError"}, 413: {"APIError", "APIStatusError", "RequestTooLargeError"},
	500: {"InternalServerError"}, 502: {"InternalServerError"}, 503: {"InternalServerError", "ServiceUnavailableError"}, 504: {"InternalServerError"},
}

// raises is an error of one of the statuses, with a message and a code.
func raises(message, code string, status ...int) condition {
	return func(s *sighting) string {
		e := s.Error
		if e == nil {
			return "no error was raised"
		}
		if !slices.Contains(status, e.Status) || !strings.Contains(e.Message, message) || code != "" && e.Status != 0 && e.Code != code || e.Class != "" && !slices.Contains(errorClasses[e.Status], e.Class) {
			return fmt.Sprintf("raised was %+v, not an error of status %v with %q and code %q", *e, status, message, code)
		}
		return ""
	}
}

// answers is a text and nothing else.
func answers(text string) condition {
	return func(s *sighting) string {
		switch {
		case s.Error != nil:
			return fmt.Sprintf("raised was %+v", *s.Error)
		case len(s.Choices) != 1 || s.Choices[0].Text != text || s.Choices[0].Finish != "stop":
			return fmt.Sprintf("the answer was %+v, not %q", s.Choices, text)
		}
		return ""
	}
}

// shows is what is recorded.
func shows(r *recording) condition {
	return func(s *sighting) string {
		if s.Error != nil {
			return fmt.Sprintf("raised was %+v", *s.Error)
		}
		v := &view{status: http.StatusOK, choices: map[int]*choice{}, done: true}
		for i, c := range s.Choices {
			seen := &choice{text: c.Text, reasoning: c.Reasoning, refusal: c.Refusal, finish: c.Finish}
			for _, t := range c.Calls {
				seen.calls = append(seen.calls, &toolCall{id: t.ID, kind: "function", name: t.Name, args: t.Args})
			}
			want := r.expected.Choices[min(i, len(r.expected.Choices)-1)].FunctionCall
			if want != nil { // which clients have declared out of date
				seen.function = &toolCall{name: want.Name, args: string(want.Args)}
			}
			v.choices[i] = seen
		}
		wrong := v.compare(r, true, false)
		if want := r.expected.Usage; want != nil && (s.Usage == nil || len(want.Total) > 0 && !slices.Contains(want.Total, s.Usage.Total)) {
			wrong = append(wrong, fmt.Sprintf("the usage is %+v, not %+v", s.Usage, want))
		}
		return strings.Join(wrong, "; ")
	}
}

// lists is a list of models with all of the names.
func lists(names ...string) condition {
	return func(s *sighting) string {
		for _, n := range names {
			if !slices.Contains(s.Models, n) {
				return fmt.Sprintf("the models are %.300q, without %s; raised was %v", s.Models, n, s.Error)
			}
		}
		return ""
	}
}

// sdk is an official client.
type sdk struct {
	name string
	// play plays scenes against an address; certificates is the file of the authority.
	play func(t *testing.T, address, certificates string, scenes []*scene) []*sighting
}

var sdks = []sdk{
	{"go", playGo},
	{"node", func(t *testing.T, address, certificates string, scenes []*scene) []*sighting {
		require(t, "the openai package for Node.js", jsClient())
		return playProgram(t, address, scenes, []string{"NODE_EXTRA_CA_CERTS=" + certificates}, "node", "js/run.mjs")
	}},
	{"python", func(t *testing.T, address, certificates string, scenes []*scene) []*sighting {
		require(t, "the openai package for Python", pythonClient())
		return playProgram(t, address, scenes, []string{"SSL_CERT_FILE=" + certificates}, python, "python/run.py")
	}},
}

// playProgram plays scenes with a program.
func playProgram(t *testing.T, address string, scenes []*scene, env []string, name string, args ...string) []*sighting {
	t.Helper()
	job, err := json.Marshal(map[string]any{"address": address, "key": clientKey, "scenes": scenes})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var out, errs bytes.Buffer
	cmd.Env = append(cmd.Environ(), env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(job), &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, &errs)
	}
	var seen []*sighting
	if err := json.Unmarshal(out.Bytes(), &seen); err != nil {
		t.Fatalf("%s %q: %v\n%s\n%s", name, args, err, &out, &errs)
	}
	return seen
}

// TestOfficialClients plays the same scenes with every client, over HTTPS.
func TestOfficialClients(t *testing.T) {
	t.Parallel()
	recorded := startReplay(t)
	played := startStage(t)
	for _, client := range sdks {
		t.Run(client.name, func(t *testing.T) {
			t.Parallel()
			t.Run("recorded", func(t *testing.T) {
				t.Parallel()
				perform(t, client, recorded.secure+"/v1", recorded.gateway, nil, recordedScenes(recorded.all))
			})
			t.Run("played", func(t *testing.T) {
				t.Parallel()
				perform(t, client, played.secure+"/v1", played.gateway, played.upstream, played.scenes(client.name))
			})
		})
	}
}

func perform(t *testing.T, client sdk, address string, g *gateway, u *upstream, scenes []*scene) {
	t.Helper()
	seen := client.play(t, address, filepath.Join(g.home, g.authorityFile()), scenes)
	if len(seen) != len(scenes) {
		t.Fatalf("%d of %d scenes were played", len(seen), len(scenes))
	}
	for i, s := range scenes {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			for _, c := range s.want {
				if wrong := c(seen[i]); wrong != "" {
					t.Error(wrong)
				}
			}
			if s.asked == 0 {
				return
			}
			_, model, _ := strings.Cut(fmt.Sprint(s.Body["model"]), "/")
			if n := len(u.seen(model)); n != s.asked {
				t.Errorf("the provider was asked %d times, not %d", n, s.asked)
			}
		})
	}
}
