package openai

import (
	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// Bounds of OpenAI's parameters. No bound is set where providers differ from OpenAI,
// such as on the number of stop sequences.
const (
	maxInt            = 1<<63 - 1
	maxChoices        = 128
	maxTopLogprobs    = 20
	maxTemperature    = 2
	maxPenaltyOfToken = 2
)

// param reads a parameter other than those of messages and tools; false if it is none.
func (d *requestDecoder) param(m *jsonscan.Member) bool {
	q, raw := &d.req.Params, m.Value
	at := place{name: string(m.Name)}
	p := &at
	switch at.name {
	case "max_completion_tokens":
		q.MaxTokens = d.integer(p, raw, 1, maxInt)
	case "max_tokens":
		d.maxTokens = d.integer(p, raw, 1, maxInt)
	case "temperature":
		q.Temperature = d.decimal(p, raw, 0, maxTemperature)
	case "top_p":
		q.TopP = d.decimal(p, raw, 0, 1)
	case "top_k":
		q.TopK = d.integer(p, raw, -1, maxInt)
	case "frequency_penalty":
		q.FrequencyPenalty = d.decimal(p, raw, -maxPenaltyOfToken, maxPenaltyOfToken)
	case "presence_penalty":
		q.PresencePenalty = d.decimal(p, raw, -maxPenaltyOfToken, maxPenaltyOfToken)
	case "n":
		q.N = d.integer(p, raw, 1, maxChoices)
	case "seed":
		q.Seed = d.integer(p, raw, -maxInt-1, maxInt)
	case "stop":
		d.stop(p, raw)
	case "logprobs":
		q.Logprobs = d.boolean(p, raw)
	case "top_logprobs":
		q.TopLogprobs = d.integer(p, raw, 0, maxTopLogprobs)
	case "logit_bias":
		q.LogitBias = d.rawObject(p, raw)
	case "reasoning_effort":
		q.Effort = d.oneOf(p, raw, "none", "minimal", "low", "medium", "high", "xhigh", "max")
	case "verbosity":
		q.Verbosity = d.oneOf(p, raw, "low", "medium", "high")
	case "response_format":
		q.Format = d.responseFormat(p, raw)
	default:
		return d.annotation(p, raw)
	}
	return true
}

// annotation reads a parameter that is about the request rather than the answer, or
// that only some models have.
func (d *requestDecoder) annotation(p *place, raw []byte) bool {
	q := &d.req.Params
	switch p.name {
	case "user":
		q.User = d.optional(p, raw)
	case "safety_identifier":
		q.SafetyIdentifier = d.optional(p, raw)
	case "prompt_cache_key":
		q.PromptCacheKey = d.optional(p, raw)
	case "service_tier":
		q.ServiceTier = d.optional(p, raw)
	case "modalities":
		q.Modalities = d.texts(p, raw)
	case "audio":
		q.Audio = d.rawObject(p, raw)
	case "prediction":
		q.Prediction = d.rawObject(p, raw)
	case "web_search_options":
		q.WebSearch = d.rawObject(p, raw)
	case "metadata":
		q.Metadata = d.rawObject(p, raw)
	case "store":
		q.Store = d.boolean(p, raw)
	default:
		return false
	}
	return true
}

// stop reads a stop sequence or several.
func (d *requestDecoder) stop(p *place, raw []byte) {
	switch {
	case jsonscan.IsString(raw):
		d.req.Params.Stop = []string{jsonscan.String(raw)}
	case isArray(raw), jsonscan.IsNull(raw):
		d.req.Params.Stop = d.texts(p, raw)
	default:
		d.wrongType(p, "one of a string or array of strings", raw)
	}
}

func (d *requestDecoder) responseFormat(p *place, raw []byte) *translate.ResponseFormat {
	if jsonscan.IsNull(raw) || !d.object(p, raw) {
		return nil
	}
	var kind, schema []byte
	for w := jsonscan.Walk(raw); w.Next(); {
		switch string(w.Name) {
		case "type":
			kind = w.Value
		case "json_schema":
			schema = w.Value
		}
	}
	at := p.at("type")
	f := &translate.ResponseFormat{}
	if f.Type = d.mustBeOneOf(&at, kind, "text", "json_object", "json_schema"); f.Type == "json_schema" {
		d.jsonSchema(p, schema, f)
	}
	return f
}

func (d *requestDecoder) jsonSchema(p *place, raw []byte, f *translate.ResponseFormat) {
	at := p.at("json_schema")
	if raw == nil {
		d.fail(missing(at.String()))
		return
	}
	if !d.object(&at, raw) {
		return
	}
	var name []byte
	for w := jsonscan.Walk(raw); w.Next(); {
		switch string(w.Name) {
		case "name":
			name = w.Value
		case "description":
			in := at.at("description")
			f.Description = d.optional(&in, w.Value)
		case "schema":
			in := at.at("schema")
			f.Schema = d.rawObject(&in, w.Value)
		case "strict":
			in := at.at("strict")
			f.Strict = d.boolean(&in, w.Value)
		}
	}
	in := at.at("name")
	f.Name = d.required(&in, name)
}
