package checkout

import (
	"context"

	"tilld/payment"
	"tilld/payment/lane"
)

// Waits says whether a payment of the lane waits for a customer's code now, or for what its bank says to one: then
// whatever is read there, and is not positively goods or a shop's own code, is a customer's.
func (b *Box) Waits(ctx context.Context, laneName string) (bool, error) {
	return ask(ctx, b, func() (bool, error) {
		for _, id := range b.order {
			p := b.pays[id].p
			if p.Lane == laneName && p.Mode == payment.Scan && lane.Occupies(p) {
				switch p.Stage {
				case lane.Submitted, lane.WaitingCode, lane.Charging:
					return true, nil
				}
			}
		}
		return false, nil
	})
}
