package anthropic

import (
	"encoding/base64"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// parts returns the blocks for the parts of one message, except its reasoning. What
// the API has no block for is refused.
func (e *encoder) parts(t *translate.Turn) []block {
	blocks := make([]block, 0, len(t.Parts))
	for i := range t.Parts {
		p := &t.Parts[i]
		n := len(blocks)
		switch p.Kind {
		case translate.PartText, translate.PartRefusal:
			// Blank text blocks are refused upstream.
			if strings.TrimSpace(p.Text) != "" {
				blocks = append(blocks, block{kind: blockText, text: p.Text})
			}
		case translate.PartImage, translate.PartFile:
			if b, ok := e.media(p); ok {
				blocks = append(blocks, b)
			}
		case translate.PartToolCall:
			if p.Call != nil {
				blocks = append(blocks, block{kind: blockToolUse, id: p.Call.ID, name: p.Call.Name, call: p.Call})
			}
		case translate.PartToolResult:
			if p.Result != nil {
				blocks = append(blocks, e.result(p))
			}
		case translate.PartReasoning:
		case translate.PartAudio:
			if t.Role == translate.RoleAssistant { // an earlier answer, named by its id
				e.drop(p.Path)
				continue
			}
			e.unsupported(p.Path)
		default:
			e.unsupported(p.Path)
		}
		if len(blocks) > n && blocks[n].cache == nil {
			blocks[n].cache = breakpoint(p.CacheControl)
		}
	}
	return blocks
}

// result returns the tool_result block for a tool message. A breakpoint of one of its
// parts becomes the block's: parts of a result cannot have their own.
func (e *encoder) result(p *translate.Part) block {
	r := p.Result
	b := block{kind: blockToolResult, id: r.CallID, name: r.Name, isError: r.IsError, cache: breakpoint(p.CacheControl)}
	for i := range r.Parts {
		c := &r.Parts[i]
		switch c.Kind {
		case translate.PartText, translate.PartRefusal:
			if strings.TrimSpace(c.Text) != "" {
				b.content = append(b.content, block{kind: blockText, text: c.Text})
			}
		case translate.PartImage, translate.PartFile:
			if m, ok := e.media(c); ok {
				b.content = append(b.content, m)
			}
		default:
			e.unsupported(c.Path)
		}
		if cache := breakpoint(c.CacheControl); cache != nil && b.cache == nil {
			b.cache = cache
		}
	}
	return b
}

// RemoteMedia returns the images and files of the request that stand at a URL which the
// provider does not fetch by itself, because it is not https. The caller may fetch them
// and put what it got into Data and MIME, before [EncodeRequest], which refuses them
// otherwise. The media are the request's own.
func RemoteMedia(req *translate.Request) []*translate.Media {
	var remote []*translate.Media
	for p := range req.Parts() {
		if p.Kind != translate.PartImage && p.Kind != translate.PartFile || p.Media == nil || p.Media.Data != "" {
			continue
		}
		if u := p.Media.URL; len(u) > 7 && strings.EqualFold(u[:7], "http://") {
			remote = append(remote, p.Media)
		}
	}
	return remote
}

// media returns the image or document block for an image or a file.
func (e *encoder) media(p *translate.Part) (block, bool) {
	if p.Media == nil {
		e.fail("invalid_value", p.Path, "The part has no content.")
		return block{}, false
	}
	m := *p.Media
	if p.Kind == translate.PartImage && m.Detail != "" && m.Detail != "auto" {
		e.drop(p.Path + ".image_url.detail")
	}
	if len(m.URL) >= 5 && strings.EqualFold(m.URL[:5], "data:") {
		if !readDataURL(&m) {
			e.fail("invalid_value", p.Path, "The data URL is not valid base64 data.")
			return block{}, false
		}
	}
	switch {
	case m.FileID != "":
		return e.fileByID(p, &m)
	case m.URL != "" && m.Data == "":
		return e.fileByURL(p, &m)
	}
	return e.inline(p, &m)
}

// fileByID names a file that was uploaded to Anthropic before.
func (e *encoder) fileByID(p *translate.Part, m *translate.Media) (block, bool) {
	if !e.opt.FileIDs || !strings.HasPrefix(m.FileID, "file_") {
		e.fail("unsupported_value", p.Path, "Files cannot be given by id here; send their data or a URL.")
		return block{}, false
	}
	e.beta("files-api-2025-04-14")
	b := block{kind: blockDocument, source: "file", data: m.FileID, title: m.Filename}
	if p.Kind == translate.PartImage || strings.HasPrefix(m.MIME, "image/") {
		b.kind, b.title = blockImage, ""
	}
	return b, true
}

// fileByURL lets the provider fetch an image or a PDF, which it does over https only.
func (e *encoder) fileByURL(p *translate.Part, m *translate.Media) (block, bool) {
	if len(m.URL) < 8 || !strings.EqualFold(m.URL[:8], "https://") {
		e.fail("unsupported_value", p.Path, "Only https URLs and data URLs can be sent to this model's provider.")
		return block{}, false
	}
	switch {
	case p.Kind == translate.PartImage, strings.HasPrefix(m.MIME, "image/"):
		return block{kind: blockImage, source: "url", data: m.URL}, true
	case m.MIME == "", m.MIME == mimePDF:
		return block{kind: blockDocument, source: "url", data: m.URL, title: m.Filename}, true
	}
	e.fail("unsupported_value", p.Path, "Files of the type "+strconv.Quote(m.MIME)+" cannot be given by URL.")
	return block{}, false
}

const mimePDF = "application/pdf"

// inline returns the block for data that came with the request. What the data begins
// with counts more than what the client calls it.
func (e *encoder) inline(p *translate.Part, m *translate.Media) (block, bool) {
	mime := sniff(m.Data)
	if mime == "" {
		mime = m.MIME
	}
	switch mime {
	case "image/jpg":
		mime = "image/jpeg"
		fallthrough
	case "image/jpeg", "image/png", "image/gif", "image/webp":
		return block{kind: blockImage, source: "base64", mime: mime, data: m.Data}, m.Data != "" || e.noData(p)
	case mimePDF:
		return block{kind: blockDocument, source: "base64", mime: mime, data: m.Data, title: m.Filename}, m.Data != "" || e.noData(p)
	}
	if p.Kind == translate.PartImage {
		e.fail("invalid_image_format", p.Path, "Images must be JPEG, PNG, GIF or WebP.")
		return block{}, false
	}
	if mime == "" || mime == "application/json" || strings.HasPrefix(mime, "text/") {
		if text, err := base64.StdEncoding.DecodeString(m.Data); err == nil && utf8.Valid(text) && strings.TrimSpace(string(text)) != "" {
			return block{kind: blockDocument, source: "text", mime: "text/plain", data: string(text), title: m.Filename}, true
		}
	}
	e.fail("unsupported_value", p.Path, "Files must be PDF or plain text in UTF-8.")
	return block{}, false
}

func (e *encoder) noData(p *translate.Part) bool {
	e.fail("invalid_value", p.Path, "The part has no content.")
	return false
}

// sniff returns the media type that base64 data begins like; "" if none is known.
func sniff(data string) string {
	var head [18]byte
	n, err := base64.StdEncoding.Decode(head[:], []byte(data[:min(len(data), 24)&^3]))
	if err != nil {
		return ""
	}
	switch s := string(head[:n]); {
	case strings.HasPrefix(s, "\x89PNG\r\n\x1a\n"):
		return "image/png"
	case strings.HasPrefix(s, "\xff\xd8\xff"):
		return "image/jpeg"
	case strings.HasPrefix(s, "GIF87a"), strings.HasPrefix(s, "GIF89a"):
		return "image/gif"
	case strings.HasPrefix(s, "RIFF") && len(s) >= 12 && s[8:12] == "WEBP":
		return "image/webp"
	case strings.HasPrefix(s, "%PDF"):
		return mimePDF
	}
	return ""
}

// readDataURL moves the content of a base64 data URL to m.Data and m.MIME.
func readDataURL(m *translate.Media) bool {
	head, data, ok := strings.Cut(m.URL[len("data:"):], ",")
	params := strings.Split(strings.ToLower(head), ";")
	if !ok || strings.TrimSpace(params[len(params)-1]) != "base64" {
		return false
	}
	if mime := strings.TrimSpace(params[0]); mime != "base64" && mime != "" {
		m.MIME = mime
	}
	m.Data, m.URL = data, ""
	return true
}
