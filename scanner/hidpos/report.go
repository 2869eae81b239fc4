package hidpos

import (
	"bytes"
	"time"

	"tilld/scanner"
	"tilld/scanner/intake"
)

// nextPart is how long a code's next report may take.
const nextPart = time.Second

// decoder joins reports into codes.
type decoder struct {
	layouts []layout
	numbers bool // reports begin with their number
	rules   *intake.Rules
	say     func(scanner.Note)

	text        []byte
	aim         string
	first, last time.Time
	open        bool // a report said that more follows
	over        bool // too long: dropped up to its last report
}

// Take takes one report.
func (d *decoder) Take(b []byte, at time.Time) []scanner.Reading {
	l, b := d.find(b)
	if l == nil {
		return nil // status and the like
	}
	text, aim, more, ok := l.read(b)
	if !ok {
		d.drop()
		d.tell(intake.Damaged())
		return nil
	}
	if !d.open {
		d.first, d.aim = at, aim
	}
	d.last = at
	if d.over = d.over || len(d.text)+len(text) > intake.MaxBytes; !d.over {
		d.text = append(d.text, text...)
	}
	if d.open = more; more {
		return nil
	}
	text, over := d.text, d.over
	aim = d.aim
	d.drop()
	if over {
		d.tell(intake.TooLong())
		return nil
	}
	text = bytes.TrimPrefix(bytes.TrimRight(text, "\r\n\t\x00"), []byte(aim)) // a scanner told to send the identifier has it in the data too
	out, n := d.rules.Finish(append([]byte(aim), text...), d.first, d.last)
	d.tell(n)
	return out
}

// Quiet is how long the next part may take.
func (d *decoder) Quiet() time.Duration {
	if d.open {
		return nextPart
	}
	return 0
}

// Forget has the last reading be none: it was not kept.
func (d *decoder) Forget() { d.rules.Forget() }

// Flush gives up a code whose next part did not come.
func (d *decoder) Flush() []scanner.Reading {
	d.drop()
	d.tell(intake.Damaged())
	return nil
}

func (d *decoder) drop() { d.text, d.aim, d.open, d.over = nil, "", false, false }

func (d *decoder) tell(n *scanner.Note) {
	if n != nil {
		d.say(*n)
	}
}

// find is the layout of a report, and the report behind its number.
func (d *decoder) find(b []byte) (*layout, []byte) {
	id := 0
	if d.numbers {
		if len(b) == 0 {
			return nil, nil
		}
		id, b = int(b[0]), b[1:]
	}
	for i := range d.layouts {
		if d.layouts[i].id == id {
			return &d.layouts[i], b
		}
	}
	return nil, nil
}

// read takes a report apart; false where it is shorter than it should be, or says that it holds more than it can.
func (l *layout) read(b []byte) (text []byte, aim string, more, ok bool) {
	if len(b)*8 < l.bits {
		return nil, "", false, false
	}
	n := l.data.count
	if l.length.there() {
		v := value(b, l.length, 0)
		if v > uint32(n) {
			return nil, "", false, false
		}
		n = int(v)
	}
	for i := range n {
		text = append(text, byte(value(b, l.data, i)))
	}
	if !l.length.there() {
		text = bytes.TrimRight(text, "\x00")
	}
	var id []byte
	for _, f := range l.aim {
		if f.there() {
			id = append(id, byte(value(b, f, 0)))
		}
	}
	if cut, _ := scanner.CutAIM(id); len(id) == 3 {
		aim = cut // zeros, and whatever else is none, are left out
	}
	return text, aim, l.more.there() && value(b, l.more, 0) != 0, true
}
