// Command caddy is plain Caddy plus ai_proxy, for development without xcaddy.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/ai-proxy/caddy-ai-proxy"
)

func main() {
	caddycmd.Main()
}
