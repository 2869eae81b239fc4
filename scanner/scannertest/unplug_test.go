package scannertest

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"tilld/scanner"
)

// Bugs to plant in a scanner: what a pulled cable must bring to light.
const (
	none    = ""
	loses   = "loses a code"
	mixes   = "puts what was cut off in front of the next code"
	doubles = "hands a code on twice"
)

// careless takes lines off a wire, with a bug.
type careless struct {
	w    *Wire
	bug  string
	rest *[]byte // what a pull has cut off
}

func (c careless) Serve(ctx context.Context, sink func(context.Context, scanner.Reading) error) error {
	var text []byte
	if c.bug == mixes {
		text = *c.rest
	}
	for n, b := 0, make([]byte, 4096); ; {
		k, err := c.w.Read(b)
		for _, x := range b[:k] {
			if x != '\r' {
				text = append(text, x)
				continue
			}
			n++
			times := 1
			switch {
			case c.bug == loses && n%betweenPulls == 0:
				times = 0
			case c.bug == doubles && n%betweenPulls == 0:
				times = 2
			}
			for range times {
				if err := sink(ctx, scanner.Reading{Text: scanner.NewText(text), Last: time.Now()}); err != nil {
					return err
				}
			}
			text = nil
		}
		if err != nil {
			*c.rest = text
			return err
		}
	}
}

// TestUnplugFindsPlantedBugs: a scanner without a bug passes, and each bug is found for what it is.
func TestUnplugFindsPlantedBugs(t *testing.T) {
	for bug, ok := range map[string]func(count) bool{
		none:    func(c count) bool { return c.lost+c.mixed+c.doubled == 0 },
		loses:   func(c count) bool { return c.lost == c.pulls && c.mixed+c.doubled == 0 },
		mixes:   func(c count) bool { return c.mixed == c.pulls-1 && c.lost == c.mixed && c.doubled == 0 },
		doubles: func(c count) bool { return c.doubled == c.pulls && c.lost+c.mixed == 0 },
	} {
		synctest.Test(t, func(t *testing.T) {
			var rest []byte
			c := unplug(t, func(*testing.T) Bench {
				w := NewWire(nil)
				say := func(text string) { _, _ = io.WriteString(w.Far(), text) } // the wire takes it all
				return Bench{
					Scanner: careless{w, bug, &rest}, HangUp: func() { _ = w.Far().Close() },
					Scan: func(text string) { say(text + "\r") }, Part: say,
				}
			}, 4*betweenPulls)
			if t.Logf("%q: %v", bug, c); c.sent != 4*betweenPulls || c.pulls != 4 || !ok(c) {
				t.Errorf("%q: %v", bug, c)
			}
		})
	}
}
