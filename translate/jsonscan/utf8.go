package jsonscan

import "encoding/binary"

// The states of the automaton that checks UTF-8, as shifts into a row of utf8Rows. A
// row has six bits for each state: the state that follows on the row's byte. The error
// state is zero, so what a row does not say is an error, and stays one.
const (
	utf8Error  = 6 * iota
	utf8Accept // between characters
	utf8Need1  // one byte of 80..BF is missing
	utf8Need2  // two are
	utf8Need3  // three are
	utf8AfterE0
	utf8AfterED
	utf8AfterF0
	utf8AfterF4
)

var utf8Rows = makeUTF8Rows()

// makeUTF8Rows writes down table 3-7 of the Unicode standard.
func makeUTF8Rows() (rows [256]uint64) {
	on := func(from, first, last, to int) {
		for b := first; b <= last; b++ {
			rows[b] |= uint64(to) << from
		}
	}
	on(utf8Accept, 0x00, 0x7f, utf8Accept)
	on(utf8Accept, 0xc2, 0xdf, utf8Need1)
	on(utf8Accept, 0xe0, 0xe0, utf8AfterE0)
	on(utf8Accept, 0xe1, 0xec, utf8Need2)
	on(utf8Accept, 0xed, 0xed, utf8AfterED)
	on(utf8Accept, 0xee, 0xef, utf8Need2)
	on(utf8Accept, 0xf0, 0xf0, utf8AfterF0)
	on(utf8Accept, 0xf1, 0xf3, utf8Need3)
	on(utf8Accept, 0xf4, 0xf4, utf8AfterF4)
	on(utf8Need1, 0x80, 0xbf, utf8Accept)
	on(utf8Need2, 0x80, 0xbf, utf8Need1)
	on(utf8Need3, 0x80, 0xbf, utf8Need2)
	on(utf8AfterE0, 0xa0, 0xbf, utf8Need1)
	on(utf8AfterED, 0x80, 0x9f, utf8Need1)
	on(utf8AfterF0, 0x90, 0xbf, utf8Need2)
	on(utf8AfterF4, 0x80, 0x8f, utf8Need2)
	return rows
}

// validUTF8 is utf8.Valid with no branch that depends on which characters stand in the
// text, which makes it twice as fast on all scripts but plain ASCII.
func validUTF8(b []byte) bool {
	state := uint64(utf8Accept)
	for len(b) >= 8 {
		if state&63 == utf8Accept && word(b)&highBits == 0 {
			for len(b) >= 32 && (word(b)|word(b[8:])|word(b[16:])|word(b[24:]))&highBits == 0 {
				b = b[32:]
			}
			for len(b) >= 8 && word(b)&highBits == 0 {
				b = b[8:]
			}
			continue
		}
		state = utf8Rows[b[0]] >> (state & 63)
		state = utf8Rows[b[1]] >> (state & 63)
		state = utf8Rows[b[2]] >> (state & 63)
		state = utf8Rows[b[3]] >> (state & 63)
		state = utf8Rows[b[4]] >> (state & 63)
		state = utf8Rows[b[5]] >> (state & 63)
		state = utf8Rows[b[6]] >> (state & 63)
		state = utf8Rows[b[7]] >> (state & 63)
		b = b[8:]
	}
	for _, c := range b {
		state = utf8Rows[c] >> (state & 63)
	}
	return state&63 == utf8Accept
}

// load returns the eight bytes at i.
func load[T ~[]byte | ~string](text T, i int) uint64 {
	_ = text[i+7]
	return uint64(text[i]) | uint64(text[i+1])<<8 | uint64(text[i+2])<<16 | uint64(text[i+3])<<24 |
		uint64(text[i+4])<<32 | uint64(text[i+5])<<40 | uint64(text[i+6])<<48 | uint64(text[i+7])<<56
}

// needsLook sets the high bit of the bytes that are a quote, a backslash, below space or
// not ASCII. Bits above the lowest one set may be wrong.
func needsLook(w uint64) uint64 {
	return (((w ^ flip) - flipped) | ((w ^ backslash) - lowBits) | w) & highBits
}

// word returns the first eight bytes.
func word(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

// runeSize returns the length of the character at i, or 0 if there is no valid one.
func runeSize[T ~[]byte | ~string](text T, i int) int {
	state := utf8Rows[text[i]] >> utf8Accept & 63
	for n := 1; ; n++ {
		switch {
		case state == utf8Accept:
			return n
		case state == utf8Error || i+n >= len(text):
			return 0
		}
		state = utf8Rows[text[i+n]] >> state & 63
	}
}
