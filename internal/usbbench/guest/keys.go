package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// reportPause is between two reports of the keyboard scanner while nobody looks at its reader. Keyboards are asked every 8 or
// 10 ms; the kernel keeps 64 events for a reader that is late, and drops what is beyond.
const reportPause = 4 * time.Millisecond

// slowly is of how many codes one is typed as most scanners do, each key released before the next is pressed. The others
// are typed as quick ones do, the next key's report in the last one's place.
const slowly = 10

// pace is how fast the keyboard scanner types. Without a node it pauses behind each report, and is slower than any real one.
// With it, it types as fast as the host asks and its reader reads: in an emulated machine that is late as no till's is.
type pace struct {
	node   func() string // of the keyboard now; nil: nobody looks
	reader reader
	last   []byte
	codes  int // whole ones
	slow   int // of them, key by key
}

// asKeys types text. Behind a whole code it waits for nothing: the next may follow at once, as behind a real scanner's. Of a
// part, what came before it has been read when it returns: what the kernel has and the reader has not is lost with the cable.
func (p *pace) asKeys(w io.Writer, text string, whole bool) error {
	if p.node != nil {
		if err := p.reader.watch(p.node()); err != nil {
			return err
		}
	}
	p.last = noKeys()
	slow := false
	if whole {
		text += "\n"
		p.codes++
		if slow = p.codes%slowly == 0; slow {
			p.slow++
		}
	}
	for i := range len(text) {
		down, err := keyOf(text[i])
		if err != nil {
			return err
		}
		if !whole && i == len(text)-1 {
			p.reader.mark()
		}
		if slow || down[2] == p.last[2] {
			if err := p.send(w, noKeys()); err != nil {
				return err
			}
		}
		if err := p.send(w, down); err != nil {
			return err
		}
	}
	// Where the last report had no room, its reader has been waited for already, and will read no more.
	if err := p.send(w, noKeys()); err != nil || whole || p.node == nil || p.reader.sent == 0 {
		return err
	}
	return p.reader.wait()
}

// send sends one report, once its events have room. While it waits no key is held, or the kernel would repeat it.
func (p *pace) send(w io.Writer, report []byte) error {
	if slices.Equal(p.last, report) {
		return nil
	}
	if p.node != nil && !p.reader.room(events(p.last, report)) {
		if err := p.write(w, noKeys()); err != nil {
			return err
		}
		if err := p.reader.wait(); err != nil {
			return err
		}
	}
	return p.write(w, report)
}

func (p *pace) write(w io.Writer, report []byte) error {
	n := events(p.last, report)
	if n == 0 {
		return nil
	}
	if _, err := w.Write(report); err != nil {
		return err
	}
	p.last = report
	if p.node == nil {
		time.Sleep(reportPause)
	} else {
		p.reader.sent += n
	}
	return nil
}

func noKeys() []byte { return make([]byte, keyLength) }

// events is how many the kernel makes of a report behind another, for a reader that wants keys alone: one for each key that
// went up or down, and one that ends them.
func events(last, report []byte) int {
	n := 0
	if last[0] != report[0] {
		n++ // Shift is the only modifier here
	}
	if last[2] != report[2] {
		for _, key := range []byte{last[2], report[2]} {
			if key != 0 {
				n++
			}
		}
	}
	if n > 0 {
		n++
	}
	return n
}

// keyOf is the report of a character's key.
func keyOf(c byte) ([]byte, error) {
	down := noKeys()
	if i := strings.IndexByte(plainKeys, c); i >= 0 {
		down[2] = firstKey + byte(i)
	} else if i := strings.IndexByte(shiftedKeys, c); i >= 0 {
		down[0], down[2] = leftShift, firstKey+byte(i)
	} else {
		return nil, fmt.Errorf("no key has %q", c)
	}
	return down, nil
}
