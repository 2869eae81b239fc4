package wedge

import (
	"time"
	"unicode/utf8"

	"tilld/scanner"
	"tilld/scanner/intake"
)

// Settings of the decoder.
const (
	Pace     = 35 * time.Millisecond  // keys are a scan where they come at most so far apart, on an average
	Gap      = 100 * time.Millisecond // silence that ends a reading
	grace    = 200 * time.Millisecond // that this process may be late in seeing a key, where a reading waits for the silence
	torn     = 2 * time.Second        // what begins so soon behind a code that was cut off is the rest of it
	fewest   = 3                      // characters of a scan
	maxDigit = 4                      // of a number typed with Alt
)

// What ends a reading.
const (
	endAuto  = "auto" // Enter or Tab
	endEnter = "enter"
	endTab   = "tab"
	endGap   = "gap"
)

// decoder turns keys into readings.
type decoder struct {
	layout, end     string
	pace, gap, dead time.Duration
	rules           *intake.Rules
	say             func(scanner.Note)

	keys, latin map[uint16]runes // of the layout; of us, to tell a layout that does not fit
	clock       clock
	held        map[uint16]bool // modifiers
	caps        bool
	number      []byte // digits typed with Alt held

	text, asUS  []byte        // what was typed, and what the same keys are on the other layout
	presses     int           // of keys, modifiers and digits of numbers too
	begun, last time.Duration // stamps of the first and the last press
	seen        time.Time     // the last press on our clock
	spoilt      *scanner.Note // why the reading cannot be taken, whatever follows
	terminator  intake.Terminator
	endedAt     time.Duration // the last press of the last text that had one
	deadUntil   time.Duration
	tornUntil   time.Duration // what begins before is the rest of a code that was cut off
}

// Take takes the events of one read.
func (d *decoder) Take(b []byte, at time.Time) []scanner.Reading {
	var out []scanner.Reading
	for _, e := range events(b) {
		switch {
		case e.kind == typeSyn && e.code == synDropped: // keys were lost, and which are held is not known any more
			d.held, d.number = map[uint16]bool{}, nil
			d.spoilt, d.last = intake.Damaged(), e.stamp
		case e.kind == typeKey && e.value == pressed:
			out = append(out, d.press(e, at)...)
		case e.kind == typeKey && e.value == released:
			out = append(out, d.release(e.code)...)
		}
	}
	return out
}

func modifier(code uint16) bool {
	switch code {
	case keyLeftShift, keyRightShift, keyLeftCtrl, keyRightCtrl, keyLeftAlt, keyRightAlt, keyLeftMeta, keyRightMeta:
		return true
	}
	return false
}

func (d *decoder) alt() bool   { return d.held[keyLeftAlt] || d.held[keyRightAlt] }
func (d *decoder) ctrl() bool  { return d.held[keyLeftCtrl] || d.held[keyRightCtrl] }
func (d *decoder) shift() bool { return d.held[keyLeftShift] || d.held[keyRightShift] }

func (d *decoder) press(e event, at time.Time) []scanner.Reading {
	if modifier(e.code) {
		d.held[e.code] = true
	}
	if e.stamp < d.deadUntil {
		return nil
	}
	var out []scanner.Reading
	if d.begins() && e.stamp-d.last > d.gap { // by the kernel's stamps, however late this process is
		out = d.Flush()
	}
	d.count(e, at)
	return append(out, d.key(e)...)
}

// begins says that something has begun that a terminator or silence ends.
func (d *decoder) begins() bool { return d.presses > 0 || d.spoilt != nil }

func (d *decoder) key(e event) []scanner.Reading {
	digit, onPad := padDigit(e.code)
	switch {
	case modifier(e.code), e.code == keyNumLock:
	case e.code == keyCapsLock:
		d.caps = !d.caps
	case d.alt() && onPad:
		if d.number = append(d.number, digit); len(d.number) > maxDigit {
			d.number = d.number[:maxDigit]
			d.spoil()
		}
	case d.ends(e.code):
		return d.finish(e.stamp)
	default:
		return d.character(e)
	}
	return nil
}

// count notes the time of a press. Modifiers and locks alone begin nothing.
func (d *decoder) count(e event, at time.Time) {
	d.seen = d.clock.at(e.stamp, at)
	if d.presses == 0 {
		d.begun = e.stamp
		if e.stamp < d.tornUntil {
			d.spoilt = intake.Damaged()
		}
	}
	d.last = e.stamp
	d.presses++
}

func (d *decoder) ends(code uint16) bool {
	enter := code == keyEnter || code == keyKPEnter
	switch d.end {
	case endEnter:
		return enter
	case endTab:
		return code == keyTab
	case endGap:
		return false
	}
	return enter || code == keyTab
}

func (d *decoder) release(code uint16) []scanner.Reading {
	if !modifier(code) {
		return nil
	}
	delete(d.held, code)
	if len(d.number) == 0 || d.alt() {
		return nil
	}
	r, ok := byNumber(d.number, d.layout)
	d.number = nil
	if !ok {
		d.spoil()
		return nil
	}
	return d.add(r, r)
}

func (d *decoder) character(e event) []scanner.Reading {
	k, ok := d.keys[e.code]
	us := d.latin[e.code]
	switch {
	case d.ctrl():
		if us.plain < '@' || us.plain > 'z' { // @ to _ and the letters have a control character each
			d.spoil()
			return nil
		}
		return d.add(us.plain&0x1f, us.plain&0x1f)
	case !ok, d.alt(), d.held[keyLeftMeta], d.held[keyRightMeta]:
		d.spoil()
		return nil
	}
	return d.add(d.pick(k), d.pick(us))
}

func (d *decoder) pick(k runes) rune {
	shifted := d.shift()
	if d.caps && isLetter(k.plain) {
		shifted = !shifted
	}
	if shifted {
		return k.shifted
	}
	return k.plain
}

func isLetter(r rune) bool {
	return 'a' <= r && r <= 'z' || 'а' <= r && r <= 'я' || r == 'ё'
}

// add adds a character. A control character that is a line's end ends the reading.
func (d *decoder) add(r, us rune) []scanner.Reading {
	if (r == '\r' || r == '\n') && d.end != endTab && d.end != endGap || r == '\t' && (d.end == endTab || d.end == endAuto) {
		return d.finish(d.last)
	}
	if len(d.text) > intake.MaxBytes {
		d.spoilt = intake.TooLong()
		return nil
	}
	d.text = utf8.AppendRune(d.text, r)
	d.asUS = utf8.AppendRune(d.asUS, us)
	return nil
}

// spoil notes that a key was pressed that is no character.
func (d *decoder) spoil() {
	if d.spoilt == nil {
		d.spoilt = &scanner.Note{
			Code: scanner.NoteControl, Sentence: "The scanner pressed a key that is no character; the code was not taken.",
			Remedy: "Set the scanner's keyboard country to USA, or to Russia with the option layout: ru, and its function keys off.",
		}
	}
}

// Quiet is the silence that ends what was typed.
func (d *decoder) Quiet() time.Duration {
	switch {
	case !d.begins():
		return 0
	case d.end == endGap || d.end == endAuto && !d.terminator.Expected():
		return d.gap + grace
	}
	return torn // no reading waits for it
}

// Forget has the last reading be none: it was not kept.
func (d *decoder) Forget() { d.rules.Forget() }

// Flush ends what was typed because no key follows.
func (d *decoder) Flush() []scanner.Reading {
	switch {
	case len(d.text) == 0: // a modifier, pressed and let go; or keys that the kernel dropped
		d.cutOff()
	case d.end == endGap || d.end == endAuto && !d.terminator.Expected():
		return d.take(d.last)
	case d.typed():
		d.drop()
		d.say(typing())
	default:
		if rest := d.begun < d.tornUntil; rest || d.spoilt == nil { // not one of which keys were lost, perhaps the terminator among them
			d.terminator.Missed(rest)
		}
		d.spoilt = intake.Damaged()
		d.cutOff()
	}
	return nil
}

// cutOff drops what was spoilt and has no end; what follows at once is the rest of it.
func (d *decoder) cutOff() {
	if d.spoilt != nil {
		d.say(*d.spoilt)
		d.tornUntil = d.last + torn
	}
	d.drop()
}

func (d *decoder) drop() {
	d.text, d.asUS, d.number, d.presses, d.spoilt = d.text[:0], d.asUS[:0], nil, 0, nil
}

// finish ends what was typed at a terminator.
func (d *decoder) finish(stamp time.Duration) []scanner.Reading {
	if len(d.text) > 0 && !d.typed() {
		d.terminator.Seen(d.begun-d.endedAt > d.gap)
		d.endedAt = stamp
	}
	return d.take(stamp)
}

func (d *decoder) take(stamp time.Duration) []scanner.Reading {
	defer d.drop()
	switch {
	case len(d.text) == 0 && d.spoilt == nil:
		return nil
	case d.typed():
		d.say(typing())
		return nil
	case d.spoilt != nil:
		d.say(*d.spoilt)
		return nil
	}
	if intake.Stripe(d.asUS) { // a reader of stripes that types in another country than the scanner
		d.say(*intake.Dropped())
		return nil
	}
	if n := misfit(d.layout, d.text, d.asUS); n != nil {
		d.say(*n)
		return nil
	}
	out, n := d.rules.Finish(append([]byte(nil), d.text...), d.seen.Add(-max(0, d.last-d.begun)), d.seen)
	if n != nil {
		d.say(*n)
	}
	if len(out) > 0 {
		d.deadUntil = stamp + d.dead
	}
	return out
}

// typed says that a person pressed the keys: they came slowly, or are fewer than any code.
func (d *decoder) typed() bool {
	if utf8.RuneCount(d.text) < fewest && d.spoilt == nil {
		return true
	}
	return d.presses > 1 && (d.last-d.begun)/time.Duration(d.presses-1) > d.pace
}

func typing() scanner.Note {
	return scanner.Note{
		Code: scanner.NoteTyping, Sentence: "Keys were pressed on the scanner's line as slowly as a person types; they were not taken.",
		Remedy: "If a keyboard is bound as the scanner, bind the scanner instead; if it is the scanner, set its delay between characters to none, or raise its option pace.",
	}
}
