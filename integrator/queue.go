package integrator

import (
	"context"
	"errors"
	"sync"
	"time"

	"tilld/payment/bill"
)

// clocks is the name of the queue of ticks; every other queue is a provider's.
const clocks = ""

// queue is the work of one provider, or the clocks.
type queue struct {
	name  string
	slots chan struct{} // capacity: how many are worked at once; a full one makes the queue wait
	busy  sync.WaitGroup
	lease time.Duration
	wake  chan struct{} // one signal waits; more would say the same
	asked chan struct{} // unbuffered: whoever asks whether this loop goes on is answered by its taking it

	mu    sync.Mutex
	idle  bool       // about to sleep, or asleep
	until time.Time  // then until this; zero: until it is woken
	begin func(Work) // does work that was claimed elsewhere; nil: nobody serves the queue, or others come first
	serve func(Work) // what begin is when nobody waits
}

func newQueue(name string, slots int, limit time.Duration) *queue {
	return &queue{name: name, slots: make(chan struct{}, slots), lease: limit + claimMargin, wake: make(chan struct{}, 1), asked: make(chan struct{})}
}

// wake says that the queue has work due at at. It costs nothing if the queue will look by then anyway.
func (s *Service) wake(name string, at time.Time) {
	q := s.queues[name]
	if q == nil {
		return // of a provider that is not configured: next start
	}
	q.mu.Lock()
	late := !q.idle || q.until.IsZero() || at.Before(q.until)
	q.mu.Unlock()
	if late {
		select {
		case q.wake <- struct{}{}:
		default:
		}
	}
}

// serve works the queue until ctx ends, and waits for what is under way. It sleeps until the next piece is due or it is
// woken: an idle server reads nothing.
func (s *Service) serve(ctx context.Context, q *queue) error {
	q.open(func(w Work) { s.do(ctx, w) })
	defer q.busy.Wait()
	defer q.open(nil)
	defer context.AfterFunc(ctx, func() { q.open(nil) })()
	failed := false
	for ctx.Err() == nil {
		q.answer()
		n, err := s.start(ctx, ctx, q)
		switch {
		case err != nil && ctx.Err() != nil:
		case err != nil:
			if stopped := s.stopped(); stopped != nil {
				return stopped
			}
			if !failed {
				s.log.Error("queue cannot be read", "provider", q.name, "err", err)
			}
			failed = true
			pause(ctx, storePause)
			continue
		case failed:
			s.log.Info("queue is read again", "provider", q.name)
			failed = false
		}
		if n == 0 {
			s.sleep(ctx, q)
		}
	}
	if s.codes.any() {
		// Ended in order: a customer's code that was taken but not sent yet would be lost with this process.
		if _, err := s.start(context.WithoutCancel(ctx), ctx, q); err != nil {
			s.log.Warn("queue cannot be read", "provider", q.name, "err", err)
		}
	}
	return nil
}

// stopped is why the store can never be written again, or nil.
func (s *Service) stopped() error {
	if st, ok := s.store.(interface{ Stopped() error }); ok {
		return st.Stopped()
	}
	return nil
}

// start claims what is due, as much as it has places for, and begins it. What it begins ends some grace after live.
func (s *Service) start(ctx, live context.Context, q *queue) (int, error) {
	places := 0
	defer func() { q.free(places) }()
	select {
	case q.slots <- struct{}{}: // who waits here is the next one to get a place
		places++
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	q.mu.Lock()
	q.idle = false // before the look: what is queued from here on signals
	q.mu.Unlock()
	now := s.time.now()
	next, ok, err := s.store.Next(ctx, q.name)
	if err != nil {
		return 0, err
	}
	q.mu.Lock()
	q.until, q.idle = time.Time{}, !ok || next.After(now)
	if ok {
		q.until = next
	}
	idle := q.idle
	if idle {
		q.begin = q.serve
	}
	q.mu.Unlock()
	if idle {
		return 0, nil
	}
	places += q.more()
	works, err := s.store.Claim(ctx, q.name, now, q.lease, places)
	if err != nil {
		return 0, err
	}
	q.mu.Lock()
	if q.begin = q.serve; len(works) == places {
		q.begin = nil // more may be due
	}
	q.mu.Unlock()
	for _, w := range works {
		places--
		q.busy.Go(func() {
			defer q.free(1)
			s.do(live, w)
		})
	}
	return len(works), nil
}

// sleep waits for the next piece of work, a wake-up or the end.
func (s *Service) sleep(ctx context.Context, q *queue) {
	q.mu.Lock()
	until := q.until
	q.mu.Unlock()
	var due <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(until.Sub(s.time.now()))
		defer t.Stop()
		due = t.C
	}
	for {
		select {
		case <-q.asked:
			continue
		case <-due:
		case <-q.wake:
		case <-ctx.Done():
		}
		return
	}
}

// answer takes a question whether the loop goes on, if there is one.
func (q *queue) answer() {
	select {
	case <-q.asked:
	default:
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// drop takes claimed work off the queue; if it was asked for again meanwhile, it is due.
func (s *Service) drop(ctx context.Context, w Work) error {
	err := s.store.Drop(ctx, w)
	s.wake(w.Provider, time.Time{})
	return err
}

// do works one piece. What it changes is durable before it returns; where it cannot change anything, the lease ends and
// the piece is due again.
func (s *Service) do(ctx context.Context, w Work) {
	sub := Subject{Bill: w.Bill, Done: &w}
	keep := context.WithoutCancel(ctx)
	var err error
	if w.Kind == Tick {
		_, err = s.change(keep, sub, bill.Event{Cause: bill.Tick})
	} else {
		err = s.ask(ctx, w)
	}
	if errors.Is(err, ErrUnknownBill) {
		err = s.drop(keep, w)
	}
	if err != nil {
		s.log.Error("work failed, it comes again", "bill", w.Bill, "provider", w.Provider, "work", string(w.Kind), "tries", w.Tries, "err", err)
	}
}
