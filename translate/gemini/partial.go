package gemini

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// Bounds of arguments that come in pieces.
const (
	maxNodes     = 1 << 14
	maxPathSteps = 64
	maxElements  = 4096
)

// partialCall is a call whose arguments come as single values, each with the path of
// its place (genai v1.77.0, PartialArg). Vertex AI sends this to those who ask for it;
// requests made here never do.
type partialCall struct {
	call      translate.Call
	signature []byte
	root      argNode
	nodes     int
}

// argNode is a value that grows: a scalar, or an object or array of nodes.
type argNode struct {
	key   string // of a member, unescaped
	kind  byte   // '{', '[', '"' for a string, 'v' for another scalar, 0 for none yet
	value []byte // raw; of a string its escaped inside
	kids  []*argNode
}

// partialCall takes one piece. The call is emitted once it is complete, because its
// parts need not come in the order of the JSON they make up.
func (d *Decoder) partialCall(c *choice, call translate.Call, signature, args []byte, more bool, out translate.Sink) {
	if c.partial != nil && call.Name != "" {
		d.endPartial(c, out)
	}
	if c.partial == nil {
		if call.Name == "" {
			return
		}
		c.partial = &partialCall{call: call}
		c.partial.root.kind = '{'
	}
	p := c.partial
	if len(signature) > 0 && p.signature == nil {
		p.signature, _ = d.keep(signature)
	}
	pieces := jsonscan.Walk(args)
	for pieces.Next() {
		if d.kept += len(pieces.Value); d.kept > maxKept {
			d.kept = maxKept
			break
		}
		p.add(pieces.Value)
	}
	if !more {
		d.endPartial(c, out)
	}
}

// endPartial emits the call under construction.
func (d *Decoder) endPartial(c *choice, out translate.Sink) {
	p := c.partial
	if p == nil {
		return
	}
	c.partial = nil
	d.call(c, p.call, p.signature, p.root.append(nil), out)
}

// add takes one PartialArg.
func (p *partialCall) add(raw []byte) {
	var path string
	var value []byte
	kind := byte('v')
	members := jsonscan.Walk(raw)
	for members.Next() {
		switch string(members.Name) {
		case "jsonPath":
			path = jsonscan.String(members.Value)
		case "stringValue":
			kind, value = '"', jsonscan.Inner(members.Value)
		case "numberValue", "boolValue":
			value = members.Value
		case "nullValue":
			value = []byte("null")
		}
	}
	at := p.find(path)
	switch {
	case at == nil || at.kind == '{' || at.kind == '[':
	case at.kind == '"' && kind == '"':
		at.value = append(at.value, value...)
	case value != nil || kind == '"':
		at.kind, at.value = kind, bytes.Clone(value)
	}
}

// find returns the node at a path such as $.a[0].b or $['a'], and makes it if it is
// new; nil for a path that makes no sense.
func (p *partialCall) find(path string) *argNode {
	rest, ok := strings.CutPrefix(path, "$")
	if !ok || rest == "" {
		return nil
	}
	at := &p.root
	for steps := 0; rest != ""; steps++ {
		if steps >= maxPathSteps {
			return nil
		}
		var key string
		var index int
		if key, index, rest, ok = pathStep(rest); !ok {
			return nil
		}
		if index >= 0 {
			at = p.element(at, index)
		} else {
			at = p.member(at, key)
		}
		if at == nil {
			return nil
		}
	}
	return at
}

// pathStep cuts the first step off a path; index is -1 for the name of a member.
func pathStep(path string) (key string, index int, rest string, ok bool) {
	switch {
	case path[0] == '.':
		end := strings.IndexAny(path[1:], ".[") + 1
		if end == 0 {
			end = len(path)
		}
		return path[1:end], -1, path[end:], end > 1
	case strings.HasPrefix(path, "['"), strings.HasPrefix(path, `["`):
		end := strings.Index(path[2:], path[1:2]+"]")
		if end < 0 {
			return "", -1, "", false
		}
		return path[2 : 2+end], -1, path[2+end+2:], true
	case path[0] == '[':
		end := strings.IndexByte(path, ']')
		if end < 0 {
			return "", -1, "", false
		}
		n, err := strconv.Atoi(path[1:end])
		return "", n, path[end+1:], err == nil && n >= 0 && n < maxElements
	}
	return "", -1, "", false
}

func (p *partialCall) member(at *argNode, key string) *argNode {
	if at.kind == 0 {
		at.kind = '{'
	}
	if at.kind != '{' {
		return nil
	}
	if i := slices.IndexFunc(at.kids, func(n *argNode) bool { return n.key == key }); i >= 0 {
		return at.kids[i]
	}
	return p.grow(at, key)
}

func (p *partialCall) element(at *argNode, index int) *argNode {
	if at.kind == 0 {
		at.kind = '['
	}
	if at.kind != '[' {
		return nil
	}
	for len(at.kids) <= index {
		if p.grow(at, "") == nil {
			return nil
		}
	}
	return at.kids[index]
}

func (p *partialCall) grow(at *argNode, key string) *argNode {
	if p.nodes++; p.nodes > maxNodes {
		return nil
	}
	n := &argNode{key: key}
	at.kids = append(at.kids, n)
	return n
}

// append appends the node as JSON.
func (n *argNode) append(dst []byte) []byte {
	switch n.kind {
	case '"':
		return append(append(append(dst, '"'), n.value...), '"')
	case 'v':
		return append(dst, n.value...)
	case 0:
		return append(dst, "null"...)
	}
	dst = append(dst, n.kind)
	for i, kid := range n.kids {
		if i > 0 {
			dst = append(dst, ',')
		}
		if n.kind == '{' {
			dst = append(jsonscan.Quote(dst, kid.key), ':')
		}
		dst = kid.append(dst)
	}
	return append(dst, n.kind+2)
}
