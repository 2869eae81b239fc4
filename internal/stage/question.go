package stage

import (
	"context"
	"fmt"
	"time"
)

// Stay keeps a choice on the glass as long as a new one, for the customer has said that he is still there.
func (s *Stage) Stay(ctx context.Context, lane string) error {
	_, err := s.asking(ctx, lane, func(l *layers, now time.Time) { l.until = now.Add(chooseFor) })
	return err
}

// Leave takes a choice off the glass, and the cart below it: the customer has gone. It says whether one stood there; an error
// is a display's.
func (s *Stage) Leave(ctx context.Context, lane string) (bool, error) {
	return s.asking(ctx, lane, func(l *layers, _ time.Time) { l.message, l.cart = View{}, View{} })
}

// asking changes a choice of ways to pay, if there is one.
func (s *Stage) asking(ctx context.Context, lane string, f func(l *layers, now time.Time)) (bool, error) {
	g := s.lanes[lane]
	if g == nil {
		return false, fmt.Errorf("show on lane %q: there is no such lane", lane)
	}
	return s.change(ctx, g, func(now time.Time) bool {
		g.forsake(now)
		asks := g.layers.message.Screen == "choose"
		if asks {
			f(&g.layers, now)
		}
		return asks
	})
}

// OnForsaken has f called when a choice has ended that nobody has answered: Forsaken says on which lane. f must not block.
// Call it before anything is shown.
func (s *Stage) OnForsaken(f func()) {
	for _, g := range s.lanes {
		g.forsaken = f
	}
}

// Forsaken says, once, that a choice has ended on this lane by its time, and that nothing has taken its place since. It never
// waits for a display.
func (s *Stage) Forsaken(lane string) bool {
	g := s.lanes[lane]
	return g != nil && g.layers.forsaken.Swap(false)
}

// forsake ends a choice that nobody has answered in its time, as if the customer had said that he goes: a self-service till's
// next customer must not find his cart. Where a cashier is there the cart is hers. It comes before what is painted without the
// choice, so that whoever touches that finds Forsaken true. With the lock held.
func (g *glass) forsake(now time.Time) {
	l := &g.layers
	if g.Attended || l.message.Screen != "choose" || now.Before(l.until) {
		return
	}
	l.message, l.cart = View{}, View{}
	l.forsaken.Store(true)
	if g.forsaken != nil {
		g.forsaken()
	}
}
