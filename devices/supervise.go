package devices

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Pauses between two attempts to open a device: they grow from first to last. A device that needs a person is tried at
// the last pause only.
const (
	firstPause = 500 * time.Millisecond
	lastPause  = 15 * time.Second
	goodFor    = 10 * time.Second // served this long = the next trouble starts with the first pause again
)

// Supervise keeps one role alive until its context ends: find, open, serve, close, sort the error, pause. One device's
// trouble delays nothing else: each Supervise has a goroutine of its own, that of Run's caller.
type Supervise[T any] struct {
	Role  string // "customer-display of lane 1": for the log
	Find  func(context.Context) (Port, Driver[T], map[string]any, error)
	Serve func(context.Context, T) error // owns the device until it returns
	Use   func(dev T, ready bool)        // this is the device now, or none is; must not block
	Fault func(error)                    // what is wrong now, nil when nothing is; may be nil; must not block
	Log   *slog.Logger
}

// Run returns when ctx has ended and the device is closed.
func (s *Supervise[T]) Run(ctx context.Context) {
	pause, repeats, last := firstPause, 0, ""
	for ctx.Err() == nil {
		start := time.Now()
		err := s.once(ctx, func() {
			if last != "" {
				s.Log.Info("device is back", "device", s.Role, "tries", repeats+1)
			} else {
				s.Log.Info("device opened", "device", s.Role)
			}
			last, repeats = "", 0
			s.fault(nil)
		})
		if ctx.Err() != nil {
			return
		}
		if time.Since(start) > goodFor {
			pause = firstPause
		}
		if err == nil {
			err = errors.New("the line ended")
		}
		s.fault(err)
		if text := err.Error(); text != last { // the first failure is logged, repeats are counted
			s.Log.Warn("device does not work", "device", s.Role, "err", err)
			last, repeats = text, 0
		} else {
			repeats++
		}
		if errors.Is(err, ErrPerson) {
			pause = lastPause
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(pause*2, lastPause)
	}
}

func (s *Supervise[T]) fault(err error) {
	if s.Fault != nil {
		s.Fault(err)
	}
}

func (s *Supervise[T]) once(ctx context.Context, opened func()) error {
	port, driver, options, err := s.Find(ctx)
	if err != nil {
		return err
	}
	defer port.Close()
	stop := context.AfterFunc(ctx, func() { _ = port.Close() }) // ends a Serve that sits in Read
	defer stop()
	dev, err := driver.Open(ctx, port, options)
	if err != nil {
		return err
	}
	opened()
	s.Use(dev, true)
	defer s.Use(dev, false)
	return s.Serve(ctx, dev)
}
