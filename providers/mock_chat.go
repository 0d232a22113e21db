package providers

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// maxMockChoices is how many choices OpenAI allows in one request.
const maxMockChoices = 128

// chat answers a chat completion.
func (m *Mock) chat(r *mockRequest, id string, created int64) (*mockReply, *translate.Error) {
	if len(r.Messages) == 0 {
		return nil, translate.BadRequest("missing_required_parameter", "messages", "Missing required parameter: 'messages'.")
	}
	if r.N != nil && (*r.N < 1 || *r.N > maxMockChoices) {
		return nil, translate.BadRequest("invalid_value", "n", "'n' must be from 1 to 128.")
	}
	a := m.answer(r, id, created)
	if !r.Stream {
		return jsonReply(a.completion(), a.tokens()), nil
	}
	return &mockReply{status: http.StatusOK, stream: true, events: a.chunks(r.StreamOptions.IncludeUsage)}, nil
}

// completion is the answer as one chat completion.
func (a *mockAnswer) completion() []byte {
	b := a.head(nil, "chat.completion")
	for i := range a.choices {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"index":`...)
		b = strconv.AppendInt(b, int64(i), 10)
		b = append(b, `,"message":{"role":"assistant","content":`...)
		if len(a.calls) > 0 {
			b = append(b, "null"...)
		} else {
			b = quote(b, strings.Join(a.text, ""))
		}
		b = append(b, `,"refusal":null`...)
		if len(a.reasoning) > 0 {
			b = append(b, `,"reasoning_content":`...)
			b = quote(b, strings.Join(a.reasoning, ""))
		}
		for j, call := range a.calls {
			b = append(b, []string{`,"tool_calls":[`, `,`}[min(j, 1)]...)
			b = append(b, `{"id":`...)
			b = quote(b, call.idOf(i))
			b = append(b, `,"type":"function","function":{"name":`...)
			b = quote(b, call.name)
			b = append(b, `,"arguments":`...)
			b = quote(b, strings.Join(call.arguments, ""))
			b = append(b, `}}`...)
		}
		if len(a.calls) > 0 {
			b = append(b, ']')
		}
		b = append(b, `},"logprobs":null,"finish_reason":"`...)
		b = append(b, a.finish()...)
		b = append(b, `"}`...)
	}
	b = append(b, `],"usage":`...)
	b = a.appendUsage(b)
	return append(b, '}')
}

// idOf keeps ids of calls apart in several choices.
func (c *mockCall) idOf(choice int) string {
	if choice == 0 {
		return c.id
	}
	return c.id + "_" + strconv.Itoa(choice)
}

// head appends the beginning of a completion or chunk, up to its choices.
func (a *mockAnswer) head(b []byte, object string) []byte {
	b = append(b, `{"id":"chatcmpl-`...)
	b = append(b, a.id...)
	b = append(b, `","object":"`...)
	b = append(b, object...)
	b = append(b, `","created":`...)
	b = strconv.AppendInt(b, a.created, 10)
	b = append(b, `,"model":`...)
	b = quote(b, a.model)
	return append(b, `,"choices":[`...)
}

func (a *mockAnswer) appendUsage(b []byte) []byte {
	b = append(b, `{"prompt_tokens":`...)
	b = strconv.AppendInt(b, a.usage.PromptTokens, 10)
	b = append(b, `,"completion_tokens":`...)
	b = strconv.AppendInt(b, a.usage.CompletionTokens, 10)
	b = append(b, `,"total_tokens":`...)
	b = strconv.AppendInt(b, a.usage.PromptTokens+a.usage.CompletionTokens, 10)
	b = append(b, `,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":`...)
	b = strconv.AppendInt(b, a.reasoningTokens, 10)
	return append(b, `}}`...)
}

// chunks is the answer as a stream of chunks.
func (a *mockAnswer) chunks(includeUsage bool) []mockEvent {
	s := chunkList{answer: a, usage: includeUsage}
	first := `{"role":"assistant","content":"","refusal":null}`
	if len(a.calls) > 0 {
		first = `{"role":"assistant","content":null,"refusal":null}`
	}
	s.each(first, "", 0)
	for _, token := range a.reasoning {
		s.each(`{"reasoning_content":`+string(quote(nil, token))+`}`, "", 1)
	}
	for _, token := range a.text {
		s.each(`{"content":`+string(quote(nil, token))+`}`, "", 1)
	}
	for i, call := range a.calls {
		index := strconv.Itoa(i)
		for choice := range a.choices {
			s.add(choice, `{"tool_calls":[{"index":`+index+`,"id":"`+call.idOf(choice)+`","type":"function","function":{"name":`+
				string(quote(nil, call.name))+`,"arguments":""}}]}`, "", 0)
		}
		for _, token := range call.arguments {
			s.each(`{"tool_calls":[{"index":`+index+`,"function":{"arguments":`+string(quote(nil, token))+`}}]}`, "", 1)
		}
	}
	s.each("{}", a.finish(), 0)
	if includeUsage {
		b := a.head([]byte("data: "), "chat.completion.chunk")
		b = append(b, `],"usage":`...)
		b = a.appendUsage(b)
		s.events = append(s.events, mockEvent{data: append(b, "}\n\n"...)})
	}
	return append(s.events, mockEvent{data: []byte("data: [DONE]\n\n")})
}

// chunkList collects chunks.
type chunkList struct {
	answer *mockAnswer
	usage  bool // chunks have a usage of null
	events []mockEvent
}

// each adds a chunk for each choice.
func (s *chunkList) each(delta, finish string, tokens int) {
	for choice := range s.answer.choices {
		s.add(choice, delta, finish, tokens)
	}
}

func (s *chunkList) add(choice int, delta, finish string, tokens int) {
	b := s.answer.head(append(make([]byte, 0, 224+len(delta)), "data: "...), "chat.completion.chunk")
	b = append(b, `{"index":`...)
	b = strconv.AppendInt(b, int64(choice), 10)
	b = append(b, `,"delta":`...)
	b = append(b, delta...)
	b = append(b, `,"logprobs":null,"finish_reason":`...)
	b = quoteOrNull(b, finish)
	b = append(b, `}]`...)
	if s.usage {
		b = append(b, `,"usage":null`...)
	}
	s.events = append(s.events, mockEvent{data: append(b, "}\n\n"...), tokens: tokens})
}
