package aiproxy

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// upstream starts a provider that gives the answers one after the other.
func (c *toolConversation) upstream(t testing.TB, stream bool) *provider {
	t.Helper()
	var n atomic.Int32
	return newProvider(t, func(w http.ResponseWriter, r *http.Request) {
		answer := c.answers[(n.Add(1)-1)%3]
		if stream {
			answerSSE(c.stream(t, answer))(w, r)
			return
		}
		answerJSON(200, answer)(w, r)
	})
}

func (c *toolConversation) block(p *provider, options string) string {
	return fmt.Sprintf("provider %s {\nbase_url %s%s\n}\n%s", c.provider, p.URL, c.path, options)
}

// chatMessage is all that a client of OpenAI's API knows of a message.
type chatMessage struct {
	Role       string     `json:"role"`
	Content    string     `json:"content"`
	ToolCalls  []chatCall `json:"tool_calls,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
}

type chatCall struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

// client has a conversation with tools.
type client struct {
	model   string
	stream  bool
	keeps   bool // sends messages back as they came, with all that is not OpenAI's
	key     string
	history []json.RawMessage
}

func newClient(model string, stream bool) *client {
	return &client{model: model, stream: stream, key: "client-key-0123456789", history: []json.RawMessage{json.RawMessage(`{"role":"user","content":"How is the weather?"}`)}}
}

// ask sends the conversation, adds the answer and the results of its calls, and
// returns how many calls there were.
func (c *client) ask(t testing.TB, gateway string) int {
	t.Helper()
	messages, err := json.Marshal(c.history)
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"model":%q,"stream":%v,"reasoning_effort":"high","messages":%s,"tools":[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}]}`, c.model, c.stream, messages)
	r := chat(t, gateway, body, "Authorization", "Bearer "+c.key)
	if r.status != 200 || r.err != nil {
		t.Fatalf("got %d %s (%v)", r.status, r.body, r.err)
	}
	raw := messageOf(t, r.body, c.stream)
	m := decodeJSON[chatMessage](t, raw)
	if c.keeps {
		c.history = append(c.history, raw)
	} else {
		c.add(t, m)
	}
	for _, call := range m.ToolCalls {
		c.add(t, chatMessage{Role: "tool", Content: "sunny", ToolCallID: call.ID})
	}
	return len(m.ToolCalls)
}

func (c *client) add(t testing.TB, m chatMessage) {
	t.Helper()
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	c.history = append(c.history, raw)
}

// messageOf returns the message of an answer; that of a stream is put together from
// its deltas, as a client does that keeps whatever it is given.
func messageOf(t testing.TB, body string, stream bool) json.RawMessage {
	t.Helper()
	if !stream {
		return decodeJSON[struct {
			Choices []struct{ Message json.RawMessage }
		}](t, []byte(body)).Choices[0].Message
	}
	message := map[string]any{"role": "assistant"}
	var details, calls []any
	for line := range strings.Lines(body) {
		data, ok := strings.CutPrefix(strings.TrimSpace(line), "data: {")
		if !ok {
			continue
		}
		chunk := decodeJSON[struct {
			Choices []struct{ Delta map[string]any }
		}](t, []byte("{"+data))
		if len(chunk.Choices) == 0 {
			continue
		}
		delta := chunk.Choices[0].Delta
		for _, name := range []string{"content", "reasoning_content"} {
			if s, ok := delta[name].(string); ok {
				old, _ := message[name].(string)
				message[name] = old + s
			}
		}
		list, _ := delta["reasoning_details"].([]any)
		details = append(details, list...)
		list, _ = delta["tool_calls"].([]any)
		for _, part := range list {
			calls = mergeCall(calls, part.(map[string]any))
		}
	}
	if details != nil {
		message["reasoning_details"] = details
	}
	if calls != nil {
		message["tool_calls"] = calls
	}
	raw, err := json.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func mergeCall(calls []any, part map[string]any) []any {
	index := int(part["index"].(float64))
	delete(part, "index")
	if index == len(calls) {
		return append(calls, part)
	}
	call := calls[index].(map[string]any)
	if f, ok := part["function"].(map[string]any); ok {
		own := call["function"].(map[string]any)
		own["arguments"] = own["arguments"].(string) + f["arguments"].(string)
	}
	if extra, ok := part["extra_content"]; ok {
		call["extra_content"] = extra
	}
	return calls
}

// converse has all three turns and returns the third request that the provider got.
func (c *client) converse(t testing.TB, gateway string, p *provider) []byte {
	t.Helper()
	for turn, want := range []int{2, 1, 0} {
		if n := c.ask(t, gateway); n != want {
			t.Fatalf("turn %d has %d calls, want %d", turn+1, n, want)
		}
	}
	seen := p.requests()
	if len(seen) != 3 {
		t.Fatalf("the provider saw %d requests, want 3", len(seen))
	}
	return seen[2].body
}

func wantHistory(t testing.TB, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("the provider is told\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// forms runs a test with whole answers and with streams.
func forms(t *testing.T, test func(t *testing.T, stream bool)) {
	t.Helper()
	for name, stream := range map[string]bool{"JSON": false, "stream": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, stream)
		})
	}
}

func TestReasoningSurvivesForgetfulClients_E096(t *testing.T) {
	t.Parallel()
	for name, c := range toolConversations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forms(t, func(t *testing.T, stream bool) {
				p := c.upstream(t, stream)
				gateway := serve(t, c.block(p, "reasoning_memory 1001"))
				wantHistory(t, c.history(t, newClient(c.model, stream).converse(t, gateway, p)), c.whole)
			})
		})
	}
}

func TestReasoningSurvivesWithoutMemory_E096(t *testing.T) {
	t.Parallel()
	for name, c := range toolConversations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forms(t, func(t *testing.T, stream bool) {
				p := c.upstream(t, stream)
				gateway := serve(t, c.block(p, "reasoning_memory off"))
				keeping := newClient(c.model, stream)
				keeping.keeps = true
				wantHistory(t, c.history(t, keeping.converse(t, gateway, p)), c.whole)

				p = c.upstream(t, stream)
				gateway = serve(t, c.block(p, "reasoning_memory off"))
				wantHistory(t, c.history(t, newClient(c.model, stream).converse(t, gateway, p)), c.lost)
			})
		})
	}
}

func TestReasoningStaysWithItsClient(t *testing.T) {
	t.Parallel()
	for name, c := range toolConversations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := c.upstream(t, false)
			gateway := serve(t, c.block(p, "reasoning_memory 1002"))
			owner := newClient(c.model, false)
			owner.ask(t, gateway)
			owner.ask(t, gateway)
			thief := newClient(c.model, false)
			thief.key, thief.history = "another-key-0123456789", owner.history
			thief.ask(t, gateway)
			wantHistory(t, c.history(t, p.requests()[2].body), c.lost)
		})
	}
}

// TestNumberedCallsOfOtherConversations is about a provider that gives the same ids to
// the calls of every conversation, with one key for all of them.
func TestNumberedCallsOfOtherConversations(t *testing.T) {
	t.Parallel()
	c := toolConversations["moonshot_E084"]
	p := c.upstream(t, false)
	gateway := serve(t, c.block(p, "reasoning_memory 1003"))
	first := newClient(c.model, false)
	first.ask(t, gateway)
	first.ask(t, gateway)
	other := newClient(c.model, false)
	other.history = slices.Clone(first.history)
	other.history[0] = json.RawMessage(`{"role":"user","content":"What did you think?"}`)
	other.ask(t, gateway)
	wantHistory(t, c.history(t, p.requests()[2].body), c.lost)
	first.ask(t, gateway)
	wantHistory(t, c.history(t, p.requests()[3].body), c.whole)
}

func TestReasoningSurvivesAReload(t *testing.T) {
	t.Parallel()
	c := toolConversations["anthropic_E086_E092"]
	p := c.upstream(t, false)
	cl := newClient(c.model, false)
	cl.ask(t, serve(t, c.block(p, "reasoning_memory 1004 20m")))
	cl.ask(t, serve(t, c.block(p, "reasoning_memory 1004 20m")))
	cl.ask(t, serve(t, c.block(p, "reasoning_memory 1004 20m\nkeep_alive off")))
	wantHistory(t, c.history(t, p.requests()[2].body), c.whole)
	cl.history = cl.history[:len(cl.history)-1]
	cl.ask(t, serve(t, c.block(p, "reasoning_memory 1004 21m")))
	wantHistory(t, c.history(t, p.requests()[3].body), c.lost)
}

// TestReasoningOfAnotherVendorStaysOut has a conversation go on at another provider.
func TestReasoningOfAnotherVendorStaysOut(t *testing.T) {
	t.Parallel()
	claude, gemini := toolConversations["anthropic_E086_E092"], toolConversations["gemini_E079"]
	a, g := claude.upstream(t, false), gemini.upstream(t, false)
	gateway := serve(t, claude.block(a, "")+gemini.block(g, "reasoning_memory 1005"))
	cl := newClient(claude.model, false)
	cl.ask(t, gateway)
	cl.model = gemini.model
	cl.ask(t, gateway)
	if body := string(g.request(t).body); strings.Contains(body, "EqQB") || strings.Contains(body, "Eo0B") || strings.Contains(body, "first 😀") {
		t.Errorf("Gemini got what Claude thought: %s", body)
	}
	cl.model = claude.model
	cl.ask(t, gateway)
	body := string(a.requests()[1].body)
	if strings.Contains(body, "CsYB") {
		t.Errorf("Claude got Gemini's signature: %s", body)
	}
	if !strings.Contains(body, "EqQBCkYIARgC/+a==") {
		t.Errorf("Claude did not get its own thinking back: %s", body)
	}
}
