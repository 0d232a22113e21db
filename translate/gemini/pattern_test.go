package gemini

import (
	"reflect"
	"strings"
	"testing"
)

func chunkOf(text, behind string) string {
	return `{"candidates":[{"content":{"parts":[{"text":"` + text + `"` + behind
}

const behindText = `}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":7,"totalTokenCount":12},"modelVersion":"gemini-2.5-flash","responseId":"r1"}`

// withoutPattern returns a decoder that never keeps a pattern.
func withoutPattern() *Decoder {
	d := NewDecoder(nil)
	d.pattern.misses = maxMisses
	return d
}

func TestPatternReadsTheLastCounts(t *testing.T) {
	t.Parallel()
	d := NewDecoder(nil)
	v := decodeEvents(t, d, chunkOf("a", behindText), chunkOf("b", strings.Replace(behindText, ":7", ":21", 1)), chunkOf("c", strings.Replace(behindText, ":7", ":300", 1)))
	if v.choice(0).text != "abc" || v.usage == nil || v.usage.Prompt != 5 || v.usage.Completion != 300 {
		t.Errorf("text %q, usage %+v", v.choice(0).text, v.usage)
	}
	if len(d.pattern.prefix) == 0 {
		t.Error("no pattern was kept")
	}
}

func TestPatternIsOnlyOfPlainChunks(t *testing.T) {
	t.Parallel()
	for name, chunk := range map[string]string{
		"finish":          chunkOf("a", strings.Replace(behindText, `"index":0`, `"finishReason":"STOP","index":0`, 1)),
		"thought":         chunkOf("a", `,"thought":true`+behindText),
		"signature":       chunkOf("a", `,"thoughtSignature":"x"`+behindText),
		"two parts":       chunkOf("a", `},{"text":"b"`+behindText),
		"grounding":       chunkOf("a", strings.Replace(behindText, `"index":0`, `"groundingMetadata":{},"index":0`, 1)),
		"text is not one": `{"candidates":[{"content":{"parts":[{"text":null,"role":"x"}]}}]}`,
		"two candidates":  `{"candidates":[{"content":{"parts":[{"text":"a"}]},"index":0},{"index":1}]}`,
	} {
		d := NewDecoder(nil)
		decodeEvents(t, d, chunk)
		if len(d.pattern.prefix) > 0 {
			t.Errorf("%s: a pattern was kept", name)
		}
	}
}

// FuzzPattern makes sure that a pattern changes nothing about what is read.
func FuzzPattern(f *testing.F) {
	for _, text := range []string{"b", "", `\"`, `\\`, `\ud83d`, "\xff", `x"}],"role":"model"},"finishReason":"STOP"`, "é"} {
		f.Add(text, behindText)
		f.Add(text, strings.Replace(behindText, ":7", ":007", 1))
		f.Add(text, strings.Replace(behindText, ":7", ":-1", 1))
		f.Add(text, strings.Replace(behindText, ":7", ":1e3", 1))
		f.Add(text, strings.Replace(behindText, `"index":0`, `"index":1`, 1))
		f.Add(text, `}]}}]}`)
	}
	f.Fuzz(func(t *testing.T, text, behind string) {
		for _, first := range []string{chunkOf("a", behindText), chunkOf("a", behind)} {
			events := []string{first, chunkOf(text, behind), chunkOf("c", behindText)}
			got, want := decodeEvents(t, NewDecoder(nil), events...), decodeEvents(t, withoutPattern(), events...)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%q: with a pattern %+v, without %+v", events, got, want)
			}
		}
	})
}
