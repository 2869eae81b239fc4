package wedge

import (
	"encoding/binary"
	"strconv"
	"time"
)

// word is the size of each half of a stamp: the kernel's struct input_event has longs there.
const (
	word      = strconv.IntSize / 8
	eventSize = 2*word + 8
)

// Types, codes and values of events (linux/input-event-codes.h).
const (
	typeSyn    = 0
	typeKey    = 1
	synDropped = 3
	released   = 0
	pressed    = 1
)

// event is one struct input_event. stamp is of the monotonic clock, if the line asked for that one.
type event struct {
	stamp      time.Duration
	kind, code uint16
	value      int32
}

// events takes what one read gave apart; the kernel gives whole events alone, and what is left over is none.
func events(b []byte) []event {
	out := make([]event, 0, len(b)/eventSize)
	for ; len(b) >= eventSize; b = b[eventSize:] {
		e, _ := one(b)
		out = append(out, e)
	}
	return out
}

// one is the event that b begins with. clocked says that its stamp is one; it is 0 else.
func one(b []byte) (e event, clocked bool) {
	var sec, micro int64
	if word == 8 {
		sec, micro = int64(binary.NativeEndian.Uint64(b)), int64(binary.NativeEndian.Uint64(b[8:]))
	} else {
		sec, micro = int64(int32(binary.NativeEndian.Uint32(b))), int64(int32(binary.NativeEndian.Uint32(b[4:])))
	}
	r := b[2*word:]
	const farOff = 1 << 33 // seconds; more is no clock, and would not fit
	if clocked = sec >= 0 && sec <= farOff && micro >= 0 && micro < 1e6; !clocked {
		sec, micro = 0, 0
	}
	return event{
		stamp: time.Duration(sec)*time.Second + time.Duration(micro)*time.Microsecond,
		kind:  binary.NativeEndian.Uint16(r), code: binary.NativeEndian.Uint16(r[2:]), value: int32(binary.NativeEndian.Uint32(r[4:])),
	}, clocked
}

// put writes an event's code and value over those of the one that b begins with.
func (e event) put(b []byte) {
	binary.NativeEndian.PutUint16(b[2*word+2:], e.code)
	binary.NativeEndian.PutUint32(b[2*word+4:], uint32(e.value))
}

// clock puts the stamps of the kernel on this process's clock: an event is never newer than the moment at which it was
// read, and the one that was read soonest tells how far the two are apart. Stamps that go back are of another clock.
type clock struct {
	base   time.Time
	apart  time.Duration
	newest time.Duration // stamp
}

func (c *clock) at(stamp time.Duration, read time.Time) time.Time {
	if c.base.IsZero() || stamp < c.newest {
		c.base, c.apart = read, -stamp
	}
	c.newest = stamp
	c.apart = min(c.apart, read.Sub(c.base)-stamp)
	return c.base.Add(c.apart + stamp)
}
