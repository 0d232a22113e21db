package translate

import (
	"encoding/base64"
	"strings"

	"github.com/go-json-experiment/json"
)

// Carrier takes a provider's opaque reasoning state through a slot of a client's dialect
// that was made for another provider's. A slot that has its own provider's state holds
// it raw; a wrapped one is never sent to a provider.
type Carrier struct {
	// Vendor is whose state it is: anthropic, google or openai.
	Vendor string `json:"v"`
	// Model made it; "" if unknown.
	Model string `json:"m,omitzero"`
	// Kind is signature or encrypted.
	Kind string `json:"k"`
	// Data is the state.
	Data string `json:"d"`
	// CallID is the tool call the state is bound to; "" if to none.
	CallID string `json:"t,omitzero"`
}

// carrierPrefix marks a wrapped slot, and the version of its form.
const carrierPrefix = "aip1."

// maxCarrier bounds what is unwrapped, in bytes.
const maxCarrier = 4 << 20

// formats are the names that reasoning_details has for each vendor's state.
var formats = map[string]string{
	"anthropic": "anthropic-claude-v1",
	"google":    "google-gemini-v1",
	"openai":    "openai-responses-v1",
}

// Wrap returns the text for the slot: equal carriers give equal text.
func (c Carrier) Wrap() string {
	b, err := json.Marshal(c, json.Deterministic(true))
	if err != nil {
		return "" // strings that are not UTF-8; no provider sends such
	}
	return carrierPrefix + base64.RawURLEncoding.EncodeToString(b)
}

// IsWrapped reports whether a slot holds a carrier, readable or not.
func IsWrapped(slot string) bool { return strings.HasPrefix(slot, carrierPrefix) }

// Unwrap reads the carrier in a slot; ok is false for one that cannot be read, whose
// reasoning is to be dropped as a whole.
func Unwrap(slot string) (c Carrier, ok bool) {
	text, ok := strings.CutPrefix(slot, carrierPrefix)
	if !ok || len(text) > maxCarrier {
		return Carrier{}, false
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(b, &c) != nil || formats[c.Vendor] == "" || c.Data == "" {
		return Carrier{}, false
	}
	return c, true
}

// Unwrap puts wrapped state into the form in which its own provider has it, and reports
// whether the reasoning can be used: it cannot if a carrier in it is unreadable.
func (r *Reasoning) Unwrap() bool {
	for _, slot := range []*string{&r.Signature, &r.Encrypted} {
		if !IsWrapped(*slot) {
			continue
		}
		c, ok := Unwrap(*slot)
		if !ok {
			return false
		}
		*slot = ""
		if c.Kind == "encrypted" {
			r.Encrypted = c.Data
		} else {
			r.Signature = c.Data
		}
		r.Format = formats[c.Vendor]
		if c.CallID != "" {
			r.ID = c.CallID
		}
	}
	return true
}
