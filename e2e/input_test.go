package e2e

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestBadInputIsTheClientsFault: whatever a client sends, the answer is a status below
// 500 and an envelope that names what is wrong, and no provider is asked.
func TestBadInputIsTheClientsFault(t *testing.T) {
	t.Parallel()
	s := startStage(t, "\t\tmax_body_size 1MiB", "\t\tmax_nesting 32", "\t\tmax_header_size 4KiB")
	client, legal := newClient(t, "HTTP/1.1", nil), published(t)
	const user = `[{"role":"user","content":"Hello"}]`
	type bad struct {
		name, body  string
		header      []string
		status      int
		param, code string
	}
	for _, tg := range tongues {
		model := `"model":"` + tg.name + `/some-model"`
		for _, b := range []bad{
			{name: "nothing", body: "", status: 400, code: "invalid_json"},
			{name: "not JSON", body: "hello", status: 400, code: "invalid_json"},
			{name: "half a body", body: `{` + model + `,"messages":[`, status: 400, code: "invalid_json"},
			{name: "more than a body", body: `{` + model + `,"messages":` + user + `}{}`, status: 400, code: "invalid_json"},
			{name: "a list", body: `[]`, status: 400},
			{name: "a string", body: `"hello"`, status: 400},
			{name: "no model", body: `{"messages":` + user + `}`, status: 400, param: "model", code: "missing_required_parameter"},
			{name: "a model that is a number", body: `{"model":4,"messages":` + user + `}`, status: 400, param: "model", code: "invalid_type"},
			{name: "a model that is null", body: `{"model":null,"messages":` + user + `}`, status: 400, param: "model"},
			{name: "a model that is empty", body: `{"model":"","messages":` + user + `}`, status: 400, param: "model"},
			{name: "two models", body: `{` + model + `,"model":"other","messages":` + user + `}`, status: 400, code: "invalid_json", param: "model"},
			{name: "two models, one escaped", body: `{` + model + `,"mod\u0065l":"other","messages":` + user + `}`, status: 400, code: "invalid_json", param: "model"},
			{name: "an unknown model", body: `{"model":"nobody-knows-it","messages":` + user + `}`, status: 404, param: "model", code: "model_not_found"},
			{name: "a stream that is a string", body: `{` + model + `,"messages":` + user + `,"stream":"yes"}`, status: 400, param: "stream", code: "invalid_type"},
			{name: "stream options that are a list", body: `{` + model + `,"messages":` + user + `,"stream":true,"stream_options":[]}`, status: 400, param: "stream_options", code: "invalid_type"},
			{name: "stream options without a stream", body: `{` + model + `,"messages":` + user + `,"stream_options":{"include_usage":true}}`, status: 400, param: "stream_options"},
			{name: "bytes that are not UTF-8", body: `{` + model + `,"messages":[{"role":"user","content":"` + "\xff\xfe" + `"}]}`, status: 400, code: "invalid_json"},
			{name: "a control character", body: `{` + model + `,"messages":[{"role":"user","content":"` + "\x01" + `"}]}`, status: 400, code: "invalid_json"},
			{name: "depth", body: `{` + model + `,"messages":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, status: 400},
			{name: "endless depth", body: `{` + model + `,"messages":` + strings.Repeat("[", 500000), status: 400},
			{name: "size", body: `{` + model + `,"messages":[{"role":"user","content":"` + strings.Repeat("x", 1<<20) + `"}]}`, status: 413, code: "request_too_large"},
			{name: "size of a header", body: `{` + model + `,"messages":` + user + `}`, header: []string{"X-Long", strings.Repeat("x", 5000)}, status: 431, code: "header_too_large"},
			{name: "a form", body: `model=x`, header: []string{"Content-Type", "application/x-www-form-urlencoded"}, status: 415, code: "unsupported_media_type"},
			{name: "text", body: `{` + model + `,"messages":` + user + `}`, header: []string{"Content-Type", "text/plain"}, status: 415, code: "unsupported_media_type"},
			{name: "compression", body: `{` + model + `,"messages":` + user + `}`, header: []string{"Content-Encoding", "gzip"}, status: 415, code: "unsupported_media_type"},
		} {
			t.Run(tg.name+" "+b.name, func(t *testing.T) {
				t.Parallel()
				a := exchange(t, client, s.plain+chatPath, []byte(b.body), b.header...)
				v := legal.read(a, false, false)
				if a.status != b.status || v.failure == nil || len(v.wrong) > 0 || v.failure.Type != "invalid_request_error" || b.param != "" && deref(v.failure.Param) != b.param || b.code != "" && v.failure.code() != b.code {
					t.Errorf("status %d, not %d, or not about %q with code %q: %s %q", a.status, b.status, b.param, b.code, a.body, v.wrong)
				}
				if v.failure != nil && len(v.failure.Message) > 1000 {
					t.Errorf("the message is %d bytes long", len(v.failure.Message))
				}
			})
		}
	}
	t.Cleanup(func() {
		if calls := s.seen(""); len(calls) > 0 {
			t.Errorf("a provider was asked %d times, such as: %s", len(calls), calls[0].joined())
		}
	})
}

// TestBodyWithoutALengthIsBounded sends a body of unknown length that does not end.
func TestBodyWithoutALengthIsBounded(t *testing.T) {
	t.Parallel()
	s := startStage(t, "\t\tmax_body_size 1MiB")
	for _, protocol := range protocols {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			endless := io.MultiReader(strings.NewReader(`{"model":"passed/some-model","messages":[{"role":"user","content":"`), infinite('x'))
			req, err := http.NewRequestWithContext(soon(t), http.MethodPost, s.secure+chatPath, endless)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			resp, err := newClient(t, protocol, s.authority(t)).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			if a := readAll(resp); a.status != 413 || !bytes.Contains(a.body, []byte("request_too_large")) {
				t.Errorf("status %d: %s", a.status, a.body)
			}
		})
	}
}

// infinite is a reader of one byte, again and again.
type infinite byte

func (i infinite) Read(p []byte) (int, error) {
	for n := range p {
		p[n] = byte(i)
	}
	return len(p), nil
}
