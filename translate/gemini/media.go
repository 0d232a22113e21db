package gemini

import (
	"encoding/base64"
	"strings"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// RemoteMedia returns the media of the request that stand at a public http(s) URL the
// provider does not fetch by itself. The caller fetches them and puts what it got into
// Data and MIME, before [EncodeRequest]. The media are the request's own.
func RemoteMedia(req *translate.Request) []*translate.Media {
	var remote []*translate.Media
	for p := range req.Parts() {
		if m := p.Media; m != nil && m.Data == "" && isHTTP(m.URL) && !ownURI(m.URL) {
			remote = append(remote, m)
		}
	}
	return remote
}

const filesURI = "https://generativelanguage.googleapis.com/"

func isHTTP(uri string) bool {
	return hasPrefixFold(uri, "http://") || hasPrefixFold(uri, "https://")
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// ownURI reports whether the provider resolves the URI itself: files uploaded to it,
// and YouTube videos.
func ownURI(uri string) bool { return isFilesURI(uri) || isYouTube(uri) }

func isFilesURI(uri string) bool {
	return strings.HasPrefix(uri, filesURI) && strings.Contains(uri, "/files/")
}

func isYouTube(uri string) bool {
	rest, ok := strings.CutPrefix(uri, "https://")
	if !ok {
		return false
	}
	for _, host := range []string{"www.youtube.com/", "youtube.com/", "m.youtube.com/", "youtu.be/"} {
		if strings.HasPrefix(rest, host) {
			return true
		}
	}
	return false
}

// media writes the object of one media part; the caller has opened the part. The
// resolution is only legal on parts of a content.
func (e *encoder) media(p *translate.Part, resolution bool) {
	e.buf = append(e.buf, '{')
	m := p.Media
	switch {
	case m == nil:
		e.fail("invalid_value", p.Path, "The part has no content.")
	case m.Data != "":
		e.inlineData(p)
	case m.FileID != "":
		e.fileID(p)
	default:
		e.fileURI(p, m.URL)
	}
	if resolution && m != nil {
		e.mediaResolution(p)
	}
	e.buf = append(e.buf, '}')
}

func (e *encoder) inlineData(p *translate.Part) {
	mime := inlineMIME(p)
	switch {
	case mime == "":
		e.fail("invalid_value", p.Path, "The media type of the part is unknown; name it in the data URL.")
	case strings.HasPrefix(mime, "image/") && !imageTypes[mime]:
		e.fail("invalid_image_format", p.Path, "The provider of this model does not take images of the type "+mime+"; send PNG, JPEG, WebP, HEIC or HEIF.")
	}
	e.buf = append(appendName(e.buf, "inlineData"), '{')
	e.buf = jsonscan.Quote(appendName(e.buf, "mimeType"), mime)
	e.buf = jsonscan.Quote(appendName(e.buf, "data"), p.Media.Data)
	e.buf = append(e.buf, '}')
}

// fileID writes a file that the client uploaded to the provider before.
func (e *encoder) fileID(p *translate.Part) {
	id := p.Media.FileID
	switch {
	case isFilesURI(id) || strings.HasPrefix(id, "gs://"):
		e.fileURI(p, id)
	case strings.HasPrefix(id, "files/") && !e.opt.Vertex:
		e.fileURI(p, filesURI+"v1beta/"+id)
	default:
		e.fail("invalid_value", p.Path, "The file id is not one of this model's provider; send the file itself.")
	}
}

func (e *encoder) fileURI(p *translate.Part, uri string) {
	mime := p.Media.MIME
	switch {
	case strings.HasPrefix(uri, "gs://"):
		if !e.opt.Vertex {
			e.fail("invalid_value", p.Path, "The provider of this model cannot read gs:// URIs; send the file itself or an https URL.")
		}
		if mime == "" {
			mime = extensionMIME(uri)
		}
		if mime == "" {
			e.fail("invalid_value", p.Path, "The media type of a gs:// URI without a known file extension is unknown.")
		}
	case isFilesURI(uri):
	case isYouTube(uri):
		mime = "video/mp4"
	case isHTTP(uri) && e.opt.PassRemote:
		if mime == "" {
			mime = extensionMIME(uri)
		}
	case isHTTP(uri):
		e.fail("invalid_value", p.Path, "The URL has not been fetched; send the media as a data URL.")
	default:
		e.fail("invalid_value", p.Path, "The URL of the media must be http, https or data.")
	}
	e.buf = append(appendName(e.buf, "fileData"), '{')
	if mime != "" {
		e.buf = jsonscan.Quote(appendName(e.buf, "mimeType"), mime)
	}
	e.buf = jsonscan.Quote(appendName(e.buf, "fileUri"), uri)
	e.buf = append(e.buf, '}')
}

// resolutions are the provider's words for an image's detail (genai v1.77.0,
// PartMediaResolutionLevel).
var resolutions = map[string]string{
	"low": "MEDIA_RESOLUTION_LOW", "high": "MEDIA_RESOLUTION_HIGH", "original": "MEDIA_RESOLUTION_ULTRA_HIGH",
}

func (e *encoder) mediaResolution(p *translate.Part) {
	level, ok := resolutions[p.Media.Detail]
	if !ok {
		return
	}
	if !e.caps.MediaResolution {
		e.dropFirst(&e.detailDropped, p.Path+".image_url.detail")
		return
	}
	e.buf = jsonscan.Quote(append(appendName(e.buf, "mediaResolution"), `{"level":`...), level)
	e.buf = append(e.buf, '}')
}

// imageTypes are the images the provider takes (ai.google.dev/gemini-api/docs/image-understanding).
var imageTypes = map[string]bool{"image/png": true, "image/jpeg": true, "image/webp": true, "image/heic": true, "image/heif": true}

// sameTypes are other names of media types.
var sameTypes = map[string]string{
	"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "audio/mpeg": "audio/mp3", "audio/x-wav": "audio/wav", "audio/wave": "audio/wav", "audio/vnd.wave": "audio/wav",
}

// inlineMIME returns the media type of inline data. For images the bytes are believed
// rather than the label, which clients often get wrong.
func inlineMIME(p *translate.Part) string {
	m := p.Media
	mime := strings.ToLower(m.MIME)
	if same, ok := sameTypes[mime]; ok {
		mime = same
	}
	if mime == "" || mime == "application/octet-stream" || strings.HasPrefix(mime, "image/") {
		if found := sniff(m.Data); found != "" && (strings.HasPrefix(found, "image/") || !strings.HasPrefix(mime, "image/")) {
			return found
		}
	}
	if mime == "" {
		mime = extensionMIME(m.Filename)
	}
	return mime
}

// sniff recognises media by the first bytes of their base64 form.
func sniff(data string) string {
	var head [24]byte
	n, _ := base64.StdEncoding.Decode(head[:], []byte(data[:min(len(data), 32)/4*4]))
	b := string(head[:n])
	at := func(i int, s string) bool { return len(b) >= i+len(s) && b[i:i+len(s)] == s }
	switch {
	case at(0, "\x89PNG\r\n"):
		return "image/png"
	case at(0, "\xff\xd8\xff"):
		return "image/jpeg"
	case at(0, "RIFF") && at(8, "WEBP"):
		return "image/webp"
	case at(0, "RIFF") && at(8, "WAVE"):
		return "audio/wav"
	case at(0, "GIF8"):
		return "image/gif"
	case at(0, "BM") && at(6, "\x00\x00\x00\x00"):
		return "image/bmp"
	case at(4, "ftyphei"), at(4, "ftyphev"):
		return "image/heic"
	case at(4, "ftypmif"), at(4, "ftypmsf"):
		return "image/heif"
	case at(4, "ftypavif"):
		return "image/avif"
	case at(4, "ftyp"):
		return "video/mp4"
	case at(0, "%PDF"):
		return "application/pdf"
	case at(0, "ID3"):
		return "audio/mp3"
	}
	return ""
}

// fileTypes are media types by file extension.
var fileTypes = map[string]string{
	"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp", "heic": "image/heic", "heif": "image/heif",
	"pdf": "application/pdf", "txt": "text/plain", "md": "text/md", "csv": "text/csv", "html": "text/html", "xml": "text/xml", "json": "application/json",
	"mp3": "audio/mp3", "wav": "audio/wav", "ogg": "audio/ogg", "flac": "audio/flac", "aac": "audio/aac", "m4a": "audio/m4a",
	"mp4": "video/mp4", "mov": "video/mov", "webm": "video/webm", "mpeg": "video/mpeg", "mpg": "video/mpg", "avi": "video/avi",
}

// extensionMIME guesses a media type from a file name or URL.
func extensionMIME(name string) string {
	name, _, _ = strings.Cut(name, "?")
	name, _, _ = strings.Cut(name, "#")
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return ""
	}
	return fileTypes[strings.ToLower(name[dot+1:])]
}
