package scanner

// StandIn is what stands in a trace in the place of a code's byte: another of its class, always the same. So a code there is as
// long as it was and of the same kinds of letters, for who reads the trace and for a driver to which it is played, and nobody
// has the code. A digit is 0, a letter x or X, a byte of a letter beyond ASCII one that may stand at its place in UTF-8. What
// is none of these, control characters among them, stays.
func StandIn(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return '0'
	case 'a' <= c && c <= 'z':
		return 'x'
	case 'A' <= c && c <= 'Z':
		return 'X'
	case c < 0x80:
		return c
	case c < 0xc0:
		return 0x90
	case c < 0xe0:
		return 0xd0
	case c < 0xf0:
		return 0xe1
	}
	return 0xf1
}

// Hide is a text in stand-ins.
func Hide(text []byte) []byte {
	out := make([]byte, len(text))
	for i, c := range text {
		out[i] = StandIn(c)
	}
	return out
}

// HideCode is Hide of what a code begins with: its AIM identifier tells a technician how the scanner is set, and stays.
func HideCode(text []byte) []byte {
	id, rest := CutAIM(text)
	return append([]byte(id), Hide(rest)...)
}
