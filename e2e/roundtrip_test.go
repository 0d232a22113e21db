package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/tidwall/gjson"
)

// TestHistoryKeepsEveryBlock has conversations of three turns with tools through the
// official client, which once sends messages back with all that was in them, and once
// with what OpenAI's API knows: E-079, E-084, E-086, E-092, E-096.
func TestHistoryKeepsEveryBlock(t *testing.T) {
	t.Parallel()
	u, plain := newUpstream(t), "http://127.0.0.1:"+freePort(t)
	dialogues := map[string]*dialogue{"anthropic E-086 E-092": &claudeDialogue, "gemini E-079": &geminiDialogue, "deepseek E-084": &deepseekDialogue}
	options := ""
	for _, d := range dialogues {
		options += fmt.Sprintf("\t\tprovider %s %s%s\n", d.provider, u.url, d.path)
	}
	start(t, setup{sites: fmt.Sprintf("%s {\n\tai_proxy {\n%s\t}\n}\n", plain, options)})
	for name, d := range dialogues {
		for _, form := range []string{"whole", "streamed"} {
			for _, manner := range []string{"keeps", "drops"} {
				t.Run(name+"/"+form+"/"+manner, func(t *testing.T) {
					t.Parallel()
					s := &speaker{dialogue: d, upstream: u, name: d.model + "-" + form + "-" + manner, stream: form == "streamed", keeps: manner == "keeps"}
					// The memory is the key's: each has its own, because the ids of calls are the same.
					s.client = openai.NewClient(option.WithBaseURL(plain+"/v1"), option.WithAPIKey("key-of-"+form+"-"+manner+"-0123456789"), option.WithMaxRetries(0), option.WithHTTPClient(newClient(t, "HTTP/1.1", nil)))
					s.converse(t)
				})
			}
		}
	}
}

// speaker is a client in a conversation.
type speaker struct {
	*dialogue
	*upstream
	name          string // of the model
	client        openai.Client
	stream, keeps bool
	history       []openai.ChatCompletionMessageParamUnion
}

func (s *speaker) converse(t *testing.T) {
	var n atomic.Int64
	s.on(s.name, func(c *call) {
		answer := s.answers[min(int(n.Add(1)), len(s.answers))-1]
		if !c.stream {
			c.json(http.StatusOK, answer)
			return
		}
		c.beginStream()
		c.send(s.dialogue.stream(answer, thirds))
	})
	s.history = append(s.history, openai.SystemMessage("Be brief."), openai.UserMessage("How is the weather?"))
	for turn, want := range []int{2, 1, 2, 0} {
		if calls := s.ask(t); calls != want {
			t.Fatalf("answer %d has %d calls, not %d", turn+1, calls, want)
		}
	}
	s.history = append(s.history, openai.UserMessage("Thank you."))
	s.ask(t)
	requests := s.seen(s.name)
	if len(requests) != len(s.answers) {
		t.Fatalf("the provider was asked %d times", len(requests))
	}
	s.checkSaid(t, "the request behind three turns", requests[3].body, s.tools)
	last := s.lastKnown
	if s.keeps {
		last = s.lastKept
	}
	s.checkSaid(t, "the request behind four turns", requests[4].body, append(slices.Clone(s.tools), last...))
	for i, c := range requests {
		if i > 0 {
			s.checkPrefix(t, i, requests[i-1].body, c.body)
		}
		var wrong []string
		switch s.provider {
		case "anthropic":
			wrong = claudeFaults(c.header, c.body)
		case "gemini":
			wrong = geminiFaults(c.path, c.query, c.body)
		}
		if len(wrong) > 0 {
			t.Errorf("request %d: %s", i+1, strings.Join(wrong, "; "))
		}
	}
}

func (s *speaker) checkSaid(t *testing.T, what string, request []byte, want []string) {
	t.Helper()
	if got := s.said(request); !slices.Equal(got, want) {
		t.Errorf("in %s the assistant has said\n\t%s\nand not\n\t%s", what, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// checkPrefix checks that a request says all that the one before it said, byte by byte,
// in every turn: what the provider has cached and signed depends on it.
func (s *speaker) checkPrefix(t *testing.T, i int, before, after []byte) {
	t.Helper()
	old, now := gjson.GetBytes(before, s.turns).Array(), gjson.GetBytes(after, s.turns).Array()
	for n := range old {
		if n >= len(now) || old[n].Raw != now[n].Raw {
			t.Errorf("request %d: turn %d was %s", i+1, n, old[n].Raw)
			if n < len(now) {
				t.Errorf("and is %s", now[n].Raw)
			}
			return
		}
	}
	for _, member := range []string{"system", "systemInstruction", "tools", "thinking", "output_config", "generationConfig", "toolConfig"} {
		if a, b := gjson.GetBytes(before, member).Raw, gjson.GetBytes(after, member).Raw; a != b {
			t.Errorf("request %d: %s was %s and is %s", i+1, member, a, b)
		}
	}
}

// ask has the model answer, and adds the answer and the results of its calls to the
// history. It returns how many calls there are.
func (s *speaker) ask(t *testing.T) int {
	t.Helper()
	params := openai.ChatCompletionNewParams{Model: s.name, Messages: s.history, ReasoningEffort: "high", Tools: []openai.ChatCompletionToolUnionParam{
		openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{Name: "get_weather", Parameters: openai.FunctionParameters{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}}}),
		openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{Name: "get_time"}),
	}}
	// The gateway goes by what stands before the slash.
	params.Model = s.provider + "/" + s.name
	var message openai.ChatCompletionMessage
	var raw string
	if s.stream {
		message, raw = s.listen(t, params)
	} else {
		answer, err := s.client.Chat.Completions.New(soon(t), params)
		if err != nil {
			t.Fatal(err)
		}
		message = answer.Choices[0].Message
		raw = message.RawJSON()
	}
	if s.keeps {
		s.history = append(s.history, param.Override[openai.ChatCompletionMessageParamUnion](json.RawMessage(raw)))
	} else {
		s.history = append(s.history, message.ToParam())
	}
	for i, c := range message.ToolCalls {
		s.history = append(s.history, openai.ToolMessage(fmt.Sprintf("result %d of %s", i, c.Function.Name), c.ID))
	}
	return len(message.ToolCalls)
}

// listen reads a stream with the client's own accumulator, and besides puts together
// all that was in its deltas.
func (s *speaker) listen(t *testing.T, params openai.ChatCompletionNewParams) (openai.ChatCompletionMessage, string) {
	t.Helper()
	stream := s.client.Chat.Completions.NewStreaming(soon(t), params)
	defer stream.Close()
	var known openai.ChatCompletionAccumulator
	kept := map[string]any{"role": "assistant"}
	for stream.Next() {
		chunk := stream.Current()
		if !known.AddChunk(chunk) {
			t.Fatalf("the client does not take a chunk: %s", chunk.RawJSON())
		}
		for _, choice := range chunk.Choices {
			var delta map[string]any
			if err := json.Unmarshal([]byte(choice.Delta.RawJSON()), &delta); err != nil {
				t.Fatal(err)
			}
			merge(kept, delta)
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(kept)
	if err != nil {
		t.Fatal(err)
	}
	return known.Choices[0].Message, string(raw)
}

// merge adds a delta to a message as a client does that keeps whatever it is given:
// texts are joined, and so are elements of lists that have the same index.
func merge(into, delta map[string]any) {
	for name, value := range delta {
		switch value := value.(type) {
		case string:
			old, _ := into[name].(string)
			if name == "role" || name == "type" || name == "id" || name == "format" {
				old = ""
			}
			into[name] = old + value
		case map[string]any:
			inner, ok := into[name].(map[string]any)
			if !ok {
				inner = map[string]any{}
				into[name] = inner
			}
			merge(inner, value)
		case []any:
			list, _ := into[name].([]any)
			for _, element := range value {
				list = mergeElement(list, element)
			}
			into[name] = list
		case nil:
			if _, ok := into[name]; !ok {
				into[name] = nil
			}
		default:
			into[name] = value
		}
	}
}

func mergeElement(list []any, element any) []any {
	e, ok := element.(map[string]any)
	if !ok {
		return append(list, element)
	}
	for _, old := range list {
		if o, ok := old.(map[string]any); ok && e["index"] != nil && o["index"] == e["index"] {
			merge(o, e)
			return list
		}
	}
	fresh := map[string]any{}
	merge(fresh, e)
	return append(list, fresh)
}
