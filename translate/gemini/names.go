package gemini

import (
	"hash/fnv"
	"strconv"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// wireName returns the name under which the provider knows a tool. A legal name stays
// as it is; others are rewritten and remembered, so that the answer has the old name.
func (e *encoder) wireName(name string) string {
	if name == "" {
		return "function" // a call in the history that lost its name
	}
	if wire, ok := e.wire[name]; ok {
		return wire
	}
	if e.wire == nil {
		e.wire, e.taken = make(map[string]string), make(map[string]bool)
		// Legal names of declared tools come first: they must not be taken by a
		// rewritten one.
		for i := range e.req.Tools {
			if t := &e.req.Tools[i]; t.Kind != translate.ToolRaw && legalName(t.Name, e.nameLimit()) {
				e.wire[t.Name], e.taken[t.Name] = t.Name, true
			}
		}
		if wire, ok := e.wire[name]; ok {
			return wire
		}
	}
	wire := rewriteName(name, e.nameLimit())
	for n := 0; e.taken[wire]; n++ {
		wire = suffixName(wire, name, n, e.nameLimit())
	}
	e.wire[name], e.taken[wire] = wire, true
	if wire != name {
		if e.out.Names == nil {
			e.out.Names = make(map[string]string)
		}
		e.out.Names[wire] = name
	}
	return wire
}

func (e *encoder) nameLimit() int {
	if e.caps.LongNames {
		return 128
	}
	return 64
}

func legalName(name string, limit int) bool {
	if name == "" || len(name) > limit || !letter(name[0]) && name[0] != '_' {
		return false
	}
	for i := range len(name) {
		if !legalByte(name[i]) {
			return false
		}
	}
	return true
}

func letter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func legalByte(c byte) bool {
	return letter(c) || '0' <= c && c <= '9' || c == '_' || c == '.' || c == ':' || c == '-'
}

// rewriteName makes a legal name of any text.
func rewriteName(name string, limit int) string {
	if legalName(name, limit) {
		return name
	}
	out := make([]byte, 0, min(len(name), limit)+1)
	for _, r := range name {
		switch {
		case len(out) == 0 && (r >= 0x80 || !letter(byte(r))):
			out = append(out, '_')
			if r >= 0x80 || !legalByte(byte(r)) || r == '_' {
				continue
			}
			out = append(out, byte(r))
		case r < 0x80 && legalByte(byte(r)):
			out = append(out, byte(r))
		default:
			out = append(out, '_')
		}
		if len(out) >= limit {
			return suffixName(string(out), name, 0, limit)
		}
	}
	if len(out) == 0 {
		return "_"
	}
	return string(out)
}

// suffixName makes a name differ from others by a hash of what it stands for.
func suffixName(wire, name string, n, limit int) string {
	h := fnv.New32a()
	h.Write([]byte(name))
	h.Write([]byte{byte(n), byte(n >> 8)})
	suffix := "_" + strconv.FormatUint(uint64(h.Sum32())|1<<32, 16)[1:]
	return wire[:min(len(wire), limit-len(suffix))] + suffix
}
