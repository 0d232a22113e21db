package openai

import (
	"encoding/base64"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// describe shows what is behind the pointers of a turn.
func describe(v any) string {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return fmt.Sprintf("%+v", v)
	}
	return string(b)
}

func TestDecodeReadsMedia(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		part string
		kind translate.PartKind
		want translate.Media
	}{
		{`{"type":"image_url","image_url":{"url":"https://a/b.png?x=1","detail":"original"}}`, translate.PartImage, translate.Media{URL: "https://a/b.png?x=1", Detail: "original"}},
		{`{"type":"image_url","image_url":{"url":" HTTP://a/b ","detail":null}}`, translate.PartImage, translate.Media{URL: "HTTP://a/b"}},
		{`{"type":"image_url","image_url":"gs://bucket/a.png"}`, translate.PartImage, translate.Media{URL: "gs://bucket/a.png"}},
		{`{"type":"image_url","image_url":{"url":"s3://bucket/a.png"}}`, translate.PartImage, translate.Media{URL: "s3://bucket/a.png"}},
		{`{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}`, translate.PartImage, translate.Media{MIME: "image/png", Data: "iVBORw0KGgo="}},
		{`{"type":"image_url","image_url":{"url":"DATA:Image/PNG;charset=utf-8;BASE64,iVBORw0KGgo"}}`, translate.PartImage, translate.Media{MIME: "image/png", Data: "iVBORw0KGgo="}},
		{`{"type":"image_url","image_url":{"url":"data:;base64,QUJD"}}`, translate.PartImage, translate.Media{Data: "QUJD"}},
		{`{"type":"image_url","image_url":{"url":"data:image\/jpeg;base64, \/9j\/\n4A==\r\n"}}`, translate.PartImage, translate.Media{MIME: "image/jpeg", Data: "/9j/4A=="}},
		{`{"type":"image_url","image_url":{"url":"data:image/webp;base64,_-8"}}`, translate.PartImage, translate.Media{MIME: "image/webp", Data: "/+8="}},
		{`{"type":"video_url","video_url":{"url":"https://a/v.mp4"}}`, translate.PartVideo, translate.Media{URL: "https://a/v.mp4"}},
		{`{"type":"video_url","video_url":"data:video/mp4;base64,QUJD"}`, translate.PartVideo, translate.Media{MIME: "video/mp4", Data: "QUJD"}},
		{`{"type":"input_audio","input_audio":{"data":"QUJD","format":"wav"}}`, translate.PartAudio, translate.Media{MIME: "audio/wav", Data: "QUJD"}},
		{`{"type":"input_audio","input_audio":{"data":"data:audio/mpeg;base64,QUJD"}}`, translate.PartAudio, translate.Media{MIME: "audio/mpeg", Data: "QUJD"}},
		{`{"type":"input_audio","input_audio":{"data":"data:;base64,QUJD","format":"mp3"}}`, translate.PartAudio, translate.Media{MIME: "audio/mp3", Data: "QUJD"}},
		{`{"type":"file","file":{"file_data":"data:application/pdf;base64,JVBERi0=","filename":"é.pdf"}}`, translate.PartFile, translate.Media{MIME: "application/pdf", Data: "JVBERi0=", Filename: "é.pdf"}},
		{`{"type":"file","file":{"file_data":"JVBERi0xLjQK"}}`, translate.PartFile, translate.Media{MIME: "application/pdf", Data: "JVBERi0xLjQK"}},
		{`{"type":"file","file":{"file_data":"QUJD","filename":"a.TXT"}}`, translate.PartFile, translate.Media{MIME: "text/plain", Data: "QUJD", Filename: "a.TXT"}},
		{`{"type":"file","file":{"file_data":"QUJD"}}`, translate.PartFile, translate.Media{Data: "QUJD"}},
		{`{"type":"file","file":{"file_id":"file-1","file_data":null}}`, translate.PartFile, translate.Media{FileID: "file-1"}},
		{`{"type":"file","file":{"file_url":"https://a/b.pdf"}}`, translate.PartFile, translate.Media{URL: "https://a/b.pdf"}},
		{`{"type":"file","file":{"file_data":"https://a/b.pdf","filename":"b.pdf"}}`, translate.PartFile, translate.Media{URL: "https://a/b.pdf", Filename: "b.pdf"}},
	} {
		part := turnsOf(t, `{"role":"user","content":[`+tc.part+`]}`)[0].Parts[0]
		if part.Kind != tc.kind || !reflect.DeepEqual(*part.Media, tc.want) {
			t.Errorf("%s:\ngot  %d %+v\nwant %d %+v", tc.part, part.Kind, *part.Media, tc.kind, tc.want)
		}
	}
}

func TestDecodeNamesMistakesInMedia(t *testing.T) {
	t.Parallel()
	const at = "messages[0].content[0]."
	for _, tc := range []struct{ part, code, param string }{
		{`{"type":"image_url"}`, "missing_required_parameter", "image_url"},
		{`{"type":"image_url","image_url":[]}`, "invalid_type", "image_url"},
		{`{"type":"image_url","image_url":{}}`, "missing_required_parameter", "image_url.url"},
		{`{"type":"image_url","image_url":{"url":5}}`, "invalid_type", "image_url.url"},
		{`{"type":"image_url","image_url":{"url":"file:///etc/passwd"}}`, "invalid_value", "image_url.url"},
		{`{"type":"image_url","image_url":{"url":"https://a/\u0000b"}}`, "invalid_value", "image_url.url"},
		{`{"type":"image_url","image_url":{"url":"https://"}}`, "invalid_value", "image_url.url"},
		{`{"type":"image_url","image_url":{"url":"iVBORw0KGgo="}}`, "invalid_value", "image_url.url"},
		{`{"type":"image_url","image_url":{"url":"data:image/png,abc"}}`, "invalid_value", "image_url.url"},
		{`{"type":"image_url","image_url":{"url":"data:image/png;base64"}}`, "invalid_value", "image_url.url"},
		{`{"type":"image_url","image_url":{"url":"data:image/png;base64,"}}`, "invalid_value", "image_url.url"},
		{`{"type":"image_url","image_url":{"url":"data:image/png;base64,AA*A"}}`, "invalid_value", "image_url.url"},
		{`{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAAA"}}`, "invalid_value", "image_url.url"},
		{`{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=A"}}`, "invalid_value", "image_url.url"},
		{`{"type":"image_url","image_url":{"url":"data:image/png;base64,A==="}}`, "invalid_value", "image_url.url"},
		{`{"type":"image_url","image_url":{"url":"data:` + strings.Repeat("x", 300) + `;base64,AAAA"}}`, "invalid_value", "image_url.url"},
		{`{"type":"image_url","image_url":{"url":"https://a/b","detail":"huge"}}`, "invalid_value", "image_url.detail"},
		{`{"type":"input_audio","input_audio":{"format":"wav"}}`, "missing_required_parameter", "input_audio.data"},
		{`{"type":"input_audio","input_audio":{"data":"AAAA"}}`, "missing_required_parameter", "input_audio.format"},
		{`{"type":"input_audio","input_audio":{"data":"AAAA","format":"midi"}}`, "invalid_value", "input_audio.format"},
		{`{"type":"input_audio","input_audio":{"data":"?","format":"wav"}}`, "invalid_value", "input_audio.data"},
		{`{"type":"file","file":{}}`, "missing_required_parameter", "file.file_data"},
		{`{"type":"file","file":{"file_data":"?"}}`, "invalid_value", "file.file_data"},
		{`{"type":"file","file":{"file_data":""}}`, "invalid_value", "file.file_data"},
		{`{"type":"file","file":{"file_id":5}}`, "invalid_type", "file.file_id"},
		{`{"type":"file","file":{"file_url":"b.pdf"}}`, "invalid_value", "file.file_url"},
		{`{"type":"file","file":{"file_id":"f","filename":5}}`, "invalid_type", "file.filename"},
	} {
		mistake(t, conversation(`{"role":"user","content":[`+tc.part+`]}`), tc.code, at+tc.param, "")
	}
}

// FuzzCleanBase64 holds the lenient reader against the strict one of the library.
func FuzzCleanBase64(f *testing.F) {
	for _, s := range []string{"QUJD", "QUI=", "QQ==", "QQ", "Q", "", "=", "QU\nJD", "_-8", "QQ= =", "QQ==Q", "QUJD====", "\x00", "QUJDé"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := cleanBase64([]byte(s))
		standard := strings.NewReplacer("-", "+", "_", "/", " ", "", "\n", "", "\t", "", "\r", "").Replace(s)
		want, err := base64.StdEncoding.DecodeString(standard)
		if err == nil && len(want) > 0 && !ok {
			t.Fatalf("%q is refused", s)
		}
		if !ok {
			return
		}
		decoded, err := base64.StdEncoding.DecodeString(got)
		if err != nil || len(decoded) == 0 {
			t.Fatalf("%q becomes %q: %v", s, got, err)
		}
		if loose, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(standard, "=")); err != nil || string(loose) != string(decoded) {
			t.Fatalf("%q becomes %q, which is %q", s, got, decoded)
		}
	})
}

func BenchmarkDecodeImage(b *testing.B) {
	body := []byte(conversation(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + strings.Repeat("QUJD", 1<<18) + `"}}]}`))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeRequest(body); err != nil {
			b.Fatal(err)
		}
	}
}
