package shop

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"tilld/internal/shop/cable"
)

// world is what can have a bad day around the shop, each thing under its name.
type world map[string]*thing

// thing can be put into states, the first of which is as it should be.
type thing struct {
	states []string
	look   func() string
	set    func(state string) error

	hands sync.Mutex // one at a time
	mu    sync.Mutex // guards the following
	back  *time.Timer
	until time.Time // when back puts it right; zero: it stays as it is
}

// Limits of a bad day.
const (
	badDayMin = time.Second
	badDayMax = time.Hour
)

// Errors of world.put.
var (
	errNoThing = errors.New("there is no such thing")
	errState   = errors.New("no such state")
	errFor     = fmt.Errorf("for is a duration with its unit, %v to %v, of a state that is not as it should be", badDayMin, badDayMax)
)

func newWorld(s *Shop) world {
	plugged := func(p *plug) *thing {
		return &thing{
			states: []string{"in", "out"},
			look:   func() string { return choose(p.plugged(), "in", "out") },
			set: func(state string) error {
				if state == "in" {
					return p.in()
				}
				p.out()
				return nil
			},
		}
	}
	running := func(p Part, more ...string) *thing {
		return &thing{
			states: append([]string{"up", "down"}, more...),
			look:   func() string { return choose(s.parts[p].up(), "up", "down") },
			set: func(state string) error {
				switch state {
				case "up":
					s.Start(p)
				case "down":
					s.Stop(p, syscall.SIGKILL)
				default:
					s.Kill(p)
				}
				return nil
			},
		}
	}
	return world{
		"link": {
			states: []string{string(cable.Whole), string(cable.Cut), string(cable.Silent)},
			look:   func() string { return string(s.line.State()) },
			set:    func(state string) error { s.line.Set(cable.State(state)); return nil },
		},
		"bank":    running(Bank),
		"tilld":   running(Tilld, "restarted"),
		"pole":    plugged(s.pole.plug),
		"scanner": plugged(s.hand.plug),
		"printer": paperTrouble(s.paper),
	}
}

// paperTrouble is the printer and what a hand can do to it.
func paperTrouble(p *printer) *thing {
	var now atomic.Value
	now.Store("ready")
	return &thing{
		states: []string{"ready", "no_paper", "cover_open", "unplugged"},
		look:   func() string { return now.Load().(string) },
		set: func(state string) error {
			if state == "unplugged" {
				p.unplug()
			} else if err := p.plug(context.Background()); err != nil {
				return err
			}
			p.mend()
			switch state {
			case "no_paper":
				p.takePaper()
			case "cover_open":
				p.openCover()
			}
			now.Store(state)
			return nil
		},
	}
}

func choose(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

// put brings a thing into a state; after d, unless that is 0, it is put right again.
func (w world) put(name, state string, d time.Duration) error {
	t := w[name]
	if t == nil {
		return errNoThing
	}
	if !slices.Contains(t.states, state) {
		return fmt.Errorf("%w; the %s can be %s", errState, name, strings.Join(t.states, ", "))
	}
	if d != 0 && (d < badDayMin || d > badDayMax || state == t.states[0]) {
		return errFor
	}
	t.hands.Lock()
	defer t.hands.Unlock()
	t.mu.Lock()
	if t.back != nil {
		t.back.Stop()
	}
	t.back, t.until = nil, time.Time{}
	t.mu.Unlock()
	if err := t.set(state); err != nil {
		return err
	}
	if d != 0 {
		t.mu.Lock()
		t.until = time.Now().Add(d)
		t.back = time.AfterFunc(d, func() { _ = w.put(name, t.states[0], 0) }) // a person sees that it did not work
		t.mu.Unlock()
	}
	return nil
}

// still ends what would put things right by itself.
func (w world) still() {
	for _, t := range w {
		t.mu.Lock()
		if t.back != nil {
			t.back.Stop()
		}
		t.mu.Unlock()
	}
}

// thingState is a thing as it is now.
type thingState struct {
	State  string   `json:"state"`
	States []string `json:"states"`
	BackMS int64    `json:"back_ms,omitempty"` // until it is put right by itself
}

func (w world) state() map[string]thingState {
	out := map[string]thingState{}
	for name, t := range w {
		s := thingState{State: t.look(), States: t.states}
		t.mu.Lock()
		if left := time.Until(t.until); !t.until.IsZero() && left > 0 {
			s.BackMS = left.Milliseconds()
		}
		t.mu.Unlock()
		out[name] = s
	}
	return out
}
