// Package stage is what the customer of each lane sees now: one screen, on all of the lane's outputs together, the newest
// wins. It writes the words, has every code decoded again from its own picture before any glass gets it, and makes a
// display that comes back right at once. It knows no payment's rules and no command set.
package stage

import (
	"context"
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
)

// Lane is a lane's part of the stage.
type Lane struct {
	Language string
	Shop     string   // payee on the glass, where the payment names none
	Outputs  []string // that take the code where the payment does not name its own
}

// Stage holds every lane's glass. Make it with New; its methods may be called from any goroutine.
type Stage struct {
	lanes map[string]*glass
	gone  func(lane string, shown []string) // told when outputs come or go while a code is shown; may be nil
	log   *slog.Logger
}

type glass struct {
	Lane
	name string

	mu    sync.Mutex // one Show at a time: the glass changes in the order of the views
	dev   display.Display
	view  View
	until time.Time // end of the view's code
	bad   bool      // the last Show on dev failed
}

// New makes a stage; until the first Show every lane is out of service. gone must not block.
func New(lanes map[string]Lane, gone func(lane string, shown []string), log *slog.Logger) *Stage {
	s := &Stage{lanes: map[string]*glass{}, gone: gone, log: log}
	for name, l := range lanes {
		s.lanes[name] = &glass{Lane: l, name: name, view: View{Lane: name, Screen: "out_of_service"}}
	}
	return s
}

// Show replaces what the lane shows and answers the outputs that carry the code now, as read back where that is
// possible. An error means that this code may be shown nowhere.
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
	if err != nil {
		s.log.Warn("display did not show", "lane", v.Lane, "device", CustomerDisplay, "err", err)
	}
	return shown, nil
}

// show puts the view on the lane's display and says which outputs carry its code.
func (g *glass) show(ctx context.Context, v View, hash string) (shown []string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.view, g.until = v, time.Time{}
	if v.RemainingMS > 0 {
		g.until = time.Now().Add(time.Duration(v.RemainingMS) * time.Millisecond)
	}
	on, err := g.paint(ctx)
	g.bad = err != nil
	if hash == "" {
		return nil, err
	}
	for _, o := range g.takes(v) {
		if o == Till || o == CustomerDisplay && on.Code == hash {
			shown = append(shown, o)
		}
	}
	return shown, err
}

// paint is called with the lock held.
func (g *glass) paint(ctx context.Context) (display.Shown, error) {
	if g.dev == nil {
		return display.Shown{}, nil
	}
	v := g.view
	if g.dev.Caps().MaxPayload < len(v.Payload) || !slices.Contains(g.takes(v), CustomerDisplay) {
		v.Payload = "" // the words alone
	}
	return g.dev.Show(ctx, screen(v, g.Lane, g.until))
}

func (g *glass) takes(v View) []string {
	if len(v.Outputs) > 0 {
		return v.Outputs
	}
	return g.Outputs
}

// showLimit is how long a display that has come back may take for its first screen.
const showLimit = time.Second

// Use says which display a lane has now; ready false: it has none. A display that comes back is made right at once.
// It is devices.Supervise's Use.
func (s *Stage) Use(lane string, d display.Display, ready bool) {
	g := s.lanes[lane]
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !ready {
		if g.dev == d {
			g.dev = nil
			s.tell(g, "")
		}
		return
	}
	g.dev = d
	ctx, cancel := context.WithTimeout(context.Background(), showLimit)
	defer cancel()
	if !g.until.IsZero() && time.Now().After(g.until) {
		g.view.Payload = "" // its end passed while nobody could see it
	}
	on, err := g.paint(ctx)
	if g.bad = err != nil; g.bad {
		s.log.Warn("display did not show", "lane", lane, "device", CustomerDisplay, "err", err)
	}
	s.tell(g, on.Code)
}

// tell reports which outputs carry the code, while there is one. With the lock held.
func (s *Stage) tell(g *glass, onGlass string) {
	if s.gone == nil || g.view.Payload == "" {
		return
	}
	var shown []string
	for _, o := range g.takes(g.view) {
		if o == Till || o == CustomerDisplay && onGlass == qr.Hash(g.view.Payload) {
			shown = append(shown, o)
		}
	}
	s.gone(g.name, shown)
}
