package checkout

import (
	"context"

	"tilld/payment"
	"tilld/payment/lane"
)

// Waits says whether a payment of the lane waits for a customer's code now: then whatever is read there, and is not
// positively goods or a shop's own code, is one.
func (b *Box) Waits(ctx context.Context, laneName string) (bool, error) {
	return ask(ctx, b, func() (bool, error) {
		for _, id := range b.order {
			p := b.pays[id].p
			if p.Lane == laneName && p.Mode == payment.Scan && lane.Occupies(p) && (p.Stage == lane.Submitted || p.Stage == lane.WaitingCode) {
				return true, nil
			}
		}
		return false, nil
	})
}
