package providers

import (
	"bytes"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/go-json-experiment/json"
)

// profilesJSON is the table of providers. A row begins on a line of its own with its
// name, which is what [scanNames] relies on. Facts are those of the
// providers' own documentation and SDKs; where these leave open whether a parameter is
// refused, the row leaves it out or says what every server of the kind takes.
//
//go:embed profiles.json
var profilesJSON []byte

// table is the parsed profilesJSON.
type table struct {
	rows []*Profile
	// byName has the rows under their names and other names.
	byName map[string]*Profile
	// aliases has the rows under the names of models that they alone give.
	aliases map[string]*Profile
}

// profiles returns the table, which is parsed once, when it is needed first. Nobody
// may change it.
var profiles = sync.OnceValue(func() *table {
	t, err := parseProfiles(profilesJSON)
	if err != nil {
		panic(err) // the embedded file is wrong, which a test finds
	}
	return t
})

func parseProfiles(data []byte) (*table, error) {
	var file struct {
		Providers []*Profile `json:"providers"`
	}
	if err := json.Unmarshal(data, &file, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("profiles.json: %w", err)
	}
	t := &table{rows: file.Providers, byName: map[string]*Profile{}, aliases: map[string]*Profile{}}
	for _, p := range t.rows {
		p.Type = p.Name
		for _, name := range p.names() {
			if t.byName[name] != nil {
				return nil, fmt.Errorf("profiles.json: the name %q is given twice", name)
			}
			t.byName[name] = p
		}
		for alias := range p.Aliases {
			if t.aliases[alias] != nil {
				return nil, fmt.Errorf("profiles.json: the alias %q is given twice", alias)
			}
			t.aliases[alias] = p
		}
	}
	return t, nil
}

func (p *Profile) names() []string { return append([]string{p.Name}, p.Also...) }

// All returns the rows of the table, in its order. They must not be changed.
func All() []*Profile { return profiles().rows }

// RowNames returns the names by which configurations can call for a row, other names
// included, sorted.
func RowNames() []string { return slices.Sorted(maps.Keys(profiles().byName)) }

// scanNames calls yield with the name of each row, without parsing the table: modules
// are registered whenever the program starts, even if it only prints its version.
func scanNames(yield func(name []byte)) {
	const start = "\n  {\"name\": \""
	data := profilesJSON
	for {
		at := bytes.Index(data, []byte(start))
		if at < 0 {
			return
		}
		data = data[at+len(start):]
		name, rest, _ := bytes.Cut(data, []byte{'"'})
		yield(name)
		data = rest
	}
}
