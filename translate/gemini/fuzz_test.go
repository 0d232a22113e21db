package gemini

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/go-json-experiment/json/jsontext"
)

// decoderSeeds are answers with everything that a decoder looks at.
func decoderSeeds(f *testing.F) {
	for _, r := range readRecordings(f) {
		if r.status < 400 && len(r.body) < 8<<10 {
			f.Add(r.body, true)
			f.Add(r.body, false)
		}
	}
	for _, s := range []string{
		parts("STOP", callA, `{"text":"a","thoughtSignature":"c2ln"}`), `{"error":{"code":503,"message":"x","details":[{"@type":"a.RetryInfo","retryDelay":"1s"}]}}`,
		`data: ` + parts("", `{"functionCall":{"name":"f","willContinue":true}}`, `{"functionCall":{"partialArgs":[{"jsonPath":"$.a[0]['b']","stringValue":"\u00e9"}]}}`),
		`{"candidates":[{"index":3,"logprobsResult":{"chosenCandidates":[{"token":"\ud83c","logProbability":-1}]},"continuationToken":"t","finishReason":"CONTINUATION"}]}`,
		`{"candidates":[{"content":{"parts":[{"text":"\ud83d\ude00x"}]},"groundingMetadata":{"groundingChunks":[{"web":{"uri":"u"}}],"groundingSupports":[{"segment":{"startIndex":-1,"endIndex":99},"groundingChunkIndices":[0]}]}}]}`,
	} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
}

// FuzzDecoder feeds any bytes as a stream and as a body: the decoder must end the
// answer in exactly one way and emit nothing but legal events, which viewSink checks.
func FuzzDecoder(f *testing.F) {
	decoderSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte, clean bool) {
		enc := &translate.Encoded{Body: []byte(`{}`), Names: map[string]string{"a": "b"}, CustomTools: []string{"f"}}
		d := NewDecoder(enc)
		d.ExposeRaw = true
		checkEnd(t, decodeStream(t, d, bytes.NewReader(data)))

		g, v := guarded(t)
		d = NewDecoder(enc)
		d.Body(data, g)
		if d.Paused() {
			if body, ok := d.Continue(); !ok || !json.Valid(body) {
				t.Fatalf("a paused answer cannot go on: %s", body)
			}
			d.Body(data, g)
		}
		end(d, g, clean)
		checkEnd(t, v)
	})
}

func checkEnd(t *testing.T, v *clientView) {
	if (v.err != nil) == v.ended {
		t.Fatalf("error %v, ended %t", v.err, v.ended)
	}
	if v.usage != nil && (v.usage.Cached > v.usage.Prompt || v.usage.Reasoning > v.usage.Completion || v.usage.Prompt < 0) {
		t.Fatalf("usage %+v", *v.usage)
	}
	for i, c := range v.choices {
		if v.ended && c.finishes != 1 {
			t.Fatalf("choice %d finished %d times", i, c.finishes)
		}
		for _, a := range c.annotations {
			if n := utf8.RuneCountInString(c.text); a.Citation.Start < 0 || a.Citation.Start > a.Citation.End || a.Citation.End > n {
				t.Fatalf("citation %+v of a text of %d characters", a, n)
			}
		}
	}
}

func FuzzParseError(f *testing.F) {
	for _, r := range readRecordings(f) {
		if r.status >= 400 {
			f.Add(r.status, r.body, "5")
		}
	}
	f.Fuzz(func(t *testing.T, status int, body []byte, after string) {
		err := ParseError(status, func(string) string { return after }, body)
		if err.Message == "" || err.Type == "" || err.Class == 0 || err.Status < 400 || err.Status > 599 || err.RetryAfter < 0 || !utf8.ValidString(err.Message) {
			t.Fatalf("got %+v", err)
		}
	})
}

// FuzzSchema checks that any schema gives valid JSON of bounded size, and that writing
// it is idempotent in form: what was written is legal input.
func FuzzSchema(f *testing.F) {
	for _, s := range []string{
		`{"type":["string","null"],"enum":["a",null,1,true]}`, `{"$ref":"#/$defs/a","$defs":{"a":{"properties":{"x":{"$ref":"#/$defs/a"}},"required":["x"]}}}`,
		`{"allOf":[{"$ref":"#"},{"anyOf":[{"type":"null"},true,{"prefixItems":[{}]}]}],"definitions":{"~0~1":{"const":{"a":1}}}}`,
		`{"items":[{"$ref":"#/items/1"},{"$ref":"#/items/0"}],"nullable":true,"oneOf":[{"required":["a"]}]}`, `{"additionalProperties":{"not":{}},"default":"\ud83d\ude00"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !isObject(raw) || len(raw) > 64<<10 {
			return
		}
		for _, open := range []bool{false, true} {
			out := appendSchema(nil, raw, open)
			if !json.Valid(out) || len(out) > 4*maxSchemaSize {
				t.Fatalf("open %t: %d bytes: %s", open, len(out), out)
			}
			if again := appendSchema(nil, out, open); !json.Valid(again) {
				t.Fatalf("open %t, again: %s", open, again)
			}
			if !bytes.Equal(out, appendSchema(nil, raw, open)) {
				t.Fatal("not deterministic")
			}
		}
	})
}

// FuzzEncodeRequest builds a request of any texts: the encoder must give valid JSON or
// an error of the client's.
func FuzzEncodeRequest(f *testing.F) {
	f.Add("gemini-3.5-flash", "Hi", "spt7zdfl", "my tool", `{"a":1}`, `{"type":"object"}`, "c2ln", "https://example.com/a.png", `{"google":{"thinking_config":{}}}`, uint8(0))
	f.Add("gemini-2.0-flash", "\xff", "", "", `{`, `{"$ref":"#"}`, "\xff", "gs://b/a.png", `{`, uint8(7))
	f.Add("gemma-3", "", "x", "\u00e9", "null", "5", "", "AAAA", `[]`, uint8(255))
	f.Fuzz(func(t *testing.T, model, words, id, name, args, schema, signature, where, extra string, flags uint8) {
		req := translate.Request{
			Model: model, Stream: flags&1 != 0,
			Turns: []translate.Turn{
				system(words), user(words), turn(translate.RoleAssistant, text(words), reasoning(id, signature, FormatReasoning), signed(id, name, args, signature, "")), result(id, args),
				turn(translate.RoleUser, text(words)),
			},
			Tools:  []translate.Tool{function(name, schema), {Kind: translate.ToolCustom, Name: words, Format: jsontext.Value(schema)}, {Kind: translate.ToolRaw, Raw: jsontext.Value(extra)}},
			Choice: translate.ToolChoice{Mode: translate.ToolMode(flags % 5), Names: []string{name}},
			Params: translate.Params{Stop: []string{words}, Effort: "low", Format: &translate.ResponseFormat{Type: "json_schema", Schema: jsontext.Value(schema)}, WebSearch: jsontext.Value(extra)},
			Extra:  []translate.Member{{Name: "extra_body", Value: jsontext.Value(extra)}, {Name: words, Value: jsontext.Value(extra)}},
		}
		m := translate.Media{URL: where}
		if flags&2 != 0 {
			m = translate.Media{Data: where, MIME: words, FileID: id}
		}
		if flags&4 != 0 {
			req.Turns = append(req.Turns, turn(translate.RoleUser, media(translate.PartImage, m)))
		}
		opt := Options{Reject: flags&8 != 0, Vertex: flags&16 != 0, OpenAPISchemas: flags&32 != 0, PassRemote: flags&64 != 0, SafetySettings: jsontext.Value(extra)}
		enc, err := EncodeRequest(&req, opt)
		switch {
		case err != nil && (err.Status != 400 && err.Status != 413 || err.Message == ""):
			t.Fatalf("error %+v", err)
		case err == nil && !json.Valid(enc.Body):
			t.Fatalf("not JSON: %s", enc.Body)
		}
		if p := Path(model, false); p == "" || p[0] != '/' {
			t.Fatalf("path %q", p)
		}
	})
}
