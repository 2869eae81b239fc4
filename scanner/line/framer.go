package line

import (
	"bytes"
	"strings"
	"time"

	"tilld/scanner"
	"tilld/scanner/intake"
)

// Limits of a reading.
const (
	MaxBytes = intake.MaxBytes
	Gap      = 300 * time.Millisecond // silence that ends a reading
	torn     = 2 * time.Second        // what begins so soon behind a code that was cut off is the rest of it
)

// What End may be, besides the bytes each of which ends a reading.
const (
	Auto  = ""    // CR, LF or both
	ByETX = "etx" // between STX and ETX
	ByGap = "gap" // silence alone
)

const (
	stx = 0x02
	etx = 0x03
)

// Framer cuts bytes into readings. The zero value is ready; its fields are set before the first byte.
type Framer struct {
	End            string
	Gap            time.Duration
	Prefix, Suffix string
	Rules          *intake.Rules
	Say            func(scanner.Note) // may be nil

	b           []byte
	first, last time.Time
	inside      bool // behind STX
	over        bool // too long: dropped up to its end
	terminator  intake.Terminator
	end         time.Time // of the last text that had one
	cutOff      time.Time // a code's last byte, where its end did not come
	rest        bool      // this is the rest of that code
}

// Take adds bytes that arrived at one moment and gives the readings that are complete.
func (f *Framer) Take(b []byte, at time.Time) []scanner.Reading {
	var out []scanner.Reading
	for _, c := range b {
		switch {
		case f.ends(c):
			f.terminator.Seen(len(f.b) > 0 && f.first.Sub(f.end) > f.gap())
			f.end = at
			out = append(out, f.finish()...)
			continue
		case f.End == ByETX && c == stx:
			f.drop()
			f.inside = true
			continue
		case f.End == ByETX && !f.inside:
			continue
		}
		if len(f.b) == 0 {
			f.first = at
			f.rest = !f.cutOff.IsZero() && at.Sub(f.cutOff) < torn
			f.cutOff = time.Time{}
		}
		f.last = at
		if len(f.b) >= MaxBytes {
			f.over = true
			continue
		}
		f.b = append(f.b, c)
	}
	return out
}

func (f *Framer) ends(c byte) bool {
	switch f.End {
	case Auto:
		return c == '\r' || c == '\n'
	case ByGap:
		return false
	case ByETX:
		return c == etx && f.inside
	}
	return strings.IndexByte(f.End, c) >= 0
}

// Open says that a reading has begun and not ended.
func (f *Framer) Open() bool { return len(f.b) > 0 || f.over }

// Quiet is the silence that ends the reading that has begun.
func (f *Framer) Quiet() time.Duration {
	if !f.Open() {
		return 0
	}
	return f.gap()
}

func (f *Framer) gap() time.Duration {
	if f.Gap <= 0 {
		return Gap
	}
	return f.Gap
}

// Forget has the last reading be none: it was not kept.
func (f *Framer) Forget() {
	if f.Rules != nil {
		f.Rules.Forget()
	}
}

// Flush ends what has begun because nothing follows: a reading of a scanner that sends no terminator, else the rest of one
// whose end was lost.
func (f *Framer) Flush() []scanner.Reading {
	if f.End == ByGap || f.End == Auto && !f.terminator.Expected() {
		return f.finish()
	}
	if len(f.text()) > 0 {
		f.terminator.Missed(f.rest)
		f.cutOff = f.last
		f.say(intake.Damaged())
	}
	f.drop()
	return nil
}

// text is what was gathered, without answers to commands in front of it. Behind STX, which is not kept there, an answer stands
// alone: its ETX, or the next STX, ends it.
func (f *Framer) text() []byte {
	if f.End != ByETX {
		return cutAnswers(f.b)
	}
	if len(f.b) > 0 && (f.b[0] == answerGM65 || f.b[0] == answerNewland) {
		return nil
	}
	return f.b
}

func (f *Framer) drop() { f.b, f.over, f.inside = nil, false, false }

func (f *Framer) say(n *scanner.Note) {
	if n != nil && f.Say != nil {
		f.Say(*n)
	}
}

// finish makes a reading of what was gathered, or none where it cannot be a code.
func (f *Framer) finish() []scanner.Reading {
	b, over := f.text(), f.over
	f.drop()
	if over {
		f.say(intake.TooLong())
		return nil
	}
	if f.End != ByETX {
		b = bytes.TrimPrefix(bytes.TrimRight(b, "\r\n"), []byte{stx})
		b = bytes.TrimSuffix(b, []byte{etx})
	}
	if len(b) == 0 {
		return nil
	}
	if f.rest {
		f.say(intake.Damaged())
		return nil
	}
	b, head := bytes.CutPrefix(b, []byte(f.Prefix))
	b, tail := bytes.CutSuffix(b, []byte(f.Suffix))
	if !head || !tail {
		f.say(intake.Damaged())
		return nil
	}
	if f.Rules == nil {
		f.Rules = &intake.Rules{}
	}
	out, n := f.Rules.Finish(b, f.first, f.last)
	f.say(n)
	return out
}
