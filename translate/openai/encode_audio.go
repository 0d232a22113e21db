package openai

import (
	"encoding/base64"
	"strconv"

	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// bodyAudio puts the fragments of a message's audio together.
type bodyAudio struct {
	any        bool
	id         string
	expiresAt  int64
	data       []byte // base64
	binary     []byte // what data stands for, once a piece with padding was followed by another
	joined     bool   // binary holds the audio
	opaque     bool   // it is not base64
	transcript []byte // escaped
}

// merge adds one fragment.
func (a *bodyAudio) merge(raw []byte) {
	w := jsonscan.Walk(raw)
	for w.Next() {
		a.any = true
		switch string(w.Name) {
		case "id":
			a.id = either(a.id, jsonscan.String(w.Value))
		case "expires_at":
			if n, ok := jsonscan.Int(w.Value); ok {
				a.expiresAt = n
			}
		case "data":
			if jsonscan.IsString(w.Value) {
				a.join(jsonscan.Unquote(nil, w.Value))
			}
		case "transcript":
			a.transcript = append(a.transcript, jsonscan.Inner(w.Value)...)
		}
	}
}

// join adds a piece of base64. Since padding may only stand at the end of the whole,
// pieces are decoded once one of them with padding turns out not to be the last. What
// is no base64 is joined as it is.
func (a *bodyAudio) join(piece []byte) {
	if n := len(a.data); !a.joined && !a.opaque && n > 0 && a.data[n-1] == '=' {
		var err error
		a.binary, err = base64.StdEncoding.AppendDecode(nil, a.data)
		a.joined, a.opaque = err == nil, err != nil
	}
	if !a.joined {
		a.data = append(a.data, piece...)
		return
	}
	binary, err := base64.StdEncoding.AppendDecode(a.binary, piece)
	if err == nil {
		a.binary = binary
		return
	}
	a.data = append(base64.StdEncoding.AppendEncode(a.data[:0], a.binary), piece...)
	a.joined, a.opaque, a.binary = false, true, nil
}

// append writes the member audio, if there is any.
func (a *bodyAudio) append(b []byte) []byte {
	if !a.any {
		return b
	}
	if a.joined {
		a.data = base64.StdEncoding.AppendEncode(a.data[:0], a.binary)
	}
	b = jsonscan.Quote(append(b, `,"audio":{"id":`...), a.id)
	b = jsonscan.Quote(append(b, `,"data":`...), a.data)
	b = append(b, `,"expires_at":`...)
	b = strconv.AppendInt(b, a.expiresAt, 10)
	b = append(append(b, `,"transcript":"`...), a.transcript...)
	return append(b, `"}`...)
}
