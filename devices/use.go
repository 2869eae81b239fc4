package devices

import "time"

// holding is how long a device was of use.
type holding int

const (
	shut   holding = iota // it could not be opened
	mute                  // it could, and nobody was there
	soon                  // it died soon
	steady                // it has worked long enough for whatever comes to be a new trouble
)

// use is one device from when it is there to its end. Supervise's goroutine has it, and Serve while that runs.
type use[T any] struct {
	s         *Supervise[T]
	dev       T
	before    outage
	since     time.Time // zero: it was not there
	wait      *time.Timer
	recovered chan struct{} // closed once it was told that it is back
}

func (u *use[T]) begin() {
	u.since = time.Now()
	u.s.tell(Present, nil)
	if u.s.Use != nil { // before anybody is told that it is in use
		u.s.Use(u.dev, true)
	}
	over := func() { // a device that died soon after it was opened, again and again, is not back before it holds
		defer close(u.recovered)
		u.s.recovered(u.before)
	}
	if u.before.flaps == 0 {
		over()
	} else {
		u.wait = time.AfterFunc(steadyFor, over)
	}
}

// end takes the device back, and ends the outage before it, if it was told that it is back.
func (u *use[T]) end(out *outage) holding {
	if u.since.IsZero() {
		return mute
	}
	if u.wait == nil || !u.wait.Stop() {
		<-u.recovered // it may have begun to tell
		*out = outage{}
	}
	if u.s.Use != nil {
		u.s.Use(u.dev, false)
	}
	if time.Since(u.since) >= steadyFor {
		return steady
	}
	return soon
}
