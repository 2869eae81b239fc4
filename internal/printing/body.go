package printing

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tilld/internal/record"
	"tilld/payment"
	"tilld/payment/lane"
)

// What of ended jobs is kept to be printed again, where Config is silent.
const (
	keepFor   = 30 * 24 * time.Hour // a customer who brings something back, and has lost the receipt
	keepLeast = 1000                // whatever their age
	keepBytes = 512 << 20           // whatever their age: a till that sends pictures fills a small disk in weeks
)

// NotKept is why a job cannot be printed again: what it printed is no longer kept.
const NotKept = "not_kept"

// fetch reads what a job prints, where it is not in memory: one that waits may do so for hours, and there may be many.
// record.ErrNotFound: it is no longer kept.
func (p *Printing) fetch(ctx context.Context, j *job) error {
	if j.body != nil {
		return nil
	}
	put, err := p.journal.Find(ctx, bucketBody, j.ID, "")
	if err != nil {
		return fmt.Errorf("read what print job %s prints: %w", j.ID, err)
	}
	b := &body{}
	if err := json.Unmarshal(put.Body, b); err != nil {
		return fmt.Errorf("read what print job %s prints: %w", j.ID, err)
	}
	j.body = b
	return nil
}

// again is what an ended job prints, for one that prints it once more.
func (p *Printing) again(ctx context.Context, old *job) (*body, error) {
	err := p.fetch(ctx, old)
	if errors.Is(err, record.ErrNotFound) {
		return nil, &lane.Refusal{Code: lane.NoWrongState, Why: NotKept}
	}
	return old.body, err
}

// Forgetter removes values; the journal does.
type Forgetter interface {
	Forget(ctx context.Context, f record.Forget) (int64, error)
}

// Trim removes what jobs print that ended long ago, and answers of how many. The jobs themselves stay: they are small, and
// their references are known for ever. Whoever runs the daemon calls it now and then.
func (p *Printing) Trim(ctx context.Context, j Forgetter) (int64, error) {
	n, err := j.Forget(ctx, record.Forget{
		Bucket: bucketBody, Of: bucket, Before: oldest(time.Now().Add(-cmp.Or(p.cfg.KeepFor, keepFor))),
		Least: cmp.Or(p.cfg.KeepLeast, keepLeast), Bytes: cmp.Or(p.cfg.KeepBytes, keepBytes),
	})
	if err != nil {
		return n, fmt.Errorf("trim print jobs: %w", err)
	}
	return n, nil
}

// oldest is the least id of jobs since then. A clock that is years wrong may have that before 1970, where no id can be told
// from another: then no job is old.
func oldest(since time.Time) string {
	if since.UnixMilli() <= 0 {
		return ""
	}
	return payment.NewID(since)
}
