package providers

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/go-json-experiment/json/jsontext"
)

// Mock is a provider that makes up its answers, without a network or a key: for
// trying a configuration, for load tests that cost nothing, and for finding out what
// happens when a provider is slow or fails. It speaks OpenAI's dialect: chat
// completions and responses, streamed or not, embeddings and the list of models.
//
// It answers for any model. Tokens are taken to be four bytes long.
type Mock struct {
	// The name under which models, metrics and logs know the provider. Default: `mock`.
	Name string `json:"name,omitempty"`

	// The names of the models it offers. Default: `mock`.
	ModelNames []string `json:"models,omitempty"`

	// What it answers. `{model}` and `{prompt}` stand for the model and for the last
	// message of the user. Default: a friendly sentence.
	Reply string `json:"reply,omitempty"`

	// Answers with the last message of the user. Default: `false`.
	Echo bool `json:"echo,omitempty"`

	// What it seems to think before it answers. Placeholders are those of `reply`.
	Reasoning string `json:"reasoning,omitempty"`

	// Calls these tools, one after the other in one turn, if the request has tools and
	// its last message is not the result of one. Default: none.
	ToolCalls []MockToolCall `json:"tool_calls,omitempty"`

	// How long it takes until the first byte of an answer. Default: `0`.
	Latency caddy.Duration `json:"latency,omitempty"`

	// By how much more or less that may be, at random. Default: `0`.
	Jitter caddy.Duration `json:"jitter,omitempty"`

	// How many tokens per second it makes. Default: `0`, as many as it can.
	TokenRate float64 `json:"token_rate,omitempty"`

	// The share of requests that fail, from `0` to `1`. Lists of models do not fail.
	// Default: `0`.
	ErrorRate float64 `json:"error_rate,omitempty"`

	// How they fail. `status`: with an HTTP error; `reset`: the connection breaks before
	// the answer; `hang`: there never is one; `midstream`: the connection breaks in the
	// middle of the answer. Default: `status`.
	ErrorKind string `json:"error_kind,omitempty"`

	// The statuses of HTTP errors, of which one is chosen at random. Default: `500`.
	ErrorStatus []int `json:"error_status,omitempty"`

	// The usage that every answer reports. Default: it is counted.
	Usage *MockUsage `json:"usage,omitempty"`

	// Makes chance repeatable, and the ids and times in answers as well: the n-th request
	// after the configuration was loaded always has the same outcome. Default: `0`, which
	// is no seed.
	Seed uint64 `json:"seed,omitempty"`

	profile  *Profile
	requests atomic.Uint64
}

// MockToolCall is a call that a mock makes.
type MockToolCall struct {
	// The name of the tool.
	Name string `json:"name"`
	// The arguments, a JSON object. Default: `{}`.
	Arguments string `json:"arguments,omitempty"`
}

// MockUsage is a usage to report.
type MockUsage struct {
	PromptTokens     int64 `json:"prompt_tokens"`
	CompletionTokens int64 `json:"completion_tokens"`
}

// The kinds of failures.
const (
	failStatus    = "status"
	failReset     = "reset"
	failHang      = "hang"
	failMidstream = "midstream"
)

var failures = []string{failStatus, failReset, failHang, failMidstream}

// defaultReply is what a mock says that was not told what to say.
const defaultReply = "Hello! I am {model}, a mock: I make up answers so that you can try things without a key. You said: {prompt}"

// mockBase is the address of mocks. Nobody ever connects to it (RFC 6761, section 6.4).
const mockBase = "http://mock.invalid/v1"

// CaddyModule returns the Caddy module information.
func (*Mock) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  Namespace + ".mock",
		New: func() caddy.Module { return new(Mock) },
	}
}

// Provision fills in the defaults.
func (m *Mock) Provision(caddy.Context) error {
	if len(m.ModelNames) == 0 {
		m.ModelNames = []string{"mock"}
	}
	m.ErrorKind = cmp.Or(m.ErrorKind, failStatus)
	if len(m.ErrorStatus) == 0 {
		m.ErrorStatus = []int{http.StatusInternalServerError}
	}
	switch {
	case m.Echo:
		m.Reply = "{prompt}"
	case m.Reply == "":
		m.Reply = defaultReply
	}
	for i := range m.ToolCalls {
		m.ToolCalls[i].Arguments = cmp.Or(m.ToolCalls[i].Arguments, "{}")
	}
	m.profile = &Profile{
		Name: cmp.Or(m.Name, "mock"), Type: "mock", Title: "Mock", Dialect: DialectOpenAI,
		BaseURL: mockBase, KeyOptional: true, HealthPath: "/models",
	}
	return nil
}

// Validate checks what could be wrong with the configuration.
func (m *Mock) Validate() error {
	switch {
	case m.ErrorRate < 0 || m.ErrorRate > 1:
		return fmt.Errorf("mock: error_rate is %v, must be from 0 to 1", m.ErrorRate)
	case m.TokenRate < 0:
		return fmt.Errorf("mock: token_rate must not be negative")
	case m.Latency < 0 || m.Jitter < 0:
		return fmt.Errorf("mock: latency and jitter must not be negative")
	case !slices.Contains(failures, m.ErrorKind):
		return fmt.Errorf("mock: error_kind is %q, must be one of %s", m.ErrorKind, strings.Join(failures, ", "))
	case m.Usage != nil && (m.Usage.PromptTokens < 0 || m.Usage.CompletionTokens < 0):
		return fmt.Errorf("mock: usage must not be negative")
	}
	for _, status := range m.ErrorStatus {
		if status < 400 || status > 599 {
			return fmt.Errorf("mock: error_status is %d, must be from 400 to 599", status)
		}
	}
	for _, call := range m.ToolCalls {
		if call.Name == "" {
			return fmt.Errorf("mock: a tool call has no name")
		}
		if v := jsontext.Value(call.Arguments); !v.IsValid() || v.Kind() != '{' {
			return fmt.Errorf("mock: the arguments of tool call %s are not a JSON object", call.Name)
		}
	}
	return nil
}

// Profile returns the facts of the mock.
func (m *Mock) Profile() *Profile { return m.profile }

// Keys returns nothing: a mock needs no key.
func (*Mock) Keys() []string { return nil }

// Models returns the names of the models it offers.
func (m *Mock) Models() []string { return m.ModelNames }

// Endpoint returns a URL that [Mock.RoundTrip] understands.
func (*Mock) Endpoint(path, _ string) string { return mockBase + unversioned(path) }

// Authorize does nothing: a mock needs no key.
func (*Mock) Authorize(http.Header, string) {}

// Interface guards
var (
	_ RoundTripper          = (*Mock)(nil)
	_ Lister                = (*Mock)(nil)
	_ caddy.Provisioner     = (*Mock)(nil)
	_ caddy.Validator       = (*Mock)(nil)
	_ caddyfile.Unmarshaler = (*Mock)(nil)
)
