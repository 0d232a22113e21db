package gemini

import (
	"fmt"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

func TestContinuation(t *testing.T) {
	t.Parallel()
	leg := func(text, finish, token string) string {
		return fmt.Sprintf(`{"candidates":[{"content":{"parts":[{"text":%q}]},"finishReason":%q,"continuationToken":%q}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5}}`, text, finish, token)
	}
	enc := &translate.Encoded{Body: []byte(`{"contents":[]}`)}

	t.Run("goes on and sums usage", func(t *testing.T) {
		t.Parallel()
		g, v := guarded(t)
		d := NewDecoder(enc)
		d.Event([]byte(leg("one ", "CONTINUATION", "t1")), nil, g)
		body, ok := d.Continue()
		if !ok || string(body) != `{"continuationToken":"t1","contents":[]}` {
			t.Fatalf("Continue gave %s, %t", body, ok)
		}
		d.Event([]byte(leg("two", "STOP", "")), nil, g)
		if d.Paused() {
			t.Error("a finished answer is paused")
		}
		end(d, g, true)
		if c := v.only(t); c.text != "one two" || c.finish != translate.FinishStop || v.usage.Prompt != 20 || v.usage.Completion != 10 {
			t.Errorf("got %+v, usage %+v", c, v.usage)
		}
	})
	t.Run("without continuing it is length", func(t *testing.T) {
		t.Parallel()
		if c := decodeBody(t, NewDecoder(enc), leg("one", "CONTINUATION", "t1")).only(t); c.finish != translate.FinishLength {
			t.Errorf("finish %s", c.finish)
		}
	})
	t.Run("a repeated token ends it", func(t *testing.T) {
		t.Parallel()
		g, v := guarded(t)
		d := NewDecoder(enc)
		d.Body([]byte(leg("a", "CONTINUATION", "t1")), g)
		if _, ok := d.Continue(); !ok {
			t.Fatal("not paused")
		}
		d.Body([]byte(leg("b", "CONTINUATION", "t1")), g)
		if _, ok := d.Continue(); ok {
			t.Fatal("a repeated token was taken")
		}
		end(d, g, true)
		if c := v.only(t); c.text != "ab" || c.finish != translate.FinishLength {
			t.Errorf("got %+v", c)
		}
	})
	t.Run("at most 16 times", func(t *testing.T) {
		t.Parallel()
		g, _ := guarded(t)
		d := NewDecoder(enc)
		n := 0
		for ; n < 100; n++ {
			d.Event([]byte(leg("a", "CONTINUATION", fmt.Sprint("t", n))), nil, g)
			if _, ok := d.Continue(); !ok {
				break
			}
		}
		if n != 16 {
			t.Errorf("continued %d times", n)
		}
	})
	t.Run("after a broken connection", func(t *testing.T) {
		t.Parallel()
		checkpoint := func(n int) []byte {
			return []byte(fmt.Sprintf(`{"candidates":[{"continuationToken":"t%d"}]}`, n))
		}
		g, _ := guarded(t)
		d := NewDecoder(enc)
		d.Event([]byte(parts("", `{"text":"a"}`)), nil, g)
		if d.Paused() {
			t.Fatal("paused without a checkpoint")
		}
		d.Event(checkpoint(0), nil, g)
		if !d.Paused() {
			t.Fatal("not paused behind a checkpoint")
		}
		d.Event([]byte(parts("", `{"text":"b"}`)), nil, g)
		if d.Paused() {
			t.Fatal("paused although text came behind the checkpoint")
		}
		n := 1
		for ; n < 20; n++ {
			d.Event(checkpoint(n), nil, g)
			if _, ok := d.Continue(); !ok {
				break
			}
		}
		if n != 5 { // once with something new, three times without
			t.Errorf("resumed %d times", n-1)
		}
	})
	t.Run("not a blocked or failed answer", func(t *testing.T) {
		t.Parallel()
		for _, event := range []string{`{"promptFeedback":{"blockReason":"SAFETY"}}`, `{"error":{"code":500}}`} {
			g, _ := guarded(t)
			d := NewDecoder(enc)
			d.Event([]byte(leg("a", "CONTINUATION", "t1")), nil, g)
			d.Event([]byte(event), nil, g)
			if d.Paused() {
				t.Errorf("paused after %s", event)
			}
		}
	})
}
