package e2e

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemas are the parts of OpenAI's published schema that answers are held against.
type schemas struct {
	completion, chunk, failure, list, model *jsonschema.Schema
}

// loadSchemas compiles the schema. It says "nullable": true in some places, which JSON
// Schema does not know, and which there stands for "or null".
var loadSchemas = sync.OnceValues(func() (*schemas, error) {
	const file = "testdata/openai-schema/chat-completions.schema.json"
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	const url = "https://example.com/openai"
	top, ok := doc.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s: not an object", file)
	}
	delete(top, "$id") // references are to this document, whatever it calls itself
	c := jsonschema.NewCompiler()
	if err := c.AddResource(url, orNull(top)); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	s := new(schemas)
	for name, into := range map[string]**jsonschema.Schema{
		"CreateChatCompletionResponse": &s.completion, "CreateChatCompletionStreamResponse": &s.chunk,
		"ErrorResponse": &s.failure, "ListModelsResponse": &s.list, "Model": &s.model,
	} {
		if *into, err = c.Compile(url + "#/$defs/" + name); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return s, nil
})

// orNull replaces what is nullable.
func orNull(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = orNull(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = orNull(v[name])
		}
		nullable, ok := v["nullable"].(bool)
		if !ok {
			return v
		}
		delete(v, "nullable")
		if nullable {
			return map[string]any{"anyOf": []any{v, map[string]any{"type": "null"}}}
		}
	}
	return v
}

// published returns OpenAI's schema.
func published(t *testing.T) *schemas {
	t.Helper()
	s, err := loadSchemas()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// violation says what is wrong with a JSON text; "" if nothing is.
func violation(s *jsonschema.Schema, text []byte) string {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return fmt.Sprintf("not JSON: %v: %.200s", err, text)
	}
	if err := s.Validate(v); err != nil {
		return fmt.Sprintf("%v\nin %.600s", err, text)
	}
	return ""
}

func TestSchemaTellsGoodFromBad(t *testing.T) {
	t.Parallel()
	s := published(t)
	for name, c := range map[string]struct {
		schema *jsonschema.Schema
		text   string
		good   bool
	}{
		"completion":              {s.completion, completion("hi"), true},
		"chunk":                   {s.chunk, `{"id":"a","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null,"logprobs":null}],"usage":null}`, true},
		"failure":                 {s.failure, `{"error":{"message":"m","type":"t","param":null,"code":null}}`, true},
		"foreign finish reason":   {s.chunk, `{"id":"a","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"eos"}]}`, false},
		"null where a string is":  {s.chunk, `{"id":null,"object":"chat.completion.chunk","created":1,"model":"m","choices":[]}`, false},
		"failure without a param": {s.failure, `{"error":{"message":"m","type":"t","code":null}}`, false},
		"code that is a number":   {s.failure, `{"error":{"message":"m","type":"t","param":null,"code":429}}`, false},
		"not JSON":                {s.failure, `{"error":`, false},
	} {
		if got := violation(c.schema, []byte(c.text)); (got == "") != c.good {
			t.Errorf("%s: good should be %t, but: %q", name, c.good, got)
		}
	}
}
