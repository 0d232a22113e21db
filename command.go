package aiproxy

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/spf13/cobra"

	"github.com/ai-proxy/caddy-ai-proxy/providers"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "ai-proxy",
		Usage: "[--listen <addr>] [--provider <name>[=<url>]] [--model <name>=<provider>[/<model>]] [--internal-certs] [--access-log] [--debug]",
		Short: "A gateway to LLM providers in one line",
		Long: `
A gateway that answers the OpenAI API for the models of many providers.

Without --provider it serves all presets. A provider whose key is in its usual
environment variable (such as OPENAI_API_KEY) uses that key, so keep the gateway
on localhost or in front of something that asks who is there; for any other
provider the client brings its own key.

--listen is an address to receive traffic on. With a host name the gateway uses
HTTPS, as Caddy does; with only a port, or with localhost or all interfaces
(0.0.0.0) and a port, it uses HTTP.

--provider names a preset, or gives an OpenAI-compatible server a name:
--provider local=http://localhost:8000/v1. --provider mock needs no network.

--model adds a name for a model: --model fast=groq/llama-3.1-8b-instant.
`,
		CobraFunc: func(cmd *cobra.Command) {
			setFlags(cmd)
			cmd.RunE = caddycmd.WrapCommandFuncForCobra(runCommand)
		},
	})
}

func setFlags(cmd *cobra.Command) {
	cmd.Flags().StringP("listen", "l", "localhost:8080", "Address on which to receive traffic")
	cmd.Flags().StringArrayP("provider", "p", nil, "Provider to serve models of: a preset's name, or name=url (repeatable)")
	cmd.Flags().StringArrayP("model", "m", nil, "Model to serve: name=provider or name=provider/model (repeatable)")
	cmd.Flags().BoolP("internal-certs", "i", false, "Use internal CA for issuing certs")
	cmd.Flags().BoolP("access-log", "", false, "Enable the access log")
	cmd.Flags().BoolP("debug", "v", false, "Enable verbose debug logs")
}

func runCommand(fs caddycmd.Flags) (int, error) {
	caddy.TrapSignals()
	cfg, err := commandConfig(fs)
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	if err := caddy.Run(cfg); err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	fmt.Printf("ai_proxy answers the OpenAI API at %s\n", fs.String("listen")) //nolint:forbidigo // a command speaks to its user
	select {}
}

// commandConfig returns the configuration that the flags describe.
func commandConfig(fs caddycmd.Flags) (*caddy.Config, error) {
	h, err := commandHandler(fs)
	if err != nil {
		return nil, err
	}
	addr, err := httpcaddyfile.ParseAddress(fs.String("listen"))
	if err != nil || addr.Path != "" {
		return nil, fmt.Errorf("invalid address %q", fs.String("listen"))
	}
	port := addr.Port
	plain := addr.Scheme == "http" || addr.Scheme == "" && !isPublicName(addr.Host)
	if port == "" {
		port = strconv.Itoa(caddyhttp.DefaultHTTPSPort)
		if plain {
			port = strconv.Itoa(caddyhttp.DefaultHTTPPort)
		}
	}
	route := caddyhttp.Route{HandlersRaw: []json.RawMessage{caddyconfig.JSONModuleObject(h, "handler", "ai_proxy", nil)}}
	server := &caddyhttp.Server{Routes: caddyhttp.RouteList{route}, Listen: []string{":" + port}}
	if plain {
		// Only the interface that was named; a host name is matched instead.
		server.Listen = []string{caddy.JoinNetworkAddress("", addr.Host, port)}
		server.AutoHTTPS = &caddyhttp.AutoHTTPSConfig{Disabled: true}
	} else if addr.Host != "" {
		server.Routes[0].MatcherSetsRaw = []caddy.ModuleMap{{"host": caddyconfig.JSON(caddyhttp.MatchHost{addr.Host}, nil)}}
	}
	if fs.Bool("access-log") {
		server.Logs = &caddyhttp.ServerLogConfig{}
	}
	return assemble(fs, server)
}

// isPublicName reports whether a host can have a certificate: it is not only this
// machine, or one of its interfaces or all of them.
func isPublicName(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return !a.IsLoopback() && !a.IsUnspecified()
	}
	return host != "" && host != "localhost"
}

// commandHandler returns the handler that the flags describe.
func commandHandler(fs caddycmd.Flags) (*Handler, error) {
	h := &Handler{Providers: map[string]json.RawMessage{}}
	names, err := fs.GetStringArray("provider")
	if err != nil {
		return nil, err
	}
	models, err := fs.GetStringArray("model")
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		names = presetsWithKeys(len(models) == 0)
	}
	for _, n := range names {
		name, address, _ := strings.Cut(n, "=")
		if h.Providers[name], err = commandProvider(name, address); err != nil {
			return nil, err
		}
	}
	for _, m := range models {
		name, target, ok := strings.Cut(m, "=")
		provider, model, _ := strings.Cut(target, "/")
		if !ok || name == "" || provider == "" {
			return nil, fmt.Errorf("--model %q: expected name=provider or name=provider/model", m)
		}
		h.Models = append(h.Models, &Model{Name: name, Deployments: []*Deployment{{Provider: provider, Model: model}}})
	}
	return h, nil
}

// presetsWithKeys returns the presets to serve when none is named: those with a key in
// the environment, and, if all is true, the others for clients with keys of their own.
func presetsWithKeys(all bool) []string {
	var names []string
	for _, p := range providers.All() {
		if p.BaseURL != "" && (all && !p.KeyOptional || keyVariable(p) != "") {
			names = append(names, p.Name)
		}
	}
	return names
}

// keyVariable returns the environment variable that holds a key of the provider.
func keyVariable(p *providers.Profile) string {
	for _, name := range p.Env {
		if os.Getenv(name) != "" {
			return name
		}
	}
	return ""
}

// commandProvider returns the configuration of one --provider.
func commandProvider(name, address string) (json.RawMessage, error) {
	kind := name
	if address != "" {
		kind = "compatible"
	}
	if kind == "mock" {
		return json.RawMessage(`{"type":"mock"}`), nil
	}
	row, ok := providers.ByName(kind)
	if !ok {
		return nil, fmt.Errorf("--provider %s: there is no such preset%s", name, didYouMean(name, providers.RowNames()))
	}
	cfg := &providers.HTTP{BaseURL: address}
	if v := keyVariable(row); v != "" && address == "" {
		cfg.APIKeys = []string{"{env." + v + "}"}
	}
	return caddyconfig.JSONModuleObject(cfg, "type", row.Name, nil), nil
}

// assemble returns a whole configuration around one server.
func assemble(fs caddycmd.Flags, server *caddyhttp.Server) (*caddy.Config, error) {
	httpApp := caddyhttp.App{Servers: map[string]*caddyhttp.Server{"ai_proxy": server}}
	apps := caddy.ModuleMap{"http": caddyconfig.JSON(httpApp, nil)}
	if fs.Bool("internal-certs") {
		apps["tls"] = json.RawMessage(`{"automation":{"policies":[{"issuers":[{"module":"internal"}]}]}}`)
	}
	no := false
	cfg := &caddy.Config{
		Admin:   &caddy.AdminConfig{Disabled: true, Config: &caddy.ConfigSettings{Persist: &no}},
		AppsRaw: apps,
	}
	logs := &caddy.CustomLog{BaseLog: caddy.BaseLog{EncoderRaw: json.RawMessage(
		`{"format":"filter","wrap":{"format":"console"},"fields":{"request>headers":{"filter":"ai_proxy"}}}`)}}
	if fs.Bool("debug") {
		logs.Level = "DEBUG"
	}
	cfg.Logging = &caddy.Logging{Logs: map[string]*caddy.CustomLog{"default": logs}}
	return cfg, nil
}
