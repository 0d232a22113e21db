package providers

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// responses answers a request of the Responses API.
func (m *Mock) responses(r *mockRequest, id string, created int64) (*mockReply, *translate.Error) {
	if failure := r.readInput(); failure != nil {
		return nil, failure
	}
	r.N, r.MaxTokens, r.MaxCompletionTokens = nil, nil, nil // not of this API
	a := m.answer(r, id, created)
	if !r.Stream {
		return jsonReply([]byte(a.response(a.status(), a.items())), a.tokens()), nil
	}
	return &mockReply{status: http.StatusOK, stream: true, events: a.responseEvents()}, nil
}

func (a *mockAnswer) status() string {
	if a.cut {
		return "incomplete"
	}
	return "completed"
}

// items are the finished output items, as JSON.
func (a *mockAnswer) items() []string {
	var items []string
	if len(a.reasoning) > 0 {
		items = append(items, a.reasoningItem("["+summaryPart(strings.Join(a.reasoning, ""))+"]"))
	}
	for i := range a.calls {
		call := &a.calls[i]
		items = append(items, call.item("completed", strings.Join(call.arguments, "")))
	}
	if len(a.calls) == 0 {
		items = append(items, a.messageItem(a.status(), "["+textPart(strings.Join(a.text, ""))+"]"))
	}
	return items
}

func (a *mockAnswer) reasoningItem(summary string) string {
	return `{"id":"rs_` + a.id + `","type":"reasoning","summary":` + summary + `}`
}

func (a *mockAnswer) messageItem(status, content string) string {
	return `{"id":"msg_` + a.id + `","type":"message","status":"` + status + `","role":"assistant","content":` + content + `}`
}

func (c *mockCall) item(status, arguments string) string {
	return `{"id":"fc_` + c.id + `","type":"function_call","status":"` + status + `","call_id":"` + c.id +
		`","name":` + string(quote(nil, c.name)) + `,"arguments":` + string(quote(nil, arguments)) + `}`
}

func textPart(text string) string {
	return `{"type":"output_text","text":` + string(quote(nil, text)) + `,"annotations":[],"logprobs":[]}`
}

func summaryPart(text string) string {
	return `{"type":"summary_text","text":` + string(quote(nil, text)) + `}`
}

// response is the response object with the given output.
func (a *mockAnswer) response(status string, items []string) string {
	usage, details := "null", "null"
	if status != "in_progress" {
		n := func(v int64) string { return strconv.FormatInt(v, 10) }
		usage = `{"input_tokens":` + n(a.usage.PromptTokens) + `,"input_tokens_details":{"cached_tokens":0},"output_tokens":` + n(a.usage.CompletionTokens) +
			`,"output_tokens_details":{"reasoning_tokens":` + n(a.reasoningTokens) + `},"total_tokens":` + n(a.usage.PromptTokens+a.usage.CompletionTokens) + `}`
	}
	if status == "incomplete" {
		details = `{"reason":"max_output_tokens"}`
	}
	return `{"id":"resp_` + a.id + `","object":"response","created_at":` + strconv.FormatInt(a.created, 10) + `,"status":"` + status +
		`","error":null,"incomplete_details":` + details + `,"instructions":null,"metadata":{},"model":` + string(quote(nil, a.model)) +
		`,"output":[` + strings.Join(items, ",") + `],"parallel_tool_calls":true,"temperature":1,"tool_choice":"auto","tools":[],"top_p":1,"usage":` + usage + `}`
}

// responseEvents is the answer as the events of a streamed response.
func (a *mockAnswer) responseEvents() []mockEvent {
	s := responseStream{answer: a}
	running := `"response":` + a.response("in_progress", nil)
	s.add("response.created", running, 0)
	s.add("response.in_progress", running, 0)
	if len(a.reasoning) > 0 {
		s.reasoning()
	}
	for i := range a.calls {
		s.call(&a.calls[i])
	}
	if len(a.calls) == 0 {
		s.message()
	}
	s.add("response."+a.status(), `"response":`+a.response(a.status(), a.items()), 0)
	return s.events
}

// responseStream collects the events of a streamed response.
type responseStream struct {
	answer *mockAnswer
	output int // index of the current output item
	events []mockEvent
}

// add adds an event; members are those besides type and sequence_number.
func (s *responseStream) add(kind, members string, tokens int) {
	b := append([]byte("event: "), kind...)
	b = append(b, "\ndata: {\"type\":\""...)
	b = append(b, kind...)
	b = append(b, `","sequence_number":`...)
	b = strconv.AppendInt(b, int64(len(s.events)), 10)
	b = append(b, ',')
	b = append(b, members...)
	s.events = append(s.events, mockEvent{data: append(b, "}\n\n"...), tokens: tokens})
}

// at are the members that say which item an event is about.
func (s *responseStream) at(id string) string {
	return `"item_id":"` + id + `","output_index":` + strconv.Itoa(s.output)
}

// item adds the event that begins or ends an item.
func (s *responseStream) item(event, item string) {
	s.add("response.output_item."+event, `"output_index":`+strconv.Itoa(s.output)+`,"item":`+item, 0)
}

func (s *responseStream) reasoning() {
	a, text := s.answer, strings.Join(s.answer.reasoning, "")
	at := s.at("rs_"+a.id) + `,"summary_index":0`
	s.item("added", a.reasoningItem("[]"))
	s.add("response.reasoning_summary_part.added", at+`,"part":`+summaryPart(""), 0)
	for _, token := range a.reasoning {
		s.add("response.reasoning_summary_text.delta", at+`,"delta":`+string(quote(nil, token)), 1)
	}
	s.add("response.reasoning_summary_text.done", at+`,"text":`+string(quote(nil, text)), 0)
	s.add("response.reasoning_summary_part.done", at+`,"part":`+summaryPart(text), 0)
	s.item("done", a.reasoningItem("["+summaryPart(text)+"]"))
	s.output++
}

func (s *responseStream) call(c *mockCall) {
	arguments := strings.Join(c.arguments, "")
	at := s.at("fc_" + c.id)
	s.item("added", c.item("in_progress", ""))
	for _, token := range c.arguments {
		s.add("response.function_call_arguments.delta", at+`,"delta":`+string(quote(nil, token)), 1)
	}
	s.add("response.function_call_arguments.done", at+`,"arguments":`+string(quote(nil, arguments)), 0)
	s.item("done", c.item("completed", arguments))
	s.output++
}

func (s *responseStream) message() {
	a, text := s.answer, strings.Join(s.answer.text, "")
	at := s.at("msg_"+a.id) + `,"content_index":0`
	s.item("added", a.messageItem("in_progress", "[]"))
	s.add("response.content_part.added", at+`,"part":`+textPart(""), 0)
	for _, token := range a.text {
		s.add("response.output_text.delta", at+`,"delta":`+string(quote(nil, token))+`,"logprobs":[]`, 1)
	}
	s.add("response.output_text.done", at+`,"text":`+string(quote(nil, text))+`,"logprobs":[]`, 0)
	s.add("response.content_part.done", at+`,"part":`+textPart(text), 0)
	s.item("done", a.messageItem(a.status(), "["+textPart(text)+"]"))
	s.output++
}
