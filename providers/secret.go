package providers

import (
	"errors"
	"fmt"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// resolve replaces the placeholders in a value of the configuration, such as
// {env.OPENAI_API_KEY} or {file./run/secrets/key}. One that is empty or unknown is an
// error, which names the placeholder and never what stands around it. {model} is left.
func resolve(repl *caddy.Replacer, value string) (string, error) {
	parts := strings.Split(value, modelMarker)
	for i, part := range parts {
		if !strings.Contains(part, "{") {
			continue
		}
		done, err := repl.ReplaceOrErr(part, true, true)
		if err != nil {
			return "", err
		}
		parts[i] = done
	}
	return strings.Join(parts, modelMarker), nil
}

// resolveKeys resolves the placeholders of API keys and leaves out what is there
// twice. literal says that a key stands in the configuration itself.
func resolveKeys(repl *caddy.Replacer, raw []string) (keys []string, literal bool, err error) {
	seen := make(map[string]bool, len(raw))
	for i, value := range raw {
		key, err := resolve(repl, value)
		if err != nil {
			return nil, false, fmt.Errorf("API key %d: %w", i+1, err)
		}
		key = strings.TrimSpace(key)
		if err := checkSecret(key); err != nil {
			return nil, false, fmt.Errorf("API key %d: %w", i+1, err)
		}
		literal = literal || !strings.Contains(value, "{")
		if !seen[key] {
			seen[key] = true
			keys = append(keys, key)
		}
	}
	return keys, literal, nil
}

// checkSecret reports what keeps a key from being sent in a header, without the key.
func checkSecret(key string) error {
	if key == "" {
		return errors.New("it is empty")
	}
	for i := range len(key) {
		if c := key[i]; c <= ' ' || c >= 0x7f {
			return errors.New("it has a character that no key has (a space, a line break or one beyond ASCII)")
		}
	}
	return nil
}
