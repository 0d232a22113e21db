package gemini

import (
	"strings"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// matchResults gives each call its result among the turns: by id, or else by the
// tool's name. Of several results for one call the last counts. It returns the results
// that have been dealt with; the others belong to no call of the step.
func (e *encoder) matchResults(calls []callRef, turns []translate.Turn) map[*translate.ToolResult]bool {
	byID := make(map[string][]*translate.ToolResult)
	var all []*translate.ToolResult
	for i := range turns {
		for k := range turns[i].Parts {
			if r := turns[i].Parts[k].Result; r != nil && turns[i].Parts[k].Kind == translate.PartToolResult {
				byID[r.CallID] = append(byID[r.CallID], r)
				all = append(all, r)
			}
		}
	}
	shared := make(map[string]int, len(calls))
	for i := range calls {
		shared[calls[i].call.ID]++
	}
	consumed := make(map[*translate.ToolResult]bool, len(all))
	for i := range calls {
		id := calls[i].call.ID
		list := byID[id]
		if id == "" || len(list) == 0 {
			continue
		}
		if shared[id] > 1 { // calls with equal ids: results in the order of the calls
			calls[i].result, byID[id] = list[0], list[1:]
			consumed[list[0]] = true
			continue
		}
		calls[i].result = list[len(list)-1]
		for _, r := range list {
			consumed[r] = true
		}
	}
	matchByName(calls, all, consumed)
	return consumed
}

// matchByName gives calls without a result the first unclaimed one of their tool.
func matchByName(calls []callRef, all []*translate.ToolResult, consumed map[*translate.ToolResult]bool) {
	left := make(map[string][]*translate.ToolResult)
	for _, r := range all {
		if !consumed[r] && r.Name != "" {
			left[r.Name] = append(left[r.Name], r)
		}
	}
	for i := range calls {
		name := calls[i].call.Name
		if list := left[name]; calls[i].result == nil && len(list) > 0 {
			calls[i].result, left[name] = list[0], list[1:]
			consumed[list[0]] = true
		}
	}
}

// functionResponse writes the result of one call.
func (e *encoder) functionResponse(c *callRef) {
	e.begin(roleUser)
	e.buf = append(e.buf, `{"functionResponse":{`...)
	if c.id != "" {
		e.buf = jsonscan.Quote(appendName(e.buf, "id"), c.id)
	}
	e.buf = jsonscan.Quote(appendName(e.buf, "name"), e.wireName(c.call.Name))
	e.buf = appendResponse(appendName(e.buf, "response"), c.result)
	if c.result != nil && e.caps.ResultImages {
		e.responseParts(c.result)
	}
	e.buf = append(e.buf, "}}"...)
}

// responseParts writes the media of a result inside its functionResponse.
func (e *encoder) responseParts(r *translate.ToolResult) {
	n := 0
	for i := range r.Parts {
		if r.Parts[i].Media == nil {
			continue
		}
		if n == 0 {
			e.buf = append(appendName(e.buf, "parts"), '[')
		} else {
			e.buf = append(e.buf, ',')
		}
		e.media(&r.Parts[i], false)
		n++
	}
	if n > 0 {
		e.buf = append(e.buf, ']')
	}
}

// resultMedia writes the media of a result beside the responses, for models whose
// responses cannot have any.
func (e *encoder) resultMedia(r *translate.ToolResult) {
	if r == nil {
		return
	}
	for i := range r.Parts {
		if r.Parts[i].Media != nil {
			e.begin(roleUser)
			e.media(&r.Parts[i], false)
		}
	}
}

// resultText returns the text of a result.
func resultText(r *translate.ToolResult) string {
	if len(r.Parts) == 1 {
		return r.Parts[0].Text
	}
	var b strings.Builder
	for i := range r.Parts {
		b.WriteString(r.Parts[i].Text)
	}
	return b.String()
}

// appendResponse appends the result of a call as the object the provider wants. An
// object with a member "$ref" would be taken for a reference to a part, and is sent as
// text like everything that is not JSON.
func appendResponse(dst []byte, r *translate.ToolResult) []byte {
	if r == nil {
		return append(dst, `{"error":"no result"}`...)
	}
	text := resultText(r)
	key := `{"output":`
	if r.IsError {
		key = `{"error":`
	}
	raw := []byte(strings.TrimSpace(text))
	if len(raw) == 0 || raw[0] != '{' && raw[0] != '[' || strings.Contains(text, `"$ref"`) || jsonscan.Valid(raw, maxDepth) != nil {
		return append(jsonscan.Quote(append(dst, key...), text), '}')
	}
	if raw[0] == '{' && !r.IsError {
		return append(dst, raw...)
	}
	return append(append(append(dst, key...), raw...), '}')
}
