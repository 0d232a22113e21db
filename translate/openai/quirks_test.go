package openai

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// quirkFields calls fn with the name of every quirk and quirks that have it alone.
func quirkFields(t *testing.T, fn func(name string, q Quirks)) {
	t.Helper()
	kind := reflect.TypeFor[Quirks]()
	for i := range kind.NumField() {
		if kind.Field(i).Name == "Rules" {
			continue
		}
		var q Quirks
		switch v := reflect.ValueOf(&q).Elem().Field(i); v.Kind() {
		case reflect.String:
			v.SetString("x")
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Float64:
			v.SetFloat(1.5)
		case reflect.Slice:
			v.Set(reflect.ValueOf([]string{"x"}))
		case reflect.Map:
			v.Set(reflect.MakeMap(v.Type()))
			elem := reflect.ValueOf("y").Convert(reflect.TypeFor[string]())
			if v.Type().Elem() == reflect.TypeFor[jsontext.Value]() {
				elem = reflect.ValueOf(jsontext.Value(`"y"`))
			}
			v.SetMapIndex(reflect.ValueOf("x"), elem)
		default:
			t.Fatalf("no sample for %s", kind.Field(i).Name)
		}
		fn(kind.Field(i).Name, q)
	}
}

func TestForForgetsNoField(t *testing.T) {
	t.Parallel()
	quirkFields(t, func(name string, want Quirks) {
		byRule := Quirks{Rules: []Rule{{Models: []string{"m*"}, Quirks: want}}}
		if got := byRule.For("model"); !reflect.DeepEqual(got, want) {
			t.Errorf("%s of a rule is lost: got %+v", name, got)
		}
		if got := byRule.For("other"); !reflect.DeepEqual(got, Quirks{}) {
			t.Errorf("%s holds for a model that no pattern matches: got %+v", name, got)
		}
		byProvider := want
		byProvider.Rules = []Rule{{Models: []string{"*"}}}
		if got := byProvider.For("model"); !reflect.DeepEqual(got, want) {
			t.Errorf("%s of the provider is lost to an empty rule: got %+v", name, got)
		}
	})
}

func TestEveryQuirkEndsThePassing(t *testing.T) {
	t.Parallel()
	var none Quirks
	if !none.PassRequest() || !none.PassResponse() {
		t.Fatal("OpenAI itself is not passed")
	}
	ofResponses := false
	quirkFields(t, func(name string, q Quirks) {
		if name == "Normalize" {
			ofResponses = true
		}
		if q.PassRequest() != ofResponses {
			t.Errorf("%s: requests are passed: %v", name, q.PassRequest())
		}
		if q.PassResponse() == ofResponses {
			t.Errorf("%s: answers are passed: %v", name, q.PassResponse())
		}
	})
}

func TestRulesJoinListsAndMapsAndReplaceTheRest(t *testing.T) {
	t.Parallel()
	q := Quirks{
		Drop: append(make([]string, 0, 8), "a"), Rename: map[string]string{"a": "1", "b": "2"}, Effort: "drop", MaxTemperature: 2,
		Rules: []Rule{
			{Models: []string{"x-*"}, Quirks: Quirks{Drop: []string{"b"}, Rename: map[string]string{"b": "3"}, Effort: "thinking"}},
			{Models: []string{"y", "*-pro"}, Quirks: Quirks{Drop: []string{"c"}, MaxTemperature: 1}},
		},
	}
	before := q
	got := q.For("x-pro")
	if !slices.Equal(got.Drop, []string{"a", "b", "c"}) || !maps.Equal(got.Rename, map[string]string{"a": "1", "b": "3"}) ||
		got.Effort != "thinking" || got.MaxTemperature != 1 || got.Rules != nil {
		t.Errorf("got %+v", got)
	}
	if other := q.For("x-mini"); !slices.Equal(other.Drop, []string{"a", "b"}) || !slices.Equal(got.Drop, []string{"a", "b", "c"}) {
		t.Errorf("two models share a list: %v and %v", other.Drop, got.Drop)
	}
	if !reflect.DeepEqual(q, before) || q.Rename["b"] != "2" {
		t.Errorf("the provider's own quirks changed: %+v", q)
	}
}

func TestQuirksAreReadFromJSON(t *testing.T) {
	t.Parallel()
	var q Quirks
	err := json.Unmarshal([]byte(`{"drop":["seed"],"add":{"tool_stream":true},"rules":[{"models":["a*"],"effort":"drop","add":{"x":{"y":[1, 2]}}}]}`),
		&q, json.RejectUnknownMembers(true))
	if err != nil {
		t.Fatal(err)
	}
	got := q.For("abc")
	if string(got.Add["tool_stream"]) != "true" || string(got.Add["x"]) != `{"y":[1, 2]}` || got.Effort != "drop" || got.Drop[0] != "seed" {
		t.Errorf("got %+v", got)
	}
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		pattern, name, captured string
		match                   bool
	}{
		{"gpt-*", "gpt-5", "5", true}, {"gpt-*", "gpt-", "", true}, {"gpt-*", "gpt", "", false}, {"*", "", "", true}, {"*", "x", "x", true},
		{"*-pro", "a-pro-b-pro", "a-pro-b", true}, {"a*c", "abc", "b", true}, {"a*c", "abd", "", false}, {"gpt-5", "gpt-5", "gpt-5", true},
		{"gpt-5", "GPT-5", "", false}, {"a*b*c", "aXbYc", "X", true}, {"a*b*c", "abbc", "b", true}, {"**", "ab", "ab", true}, {"", "", "", true},
		{"", "a", "", false}, {"*a*", "bcd", "", false}, {"é*", "é漢", "漢", true},
	} {
		got, ok := Capture(tc.pattern, tc.name)
		if ok != tc.match || ok && got != tc.captured {
			t.Errorf("Capture(%q, %q) = %q, %v", tc.pattern, tc.name, got, ok)
		}
		if Match(tc.pattern, tc.name) != tc.match {
			t.Errorf("Match(%q, %q) = %v", tc.pattern, tc.name, !tc.match)
		}
	}
	// Many stars against a name that nearly matches must not take forever.
	if Match(strings.Repeat("*a", 40), strings.Repeat("a", 500)+"b") {
		t.Error("a pattern that ends in a matches a name that ends in b")
	}
}
