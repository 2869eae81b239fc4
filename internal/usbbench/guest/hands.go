package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"

	"tilld/devices/discover"
	"tilld/devices/serialport"
	"tilld/internal/usbbench/gadget"
	"tilld/scanner/twin"
)

// The scanners of the bench, one of each kind, each with a controller of its own.
const (
	keyboardScanner = "keyboard"
	posReports      = "HID POS"
	serialScanner   = "serial"
)

// hand is a scanner in somebody's hand.
type hand struct {
	*gadget.Gadget
	file       string
	controller int
	node       string // what the host makes of it
	send       func(w io.Writer, text string, whole bool) error
	out        io.WriteCloser // the device's end, once it was used
	pace       *pace          // of the keyboard scanner
}

// hand makes a scanner at the first call, and gives it again later: the kernel has few of each kind.
func (b *bench) hand(kind string) (*hand, error) {
	if h := b.hands[kind]; h != nil {
		return h, nil
	}
	h := &hand{}
	d := gadget.Device{Name: "acm", Vendor: 0x0c2e, Product: 0x0aaf, Maker: "Honeywell", Model: "VCOM Scanner", Serial: "SN77"}
	h.controller, h.node, h.send = 3, discover.TTY, asText
	switch kind {
	case keyboardScanner:
		d = gadget.Device{Name: "wedge", Vendor: 0x05e0, Product: 0x1200, Maker: "Symbol", Model: "Bar Code Scanner", Serial: "S01"}
		h.controller, h.node, h.pace = 1, discover.Input, &pace{}
		h.send = h.pace.asKeys
	case posReports:
		d = gadget.Device{Name: "pos", Vendor: 0x0c2e, Product: 0x0b61, Maker: "Honeywell", Model: "HID POS Scanner"}
		h.controller, h.node, h.send = 2, discover.HIDRaw, asReports
	}
	var err error
	if h.Gadget, err = gadget.New(d); err != nil {
		return nil, err
	}
	switch kind {
	case keyboardScanner:
		h.file, err = h.HID(keyLength, keyboard, true)
	case posReports:
		h.file, err = h.HID(posLength, posScanner, false)
	default:
		h.file, err = h.ACM()
	}
	if err == nil {
		b.hands[kind] = h
	}
	return h, err
}

// Scan sends a code and waits until the host has taken its last byte.
func (h *hand) Scan(text string) error { return h.speak(text, true) }

// Part sends a code without its end.
func (h *hand) Part(text string) error { return h.speak(text, false) }

func (h *hand) speak(text string, whole bool) (err error) {
	if h.out == nil {
		if h.node == discover.TTY {
			h.out, err = serialport.Open(context.Background(), h.file, serialport.Options{Baud: 115200}) // raw: no byte is changed
		} else {
			h.out, err = openReports(h.file)
		}
		if err != nil {
			return err
		}
	}
	if err := h.send(h.out, text, whole); err != nil {
		return fmt.Errorf("scan with the %s: %w", h.Model, err)
	}
	return nil
}

// Pull pulls the cable. What the device has not sent by then is gone.
func (h *hand) Pull() error {
	if h.out != nil {
		_ = h.out.Close()
		h.out = nil
	}
	return h.Gadget.Pull()
}

// reports is a HID device's end: a write is a report, and has been taken by the host when it returns.
type reports struct{ fd int }

func openReports(file string) (*reports, error) {
	fd, err := unix.Open(file, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", file, err)
	}
	return &reports{fd}, nil
}

// Write sends one report.
func (r *reports) Write(p []byte) (int, error) {
	n, err := unix.Write(r.fd, p)
	if err != nil {
		return 0, fmt.Errorf("send a report: %w", err)
	}
	for since := time.Now(); ; {
		ready, err := unix.Poll([]unix.PollFd{{Fd: int32(r.fd), Events: unix.POLLOUT}}, int(patience/time.Millisecond))
		switch {
		case ready > 0:
			return n, nil
		case err != nil && err != unix.EINTR:
			return n, fmt.Errorf("send a report: %w", err)
		case time.Since(since) > patience:
			return n, fmt.Errorf("send a report: %w: nobody takes it", errLate)
		}
	}
}

// Close closes the device's end.
func (r *reports) Close() error { return unix.Close(r.fd) }

func asText(w io.Writer, text string, whole bool) error {
	if whole {
		text += "\r"
	}
	_, err := io.WriteString(w, text)
	return err
}

func asReports(w io.Writer, text string, whole bool) error {
	e := &stopper{w: w}
	s := twin.LSR118(e) // posScanner has its fields at the same places
	if whole {
		s.Scan(text)
	} else {
		s.Part(text)
	}
	return e.err
}

// stopper keeps the first error of a writer that is asked by somebody who does not look.
type stopper struct {
	w   io.Writer
	err error
}

// Write writes, until the first error.
func (s *stopper) Write(p []byte) (int, error) {
	if s.err == nil {
		_, s.err = s.w.Write(p)
	}
	return len(p), s.err
}
