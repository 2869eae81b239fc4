package printing

import (
	"context"

	"tilld/payment/lane"
)

// Cancel takes a job back. One that waits is not printed; one that is being printed is given up, and is unknown if any
// byte of it has left; one that has ended refuses (wrong_state). It is answered as it then stands.
func (p *Printing) Cancel(ctx context.Context, l, id string) (Job, error) {
	old, err := p.find(ctx, l, id, "")
	if err != nil {
		return Job{}, err
	}
	q := p.queues[old.Printer]
	if q == nil || !old.live() {
		return old.public(), &lane.Refusal{Code: lane.NoWrongState}
	}
	j, err := q.cancel(ctx, id)
	if err != nil {
		return old.public(), err
	}
	select {
	case <-j.done:
	case <-ctx.Done():
		return Job{}, ctx.Err()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return j.public(), nil
}

// Withdraw takes back a job that waits: it is not printed. One that has begun goes on, so that no half of it lies on the
// paper; it refuses (wrong_state), as one that has ended does. It waits for no printer.
func (p *Printing) Withdraw(ctx context.Context, l, id string) error {
	old, err := p.find(ctx, l, id, "")
	if err != nil {
		return err
	}
	q := p.queues[old.Printer]
	if q == nil {
		return &lane.Refusal{Code: lane.NoWrongState}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, j := range q.jobs {
		if j.ID == id && j.State == Queued {
			return q.over(ctx, j, NotPrinted, "", "canceled")
		}
	}
	return &lane.Refusal{Code: lane.NoWrongState}
}

func (q *queue) cancel(ctx context.Context, id string) (*job, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, j := range q.jobs {
		switch {
		case j.ID != id:
			continue
		case j.State == Running:
			j.cancelled = true
			if j.cancel != nil {
				j.cancel(errCanceled)
			}
			return j, nil
		}
		return j, q.over(ctx, j, NotPrinted, "", "canceled")
	}
	return nil, &lane.Refusal{Code: lane.NoWrongState}
}
