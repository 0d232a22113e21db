package gemini

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

func TestMediaParts(t *testing.T) {
	t.Parallel()
	data := func(head string) string {
		return base64.StdEncoding.EncodeToString([]byte(head + strings.Repeat("\x00", 24)))
	}
	for name, tc := range map[string]struct {
		kind  translate.PartKind
		media translate.Media
		opt   Options
		want  string
		fails string // part of the message
	}{
		"png":                 {kind: translate.PartImage, media: translate.Media{Data: pixel, MIME: "image/png"}, want: `{"inlineData":{"mimeType":"image/png","data":"` + pixel + `"}}`},
		"wrong label":         {kind: translate.PartImage, media: translate.Media{Data: data("\xff\xd8\xff\xe0"), MIME: "image/png"}, want: `{"inlineData":{"mimeType":"image/jpeg","data":"` + data("\xff\xd8\xff\xe0") + `"}}`},
		"webp without label":  {kind: translate.PartImage, media: translate.Media{Data: data("RIFF\x00\x00\x00\x00WEBP")}, want: `{"inlineData":{"mimeType":"image/webp","data":"` + data("RIFF\x00\x00\x00\x00WEBP") + `"}}`},
		"heic":                {kind: translate.PartImage, media: translate.Media{Data: "AAAA", MIME: "image/heic"}, want: `{"inlineData":{"mimeType":"image/heic","data":"AAAA"}}`},
		"gif":                 {kind: translate.PartImage, media: translate.Media{Data: data("GIF89a"), MIME: "image/png"}, fails: "image/gif"},
		"svg":                 {kind: translate.PartImage, media: translate.Media{Data: "AAAA", MIME: "image/svg+xml"}, fails: "image/svg+xml"},
		"avif":                {kind: translate.PartImage, media: translate.Media{Data: data("\x00\x00\x00\x20ftypavif"), MIME: "image/png"}, fails: "image/avif"},
		"no type at all":      {kind: translate.PartFile, media: translate.Media{Data: "AAAA"}, fails: "media type"},
		"type by name":        {kind: translate.PartFile, media: translate.Media{Data: "AAAA", Filename: "notes.MD"}, want: `{"inlineData":{"mimeType":"text/md","data":"AAAA"}}`},
		"wav":                 {kind: translate.PartAudio, media: translate.Media{Data: "AAAA", MIME: "audio/x-wav"}, want: `{"inlineData":{"mimeType":"audio/wav","data":"AAAA"}}`},
		"video":               {kind: translate.PartVideo, media: translate.Media{Data: "AAAA", MIME: "video/webm"}, want: `{"inlineData":{"mimeType":"video/webm","data":"AAAA"}}`},
		"fetched":             {kind: translate.PartImage, media: translate.Media{URL: "https://example.com/a.png", Data: pixel}, want: `{"inlineData":{"mimeType":"image/png","data":"` + pixel + `"}}`},
		"not fetched":         {kind: translate.PartImage, media: translate.Media{URL: "https://example.com/a.png"}, fails: "not been fetched"},
		"passed":              {kind: translate.PartImage, media: translate.Media{URL: "https://example.com/a.png?x=1"}, opt: Options{PassRemote: true}, want: `{"fileData":{"mimeType":"image/png","fileUri":"https://example.com/a.png?x=1"}}`},
		"E-119 gs":            {kind: translate.PartImage, media: translate.Media{URL: "gs://b/a.png"}, fails: "gs://"},
		"E-119 gs on Vertex":  {kind: translate.PartImage, media: translate.Media{URL: "gs://b/a.jpg"}, opt: Options{Vertex: true}, want: `{"fileData":{"mimeType":"image/jpeg","fileUri":"gs://b/a.jpg"}}`},
		"E-119 gs, type":      {kind: translate.PartImage, media: translate.Media{URL: "gs://b/a", MIME: "image/png"}, opt: Options{Vertex: true}, want: `{"fileData":{"mimeType":"image/png","fileUri":"gs://b/a"}}`},
		"E-119 gs, no type":   {kind: translate.PartImage, media: translate.Media{URL: "gs://b/a"}, opt: Options{Vertex: true}, fails: "unknown"},
		"ftp":                 {kind: translate.PartImage, media: translate.Media{URL: "ftp://b/a.png"}, fails: "http, https or data"},
		"uploaded file":       {kind: translate.PartFile, media: translate.Media{FileID: "https://generativelanguage.googleapis.com/v1beta/files/abc"}, want: `{"fileData":{"fileUri":"https://generativelanguage.googleapis.com/v1beta/files/abc"}}`},
		"OpenAI's file id":    {kind: translate.PartFile, media: translate.Media{FileID: "file-abc"}, fails: "not one of this model's provider"},
		"YouTube":             {kind: translate.PartVideo, media: translate.Media{URL: "https://youtu.be/abc"}, want: `{"fileData":{"mimeType":"video/mp4","fileUri":"https://youtu.be/abc"}}`},
		"nothing":             {kind: translate.PartImage, fails: "http, https or data"},
		"host that only ends": {kind: translate.PartImage, media: translate.Media{URL: "https://evil.example/youtu.be/"}, fails: "not been fetched"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := translate.Request{Model: "gemini-2.5-flash", Turns: []translate.Turn{turn(translate.RoleUser, media(tc.kind, tc.media))}}
			enc, err := EncodeRequest(&req, tc.opt)
			if tc.fails != "" {
				if err == nil || err.Status != 400 || err.Param != "messages[0].content[0]" || !strings.Contains(err.Message, tc.fails) {
					t.Errorf("got %+v, want an error about %q", err, tc.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var v map[string]any
			_ = json.Unmarshal(enc.Body, &v)
			raw, _ := json.Marshal(at(v, "contents", 0, "parts", 0))
			sameJSON(t, string(raw), tc.want)
		})
	}
}

func TestRemoteMedia(t *testing.T) {
	t.Parallel()
	remote := media(translate.PartImage, translate.Media{URL: "HTTPS://example.com/a.png"})
	inResult := media(translate.PartImage, translate.Media{URL: "http://example.com/b.png"})
	tool := result("x", "")
	tool.Parts[0].Result.Parts = append(tool.Parts[0].Result.Parts, inResult)
	req := translate.Request{Turns: []translate.Turn{
		turn(translate.RoleUser, text("Hi"), remote, media(translate.PartImage, translate.Media{URL: "gs://b/a"}), media(translate.PartImage, translate.Media{Data: pixel}),
			media(translate.PartVideo, translate.Media{URL: "https://youtu.be/x"}), media(translate.PartFile, translate.Media{URL: "https://generativelanguage.googleapis.com/v1beta/files/x"}),
			media(translate.PartImage, translate.Media{URL: "https://example.com/c.png", Data: pixel})),
		tool,
	}}
	got := RemoteMedia(&req)
	if len(got) != 2 || got[0] != remote.Media || got[1] != inResult.Media {
		t.Errorf("got %+v", got)
	}
}

func TestDetailOnOlderModelsIsDropped(t *testing.T) {
	t.Parallel()
	req := translate.Request{Model: "gemini-2.5-flash", Turns: []translate.Turn{turn(translate.RoleUser,
		media(translate.PartImage, translate.Media{Data: pixel, Detail: "auto"}), media(translate.PartImage, translate.Media{Data: pixel, Detail: "high"}))}}
	if enc := encode(t, req, Options{}); len(enc.Dropped) != 1 || strings.Contains(string(enc.Body), "mediaResolution") {
		t.Errorf("dropped %v, body %s", enc.Dropped, enc.Body)
	}
}
