package openai

import (
	"bytes"
	"errors"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// top are the members at the top of a chunk or of a whole answer, raw; nil where
// absent.
type top struct {
	id, model, created, tier, fingerprint []byte
	choices, usage, groqUsage             []byte
	err, baseCode                         []byte
	citations, results                    []byte
}

// readTop reads the top of a valid JSON object; any other value gives an empty top.
func readTop(data []byte) (t top) {
	if len(data) == 0 || data[0] != '{' {
		return t
	}
	w := jsonscan.Walk(data)
	for w.Next() {
		switch string(w.Name) {
		case "id":
			t.id = w.Value
		case "model":
			t.model = w.Value
		case "created":
			t.created = w.Value
		case "service_tier":
			t.tier = w.Value
		case "system_fingerprint":
			t.fingerprint = w.Value
		case "choices":
			t.choices = w.Value
		case "usage":
			t.usage = w.Value
		case "x_groq": // Groq's streams before they had a usage of their own
			t.groqUsage = jsonscan.Get(w.Value, "usage")
			if e := jsonscan.Get(w.Value, "error"); isError(e) {
				t.err = e
			}
		case "error":
			t.err = w.Value
		case "base_resp": // MiniMax
			t.baseCode = jsonscan.Get(w.Value, "status_code")
		case "citations": // Perplexity, xAI
			t.citations = w.Value
		case "search_results":
			t.results = w.Value
		}
	}
	return t
}

// failed reports whether the provider reports an error in place of, or in the middle
// of, an answer.
func (t *top) failed() bool {
	code, ok := jsonscan.Int(t.baseCode)
	return isError(t.err) || ok && code != 0
}

// isError reports whether a member "error" says that there is one; some providers
// always have the member.
func isError(raw []byte) bool {
	switch string(raw) {
	case "", "null", "false", "0", `""`, "{}", "[]":
		return false
	}
	return true
}

// remember keeps what the answer's start needs, from the first chunk that has it.
func (d *Decoder) remember(t *top) {
	if !d.started {
		if d.id == "" {
			d.id = jsonscan.String(t.id)
		}
		if d.model == "" {
			d.model = jsonscan.String(t.model)
		}
		if n, ok := jsonscan.Int(t.created); ok && d.created <= 0 && n < 1<<53 {
			d.created = n
		}
		if d.fingerprint == "" {
			d.fingerprint = jsonscan.String(t.fingerprint)
		}
	}
	if tier := serviceTier(t.tier); tier != "" {
		d.tier = tier
	}
	d.citations = latest(d.citations, t.citations)
	d.results = latest(d.results, t.results)
}

// serviceTier returns the tier if it is one of OpenAI's; clients know no other.
func serviceTier(raw []byte) string {
	switch string(jsonscan.Inner(raw)) {
	case "auto":
		return "auto"
	case "default":
		return "default"
	case "flex":
		return "flex"
	case "scale":
		return "scale"
	case "priority":
		return "priority"
	case "fast":
		return "fast"
	}
	return ""
}

// latest returns a copy of raw if it is a list that is not empty, made in kept's
// place, else kept.
func latest(kept, raw []byte) []byte {
	if len(raw) <= len("[]") || raw[0] != '[' || len(raw) > maxCitations || bytes.Equal(kept, raw) {
		return kept
	}
	return append(kept[:0], raw...)
}

// emitCitations passes on the sources of the answer. They are no annotations, because
// the provider does not say which part of the text rests on which source.
func (d *Decoder) emitCitations(out translate.Sink) {
	if len(d.choices) == 0 || len(d.citations)+len(d.results) == 0 {
		return
	}
	d.buf = append(d.buf[:0], '{')
	if len(d.citations) > 0 {
		d.buf = append(append(d.buf, `"citations":`...), d.citations...)
	}
	if len(d.results) > 0 {
		if len(d.citations) > 0 {
			d.buf = append(d.buf, ',')
		}
		d.buf = append(append(d.buf, `"search_results":`...), d.results...)
	}
	d.buf = append(d.buf, '}')
	d.meta(&d.choices[0], translate.BlockMedia, indexMedia, translate.MetaVendor, d.buf, out)
}

// validJSON reports whether data is JSON, and returns it with U+FFFD in place of bytes
// that are not UTF-8, which is how the HTML standard has event streams decoded.
func validJSON(data []byte) ([]byte, bool) {
	err := jsonscan.Valid(data, maxDepth)
	if errors.Is(err, jsonscan.ErrUTF8) {
		return bytes.ToValidUTF8(data, []byte("\ufffd")), true
	}
	return data, err == nil
}

// first returns the first element of an array, or nil.
func first(array []byte) []byte {
	if len(array) == 0 || array[0] != '[' {
		return nil
	}
	w := jsonscan.Walk(array)
	if !w.Next() {
		return nil
	}
	return w.Value
}
