package checkout

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Answers goes through the box's loop and through that of each lane's outputs, and says by the end of ctx what did not
// answer. A display that is slow has its limit; what blocks beyond it does not answer.
func (b *Box) Answers(ctx context.Context) error {
	lanes, err := ask(ctx, b, func() (map[string]*painter, error) {
		out := map[string]*painter{}
		for name, l := range b.lanes {
			out[name] = l.painter
		}
		return out, nil
	})
	if err != nil {
		return fmt.Errorf("the lanes' loop: %w", err)
	}
	var all sync.WaitGroup
	silent := make(chan error, len(lanes)) // one word of each lane at most
	for name, p := range lanes {
		all.Go(func() {
			select {
			case p.asked <- struct{}{}:
			case <-b.stopped:
				silent <- ErrStopped
			case <-ctx.Done():
				silent <- fmt.Errorf("the outputs of lane %s: %w", name, ctx.Err())
			}
		})
	}
	all.Wait()
	close(silent)
	for e := range silent {
		err = errors.Join(err, e)
	}
	return err
}
