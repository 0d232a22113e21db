package openai

import (
	"cmp"
	"slices"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// anthropicFormat names Anthropic's reasoning state in reasoning_details.
const anthropicFormat = "anthropic-claude-v1"

// reasoning reads the reasoning of an earlier turn: reasoning_details, or else
// LiteLLM's thinking_blocks, or else the bare text. The bare text is also taken where
// the others hold nothing but opaque state; beside a signature it is not, because it is
// not what was signed.
func (d *requestDecoder) reasoning(p *place, m *rawMessage) []translate.Part {
	at := p.at("reasoning_content")
	text := d.optional(&at, m.reasoningContent)
	if text == "" {
		at = p.at("reasoning")
		text = jsonscan.String(m.reasoning)
	}
	parts := d.details(p, m.reasoningDetails)
	if len(parts) == 0 {
		parts = d.thinkingBlocks(p, m.thinking)
	}
	if text == "" || slices.ContainsFunc(parts, func(p translate.Part) bool { return p.Reasoning.Text != "" || p.Reasoning.Signature != "" }) {
		return parts
	}
	return slices.Insert(parts, 0, translate.Part{Kind: translate.PartReasoning, Reasoning: &translate.Reasoning{Text: text}, Path: at.String()})
}

// details reads reasoning_details. Entries that a client kept as they came in a stream,
// several for one index, become one again.
func (d *requestDecoder) details(p *place, raw []byte) (parts []translate.Part) {
	if jsonscan.IsNull(raw) {
		return nil
	}
	at := p.at("reasoning_details")
	if !isArray(raw) {
		d.wrongType(&at, "an array of objects", raw)
		return nil
	}
	ordered := true
	w := jsonscan.Walk(raw)
	for i := 0; w.Next() && d.err == nil; i++ {
		one := at.elem(i)
		if !d.object(&one, w.Value) {
			return nil
		}
		r, known, indexed := d.detail(&one, w.Value)
		if !known {
			continue
		}
		if n := len(parts) - 1; n >= 0 && indexed && continues(parts[n].Reasoning, r) {
			last := parts[n].Reasoning
			last.Text += r.Text
			last.Signature = r.Signature
			last.Format = cmp.Or(last.Format, r.Format)
			last.ID = cmp.Or(last.ID, r.ID)
			continue
		}
		ordered = ordered && indexed
		parts = append(parts, translate.Part{Kind: translate.PartReasoning, Reasoning: r, Path: one.String()})
	}
	if ordered {
		slices.SortStableFunc(parts, func(a, b translate.Part) int { return cmp.Compare(a.Reasoning.Index, b.Reasoning.Index) })
	}
	return parts
}

// continues reports whether an entry is the next piece of the one before it.
func continues(last, r *translate.Reasoning) bool {
	return last.Index == r.Index && last.Encrypted == "" && r.Encrypted == "" && last.Signature == "" &&
		(r.ID == "" || last.ID == "" || r.ID == last.ID) && (r.Format == "" || last.Format == "" || r.Format == last.Format)
}

// detail reads one entry; known is false for a type that says nothing here, and for
// wrapped state that cannot be read.
func (d *requestDecoder) detail(p *place, raw []byte) (r *translate.Reasoning, known, indexed bool) {
	r = new(translate.Reasoning)
	var kind string
	for w := jsonscan.Walk(raw); w.Next(); {
		at := p.at(string(w.Name))
		switch at.name {
		case "type":
			kind = d.optional(&at, w.Value)
		case "text", "summary":
			r.Text += d.optional(&at, w.Value)
		case "signature":
			r.Signature = d.optional(&at, w.Value)
		case "data":
			r.Encrypted = d.optional(&at, w.Value)
		case "format":
			r.Format = d.optional(&at, w.Value)
		case "id":
			r.ID = d.optional(&at, w.Value)
		case "index":
			if n := d.integer(&at, w.Value, 0, 1<<31-1); n != nil {
				r.Index, indexed = int(*n), true
			}
		}
	}
	switch kind {
	case "reasoning.text", "reasoning.summary", "reasoning.encrypted":
		return r, r.Unwrap(), indexed
	}
	return nil, false, false
}

// thinkingBlocks reads LiteLLM's thinking_blocks, which have Anthropic's form whoever
// made them; only redacted ones are surely Anthropic's.
func (d *requestDecoder) thinkingBlocks(p *place, raw []byte) (parts []translate.Part) {
	if jsonscan.IsNull(raw) {
		return nil
	}
	at := p.at("thinking_blocks")
	if !isArray(raw) {
		d.wrongType(&at, "an array of objects", raw)
		return nil
	}
	w := jsonscan.Walk(raw)
	for i := 0; w.Next() && d.err == nil; i++ {
		one := at.elem(i)
		if !d.object(&one, w.Value) {
			return nil
		}
		r := &translate.Reasoning{Index: i}
		var kind string
		for in := jsonscan.Walk(w.Value); in.Next(); {
			member := one.at(string(in.Name))
			switch member.name {
			case "type":
				kind = d.optional(&member, in.Value)
			case "thinking":
				r.Text = d.optional(&member, in.Value)
			case "signature":
				r.Signature = d.optional(&member, in.Value)
			case "data":
				r.Encrypted = d.optional(&member, in.Value)
			}
		}
		switch kind {
		case "redacted_thinking":
			r.Format = anthropicFormat
		case "thinking":
			r.Encrypted = ""
		default:
			continue
		}
		if !r.Unwrap() {
			continue
		}
		parts = append(parts, translate.Part{Kind: translate.PartReasoning, Reasoning: r, Path: one.String()})
	}
	return parts
}
