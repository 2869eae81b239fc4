package bank

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"
)

// act is what an order does besides being paid: a magic amount, or evil.
type act string

// Acts. The table in the package comment says what each looks like.
const (
	declinedOnce act = "declined_once"
	declined     act = "declined"
	lateMoney    act = "late_money"
	paidInCancel act = "paid_in_cancel"
	paidTwice    act = "paid_twice"
	unknownPaid  act = "unknown_paid"
	unknownDead  act = "unknown_dead"
	slow         act = "slow"
	twoParts     act = "two_parts"
	returnNo     act = "return_refused"
	accountShort act = "account_short"
	confirming   act = "confirming"
	noCode       act = "no_code"
)

// magic is the act of an amount by the last two digits of its minor units.
func magic(value int64) act {
	acts := [...]act{
		1: declinedOnce, 2: declined, 3: lateMoney, 4: paidInCancel, 5: paidTwice, 6: unknownPaid, 7: unknownDead,
		8: slow, 9: twoParts, 10: returnNo, 11: accountShort, 12: confirming, 13: noCode,
	}
	if n := value % 100; n > 0 && n < int64(len(acts)) {
		return acts[n]
	}
	return ""
}

// chance says whether a kind of evil strikes: a pure function of the seed, the kind, the subject and the count, so that
// it doesn't matter in which order requests arrive.
func (e Evil) chance(rate float64, kind, subject string, n int) bool {
	if rate <= 0 {
		return false
	}
	var b []byte
	b = binary.BigEndian.AppendUint64(b, e.Seed)
	b = binary.BigEndian.AppendUint64(b, uint64(n))
	b = append(b, kind...)
	b = append(b, 0)
	b = append(b, subject...)
	h := sha256.Sum256(b)
	return float64(binary.BigEndian.Uint64(h[:8])>>11)/(1<<53) < rate
}

// cast chooses the act of a new order: magic goes before evil.
func (b *Bank) cast(o *order) {
	if !b.cfg.NoMagic {
		o.Act = magic(o.Amount.Value)
	}
	e := b.cfg.Evil
	if o.Act == "" {
		for _, c := range []struct {
			rate float64
			act  act
		}{
			{e.DoublePay, paidTwice},
			{e.PaidInCancel, paidInCancel},
			{e.UnknownPaid, unknownPaid},
			{e.UnknownDead, unknownDead},
			{e.Slow, slow},
		} {
			if e.chance(c.rate, string(c.act), o.ID, 0) {
				o.Act = c.act
				b.log.Info("evil decided", "evil", string(c.act), "order", o.ID)
				break
			}
		}
	}
	if e.chance(e.KillRefunds, "kill_refunds", o.ID, 0) {
		o.KillRefunds = true
		b.log.Info("evil decided", "evil", "kill_refunds", "order", o.ID)
	}
	if o.Mode == show && o.Act == declined {
		o.later(deed{At: o.CreatedAt.Add(b.times.Alone), Decline: &decline{Why: "other"}, Die: true})
	}
}

// pay is the payer's "yes" to an amount, in either mode.
func (o *order) pay(now time.Time, value int64, t Times) {
	o.PayingUntil = time.Time{}
	o.Due = slices.DeleteFunc(o.Due, func(d deed) bool { return d.Value == 0 }) // began, or 02 left alone
	fresh := !o.Acted
	if fresh {
		o.Acted = true
		switch o.Act {
		case declinedOnce:
			o.refuse(now, t, &decline{Why: "not_enough", Retry: true}, o.Mode == scan)
			return
		case declined:
			o.refuse(now, t, &decline{Why: "limit"}, true)
			return
		case lateMoney, paidInCancel:
			o.OnWay, o.Acted = true, false // what the order does then is begun by the kill or the expiry
			return
		case paidTwice:
			o.book(value, now)
			o.payFor(now, t.Second)
			o.later(deed{At: o.PayingUntil, Value: value})
			return
		case unknownPaid:
			o.book(value, now)
			o.hush(now, t.Silence)
			return
		case unknownDead:
			o.Decline = &decline{Why: "other"}
			o.die()
			o.hush(now, t.Silence)
			return
		case twoParts:
			if value > 1 {
				o.book(value/2, now)
				o.later(deed{At: now.Add(t.Part), Value: value - value/2})
				return
			}
		case confirming:
			o.payFor(now, t.Confirming)
			o.later(deed{At: o.PayingUntil, Value: value})
			return
		}
	}
	o.book(value, now)
}

// refuse is the bank's no to a payer: at once in scan mode, after a moment of confirming in show mode.
func (o *order) refuse(now time.Time, t Times, d *decline, forGood bool) {
	if o.Mode == scan {
		o.Decline = d
		o.die()
		return
	}
	o.payFor(now, t.Confirm)
	o.later(deed{At: o.PayingUntil, Decline: d, Die: forGood})
}

// kill ends the order where nobody has paid. It answers the moment before which it has no answer, or the zero time.
func (o *order) kill(now time.Time, t Times) (wait time.Time) {
	if o.Dead {
		return time.Time{}
	}
	if o.full() {
		if o.KillRefunds && !o.moneyDue() {
			o.refundAll()
		}
		return time.Time{}
	}
	switch {
	case o.Act == lateMoney:
		if !o.Acted {
			o.Acted, o.Expired = true, true
			o.later(deed{At: now.Add(t.Late), Value: o.rest()})
		}
		for _, d := range o.Due {
			if d.Value > 0 {
				return d.At
			}
		}
	case o.Act == paidInCancel && !o.Acted:
		o.Acted = true
		o.book(o.rest(), now)
		return time.Time{}
	case (o.Act == unknownPaid || o.Act == unknownDead) && !o.Acted:
		o.pay(now, o.rest(), t)
		return o.SilentUntil
	}
	if o.isPaying(now) || o.moneyDue() {
		return time.Time{} // somebody is confirming: the answer says so, and the merchant asks again
	}
	o.Due = nil
	o.die()
	return time.Time{}
}

// expire is the order's own end.
func (o *order) expire(t Times) {
	o.Expired = true
	switch {
	case o.Act == lateMoney && !o.Acted:
		o.Acted = true
		o.later(deed{At: o.ExpiresAt.Add(t.Late), Value: o.rest()})
	case o.Act == paidInCancel && o.OnWay && !o.Acted:
		o.Acted = true
		o.book(o.rest(), o.ExpiresAt)
	case o.moneyDue():
	default:
		o.die()
	}
}

// refundAll gives everything back that is not given back yet, without having been asked.
func (o *order) refundAll() {
	for _, c := range o.Credits {
		if left := c.Value - o.given(c.Txn); left > 0 {
			o.Returns = append(o.Returns, giveback{Txn: c.Txn, Value: left, Method: "cancel", State: returnDone})
			o.changed = true
		}
	}
}

// given is what went back, or is going back, of one payment.
func (o *order) given(txn string) int64 {
	var n int64
	for _, r := range o.Returns {
		if r.Txn == txn && (r.State == returnDone || r.State == returnPending) {
			n += r.Value
		}
	}
	return n
}
