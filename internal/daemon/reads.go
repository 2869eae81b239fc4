package daemon

import (
	"context"
	"errors"
	"fmt"

	"tilld/internal/health"
	"tilld/internal/roster"
	"tilld/scanner"
)

// unkeptCode is the trouble of a scanner whose last reading could not be journalled.
const unkeptCode = "not_kept"

var errNoJournal = errors.New("there is no journal to keep it")

// reads is the sink of a lane's scanner. A reading that elsewhere has an answer for is no till's: it showed that the scanner
// works, or which one it is. Any other is journalled, or it is not acknowledged, and that is told until one is kept.
func (d *Daemon) reads(lane, language string, m *roster.Member, good func(), elsewhere func(context.Context, scanner.Reading) bool) func(context.Context, scanner.Reading) error {
	return func(ctx context.Context, r scanner.Reading) error {
		if elsewhere(ctx, r) {
			good()
			return nil
		}
		err := errNoJournal
		if c := d.core.Load(); c != nil {
			err = c.scans.Take(ctx, lane, language, r)
		}
		switch {
		case err == nil:
			good()
			m.Kept(r.Last)
			d.health.Clear(unkeptCode, m.ID())
			return nil
		case ctx.Err() != nil:
			return err // the box ends: whoever reads next is asked again
		}
		d.log.Warn("reading not kept", "lane", lane, "device", m.ID(), "err", err)
		d.health.Set(health.Trouble{
			Code: unkeptCode, Subject: m.ID(), Severity: health.Part,
			Sentence: "A code was read at lane " + lane + " and not taken: " + err.Error() + ".",
			Remedy:   "Nothing was charged for it. Mend what health says of the journal, then read the code again.",
		})
		return fmt.Errorf("%w: %w", scanner.ErrNotKept, err)
	}
}

// unread counts a reading that was dropped unread, and tells the customer whose code is waited for that it is none. No event
// and no log knows of it.
func (d *Daemon) unread(ctx context.Context, lane string, m *roster.Member) {
	m.Unread()
	if c := d.core.Load(); c != nil {
		c.scans.Unread(ctx, lane)
	}
}
