package providers

import (
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// UnmarshalCaddyfile sets up the mock from Caddyfile tokens. Syntax:
//
//	provider <name> {
//		type         mock
//		models       <names...>
//		reply        <text>
//		echo
//		reasoning    <text>
//		tool_call    <name> [<arguments>]
//		latency      <duration> [<jitter>]
//		token_rate   <tokens per second>
//		error_rate   <share>
//		error_kind   status|reset|hang|midstream
//		error_status <statuses...>
//		usage        <prompt tokens> <completion tokens>
//		seed         <number>
//	}
//
// A share is a number from 0 to 1 or a percentage, such as 30%. tool_call may be given
// more than once.
func (m *Mock) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // "provider"
	if !d.NextArg() {
		return d.Errf("a provider has a name, as in: provider mock { ... }")
	}
	if d.Val() != "mock" {
		m.Name = d.Val()
	}
	if d.NextArg() {
		return d.Errf("unexpected %q: a mock has no address", d.Val())
	}
	seen := map[string]bool{}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		option := d.Val()
		if seen[option] && option != "tool_call" {
			return d.Errf("%s is given twice", option)
		}
		seen[option] = true
		parse, ok := mockOptions[option]
		if !ok {
			return d.Errf("unrecognized option %q of a mock%s", option, suggest(option, mockOptionNames()))
		}
		if err := parse(m, d); err != nil {
			return err
		}
	}
	if seen["reply"] && seen["echo"] {
		return d.Errf("a mock has either reply or echo")
	}
	return nil
}

var mockOptions = map[string]func(*Mock, *caddyfile.Dispenser) error{
	"type":         unmarshalMockType,
	"models":       func(m *Mock, d *caddyfile.Dispenser) error { return manyArgs(d, &m.ModelNames) },
	"reply":        func(m *Mock, d *caddyfile.Dispenser) error { return oneArg(d, &m.Reply) },
	"echo":         func(m *Mock, d *caddyfile.Dispenser) error { m.Echo = true; return noArg(d) },
	"reasoning":    func(m *Mock, d *caddyfile.Dispenser) error { return oneArg(d, &m.Reasoning) },
	"tool_call":    unmarshalMockCall,
	"latency":      unmarshalMockLatency,
	"token_rate":   unmarshalMockTokenRate,
	"error_rate":   unmarshalMockErrorRate,
	"error_kind":   func(m *Mock, d *caddyfile.Dispenser) error { return oneArg(d, &m.ErrorKind) },
	"error_status": unmarshalMockErrorStatus,
	"usage":        unmarshalMockUsage,
	"seed":         unmarshalMockSeed,
}

func mockOptionNames() []string {
	names := make([]string, 0, len(mockOptions))
	for name := range mockOptions {
		names = append(names, name)
	}
	return names
}

func unmarshalMockType(_ *Mock, d *caddyfile.Dispenser) error {
	var kind string
	if err := oneArg(d, &kind); err != nil {
		return err
	}
	if kind != "mock" {
		return d.Errf("a mock is of type mock, not %s", kind)
	}
	return nil
}

func unmarshalMockCall(m *Mock, d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) == 0 || len(args) > 2 {
		return d.Errf("tool_call has a name and JSON arguments, as in: tool_call weather `{\"city\":\"Oslo\"}`")
	}
	call := MockToolCall{Name: args[0]}
	if len(args) == 2 {
		call.Arguments = args[1]
	}
	m.ToolCalls = append(m.ToolCalls, call)
	return nil
}

func unmarshalMockLatency(m *Mock, d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) == 0 || len(args) > 2 {
		return d.Errf("latency is a duration, and another by which it varies, as in: latency 300ms 100ms")
	}
	for i, to := range []*caddy.Duration{&m.Latency, &m.Jitter}[:len(args)] {
		v, err := caddy.ParseDuration(args[i])
		if err != nil || v < 0 {
			return d.Errf("%q is not a duration, such as 300ms", args[i])
		}
		*to = caddy.Duration(v)
	}
	return nil
}

func unmarshalMockTokenRate(m *Mock, d *caddyfile.Dispenser) error {
	var text string
	if err := oneArg(d, &text); err != nil {
		return err
	}
	rate, err := strconv.ParseFloat(text, 64)
	if err != nil || !(rate >= 0) {
		return d.Errf("%q is not a number of tokens per second", text)
	}
	m.TokenRate = rate
	return nil
}

func unmarshalMockErrorRate(m *Mock, d *caddyfile.Dispenser) error {
	var text string
	if err := oneArg(d, &text); err != nil {
		return err
	}
	number, percent := strings.CutSuffix(text, "%")
	rate, err := strconv.ParseFloat(number, 64)
	if percent {
		rate /= 100
	}
	if err != nil || !(rate >= 0 && rate <= 1) {
		return d.Errf("%q is not a share, such as 0.3 or 30%%", text)
	}
	m.ErrorRate = rate
	return nil
}

func unmarshalMockErrorStatus(m *Mock, d *caddyfile.Dispenser) error {
	var texts []string
	if err := manyArgs(d, &texts); err != nil {
		return err
	}
	for _, text := range texts {
		status, err := strconv.Atoi(text)
		if err != nil || status < 400 || status > 599 {
			return d.Errf("%q is not the status of an error, 400 to 599", text)
		}
		m.ErrorStatus = append(m.ErrorStatus, status)
	}
	return nil
}

func unmarshalMockUsage(m *Mock, d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) != 2 {
		return d.Errf("usage is two numbers, as in: usage 100 20")
	}
	prompt, err1 := strconv.ParseInt(args[0], 10, 64)
	completion, err2 := strconv.ParseInt(args[1], 10, 64)
	if err1 != nil || err2 != nil || prompt < 0 || completion < 0 {
		return d.Errf("usage is two numbers of tokens, not %q %q", args[0], args[1])
	}
	m.Usage = &MockUsage{PromptTokens: prompt, CompletionTokens: completion}
	return nil
}

func unmarshalMockSeed(m *Mock, d *caddyfile.Dispenser) error {
	var text string
	if err := oneArg(d, &text); err != nil {
		return err
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil || seed == 0 {
		return d.Errf("%q is not a seed, a number above 0", text)
	}
	m.Seed = seed
	return nil
}
