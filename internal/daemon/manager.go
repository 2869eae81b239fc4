package daemon

import (
	"context"
	"errors"
	"fmt"

	"tilld/internal/health"
	"tilld/internal/systemd"
)

// What the service manager is told where no trouble says more.
const (
	opensJournal = "opens the journal"
	takesMoney   = "takes payments"
)

// errNotOpenYet: nothing answers yet, and the manager is not told that something does.
var errNotOpenYet = errors.New("the journal is not open")

// Under has the daemon tell its service manager how it stands. Call it before Run.
func (d *Daemon) Under(m *systemd.Service) { d.manager = m }

// tellManager keeps the manager's sentence true, until ctx ends.
func (d *Daemon) tellManager(ctx context.Context) {
	if d.manager == nil {
		return
	}
	d.manager.Status(d.sentence())
	d.health.Watch(ctx, func([]health.Trouble, []health.Trouble) { d.manager.Status(d.sentence()) })
}

// tellReady tells the manager that payments are taken, once the box has read its journal; from then on the manager hears
// whether the journal's writer and the lanes' loops answer, until ctx ends.
func (d *Daemon) tellReady(ctx context.Context, c *core) {
	if d.manager == nil || c.box.Ready(ctx) != nil { // it has ended before it began, and says why itself
		return
	}
	d.manager.Ready()
	d.manager.Status(d.sentence())
	d.manager.Watch(ctx, d.answers)
}

// tellEnd leaves the reason of an end that nobody has ordered.
func (d *Daemon) tellEnd(err error) {
	if err != nil {
		d.manager.Status("ended: " + err.Error())
	}
}

// answers goes through the work that a payment needs.
func (d *Daemon) answers(ctx context.Context) error {
	c := d.core.Load()
	if c == nil {
		return errNotOpenYet
	}
	if err := c.journal.Answers(ctx); err != nil {
		return err
	}
	return c.box.Answers(ctx)
}

// sentence is the worst that stands, or what the box does.
func (d *Daemon) sentence() string {
	all := d.health.Standing()
	switch {
	case len(all) > 1:
		return fmt.Sprintf("%s (and %d more, see tillctl status)", all[0].Sentence, len(all)-1)
	case len(all) == 1:
		return all[0].Sentence
	case d.core.Load() == nil:
		return opensJournal
	}
	return takesMoney
}
