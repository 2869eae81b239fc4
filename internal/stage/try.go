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
	g.mu.Lock()
	defer g.unlock()
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), showLimit)
	defer cancel()
	return shown, g.paint(limited, func(o string, _ display.Display) bool { return o == output })
}

func (g *glass) try(ctx context.Context, output string, picture display.Screen) (display.Shown, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.view.Payment != "" {
		return display.Shown{}, ErrOccupied
	}
	d := g.devs[output]
	if d == nil {
		return display.Shown{}, ErrNoDisplay
	}
	limited, cancel := context.WithTimeout(ctx, showLimit)
	defer cancel()
	return d.Show(limited, picture)
}
