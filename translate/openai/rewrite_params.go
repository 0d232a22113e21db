package openai

import (
	"bytes"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// streamOptions writes stream_options, with usage asked for where that is wanted. The
// options are left out where the provider knows none, or where there is no stream.
func (r *rewriter) streamOptions(raw []byte) {
	switch {
	case r.q.StreamUsage == "always", !r.streaming && r.edit.Stream != nil:
	case !r.usage:
		r.value("stream_options", raw)
	case !isObject(raw):
		r.value("stream_options", usageOptions)
	default:
		r.value("stream_options", nil)
		r.object(raw, func(name, _ []byte) bool { return string(name) == "include_usage" })
		r.out = r.out[:len(r.out)-1] // reopen it
		r.raw(usageOption)
		r.out = append(r.out, '}')
	}
}

// maxTokens writes the output limit under the only name that the provider knows.
func (r *rewriter) maxTokens(m *jsonscan.Member) {
	switch {
	case string(m.Name) == r.limit:
		r.value(r.q.MaxTokens, m.Value)
	case r.limit != "" && !jsonscan.IsNull(m.Value) && !bytes.Equal(m.Value, r.get(r.limit)):
		r.drop(string(m.Name))
	}
}

// effort writes reasoning_effort in the way the provider takes it.
func (r *rewriter) effort(m *jsonscan.Member) {
	level := jsonscan.String(m.Value)
	if level == "" {
		if r.q.Effort == "" {
			r.keep(m)
		} else if !jsonscan.IsNull(m.Value) {
			r.drop("reasoning_effort")
		}
		return
	}
	switch r.q.Effort {
	case "drop":
		r.drop("reasoning_effort")
		return
	case "thinking", "thinking_only":
		state := `{"type":"enabled"}`
		if level == "none" {
			state = `{"type":"disabled"}`
		}
		if !r.has("thinking") {
			r.value("thinking", []byte(state))
		}
		if level == "none" || r.q.Effort == "thinking_only" {
			return
		}
	case "enable_thinking":
		if !r.has("enable_thinking") {
			on := jsonTrue
			if level == "none" {
				on = jsonFalse
			}
			r.value("enable_thinking", on)
		}
		return
	case "none_high":
		if level == "none" || level == "minimal" {
			level = "none"
		} else {
			level = "high"
		}
	}
	if to, ok := r.q.EffortValues[level]; ok {
		level = to
	}
	if level == "" {
		r.drop("reasoning_effort")
		return
	}
	r.value("reasoning_effort", jsonscan.Quote(nil, level))
}

// formatType returns the type of a raw response_format.
func formatType(raw []byte) string { return jsonscan.String(jsonscan.Get(raw, "type")) }

// responseFormat writes response_format as far as the provider has it.
func (r *rewriter) responseFormat(raw []byte) {
	switch {
	case r.schema != nil:
		r.value("response_format", []byte(`{"type":"json_object"}`))
	case r.q.JSONObject == "json_schema" && formatType(raw) == "json_object":
		r.value("response_format", []byte(`{"type":"json_schema","json_schema":{"name":"json_object","schema":{"type":"object"}}}`))
	case r.q.DropNulls && isObject(raw):
		r.value("response_format", nil)
		r.object(raw, func(name, value []byte) bool {
			if string(name) != "json_schema" || !isObject(value) {
				return false
			}
			r.name("json_schema")
			r.object(value, nil)
			return true
		})
	default:
		r.value("response_format", raw)
	}
}

// schemaText appends what a system message says of the schema that the provider cannot
// be given otherwise, as the inside of a JSON string.
func (r *rewriter) schemaText(dst []byte) []byte {
	schema := jsonscan.Get(r.schema, "schema")
	if !isObject(schema) {
		return append(dst, `Answer with one JSON object and nothing else.`...)
	}
	dst = append(dst, `Answer with one JSON object and nothing else. The object must be valid against this JSON Schema`...)
	if description := jsonscan.Inner(jsonscan.Get(r.schema, "description")); len(description) > 0 {
		dst = append(append(append(dst, ` (`...), description...), ')')
	}
	return jsonscan.Escape(append(dst, `:\n`...), schema)
}
