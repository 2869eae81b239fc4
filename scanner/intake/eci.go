package intake

import (
	"bytes"
	"regexp"
	"slices"
)

// channel is what a scanner with the ECI protocol puts in front of a code whose maker named its letters (ISO/IEC 15424 and 18004):
// a backslash and six digits, here those of ISO 8859-1 (3, and 1, as ZXing's CharacterSetECI.java writes it), UTF-8 (26) and ASCII
// (27). In these a pay code has the bytes that it has without any. No others: no wallet is known to name one, in UTF-16 the bytes
// are not the same, and who gets another text in them needs the number to read it.
var channel = regexp.MustCompile(`(?s)\A\\0000(?:01|03|26|27)(.+)\z`)

// speaksECI are the AIM identifiers behind which that protocol is spoken (DS6708 guide p. B-6, DS3678 guide p. E-7, Opticon's
// Universal Menu Book p. 96), and none: behind any other such a text is meant as it is.
var speaksECI = []string{"", "]Q2", "]Q4", "]Q6", "]d4", "]d5", "]d6", "]L1", "]z3", "]z4", "]z5", "]z9", "]zA", "]zB"}

// cutECI takes the channel off the front of a text, and makes one of two backslashes: the protocol sends each of the code's own
// twice (Opticon MDI-4000 manual p. 59). The text alone is no channel of anything and stays.
func cutECI(id string, text []byte) []byte {
	m := channel.FindSubmatch(text)
	if m == nil || !slices.Contains(speaksECI, id) {
		return text
	}
	return bytes.ReplaceAll(m[1], []byte(`\\`), []byte(`\`))
}
