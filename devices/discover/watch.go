package discover

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"
)

// What has become of a device.
const (
	Present = "present" // it was there when we began to look
	Arrived = "arrived" // or the first look had failed, and nobody knows since when it is there
	Changed = "changed" // a driver, a node or a right came or went
	Left    = "left"
)

// Event is news of one device.
type Event struct {
	Kind   string
	Device Device
	At     time.Time // when the kernel's message was read; of Present, when we looked
}

// Source is where messages come from: *Kernel, or a test.
type Source interface {
	Next() (Uevent, error)
	Close() error
}

// Watcher tells what is there and what comes and goes. Messages of the kernel are only a reason to look: what sysfs says
// is the truth, so a message that was lost, forged or late changes nothing.
type Watcher struct {
	FS     fs.FS                  // the root of the file system
	Open   func() (Source, error) // OpenKernel
	Access func(string) error     // Access
	Log    *slog.Logger
}

// A node gets its rights from udev after the kernel's message, and a driver may be loaded later still: while something
// is missing we look again, at growing pauses, and then wait for the next message.
const (
	firstLook = 5 * time.Millisecond
	lastLook  = 640 * time.Millisecond
	lookFor   = 5 * time.Second
	reopen    = time.Second
)

// A look that failed is repeated, at growing pauses too: what was plugged in then has no other message.
const lastFailed = 10 * time.Second

// Run tells until ctx ends; then it returns nil. emit is called by one goroutine, in order, and must not block for long.
// An error means that the kernel gives no messages at all, or that there is no sysfs; any other look that fails is repeated.
func (w *Watcher) Run(ctx context.Context, emit func(Event)) error {
	src, err := w.Open() // before the first look, so that nothing falls between
	if err != nil {
		return err
	}
	l := &loop{w: w, emit: emit}
	snap, err := Scan(w.FS, w.Access)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		_ = src.Close()
		return err
	case err != nil:
		l.failed(err)
	default:
		l.report(Present, snap, time.Now())
	}
	news := make(chan error, 1)
	var wg sync.WaitGroup
	wg.Go(func() { w.listen(ctx, src, news) })
	defer wg.Wait() // listen ends with ctx
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-news:
			if err != nil {
				w.Log.Warn("kernel messages were lost", "err", err)
			}
			l.look(time.Now(), true)
		case <-l.again:
			l.look(l.since, false)
		}
	}
}

// listen reads messages and leaves a note in news, which holds one: however many come, one look answers them all.
func (w *Watcher) listen(ctx context.Context, src Source, news chan error) {
	note := func(err error) {
		select {
		case news <- err:
		default:
		}
	}
	for ctx.Err() == nil {
		stop := context.AfterFunc(ctx, func() { _ = src.Close() })
		for {
			e, err := src.Next()
			if errors.Is(err, ErrOverrun) {
				note(err)
				continue
			}
			if err != nil {
				if ctx.Err() == nil {
					note(err)
				}
				break
			}
			if e.concerns() {
				note(nil)
			}
		}
		stop()
		_ = src.Close()
		for ctx.Err() == nil { // the socket broke: open another, and look at what was missed
			select {
			case <-ctx.Done():
				return
			case <-time.After(reopen):
			}
			next, err := w.Open()
			if err == nil {
				src = next
				note(nil)
				break
			}
			note(fmt.Errorf("open it again: %w", err))
		}
	}
	_ = src.Close()
}

// loop is the state of one Run; its goroutine alone touches it.
type loop struct {
	w     *Watcher
	emit  func(Event)
	have  []Device
	since time.Time // of the message that is being answered
	pause time.Duration
	again <-chan time.Time
	fails int // looks in a row
}

func (l *loop) look(at time.Time, fresh bool) {
	if fresh {
		l.since, l.pause = at, 0
	}
	snap, err := Scan(l.w.FS, l.w.Access)
	if err != nil {
		l.failed(err)
		return
	}
	if l.fails > 0 {
		l.w.Log.Info("devices can be listed again", "tries", l.fails)
		l.fails = 0
	}
	l.report(Arrived, snap, at)
}

// failed has a look that failed repeated. Only the first of a row is logged.
func (l *loop) failed(err error) {
	if l.fails++; l.fails == 1 {
		l.w.Log.Warn("devices cannot be listed", "err", err)
	}
	l.again = time.After(min(lastLook<<min(l.fails-1, 8), lastFailed))
}

// report compares, tells, and decides whether to look again by itself.
func (l *loop) report(newKind string, snap Snapshot, at time.Time) {
	changed := false
	say := func(kind string, d Device) { changed = true; l.emit(Event{kind, d, at}) }
	for _, d := range l.have {
		if i := find(snap.Devices, d); i < 0 {
			say(Left, d)
		}
	}
	settled := true
	for _, d := range snap.Devices {
		settled = settled && d.settled()
		switch i := find(l.have, d); {
		case i < 0:
			say(newKind, d)
		case !l.have[i].equal(d):
			say(Changed, d)
		}
	}
	l.have, l.again = snap.Devices, nil
	if l.since.IsZero() {
		l.since = at
	}
	if changed {
		l.since, l.pause = at, 0
	}
	if settled || time.Since(l.since) >= lookFor {
		return
	}
	l.pause = min(max(l.pause*2, firstLook), lastLook)
	l.again = time.After(l.pause)
}

func find(list []Device, d Device) int {
	for i := range list {
		if list[i].same(d) {
			return i
		}
	}
	return -1
}
