package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"tilld/devices"
	"tilld/devices/fileport"
	"tilld/devices/usbport"
	"tilld/internal/usbbench/gadget"
)

// empty has a printer say nothing, in packets: by themselves, and behind an answer that fills the 1,024 bytes of usblp's
// transfer. Such a packet is no end of the line, and nothing beside it is lost.
func (b *bench) empty(paper *gadget.Bulk) {
	for _, by := range []struct {
		name string
		open func() (devices.Port, error)
	}{
		{"usblp", func() (devices.Port, error) {
			n, err := b.lp(0)
			if err != nil {
				return nil, err
			}
			return fileport.Open(context.Background(), n, fileport.Printer, fileport.Options{})
		}},
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
			got, read := make([]byte, len(want)), make(chan error, 1)
			go func() { _, err := io.ReadFull(p, got); read <- err }()
			select {
			case err = <-read:
			case <-time.After(patience):
				err = errLate
			}
			if err != nil {
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
