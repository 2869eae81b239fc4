package daemon

import (
	"encoding/json"
	"fmt"
	"time"

	"tilld/internal/health"
	"tilld/internal/wire"
)

// clockMayBeOff is how far the box's clock may be from the integrator's before a person is told. No rule of money hangs on
// it, but what is printed and told with an hour does, and so do certificates.
const clockMayBeOff = 30 * time.Second

// tellClock compares the box's clock with what the integrator has just called the time (RFC 3339). Nothing is set by it.
func (c *core) tellClock(now string) {
	theirs, err := time.Parse(time.RFC3339, now)
	if err != nil {
		return // of a hint: what says nothing is nothing
	}
	off := time.Now().Round(0).Sub(theirs) // of the wall clock alone
	way := "ahead of"
	if off < 0 {
		off, way = -off, "behind"
	}
	if off <= clockMayBeOff {
		c.health.Clear("clock", "")
		return
	}
	c.health.Set(health.Trouble{
		Code: "clock", Severity: health.Note,
		Sentence: "This box's clock is " + roughly(off) + " " + way + " the integrator's: hours on glass and paper are wrong.",
		Remedy:   "Compare both with a good clock and set the wrong one: timedatectl set-ntp true, or timedatectl set-time. Payments are not affected, and nothing has to be restarted.",
	})
}

// roughly is a span as people say it, in its largest unit.
func roughly(d time.Duration) string {
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "days"}, {time.Hour, "hours"}, {time.Minute, "minutes"}} {
		if d >= 2*u.of {
			return fmt.Sprintf("%d %s", d/u.of, u.name)
		}
	}
	return fmt.Sprintf("%d seconds", d/time.Second)
}

// hint takes in what the server lets the box know. The others are the link's own.
func (c *core) hint(method string, params json.RawMessage) {
	var t wire.Clock
	if method == wire.HintClock && wire.Into(params, &t) == nil {
		c.tellClock(t.Now)
	}
	c.box.Hint(method, params)
}
