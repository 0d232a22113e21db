package anthropic

import "strconv"

// sampling is what is sent of the sampling parameters.
type sampling struct {
	temperature, topP *float64
	topK              *int64
}

func (s *sampling) any() bool { return s.temperature != nil || s.topP != nil || s.topK != nil }

// decideSampling sends what model, version and thinking allow: temperature within its
// range, never together with top_p, and with thinking only a top_p near 1.
func (e *encoder) decideSampling() {
	p := &e.req.Params
	topK := p.TopK
	if topK == nil {
		topK = e.topK
	}
	if topK != nil && *topK < 1 {
		topK = nil // other servers' word for no limit
	}
	if !e.row.Sampling || isCurrent(e.opt.Version) {
		// A temperature or top_p of 1 is what the model does anyway.
		if p.Temperature != nil && *p.Temperature != 1 {
			e.drop("temperature")
		}
		if p.TopP != nil && *p.TopP != 1 {
			e.drop("top_p")
		}
		if topK != nil {
			e.drop("top_k")
		}
		return
	}
	if e.thinking.active() {
		if p.Temperature != nil && *p.Temperature != 1 {
			e.drop("temperature")
		}
		if topK != nil {
			e.drop("top_k")
		}
		if p.TopP != nil && *p.TopP < 0.95 {
			e.drop("top_p")
		} else if p.TopP != nil {
			e.sampling.topP = clamp(*p.TopP)
		}
		return
	}
	e.sampling.topK = topK
	if p.Temperature != nil {
		e.sampling.temperature = clamp(*p.Temperature)
		if p.TopP != nil && *p.TopP != 1 {
			e.drop("top_p")
		}
	} else if p.TopP != nil {
		e.sampling.topP = clamp(*p.TopP)
	}
}

// isCurrent reports whether a pinned version refuses sampling parameters. Versions of
// clouds, such as "vertex-2023-10-16", start with a letter and do not.
func isCurrent(version string) bool { return version >= versionCurrent && version < ":" }

func clamp(f float64) *float64 {
	f = min(max(f, 0), 1)
	return &f
}

func (e *encoder) appendSampling(dst []byte) []byte {
	if s := &e.sampling; s.temperature != nil {
		dst = strconv.AppendFloat(member(dst, "temperature"), *s.temperature, 'g', -1, 64)
	}
	if s := &e.sampling; s.topP != nil {
		dst = strconv.AppendFloat(member(dst, "top_p"), *s.topP, 'g', -1, 64)
	}
	if s := &e.sampling; s.topK != nil {
		dst = intMember(dst, "top_k", *s.topK)
	}
	return dst
}
