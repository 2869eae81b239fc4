package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"tilld/devices"
	"tilld/devices/discover"
	"tilld/devices/fileport"
	"tilld/devices/usbport"
	"tilld/internal/usbbench/gadget"
)

// within is what a call answers, or errLate.
func within(call func() error) error {
	ended := make(chan error, 1)
	go func() { ended <- call() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(patience):
		return errLate
	}
}

// empty has a printer say nothing, in packets: by themselves, and behind an answer that fills the 1,024 bytes of usblp's
// transfer. Such a packet is no end of the line, and nothing beside it is lost.
func (b *bench) empty(paper *gadget.Bulk) {
	for _, by := range []struct {
		name string
		open func() (devices.Port, error)
	}{
		{"usblp", func() (devices.Port, error) { return b.byLP() }},
		{"libusb", func() (devices.Port, error) {
			return usbport.Open(context.Background(), b.now(0), usbport.Options{})
		}},
	} {
		b.check("a printer that sends empty packets, "+by.name, func() (string, error) {
			p, err := by.open()
			if err != nil {
				return "", err
			}
			defer p.Close()
			want, sent := append(pattern(1024), "and more"...), 0
			for _, packet := range [][]byte{nil, nil, want[:1024], nil, want[1024:], nil} {
				paper.Send(packet)
				if len(packet) == 0 {
					sent++
				}
			}
			got := make([]byte, len(want))
			if err := within(func() error { _, err := io.ReadFull(p, got); return err }); err != nil {
				return "", fmt.Errorf("read: %w; the device's last troubles: %q", err, paper.Troubles())
			}
			if !bytes.Equal(got, want) {
				return "", errors.New("what was read is not what was sent")
			}
			if err := asked(p); err != nil {
				return "", fmt.Errorf("status afterwards: %w", err)
			}
			return fmt.Sprintf("%d empty packets, %d bytes read, status answered", sent, len(got)), p.Close()
		})
	}
}

// byLP opens the printer of the first controller by usblp.
func (b *bench) byLP() (*fileport.Port, error) {
	n, err := b.lp(0)
	if err != nil {
		return nil, err
	}
	return fileport.Open(context.Background(), n, fileport.Printer, fileport.Options{})
}

// untaken has transfers fail that usblp was given: none of them is told as taken, nor is the last of a job.
func (b *bench) untaken(g *gadget.Gadget, paper *gadget.Bulk) {
	job := pattern(64 << 10)
	for _, c := range []struct {
		name         string
		before, then func() error // before the job is written; while it is
		pulls        bool         // the cable is out by then
	}{
		{"halted endpoint, usblp", func() error {
			paper.Halt()
			time.Sleep(100 * time.Millisecond) // the device must have halted before the host writes
			return nil
		}, func() error { return nil }, false},
		{"pulled in the last transfer, usblp", func() error {
			paper.Room(len(job) - 2048)
			return nil
		}, func() error {
			defer paper.Room(0)
			if err := eventually(func() error {
				if got := len(paper.Got()); got < len(job)-2048 {
					return fmt.Errorf("%d bytes came; the device's last troubles: %q", got, paper.Troubles())
				}
				return nil
			}); err != nil {
				return err
			}
			return g.Pull()
		}, true},
	} {
		b.check(c.name, func() (string, error) {
			paper.Clear()
			p, err := b.byLP()
			if err != nil {
				return "", err
			}
			defer p.Close()
			if err := c.before(); err != nil {
				return "", err
			}
			n, written := 0, make(chan error, 1)
			go func() { written <- within(func() (err error) { n, err = p.Write(job); return err }) }()
			if err := c.then(); err != nil {
				return "", err
			}
			failed := <-written
			if failed == nil || errors.Is(failed, errLate) || errors.Is(failed, devices.ErrStalled) {
				return "", fmt.Errorf("%d of %d bytes came, and the write ended with: %w", len(paper.Got()), len(job), failed)
			}
			came := len(paper.Got())
			_ = p.Close()
			if !c.pulls {
				if err := g.Pull(); err != nil {
					return "", err
				}
			}
			if err := b.isGone(0); err != nil {
				return "", err
			}
			if err := b.printsAgain(g, paper, func() (devices.Port, error) { return b.byLP() }); err != nil {
				return "", err
			}
			return fmt.Sprintf("%d of %d bytes came, %d may have left: %v; back and printing", came, len(job), n, failed), nil
		})
	}
}

// oneWay is a printer that says of itself that nothing comes back from it (USB printer class 1.1, protocol 1): usblp refuses
// each read then. It is a line to write on, until its cable is pulled.
func (b *bench) oneWay() {
	b.check("a printer without a way back, usblp", func() (string, error) {
		g, err := gadget.New(gadget.Device{Name: "oneway", Vendor: 0x0fe6, Product: 0x811e, Maker: "ICS", Model: "Thermal Receipt Printer", Serial: "OW1"})
		if err != nil {
			return "", err
		}
		paper, err := g.Bulk(gadget.OneWay, nil)
		if err != nil {
			return "", err
		}
		if _, err := b.plug(g, 0, discover.LP); err != nil {
			return "", err
		}
		p, err := b.byLP()
		if err != nil {
			return "", err
		}
		defer p.Close()
		read := make(chan error, 1)
		go func() { _, err := p.Read(make([]byte, 64)); read <- err }()
		job := pattern(64 << 10)
		if _, err := p.Write(job); err != nil {
			return "", err
		}
		if err := arrives(paper, job); err != nil {
			return "", err
		}
		select {
		case err := <-read:
			return "", fmt.Errorf("the read beside it ended: %w", err)
		default:
		}
		if err := b.pull(g, 0); err != nil {
			return "", err
		}
		if err := within(func() error { return <-read }); !errors.Is(err, devices.ErrAbsent) {
			return "", fmt.Errorf("the read ended at the pull with: %w", err)
		}
		return fmt.Sprintf("%d bytes printed, the read beside them ended with the pull", len(job)), nil
	})
}
