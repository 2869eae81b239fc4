package escpos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tilld/devices"
	"tilld/printer"
)

// chunk is how much is written at a time: at 9600 baud it takes a second, half of a line's limit.
const chunk = 1024

// Print prints a job; see printer.Printer. An Unknown outcome gives the line up.
func (d *Device) Print(ctx context.Context, j printer.Job) (printer.Outcome, error) {
	no := printer.Outcome{Result: printer.NotPrinted}
	data, err := encode(d.o, j)
	if err != nil {
		return no, fmt.Errorf("print: %w", err)
	}
	if err := d.clear(ctx); err != nil {
		return no, fmt.Errorf("print: %w", err)
	}
	if err := take(ctx, d.job); err != nil {
		return no, fmt.Errorf("print: %w", err)
	}
	defer d.end()
	sent, answered, err := d.write(ctx, j.ID, data)
	switch {
	case err != nil && sent > 0:
		return d.lost(sent, err)
	case err != nil:
		return no, fmt.Errorf("print: %w", err)
	}
	if answered == nil {
		return printer.Outcome{Result: printer.Printed, Proof: printer.Blind, Sent: sent}, nil
	}
	ok, err := d.wait(ctx, func() bool { return d.dead != nil || answered() })
	d.mu.Lock()
	proved, dead := answered(), d.dead
	d.mu.Unlock()
	switch {
	case proved && d.o.Proof == "id":
		return printer.Outcome{Result: printer.Printed, Proof: printer.Proven, Sent: sent}, nil
	case proved:
		return printer.Outcome{Result: printer.Printed, Proof: printer.Accepted, Sent: sent}, nil
	case err == nil && ok:
		err = dead
	case err == nil:
		err = errors.New("no answer behind the job")
	}
	return d.lost(sent, err)
}

// end ends a job.
func (d *Device) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.late, d.sending = nil, false
	<-d.job
	d.changed()
}

// write sends a job with its request for proof, and tells how its answer is known; see request. It has the line to itself for
// as long as bytes are left, since a piece may end inside of a command, and not while the last of them wait for paper. Where
// it fails, the line is given up before anybody else may write: what came next would follow half a job.
func (d *Device) write(ctx context.Context, id string, data []byte) (sent int, answered func() bool, err error) {
	if err := d.take(ctx); err != nil {
		return 0, nil, err
	}
	defer d.release()
	if err := d.there(ctx); err != nil {
		return 0, nil, err
	}
	if err := d.clear(ctx); err != nil { // the job before may have met its end of paper
		return 0, nil, err
	}
	proof, answered := d.request(id)
	before := d.rest
	d.rest = nil
	sent, err = d.send(ctx, slices.Concat(before, data, proof))
	if err != nil {
		d.giveUp(err)
	}
	return max(0, sent-len(before)), answered, err
}

// wait waits for the answer behind a job. A printer that stopped before it was told to say so by itself is asked, now and
// then, whether it is blocked: then there is no hurry. One that is blocked is asked whether it still is: where it lost its power
// meanwhile it never says so by itself, and has forgotten the job.
func (d *Device) wait(ctx context.Context, f func() bool) (bool, error) {
	for left := d.o.Answer; left > 0; {
		ok, worked, err := d.lookWorking(ctx, min(left, askEvery), blockedEvery, f)
		if ok || err != nil {
			return ok, err
		}
		left -= worked
		err = d.ask(ctx)
		switch full := errors.Is(err, devices.ErrStalled) && d.blocked() != ""; {
		case full: // of the receipt, which waits for a person
		case err != nil:
			return false, err
		}
	}
	return false, nil
}

func (d *Device) lost(sent int, err error) (printer.Outcome, error) {
	d.giveUp(err)
	return printer.Outcome{Result: printer.Unknown, Sent: sent}, fmt.Errorf("print: after %d bytes: %w", sent, err)
}

// clear waits until the printer has been greeted, and answers why nothing can be printed.
func (d *Device) clear(ctx context.Context) error {
	_, err := d.look(ctx, 0, func() bool { return d.dead != nil || d.status.Blocked() != "" || d.ready })
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch why := d.status.Blocked(); {
	case d.dead != nil:
		return fmt.Errorf("%w: %w", errGone, d.dead)
	case why != "":
		return &printer.BlockedError{Why: why}
	}
	return nil
}

// request is the bytes that ask for proof behind a job, and whether the answer has come; that is called with the state
// locked, and is nil for a one-way printer.
func (d *Device) request(job string) ([]byte, func() bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sending = true
	switch d.o.Proof {
	case "id":
		id := ProofID(job)
		d.await, d.ids = id, nil
		return processID(id), func() bool { return len(d.ids) > 0 && d.ids[len(d.ids)-1] == id }
	case "status":
		want := d.inTurn + 1
		return []byte{gs, 'r', 1}, func() bool { return d.inTurn >= want }
	}
	return nil, nil
}

// ProofID is the part of a job's ID that goes into the request for proof: its last four characters, as far as they are
// printable, with zeros before them.
func ProofID(job string) string {
	id := []byte("0000" + job)
	id = id[len(id)-4:]
	for i, c := range id {
		if c < 0x20 || c > 0x7e {
			id[i] = '0'
		}
	}
	return string(id)
}

func processID(id string) []byte { return append([]byte{gs, '(', 'H', 6, 0, 0x30, 0x30}, id...) }

// send writes everything, and waits where the printer is blocked. The count is what left.
func (d *Device) send(ctx context.Context, b []byte) (int, error) {
	sent := 0
	moved := time.Now()
	for sent < len(b) {
		if err := ctx.Err(); err != nil {
			return sent, err
		}
		d.mu.Lock()
		dead, blocked, change := d.dead, d.status.Blocked() != "", d.change
		d.mu.Unlock()
		if dead != nil {
			return sent, dead
		}
		n, err := d.port.Write(b[sent:min(sent+chunk, len(b))])
		sent += n
		if n > 0 {
			moved = time.Now()
		}
		switch {
		case err == nil:
		case !errors.Is(err, devices.ErrStalled):
			return sent, err
		case blocked: // a person is at it; what is in the printer's memory stays there
			moved = time.Now()
			select {
			case <-ctx.Done():
			case <-change:
			case <-time.After(time.Second):
			}
		case time.Since(moved) > d.o.Stall:
			return sent, err
		}
	}
	return sent, nil
}
