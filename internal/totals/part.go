package totals

import (
	"slices"

	"tilld/payment/lane"
)

// change is what a period needs of a payment at both its ends: some 200 bytes, where the payment itself has thousands. A till
// that never closes asks for 90 days of them.
type change struct {
	before base
	after  part
	began  bool // in the period: there is nothing of it before
}

// base is a payment at the beginning, in minor units.
type base struct {
	paid, returned, owed int64
	overridden           bool
}

// part is a payment at the end. Flags and state may be newer than the money, see standing.
type part struct {
	base
	number, provider, currency string
	amount                     int64
	receipt                    bool // was handed in
	doubt, going               bool // by its state: nobody knows; not over
	parked, noReceipt          bool // by its flags
}

func baseOf(p *lane.Public) base {
	return base{p.Paid.Value, p.Returned.Value, p.Owed.Value, p.Override != nil}
}

func partOf(p *lane.Public) part {
	out := part{
		base: baseOf(p), number: p.Number, provider: p.Provider, currency: p.Amount.Currency, amount: p.Amount.Value, receipt: p.Receipt != nil,
	}
	out.stand(p)
	return out
}

// stand takes in how the payment stands.
func (x *part) stand(p *lane.Public) {
	x.doubt = p.State == "in_doubt"
	x.going = slices.Contains([]string{"closing", "in_doubt", "submitted", "open", "paying", "charging", "part_paid"}, p.State)
	x.parked, x.noReceipt = slices.Contains(p.Flags, "parked"), slices.Contains(p.Flags, "no_receipt")
}
