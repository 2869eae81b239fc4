package scannertest

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"tilld/devices"
)

// Wire is a line in memory that keeps packets apart, as hidraw and evdev do: one Send is one Read. What was sent before a
// hang-up can still be read.
type Wire struct {
	descriptor []byte // of a HID device

	mu      sync.Mutex
	changed *sync.Cond
	up      [][]byte // packets for the driver
	down    []byte   // what the driver wrote
	drained bool
	pulled  bool
	closed  bool
}

// NewWire makes a line; descriptor is what ReportDescriptor answers, nil where it is no HID device.
func NewWire(descriptor []byte) *Wire {
	w := &Wire{descriptor: descriptor}
	w.changed = sync.NewCond(&w.mu)
	return w
}

var errPulled = fmt.Errorf("the cable was pulled: %w", devices.ErrAbsent)

// Read gives one packet; what does not fit into b is lost, as with the kernel.
func (w *Wire) Read(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		switch {
		case w.closed:
			return 0, errors.New("read from a wire that is closed")
		case len(w.up) > 0:
			n := copy(b, w.up[0])
			w.up = w.up[1:]
			return n, nil
		case w.pulled, w.drained:
			return 0, errPulled
		}
		w.changed.Wait()
	}
}

// Write is what the driver says.
func (w *Wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed:
		return 0, errors.New("write to a wire that is closed")
	case w.pulled:
		return 0, errPulled
	}
	w.down = append(w.down, b...)
	w.changed.Broadcast()
	return len(b), nil
}

// Close is the driver's end.
func (w *Wire) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.changed.Broadcast()
	return nil
}

// String names the line.
func (w *Wire) String() string { return "wire" }

// ReportDescriptor is the device's own.
func (w *Wire) ReportDescriptor() ([]byte, error) {
	if w.descriptor == nil {
		return nil, fmt.Errorf("no HID device: %w", devices.ErrPerson)
	}
	return w.descriptor, nil
}

// Drain ends the line behind what was sent: Read gives that and then an error, and Write still works.
func (w *Wire) Drain() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drained = true
	w.changed.Broadcast()
}

// Far is the scanner's end of the line.
func (w *Wire) Far() io.ReadWriteCloser { return far{w} }

type far struct{ w *Wire }

// Write sends one packet.
func (f far) Write(b []byte) (int, error) {
	w := f.w
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pulled || w.closed {
		return 0, errPulled
	}
	w.up = append(w.up, append([]byte(nil), b...))
	w.changed.Broadcast()
	return len(b), nil
}

// Read takes what the driver wrote.
func (f far) Read(b []byte) (int, error) {
	w := f.w
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.down) == 0 {
		if w.pulled || w.closed {
			return 0, io.EOF
		}
		w.changed.Wait()
	}
	n := copy(b, w.down)
	w.down = w.down[n:]
	return n, nil
}

// Close pulls the cable.
func (f far) Close() error {
	w := f.w
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pulled = true
	w.changed.Broadcast()
	return nil
}
