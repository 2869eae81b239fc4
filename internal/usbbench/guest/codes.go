package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"tilld/devices/discover"
	"tilld/internal/localapi/client"
)

const (
	pullEvery = 50 // codes
	ahead     = 8  // codes that a scanner may be ahead of what the till was told: a hand is slower than that
)

// lot is a number of codes through one scanner.
type lot struct {
	lane  string
	hand  *hand
	whole []string // their last byte was sent while the cable was in
	pulls int
	took  time.Duration
	chars int
}

// text is a code of 20 to 300 characters that no other has; it begins with a letter, so that it is no AIM identifier.
func (l *lot) text(i int, r *rand.Rand) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s%d-", "abc"[l.lane[0]-'1':l.lane[0]-'0'], i)
	for n := 20 + r.IntN(281); s.Len() < n; {
		s.WriteByte(byte('!' + r.IntN('~'-'!'+1)))
	}
	return s.String()
}

// next says what is done before code i of n: whether the cable is pulled in the middle of a further one, behind each fiftieth and
// once at least, and whether the time is over. The one pull is not left out for want of time: it is what the codes are for.
func (l *lot) next(i, n int, over bool) (pull, end bool) {
	over = over && i > 0
	if over && l.pulls > 0 {
		return false, true
	}
	return over || i > 0 && i%pullEvery == 0 || i == n-1 && l.pulls == 0, false
}

// scan scans n codes, or as many as its time is enough for, with pulls between them; behind each pull comes one at least.
func (c *counter) scan(l *lot, n int, told *stream, mine span) error {
	r := rand.New(rand.NewPCG(7, uint64(l.hand.controller)))
	begun := time.Now()
	defer func() { l.took = time.Since(begun) }()
	for i := range n {
		pull, end := l.next(i, n, mine.over())
		if end {
			break
		}
		if pull {
			if err := c.cut(l, told, l.text(n+i, r)); err != nil {
				return fmt.Errorf("behind code %d: %w", i, err)
			}
		}
		if err := told.has(l.lane, i-ahead); err != nil {
			return err
		}
		text := l.text(i, r)
		if err := l.hand.Scan(text); err != nil {
			return fmt.Errorf("code %d: %w", i, err)
		}
		l.whole, l.chars = append(l.whole, text), l.chars+len(text)
	}
	return told.has(l.lane, len(l.whole))
}

// cut pulls the cable in the middle of a code, and puts it in again. The whole codes before it have come to the till: a write to
// a scanner's serial end returns while several of them still lie in the scanner, and what lies there goes with the cable.
func (c *counter) cut(l *lot, told *stream, text string) error {
	id := "scanner-" + l.lane
	if err := told.has(l.lane, len(l.whole)); err != nil {
		return err
	}
	before, err := c.device(id)
	if err != nil {
		return err
	}
	if err := l.hand.Part(text[:len(text)/2]); err != nil {
		now, late := c.device(id)
		return errors.Join(fmt.Errorf("a part of %d characters: %w; the box says %s, %+v, and before it %+v", len(text)/2, err, now.State, now.Counters, before.Counters), late)
	}
	if _, err := c.stands(id, "reading the part of a code", func(d client.Device) bool { return d.Counters.BytesIn > before.Counters.BytesIn }); err != nil {
		return err
	}
	if err := errors.Join(l.hand.Pull(), c.isGone(l.hand.controller)); err != nil {
		return err
	}
	l.pulls++
	if _, err := c.plug(l.hand.Gadget, l.hand.controller, l.hand.node); err != nil {
		return err
	}
	_, err = c.serves(id, before.Counters.Opens)
	return err
}

// compare is what became of a lot.
func (l *lot) compare(got []string) (lost, mixed, doubled int) {
	left := map[string]int{}
	for _, t := range l.whole {
		left[t] = 1
	}
	for _, t := range got {
		n, sent := left[t]
		switch {
		case !sent:
			mixed++
		case n == 0:
			doubled++
		default:
			left[t] = 0
		}
	}
	for _, n := range left {
		lost += n
	}
	return lost, mixed, doubled
}

// codes scans with all three scanners at once, n each, while the printers print.
func (c *counter) codes(n int) {
	told, err := c.listen()
	if err != nil {
		c.say("the till's stream", "", err)
		return
	}
	defer told.stop()
	done, mine := make(chan struct{}), c.share(1, c.within)
	keys := c.hands[keyboardScanner].pace
	keys.node = func() string {
		n, _ := c.now(c.hands[keyboardScanner].controller).Node(discover.Input)
		return n.Path
	}
	defer func() { keys.node = nil }()
	var scanning, printing sync.WaitGroup
	for i := range c.desks {
		printing.Go(func() { c.busy(i, done) })
	}
	for lane, kind := range map[string]string{"1": posReports, "2": keyboardScanner, "3": serialScanner} {
		scanning.Go(func() {
			c.check("codes by the "+kind+" scanner, the printers printing", func() (string, error) {
				l, slow := &lot{lane: lane, hand: c.hands[kind]}, 0
				if p := l.hand.pace; p != nil {
					slow = p.slow
				}
				err := c.scan(l, n, told, mine)
				if err == nil {
					c.leftOut("codes by the "+kind+" scanner", len(l.whole), n)
				}
				told.mu.Lock()
				defer told.mu.Unlock()
				lost, mixed, doubled := l.compare(told.texts[lane])
				fact := fmt.Sprintf("%d of %d, of 20 to 300 characters, %d in all, %d pulls in the middle of one: %d lost, %d mixed, %d doubled; %.1f a second",
					len(l.whole), n, l.chars, l.pulls, lost, mixed, doubled, float64(len(l.whole))/l.took.Seconds())
				if p := l.hand.pace; p != nil {
					fact += fmt.Sprintf("; %d of them key by key", p.slow-slow)
				}
				if lost+mixed+doubled > 0 || len(l.whole) == 0 || l.pulls == 0 {
					err = errors.Join(err, errors.New(fact))
				}
				return fact, err
			})
		})
	}
	scanning.Wait()
	close(done)
	printing.Wait()
}
