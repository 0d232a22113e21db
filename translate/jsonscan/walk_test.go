package jsonscan

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

func TestWalkGoesThroughMembersAndElements(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text string
		want []string // names and values in turn
	}{
		{`{"a":1, "b" : [1,"]"] ,"c":{"d":"}"}}`, []string{"a", "1", "b", `[1,"]"]`, "c", `{"d":"}"}`}},
		{` [ 1 , "a,b" , {} , [] , null ] `, []string{"", "1", "", `"a,b"`, "", "{}", "", "[]", "", "null"}},
		{`{}`, nil}, {`[]`, nil}, {`[ ]`, nil}, {`"x"`, nil}, {`1`, nil}, {``, nil},
		{`{"a\n\"":"\\","":"\\\""}`, []string{"a\n\"", `"\\"`, "", `"\\\""`}},
	} {
		var got []string
		for w := Walk([]byte(tc.text)); w.Next(); {
			got = append(got, string(w.Name), string(w.Value))
			if v := tc.text[w.ValueStart:w.End]; v != string(w.Value) {
				t.Errorf("%s: the offsets frame %s, not %s", tc.text, v, w.Value)
			}
			if c := tc.text[w.Start]; w.Name != nil && c != '"' || w.Name == nil && w.Start != w.ValueStart {
				t.Errorf("%s: %s starts at %d", tc.text, w.Value, w.Start)
			}
		}
		if strings.Join(got, "\x00") != strings.Join(tc.want, "\x00") {
			t.Errorf("%s: got %q, want %q", tc.text, got, tc.want)
		}
	}
}

func TestGetFindsTheFirstMember(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ text, name, want string }{
		{`{"a":1,"b":2}`, "b", "2"}, {`{"a":{"b":1},"b":2}`, "b", "2"}, {`{"\u0061":3}`, "a", "3"},
		{`{"a":1,"a":2}`, "a", "1"}, {`{"a":1}`, "c", ""}, {`["a"]`, "a", ""}, {`null`, "a", ""}, {``, "", ""},
	} {
		if got := string(Get([]byte(tc.text), tc.name)); got != tc.want {
			t.Errorf("%s of %s: got %q, want %q", tc.name, tc.text, got, tc.want)
		}
	}
}

func TestIntSaturatesAndRounds(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text string
		want int64
		ok   bool
	}{
		{"0", 0, true}, {"-0", 0, true}, {"42", 42, true}, {"-42", -42, true}, {"1.9", 1, true}, {"-1.9", -1, true}, {"1e3", 1000, true},
		{"99999999999999999", 99999999999999999, true}, {"9223372036854775807", math.MaxInt64, true},
		{"-9223372036854775808", math.MinInt64, true}, {"9223372036854775808", math.MaxInt64, true},
		{"-9223372036854775809", math.MinInt64, true}, {"1e400", math.MaxInt64, true}, {"-1e400", math.MinInt64, true},
		{"1e-400", 0, true}, {`"1"`, 0, false}, {"null", 0, false}, {"", 0, false}, {"[1]", 0, false},
	} {
		if got, ok := Int([]byte(tc.text)); got != tc.want || ok != tc.ok {
			t.Errorf("%s: got %d, %v, want %d, %v", tc.text, got, ok, tc.want, tc.ok)
		}
	}
}

func TestRawValuesAreToldApart(t *testing.T) {
	t.Parallel()
	if v, ok := Bool([]byte("true")); !v || !ok {
		t.Error("true is not read as true")
	}
	if _, ok := Bool([]byte("1")); ok {
		t.Error("a number is read as a boolean")
	}
	if !IsNull(nil) || !IsNull([]byte("null")) || IsNull([]byte(`"null"`)) {
		t.Error("null is mistaken")
	}
	if String([]byte(`"a\u00e9\n"`)) != "aé\n" || String([]byte("1")) != "" {
		t.Error("String does not unescape, or reads a number")
	}
	if f, ok := Float([]byte("-1.5e2")); !ok || f != -150 {
		t.Errorf("got %v, %v for -1.5e2", f, ok)
	}
	if f, ok := Float([]byte("1e999")); !ok || !math.IsInf(f, 1) {
		t.Errorf("got %v, %v for 1e999, want infinity", f, ok)
	}
}

func TestUnquoteReplacesHalfSurrogates(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`"\ud83d\ude00"`: "😀", `"\ud83d"`: "\ufffd", `"\ude00\ud83d"`: "\ufffd\ufffd", `"\ud83d\ud83d\ude00"`: "\ufffd😀", `"\ud83dx"`: "\ufffdx",
		`"\u0000"`: "\x00", `"\/"`: "/", `"plain"`: "plain", `""`: "",
	} {
		if got := string(Unquote(nil, []byte(in))); got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
}

func TestEscapeReplacesInvalidUTF8(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a\xffb": "a\ufffdb", "\xe4\xbd": "\ufffd\ufffd", "\xed\xa0\x80": "\ufffd\ufffd\ufffd", "é漢😀\u2028": "é漢😀\u2028",
		"\x00\x1f\x7f\"\\/\n\r\t": "\\u0000\\u001f\x7f\\\"\\\\/\\n\\r\\t", "\ufffd": "\ufffd", "": "",
	} {
		if got := string(Escape(nil, in)); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
		if got := string(Quote(nil, []byte(in))); got != `"`+want+`"` {
			t.Errorf("%q as bytes: got %q", in, got)
		}
	}
}

func TestUniqueNamesTheObjectWithTheDuplicate(t *testing.T) {
	t.Parallel()
	many := func(last string) string {
		var b strings.Builder
		for i := range 100 {
			b.WriteString(`"n` + strings.Repeat("x", i) + `":0,`)
		}
		return `{` + b.String() + `"` + last + `":1}`
	}
	for _, tc := range []struct{ text, name, path string }{
		{`{"a":1,"a":2}`, "a", ""},
		{`{"m":[{"x":1},{"c":[{"t":{"k":1,"\u006b":2}}]}]}`, "k", "m[1].c[0].t"},
		{`{"x":1,"y":{"x":1,"z":{"x":1,"y":2}},"z":[{"x":0},{"x":0}]}`, "", ""},
		{`{"a":"b","b":"a","c":["a","a"]}`, "", ""},
		{` [ 1, {"a":{}, "a":[]} ]`, "a", "[1]"},
		{`{"a":` + many("fresh") + `}`, "", ""},
		{`{"a":` + many("nxxx") + `}`, "nxxx", "a"},
		{`{"a":` + many("n") + `}`, "n", "a"},
		{`"text"`, "", ""}, {`{}`, "", ""},
	} {
		err := Unique([]byte(tc.text))
		var dup *DuplicateError
		switch {
		case tc.name == "" && err != nil:
			t.Errorf("%.60s: got %v", tc.text, err)
		case tc.name != "" && !errors.As(err, &dup):
			t.Errorf("%.60s: got %v, want a duplicate of %s", tc.text, err, tc.name)
		case tc.name != "" && (dup.Name != tc.name || dup.Path != tc.path):
			t.Errorf("%.60s: got %q in %q, want %q in %q", tc.text, dup.Name, dup.Path, tc.name, tc.path)
		}
	}
}

// FuzzWalkAgreesWithDecoding takes objects apart with the Walker and with jsontext.
func FuzzWalkAgreesWithDecoding(f *testing.F) {
	for _, s := range jsonSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		walkAll(text, 0) // must end on any text, if it is nonsense too
		Get(text, "a")
		for _, fn := range []func([]byte){func(b []byte) { String(b) }, func(b []byte) { Int(b) }, func(b []byte) { Float(b) }, func(b []byte) { Unquote(nil, b) }} {
			fn(text)
		}
		unique := Unique(text)
		if Valid(text, maxWalk) != nil {
			return
		}
		want, err := flatten(text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if got := walkAll(text, 0); !bytes.Equal(got, want) {
			t.Fatalf("%q: walked as %q, decoded as %q", text, got, want)
		}
		if strict := jsontext.Value(text).IsValid(jsontext.AllowInvalidUTF8(true)); strict != (unique == nil) {
			t.Fatalf("%q: Unique says %v, jsontext says unique=%v", text, unique, strict)
		}
	})
}

// maxWalk bounds the recursion of the readers below.
const maxWalk = 100

// walkAll writes the structure of a text down with the Walker.
func walkAll(text []byte, depth int) []byte {
	text = bytes.Trim(text, " \t\r\n")
	if len(text) == 0 {
		return nil
	}
	switch text[0] {
	case '"':
		return Quote(nil, Unquote(nil, text))
	case '{', '[':
	default:
		return text
	}
	out := []byte{text[0]}
	if depth < maxWalk {
		for w := Walk(text); w.Next(); {
			if text[0] == '{' {
				out = Quote(out, w.Name)
			}
			out = append(append(out, walkAll(w.Value, depth+1)...), ' ')
		}
	}
	return append(out, text[0]+2)
}

// flatten writes the structure of a text down with jsontext, in the form of walkAll.
func flatten(text []byte) ([]byte, error) {
	d := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	var out []byte
	for {
		kind, n := d.StackIndex(d.StackDepth())
		tok, err := d.ReadToken()
		if errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, err
		}
		name := kind == '{' && n%2 == 0 && tok.Kind() == '"'
		switch tok.Kind() {
		case '"':
			out = Quote(out, tok.String())
		case '0':
			out = append(out, rawNumber(text, d.InputOffset())...)
		default:
			out = append(out, tok.String()...)
		}
		if open := tok.Kind() == '{' || tok.Kind() == '['; !open && d.StackDepth() > 0 && !name {
			out = append(out, ' ')
		}
	}
}

// rawNumber returns the number that ends at the offset.
func rawNumber(text []byte, end int64) []byte {
	i := end
	for i > 0 && strings.IndexByte("+-.0123456789eE", text[i-1]) >= 0 {
		i--
	}
	return text[i:end]
}

// FuzzEscapeRoundTrip checks that what Escape writes reads back as what it was given.
func FuzzEscapeRoundTrip(f *testing.F) {
	for _, s := range append(jsonSeeds, "\x00\x1f\x7f", "a\xffb", "é漢😀\u2028\u2029") {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		quoted := Quote(nil, text)
		if err := Valid(quoted, 0); err != nil {
			t.Fatalf("%q is quoted as %q: %v", text, quoted, err)
		}
		if again := Quote(nil, string(text)); !bytes.Equal(quoted, again) {
			t.Fatalf("%q is quoted as %q from bytes and as %q from a string", text, quoted, again)
		}
		want := string([]rune(string(text))) // each invalid byte is one U+FFFD
		if got := string(Unquote(nil, quoted)); got != want {
			t.Fatalf("%q comes back as %q", text, got)
		}
		var decoded string
		if err := json.Unmarshal(quoted, &decoded); err != nil || decoded != want {
			t.Fatalf("%q is decoded as %q, %v", text, decoded, err)
		}
		if validUTF8(text) != utf8.Valid(text) {
			t.Fatalf("% x: UTF-8 is judged %v", text, validUTF8(text))
		}
	})
}

func BenchmarkUnique(b *testing.B) {
	body := chatBody(200<<10, english)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Unique(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEscape(b *testing.B) {
	for name, text := range map[string]string{"ascii": quoting, "chinese": chinese} {
		text := []byte(strings.Repeat(text, 20))
		dst := make([]byte, 0, 2*len(text))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				dst = Escape(dst[:0], text)
			}
		})
	}
}
