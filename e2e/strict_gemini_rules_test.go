package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

// geminiModel is what the API says about a model, besides what its types say: which
// requests it refuses with status 400.
type geminiModel struct {
	name string
	// levels and budgets are how it thinks: one of them, or none. budgets are its
	// least and its most, and "off" is whether 0 is taken.
	levels  []string
	budgets [2]int64
	off     bool

	system       bool // it has a system instruction
	json         bool // responseMimeType application/json
	jsonSchema   bool // parametersJsonSchema and responseJsonSchema
	jsonTools    bool // JSON mode, or server tools, beside functions
	validated    bool // the mode VALIDATED
	signed       bool // the first call of a step must be signed
	penalties    bool
	resultMedia  bool // media in functionResponse
	resolution   bool // mediaResolution of parts
	longestNames int
}

var (
	threeLevels = []string{"LOW", "MEDIUM", "HIGH"}
	fourLevels  = []string{"MINIMAL", "LOW", "MEDIUM", "HIGH"}
)

// geminiModels are one model of each kind, and one that nobody has heard of.
var geminiModels = []geminiModel{
	{name: "gemini-4-pro", levels: threeLevels, system: true, json: true, jsonSchema: true, jsonTools: true, validated: true, signed: true, penalties: true, resultMedia: true, resolution: true, longestNames: 128},
	{name: "gemini-3.7-flash", levels: threeLevels, system: true, json: true, jsonSchema: true, jsonTools: true, validated: true, signed: true, penalties: true, resultMedia: true, resolution: true, longestNames: 128},
	{name: "gemini-3-pro-preview", levels: []string{"LOW", "HIGH"}, system: true, json: true, jsonSchema: true, jsonTools: true, validated: true, signed: true, penalties: true, resultMedia: true, resolution: true, longestNames: 128},
	{name: "gemini-3-flash-preview", levels: fourLevels, system: true, json: true, jsonSchema: true, jsonTools: true, validated: true, signed: true, penalties: true, resultMedia: true, resolution: true, longestNames: 128},
	{name: "gemini-2.5-pro", budgets: [2]int64{128, 32768}, system: true, json: true, jsonSchema: true, validated: true, longestNames: 64},
	{name: "gemini-2.5-flash", budgets: [2]int64{1, 24576}, off: true, system: true, json: true, jsonSchema: true, validated: true, longestNames: 64},
	{name: "gemini-2.5-flash-lite", budgets: [2]int64{512, 24576}, off: true, system: true, json: true, jsonSchema: true, validated: true, longestNames: 64},
	{name: "gemini-2.0-flash", system: true, json: true, penalties: true, longestNames: 64},
	{name: "gemini-2.5-flash-image", system: true, jsonSchema: true, longestNames: 64},
	{name: "gemini-3-pro-image-preview", system: true, jsonSchema: true, signed: true, penalties: true, resultMedia: true, resolution: true, longestNames: 128},
	{name: "gemma-3-27b-it", penalties: true, longestNames: 64},
}

// breaches lists which of the API's rules a request breaks that no type can express.
func (m *geminiModel) breaches(header http.Header, text []byte) []string {
	c, r := new(check), gjson.ParseBytes(text)
	c.that(header.Get("x-goog-api-key") != "" && header.Get("authorization") == "", "the key is not in its header")
	m.checkConfig(c, r)
	m.checkTools(c, r)
	m.checkContents(c, r)
	return c.wrong
}

func (m *geminiModel) checkConfig(c *check, r gjson.Result) {
	config := r.Get("generationConfig")
	level, budget := config.Get("thinkingConfig.thinkingLevel").String(), config.Get("thinkingConfig.thinkingBudget")
	c.that(level == "" || slices.Contains(m.levels, level), "the level of thinking is %q", level)
	c.that(!budget.Exists() || m.budgets[1] > 0, "the budget of thinking is %s", budget.Raw)
	c.that(!budget.Exists() || m.off && budget.Int() == 0 || budget.Int() >= m.budgets[0] && budget.Int() <= m.budgets[1], "the budget of thinking is %s", budget.Raw)
	c.that(level == "" || !budget.Exists(), "there are a level and a budget")
	c.that(!config.Get("thinkingConfig").Exists() || m.levels != nil || m.budgets[1] > 0, "the model cannot think: %s", config.Get("thinkingConfig").Raw)
	c.that(m.system || !r.Get("systemInstruction").Exists(), "there is a system instruction")
	c.that(!r.Get("systemInstruction").Exists() || len(r.Get("systemInstruction.parts").Array()) > 0, "the system instruction is empty")
	c.that(m.penalties || !config.Get("presencePenalty").Exists() && !config.Get("frequencyPenalty").Exists(), "there are penalties")
	c.that(len(config.Get("stopSequences").Array()) <= 5, "there are more than five stop sequences")
	for _, s := range config.Get("stopSequences").Array() {
		c.that(s.String() != "", "a stop sequence is empty")
	}
	mime, tools := config.Get("responseMimeType").String(), r.Get("tools").Exists()
	c.that(mime == "" || m.json && (m.jsonTools || !tools), "there is %s, and tools: %t", mime, tools)
	c.that(!config.Get("responseSchema").Exists() || !config.Get("responseJsonSchema").Exists(), "there are two schemas of the response")
	c.that(m.jsonSchema || !config.Get("responseJsonSchema").Exists(), "there is a responseJsonSchema")
	c.checkJSONSchema(config.Get("responseJsonSchema"), "responseJsonSchema")
	c.that(!config.Get("logprobs").Exists() || config.Get("responseLogprobs").Bool(), "there are logprobs that are not asked for")
}

var geminiName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.:-]*$`)

func (m *geminiModel) checkTools(c *check, r gjson.Result) {
	names, server := map[string]bool{}, false
	for _, t := range r.Get("tools").Array() {
		c.that(len(t.Map()) == 1, "a tool is several: %s", t.Raw)
		server = server || !t.Get("functionDeclarations").Exists()
		for _, f := range t.Get("functionDeclarations").Array() {
			name := f.Get("name").String()
			c.that(geminiName.MatchString(name) && len(name) <= m.longestNames && !names[name], "a function is called %q", name)
			names[name] = true
			c.that(!f.Get("parameters").Exists() || !f.Get("parametersJsonSchema").Exists(), "%s has two schemas", name)
			c.that(m.jsonSchema || !f.Get("parametersJsonSchema").Exists(), "%s has a parametersJsonSchema", name)
			c.checkJSONSchema(f.Get("parametersJsonSchema"), name)
			c.checkOpenSchema(f.Get("parameters"), name)
		}
	}
	c.that(m.jsonTools || !server || len(names) == 0, "there are functions and tools of the server")
	c.that((server && len(names) > 0) == r.Get("toolConfig.includeServerSideToolInvocations").Bool(), "the flag for functions beside tools of the server is wrong")
	mode, allowed := r.Get("toolConfig.functionCallingConfig.mode").String(), r.Get("toolConfig.functionCallingConfig.allowedFunctionNames")
	c.that(mode == "" || len(names) > 0, "there is a mode of calling, and nothing to call")
	c.that(mode != "VALIDATED" || m.validated, "the mode is VALIDATED")
	c.that(!allowed.Exists() || mode == "ANY" || mode == "VALIDATED", "there are allowed functions, and the mode is %q", mode)
	for _, n := range allowed.Array() {
		c.that(names[n.String()], "the allowed function %s is not declared", n.Raw)
	}
	for _, content := range r.Get("contents").Array() {
		for _, p := range content.Get("parts").Array() {
			if name := p.Get("functionCall.name"); name.Exists() {
				c.that(geminiName.MatchString(name.String()) && len(name.String()) <= m.longestNames, "a call is of %s", name.Raw)
			}
		}
	}
}

// jsonKeywords are what the API knows of JSON schema, openKeywords of OpenAPI's.
var (
	jsonKeywords = strings.Fields("$id $defs $ref $anchor type format title description enum items prefixItems minItems maxItems minimum maximum anyOf oneOf properties additionalProperties required propertyOrdering")
	openKeywords = strings.Fields("type format title description nullable enum items minItems maxItems minLength maxLength pattern minimum maximum minProperties maxProperties properties required propertyOrdering anyOf default example")
)

func (c *check) checkJSONSchema(s gjson.Result, path string) {
	if !s.IsObject() {
		return
	}
	s.ForEach(func(name, value gjson.Result) bool {
		at := path + "." + name.String()
		c.that(slices.Contains(jsonKeywords, name.String()), "%s is no keyword", at)
		switch name.String() {
		case "properties", "$defs":
			value.ForEach(func(name, inner gjson.Result) bool {
				c.checkJSONSchema(inner, at+"."+name.String())
				return true
			})
		case "items", "additionalProperties":
			c.checkJSONSchema(value, at)
		case "anyOf", "oneOf", "prefixItems":
			for i, inner := range value.Array() {
				c.checkJSONSchema(inner, fmt.Sprintf("%s[%d]", at, i))
			}
		case "$ref":
			s.ForEach(func(other, _ gjson.Result) bool {
				c.that(strings.HasPrefix(other.String(), "$"), "%s stands beside %s", at, other)
				return true
			})
		case "required":
			for _, n := range value.Array() {
				c.that(s.Get("properties."+gjson.Escape(n.String())).Exists(), "%s has %s, which is no property", at, n.Raw)
			}
		case "enum":
			for _, v := range value.Array() {
				c.that(v.Type == gjson.String || v.Type == gjson.Number, "%s has %s", at, v.Raw)
			}
		}
		return true
	})
}

func (c *check) checkOpenSchema(s gjson.Result, path string) {
	if !s.Exists() {
		return
	}
	if s.Get("anyOf").Exists() {
		c.that(len(s.Map()) == 1, "%s has anyOf and more: %s", path, s.Raw)
	} else {
		c.that(s.Get("type").Type == gjson.String, "%s has no type: %s", path, s.Raw)
	}
	s.ForEach(func(name, value gjson.Result) bool {
		at := path + "." + name.String()
		c.that(slices.Contains(openKeywords, name.String()), "%s is no keyword", at)
		switch name.String() {
		case "properties":
			value.ForEach(func(name, inner gjson.Result) bool {
				c.checkOpenSchema(inner, at+"."+name.String())
				return true
			})
		case "items":
			c.checkOpenSchema(value, at)
		case "anyOf":
			for i, inner := range value.Array() {
				c.checkOpenSchema(inner, fmt.Sprintf("%s[%d]", at, i))
			}
		case "enum":
			for _, v := range value.Array() {
				c.that(v.Type == gjson.String && v.String() != "", "%s has %s", at, v.Raw)
			}
		}
		return true
	})
}

// partKinds are the members of a part of which it has exactly one.
var partKinds = []string{"text", "inlineData", "fileData", "functionCall", "functionResponse"}

func (m *geminiModel) checkContents(c *check, r gjson.Result) {
	contents := r.Get("contents").Array()
	c.that(len(contents) > 0, "there are no contents")
	var calls []string
	for i, content := range contents {
		role, parts := content.Get("role").String(), content.Get("parts").Array()
		c.that(role == "user" || role == "model", "content %d is of the %q", i, role)
		c.that(i == 0 || role != contents[i-1].Get("role").String(), "the contents %d and %d are both of the %s", i-1, i, role)
		c.that(len(parts) > 0, "content %d is empty", i)
		var results []string
		for n, p := range parts {
			m.checkPart(c, i, role, p)
			if response := p.Get("functionResponse"); response.Exists() {
				c.that(n == len(results), "content %d has a response at %d, behind other parts", i, n)
				results = append(results, response.Get("name").String()+" "+response.Get("id").String())
			}
		}
		c.that(slices.Equal(results, calls), "content %d has the responses of %q, not of %q", i, results, calls)
		calls = nil
		signed, step := false, false
		for _, p := range parts {
			if call := p.Get("functionCall"); call.Exists() {
				calls = append(calls, call.Get("name").String()+" "+call.Get("id").String())
				if !step {
					step, signed = true, p.Get("thoughtSignature").Exists()
				}
			}
		}
		c.that(i > 0 || len(calls) == 0, "the first content calls")
		c.that(!m.signed || !step || signed, "the first call of content %d is not signed", i)
	}
	c.that(len(calls) == 0, "the last calls have no responses")
}

func (m *geminiModel) checkPart(c *check, content int, role string, p gjson.Result) {
	kinds := 0
	for _, k := range partKinds {
		if p.Get(k).Exists() {
			kinds++
		}
	}
	c.that(kinds == 1, "content %d has a part that is %d things: %.200s", content, kinds, p.Raw)
	c.that(p.Get("text").String() != "" || !p.Get("text").Exists() || p.Get("thoughtSignature").Exists(), "content %d has an empty text", content)
	c.that(role == "model" || !p.Get("functionCall").Exists(), "content %d is the user's and calls", content)
	c.that(role == "user" || !p.Get("functionResponse").Exists(), "content %d is the model's and responds", content)
	c.that(!p.Get("inlineData").Exists() || p.Get("inlineData.mimeType").String() != "", "content %d has data of no type", content)
	c.that(m.resolution || !p.Get("mediaResolution").Exists(), "content %d has a resolution", content)
	c.that(m.resultMedia || !p.Get("functionResponse.parts").Exists(), "content %d has media in a response", content)
	if sig := p.Get("thoughtSignature"); sig.Exists() {
		c.that(m.signed || m.budgets[1] > 0, "content %d has a signature", content)
	}
}

// TestBreachesOfGeminisRules shows that a broken rule is found.
func TestBreachesOfGeminisRules(t *testing.T) {
	t.Parallel()
	header := http.Header{"X-Goog-Api-Key": {"k"}}
	model := &geminiModels[2] // gemini-3-pro-preview
	if wrong := model.breaches(header, []byte(plainGeminiRequest)); len(wrong) > 0 {
		t.Errorf("a good request is blamed: %s", strings.Join(wrong, "; "))
	}
	for name, plant := range map[string][2]string{
		"a level the model has not":     {`"thinkingLevel":"LOW"`, `"thinkingLevel":"MEDIUM"`},
		"a budget":                      {`"thinkingLevel":"LOW"`, `"thinkingBudget":100`},
		"both":                          {`"thinkingLevel":"LOW"`, `"thinkingLevel":"LOW","thinkingBudget":100`},
		"six stop sequences":            {`["x"]`, `["1","2","3","4","5","6"]`},
		"a name with a slash":           {`{"name":"f","description"`, `{"name":"f/g","description"`},
		"a name that is not declared":   {`"allowedFunctionNames":["f"]`, `"allowedFunctionNames":["h"]`},
		"names with AUTO":               {`"mode":"ANY"`, `"mode":"AUTO"`},
		"a keyword nobody knows":        {`"title":"T"`, `"properties":{"a":{"const":1}}`},
		"a property nobody has":         {`"title":"T"`, `"required":["a"]`},
		"two turns of one":              {`{"role":"model"`, `{"role":"user"`},
		"a response to nothing":         {`"name":"f","response"`, `"name":"g","response"`},
		"a call without a signature":    {`,"thoughtSignature":"c2ln"`, ``},
		"an empty text":                 {`{"text":"q"}`, `{"text":""}`},
		"a part that is two":            {`{"text":"q"}`, `{"text":"q","fileData":{"fileUri":"x"}}`},
		"data of no type":               {`"mimeType":"image/png",`, ``},
		"a schema with two of a kind":   {`"parameters":{"type":"OBJECT"`, `"parametersJsonSchema":{},"parameters":{"type":"OBJECT"`},
		"server tools without the flag": {`"includeServerSideToolInvocations":true`, `"includeServerSideToolInvocations":false`},
	} {
		text := strings.Replace(plainGeminiRequest, plant[0], plant[1], 1)
		if wrong := model.breaches(header, []byte(text)); text == plainGeminiRequest || len(wrong) == 0 {
			t.Errorf("%s is not noticed", name)
		}
	}
}
