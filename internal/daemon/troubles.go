package daemon

import (
	"errors"
	"time"

	"tilld/internal/health"
	"tilld/internal/journal"
	"tilld/internal/record"
)

// tellJournal logs what opening the journal found; tellAcknowledge keeps it under health while it stands.
func (d *Daemon) tellJournal(s journal.State) {
	switch {
	case s.Lost:
		d.log.Error("journal was lost", "why", s.Why, "set_aside", s.SetAside)
	case s.Restored:
		d.log.Error("journal is a copy of an earlier day", "why", s.Why)
	}
	if s.Copied != "" {
		d.log.Info("journal was copied before its form was changed", "copy", s.Copied)
	}
}

// tellAcknowledge puts into words why a person has to look before the shop sells again. The integrator may find a copy
// while the box runs, so the journal is asked each time.
func (c *core) tellAcknowledge() {
	t := health.Trouble{
		Code: "acknowledge", Severity: health.Stop,
		Remedy: "Look at the payments under review, then acknowledge: tillctl acknowledge --who NAME --why TEXT.",
	}
	switch m := c.journal.Meta(); {
	case m.Lost:
		t.Sentence = "The journal was damaged and a new one has begun."
	case m.Restored:
		t.Sentence = "The journal is a copy of an earlier day."
	default:
		c.health.Clear(t.Code, "")
		return
	}
	c.health.Set(t)
}

// look makes the list of troubles true. Whoever reads it looks first, so between two readings it may rest.
func (c *core) look() {
	c.tellLink()
	c.tellDisk()
	c.tellAcknowledge()
}

// looked is the list of troubles as the API reads it.
type looked struct{ c *core }

func (l looked) Standing() []health.Trouble {
	l.c.look()
	return around{l.c.Daemon}.Standing()
}

// around is the list of troubles, with a look at who else uses the devices.
type around struct{ d *Daemon }

func (a around) Standing() []health.Trouble {
	a.d.shared()
	return a.d.health.Standing()
}

// linkSettles is how long the line may be away before it is a trouble: one that is dialled anew is no news.
const linkSettles = 3 * time.Second

// tellLink puts the state of the line to the integrator into words.
func (c *core) tellLink() {
	s := c.link.Status()
	if s.Up {
		c.health.Clear("no_link", "")
		return
	}
	t := health.Trouble{
		Code: "no_link", Severity: health.Stop, After: linkSettles, Since: s.Since, Remedy: s.Remedy,
		Sentence: "There is no link to the integrator: " + s.LastError + ".",
	}
	c.health.Set(t)
}

// tellDisk puts the journal's room into words.
func (c *core) tellDisk() {
	if errors.Is(c.journal.CanStart(), record.ErrFull) {
		c.health.Set(health.Trouble{
			Code: "disk_full", Severity: health.Stop, Sentence: "The disk of the journal is full: no new payment is taken, running ones finish.",
			Remedy: "Make room on the disk that holds " + c.cfg.State + ".",
		})
	} else {
		c.health.Clear("disk_full", "")
	}
}
