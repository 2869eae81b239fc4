// Package devices is the seam between lines to hardware and the command sets spoken on them, and the loop that keeps one
// device alive. It opens nothing itself and knows no product.
package devices

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Port is an open line. Close ends a blocked Read and Write within a second; a Write that stalls past the port's limit
// answers ErrStalled with the count that left; a short count always has an error; Read never answers 0, nil, and an empty packet
// is no end; a Write after Close is an error and reaches nobody. String names the line for the technician.
type Port interface {
	io.ReadWriteCloser // Write's count is what may have left, beside an error, too: none of it is written again
	String() string
}

// Errors of a line. Whatever else comes is worth another try.
var (
	// ErrStalled: the other side took no bytes within the limit.
	ErrStalled = errors.New("the line takes no bytes")
	// ErrPerson: a person must do something first (no permission, another program holds the line, wrong setting).
	ErrPerson = errors.New("needs a person")
	// ErrHeld: that program is not this one; it comes with ErrPerson.
	ErrHeld = errors.New("another program holds it")
	// ErrAbsent: not on this machine now.
	ErrAbsent = errors.New("not here")
	// ErrOther: the role has another device now, or none; nothing is wrong with this one.
	ErrOther = errors.New("another device has its place")
)

// How long a port rests behind an empty packet before it reads again, at first and at last, twice as long each time: some USB
// printers answer with one, again and again, where they have nothing to say.
const (
	RestFirst = time.Millisecond
	RestLast  = 100 * time.Millisecond
)

// Answerer is a device that says whether anybody is at the end of its line: a serial line opens, and takes bytes, with nobody
// there. OnAnswer is called once, before Serve; Serve calls f when the device has first answered, before it tells anything of it,
// or at once where it cannot be asked, and not behind its own end.
type Answerer interface{ OnAnswer(f func()) }

// Driver is a command set: how to speak on an open Port. Options come from the configuration; unknown ones are refused.
type Driver[T any] struct {
	Name, Summary string
	Open          func(context.Context, Port, map[string]any) (T, error)
	Mask          func(Port, map[string]any) Mask // of a line with these options; nil, or the answer nil: the driver has none
	Words         func(map[string]any) Words      // nil: the driver has none
}

// Mask is what a trace may show of what a device says over one line: of bytes that nobody may read stand-ins of the same length,
// so that a replay of the trace is understood as they were; and what they mean, in a few words, "" where the bytes say it. It
// is given everything that is read, in order, and nil at the line's end. It may hold bytes back until what they belong to has
// come whole.
type Mask func(b []byte) (shown []byte, says string)

// Words tell what is said to a device over one line, "" where the bytes say it. They are given all of it, in order, and nil
// where a part of the last did not leave; what a code says is in none of them.
type Words func(b []byte) string

// Worded are the driver's Words for a line, nil where it has none.
func (d Driver[T]) Worded(options map[string]any) Words {
	if d.Words == nil {
		return nil
	}
	return d.Words(options)
}

// Masked is the driver's Mask for a line, nil where it has none.
func (d Driver[T]) Masked(p Port, options map[string]any) Mask {
	if d.Mask == nil {
		return nil
	}
	return d.Mask(p, options)
}

// Registry is the drivers of one kind by name.
type Registry[T any] struct {
	kind    string
	drivers []Driver[T]
}

// NewRegistry lists drivers; two of one name are a programmer's mistake and panic at start.
func NewRegistry[T any](kind string, drivers ...Driver[T]) *Registry[T] {
	r := &Registry[T]{kind: kind}
	for _, d := range drivers {
		if slices.ContainsFunc(r.drivers, func(e Driver[T]) bool { return e.Name == d.Name }) {
			panic("two " + kind + " drivers are called " + d.Name)
		}
		r.drivers = append(r.drivers, d)
	}
	return r
}

// Find is the driver of that name; the error lists the names there are.
func (r *Registry[T]) Find(name string) (Driver[T], error) {
	for _, d := range r.drivers {
		if d.Name == name {
			return d, nil
		}
	}
	return Driver[T]{}, fmt.Errorf("no %s driver is called %q: there are %v", r.kind, name, r.Names())
}

// Names of the drivers, sorted.
func (r *Registry[T]) Names() []string {
	var out []string
	for _, d := range r.drivers {
		out = append(out, d.Name)
	}
	slices.Sort(out)
	return out
}
