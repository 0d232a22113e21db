package e2e

import (
	"bytes"
	"hash/fnv"
	"math/rand/v2"
	"strings"
)

// cut cuts a body into the pieces that are sent by themselves:
//
//	whole      one piece
//	event      the events of a stream
//	byte       each byte
//	character  cuts inside every character of several bytes, every line break and every
//	           field name
//	random:n   anywhere; n chooses the places
//
// Anything else gives the events.
func cut(body []byte, how string) [][]byte {
	mode, seed, _ := strings.Cut(how, ":")
	switch mode {
	case "whole":
		return [][]byte{body}
	case "byte":
		return at(body, func(int) bool { return true })
	case "character":
		return at(body, func(i int) bool {
			return body[i]&0xc0 == 0x80 || body[i] == '\n' && (body[i-1] == '\r' || body[i-1] == '\n') || i > 2 && body[i-3] == '\n'
		})
	case "random":
		h := fnv.New64()
		h.Write([]byte(seed))
		h.Write(body)
		r := rand.New(rand.NewPCG(h.Sum64(), 1))
		next := 0
		return at(body, func(i int) bool {
			if i < next {
				return false
			}
			next = i + 1 + r.IntN(1+r.IntN(300))
			return true
		})
	}
	return at(body, func(i int) bool {
		return bytes.HasSuffix(body[:i], []byte("\n\n")) || bytes.HasSuffix(body[:i], []byte("\n\r\n")) || bytes.HasSuffix(body[:i], []byte("\r\r"))
	})
}

// at cuts before every byte for which here holds.
func at(body []byte, here func(i int) bool) [][]byte {
	var pieces [][]byte
	begin := 0
	for i := 1; i < len(body); i++ {
		if here(i) {
			pieces = append(pieces, body[begin:i])
			begin = i
		}
	}
	return append(pieces, body[begin:])
}
