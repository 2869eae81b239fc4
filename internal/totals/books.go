package totals

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"tilld/internal/record"
	"tilld/payment"
	"tilld/payment/lane"
)

const (
	bucket  = "totals"
	prefix  = "payment."
	keyLast = "last/" // with the lane: how far the last closed period went
)

// Journal is what the books need of the box's journal.
type Journal interface {
	Commit(ctx context.Context, b record.Batch) (int64, error)
	Find(ctx context.Context, bucket, key, ref string) (record.Put, error)
	Oldest(ctx context.Context) (int64, error)
	Between(ctx context.Context, after, upto int64, prefix string, f func(record.Event) error) error
	Before(ctx context.Context, subject string, upto int64, prefix string) (record.Event, error)
	SeqAt(ctx context.Context, at time.Time) (int64, error)
}

// Books adds up and closes periods. Make it with New.
type Books struct {
	journal Journal
	seq     func() int64                                                  // of the newest event
	open    func(ctx context.Context, lane string) ([]lane.Public, error) // payments that are not over or not settled
	mu      sync.Mutex                                                    // one close at a time
}

// New makes the books.
func New(j Journal, seq func() int64, open func(ctx context.Context, lane string) ([]lane.Public, error)) *Books {
	return &Books{journal: j, seq: seq, open: open}
}

// ErrKeyReused: the reference closed another lane's period, or another kind.
var ErrKeyReused = errors.New("reference was used for something else")

// ErrPeriod: the end of the period lies before its beginning.
var ErrPeriod = errors.New("the period ends before it begins")

// mark is how far the last closed period went.
type mark struct {
	Upto int64     `json:"upto"`
	At   time.Time `json:"at"`
}

// Open is the period since the last one was closed, up to now. It closes nothing: ask as often as you like.
func (b *Books) Open(ctx context.Context, l string) (Totals, error) {
	upto := b.seq()
	m, err := b.last(ctx, l)
	if err != nil {
		return Totals{}, err
	}
	return b.period(ctx, Totals{Lane: l, After: m.Upto, Upto: upto, From: m.At, To: time.Now().UTC()}, true)
}

// Spell is the period between two moments; a zero to is now.
func (b *Books) Spell(ctx context.Context, l string, from, to time.Time) (Totals, error) {
	now := time.Now().UTC()
	t := Totals{Lane: l, Upto: b.seq(), From: from.UTC(), To: now}
	var err error
	if t.After, err = b.journal.SeqAt(ctx, from); err != nil {
		return Totals{}, err
	}
	oldest, err := b.journal.Oldest(ctx)
	if err != nil {
		return Totals{}, err
	}
	t.Partial = oldest > 1 && t.After < oldest // what was before the oldest one that is kept, nobody knows
	current := to.IsZero() || !to.Before(now)
	if !current {
		t.To = to.UTC()
		if t.Upto, err = b.journal.SeqAt(ctx, to); err != nil {
			return Totals{}, err
		}
	}
	if t.To.Before(t.From) {
		return Totals{}, ErrPeriod
	}
	return b.period(ctx, t, current)
}

// Closed is a period that was closed, as it was answered then.
func (b *Books) Closed(ctx context.Context, l, reference string) (Totals, error) {
	p, err := b.journal.Find(ctx, bucket, "", ref(l, reference))
	if err != nil {
		return Totals{}, err
	}
	var t Totals
	if err := json.Unmarshal(p.Body, &t); err != nil {
		return Totals{}, fmt.Errorf("read totals %s: %w", reference, err)
	}
	return t, nil
}

// Close ends the period that is open: its totals and where it ended are one commit, and the next period begins there. The
// same reference again answers the same totals and closes nothing, whatever has happened since: a till whose answer was
// lost asks once more. isNew says which it was.
func (b *Books) Close(ctx context.Context, l, reference string) (t Totals, isNew bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, err = b.Closed(ctx, l, reference)
	if err == nil || !errors.Is(err, record.ErrNotFound) {
		return t, false, err
	}
	if t, err = b.Open(ctx, l); err != nil {
		return Totals{}, false, err
	}
	t.Reference = reference
	body, err := json.Marshal(t)
	if err != nil {
		return Totals{}, false, fmt.Errorf("keep totals: %w", err)
	}
	data, err := json.Marshal(t.told())
	if err != nil {
		return Totals{}, false, fmt.Errorf("keep totals: %w", err)
	}
	last, err := json.Marshal(mark{t.Upto, t.To})
	if err != nil {
		return Totals{}, false, fmt.Errorf("keep totals: %w", err)
	}
	id := payment.NewID(t.To)
	_, err = b.journal.Commit(ctx, record.Batch{
		Puts: []record.Put{
			{Bucket: bucket, Key: id, Ref: ref(l, reference), Body: body},
			{Bucket: bucket, Key: keyLast + l, Body: last},
		},
		Events: []record.Event{{Type: "totals.closed", At: t.To, Lane: l, Subject: id, Data: data}},
	})
	if err != nil {
		return Totals{}, false, fmt.Errorf("keep totals: %w", err)
	}
	return t, true, nil
}

func ref(l, reference string) string { return l + "/" + reference }

func (b *Books) last(ctx context.Context, l string) (mark, error) {
	p, err := b.journal.Find(ctx, bucket, keyLast+l, "")
	if errors.Is(err, record.ErrNotFound) {
		return mark{}, nil
	}
	if err != nil {
		return mark{}, err
	}
	var m mark
	if err := json.Unmarshal(p.Body, &m); err != nil {
		return mark{}, fmt.Errorf("read where the last period ended: %w", err)
	}
	return m, nil
}

// period adds up, and again where old events were removed meanwhile: of a payment whose earlier ones went between two reads all
// money would be this period's. current: it ends now, so that what stands open is asked of the payments themselves.
func (b *Books) period(ctx context.Context, t Totals, current bool) (Totals, error) {
	oldest, err := b.journal.Oldest(ctx)
	for err == nil {
		var out Totals
		if out, err = b.add(ctx, t, oldest, current); err != nil {
			break
		}
		was := oldest
		if oldest, err = b.journal.Oldest(ctx); err == nil && oldest == was {
			return out, nil
		}
	}
	return Totals{}, err
}

// add is period where oldest is the first event that is kept.
func (b *Books) add(ctx context.Context, t Totals, oldest int64, current bool) (Totals, error) {
	t.Partial = t.Partial || oldest > 1 && t.After+1 < oldest
	changes := map[string]change{}
	err := b.journal.Between(ctx, t.After, t.Upto, prefix, func(e record.Event) error {
		if t.Lane != "" && e.Lane != t.Lane {
			return nil
		}
		var p lane.Public
		if err := json.Unmarshal(e.Data, &p); err != nil {
			return fmt.Errorf("read event %d: %w", e.Seq, err)
		}
		if t.From.IsZero() {
			t.From = e.At
		}
		c, moved := changes[p.ID]
		switch {
		case moved:
		case e.Type == lane.EvSubmitted:
			c.began = true
		case oldest > 1:
			c.before = baseOf(&p) // where nothing earlier is kept, the period begins with what it found
		}
		c.after = partOf(&p)
		changes[p.ID] = c
		return nil
	})
	if err != nil {
		return Totals{}, err
	}
	for id, c := range changes {
		if c.began {
			continue // to look for what is not there would be to read all events there are, once for each payment
		}
		e, err := b.journal.Before(ctx, id, t.After, prefix)
		switch {
		case errors.Is(err, record.ErrNotFound):
			continue // what was before is no longer kept
		case err != nil:
			return Totals{}, err
		}
		var p lane.Public
		if err := json.Unmarshal(e.Data, &p); err != nil {
			return Totals{}, fmt.Errorf("read event %d: %w", e.Seq, err)
		}
		c.before = baseOf(&p)
		changes[id] = c
	}
	if current {
		if err := b.standing(ctx, t.Lane, changes); err != nil {
			return Totals{}, err
		}
	}
	if t.From.IsZero() {
		t.From = t.To
	}
	t.Currencies = sum(changes)
	return t, nil
}

// standing adds what has been open since before the period, and doubt, which is of the moment. The money of a payment is
// that of its events alone: what is newer belongs to the next period.
func (b *Books) standing(ctx context.Context, l string, changes map[string]change) error {
	open, err := b.open(ctx, l)
	if err != nil {
		return err
	}
	for _, p := range open {
		c, moved := changes[p.ID]
		if !moved {
			c = change{before: baseOf(&p), after: partOf(&p)}
		}
		c.after.stand(&p)
		changes[p.ID] = c
	}
	return nil
}
