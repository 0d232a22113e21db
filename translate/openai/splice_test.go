package openai

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

var no = false

func TestSpliceEditsWithoutTouchingTheRest(t *testing.T) {
	t.Parallel()
	usage := Edit{IncludeUsage: true}
	for name, tc := range map[string]struct {
		body string
		edit Edit
		want string
	}{
		"nothing to do":                       {`{"model":"a","messages":[1]}`, Edit{}, `{"model":"a","messages":[1]}`},
		"the model":                           {` {"model" : "a" , "messages":[1]} `, Edit{Model: `b"c`}, ` {"model" : "b\"c" , "messages":[1]} `},
		"the model, quoted before":            {`{"model":"a"}`, Edit{Model: "b", QuotedModel: []byte(`"q"`)}, `{"model":"q"}`},
		"usage, no options":                   {`{"model":"a","stream":true}`, usage, `{"model":"a","stream":true,"stream_options":{"include_usage":true}}`},
		"usage, null options":                 {`{"stream_options":null,"stream":true}`, usage, `{"stream_options":{"include_usage":true},"stream":true}`},
		"usage, empty options":                {`{"stream_options":{ },"stream":true}`, usage, `{"stream_options":{"include_usage":true },"stream":true}`},
		"usage, other options":                {`{"stream":true,"stream_options":{"a":1}}`, usage, `{"stream":true,"stream_options":{"include_usage":true,"a":1}}`},
		"usage, refused":                      {`{"stream":true,"stream_options":{"a":1, "include_usage" : false}}`, usage, `{"stream":true,"stream_options":{"a":1, "include_usage" : true}}`},
		"usage, asked for":                    {`{"stream":true,"stream_options":{"include_usage":true}}`, usage, `{"stream":true,"stream_options":{"include_usage":true}}`},
		"usage, no stream":                    {`{"stream":false}`, usage, `{"stream":false}`},
		"usage, stream left out":              {`{"model":"a"}`, usage, `{"model":"a"}`},
		"the stream on":                       {`{"stream":false,"a":1}`, Edit{Stream: &yes}, `{"stream":true,"a":1}`},
		"the stream on, null":                 {`{"stream":null}`, Edit{Stream: &yes}, `{"stream":true}`},
		"the stream on, absent":               {`{"a":1}`, Edit{Stream: &yes}, `{"a":1,"stream":true}`},
		"the stream on with usage":            {`{"a":1 }`, Edit{Stream: &yes, IncludeUsage: true}, `{"a":1,"stream":true,"stream_options":{"include_usage":true} }`},
		"the stream off":                      {`{"stream":true,"a":1}`, Edit{Stream: &no}, `{"stream":false,"a":1}`},
		"the stream off, absent":              {`{"a":1}`, Edit{Stream: &no, IncludeUsage: true}, `{"a":1}`},
		"the stream off, options in front":    {`{"stream_options":{"x":1}, "stream":true}`, Edit{Stream: &no}, `{"stream":false}`},
		"the stream off, options in between":  {`{"a":1, "stream_options":{} ,"stream":true}`, Edit{Stream: &no}, `{"a":1 ,"stream":false}`},
		"the stream off, options behind":      {`{"a":1, "stream":true , "stream_options":{} }`, Edit{Stream: &no}, `{"a":1, "stream":false }`},
		"the stream off, options alone":       {`{"stream_options":{}}`, Edit{Stream: &no}, `{}`},
		"all three, the model behind":         {`{"stream":true,"stream_options":{},"model":"a"}`, Edit{Model: "b", Stream: &yes, IncludeUsage: true}, `{"stream":true,"stream_options":{"include_usage":true},"model":"b"}`},
		"all three, the model in the middle":  {`{"stream_options":{"a":1},"model":"a","stream":null}`, Edit{Model: "b", Stream: &yes, IncludeUsage: true}, `{"stream_options":{"include_usage":true,"a":1},"model":"b","stream":true}`},
		"nothing is added to an empty object": {`{}`, Edit{Model: "b", Stream: &yes, IncludeUsage: true}, `{}`},
		"names may be escaped":                {`{"mod\u0065l":"a"}`, Edit{Model: "b"}, `{"mod\u0065l":"b"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := []byte(tc.body)
			segs := Splice(body, membersOf(t, tc.body), tc.edit)
			if got := string(segs.AppendTo([]byte("x"))); got != "x"+tc.want {
				t.Errorf("got %s, want %s", got[1:], tc.want)
			}
			if got := string(bytes.Join(segs.Slices(), nil)); got != tc.want || segs.Len() != len(tc.want) {
				t.Errorf("the pieces are %s, %d bytes", got, segs.Len())
			}
			if string(body) != tc.body {
				t.Errorf("the body changed: %s", body)
			}
		})
	}
}

// largeRequest is a request of about size bytes.
func largeRequest(size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		role := [...]string{"user", "assistant"}[i%2]
		b.WriteString(`{"role":"` + role + `","content":"` + strings.Repeat(`Lorem ipsum dolor sit amet, consectetur adipiscing elit.\n`, 35) + `"},`)
	}
	return `{"messages":[` + b.String() + `{"role":"user","content":"go on"}],"temperature":0.5,"max_tokens":100,"stream":true,"seed":1,"model":"gpt"}`
}

func TestSpliceDoesNotAllocate(t *testing.T) {
	body := []byte(largeRequest(20 << 10))
	members := membersOf(t, string(body))
	edit := Edit{QuotedModel: []byte(`"other"`), Stream: &yes, IncludeUsage: true}
	dst := make([]byte, 0, 2*len(body))
	allocs := testing.AllocsPerRun(100, func() {
		segs := Splice(body, members, edit)
		dst = segs.AppendTo(dst[:0])
	})
	if allocs != 0 {
		t.Errorf("got %v allocations", allocs)
	}
}

func BenchmarkSplice(b *testing.B) {
	body := []byte(largeRequest(200 << 10))
	members := membersOf(b, string(body))
	edit := Edit{QuotedModel: []byte(`"other"`), IncludeUsage: true}
	b.ReportAllocs()
	for b.Loop() {
		segs := Splice(body, members, edit)
		if segs.Len() < len(body) {
			b.Fatal("the body shrank")
		}
	}
}

// requestSeeds are requests for the fuzz targets.
var requestSeeds = []string{
	`{"model":"m","messages":[{"role":"user","content":"hi"}]}`,
	`{"stream_options":{"include_usage":false,"x":[1]},"messages":[{"role":"developer","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},{"role":"user","content":"é"}],"stream":true,"model":"m","seed":1}`,
	`{"model":"m","messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":{"a":1}}}]},{"role":"tool","tool_call_id":"call_1","content":"x"}],"tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":{"type":"object"}}},{"type":"custom","custom":{"name":"c"}}],"tool_choice":{"type":"function","function":{"name":"f"}}}`,
	`{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}},{"type":"file","file":{"file_data":"JVBERi0xLjQK","filename":"a.pdf"}},{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]}],"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"object"},"strict":null}},"reasoning_effort":"low","max_tokens":5,"max_completion_tokens":6,"temperature":1.5}`,
	`{"model":"m","functions":[{"name":"f"}],"function_call":{"name":"f"},"messages":[{"role":"assistant","function_call":{"name":"f","arguments":""}},{"role":"function","name":"f","content":"1"},{"role":"system","content":"s"}],"stop":["a","b"],"n":1,"x":null}`,
	`{"model":"m","messages":[{"role":"assistant","content":"","reasoning_content":"r","reasoning_details":[{"type":"reasoning.text","text":"t","signature":"s","index":0}],"thinking_blocks":[{"type":"redacted_thinking","data":"d"}]},{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]}],"stream":null,"stream_options":null}`,
	`{"model":"m","messages":[5,null,"x",[],{}],"tools":[1,null],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"f"}}]}}}`,
}

// FuzzSplice checks that an edited body is JSON that says what it said, but for the
// edit.
func FuzzSplice(f *testing.F) {
	for i, s := range requestSeeds {
		f.Add([]byte(s), byte(i), "other")
	}
	f.Fuzz(func(t *testing.T, body []byte, bits byte, model string) {
		members, err := jsonscan.Object(nil, body, MaxDepth)
		if err != nil || strings.ContainsFunc(model, unicode.IsControl) || len(model) > MaxModel {
			return
		}
		if _, bad := ReadHead(members); bad != nil {
			return
		}
		edit := fuzzEdit(bits, model)
		segs := Splice(body, members, edit)
		out := segs.AppendTo(nil)
		if len(out) != segs.Len() {
			t.Fatalf("the length is %d, said to be %d", len(out), segs.Len())
		}
		checkEdited(t, body, out, edit, true)
	})
}

func fuzzEdit(bits byte, model string) Edit {
	e := Edit{Model: model, IncludeUsage: bits&1 != 0}
	if bits&2 != 0 {
		e.Stream = &yes
	} else if bits&4 != 0 {
		e.Stream = &no
	}
	return e
}

// checkEdited compares a request with its edited form: the members that the edit is
// about have its values, and the others (if all is set) the bytes they had.
func checkEdited(t *testing.T, body, out []byte, e Edit, all bool) {
	t.Helper()
	before, _ := jsonscan.Object(nil, body, MaxDepth)
	after, err := jsonscan.Object(nil, out, MaxDepth)
	if err != nil {
		t.Fatalf("%s\nbecame %s: %v", body, out, err)
	}
	now := map[string][]byte{}
	for _, m := range after {
		now[string(m.Name)] = m.Value
	}
	was := map[string][]byte{}
	for _, m := range before {
		name := string(m.Name)
		was[name] = m.Value
		if edited := name == "model" || name == "stream" || name == "stream_options"; all && !edited && !bytes.Equal(now[name], m.Value) {
			t.Fatalf("%s\nbecame %s: %s changed", body, out, name)
		}
	}
	head, bad := ReadHead(after)
	if bad != nil {
		t.Fatalf("%s\nbecame %s: %v", body, out, bad)
	}
	if e.Model != "" && head.Model != jsonscan.String(jsonscan.Quote(nil, e.Model)) {
		t.Fatalf("the model is %q, want %q", head.Model, e.Model)
	}
	if e.Stream != nil && head.Stream != *e.Stream {
		t.Fatalf("%s: stream is %v, want %v", out, head.Stream, *e.Stream)
	}
	if all && head.Stream && e.IncludeUsage && !head.IncludeUsage {
		t.Fatalf("%s: usage is not asked for", out)
	}
	if options := was["stream_options"]; all && head.Stream && isObject(options) {
		for w := jsonscan.Walk(options); w.Next(); {
			if got := jsonscan.Get(now["stream_options"], string(w.Name)); string(w.Name) != "include_usage" && !bytes.Equal(got, w.Value) && bytes.Equal(w.Value, jsonscan.Get(options, string(w.Name))) {
				t.Fatalf("%s\nbecame %s: option %q is lost", body, out, w.Name)
			}
		}
	}
}
