package scanner

import (
	"regexp"
	"slices"
	"strings"
)

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

// addOn is an article number with the bars beside it on a magazine or a book, two digits or five, as some scanners send them: with
// an identifier of their own in front.
var addOn = regexp.MustCompile(`\A([0-9]+)\](?:E1([0-9]{2})|E2([0-9]{5}))\z`)

// JoinAddOn makes one text of an EAN-13 or UPC and an add-on with an identifier between them ("21-character string", Honeywell
// Marathon guide p. 2-25; 8650 guide p. 5-21), under the identifier of the two joined, ]E3 (ISO/IEC 15424). Any other text it
// gives back.
func JoinAddOn(id string, text []byte) (joinedID string, joined []byte) {
	m := addOn.FindSubmatch(text)
	if id != "]E0" || m == nil {
		return id, text
	}
	return "]E3", slices.Concat(m[1:]...)
}
