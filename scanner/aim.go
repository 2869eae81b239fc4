package scanner

import "strings"

// symbologies are the letters that ISO/IEC 15424 gives away.
const symbologies = "ABCDEFGHIJKLMNOPQRSTUVXYZdehjz"

// CutAIM takes an AIM symbology identifier (ISO/IEC 15424: "]", a letter for the symbology, a modifier) off the front of a
// text that a scanner sent. id is "" where there is none.
func CutAIM(text []byte) (id string, rest []byte) {
	if len(text) < 3 || text[0] != ']' || strings.IndexByte(symbologies, text[1]) < 0 || !isModifier(text[2]) {
		return "", text
	}
	return string(text[:3]), text[3:]
}

func isModifier(c byte) bool { return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' }
