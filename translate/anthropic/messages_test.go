package anthropic

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// said writes the content of a turn of text blocks.
func said(role string, texts ...string) string {
	var b strings.Builder
	for i, s := range texts {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"type":"text","text":` + quote(s) + `}`)
	}
	return `{"role":"` + role + `","content":[` + b.String() + `]}`
}

func list(elements ...string) string { return "[" + strings.Join(elements, ",") + "]" }

func TestTurns(t *testing.T) {
	t.Parallel()
	const old, opus5, opus48 = "claude-sonnet-4-5", "claude-opus-5", "claude-opus-4-8"
	tests := []struct {
		name     string
		model    string
		opt      Options
		turns    []translate.Turn
		system   string
		messages string
		beta     string
	}{
		{"neighbours of one role merge", old, Options{}, []translate.Turn{user("a"), user("b", "c"), assistant("d"), assistant("e"), user("f")}, "",
			list(said("user", "a", "b", "c"), said("assistant", "d", "e"), said("user", "f")), ""},
		{"leading system messages are never joined", old, Options{}, []translate.Turn{system("a", "b"), system("c"), user("d")}, `[{"type":"text","text":"a"},{"type":"text","text":"b"},{"type":"text","text":"c"}]`,
			list(said("user", "d")), ""},
		{"blank system messages leave no system", old, Options{}, []translate.Turn{system("", " \n"), user("d")}, "",
			list(said("user", "d")), ""},
		{"E-097 blank text is not sent", old, Options{}, []translate.Turn{user("", " \t\n", "a"), assistant("  "), user("b")}, "",
			list(said("user", "a", "b")), ""},
		{"E-098 a turn that would vanish is filled", old, Options{}, []translate.Turn{user("a"), assistant("b"), user("  ")}, "",
			list(said("user", "a"), said("assistant", "b"), said("user", ".")), ""},
		{"only system messages", old, Options{}, []translate.Turn{system("a")}, `[{"type":"text","text":"a"}]`,
			list(said("user", ".")), ""},
		{"an assistant turn first", old, Options{}, []translate.Turn{assistant("a"), user("b")}, "",
			list(said("user", "."), said("assistant", "a"), said("user", "b")), ""},
		{"a prefill loses its last white space", old, Options{}, []translate.Turn{user("a"), assistant("b \n\u00a0")}, "",
			list(said("user", "a"), said("assistant", "b")), ""},
		{"a prefill continued", opus5, Options{Prefill: "continue"}, []translate.Turn{user("a"), assistant("b ")}, "",
			list(said("user", "a"), said("assistant", "b "), said("user", "Continue.")), ""},
		{"a later system message is hoisted on old models", old, Options{}, []translate.Turn{system("s"), user("a"), system("later"), assistant("b"), user("c")}, `[{"type":"text","text":"s"},{"type":"text","text":"later"}]`,
			list(said("user", "a"), said("assistant", "b"), said("user", "c")), ""},
		{"a last system message behind an answer is the user's on old models", old, Options{}, []translate.Turn{user("a"), assistant("b"), system("later")}, "",
			list(said("user", "a"), said("assistant", "b"), said("user", "later")), ""},
		{"wrapped by configuration", old, Options{SystemTurns: "wrap"}, []translate.Turn{user("a"), system("later"), assistant("b"), user("c")}, "",
			list(said("user", "a", "later"), said("assistant", "b"), said("user", "c")), ""},
		{"hoisted by configuration", opus48, Options{SystemTurns: "hoist"}, []translate.Turn{user("a"), system("later"), assistant("b"), user("c")}, `[{"type":"text","text":"later"}]`,
			list(said("user", "a"), said("assistant", "b"), said("user", "c")), ""},
		{"in place before an assistant turn", opus48, Options{}, []translate.Turn{user("a"), system("later"), assistant("b"), user("c")}, "",
			list(said("user", "a"), said("system", "later"), said("assistant", "b"), said("user", "c")), ""},
		{"in place at the end, with a beta", opus5, Options{}, []translate.Turn{user("a"), system("later", "more")}, "",
			list(said("user", "a"), said("system", "later", "more")), "mid-conversation-system-2026-04-07"},
		{"an illegal place moves behind the next user turn", opus48, Options{}, []translate.Turn{user("a"), assistant("b"), system("later"), user("c"), user("d"), assistant("e"), user("f")}, "",
			list(said("user", "a"), said("assistant", "b"), said("user", "c", "d"), said("system", "later"), said("assistant", "e"), said("user", "f")), ""},
		{"between two user turns it moves behind both", opus48, Options{}, []translate.Turn{user("a"), system("later"), user("b")}, "",
			list(said("user", "a", "b"), said("system", "later")), ""},
		{"behind an assistant turn at the end it is the user's", opus48, Options{}, []translate.Turn{user("a"), assistant("b"), system("later")}, "",
			list(said("user", "a"), said("assistant", "b"), said("user", "later")), ""},
		{"behind an unanswered call it follows the missing result", opus48, Options{}, []translate.Turn{user("a"), assistant(call("t1", "f", "{}")), system("later")}, "",
			list(said("user", "a"), `{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{}}]}`,
				`{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"(no result)","is_error":true}]}`, said("system", "later")), ""},
		{"refusals are text", old, Options{}, []translate.Turn{user("a"), assistant(translate.Part{Kind: translate.PartRefusal, Text: "no"}), user("b")}, "",
			list(said("user", "a"), said("assistant", "no"), said("user", "b")), ""},
		{"names by configuration", old, Options{NamePrefix: true}, []translate.Turn{{Role: translate.RoleUser, Name: "Ann", Parts: user("hi", "there").Parts}}, "",
			list(said("user", "Ann: hi", "there")), ""},
		{"E-087 foreign reasoning leaves no empty turn", old, Options{}, []translate.Turn{user("a"), assistant(translate.Part{Kind: translate.PartReasoning, Reasoning: &translate.Reasoning{Text: "x", Signature: "s", Format: "google-gemini-v1"}}), user("b")}, "",
			list(said("user", "a", "b")), ""},
		{"a turn of thinking alone is not sent", old, Options{}, []translate.Turn{user("a"), assistant(thought(0, "x", "s")), user("b")}, "",
			list(said("user", "a", "b")), ""},
		{"documents of an assistant are the user's", old, Options{}, []translate.Turn{user("a"), assistant("b", file(translate.Media{URL: "https://e.com/a.pdf"})), user("c")}, "",
			list(said("user", "a"), said("assistant", "b"), `{"role":"user","content":[{"type":"document","source":{"type":"url","url":"https://e.com/a.pdf"}},{"type":"text","text":"c"}]}`), ""},
		{"documents of a last assistant turn too", old, Options{}, []translate.Turn{user("a"), assistant("b", file(translate.Media{URL: "https://e.com/a.pdf"}))}, "",
			list(said("user", "a"), said("assistant", "b"), `{"role":"user","content":[{"type":"document","source":{"type":"url","url":"https://e.com/a.pdf"}}]}`), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			enc, m := encode(t, request(tt.model, tt.turns...), tt.opt)
			if got := string(m["messages"]); got != tt.messages {
				t.Errorf("messages are\n%s\nwant\n%s", got, tt.messages)
			}
			if got := string(m["system"]); got != tt.system {
				t.Errorf("system is %s, want %s", got, tt.system)
			}
			if got := header(enc, "anthropic-beta"); got != tt.beta {
				t.Errorf("beta is %q, want %q", got, tt.beta)
			}
		})
	}
}

func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	part := func(p translate.Part) translate.Part { p.Path = "messages[0].content[1]"; return p }
	tests := []struct {
		name  string
		req   *translate.Request
		opt   Options
		code  string
		param string
	}{
		{"a prefill on a model that refuses it", request("claude-opus-4-6", user("a"), assistant("b")), Options{}, "unsupported_value", "messages"},
		{"audio", request("claude-opus-5", user("a", part(translate.Part{Kind: translate.PartAudio, Media: &translate.Media{Data: "AA=="}}))), Options{}, "unsupported_parameter", "messages[0].content[1]"},
		{"video", request("claude-opus-5", user("a", part(translate.Part{Kind: translate.PartVideo, Media: &translate.Media{URL: "https://e.com"}}))), Options{}, "unsupported_parameter", "messages[0].content[1]"},
		{"an image over http", request("claude-opus-5", user(image(translate.Media{URL: "http://e.com/a.png"}))), Options{}, "unsupported_value", "messages[0].content[0]"},
		{"an image in a bucket", request("claude-opus-5", user(image(translate.Media{URL: "gs://b/a.png"}))), Options{}, "unsupported_value", "messages[0].content[0]"},
		{"an image of another kind", request("claude-opus-5", user(image(translate.Media{Data: "Qk0=", MIME: "image/bmp"}))), Options{}, "invalid_image_format", "messages[0].content[0]"},
		{"an empty image", request("claude-opus-5", user(image(translate.Media{MIME: "image/png"}))), Options{}, "invalid_value", "messages[0].content[0]"},
		{"an image without content", request("claude-opus-5", user(translate.Part{Kind: translate.PartImage, Path: "p"})), Options{}, "invalid_value", "p"},
		{"a bad data URL", request("claude-opus-5", user(image(translate.Media{URL: "data:image/png,xx"}))), Options{}, "invalid_value", "messages[0].content[0]"},
		{"an office file", request("claude-opus-5", user(file(translate.Media{Data: "UEsDBA==", MIME: "application/vnd.openxmlformats-officedocument.wordprocessingml.document"}))), Options{}, "unsupported_value", "messages[0].content[0]"},
		{"an office file by URL", request("claude-opus-5", user(file(translate.Media{URL: "https://e.com/a.docx", MIME: "application/msword"}))), Options{}, "unsupported_value", "messages[0].content[0]"},
		{"an empty text file", request("claude-opus-5", user(file(translate.Media{Data: "", MIME: "text/plain"}))), Options{}, "unsupported_value", "messages[0].content[0]"},
		{"a file id", request("claude-opus-5", user(file(translate.Media{FileID: "file_1"}))), Options{}, "unsupported_value", "messages[0].content[0]"},
		{"a foreign file id", request("claude-opus-5", user(file(translate.Media{FileID: "assistant-1"}))), Options{FileIDs: true}, "unsupported_value", "messages[0].content[0]"},
		{"audio as a tool's result", request("claude-opus-5", user("a"), assistant(call("t", "f", "")), result("t", part(translate.Part{Kind: translate.PartAudio}))), Options{}, "unsupported_parameter", "messages[0].content[1]"},
		{"a name in strict mode", request("claude-opus-5", translate.Turn{Role: translate.RoleUser, Name: "Ann", Parts: user("a").Parts, Path: "messages[0]"}), Options{Reject: true}, "unsupported_parameter", "messages[0].name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			enc, err := EncodeRequest(tt.req, tt.opt)
			if err == nil {
				t.Fatalf("accepted as %s", enc.Body)
			}
			if err.Status != 400 || err.Code != tt.code || err.Param != tt.param || err.Class != translate.ErrorRequest {
				t.Errorf("error is %+v, want code %s, param %s", err, tt.code, tt.param)
			}
		})
	}
}

func TestContentParts(t *testing.T) {
	t.Parallel()
	const png, jpeg, pdf = "iVBORw0KGgoAAAANSUhEUgAAAAE=", "/9j/4AAQSkZJRgABAQ==", "JVBERi0xLjQK"
	tests := []struct {
		name string
		part translate.Part
		opt  Options
		want string
		drop string
	}{
		{"an image", image(translate.Media{Data: png, MIME: "image/png"}), Options{}, `{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + png + `"}}`, ""},
		{"the bytes count more than the label", image(translate.Media{Data: jpeg, MIME: "image/png"}), Options{}, `{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"` + jpeg + `"}}`, ""},
		{"image/jpg", image(translate.Media{Data: "AAAA", MIME: "image/jpg"}), Options{}, `{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"AAAA"}}`, ""},
		{"a data URL", image(translate.Media{URL: "DATA:Image/WebP;charset=x;BASE64,UklGRgAAAABXRUJQ"}), Options{}, `{"type":"image","source":{"type":"base64","media_type":"image/webp","data":"UklGRgAAAABXRUJQ"}}`, ""},
		{"a URL", image(translate.Media{URL: "https://e.com/a?b=\"c\""}), Options{}, `{"type":"image","source":{"type":"url","url":"https://e.com/a?b=\"c\""}}`, ""},
		{"a detail", image(translate.Media{URL: "https://e.com/a", Detail: "high"}), Options{}, `{"type":"image","source":{"type":"url","url":"https://e.com/a"}}`, "messages[0].content[0].image_url.detail"},
		{"the detail auto is no loss", image(translate.Media{URL: "https://e.com/a", Detail: "auto"}), Options{Reject: true}, `{"type":"image","source":{"type":"url","url":"https://e.com/a"}}`, ""},
		{"a PDF", file(translate.Media{Data: pdf, MIME: "application/octet-stream", Filename: `a "b".pdf`}), Options{}, `{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"` + pdf + `"},"title":"a \"b\".pdf"}`, ""},
		{"a PDF as an image", image(translate.Media{Data: pdf, MIME: "image/png"}), Options{}, `{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"` + pdf + `"}}`, ""},
		{"an image as a file", file(translate.Media{Data: png}), Options{}, `{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + png + `"}}`, ""},
		{"a text file", file(translate.Media{Data: "SGk8w7w+", MIME: "text/markdown", Filename: "a.md"}), Options{}, `{"type":"document","source":{"type":"text","media_type":"text/plain","data":"Hi<ü>"},"title":"a.md"}`, ""},
		{"a file by URL", file(translate.Media{URL: "https://e.com/a.pdf"}), Options{}, `{"type":"document","source":{"type":"url","url":"https://e.com/a.pdf"}}`, ""},
		{"an image file by URL", file(translate.Media{URL: "https://e.com/a", MIME: "image/png"}), Options{}, `{"type":"image","source":{"type":"url","url":"https://e.com/a"}}`, ""},
		{"a file by id", file(translate.Media{FileID: "file_1", Filename: "a"}), Options{FileIDs: true}, `{"type":"document","source":{"type":"file","file_id":"file_1"},"title":"a"}`, ""},
		{"an image by id", image(translate.Media{FileID: "file_1"}), Options{FileIDs: true}, `{"type":"image","source":{"type":"file","file_id":"file_1"}}`, ""},
		{"a long title", file(translate.Media{URL: "https://e.com/a", Filename: strings.Repeat("ü", 501)}), Options{}, `{"type":"document","source":{"type":"url","url":"https://e.com/a"},"title":"` + strings.Repeat("ü", 500) + `"}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			enc, m := encode(t, request("claude-opus-5", user(tt.part)), tt.opt)
			if got, want := string(m["messages"]), `[{"role":"user","content":[`+tt.want+`]}]`; got != want {
				t.Errorf("messages are\n%s\nwant\n%s", got, want)
			}
			if got := strings.Join(enc.Dropped, ","); got != tt.drop {
				t.Errorf("dropped %q, want %q", got, tt.drop)
			}
			if hasID := tt.part.Media.FileID != ""; hasID != (header(enc, "anthropic-beta") == "files-api-2025-04-14") {
				t.Errorf("beta is %q", header(enc, "anthropic-beta"))
			}
		})
	}
}

// What the provider would not fetch can be fetched for it.
func TestRemoteMedia(t *testing.T) {
	t.Parallel()
	req := request("claude-opus-5", user("a", image(translate.Media{URL: "https://e.com/a"}), image(translate.Media{URL: "HTTP://e.com/b"})),
		assistant(call("t", "f", "")), result("t", file(translate.Media{URL: "http://e.com/c"}), file(translate.Media{URL: "gs://b/d"})))
	remote := RemoteMedia(req)
	if len(remote) != 2 || remote[0].URL != "HTTP://e.com/b" || remote[1].URL != "http://e.com/c" {
		t.Fatalf("remote media are %v", remote)
	}
	req.Turns[2].Parts[0].Result.Parts = req.Turns[2].Parts[0].Result.Parts[:1]
	remote[0].Data, remote[0].MIME = "/9j/4AAQ", "image/jpeg"
	remote[1].Data, remote[1].MIME = "JVBERi0xLjQK", "application/pdf"
	if left := RemoteMedia(req); left != nil {
		t.Errorf("still remote: %v", left)
	}
	_, m := encode(t, req, Options{})
	if got := string(m["messages"]); strings.Contains(got, "HTTP:") || strings.Count(got, `"type":"base64"`) != 2 {
		t.Errorf("messages are %s", got)
	}
}

// Breakpoints on system, content, calls, results and tools arrive, and the last
// four of them stay.
func TestE104Breakpoints(t *testing.T) {
	t.Parallel()
	const mark = `,"cache_control":{"type":"ephemeral"}`
	eph := jsontext.Value(`{"type":"ephemeral"}`)
	req := request("claude-opus-5", system(cached("s")), user(cached("a")))
	req.Tools = []translate.Tool{function("f", `{"type":"object"}`)}
	req.Tools[0].CacheControl = eph
	_, m := encode(t, req, Options{})
	if got := string(m["tools"]); got != `[{"name":"f","input_schema":{"type":"object"}`+mark+`}]` {
		t.Errorf("tools are %s", got)
	}
	if got := string(m["system"]); got != `[{"type":"text","text":"s"`+mark+`}]` {
		t.Errorf("system is %s", got)
	}

	res := result("t1", "r")
	res.Parts[0].CacheControl = eph
	req.Turns = append(req.Turns, assistant(cached("b"), call("t1", "f", "{}")), res)
	_, m = encode(t, req, Options{})
	if got := string(m["tools"]); strings.Contains(got, "cache_control") {
		t.Errorf("the first of five breakpoints is still there: %s", got)
	}
	if got := string(m["messages"]); !strings.Contains(got, `{"type":"tool_result","tool_use_id":"t1","content":"r"`+mark+`}`) || strings.Count(got, mark) != 3 {
		t.Errorf("messages are %s", got)
	}

	req.Extra = []translate.Member{{Name: "cache_control", Value: eph}}
	enc, m := encode(t, req, Options{})
	if n := strings.Count(string(enc.Body), "cache_control"); n != 4 || strings.Contains(string(m["system"]), "cache_control") {
		t.Errorf("%d breakpoints with automatic caching: %s", n, enc.Body)
	}

	req.Tools = append(req.Tools, translate.Tool{Kind: translate.ToolRaw, Raw: jsontext.Value(`{"type":"web_search_20250305","name":"web_search","cache_control":{"type":"ephemeral"}}`)})
	if enc, _ = encode(t, req, Options{}); strings.Count(string(enc.Body), "cache_control") != 4 {
		t.Errorf("too many breakpoints with one in a verbatim tool: %s", enc.Body)
	}
}

func TestBreakpointForms(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"type":"ephemeral","ttl":"1h"}`: `{"type":"ephemeral","ttl":"1h"}`,
		`{"mode":"explicit"}`:             `{"type":"ephemeral"}`,
		`{"mode":"explicit","ttl":"30m"}`: `{"type":"ephemeral","ttl":"5m"}`,
		`{"mode":"explicit","ttl":"12h"}`: `{"type":"ephemeral","ttl":"1h"}`,
		`{}`:                              ``, `true`: ``, ``: ``, `null`: ``,
	} {
		if got := string(breakpoint(jsontext.Value(in))); got != want {
			t.Errorf("%s gives %s, want %s", in, got, want)
		}
	}
	p := translate.Part{Kind: translate.PartText, Text: "r", CacheControl: jsontext.Value(`{"type":"ephemeral"}`)}
	_, m := encode(t, request("claude-opus-5", user("a"), assistant(call("t", "f", "")), result("t", p, "s")), Options{})
	if want := `{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"r"},{"type":"text","text":"s"}],"cache_control":{"type":"ephemeral"}}`; !strings.Contains(string(m["messages"]), want) {
		t.Errorf("a breakpoint inside a result must be the result's: %s", m["messages"])
	}
}

// Nothing of a former answer's citations is sent.
func TestE109CitationsAreNotReplayed(t *testing.T) {
	t.Parallel()
	enc, _ := encode(t, request("claude-opus-5", user("a"), assistant("b"), user("c")), Options{})
	if strings.Contains(string(enc.Body), "citations") {
		t.Errorf("citations in %s", enc.Body)
	}
}
