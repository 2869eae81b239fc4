package link

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"tilld/internal/wire"
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
	if _, person := sentence(err); person {
		return personLeast + rand.N(longestDelay-personLeast)
	}
	var e *ended
	if errors.As(err, &e) && e.drain > 0 && !open {
		return e.drain // the server has drawn the lot for each of us
	}
	d := rand.N(min(max(window, time.Millisecond), longest))
	var h *ws.HandshakeError
	if errors.As(err, &h) && h.RetryAfter > 0 {
		d += min(h.RetryAfter, retryAfter)
	}
	return d
}

// urgent says that a payment is open, or that the journal holds a call that the integrator has not answered.
func (l *Link) urgent() bool {
	return len(l.about.About().OpenPayments) > 0 || len(l.calls.Calls()) > 0
}

// rest waits before the next try. Whoever wakes the link meanwhile shortens the wait to what it would have been with an
// open payment, unless the server asked for the wait or a person must come first: a call has come, or a till was turned
// away, whose customer stands there.
func (l *Link) rest(ctx context.Context, b *backoff, err error) error {
	select {
	case <-l.wake: // from before: what of it still counts, urgent sees
	default:
	}
	open := l.urgent()
	l.mu.Lock()
	jitter := l.jitter
	l.mu.Unlock()
	until := time.Now().Add(b.next(jitter, open, err))
	var h *ws.HandshakeError
	_, person := sentence(err)
	fixed := open || person || (errors.As(err, &h) && h.RetryAfter > 0)
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
			if soon := time.Now().Add(rand.N(openJitter)); soon.Before(until) {
				until = soon
			}
		}
	}
}

// sentence says in one sentence why the line is down, and whether a person must do something before it can be up.
func sentence(err error) (text string, person bool) {
	var ce *ws.CloseError
	var he *ws.HandshakeError
	var cert *tls.CertificateVerificationError
	var host x509.HostnameError
	switch {
	case err == nil:
		return "the connection has ended", false
	case errors.As(err, &ce) && !ce.Local:
		return closeSentence(ce.Code)
	case errors.As(err, &he):
		switch he.Status {
		case 426:
			return "the integrator does not speak " + wire.Protocol + ": update this box", true
		case 401, 403, 404, 405:
			return fmt.Sprintf("the integrator refuses this box (HTTP %d): check its URL and who may connect", he.Status), true
		case 503:
			return "the integrator is busy and asked to come again later", false
		}
		return fmt.Sprintf("the integrator answered HTTP %d", he.Status), false
	case errors.As(err, &cert), errors.As(err, &host):
		return "the integrator's certificate is not trusted: check the URL, the CA and this box's clock", true
	}
	return err.Error(), false
}

func closeSentence(code int) (text string, person bool) {
	switch code {
	case wire.CloseRestart:
		return "the integrator restarts", false
	case wire.CloseBadFrame:
		return "the integrator refused a frame of ours", false
	case wire.CloseAuth:
		return "the integrator does not know this terminal by its name and key: add its key there", true
	case wire.CloseBlocked:
		return "the integrator has blocked this terminal", true
	case wire.CloseSuperseded:
		return "another connection of this terminal took over", false
	case wire.CloseClone:
		return "another box uses this terminal's identity: pair one of them anew, then restart this box, which was taken over", true
	case wire.CloseVersion:
		return "this box's version is too old for the integrator: update it", true
	case wire.CloseBehind:
		return "this box, or the line to it, was too slow and was asked to come again", false
	case wire.CloseOverload:
		return "the integrator could not serve this box and asked it to come again", false
	}
	return fmt.Sprintf("the integrator closed the connection (%d)", code), false
}
