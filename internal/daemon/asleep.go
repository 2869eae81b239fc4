package daemon

import (
	"context"
	"errors"
	"time"

	"tilld/internal/asleep"
)

// Watching has the daemon look, with s, whether its machine is suspended. Call it before Run. Without it nobody looks: a
// whole shop in one process, its bank too, sleeps as one.
func (d *Daemon) Watching(s asleep.Source) { d.sleep = s }

// untilAsleep waits until the machine has been suspended, which no clock of this run has counted: codes are on glass past
// their end, and each wait is late by that. Then payments take no further step, which is what end does, the glass says that
// the till is closed, both at once and whatever the API has still to answer, and the *asleep.Error ends the run: what starts
// next counts by the wall clock how long it was. At ctx's end there is no error.
func (d *Daemon) untilAsleep(ctx, under context.Context, end func()) error {
	err := asleep.Watch(ctx, d.sleep)
	var slept *asleep.Error
	if errors.As(err, &slept) {
		end()
		d.shut(under)
		d.log.Warn("the machine was suspended: the glass was cleared, and the box starts anew", "for", slept.For.Round(time.Second))
	}
	return ended(err)
}
