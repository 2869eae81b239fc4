package devices

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"
)

// Pauses between two attempts to open a device: they grow from first to last, each with a part of chance, so that twenty
// devices behind one hub do not come at one moment. A device that is not there, or that could be opened a moment ago, is
// looked for more often: whoever plugs it in stands there. Where a plug rings, one that is not there is hardly looked for:
// each look wakes a machine that sleeps. One that needs a person is tried at the last pause only.
const (
	firstPause = 500 * time.Millisecond
	awayPause  = 3 * time.Second
	lastPause  = 15 * time.Second
	rungPause  = time.Minute      // in case a ring was lost
	steadyFor  = 10 * time.Second // has served this long: whatever comes is a new trouble
	sayAgain   = 10 * time.Minute // an outage that goes on is logged this often
)

// Supervise keeps one role alive until its context ends: find, open, serve, close, sort the error, pause. One device's
// trouble delays nothing else: each Supervise has a goroutine of its own, that of Run's caller.
type Supervise[T any] struct {
	Role  string // "customer-display of lane 1": for the log
	Find  func(context.Context) (Port, Driver[T], map[string]any, error)
	Serve func(context.Context, T) error // owns the device until it returns
	Use   func(dev T, ready bool)        // this is the device now, or none is; may be nil; must not block
	Tell  func(State, error)             // how it stands, with the error that made it so: Present once it is there, Ready once it is in use; may be nil; must not block
	Again <-chan struct{}                // something was plugged in: try now; may be nil
	Rings func() bool                    // a plug of this device comes with Again; nil: it does not
	Log   *slog.Logger
}

// outage is a stretch of time without the device, as the log tells it.
type outage struct {
	since time.Time // zero: there is none
	kind  Trouble
	tries int // failures so far
	told  time.Time
	flaps int // of them, how often the device was open and died again soon
}

// Run returns when ctx has ended and the device is closed.
func (s *Supervise[T]) Run(ctx context.Context) {
	var out outage
	pause := firstPause
	for ctx.Err() == nil {
		held, err := s.once(ctx, &out)
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, ErrOther) {
			s.Log.Info("device let go", "device", s.Role, "why", err)
			out, pause = outage{}, firstPause
			continue
		}
		if err == nil {
			err = errors.New("the line ended")
		}
		switch {
		case held == steady:
			pause = firstPause
		case held == soon:
			out.flaps++
		}
		s.failed(&out, err)
		last := lastPause
		switch kind := Sort(err); {
		case kind == NeedsPerson:
			pause = lastPause
		case held != shut:
			pause = min(pause, awayPause)
		case kind == NotHere && s.Rings != nil && s.Rings():
			last = rungPause
		case kind == NotHere:
			pause = min(pause, awayPause)
		}
		pause = min(pause, last)
		if !s.rest(ctx, pause) {
			pause = firstPause
			continue
		}
		pause *= 2
	}
}

// rest waits for a pause, half of it by chance; false: something was plugged in meanwhile.
func (s *Supervise[T]) rest(ctx context.Context, pause time.Duration) bool {
	t := time.NewTimer(pause/2 + rand.N(pause/2))
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-s.Again:
		return false
	case <-t.C:
	}
	return true
}

// once opens the device and serves it to its end.
func (s *Supervise[T]) once(ctx context.Context, out *outage) (holding, error) {
	port, driver, options, err := s.Find(ctx)
	if err != nil {
		return shut, err
	}
	defer port.Close()
	stop := context.AfterFunc(ctx, func() { _ = port.Close() }) // ends a Serve that sits in Read
	defer stop()
	dev, err := driver.Open(ctx, port, options)
	if err != nil {
		return shut, err // and nobody was told that it is there
	}
	u := use[T]{s: s, dev: dev, before: *out, recovered: make(chan struct{})}
	if a, ok := any(dev).(Answerer); ok {
		a.OnAnswer(u.begin)
	} else {
		u.begin()
	}
	err = s.Serve(ctx, dev)
	return u.end(out), err
}

func (s *Supervise[T]) recovered(out outage) {
	if out.since.IsZero() {
		s.Log.Info("device opened", "device", s.Role)
	} else {
		s.Log.Info("device is back", "device", s.Role, "away", time.Since(out.since).Round(time.Millisecond), "tries", out.tries)
	}
	s.tell(Ready, nil)
}

// failed logs the first failure of an outage and whatever changes its kind; the repeats are counted, and told now and
// then.
func (s *Supervise[T]) failed(out *outage, err error) {
	kind := Sort(err)
	state := Away
	if kind == NeedsPerson {
		state = Refused
	}
	s.tell(state, err)
	now := time.Now()
	out.tries++
	switch {
	case out.since.IsZero():
		*out = outage{since: now, kind: kind, tries: 1, told: now, flaps: out.flaps}
		s.Log.Warn("device does not work", "device", s.Role, "err", err, "kind", string(kind))
	case kind != out.kind:
		out.kind, out.told = kind, now
		s.Log.Warn("device does not work", "device", s.Role, "err", err, "kind", string(kind), "tries", out.tries)
	case now.Sub(out.told) >= sayAgain:
		out.told = now
		s.Log.Warn("device still does not work", "device", s.Role, "err", err, "kind", string(kind), "tries", out.tries, "away", now.Sub(out.since).Round(time.Second))
	default:
		s.Log.Debug("device tried again", "device", s.Role, "err", err, "tries", out.tries)
	}
}

func (s *Supervise[T]) tell(state State, err error) {
	if s.Tell != nil {
		s.Tell(state, err)
	}
}
