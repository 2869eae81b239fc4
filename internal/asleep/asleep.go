// Package asleep notices that the machine was suspended: a lid that was closed, a desktop that put it to sleep. The clock by
// which all waits here run, CLOCK_MONOTONIC, stands still meanwhile, so that what should have ended is there still, for as
// much longer as the machine has slept, and nothing in the program can tell.
package asleep

import (
	"context"
	"fmt"
	"time"
)

// Short is the longest sleep that is let pass, all since the start together. By so much a code may outlive its end.
const Short = time.Second

// Source is where it is known from: the Kernel, or a test's own.
type Source interface {
	// Wait returns once the machine may have slept since the last Wait: it has woken up, or its wall clock was set. After
	// Close its error wraps os.ErrClosed.
	Wait() error
	// Slept is how long the machine has slept since the source was opened, in all.
	Slept() (time.Duration, error)
	// Close ends a Wait.
	Close() error
}

// Error is the end of a Watch: the machine has slept.
type Error struct{ For time.Duration }

// Error says for how long.
func (e *Error) Error() string {
	return fmt.Sprintf("the machine was suspended for %v, which no wait of this program has counted", e.For.Round(time.Second))
}

// Watch waits until the machine has slept for longer than Short, which is an *Error, or until ctx ends, which is ctx's. It
// costs nothing meanwhile: no timer runs. It closes s.
func Watch(ctx context.Context, s Source) error {
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer func() {
		if stop() {
			_ = s.Close()
		}
	}()
	for {
		slept, err := s.Slept() // first: a sleep before the first Wait is one too
		if err == nil && long(slept) {
			return &Error{slept}
		}
		if err == nil {
			err = s.Wait()
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("watch for suspensions of the machine: %w", err)
		}
	}
}

// long says whether a sleep is one to begin anew after.
func long(slept time.Duration) bool { return slept > Short }
