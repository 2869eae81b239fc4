package stage

import (
	"context"
	"time"

	"tilld/display"
)

// Times after which a screen becomes another one by itself, with nothing new from the payment.
const (
	slowAfter     = 5 * time.Second  // getting the code: say that the bank is slow
	confirmAfter  = 8 * time.Second  // asking the bank: say what the customer may have to do
	hintAfter     = 15 * time.Second // confirm on your phone: say what helps where the phone does not ask
	declinedFor   = 8 * time.Second  // then the code, or the wish for one, again
	endingAt      = time.Minute      // of the code's life
	endingAgainAt = 20 * time.Second // of the code's life
)

// at is what the lane shows at a moment: the highest layer, as far as time has taken it. With the lock held.
func (g *glass) at(now time.Time) View {
	g.forsake(now)
	v := g.layers.top(g.base(now), now)
	if v.Payment == "" || v.Payment != g.view.Payment {
		return v
	}
	past := now.Sub(g.since)
	switch v.Screen {
	case "preparing":
		if past >= slowAfter {
			v.Screen = "preparing_slow"
		}
	case "charging":
		if past >= confirmAfter {
			v.Screen = "paying"
		}
	case "declined":
		if past >= declinedFor {
			v.Screen = map[bool]string{true: "code", false: "scan"}[v.Payload != ""]
		}
	}
	v.Hint = v.Hint || v.Screen == "paying" && g.lasts(now)
	if g.until.IsZero() {
		return v
	}
	left := g.until.Sub(now)
	v.RemainingMS = max(0, left.Milliseconds())
	switch {
	case v.Payload == "":
	case left <= 0: // whoever owns the payment says so too; glass that cannot count must not wait for him
		v.Screen, v.Payload = "closing", ""
	case v.Screen == "code" && left <= endingAt:
		v.Screen = "code_ending"
		if g.Attended {
			v.Screen = "code_ending_cashier"
		}
	}
	return v
}

// noOutput is why nothing can be paid where nothing is there that could take a code: the stage is the first to see it end.
const noOutput = "no_output"

// base is the payment's view, or that of the lane at rest. A page that comes back could take a code again: it does not say
// that nobody can pay until the box has been told of it.
func (g *glass) base(now time.Time) View {
	v := g.view
	if v.Payment != "" || v.Screen != "unavailable" || v.Why != noOutput {
		return v
	}
	g.takers.mu.Lock()
	defer g.takers.mu.Unlock()
	if g.takers.can(g.Outputs, now) {
		v.Screen = "idle"
	}
	return v
}

// lasts says whether the glass has asked this payment's customer to confirm for so long that he gets the hint, by whichever
// of the payment's own screens.
func (g *glass) lasts(now time.Time) bool {
	return g.drawn.Screen == "paying" && g.drawn.Payment == g.view.Payment && now.Sub(g.came) >= hintAfter
}

// end is when the code of a view ends, zero for a view without an end.
func (g *glass) end(v View) time.Time {
	if v.Payment == "" || v.Payment != g.view.Payment || v.Screen == "closing" {
		return time.Time{}
	}
	return g.until
}

// next is the next moment after now at which at says something else; zero when it never will by itself. With the lock held.
func (g *glass) next(now time.Time) time.Time {
	var first time.Time
	add := func(t time.Time) {
		if t.After(now) && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	for _, t := range g.layers.ends() {
		add(t)
	}
	add(g.takers.ends(now))
	if g.drawn.Screen == "paying" {
		add(g.came.Add(hintAfter))
	}
	switch g.view.Screen {
	case "preparing":
		add(g.since.Add(slowAfter))
	case "charging":
		add(g.since.Add(confirmAfter))
	case "declined":
		add(g.since.Add(declinedFor))
	}
	if g.until.IsZero() || g.view.Payload == "" {
		return first
	}
	add(g.until)
	add(g.until.Add(-endingAt))
	add(g.until.Add(-endingAgainAt))
	if left := g.until.Sub(now); left <= endingAt && g.counts() { // a line display counts the last minute down
		add(g.until.Add(-(left - 1).Truncate(time.Second)))
	}
	return first
}

// counts says whether a display is there that cannot keep its own time.
func (g *glass) counts() bool {
	for _, p := range g.devs {
		if !p.d.Caps().Timer {
			return true
		}
	}
	return false
}

// Run keeps every lane's glass right as time passes, by the monotonic clock, until ctx ends. Without it the stage shows
// what it is told and nothing comes by itself.
func (s *Stage) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-timer.C:
		}
		var first time.Time
		for _, g := range s.lanes {
			if t := s.turn(ctx, g); !t.IsZero() && (first.IsZero() || t.Before(first)) {
				first = t
			}
		}
		timer.Stop()
		if !first.IsZero() {
			timer.Reset(time.Until(first))
		}
	}
}

// turn paints a lane whose moment has come, and gives its next one. It waits for no display: the other lanes have moments
// too.
func (s *Stage) turn(ctx context.Context, g *glass) time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	s.tellAble(g)
	now := time.Now()
	v := g.at(now)
	same := v.Sound == "" && v.Screen == g.drawn.Screen && v.Payment == g.drawn.Payment && v.Payload == g.drawn.Payload && v.Hint == g.drawn.Hint
	seconds := v.Payload != "" && v.RemainingMS <= endingAt.Milliseconds() && (v.RemainingMS+999)/1000 != (g.drawn.RemainingMS+999)/1000
	if same && !seconds {
		return g.next(now)
	}
	orders := g.paint(ctx, func(_ string, d display.Display) bool { return !same || !d.Caps().Timer }) // a page counts by itself
	alone(orders, func(*order) bool { return true })
	return g.next(now) // a moment that has come since then is due, and not passed over
}
