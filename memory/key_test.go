package memory

import "testing"

func TestIdsThatAreUsedTwiceAreTold(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		id, name string
		unique   bool
	}{
		{"toolu_01A09q90qw90lq917835lq9", "get_weather", true},
		{"toolu_bdrk_01Kz7q3v9RLfxk2", "get_weather", true},
		{"call_z8rFuQAxQ2S1bkbEQp0X1jW3", "get_weather", true},
		{"call_00_RnHgP4kFk3xgQ1ZbTzRk7m", "get_weather", true},
		{"chatcmpl-tool-4c3f2a9d8e6b41f0a7c5", "get_weather", true},
		{"3f2504e0-4f89-11d3-9a0c-0305e82c3301", "get_weather", true},
		{"call_function_k3m9p2x7q1w5_1", "function", true},
		{"k2j4h5g6", "get_weather", true},
		{"call_QJd8s7dmAbCdEfGhIjKlMnOp", "get_weather", true},

		{"functions.get_weather:0", "get_weather", false},
		{"functions.get_weather:17", "get_weather", false},
		{"functions.search2025v10:3", "search2025v10", false},
		{"functions.mcp__github2024__search:3", "mcp__github2024__search", false},
		{"get_weather_1", "get_weather", false},
		{"call_0", "get_weather", false},
		{"call_12345678", "get_weather", false},
		{"20251125", "get_weather", false},
		{"1", "", false},
		{"", "", false},
		{"tool_call_for_the_weather", "get_weather", false},
		{"getTheWeatherInBerlin", "get_weather", false},
		{"a1b2", "get_weather", false},
		{"a1.b2.c3.d4.e5", "get_weather", false},
	} {
		if got := isUnique(tc.id, tc.name); got != tc.unique {
			t.Errorf("isUnique(%q, %q) is %v", tc.id, tc.name, got)
		}
	}
}

func TestKeysOfBothKindsDiffer(t *testing.T) {
	t.Parallel()
	tenant := TenantOf("key")
	var before [32]byte
	copy(before[:], "what was said before this answer")
	if a, b := uniqueKey(&tenant, string(before[:])+"x"), boundKey(&tenant, &before, "x"); a == b {
		t.Error("an id can be made to look like a call and its history")
	}
}
