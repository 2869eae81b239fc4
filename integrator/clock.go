package integrator

import (
	"context"
	"slices"
	"sync/atomic"
	"time"
)

// Reckoning is where the ledger's time stands, as a Store keeps it.
type Reckoning struct {
	Mark  time.Time     // the ledger's time, when it was kept
	Ahead time.Duration // of the wall clock then
}

// ledgerTime is the time in which the ledger counts: every wait and every end of a bill is of this time and of no other.
// While a process runs it goes on as time really does, whatever the wall clock is set to. From one process to the next it
// follows the wall clock, and never runs back. The wall clock itself is asked for what the world outside calls the time:
// a bank, a business day, a person.
type ledgerTime struct {
	wall  func() time.Time
	begun time.Time    // of this process, as its monotonic clock has it
	from  time.Time    // the ledger's time then
	slept atomic.Int64 // nanoseconds for which the machine was suspended since, which no monotonic clock has counted
}

// nearMark is how far before the mark a clock may be that has not been set.
const nearMark = time.Hour

// resume goes on from what was kept. The wall clock may show the time as the ledger has it, or still be wrong by as much
// as it was: of these, the earliest that is not before the mark. If neither can be, the clock has gone back while nobody
// looked: how long the ledger was closed is not known, and it goes on from the mark. So a clock that was once ten years
// ahead costs the bills of that moment their waits, and those after it nothing. A little before the mark is the mark: a
// machine without a clock of its own starts with the last time that it had written down.
func resume(wall func() time.Time, kept Reckoning) *ledgerTime {
	now := wall().UTC().Round(0)
	may := []time.Time{now, now.Add(kept.Ahead)}
	slices.SortFunc(may, time.Time.Compare)
	t := &ledgerTime{wall: wall, begun: time.Now(), from: kept.Mark}
	if d := kept.Mark.Sub(now.Add(kept.Ahead)); 0 < d && d < nearMark {
		return t
	}
	if i := slices.IndexFunc(may, func(at time.Time) bool { return !at.Before(kept.Mark) }); i >= 0 {
		t.from = may[i]
	}
	return t
}

// now is the ledger's time, as it is stored: a bill's clocks outlive this process.
func (t *ledgerTime) now() time.Time {
	return t.from.Add(time.Since(t.begun)).Add(time.Duration(t.slept.Load()))
}

// day is the wall clock.
func (t *ledgerTime) day() time.Time { return t.wall().UTC().Round(0) }

// ahead is how far the ledger's time is ahead of the wall clock; below 0: behind.
func (t *ledgerTime) ahead() time.Duration { return t.now().Sub(t.day()) }

// outside is a time of the ledger as the world outside calls it. Never stays never.
func (t *ledgerTime) outside(at time.Time) time.Time {
	if at.IsZero() {
		return at
	}
	return at.Add(-t.ahead())
}

// inside is a time that a bank has said, as the ledger's.
func (t *ledgerTime) inside(said time.Time) time.Time {
	if said.IsZero() {
		return said
	}
	return said.UTC().Add(t.ahead())
}

// happened is inside for what is over: at the latest now, whatever the two clocks say.
func (t *ledgerTime) happened(said time.Time) time.Time {
	at := t.inside(said)
	if now := t.now(); at.After(now) {
		return now
	}
	return at
}

// Slept says for how long the machine was suspended, in all since the start. The ledger's time goes on by that, as it does
// while the server is off; the waits of this process do not, so it must end now, and what starts next finds what is due.
func (s *Service) Slept(d time.Duration) { s.time.slept.Store(int64(d)) }

// keepTime keeps where the ledger's time stands, while bills change and when the wall clock was set: what a process that
// is killed has counted since may be counted again. It answers why the store has stopped, if it has: with nothing to do, no
// queue would notice.
func (s *Service) keepTime(ctx context.Context) error {
	t := time.NewTicker(markEvery)
	defer t.Stop()
	s.markTime(ctx)
	for {
		if err := s.stopped(); err != nil {
			return err
		}
		if s.changed.Swap(false) || (s.kept.Ahead-s.time.ahead()).Abs() > clockStep {
			s.markTime(ctx)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// markTime keeps where the ledger's time stands now.
func (s *Service) markTime(ctx context.Context) {
	r := Reckoning{Mark: s.time.now(), Ahead: s.time.ahead()}
	if by := s.kept.Ahead - r.Ahead; by.Abs() > clockStep {
		s.log.Warn("the wall clock was set", "by", by.Round(time.Second).String(), "to", s.time.day())
	}
	switch err := s.store.Reckon(context.WithoutCancel(ctx), r); {
	case err == nil:
		s.kept = r
	case s.stopped() == nil:
		s.changed.Store(true) // it is tried again
		s.log.Warn("the ledger's time was not kept", "err", err)
	}
}
