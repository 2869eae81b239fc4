// Package netport is a TCP connection to a device as a devices.Port: receipt printers on port 9100, and serial lines behind
// a box that hands them out. It knows nothing of what is said on the line and never connects again by itself. A far end that
// answers and takes nothing, as a printer without paper, keeps its line; one that does not answer loses it.
package netport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"tilld/devices"
)

// Options of a connection. Zero values are the defaults.
type Options struct {
	DialLimit  time.Duration // to be connected: 3 s
	WriteLimit time.Duration // for the far end to take some bytes, as many as it likes: 2 s
	Idle       time.Duration // of silence before the system asks whether the far end lives: 15 s; three asks 5 s apart
}

const (
	dialLimit  = 3 * time.Second
	writeLimit = 2 * time.Second
	idle       = 15 * time.Second
	askEvery   = 5 * time.Second
	asks       = 3
)

// While bytes wait for the far end, keep-alive does not ask, and the system by itself gives a connection up after a quarter
// of an hour: a cable that was pulled in the middle of a job is to be noticed sooner.
var (
	unheard   = idle + asks*askEvery // nothing has come from the far end, although it was sent something
	lookEvery = 5 * time.Second      // while bytes wait
)

// Port is an open connection.
type Port struct {
	name   string
	c      *net.TCPConn
	limit  time.Duration
	watch  watch
	silent atomic.Bool // nobody answers any more
	once   sync.Once
	err    error
}

// Dial connects to address, "host:port". Errors wrap devices.ErrPerson (an address that cannot be one, or no permission)
// or devices.ErrAbsent (nobody there: no route, no answer within the limit, no such name). A refused connection is
// neither: a network printer serves one client at a time, so it may be free a moment later.
func Dial(ctx context.Context, address string, o Options) (*Port, error) {
	o = o.filled()
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" {
		return nil, fmt.Errorf("connect to %q: it must be host:port: %w", address, devices.ErrPerson)
	}
	d := net.Dialer{
		Timeout:         o.DialLimit,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: o.Idle, Interval: askEvery, Count: asks},
	}
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", address, sorted(ctx, err))
	}
	t, ok := c.(*net.TCPConn)
	if !ok {
		_ = c.Close()
		return nil, fmt.Errorf("connect to %s: not a TCP connection", address)
	}
	p := &Port{name: address, c: t, limit: o.WriteLimit}
	p.watch = watch{c: t, silent: p.giveUp}
	return p, nil
}

func (o Options) filled() Options {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&o.DialLimit, dialLimit)
	def(&o.WriteLimit, writeLimit)
	def(&o.Idle, idle)
	return o
}

func sorted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err // we were stopped: it says nothing about the device
	}
	var dns *net.DNSError
	var addr *net.AddrError
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return err
	case errors.As(err, &addr), errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w: %w", devices.ErrPerson, err)
	case errors.As(err, &dns) && dns.Name != "" && !dns.IsNotFound && !dns.IsTimeout && !dns.IsTemporary:
		return fmt.Errorf("%w: %w", devices.ErrPerson, err)
	case errors.As(err, &dns), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTDOWN),
		errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%w: %w", devices.ErrAbsent, err)
	}
	return err
}

// Read reads what is there, at least one byte. The far end's end of sending is io.EOF; it may still read.
func (p *Port) Read(b []byte) (int, error) {
	n, err := p.c.Read(b)
	switch {
	case n > 0:
		return n, nil // an error comes again with the next call
	case err == nil && len(b) > 0:
		err = io.ErrNoProgress
	}
	if err != nil {
		err = fmt.Errorf("read from %s: %w", p.name, p.why(err))
	}
	return 0, err
}

// Write writes all of b. It goes on for as long as the far end takes bytes, however slowly; when it takes none within the
// limit, the answer is devices.ErrStalled and the count that left.
func (p *Port) Write(b []byte) (int, error) {
	done, missed := 0, false
	for done < len(b) {
		if err := p.c.SetWriteDeadline(time.Now().Add(p.limit / 2)); err != nil {
			return done, fmt.Errorf("write to %s: %w", p.name, p.why(err))
		}
		n, err := p.c.Write(b[done:])
		if done += n; n > 0 {
			p.watch.begin()
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && n > 0: // slow, but it moves
			missed = false
		case errors.Is(err, os.ErrDeadlineExceeded) && !missed:
			missed = true // perhaps it was this process that did not run for so long, and bytes can leave now
		case errors.Is(err, os.ErrDeadlineExceeded):
			return done, fmt.Errorf("write to %s: %w", p.name, devices.ErrStalled)
		case err != nil:
			return done, fmt.Errorf("write to %s: %w", p.name, p.why(err))
		}
	}
	return done, nil
}

// CloseWrite ends our sending and leaves the return channel open.
func (p *Port) CloseWrite() error {
	if err := p.c.CloseWrite(); err != nil {
		return fmt.Errorf("end sending to %s: %w", p.name, err)
	}
	return nil
}

// giveUp ends the line of a far end that does not answer. What has left is dropped: coming back, it would print the part of a
// job that is printed anew.
func (p *Port) giveUp() {
	p.silent.Store(true)
	p.once.Do(func() {
		_ = p.c.SetLinger(0)
		p.err = p.c.Close()
	})
}

// why is err, or the silence that ended the line.
func (p *Port) why(err error) error {
	if p.silent.Load() {
		return fmt.Errorf("nothing was heard from it for %v: %w", unheard, syscall.ETIMEDOUT)
	}
	return err
}

// Close ends a blocked Read and Write. What has left goes on its way: the far end reads it all and then the end. Further
// calls answer the same.
func (p *Port) Close() error {
	p.watch.end()
	p.once.Do(func() {
		limitRest(p.c)
		p.err = p.c.Close()
	})
	return p.err
}

// String is the address.
func (p *Port) String() string { return p.name }
