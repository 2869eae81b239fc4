//go:build cgo && libusb

package usbport

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/gousb"
	"golang.org/x/sys/unix"

	"tilld/devices"
	"tilld/devices/discover"
)

// Linked says whether this program can open USB devices by itself.
const Linked = true

// Port is an open device: one interface, its bulk endpoint out, and its bulk endpoint in where it has one.
type Port struct {
	name    string
	node    string
	number  int
	o       Options
	usb     *gousb.Context
	dev     *gousb.Device
	cfg     *gousb.Config
	intf    *gousb.Interface
	in      *gousb.InEndpoint
	out     *gousb.OutEndpoint
	putBack bool // usblp had it

	ctx    context.Context // ends with Close
	stop   context.CancelFunc
	mu     sync.Mutex // guards closed against a call that begins
	closed bool
	calls  sync.WaitGroup
	write  sync.Mutex
	read   sync.Mutex
	buf    []byte // what was read and not yet handed on
	store  []byte
	halts  atomic.Int64
	once   sync.Once
	err    error
}

// Open takes one interface of d. Errors wrap devices.ErrAbsent (it has gone), devices.ErrPerson (no permission, another
// program or driver has it) or neither, which is worth another try.
func Open(ctx context.Context, d discover.Device, o Options) (p *Port, err error) {
	fail := func(err error) (*Port, error) {
		return nil, fmt.Errorf("open USB device %s: %w", d, sorted(err))
	}
	i, err := choose(d, o)
	if err != nil {
		return fail(err)
	}
	p = &Port{name: d.String(), node: d.USBNode(), number: i.Number, o: o.filled()}
	// Read and Write outlive ctx, which is for opening; they end with Close.
	p.ctx, p.stop = context.WithCancel(context.WithoutCancel(ctx))
	if p.putBack, err = p.takeOver(ctx, d.Kernel); err != nil {
		p.stop()
		return fail(err)
	}
	if err := p.claim(ctx, d); err != nil {
		_ = p.Close()
		return fail(err)
	}
	return p, nil
}

// takeOver asks usblp to let go, and says whether it had the interface. Who has it is read afresh: d may be older than the
// last change, and a program that has just ended needs a moment.
func (p *Port) takeOver(ctx context.Context, kernel string) (bool, error) {
	for since := time.Now(); ; {
		detach, err := free(driverOf(kernel, p.number))
		if err == nil && !detach {
			return false, nil
		}
		if err == nil {
			err = driver(p.node, p.number, usbdevfsDisconnect)
			switch {
			case err == nil:
				return true, nil
			case errors.Is(err, unix.ENODATA): // it let go by itself meanwhile
				return false, nil
			}
			return false, fmt.Errorf("ask usblp to let go: %w", err)
		}
		if time.Since(since) > claimFor {
			return false, err
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(claimEvery):
		}
	}
}

// claim opens the library anew: one that was open before the plug does not see the device where there is no udev.
func (p *Port) claim(ctx context.Context, d discover.Device) error {
	return contained(func() error {
		p.usb = gousb.NewContext() // panics where libusb cannot begin, as without AF_NETLINK
		list, err := p.usb.OpenDevices(func(x *gousb.DeviceDesc) bool { return x.Bus == d.Bus && x.Address == d.Address })
		for i, x := range list { // an error may come with devices
			if i > 0 {
				_ = x.Close()
			}
		}
		if len(list) == 0 {
			if err != nil {
				return err
			}
			return fs.ErrNotExist
		}
		p.dev = list[0]
		p.dev.ControlTimeout = p.o.ControlLimit // none would be for ever
		n, err := p.dev.ActiveConfigNum()
		if err != nil {
			return err
		}
		if p.cfg, err = p.dev.Config(n); err != nil {
			return err
		}
		for since := time.Now(); ; {
			p.intf, err = p.cfg.Interface(p.number, 0)
			if err == nil {
				break
			}
			if !errors.Is(err, gousb.ErrorBusy) || time.Since(since) > claimFor {
				return err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(claimEvery):
			}
			if driverOf(d.Kernel, p.number) == "usblp" && driver(p.node, p.number, usbdevfsDisconnect) == nil { // it came between
				p.putBack = true
			}
		}
		for _, e := range p.intf.Setting.Endpoints {
			if e.TransferType != gousb.TransferTypeBulk {
				continue
			}
			switch {
			case e.Direction == gousb.EndpointDirectionIn && p.in == nil:
				p.in, err = p.intf.InEndpoint(e.Number)
				p.store = make([]byte, max(1, 4096/e.MaxPacketSize)*e.MaxPacketSize) // whole packets, or one overflows
			case e.Direction == gousb.EndpointDirectionOut && p.out == nil:
				p.out, err = p.intf.OutEndpoint(e.Number)
			}
			if err != nil {
				return err
			}
		}
		if p.out == nil {
			return fmt.Errorf("interface %d has no bulk endpoint to write to: %w", p.number, devices.ErrPerson)
		}
		return nil
	})
}

// contained turns a panic of the library into an error.
func contained(do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("libusb gave up: %v", r)
		}
	}()
	return do()
}

// counted is contained for what counts bytes.
func counted(do func() (int, error)) (n int, err error) {
	err = contained(func() error {
		n, err = do()
		return err
	})
	return n, err
}

func sorted(err error) error {
	switch {
	case errors.Is(err, devices.ErrPerson), errors.Is(err, devices.ErrAbsent):
		return err
	case errors.Is(err, fs.ErrNotExist), gone(err), errors.Is(err, gousb.ErrorNoDevice), errors.Is(err, gousb.ErrorNotFound):
		return fmt.Errorf("%w: %w", devices.ErrAbsent, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", devices.ErrPerson, err)
	case errors.Is(err, gousb.ErrorAccess):
		return fmt.Errorf("%w: %w: %w", devices.ErrPerson, fs.ErrPermission, err)
	case errors.Is(err, gousb.ErrorBusy):
		return fmt.Errorf("%w: %w: %w", devices.ErrHeld, devices.ErrPerson, err)
	}
	return err
}

// begin says whether a call may begin; end must follow.
func (p *Port) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.calls.Add(1)
	return true
}

// Read reads what is there, at least one byte. A device without a return channel is read until Close.
func (p *Port) Read(b []byte) (int, error) {
	if !p.begin() {
		return 0, fmt.Errorf("read from %s: %w", p.name, fs.ErrClosed)
	}
	defer p.calls.Done()
	p.read.Lock()
	defer p.read.Unlock()
	if p.in == nil {
		<-p.ctx.Done()
		return 0, fmt.Errorf("read from %s: %w", p.name, fs.ErrClosed)
	}
	rest := devices.RestFirst
	for halted := false; len(p.buf) == 0; {
		n, err := counted(func() (int, error) { return p.in.ReadContext(p.ctx, p.store) })
		if n > 0 {
			p.buf = p.store[:n]
			break // an error comes again with the next call
		}
		switch {
		case err == nil: // an empty packet
			select {
			case <-p.ctx.Done():
			case <-time.After(rest):
			}
			halted, rest = false, min(2*rest, devices.RestLast)
		case p.ctx.Err() != nil:
			return 0, fmt.Errorf("read from %s: %w", p.name, fs.ErrClosed)
		case errors.Is(err, gousb.TransferStall) && !halted:
			halted = true
			if e := p.unhalt(0x80 | uint8(p.in.Desc.Number)); e != nil {
				return 0, fmt.Errorf("read from %s: %w: %w", p.name, err, e)
			}
		default:
			return 0, fmt.Errorf("read from %s: %w", p.name, err)
		}
	}
	n := copy(b, p.buf)
	p.buf = p.buf[n:]
	return n, nil
}

// Write writes all of b. It goes on for as long as the device takes bytes, however slowly; when it takes none within the
// limit, the answer is devices.ErrStalled and the count that left. An endpoint that the device has halted is freed once.
func (p *Port) Write(b []byte) (int, error) {
	if !p.begin() {
		return 0, fmt.Errorf("write to %s: %w", p.name, fs.ErrClosed)
	}
	defer p.calls.Done()
	p.write.Lock()
	defer p.write.Unlock()
	done, halted := 0, false
	for done < len(b) {
		ctx, cancel := context.WithTimeout(p.ctx, p.o.WriteLimit)
		n, err := counted(func() (int, error) { return p.out.WriteContext(ctx, b[done:min(len(b), done+piece)]) })
		late := ctx.Err() != nil
		cancel()
		done += max(n, 0)
		switch {
		case err == nil:
			if n <= 0 {
				return done, fmt.Errorf("write to %s: the library took nothing and said nothing", p.name)
			}
			halted = false
		case p.ctx.Err() != nil:
			return done, fmt.Errorf("write to %s: %w", p.name, fs.ErrClosed)
		case late && n > 0: // slow, but it moves
		case late:
			return done, fmt.Errorf("write to %s: %w", p.name, devices.ErrStalled)
		case errors.Is(err, gousb.TransferStall) && !halted:
			halted = true
			if e := p.unhalt(uint8(p.out.Desc.Number)); e != nil {
				return done, fmt.Errorf("write to %s: %w: %w", p.name, err, e)
			}
		default:
			return done, fmt.Errorf("write to %s: %w", p.name, err)
		}
	}
	return done, nil
}

func (p *Port) unhalt(endpoint uint8) error {
	p.halts.Add(1)
	return clearHalt(p.node, endpoint)
}

// Halts is how often the device has halted an endpoint.
func (p *Port) Halts() int64 { return p.halts.Load() }

// DeviceID is what a printer says of itself (IEEE 1284), such as "MFG:EPSON;MDL:TM-T88V;CMD:ESC/POS;".
func (p *Port) DeviceID() (string, error) {
	b := make([]byte, 1024)
	n, err := p.control(0, uint16(p.number)<<8, b)
	if err != nil {
		return "", fmt.Errorf("ask %s for its id: %w", p.name, err)
	}
	return parseID(b[:n])
}

// PortStatus is the printer's byte: 0x08 no error, 0x10 selected, 0x20 paper out.
func (p *Port) PortStatus() (byte, error) {
	b := make([]byte, 1)
	n, err := p.control(1, uint16(p.number), b)
	if err == nil && n != 1 {
		err = fmt.Errorf("the answer is %d bytes long", n)
	}
	if err != nil {
		return 0, fmt.Errorf("ask %s for its status: %w", p.name, err)
	}
	return b[0], nil
}

// control makes a request of the printer class to the interface.
func (p *Port) control(request uint8, index uint16, b []byte) (int, error) {
	if !p.begin() {
		return 0, fs.ErrClosed
	}
	defer p.calls.Done()
	ask := func() (int, error) { return p.dev.Control(0xa1, request, 0, index, b) }
	n, err := counted(ask)
	if errors.Is(err, gousb.ErrorPipe) { // a refusal ends with the next request (USB 2.0, 8.5.3.4); a device that is busy may mean it once
		n, err = counted(ask)
	}
	return n, err
}

// Close ends a blocked Read and Write, gives the interface back, and usblp its printer. Further calls answer the same.
func (p *Port) Close() error {
	p.once.Do(func() {
		p.mu.Lock()
		p.closed = true
		p.mu.Unlock()
		p.stop()
		p.calls.Wait() // the library must not be closed under a call
		p.err = contained(func() error {
			if p.intf != nil {
				p.intf.Close()
			}
			var errs []error
			if p.cfg != nil {
				errs = append(errs, p.cfg.Close())
			}
			if p.dev != nil {
				errs = append(errs, p.dev.Close())
			}
			if p.usb != nil {
				errs = append(errs, p.usb.Close())
			}
			return errors.Join(errs...)
		})
		if p.putBack {
			if err := driver(p.node, p.number, usbdevfsConnect); err != nil && !gone(err) && !errors.Is(err, unix.EBUSY) {
				p.err = errors.Join(p.err, fmt.Errorf("give %s back to usblp: %w", strings.TrimSpace(p.name), err))
			}
		}
	})
	return p.err
}

// String names the device.
func (p *Port) String() string { return p.name }
