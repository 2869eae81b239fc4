package checkout

import (
	"cmp"
	"context"
	"slices"
	"time"

	"tilld/payment/lane"
)

// hop is one step of a story: where it happens, and how long the gap before it should be at most (0: as long as people
// take).
type hop struct {
	where string
	limit time.Duration
	note  string // what a longer gap means
}

// hops by stamp.
var hops = map[string]hop{
	"asked":      {"till", 0, ""},
	"sent":       {"link", time.Second, "there was no link when the till asked, or an earlier payment of the sale held the lane"},
	"code":       {"integrator", 5 * time.Second, "the bank took long to give a code"},
	"shown":      {"glass", time.Second, "the customer's screen took long to show the code"},
	"charged":    {"box", 0, ""},
	"declined":   {"integrator", time.Minute, "the bank took long to answer"},
	"paying":     {"integrator", 0, ""},
	"paid":       {"integrator", 0, ""},
	"late":       {"integrator", 0, ""},
	"closing":    {"box", 0, ""},
	"fenced":     {"link", 5 * time.Second, "the integrator took long to answer the cancel"},
	"parked":     {"till", 0, ""},
	"overridden": {"till", 0, ""},
	"ended":      {"integrator", time.Minute, "the bank took long to say that the code is dead"},
	"confirmed":  {"till", 0, ""},
	"receipt":    {"till", 0, ""},
	"returning":  {"till", 0, ""},
}

// Story tells a payment hop by hop, with the first gap that was longer than its hop should take.
func (b *Box) Story(ctx context.Context, id string) (lane.Story, error) {
	return ask(ctx, b, func() (lane.Story, error) {
		p, err := b.get(id)
		if err != nil {
			return lane.Story{}, err
		}
		return b.story(p), nil
	})
}

func (b *Box) story(p *pay) lane.Story {
	s := lane.Story{Payment: b.public(p)}
	for what, at := range p.p.Stamps {
		s.Steps = append(s.Steps, lane.Step{At: at, What: what, Where: hops[what].where})
	}
	order := []string{"asked", "sent", "code", "shown"}
	slices.SortFunc(s.Steps, func(a, z lane.Step) int {
		return cmp.Or(a.At.Compare(z.At), cmp.Compare(rank(order, a.What), rank(order, z.What)), cmp.Compare(a.What, z.What))
	})
	for i := range s.Steps {
		st := &s.Steps[i]
		if i == 0 {
			continue
		}
		gap := st.At.Sub(s.Steps[i-1].At)
		st.GapMS = gap.Milliseconds()
		h := hops[st.What]
		if h.limit > 0 && gap > h.limit {
			st.Slow, st.Note = true, h.note
			if s.Gap == nil {
				first := *st
				s.Gap = &first
			}
		}
	}
	b.openEnd(p, &s)
	return s
}

// openEnd is the gap that has not ended: what the payment waits for now, and why, if that is known.
func (b *Box) openEnd(p *pay, s *lane.Story) {
	if s.Gap != nil || !p.p.Live() || len(s.Steps) == 0 {
		return
	}
	st := lane.Step{At: b.wall(), What: "waiting", Where: "box"}
	switch {
	case p.doubt.why == "link" && !b.link.up:
		st.Where, st.Note = "link", "there is no line to the integrator"
	case p.doubt.why == "link":
		st.Where, st.Note = "integrator", "the integrator has not answered"
	case p.doubt.why == "bank":
		st.Where, st.Note = "integrator", "the bank does not say whether it took the money"
	case p.p.Waiting:
		st.Note = "an earlier payment of this sale is not closed yet"
	case p.p.NoDisplay:
		st.Where, st.Note = "glass", "no output shows the code"
	default:
		return
	}
	st.GapMS, st.Slow = st.At.Sub(s.Steps[len(s.Steps)-1].At).Milliseconds(), true
	s.Steps = append(s.Steps, st)
	s.Gap = &st
}

func rank(order []string, what string) int {
	if i := slices.Index(order, what); i >= 0 {
		return i
	}
	return len(order)
}

// adoptUnknown takes in a bill that the integrator knows and this journal does not: the journal was lost, or is a copy.
// It stands as restored until the bill, or a person, decides (E33a).
func (t *tx) adoptUnknown(a lane.Answer) error {
	bill := a.Bill
	if _, err := t.b.find("", refKey(bill.Lane, bill.Reference)); !unknown(err) {
		t.b.log.Error("bill of an unknown payment has a known reference", "bill", bill.Payment, "err", err)
		return t.commit()
	}
	p := newPay()
	d := t.draft(p)
	d.next = lane.Payment{
		ID: bill.Payment, BillID: bill.Payment, Number: bill.Number, Reference: bill.Reference, Lane: bill.Lane, Amount: bill.Amount,
		Mode: bill.Mode, Purpose: bill.Purpose, IfNotConfirmed: bill.IfNotConfirmed, Provider: bill.Provider, Payee: bill.Payee,
		Stage: lane.Restored, Sent: true, Review: true, Trouble: "adopted", Stamps: map[string]time.Time{"adopted": t.now.UTC()},
	}
	if _, err := t.step(p, lane.Event{Kind: lane.Snapshot, Bill: bill}); err != nil {
		return err
	}
	t.readAgain(bill.Payment)
	t.b.log.Error("bill adopted that the journal did not know", "payment", bill.Payment, "number", bill.Number, "lane", bill.Lane)
	return t.commit()
}
