package openai

import (
	"strings"
	"testing"
)

// E-083: reasoning in a tag never leaks into the content, however the tag is cut.
func TestThinkTags_E083(t *testing.T) {
	t.Parallel()
	q := &Quirks{ThinkTags: true}
	for name, c := range map[string]struct{ text, reasoning, content string }{
		"plain":                {`<think>why</think>so`, "why", "so"},
		"white space around":   {` \n<think>\nwhy\n</think>\n\nso\n`, "\nwhy\n", "so\n"},
		"escaped brackets":     {`\u003cthink\u003ewhy\u003C/think\u003Eso`, "why", "so"},
		"slash escaped":        {`<think>why<\/think>so`, "why", "so"},
		"other tags inside":    {`<think>a < b, <b>x</b>, </thin</think>so`, "a < b, <b>x</b>, </thin", "so"},
		"repeated brackets":    {`<think>a<<</think>so`, "a<<", "so"},
		"not at the start":     {`so <think>why</think>`, "", "so <think>why</think>"},
		"never closed":         {`<think>why</thi`, "why</thi", ""},
		"never opened":         {`<thin`, "", "<thin"},
		"empty":                {`<think></think>so`, "", "so"},
		"only white space":     {` \n`, "", " \n"},
		"unicode":              {`<think>wärum😀</think>d\u00e4rum`, "wärum😀", "därum"},
		"second element stays": {`<think>a</think>b<think>c</think>`, "a", "b<think>c</think>"},
		"much white space":     {strings.Repeat(" ", 2*maxHeld) + `<think>a</think>b`, "", strings.Repeat(" ", 2*maxHeld) + `<think>a</think>b`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			views := map[string]*seen{
				"whole":           viewBoth(t, q, deltaStream(`{"content":"`+c.text+`"}`, "finish:stop")),
				"body":            viewBody(t, q, wholeAnswer(`{"role":"assistant","content":"`+c.text+`"}`, `"stop"`)),
				"every character": viewBoth(t, q, deltaStream(append(singleCharacters(c.text), "finish:stop")...)),
			}
			for form, s := range views {
				if got := s.choice(); got.Reasoning != c.reasoning || got.Content != c.content {
					t.Errorf("%s: reasoning %q, content %q; want %q, %q", form, got.Reasoning, got.Content, c.reasoning, c.content)
				}
			}
			if off := viewBoth(t, nil, deltaStream(`{"content":"`+c.text+`"}`, "finish:stop")).choice(); off.Reasoning != "" || off.Content == "" {
				t.Errorf("without the quirk: %+v", off)
			}
		})
	}
}

// singleCharacters returns a delta for each character of an escaped text.
func singleCharacters(text string) (list []string) {
	for i := 0; i < len(text); {
		_, size := unit([]byte(text[i:]))
		for i+size < len(text) && text[i+size]&0xc0 == 0x80 {
			size++
		}
		list = append(list, `{"content":"`+text[i:i+size]+`"}`)
		i += size
	}
	return list
}

// A provider that separates the reasoning itself may write tags in its text.
func TestThinkTagsBesideReasoning(t *testing.T) {
	t.Parallel()
	s := viewBoth(t, &Quirks{ThinkTags: true}, deltaStream(`{"reasoning_content":"r"}`, `{"content":"<think>x</think>"}`, "finish:stop"))
	if c := s.choice(); c.Reasoning != "r" || c.Content != "<think>x</think>" {
		t.Errorf("reasoning %q, content %q", c.Reasoning, c.Content)
	}
}

// What is held back is not lost when the answer fails.
func TestThinkTagsBeforeAnError(t *testing.T) {
	t.Parallel()
	s := viewStream(t, &Quirks{ThinkTags: true}, eventStream(`{"choices":[{"delta":{"content":"<thi"}}]}`, `{"error":"x"}`), StreamOptions{})
	if s.Error == nil || s.choice().Content != "<thi" {
		t.Errorf("content %q", s.choice().Content)
	}
}
