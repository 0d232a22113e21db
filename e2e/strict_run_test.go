package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

// strictSite is a gateway in front of one fake that plays Claude's and Gemini's
// providers.
type strictSite struct {
	*gateway
	*upstream
	plain  string
	client *http.Client
}

// startStrict starts it; options are further lines of the options of ai_proxy.
func startStrict(t *testing.T, options ...string) *strictSite {
	t.Helper()
	s := &strictSite{upstream: newUpstream(t), plain: "http://127.0.0.1:" + freePort(t), client: newClient(t, "HTTP/1.1", nil)}
	s.other = helloInAnyDialect
	s.gateway = start(t, setup{sites: fmt.Sprintf("%s {\n\tai_proxy {\n\t\tprovider anthropic %s/v1\n\t\tprovider gemini %s/v1beta\n%s\n\t}\n}\n", s.plain, s.url, s.url, strings.Join(options, "\n"))})
	return s
}

// helloInAnyDialect answers a call in the provider's own dialect.
func helloInAnyDialect(c *call) {
	switch {
	case strings.HasSuffix(c.path, "/messages") && c.stream:
		c.beginStream()
		c.send(claudeStream(`{"id":"msg_1","model":"`+c.model+`","content":[{"type":"text","text":"Hello!"}],"stop_reason":"end_turn"}`, whole))
	case strings.HasSuffix(c.path, "/messages"):
		c.json(http.StatusOK, `{"id":"msg_1","type":"message","role":"assistant","model":"`+c.model+`","content":[{"type":"text","text":"Hello!"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":5}}`)
	case c.stream:
		c.beginStream()
		c.send(event(helloOfGemini))
	default:
		c.json(http.StatusOK, helloOfGemini)
	}
}

const helloOfGemini = `{"responseId":"r","modelVersion":"m","candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"Hello!"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":5,"totalTokenCount":8}}`

// put asks a model, and returns the answer with the call that reached the provider; nil
// if none did.
func (s *strictSite) put(t *testing.T, provider, model string, body []byte, header ...string) (*answer, *call) {
	t.Helper()
	before := len(s.seen(model))
	a := exchange(t, s.client, s.plain+chatPath, body, header...)
	calls := s.seen(model)
	switch len(calls) - before {
	case 0:
		return a, nil
	case 1:
		return a, calls[before]
	}
	t.Fatalf("the provider was called %d times", len(calls)-before)
	return nil, nil
}

// outcome lists what is wrong with how a request was taken: it must be refused for one
// of its parameters, or else reach the provider without faults, and what it lost on the
// way must be named.
func outcome(q *question, refused string, body []byte, a *answer, c *call, faults func(*call) []string) []string {
	if refused != "" {
		if c != nil {
			return []string{fmt.Sprintf("it is not refused for %s: %s", refused, c.body)}
		}
		if param := gjson.GetBytes(a.body, "error.param").String(); a.status != http.StatusBadRequest || param != refused {
			return []string{fmt.Sprintf("it is refused for %q, not %q: %d %s", param, refused, a.status, a.body)}
		}
		return nil
	}
	if c == nil || a.status != http.StatusOK {
		return []string{fmt.Sprintf("%d %s", a.status, a.body)}
	}
	wrong := faults(c)
	for _, path := range dropped(a) {
		if !inside(body, path) {
			wrong = append(wrong, fmt.Sprintf("%q is said to be dropped, and was never sent", path))
		}
	}
	if len(wrong) > 0 {
		wrong = append(wrong, fmt.Sprintf("asked %s\nsent %s", body, c.body))
	}
	return wrong
}

func dropped(a *answer) []string {
	if list := a.header.Get("X-Ai-Proxy-Dropped"); list != "" {
		return strings.Split(list, ", ")
	}
	return nil
}

// inside reports whether there is a value at a JSON path such as messages[0].name.
func inside(body []byte, path string) bool {
	return gjson.GetBytes(body, strings.NewReplacer("[", ".", "]", "").Replace(path)).Exists()
}

// askAll asks a model everything, every other question as a stream, and reports the
// faults. Models begin with different questions, so that each is asked both ways.
func (s *strictSite) askAll(t *testing.T, provider, model string, place int, refused func(*question) string, faults func(*call) []string) {
	for i := range questions {
		q := &questions[i]
		body := q.members(provider+"/"+model, (i+place)%2 == 0 && !strings.Contains(q.body, `"stream":true`))
		if !json.Valid(body) {
			t.Fatalf("%s: the question is not JSON: %s", q.name, body)
		}
		a, c := s.put(t, provider, model, body)
		if wrong := outcome(q, refused(q), body, a, c, faults); len(wrong) > 0 {
			t.Errorf("%s:\n%s", q.name, strings.Join(wrong, "\n"))
		}
	}
}

// TestRequestsReachClaudeStrictly asks models of every generation everything that OpenAI's
// API has, and holds what reaches the provider against the types of its official SDKs,
// and against the rules of its API.
func TestRequestsReachClaudeStrictly(t *testing.T) {
	t.Parallel()
	s := startStrict(t)
	for i := range claudeModels {
		m := &claudeModels[i]
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			s.askAll(t, "anthropic", m.name, i, func(q *question) string {
				switch {
				case q.anthropic != "some":
					return q.anthropic
				case !m.prefill:
					return "messages"
				}
				return ""
			}, func(c *call) []string {
				return append(claudeFaults(c.header, c.body), m.breaches(c.header, c.body)...)
			})
		})
	}
}

// TestRequestsReachGeminiStrictly does the same with Google's models.
func TestRequestsReachGeminiStrictly(t *testing.T) {
	t.Parallel()
	s := startStrict(t)
	for i := range geminiModels {
		m := &geminiModels[i]
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			s.askAll(t, "gemini", m.name, i, func(q *question) string { return q.gemini }, func(c *call) []string {
				return append(geminiFaults(c.path, c.query, c.body), m.breaches(c.header, c.body)...)
			})
		})
	}
}

// TestWhatWouldBeDroppedIsRefused asks everything once more where unsupported parameters
// are to be refused: what is dropped elsewhere must be refused there, and nothing else.
func TestWhatWouldBeDroppedIsRefused(t *testing.T) {
	t.Parallel()
	lenient, strict := startStrict(t), startStrict(t, "unsupported_params reject")
	for _, name := range []string{"anthropic/claude-opus-5-5", "anthropic/claude-sonnet-4-5", "anthropic/claude-3-haiku-20240307", "gemini/gemini-3-pro-preview", "gemini/gemini-2.5-pro", "gemini/gemini-2.0-flash"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			provider, model, _ := strings.Cut(name, "/")
			for i := range questions {
				q := &questions[i]
				body := q.members(name, false)
				a, c := lenient.put(t, provider, model, body)
				b, d := strict.put(t, provider, model, body)
				failure := gjson.GetBytes(b.body, "error")
				switch lost := dropped(a); {
				case c == nil:
					if b.status != a.status || d != nil {
						t.Errorf("%s: it is refused with %d, and in strict mode with %d", q.name, a.status, b.status)
					}
				case len(lost) == 0:
					if d == nil || string(c.body) != string(d.body) {
						t.Errorf("%s: nothing is dropped, and yet strict mode has it otherwise: %d %s", q.name, b.status, b.body)
					}
				case b.status != http.StatusBadRequest || failure.Get("code").String() != "unsupported_parameter" || !slices.Contains(lost, failure.Get("param").String()):
					t.Errorf("%s: %q are dropped, and strict mode says %d %s", q.name, lost, b.status, b.body)
				}
			}
		})
	}
}

// TestRecordedRequestsReachProvidersStrictly sends the recorded requests of OpenAI's
// clients to models of other vendors.
func TestRecordedRequestsReachProvidersStrictly(t *testing.T) {
	t.Parallel()
	s := startStrict(t)
	for _, r := range recordings(t) {
		if r.Family != "openai" || r.request["messages"] == nil {
			continue
		}
		t.Run(r.ID, func(t *testing.T) {
			t.Parallel()
			for i := range claudeModels {
				m := &claudeModels[i]
				s.askRecorded(t, "anthropic", m.name, r, []string{"n"}, func(c *call) []string {
					return append(claudeFaults(c.header, c.body), m.breaches(c.header, c.body)...)
				})
			}
			for i := range geminiModels {
				m := &geminiModels[i]
				s.askRecorded(t, "gemini", m.name, r, nil, func(c *call) []string {
					return append(geminiFaults(c.path, c.query, c.body), m.breaches(c.header, c.body)...)
				})
			}
		})
	}
}

// askRecorded asks a model what a recording asks. The model's name gets the recording's
// behind it, so that calls can be told apart.
func (s *strictSite) askRecorded(t *testing.T, provider, model string, r *recording, refusals []string, faults func(*call) []string) {
	t.Helper()
	q := map[string]any{}
	for name, value := range r.request {
		q[name] = value
	}
	own := model + "-for-" + strings.ReplaceAll(r.ID, ".", "-")
	q["model"] = provider + "/" + own
	body, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	a, c := s.put(t, provider, own, body)
	if c == nil && slices.Contains(refusals, gjson.GetBytes(a.body, "error.param").String()) {
		return
	}
	if wrong := outcome(nil, "", body, a, c, faults); len(wrong) > 0 {
		t.Errorf("%s:\n%s", model, strings.Join(wrong, "\n"))
	}
}
