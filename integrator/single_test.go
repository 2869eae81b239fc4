package integrator

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestSingle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var o single
		runs, fail := 0, errors.New("full")
		f := func(context.Context) error {
			time.Sleep(time.Minute)
			if runs++; runs == 1 {
				return fail
			}
			return nil
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := o.do(short, f); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("whoever waited a second: %v", err)
		}
		if err := o.do(t.Context(), f); !errors.Is(err, fail) || runs != 1 {
			t.Errorf("the next one did not wait for the run under way: %v, %d runs", err, runs)
		}
		for range 3 {
			if err := o.do(t.Context(), f); err != nil || runs != 2 {
				t.Errorf("%v after %d runs", err, runs)
			}
		}
	})
}
