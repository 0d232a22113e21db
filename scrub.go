package aiproxy

import "bytes"

// scrubber blots out keys in an answer that is passed as it comes. A provider that
// repeats what it was sent, as some do in errors, would hand a key that the
// configuration holds to whoever asked. The length of the answer stays what it was.
type scrubber struct {
	keys [][]byte
	held []byte // the end of what was written: perhaps the beginning of a key
}

// newScrubber returns a scrubber for the keys that are long enough to be told from
// ordinary words.
func newScrubber(keys ...string) *scrubber {
	s := new(scrubber)
	for _, k := range keys {
		if len(k) >= minKey {
			s.keys = append(s.keys, []byte(k))
		}
	}
	return s
}

// scrub appends to dst what may be sent of the answer when b has come.
func (s *scrubber) scrub(dst, b []byte) []byte {
	start := len(dst)
	dst = append(append(dst, s.held...), b...)
	text := dst[start:]
	keep := 0
	for _, k := range s.keys {
		blot(text, k)
		keep = max(keep, beginning(text, k))
	}
	s.held = append(s.held[:0], text[len(text)-keep:]...)
	return dst[:len(dst)-keep]
}

// rest appends what has been kept back to dst.
func (s *scrubber) rest(dst []byte) []byte {
	dst = append(dst, s.held...)
	s.held = s.held[:0]
	return dst
}

// blot overwrites every key in text.
func blot(text, key []byte) {
	for {
		i := bytes.Index(text, key)
		if i < 0 {
			return
		}
		for j := range key {
			text[i+j] = '*'
		}
		text = text[i+len(key):]
	}
}

// beginning returns how many bytes at the end of text are the beginning of key.
func beginning(text, key []byte) int {
	for n := min(len(key)-1, len(text)); n > 0; n-- {
		if bytes.HasSuffix(text, key[:n]) {
			return n
		}
	}
	return 0
}
