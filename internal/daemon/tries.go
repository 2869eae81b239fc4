package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tilld/devices"
	"tilld/display"
	"tilld/internal/printing"
	"tilld/internal/roster"
	"tilld/internal/stage"
	"tilld/payment"
)

// How long a device is tried out.
const (
	pictureFor = 3 * time.Second  // the test picture stands
	paperFor   = 20 * time.Second // a printer is given to print something
)

// tryDisplay shows a test picture on a lane's customer display, then again what it should show.
func (d *Daemon) tryDisplay(lane string) func(context.Context) (roster.Result, error) {
	return func(ctx context.Context) (roster.Result, error) {
		shown, err := d.stage.Try(ctx, lane, stage.CustomerDisplay, display.Screen{
			Kind: "test", Headline: "12345678901234567890", Hint: "ABC abc ЖЩЯ жщя 0.00",
			Pole: [2]string{"12345678901234567890", "ABC abc ЖЩЯ жщя 0.00"},
		}, pictureFor)
		switch {
		case errors.Is(err, stage.ErrOccupied):
			return roster.Result{}, fmt.Errorf("%w: a payment has it", roster.ErrBusy)
		case errors.Is(err, stage.ErrNoDisplay):
			return roster.Result{}, roster.ErrAway
		case err != nil:
			return roster.Result{What: "The test picture could not be shown: " + err.Error() + ".", Do: "Look at its cable and power."}, nil //nolint:nilerr // what the test found
		}
		return roster.Result{
			OK: true, Proof: shown.Proof,
			What: fmt.Sprintf("The test picture stood for %d s: digits in row 1, Latin and Cyrillic letters in row 2.", int(pictureFor.Seconds())),
			Do:   "Look whether that was on the glass. Wrong letters: another font or command set is set at the pole. Nothing: compare its speed.",
		}, nil
	}
}

// tryKiosk says whether the page is there.
func (d *Daemon) tryKiosk(lane string) func(context.Context) (roster.Result, error) {
	return func(context.Context) (roster.Result, error) {
		for _, x := range d.roster.List() {
			if x.ID == kioskID(lane) && x.State != devices.Ready {
				return roster.Result{What: "No page of lane " + lane + " is connected.", Do: x.LastError.Remedy}, nil
			}
		}
		return roster.Result{OK: true, What: "The page of lane " + lane + " is open and connected.", Proof: display.Seen}, nil
	}
}

// tryPrinter prints a slip through the queue, as any other job.
func (d *Daemon) tryPrinter(lanes []string) func(context.Context) (roster.Result, error) {
	if len(lanes) == 0 {
		return nil // no lane prints on it: nobody could ask for a job
	}
	return func(ctx context.Context) (roster.Result, error) {
		c := d.core.Load()
		if c == nil {
			return roster.Result{}, roster.ErrAway
		}
		now := time.Now()
		job, _, err := c.jobs.Submit(ctx, printing.Request{Reference: "test-" + payment.NewID(now), Lane: lanes[0], Until: new(now.Add(paperFor)), Items: testSlip(d.cfg.Lanes[lanes[0]].Shop, now)})
		if err != nil {
			return roster.Result{}, fmt.Errorf("try the printer: %w", err)
		}
		wait, cancel := context.WithTimeout(ctx, paperFor)
		defer cancel()
		if err := c.jobEnds(wait, job.ID); err != nil && ctx.Err() != nil {
			return roster.Result{}, ctx.Err()
		}
		if job, err = c.jobs.Find(ctx, "", job.ID); err != nil {
			return roster.Result{}, fmt.Errorf("try the printer: %w", err)
		}
		return printed(job), nil
	}
}

// jobEnds waits until a print job has ended, by the events about it.
func (c *core) jobEnds(ctx context.Context, id string) error {
	for {
		seq := c.journal.Meta().Seq
		j, err := c.jobs.Find(ctx, "", id)
		if err != nil || j.State == printing.Printed || j.State == printing.NotPrinted || j.State == printing.Unknown {
			return err
		}
		if err := c.journal.Wait(ctx, seq); err != nil {
			return err
		}
	}
}

func printed(j printing.Job) roster.Result {
	out := roster.Result{Proof: string(j.Proof)}
	switch {
	case j.State == printing.Printed:
		out.OK, out.What = true, "The test slip was printed."
		out.Do = "Look at the letters and hold a phone over the code. Wrong letters: another code table is set."
	case j.Blocked != nil:
		out.What, out.Do = "The test slip waits: "+j.Blocked.Why+".", "Load paper, close the cover; it prints by itself within a few seconds or not at all."
	default:
		out.What, out.Do = "The test slip is "+string(j.State)+".", "Look at the paper, and at tillctl status."
	}
	return out
}

func testSlip(shop string, at time.Time) []printing.Item {
	return []printing.Item{
		{Type: "text", Text: "TEST", Align: "center", Bold: true, Width: 2, Height: 2},
		{Type: "text", Text: shop, Align: "center"},
		{Type: "rule"},
		{Type: "text", Text: "ABC abc 0123456789 .,:;!?"},
		{Type: "text", Text: "АБВ абв ЁЖЩ ёжщ №"},
		{Type: "columns", Cells: []printing.Cell{{Text: at.Format("2006-01-02 15:04:05")}, {Text: "0.00", Width: 10, Align: "right"}}},
		{Type: "qr", Payload: "TILLD TEST " + at.UTC().Format(time.RFC3339)},
		{Type: "text", Text: "No receipt, no payment.", Align: "center", Small: true},
		{Type: "feed", Lines: 2},
		{Type: "cut"},
	}
}
