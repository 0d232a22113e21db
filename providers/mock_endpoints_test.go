package providers

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
)

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
