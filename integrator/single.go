package integrator

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/singleflight"
)

// single does something a single time for all who want it done, and goes on with it though the one who came first has left:
// the next one finds it done. What has failed is begun anew; a store that is closed ends what is under way.
type single struct {
	run  singleflight.Group
	done atomic.Bool
}

// do waits until f has been done, or ctx has ended.
func (o *single) do(ctx context.Context, f func(context.Context) error) error {
	ended := o.run.DoChan("", func() (any, error) {
		if o.done.Load() {
			return nil, nil
		}
		err := f(context.WithoutCancel(ctx))
		o.done.Store(err == nil)
		return nil, err
	})
	select {
	case r := <-ended:
		return r.Err
	case <-ctx.Done():
		return ctx.Err()
	}
}
