package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	anthropicv1 "github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/v2"
	"github.com/tidwall/gjson"
)

// anthropicKits are the SDKs by the version of the API that they speak.
var anthropicKits = sync.OnceValues(func() (map[string]*kit, error) {
	kits := map[string]*kit{}
	for version, module := range map[string]string{"2023-06-01": "github.com/anthropics/anthropic-sdk-go", "2026-10-21": "github.com/anthropics/anthropic-sdk-go/v2"} {
		k, err := openKit(module, "message.go", "betamessage.go", "beta.go")
		if err != nil {
			return nil, err
		}
		kits[version] = k
	}
	return kits, nil
})

// claudeParams returns where the SDK decodes a request of a version to, and whether that
// is its beta interface.
func claudeParams(version string, beta bool) any {
	switch {
	case version == "2023-06-01" && beta:
		return new(anthropicv1.BetaMessageNewParams)
	case version == "2023-06-01":
		return new(anthropicv1.MessageNewParams)
	case version == "2026-10-21" && beta:
		return new(anthropic.BetaMessageNewParams)
	case version == "2026-10-21":
		return new(anthropic.MessageNewParams)
	}
	return nil
}

// betasOutsideSDK are values of anthropic-beta that no SDK lists: one that other clients
// send for system messages inside a conversation.
var betasOutsideSDK = []string{"mid-conversation-system-2026-04-07"}

// claudeFaults lists what is wrong with a request to the Messages API. The SDK of the
// version that the request names must decode it, and encode it to the same JSON again:
// what it has no field for, or another type of field, is lost on the way.
func claudeFaults(header http.Header, text []byte) []string {
	version, betas := header.Get("anthropic-version"), header.Get("anthropic-beta")
	params := claudeParams(version, betas != "")
	if params == nil {
		return []string{fmt.Sprintf("there is no version %q", version)}
	}
	kits, err := anthropicKits()
	if err != nil {
		return []string{err.Error()}
	}
	parsed, err := parse(text)
	if err != nil {
		return []string{err.Error()}
	}
	got, ok := parsed.(map[string]any)
	if !ok {
		return []string{"not an object"}
	}
	var wrong []string
	// The SDKs add this member where a stream is asked for.
	if stream, ok := got["stream"]; ok && stream != true {
		wrong = append(wrong, fmt.Sprintf("stream is %v", stream))
	}
	delete(got, "stream")
	if text, err = json.Marshal(got); err != nil {
		return []string{err.Error()}
	}
	if err := json.Unmarshal(text, params); err != nil {
		return append(wrong, fmt.Sprintf("the SDK does not decode it: %v", err))
	}
	again, err := json.Marshal(params)
	if err != nil {
		return append(wrong, fmt.Sprintf("the SDK does not encode it: %v", err))
	}
	var want any
	if err := json.Unmarshal(again, &want); err != nil {
		return append(wrong, err.Error())
	}
	inBlocks(got)
	wrong = append(wrong, difference("$", got, want)...)
	if text, err = json.Marshal(got); err != nil {
		return append(wrong, err.Error())
	}
	wrong = append(wrong, kits[version].faults(reflect.ValueOf(params), gjson.ParseBytes(text), "$")...)
	for beta := range strings.SplitSeq(betas, ",") {
		if beta != "" && !slices.Contains(kits[version].words["AnthropicBeta"], beta) && !slices.Contains(betasOutsideSDK, beta) {
			wrong = append(wrong, fmt.Sprintf("the SDK has no beta called %q", beta))
		}
	}
	return wrong
}

// inBlocks writes the content of tool results as the SDK does: text as a block.
func inBlocks(v any) {
	switch v := v.(type) {
	case []any:
		for i := range v {
			inBlocks(v[i])
		}
	case map[string]any:
		if text, ok := v["content"].(string); ok && v["type"] == "tool_result" {
			v["content"] = []any{map[string]any{"type": "text", "text": text}}
			return
		}
		inBlocks(v["messages"])
		inBlocks(v["content"])
	}
}

const plainClaudeRequest = `{"model":"claude-opus-5","max_tokens":100,"tools":[{"name":"f","description":"d","input_schema":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"x-note":1}}],` +
	`"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}],"messages":[{"role":"user","content":[{"type":"text","text":"q"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"aGk="}}]},` +
	`{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s"},{"type":"tool_use","id":"t1","name":"f","input":{"a":1}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"r","is_error":true}]}],` +
	`"thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"high"},"tool_choice":{"type":"auto","disable_parallel_tool_use":true},"stop_sequences":["x"],"metadata":{"user_id":"u"},"service_tier":"auto","stream":true}`

// TestStrictnessOfClaudeRequests shows that what an API may refuse is found, wherever it
// stands.
func TestStrictnessOfClaudeRequests(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2023-06-01", "2026-10-21"} {
		header := http.Header{"Anthropic-Version": {version}}
		if wrong := claudeFaults(header, []byte(plainClaudeRequest)); len(wrong) > 0 {
			t.Errorf("%s: a good request is blamed: %s", version, strings.Join(wrong, "; "))
		}
		for name, plant := range plantedInClaude {
			text := strings.Replace(plainClaudeRequest, plant[0], plant[1], 1)
			if text == plainClaudeRequest {
				t.Fatalf("%s: there is no %s", name, plant[0])
			}
			if wrong := claudeFaults(header, []byte(text)); len(wrong) == 0 {
				t.Errorf("%s: %s is not noticed", version, name)
			}
		}
	}
	sampling := []byte(strings.Replace(plainClaudeRequest, `"stream":true`, `"temperature":1`, 1))
	if wrong := claudeFaults(http.Header{"Anthropic-Version": {"2023-06-01"}}, sampling); len(wrong) > 0 {
		t.Errorf("the old version has no temperature: %v", wrong)
	}
	if wrong := claudeFaults(http.Header{"Anthropic-Version": {"2026-10-21"}}, sampling); len(wrong) == 0 {
		t.Error("the new version has a temperature")
	}
	if wrong := claudeFaults(http.Header{"Anthropic-Version": {"2026-10-21"}, "Anthropic-Beta": {"fast-mode-2026-02-01,some-beta-2026-01-01"}}, []byte(plainClaudeRequest)); len(wrong) != 1 {
		t.Errorf("an unknown beta: %v", wrong)
	}
	if wrong := claudeFaults(http.Header{}, []byte(plainClaudeRequest)); len(wrong) != 1 {
		t.Errorf("no version: %v", wrong)
	}
}

// plantedInClaude replaces something of a good request by what is wrong.
var plantedInClaude = map[string][2]string{
	"an unknown member":                        {`"max_tokens":100`, `"max_tokens":100,"max_completion_tokens":100`},
	"an unknown member of a message":           {`{"role":"user",`, `{"role":"user","name":"n",`},
	"an unknown member of a block":             {`{"type":"text","text":"q"`, `{"type":"text","text":"q","detail":"low"`},
	"an unknown member of a source":            {`"media_type":"image/png"`, `"media_type":"image/png","mime":"image/png"`},
	"an unknown member of a tool":              {`{"name":"f",`, `{"name":"f","parameters":{},`},
	"an unknown member of a choice":            {`{"type":"auto",`, `{"type":"auto","mode":"auto",`},
	"an unknown member of thinking":            {`"display":"summarized"`, `"display":"summarized","level":"low"`},
	"an unknown member of output_config":       {`{"effort":"high"`, `{"effort":"high","verbosity":"low"`},
	"an unknown member of cache_control":       {`"ttl":"1h"`, `"ttl":"1h","mode":"explicit"`},
	"a number as text":                         {`"max_tokens":100`, `"max_tokens":"100"`},
	"a text as a number":                       {`"model":"claude-opus-5"`, `"model":5`},
	"a boolean as text":                        {`"is_error":true`, `"is_error":"true"`},
	"a string for a list":                      {`"stop_sequences":["x"]`, `"stop_sequences":"x"`},
	"a list for a string":                      {`"user_id":"u"`, `"user_id":["u"]`},
	"an unknown role":                          {`"role":"assistant"`, `"role":"model"`},
	"an unknown kind of block":                 {`{"type":"text","text":"q"}`, `{"type":"input_text","text":"q"}`},
	"a block without its text":                 {`{"type":"text","text":"q"}`, `{"type":"text"}`},
	"an image that is no image":                {`"media_type":"image/png"`, `"media_type":"image/bmp"`},
	"a source without data":                    {`,"data":"aGk="`, ``},
	"a schema that is no object":               {`"input_schema":{"type":"object"`, `"input_schema":{"type":"array"`},
	"a tool without a schema":                  {`"input_schema":`, `"schema":`},
	"an unknown effort":                        {`"effort":"high"`, `"effort":"minimal"`},
	"an unknown lifetime":                      {`"ttl":"1h"`, `"ttl":"12h"`},
	"an unknown way to think":                  {`"type":"adaptive"`, `"type":"dynamic"`},
	"an unknown choice":                        {`{"type":"auto",`, `{"type":"required",`},
	"an unknown service tier":                  {`"service_tier":"auto"`, `"service_tier":"priority"`},
	"null":                                     {`"model":"claude-opus-5"`, `"model":null`},
	"a call without an id":                     {`"id":"t1",`, ``},
	"thinking without its signature":           {`"thinking":"t","signature":"s"`, `"thinking":"t"`},
	"a result without its call":                {`"tool_use_id":"t1",`, ``},
	"no limit":                                 {`"max_tokens":100,`, ``},
	"a member twice":                           {`"max_tokens":100`, `"max_tokens":100,"max_tokens":100`},
	"a member twice, deep inside":              {`"input":{"a":1}`, `"input":{"a":1,"a":1}`},
	"a stream that is none":                    {`"stream":true`, `"stream":false`},
	"output_format, which is an older name":    {`"output_config":{"effort":"high"}`, `"output_format":{"type":"json_schema","schema":{}}`},
	"text behind it":                           {`"stream":true}`, `"stream":true}{}`},
	"a system prompt with a part of its own":   {`"system":[{"type":"text"`, `"system":[{"type":"document"`},
	"a budget in a kind of thinking without":   {`"display":"summarized"`, `"budget_tokens":1024`},
	"parallel calls where they cannot be":      {`{"type":"auto","disable_parallel_tool_use":true}`, `{"type":"none","disable_parallel_tool_use":true}`},
	"a tool that is chosen and not named":      {`{"type":"auto","disable_parallel_tool_use":true}`, `{"type":"tool"}`},
	"a name for a choice that has none":        {`{"type":"auto",`, `{"type":"auto","name":"f",`},
	"a fraction for a whole number":            {`"max_tokens":100`, `"max_tokens":100.5`},
	"a format that is not the API's":           {`{"effort":"high"}`, `{"format":{"type":"json_object"}}`},
	"a schema beside its format":               {`{"effort":"high"}`, `{"format":{"type":"json_schema","name":"n","schema":{}}}`},
	"the arguments of a call as text":          {`"id":"t1","name":"f","input":{"a":1}`, `"id":"t1","name":"f","arguments":"{}"`},
	"an https image as OpenAI writes it":       {`{"type":"base64","media_type":"image/png","data":"aGk="}`, `{"type":"image_url","url":"https://example.com/a.png"}`},
	"a result's content as an object":          {`"content":"r"`, `"content":{"a":1}`},
	"a document in the place of a tool result": {`{"type":"tool_result","tool_use_id":"t1","content":"r","is_error":true}`, `{"type":"tool_result","tool_use_id":"t1","content":[{"type":"tool_use","id":"x","name":"f","input":{}}]}`},
}
