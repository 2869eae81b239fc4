package daemon

import (
	"context"
	"fmt"

	"tilld/internal/health"
	"tilld/internal/systemd"
)

// What the service manager is told where no trouble says more.
const (
	opensJournal = "opens the journal"
	takesMoney   = "takes payments"
)

// Under has the daemon tell its service manager how it stands. Call it before Run.
func (d *Daemon) Under(m *systemd.Service) { d.manager = m }

// tellManager keeps the manager's sentence true, until ctx ends. A box whose journal cannot be used is ready too: it says
// on glass and API what is wrong, and what waits for it, a desktop with the customer's page in it, must not wait for that.
func (d *Daemon) tellManager(ctx context.Context) {
	if d.manager == nil {
		return
	}
	d.manager.Status(d.sentence())
	d.health.Watch(ctx, func([]health.Trouble, []health.Trouble) { d.manager.Status(d.sentence()) })
}

// tellSelling has the manager told that payments are taken, once the box has read its journal, and from then on hear of
// nothing unless the work for them answers.
func (d *Daemon) tellSelling(ctx context.Context, c *core) {
	if d.manager == nil || c.box.Ready(ctx) != nil { // it has ended before it began, and says why itself
		return
	}
	d.sells.Store(true)
	d.manager.Status(d.sentence())
}

// tellEnd leaves the reason of an end that nobody has ordered.
func (d *Daemon) tellEnd(err error) {
	if err != nil {
		d.manager.Status("ended: " + err.Error())
	}
}

// answers goes through the work that a payment needs. Before there is a journal there is none: to check a large one, to
// bring it to a new form or to wait for its disk takes as long as it takes.
func (d *Daemon) answers(ctx context.Context) error {
	if !d.sells.Load() {
		return nil
	}
	c := d.core.Load()
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
	case !d.sells.Load():
		return opensJournal
	}
	return takesMoney
}
