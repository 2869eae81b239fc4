package stage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tilld/display"
)

// Limits of a display.
const (
	showLimit = time.Second           // for one screen, where nobody has set another limit
	lastWord  = 50 * time.Millisecond // beyond it, for a display to say how far it came
)

// painter shows on one display: one screen at a time and, of those that come meanwhile, the newest alone. It alone waits for
// the display, so that one which takes its time, or heeds no limit, holds up nobody but itself. All of it is under the
// glass's lock, which nobody holds while a display is asked.
type painter struct {
	g      *glass
	output string
	d      display.Display
	now    *order // the display is at it; nil: at none
	next   *order // waits for it
	gone   bool   // the output has this display no more
}

// order is one screen for one display.
type order struct {
	p      *painter
	screen display.Screen
	limit  time.Duration
	end    context.CancelFunc // has the display leave it; nil before it has begun
	alone  bool               // nobody waits for what it comes to
	late   bool               // whoever waited has gone without an answer

	done  chan struct{} // closed when the rest stands
	shown display.Shown
	err   error
	newer *order // came before this one was seen: what that comes to is the answer to both
}

// errGone: the display went before it was asked.
var errGone = errors.New("the display has gone")

// limit is how long a display may take: until the deadline of who asks, if he has one. That he goes earlier takes nothing
// off the glass.
func limit(ctx context.Context) time.Duration {
	if t, ok := ctx.Deadline(); ok && time.Until(t) > 0 {
		return time.Until(t)
	}
	return showLimit
}

// put hands a screen over and does not wait. With the lock held.
func (p *painter) put(ctx context.Context, s display.Screen) *order {
	o := &order{p: p, screen: s, limit: limit(ctx), done: make(chan struct{})}
	if p.now == nil {
		go p.run(p.begin(o), o) // ends when nothing waits for the display any more
		return o
	}
	p.now.end() // a display that heeds it is free at once
	if old := p.next; old != nil {
		if s.Sound == "" && s.Ref == old.screen.Ref && (old.screen.Sound != "ready" || s.Payload == old.screen.Payload) {
			o.screen.Sound = old.screen.Sound // it was promised, and nobody has heard it
		}
		old.newer = o
		close(old.done)
	}
	p.next = o
	return o
}

// begin makes an order the display's. One that had to wait has its whole time yet. With the lock held.
func (p *painter) begin(o *order) context.Context {
	p.now = o
	var ctx context.Context
	ctx, o.end = context.WithTimeout(context.Background(), o.limit)
	return ctx
}

// run shows an order, and what has come meanwhile.
func (p *painter) run(ctx context.Context, o *order) {
	for o != nil {
		shown, err := p.d.Show(ctx, o.screen)
		ctx, o = p.took(o, shown, err)
	}
}

// took takes in what an order came to, and gives the one to go on with.
func (p *painter) took(o *order, shown display.Shown, err error) (context.Context, *order) {
	g := p.g
	g.mu.Lock()
	defer g.mu.Unlock()
	o.end()
	o.shown, o.err, o.newer = shown, err, p.next
	close(o.done)
	next := p.next
	p.now, p.next = nil, nil
	if next != nil {
		return p.begin(next), next
	}
	if p.gone {
		return nil, nil
	}
	g.on[p.output] = shown
	if err != nil && o.alone {
		g.s.log.Warn("display did not show", "lane", g.name, "device", p.output, "err", err)
	}
	if o.late && shown.Code != "" {
		go g.s.tell(g)
	}
	return nil, nil
}

// leave has a display be one of the lane's no more. What it is at ends; nothing new is shown. With the lock held.
func (p *painter) leave() {
	p.gone = true
	if p.now != nil {
		p.now.end()
	}
	if o := p.next; o != nil {
		p.next = nil
		o.err = errGone
		close(o.done)
	}
}

// answer waits for what an order comes to, its newer ones included, until late ends. Without the lock.
func (o *order) answer(late context.Context) (display.Shown, error) {
	for {
		select {
		case <-o.done:
		case <-late.Done():
			if err := o.giveUp(late); err != nil {
				return display.Shown{}, err
			}
		}
		if o.newer == nil {
			return o.shown, o.err
		}
		o = o.newer
	}
}

// giveUp is for who waits no longer: what the display shows is not known before it says so. nil if it has just answered.
func (o *order) giveUp(late context.Context) error {
	p := o.p
	p.g.mu.Lock()
	defer p.g.mu.Unlock()
	select {
	case <-o.done:
		return nil
	default:
	}
	o.late = true
	if p.next == nil || p.next == o {
		p.g.on[p.output] = display.Shown{}
	}
	return context.Cause(late)
}

// wait returns when every order has its answer, or soon after ctx has ended. Without the lock.
func (g *glass) wait(ctx context.Context, orders []*order) error {
	late, done := patience(ctx)
	defer done()
	var errs []error
	for _, o := range orders {
		if _, err := o.answer(late); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", o.p.output, err))
		}
	}
	return errors.Join(errs...)
}

// patience ends with ctx; at its deadline only once displays have had the time to say how far they came.
func patience(ctx context.Context) (context.Context, context.CancelFunc) {
	late, end := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			t := time.NewTimer(lastWord)
			defer t.Stop()
			select {
			case <-t.C:
			case <-late.Done():
			}
		}
		end(ctx.Err())
	})
	return late, func() { stop(); end(nil) }
}
