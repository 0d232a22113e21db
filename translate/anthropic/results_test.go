package anthropic

import (
	"strconv"
	"strings"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

func uses(calls ...string) string {
	return `{"role":"assistant","content":[` + strings.Join(calls, ",") + `]}`
}

func use(id, input string) string {
	return `{"type":"tool_use","id":"` + id + `","name":"f","input":` + input + `}`
}

func gave(id, text string) string {
	return `{"type":"tool_result","tool_use_id":"` + id + `","content":` + quote(text) + `}`
}

func missing(id string) string {
	return `{"type":"tool_result","tool_use_id":"` + id + `","content":"(no result)","is_error":true}`
}

func gaveAll(blocks ...string) string {
	return `{"role":"user","content":[` + strings.Join(blocks, ",") + `]}`
}

func TestToolResults(t *testing.T) {
	t.Parallel()
	q := said("user", "q")
	failed := result("a", "bad")
	failed.Parts[0].Result.IsError = true
	byName := result("", "r")
	byName.Parts[0].Result.Name = "f"
	tests := []struct {
		name  string
		turns []translate.Turn
		want  []string
	}{
		{"E-058 results in the order of the calls, before other content", []translate.Turn{user("q"), assistant(call("a", "f", "{}"), call("b", "f", "{}")), result("b", "B"), result("a", "A"), user("go on")},
			[]string{q, uses(use("a", "{}"), use("b", "{}")), gaveAll(gave("a", "A"), gave("b", "B"), `{"type":"text","text":"go on"}`)}},
		{"E-059 a call without a result", []translate.Turn{user("q"), assistant(call("a", "f", "{}"), call("b", "f", "{}")), result("b", "B")},
			[]string{q, uses(use("a", "{}"), use("b", "{}")), gaveAll(missing("a"), gave("b", "B"))}},
		{"E-059 no result at all", []translate.Turn{user("q"), assistant(call("a", "f", "{}"))},
			[]string{q, uses(use("a", "{}")), gaveAll(missing("a"))}},
		{"E-059 no result before the next question", []translate.Turn{user("q"), assistant(call("a", "f", "{}")), user("q2")},
			[]string{q, uses(use("a", "{}")), gaveAll(missing("a"), `{"type":"text","text":"q2"}`)}},
		{"the last of two results counts", []translate.Turn{user("q"), assistant(call("a", "f", "{}")), result("a", "1"), result("a", "2")},
			[]string{q, uses(use("a", "{}")), gaveAll(gave("a", "2"))}},
		{"E-059 an orphan is text", []translate.Turn{user("q"), result("zz", "lost", image(translate.Media{URL: "https://e.com/a"}))},
			[]string{gaveAll(`{"type":"text","text":"q"}`, `{"type":"text","text":"Tool result for zz: lost"}`, `{"type":"image","source":{"type":"url","url":"https://e.com/a"}}`)}},
		{"a result that comes a turn late is an orphan", []translate.Turn{user("q"), assistant(call("a", "f", "{}")), user("x"), assistant("y"), result("a", "late")},
			[]string{q, uses(use("a", "{}")), gaveAll(missing("a"), `{"type":"text","text":"x"}`), said("assistant", "y"), said("user", "Tool result for a: late")}},
		{"text behind calls moves before them", []translate.Turn{user("q"), assistant(call("a", "f", "{}"), "then"), result("a", "A")},
			[]string{q, uses(`{"type":"text","text":"then"}`, use("a", "{}")), gaveAll(gave("a", "A"))}},
		{"several assistant messages before the results merge", []translate.Turn{user("q"), assistant("1", call("a", "f", "{}")), assistant("2", call("b", "f", "{}")), result("a", "A"), result("b", "B")},
			[]string{q, uses(`{"type":"text","text":"1"}`, `{"type":"text","text":"2"}`, use("a", "{}"), use("b", "{}")), gaveAll(gave("a", "A"), gave("b", "B"))}},
		{"an error by its flag", []translate.Turn{user("q"), assistant(call("a", "f", "{}")), failed},
			[]string{q, uses(use("a", "{}")), gaveAll(`{"type":"tool_result","tool_use_id":"a","content":"bad","is_error":true}`)}},
		{"nothing as a result", []translate.Turn{user("q"), assistant(call("a", "f", "{}")), result("a", " ")},
			[]string{q, uses(use("a", "{}")), gaveAll(`{"type":"tool_result","tool_use_id":"a"}`)}},
		{"parts as a result", []translate.Turn{user("q"), assistant(call("a", "f", "{}")), result("a", "x", image(translate.Media{URL: "https://e.com/a"}), file(translate.Media{URL: "https://e.com/b"}))},
			[]string{q, uses(use("a", "{}")), gaveAll(`{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"x"},{"type":"image","source":{"type":"url","url":"https://e.com/a"}},{"type":"document","source":{"type":"url","url":"https://e.com/b"}}]}`)}},
		{"ids that are illegal", []translate.Turn{user("q"), assistant(call("functions.f:0", "f", "{}")), result("functions.f:0", "A")},
			[]string{q, uses(use("functions_f_0_"+shortHash("functions.f:0"), "{}")), gaveAll(gave("functions_f_0_"+shortHash("functions.f:0"), "A"))}},
		{"ids that are missing", []translate.Turn{user("q"), assistant(call("", "f", "{}"), call("", "f", "{}")), byName, byName},
			[]string{q, uses(use("call_"+shortHash(""), "{}"), use("call_"+shortHash(" 1"), "{}")), gaveAll(gave("call_"+shortHash(""), "r"), gave("call_"+shortHash(" 1"), "r"))}},
		{"ids that are used again", []translate.Turn{user("q"), assistant(call("x", "f", "{}")), result("x", "1"), assistant(call("x", "f", "{}")), result("x", "2")},
			[]string{q, uses(use("x", "{}")), gaveAll(gave("x", "1")), uses(use("x_"+shortHash("x 1"), "{}")), gaveAll(gave("x_"+shortHash("x 1"), "2"))}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, m := encode(t, request("claude-sonnet-4-5", tt.turns...), Options{})
			if got, want := string(m["messages"]), list(tt.want...); got != want {
				t.Errorf("messages are\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// Whatever the model wrote as arguments, input is an object.
func TestE050CallArguments(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		``: `{}`, ` `: `{}`, `null`: `{}`, `{}`: `{}`,
		` {"b":1,"a":[1, 2.50]} `: `{"b":1,"a":[1, 2.50]}`,
		`[1,2]`:                   `{"input":[1,2]}`,
		`5`:                       `{"input":5}`,
		`"x"`:                     `{"input":"x"}`,
		`{"cut":"of`:              `{"input":"{\"cut\":\"of"}`,
		`plain ü`:                 `{"input":"plain ü"}`,
	} {
		_, m := encode(t, request("claude-opus-5", user("q"), assistant(call("a", "f", args)), result("a", "A")), Options{})
		if got := string(m["messages"]); !strings.Contains(got, use("a", want)) {
			t.Errorf("%q gives %s, want input %s", args, got, want)
		}
	}
	custom := call("a", "f", `SELECT "x"`)
	custom.Call.Custom = true
	_, m := encode(t, request("claude-opus-5", user("q"), assistant(custom), result("a", "A")), Options{})
	if got := string(m["messages"]); !strings.Contains(got, use("a", `{"input":"SELECT \"x\""}`)) {
		t.Errorf("a custom call gives %s", got)
	}
}

// Thousands of equal ids must not make the encoder slow.
func TestManyEqualIDs(t *testing.T) {
	t.Parallel()
	const n = 20000
	a := assistant()
	turns := []translate.Turn{user("q"), a}
	for i := range n {
		turns[1].Parts = append(turns[1].Parts, call("x", "f", "{}"))
		turns = append(turns, result("x", strconv.Itoa(i)))
	}
	_, m := encode(t, request("claude-opus-5", turns...), Options{})
	if got := strings.Count(string(m["messages"]), `"tool_result"`); got != n {
		t.Errorf("%d results, want %d", got, n)
	}
}
