package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"tilld/devices"
	"tilld/devices/arbiter"
	"tilld/devices/discover"
	"tilld/devices/fileport"
	"tilld/devices/usbport"
	"tilld/internal/usbbench/gadget"
)

// arrives waits until what the printer got is want.
func arrives(p *gadget.Bulk, want []byte) error {
	return eventually(func() error {
		if got := p.Got(); !bytes.Equal(got, want) {
			return fmt.Errorf("%d bytes were written and %d came, the same: %v; the device's last troubles: %q", len(want), len(got), bytes.Equal(got, want[:min(len(got), len(want))]), p.Troubles())
		}
		return nil
	})
}

// asked sends a status request and waits for the answer.
func asked(port devices.Port) error {
	type answer struct {
		b   []byte
		err error
	}
	done := make(chan answer, 1)
	go func() {
		b := make([]byte, 64)
		n, err := port.Read(b)
		done <- answer{b[:n], err}
	}()
	if _, err := port.Write([]byte{0x10, 0x04, 0x01}); err != nil {
		return err
	}
	select {
	case a := <-done:
		if a.err != nil || !bytes.Equal(a.b, []byte{0x12}) {
			return fmt.Errorf("the answer is % x, %w", a.b, a.err)
		}
		return nil
	case <-time.After(patience):
		return errLate
	}
}

// disturb sends each thread of this program the signal by which Go's scheduler interrupts it, over and over, until stop.
func disturb() (stop func() int) {
	end, sent := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for {
			threads, _ := os.ReadDir("/proc/self/task")
			for _, t := range threads {
				id, err := strconv.Atoi(t.Name())
				if err == nil && unix.Tgkill(os.Getpid(), id, unix.SIGURG) == nil {
					n++
				}
			}
			select {
			case <-end:
				sent <- n
				return
			default:
			}
		}
	}()
	return func() int {
		close(end)
		return <-sent
	}
}

func (b *bench) printing() {
	g, paper, err := b.receiptPrinter()
	var d plugged
	b.check("printer arrives", func() (string, error) {
		if err != nil {
			return "", err
		}
		if d, err = b.plug(g, 0, discover.LP); err != nil {
			return "", err
		}
		return fmt.Sprintf("%s, %s, cable to kernel %s, kernel to ready %s", d.Device, d.node.Path, ms(d.cable), ms(d.ready)), nil
	})
	if d.node.Path == "" {
		return
	}
	job := pattern(64 << 10)
	b.check("printer by usblp", func() (string, error) {
		p, err := fileport.Open(context.Background(), d.node.Path, fileport.Printer, fileport.Options{})
		if err != nil {
			return "", err
		}
		defer p.Close()
		begun := time.Now()
		id, err := p.DeviceID()
		if err != nil {
			return "", fmt.Errorf("after %s: %w; the device's last troubles: %q", ms(time.Since(begun)), err, paper.Troubles())
		}
		begun = time.Now()
		if _, err := p.Write(job); err != nil {
			return "", err
		}
		if err := arrives(paper, job); err != nil {
			return "", err
		}
		took := time.Since(begun)
		if err := asked(p); err != nil {
			return "", fmt.Errorf("status: %w", err)
		}
		return fmt.Sprintf("%d bytes in %s, status asked and answered, id %q", len(job), ms(took), id), p.Close()
	})
	b.check("signals while usblp writes", func() (string, error) {
		paper.Clear()
		p, err := fileport.Open(context.Background(), d.node.Path, fileport.Printer, fileport.Options{})
		if err != nil {
			return "", err
		}
		defer p.Close()
		stop := disturb()
		const each = 32
		for at := 0; at < len(job) && err == nil; at += each {
			_, err = p.Write(job[at : at+each])
		}
		signals := stop()
		if err != nil {
			return "", err
		}
		if err := arrives(paper, job); err != nil {
			return "", err
		}
		return fmt.Sprintf("%d writes, %d signals: nothing twice", len(job)/each, signals), p.Close()
	})
	b.check("printer by libusb", func() (string, error) {
		paper.Clear()
		p, err := usbport.Open(context.Background(), b.now(0), usbport.Options{})
		if err != nil {
			return "", err
		}
		defer p.Close()
		if err := b.driver(0, 0, "usbfs"); err != nil {
			return "", err
		}
		id, err := p.DeviceID()
		if err != nil {
			return "", err
		}
		status, err := p.PortStatus()
		if err != nil || status != 0x18 {
			return "", fmt.Errorf("port status %#x, %w", status, err)
		}
		begun := time.Now()
		if _, err := p.Write(job); err != nil {
			return "", err
		}
		if err := arrives(paper, job); err != nil {
			return "", err
		}
		took := time.Since(begun)
		if err := asked(p); err != nil {
			return "", fmt.Errorf("status: %w", err)
		}
		if _, err := usbport.Open(context.Background(), b.now(0), usbport.Options{}); !errors.Is(err, devices.ErrPerson) {
			return "", fmt.Errorf("a second program could open it too: %w", err)
		}
		if err := p.Close(); err != nil {
			return "", err
		}
		if err := b.driver(0, 0, "usblp"); err != nil {
			return "", fmt.Errorf("afterwards: %w", err)
		}
		return fmt.Sprintf("%d bytes in %s, id %q, usblp has it again", len(job), ms(took), id), nil
	})
	b.check("halted endpoint", func() (string, error) {
		paper.Clear()
		p, err := usbport.Open(context.Background(), b.now(0), usbport.Options{})
		if err != nil {
			return "", err
		}
		defer p.Close()
		paper.Halt()
		time.Sleep(100 * time.Millisecond) // the device must have halted before the host writes
		if _, err := p.Write(job); err != nil {
			return "", err
		}
		if err := arrives(paper, job); err != nil {
			return "", err
		}
		if p.Halts() != 1 {
			return "", fmt.Errorf("%d halts were cleared, want 1", p.Halts())
		}
		return "cleared once, nothing lost, nothing twice", nil
	})
	b.check("a printer that takes nothing", func() (string, error) {
		paper.Clear()
		p, err := usbport.Open(context.Background(), b.now(0), usbport.Options{WriteLimit: 500 * time.Millisecond})
		if err != nil {
			return "", err
		}
		defer p.Close()
		paper.Hold(true)
		defer paper.Hold(false)
		time.Sleep(100 * time.Millisecond)
		begun := time.Now()
		n, err := p.Write(job)
		if !errors.Is(err, devices.ErrStalled) {
			return "", fmt.Errorf("wrote %d bytes, %w", n, err)
		}
		took := time.Since(begun)
		paper.Hold(false)
		if err := eventually(func() error {
			if got := len(paper.Got()); got != n {
				return fmt.Errorf("%d bytes were told and %d came", n, got)
			}
			return nil
		}); err != nil {
			return "", err
		}
		return fmt.Sprintf("told after %s, %d bytes told and come", ms(took), n), nil
	})
	b.muted(paper)
	b.empty(paper)
	b.untaken(g, paper)
	b.pulled("pulled in a job, usblp", g, paper, func() (devices.Port, error) { return b.byLP() })
	b.pulled("pulled in a job, libusb", g, paper, func() (devices.Port, error) {
		return usbport.Open(context.Background(), b.now(0), usbport.Options{})
	})
	b.check("another program has it open", func() (string, error) {
		n, err := b.lp(0)
		if err != nil {
			return "", err
		}
		cmd := exec.Command("/init", "hold", n)
		out, err := cmd.StdoutPipe()
		if err != nil {
			return "", err
		}
		if err := cmd.Start(); err != nil {
			return "", err
		}
		defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
		if _, err := out.Read(make([]byte, 16)); err != nil {
			return "", err
		}
		if _, err := fileport.Open(context.Background(), n, fileport.Printer, fileport.Options{}); !errors.Is(err, devices.ErrPerson) {
			return "", fmt.Errorf("it was opened beside the other: %w", err)
		}
		for _, c := range arbiter.Find(os.DirFS("/"), b.now(0), arbiter.ByFile, os.Getpid()) {
			if c.Code == "open" {
				return c.Text, nil
			}
		}
		return "", errors.New("nobody was named")
	})
	b.say("printer leaves", "told", b.pull(g, 0))
	b.oneWay()
}

// pulled pulls the cable in the middle of a job: the write ends with an error and a count that is no lie, and after the
// plug the next job is whole.
func (b *bench) pulled(name string, g *gadget.Gadget, paper *gadget.Bulk, open func() (devices.Port, error)) {
	b.check(name, func() (string, error) {
		paper.Clear()
		p, err := open()
		if err != nil {
			return "", err
		}
		defer p.Close()
		paper.PullAt(100 << 10)
		begun := time.Now()
		n, err := p.Write(pattern(400 << 10))
		took := time.Since(begun)
		if err == nil {
			return "", fmt.Errorf("%d bytes were written through a cable that was pulled", n)
		}
		if got := len(paper.Got()); n < 0 || got < 100<<10 || n > 400<<10 {
			return "", fmt.Errorf("%d bytes were told, %d came", n, got)
		}
		_ = p.Close()
		if err := b.isGone(0); err != nil {
			return "", err
		}
		if err := b.printsAgain(g, paper, open); err != nil {
			return "", err
		}
		return fmt.Sprintf("the write ended with %d of %d bytes after %s; back and printing", n, 400<<10, ms(took)), nil
	})
}

// printsAgain plugs a printer in that was pulled, and has it print.
func (b *bench) printsAgain(g *gadget.Gadget, paper *gadget.Bulk, open func() (devices.Port, error)) error {
	if _, err := b.plug(g, 0, discover.LP); err != nil {
		return err
	}
	paper.Clear()
	p, err := open()
	if err != nil {
		return fmt.Errorf("open it again: %w", err)
	}
	defer p.Close()
	job := pattern(8 << 10)
	if _, err := p.Write(job); err != nil {
		return err
	}
	if err := arrives(paper, job); err != nil {
		return err
	}
	return p.Close()
}

// now is what is plugged into a controller.
func (b *bench) now(controller int) discover.Device {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.have[at(controller)]
}

// lp waits until usblp has a printer, and is its file.
func (b *bench) lp(controller int) (string, error) {
	var path string
	err := b.wait("a file of usblp at "+at(controller), func() bool {
		n, ok := b.have[at(controller)].Node(discover.LP)
		path = n.Path
		return ok && n.Trouble == ""
	})
	return path, err
}

// driver waits until an interface has a driver, as the watcher tells it.
func (b *bench) driver(controller, number int, want string) error {
	return b.wait(fmt.Sprintf("driver %q of %s", want, at(controller)), func() bool {
		return slices.ContainsFunc(b.have[at(controller)].Interfaces, func(i discover.Interface) bool { return i.Number == number && i.Driver == want })
	})
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
