package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tilld/devices/fileport"
	"tilld/devices/usbport"
	"tilld/internal/usbbench/gadget"
)

// asker is a port that asks its device on the control line.
type asker interface {
	DeviceID() (string, error)
	Write(b []byte) (int, error)
	Close() error
}

// muted asks a printer that takes jobs and answers no control request: the question must end by itself, the port must go on,
// and be answered once the printer answers again. Through usblp the kernel has the clock, 5 s; through libusb we have. The
// rest of the program goes on meanwhile: whoever waits for usblp in poll waits for the question too (fileport's unpolled).
func (b *bench) muted(paper *gadget.Bulk) {
	const limit = 500 * time.Millisecond
	for _, by := range []struct {
		name  string
		least time.Duration // before that the answer could still have come
		open  func() (asker, error)
		ask   func(asker) error
	}{
		{"usblp", 4 * time.Second, func() (asker, error) {
			return b.byLP()
		}, func(p asker) error { _, err := p.(*fileport.Port).Status(); return err }},
		{"libusb", limit, func() (asker, error) {
			return usbport.Open(context.Background(), b.now(0), usbport.Options{ControlLimit: limit})
		}, func(p asker) error { _, err := p.(*usbport.Port).PortStatus(); return err }},
	} {
		if by.name == "usblp" && setting("full", "") == "" {
			continue // it takes the kernel's 5 s
		}
		b.check("a printer that answers no control request, "+by.name, func() (string, error) {
			paper.Clear()
			p, err := by.open()
			if err != nil {
				return "", err
			}
			defer p.Close()
			if err := by.ask(p); err != nil {
				return "", fmt.Errorf("while it answers: %w; the device's last troubles: %q", err, paper.Troubles())
			}
			paper.Mute(true)
			defer paper.Mute(false)
			goesOn := pulse()
			asked, begun := make(chan error, 1), time.Now()
			go func() { asked <- by.ask(p) }()
			select {
			case err = <-asked:
			case <-time.After(patience):
				return "", fmt.Errorf("its status: %w", errLate)
			}
			took, stood := time.Since(begun), goesOn()
			if stood > by.least/2 {
				return "", fmt.Errorf("the whole program stood still for %s of the %s of the question", ms(stood), ms(took))
			}
			if err == nil || took < by.least {
				return "", fmt.Errorf("it gave its status after %s, %w", ms(took), err)
			}
			job := pattern(1024)
			if _, err := p.Write(job); err != nil {
				return "", fmt.Errorf("a job behind the question: %w", err)
			}
			if err := arrives(paper, job); err != nil {
				return "", fmt.Errorf("a job behind the question: %w", err)
			}
			paper.Mute(false)
			var id string
			if err := eventually(func() (err error) { id, err = p.DeviceID(); return err }); err != nil || id == "" {
				return "", errors.Join(err, fmt.Errorf("afterwards its id is %q", id))
			}
			return fmt.Sprintf("given up after %s, the program never stood still for more than %s, a job of %d bytes went on, answered again afterwards", ms(took), ms(stood), len(job)), p.Close()
		})
	}
}

// pulse looks whether this program goes on, until it is asked for the longest time in which it did not.
func pulse() (longest func() time.Duration) {
	const beat = 10 * time.Millisecond
	end, worst := make(chan struct{}), make(chan time.Duration)
	go func() {
		var most time.Duration
		for last := time.Now(); ; last = time.Now() {
			select {
			case <-end:
				worst <- most
				return
			case <-time.After(beat):
				most = max(most, time.Since(last)-beat)
			}
		}
	}()
	return func() time.Duration {
		close(end)
		return <-worst
	}
}
