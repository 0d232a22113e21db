package providers

import (
	"strings"

	"github.com/ai-proxy/caddy-ai-proxy/translate/openai"
)

// ByName returns the row of the table that is called name or has it as another name.
func ByName(name string) (*Profile, bool) {
	p, ok := profiles().byName[name]
	return p, ok
}

// ByModel returns the provider that serves a model which was named without its
// provider, and the name under which it knows the model. First come the aliases of the
// table. Then, if patterns say who makes the model and the catalogue does not say that
// it cannot be had there, its maker. Then the one provider that has a model of exactly
// this name in its catalogue; where several have, none of them, for a model's name says
// nothing about whose account is to pay. At last the maker after all: catalogues lag
// behind. Providers without an address of their own are found by pattern only.
func ByModel(name string) (profile *Profile, upstream string, ok bool) {
	t := profiles()
	if p := t.aliases[name]; p != nil {
		return p, p.Aliases[name], true
	}
	maker := t.maker(name)
	if maker != nil && (!hasCatalogue(maker) || inCatalogue(maker, name)) {
		return maker, name, true
	}
	if p := t.onlySeller(name); p != nil {
		return p, name, true
	}
	return maker, name, maker != nil
}

// maker returns the row with a pattern that the model's name matches. No name matches
// patterns of two rows.
func (t *table) maker(model string) *Profile {
	for _, p := range t.rows {
		for _, pattern := range p.Models {
			if openai.Match(pattern, model) {
				return p
			}
		}
	}
	return nil
}

// onlySeller returns the row whose catalogue alone has the model. Rows that share a
// catalogue count as one, the first.
func (t *table) onlySeller(model string) *Profile {
	var found *Profile
	for _, p := range t.rows {
		if p.BaseURL == "" || !inCatalogue(p, model) {
			continue
		}
		if found == nil {
			found = p
		} else if found.section() != p.section() {
			return nil
		}
	}
	return found
}

// OwnerOfKey returns the provider that makes keys which begin as this one does; of
// several, the one with the longest beginning. Many providers make keys that begin with
// "sk-" alone; such keys have no owner.
func OwnerOfKey(key string) (*Profile, bool) {
	var owner *Profile
	longest := 0
	for _, p := range profiles().rows {
		if n := p.prefixLen(key); n > longest {
			owner, longest = p, n
		}
	}
	return owner, owner != nil
}

// KeyFits reports whether the key may be sent to p: it is one of p's, or nothing is
// known about whose it is.
func KeyFits(p *Profile, key string) bool {
	owner, ok := OwnerOfKey(key)
	return !ok || p.prefixLen(key) == owner.prefixLen(key)
}

// prefixLen returns the length of the longest of p's key prefixes that the key has.
func (p *Profile) prefixLen(key string) int {
	n := 0
	for _, prefix := range p.KeyPrefixes {
		if len(prefix) > n && strings.HasPrefix(key, prefix) {
			n = len(prefix)
		}
	}
	return n
}
