package printing

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"tilld/internal/record"
	"tilld/printer"
)

// maxDoubted is how many unknown jobs of one printer may still be proven late.
const maxDoubted = 16

// queue is one printer and the jobs for it. Its lock is held over a commit, so that jobs are durable in the order in
// which they stand; who must not block uses news alone.
type queue struct {
	p    *Printing
	name string

	mu      sync.Mutex
	jobs    []*job // the first may be running
	doubted []*job
	torn    bool // half a job may stand on the paper

	news struct {
		sync.Mutex
		dev     printer.Printer // nil: none
		status  printer.Status
		since   time.Time // of what blocks it
		why     string
		printed []string // proofs that came late
	}
	work chan struct{} // the worker looks; capacity 1
	hear chan struct{} // there is news of the printer; capacity 1

	timed chan struct{} // a job waits that has an end; capacity 1
}

func newQueue(p *Printing, name string) *queue {
	q := &queue{p: p, name: name, work: make(chan struct{}, 1), hear: make(chan struct{}, 1), timed: make(chan struct{}, 1)}
	q.news.why, q.news.since = "offline", time.Now().UTC()
	return q
}

func ring(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it rings already
	}
}

func (q *queue) use(dev printer.Printer, ready bool) {
	q.news.Lock()
	defer q.news.Unlock()
	q.news.dev, q.news.status = dev, printer.Status{}
	if !ready {
		q.news.dev = nil
	}
	q.changed()
}

func (q *queue) say(s printer.Status) {
	q.news.Lock()
	defer q.news.Unlock()
	if s.Printed != "" {
		q.news.printed = append(q.news.printed, s.Printed)
		s.Printed = ""
	}
	q.news.status = s
	q.changed()
}

// changed follows the reason why nothing is printed. The news are locked.
func (q *queue) changed() {
	why := q.news.status.Blocked()
	if q.news.dev == nil {
		why = "offline"
	}
	if why != q.news.why {
		q.news.why, q.news.since = why, time.Now().UTC()
	}
	ring(q.hear)
	ring(q.work)
}

// blocked is why nothing is printed now, nil if something would be.
func (q *queue) blocked() *Blocked {
	q.news.Lock()
	defer q.news.Unlock()
	if q.news.why == "" {
		return nil
	}
	return &Blocked{q.news.why, q.news.since, q.news.why == "offline" && q.news.dev != nil}
}

func (q *queue) device() printer.Printer {
	q.news.Lock()
	defer q.news.Unlock()
	return q.news.dev
}

// doubt keeps an unknown job for a proof that comes late. The queue is locked, or nobody else has it yet.
func (q *queue) doubt(j *job) {
	q.doubted = append(q.doubted, j)
	if len(q.doubted) > maxDoubted {
		q.doubted = q.doubted[1:]
	}
}

// listen takes in the news of the printer: it is a goroutine of its own, because the worker may be printing.
func (q *queue) listen(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-q.hear:
		}
		q.mu.Lock()
		q.takeNews(ctx)
		q.mu.Unlock()
	}
}

func (q *queue) takeNews(ctx context.Context) {
	q.news.Lock()
	proofs := q.news.printed
	q.news.printed = nil
	q.news.Unlock()
	for _, id := range proofs {
		q.prove(ctx, id)
	}
	b := q.blocked()
	q.tellHealth(b)
	q.tellLow()
	if q.p.cfg.News != nil {
		q.p.cfg.News()
	}
	for _, j := range q.jobs {
		if same(j.Blocked, b) {
			continue
		}
		event := "blocked"
		if b == nil {
			event = "unblocked"
		}
		if err := q.p.commit(ctx, j, event, func(j *job) { j.Blocked = b }); err != nil {
			q.p.cfg.Log.Error("print job not kept", "job", j.ID, "err", err)
			return
		}
	}
}

func same(a, b *Blocked) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Why == b.Why && a.itself == b.itself
}

// prove settles an unknown job that is on paper after all.
func (q *queue) prove(ctx context.Context, id string) {
	for i, j := range q.doubted {
		if !strings.HasSuffix(j.ID, id) {
			continue
		}
		if err := q.p.end(ctx, j, Printed, printer.Proven, "late"); err != nil {
			q.p.cfg.Log.Error("print job not kept", "job", j.ID, "err", err)
			return
		}
		q.doubted = append(q.doubted[:i:i], q.doubted[i+1:]...)
		q.looked()
		return
	}
}

// print is the worker: one job after the other.
func (q *queue) print(ctx context.Context) {
	for ctx.Err() == nil {
		j, failed := q.next(ctx)
		if j == nil {
			var again <-chan time.Time
			if failed { // nobody rings when that is over
				again = time.After(q.p.cfg.Retry)
			}
			select {
			case <-ctx.Done():
			case <-q.work:
			case <-again:
			}
			continue
		}
		if !q.run(ctx, j) { // nothing of it left: it waits for news, or for a while
			select {
			case <-ctx.Done():
			case <-q.work:
			case <-time.After(q.p.cfg.Retry):
			}
		}
	}
}

// next is the job to print now: the first in the queue, whose start is durable, or nil. failed: there is one, and the journal
// has met an accident.
func (q *queue) next(ctx context.Context) (_ *job, failed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.jobs) > 0 {
		j := q.jobs[0]
		if j.State == Queued && j.overdue(time.Now()) {
			if q.over(ctx, j, NotPrinted, "", "expired") != nil {
				return nil, true
			}
			continue
		}
		if j.State == Queued && q.blocked() != nil {
			return nil, false
		}
		if err := q.p.fetch(ctx, j); errors.Is(err, record.ErrNotFound) { // cannot be: it was written with the job
			j.Detail = "what it prints is not in the journal"
			if q.over(ctx, j, NotPrinted, "", "refused") != nil {
				return nil, true
			}
			continue
		} else if err != nil {
			q.p.cfg.Log.Error("print job cannot be read", "job", j.ID, "err", err)
			return nil, true
		}
		if j.State == Running {
			return j, false
		}
		if err := q.p.commit(ctx, j, string(Running), started); err != nil {
			q.p.cfg.Log.Error("print job not kept", "job", j.ID, "err", err)
			return nil, true
		}
		return j, false
	}
	return nil, false
}

func started(j *job) {
	j.State, j.Blocked = Running, nil
	if j.Stamps["started"].IsZero() {
		j.Stamps["started"] = time.Now().UTC()
	}
}

// Reasons for giving a running job up.
var (
	errCanceled = errors.New("canceled")
	errStopped  = errors.New("stopped")
)

// run prints the job whose start is durable. False: nothing of it left, and it waits again.
func (q *queue) run(ctx context.Context, j *job) bool {
	job, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	stop := context.AfterFunc(ctx, func() { // the job may come to its end first
		select {
		case <-time.After(q.p.cfg.Stop):
		case <-job.Done():
		}
		cancel(errStopped)
	})
	defer stop()
	q.mu.Lock()
	if j.cancelled {
		cancel(errCanceled)
	}
	j.cancel = cancel
	doc, err := j.document(q.p.cfg.Lanes[j.Lane], q.torn)
	q.mu.Unlock()
	out := printer.Outcome{Result: printer.NotPrinted}
	if err != nil { // it was checked when it was accepted
		err = errors.Join(printer.ErrRefused, err)
	} else {
		out, err = q.attempt(job, doc)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	j.cancel = nil
	return q.settle(ctx, j, out, err, context.Cause(job))
}

func (q *queue) attempt(ctx context.Context, doc printer.Job) (printer.Outcome, error) {
	dev := q.device()
	if dev == nil {
		return printer.Outcome{Result: printer.NotPrinted}, &printer.BlockedError{Why: "offline"}
	}
	return dev.Print(ctx, doc)
}

// settle makes the outcome durable. The queue is locked.
func (q *queue) settle(ctx context.Context, j *job, out printer.Outcome, err error, cause error) bool {
	if out.Result != printer.Printed && err != nil {
		q.p.cfg.Log.Warn("print job met trouble", "job", j.ID, "device", q.name, "sent", out.Sent, "err", err)
	}
	j.Sent = out.Sent
	if j.Sent > 0 {
		// Whatever comes now, the journal's refusal too: it is never sent again. A job that could not be ended there is
		// unknown after the restart that must follow.
		defer q.remove(j)
	}
	switch {
	case out.Result == printer.Printed:
		q.torn = false
		q.looked() // the paper has come out in front of somebody
		return q.over(ctx, j, Printed, out.Proof, "") == nil
	case out.Result != printer.NotPrinted || out.Sent > 0: // whatever a driver says: what has left is not certain
		q.torn = true
		q.doubt(j)
		why := "line"
		if errors.Is(cause, errCanceled) || errors.Is(cause, errStopped) {
			why = cause.Error()
		}
		q.tellUnknown(j)
		return q.over(ctx, j, Unknown, "", why) == nil
	case errors.Is(cause, errCanceled):
		return q.over(ctx, j, NotPrinted, "", "canceled") == nil
	case errors.Is(err, printer.ErrRefused):
		j.Detail = err.Error()
		return q.over(ctx, j, NotPrinted, "", "refused") == nil
	}
	if err := q.p.commit(ctx, j, string(Queued), func(j *job) { j.State, j.Blocked = Queued, q.blocked() }); err != nil {
		q.p.cfg.Log.Error("print job not kept", "job", j.ID, "err", err)
	}
	ring(q.timed)
	return false
}

// over ends a job and takes it out of the queue.
func (q *queue) over(ctx context.Context, j *job, s State, proof printer.Proof, why string) error {
	if err := q.p.end(ctx, j, s, proof, why); err != nil {
		q.p.cfg.Log.Error("print job not kept", "job", j.ID, "err", err)
		return err
	}
	q.remove(j)
	return nil
}

func (q *queue) remove(j *job) {
	if i := slices.Index(q.jobs, j); i >= 0 {
		q.jobs = slices.Delete(slices.Clone(q.jobs), i, i+1)
	}
}
