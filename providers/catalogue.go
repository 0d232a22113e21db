package providers

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"slices"
	"sort"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// modelsJSON are public facts of models, condensed on 2026-07-02 from the data set
// models.dev (https://github.com/anomalyco/models.dev, MIT licence).
//
//go:embed models.json
var modelsJSON []byte

// Model are public facts of a model at one provider, as they were when the catalogue
// was made. A zero number is one that is not known.
type Model struct {
	// Context is how many tokens prompt and answer may have together.
	Context int `json:"context,omitzero"`
	// MaxOutput is how many tokens an answer may have.
	MaxOutput int `json:"max_output,omitzero"`
	// Price is nil if it is not known.
	Price *Price `json:"usd_per_mtok,omitzero"`
	// Tiers are the prices of long prompts, by rising AboveContext.
	Tiers []Tier `json:"usd_tiers,omitzero"`
	// Reasoning says that the model reasons, or can.
	Reasoning bool `json:"reasoning,omitzero"`
	// ToolCall says that it can call tools.
	ToolCall bool `json:"tool_call,omitzero"`
	// StructuredOutput says that it can keep to a JSON schema.
	StructuredOutput bool `json:"structured_output,omitzero"`
	// Temperature says that it takes a temperature.
	Temperature bool `json:"temperature,omitzero"`
	// Modalities are what it reads and what it makes.
	Modalities Modalities `json:"modalities,omitzero"`
	// Released is the day on which it came out, as YYYY-MM-DD; "" if unknown.
	Released string `json:"released,omitzero"`
	// Status is "", "beta" or "deprecated".
	Status string `json:"status,omitzero"`
}

// Price are US dollars per million tokens of each kind.
type Price struct {
	Input      float64 `json:"input,omitzero"`
	Output     float64 `json:"output,omitzero"`
	CacheRead  float64 `json:"cache_read,omitzero"`
	CacheWrite float64 `json:"cache_write,omitzero"`
	// Reasoning is the price of reasoning tokens where it differs from Output.
	Reasoning float64 `json:"reasoning,omitzero"`
}

// Tier are the prices that hold for all tokens of a request whose prompt has more than
// AboveContext tokens.
type Tier struct {
	AboveContext int `json:"above_context"`
	Price
}

// Modalities are lists of text, image, audio, video and pdf.
type Modalities struct {
	Input  []string `json:"input,omitzero"`
	Output []string `json:"output,omitzero"`
}

// Lookup returns what the catalogue says about a model, under the name that the
// provider itself uses. The provider is the name of a row of the table, [Profile.Type]
// of one that is configured. A dated name that is missing, such as
// "gpt-5-2025-08-07", is looked up without its date.
func Lookup(provider, model string) (Model, bool) {
	p, ok := ByName(provider)
	if !ok {
		return Model{}, false
	}
	entry, ok := catalogue().find(p.section(), model)
	if !ok {
		if entry, ok = catalogue().find(p.section(), undated(model)); !ok {
			return Model{}, false
		}
	}
	var m Model
	if err := json.Unmarshal(entry.value, &m); err != nil {
		return Model{}, false // not reached: a test decodes every entry
	}
	return m, true
}

// Names returns the names of the provider's models in the catalogue, sorted.
func Names(provider string) []string {
	p, ok := ByName(provider)
	if !ok {
		return nil
	}
	entries := catalogue()[p.section()]
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = string(e.name)
	}
	return names
}

// hasCatalogue reports whether the catalogue has a section for p.
func hasCatalogue(p *Profile) bool { return catalogue()[p.section()] != nil }

// inCatalogue reports whether the catalogue has the model in p's section.
func inCatalogue(p *Profile, model string) bool {
	_, ok := catalogue().find(p.section(), model)
	return ok
}

func (p *Profile) section() string { return cmp.Or(p.Catalogue, p.Type) }

// sections are the models by section, sorted by name. A value is decoded when somebody
// asks for it: few of the models are ever asked for.
type sections map[string][]catalogueEntry

type catalogueEntry struct{ name, value []byte }

func (s sections) find(section, model string) (catalogueEntry, bool) {
	entries := s[section]
	i, ok := sort.Find(len(entries), func(i int) int { return cmp.Compare(model, string(entries[i].name)) })
	if !ok {
		return catalogueEntry{}, false
	}
	return entries[i], true
}

// catalogue returns the index of modelsJSON, which is made once, when it is needed
// first.
var catalogue = sync.OnceValue(func() sections {
	s, err := indexCatalogue(modelsJSON)
	if err != nil {
		panic(err) // the embedded file is wrong, which a test finds
	}
	return s
})

// indexCatalogue notes where each model is. Members of the top level that are not
// objects are remarks.
func indexCatalogue(data []byte) (sections, error) {
	s := sections{}
	// Looking for names that are given twice would cost more than all the rest.
	dec := jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowDuplicateNames(true))
	if _, err := dec.ReadToken(); err != nil {
		return nil, fmt.Errorf("models.json: %w", err)
	}
	for dec.PeekKind() == '"' {
		tok, err := dec.ReadToken()
		if err != nil {
			return nil, fmt.Errorf("models.json: %w", err)
		}
		section := tok.String()
		if dec.PeekKind() != '{' {
			if err := dec.SkipValue(); err != nil {
				return nil, fmt.Errorf("models.json: %w", err)
			}
			continue
		}
		entries, err := indexSection(dec, data)
		if err != nil {
			return nil, fmt.Errorf("models.json: %s: %w", section, err)
		}
		s[section] = entries
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, fmt.Errorf("models.json: %w", err)
	}
	return s, nil
}

// indexSection reads an object of models. Names and values are pieces of data.
func indexSection(dec *jsontext.Decoder, data []byte) ([]catalogueEntry, error) {
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	entries := make([]catalogueEntry, 0, 64)
	for dec.PeekKind() == '"' {
		name, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		end := dec.InputOffset()
		entry := catalogueEntry{name: data[end-int64(len(name))+1 : end-1]}
		value, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		end = dec.InputOffset()
		entry.value = data[end-int64(len(value)) : end]
		entries = append(entries, entry)
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b catalogueEntry) int { return bytes.Compare(a.name, b.name) })
	return entries, nil
}

// undated cuts "-YYYY-MM-DD" or "-YYYYMMDD" off the end of a model's name.
func undated(model string) string {
	for _, form := range []string{"-dddd-dd-dd", "-dddddddd"} {
		if at := len(model) - len(form); at > 0 && fits(model[at:], form) {
			return model[:at]
		}
	}
	return model
}

// fits reports whether text has a digit wherever form has a "d", and is equal to it
// elsewhere.
func fits(text, form string) bool {
	for i := range len(form) {
		if form[i] == 'd' {
			if text[i] < '0' || text[i] > '9' {
				return false
			}
		} else if text[i] != form[i] {
			return false
		}
	}
	return true
}
