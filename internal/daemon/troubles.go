package daemon

import (
	"errors"

	"tilld/internal/health"
	"tilld/internal/journal"
	"tilld/internal/record"
)

// tellJournal puts what opening the journal found into words.
func (d *Daemon) tellJournal(s journal.State) {
	const remedy = "Look at the payments under review, then acknowledge: tillctl acknowledge --who NAME --why TEXT."
	switch {
	case s.Lost:
		d.log.Error("journal was lost", "why", s.Why, "set_aside", s.SetAside)
		d.health.Set(health.Trouble{Code: "acknowledge", Severity: health.Stop, Sentence: "The journal was damaged and a new one has begun.", Remedy: remedy})
	case s.Restored:
		d.log.Error("journal is a copy of an earlier day", "why", s.Why)
		d.health.Set(health.Trouble{Code: "acknowledge", Severity: health.Stop, Sentence: "The journal is a copy of an earlier day.", Remedy: remedy})
	}
	if s.Copied != "" {
		d.log.Info("journal was copied before its form was changed", "copy", s.Copied)
	}
}

// look makes the list of troubles true. Whoever reads it looks first, so between two readings it may rest.
func (c *core) look() {
	c.tellLink()
	c.tellDisk()
}

// looked is the list of troubles as the API reads it.
type looked struct{ c *core }

func (l looked) Standing() []health.Trouble {
	l.c.look()
	return l.c.health.Standing()
}

// tellLink puts the state of the line to the integrator into words.
func (c *core) tellLink() {
	s := c.link.Status()
	if s.Up {
		c.health.Clear("no_link", "")
		return
	}
	t := health.Trouble{
		Code: "no_link", Severity: health.Stop, Since: s.Since, Sentence: "There is no link to the integrator.",
		Remedy: "Look at the network; it is tried again by itself.",
	}
	if s.NeedsPerson {
		t.Sentence = "The integrator does not let this box in."
		t.Remedy = "Compare the terminal's name and key with the integrator's: tilld key prints this box's."
	}
	if s.LastError != "" {
		t.Sentence += " " + s.LastError
	}
	c.health.Set(t)
}

// tellDisk puts the journal's room and standing into words.
func (c *core) tellDisk() {
	err := c.journal.CanStart()
	if errors.Is(err, record.ErrFull) {
		c.health.Set(health.Trouble{
			Code: "disk_full", Severity: health.Stop, Sentence: "The disk of the journal is full: no new payment is taken, running ones finish.",
			Remedy: "Make room on the disk that holds " + c.cfg.State + ".",
		})
	} else {
		c.health.Clear("disk_full", "")
	}
	if !errors.Is(err, record.ErrAcknowledge) {
		c.health.Clear("acknowledge", "")
	}
}
