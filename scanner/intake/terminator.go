package intake

// surest is how many texts with a terminator, one behind the other, count at most: it takes one more without to forget it.
const surest = 9

// Terminator is what is known of the end behind each code, where silence ends one until the first terminator was seen. The zero
// value expects none.
//
// A scanner that sends nothing behind a code, as many leave their factory ("Data As Is"), seems to send one where a code has a
// line break in it: a vCard, a link copied with its end. If that were believed for ever, nothing would be read any more. A text
// without a terminator is a code that lost its end, until there were more of them in a row than texts with one before: of a
// scanner that has sent its terminator all morning half a code is not taken because its line is bad.
type Terminator struct {
	expected bool
	seen     int  // texts with one, since it was last forgotten
	missed   int  // texts without one, since the last terminator
	rest     bool // the last text was the rest of a code that was cut off
}

// Seen says that a text ended at a terminator; apart says that it began behind silence, and is not the next line of a code.
func (t *Terminator) Seen(apart bool) {
	if apart || t.seen == 0 {
		t.seen = min(t.seen+1, surest)
	}
	t.expected, t.missed, t.rest = true, 0, false
}

// Missed says that a text stopped without the terminator that was expected; rest says that it began so soon behind another such
// that it can be the rest of it. One code in two pieces proves nothing; what comes behind the second piece is another try.
func (t *Terminator) Missed(rest bool) {
	piece := rest && !t.rest
	if t.rest = rest; piece {
		return
	}
	if t.missed++; t.missed > t.seen {
		*t = Terminator{}
	}
}

// Expected says that a text without a terminator lost its end.
func (t *Terminator) Expected() bool { return t.expected }
