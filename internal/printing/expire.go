package printing

import (
	"context"
	"time"
)

// longestNap is how long expire waits at most: a job's end is a time of day, and a clock that is set moves it.
const longestNap = time.Minute

// overdue says whether it is too late to begin a job.
func (j *job) overdue(now time.Time) bool { return j.Until != nil && !now.Before(*j.Until) }

// expire ends jobs whose time is over, wherever they stand and whatever the printer does: it is a goroutine of its own,
// because the worker may be printing, or waiting for paper in the middle of a receipt.
func (q *queue) expire(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-q.timed:
		case <-timer.C:
		}
		timer.Stop()
		if next := q.endOverdue(ctx); next > 0 {
			timer.Reset(next)
		}
	}
}

// endOverdue ends what waits too long, and answers when to look again; 0: there is nothing to wait for.
func (q *queue) endOverdue(ctx context.Context) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	now, next := time.Now(), time.Duration(0)
	for _, j := range q.jobs { // remove makes a new list
		switch {
		case j.State != Queued || j.Until == nil: // one that is printed may come to wait again: settle rings
			continue
		case !j.overdue(now):
			if left := min(j.Until.Sub(now), longestNap); next == 0 || left < next {
				next = left
			}
		case q.over(ctx, j, NotPrinted, "", "expired") != nil:
			return q.p.cfg.Retry
		}
	}
	return next
}
