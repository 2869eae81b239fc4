package localapitest

import (
	"context"
	"time"

	"tilld/internal/record"
	"tilld/internal/totals"
	"tilld/payment/lane"
)

// evening is the books; what is printed is only noted.
type evening struct {
	*totals.Books
	b *Box
}

// Print notes the call.
func (e evening) Print(context.Context, string, totals.Totals) error {
	e.b.mu.Lock()
	defer e.b.mu.Unlock()
	return e.b.begin("PrintTotals")
}

// books adds up the box's own events; closed periods live as long as the box.
func (b *Box) books() *totals.Books {
	return totals.New(&ledger{b: b}, func() int64 {
		b.mu.Lock()
		defer b.mu.Unlock()
		return int64(len(b.events))
	}, func(ctx context.Context, l string) ([]lane.Public, error) {
		return b.List(ctx, lane.Filter{Lane: l, Open: true})
	})
}

// ledger is the box's events and what the books keep, as totals wants them.
type ledger struct{ b *Box }

func (j *ledger) Commit(_ context.Context, batch record.Batch) (int64, error) {
	j.b.mu.Lock()
	defer j.b.mu.Unlock()
	if err := j.b.begin("CloseTotals"); err != nil {
		return 0, err
	}
	if j.b.kept == nil {
		j.b.kept = map[string]record.Put{}
	}
	for _, p := range batch.Puts {
		j.b.kept[p.Bucket+"\x00"+p.Key] = p
	}
	for _, e := range batch.Events {
		j.b.announce(e.Type, e.Lane, e.Subject, e.Data)
	}
	return int64(len(j.b.events)), nil
}

func (j *ledger) Find(_ context.Context, bucket, key, ref string) (record.Put, error) {
	j.b.mu.Lock()
	defer j.b.mu.Unlock()
	for _, p := range j.b.kept {
		if p.Bucket == bucket && (key != "" && p.Key == key || key == "" && p.Ref == ref) {
			return p, nil
		}
	}
	return record.Put{}, record.ErrNotFound
}

func (j *ledger) Oldest(context.Context) (int64, error) {
	j.b.mu.Lock()
	defer j.b.mu.Unlock()
	return j.b.trimmed + 1, nil
}

func (j *ledger) Between(_ context.Context, after, upto int64, prefix string, f func(record.Event) error) error {
	j.b.mu.Lock()
	defer j.b.mu.Unlock()
	for _, e := range j.b.events {
		if e.Seq > after && e.Seq <= upto && len(e.Type) >= len(prefix) && e.Type[:len(prefix)] == prefix {
			if err := f(e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (j *ledger) Before(ctx context.Context, subject string, upto int64, prefix string) (found record.Event, err error) {
	err = record.ErrNotFound
	_ = j.Between(ctx, 0, upto, prefix, func(e record.Event) error {
		if e.Subject == subject {
			found, err = e, nil
		}
		return nil
	})
	return found, err
}

func (j *ledger) SeqAt(_ context.Context, at time.Time) (seq int64, _ error) {
	j.b.mu.Lock()
	defer j.b.mu.Unlock()
	for _, e := range j.b.events {
		if e.At.Before(at) {
			seq = e.Seq
		}
	}
	return seq, nil
}
