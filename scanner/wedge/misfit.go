package wedge

import (
	"regexp"

	"tilld/scanner"
)

// What a scanner of another country makes of a link's "://", and of digits, when its keys are taken for those of us.
var (
	russianOnUS = regexp.MustCompile(`\A[A-Za-z]{2,8}\^\|\|`)
	germanOnUS  = regexp.MustCompile(`\A[A-Za-z]{2,8}>&&`)
	frenchOnUS  = regexp.MustCompile(`\A[!@#$%^&*()]{6,}\z`)
)

// latinText is what the keys of a text in Latin letters begin with, that were taken for Russian ones: a link, an AIM
// identifier, the head of an EMV pay code.
var latinText = regexp.MustCompile(`\A(?:[A-Za-z]{2,8}://|\][A-Za-z][0-9A-Z]|hQVDUFY)`)

// misfit tells a layout that is not the scanner's from what it did to the text; asUS is what the same keys are on us.
// What it is not sure of it lets pass: a note is not worth a lost sale.
func misfit(layout string, text, asUS []byte) *scanner.Note {
	var is string
	switch {
	case layout == US && russianOnUS.Match(text):
		is = "Russia"
	case layout == US && germanOnUS.Match(text):
		is = "Germany"
	case layout == US && frenchOnUS.Match(text):
		is = "France"
	case layout == RU && latinText.Match(asUS) && !latinText.Match(text):
		return &scanner.Note{
			Code: scanner.NoteLayout, Sentence: "The scanner typed Russian letters where Latin ones are expected; the code was not taken.",
			Remedy: "Its keyboard country is USA: set the option layout: us.",
		}
	default:
		return nil
	}
	remedy := "Set the scanner's keyboard country to USA."
	if is == "Russia" {
		remedy = "Set the scanner's keyboard country to USA, or the option layout: ru."
	}
	return &scanner.Note{
		Code: scanner.NoteLayout, Sentence: "The scanner types as a keyboard of " + is + " would; the code was not taken.", Remedy: remedy,
	}
}
