package openai

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// The types of content parts that a role may have. OpenAI's own list for tools is text
// alone; what tools return elsewhere is taken as well.
var (
	partsOfInstructions = []string{"text"}
	partsOfUser         = []string{"text", "image_url", "input_audio", "file", "video_url"}
	partsOfAssistant    = []string{"text", "refusal"}
	partsOfTool         = []string{"text", "image_url", "input_audio", "file", "video_url"}
)

// content reads the content of a message, which must be there: a string is one text
// part.
func (d *requestDecoder) content(p *place, raw []byte, types []string) []translate.Part {
	at := p.at("content")
	switch {
	case raw == nil:
		d.fail(missing(at.String()))
		return nil
	case jsonscan.IsString(raw):
		return []translate.Part{{Kind: translate.PartText, Text: jsonscan.String(raw), Path: at.String()}}
	case !isArray(raw):
		d.wrongType(&at, "one of a string or array of objects", raw)
		return nil
	}
	parts := []translate.Part{}
	w := jsonscan.Walk(raw)
	for i := 0; w.Next() && d.err == nil; i++ {
		one := at.elem(i)
		if d.object(&one, w.Value) {
			parts = append(parts, d.part(&one, w.Value, types))
		}
	}
	return parts
}

func (d *requestDecoder) part(p *place, raw []byte, types []string) translate.Part {
	part := translate.Part{Path: p.String()}
	var kind []byte
	var marks cacheMarks
	for w := jsonscan.Walk(raw); w.Next(); {
		if string(w.Name) == "type" {
			kind = w.Value
		} else {
			marks.take(w.Name, w.Value)
		}
	}
	at := p.at("type")
	word := d.mustBeOneOf(&at, kind, types...)
	if word == "" {
		return part
	}
	value := jsonscan.Get(raw, word)
	at = p.at(word)
	if value == nil {
		d.fail(missing(at.String()))
		return part
	}
	switch word {
	case "text", "refusal":
		part.Kind = translate.PartText
		if word == "refusal" {
			part.Kind = translate.PartRefusal
		}
		if !jsonscan.IsString(value) {
			d.wrongType(&at, "a string", value)
		}
		part.Text = jsonscan.String(value)
	case "image_url":
		part.Kind, part.Media = translate.PartImage, d.linked(&at, value, "image")
	case "video_url":
		part.Kind, part.Media = translate.PartVideo, d.linked(&at, value, "video")
	case "input_audio":
		part.Kind, part.Media = translate.PartAudio, d.audio(&at, value)
	case "file":
		part.Kind, part.Media = translate.PartFile, d.file(&at, value)
	}
	part.CacheControl = d.cacheControl(p, marks)
	return part
}

// cacheMarks are the raw members by which a client asks for a cache breakpoint.
type cacheMarks struct {
	control    []byte // Anthropic's cache_control
	breakpoint []byte // OpenAI's prompt_cache_breakpoint
}

func (c *cacheMarks) take(name, value []byte) {
	switch string(name) {
	case "cache_control":
		c.control = value
	case "prompt_cache_breakpoint":
		c.breakpoint = value
	}
}

// cacheControl returns the breakpoint in Anthropic's form, nil if there is none.
// OpenAI's lifetimes become the nearest of Anthropic's (30m is 5m, 12h is 1h).
func (d *requestDecoder) cacheControl(p *place, marks cacheMarks) jsontext.Value {
	if !jsonscan.IsNull(marks.control) {
		at := p.at("cache_control")
		if !d.object(&at, marks.control) {
			return nil
		}
		return bytes.Clone(marks.control)
	}
	if jsonscan.IsNull(marks.breakpoint) {
		return nil
	}
	at := p.at("prompt_cache_breakpoint")
	if !d.object(&at, marks.breakpoint) {
		return nil
	}
	in := at.at("ttl")
	switch d.oneOf(&in, jsonscan.Get(marks.breakpoint, "ttl"), "30m", "12h") {
	case "30m":
		return jsontext.Value(`{"type":"ephemeral","ttl":"5m"}`)
	case "12h":
		return jsontext.Value(`{"type":"ephemeral","ttl":"1h"}`)
	}
	return jsontext.Value(`{"type":"ephemeral"}`)
}
