package gemini

import (
	"math"
	"strconv"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

const (
	// maxStops and maxCandidates are the provider's limits (genai v1.77.0,
	// GenerateContentConfig).
	maxStops      = 5
	maxCandidates = 8
	// maxLogprobs is OpenAI's and the provider's limit for alternatives.
	maxLogprobs = 20
)

// generationConfig collects the members of generationConfig. What the client wrote in
// the provider's own form wins.
func (e *encoder) generationConfig() {
	p := &e.req.Params
	e.setInt("maxOutputTokens", p.MaxTokens, "max_completion_tokens", 1, math.MaxInt32)
	e.setFloat("temperature", p.Temperature)
	e.setFloat("topP", p.TopP)
	e.setInt("topK", p.TopK, "top_k", 1, math.MaxInt32)
	e.stopSequences()
	if p.N != nil && *p.N != 1 {
		e.setInt("candidateCount", p.N, "n", 1, maxCandidates)
	}
	e.seed()
	e.penalty("presencePenalty", "presence_penalty", p.PresencePenalty)
	e.penalty("frequencyPenalty", "frequency_penalty", p.FrequencyPenalty)
	e.logprobs()
	e.responseFormat()
	e.modalities()
	e.thinking()
	e.mergeClientConfig()
}

// set gives a member its value; a later value replaces an earlier one.
func (e *encoder) set(name string, raw []byte) {
	for i := range e.config {
		if e.config[i].name == name {
			e.config[i].raw = raw
			return
		}
	}
	e.config = append(e.config, rawMember{name, raw})
}

func (e *encoder) setInt(name string, v *int64, param string, low, high int64) {
	switch {
	case v == nil:
	case *v < low || *v > high:
		e.fail("invalid_value", param, param+" must be between "+strconv.FormatInt(low, 10)+" and "+strconv.FormatInt(high, 10)+".")
	default:
		e.set(name, strconv.AppendInt(nil, *v, 10))
	}
}

func (e *encoder) setFloat(name string, v *float64) {
	if v != nil && !math.IsNaN(*v) && !math.IsInf(*v, 0) {
		e.set(name, strconv.AppendFloat(nil, *v, 'g', -1, 64))
	}
}

func (e *encoder) stopSequences() {
	var raw []byte
	n := 0
	for _, s := range e.req.Params.Stop {
		if s == "" {
			continue
		}
		raw = append(raw, ',')
		raw = jsonscan.Quote(raw, s)
		n++
	}
	switch {
	case n > maxStops:
		e.fail("invalid_value", "stop", "The provider of this model takes at most 5 stop sequences.")
	case n > 0:
		raw[0] = '['
		e.set("stopSequences", append(raw, ']'))
	}
}

// seed reduces what does not fit the provider's 32 bits.
func (e *encoder) seed() {
	v := e.req.Params.Seed
	if v == nil {
		return
	}
	n := *v
	if n < math.MinInt32 || n > math.MaxInt32 {
		const modulus = 1 << 31
		n = (n%modulus + modulus) % modulus
	}
	e.set("seed", strconv.AppendInt(nil, n, 10))
}

// penalty drops penalties where the Gemini API refuses them; Vertex AI takes them.
func (e *encoder) penalty(name, param string, v *float64) {
	if v == nil {
		return
	}
	if e.caps.NoPenalties && !e.opt.Vertex {
		e.drop(param)
		return
	}
	e.setFloat(name, v)
}

func (e *encoder) logprobs() {
	p := &e.req.Params
	if p.Logprobs == nil || !*p.Logprobs {
		if p.TopLogprobs != nil && *p.TopLogprobs > 0 {
			e.drop("top_logprobs")
		}
		return
	}
	e.set("responseLogprobs", []byte("true"))
	if p.TopLogprobs != nil && *p.TopLogprobs != 0 {
		e.setInt("logprobs", p.TopLogprobs, "top_logprobs", 0, maxLogprobs)
	}
}

// responseFormat asks for JSON. Where the model cannot be asked, or not together with
// tools, the system instruction asks instead.
func (e *encoder) responseFormat() {
	f := e.req.Params.Format
	if f == nil || f.Type != "json_object" && f.Type != "json_schema" {
		return
	}
	schema := []byte(f.Schema)
	if f.Type == "json_object" || jsonscan.IsNull(schema) {
		schema = nil
	}
	if schema != nil && !isObject(schema) {
		e.fail("invalid_type", "response_format.json_schema.schema", "The schema must be a JSON object.")
		return
	}
	if e.caps.NoJSON || len(e.tools) > 0 && !e.caps.JSONWithTools {
		e.instruct = "Answer with one JSON object and nothing else: no explanation, no code fence."
		if schema != nil {
			e.instruct = "Answer with JSON that is valid under this JSON schema and nothing else: no explanation, no code fence.\n" + string(compact(schema))
		}
		return
	}
	e.set("responseMimeType", []byte(`"application/json"`))
	switch {
	case schema == nil:
	case e.openAPI():
		e.set("responseSchema", appendSchema(nil, schema, true))
	default:
		e.set("responseJsonSchema", appendSchema(nil, schema, false))
	}
}

// openAPI reports whether schemas must be in the OpenAPI subset.
func (e *encoder) openAPI() bool { return e.opt.OpenAPISchemas || !e.caps.JSONSchema }

// modalities says what the answer consists of. With audio the provider gives nothing
// but audio, as raw 16-bit PCM.
func (e *encoder) modalities() {
	var raw []byte
	audio := false
	for _, m := range e.req.Params.Modalities {
		switch m {
		case "text":
			raw = append(raw, `,"TEXT"`...)
		case "image":
			raw = append(raw, `,"IMAGE"`...)
		case "audio":
			audio = true
		default:
			e.fail("unsupported_value", "modalities", "The provider of this model does not support the modality "+strconv.Quote(m)+".")
		}
	}
	switch {
	case audio:
		e.speech()
	case len(raw) > 0:
		raw[0] = '['
		e.set("responseModalities", append(raw, ']'))
	}
}

func (e *encoder) speech() {
	audio := []byte(e.req.Params.Audio)
	voice := jsonscan.Get(audio, "voice")
	name := jsonscan.String(voice)
	if name == "" {
		name = jsonscan.String(jsonscan.Get(voice, "id"))
	}
	theirs, ok := e.opt.Voices[name]
	if !ok {
		theirs, ok = e.opt.Voices["*"]
	}
	if !ok {
		e.fail("unsupported_parameter", "modalities", "The provider of this model does not support audio output.")
		return
	}
	if format := jsonscan.String(jsonscan.Get(audio, "format")); format != "" && format != "pcm16" {
		e.fail("unsupported_value", "audio.format", "The provider of this model only supports the audio format pcm16.")
		return
	}
	e.set("responseModalities", []byte(`["AUDIO"]`))
	raw := jsonscan.Quote([]byte(`{"voiceConfig":{"prebuiltVoiceConfig":{"voiceName":`), theirs)
	e.set("speechConfig", append(raw, `}}}`...))
}

// mergeClientConfig lays the client's own generation_config over what was derived.
func (e *encoder) mergeClientConfig() {
	w := jsonscan.Walk(e.clientConfig)
	for w.Next() {
		e.set(string(jsonscan.Escape(nil, w.Name)), w.Value)
	}
}

// tiers are the provider's words for OpenAI's service tiers.
var tiers = map[string]string{"flex": "flex", "priority": "priority", "fast": "priority", "default": "standard"}

// tierAndStore writes the top-level members that only the Gemini API has, and the
// header that stands in for one of them on Vertex AI.
func (e *encoder) tierAndStore() {
	p := &e.req.Params
	tier := tiers[p.ServiceTier]
	switch {
	case p.ServiceTier == "" || p.ServiceTier == "auto":
	case tier == "":
		e.drop("service_tier")
	case e.opt.Vertex:
		if tier != "standard" {
			e.out.Header = append(e.out.Header, [2]string{"X-Vertex-AI-LLM-Shared-Request-Type", tier})
		}
	default:
		e.raw("serviceTier", jsonscan.Quote(nil, tier))
	}
	switch {
	case p.Store == nil:
	case e.opt.Vertex:
		e.drop("store")
	default:
		e.raw("store", strconv.AppendBool(nil, *p.Store))
	}
}

// dropRest names the client's parameters that have no equivalent.
func (e *encoder) dropRest() {
	p := &e.req.Params
	for _, d := range []struct {
		sent  bool
		param string
	}{
		{p.User != "", "user"}, {p.SafetyIdentifier != "", "safety_identifier"}, {sent(p.Metadata), "metadata"},
		{sent(p.LogitBias), "logit_bias"}, {sent(p.Prediction), "prediction"}, {p.Verbosity != "", "verbosity"},
		{p.PromptCacheKey != "", "prompt_cache_key"}, {e.asksSerial(), "parallel_tool_calls"},
	} {
		if d.sent {
			e.drop(d.param)
		}
	}
	e.dropNames()
	for _, m := range e.req.Extra {
		if !isExtension(m.Name) && sent([]byte(m.Value)) {
			e.drop(m.Name)
		}
	}
}

// asksSerial reports whether the client itself asks for one call at a time: functions in
// the deprecated form imply it.
func (e *encoder) asksSerial() bool {
	return e.req.Choice.Parallel != nil && !*e.req.Choice.Parallel && !e.req.Params.LegacyFunctions
}

// sent reports whether a raw value is there and not null.
func sent[T ~[]byte](raw T) bool { return !jsonscan.IsNull([]byte(raw)) }
