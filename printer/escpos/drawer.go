package escpos

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tilld/devices"
	"tilld/printer"
)

// errUnheard: the printer, which prints, does not answer in real time, so that nobody knows whether a pulse would get through.
var errUnheard = errors.New("the printer does not answer while it prints")

// Kick opens the drawer; see printer.Kicker. While the printer is blocked a command in turn would open it later, with the
// next job: then the real-time pulse is used, which some clones lack.
func (d *Device) Kick(ctx context.Context, pin int) error {
	p, err := pulse(d.o, pin)
	if err != nil {
		return fmt.Errorf("open drawer: %w: %w", printer.ErrRefused, err)
	}
	for {
		err := d.kickInTurn(ctx, p)
		if errors.Is(err, errUnheard) {
			_, err = d.look(ctx, 0, func() bool { return d.dead != nil || d.status.Blocked() != "" || len(d.job) == 0 })
			if err == nil {
				continue
			}
		}
		if err != nil {
			err = fmt.Errorf("open drawer: %w", err)
		}
		return err
	}
}

func (d *Device) kickInTurn(ctx context.Context, p []byte) error {
	if err := d.take(ctx); err != nil {
		if why := d.blocked(); why != "" { // and bytes of a job cannot leave
			return &printer.BlockedError{Why: why}
		}
		return err
	}
	defer d.release()
	d.mu.Lock()
	dead := d.dead
	d.mu.Unlock()
	if dead != nil {
		return fmt.Errorf("%w: %w", errGone, dead)
	}
	return d.kick(ctx, p)
}

// kick sends the pulse p, in its turn, or as it is sent in real time where the printer is blocked. Whether it is, and whether
// the line still takes anything, is asked first: it may have stopped in the middle of the job that waits for its answer and
// not have said so yet, and a line that is full up to the printer would keep the pulse for the next paper. A line that takes
// nothing is not given up here: what is in it of a receipt waits for a person, and whoever prints has limits of his own.
func (d *Device) kick(ctx context.Context, p []byte) error {
	busy, through := len(d.job) > 0, true
	var err error
	if !busy && d.blocked() == "" {
		if err = d.there(ctx); err != nil {
			return err
		}
	}
	if d.o.Proof != "none" && (busy || d.blocked() != "") {
		through, err = d.askAll(ctx)
		d.mu.Lock()
		through = through || !busy && d.answers == 0 // one that never answers in real time, and has nothing to print
		d.mu.Unlock()
	}
	why, left := d.blocked(), 0
	switch {
	case err == nil && !through && why == "":
		return errUnheard
	case err == nil && through:
		if why != "" {
			p = []byte{dle, 0x14, 1, p[2], byte(min(max((d.o.DrawerMS+50)/100, 1), 8))}
		}
		if left, err = d.command(p, without(p)); err == nil {
			return nil
		}
	}
	if err == nil || errors.Is(err, devices.ErrStalled) || ctx.Err() != nil {
		switch {
		case why != "" && left < len(p):
			return &printer.BlockedError{Why: why}
		case why != "" || busy || ctx.Err() != nil: // and a pulse that the line holds whole may come yet
			return err
		}
	}
	d.giveUp(err)
	return err
}

// without is a pulse of no length: all that stands behind its third byte is where and how long.
func without(p []byte) []byte {
	return append(slices.Clone(p[:3]), make([]byte, len(p)-3)...)
}

// command writes one command for who has the right to write, and answers how much of it may have left. Of one that the line
// takes in part, what is left of later stands in front of whatever is written next, so that no command ever begins inside of
// another: later is as long, and does nothing.
func (d *Device) command(b, later []byte) (int, error) {
	if len(d.rest) > 0 {
		n, err := d.port.Write(d.rest)
		if d.rest = d.rest[n:]; err != nil {
			return 0, err
		}
	}
	n, err := d.port.Write(b)
	if err != nil && n > 0 {
		d.rest = later[n:]
	}
	return n, err
}
