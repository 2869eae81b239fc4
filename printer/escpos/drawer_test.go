package escpos_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tilld/devices"
	"tilld/printer"
	"tilld/printer/escpos"
	"tilld/printer/escpos/emulator"
	"tilld/printer/printertest"
)

// counter is a printer that is served, over a line that wrap makes of the one in memory.
type counter struct {
	d      *escpos.Device
	e      *emulator.Printer
	served chan error
}

// at makes one and prints a receipt on it.
func at(t *testing.T, c emulator.Config, wrap func(devices.Port) devices.Port) *counter {
	t.Helper()
	x := &counter{e: emulator.New(c), served: make(chan error, 1)}
	near, far := printertest.Pipe(2 * time.Second)
	heard := make(chan struct{})
	go func() { defer close(heard); _ = x.e.Serve(far) }()
	x.d = escpos.Open(wrap(near), escpos.Options{})
	go func() { x.served <- x.d.Serve(t.Context(), func(printer.Status) {}) }()
	t.Cleanup(func() { x.e.HangUp(); _ = far.Close(); <-heard; <-x.served })
	x.prints(t, "first")
	return x
}

func (x *counter) prints(t *testing.T, id string) {
	t.Helper()
	if out, err := x.d.Print(t.Context(), printer.Job{ID: id, Receipt: printertest.Receipt(id)}); out.Result != printer.Printed {
		t.Errorf("%s: %+v, %v", id, out, err)
	}
}

// waits begins a receipt in whose middle the paper ends, and comes back when nothing moves any more.
func (x *counter) waits(t *testing.T) <-chan printer.Outcome {
	t.Helper()
	return x.waitsFor(t, emulator.PaperEnd)
}

// waitsFor is waits for another fault that stops the printer.
func (x *counter) waitsFor(t *testing.T, f emulator.Fault) <-chan printer.Outcome {
	t.Helper()
	x.e.FailAt(60, f)
	done := make(chan printer.Outcome, 1)
	go func() {
		out, err := x.d.Print(t.Context(), printer.Job{ID: "waits", Receipt: printertest.Receipt("waits")})
		t.Logf("the receipt that waited: %+v, %v", out, err)
		done <- out
	}()
	time.Sleep(10 * time.Second) // of the bubble: longer than any limit of the line
	return done
}

// kick opens the drawer as the box does.
func (x *counter) kick(t *testing.T) error {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	err := x.d.Kick(ctx, 2)
	t.Logf("the drawer: %v", err)
	synctest.Wait()
	return err
}

func blockedBy(err error) string {
	var b *printer.BlockedError
	if errors.As(err, &b) {
		return b.Why
	}
	return ""
}

// held is a line as usblp has it: it takes a write whole, tells a stall where the printer has not read it within the limit,
// takes no other until it has, and drops what is left of it when it is closed.
type held struct {
	devices.Port
	limit time.Duration
	full  chan struct{} // of room for one: holds a token while a write is under way
}

func (h *held) Write(b []byte) (int, error) {
	over := time.After(h.limit)
	select {
	case h.full <- struct{}{}:
	case <-over:
		return 0, fmt.Errorf("write: %w", devices.ErrStalled)
	}
	done := make(chan error, 1)
	go func(b []byte) {
		for {
			n, err := h.Port.Write(b)
			if b = b[n:]; !errors.Is(err, devices.ErrStalled) {
				<-h.full
				done <- err
				return
			}
		}
	}(bytes.Clone(b))
	select {
	case err := <-done:
		return len(b), err
	case <-over:
		return len(b), fmt.Errorf("write: %w", devices.ErrStalled)
	}
}

// A pulse that stalls behind a receipt which waits for paper is told as what it is, and the receipt is whole in the end.
func TestAPulseThatStallsTearsNoReceipt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := at(t, emulator.Config{Memory: 64}, func(p devices.Port) devices.Port {
			return &held{Port: p, limit: time.Second, full: make(chan struct{}, 1)}
		})
		done := x.waits(t)
		if why := blockedBy(x.kick(t)); why != "paper" {
			t.Errorf("the answer names %q", why)
		}
		select {
		case out := <-done:
			t.Fatalf("ended without paper: %+v", out)
		default:
		}
		x.e.Mend()
		if out := <-done; out.Result != printer.Printed {
			t.Errorf("%+v", out)
		}
		x.prints(t, "next")
		if n := len(x.e.Receipts()); n != 3 || len(x.e.Pulses()) != 0 {
			t.Errorf("%d receipts, pulses on %v", n, x.e.Pulses())
		}
	})
}

// deep is a line that takes whatever it is given, as a socket does.
type deep struct {
	devices.Port
	mu     sync.Mutex
	held   []byte
	closed bool
	more   chan struct{} // of room for one
}

func deepen(p devices.Port) devices.Port {
	d := &deep{Port: p, more: make(chan struct{}, 1)}
	go func() { // ends with the line
		for range d.more {
			d.mu.Lock()
			b, closed := d.held, d.closed
			d.held = nil
			d.mu.Unlock()
			if closed {
				return
			}
			for len(b) > 0 {
				n, err := p.Write(b)
				if b = b[n:]; err != nil && !errors.Is(err, devices.ErrStalled) {
					return
				}
			}
		}
	}()
	return d
}

func (d *deep) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held = append(d.held, b...)
	select {
	case d.more <- struct{}{}:
	default: // it knows
	}
	return len(b), nil
}

func (d *deep) Close() error {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	_, _ = d.Write(nil) // the goroutine looks
	return d.Port.Close()
}

// A printer that says nothing by itself, and has its line full: nobody knows that its paper has ended, and no pulse stands in
// the line for the next paper. It opens, where it is asked for as long, once the receipt is out.
func TestNoPulseIsSentWhereNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := at(t, emulator.Config{Memory: 64, Lacks: []string{"asb"}}, deepen)
		done := x.waits(t)
		if err := x.kick(t); !errors.Is(err, context.DeadlineExceeded) || len(x.e.Pulses()) != 0 {
			t.Errorf("%v, pulses on %v", err, x.e.Pulses())
		}
		opened := make(chan error, 1)
		go func() { opened <- x.d.Kick(t.Context(), 5) }()
		time.Sleep(3 * time.Second)
		x.e.Mend()
		if out := <-done; out.Result != printer.Printed {
			t.Errorf("%+v", out)
		}
		if err := <-opened; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if got := x.e.Pulses(); !slices.Equal(got, []int{5}) {
			t.Errorf("pulses on pins %v", got)
		}
		x.prints(t, "next")
	})
}

// narrow is a line that stalls in the middle of a command.
type narrow struct {
	devices.Port
	mu    sync.Mutex
	of    []byte // the command begins so
	after int    // bytes of it; below 0: it does not stall
}

func (n *narrow) stall(of []byte, after int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.of, n.after = of, after
}

func (n *narrow) Write(b []byte) (int, error) {
	n.mu.Lock()
	after := n.after
	if !bytes.HasPrefix(b, n.of) {
		after = -1
	}
	if after >= 0 {
		n.after = -1
	}
	n.mu.Unlock()
	if after < 0 {
		return n.Port.Write(b)
	}
	if after > 0 {
		if m, err := n.Port.Write(b[:after]); err != nil {
			return m, err
		}
	}
	return after, fmt.Errorf("write: %w", devices.ErrStalled)
}

// A command that the line took in part opens no drawer later, and what is written next is understood from its first byte.
func TestACommandInPartSpoilsNothingBehindIt(t *testing.T) {
	pulse, ask := []byte{0x10, 0x14}, []byte{0x10, 4}
	tried := 0
	for _, c := range []struct {
		of   []byte
		size int
	}{{pulse, 5}, {ask, 3}} {
		for after := range c.size { // of a pulse that the line took whole nobody knows
			for _, again := range []bool{false, true} {
				t.Run(fmt.Sprintf("%x/%d/%v", c.of, after, again), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						var line *narrow
						x := at(t, emulator.Config{}, func(p devices.Port) devices.Port {
							line = &narrow{Port: p, after: -1}
							return line
						})
						done := x.waits(t)
						line.stall(c.of, after)
						if why := blockedBy(x.kick(t)); why != "paper" || len(x.e.Pulses()) != 0 {
							t.Errorf("the answer names %q, pulses on %v", why, x.e.Pulses())
						}
						want := 0
						if again {
							want = 1
							if err := x.kick(t); err != nil {
								t.Error(err)
							}
						}
						x.e.Mend()
						if out := <-done; out.Result != printer.Printed {
							t.Errorf("%+v", out)
						}
						x.prints(t, "next")
						if n := len(x.e.Receipts()); n != 3 || len(x.e.Pulses()) != want {
							t.Errorf("%d receipts, pulses on %v, want %d", n, x.e.Pulses(), want)
						}
					})
				})
				tried++
			}
		}
	}
	t.Logf("%d stalls inside of a command", tried)
}

// broken is a line that breaks in the middle of its second piece, and says whether somebody had the right to write when it
// was given up.
type broken struct {
	devices.Port
	mu     sync.Mutex
	long   int // pieces so far
	writes func() bool
	alone  []bool
}

func (b *broken) Write(p []byte) (int, error) {
	b.mu.Lock()
	if len(p) > 1000 {
		b.long++
	}
	fails := b.long == 2
	b.mu.Unlock()
	if fails {
		n, _ := b.Port.Write(p[:min(10, len(p))])
		return n, io.ErrClosedPipe
	}
	return b.Port.Write(p)
}

func (b *broken) Close() error {
	b.mu.Lock()
	b.alone = append(b.alone, b.writes())
	b.mu.Unlock()
	return b.Port.Close()
}

// Behind half a job nobody writes: the line is given up before the right to write is.
func TestALineIsGivenUpBeforeAnybodyElseMayWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := &broken{}
		x := at(t, emulator.Config{}, func(p devices.Port) devices.Port { line.Port = p; return line })
		line.writes = func() bool { return escpos.Writing(x.d) }
		out, err := x.d.Print(t.Context(), printer.Job{ID: "x", Raw: bytes.Repeat([]byte("x\n"), 2000)})
		if out.Result != printer.Unknown || out.Sent != 1034 {
			t.Errorf("%+v, %v", out, err)
		}
		line.mu.Lock()
		defer line.mu.Unlock()
		if len(line.alone) == 0 || !line.alone[0] {
			t.Errorf("closed: %v", line.alone)
		}
	})
}
