package stage

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// Times of what is not of a payment.
const (
	cartFor   = 2 * time.Minute  // a cart without a change
	chooseFor = 80 * time.Second // a question that nobody answers
	noteFor   = 4 * time.Second  // about a reading that was no pay code
)

// layers are what a lane shows beside a payment: out of service > payment > message > cart > the lane at rest, which is idle
// or unavailable. A message or a cart stands over unavailable: the till has put it up knowing what the lane can take, and a
// customer who pays otherwise is to see his goods and their total.
type layers struct {
	shut     bool
	message  View // message or choose; its Screen is "" for none
	cart     View // its Screen is "" for none
	note     string
	sound    string    // of the note, made once
	until    time.Time // of the message
	cartEnd  time.Time
	noteEnds time.Time
	forsaken atomic.Bool // a choice ended by its time, and nobody has been told
}

// payment takes in that a payment's view has come: what was on the glass before the payment does not come back after it.
func (l *layers) payment(was, v View) {
	if v.Payment != "" && v.Payment != was.Payment {
		l.message, l.cart = View{}, View{}
		l.forsaken.Store(false)
	}
	l.note = ""
}

// top is the highest layer at a moment; p is the payment's.
func (l *layers) top(p View, now time.Time) View {
	switch {
	case l.shut:
		return View{Lane: p.Lane, Screen: "out_of_service"}
	case waitsForCode(p) && l.note != "" && now.Before(l.noteEnds):
		p.Screen, p.Sound = l.note, l.sound
		return p
	case p.Payment != "":
		return p
	case l.message.Screen != "" && (l.until.IsZero() || now.Before(l.until)):
		return l.message
	case l.cart.Screen != "" && now.Before(l.cartEnd):
		return l.cart
	}
	return p
}

func (l *layers) ends() []time.Time { return []time.Time{l.until, l.cartEnd, l.noteEnds} }

// Put shows a cart, a message or a choice of ways to pay; v.Screen is "cart", "message" or "choose", and "idle" takes all
// of them away. They stand under the last screen of the payment after, which no payment occupies the lane with any more.
// It reports false where another payment has the glass, and changes nothing.
func (s *Stage) Put(ctx context.Context, v View, after string) (bool, error) {
	g := s.lanes[v.Lane]
	if g == nil {
		return false, fmt.Errorf("show on lane %q: there is no such lane", v.Lane)
	}
	v.Payment, v.Payload = "", ""
	return s.change(ctx, g, func(now time.Time) bool {
		if g.view.Payment != "" && g.view.Payment != after {
			return false
		}
		l := &g.layers
		l.forsaken.Store(false) // the till goes on: with this customer, or it knows
		switch v.Screen {
		case "cart":
			l.cart, l.cartEnd, l.message = v, now.Add(cartFor), View{}
		case "idle":
			l.cart, l.message = View{}, View{}
		default:
			l.message, l.until = v, time.Time{}
			if v.Screen == "choose" {
				l.until = now.Add(chooseFor)
			}
		}
		return true
	})
}

// Note says for a moment, over the wish for a pay code, what was wrong with a reading: "scan_wrong", "scan_shop" or
// "scan_old". It does nothing where no pay code is waited for. Run puts it on the glass: the scanner waits for no display.
func (s *Stage) Note(lane, screen string) {
	g := s.lanes[lane]
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.unlock()
	if waitsForCode(g.view) {
		g.layers.note, g.layers.sound, g.layers.noteEnds = screen, "no", time.Now().Add(noteFor)
	}
}

// waitsForCode says whether the customer of a view is to show his code: at once, or again after a no.
func waitsForCode(v View) bool {
	return v.Screen == "scan" || v.Payload == "" && v.RemainingMS > 0 && (v.Screen == "declined" || v.Screen == "part_paid")
}

// Shut takes a lane out of service, whatever else it would show, and back.
func (s *Stage) Shut(ctx context.Context, lane string, is bool) error {
	g := s.lanes[lane]
	if g == nil {
		return fmt.Errorf("show on lane %q: there is no such lane", lane)
	}
	_, err := s.change(ctx, g, func(time.Time) bool {
		changed := g.layers.shut != is
		g.layers.shut = is
		return changed
	})
	return err
}

// change paints the lane if f has changed something.
func (s *Stage) change(ctx context.Context, g *glass, f func(now time.Time) bool) (bool, error) {
	orders, changed := g.changed(ctx, f)
	if !changed {
		return false, nil
	}
	err := g.wait(ctx, orders)
	s.tell(g)
	return true, err
}

func (g *glass) changed(ctx context.Context, f func(now time.Time) bool) ([]*order, bool) {
	g.mu.Lock()
	defer g.unlock()
	if !f(time.Now()) {
		return nil, false
	}
	return g.paint(ctx, nil), true
}
