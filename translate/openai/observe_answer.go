package openai

import (
	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// ObserveAnswer reads what accounting needs from the members of a whole answer that is
// passed on. It returns an error for an answer that is none.
func ObserveAnswer(members []jsonscan.Member) (Observer, *translate.Error) {
	var o Observer
	var choices []byte
	for i := range members {
		switch m := &members[i]; string(m.Name) {
		case "error":
			if isError(m.Value) {
				return o, streamFailure(errorObject(m.Value))
			}
		case "choices":
			choices = m.Value
		case "usage":
			if !jsonscan.IsNull(m.Value) {
				o.readUsage(m.Value)
			}
		}
	}
	w := jsonscan.Walk(choices)
	for w.Next() {
		o.Content = true
		if reason := jsonscan.Get(w.Value, "finish_reason"); jsonscan.IsString(reason) && !o.Finished {
			o.Finished = true
			o.Finish, _ = readFinish(reason)
		}
	}
	if !o.Content {
		return o, emptyAnswer()
	}
	return o, nil
}

// errorObject wraps the value of a member "error" again.
func errorObject(value []byte) []byte {
	return append(append([]byte(`{"error":`), value...), '}')
}
