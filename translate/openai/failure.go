package openai

import (
	"bytes"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// failure is what an error body says, before anything is concluded from it.
type failure struct {
	message, typ, param, code string
	status                    int    // an HTTP status that stands in the body; 0 if none
	words                     string // further text that tells what kind of error it is
	wait                      time.Duration
}

// maxMessage bounds what is kept of a provider's message.
const maxMessage = 4 << 10

// readFailure reads an error body of any shape.
func readFailure(body []byte) failure {
	var f failure
	body = skipPrefix(body)
	if rest, ok := bytes.CutPrefix(body, []byte("data:")); ok { // an error status with an event stream
		body, _, _ = bytes.Cut(bytes.TrimSpace(rest), []byte("\n"))
	}
	body, ok := validJSON(body)
	switch {
	case ok:
		f.read(bytes.TrimSpace(body), 0)
	case utf8.Valid(body):
		f.message = string(body)
	}
	f.message = readable(f.message)
	f.words = readable(f.words)
	f.typ, f.param, f.code = word(f.typ), word(f.param), word(f.code)
	return f
}

// maxWord is the longest type, param or code that is passed on.
const maxWord = 256

// word returns s if it may stand as a type, a param or a code; URLs, which RFC 9457
// has for types, and texts may not.
func word(s string) string {
	if len(s) > maxWord || strings.ContainsAny(s, "<>\n") || strings.Contains(s, "://") || strings.HasPrefix(s, "about:") {
		return ""
	}
	return s
}

// readable returns a message as a person should see it: bounded, and not at all if it
// is a page of markup.
func readable(s string) string {
	s = strings.TrimSpace(s)
	lower := strings.ToLower(s[:min(len(s), maxMessage)])
	if strings.HasPrefix(s, "<") {
		return ""
	}
	for _, mark := range []string{"<html", "<!doctype", "<head", "<body", "<title", "</"} {
		if strings.Contains(lower, mark) {
			return ""
		}
	}
	if len(s) > maxMessage {
		s = strings.ToValidUTF8(s[:maxMessage], "") + "…"
	}
	return s
}

// read takes what an error value says. Of two texts for the same thing the first one
// that is found counts; outer members are read before inner ones only where they are
// the more telling.
func (f *failure) read(raw []byte, depth int) {
	if len(raw) == 0 || depth > 5 {
		return
	}
	switch raw[0] {
	case '"':
		f.text(jsonscan.String(raw), depth)
	case '[':
		f.readList(raw, depth)
	case '{':
		f.readObject(raw, depth)
	}
}

// text takes a message. Gateways put the error body of the provider behind them into
// theirs as a string.
func (f *failure) text(s string, depth int) {
	if inner := strings.TrimSpace(s); strings.HasPrefix(inner, "{") && jsonscan.Valid([]byte(inner), maxDepth) == nil {
		before := f.message
		if f.read([]byte(inner), depth+1); f.message != before {
			return
		}
	}
	if f.message == "" {
		f.message = s
	}
}

// readList takes the first element: Google wraps its error in a list, and validators
// list everything that is wrong.
func (f *failure) readList(raw []byte, depth int) {
	f.read(first(raw), depth+1)
}

func (f *failure) readObject(raw []byte, depth int) {
	var inner, metadata, details, location []byte
	w := jsonscan.Walk(raw)
	for w.Next() {
		switch string(w.Name) {
		case "error", "errors", "detail", "base_resp":
			if isError(w.Value) {
				inner = w.Value
			}
		case "x_groq":
			if e := jsonscan.Get(w.Value, "error"); isError(e) {
				inner = e
			}
		case "message", "msg", "status_msg", "error_msg", "error_description", "errorMessage":
			if f.message == "" {
				f.read(w.Value, depth+1)
			}
		case "type", "__type":
			if f.typ == "" && jsonscan.String(w.Value) != "error" {
				f.typ = jsonscan.String(w.Value)
			}
		case "param":
			f.param = either(f.param, jsonscan.String(w.Value))
		case "loc":
			location = w.Value
		case "code", "status_code", "error_code", "errorCode":
			f.readCode(w.Value, string(w.Name) == "status_code")
		case "status":
			f.readStatus(w.Value)
		case "metadata":
			metadata = w.Value
		case "details":
			details = w.Value
		}
	}
	if f.param == "" && location != nil {
		f.param = path(location)
	}
	if inner != nil {
		f.readInner(inner, depth)
	}
	f.readMetadata(metadata, depth)
	f.readDetails(details)
}

// readInner takes the error inside an envelope. What it says goes before what stands
// beside it, except that a string beside a message is no more than its title.
func (f *failure) readInner(inner []byte, depth int) {
	if inner[0] == '"' && f.message != "" {
		f.words += " " + jsonscan.String(inner)
		return
	}
	var g failure
	g.read(inner, depth+1)
	f.message, f.typ = either(g.message, f.message), either(g.typ, f.typ)
	f.param, f.code = either(g.param, f.param), either(g.code, f.code)
	if g.status != 0 {
		f.status = g.status
	}
	f.words += " " + g.words
	f.wait = max(f.wait, g.wait)
}

// readCode takes a code. Numbers in the range of HTTP's statuses say nothing but that.
func (f *failure) readCode(raw []byte, minimax bool) {
	code := jsonscan.String(raw)
	if n, ok := jsonscan.Int(raw); ok {
		code = strconv.FormatInt(n, 10)
	}
	n, err := strconv.Atoi(code)
	switch {
	case code == "" || code == "0":
	case err == nil && n >= 400 && n < 600:
		f.status = n
	case err == nil && minimax:
		f.code = code
		f.status, f.words = minimaxError(n, f.words)
	default:
		f.code = either(f.code, code)
	}
}

// readStatus takes a member "status": Google's word for the error, or a number.
func (f *failure) readStatus(raw []byte) {
	if n, ok := jsonscan.Int(raw); ok {
		if n >= 400 && n < 600 {
			f.status = int(n)
		}
		return
	}
	f.words += " " + jsonscan.String(raw)
}

// readMetadata takes OpenRouter's metadata: the error of the provider behind it, which
// tells more than "Provider returned error", and why a moderator objected.
func (f *failure) readMetadata(raw []byte, depth int) {
	if reasons := jsonscan.Get(raw, "reasons"); isFilled(reasons) {
		f.words += " content_policy_violation"
	}
	source := jsonscan.Get(raw, "raw")
	if jsonscan.IsNull(source) {
		return
	}
	var g failure
	g.read(source, depth+1)
	if g.message = readable(g.message); g.message != "" && !strings.Contains(f.message, g.message) {
		f.message = strings.TrimSpace(strings.TrimSuffix(f.message, ".") + ": " + g.message)
	}
	f.words += " " + g.typ + " " + g.code + " " + g.words
}

// readDetails takes the details of a google.rpc.Status.
func (f *failure) readDetails(raw []byte) {
	if len(raw) == 0 || raw[0] != '[' {
		return
	}
	w := jsonscan.Walk(raw)
	for w.Next() {
		if delay := jsonscan.String(jsonscan.Get(w.Value, "retryDelay")); delay != "" {
			f.wait = max(f.wait, parseWait(delay))
		}
		f.words += " " + jsonscan.String(jsonscan.Get(w.Value, "reason"))
	}
}

// path joins the location of a validator's complaint, such as ["body","messages",0],
// to a path in the request.
func path(raw []byte) string {
	var b strings.Builder
	w := jsonscan.Walk(raw)
	for w.Next() && b.Len() < 256 {
		if n, ok := jsonscan.Int(w.Value); ok {
			b.WriteString("[" + strconv.FormatInt(n, 10) + "]")
			continue
		}
		name := jsonscan.String(w.Value)
		if name == "body" && b.Len() == 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(name)
	}
	return b.String()
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
