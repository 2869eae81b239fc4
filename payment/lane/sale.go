package lane

import "slices"

// Sale picks the payments of one sale out of all: those that hang together by replaces, p among them.
func Sale(all []Payment, id string) []Payment {
	in := []string{id}
	for grown := true; grown; {
		grown = false
		for _, p := range all {
			if slices.Contains(in, p.ID) {
				continue
			}
			if p.Replaces != "" && slices.Contains(in, p.Replaces) ||
				slices.ContainsFunc(all, func(q Payment) bool { return q.Replaces == p.ID && slices.Contains(in, q.ID) }) {
				in, grown = append(in, p.ID), true
			}
		}
	}
	var sale []Payment
	for _, p := range all {
		if slices.Contains(in, p.ID) {
			sale = append(sale, p)
		}
	}
	return sale
}

// GateOpen says whether the waiting payment of a sale may be sent (E1c): every other payment of the sale that may have
// left is fenced at the integrator or ended by its own close. An override never opens the gate.
func GateOpen(sale []Payment, id string) bool {
	for _, q := range sale {
		if q.ID == id || !q.Sent {
			continue
		}
		if q.Stage == Ended || q.Stage == Closing && q.FenceAcked {
			continue
		}
		return false
	}
	return true
}

// Successor is the payment that stands in the place of a replaced one, was sent, and can still be paid or was: what a
// supervisor does about the sale is about that one. nil if there is none.
func Successor(p Payment, sale []Payment) *Payment {
	if p.ReplacedBy == "" {
		return nil
	}
	for i := range sale {
		if q := &sale[i]; q.ID != p.ID && q.Sent && q.ReplacedBy == "" && !safe(*q) {
			return q
		}
	}
	return nil
}

// Occupies says whether a payment holds its lane: one of them, and a second is refused with lane_busy. A replaced one
// holds nothing, the one that took its place does.
func Occupies(p Payment) bool {
	if p.Parked || p.ReplacedBy != "" {
		return false
	}
	switch p.Stage {
	case Submitted, Open, WaitingCode, Charging, Closing, LateOffered, Accepting:
		return true
	}
	return false
}

// safe says that this payment alone can never win money for goods any more, and the box knows it: E2b, E10b, E11, E13.
func safe(p Payment) bool {
	switch p.Stage {
	case Ended, Overridden, OverriddenEnded:
		return true
	case Closing:
		return p.FenceAcked && p.Closing != ByExpiry
	}
	return false
}

// LightsOf are the two lights of p within its sale. The other-tender light belongs to the sale: it is on for none of its
// payments while one of them can still be paid (E10r, E2b').
func LightsOf(p Payment, sale []Payment) Lights {
	l := Lights{OtherTender: safe(p)}
	switch p.Stage {
	case Paid, Released, Done:
		l.HandOver = !p.NoGoods
	}
	for _, q := range sale {
		if q.ID != p.ID && !safe(q) {
			l.OtherTender = false
		}
	}
	return l
}
