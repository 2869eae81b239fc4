package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// commands is what a technician is told, alone: for docs/devices.md.
func (b *bench) commands() {
	c := &counter{bench: b}
	b.check("tilld, integrator and bank start", func() (fact string, err error) {
		c.shop, err = open("tilld", alone)
		return "ready", err
	})
	if c.shop == nil {
		return
	}
	defer c.close()
	c.oneOfEach(true)
	b.check("the settings name all devices", func() (string, error) {
		if err := c.restart(false); err != nil {
			return "", err
		}
		return c.furnish(len(c.desks))
	})
	if b.desks[len(c.desks)-1] != nil {
		c.tells()
		c.exchanged()
	}
}

// tells prints what a technician is told of six devices.
func (c *counter) tells() {
	c.tell(nil, nil, "scanner-3", "devices")
	c.tell(nil, nil, "/dev/usb/lp", "ports")
	c.tell(nil, nil, "settings", "bind")
}

// technician goes through the commands with one of each: lists, what each shows of itself, tests and traces.
func (c *counter) technician(d *desk, h *hand, p *pole) {
	const goods = "4006381333931"
	scans := func(done <-chan struct{}, _ *screen) error { // a hand that presses the trigger until something has heard it
		for {
			if err := h.Scan(goods); err != nil {
				return err
			}
			select {
			case <-done:
				return nil
			case <-time.After(time.Second):
			}
		}
	}
	c.tell(nil, nil, "customer-display-1", "devices")
	c.tell(nil, nil, "/dev/hidraw", "ports")
	c.tell(nil, nil, "alone", "bind")
	c.tell(nil, scans, "scanner of lane 1: found", "bind", "1", "scanner")
	in, typed := io.Pipe()
	c.tell(in, func(done <-chan struct{}, s *screen) error { // a person reads the number off the glass and types it
		defer typed.Close()
		return eventually(func() error {
			select {
			case <-done:
				return nil
			default:
			}
			n := p.number()
			if n == 0 || !strings.HasSuffix(s.text(), "number? ") {
				return fmt.Errorf("the glass shows %q: %w", p.glass.Rows(), errLate)
			}
			_, err := fmt.Fprintf(io.MultiWriter(s, typed), "%d\n", n)
			return err
		})
	}, "customer-display of lane 1: found", "bind", "1", "customer-display")
	c.tell(nil, nil, "customer-display-1  ok", "test", "customer-display-1")
	papers := len(d.all())
	c.tell(nil, nil, "printer-front  ok", "test", "printer-front")
	c.check("a test slip", func() (string, error) {
		_, err := d.next(papers)
		return "on paper", err
	})
	c.tell(nil, scans, "scanner-1  ok", "test", "scanner-1")
	c.tell(nil, scans, `< "`, "trace", "scanner-1", "--for", "3s")
	n := 0
	c.tell(nil, func(done <-chan struct{}, _ *screen) error {
		for {
			n++
			j, err := c.long("1", fmt.Sprintf("traced-%d", n), 1)
			if err == nil {
				_, err = c.printed(j.ID)
			}
			if err != nil {
				return err
			}
			select {
			case <-done:
				return nil
			case <-time.After(4 * time.Second):
			}
		}
	}, `> "`, "trace", "printer-front", "--for", "8s")
}

// screen is what a command has said so far, and what was typed to it.
type screen struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write says or types something.
func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// tell runs tillctl, with something that is done meanwhile until it ends, and prints both for docs/devices.md: lines with a C
// in front. It must end well and say what is wanted.
func (c *counter) tell(in io.Reader, meanwhile func(done <-chan struct{}, s *screen) error, want string, args ...string) {
	c.check("tillctl "+strings.Join(args, " "), func() (string, error) {
		begun, s, done, beside := time.Now(), &screen{}, make(chan struct{}), make(chan error, 1)
		cmd := exec.Command(filepath.Join(programs, "tillctl"), args...)
		cmd.WaitDelay = 5 * time.Second // for who types, once it has ended
		cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = place, append(os.Environ(), "TILLCTL_TOKEN="+token), in, s, s
		if err := cmd.Start(); err != nil {
			return "", err
		}
		go func() {
			if meanwhile == nil {
				beside <- nil
				return
			}
			beside <- meanwhile(done, s)
		}()
		err := cmd.Wait()
		close(done)
		if err := errors.Join(err, <-beside); err != nil {
			return "", fmt.Errorf("%w\n%s", err, s.text())
		}
		if !strings.Contains(s.text(), want) {
			return "", fmt.Errorf("it does not say %q:\n%s", want, s.text())
		}
		said := "$ tillctl " + strings.Join(args, " ") + "\n" + strings.TrimRight(s.text(), "\n")
		fmt.Println("C " + strings.ReplaceAll(said, "\n", "\nC "))
		return fmt.Sprintf("%d lines after %s", strings.Count(said, "\n"), ms(time.Since(begun))), nil
	})
}
