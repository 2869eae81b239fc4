package link

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"tilld/internal/ws"
)

// backoff counts the tries since the line was last up for a while.
type backoff struct{ tries int }

// next is how long to wait: full jitter over a window that starts at the server's jitter, with an open payment at one
// second at most, and doubles with each try; never more than longestDelay, with an open payment openLongest: somebody
// stands there. What needs a person waits a minute at least.
func (b *backoff) next(jitter time.Duration, open bool, err error) time.Duration {
	window, longest := jitter, longestDelay
	if open {
		window, longest = min(window, openJitter), openLongest
	}
	for range min(b.tries, 10) {
		window *= 2
	}
	b.tries++
	if why(err).person {
		return personLeast + rand.N(longestDelay-personLeast)
	}
	var e *ended
	if errors.As(err, &e) && e.drain > 0 && !open {
		return e.drain // the server has drawn the lot for each of us
	}
	return asked(open, err) + rand.N(min(max(window, time.Millisecond), longest))
}

// asked is how long the server has asked us to stay away, as far as it is believed; 0 if it has not. Where somebody stands
// there, it may say no again in a minute.
func asked(open bool, err error) time.Duration {
	var h *ws.HandshakeError
	if !errors.As(err, &h) {
		return 0
	}
	if open {
		return min(h.RetryAfter, openRetry)
	}
	return min(h.RetryAfter, retryAfter)
}

// urgent says that a payment is open, or that the journal holds a call that the integrator has not answered.
func (l *Link) urgent() bool {
	return len(l.about.About().OpenPayments) > 0 || len(l.calls.Calls()) > 0
}

// rest waits before the next try. Whoever wakes the link meanwhile shortens the wait to what it would have been with an
// open payment, unless a person must come first: a call has come, or a till was turned away, whose customer stands there.
func (l *Link) rest(ctx context.Context, b *backoff, err error) error {
	select {
	case <-l.wake: // from before: what of it still counts, urgent sees
	default:
	}
	open := l.urgent()
	l.mu.Lock()
	jitter := l.jitter
	l.mu.Unlock()
	least := time.Now().Add(asked(true, err))
	until := time.Now().Add(b.next(jitter, open, err))
	fixed := open || why(err).person
	for {
		t := time.NewTimer(time.Until(until))
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
			return nil
		case <-l.wake:
			t.Stop()
		}
		if !fixed {
			fixed = true
			soon := time.Now()
			if soon.Before(least) {
				soon = least
			}
			if soon = soon.Add(rand.N(openJitter)); soon.Before(until) {
				until = soon
			}
		}
	}
}
