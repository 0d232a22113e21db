package translate

import "testing"

func TestCarrierRoundTrip(t *testing.T) {
	t.Parallel()
	for _, c := range []Carrier{
		{Vendor: "anthropic", Model: "claude-opus-5", Kind: "signature", Data: "EqQB/+=="},
		{Vendor: "google", Kind: "signature", Data: "c2ln", CallID: "call_1"},
		{Vendor: "openai", Kind: "encrypted", Data: "gAAAAé\n"},
	} {
		slot := c.Wrap()
		if got, ok := Unwrap(slot); !ok || got != c || !IsWrapped(slot) || slot != c.Wrap() {
			t.Errorf("%+v came back as %+v (%v)", c, got, ok)
		}
	}
}

func TestReasoningUnwraps(t *testing.T) {
	t.Parallel()
	google := Carrier{Vendor: "google", Kind: "signature", Data: "sig", CallID: "call_1"}.Wrap()
	for name, tc := range map[string]struct {
		in, want Reasoning
		usable   bool
	}{
		"native state stays":        {Reasoning{Signature: "s", Format: "anthropic-claude-v1"}, Reasoning{Signature: "s", Format: "anthropic-claude-v1"}, true},
		"wrapped signature":         {Reasoning{Text: "t", Signature: google, Format: "x"}, Reasoning{Text: "t", Signature: "sig", Format: "google-gemini-v1", ID: "call_1"}, true},
		"wrapped in the other slot": {Reasoning{Encrypted: google}, Reasoning{Signature: "sig", Format: "google-gemini-v1", ID: "call_1"}, true},
		"not base64":                {in: Reasoning{Signature: "aip1.***"}},
		"not JSON":                  {in: Reasoning{Signature: "aip1.AAAA"}},
		"unknown vendor":            {in: Reasoning{Signature: Carrier{Vendor: "acme", Kind: "signature", Data: "x"}.Wrap()}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := tc.in
			if usable := r.Unwrap(); usable != tc.usable || usable && r != tc.want {
				t.Errorf("got %+v (%v), want %+v (%v)", r, usable, tc.want, tc.usable)
			}
		})
	}
}

func FuzzUnwrap(f *testing.F) {
	f.Add("aip1.")
	f.Add(Carrier{Vendor: "google", Kind: "signature", Data: "x"}.Wrap())
	f.Fuzz(func(t *testing.T, slot string) {
		if c, ok := Unwrap(slot); ok {
			if again, ok := Unwrap(c.Wrap()); !ok || again != c {
				t.Errorf("%q: %+v does not survive", slot, c)
			}
		}
	})
}
