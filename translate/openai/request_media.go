package openai

import (
	"bytes"
	"strings"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// schemes are the kinds of addresses that some provider can fetch from.
var schemes = []string{"https://", "http://", "gs://", "s3://"}

// linked reads {"url":…,"detail":…}, or the bare URL that some clients write.
func (d *requestDecoder) linked(p *place, raw []byte, kind string) *translate.Media {
	if jsonscan.IsString(raw) {
		return d.located(p, raw, kind)
	}
	if !d.object(p, raw) {
		return nil
	}
	at := p.at("url")
	url := jsonscan.Get(raw, "url")
	if !d.present(&at, url) {
		return nil
	}
	m := d.located(&at, url, kind)
	if m != nil {
		at = p.at("detail")
		m.Detail = d.oneOf(&at, jsonscan.Get(raw, "detail"), "auto", "low", "high", "original")
	}
	return m
}

// located reads a data URL or an address.
func (d *requestDecoder) located(p *place, raw []byte, kind string) *translate.Media {
	url := bytes.TrimSpace(plain(raw))
	if m, is := d.dataURL(p, url); is {
		return m
	}
	if !isAddress(url) {
		path := p.String()
		d.fail(invalidValue(path, "Invalid '"+path+"'. Expected a base64-encoded data URL or a valid URL of a "+kind+"."))
		return nil
	}
	return &translate.Media{URL: string(url)}
}

// plain returns the text of a raw string, without a copy where there are no escapes.
func plain(raw []byte) []byte {
	inner := jsonscan.Inner(raw)
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	return jsonscan.Unquote(nil, raw)
}

// isAddress reports whether a text is a URL with a scheme that providers fetch from.
func isAddress(url []byte) bool {
	for _, s := range schemes {
		if len(url) > len(s) && strings.EqualFold(string(url[:len(s)]), s) {
			return bytes.IndexFunc(url, func(r rune) bool { return r <= ' ' || r == 0x7f }) < 0
		}
	}
	return false
}

// dataURL splits data:<media type>[;parameter]…;base64,<data>. It reports whether the
// text is a data URL at all; a broken one is a mistake.
func (d *requestDecoder) dataURL(p *place, url []byte) (m *translate.Media, is bool) {
	const scheme = "data:"
	if len(url) < len(scheme) || !strings.EqualFold(string(url[:len(scheme)]), scheme) {
		return nil, false
	}
	head, data, found := bytes.Cut(url[len(scheme):], []byte{','})
	fields := strings.Split(string(head[:min(len(head), maxParam)]), ";")
	last := strings.TrimSpace(fields[len(fields)-1])
	if !found || len(head) > maxParam || len(fields) < 2 || !strings.EqualFold(last, "base64") {
		path := p.String()
		d.fail(invalidValue(path, "Invalid '"+path+"'. Expected a data URL of the form 'data:<media type>;base64,<data>'."))
		return nil, true
	}
	return &translate.Media{MIME: strings.ToLower(strings.TrimSpace(fields[0])), Data: d.base64(p, data)}, true
}

// base64 returns data in the standard alphabet, padded and without white space.
func (d *requestDecoder) base64(p *place, data []byte) string {
	out, ok := cleanBase64(data)
	if !ok {
		path := p.String()
		d.fail(invalidValue(path, "Invalid '"+path+"'. Expected base64-encoded data."))
	}
	return out
}

// The classes of bytes in base64. Those of plain digits are zero, so that several are
// told apart from the rest by one test.
const (
	base64Digit = iota
	base64URL   // of the URL-safe alphabet
	base64Space
	base64No
)

var base64Class = func() (class [256]byte) {
	for c := range class {
		class[c] = base64No
	}
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		class[c] = base64Digit
	}
	class['-'], class['_'] = base64URL, base64URL
	class[' '], class['\t'], class['\n'], class['\r'] = base64Space, base64Space, base64Space, base64Space
	return class
}()

// cleanBase64 checks base64 and puts it into its standard form. Data that is in it
// already is copied once.
func cleanBase64(data []byte) (string, bool) {
	n := 0
	for ; n+8 <= len(data); n += 8 {
		b, class := data[n:n+8:n+8], &base64Class
		if class[b[0]]|class[b[1]]|class[b[2]]|class[b[3]]|class[b[4]]|class[b[5]]|class[b[6]]|class[b[7]] != base64Digit {
			break
		}
	}
	for n < len(data) && base64Class[data[n]] == base64Digit {
		n++
	}
	digits, rest := data[:n], data[n:]
	if len(rest) > 0 && !isPadding(rest) {
		clean := append(make([]byte, 0, len(data)), digits...)
		for i, c := range rest {
			switch base64Class[c] {
			case base64Digit:
				clean = append(clean, c)
				continue
			case base64URL:
				clean = append(clean, "+/"[c>>6&1])
				continue
			case base64Space:
				continue
			}
			if !isPadding(rest[i:]) {
				return "", false
			}
			break
		}
		digits, rest = clean, nil
	}
	switch len(digits) % 4 {
	case 0:
		return string(digits), len(digits) > 0
	case 1:
		return "", false
	case 2:
		return padded(data, digits, rest, "=="), true
	default:
		return padded(data, digits, rest, "="), true
	}
}

// isPadding reports whether a text is nothing but padding and white space.
func isPadding(b []byte) bool {
	n := 0
	for _, c := range b {
		if c == '=' {
			n++
		} else if base64Class[c] != base64Space {
			return false
		}
	}
	return n <= 2
}

// padded returns digits with their padding; where it stands in data already, in one
// copy.
func padded(data, digits, rest []byte, padding string) string {
	if string(rest) == padding {
		return string(data)
	}
	return string(digits) + padding
}

// audioFormats are the formats of input_audio that some model takes.
var audioFormats = []string{"wav", "mp3", "flac", "opus", "ogg", "aac", "m4a", "aiff", "webm", "pcm16"}

// audio reads input_audio.
func (d *requestDecoder) audio(p *place, raw []byte) *translate.Media {
	if !d.object(p, raw) {
		return nil
	}
	at := p.at("data")
	data := jsonscan.Get(raw, "data")
	if !d.present(&at, data) {
		return nil
	}
	text := bytes.TrimSpace(plain(data))
	m, is := d.dataURL(&at, text)
	if !is {
		m = &translate.Media{Data: d.base64(&at, text)}
	}
	at = p.at("format")
	format := jsonscan.Get(raw, "format")
	if m == nil || m.MIME != "" && format == nil {
		return m
	}
	m.MIME = "audio/" + d.mustBeOneOf(&at, format, audioFormats...)
	return m
}

// fileTypes are the media types of files by their names' endings.
var fileTypes = []struct{ ending, mime string }{
	{".pdf", "application/pdf"}, {".txt", "text/plain"}, {".md", "text/markdown"}, {".csv", "text/csv"}, {".html", "text/html"},
	{".json", "application/json"}, {".xml", "text/xml"},
	{".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
	{".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
	{".pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
}

// file reads a file part: data, an id, or the address of a file.
func (d *requestDecoder) file(p *place, raw []byte) *translate.Media {
	if !d.object(p, raw) {
		return nil
	}
	var data, id, url, name []byte
	for w := jsonscan.Walk(raw); w.Next(); {
		switch string(w.Name) {
		case "file_data":
			data = w.Value
		case "file_id":
			id = w.Value
		case "file_url":
			url = w.Value
		case "filename":
			name = w.Value
		}
	}
	var m *translate.Media
	switch {
	case !jsonscan.IsNull(data):
		at := p.at("file_data")
		m = d.fileData(&at, data)
	case !jsonscan.IsNull(id):
		at := p.at("file_id")
		m = &translate.Media{FileID: d.required(&at, id)}
	case !jsonscan.IsNull(url):
		at := p.at("file_url")
		if d.present(&at, url) {
			m = d.located(&at, url, "file")
		}
	default:
		at := p.at("file_data")
		d.fail(missing(at.String()))
	}
	if m == nil {
		return nil
	}
	at := p.at("filename")
	m.Filename = d.optional(&at, name)
	for _, t := range fileTypes {
		if m.MIME == "" && m.Data != "" && strings.HasSuffix(strings.ToLower(m.Filename), t.ending) {
			m.MIME = t.mime
		}
	}
	return m
}

// fileData reads file_data: a data URL, an address, or bare base64.
func (d *requestDecoder) fileData(p *place, raw []byte) *translate.Media {
	if !d.present(p, raw) {
		return nil
	}
	text := bytes.TrimSpace(plain(raw))
	if m, is := d.dataURL(p, text); is {
		return m
	}
	if isAddress(text) {
		return &translate.Media{URL: string(text)}
	}
	m := &translate.Media{Data: d.base64(p, text)}
	if strings.HasPrefix(m.Data, string(pdfBase64)) {
		m.MIME = "application/pdf"
	}
	return m
}
