package checkout

import "context"

// Ready waits until the box has read its journal and takes calls: what OpenPayments says before that is nothing. Its error
// is ctx's, or ErrStopped.
func (b *Box) Ready(ctx context.Context) error { return b.do(ctx, func() {}) }

// OpenPayments is the ids, at the integrator, of the payments that are not over, oldest first, as of the last step. It never blocks: the link
// asks while it dials. Nobody may change what it answers.
func (b *Box) OpenPayments() []string {
	if ids := b.open.Load(); ids != nil {
		return *ids
	}
	return nil
}

// publish renews what OpenPayments answers, and wakes the link, whose heartbeat depends on it, where it has changed
// between none and some. Of the loop.
func (b *Box) publish() {
	ids := make([]string, 0, len(b.order))
	for _, id := range b.order {
		if p := b.pays[id].p; p.Live() {
			ids = append(ids, p.BillID)
		}
	}
	old := b.open.Swap(&ids)
	if (old == nil || len(*old) == 0) != (len(ids) == 0) {
		b.waker.Wake()
	}
}
