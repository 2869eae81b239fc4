package integrator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tilld/internal/wire"
	"tilld/payment"
)

// Payment numbers: four digits as long as a merchant's business day has enough of them, five after that.
const (
	firstNumber = 1000
	fourDigits  = 9000 // 1000 … 9999
	lastNumber  = 99_999
)

// ErrNoNumbers says that a merchant's business day has leased every number of at most five digits.
var ErrNoNumbers = errors.New("the merchant's numbers of this business day are leased out")

// Day is the state of a merchant's numbers on one business day. A day goes on where the day before stopped, and wraps:
// a box that still holds yesterday's block shows none that another box was given this morning.
type Day struct {
	Day   string // 2026-11-22
	Start int    // offset of the day's first number from firstNumber, below fourDigits
	Used  int    // numbers leased so far
}

// NextDay is d as the first lease of day finds it.
func (d Day) NextDay(day string) Day {
	if d.Day == day {
		return d
	}
	return Day{Day: day, Start: (d.Start + min(d.Used, fourDigits)) % fourDigits}
}

// Lease takes the next block of at most n numbers, never across a wrap, and gives the state after it. A number has five
// digits at most, so that people can say it and every bank takes it: after the last one there is ErrNoNumbers.
func (d Day) Lease(n int) (payment.Numbers, Day, error) {
	from := firstNumber + d.Used // five digits: 10000 on, in order
	if d.Used < fourDigits {
		off := (d.Start + d.Used) % fourDigits
		n = min(n, fourDigits-off, fourDigits-d.Used)
		from = firstNumber + off
	} else if n = min(n, lastNumber-from+1); n <= 0 {
		return payment.Numbers{}, d, ErrNoNumbers
	}
	d.Used += n
	return payment.Numbers{Day: d.Day, From: from, To: from + n - 1}, d, nil
}

// lease is a block for a box, or none: it can sell on with what it holds, and says no_numbers after that.
func (s *Service) lease(ctx context.Context, terminal string, epoch int64, day string) (*payment.Numbers, error) {
	n, err := s.store.Lease(ctx, terminal, epoch, s.merchant, day, s.set.Block)
	if errors.Is(err, ErrNoNumbers) {
		s.log.Error("no numbers are left today, the box takes no more payments than it has numbers", "terminal", terminal, "day", day)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &n, nil
}

// few says that a box will soon want more numbers than the left that it has; nil: it does not say. What bills are made shows
// the same as a rule, but for payments that were withdrawn before they were sent: those have used numbers too.
func (s *Service) few(left *int) bool { return left != nil && *left <= s.set.Block/4 }

// Clock is what to tell a terminal of the time, and today's business day, with a block of today's numbers if its newest is
// of another day. A block that does not arrive is wasted and nothing else.
func (s *Service) Clock(ctx context.Context, terminal string, epoch int64, have string) (wire.Clock, string, error) {
	now := s.time.day()
	c, day := wire.Clock{Now: now.Format(time.RFC3339)}, businessDay(now, s.zone)
	if day == have {
		return c, day, nil
	}
	t, err := s.store.Terminal(ctx, terminal)
	switch {
	case err != nil:
		return c, day, err
	case t.Epoch != epoch:
		return c, day, ErrSuperseded
	case t.Numbers.Day == day: // an answer to bill.create has brought it
		return c, day, nil
	}
	if c.Numbers, err = s.lease(ctx, terminal, epoch, day); err != nil {
		return c, day, fmt.Errorf("lease numbers of a new day: %w", err)
	}
	return c, day, nil
}

// Midnight is how long the merchant's business day still lasts.
func (s *Service) Midnight() time.Duration {
	now := s.time.day().In(s.zone)
	next := time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, s.zone)
	if businessDay(next, s.zone) == businessDay(now, s.zone) { // that day begins at 01:00, as in Santiago in September
		next = next.Add(time.Hour)
	}
	return next.Sub(now)
}

// businessDay names the day of t in the merchant's zone.
func businessDay(t time.Time, zone *time.Location) string { return t.In(zone).Format(time.DateOnly) }
