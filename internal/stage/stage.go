// Package stage is what the customer of each lane sees now: one screen, on all of the lane's outputs together, the newest
// wins. It writes the words, has every code decoded again from its own picture before any glass gets it, and makes a
// display that comes back right at once. It knows no payment's rules and no command set.
package stage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"tilld/display"
	"tilld/internal/qr"
)

// Names of the outputs that may take a code.
const (
	Till            = "till"             // the till software draws it from the API
	CustomerDisplay = "customer-display" // a display that can draw a code; one that cannot shows the words
	Kiosk           = "kiosk"            // the customer's page
)

// Lane is a lane's part of the stage.
type Lane struct {
	Language string
	Shop     string   // payee on the glass, where the payment names none
	Outputs  []string // that take the code where the payment does not name its own
	Attended bool     // a cashier is there to be asked for more time
}

// Stage holds every lane's glass. Make it with New; its methods may be called from any goroutine.
type Stage struct {
	lanes map[string]*glass
	wake  chan struct{}                     // capacity 1: the moments of a lane have changed
	gone  func(lane string, shown []string) // told when outputs come or go while a code is shown; may be nil
	able  func(lane string)                 // told when CanShow may answer otherwise than before; may be nil
	log   *slog.Logger
}

type glass struct {
	Lane
	s    *Stage
	name string

	telling sync.Mutex // what the outputs show is told one after the other, the newest last; taken before mu

	mu     sync.Mutex          // the glass changes in the order of the views; never held while a display is asked
	devs   map[string]*painter // by output; none is missing while it is not there
	left   map[string]*painter // by output: of the display that has gone, which may still be at a screen when it is back
	layers layers
	view   View                     // of the payment
	until  time.Time                // end of the view's code
	since  time.Time                // when the view's screen came
	drawn  View                     // what the glass was told last
	came   time.Time                // when the screen of drawn came
	on     map[string]display.Shown // what each output says that it shows
	takers takers
	wake   chan<- struct{}

	forsaken func() // told of a choice that nobody has answered; may be nil
}

// New makes a stage; until the first Show every lane is out of service. gone may wait: that holds up who asks, and no display.
func New(lanes map[string]Lane, gone func(lane string, shown []string), log *slog.Logger) *Stage {
	s := &Stage{lanes: map[string]*glass{}, wake: make(chan struct{}, 1), gone: gone, log: log}
	for name, l := range lanes {
		s.lanes[name] = &glass{
			Lane: l, s: s, name: name, devs: map[string]*painter{}, left: map[string]*painter{}, on: map[string]display.Shown{}, view: View{Lane: name, Screen: "out_of_service"}, since: time.Now(), wake: s.wake,
		}
	}
	return s
}

// Show replaces what the lane shows and answers the outputs that carry the code now, as read back where that is
// possible: as soon as all that were given it have answered, and not later than soon after ctx ends. An error means that
// this code may be shown nowhere.
func (s *Stage) Show(ctx context.Context, v View) ([]string, error) {
	g := s.lanes[v.Lane]
	if g == nil {
		return nil, fmt.Errorf("show on lane %q: there is no such lane", v.Lane)
	}
	hash := ""
	if v.Payload != "" {
		symbol, err := qr.New(v.Payload)
		if err != nil {
			s.log.Error("code is not shown: it could not be read back", "lane", v.Lane, "err", err)
			v.Payload = ""
			_, _ = g.show(ctx, v, "")
			return nil, err
		}
		hash = symbol.Hash()
	}
	shown, err := g.show(ctx, v, hash)
	if err != nil && !errors.Is(ctx.Err(), context.Canceled) { // canceled: something newer waits for the glass
		s.log.Warn("display did not show", "lane", v.Lane, "err", err)
	}
	return shown, nil
}

// show puts the view on the lane's displays and says which outputs carry its code. For a code it waits for those that were
// given it: how far a pole has come with its words decides nothing.
func (g *glass) show(ctx context.Context, v View, hash string) (shown []string, err error) {
	g.mu.Lock()
	now := time.Now()
	if v.Screen != g.view.Screen || v.Payment != g.view.Payment {
		g.since = now
	}
	g.layers.payment(g.view, v)
	g.view, g.until = v, time.Time{}
	if v.RemainingMS > 0 {
		g.until = now.Add(time.Duration(v.RemainingMS) * time.Millisecond)
	}
	orders := g.paint(ctx, nil)
	g.view.Sound = "" // made once
	if hash != "" {
		orders = alone(orders, func(o *order) bool { return o.screen.Payload == "" })
	}
	g.unlock()
	err = g.wait(ctx, orders)
	if hash == "" {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.carrying(v, hash), err
}

// unlock lets the next one at the glass, and has Run look at what it comes to by itself.
func (g *glass) unlock() {
	g.mu.Unlock()
	select {
	case g.wake <- struct{}{}:
	default: // it is about to look anyway
	}
}

// carrying is which of the outputs of a view have its code on them.
func (g *glass) carrying(v View, hash string) (shown []string) {
	for _, o := range g.takes(v) {
		if o == Till || g.on[o].Code == hash {
			shown = append(shown, o)
		}
	}
	return shown
}

// paint is called with the lock held. The displays of the lane change together, those that pick chooses or, nil, all of
// them. It waits for none: what became of it say the orders.
func (g *glass) paint(ctx context.Context, pick func(output string, d display.Display) bool) (orders []*order) {
	now := time.Now()
	v := g.at(now)
	if v.Screen != g.drawn.Screen || v.Payment != g.drawn.Payment {
		g.came = now
	}
	g.drawn = v
	g.layers.sound = "" // made with this view
	for output, p := range g.devs {
		if pick != nil && !pick(output, p.d) {
			continue
		}
		mine := v
		if p.d.Caps().MaxPayload < len(v.Payload) || !slices.Contains(g.takes(v), output) {
			mine.Payload = "" // the words alone
		}
		orders = append(orders, p.put(ctx, screen(mine, g.Lane, g.end(v))))
	}
	return orders
}

// alone takes those out for which nobody waits: what goes wrong with them is logged. With the lock held since they were put.
func alone(orders []*order, is func(*order) bool) (others []*order) {
	for _, o := range orders {
		if o.alone = is(o); !o.alone {
			others = append(others, o)
		}
	}
	return others
}

func (g *glass) takes(v View) []string {
	if len(v.Outputs) > 0 {
		return v.Outputs
	}
	return g.Outputs
}

// Use says which customer display a lane has now; ready false: it has none. A display that comes back is made right at
// once. It is devices.Supervise's Use.
func (s *Stage) Use(lane string, d display.Display, ready bool) {
	s.UseAs(lane, CustomerDisplay, d, ready)
}

// UseAs is Use for any output of the lane that is a display: CustomerDisplay or Kiosk.
func (s *Stage) UseAs(lane, output string, d display.Display, ready bool) {
	g := s.lanes[lane]
	if g == nil {
		return
	}
	if !ready {
		if g.drop(output, d) {
			s.tell(g)
		}
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), showLimit)
	defer cancel()
	if err := g.wait(ctx, g.take(ctx, output, d)); err != nil {
		s.log.Warn("display did not show", "lane", lane, "device", output, "err", err)
	}
	s.tell(g)
}

// take has an output be this display, and paints what that changes.
func (g *glass) take(ctx context.Context, output string, d display.Display) []*order {
	g.mu.Lock()
	defer g.unlock()
	if old := g.devs[output]; old == nil || old.d != d {
		if old != nil {
			old.leave()
		}
		p := g.left[output]
		if p == nil || p.d != d {
			p = &painter{g: g, output: output, d: d}
		}
		delete(g.left, output)
		p.gone = false
		g.devs[output] = p
	}
	if d.Caps().MaxPayload > 0 {
		g.takers.come(output)
		g.s.tellAble(g)
	}
	news := g.at(time.Now()).Screen != g.drawn.Screen // its coming may change what all of them show
	return g.paint(ctx, func(o string, _ display.Display) bool { return news || o == output })
}

// drop has an output have this display no more; false: it had another.
func (g *glass) drop(output string, d display.Display) bool {
	g.mu.Lock()
	defer g.unlock()
	p := g.devs[output]
	if p == nil || p.d != d {
		return false
	}
	p.leave()
	g.left[output] = p
	delete(g.devs, output)
	delete(g.on, output)
	g.takers.gone(output, time.Now())
	return true
}

// tell reports which outputs carry the code, while there is one. Without the lock.
func (s *Stage) tell(g *glass) {
	if s.gone == nil {
		return
	}
	g.telling.Lock()
	defer g.telling.Unlock()
	g.mu.Lock()
	v := g.drawn
	shown := g.carrying(v, qr.Hash(v.Payload))
	g.mu.Unlock()
	if v.Payload != "" {
		s.gone(g.name, shown)
	}
}
