package escpos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tilld/devices"
	"tilld/printer"
)

// Limits of the greeting.
const (
	greetLimit   = 3 * time.Second        // for the answer in turn of a printer that is not blocked
	askLimit     = 500 * time.Millisecond // for a real-time answer
	calm         = 100 * time.Millisecond // in which a late answer to what was sent before us would come
	askEvery     = 2 * time.Second        // while an answer in turn does not come
	blockedEvery = 30 * time.Second       // while it does not come because the printer is blocked
	flushBytes   = 8192                   // of zeros at least, as receiptio sends them
)

// errMute: nothing at all came back.
var errMute = errors.New("the printer does not answer: look at cable and power, or set proof: none if it is one that cannot")

// Serve reads what the printer says until the line dies or ctx ends, and closes the line.
func (d *Device) Serve(ctx context.Context, status func(printer.Status)) error {
	d.mu.Lock()
	if d.serving {
		d.mu.Unlock()
		return errors.New("printer: served already")
	}
	d.serving, d.tell = true, status
	d.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = d.port.Close() })
	defer stop()
	kept := make(chan struct{})
	go func() { // ends with ctx
		defer close(kept)
		if err := d.keep(ctx); err != nil && ctx.Err() == nil {
			d.giveUp(err)
		}
	}()
	var s splitter
	b := make([]byte, 256)
	for {
		n, err := d.port.Read(b)
		for _, a := range s.feed(b[:n]) {
			d.hear(a)
		}
		if err != nil {
			d.giveUp(err)
			cancel()
			<-kept
			d.mu.Lock()
			defer d.mu.Unlock()
			return fmt.Errorf("printer: %w", d.dead)
		}
	}
}

// hear takes one thing in, and tells what is new.
func (d *Device) hear(a answer) {
	d.mu.Lock()
	d.heard++
	s := d.status
	late := ""
	switch a.kind {
	case asbBlock:
		s = automatic(s, a.b)
		d.byself, d.stopped = true, automatic(printer.Status{}, a.b).Blocked() != ""
	case realTime:
		n := d.asked
		if len(d.late) > 0 {
			n, d.late = d.late[0], d.late[1:]
		} else {
			d.asked = 0
		}
		s = asked(s, n, a.b[0])
		d.answers |= 1 << n
	case inTurn:
		// A printer that is off line does not come to what would answer in turn (manuals of Better BT-532C, page 49, and Custom
		// P80C, GS r), and it says that it is on line again before it goes on, by a block that waits for nobody (Epson TM-U295
		// manual, GS a). So this is none: on RS-232 a printer that is switched off breaks the line, which reads as 00. One that
		// only answered so when it was asked may have gone on since.
		if !d.stopped || s.Blocked() == "" {
			d.inTurn++
		}
	case textual:
		late = d.proof(a.b)
	}
	news := s != d.status || late != ""
	s.At = time.Now()
	d.status = s
	d.changed()
	tell := d.tell
	d.mu.Unlock()
	d.here()
	if news && tell != nil {
		s.Printed = late
		tell(s)
	}
}

// proof keeps the process id that an answer names; it gives back one that nobody waits for. The state is locked.
func (d *Device) proof(b []byte) (late string) {
	if len(b) != 7 || b[0] != 0x37 || b[1] != 0x22 {
		return ""
	}
	id := string(b[2:6])
	d.ids = append(d.ids, id)
	if len(d.ids) > 8 {
		d.ids = d.ids[1:]
	}
	if id == d.await || id == greeting {
		return ""
	}
	return id
}

func yes(b bool) printer.State {
	if b {
		return printer.Yes
	}
	return printer.No
}

// automatic reads a block of automatic status.
func automatic(s printer.Status, b []byte) printer.Status {
	s.Drawer = yes(b[0]&0x04 != 0)
	s.Online = yes(b[0]&0x08 == 0)
	s.Cover = yes(b[0]&0x20 != 0)
	s.Feed = yes(b[0]&0x40 != 0 || b[1]&0x02 != 0)
	s.Cutter = yes(b[1]&0x08 != 0)
	s.Error = yes(b[1]&0x64 != 0)
	s.PaperLow = yes(b[2]&0x03 != 0)
	s.Paper = yes(b[2]&0x0c == 0)
	return s
}

// asked reads the answer to the real-time request n.
func asked(s printer.Status, n, b byte) printer.Status {
	switch n {
	case 1:
		s.Drawer, s.Online = yes(b&0x04 != 0), yes(b&0x08 == 0)
		// Whatever stopped it is over, a stuck knife too, and often because it was off: then it does not say so by itself any
		// more (Epson TM-T88III specification, GS a: 0 after power on, unless a switch says otherwise).
		if s.Online == printer.Yes {
			s.Cover, s.Cutter, s.Error = printer.No, printer.No, printer.No
		}
	case 2:
		s.Cover, s.Feed, s.Error = yes(b&0x04 != 0), yes(b&0x08 != 0), yes(b&0x40 != 0)
	case 3:
		s.Cutter = yes(b&0x08 != 0)
	case 4:
		s.PaperLow, s.Paper = yes(b&0x0c != 0), yes(b&0x60 == 0)
	}
	return s
}

func (d *Device) setReady() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ready = true
	d.changed()
}

// greeting is a process id that no job has.
const greeting = "~~~~"

// greet finds out that somebody answers in turn, and that answers to what was sent before us have all come: one of those,
// taken for ours, would call a job printed that was not.
func (d *Device) greet(ctx context.Context) error {
	if err := d.take(ctx); err != nil {
		return err
	}
	defer d.release()
	if _, err := d.askAll(ctx); err != nil {
		return err
	}
	ok, err := d.barrier(ctx)
	if err == nil && !ok && (d.hasSpoken() || !d.wired()) { // it may be in the middle of a command that its last host left unfinished
		if err = d.flush(); err == nil {
			ok, err = d.barrier(ctx)
		}
		if err == nil && ok { // what was answered may be the first question, from before the zeros
			ok, err = d.barrier(ctx)
		}
	}
	switch {
	case !d.hasSpoken() && (err == nil || errors.Is(err, devices.ErrStalled)): // zeros fill a line that nobody reads
		return errMute
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("the printer answers requests in real time but none in turn (proof: %s)", d.o.Proof)
	}
	d.setReady()
	return nil
}

func (d *Device) hasSpoken() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.heard > 0
}

// wired says that nobody may be heard because the line is set wrong. Zeros would be no zeros then, and a printer prints a mark for
// each byte that it cannot read (Star TSP2000 manual, page 91): most of a metre of them at each opening.
func (d *Device) wired() bool {
	x, ok := devices.Extra[interface{ Wired() bool }](d.port)
	return ok && x.Wired()
}

// flush ends a command that is unfinished, by zeros, which do nothing where none is: more than a band of the widest picture that
// this box sends.
func (d *Device) flush() error {
	long := max(flushBytes, band*((d.o.Dots+7)/8)+8)
	for n := 0; n < long; n += chunk {
		zeros := make([]byte, chunk)
		if _, err := d.command(zeros, zeros); err != nil {
			return err
		}
	}
	return nil
}

// barrier asks in turn and waits for the answer, for as long as the printer is blocked.
func (d *Device) barrier(ctx context.Context) (bool, error) {
	d.mu.Lock()
	d.ids = nil
	from := d.inTurn
	d.mu.Unlock()
	ask := []byte{gs, 'a', asbAll, gs, 'r', 1}
	answered := func() bool { return d.inTurn > from }
	if d.o.Proof == "id" {
		ask = append([]byte{gs, 'a', asbAll}, processID(greeting)...)
		answered = func() bool { return len(d.ids) > 0 && d.ids[len(d.ids)-1] == greeting }
	}
	if _, err := d.command(ask, ask); err != nil {
		return false, err
	}
	for begin := time.Now(); ; {
		ok, err := d.lookAside(ctx, askEvery, answered)
		if err != nil {
			return false, err
		}
		if ok {
			break
		}
		if _, err := d.askAll(ctx); err != nil { // it may say now why it does not go on
			return false, err
		}
		d.mu.Lock()
		if d.status.Blocked() != "" {
			begin = time.Now()
		}
		d.mu.Unlock()
		if time.Since(begin) >= greetLimit {
			return false, nil
		}
	}
	for d.o.Proof == "status" { // answers have no name: until none comes any more
		d.mu.Lock()
		n := d.inTurn
		d.mu.Unlock()
		more, err := d.look(ctx, calm, func() bool { return d.inTurn > n })
		if err != nil {
			return false, err
		}
		if !more {
			break
		}
	}
	return true, nil
}

// lookAside is look for who has the right to write: while the printer is blocked others may.
func (d *Device) lookAside(ctx context.Context, limit time.Duration, f func() bool) (bool, error) {
	if d.blocked() == "" {
		return d.look(ctx, limit, f)
	}
	d.release()
	ok, err := d.look(ctx, limit, f)
	d.turn <- struct{}{} // only a drawer's pulse can have it: for a few of the line's limits at most
	return ok, err
}

// ask is askAll in its turn.
func (d *Device) ask(ctx context.Context) error {
	if err := d.take(ctx); err != nil {
		return err
	}
	defer d.release()
	_, err := d.askAll(ctx)
	return err
}

// askAll asks in real time, one after the other, what a printer answers while it is blocked too. heard says that it has answered
// at least one of them in time. What stands behind a job on a line that is full is answered with the next paper, and is then
// not taken for the answer to another question.
func (d *Device) askAll(ctx context.Context) (heard bool, err error) {
	for _, n := range []byte{1, 4, 2} {
		d.mu.Lock()
		d.asked = n
		d.mu.Unlock()
		if _, err := d.command([]byte{dle, 4, n}, []byte{dle, 4, 0}); err != nil { // 0 asks nothing
			return heard, err
		}
		if _, err := d.look(ctx, askLimit, func() bool { return d.asked == 0 || d.dead != nil }); err != nil {
			return heard, err
		}
		d.mu.Lock()
		switch {
		case d.asked == 0:
			heard = true
		case d.sending && d.answers&(1<<n) != 0: // some clones do not know every n
			d.late = append(d.late, n)
		}
		d.asked = 0
		d.mu.Unlock()
	}
	return heard, nil
}
