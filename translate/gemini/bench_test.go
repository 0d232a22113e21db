package gemini

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// discard is a client that does not look.
type discard struct{}

func (discard) Emit(*translate.Event) {}

// textChunks returns the data of a stream of n chunks as the provider sends them.
func textChunks(n int) [][]byte {
	chunks := make([][]byte, n)
	for i := range chunks {
		finish := ""
		if i == n-1 {
			finish = `"finishReason": "STOP",`
		}
		chunks[i] = []byte(fmt.Sprintf(`{"candidates": [{"content": {"parts": [{"text": " and number %d of \"many\",\nwith a bit of text as tokens bring it"}],"role": "model"},%s"index": 0}],`+
			`"usageMetadata": {"promptTokenCount": 16,"candidatesTokenCount": %d,"totalTokenCount": %d,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 16}],"thoughtsTokenCount": 61},`+
			`"modelVersion": "gemini-2.5-flash","responseId": "kLewaKa5ONqI-8YP-c_NuAQ"}`, i, finish, 8*i, 16+8*i))
	}
	return chunks
}

func BenchmarkDecodeStream64(b *testing.B) {
	chunks := textChunks(64)
	b.ReportAllocs()
	for b.Loop() {
		g := &translate.Guard{Out: discard{}, ID: "x"}
		d := NewDecoder(nil)
		for _, c := range chunks {
			d.Event(c, nil, g)
		}
		d.End(true, g)
		g.End()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/chunk")
}

func TestTextChunksCostNoAllocation(t *testing.T) {
	g := &translate.Guard{Out: discard{}, ID: "x"}
	d := NewDecoder(nil)
	chunks := textChunks(64)
	for _, c := range chunks[:4] {
		d.Event(c, nil, g)
	}
	i := 0
	if n := testing.AllocsPerRun(500, func() { d.Event(chunks[4+i%59], nil, g); i++ }); n != 0 {
		t.Errorf("a text chunk costs %v allocations", n)
	}
}

func longPrompt() *translate.Request {
	paragraph := "The quick brown fox jumps over the lazy dog, \"again\" and again.\nÜber den Wölfen – 日本語. "
	return &translate.Request{Model: "gemini-3.5-flash", Turns: []translate.Turn{
		system("Be brief."), user(strings.Repeat(paragraph, 200<<10/len(paragraph))), assistant("Yes?"), user("Go on."),
	}}
}

func BenchmarkEncodeRequest200KB(b *testing.B) {
	req := longPrompt()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := EncodeRequest(req, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func TestEncodeRequestAllocations(t *testing.T) {
	req := longPrompt()
	if n := testing.AllocsPerRun(50, func() {
		if _, err := EncodeRequest(req, Options{}); err != nil {
			t.Fatal(err)
		}
	}); n > 20 {
		t.Errorf("a request without tools costs %v allocations", n)
	}
}

func BenchmarkEncodeTools(b *testing.B) {
	schema := `{"type":"object","properties":{"path":{"type":"string","description":"Where it is."},"lines":{"type":"array","items":{"type":"integer"}},"mode":{"type":"string","enum":["a","b"]}},"required":["path"]}`
	req := &translate.Request{Model: "gemini-3.5-flash", Turns: []translate.Turn{user("Hi")}}
	for i := range 20 {
		req.Tools = append(req.Tools, function(fmt.Sprintf("tool_%d", i), schema))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := EncodeRequest(req, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
