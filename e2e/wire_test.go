package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// manner is a way in which a provider sends its answer, and what the client must see.
type manner struct {
	name string
	// kind is the content type; "-" is none, and "" that of an event stream.
	kind string
	// body is what is sent, as one piece or byte by byte, before end.
	body string
	end  func(c *call)
	// text is what the client gets; whole says that the answer is complete for it.
	text  string
	whole bool
	// status is that of the answer; 0 is 200. message is part of the error's.
	status               int
	message, code, param string
	// only is the road it is for; "" is all.
	only string
}

// hello is a whole stream.
const helloText = "Hello, 世界 🌍"

var hello = roleEvent + delta("Hello, ") + delta("世界 🌍") + finishEvent + usageEvent + doneEvent

// broken is an error as providers send it inside a 200.
const broken = `{"error":{"message":"You ran into the rate limit","type":"requests","param":"model","code":"rate_limit_exceeded"}}`

// manners are streams as they occur, and as they must not.
var manners = []manner{
	{name: "as it should be", body: hello, text: helloText, whole: true},
	{name: "with a charset", kind: "text/event-stream; charset=utf-8", body: hello, text: helloText, whole: true},
	{name: "labelled as plain text", kind: "text/plain; charset=utf-8", body: hello, text: helloText, whole: true},
	{name: "not labelled", kind: "-", body: hello, text: helloText, whole: true},
	{name: "E-006 with comments", body: ": PROCESSING\n\n: PROCESSING\n" + roleEvent + ": again\n\n" + delta(helloText) + ":\n\n" + finishEvent + doneEvent, text: helloText, whole: true},
	{name: "with CRLF", body: strings.ReplaceAll(hello, "\n", "\r\n"), text: helloText, whole: true},
	{name: "with CR", only: "rewritten", body: strings.ReplaceAll(hello, "\n", "\r"), text: helloText, whole: true},
	{name: "with a byte order mark", body: "\ufeff" + hello, text: helloText, whole: true},
	{name: "E-001 without a space after the colon", body: strings.ReplaceAll(hello, "data: ", "data:"), text: helloText, whole: true},
	{name: "E-002 with other fields", body: strings.ReplaceAll(hello, "data: ", "event: chunk\nid: 7\nretry: 100\nfoo: bar\ndata: "), text: helloText, whole: true},
	{name: "E-002 with several lines of data", body: strings.ReplaceAll(hello, `,"created"`, "\ndata: ,\ndata: \"created\""), text: helloText, whole: true},
	{name: "E-008 with spaces at the ends of lines", body: strings.ReplaceAll(hello, "}\n\n", "} \t\n\n"), text: helloText, whole: true},
	{name: "without [DONE]", body: strings.TrimSuffix(hello, doneEvent), text: helloText, whole: true},
	{name: "E-007 without the last blank line", body: strings.TrimSuffix(hello, "\n\n"), text: helloText, whole: true},
	{name: "E-007 without the last blank line and [DONE]", body: strings.TrimSuffix(roleEvent+delta(helloText)+finishEvent, "\n\n"), text: helloText, whole: true},
	{name: "going on after [DONE]", body: hello + delta("more") + doneEvent, text: helloText, whole: true},
	{name: "broken off after [DONE]", body: hello, end: (*call).abort, text: helloText, whole: true},
	{name: "not closed after [DONE]", body: hello, end: func(c *call) { c.hold(nil) }, text: helloText, whole: true},
	{name: "E-018 as one JSON body", kind: "application/json", body: completion(helloText), text: helloText, whole: true},
	{name: "E-019 as one JSON body after white space", kind: "application/json", body: "\n\n   \r\n" + completion(helloText), text: helloText, whole: true},

	{name: "E-009 ending without a finish_reason", body: roleEvent + delta("Hello"), text: "Hello"},
	{name: "E-010 closed after some text", body: roleEvent + delta("Hello"), end: (*call).abort, text: "Hello", message: "broke off"},
	{name: "closed inside an event", body: roleEvent + delta("Hello") + delta("world")[:60], end: (*call).abort, text: "Hello", message: "broke off"},
	{name: "ended inside an event", body: roleEvent + delta("Hello") + delta("world")[:60], text: "Hello", message: "broke off"},
	{name: "E-011 closed after the header", end: (*call).abort, status: 502},
	{name: "E-011 closed after a comment", body: ": PROCESSING\n\n", end: (*call).abort, status: 502},
	{name: "E-011 closed after the role", body: roleEvent, end: (*call).abort, status: 502},
	{name: "empty", status: 502},
	{name: "with [DONE] alone", body: doneEvent, status: 502},
	{name: "E-013 failing at once", body: event(broken), status: 429, message: "You ran into the rate limit", code: "rate_limit_exceeded", param: "model"},
	{name: "E-013 failing after the role", body: ": PROCESSING\n\n" + roleEvent + event(broken), status: 429, message: "You ran into the rate limit", code: "rate_limit_exceeded", param: "model"},
	{name: "E-013 failing at once, and then [DONE]", body: event(broken) + doneEvent, status: 429, message: "You ran into the rate limit"},
	{name: "E-014 failing after some text", body: roleEvent + delta("Hello") + event(broken), text: "Hello", message: "You ran into the rate limit", code: "rate_limit_exceeded", param: "model"},
	{name: "E-014 failing after some text, and then [DONE]", body: roleEvent + delta("Hello") + event(broken) + doneEvent, text: "Hello", message: "You ran into the rate limit"},
	{name: "failing in an event of that name", body: roleEvent + delta("Hello") + "event: error\n" + event(broken), text: "Hello", message: "You ran into the rate limit"},
	{name: "E-015 failing in a bare JSON text", body: roleEvent + delta("Hello") + strings.ReplaceAll(broken, ",", ",\n  ") + "\n", text: "Hello", message: "You ran into the rate limit"},
	{name: "E-018 failing in a JSON body", kind: "application/json", body: broken, status: 429, message: "You ran into the rate limit"},
	{name: "sending what is not JSON", body: roleEvent + delta("Hello") + event("<html>") + finishEvent + doneEvent, text: "Hello", message: "not JSON"},
	{name: "sending a page", kind: "text/html", body: "<html>Sign in</html>", status: 502},
	{name: "sending JSON of another kind", kind: "application/json", body: `{"hello":"world"}`, status: 502},
}

// TestStreamsOfEveryMannerAreUnderstood sends every manner along every road, at once and
// byte by byte.
func TestStreamsOfEveryMannerAreUnderstood(t *testing.T) {
	t.Parallel()
	s := startStage(t)
	client, legal := newClient(t, "HTTP/1.1", nil), published(t)
	for _, road := range roads {
		for _, m := range manners {
			if m.only != "" && m.only != road {
				continue
			}
			for _, how := range []string{"whole", "byte"} {
				name := road + " " + m.name + ", " + how
				s.on(name, m.play(how))
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					a := exchange(t, client, s.plain+chatPath, ask(road+"/"+name, true))
					for _, wrong := range m.compare(legal.read(a, true, false), road) {
						t.Error(wrong)
					}
					if t.Failed() {
						t.Logf("the client got %d: %s", a.status, a.body)
					}
				})
			}
		}
	}
}

func (m *manner) play(how string) script {
	return func(c *call) {
		kind := m.kind
		switch kind {
		case "":
			kind = "text/event-stream"
		case "-":
			kind = ""
		}
		c.begin(http.StatusOK, kind)
		for _, piece := range cut([]byte(m.body), how) {
			c.send(string(piece))
		}
		if m.end != nil {
			m.end(c)
		}
	}
}

func (m *manner) compare(v *view, road string) []string {
	if road == "passed" {
		// What a provider's events hold besides data is kept.
		v.wrong = slices.DeleteFunc(v.wrong, func(w string) bool { return strings.Contains(w, "neither data nor a comment") })
	}
	wrong := v.wrong
	status := m.status
	if status == 0 {
		status = http.StatusOK
	}
	if v.status != status {
		wrong = append(wrong, fmt.Sprintf("the status is %d, not %d", v.status, status))
	}
	if v.text() != m.text {
		wrong = append(wrong, fmt.Sprintf("the text is %q, not %q", v.text(), m.text))
	}
	if m.whole {
		return append(wrong, v.legal(true)...)
	}
	switch f := v.failure; {
	case f == nil:
		return append(wrong, fmt.Sprintf("there is no error; [DONE]: %t", v.done))
	case !strings.Contains(f.Message, m.message), m.code != "" && f.code() != m.code, m.param != "" && deref(f.Param) != m.param:
		wrong = append(wrong, fmt.Sprintf("the error is %q, code %q, param %q", f.Message, f.code(), deref(f.Param)))
	}
	if v.done {
		wrong = append(wrong, "a failed stream ends with [DONE]")
	}
	return wrong
}

// TestAnswersOfEveryMannerAreUnderstood is for answers that are not streams.
func TestAnswersOfEveryMannerAreUnderstood(t *testing.T) {
	t.Parallel()
	s := startStage(t)
	client, legal := newClient(t, "HTTP/1.1", nil), published(t)
	for _, road := range roads {
		for name, m := range map[string]struct {
			answer  script
			text    string
			status  int
			message string
		}{
			"as it should be":              {reply(helloText), helloText, 200, ""},
			"after white space, E-019":     {func(c *call) { c.json(200, "\n \r\n"+completion(helloText)) }, helloText, 200, ""},
			"labelled as plain text":       {func(c *call) { c.begin(200, "text/plain"); c.send(completion(helloText)) }, helloText, 200, ""},
			"not labelled":                 {func(c *call) { c.begin(200, ""); c.send(completion(helloText)) }, helloText, 200, ""},
			"as a stream":                  {func(c *call) { c.beginStream(); c.send(hello) }, helloText, 200, ""},
			"broken off":                   {func(c *call) { c.begin(200, "application/json"); c.send(completion(helloText)[:90]); c.abort() }, "", 502, ""},
			"ended early":                  {func(c *call) { c.begin(200, "application/json"); c.send(completion(helloText)[:90]) }, "", 502, ""},
			"empty":                        {func(c *call) { c.begin(200, "application/json") }, "", 502, ""},
			"no content":                   {func(c *call) { c.w.WriteHeader(204) }, "", 502, ""},
			"two texts":                    {func(c *call) { c.json(200, completion("a")+completion("b")) }, "", 502, ""},
			"a page":                       {func(c *call) { c.begin(200, "text/html"); c.send("<html>Sign in</html>") }, "", 502, ""},
			"an error in a 200":            {func(c *call) { c.json(200, broken) }, "", 429, "You ran into the rate limit"},
			"an error":                     {func(c *call) { c.json(429, broken) }, "", 429, "You ran into the rate limit"},
			"an error of another form":     {func(c *call) { c.json(400, `{"detail":"the temperature is too high"}`) }, "", 400, "the temperature is too high"},
			"an error that is a page":      {func(c *call) { c.begin(500, "text/html"); c.send("<html><h1>Oops</h1></html>") }, "", 500, ""},
			"an error without a body":      {func(c *call) { c.w.WriteHeader(503) }, "", 503, ""},
			"a redirect":                   {func(c *call) { c.w.Header().Set("Location", "/elsewhere"); c.w.WriteHeader(307) }, "", 502, ""},
			"closed without an answer":     {(*call).abort, "", 502, ""},
			"reset without an answer":      {(*call).reset, "", 502, ""},
			"a length that is not reached": {func(c *call) { c.w.Header().Set("Content-Length", "5000"); c.json(200, completion(helloText)) }, "", 502, ""},
		} {
			name := road + " " + name
			s.on(name, m.answer)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				a := exchange(t, client, s.plain+chatPath, ask(road+"/"+name, false))
				v := legal.read(a, false, false)
				if m.status == 200 {
					v.wrong = v.legal(false)
				}
				if a.status != m.status || v.text() != m.text || len(v.wrong) > 0 || m.status != 200 && !strings.Contains(v.failure.Message, m.message) {
					t.Errorf("the client got %d: %s\n%q", a.status, a.body, v.wrong)
				}
			})
		}
	}
}

// TestResetAfterSomeTextIsAnError: E-010. The provider resets the connection as soon as
// the client has the text, which a reset destroys on its way.
func TestResetAfterSomeTextIsAnError(t *testing.T) {
	t.Parallel()
	s := startStage(t)
	for _, road := range roads {
		t.Run(road, func(t *testing.T) {
			t.Parallel()
			arrived := make(chan struct{})
			s.on(road+"-reset", func(c *call) {
				c.beginStream()
				c.send(roleEvent, delta("Hello"))
				c.hold(arrived)
				c.reset()
			})
			st := open(t, soon(t), newClient(t, "HTTP/1.1", nil), s.plain+chatPath, ask(road+"/"+road+"-reset", true))
			st.until(t, "Hello")
			close(arrived)
			if rest := st.rest(t); !strings.HasPrefix(rest, `data: {"error":`) || strings.Contains(rest, "[DONE]") {
				t.Errorf("after the reset the client got %q", rest)
			}
		})
	}
}

// TestLineBreakTornInTheMiddle: the two characters of a line break come apart, and the
// second with an event that the client does not get.
func TestLineBreakTornInTheMiddle(t *testing.T) {
	t.Parallel()
	s := startStage(t)
	events := strings.SplitAfter(strings.ReplaceAll(roleEvent+delta("Hello")+finishEvent+usageEvent+doneEvent, "\n", "\r\n"), "\r\n\r\n")
	for _, road := range roads {
		t.Run(road, func(t *testing.T) {
			t.Parallel()
			arrived := make(chan struct{})
			s.on(road+"-torn", func(c *call) {
				c.beginStream()
				c.send(strings.Join(events[:2], ""), strings.TrimSuffix(events[2], "\n"))
				// A gateway may also wait for the other half.
				select {
				case <-arrived:
				case <-c.gone:
				case <-time.After(300 * time.Millisecond):
				}
				c.send("\n" + strings.TrimSuffix(events[3], "\n"))
				c.send("\n" + events[4])
			})
			st := open(t, soon(t), newClient(t, "HTTP/1.1", nil), s.plain+chatPath, ask(road+"/"+road+"-torn", true))
			var got []byte
			for !strings.Contains(string(got), `"finish_reason":"stop"`) {
				b, err := st.lines.ReadByte()
				if err != nil {
					t.Fatalf("%v after %q", err, got)
				}
				got = append(got, b)
			}
			close(arrived)
			got = append(got, st.rest(t)...)
			a := &answer{status: st.StatusCode, header: st.Header, body: got}
			if wrong := published(t).read(a, true, false).legal(true); len(wrong) > 0 {
				t.Errorf("%q\n%q", wrong, got)
			}
		})
	}
}
