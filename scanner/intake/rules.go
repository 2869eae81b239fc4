package intake

import (
	"bytes"
	"fmt"
	"regexp"
	"time"

	"tilld/scanner"
)

// MaxBytes of a text: more than the largest QR code holds (7,089 digits).
const MaxBytes = 8192

// Rules say which texts are taken. The zero value takes whatever can be a code.
type Rules struct {
	Min, Max int           // bytes; 0 is 1 and MaxBytes
	Alphabet string        // of scanner.Alphabets, "" is any
	Again    time.Duration // the same text once more within this time is not taken; 0: each counts

	last string
	at   time.Time
}

// programming are bar codes that set scanners up, as far as their form is public: the %%SpecCode and ^#SC^ families of
// many Chinese scanners (github juitnow/juit-alacrity-setup, README). A scanner that obeys them may send them too.
var programming = regexp.MustCompile(`\A(?:%%SpecCode[0-9A-F]{2,}|\^#SC\^[0-9A-F]+)\z`)

// stripes are the magnetic stripe of a card as readers send it (ISO/IEC 7813, tracks 1 and 2): the number of a payment card
// stands in it.
var stripes = regexp.MustCompile(`%[Bb][0-9 ]{8,23}\^[^^]*\^|;[0-9]{8,19}=[0-9=]*\?`)

// Stripe says whether a text holds the magnetic stripe of a card.
func Stripe(text []byte) bool { return stripes.Match(text) }

// Dropped is the note of a text that holds one.
func Dropped() *scanner.Note {
	return &scanner.Note{
		Code: scanner.NoteStripe, Sentence: "Not a pay code: what was read is the magnetic stripe of a card; it was dropped unread.",
		Remedy: "Put the card away, nothing here takes it. Scan the customer's pay code.",
	}
}

// Finish makes a reading out of a text: the AIM identifier is told apart, a channel of letters behind it is cut, an add-on is
// joined to its number, and the rules are applied. A text that is not taken gives a note; an empty one gives nothing at all.
func (r *Rules) Finish(text []byte, first, last time.Time) ([]scanner.Reading, *scanner.Note) {
	id, text := scanner.JoinAddOn(scanner.CutAIM(text))
	if text = cutECI(id, text); len(text) == 0 {
		return nil, nil
	}
	if n := r.refuse(text); n != nil {
		return nil, n
	}
	if r.Again > 0 {
		again := string(text) == r.last && first.Sub(r.at) < r.Again
		r.last, r.at = string(text), last
		if again {
			return nil, nil
		}
	}
	return []scanner.Reading{{Text: scanner.NewText(text), Symbology: id, First: first, Last: last}}, nil
}

// Forget has the next text count, whatever the last was: that one was not kept, and is read once more for that reason.
func (r *Rules) Forget() { r.last, r.at = "", time.Time{} }

func (r *Rules) refuse(text []byte) *scanner.Note {
	switch {
	case Stripe(text): // whatever else is wrong with it
		return Dropped()
	case len(text) > MaxBytes || r.Max > 0 && len(text) > r.Max:
		return TooLong()
	case bytes.ContainsFunc(text, control):
		return &scanner.Note{
			Code:     scanner.NoteControl,
			Sentence: "The scanner sent control characters in a code; it was not taken.",
			Remedy:   "If it happens with every code, the line's settings (speed, parity) or the scanner's suffix do not fit; docs/operations.md says how scanners are set.",
		}
	case len(text) < r.Min:
		return &scanner.Note{
			Code: scanner.NoteTooShort, Sentence: fmt.Sprintf("The scanner read a code shorter than %d characters; it was not taken.", r.Min),
			Remedy: "Read it again, or lower the scanner's option min.",
		}
	case programming.Match(text):
		return Programming()
	case !scanner.Within(r.Alphabet, text):
		return &scanner.Note{
			Code: scanner.NoteAlphabet, Sentence: "The scanner read a code with other characters than " + r.Alphabet + "; it was not taken.",
			Remedy: "Read the right code, or change the scanner's option alphabet.",
		}
	}
	return nil
}

// TooLong is the note of a text that is longer than any code.
func TooLong() *scanner.Note {
	return &scanner.Note{
		Code: scanner.NoteTooLong, Sentence: "The scanner sent more than a code can hold; it was not taken.",
		Remedy: "If it happens with every code, set the scanner to send a carriage return behind each code.",
	}
}

// Programming is the note of a bar code that sets scanners up.
func Programming() *scanner.Note {
	return &scanner.Note{
		Code: scanner.NoteProgramming, Sentence: "A bar code that sets up scanners was read; the scanner may work differently from now on.",
		Remedy: "Read any code of goods as a test; if it does not come through, set the scanner up again as docs/operations.md says.",
	}
}

// Damaged is the note of a text of which a part is missing.
func Damaged() *scanner.Note {
	return &scanner.Note{
		Code: scanner.NoteDamaged, Sentence: "A part of a code was lost between the scanner and this machine; it was not taken.",
		Remedy: "Read it again; if it happens often, change the cable or the USB port.",
	}
}

func control(c rune) bool { return c < 0x20 && c != 0x1d || c == 0x7f }

// options of the rules, for every driver.
func (r *Rules) set(o *Options) {
	r.Min = o.Int("min", 0, 0, MaxBytes, "the shortest code that is taken, in characters")
	r.Max = o.Int("max", 0, 0, MaxBytes, "the longest code that is taken, in characters; 0 is no limit of its own")
	r.Alphabet = o.Word("alphabet", scanner.Any, scanner.Alphabets(), "what a code may hold")
	r.Again = o.Duration("again", 0, 0, time.Minute, "the same code once more within this time is not taken; 0: each counts")
	if r.Max > 0 && r.Min > r.Max {
		o.wrong("min", fmt.Sprintf("is %d, more than max", r.Min), "min: 1")
	}
}
