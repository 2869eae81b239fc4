package escpos

import (
	"context"
	"errors"
	"time"

	"tilld/devices"
)

// Whether a printer is there has to be asked: a serial line opens, and takes bytes, with nobody at its end, and tells nothing
// when the printer is switched off.
const (
	silentEvery = 10 * time.Second // how often one is asked that says nothing by itself
	byselfEvery = time.Minute      // and one that would say everything but that
	fresh       = 10 * time.Second // what it said is no older: it is there
	rounds      = 2                // of requests without any answer, by one that has answered before: it is not
)

// OnAnswer says what to call once the printer has answered; see devices.Answerer.
func (d *Device) OnAnswer(f func()) { d.answered = f }

// here tells, once, that the printer is there.
func (d *Device) here() {
	d.mu.Lock()
	f := d.answered
	d.answered = nil
	d.mu.Unlock()
	if f != nil {
		f()
	}
}

// keep greets the printer; then it asks, now and then, how it is and whether it is there.
func (d *Device) keep(ctx context.Context) error {
	if d.o.Proof == "none" {
		d.setReady()
		d.here()
		return nil
	}
	if err := d.greet(ctx); err != nil {
		return err
	}
	for {
		d.mu.Lock()
		every := silentEvery
		if d.byself {
			every = byselfEvery
		}
		d.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(every):
		}
		if err := d.poll(ctx); err != nil {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // it was told to end while it waited for its turn
			}
			return err
		}
	}
}

// poll asks a printer that prints nothing. One that is blocked may be silent, or take nothing: some are while their cover is
// open, and a person is at it. One that has been off for a moment says nothing by itself any more, so it is told to anew.
func (d *Device) poll(ctx context.Context) error {
	if len(d.job) > 0 { // whoever prints asks by himself, and knows when a line that takes nothing is given up
		return nil
	}
	if err := d.take(ctx); err != nil {
		return err
	}
	defer d.release()
	if len(d.job) > 0 {
		return nil
	}
	heard, err := d.hears(ctx)
	d.mu.Lock()
	can, byself, blocked := d.answers != 0, d.byself, d.status.Blocked() != ""
	d.mu.Unlock()
	switch {
	case blocked && (err == nil || errors.Is(err, devices.ErrStalled)):
		return nil
	case err != nil:
	case can && !heard:
		return errMute
	case heard && byself:
		on := []byte{gs, 'a', asbAll}
		_, err = d.command(on, on)
	}
	return err
}

// hears asks in real time until anything is answered, or nobody seems to be there.
func (d *Device) hears(ctx context.Context) (heard bool, err error) {
	for n := 0; n < rounds && !heard && err == nil; n++ {
		heard, err = d.askAll(ctx)
	}
	return heard, err
}

// there asks a printer that has not spoken for a while, before the first byte of a job or a pulse, for who has the right to
// write: what nobody takes in would be lost, and of a receipt nobody would know. Where nobody is there the line is given up.
func (d *Device) there(ctx context.Context) error {
	d.mu.Lock()
	old, can := time.Since(d.status.At) >= fresh, d.answers != 0
	d.mu.Unlock()
	if d.o.Proof == "none" || !old {
		return nil
	}
	ask := d.hears
	if !can { // some clones answer in turn alone
		ask = d.barrier
	}
	heard, err := ask(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil && heard, d.blocked() != "": // which is known now
		return nil
	case err == nil:
		err = errMute
	}
	d.giveUp(err)
	return err
}
