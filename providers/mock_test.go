package providers

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

func newMock(t *testing.T, m *Mock) *Mock {
	t.Helper()
	if err := m.Provision(caddy.Context{}); err != nil {
		t.Fatal(err)
	}
	if err := m.Validate(); err != nil {
		t.Fatal(err)
	}
	return m
}

func ask(ctx context.Context, m *Mock, path, body string) (*http.Response, error) {
	method, reader := http.MethodPost, io.Reader(strings.NewReader(body))
	if body == "" {
		method, reader = http.MethodGet, nil
	}
	req, err := http.NewRequestWithContext(ctx, method, m.Endpoint(path, ""), reader)
	if err != nil {
		return nil, err
	}
	return m.RoundTrip(req)
}

// get asks and returns the whole answer.
func get(t *testing.T, m *Mock, path, body string) (int, string) {
	t.Helper()
	resp, err := ask(t.Context(), m, path, body)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

// chunk is what tests want to know of a completion or chunk.
type chunk struct {
	ID      string
	Object  string
	Model   string
	Created int64
	Choices []struct {
		Index          int
		Message, Delta struct {
			Role      string
			Content   *string
			Reasoning string `json:"reasoning_content"`
			ToolCalls []struct {
				Index    int
				ID       string
				Type     string
				Function struct{ Name, Arguments string }
			} `json:"tool_calls"`
		}
		FinishReason *string `json:"finish_reason"`
	}
	Usage *struct {
		Prompt     int64 `json:"prompt_tokens"`
		Completion int64 `json:"completion_tokens"`
		Total      int64 `json:"total_tokens"`
		Details    struct {
			Reasoning int64 `json:"reasoning_tokens"`
		} `json:"completion_tokens_details"`
	}
}

func decode(t *testing.T, data string) chunk {
	t.Helper()
	var c chunk
	if err := json.Unmarshal([]byte(data), &c); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return c
}

// events splits a stream into the data of its events.
func events(t *testing.T, stream string) []string {
	t.Helper()
	var list []string
	for event := range strings.SplitSeq(strings.TrimSuffix(stream, "\n\n"), "\n\n") {
		_, data, ok := strings.Cut("\n"+event, "\ndata: ")
		if !ok || strings.Contains(data, "\n") {
			t.Fatalf("bad event %q", event)
		}
		list = append(list, data)
	}
	return list
}

const hello = `{"model":"m","messages":[{"role":"system","content":"be kind"},{"role":"user","content":"Hello"}]}`

// with adds members to a request.
func with(body, members string) string { return strings.TrimSuffix(body, "}") + "," + members + "}" }

func TestMockAnswers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, body, text, finish string
		mock                     *Mock
	}{
		{name: "default", mock: &Mock{}, body: hello, text: "Hello! I am m, a mock: I make up answers so that you can try things without a key. You said: Hello", finish: "stop"},
		{name: "reply with placeholders", mock: &Mock{Reply: "{model} heard {prompt}"}, body: hello, text: "m heard Hello", finish: "stop"},
		{name: "echo", mock: &Mock{Echo: true}, body: hello, text: "Hello", finish: "stop"},
		{name: "prompt of parts", mock: &Mock{Echo: true}, body: `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url"},{"type":"text","text":"b"}]},{"role":"assistant","content":"no"}]}`, text: "ab", finish: "stop"},
		{name: "limit", mock: &Mock{Reply: "abcdefghij"}, body: with(hello, `"max_tokens":2`), text: "abcdefgh", finish: "length"},
		{name: "limit not reached", mock: &Mock{Reply: "abcdefgh"}, body: with(hello, `"max_tokens":2`), text: "abcdefgh", finish: "stop"},
		{name: "max_completion_tokens wins", mock: &Mock{Reply: "abcdefghij"}, body: with(hello, `"max_tokens":9,"max_completion_tokens":1`), text: "abcd", finish: "length"},
		{name: "limit of null", mock: &Mock{Reply: "abcdefghij"}, body: with(hello, `"max_tokens":null,"stop":null,"n":null`), text: "abcdefghij", finish: "stop"},
		{name: "limit keeps characters whole", mock: &Mock{Reply: "日本語"}, body: with(hello, `"max_tokens":1`), text: "日", finish: "length"},
		{name: "stop", mock: &Mock{Reply: "one two three"}, body: with(hello, `"stop":" t"`), text: "one", finish: "stop"},
		{name: "stops", mock: &Mock{Reply: "one two three"}, body: with(hello, `"stop":["three","two"]`), text: "one ", finish: "stop"},
		{name: "JSON", mock: &Mock{Reply: `say "hi"`}, body: with(hello, `"response_format":{"type":"json_object"}`), text: `{"reply":"say \"hi\""}`, finish: "stop"},
		{name: "JSON as configured", mock: &Mock{Reply: `[1]`}, body: with(hello, `"response_format":{"type":"json_schema"}`), text: `[1]`, finish: "stop"},
		{name: "tools without a call", mock: &Mock{Echo: true}, body: with(hello, `"tools":[{"type":"function","function":{"name":"f"}}]`), text: "Hello", finish: "stop"},
		{name: "call without tools", mock: &Mock{Echo: true, ToolCalls: []MockToolCall{{Name: "f"}}}, body: hello, text: "Hello", finish: "stop"},
		{name: "call forbidden", mock: &Mock{Echo: true, ToolCalls: []MockToolCall{{Name: "f"}}}, body: with(hello, `"tools":[{}],"tool_choice":"none"`), text: "Hello", finish: "stop"},
		{name: "after the result", mock: &Mock{Echo: true, ToolCalls: []MockToolCall{{Name: "f"}}}, body: `{"model":"m","tools":[{}],"messages":[{"role":"user","content":"Hello"},{"role":"tool","content":"42"}]}`, text: "Hello", finish: "stop"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := newMock(t, tc.mock)
			status, data := get(t, m, "/chat/completions", tc.body)
			c := decode(t, data)
			if status != http.StatusOK || len(c.Choices) != 1 || c.Object != "chat.completion" {
				t.Fatalf("%d %s", status, data)
			}
			if got := *c.Choices[0].Message.Content; got != tc.text {
				t.Errorf("JSON says %q, want %q", got, tc.text)
			}
			if got := *c.Choices[0].FinishReason; got != tc.finish {
				t.Errorf("JSON ends with %q, want %q", got, tc.finish)
			}
			text, finish, last := readStream(t, m, tc.body)
			if text[0] != tc.text || finish[0] != tc.finish {
				t.Errorf("the stream says %q and ends with %q", text[0], finish[0])
			}
			if *last.Usage != *c.Usage || c.Usage.Total != c.Usage.Prompt+c.Usage.Completion {
				t.Errorf("usage is %+v in JSON and %+v in the stream", c.Usage, last.Usage)
			}
		})
	}
}

// readStream asks for a stream with usage and checks its form. It returns text and
// finish reason by choice, and the last chunk.
func readStream(t *testing.T, m *Mock, body string) (text, finish map[int]string, last chunk) {
	t.Helper()
	_, stream := get(t, m, "/chat/completions", with(body, `"stream":true,"stream_options":{"include_usage":true}`))
	list := events(t, stream)
	if list[len(list)-1] != "[DONE]" {
		t.Fatalf("the stream ends with %s", list[len(list)-1])
	}
	text, finish = map[int]string{}, map[int]string{}
	roles := map[int]int{}
	for i, data := range list[:len(list)-1] {
		c := decode(t, data)
		if i > 0 && (c.ID != last.ID || c.Created != last.Created || c.Model != last.Model) || c.Object != "chat.completion.chunk" {
			t.Fatalf("chunk %d does not belong to the others: %s", i, data)
		}
		if !strings.Contains(data, `"usage":`) {
			t.Fatalf("chunk %d has no usage, not even null: %s", i, data)
		}
		for _, choice := range c.Choices {
			if choice.Delta.Role != "" {
				roles[choice.Index]++
			}
			if finish[choice.Index] != "" {
				t.Fatalf("chunk after the end of choice %d: %s", choice.Index, data)
			}
			if choice.Delta.Content != nil {
				text[choice.Index] += *choice.Delta.Content
			}
			if choice.FinishReason != nil {
				finish[choice.Index] = *choice.FinishReason
			}
		}
		last = c
	}
	for choice, n := range roles {
		if n != 1 {
			t.Fatalf("choice %d has its role %d times", choice, n)
		}
	}
	if last.Usage == nil || len(last.Choices) != 0 {
		t.Fatalf("the last chunk is not the one with the usage: %+v", last)
	}
	return text, finish, last
}

func TestMockStreamsWithoutUsageUnlessAsked(t *testing.T) {
	t.Parallel()
	_, stream := get(t, newMock(t, &Mock{Echo: true}), "/chat/completions", with(hello, `"stream":true`))
	if strings.Contains(stream, "usage") {
		t.Errorf("usage in %s", stream)
	}
}

func TestMockMakesSeveralChoices(t *testing.T) {
	t.Parallel()
	m := newMock(t, &Mock{Reply: "abcdefgh"})
	_, data := get(t, m, "/chat/completions", with(hello, `"n":3`))
	if c := decode(t, data); len(c.Choices) != 3 || c.Choices[2].Index != 2 || c.Usage.Completion != 6 {
		t.Errorf("got %s", data)
	}
	text, finish, _ := readStream(t, m, with(hello, `"n":3`))
	if len(text) != 3 || text[2] != "abcdefgh" || finish[2] != "stop" {
		t.Errorf("the stream says %v, %v", text, finish)
	}
	if status, data := get(t, m, "/chat/completions", with(hello, `"n":129`)); status != 400 || !strings.Contains(data, `"param":"n"`) {
		t.Errorf("n of 129: %d %s", status, data)
	}
}

func TestMockCallsTools(t *testing.T) {
	t.Parallel()
	m := newMock(t, &Mock{Reasoning: "hm {model}", ToolCalls: []MockToolCall{{Name: "weather", Arguments: `{"city":"Oslo"}`}, {Name: "time"}}})
	body := with(hello, `"tools":[{"type":"function","function":{"name":"weather"}}]`)
	_, data := get(t, m, "/chat/completions", body)
	c := decode(t, data)
	calls := c.Choices[0].Message.ToolCalls
	if len(calls) != 2 || calls[0].Function.Arguments != `{"city":"Oslo"}` || calls[1].Function.Name != "time" || calls[1].Function.Arguments != "{}" ||
		calls[0].ID == calls[1].ID || calls[0].Type != "function" || *c.Choices[0].FinishReason != "tool_calls" || c.Choices[0].Message.Content != nil ||
		c.Choices[0].Message.Reasoning != "hm m" || c.Usage.Details.Reasoning != 1 {
		t.Errorf("got %s", data)
	}
	_, stream := get(t, m, "/chat/completions", with(body, `"stream":true`))
	arguments, reasoning, ids := map[int]string{}, "", map[int]int{}
	for _, data := range events(t, stream) {
		if data == "[DONE]" {
			break
		}
		for _, choice := range decode(t, data).Choices {
			reasoning += choice.Delta.Reasoning
			for _, call := range choice.Delta.ToolCalls {
				arguments[call.Index] += call.Function.Arguments
				if call.ID != "" {
					ids[call.Index]++
				}
			}
		}
	}
	if arguments[0] != `{"city":"Oslo"}` || arguments[1] != "{}" || ids[0] != 1 || ids[1] != 1 || reasoning != "hm m" {
		t.Errorf("the stream says %v %v %q", arguments, ids, reasoning)
	}
}

func TestMockCutsToolCallsAtTheLimit(t *testing.T) {
	t.Parallel()
	m := newMock(t, &Mock{ToolCalls: []MockToolCall{{Name: "f", Arguments: `{"a":"bcdefgh"}`}, {Name: "g"}}})
	_, data := get(t, m, "/chat/completions", with(hello, `"tools":[{}],"max_tokens":2`))
	c := decode(t, data)
	if calls := c.Choices[0].Message.ToolCalls; len(calls) != 1 || calls[0].Function.Arguments != `{"a":"bc` || *c.Choices[0].FinishReason != "length" {
		t.Errorf("got %s", data)
	}
}

func TestMockCountsTokens(t *testing.T) {
	t.Parallel()
	_, data := get(t, newMock(t, &Mock{Reply: "abcdefghij"}), "/chat/completions", hello)
	if u := decode(t, data).Usage; u.Prompt != 2+2 || u.Completion != 3 { // "be kind" and "Hello" are two each
		t.Errorf("counted %+v", u)
	}
	_, data = get(t, newMock(t, &Mock{Usage: &MockUsage{PromptTokens: 100, CompletionTokens: 20}}), "/chat/completions", hello)
	if u := decode(t, data).Usage; u.Prompt != 100 || u.Completion != 20 || u.Total != 120 {
		t.Errorf("reported %+v", u)
	}
}

func TestMockRefusesBadRequests(t *testing.T) {
	t.Parallel()
	m := newMock(t, &Mock{})
	for _, tc := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"/chat/completions", `{"model":`, 400, `"invalid_json"`},
		{"/chat/completions", `{"model":"m","model":"n","messages":[]}`, 400, `"invalid_json"`},
		{"/chat/completions", `[]`, 400, `"invalid_type"`},
		{"/chat/completions", `{"model":"m","messages":7}`, 400, `"invalid_type"`},
		{"/chat/completions", `{"messages":[]}`, 400, `"param":"model"`},
		{"/chat/completions", `{"model":"m"}`, 400, `"param":"messages"`},
		{"/responses", `{"model":"m","input":7}`, 400, `"param":"input"`},
		{"/embeddings", `{"model":"m"}`, 400, `"param":"input"`},
		{"/embeddings", `{"model":"m","input":[]}`, 400, `"param":"input"`},
		{"/embeddings", `{"model":"m","input":"a","dimensions":9999}`, 400, `"param":"dimensions"`},
		{"/audio/speech", `{"model":"m"}`, 404, `"unknown_url"`},
		{"/chat/completions", ``, 404, `"unknown_url"`}, // GET
		{"/models/nobody", ``, 404, `"model_not_found"`},
	} {
		status, data := get(t, m, tc.path, tc.body)
		var envelope struct {
			Error map[string]any `json:"error"`
		}
		if err := json.Unmarshal([]byte(data), &envelope); err != nil || len(envelope.Error) != 4 {
			t.Errorf("%s %s: not an envelope: %s", tc.path, tc.body, data)
		}
		if status != tc.status || !strings.Contains(data, tc.want) {
			t.Errorf("%s %s: %d %s, want %d and %s", tc.path, tc.body, status, data, tc.status, tc.want)
		}
	}
}

func FuzzMock(f *testing.F) {
	for _, seed := range []string{hello, with(hello, `"stream":true,"n":2,"stop":["a"],"max_tokens":3`), `{"model":"m","input":["a"]}`, `{}`, "\xff"} {
		for i := range 3 {
			f.Add(seed, i)
		}
	}
	m := &Mock{Reasoning: "{prompt}", Reply: "{prompt}", ToolCalls: []MockToolCall{{Name: "f"}}, Seed: 1}
	if err := m.Provision(caddy.Context{}); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string, endpoint int) {
		path := []string{"/chat/completions", "/responses", "/embeddings"}[uint(endpoint)%3]
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.Endpoint(path, ""), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := m.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Header.Get("Content-Type") == "application/json" {
			if !json.Valid(data) {
				t.Fatalf("%q gives %q", body, data)
			}
			return
		}
		for _, event := range events(t, string(data)) {
			if event != "[DONE]" && !json.Valid([]byte(event)) {
				t.Fatalf("%q gives %q", body, event)
			}
		}
	})
}

func BenchmarkMock(b *testing.B) {
	m := &Mock{}
	if err := m.Provision(caddy.Context{}); err != nil {
		b.Fatal(err)
	}
	for name, body := range map[string]string{"json": hello, "stream": with(hello, `"stream":true`)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				resp, err := ask(context.Background(), m, "/chat/completions", body)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
			}
		})
	}
}
