package checkout

import (
	"context"
	"slices"
	"time"

	"tilld/payment/lane"
)

// customerReturn is the reference of a return that the customer asked for at the page.
const customerReturn = "kiosk:cancel"

// Abandon ends a payment for its customer (E10), as long as it is not paid: what is paid is the till's to give back, which
// knows where the goods are. It is refused then, in the same step of the loop that would have ended it.
func (b *Box) Abandon(ctx context.Context, id string) error {
	_, err := ask(ctx, b, func() (struct{}, error) {
		var none struct{}
		p, err := b.get(id)
		if err != nil {
			return none, err
		}
		if !slices.Contains([]lane.Stage{lane.Submitted, lane.Open, lane.WaitingCode, lane.Charging}, p.p.Stage) {
			pub := b.public(p)
			return none, &lane.Refusal{Code: lane.NoWrongState, Payment: &pub}
		}
		_, err = b.till(p, lane.Event{Kind: lane.TillReturn, Return: &lane.ReturnRequest{Reference: customerReturn, Reason: "customer"}})
		return none, err
	})
	return err
}

// Dismiss takes the last screen of a payment off its lane's glass before its time; on any other screen it does nothing.
func (b *Box) Dismiss(ctx context.Context, laneName, id string) error {
	return b.do(ctx, func() {
		if l := b.lanes[laneName]; l != nil && l.shows == id && !l.idleAt.IsZero() {
			b.idle(l)
		}
	})
}

// Times for which a payment's last screen stands though the till has gone on to the next customer.
const (
	yieldAfter     = 2 * time.Second // paid, or nothing was taken
	yieldLaterThan = 8 * time.Second // money goes back, or nobody knows yet: somebody is to read it
)

// Yield has a payment's last screen make room, for the till has something else to show; after is that payment, "" where
// none has the glass. It is refused while a payment occupies the lane.
func (b *Box) Yield(ctx context.Context, laneName string) (after string, err error) {
	return ask(ctx, b, func() (string, error) {
		l := b.lanes[laneName]
		if l == nil {
			return "", &lane.Refusal{Code: lane.NoLane}
		}
		if p := b.busy(laneName, ""); p != nil {
			pub := b.public(p)
			return "", &lane.Refusal{Code: lane.NoLaneBusy, Payment: &pub}
		}
		if l.shows == "" {
			return "", nil
		}
		hold := yieldLaterThan
		if slices.Contains([]string{"paid", "paid_paper", "expired", "canceled", "unavailable"}, l.last.Screen) {
			hold = yieldAfter
		}
		if at := l.came.Add(hold); l.idleAt.IsZero() || at.Before(l.idleAt) {
			l.idleAt = at
		}
		return l.shows, nil
	})
}
