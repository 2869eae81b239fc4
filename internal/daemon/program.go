package daemon

import (
	"time"

	"tilld/internal/health"
	"tilld/internal/wire"
)

// app is what the box says of itself to the integrator.
func (d *Daemon) app() string { return wire.Program + "/" + d.version }

// tellProgram compares this program with the oldest one that the integrator serves, where it has let this one in all the
// same, until a day if it says one. A box that it turns away has no link, which says why.
func (c *core) tellProgram(least, until string) {
	if !wire.TooOld(c.app(), least) {
		c.health.Clear("old_program", "")
		return
	}
	now := "for now"
	if _, err := time.Parse(time.DateOnly, until); err == nil {
		now = "until " + until
	}
	c.health.Set(health.Trouble{
		Code: "old_program", Severity: health.Note,
		Sentence: "This box has " + c.app() + ", and the integrator wants " + least + " or newer; it lets this one in " + now + ".",
		Remedy:   "Install a newer " + wire.Program + " on this box before the integrator turns it away.",
	})
}
