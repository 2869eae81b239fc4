package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"tilld/internal/printing"
	"tilld/internal/printing/slip"
	"tilld/internal/record"
	"tilld/internal/words"
	"tilld/payment"
	"tilld/payment/lane"
)

// Of slips that print by themselves.
const (
	slipFor   = 2 * time.Minute  // not begun later than this after what they tell: nobody is there to take them
	stillHere = 60 * time.Second // after a payment's end its customer is
	slipsBack = 500              // events that are looked at again after a start, for those that a kill has left without paper
	eventsBy  = 100
	readAgain = time.Second // before events that could not be read are read again
)

// slips follows the journal's events: it prints the papers that a lane gives by itself, tells the code's paper what became
// of its job, and whoever counts codes that nobody pays of payments. An event may come twice, after a restart too: a slip has
// a reference of its own.
type slips struct {
	journal interface {
		Events(ctx context.Context, after int64, limit int) ([]record.Event, error)
		Oldest(ctx context.Context) (int64, error)
		Wait(ctx context.Context, after int64) error
	}
	jobs  *printing.Printing
	code  *paperCode
	lanes map[string]Lane
	bank  func(provider string) string // what customers call it, "" where nobody has said
	zone  *time.Location
	page  string // under which a customer sees what became of a doubt, "" for nowhere
	log   *slog.Logger

	unpaid *unpaid
}

// follow reads events from after on until ctx ends or the journal stops. What could not be read is read again at the same
// place: nothing is passed over but what the journal keeps no more.
func (s *slips) follow(ctx context.Context, after int64) {
	for said := ""; ; {
		es, err := s.journal.Events(ctx, after, eventsBy)
		if errors.Is(err, record.ErrTrimmed) { // under our eyes
			var oldest int64
			if oldest, err = s.journal.Oldest(ctx); err == nil {
				s.log.Warn("events for slips are no longer kept", "after", after, "oldest", oldest)
				after = oldest - 1
				continue
			}
		}
		switch {
		case err == nil:
			said = ""
		case ctx.Err() != nil, errors.Is(err, record.ErrStopped):
			return
		default:
			if err.Error() != said { // not once a second
				said = err.Error()
				s.log.Warn("events for slips could not be read", "err", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(readAgain):
			}
			continue
		}
		for _, e := range es {
			s.take(ctx, e)
			after = e.Seq
		}
		if len(es) < eventsBy && s.journal.Wait(ctx, after) != nil {
			return
		}
	}
}

func (s *slips) take(ctx context.Context, e record.Event) {
	switch {
	case strings.HasPrefix(e.Type, "print."):
		var j printing.Job
		if json.Unmarshal(e.Data, &j) == nil {
			s.code.job(j)
		}
	case strings.HasPrefix(e.Type, "payment."):
		var p lane.Public
		if json.Unmarshal(e.Data, &p) != nil {
			return
		}
		s.unpaid.take(e.Type, p)
		if time.Since(e.At) < slipFor {
			s.payment(ctx, e, p)
		}
	}
}

// payment prints what this event of a payment calls for.
func (s *slips) payment(ctx context.Context, e record.Event, p lane.Public) {
	back := p.Owed.Money
	if back.Value == 0 {
		back = p.Returned.Money
	}
	// Not while the code stands on the glass though the link is gone: whoever has not paid yet may. Nor about what an older
	// journal tells: that is for the shop.
	if p.State == "in_doubt" && !slices.Contains(p.Flags, "review") {
		s.print(ctx, e, p, "doubt", p.ID, p.Amount.Money)
	}
	switch e.Type {
	case lane.EvPaid:
		s.print(ctx, e, p, "paid", p.ID, p.Amount.Money)
	case lane.EvOver:
		s.print(ctx, e, p, "paid_twice", p.ID, back)
	case lane.EvMoneyLate, lane.EvPaidAfterClose:
		if ended, over := p.Stamps["ended"]; !over || e.At.Sub(ended) < stillHere {
			s.print(ctx, e, p, "late", p.ID, back)
		}
	case lane.EvReturning, lane.EvReturned:
		for _, r := range p.Returns {
			switch {
			case r.How == "cancel":
			case r.State == "done":
				s.print(ctx, e, p, "returned", r.ID, r.Amount.Money)
			case e.Type == lane.EvReturning && r.State != "refused":
				s.print(ctx, e, p, "return_asked", r.ID, r.Amount.Money)
			}
		}
	}
}

// print prints one slip, if the lane gives it by itself. key makes it the only one of its kind.
func (s *slips) print(ctx context.Context, e record.Event, p lane.Public, kind, key string, part payment.Money) {
	l, ok := s.lanes[p.Lane]
	if !ok || !slices.Contains(l.Slips, kind) || part.Value <= 0 {
		return
	}
	items, ok := slip.Of(kind, words.For(l.Language), s.facts(l, e, p, kind, part))
	if !ok {
		return
	}
	until := e.At.Add(slipFor)
	_, err := s.jobs.Slip(ctx, printing.Request{Lane: p.Lane, Reference: kind + "/" + key, Items: items, Until: &until})
	if err != nil && ctx.Err() == nil {
		s.log.Warn("slip is not printed", "slip", kind, "payment", p.ID, "lane", p.Lane, "err", err)
	}
}

// facts are what a slip of a kind tells of a payment at an event.
func (s *slips) facts(l Lane, e record.Event, p lane.Public, kind string, part payment.Money) slip.Facts {
	f := slip.Facts{
		Shop: l.Shop, Till: p.Lane, Number: p.Number, Reference: p.Reference, Bank: s.bank(p.Provider), Amount: p.Amount.Money, At: e.At,
		Zone: s.zone, Payee: p.Payee, Part: part,
	}
	if left := p.Amount.Value - p.Paid.Value; kind == "doubt" && left > 0 {
		f.Amount = f.Amount.Of(left) // what the customer was asked for, as on the glass
	}
	if s.page != "" {
		f.Result = strings.TrimRight(s.page, "/") + "/s/" + p.ID // the integrator's page, see integrator/server/result.go
	}
	return f
}
