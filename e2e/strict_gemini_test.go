package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/tidwall/gjson"
	"google.golang.org/genai"
)

// geminiKit is the SDK for Google's models.
var geminiKit = sync.OnceValues(func() (*kit, error) { return openKit("google.golang.org/genai", "types.go") })

// geminiParams is a request as the SDK's callers give it.
type geminiParams struct {
	Contents []*genai.Content             `json:"contents"`
	Config   *genai.GenerateContentConfig `json:"config"`
}

// geminiFaults lists what is wrong with a request to the Gemini API. The SDK's types must
// decode it, and the SDK itself, asked the same, must send the same to the same place:
// what the API does not have, or has elsewhere, it refuses or loses.
func geminiFaults(path, query string, text []byte) []string {
	k, err := geminiKit()
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
	inStandardAlphabet(got)
	flat, wrong := flatten(got)
	if len(wrong) > 0 {
		return wrong
	}
	text, err = json.Marshal(flat)
	if err != nil {
		return []string{err.Error()}
	}
	var params geminiParams
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&params); err != nil {
		return []string{fmt.Sprintf("the SDK does not decode it: %v", err)}
	}
	wrong = k.faults(reflect.ValueOf(params), gjson.ParseBytes(text), "$")
	m := modelInPath.FindStringSubmatch(path)
	if m == nil {
		return append(wrong, fmt.Sprintf("there is no model in %q", path))
	}
	sent, err := sendWithSDK(m[1], m[2] == "streamGenerateContent", &params)
	if err != nil {
		return append(wrong, fmt.Sprintf("the SDK does not send it: %v", err))
	}
	if sent.path != path || sent.query != query {
		wrong = append(wrong, fmt.Sprintf("it goes to %s?%s, and the SDK's to %s?%s", path, query, sent.path, sent.query))
	}
	var want any
	if err := json.Unmarshal(sent.body, &want); err != nil {
		return append(wrong, err.Error())
	}
	// The SDK gives the system instruction a role, which nobody reads.
	if system := asObject(got["systemInstruction"]); system != nil && system["role"] == nil {
		system["role"] = "user"
	}
	// It always sends a configuration, be it empty.
	if object, ok := want.(map[string]any); ok && got["generationConfig"] == nil && len(asObject(object["generationConfig"])) == 0 {
		delete(object, "generationConfig")
	}
	dropZeros(got)
	dropZeros(want)
	return append(wrong, difference("$", got, want)...)
}

func asObject(v any) map[string]any {
	object, _ := v.(map[string]any)
	return object
}

// flatten puts a request into the form of geminiParams: everything but the contents, and
// what is in generationConfig, is one flat structure.
func flatten(got map[string]any) (flat map[string]any, wrong []string) {
	config := map[string]any{}
	flat = map[string]any{"config": config}
	for name, value := range got {
		switch name {
		case "contents":
			flat[name] = value
		case "generationConfig":
			inner, ok := value.(map[string]any)
			if !ok {
				return nil, []string{"generationConfig is no object"}
			}
			maps.Copy(config, inner)
		default:
			config[name] = value
		}
	}
	for name := range asObject(got["generationConfig"]) {
		if _, twice := got[name]; twice {
			wrong = append(wrong, name+" stands in two places")
		}
	}
	return flat, wrong
}

// inStandardAlphabet writes thought signatures as Go does. They are bytes, for which the
// JSON form of protocol buffers takes both alphabets of base64, and the one value that
// Google documents for a lost signature is in the other.
func inStandardAlphabet(v any) {
	switch v := v.(type) {
	case []any:
		for i := range v {
			inStandardAlphabet(v[i])
		}
	case map[string]any:
		for name, inner := range v {
			if text, ok := inner.(string); ok && name == "thoughtSignature" {
				v[name] = strings.NewReplacer("-", "+", "_", "/").Replace(text)
				continue
			}
			inStandardAlphabet(inner)
		}
	}
}

// dropZeros takes out empty arguments, responses and texts, and defaults that are null:
// Go's types cannot hold them, and to the API they are the same as nothing.
func dropZeros(v any) {
	switch v := v.(type) {
	case []any:
		for i := range v {
			dropZeros(v[i])
		}
	case map[string]any:
		for _, name := range []string{"args", "response"} {
			if inner, ok := v[name].(map[string]any); ok && len(inner) == 0 {
				delete(v, name)
			}
		}
		if v["text"] == "" {
			delete(v, "text")
		}
		if value, ok := v["default"]; ok && value == nil && v["type"] != nil {
			delete(v, "default") // of a schema
		}
		for name, inner := range v {
			switch name {
			case "args", "response", "responseJsonSchema", "parametersJsonSchema": // anybody's
			default:
				dropZeros(inner)
			}
		}
	}
}

// sendWithSDK has the SDK send a request, and returns what it sent.
func sendWithSDK(model string, stream bool, params *geminiParams) (*call, error) {
	sent := new(call)
	client, err := genai.NewClient(context.Background(), &genai.ClientConfig{
		APIKey: "key", Backend: genai.BackendGeminiAPI, HTTPClient: &http.Client{Transport: recorder{sent}},
		HTTPOptions: genai.HTTPOptions{BaseURL: "http://127.0.0.1/"},
	})
	if err != nil {
		return nil, err
	}
	if stream {
		for _, failure := range client.Models.GenerateContentStream(context.Background(), model, params.Contents, params.Config) {
			err = errors.Join(err, failure)
		}
	} else {
		_, err = client.Models.GenerateContent(context.Background(), model, params.Contents, params.Config)
	}
	return sent, err
}

// recorder answers requests with an empty object, and keeps the last.
type recorder struct{ last *call }

func (r recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	*r.last = call{method: req.Method, path: req.URL.EscapedPath(), query: req.URL.RawQuery, body: body}
	text := "{}"
	if strings.Contains(req.URL.Path, ":stream") {
		text = "data: {}\n\n"
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(text)), Request: req}, nil
}

const plainGeminiRequest = `{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"q"},{"inlineData":{"mimeType":"image/png","data":"aGk="},"mediaResolution":{"level":"MEDIA_RESOLUTION_LOW"}}]},` +
	`{"role":"model","parts":[{"functionCall":{"id":"c1","name":"f","args":{"a":1}},"thoughtSignature":"c2ln"}]},{"role":"user","parts":[{"functionResponse":{"id":"c1","name":"f","response":{"output":"r"}}}]}],` +
	`"tools":[{"functionDeclarations":[{"name":"f","description":"d","parametersJsonSchema":{"type":"object","title":"T"}},{"name":"g","parameters":{"type":"OBJECT","properties":{"a":{"type":"string","nullable":true}}}}]},{"googleSearch":{}}],` +
	`"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]},"includeServerSideToolInvocations":true},"safetySettings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"OFF"}],` +
	`"generationConfig":{"temperature":0.7,"topP":0.9,"topK":40,"maxOutputTokens":100,"stopSequences":["x"],"seed":7,"responseMimeType":"application/json","responseJsonSchema":{"type":"object"},"thinkingConfig":{"thinkingLevel":"LOW","includeThoughts":true}},` +
	`"cachedContent":"cachedContents/c","serviceTier":"flex","store":false}`

const generatePath = "/v1beta/models/gemini-3-pro:generateContent"

// TestStrictnessOfGeminiRequests shows that what an API may refuse is found, wherever it
// stands.
func TestStrictnessOfGeminiRequests(t *testing.T) {
	t.Parallel()
	if wrong := geminiFaults(generatePath, "", []byte(plainGeminiRequest)); len(wrong) > 0 {
		t.Errorf("a good request is blamed: %s", strings.Join(wrong, "; "))
	}
	if wrong := geminiFaults("/v1beta/models/gemini-3-pro:streamGenerateContent", "alt=sse", []byte(plainGeminiRequest)); len(wrong) > 0 {
		t.Errorf("a good request for a stream is blamed: %s", strings.Join(wrong, "; "))
	}
	for _, place := range [][2]string{{generatePath, "key=x"}, {generatePath, "alt=sse"}, {"/v1/models/gemini-3-pro:generateContent", ""}, {"/v1beta/models/gemini-3-pro:streamGenerateContent", ""}, {"/v1beta/gemini-3-pro", ""}} {
		if wrong := geminiFaults(place[0], place[1], []byte(plainGeminiRequest)); len(wrong) != 1 {
			t.Errorf("%s: %v", place, wrong)
		}
	}
	for name, plant := range plantedInGemini {
		text := strings.Replace(plainGeminiRequest, plant[0], plant[1], 1)
		if text == plainGeminiRequest {
			t.Fatalf("%s: there is no %s", name, plant[0])
		}
		if wrong := geminiFaults(generatePath, "", []byte(text)); len(wrong) == 0 {
			t.Errorf("%s is not noticed", name)
		}
	}
}

// plantedInGemini replaces something of a good request by what is wrong.
var plantedInGemini = map[string][2]string{
	"an unknown member":                         {`"store":false`, `"store":false,"model":"gemini-3-pro"`},
	"an unknown member of a content":            {`{"role":"user",`, `{"role":"user","name":"n",`},
	"an unknown member of a part":               {`{"text":"q"}`, `{"text":"q","type":"text"}`},
	"an unknown member of data":                 {`"mimeType":"image/png"`, `"mimeType":"image/png","detail":"low"`},
	"an unknown member of a call":               {`"args":{"a":1}`, `"args":{"a":1},"type":"function"`},
	"an unknown member of a response":           {`"response":{"output":"r"}`, `"response":{"output":"r"},"isError":true`},
	"an unknown member of a declaration":        {`"description":"d"`, `"description":"d","strict":true`},
	"an unknown member of generationConfig":     {`"seed":7`, `"seed":7,"n":2`},
	"an unknown member of thinkingConfig":       {`"includeThoughts":true`, `"includeThoughts":true,"effort":"low"`},
	"an unknown member of toolConfig":           {`"mode":"ANY"`, `"mode":"ANY","parallel":false`},
	"an unknown keyword of a schema":            {`{"type":"OBJECT",`, `{"type":"OBJECT","additionalProperties":false,`},
	"an unknown keyword of an inner schema":     {`"nullable":true`, `"nullable":true,"$ref":"#"`},
	"a name in snake case":                      {`"mimeType"`, `"mime_type"`},
	"a name in another case":                    {`"mimeType"`, `"mimetype"`},
	"a member at the top that belongs inside":   {`"store":false`, `"store":false,"candidateCount":2`},
	"a member inside that belongs at the top":   {`"seed":7`, `"seed":7,"labels":{"a":"b"}`},
	"a member in both places":                   {`"store":false`, `"store":false,"seed":7`},
	"what only Vertex AI takes":                 {`"seed":7`, `"seed":7,"audioTimestamp":true`},
	"a tool that only Vertex AI takes":          {`{"googleSearch":{}}`, `{"enterpriseWebSearch":{}}`},
	"a call that only Vertex AI takes":          {`"args":{"a":1}`, `"willContinue":true`},
	"a number as text":                          {`"seed":7`, `"seed":"7"`},
	"a fraction for a whole number":             {`"seed":7`, `"seed":7.5`},
	"a number beyond 32 bits":                   {`"seed":7`, `"seed":4294967296`},
	"a string for a list":                       {`"stopSequences":["x"]`, `"stopSequences":"x"`},
	"arguments as text":                         {`"args":{"a":1}`, `"args":"{}"`},
	"a response as text":                        {`"response":{"output":"r"}`, `"response":"r"`},
	"data that is not base64":                   {`"data":"aGk="`, `"data":"a b"`},
	"a system instruction as text":              {`"systemInstruction":{"parts":[{"text":"s"}]}`, `"systemInstruction":"s"`},
	"an unknown level of thinking":              {`"thinkingLevel":"LOW"`, `"thinkingLevel":"XHIGH"`},
	"an unknown mode":                           {`"mode":"ANY"`, `"mode":"REQUIRED"`},
	"an unknown resolution":                     {`MEDIA_RESOLUTION_LOW`, `LOW`},
	"an unknown category":                       {`HARM_CATEGORY_HARASSMENT`, `HARASSMENT`},
	"an unknown threshold":                      {`"threshold":"OFF"`, `"threshold":"NONE"`},
	"an unknown service tier":                   {`"serviceTier":"flex"`, `"serviceTier":"auto"`},
	"an unknown type":                           {`"type":"OBJECT"`, `"type":"FUNCTION"`},
	"null":                                      {`"cachedContent":"cachedContents/c"`, `"cachedContent":null`},
	"null for a list":                           {`"stopSequences":["x"]`, `"stopSequences":null`},
	"a list of types, which OpenAPI has not":    {`"type":"string","nullable":true`, `"type":["string","null"]`},
	"a signature that is not base64":            {`"thoughtSignature":"c2ln"`, `"thoughtSignature":"?"`},
	"a member twice":                            {`"seed":7`, `"seed":7,"seed":7`},
	"a member twice, deep inside":               {`"args":{"a":1}`, `"args":{"a":1,"a":1}`},
	"text behind it":                            {`"store":false}`, `"store":false}[]`},
	"a name of a cache that the SDK would not":  {`"cachedContents/c"`, `"c"`},
	"a function as OpenAI writes it":            {`{"googleSearch":{}}`, `{"type":"function","function":{"name":"x"}}`},
	"generationConfig that is a list":           {`"generationConfig":{`, `"generationConfig":[],"x":{`},
	"part of an older name of the system":       {`"systemInstruction"`, `"system_instruction"`},
	"image for an image part as OpenAI has":     {`{"text":"q"}`, `{"image_url":{"url":"x"}}`},
	"a budget as text":                          {`"thinkingLevel":"LOW"`, `"thinkingBudget":"100"`},
	"stream, which is in the path":              {`"store":false`, `"store":false,"stream":true`},
	"responseSchema with a keyword it has not":  {`"responseJsonSchema":{"type":"object"}`, `"responseSchema":{"type":"object","const":1}`},
	"a modality in small letters":               {`"seed":7`, `"seed":7,"mediaResolution":"low"`},
	"an empty resolution that is an empty text": {`"mediaResolution":{"level":"MEDIA_RESOLUTION_LOW"}`, `"mediaResolution":"MEDIA_RESOLUTION_LOW"`},
}
