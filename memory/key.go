package memory

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
)

// Tenant stands for who asks. What one tenant's answers left behind is never given to
// another.
type Tenant [sha256.Size]byte

// TenantOf returns the tenant with a credential, which it is not possible to get back
// from it; clients without one are one tenant together.
func TenantOf(credential string) Tenant {
	return sha256.Sum256(append([]byte("tenant\x00"), credential...))
}

// key is where a call of a tenant is remembered. Nothing of what it is made of can be
// read in it.
type key struct {
	sum [sha256.Size]byte
	// bound says that the call's id alone does not tell it from others, so that all
	// that was said before it is part of the key.
	bound bool
}

// uniqueKey is the key of a call whose id is not used twice.
func uniqueKey(t *Tenant, id string) key {
	var few [160]byte
	return key{sum: sha256.Sum256(append(append(few[:0], t[:]...), id...))}
}

// boundKey is the key of a call that is remembered together with what was said before
// it.
func boundKey(t *Tenant, before *[sha256.Size]byte, id string) key {
	var few [192]byte
	return key{sum: sha256.Sum256(append(append(append(few[:0], t[:]...), before[:]...), id...)), bound: true}
}

// isUnique reports whether a tool-call id looks as if it was drawn at random, so that
// no second call has it. Most providers do so, but Moonshot numbers the calls of a
// conversation ("functions.get_weather:0"), and local servers number those of an
// answer: of such an id other conversations may have one too, with the reasoning of
// other people. The tool's own name, with whatever digits are in it, says nothing.
func isUnique(id, name string) bool {
	if i := strings.Index(id, name); i >= 0 && name != "" {
		return isUnique(id[:i], "") || isUnique(id[i+len(name):], "")
	}
	letters, digits := 0, 0
	for i := range len(id) {
		switch c := id[i]; {
		case '0' <= c && c <= '9':
			digits++
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			letters++
		default:
			letters, digits = 0, 0
		}
		long, longer := letters+digits >= 8, letters+digits >= 16
		if long && letters >= 2 && digits >= 2 || longer && letters >= 1 && digits >= 1 {
			return true
		}
	}
	return false
}

// appendText appends a text so that what follows cannot be taken for a part of it.
func appendText(dst []byte, text string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}
