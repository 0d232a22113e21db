package anthropic

import "testing"

func TestLookupModel(t *testing.T) {
	t.Parallel()
	newest, foreign := &models().Newest, &models().Foreign
	for name, prefix := range map[string]string{
		"claude-opus-4-5":                            "claude-opus-4-5",
		"claude-opus-4.5":                            "claude-opus-4-5",
		"claude-opus-4-5-20251101":                   "claude-opus-4-5",
		"claude-opus-4-5@20251101":                   "claude-opus-4-5",
		"openrouter/anthropic/claude-opus-4.5":       "claude-opus-4-5",
		"us.anthropic.claude-opus-4-5-20251101-v1:0": "claude-opus-4-5",
		"anthropic.claude-3-haiku-20240307-v1:0":     "claude-3-opus",
		"arn:aws:bedrock:x:1:inference-profile/global.anthropic.claude-sonnet-4-5-20250929-v1:0": "claude-sonnet-4-5",
		"Claude-Opus-5":              "claude-opus-5",
		"claude-opus-5-latest":       "claude-opus-5",
		"claude-opus-5-20260601":     "claude-opus-5",
		"claude-opus-5-5":            "claude-opus-5-5",
		"claude-fable-5-1-20260901":  "claude-fable-5-2",
		"claude-mythos-5":            "claude-fable-5",
		"claude-sonnet-4-20250514":   "claude-sonnet-4-0",
		"claude-opus-4-20250514":     "claude-opus-4-0",
		"claude-opus-4-0":            "claude-opus-4-0",
		"claude-3-7-sonnet-latest":   "claude-sonnet-4-0",
		"claude-3-5-sonnet-20240620": "claude-3-5-sonnet",
		"claude-instant-1.2":         "claude-3-opus",
		"claude-opus-5-6":            "newest",
		"claude-opus-4-9":            "newest",
		"claude-novel-1":             "newest",
		"gpt-5":                      "foreign",
		"kimi-k3":                    "foreign",
		"":                           "foreign",
	} {
		row := LookupModel(name)
		switch prefix {
		case "newest":
			if row != newest {
				t.Errorf("%s is a %v, want the newest row", name, row.Prefixes)
			}
		case "foreign":
			if row != foreign {
				t.Errorf("%s is a %v, want a model of others", name, row.Prefixes)
			}
		default:
			if len(row.Prefixes) == 0 || row.Prefixes[0] != prefix {
				t.Errorf("%s is a %v, want %s", name, row.Prefixes, prefix)
			}
		}
	}
}

// The table itself: nothing is said twice, and words are words the code knows.
func TestModelTable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	table := models()
	for _, row := range append([]Model{table.Newest, table.Foreign}, table.Rows...) {
		for _, p := range row.Prefixes {
			if seen[p] {
				t.Errorf("%s is there twice", p)
			}
			seen[p] = true
		}
		if row.MaxOutput < 1024 {
			t.Errorf("%v: output limit %d", row.Prefixes, row.MaxOutput)
		}
		switch row.Thinking {
		case "adaptive":
			if len(row.Efforts) == 0 {
				t.Errorf("%v: no efforts", row.Prefixes)
			}
		case "extended", "":
		default:
			t.Errorf("%v: thinking %q", row.Prefixes, row.Thinking)
		}
		switch row.ThinkingDefault {
		case "always", "off":
		case "on":
			if row.ThinkingOff != "disabled" && row.ThinkingOff != "between_tools" {
				t.Errorf("%v: thinking off by %q", row.Prefixes, row.ThinkingOff)
			}
		default:
			t.Errorf("%v: thinking default %q", row.Prefixes, row.ThinkingDefault)
		}
		for _, e := range row.Efforts {
			if levelOf(e) < 0 {
				t.Errorf("%v: effort %q", row.Prefixes, e)
			}
		}
		switch row.SystemTurns {
		case "", "yes", "beta":
		default:
			t.Errorf("%v: system turns %q", row.Prefixes, row.SystemTurns)
		}
	}
}
