package providers

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/cespare/xxhash/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// Bounds of what a mock embeds.
const (
	mockDimensions    = 1536 // those of OpenAI's text-embedding-3-small
	maxMockDimensions = 4096
	maxMockInputs     = 2048
)

// embeddings answers with vectors of length 1 that depend on the input alone: equal
// input has equal vectors.
func (m *Mock) embeddings(r *mockRequest, _ string, _ int64) (*mockReply, *translate.Error) {
	inputs, failure := r.inputs()
	if failure != nil {
		return nil, failure
	}
	size := int64(mockDimensions)
	if r.Dimensions != nil {
		size = *r.Dimensions
	}
	if size < 1 || size > maxMockDimensions {
		return nil, translate.BadRequest("invalid_value", "dimensions", "'dimensions' must be from 1 to 4096.")
	}
	var tokens int64
	b := []byte(`{"object":"list","data":[`)
	for i, input := range inputs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"object":"embedding","index":`...)
		b = strconv.AppendInt(b, int64(i), 10)
		b = append(b, `,"embedding":`...)
		b = appendVector(b, vector(input, int(size)), r.EncodingFormat == "base64")
		b = append(b, '}')
		tokens += countTokens(string(input))
	}
	if m.Usage != nil {
		tokens = m.Usage.PromptTokens
	}
	b = append(b, `],"model":`...)
	b = quote(b, r.Model)
	b = append(b, `,"usage":{"prompt_tokens":`...)
	b = strconv.AppendInt(b, tokens, 10)
	b = append(b, `,"total_tokens":`...)
	b = strconv.AppendInt(b, tokens, 10)
	return jsonReply(append(b, "}}"...), 0), nil
}

// inputs returns the texts, or lists of tokens, to embed.
func (r *mockRequest) inputs() ([]jsontext.Value, *translate.Error) {
	var list []jsontext.Value
	switch r.Input.Kind() {
	case '"':
		return []jsontext.Value{r.Input}, nil
	case '[':
		if err := json.Unmarshal(r.Input, &list); err != nil || len(list) == 0 || len(list) > maxMockInputs {
			return nil, translate.BadRequest("invalid_value", "input", "'input' must have from 1 to 2048 elements.")
		}
		if list[0].Kind() == '0' { // one list of tokens
			return []jsontext.Value{r.Input}, nil
		}
		return list, nil
	}
	return nil, translate.BadRequest("missing_required_parameter", "input", "Missing required parameter: 'input'.")
}

func vector(input []byte, size int) []float32 {
	chance := rand.New(rand.NewPCG(xxhash.Sum64(input), 0))
	v := make([]float32, size)
	var sum float64
	for i := range v {
		x := chance.NormFloat64()
		v[i] = float32(x)
		sum += x * x
	}
	length := float32(math.Sqrt(sum))
	for i := range v {
		v[i] /= max(length, math.SmallestNonzeroFloat32)
	}
	return v
}

func appendVector(b []byte, v []float32, packed bool) []byte {
	if packed {
		raw := make([]byte, 0, 4*len(v))
		for _, x := range v {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
		}
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, raw)
		return append(b, '"')
	}
	b = append(b, '[')
	for i, x := range v {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendFloat(b, float64(x), 'g', -1, 32)
	}
	return append(b, ']')
}
