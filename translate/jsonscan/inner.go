package jsonscan

// InnerEnd checks the string whose first byte behind the opening quote stands at i, and
// returns the offset of its closing quote; ok is false if the string is not valid JSON
// or has no end.
func InnerEnd(text []byte, i int) (end int, ok bool) {
	s := scanner{text: text}
	end, _, err := s.str(i)
	if err != nil || s.high&highBits != 0 && !validUTF8(text[i:end]) {
		return 0, false
	}
	return end - 1, true
}
