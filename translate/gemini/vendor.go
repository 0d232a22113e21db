package gemini

import (
	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// vendorFields are what a candidate says that OpenAI has no place for. They are
// reported once, at the end.
type vendorFields struct {
	parts   []byte // of server tools: raw parts, comma-separated
	safety  []byte // safetyRatings
	message []byte // finishMessage
}

// keepServerPart keeps a part that stems from a tool on the provider's servers. It is
// neither a call of the client's tools nor text.
func (d *Decoder) keepServerPart(c *choice, raw []byte) {
	c.served = true
	if !d.ExposeRaw {
		return
	}
	if d.kept += len(raw) + 1; d.kept > maxKept {
		d.kept = maxKept
		return
	}
	if len(c.vendor.parts) > 0 {
		c.vendor.parts = append(c.vendor.parts, ',')
	}
	c.vendor.parts = append(c.vendor.parts, raw...)
}

// maxVendorField bounds what one candidate says about itself.
const maxVendorField = 64 << 10

// keepVendor keeps the latest of what a candidate says about itself.
func (d *Decoder) keepVendor(c *choice, v *vendorFields) {
	if !d.ExposeRaw {
		return
	}
	if !jsonscan.IsNull(v.safety) && len(v.safety) <= maxVendorField {
		c.vendor.safety = append(c.vendor.safety[:0], v.safety...)
	}
	if jsonscan.IsString(v.message) && len(v.message) <= maxVendorField {
		c.vendor.message = append(c.vendor.message[:0], v.message...)
	}
}

// vendorFields reports a choice's vendor fields, under the provider's own names. They
// ride on the text if it is still open, so that no block is opened for them.
func (d *Decoder) vendorFields(c *choice, out translate.Sink) {
	if !d.ExposeRaw {
		return
	}
	v := &c.vendor
	d.buf = append(d.buf[:0], '{')
	if len(v.parts) > 0 {
		d.buf = append(append(append(appendName(d.buf, "parts"), '['), v.parts...), ']')
	}
	if len(v.safety) > 0 {
		d.buf = append(appendName(d.buf, "safetyRatings"), v.safety...)
	}
	if native := c.reason.native; native != "" && native != "STOP" {
		d.buf = jsonscan.Quote(appendName(d.buf, "finishReason"), native)
		if len(v.message) > 0 {
			d.buf = append(appendName(d.buf, "finishMessage"), v.message...)
		}
	}
	if c.index == 0 && len(d.feedback) > 0 {
		d.buf = append(appendName(d.buf, "promptFeedback"), d.feedback...)
	}
	if len(d.buf) == 1 {
		return
	}
	d.buf = append(d.buf, '}')
	if c.kind == 0 {
		d.open(c, translate.BlockMedia, out)
	}
	d.ev = translate.Event{Kind: translate.EventBlockMeta, Choice: c.index, Index: c.block, Block: c.kind, Meta: translate.MetaVendor, Raw: d.buf}
	d.emit(out)
}
