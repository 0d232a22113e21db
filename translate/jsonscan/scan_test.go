package jsonscan

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestObjectTellsWhereMembersStand(t *testing.T) {
	t.Parallel()
	text := []byte(" {\"a\" : 1 ,\n\"b\\u0021\":[\"x\", {\"y\":2}], \"\":\"}\\\"\"}\n")
	got, err := Object(nil, text, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct{ name, value string }{{"a", "1"}, {"b!", `["x", {"y":2}]`}, {"", `"}\""`}}
	if len(got) != len(want) {
		t.Fatalf("got %d members, want %d", len(got), len(want))
	}
	for i, m := range got {
		if string(m.Name) != want[i].name || string(m.Value) != want[i].value {
			t.Errorf("member %d is %q: %s, want %q: %s", i, m.Name, m.Value, want[i].name, want[i].value)
		}
		if text[m.Start] != '"' || string(text[m.ValueStart:m.End]) != want[i].value {
			t.Errorf("member %d: offsets %d, %d, %d do not frame it", i, m.Start, m.ValueStart, m.End)
		}
	}
}

func TestObjectAppendsToWhatItGets(t *testing.T) {
	t.Parallel()
	first := []Member{{Name: []byte("a")}}
	got, err := Object(first, []byte(`{"a":1}`), 0)
	if err != nil || len(got) != 2 {
		t.Fatalf("got %d members and %v; a name from before the call must not count as its duplicate", len(got), err)
	}
	if got, err = Object(first, []byte(`{"a":1,"b":}`), 0); err == nil || len(got) != 1 {
		t.Errorf("got %d members and %v for a broken text, want the one from before and an error", len(got), err)
	}
}

func TestObjectSaysWhereTextStopsBeingJSON(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text   string
		offset int64
	}{
		{``, 0}, {`  `, 2}, {`[]`, 0}, {`"x"`, 0}, {`{`, 1}, {`{"a"`, 4}, {`{"a":`, 5}, {`{"a":1`, 6}, {`{"a":1,`, 7},
		{`{"a":1,}`, 7}, {`{a:1}`, 1}, {`{"a" 1}`, 5}, {`{"a":1 "b":2}`, 7}, {`{"a":1}}`, 7}, {`{"a":1} x`, 8},
		{`{"a":01}`, 6}, {`{"a":+1}`, 5}, {`{"a":-}`, 5}, {`{"a":1.}`, 6}, {`{"a":1e}`, 7}, {`{"a":.5}`, 5},
		{`{"a":nul}`, 5}, {`{"a":truE}`, 5}, {`{"a":NaN}`, 5}, {`{"a":[1,]}`, 8}, {`{"a":[1 2]}`, 8}, {`{"a":[}`, 6},
		{`{"a":{"b"}}`, 9}, {`{"a":{,}}`, 6}, {`{"a":"\x"}`, 6}, {`{"a":"\u12g4"}`, 6}, {`{"a":"\u12`, 10}, {`{"a":"\`, 7},
		{"{\"a\":\"x\ny\"}", 7}, {"{\"a\":\"0123456789abcdef\x1f\"}", 22}, {"\ufeff{}", 0}, {"{\"a\":\u00a01}", 5}, {`{'a':1}`, 1},
	} {
		_, err := Object(nil, []byte(tc.text), 0)
		if syntax, ok := errors.AsType[*SyntaxError](err); !ok {
			t.Errorf("%q: got %v, want a syntax error", tc.text, err)
		} else if syntax.Offset != tc.offset {
			t.Errorf("%q: got offset %d (%s), want %d", tc.text, syntax.Offset, syntax.Msg, tc.offset)
		}
	}
}

func TestObjectRefusesWhatTwoReadersMayReadDifferently(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{"model":1,"model":2}`, `{"a":0,"model":1,"b":{},"mod\u0065l":2}`, `{"":1,"":2}`} {
		_, err := Object(nil, []byte(text), 0)
		if _, ok := errors.AsType[*DuplicateError](err); !ok {
			t.Errorf("%s: got %v, want a duplicate", text, err)
		}
	}
	if _, err := Object(nil, []byte(`{"a":{"b":1,"b":2}}`), 0); err != nil {
		t.Errorf("only the top level counts here, got %v", err)
	}
}

func TestObjectBoundsNestingAndMembers(t *testing.T) {
	t.Parallel()
	nested := func(n int) []byte {
		return []byte(`{"a":` + strings.Repeat(`[`, n-1) + strings.Repeat(`]`, n-1) + `}`)
	}
	for _, depth := range []int{1, 2, 63, 64, 65, 66, 128, 129, 130, 1000} {
		text := nested(depth)
		if depth == 1 {
			text = []byte(`{"a":1}`)
		}
		if _, err := Object(nil, text, depth); err != nil {
			t.Errorf("nesting of %d with a bound of %d: %v", depth, depth, err)
		}
		if _, err := Object(nil, nested(depth+1), depth); !errors.Is(err, ErrDepth) {
			t.Errorf("nesting of %d with a bound of %d: got %v", depth+1, depth, err)
		}
	}
	if _, err := Object(nil, nested(hardDepth+1), 0); !errors.Is(err, ErrDepth) {
		t.Errorf("nesting beyond the built-in bound: got %v", err)
	}
	many := func(n int) []byte {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"m%d":0`, i)
		}
		return []byte("{" + b.String()[1:] + "}")
	}
	if _, err := Object(nil, many(MaxMembers), 0); err != nil {
		t.Errorf("%d members: %v", MaxMembers, err)
	}
	if _, err := Object(nil, many(MaxMembers+1), 0); !errors.Is(err, ErrMembers) {
		t.Errorf("%d members: got %v", MaxMembers+1, err)
	}
}

// TestNestedKindsSurviveTheBitStack closes brackets of both kinds in all orders around
// the 64 levels that fit one word.
func TestNestedKindsSurviveTheBitStack(t *testing.T) {
	t.Parallel()
	for depth := 60; depth <= 200; depth += 5 {
		for pattern := range 8 {
			var open, closing strings.Builder
			for level := range depth {
				if pattern>>(level%3)&1 == 1 {
					open.WriteString(`{"k":`)
				} else {
					open.WriteString(`[`)
				}
			}
			for level := depth - 1; level >= 0; level-- {
				closing.WriteByte("]}"[pattern>>(level%3)&1])
			}
			text := open.String() + "0" + closing.String()
			if err := Valid([]byte(text), 0); err != nil {
				t.Fatalf("depth %d, pattern %d: %v", depth, pattern, err)
			}
			swapped := strings.Map(func(r rune) rune {
				switch r {
				case ']':
					return '}'
				case '}':
					return ']'
				}
				return r
			}, closing.String())
			if err := Valid([]byte(open.String()+"0"+swapped), 0); err == nil {
				t.Fatalf("depth %d, pattern %d: brackets of the wrong kind pass", depth, pattern)
			}
		}
	}
}

func TestInvalidUTF8IsRefusedWhereverItStands(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"\x80", "\xc0\xaf", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xff", "\xe4\xbd"} {
		for pad := range 40 {
			text := `{"a":"` + strings.Repeat("x", pad) + bad + strings.Repeat("y", 40-pad) + `"}`
			if _, err := Object(nil, []byte(text), 0); !errors.Is(err, ErrUTF8) {
				t.Fatalf("% x behind %d characters: got %v", bad, pad, err)
			}
			if err := Valid([]byte(`{"`+bad+`":1}`), 0); !errors.Is(err, ErrUTF8) {
				t.Fatalf("% x in a name: got %v", bad, err)
			}
		}
	}
}

func TestObjectDoesNotAllocate(t *testing.T) {
	for _, body := range [][]byte{chatBody(16<<10, english), chatBody(16<<10, chinese)} {
		members := make([]Member, 0, 32)
		allocs := testing.AllocsPerRun(50, func() {
			members, _ = Object(members[:0], body, 64)
		})
		if allocs != 0 {
			t.Errorf("got %v allocations", allocs)
		}
	}
}

// jsonSeeds are texts at the edges of the grammar, for all fuzz targets.
var jsonSeeds = []string{
	`{}`, `[]`, `{"a":1}`, `{"a":[1,2,{"b":null}],"c":"d"}`, ` { "a" : [ ] } `, `[[[[]]]]`, `{"a":-0.0e+10}`, `{"a":1E400}`,
	`"\ud83d\ude00"`, `"\ud800"`, `"\udc00\ud800x"`, `{"\u0061":1,"a":2}`, `"\/\b\f\n\r\t\"\\"`, `{"a":"` + "\u2028é漢😀" + `"}`,
	`{"a":"0123456789abcdef\"0123456789abcdef\\"}`, `{"a":tru}`, `[1,]`, `{"a":1,}`, `[01]`, `[1e]`, `nullx`, `{"a":"` + "\x1f" + `"}`,
	"\xef\xbb\xbf{}", "[\"\xff\"]", "[\"\xed\xa0\x80\"]", `{"a":{"b":{"c":{"d":[{"e":[]}]}}}}`, `{"":{"":{}}}`, `-`, `"`, `{"`, `[`, ``,
}

// FuzzValidAgreesWithJSONText holds the scanner against the decoder that the rest of
// the project uses: both must take the same texts.
func FuzzValidAgreesWithJSONText(f *testing.F) {
	for _, s := range jsonSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		err := Valid(text, 0)
		strict := jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
		if errors.Is(err, ErrUTF8) {
			if jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true)) {
				t.Fatalf("%q is refused for its UTF-8, which is valid", text)
			}
			return
		}
		if (err == nil) != strict {
			t.Fatalf("%q: got %v, jsontext says valid=%v", text, err, strict)
		}
		if err != nil {
			return
		}
		isObject := jsontext.Value(text).Kind() == '{'
		members, err := Object(nil, text, 0)
		var dup *DuplicateError
		switch {
		case isObject && err != nil && !errors.As(err, &dup):
			t.Fatalf("%q: valid, and Object says %v", text, err)
		case !isObject && err == nil:
			t.Fatalf("%q: not an object, and Object takes it", text)
		}
		for i, m := range members {
			if err := Valid(m.Value, 0); err != nil {
				t.Fatalf("%q: value of member %d is %q: %v", text, i, m.Value, err)
			}
		}
	})
}
