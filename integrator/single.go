package integrator

import (
	"context"
	"sync"
)

// single does something a single time for all who want it done, and goes on with it though the one who came first has left:
// the next one finds it done. What has failed is begun anew.
type single struct {
	mu   sync.Mutex
	run  chan struct{} // closed when the run under way has ended; nil: there is none
	done bool
	err  error
}

// do waits until f has been done, or ctx has ended.
func (o *single) do(ctx context.Context, f func(context.Context) error) error {
	o.mu.Lock()
	if o.done {
		o.mu.Unlock()
		return nil
	}
	if o.run == nil {
		o.run = make(chan struct{})
		go func() {
			err := f(context.WithoutCancel(ctx))
			o.mu.Lock()
			defer o.mu.Unlock()
			o.done, o.err = err == nil, err
			close(o.run)
			o.run = nil
		}()
	}
	run := o.run
	o.mu.Unlock()
	select {
	case <-run:
	case <-ctx.Done():
		return ctx.Err()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}
