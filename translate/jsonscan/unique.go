package jsonscan

import "strconv"

// searchable is how many names of one object are compared one by one; more are kept in
// a map.
const searchable = 32

// Unique checks that no object in the text, at any depth, names a member twice. The
// text must be valid ([Valid] or [Object] said so). The error is a *DuplicateError with
// the path of the object.
func Unique(text []byte) error {
	u := uniqueness{}
	u.names, u.open = u.namesBuf[:0], u.openBuf[:0]
	for i := 0; i < len(text); {
		switch text[i] {
		case '"':
			end, escaped := stringEnd(text, i)
			if end < i+2 {
				return nil
			}
			if u.naming {
				name := text[i+1 : end-1]
				if escaped {
					name = Unquote(nil, text[i:end])
				}
				if !u.add(name) {
					return &DuplicateError{Name: string(name), Path: u.path()}
				}
			}
			i = end
			continue
		case '{', '[':
			u.naming = text[i] == '{'
			u.open = append(u.open, openContainer{first: len(u.names), object: u.naming})
		case '}', ']':
			if len(u.open) == 0 {
				return nil
			}
			u.names = u.names[:u.open[len(u.open)-1].first]
			u.open = u.open[:len(u.open)-1]
			u.naming = false
		case ',':
			if len(u.open) == 0 {
				return nil
			}
			c := &u.open[len(u.open)-1]
			u.naming = c.object
			c.index++
		}
		i++
	}
	return nil
}

// uniqueness holds the names of all open objects, those of the innermost one last.
type uniqueness struct {
	names    [][]byte
	open     []openContainer
	naming   bool // the next string is a member name
	namesBuf [96][]byte
	openBuf  [32]openContainer
}

type openContainer struct {
	first  int // its first name in names
	object bool
	index  int                 // of the current element or member
	name   []byte              // of the current member
	seen   map[string]struct{} // the names, if they are many
}

// add notes a name of the innermost object and reports whether it is new.
func (u *uniqueness) add(name []byte) bool {
	u.naming = false
	c := &u.open[len(u.open)-1]
	names := u.names[c.first:]
	if len(names) < searchable {
		for _, n := range names {
			if len(n) == len(name) && string(n) == string(name) {
				return false
			}
		}
		u.names = append(u.names, name)
		c.name = name
		return true
	}
	if c.seen == nil {
		c.seen = make(map[string]struct{}, 2*searchable)
		for _, n := range names {
			c.seen[string(n)] = struct{}{}
		}
	}
	if _, ok := c.seen[string(name)]; ok {
		return false
	}
	c.seen[string(name)] = struct{}{}
	c.name = name
	return true
}

// path returns the JSON path of the innermost open container.
func (u *uniqueness) path() string {
	var out []byte
	for i := range u.open[:len(u.open)-1] {
		switch c := &u.open[i]; {
		case !c.object:
			out = append(strconv.AppendInt(append(out, '['), int64(c.index), 10), ']')
		case len(out) > 0:
			out = append(append(out, '.'), c.name...)
		default:
			out = append(out, c.name...)
		}
	}
	return string(out)
}
