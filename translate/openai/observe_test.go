package openai

import (
	"strings"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
	"github.com/ai-proxy/caddy-ai-proxy/translate/sse"
)

const observed = `{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"he said \"usage\": null, \"error\""},"logprobs":null,"finish_reason":null}]`

// event makes the event that a reader would give for one line of data.
func event(data string) sse.Event {
	return sse.Event{Raw: []byte("data: " + data + "\n\n"), Data: []byte(data), Terminated: true}
}

func TestObserverPasses(t *testing.T) {
	t.Parallel()
	strip := Observer{StripUsage: true, StripUsageNull: true}
	for name, tc := range map[string]struct {
		obs      Observer
		in, want string // want without framing; "" if nothing is passed
	}{
		"no usage":                 {strip, observed + "}", observed + "}"},
		"null usage at the end":    {strip, observed + `,"usage":null}`, observed + "}"},
		"null usage with spaces":   {strip, observed + ` , "usage" : null }`, observed + "  }"},
		"null usage in the middle": {strip, observed + `,"usage":null,"obfuscation":"x"}`, observed + `,"obfuscation":"x"}`},
		"null usage at the start":  {strip, `{"usage":null,` + observed[1:] + "}", observed + "}"},
		"null usage on two lines":  {strip, observed + ",\n\"usage\":null,\n\"a\":1}", observed + `, "a":1}`},
		"null usage is wanted":     {Observer{}, observed + `,"usage":null}`, observed + `,"usage":null}`},
		"extra usage chunk":        {strip, `{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}`, ""},
		"usage chunk is wanted":    {Observer{}, `{"choices":[],"usage":{"prompt_tokens":1}}`, `{"choices":[],"usage":{"prompt_tokens":1}}`},
		"usage beside content":     {strip, observed + `,"usage":{"prompt_tokens":1,"completion_tokens":2}}`, observed + "}"},
		"null error":               {strip, `{"error":null,` + observed[1:] + "}", observed + "}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			obs, ev := tc.obs, event(tc.in)
			got := string(obs.Pass(nil, &ev))
			want := ""
			if tc.want != "" {
				want = "data: " + tc.want + "\n\n"
			}
			if got != want || obs.Err != nil {
				t.Errorf("got\n%s\nwant\n%s (%v)", got, want, obs.Err)
			}
		})
	}
}

func TestObserverEndsLinesWithLF(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"data: {\"a\":1}\r\n\r\n":        "data: {\"a\":1}\r\n\r\n",
		"data: {\"a\":1}\r\n\r":          "data: {\"a\":1}\n\n",
		"id: 1\rdata: {\"a\":1}\r\r":     "id: 1\ndata: {\"a\":1}\n\n",
		"data: {\"a\":1}\ndata: \n\n":    "data: {\"a\":1}\ndata: \n\n",
		"id: 1\r\ndata: {\"a\":1}\r\n\r": "id: 1\ndata: {\"a\":1}\n\n",
	} {
		var obs Observer
		ev := sse.Event{Raw: []byte(raw), Data: []byte(`{"a":1}`), Terminated: true}
		if got := string(obs.Pass(nil, &ev)); got != want {
			t.Errorf("%q became %q, want %q", raw, got, want)
		}
	}
}

func TestObserverNotes(t *testing.T) {
	t.Parallel()
	var obs Observer
	feed := func(data string) {
		ev := event(data)
		obs.Pass(nil, &ev)
	}
	feed(`{"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null}}]}`)
	if obs.Content {
		t.Error("the role alone counts as content")
	}
	feed(`{"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}`)
	if !obs.Content || obs.Finished {
		t.Errorf("after text: content %v, finished %v", obs.Content, obs.Finished)
	}
	feed(`{"choices":[{"index":0,"delta":{},"finish_reason" : "length"}]}`)
	if !obs.Finished || obs.Finish != translate.FinishLength {
		t.Errorf("finish: %v %v", obs.Finished, obs.Finish)
	}
	feed(`{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":3}}}`)
	if !obs.HasUsage || obs.Usage.Prompt != 5 || obs.Usage.Completion != 7 || obs.Usage.Cached != 3 {
		t.Errorf("usage: %+v", obs.Usage)
	}
	feed("[DONE]")
	if !obs.Done || obs.End(true) != nil {
		t.Errorf("done %v, end %v", obs.Done, obs.End(true))
	}
}

func TestObserverReportsErrors(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		data  string
		class translate.ErrorClass
	}{
		"rate limit": {`{"error":{"message":"slow down","type":"rate_limit_exceeded","code":"rate_limit_exceeded"}}`, translate.ErrorRateLimit},
		"a string":   {`{"error":"it broke"}`, translate.ErrorUpstream},
		"not JSON":   {`{"choices":`, translate.ErrorUpstream},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var obs Observer
			ev := event(tc.data)
			if out := obs.Pass(nil, &ev); len(out) > 0 || obs.Err == nil {
				t.Fatalf("passed %q, error %v", out, obs.Err)
			}
			if obs.Err.Class != tc.class {
				t.Errorf("class %d, want %d (%v)", obs.Err.Class, tc.class, obs.Err)
			}
		})
	}
}

func FuzzObserver(f *testing.F) {
	for _, s := range []string{observed + "}", observed + `,"usage":null}`, `{"usage":null}`, `{"a":"usage","usage" :null,"b":1}`, `{"choices":[],"usage":{}}`, `{"error":null}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data string) {
		if strings.ContainsAny(data, "\r\n") {
			return // the reader splits there
		}
		obs := Observer{StripUsage: true, StripUsageNull: true}
		ev := event(data)
		out := string(obs.Pass(nil, &ev))
		if obs.Err != nil || obs.Done || out == "" {
			return
		}
		got, ok := strings.CutPrefix(strings.TrimSuffix(out, "\n\n"), "data: ")
		if !ok || jsonscan.Valid([]byte(got), 0) != nil {
			t.Errorf("%q became %q", data, out)
		}
	})
}

// FuzzObserverPattern makes sure that what an observer has learned from earlier chunks
// changes nothing about how it passes the next one.
func FuzzObserverPattern(f *testing.F) {
	for _, s := range []string{"hello", "", `\"`, `\\`, "x\",\"finish_reason\":\"stop", `\u00e9\ud83d`, "h\xc3\xa9llo", "\xff", "a\"}}", `"usage":null`} {
		f.Add(s, `,"usage":null}`)
		f.Add(s, `,"usage":null,"obfuscation":"x"}`)
		f.Add(s, `}`)
	}
	f.Fuzz(func(t *testing.T, text, tail string) {
		if strings.ContainsAny(text+tail, "\r\n") {
			return
		}
		chunk := func(text string) sse.Event {
			return event(`{"id":"c","choices":[{"index":0,"delta":{"content":"` + text + `"},"finish_reason":null}]` + tail)
		}
		learned := Observer{StripUsage: true, StripUsageNull: true}
		first, second := chunk("hello"), chunk(text)
		learned.Pass(nil, &first)
		if learned.Err != nil {
			return
		}
		fresh := Observer{StripUsage: true, StripUsageNull: true, Content: true}
		got, want := string(learned.Pass(nil, &second)), string(fresh.Pass(nil, &second))
		if got != want || (learned.Err == nil) != (fresh.Err == nil) || learned.Finished != fresh.Finished {
			t.Errorf("with a pattern %q (%v), without %q (%v)", got, learned.Err, want, fresh.Err)
		}
	})
}

func BenchmarkObserverPass(b *testing.B) {
	ev := event(observed + `,"usage":null}`)
	obs := Observer{StripUsage: true, StripUsageNull: true, Content: true}
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out = obs.Pass(out[:0], &ev)
	}
	if len(out) == 0 {
		b.Fatal("nothing was passed")
	}
}
