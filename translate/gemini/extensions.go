package gemini

import (
	"bytes"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// extensions are the top-level members in the provider's own form that a client may
// send, in both spellings. Those of Google's compatibility endpoint are nested in
// extra_body.google, which some SDKs send as google.
var extensions = map[string]string{
	"safety_settings": "safetySettings", "safetySettings": "safetySettings",
	"cached_content": "cachedContent", "cachedContent": "cachedContent",
	"generation_config": "generationConfig", "generationConfig": "generationConfig",
	"thinking_config": "thinkingConfig", "thinkingConfig": "thinkingConfig",
}

func isExtension(name string) bool {
	return extensions[name] != "" || name == "extra_body" || name == "google"
}

// readExtensions takes the provider's own parameters out of the request.
func (e *encoder) readExtensions() {
	e.safety = e.ownSettings()
	for _, m := range e.req.Extra {
		raw := []byte(m.Value)
		if !isExtension(m.Name) || !sent(raw) {
			continue
		}
		if jsonscan.Valid(raw, maxDepth) != nil {
			e.fail("invalid_json", m.Name, "The value is not valid JSON.")
			return
		}
		switch m.Name {
		case "extra_body":
			e.extension(jsonscan.Get(raw, "google"), "extra_body.google")
		case "google":
			e.extension(raw, "google")
		default:
			e.own(extensions[m.Name], raw, m.Name)
		}
	}
}

// ownSettings returns the configured safety settings.
func (e *encoder) ownSettings() []byte {
	raw := []byte(e.opt.SafetySettings)
	if !sent(raw) || jsonscan.Valid(raw, maxDepth) != nil {
		return nil
	}
	return camelKeys(nil, raw)
}

// extension reads the object at extra_body.google.
func (e *encoder) extension(object []byte, path string) {
	w := jsonscan.Walk(object)
	for w.Next() {
		name := string(w.Name)
		switch {
		case !sent(w.Value):
		case extensions[name] != "":
			e.own(extensions[name], w.Value, path+"."+name)
		default:
			e.drop(path + "." + name)
		}
	}
}

// own keeps one parameter in the provider's form.
func (e *encoder) own(name string, raw []byte, param string) {
	want := byte('{')
	switch name {
	case "safetySettings":
		want = '['
	case "cachedContent":
		want = '"'
	}
	if raw[0] != want {
		e.fail("invalid_type", param, param+" has the wrong type.")
		return
	}
	switch name {
	case "safetySettings":
		e.safety = camelKeys(nil, raw)
	case "cachedContent":
		e.cached = raw
	case "generationConfig":
		e.clientConfig = camelKeys(nil, raw)
		if t := jsonscan.Get(e.clientConfig, "thinkingConfig"); sent(t) && e.clientThinking == nil {
			e.clientThinking = t
		}
	case "thinkingConfig":
		e.clientThinking = camelKeys(nil, raw)
	}
}

// verbatim are members whose value is the client's own, not a message of the
// provider's: the keys in it stay as they are.
var verbatim = map[string]bool{"responseSchema": true, "responseJsonSchema": true, "parameters": true, "parametersJsonSchema": true, "response": true, "args": true, "labels": true}

// camelKeys appends the valid JSON with the keys of all objects in camel case.
func camelKeys(dst, raw []byte) []byte {
	if len(raw) == 0 || raw[0] != '{' && raw[0] != '[' {
		return append(dst, raw...)
	}
	object := raw[0] == '{'
	dst = append(dst, raw[0])
	w := jsonscan.Walk(raw)
	for n := 0; w.Next(); n++ {
		if n > 0 {
			dst = append(dst, ',')
		}
		if !object {
			dst = camelKeys(dst, w.Value)
			continue
		}
		name := camelCase(w.Name)
		dst = append(jsonscan.Quote(dst, name), ':')
		if verbatim[string(name)] {
			dst = append(dst, w.Value...)
		} else {
			dst = camelKeys(dst, w.Value)
		}
	}
	return append(dst, raw[0]+2)
}

// camelCase turns a_b into aB.
func camelCase(name []byte) []byte {
	if bytes.IndexByte(name, '_') < 0 {
		return name
	}
	out := make([]byte, 0, len(name))
	up := false
	for _, c := range name {
		switch {
		case c == '_' && len(out) > 0:
			up = true
			continue
		case up && 'a' <= c && c <= 'z':
			c -= 'a' - 'A'
		}
		up = false
		out = append(out, c)
	}
	return out
}

// compact returns the valid JSON without the white space between its tokens.
func compact(raw []byte) []byte {
	dst := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		switch c := raw[i]; c {
		case ' ', '\n', '\r', '\t':
			i++
		case '"':
			end := i + 1
			for end < len(raw) && raw[end] != '"' {
				if raw[end] == '\\' {
					end++
				}
				end++
			}
			end = min(end+1, len(raw))
			dst = append(dst, raw[i:end]...)
			i = end
		default:
			dst = append(dst, c)
			i++
		}
	}
	return dst
}

// isObject reports whether raw is a valid JSON object.
func isObject[T ~[]byte](raw T) bool {
	b := bytes.TrimLeft([]byte(raw), " \t\r\n")
	return len(b) > 0 && b[0] == '{' && jsonscan.Valid(b, maxDepth) == nil
}
