package roster

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"tilld/devices"
	"tilld/internal/health"
	"tilld/internal/record"
)

// Committer makes the events durable; record.Journal does.
type Committer interface {
	Commit(ctx context.Context, b record.Batch) (int64, error)
}

// keepAgain is how long after a failed commit the same is tried again.
const keepAgain = 10 * time.Second

// Run tells the till's stream what becomes of the devices, and what is wrong with the box, until ctx ends: device.ready,
// device.away, device.refused with the device, health.raised and health.cleared with the trouble. What was over before it
// had stood for a moment is not told.
func (r *Roster) Run(ctx context.Context, j Committer, log *slog.Logger) {
	done := make(chan struct{})
	go func() { // waited for below
		defer close(done)
		r.health.Watch(ctx, func(raised, cleared []health.Trouble) {
			for _, t := range raised { // kept until the journal has them: Watch tells each once
				r.News("health.raised", nil, t.Code, t)
			}
			for _, t := range cleared {
				r.News("health.cleared", nil, t.Code, t)
			}
		})
	}()
	defer func() { <-done }()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		case <-timer.C:
		}
		r.calm(time.Now())
		b, told, upTo, next := r.news(time.Now())
		timer.Stop()
		if next > 0 {
			timer.Reset(next)
		}
		switch {
		case len(b.Events) == 0:
		case r.keep(ctx, j, log, b):
			r.mu.Lock()
			for m, s := range told {
				m.told = s
			}
			r.drop(upTo)
			r.mu.Unlock()
		case next == 0 || next > keepAgain: // it may be that nothing else happens for hours
			timer.Reset(keepAgain)
		}
	}
}

func (r *Roster) keep(ctx context.Context, j Committer, log *slog.Logger, b record.Batch) bool {
	_, err := j.Commit(ctx, b)
	if err != nil && ctx.Err() == nil {
		log.Warn("news of devices not journalled", "err", err)
	}
	return err == nil
}

// news are the events that are due, with those of News up to a count, and how long it is to the next.
func (r *Roster) news(now time.Time) (b record.Batch, told map[*Member]devices.State, upTo int, next time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	told = map[*Member]devices.State{}
	b.Events, upTo = slices.Clone(r.due), r.gone+len(r.due)
	sooner := func(left time.Duration) {
		if next == 0 || left < next {
			next = left
		}
	}
	for _, m := range r.all {
		if left := m.hold.calmIn(now); left > 0 && m.hold.told {
			sooner(left)
		}
		if m.state == m.told || m.state == devices.Present || m.state == devices.Away && m.told == "" && m.fault == nil {
			continue
		}
		since := m.since
		if m.state == devices.Away && !m.hold.lost.IsZero() { // tries in between that came to nothing are no return
			since = m.hold.lost
		}
		if left := settle - now.Sub(since); m.state != devices.Ready && left > 0 {
			sooner(left)
			continue
		}
		told[m] = m.state
		b.Events = append(b.Events, event("device."+string(m.state), m.entry.Lanes, m.entry.ID, m.device()))
	}
	return b, told, upTo, next
}

// mostDue is how much news waits for a journal that is not open; beyond it the oldest is dropped: what is true now stands in
// /v1/devices and /v1/bindings.
const mostDue = 256

// News tells the till's stream of something that is no state of a device on the roster: device.arrived, device.left,
// device.bound, health.raised, health.cleared. It is told once the journal can take it.
func (r *Roster) News(typ string, lanes []string, subject string, v any) {
	r.mu.Lock()
	r.due = append(r.due, event(typ, lanes, subject, v))
	r.drop(r.gone + len(r.due) - mostDue)
	r.mu.Unlock()
	r.ring()
}

// drop takes the oldest of due away, up to a count of all there ever were; the roster is locked.
func (r *Roster) drop(upTo int) {
	if n := upTo - r.gone; n > 0 {
		r.due, r.gone = r.due[n:], upTo
	}
}

// event of a device that one lane uses belongs to that lane; any other is everybody's.
func event(typ string, lanes []string, subject string, v any) record.Event {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("event %s: %v", typ, err)) // strings, numbers and times alone: cannot be
	}
	e := record.Event{Type: typ, At: time.Now().UTC(), Subject: subject, Data: data}
	if len(lanes) == 1 {
		e.Lane = lanes[0]
	}
	return e
}
