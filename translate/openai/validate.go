package openai

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

const (
	// MaxDepth is how deep a request may be nested; no schema of a tool comes near it.
	MaxDepth = 512
	// MaxModel is the longest name of a model that is taken, in bytes.
	MaxModel = 512
	// maxParam bounds the client's own words in the "param" of an error.
	maxParam = 256
)

// Head is what the gateway must know of a request that it passes on.
type Head struct {
	// Model is the name as the client wrote it; never empty.
	Model string
	// Stream is whether a stream is asked for, HasStream whether the client said so or
	// the contrary.
	Stream, HasStream bool
	// IncludeUsage is stream_options.include_usage.
	IncludeUsage bool
	// Messages is the raw array of messages; it aliases the body.
	Messages []byte
}

// ReadHead checks the top level of a chat request as far as routing needs it: the
// model, the stream and its options, that there are messages, and the JSON types of the
// common parameters. The members are those that [jsonscan.Object] found. Whatever else
// may be wrong is for the provider to say.
//
// A member whose name is "model", "stream" or "messages" but for its case is refused:
// servers that read names without regard to case would take it for the real one.
func ReadHead(members []jsonscan.Member) (Head, *translate.Error) {
	var h Head
	var options []byte
	if err := h.readModel(members); err != nil {
		return h, err
	}
	for i := range members {
		m := &members[i]
		switch string(m.Name) {
		case "model":
		case "stream":
			if err := expectType(m, "a boolean", isBool); err != nil {
				return h, err
			}
			h.HasStream, h.Stream = isBool(m.Value), m.Value[0] == 't'
		case "stream_options":
			if err := expectType(m, "an object", isObject); err != nil {
				return h, err
			}
			options = m.Value
		case "messages":
			if !isArray(m.Value) {
				return h, invalidType("messages", "an array of objects", m.Value)
			}
			h.Messages = m.Value
		default:
			if err := checkParameter(m); err != nil {
				return h, err
			}
		}
	}
	switch {
	case h.Messages == nil:
		return h, missing("messages")
	case isEmptyArray(h.Messages):
		return h, emptyArray("messages")
	}
	return h, h.readOptions(options)
}

// ReadModel returns the model of a request to any endpoint whose body names one at its
// top level, after the checks that [ReadHead] makes of it.
func ReadModel(members []jsonscan.Member) (string, *translate.Error) {
	var h Head
	err := h.readModel(members)
	return h.Model, err
}

func (h *Head) readModel(members []jsonscan.Member) *translate.Error {
	var raw []byte
	for i := range members {
		m := &members[i]
		if string(m.Name) == "model" {
			raw = m.Value
		} else if real := caseTwin(m.Name); real != "" {
			param := string(m.Name)
			return translate.BadRequest("unknown_parameter", param,
				fmt.Sprintf("Unrecognized request argument supplied: %s. Did you mean '%s'?", param, real))
		}
	}
	switch {
	case raw == nil:
		return missing("model")
	case !jsonscan.IsString(raw):
		return invalidType("model", "a string", raw)
	}
	h.Model = jsonscan.String(raw)
	switch {
	case h.Model == "":
		return translate.BadRequest("invalid_value", "model", "Invalid 'model': empty string. Expected a string with minimum length 1, but got an empty string instead.")
	case len(h.Model) > MaxModel:
		return translate.BadRequest("string_above_max_length", "model",
			fmt.Sprintf("Invalid 'model': string too long. Expected a string with maximum length %d, but got a string with length %d instead.", MaxModel, len(h.Model)))
	}
	for _, r := range h.Model {
		if unicode.IsControl(r) {
			return translate.BadRequest("invalid_value", "model", "Invalid 'model': control characters are not allowed in the name of a model.")
		}
	}
	return nil
}

// caseTwin returns the member that a name stands for where case does not count.
func caseTwin(name []byte) string {
	// "ſ" and the Kelvin sign fold to s and k, and are longer.
	if len(name) < len("model") || len(name) > len("messages")+3 {
		return ""
	}
	for _, real := range [...]string{"model", "stream", "messages"} {
		if string(name) != real && bytes.EqualFold(name, []byte(real)) {
			return real
		}
	}
	return ""
}

func (h *Head) readOptions(options []byte) *translate.Error {
	if jsonscan.IsNull(options) {
		return nil
	}
	if !h.Stream {
		return translate.BadRequest("", "stream_options", "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
	}
	seen := false
	for w := jsonscan.Walk(options); w.Next(); {
		if string(w.Name) != "include_usage" {
			continue
		}
		if seen {
			return ScanError(&jsonscan.DuplicateError{Name: "include_usage", Path: "stream_options"})
		}
		if seen = true; !isBool(w.Value) && !jsonscan.IsNull(w.Value) {
			return invalidType("stream_options.include_usage", "a boolean", w.Value)
		}
		h.IncludeUsage = w.Value[0] == 't'
	}
	return nil
}

// checkParameter checks the JSON type of a well-known parameter. Those to which some
// provider gives further types, such as "reasoning_effort", are not checked.
func checkParameter(m *jsonscan.Member) *translate.Error {
	switch string(m.Name) {
	case "temperature", "top_p", "frequency_penalty", "presence_penalty":
		return expectType(m, "a decimal", isNumber)
	case "n", "seed", "max_tokens", "max_completion_tokens", "top_logprobs":
		return expectType(m, "an integer", isNumber)
	case "store", "parallel_tool_calls":
		return expectType(m, "a boolean", isBool)
	case "user", "service_tier", "prompt_cache_key", "safety_identifier":
		return expectType(m, "a string", jsonscan.IsString)
	case "tools", "functions":
		return expectType(m, "an array of objects", isArray)
	case "modalities":
		return expectType(m, "an array of strings", isArray)
	case "response_format", "logit_bias", "metadata":
		return expectType(m, "an object", isObject)
	case "stop":
		return expectType(m, "one of a string or array of strings", func(raw []byte) bool { return jsonscan.IsString(raw) || isArray(raw) })
	case "tool_choice", "function_call":
		return expectType(m, "one of a string or object", func(raw []byte) bool { return jsonscan.IsString(raw) || isObject(raw) })
	}
	return nil
}

func isObject(raw []byte) bool { return len(raw) > 0 && raw[0] == '{' }
func isArray(raw []byte) bool  { return len(raw) > 0 && raw[0] == '[' }
func isBool(raw []byte) bool   { return len(raw) > 0 && (raw[0] == 't' || raw[0] == 'f') }
func isNumber(raw []byte) bool {
	return len(raw) > 0 && (raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9')
}

func isEmptyArray(raw []byte) bool {
	w := jsonscan.Walk(raw)
	return isArray(raw) && !w.Next()
}

// expectType refuses a value that is neither null nor passes the test.
func expectType(m *jsonscan.Member, want string, test func([]byte) bool) *translate.Error {
	if jsonscan.IsNull(m.Value) || test(m.Value) {
		return nil
	}
	return invalidType(string(m.Name), want, m.Value)
}

// missing, invalidType, invalidValue and emptyArray are mistakes in OpenAI's words.
func missing(param string) *translate.Error {
	return translate.BadRequest("missing_required_parameter", clip(param), "Missing required parameter: '"+clip(param)+"'.")
}

func invalidType(param, want string, got []byte) *translate.Error {
	return translate.BadRequest("invalid_type", clip(param), "Invalid type for '"+clip(param)+"': expected "+want+", but got "+typeName(got)+" instead.")
}

func invalidValue(param, message string) *translate.Error {
	return translate.BadRequest("invalid_value", clip(param), message)
}

func emptyArray(param string) *translate.Error {
	return translate.BadRequest("empty_array", param, "Invalid '"+param+"': empty array. Expected an array with minimum length 1, but got an empty array instead.")
}

// typeName names the JSON type of a raw value with its article.
func typeName(raw []byte) string {
	switch {
	case jsonscan.IsNull(raw):
		return "null"
	case isObject(raw):
		return "an object"
	case isArray(raw):
		return "an array"
	case isBool(raw):
		return "a boolean"
	case raw[0] == '"':
		return "a string"
	case bytes.ContainsAny(raw, ".eE"):
		return "a decimal number"
	}
	return "an integer"
}

// clip cuts a client's own words to what fits an error message.
func clip(s string) string {
	if len(s) <= maxParam {
		return s
	}
	n := maxParam
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// ScanError is the client's error for a body that jsonscan refused: status 400, code
// "invalid_json". It is nil for nil.
func ScanError(err error) *translate.Error {
	if err == nil {
		return nil
	}
	var syntax *jsonscan.SyntaxError
	var dup *jsonscan.DuplicateError
	param, reason := "", "it is not valid JSON"
	switch {
	case errors.As(err, &syntax):
		reason = syntax.Msg + " at byte " + strconv.FormatInt(syntax.Offset, 10)
	case errors.As(err, &dup):
		if param = dup.Name; dup.Path != "" {
			param = dup.Path + "." + dup.Name
		}
		param = clip(param)
		reason = "the member '" + param + "' is given twice"
	case errors.Is(err, jsonscan.ErrDepth):
		reason = "it is nested too deeply"
	case errors.Is(err, jsonscan.ErrMembers):
		reason = "it has more than " + strconv.Itoa(jsonscan.MaxMembers) + " members"
	case errors.Is(err, jsonscan.ErrUTF8):
		reason = "it is not valid UTF-8"
	}
	return translate.BadRequest("invalid_json", param, "We could not parse the JSON body of your request: "+reason+".")
}
