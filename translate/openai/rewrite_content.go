package openai

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// content writes the content of one message, or of several that become one; tail adds
// the text of the schema.
func (r *rewriter) content(contents [][]byte, tail bool) {
	if len(contents) == 1 && !tail && !r.changesParts(contents[0]) {
		r.raw(contents[0])
		return
	}
	flat := true
	for _, c := range contents {
		flat = flat && r.isFlat(c)
	}
	if flat {
		r.flat(contents, tail)
		return
	}
	r.comma()
	r.out = append(r.out, '[')
	for _, c := range contents {
		r.parts(c)
	}
	if tail {
		r.raw([]byte(`{"type":"text","text":"`))
		r.out = append(r.schemaText(r.out), `"}`...)
	}
	r.out = append(r.out, ']')
}

// changesParts reports whether a content may have to be written anew.
func (r *rewriter) changesParts(raw []byte) bool {
	return isArray(raw) && (r.q.FlattenText || r.q.ImageURL != "" || r.q.FilePart != "" || r.q.DropNulls)
}

// isFlat reports whether a content may be sent as a string.
func (r *rewriter) isFlat(raw []byte) bool {
	if !isArray(raw) {
		return jsonscan.IsNull(raw) || jsonscan.IsString(raw)
	}
	if !r.q.FlattenText {
		return false
	}
	for w := jsonscan.Walk(raw); w.Next(); {
		if partText(w.Value) == nil {
			return false
		}
	}
	return true
}

// partText returns the raw text of a text or refusal part, nil for other parts.
func partText(raw []byte) []byte {
	kind := jsonscan.Inner(jsonscan.Get(raw, "type"))
	switch string(kind) {
	case "text", "refusal":
		if text := jsonscan.Get(raw, string(kind)); jsonscan.IsString(text) {
			return text
		}
	}
	return nil
}

// flat writes contents as one string: parts are divided by a line break, messages by
// an empty line.
func (r *rewriter) flat(contents [][]byte, tail bool) {
	r.comma()
	r.out = append(r.out, '"')
	start := len(r.out)
	divide := func(by string) {
		if len(r.out) > start {
			r.out = append(r.out, by...)
		}
	}
	for _, c := range contents {
		if text := jsonscan.Inner(c); len(text) > 0 {
			divide(`\n\n`)
			r.out = append(r.out, text...)
		}
		by := `\n\n`
		for w := jsonscan.Walk(c); w.Next(); {
			if text := jsonscan.Inner(partText(w.Value)); len(text) > 0 {
				divide(by)
				r.out = append(r.out, text...)
				by = `\n`
			}
		}
	}
	if tail {
		divide(`\n\n`)
		r.out = r.schemaText(r.out)
	}
	r.out = append(r.out, '"')
}

// parts writes the parts of a content; a string becomes one text part.
func (r *rewriter) parts(raw []byte) {
	if jsonscan.IsString(raw) {
		r.raw([]byte(`{"type":"text","text":`))
		r.out = append(append(r.out, raw...), '}')
		return
	}
	for w := jsonscan.Walk(raw); isArray(raw) && w.Next(); {
		r.part(w.Value)
	}
}

func (r *rewriter) part(raw []byte) {
	if !isObject(raw) {
		r.raw(raw)
		return
	}
	switch string(jsonscan.Inner(jsonscan.Get(raw, "type"))) {
	case "image_url":
		if url := jsonscan.Get(jsonscan.Get(raw, "image_url"), "url"); r.q.ImageURL == "string" && jsonscan.IsString(url) {
			r.object(raw, func(name, _ []byte) bool {
				if string(name) != "image_url" {
					return false
				}
				r.name("image_url")
				r.raw(url)
				return true
			})
			return
		}
	case "file":
		if r.q.FilePart == "document_url" && r.document(jsonscan.Get(raw, "file")) {
			return
		}
	}
	r.object(raw, nil)
}

// pdfBase64 is how a PDF begins in base64.
var pdfBase64 = []byte("JVBERi")

// document writes a file part as a document; false if it is none that can be.
func (r *rewriter) document(file []byte) bool {
	data := jsonscan.Inner(jsonscan.Get(file, "file_data"))
	switch {
	case len(data) > 0:
		prefix := ""
		if bytes.HasPrefix(data, pdfBase64) {
			prefix = "data:application/pdf;base64,"
		} else if !bytes.HasPrefix(data, []byte("data:")) && !bytes.HasPrefix(data, []byte("http")) {
			return false
		}
		r.raw([]byte(`{"type":"document_url","document_url":"`))
		r.out = append(append(append(r.out, prefix...), data...), '"')
		if name := jsonscan.Get(file, "filename"); jsonscan.IsString(name) {
			r.name("document_name")
			r.raw(name)
		}
	default:
		id := jsonscan.Get(file, "file_id")
		if !jsonscan.IsString(id) {
			return false
		}
		r.raw([]byte(`{"type":"file","file_id":`))
		r.raw(id)
	}
	r.out = append(r.out, '}')
	return true
}

// toolID writes the id of a tool call in the form the provider insists on.
func (r *rewriter) toolID(raw []byte) {
	if r.q.ToolID != "alnum9" || !jsonscan.IsString(raw) || isAlnum9(jsonscan.Inner(raw)) {
		r.raw(raw)
		return
	}
	sum := sha256.Sum256(jsonscan.Unquote(nil, raw))
	n := binary.BigEndian.Uint64(sum[:])
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	r.comma()
	r.out = append(r.out, '"')
	for range 9 {
		r.out = append(r.out, digits[n%uint64(len(digits))])
		n /= uint64(len(digits))
	}
	r.out = append(r.out, '"')
}

func isAlnum9(id []byte) bool {
	for _, c := range id {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return len(id) == 9
}
