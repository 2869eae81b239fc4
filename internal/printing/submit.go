package printing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tilld/internal/record"
	"tilld/payment"
	"tilld/payment/lane"
)

// maxQueue is how many jobs may wait for one printer: a till that prints into a printer without paper all day is told.
const maxQueue = 200

// Submit takes a job on, or finds it by its reference; the bool says that it is new. When it returns, the job is durable,
// and if its printer was idle its start is too, in the same commit. Errors are an *Invalid, a *lane.Refusal (key_reused,
// unknown_lane, unavailable with why no_printer, or queue_full), or an accident.
func (p *Printing) Submit(ctx context.Context, r Request) (Job, bool, error) {
	switch {
	case !payment.ValidReference(r.Reference):
		return Job{}, false, &Invalid{"reference", "must be 1 to 64 of A-Z a-z 0-9 . _ : -"}
	case len(r.Items) > 0 && len(r.Raw) > 0, len(r.Items) == 0 && len(r.Raw) == 0:
		return Job{}, false, &Invalid{"receipt", "give either receipt or raw"}
	case len(r.Raw) > MaxRaw:
		return Job{}, false, &Invalid{"raw", fmt.Sprintf("is larger than %d bytes", MaxRaw)}
	}
	els, err := Elements(r.Items)
	if err != nil {
		return Job{}, false, err
	}
	hash, err := r.hash()
	if err != nil {
		return Job{}, false, err
	}
	j := &job{row: row{Hash: hash, Who: r.Who}, body: &body{r.Items, r.Raw}, elements: els}
	j.Lane, j.Reference, j.Printer, j.Until = r.Lane, r.Reference, r.Printer, r.Until
	if r.For > 0 {
		until := time.Now().Add(r.For).UTC()
		j.Until = &until
	}
	return p.accept(ctx, j)
}

// Slip takes on a paper of the box's own. Its reference holds a slash, which no till's may, and is enough to find it again:
// what was printed under it once is not printed again, whatever it would say now.
func (p *Printing) Slip(ctx context.Context, r Request) (Job, error) {
	if _, err := Elements(r.Items); err != nil {
		return Job{}, err
	}
	j := &job{row: row{Hash: "slip"}, body: &body{Items: r.Items}}
	j.Lane, j.Reference, j.Printer, j.Until = r.Lane, r.Reference, r.Printer, r.Until
	out, _, err := p.accept(ctx, j)
	if err != nil {
		return out, fmt.Errorf("print slip %s: %w", r.Reference, err)
	}
	return out, nil
}

// Reprint prints a job again under a reference of its own: marked as a copy where it is known to be on paper, as a repeat
// where that is not known, and as it was marked itself where it certainly is not. What is marked opens no drawer: the first
// may have done so. Nor does what is printed for a caller who may not open one; opener is the name of one who may, else "". A
// job that has not ended refuses (wrong_state), and so does one that printed so long ago that it is no longer known what
// (wrong_state with why NotKept).
func (p *Printing) Reprint(ctx context.Context, l, id, reference, opener string) (Job, bool, error) {
	old, err := p.find(ctx, l, id, "")
	if err != nil {
		return Job{}, false, err
	}
	if !payment.ValidReference(reference) {
		return Job{}, false, &Invalid{"reference", "must be 1 to 64 of A-Z a-z 0-9 . _ : -"}
	}
	j := &job{row: row{Hash: "reprint of " + old.ID, Who: opener}}
	j.Lane, j.Reference, j.Printer, j.Of = old.Lane, reference, old.Printer, old.ID
	switch old.State {
	case Printed:
		j.Mark = Copy
	case Unknown:
		j.Mark = Repeat
	case NotPrinted:
		j.Mark = old.Mark // what it should have repeated may be on paper
	default:
		return old.public(), false, &lane.Refusal{Code: lane.NoWrongState}
	}
	if j.body, err = p.again(ctx, old); err != nil {
		if mine, e := p.find(ctx, old.Lane, "", ref(old.Lane, reference)); e == nil {
			return known(mine, j) // it was printed again under this reference, when that could still be done
		}
		return old.public(), false, err
	}
	if j.Mark != "" || opener == "" {
		j.body = j.body.shut()
	}
	out, isNew, err := p.accept(ctx, j)
	if q := p.queues[old.Printer]; err == nil && q != nil && old.State == Unknown {
		q.looked()
	}
	return out, isNew, err
}

func (p *Printing) accept(ctx context.Context, j *job) (Job, bool, error) {
	q, err := p.queueOf(j.Lane, j.Printer)
	if err != nil {
		return Job{}, false, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.jobs) >= maxQueue {
		old, err := p.find(ctx, j.Lane, "", ref(j.Lane, j.Reference))
		if no := (*lane.Refusal)(nil); errors.As(err, &no) {
			return Job{}, false, &lane.Refusal{Code: lane.NoUnavailable, Why: "queue_full"}
		}
		if err != nil {
			return Job{}, false, err
		}
		return known(old, j)
	}
	now := time.Now().UTC()
	j.ID, j.Printer = payment.NewID(now), q.name
	j.done = make(chan struct{})
	j.Stamps = map[string]time.Time{"accepted": now}
	event, change := string(Queued), func(j *job) { j.State, j.Blocked = Queued, q.blocked() }
	if len(q.jobs) == 0 && q.blocked() == nil {
		event, change = string(Running), started
	}
	if err := p.commit(ctx, j, event, change); errors.Is(err, record.ErrExists) { // the journal looks for the reference; looking first would cost every job a read
		old, err := p.find(ctx, j.Lane, "", ref(j.Lane, j.Reference))
		if err != nil {
			return Job{}, false, err
		}
		return known(old, j)
	} else if err != nil {
		return Job{}, false, err
	}
	if j.State == Queued {
		j.body, j.elements = nil, nil // pictures are large, and it may wait for hours
	}
	q.jobs = append(q.jobs, j)
	ring(q.work)
	if j.Until != nil {
		ring(q.timed)
	}
	return j.public(), true, nil
}

// known is a reference that has a job already.
func known(old, j *job) (Job, bool, error) {
	if old.Hash != j.Hash {
		return old.public(), false, &lane.Refusal{Code: lane.NoKeyReused}
	}
	return old.public(), false, nil
}
