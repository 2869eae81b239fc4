package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"tilld/devices"
	"tilld/devices/discover"
	"tilld/devices/fileport"
	"tilld/devices/serialport"
)

// feed writes into the device's end while do reads at ours.
func feed(file string, chunks [][]byte) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, c := range chunks {
		if _, err := f.Write(c); err != nil {
			return err
		}
	}
	return nil
}

// collect reads from port until it has n bytes.
func collect(port devices.Port, n, chunk int) ([]byte, error) {
	type result struct {
		b   []byte
		err error
	}
	done := make(chan result, 1)
	go func() {
		var got []byte
		buf := make([]byte, chunk)
		for len(got) < n {
			k, err := port.Read(buf)
			got = append(got, buf[:k]...)
			if err != nil {
				done <- result{got, err}
				return
			}
		}
		done <- result{got, nil}
	}()
	select {
	case r := <-done:
		return r.b, r.err
	case <-time.After(patience):
		_ = port.Close()
		r := <-done
		return r.b, fmt.Errorf("%d of %d bytes: %w", len(r.b), n, errLate)
	}
}

// ends waits for a read that the pulled cable must end.
func ends(port devices.Port, pull func() error) (time.Duration, error) {
	done := make(chan error, 1)
	go func() {
		for b := make([]byte, 256); ; { // what was said before the pull is still read
			if _, err := port.Read(b); err != nil {
				done <- err
				return
			}
		}
	}()
	time.Sleep(50 * time.Millisecond) // the read is under way
	begun := time.Now()
	if err := pull(); err != nil {
		return 0, err
	}
	select {
	case <-done:
		return time.Since(begun), nil
	case <-time.After(patience):
		return 0, fmt.Errorf("the read that waits: %w", errLate)
	}
}

// presses counts the key a going down until it has done so n times. A slow machine repeats a key that is held, which is
// another event.
func presses(port devices.Port, n int) (int, error) {
	const size = 24 // struct input_event on 64 bits
	done := make(chan error, 1)
	count := 0
	go func() {
		buf := make([]byte, 64*size)
		for count < n {
			k, err := port.Read(buf)
			for e := buf[:k]; len(e) >= size; e = e[size:] {
				if binary.LittleEndian.Uint16(e[16:]) == 1 && binary.LittleEndian.Uint16(e[18:]) == 30 && binary.LittleEndian.Uint32(e[20:]) == 1 {
					count++
				}
			}
			if err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	var err error
	select {
	case err = <-done:
	case <-time.After(patience):
		_ = port.Close()
		err = errors.Join(errLate, <-done)
	}
	return count, err
}

func (b *bench) wedge() {
	b.check("keyboard scanner", func() (string, error) {
		h, err := b.hand(keyboardScanner)
		if err != nil {
			return "", err
		}
		g, file := h.Gadget, h.file
		d, err := b.plug(g, 1, discover.Input)
		if err != nil {
			return "", err
		}
		if u := d.Interfaces[0].Usages; !slices.Equal(u, []uint32{0x010006}) {
			return "", fmt.Errorf("usages %#x", u)
		}
		p, err := fileport.Open(context.Background(), d.node.Path, fileport.Event, fileport.Options{})
		if err != nil {
			return "", err
		}
		defer p.Close()
		var reports [][]byte
		const keys = 40
		for range keys { // 'a' down and up
			reports = append(reports, []byte{0, 0, 4, 0, 0, 0, 0, 0}, make([]byte, 8))
		}
		fed := make(chan error, 1)
		begun := time.Now()
		go func() { fed <- feed(file, reports) }()
		pressed, err := presses(p, keys)
		if err := errors.Join(err, <-fed); err != nil {
			return "", err
		}
		if pressed != keys {
			return "", fmt.Errorf("%d keys were pressed and %d came", keys, pressed)
		}
		took := time.Since(begun) / keys
		after, err := ends(p, g.Pull)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%s, %d keys, %s a key; the pull ends a read after %s", d.node.Path, keys, ms(took), ms(after)), b.isGone(1)
	})
}

func (b *bench) hidPOS() {
	b.check("HID POS scanner", func() (string, error) {
		h, err := b.hand(posReports)
		if err != nil {
			return "", err
		}
		g, file := h.Gadget, h.file
		d, err := b.plug(g, 2, discover.HIDRaw)
		if err != nil {
			return "", err
		}
		if u := d.Interfaces[0].Usages; !slices.Equal(u, []uint32{0x8c0002}) {
			return "", fmt.Errorf("usages %#x", u)
		}
		p, err := fileport.Open(context.Background(), d.node.Path, fileport.HID, fileport.Options{})
		if err != nil {
			return "", err
		}
		defer p.Close()
		desc, err := p.ReportDescriptor()
		if err != nil || !bytes.Equal(desc, posScanner) {
			return "", fmt.Errorf("the descriptor came as % x, %w", desc, err)
		}
		var reports [][]byte
		for i := range 50 {
			r := make([]byte, posLength)
			copy(r, append([]byte{2, 5, ']', 'Q', '1'}, fmt.Sprintf("%05d", i)...))
			reports = append(reports, r)
		}
		fed := make(chan error, 1)
		go func() { fed <- feed(file, reports) }()
		got, err := collect(p, posLength*len(reports), posLength)
		if err := errors.Join(err, <-fed); err != nil {
			return "", err
		}
		if !bytes.Equal(got, bytes.Join(reports, nil)) {
			return "", errors.New("the reports came changed")
		}
		after, err := ends(p, g.Pull)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%s, %d reports; the pull ends a read after %s", d.node.Path, len(reports), ms(after)), b.isGone(2)
	})
}

func (b *bench) acm() {
	b.check("serial scanner", func() (string, error) {
		h, err := b.hand(serialScanner)
		if err != nil {
			return "", err
		}
		g, file := h.Gadget, h.file
		d, err := b.plug(g, 3, discover.TTY)
		if err != nil {
			return "", err
		}
		p, err := serialport.Open(context.Background(), d.node.Path, serialport.Options{Baud: 115200})
		if err != nil {
			return "", err
		}
		defer p.Close()
		far, err := serialport.Open(context.Background(), file, serialport.Options{Baud: 115200}) // raw: no byte is changed
		if err != nil {
			return "", err
		}
		defer far.Close()
		all := make([]byte, 4096)
		for i := range all {
			all[i] = byte(i)
		}
		sent := make(chan error, 1)
		go func() { _, err := far.Write(all); sent <- err }()
		got, err := collect(p, len(all), 512)
		if err := errors.Join(err, <-sent); err != nil {
			return "", err
		}
		if !bytes.Equal(got, all) {
			return "", errors.New("the bytes came changed")
		}
		after, err := ends(p, func() error { _ = far.Close(); return g.Pull() })
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%s, %d bytes of every value; the pull ends a read after %s", d.node.Path, len(all), ms(after)), b.isGone(3)
	})
}
