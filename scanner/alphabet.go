package scanner

import (
	"bytes"
	"unicode/utf8"
)

// Alphabets of the settings of that name: what a code may hold beside letters that control a line.
const (
	Any       = "any"
	Printable = "printable" // ASCII, and GS, which parts GS1 data
	Digits    = "digits"
)

// Alphabets is all of them.
func Alphabets() []string { return []string{Any, Printable, Digits} }

// Within says whether a text holds nothing but letters of an alphabet, "" for Any. What controls a line is in none of them
// but GS; Any does not look for it, since whoever reads a line refuses it with words of its own.
func Within(alphabet string, text []byte) bool {
	switch alphabet {
	case Digits:
		return !bytes.ContainsFunc(text, func(c rune) bool { return c < '0' || c > '9' })
	case Printable:
		return !bytes.ContainsFunc(text, func(c rune) bool { return c >= utf8.RuneSelf || c < 0x20 && c != 0x1d || c == 0x7f })
	}
	return true
}
