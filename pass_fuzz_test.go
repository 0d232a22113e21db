package aiproxy

import (
	"bytes"
	"io"
	"mime/multipart"
	"testing"
)

// FuzzFormModel compares what is found in a form with what Go's own reader finds, which
// is as lenient as servers are: a form that names a model to it, but not to us, would be
// sent to a provider with a model that nobody has allowed.
func FuzzFormModel(f *testing.F) {
	f.Add([]byte(multipartBody("model", "whisper", "file", "RIFF")))
	f.Add([]byte(multipartBody("file", "x", "model", "a", "model", "b")))
	f.Add([]byte("--b\nContent-Disposition: form-data; name=model\n\nx\n--b--\n"))
	f.Add([]byte("preamble\r\n--b\r\nContent-Disposition: form-data; name=model\r\n\r\nx\r\n--b--\r\n"))
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"model\"; filename=\"\"\r\n\r\nx\r\n--b--\r\n"))
	f.Add([]byte("--b\r\nContent-Disposition: form-data;\r\n name=\"model\"\r\n\r\nx\r\n--b--\r\n"))
	f.Add([]byte("--b\r\ncontent-disposition: form-data; name*=utf-8''model\r\n\r\nx\r\n--b--\r\n"))
	f.Add([]byte("--b \r\n\r\nx\r\n--b\r\nContent-Disposition: form-data; name=model\r\n\r\nx\r\n--b--\r\n"))
	f.Add([]byte("--b\r\n\r\nx\r\n--b \t\r\nContent-Disposition: form-data; name=model\r\n\r\nx\r\n--b--\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		named, err := formModel("multipart/form-data; boundary=b", body)
		if err != nil {
			return
		}
		var found []string
		for r := multipart.NewReader(bytes.NewReader(body), "b"); ; {
			part, err := r.NextRawPart()
			if err != nil {
				break
			}
			if part.FormName() == "model" {
				value, _ := io.ReadAll(io.LimitReader(part, 1<<16))
				found = append(found, string(value))
			}
		}
		switch {
		case named.end == 0 && len(found) > 0:
			t.Errorf("%q was not found in %q", found, body)
		case named.end != 0 && (len(found) > 1 || len(found) == 1 && found[0] != named.model || string(body[named.start:named.end]) != named.model):
			t.Errorf("%q at %d was found for %q in %q", named.model, named.start, found, body)
		}
	})
}
