package gemini

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
)

// capabilities are what one family of models can do; a row of models.json.
type capabilities struct {
	Match []string `json:"match"`
	// NoSystem: there is no systemInstruction.
	NoSystem bool `json:"no_system"`
	// NoJSON: responseMimeType application/json is refused.
	NoJSON bool `json:"no_json"`
	// NoPenalties: "Penalty is not enabled for this model".
	NoPenalties bool `json:"no_penalties"`
	// LongNames: function names may have 128 characters instead of 64.
	LongNames bool `json:"long_names"`
	// JSONSchema: parametersJsonSchema and responseJsonSchema are taken; other
	// models only know the OpenAPI subset.
	JSONSchema bool `json:"json_schema"`
	// JSONWithTools: JSON mode and tools may be used in one request.
	JSONWithTools bool `json:"json_with_tools"`
	// SearchWithTools: server tools and functions may be used in one request.
	SearchWithTools bool `json:"search_with_tools"`
	// Validated: function calling knows the mode VALIDATED.
	Validated bool `json:"validated"`
	// Signatures: the first call of a step must carry a thought signature.
	Signatures bool `json:"signatures"`
	// CarriesSignatures: signatures are taken and not demanded.
	CarriesSignatures bool `json:"carries_signatures"`
	// ResultImages: functionResponse may have media parts.
	ResultImages bool `json:"result_images"`
	// MediaResolution: parts may say how closely an image is looked at.
	MediaResolution bool `json:"media_resolution"`
	// Levels and Budgets say what reasoning_effort becomes; a model has one of them,
	// or none if it cannot think.
	Levels  map[string]string `json:"levels"`
	Budgets map[string]int64  `json:"budgets"`
}

// thinks reports whether the model takes a thinkingConfig.
func (c *capabilities) thinks() bool { return len(c.Levels) > 0 || len(c.Budgets) > 0 }

//go:embed models.json
var modelsJSON []byte

var models = sync.OnceValue(func() []capabilities {
	var file struct {
		About  string         `json:"about"`
		Models []capabilities `json:"models"`
	}
	if err := json.Unmarshal(modelsJSON, &file); err != nil {
		panic("translate/gemini: models.json: " + err.Error())
	}
	return file.Models
})

// lookup returns what the model can do. The last row matches every name, so that a
// model nobody has heard of is taken for one of the newest.
func lookup(model string) *capabilities {
	name := strings.ToLower(bareModel(model))
	rows := models()
	for i := range rows {
		for _, pattern := range rows[i].Match {
			if match(pattern, name) {
				return &rows[i]
			}
		}
	}
	return &rows[len(rows)-1]
}

// bareModel strips the resource prefixes that people copy along with a model's name.
func bareModel(model string) string {
	if i := strings.LastIndex(model, "/models/"); i >= 0 {
		return model[i+len("/models/"):]
	}
	model = strings.TrimPrefix(model, "models/")
	return strings.TrimPrefix(model, "google/")
}

// match reports whether the name fits the pattern, in which "*" stands for any text.
func match(pattern, name string) bool {
	head, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == name
	}
	if !strings.HasPrefix(name, head) {
		return false
	}
	name = name[len(head):]
	for {
		var piece string
		piece, rest, wild = strings.Cut(rest, "*")
		if !wild {
			return strings.HasSuffix(name, piece)
		}
		i := strings.Index(name, piece)
		if i < 0 {
			return false
		}
		name = name[i+len(piece):]
	}
}
