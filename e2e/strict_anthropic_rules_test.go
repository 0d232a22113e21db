package e2e

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

// claudeModel is what the API says about a model, besides what its types say: which
// requests it refuses with status 400.
type claudeModel struct {
	name      string
	maxOutput int64
	sampling  bool     // temperature, top_p, top_k, under the older version
	thinking  []string // the types of "thinking" that it takes
	efforts   []string
	noneUpTo  string // the highest effort beside thinking that is off; "" for any
	forced    bool   // tool_choice any and tool
	native    bool   // output_config.format and strict tools
	prefill   bool
	system    string // system turns among the messages: "", "beta", "yes"
}

var (
	allEfforts  = []string{"low", "medium", "high", "xhigh", "max"}
	mostEfforts = []string{"low", "medium", "high", "max"}
	someEfforts = []string{"low", "medium", "high"}
)

// claudeModels are one model of each generation, and one that nobody has heard of.
var claudeModels = []claudeModel{
	{name: "claude-fable-5-1", maxOutput: 128000, thinking: []string{"adaptive"}, efforts: allEfforts, native: true, system: "beta"},
	{name: "claude-fable-5", maxOutput: 128000, thinking: []string{"adaptive"}, efforts: allEfforts, forced: true, native: true, system: "beta"},
	{name: "claude-opus-5-5", maxOutput: 128000, thinking: []string{"adaptive"}, efforts: allEfforts, native: true, system: "beta"},
	{name: "claude-opus-5", maxOutput: 128000, thinking: []string{"adaptive", "disabled"}, noneUpTo: "high", efforts: allEfforts, forced: true, native: true, system: "beta"},
	{name: "claude-sonnet-5-5", maxOutput: 128000, thinking: []string{"adaptive", "between_tools"}, noneUpTo: "high", efforts: allEfforts, native: true, system: "beta"},
	{name: "claude-sonnet-5", maxOutput: 128000, thinking: []string{"adaptive", "disabled"}, efforts: allEfforts, forced: true, native: true, system: "beta"},
	{name: "claude-haiku-5-5", maxOutput: 128000, thinking: []string{"adaptive", "disabled"}, noneUpTo: "high", efforts: allEfforts, forced: true, native: true, system: "beta"},
	{name: "claude-opus-4-8", maxOutput: 128000, thinking: []string{"adaptive", "disabled"}, efforts: allEfforts, forced: true, native: true, system: "yes"},
	{name: "claude-opus-4-7", maxOutput: 128000, thinking: []string{"adaptive", "disabled"}, efforts: allEfforts, forced: true, native: true},
	{name: "claude-sonnet-4-6", maxOutput: 128000, sampling: true, thinking: []string{"adaptive", "enabled", "disabled"}, efforts: mostEfforts, forced: true, native: true},
	{name: "claude-opus-4-5-20251101", maxOutput: 64000, sampling: true, thinking: []string{"enabled", "disabled"}, efforts: someEfforts, forced: true, native: true, prefill: true},
	{name: "claude-sonnet-4-5", maxOutput: 64000, sampling: true, thinking: []string{"enabled", "disabled"}, forced: true, native: true, prefill: true},
	{name: "claude-opus-4-1", maxOutput: 32000, sampling: true, thinking: []string{"enabled", "disabled"}, forced: true, native: true, prefill: true},
	{name: "claude-sonnet-4-20250514", maxOutput: 64000, sampling: true, thinking: []string{"enabled", "disabled"}, forced: true, prefill: true},
	{name: "claude-3-5-sonnet-20241022", maxOutput: 8192, sampling: true, forced: true, prefill: true},
	{name: "claude-3-haiku-20240307", maxOutput: 4096, sampling: true, forced: true, prefill: true},
	{name: "claude-saga-7", maxOutput: 128000, thinking: []string{"adaptive"}, efforts: allEfforts, native: true},
}

// check adds to a list what is not so.
type check struct{ wrong []string }

func (c *check) that(ok bool, format string, args ...any) {
	if !ok {
		c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
	}
}

// breaches lists which of the API's rules a request breaks that no type can express.
func (m *claudeModel) breaches(header http.Header, text []byte) []string {
	c, r := new(check), gjson.ParseBytes(text)
	c.that((header.Get("x-api-key") == "") != (header.Get("authorization") == ""), "there is not one key")
	m.checkParameters(c, r, header.Get("anthropic-version"))
	m.checkTools(c, r)
	m.checkTurns(c, r, header.Get("anthropic-beta"))
	breakpoints := 0
	r.ForEach(func(_, v gjson.Result) bool {
		breakpoints += strings.Count(v.Raw, `"cache_control":`)
		return true
	})
	c.that(breakpoints <= 4, "there are %d cache breakpoints", breakpoints)
	return c.wrong
}

func (m *claudeModel) checkParameters(c *check, r gjson.Result, version string) {
	limit := r.Get("max_tokens").Int()
	c.that(limit >= 1 && limit <= m.maxOutput, "max_tokens is %d", limit)
	c.that(limit <= 21333 || r.Get("stream").Bool(), "%d tokens are not streamed", limit)
	thinking, effort := r.Get("thinking"), r.Get("output_config.effort").String()
	kind := thinking.Get("type").String()
	c.that(kind == "" || slices.Contains(m.thinking, kind), "thinking is %q", kind)
	c.that(effort == "" || slices.Contains(m.efforts, effort), "the effort is %q", effort)
	if kind == "disabled" || kind == "between_tools" {
		c.that(m.noneUpTo == "" || slices.Index(allEfforts, effort) <= slices.Index(allEfforts, m.noneUpTo), "the effort is %q, and thinking is %q", effort, kind)
	}
	budget := thinking.Get("budget_tokens")
	c.that((kind == "enabled") == budget.Exists(), "thinking is %s", thinking.Raw)
	c.that(!budget.Exists() || budget.Int() >= 1024 && budget.Int() < limit, "the budget is %d of %d", budget.Int(), limit)
	c.that(!r.Get("output_config.format").Exists() || m.native, "the model has no output_config.format")
	sampling := r.Get("temperature").Exists() || r.Get("top_p").Exists() || r.Get("top_k").Exists()
	c.that(!sampling || m.sampling && version == "2023-06-01", "there are sampling parameters")
	c.that(sampling || version == "2026-10-21", "the version is %q, though nothing needs it", version)
	c.that(!r.Get("temperature").Exists() || !r.Get("top_p").Exists(), "both temperature and top_p are sent")
	temperature := r.Get("temperature").Float()
	c.that(temperature >= 0 && temperature <= 1, "the temperature is %v", temperature)
	if kind != "" && kind != "disabled" {
		c.that(!r.Get("temperature").Exists() && !r.Get("top_k").Exists(), "a thinking model is sent a temperature or top_k")
		c.that(!r.Get("top_p").Exists() || r.Get("top_p").Float() >= 0.95, "a thinking model is sent a top_p of %s", r.Get("top_p").Raw)
	}
	for _, s := range r.Get("stop_sequences").Array() {
		c.that(strings.TrimSpace(s.String()) != "", "a stop sequence is blank")
	}
	c.that(!strings.Contains(r.Get("metadata.user_id").String(), "@"), "the user is named: %s", r.Get("metadata.user_id").Raw)
}

var claudeName, claudeID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`), regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func (m *claudeModel) checkTools(c *check, r gjson.Result) {
	names := map[string]bool{}
	for _, t := range r.Get("tools").Array() {
		name := t.Get("name").String()
		c.that(claudeName.MatchString(name) || t.Get("type").String() == "mcp_toolset", "a tool is called %q", name)
		c.that(!names[name], "two tools are called %q", name)
		names[name] = true
		c.that(!t.Get("strict").Bool() || m.native, "the tool %s is strict", name)
		for _, combination := range []string{"anyOf", "oneOf", "allOf"} {
			c.that(!t.Get("input_schema."+combination).Exists(), "the schema of the tool %s has %s at its root", name, combination)
		}
		if t.Get("strict").Bool() {
			c.that(t.Get("input_schema.additionalProperties").Raw == "false", "the strict tool %s is open", name)
		}
	}
	choice := r.Get("tool_choice")
	forced := choice.Get("type").String() == "any" || choice.Get("type").String() == "tool"
	c.that(!choice.Exists() || len(names) > 0, "there is a choice of no tools")
	c.that(!forced || m.forced && r.Get("thinking.type").String() != "enabled", "the model must call: %s", choice.Raw)
	if name := choice.Get("name"); name.Exists() {
		c.that(names[name.String()], "the chosen tool %s is not declared", name.Raw)
	}
	c.that(!strings.Contains(r.Get("messages").Raw, `"type":"tool_use"`) || len(names) > 0, "there are calls and no tools")
}

func (m *claudeModel) checkTurns(c *check, r gjson.Result, betas string) {
	turns := r.Get("messages").Array()
	c.that(len(turns) > 0 && turns[0].Get("role").String() == "user", "the first turn is not the user's")
	var calls []string
	ids := map[string]bool{}
	for i, t := range turns {
		role, blocks := t.Get("role").String(), t.Get("content").Array()
		c.that(len(blocks) > 0, "turn %d is empty", i)
		c.that(i == 0 || role != turns[i-1].Get("role").String(), "the turns %d and %d are both of the %s", i-1, i, role)
		if role == "system" {
			c.that(m.system == "yes" || m.system == "beta" && strings.Contains(betas, "mid-conversation-system-2026-04-07"), "turn %d is the system's", i)
			c.that(i > 0 && turns[i-1].Get("role").String() == "user" && (i+1 == len(turns) || turns[i+1].Get("role").String() == "assistant"), "turn %d is the system's, where it cannot be", i)
		}
		var results []string
		for n, b := range blocks {
			if b.Get("type").String() != "tool_result" {
				continue
			}
			c.that(role == "user" && n == len(results), "turn %d has a result at %d, behind other content", i, n)
			results = append(results, b.Get("tool_use_id").String())
		}
		c.that(slices.Equal(results, calls), "turn %d has the results of %q, not of %q", i, results, calls)
		calls = nil
		for n, b := range blocks {
			kind := b.Get("type").String()
			c.checkBlock(i, n, role, b)
			if kind == "tool_use" {
				id := b.Get("id").String()
				c.that(claudeID.MatchString(id) && !ids[id], "turn %d has a call with the id %q", i, id)
				ids[id] = true
				calls = append(calls, id)
				continue
			}
			c.that(len(calls) == 0, "turn %d has %s behind a call", i, kind)
			thinks := kind == "thinking" || kind == "redacted_thinking"
			c.that(!thinks || n < len(blocks)-1, "turn %d ends in thinking", i)
		}
		if kind := blocks[0].Get("type").String(); r.Get("thinking.type").String() == "enabled" && len(calls) > 0 && i == len(turns)-2 {
			c.that(kind == "thinking" || kind == "redacted_thinking", "turn %d calls tools and does not begin with thinking", i)
		}
	}
	c.that(len(calls) == 0, "the last calls have no results")
	if last := turns[len(turns)-1]; last.Get("role").String() == "assistant" {
		text := last.Get("content.@reverse.0.text").String()
		c.that(m.prefill && text == strings.TrimRight(text, " \t\r\n"), "the last turn is the assistant's")
	}
}

func (c *check) checkBlock(turn, n int, role string, b gjson.Result) {
	switch kind := b.Get("type").String(); kind {
	case "text":
		c.that(strings.TrimSpace(b.Get("text").String()) != "", "turn %d has a blank text", turn)
	case "tool_use", "thinking", "redacted_thinking":
		c.that(role == "assistant", "turn %d is the %s's and has %s", turn, role, kind)
		c.that(!strings.Contains(kind, "thinking") || !b.Get("cache_control").Exists(), "turn %d has a breakpoint on thinking", turn)
		c.that(kind != "thinking" || b.Get("signature").String() != "", "turn %d has thinking that is not signed", turn)
		c.that(kind != "tool_use" || b.Get("input").IsObject(), "turn %d has a call with %s", turn, b.Get("input").Raw)
	case "tool_result":
		for i, inner := range b.Get("content").Array() {
			if b.Get("content").IsArray() {
				c.checkBlock(turn, i, role, inner)
				c.that(!inner.Get("cache_control").Exists(), "turn %d has a breakpoint inside a result", turn)
			}
		}
	case "image", "document":
		c.that(role == "user", "turn %d is the %s's and has %s", turn, role, kind)
		if b.Get("source.type").String() == "base64" {
			_, err := base64.StdEncoding.DecodeString(b.Get("source.data").String())
			c.that(err == nil && b.Get("source.data").String() != "", "turn %d has data that is not base64", turn)
		}
		if b.Get("source.type").String() == "url" {
			c.that(strings.HasPrefix(b.Get("source.url").String(), "https://"), "turn %d has the URL %s", turn, b.Get("source.url").Raw)
		}
	default:
		c.that(false, "turn %d has %s at %d", turn, kind, n)
	}
}

// TestBreachesOfClaudesRules shows that a broken rule is found.
func TestBreachesOfClaudesRules(t *testing.T) {
	t.Parallel()
	header := http.Header{"X-Api-Key": {"k"}, "Anthropic-Version": {"2026-10-21"}}
	model := &claudeModels[3] // claude-opus-5
	if wrong := model.breaches(header, []byte(plainClaudeRequest)); len(wrong) > 0 {
		t.Errorf("a good request is blamed: %s", strings.Join(wrong, "; "))
	}
	for name, plant := range map[string][2]string{
		"too much output":              {`"max_tokens":100`, `"max_tokens":200000`},
		"much output in one piece":     {`"max_tokens":100`, `"max_tokens":22000,"stream":false`},
		"thinking with a budget":       {`{"type":"adaptive","display":"summarized"}`, `{"type":"enabled","budget_tokens":1024}`},
		"a temperature":                {`"max_tokens":100`, `"max_tokens":100,"temperature":1`},
		"a blank stop sequence":        {`["x"]`, `["x"," "]`},
		"a user's address":             {`"user_id":"u"`, `"user_id":"u@example.com"`},
		"a union of schemas":           {`"required":["a"]`, `"anyOf":[{"required":["a"]}]`},
		"a name with a dot":            {`"name":"f","description"`, `"name":"f.g","description"`},
		"a choice of no tool":          {`{"type":"auto","disable_parallel_tool_use":true}`, `{"type":"tool","name":"g"}`},
		"a blank text":                 {`"text":"q"`, `"text":" "`},
		"two turns of one":             {`{"role":"assistant"`, `{"role":"user"`},
		"a result of another call":     {`"tool_use_id":"t1"`, `"tool_use_id":"t2"`},
		"an id with a colon":           {`"id":"t1"`, `"id":"t:1"`},
		"unsigned thinking":            {`"signature":"s"`, `"signature":""`},
		"thinking with a breakpoint":   {`"signature":"s"`, `"signature":"s","cache_control":{"type":"ephemeral"}`},
		"arguments that are no object": {`"input":{"a":1}`, `"input":[]`},
		"two keys":                     {`"max_tokens":100`, `"max_tokens":100,"two keys":0`},
	} {
		text := strings.Replace(plainClaudeRequest, plant[0], plant[1], 1)
		header := header.Clone()
		if name == "two keys" {
			header.Set("Authorization", "Bearer k")
		}
		if wrong := model.breaches(header, []byte(text)); text == plainClaudeRequest || len(wrong) == 0 {
			t.Errorf("%s is not noticed", name)
		}
	}
}
