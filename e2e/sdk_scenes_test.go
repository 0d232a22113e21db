package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

func chatBody(model string) map[string]any {
	return map[string]any{"model": model, "messages": []any{map[string]any{"role": "user", "content": "Hello"}}}
}

// recordedScenes asks for every recording.
func recordedScenes(all []*recording) []*scene {
	var scenes []*scene
	for _, r := range all {
		s := &scene{Name: r.ID, Call: "chat", Stream: r.sse, Body: chatBody(r.address("event"))}
		switch r.expected.Kind {
		case "ok":
			s.want = []condition{shows(r)}
			if n := len(r.expected.Choices); n > 1 {
				s.Body["n"] = n
			}
		case "error":
			s.want = []condition{raises(r.expected.Message, "", r.statuses()...)}
		case "midstream-error":
			s.want = []condition{raises(r.expected.Message, "", 0, 429, 500, 502, 503)}
		default:
			continue
		}
		scenes = append(scenes, s)
	}
	return scenes
}

// scenes are those in which the provider is played; who keeps the clients apart.
func (s *stage) scenes(who string) []*scene {
	weather := `{"city":"Zürich","days":[1,2]}`
	toolEvents := func(index int, id, name, args string) string {
		return event(fmt.Sprintf(`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"fake","choices":[{"index":0,"delta":{"tool_calls":[{"index":%d,"id":%q,"type":"function","function":{"name":%q,"arguments":""}}]},"finish_reason":null}]}`, index, id, name)) +
			event(fmt.Sprintf(`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"fake","choices":[{"index":0,"delta":{"tool_calls":[{"index":%d,"function":{"arguments":%q}}]},"finish_reason":null}]}`, index, args))
	}
	calls := roleEvent + toolEvents(0, "call_a", "weather", weather) + toolEvents(1, "call_b", "clock", "{}") + strings.ReplaceAll(finishEvent, `"stop"`, `"tool_calls"`) + usageEvent + doneEvent
	whole := strings.NewReplacer(`"content":""`, `"content":null,"tool_calls":[{"id":"call_a","type":"function","function":{"name":"weather","arguments":`+quote(weather)+`}},{"id":"call_b","type":"function","function":{"name":"clock","arguments":"{}"}}]`,
		`"stop"`, `"tool_calls"`).Replace(completion(""))
	called := func(s *sighting) string {
		if s.Error != nil || len(s.Choices) != 1 || len(s.Choices[0].Calls) != 2 || s.Choices[0].Finish != "tool_calls" {
			return fmt.Sprintf("the answer was %+v, raised was %v", s.Choices, s.Error)
		}
		a, b := s.Choices[0].Calls[0], s.Choices[0].Calls[1]
		if a.ID != "call_a" || a.Name != "weather" || a.Args != weather || b.ID != "call_b" || b.Name != "clock" || b.Args != "{}" {
			return fmt.Sprintf("the calls were %+v", s.Choices[0].Calls)
		}
		return ""
	}
	tools := []any{}
	for _, name := range []string{"weather", "clock"} {
		tools = append(tools, map[string]any{"type": "function", "function": map[string]any{"name": name, "parameters": map[string]any{"type": "object", "properties": map[string]any{}}}})
	}
	var scenes []*scene
	add := func(road, name, kind string, stream bool, answer script, want ...condition) *scene {
		model := road + "-" + name + "-" + who
		s.on(model, answer)
		sc := &scene{Name: road + " " + name, Call: kind, Stream: stream, Body: chatBody(road + "/" + model), want: want}
		scenes = append(scenes, sc)
		return sc
	}
	stream := func(text string, end func(c *call)) script {
		return func(c *call) { c.beginStream(); c.send(text); end(c) }
	}
	ended := func(*call) {}
	for _, road := range roads {
		add(road, "answer", "chat", false, reply(helloText), answers(helloText)).asked = 1
		add(road, "stream", "chat", true, reply(helloText), answers(helloText)).asked = 1
		add(road, "gathered", "gathered", true, reply(helloText), answers(helloText)).asked = 1
		add(road, "calls", "chat", false, func(c *call) { c.json(http.StatusOK, whole) }, called).Body["tools"] = tools
		add(road, "calls, stream", "chat", true, stream(calls, ended), called).Body["tools"] = tools
		add(road, "calls, gathered", "gathered", true, stream(calls, ended), called).Body["tools"] = tools
		add(road, "comments", "chat", true, stream(": PROCESSING\n\n"+strings.ReplaceAll(hello, "data:", ": again\n\ndata:"), ended), answers(helloText))
		add(road, "CRLF", "chat", true, stream(strings.ReplaceAll(hello, "\n", "\r\n"), ended), answers(helloText))
		add(road, "byte order mark", "chat", true, stream("\ufeff"+strings.TrimPrefix(hello, roleEvent), ended), answers(helloText))
		add(road, "no [DONE]", "chat", true, stream(strings.TrimSuffix(hello, doneEvent), ended), answers(helloText))
		add(road, "cut", "chat", true, stream(roleEvent+delta("Hello"), (*call).reset), raises("broke off", "", 0))
		add(road, "ended early", "chat", true, stream(roleEvent+delta("Hello"), ended), raises("", "", 0))
		add(road, "cut at once", "chat", true, stream(roleEvent, (*call).reset), raises("", "bad_gateway", 502))
		add(road, "cut, gathered", "gathered", true, stream(roleEvent+delta("Hello"), (*call).reset), raises("broke off", "", 0))
		add(road, "failing", "chat", true, stream(roleEvent+delta("Hello")+event(broken), ended), raises("rate limit", "", 0))
		add(road, "failing at once", "chat", true, stream(event(broken), ended), raises("rate limit", "rate_limit_exceeded", 429))
		for _, status := range []int{400, 401, 403, 404, 409, 422, 429, 500, 503} {
			add(road, fmt.Sprintf("status %d", status), "chat", status%2 == 0, func(c *call) {
				c.json(status, `{"error":{"message":"the provider says no","type":"some_type","param":"some_param","code":"some_code"}}`)
			}, raises("the provider says no", "some_code", status)).asked = 1
		}
		// A limited client comes back by itself when it is told to wait, and does not if
		// waiting is no use.
		again := add(road, "limited", "chat", false, s.limited(road+"-limited-"+who), answers("at last"))
		again.Retries, again.asked = 2, 2
		quota := add(road, "quota", "chat", false, func(c *call) {
			c.json(429, `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`)
		}, raises("quota", "insufficient_quota", 429))
		quota.Retries, quota.asked = 2, 1
		vector := func(c *call) {
			c.json(200, `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.25,-1.5]}],"model":"fake","usage":{"prompt_tokens":1,"total_tokens":1}}`)
		}
		embed := add(road, "embedding", "embedding", false, vector, func(s *sighting) string {
			if s.Error != nil || !slices.Equal(s.Vector, []float64{0.25, -1.5}) {
				return fmt.Sprintf("the vector was %v, raised was %v", s.Vector, s.Error)
			}
			return ""
		})
		embed.Body = map[string]any{"model": embed.Body["model"], "input": "Hello"}
	}
	return append(scenes,
		&scene{Name: "models", Call: "models", want: []condition{lists("gpt-4o", "gpt-4o-mini")}},
		&scene{Name: "model", Call: "model", Body: map[string]any{"model": "passed/gpt-4o"}, want: []condition{lists("passed/gpt-4o")}},
	)
}

// limited refuses the first call for a model, and answers the next.
func (s *stage) limited(model string) script {
	return func(c *call) {
		if len(s.seen(model)) > 1 {
			reply("at last")(c)
			return
		}
		c.w.Header().Set("Retry-After-Ms", "1")
		c.json(429, broken)
	}
}
