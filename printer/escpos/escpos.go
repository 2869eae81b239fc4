package escpos

import (
	"context"
	"errors"
	"sync"
	"time"

	"tilld/devices"
	"tilld/printer"
)

// Driver opens a receipt printer. Its options are those of Options, in lower case with underscores.
var Driver = devices.Driver[printer.Printer]{
	Name:    "escpos",
	Summary: "receipt printer, ESC/POS command set",
	Open: func(_ context.Context, p devices.Port, options map[string]any) (printer.Printer, error) {
		o, err := parse(options)
		if err != nil {
			return nil, err
		}
		return Open(p, o), nil
	},
	Mask:  heard,
	Words: words,
}

// Device is one printer on an open line. Serve must run before Print is called, and for as long.
type Device struct {
	port devices.Port
	o    Options
	job  chan struct{} // holds a token while a job is printed, from before its first byte to the answer behind its last
	turn chan struct{} // holds a token while somebody writes
	rest []byte        // of a command that the line took in part; of who has the right to write

	mu       sync.Mutex
	status   printer.Status
	tell     func(printer.Status)
	serving  bool
	answered func()        // called once it has answered, see OnAnswer; nil: nobody waits for that
	sending  bool          // bytes of a job have left, and their end is not known
	ready    bool          // greeted: what it answers from now on is about what we sent
	dead     error         // why the line is of no use any more
	heard    int           // things it has said
	byself   bool          // it says by itself when something changes
	stopped  bool          // what it last said by itself was that it is blocked
	inTurn   int           // answers to 1D 72
	ids      []string      // process ids answered, the newest last
	await    string        // the process id that Print waits for
	asked    byte          // n of the real-time request that is out, 0 for none
	answers  byte          // a bit for each n that it has answered
	late     []byte        // n of requests that it has not answered in time, behind the job that is printed
	change   chan struct{} // closed and made anew whenever one of these changes
}

// Open makes a device of an open line. It writes nothing: Serve does.
func Open(p devices.Port, o Options) *Device {
	return &Device{port: p, o: o.filled(), job: make(chan struct{}, 1), turn: make(chan struct{}, 1), change: make(chan struct{})}
}

// errGone: Print was called on a line that has died.
var errGone = errors.New("the printer's line is gone")

// look waits until f, called with the state locked, says yes: true. It answers false when limit is over (0 for none), and
// ctx's error when that has ended.
func (d *Device) look(ctx context.Context, limit time.Duration, f func() bool) (bool, error) {
	var over <-chan time.Time
	if limit > 0 {
		over = time.After(limit)
	}
	for {
		d.mu.Lock()
		ok, change := f(), d.change
		d.mu.Unlock()
		if ok {
			return true, nil
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-over:
			return false, nil
		case <-change:
		}
	}
}

// lookWorking is look where time in which the printer is blocked does not count against limit; worked is the time that does. It
// looks for all of longest at most.
func (d *Device) lookWorking(ctx context.Context, limit, longest time.Duration, f func() bool) (ok bool, worked time.Duration, err error) {
	const step = 100 * time.Millisecond
	for begun := time.Now(); worked < limit && time.Since(begun) < longest; {
		if ok, err = d.look(ctx, step, f); ok || err != nil {
			return ok, worked, err
		}
		if d.blocked() == "" {
			worked += step
		}
	}
	return false, worked, nil
}

// changed wakes whoever looks. The state is locked.
func (d *Device) changed() {
	close(d.change)
	d.change = make(chan struct{})
}

// give up the line: what comes next on it would follow half a job. Serve ends, and whoever owns the device opens it anew.
func (d *Device) giveUp(why error) {
	d.mu.Lock()
	if d.dead == nil {
		d.dead = why
		d.changed()
	}
	d.mu.Unlock()
	_ = d.port.Close()
}

// take waits for the right to write.
func (d *Device) take(ctx context.Context) error { return take(ctx, d.turn) }

func (d *Device) release() { <-d.turn }

// take waits for a token.
func take(ctx context.Context, of chan struct{}) error {
	select {
	case of <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// blocked is why the printer prints nothing now, "" for none.
func (d *Device) blocked() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.status.Blocked()
}
