package devices

import (
	"errors"
	"sync/atomic"
	"time"
)

// Trouble is the sort of an error: what can be done about it.
type Trouble string

// Sorts of an error.
const (
	Retry       Trouble = "retry"        // worth another try by itself
	NeedsPerson Trouble = "needs_person" // a person must do something first
	NotHere     Trouble = "not_here"     // not on this machine now
)

// Sort says what can be done about a device's error. An error that wraps both is a person's: it will not go away by itself.
func Sort(err error) Trouble {
	switch {
	case errors.Is(err, ErrPerson):
		return NeedsPerson
	case errors.Is(err, ErrAbsent):
		return NotHere
	}
	return Retry
}

// State is how a device stands.
type State string

// States of a device.
const (
	Present State = "present" // it is open, its line and its driver; it is not in use yet, or has died so often that nobody trusts it yet
	Ready   State = "ready"   // in use
	Away    State = "away"    // not there, or does not answer: it is tried again by itself
	Refused State = "refused" // a person must do something first
	Unbound State = "unbound" // no device has been given to this role yet
)

// Counters of one device since the program began. The zero value is ready.
type Counters struct {
	Opens, Replugs, Stalls, In, Out atomic.Int64 // In and Out are bytes from and to the device
	Unread                          atomic.Int64 // readings of a scanner that were dropped unread
	Writes                          Took         // from a write to the line's word that it took the bytes
	Readings                        Took         // from the last byte of a code until it was kept; of scanners
}

// Took is how often something was done and how long that took in all. The zero value is ready.
type Took struct{ times, nanos atomic.Int64 }

// Add counts one more.
func (t *Took) Add(d time.Duration) {
	t.times.Add(1)
	t.nanos.Add(int64(d))
}

// Sum is how often, and how long in all.
func (t *Took) Sum() (times int64, all time.Duration) {
	return t.times.Load(), time.Duration(t.nanos.Load())
}

// Count makes a line that counts what goes over it. Whatever else the line can do is reached through it by Extra alone.
func Count(p Port, c *Counters) Port { return &counted{p, c} }

type counted struct {
	Port
	c *Counters
}

// Unwrap is the line that is counted.
func (p *counted) Unwrap() Port { return p.Port }

func (p *counted) Read(b []byte) (int, error) {
	n, err := p.Port.Read(b)
	p.c.In.Add(int64(n))
	return n, err
}

func (p *counted) Write(b []byte) (int, error) {
	start := time.Now()
	n, err := p.Port.Write(b)
	p.c.Writes.Add(time.Since(start))
	p.c.Out.Add(int64(n))
	if errors.Is(err, ErrStalled) {
		p.c.Stalls.Add(1)
	}
	return n, err
}
