package providers

import (
	"strings"
	"testing"
)

func TestMockCaddyfile(t *testing.T) {
	t.Parallel()
	got, err := adapt("mock", `provider fake {
		type mock
		models a b
		reply "I am {model}"
		reasoning hm
		tool_call f `+"`{\"a\":1}`"+`
		tool_call g
		latency 300ms 100ms
		token_rate 50
		error_rate 30%
		error_kind midstream
		error_status 500 429
		usage 10 20
		seed 7
	}`)
	want := `{"error_kind":"midstream","error_rate":0.3,"error_status":[500,429],"jitter":100000000,"latency":300000000,"models":["a","b"],"name":"fake",` +
		`"reasoning":"hm","reply":"I am {model}","seed":7,"token_rate":50,"tool_calls":[{"arguments":"{\"a\":1}","name":"f"},{"name":"g"}],"type":"mock",` +
		`"usage":{"completion_tokens":20,"prompt_tokens":10}}`
	if err != nil || got != want {
		t.Errorf("got  %s (%v)\nwant %s", got, err, want)
	}
	if got, err = adapt("mock", "provider mock {\n echo\n}"); err != nil || got != `{"echo":true,"type":"mock"}` {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestMockErrors(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"latencyy 1s":             "did you mean latency?",
		"latency":                 "latency is a duration",
		"latency soon":            "is not a duration",
		"token_rate fast":         "tokens per second",
		"token_rate -1":           "tokens per second",
		"error_rate 130%":         "is not a share",
		"error_rate NaN":          "is not a share",
		"error_status 200":        "is not the status of an error",
		"usage 1":                 "two numbers",
		"usage 1 -2":              "two numbers",
		"seed 0":                  "not a seed",
		"type openai":             "of type mock",
		"tool_call":               "name and JSON arguments",
		"echo\n\treply x":         "either reply or echo",
		"seed 1\n\tseed 2":        "seed is given twice",
		"echo loud":               `unexpected "loud"`,
		"models":                  "one or more values",
		"reply":                   "has one value",
		"base_url https://h/v1":   "unrecognized option",
		"error_kind status reset": "has one value",
	} {
		if _, err := adapt("mock", "provider mock {\n\t"+line+"\n}"); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "Testfile:") {
			t.Errorf("%q: %v, want an error with %q", line, err, want)
		}
	}
	if _, err := adapt("mock", "provider mock https://h"); err == nil || !strings.Contains(err.Error(), "has no address") {
		t.Errorf("got %v", err)
	}
	for config, want := range map[string]string{
		`{"type":"mock","error_rate":2}`:                                "from 0 to 1",
		`{"type":"mock","error_kind":"fire"}`:                           "must be one of",
		`{"type":"mock","error_status":[200]}`:                          "400 to 599",
		`{"type":"mock","token_rate":-1}`:                               "negative",
		`{"type":"mock","latency":-1}`:                                  "negative",
		`{"type":"mock","usage":{"prompt_tokens":-1}}`:                  "negative",
		`{"type":"mock","tool_calls":[{"name":"f","arguments":"[1]"}]}`: "not a JSON object",
		`{"type":"mock","tool_calls":[{"arguments":"{}"}]}`:             "has no name",
		`{"type":"mock","nonsense":1}`:                                  "nonsense",
	} {
		if _, err := load(t, config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", config, err, want)
		}
	}
}
