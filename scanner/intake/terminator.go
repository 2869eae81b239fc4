package intake

// Terminator is what is known of the end behind each code, where silence ends one until the first terminator was seen. The zero
// value expects none.
//
// A scanner that sends nothing behind a code, as many leave their factory ("Data As Is"), seems to send one where a code has a
// line break in it: a vCard, a link copied with its end. If that were believed for ever, nothing would be read any more. One text
// without a terminator is a code that lost its end; a second one in a row shows that there never was any.
type Terminator struct {
	expected bool
	missed   bool // the last text had none, though it was expected
}

// Seen says that a text ended at a terminator.
func (t *Terminator) Seen() { t.expected, t.missed = true, false }

// Missed says that a text stopped without the terminator that was expected. The rest of a code that was cut off is no text of
// its own and is not told here: one code in two pieces proves nothing.
func (t *Terminator) Missed() {
	if t.missed {
		t.expected = false
	}
	t.missed = true
}

// Expected says that a text without a terminator lost its end.
func (t *Terminator) Expected() bool { return t.expected }
