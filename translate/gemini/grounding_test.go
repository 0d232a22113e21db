package gemini

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// grounded returns a candidate's groundingMetadata that cites each piece of text.
func grounded(text string, pieces ...string) string {
	type segment struct {
		StartIndex int    `json:"startIndex,omitempty"`
		EndIndex   int    `json:"endIndex"`
		Text       string `json:"text"`
	}
	type support struct {
		Segment segment `json:"segment"`
		Indices []int   `json:"groundingChunkIndices"`
	}
	var supports []support
	for _, p := range pieces {
		at := strings.Index(text, p)
		supports = append(supports, support{segment{at, at + len(p), p}, []int{0, 7}})
	}
	raw, _ := json.Marshal(map[string]any{
		"groundingChunks": []any{map[string]any{"web": map[string]string{"uri": "https://example.com/?a=1&b=2", "title": "A \"title\""}}}, "groundingSupports": supports,
	})
	return `"groundingMetadata":` + string(raw)
}

func checkCitations(t *testing.T, c *choiceView, pieces ...string) {
	t.Helper()
	if len(c.annotations) != len(pieces) {
		t.Fatalf("got %d citations, want %d", len(c.annotations), len(pieces))
	}
	runes := []rune(c.text)
	for i, a := range c.annotations {
		if got := string(runes[a.Citation.Start:a.Citation.End]); got != pieces[i] {
			t.Errorf("citation %d is of %q, want %q", i, got, pieces[i])
		}
		if a.Type != "url_citation" || a.Citation.URL != "https://example.com/?a=1&b=2" || a.Citation.Title != `A "title"` {
			t.Errorf("citation %d is %+v", i, a)
		}
	}
}

func TestGroundingInAnotherChunk_E118(t *testing.T) {
	t.Parallel()
	text := "It is 67°F — warm 🌞 today."
	ground := `{"candidates":[{` + grounded(text, "67°F", "🌞 today") + `}]}`
	for name, events := range map[string][]string{
		"before the text":  {ground, parts("", `{"text":"It is 67\u00b0F — warm "}`), parts("STOP", `{"text":"\ud83c\udf1e today."}`)},
		"before finish":    {parts("", `{"text":"It is 67°F — warm 🌞 today."}`), ground, parts("STOP")},
		"behind finish":    {parts("STOP", `{"text":"It is 67°F \u2014 warm 🌞 today."}`), ground},
		"twice":            {ground, parts("STOP", `{"text":"It is 67°F — warm 🌞 today."}`), ground},
		"behind a call":    {parts("", `{"text":"It is 67°F — warm 🌞 today."}`), parts("STOP", callA), ground},
		"behind reasoning": {parts("", `{"text":"hm 🤔","thought":true}`), parts("STOP", `{"text":"It is 67°F — warm 🌞 today."}`), ground},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := decodeEvents(t, NewDecoder(nil), events...).only(t)
			if c.text != text {
				t.Fatalf("text %q", c.text)
			}
			checkCitations(t, c, "67°F", "🌞 today")
		})
	}
}

func TestCitationsOfARecording_E121(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"json-grounding-unicode", "json-grounding-cached-unicode"} {
		body, err := os.ReadFile(filepath.Join(recordings, "gemini", name, "response.json"))
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			Candidates []struct {
				GroundingMetadata struct {
					GroundingSupports []struct {
						Segment struct{ Text string } `json:"segment"`
						Indices []int                 `json:"groundingChunkIndices"`
					} `json:"groundingSupports"`
				} `json:"groundingMetadata"`
			} `json:"candidates"`
		}
		if err := json.Unmarshal(body, &answer); err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, s := range answer.Candidates[0].GroundingMetadata.GroundingSupports {
			for range s.Indices {
				want = append(want, s.Segment.Text)
			}
		}
		c := decodeBody(t, NewDecoder(nil), string(body)).only(t)
		if len(c.annotations) != len(want) || len(want) == 0 {
			t.Fatalf("%s: %d citations, want %d", name, len(c.annotations), len(want))
		}
		runes := []rune(c.text)
		for i, a := range c.annotations {
			if got := string(runes[a.Citation.Start:a.Citation.End]); got != want[i] {
				t.Errorf("%s: citation %d is of %q, want %q", name, i, got, want[i])
			}
		}
	}
}

func TestSegmentsCountFromTheirPart(t *testing.T) {
	t.Parallel()
	c := decodeBody(t, NewDecoder(nil), `{"candidates":[{"content":{"parts":[{"text":"Größe: "},{"text":"zwei Füße"}]},"groundingMetadata":{
		"groundingChunks":[{"web":{"uri":"https://example.com/?a=1&b=2","title":"A \"title\""}}],
		"groundingSupports":[{"segment":{"partIndex":1,"startIndex":5,"endIndex":11},"groundingChunkIndices":[0]}]}}]}`).only(t)
	checkCitations(t, c, "Füße")
}

func TestOffsetsOfAnyText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "ascii only", "äöü", "日本語のテキスト", "mixed 日本 and ä", "🌞🌞🌞", "a🌞ä日b", strings.Repeat("äb", 500)} {
		var o offsets
		o.add([]byte(text))
		if o.bytes != len(text) {
			t.Errorf("%q has %d bytes, want %d", text, o.bytes, len(text))
		}
		for i := 0; i <= len(text); i++ {
			start := i
			for start > 0 && start < len(text) && !utf8.RuneStart(text[start]) {
				start--
			}
			if got, want := o.rune(0, int64(i)), utf8.RuneCountInString(text[:start]); got != want {
				t.Errorf("%q: byte %d is in character %d, want %d", text, i, got, want)
			}
		}
		if got, want := o.rune(0, 1<<40), utf8.RuneCountInString(text); got != want {
			t.Errorf("%q: beyond the end is character %d, want %d", text, got, want)
		}
	}
}

func TestOffsetsOfEscapes(t *testing.T) {
	t.Parallel()
	for inner, want := range map[string]int{
		`\n\"\\`: 3, `\u0041`: 1, `\u00e9`: 2, `\u2014`: 3, `\ud83c\udf1e`: 4, `\ud83c`: 3, `\ud83cx`: 4, `\udf1e\ud83c`: 6, `\ud83c\u0041`: 4,
	} {
		var o offsets
		if o.add([]byte(inner)); o.bytes != want {
			t.Errorf("%s stands for %d bytes, want %d", inner, o.bytes, want)
		}
	}
}

func TestGroundingWithoutText(t *testing.T) {
	t.Parallel()
	v := decodeEvents(t, NewDecoder(nil), `{"candidates":[{"finishReason":"STOP",`+grounded("x", "x")+`}]}`)
	if c := v.only(t); len(c.annotations) != 0 || c.finish != translate.FinishStop {
		t.Errorf("got %+v", c)
	}
}
