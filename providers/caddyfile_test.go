package providers

import (
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// adapt parses a Caddyfile segment as the handler does, and returns its JSON.
func adapt(kind, text string) (string, error) {
	info, err := caddy.GetModule(Namespace + "." + kind)
	if err != nil {
		return "", err
	}
	mod := info.New().(caddyfile.Unmarshaler)
	if err := mod.UnmarshalCaddyfile(caddyfile.NewTestDispenser(text)); err != nil {
		return "", err
	}
	return string(caddyconfig.JSONModuleObject(mod, "type", kind, nil)), nil
}

func TestCaddyfile(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, kind, text, want string }{
		{"name only", "openai", `provider openai`, `{"type":"openai"}`},
		{"empty block", "openai", `provider openai { }`, `{"type":"openai"}`},
		{"url behind the name", "openai", `provider mine https://h/v1`, `{"base_url":"https://h/v1","name":"mine","type":"openai"}`},
		{"placeholder for the url", "openai", `provider openai {env.URL}`, `{"base_url":"{env.URL}","type":"openai"}`},
		{"everything", "openai", `provider mine {
			type openai
			base_url https://h/v1
			api_key {env.A} {env.B}
			api_key {file./run/secrets/c}
			auth_header api-key
			header x-title "My site"
			header X-Other 2
			header_up X-Up {http.request.host}
			header_up -X-Gone
			organization org
			project proj
			dialect openai
			health_path /health
			models a* b
			quirk max_tokens max_tokens
			quirk drop seed user
			quirk drop logit_bias
			quirk rename seed random_seed
			quirk tool_choice required ""
			quirk flatten_text
			quirk normalize false
			quirk max_temperature 1.5
			quirk add reasoning_split true
			quirks gpt-5* o1 {
				max_tokens max_completion_tokens
				drop_nulls true
			}
			ignore_quirks
			transport http {
				dial_timeout 2s
			}
		}`, `{"api_keys":["{env.A}","{env.B}","{file./run/secrets/c}"],"auth_header":"api-key","base_url":"https://h/v1","dialect":"openai",` +
			`"header_up":{"delete":["X-Gone"],"set":{"X-Up":["{http.request.host}"]}},"headers":{"X-Other":"2","X-Title":"My site"},"health_path":"/health",` +
			`"ignore_quirks":true,"models":["a*","b"],"name":"mine","organization":"org","project":"proj",` +
			`"quirks":{"add":{"reasoning_split":true},"drop":["seed","user","logit_bias"],"flatten_text":true,"max_temperature":1.5,"max_tokens":"max_tokens","rename":{"seed":"random_seed"},` +
			`"rules":[{"drop_nulls":true,"max_tokens":"max_completion_tokens","models":["gpt-5*","o1"]}],"tool_choice":{"required":""}},` +
			`"transport":{"dial_timeout":2000000000,"protocol":"http"},"type":"openai"}`},
		{"other name of the type", "gemini", `provider g {
			type google
		}`, `{"name":"g","type":"gemini"}`},
		{"azure deployments", "azure", `provider azure https://r.openai.azure.com/openai/deployments/{model}/chat/completions?api-version=2024-10-21`,
			`{"base_url":"https://r.openai.azure.com/openai/deployments/{model}/chat/completions?api-version=2024-10-21","type":"azure"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := adapt(tc.kind, tc.text)
			if err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestCaddyfileErrorsSayWhereAndWhat(t *testing.T) {
	t.Parallel()
	block := func(line string) string { return "provider openai {\n\t" + line + "\n}" }
	for text, want := range map[string]string{
		"provider":                                        "a provider has a name",
		"provider open/ai":                                "cannot be called",
		"provider openai api.openai.com":                  "is not a URL",
		"provider openai https://h/v1 more":               `unexpected "more"`,
		block("base_uri https://h"):                       `unrecognized option "base_uri" of provider openai (did you mean base_url?)`,
		block("apikey k"):                                 "did you mean api_key",
		block("zzzzzzzzzzzzzz"):                           "there are: type, base_url",
		block("base_url"):                                 "base_url has one value",
		block("base_url a b"):                             "base_url has one value",
		block("api_key"):                                  "api_key has one or more values",
		block("header X-A"):                               "header has a name and a value",
		block("header_up"):                                "wrong argument count",
		block("header_up ?X-A b"):                         "can only be used on response headers",
		block("type nosuch"):                              `there is no provider type "nosuch"`,
		block("type gemnii"):                              "did you mean gemini",
		block("type groq"):                                "is of type openai, not groq",
		block("quirk"):                                    "a quirk has a name; there are: max_tokens",
		block("quirk max_token x"):                        "did you mean max_tokens",
		block("quirk max_tokens x"):                       `quirk max_tokens can be max_tokens or max_completion_tokens, not "x"`,
		block("quirk max_tokens"):                         "quirk max_tokens has one value, as in: quirk max_tokens max_tokens",
		block("quirk rules x"):                            `there is no quirk "rules"`,
		block("quirk flatten_text maybe"):                 "true or false",
		block("quirk max_temperature hot"):                "is a number",
		block("quirk rename a"):                           "two values",
		block("quirk add a high"):                         `"high" is not JSON`,
		block("quirk drop"):                               "one or more values",
		block("quirks {\n drop a\n}"):                     "patterns of model names",
		block("quirks a*"):                                "has no block",
		block("quirks a* { }"):                            "has no block, or an empty one",
		block("ignore_quirks yes"):                        `unexpected "yes"`,
		block("transport"):                                "transport has a module",
		block("transport pigeon"):                         "pigeon",
		block("transport http {\n nonsense\n}"):           "nonsense",
		block("dialect openai\n\tdialect openai"):         "dialect is given twice",
		block("header X-A 1\n\theader x-a 2"):             "header X-A is given twice",
		"provider openai https://h {\n\tbase_url x\n}":    "base_url is given twice",
		block("transport http { }\n\ttransport http { }"): "transport is given twice",
	} {
		_, err := adapt("openai", text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error with %q", text, err, want)
		} else if !strings.Contains(err.Error(), "Testfile:") {
			t.Errorf("%q: the error does not say where: %v", text, err)
		}
	}
}

func FuzzCaddyfile(f *testing.F) {
	f.Add("provider openai https://h/v1 {\n api_key a b\n quirk drop x\n quirks a* {\n drop_nulls\n }\n transport http {\n dial_timeout 1s\n }\n}")
	f.Add("provider mock {\n tool_call a {}\n usage 1 2\n latency 1s 2s\n error_rate 30%\n}")
	f.Add("provider")
	f.Add("}{")
	f.Fuzz(func(_ *testing.T, text string) {
		tokens, err := caddyfile.Tokenize([]byte(text), "Fuzzfile")
		if err != nil {
			return
		}
		for _, mod := range []caddyfile.Unmarshaler{&HTTP{row: "openai"}, new(Mock)} {
			_ = mod.UnmarshalCaddyfile(caddyfile.NewDispenser(tokens))
		}
	})
}
