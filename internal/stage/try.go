package stage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tilld/display"
)

// Errors of Try.
var (
	ErrOccupied  = errors.New("a payment has the lane")
	ErrNoDisplay = errors.New("the display is not there")
)

// tryLimit is longer than a line's for a write that stalls: whoever tries a display out is to be told that, and not that it
// took too long.
const tryLimit = 3 * time.Second

// Try shows a picture on one output of a lane for a while, then again what that output should show. A payment has
// precedence: it refuses the picture, and takes the glass from it.
func (s *Stage) Try(ctx context.Context, lane, output string, picture display.Screen, stands time.Duration) (display.Shown, error) {
	g := s.lanes[lane]
	if g == nil {
		return display.Shown{}, fmt.Errorf("try a display of lane %q: there is no such lane", lane)
	}
	shown, err := g.try(ctx, output, picture)
	if err != nil {
		return display.Shown{}, err
	}
	t := time.NewTimer(stands)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), showLimit)
	defer cancel()
	return shown, g.wait(limited, g.again(limited, output))
}

func (g *glass) try(ctx context.Context, output string, picture display.Screen) (display.Shown, error) {
	limited, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	o, err := g.picture(limited, output, picture)
	if err != nil {
		return display.Shown{}, err
	}
	late, done := patience(limited)
	defer done()
	return o.answer(late)
}

// picture has an output show something of nobody's.
func (g *glass) picture(ctx context.Context, output string, s display.Screen) (*order, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.devs[output]
	switch {
	case g.view.Payment != "":
		return nil, ErrOccupied
	case p == nil:
		return nil, ErrNoDisplay
	}
	return p.put(ctx, s), nil
}

// again has an output show what it should.
func (g *glass) again(ctx context.Context, output string) []*order {
	g.mu.Lock()
	defer g.unlock()
	return g.paint(ctx, func(o string, _ display.Display) bool { return o == output })
}
