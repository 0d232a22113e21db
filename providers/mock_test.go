package providers

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

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
	for _, event := range strings.Split(strings.TrimSuffix(stream, "\n\n"), "\n\n") {
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

func TestMockListsModels(t *testing.T) {
	t.Parallel()
	m := newMock(t, &Mock{ModelNames: []string{"a", "b\"c"}})
	status, data := get(t, m, "/v1/models", "")
	var list struct {
		Object string
		Data   []struct{ ID, Object string }
	}
	if err := json.Unmarshal([]byte(data), &list); err != nil || status != 200 || len(list.Data) != 2 || list.Data[1].ID != `b"c` || list.Object != "list" {
		t.Errorf("%d %s %v", status, data, err)
	}
	if status, data = get(t, m, "/models/a", ""); status != 200 || !strings.Contains(data, `"id":"a"`) {
		t.Errorf("%d %s", status, data)
	}
	if got := newMock(t, &Mock{}).Models(); len(got) != 1 || got[0] != "mock" {
		t.Errorf("a mock offers %q", got)
	}
}

func TestMockEmbeds(t *testing.T) {
	t.Parallel()
	m := newMock(t, &Mock{})
	type answer struct {
		Data []struct {
			Index     int
			Embedding []float64
		}
		Usage struct {
			Prompt int64 `json:"prompt_tokens"`
		}
	}
	read := func(body string) (a answer) {
		if _, data := get(t, m, "/embeddings", body); json.Unmarshal([]byte(data), &a) != nil {
			t.Fatalf("got %s", data)
		}
		return a
	}
	a := read(`{"model":"m","input":["abc","def","abc"],"dimensions":8}`)
	if len(a.Data) != 3 || len(a.Data[0].Embedding) != 8 || a.Usage.Prompt == 0 {
		t.Fatalf("got %+v", a)
	}
	var sum float64
	for i, x := range a.Data[0].Embedding {
		sum += x * x
		if x != a.Data[2].Embedding[i] {
			t.Error("equal texts have different vectors")
		}
	}
	if math.Abs(sum-1) > 1e-5 || a.Data[0].Embedding[0] == a.Data[1].Embedding[0] {
		t.Errorf("vectors are not of length 1, or all the same: %+v", a)
	}
	if a = read(`{"model":"m","input":"abc"}`); len(a.Data[0].Embedding) != mockDimensions {
		t.Errorf("%d dimensions", len(a.Data[0].Embedding))
	}
	if a = read(`{"model":"m","input":[1,2,3],"dimensions":2}`); len(a.Data) != 1 {
		t.Errorf("a list of tokens has %d vectors", len(a.Data))
	}
	_, data := get(t, m, "/embeddings", `{"model":"m","input":"abc","dimensions":8,"encoding_format":"base64"}`)
	var packed struct{ Data []struct{ Embedding string } }
	if err := json.Unmarshal([]byte(data), &packed); err != nil {
		t.Fatal(err)
	}
	if raw, err := base64.StdEncoding.DecodeString(packed.Data[0].Embedding); err != nil || len(raw) != 32 {
		t.Errorf("%d bytes, %v", len(raw), err)
	}
}

func TestMockAnswersResponses(t *testing.T) {
	t.Parallel()
	m := newMock(t, &Mock{Echo: true, Reasoning: "hm", Seed: 1, ToolCalls: []MockToolCall{{Name: "f", Arguments: `{"a":1}`}}})
	for _, tc := range []struct{ name, body, kinds, status string }{
		{"text", `{"model":"m","input":"Hello"}`, "reasoning message", "completed"},
		{"items", `{"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"Hello"}]}]}`, "reasoning message", "completed"},
		{"limit", `{"model":"m","input":"Hello","max_output_tokens":2}`, "reasoning message", "incomplete"},
		{"call", `{"model":"m","input":"Hello","tools":[{"type":"function","name":"f"}]}`, "reasoning function_call", "completed"},
		{"after the result", `{"model":"m","tools":[{}],"input":[{"role":"user","content":"Hello"},{"type":"function_call_output","call_id":"c","output":"1"}]}`, "reasoning message", "completed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			type response struct {
				Status string
				Output []map[string]any
				Usage  map[string]any
			}
			_, data := get(t, m, "/responses", tc.body)
			var whole response
			if err := json.Unmarshal([]byte(data), &whole); err != nil {
				t.Fatalf("%v in %s", err, data)
			}
			kinds := make([]string, len(whole.Output))
			for i, item := range whole.Output {
				kinds[i] = item["type"].(string)
			}
			if got := strings.Join(kinds, " "); got != tc.kinds || whole.Status != tc.status || whole.Usage == nil {
				t.Errorf("%q %s: %s", got, whole.Status, data)
			}
			_, stream := get(t, m, "/responses", with(tc.body, `"stream":true`))
			checkResponseStream(t, stream, "response."+tc.status, whole.Output)
		})
	}
}

// checkResponseStream checks the lifecycle of a streamed response (E-160 to E-163).
func checkResponseStream(t *testing.T, stream, end string, output []map[string]any) {
	t.Helper()
	type event struct {
		Type     string
		Sequence int `json:"sequence_number"`
		Index    int `json:"output_index"`
		Delta    string
		ItemID   string         `json:"item_id"`
		Item     map[string]any `json:"item"`
		Response *struct{ Output []map[string]any }
	}
	deltas, done := map[string]string{}, []map[string]any{}
	var last event
	for i, data := range events(t, stream) {
		var e event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			t.Fatalf("%v in %s", err, data)
		}
		if e.Sequence != i || !strings.Contains(stream, "event: "+e.Type+"\ndata: {") {
			t.Errorf("event %d is %s", i, data)
		}
		deltas[e.ItemID] += e.Delta
		if e.Type == "response.output_item.done" {
			if e.Index != len(done) {
				t.Errorf("item %d is done as number %d", e.Index, len(done))
			}
			done = append(done, e.Item)
		}
		last = e
	}
	if last.Type != end || last.Response == nil {
		t.Fatalf("the stream ends with %s, want %s", last.Type, end)
	}
	for i, item := range done {
		text := fmt.Sprint(item["arguments"])
		for _, list := range []string{"content", "summary"} {
			if parts, ok := item[list].([]any); ok {
				text = parts[0].(map[string]any)["text"].(string)
			}
		}
		if id := item["id"].(string); deltas[id] != text {
			t.Errorf("the deltas of %s are %q, the item says %q", id, deltas[id], text)
		}
		if item["type"] != output[i]["type"] || last.Response.Output[i]["id"] != item["id"] {
			t.Errorf("item %d differs between stream, its end, and JSON", i)
		}
	}
	if len(done) != len(output) || len(done) != len(last.Response.Output) {
		t.Errorf("%d items, want %d", len(done), len(output))
	}
}

func TestMockTakesItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMock(t, &Mock{Reply: strings.Repeat("abcd", 10), Latency: caddy.Duration(300 * time.Millisecond), TokenRate: 10})
		start := time.Now()
		resp, err := ask(t.Context(), m, "/chat/completions", with(hello, `"stream":true`))
		if err != nil {
			t.Fatal(err)
		}
		if got := time.Since(start); got != 300*time.Millisecond {
			t.Errorf("the first byte took %v", got)
		}
		var at []time.Duration
		lines := bufio.NewScanner(resp.Body)
		for lines.Scan() {
			if strings.Contains(lines.Text(), `"abcd"`) {
				at = append(at, time.Since(start))
			}
		}
		if len(at) != 10 || at[0] != 400*time.Millisecond || at[9] != 1300*time.Millisecond {
			t.Errorf("tokens came at %v", at)
		}
		start = time.Now()
		get(t, m, "/chat/completions", hello)
		if got := time.Since(start); got != 1300*time.Millisecond {
			t.Errorf("an answer that is not streamed took %v", got)
		}
		start = time.Now()
		get(t, m, "/models", "")
		if got := time.Since(start); got != 300*time.Millisecond {
			t.Errorf("the list of models took %v", got)
		}
	})
}

// A reader that was held up gets what has been made in the meantime at once.
func TestMockDoesNotSlowDownForSlowReaders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMock(t, &Mock{Reply: strings.Repeat("abcd", 10), TokenRate: 10})
		resp, err := ask(t.Context(), m, "/chat/completions", with(hello, `"stream":true`))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		start := time.Now()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || time.Since(start) != 0 {
			t.Errorf("the rest took %v, %v", time.Since(start), err)
		}
	})
}

func TestMockJitterStaysInItsBounds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMock(t, &Mock{Seed: 7, Latency: caddy.Duration(100 * time.Millisecond), Jitter: caddy.Duration(50 * time.Millisecond)})
		seen := map[time.Duration]bool{}
		for range 50 {
			start := time.Now()
			get(t, m, "/models", "")
			got := time.Since(start)
			seen[got] = true
			if got < 50*time.Millisecond || got > 150*time.Millisecond {
				t.Errorf("took %v", got)
			}
		}
		if len(seen) < 40 {
			t.Errorf("only %d different latencies", len(seen))
		}
	})
}

func TestMockStopsAtOnceWhenCancelled(t *testing.T) {
	t.Parallel()
	gone := errors.New("client gone")
	for name, m := range map[string]*Mock{
		"latency":    {Latency: caddy.Duration(time.Hour)},
		"hang":       {ErrorRate: 1, ErrorKind: failHang},
		"not stream": {TokenRate: 0.01},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := newMock(t, m)
				ctx, cancel := context.WithCancelCause(t.Context())
				start := time.Now()
				time.AfterFunc(time.Second, func() { cancel(gone) })
				if _, err := ask(ctx, m, "/chat/completions", hello); !errors.Is(err, gone) || time.Since(start) != time.Second {
					t.Errorf("%v after %v", err, time.Since(start))
				}
			})
		})
	}
	t.Run("midway", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			m := newMock(t, &Mock{TokenRate: 1})
			ctx, cancel := context.WithCancelCause(t.Context())
			start := time.Now()
			time.AfterFunc(1500*time.Millisecond, func() { cancel(gone) })
			resp, err := ask(ctx, m, "/chat/completions", with(hello, `"stream":true`))
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(resp.Body)
			if !errors.Is(err, gone) || time.Since(start) != 1500*time.Millisecond || strings.Count(string(data), "data: ") != 2 {
				t.Errorf("%v after %v and %q", err, time.Since(start), data)
			}
		})
	})
	t.Run("closed", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			m := newMock(t, &Mock{TokenRate: 1})
			start := time.Now()
			resp, err := ask(t.Context(), m, "/chat/completions", with(hello, `"stream":true`))
			if err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(1500*time.Millisecond, func() { resp.Body.Close() })
			if _, err := io.ReadAll(resp.Body); err == nil || time.Since(start) != 1500*time.Millisecond {
				t.Errorf("%v after %v", err, time.Since(start))
			}
			if err := resp.Body.Close(); err != nil {
				t.Errorf("a second Close: %v", err)
			}
		})
	})
}

func TestMockFailsAsOften(t *testing.T) {
	t.Parallel()
	m := newMock(t, &Mock{Seed: 42, ErrorRate: 0.3, ErrorStatus: []int{429, 503}})
	count := map[int]int{}
	for range 1000 {
		resp, err := ask(t.Context(), m, "/chat/completions", hello)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		count[resp.StatusCode]++
		if resp.StatusCode == 429 && resp.Header.Get("Retry-After") == "" {
			t.Fatal("429 without Retry-After")
		}
	}
	if failed := count[429] + count[503]; failed < 250 || failed > 350 || count[429] < 100 || count[503] < 100 {
		t.Errorf("statuses %v", count)
	}
	always := newMock(t, &Mock{ErrorRate: 1})
	if status, data := get(t, always, "/chat/completions", hello); status != 500 || !strings.Contains(data, `"server_error"`) {
		t.Errorf("%d %s", status, data)
	}
	if status, _ := get(t, always, "/models", ""); status != 200 {
		t.Errorf("the list of models fails with %d", status)
	}
}

func TestMockBreaksConnections(t *testing.T) {
	t.Parallel()
	if _, err := ask(t.Context(), newMock(t, &Mock{ErrorRate: 1, ErrorKind: failReset}), "/chat/completions", hello); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("reset: %v", err)
	}
	m := newMock(t, &Mock{ErrorRate: 1, ErrorKind: failMidstream})
	for _, body := range []string{hello, with(hello, `"stream":true`)} {
		resp, err := ask(t.Context(), m, "/chat/completions", body)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(resp.Body)
		if !errors.Is(err, syscall.ECONNRESET) || len(data) == 0 || strings.Contains(string(data), "[DONE]") || json.Valid(data) {
			t.Errorf("midstream: %v after %q", err, data)
		}
	}
}

func TestMockWithASeedRepeatsItself(t *testing.T) {
	t.Parallel()
	run := func(seed uint64) (all string) {
		m := newMock(t, &Mock{Seed: seed, ErrorRate: 0.5})
		for range 20 {
			status, data := get(t, m, "/chat/completions", hello)
			all += fmt.Sprintln(status, data)
		}
		return all
	}
	if run(1) != run(1) {
		t.Error("the same seed gives different answers")
	}
	if run(1) == run(2) {
		t.Error("different seeds give the same outcome")
	}
}

func TestMockCaddyfile(t *testing.T) {
	t.Parallel()
	got, err := adapt("mock", `provider fake {
		type mock
		models a b
		reply "I am {model}"
		reasoning hm
		tool_call f `+"`{\"a\":1}`"+`
		tool_call g
		latency 300ms 100ms
		token_rate 50
		error_rate 30%
		error_kind midstream
		error_status 500 429
		usage 10 20
		seed 7
	}`)
	want := `{"error_kind":"midstream","error_rate":0.3,"error_status":[500,429],"jitter":100000000,"latency":300000000,"models":["a","b"],"name":"fake",` +
		`"reasoning":"hm","reply":"I am {model}","seed":7,"token_rate":50,"tool_calls":[{"arguments":"{\"a\":1}","name":"f"},{"name":"g"}],"type":"mock",` +
		`"usage":{"completion_tokens":20,"prompt_tokens":10}}`
	if err != nil || got != want {
		t.Errorf("got  %s (%v)\nwant %s", got, err, want)
	}
	if got, err = adapt("mock", "provider mock {\n echo\n}"); err != nil || got != `{"echo":true,"type":"mock"}` {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestMockErrors(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"latencyy 1s":             "did you mean latency?",
		"latency":                 "latency is a duration",
		"latency soon":            "is not a duration",
		"token_rate fast":         "tokens per second",
		"token_rate -1":           "tokens per second",
		"error_rate 130%":         "is not a share",
		"error_rate NaN":          "is not a share",
		"error_status 200":        "is not the status of an error",
		"usage 1":                 "two numbers",
		"usage 1 -2":              "two numbers",
		"seed 0":                  "not a seed",
		"type openai":             "of type mock",
		"tool_call":               "name and JSON arguments",
		"echo\n\treply x":         "either reply or echo",
		"seed 1\n\tseed 2":        "seed is given twice",
		"echo loud":               `unexpected "loud"`,
		"models":                  "one or more values",
		"reply":                   "has one value",
		"base_url https://h/v1":   "unrecognized option",
		"error_kind status reset": "has one value",
	} {
		if _, err := adapt("mock", "provider mock {\n\t"+line+"\n}"); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "Testfile:") {
			t.Errorf("%q: %v, want an error with %q", line, err, want)
		}
	}
	if _, err := adapt("mock", "provider mock https://h"); err == nil || !strings.Contains(err.Error(), "has no address") {
		t.Errorf("got %v", err)
	}
	for config, want := range map[string]string{
		`{"type":"mock","error_rate":2}`:                                "from 0 to 1",
		`{"type":"mock","error_kind":"fire"}`:                           "must be one of",
		`{"type":"mock","error_status":[200]}`:                          "400 to 599",
		`{"type":"mock","token_rate":-1}`:                               "negative",
		`{"type":"mock","latency":-1}`:                                  "negative",
		`{"type":"mock","usage":{"prompt_tokens":-1}}`:                  "negative",
		`{"type":"mock","tool_calls":[{"name":"f","arguments":"[1]"}]}`: "not a JSON object",
		`{"type":"mock","tool_calls":[{"arguments":"{}"}]}`:             "has no name",
		`{"type":"mock","nonsense":1}`:                                  "nonsense",
	} {
		if _, err := load(t, config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", config, err, want)
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
