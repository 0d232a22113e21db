package anthropic

import "strconv"

// maxToolName is the longest name of a tool.
const maxToolName = 128

// namer gives tools names that the API takes, and remembers which it had to change.
// The same requests get the same names, in whatever order the maps are kept.
type namer struct {
	sent map[string]string // by the client's name
	used map[string]bool
	diff map[string]string // the client's names by those sent, where they differ
}

// reserve keeps a name from being given to one of the client's tools.
func (n *namer) reserve(name string) {
	if n.used == nil {
		n.sent, n.used = make(map[string]string), make(map[string]bool)
	}
	if name != "" {
		n.used[name] = true
	}
}

// of returns the name that the client's tool is sent with.
func (n *namer) of(name string) string {
	if sent, ok := n.sent[name]; ok {
		return sent
	}
	sent := n.fresh(name)
	n.sent[name] = sent
	if sent != name {
		if n.diff == nil {
			n.diff = make(map[string]string)
		}
		n.diff[sent] = name
	}
	return sent
}

// fresh returns a legal name like the one given that is not in use, and puts it in use.
func (n *namer) fresh(name string) string {
	n.reserve("")
	clean := replaceIllegal(name)
	if clean == "" {
		clean = "tool"
	}
	clean = clean[:min(len(clean), maxToolName)]
	out := clean
	for i := 0; n.used[out]; i++ {
		key := name
		if i > 0 {
			key += " " + strconv.Itoa(i)
		}
		out = clean[:min(len(clean), maxToolName-9)] + "_" + shortHash(key)
	}
	n.used[out] = true
	return out
}

// changed returns the client's names by those sent, where they differ; nil if all are
// the same.
func (n *namer) changed() map[string]string { return n.diff }
