package aiproxy

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
)

func TestStreamsThatEndOddly(t *testing.T) {
	t.Parallel()
	whole := plain(roleChunk + textChunk + finishChunk)
	for name, tc := range map[string]struct{ sent, want string }{
		"cut off comment at the end":         {roleChunk + textChunk + finishChunk + ": bye", whole + ": bye\n" + done},
		"cut off field at the end":           {roleChunk + textChunk + finishChunk + "event: x", whole + done},
		"event without data":                 {roleChunk + textChunk + "event: ping\n\n" + finishChunk + done, whole + done},
		"event without data, before content": {"event: ping\n\n" + roleChunk + textChunk + finishChunk + done, whole + done},
		"id and retry":                       {"retry: 5\n\n" + roleChunk + textChunk + finishChunk + done, whole + done},
		"DONE cut off":                       {roleChunk + textChunk + finishChunk + "data: [DONE]", whole + done},
		"DONE twice":                         {roleChunk + textChunk + finishChunk + done + done, whole + done},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, answerSSE(tc.sent))
			r := chat(t, serve(t, openaiAt(p)), streamed)
			if r.body != tc.want || r.err != nil {
				t.Errorf("got\n%q\nwant\n%q (%v)", r.body, tc.want, r.err)
			}
		})
	}
}

func TestAnswerWithoutWords(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]http.HandlerFunc{
		"JSON":          answerJSON(200, `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":""},"finish_reason":"stop"}]}`),
		"JSON, no end":  answerJSON(200, `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":""}}]}`),
		"stream":        answerSSE(roleChunk, finishChunk, done),
		"stream, plain": answerSSE(finishChunk, done),
	} {
		for quirk, block := range map[string]string{"passed": "", "rewritten": "\nquirk normalize"} {
			t.Run(name+" "+quirk, func(t *testing.T) {
				t.Parallel()
				p := newProvider(t, sent)
				gateway := serve(t, "provider openai {\nbase_url "+p.URL+"/v1"+block+"\n}")
				if r := chat(t, gateway, streamed); r.status == 200 && !strings.HasSuffix(r.body, done) && !strings.Contains(r.body, `"error"`) {
					t.Errorf("a stream of %q", r.body)
				}
				if r := chat(t, gateway, question); r.status == 200 && !strings.Contains(r.body, `"choices":[{`) {
					t.Errorf("an answer of %q", r.body)
				}
			})
		}
	}
}

// A label that is missing or means nothing does not keep an answer from being read.
func TestFormOfAnAnswer(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		contentType string
		stream      bool
		want        form
	}{
		{"text/event-stream", false, formStream},
		{"Text/Event-Stream; charset=utf-8", true, formStream},
		{"application/json", true, formJSON},
		{"application/problem+json; x=y", false, formJSON},
		{"", true, formStream},
		{"", false, formJSON},
		{"text/plain", true, formStream},
		{"application/octet-stream", false, formJSON},
		{"text/html", true, formUnknown},
		{"image/png", false, formUnknown},
	} {
		if got := answerForm(http.Header{"Content-Type": {tc.contentType}}, tc.stream); got != tc.want {
			t.Errorf("%q (stream %v): %d, want %d", tc.contentType, tc.stream, got, tc.want)
		}
	}
}

// What a finished body still holds is read only as long as it is little, and there.
func TestDrainGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		drain(r)
		if _, err := w.Write([]byte("x")); err != io.ErrClosedPipe {
			t.Errorf("the body is still open: %v", err)
		}
	})
	endless := io.NopCloser(io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20))))
	drain(endless)
	if rest, _ := io.ReadAll(endless); len(rest) < 1<<19 {
		t.Errorf("%d bytes were left of 1 MiB", len(rest))
	}
}

// Both sides are as large as the configuration says, and no larger.
func TestBounds(t *testing.T) {
	t.Parallel()
	big := strings.Replace(answer, "hello", strings.Repeat("x", 5000), 1)
	bigChunk := strings.Replace(textChunk, "hello", strings.Repeat("x", 5000), 1)
	for name, tc := range map[string]struct {
		block, body string
		sent        http.HandlerFunc
		status      int
		code        string
	}{
		"answer":              {"max_answer_size 4KiB", question, answerJSON(200, big), 502, "bad_gateway"},
		"rewritten answer":    {"max_answer_size 4KiB", question, answerSSE(roleChunk, bigChunk, finishChunk, done), 502, "response_too_large"},
		"event":               {"max_event_size 4KiB", streamed, answerSSE(roleChunk, bigChunk, finishChunk, done), 502, "bad_gateway"},
		"nesting":             {"max_nesting 4", strings.Replace(question, `"hi"`, `[[[["x"]]]]`, 1), answerJSON(200, answer), 400, "invalid_json"},
		"body":                {"max_body_size 32B", question, answerJSON(200, answer), 413, "request_too_large"},
		"body without length": {"max_body_size 32B", question, answerJSON(200, answer), 413, "request_too_large"},
		"header":              {"max_header_size 40B", question, answerJSON(200, answer), 431, "header_too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, tc.sent)
			h := loadHandler(t, openaiAt(p)+"\n"+tc.block)
			r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", io.NopCloser(strings.NewReader(tc.body)))
			if name != "body without length" {
				r.ContentLength = int64(len(tc.body))
			}
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer client-key-0123456789")
			w := httptest.NewRecorder()
			if err := h.ServeHTTP(w, withCaddy(r), nil); err != nil {
				t.Fatal(err)
			}
			wantError(t, reply{status: w.Code, body: w.Body.String()}, tc.status, tc.code, "")
		})
	}
}
