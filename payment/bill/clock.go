package bill

import (
	"hash/fnv"
	"iter"
	"slices"
	"time"

	"tilld/payment"
)

// again is the wait before question n (from 0) of a schedule whose last wait repeats.
func again(waits []time.Duration, n int) time.Duration {
	if len(waits) == 0 {
		return time.Minute
	}
	return waits[min(n, len(waits)-1)]
}

type alarm struct {
	cause Cause
	at    time.Time
	debt  string
}

// clocks are every clock that runs on s, in the order in which they fire when several are due.
func clocks(s *State) iter.Seq[alarm] {
	return func(yield func(alarm) bool) {
		add := func(c Cause, t time.Time, on bool) bool {
			return !on || t.IsZero() || yield(alarm{cause: c, at: t})
		}
		if !(add(clockCreate, earlier(s.CreateBy, s.ExpiresAt), created(s)) &&
			add(clockLease, s.LateUntil, closing(s) && offered(s)) &&
			add(clockConfirm, s.ConfirmBy, full(s)) &&
			add(clockExpiry, s.ExpiresAt, unfull(s) && !s.Paying && running(s) == nil) &&
			add(clockMaxOpen, s.MaxOpenAt, unfull(s))) {
			return
		}
		if a := running(s); a != nil && !add(clockAttempt, a.Deadline, unfull(s)) {
			return
		}
		if !(add(clockDoubt, s.DoubtBy, closing(s) && !s.Doubt) &&
			add(clockWatch, s.WatchUntil, closed(s) && !s.LastLook) &&
			add(clockAsk, s.NextAsk, true)) {
			return
		}
		for i := range s.Quotes {
			if !add(clockQuote, s.Quotes[i].Until, open(s) && !s.Quotes[i].Gone) {
				return
			}
		}
		for i := range s.Obligations {
			o := &s.Obligations[i]
			if (o.State == Owed || o.State == Sent) && !o.Next.IsZero() && !yield(alarm{cause: clockDebt, at: o.Next, debt: o.ID}) {
				return
			}
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Due is when the next Tick is wanted; zero: none, until something else happens.
func Due(s State) (t time.Time) {
	for c := range clocks(&s) {
		t = earlier(t, c.at)
	}
	return t
}

// tick fires every clock that is due, one after another, each on the state that the one before it left, and once.
func (r *run) tick() {
	var fired []alarm
	for c, ok := r.next(nil); ok; c, ok = r.next(fired) {
		fired = append(fired, c)
		if c.cause == clockAsk {
			r.s.Asks++
		}
		r.one(Event{Cause: c.cause, Obligation: c.debt})
	}
}

// next is the first clock that is due and has not fired.
func (r *run) next(fired []alarm) (alarm, bool) {
	for c := range clocks(&r.s) {
		if due(c.at, r.now) && !slices.ContainsFunc(fired, func(f alarm) bool { return f.cause == c.cause && f.debt == c.debt }) {
			return c, true
		}
	}
	return alarm{}, false
}

// pace sets the next question to the provider.
func (r *run) pace(before State, e Event) {
	s := &r.s
	set := e.set()
	if !asked(s) {
		s.NextAsk, s.Asks = time.Time{}, 0
		return
	}
	changed := before.Life != s.Life || before.Doubt != s.Doubt || before.Paying != s.Paying || before.Busy != s.Busy ||
		before.Full != s.Full || len(before.Attempts) != len(s.Attempts)
	if changed {
		s.Asks = 0
	}
	if r := e.Report; e.Cause == Reported && (r.Work == Look || r.Work == Kill) {
		if s.Misses++; r.Fail == Answered || r.Fail == Refused {
			s.Misses = 0
		}
	}
	if changed || e.Cause == Reported || s.NextAsk.IsZero() || !r.now.Before(s.NextAsk) {
		s.NextAsk = r.now.Add(backOff(s, wait(s, set, r.now)))
		if t := r.believed(); !t.IsZero() && t.Before(s.NextAsk) {
			s.NextAsk = t
		}
	}
}

// believed is when a provider that does not know the live order is to be asked so that its no counts: as soon as nothing
// can land any more, and once again soon after. A bill whose create was lost in a crash is in doubt until then, and not
// for as long as the waits between other questions happen to be. Zero: there is no such moment ahead.
func (r *run) believed() time.Time {
	n, ok := live(&r.s)
	if !ok {
		return time.Time{}
	}
	o := order(&r.s, n)
	switch t := o.CallBy.Add(r.grace(o)); {
	case o.Absent > 0:
		return r.now.Add(Event{Env: r.env}.set().PollNear)
	case !o.CallBy.IsZero() && r.now.Before(t):
		return t
	}
	return time.Time{}
}

// patience is the longest wait between questions to a provider that does not answer them, where polls are closer.
const patience = 30 * time.Second

// backOff doubles the wait for each question in a row that was not answered, up to patience, and spreads the bills of a
// provider in trouble by up to a quarter of it.
func backOff(s *State, d time.Duration) time.Duration {
	if s.Misses == 0 || d >= patience {
		return d
	}
	for range min(s.Misses, 10) {
		d *= 2
	}
	d = min(d, patience)
	h := fnv.New32a()
	_, _ = h.Write([]byte(s.ID)) // a hash does not fail
	_, _ = h.Write([]byte{byte(s.Misses)})
	return d + d/4*time.Duration(h.Sum32()%1024)/1024
}

// asked: there is an order of which something can still be learnt.
func asked(s *State) bool {
	switch s.Life {
	case payment.Created, payment.Closing:
		return s.ID != ""
	case payment.Open:
		return !idle(s) && s.ID != ""
	case payment.Closed:
		return s.Parent == "" && !s.WatchUntil.IsZero() && (s.Order.ID != "" || len(s.Attempts) > 0)
	}
	return false
}

// wait is how long until the next question.
func wait(s *State, set *Settings, now time.Time) time.Duration {
	switch {
	case closed(s), closing(s) && s.Doubt:
		return again(set.Again, s.Asks)
	case closing(s) && s.Busy, s.Paying:
		return set.PollPaying
	case closing(s), created(s):
		return set.PollNear
	case full(s) && (s.Wanted || s.ConfirmBy.IsZero()): // a sale that nobody finishes: another payer is hardly coming, and a bank is not asked for ever
		return max(set.PollFull, again(set.Again, s.Asks))
	case full(s), static(s):
		return set.PollFull
	case scan(s):
		return set.PollCharge
	case !s.ExpiresAt.IsZero() && s.ExpiresAt.Sub(now) < set.Near:
		return set.PollNear
	}
	return set.Poll
}
