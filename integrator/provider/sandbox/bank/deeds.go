package bank

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

var (
	errBody   = no(http.StatusUnprocessableEntity, "bad_body", "the body is not as documented")
	errReused = no(http.StatusConflict, "key_reused", "this id was used with another body")
	errAbsent = no(http.StatusNotFound, "absent", "no such order")
)

// create makes an order: a code to show, or a charge of a code that was scanned.
func (b *Bank) create(mode string) deedFunc {
	return func(r *http.Request, body []byte, now time.Time) result {
		var in orderBody
		if json.Unmarshal(body, &in) != nil || in.Amount.Value <= 0 || len(in.Amount.Currency) != 3 {
			return result{no: errBody}
		}
		id := r.PathValue("id")
		if o := b.orders[id]; o != nil {
			if o.Mode != mode || o.Amount != in.Amount {
				return result{no: errReused}
			}
			return b.slowed(result{order: o})
		}
		o := &order{
			ID: id, Mode: mode, Amount: in.Amount, Number: in.Number, Payee: in.Payee,
			CreatedAt: now.UTC(), ExpiresAt: in.ExpiresAt.UTC(), Credits: []credit{}, Returns: []giveback{},
		}
		b.cast(o)
		if o.Act == noCode {
			return result{no: no(http.StatusUnprocessableEntity, "refused", "the bank takes no order of this amount")}
		}
		if b.cfg.Most > 0 && o.Amount.Value > b.cfg.Most {
			r := no(http.StatusUnprocessableEntity, "amount_limit", "the bank takes no order above its limit")
			r.Most = b.cfg.Most
			return result{no: r}
		}
		b.orders[id] = o
		if mode == scan {
			return b.slowed(b.charge(o, in.Code, now))
		}
		o.Payload = b.prefix + rand.Text()
		b.payloads[o.Payload] = o
		e := b.cfg.Evil
		if e.chance(e.EarlyHint, "early_hint", id, 0) {
			b.log.Info("evil decided", "evil", "early_hint", "order", id)
			o.book(o.Amount.Value, now)
			o.Known = true
			return result{order: o, told: true}
		}
		return b.slowed(result{order: o})
	}
}

// slowed holds the answer of an order that is slow, counted from its making.
func (b *Bank) slowed(res result) result {
	if res.order != nil && res.order.Act == slow {
		res.until = res.order.made(b.times)
	}
	return b.hushed(res)
}

// hushed holds the answer of an order that has just fallen silent.
func (b *Bank) hushed(res result) result {
	if o := res.order; o != nil && o.SilentUntil.After(time.Now()) {
		res.until, res.again = o.SilentUntil, true
	}
	return res
}

// charge takes the money of a pay code.
func (b *Bank) charge(o *order, text string, now time.Time) result {
	c := b.spend(text, now)
	switch {
	case c == nil:
		o.Decline = &decline{Why: "expired_code", Retry: true}
		o.die()
	case o.Act == declinedOnce && b.hadItsNo(o):
		o.Acted = true
		fallthrough
	default:
		c.order = o.ID
		if c.confirm && o.Act == "" {
			o.payFor(now, b.times.Begin)
			o.later(deed{At: o.PayingUntil, Begun: now.UTC(), Decline: &decline{Why: "other", Retry: true}, Die: true})
		} else {
			o.pay(now, o.Amount.Value, b.times)
		}
	}
	return result{order: o}
}

// hadItsNo says that another charge of the same sale was declined a short while ago.
func (b *Bank) hadItsNo(o *order) bool {
	for _, p := range b.orders {
		if p != o && p.Mode == scan && p.Act == declinedOnce && p.Decline != nil && p.Decline.Why == "not_enough" &&
			p.Number == o.Number && p.Payee == o.Payee && p.Amount == o.Amount && o.CreatedAt.Sub(p.CreatedAt) < 30*time.Minute {
			return true
		}
	}
	return false
}

// look answers what is. What a slow create or charge is still making is not there yet.
func (b *Bank) look(r *http.Request, _ []byte, now time.Time) result {
	o := b.orders[r.PathValue("id")]
	if o == nil || o.making(now, b.times) {
		return result{no: errAbsent}
	}
	return result{order: o, read: true}
}

// end kills an order. One that never came is dead from now on, so that it can't come later either.
func (b *Bank) end(r *http.Request, body []byte, now time.Time) result {
	var in orderBody
	if json.Unmarshal(body, &in) != nil || in.Amount.Value <= 0 || len(in.Amount.Currency) != 3 {
		return result{no: errBody}
	}
	id := r.PathValue("id")
	o := b.orders[id]
	if o == nil {
		o = &order{
			ID: id, Mode: show, Amount: in.Amount, CreatedAt: now.UTC(), Credits: []credit{}, Returns: []giveback{}, Dead: true,
		}
		b.orders[id] = o
		return result{order: o}
	}
	if o.Amount != in.Amount {
		return result{no: errReused}
	}
	o.Known = true // its answer says what is
	res := result{order: o, until: o.kill(now, b.times)}
	res.again = !res.until.IsZero()
	return res
}

// giveBack returns money to a payer, once for each id.
func (b *Bank) giveBack(r *http.Request, body []byte, now time.Time) result {
	var in returnBody
	id := r.PathValue("return")
	if json.Unmarshal(body, &in) != nil || in.Amount.Value <= 0 || !validID(id) || (in.Method != "cancel" && in.Method != "refund") {
		return result{no: errBody}
	}
	o := b.orders[r.PathValue("id")]
	if o == nil {
		return result{no: errAbsent}
	}
	i := slices.IndexFunc(o.Returns, func(g giveback) bool { return g.ID == id })
	if i >= 0 {
		if g := o.Returns[i]; g.Value != in.Amount.Value || g.Method != in.Method || in.Amount.Currency != o.Amount.Currency ||
			(in.Txn != "" && in.Txn != g.Txn) {
			return result{no: errReused}
		}
		return result{order: o}
	}
	if in.Amount.Currency != o.Amount.Currency {
		return result{no: errBody}
	}
	if b.cfg.Returns > 0 && slices.ContainsFunc(o.Credits, func(c credit) bool {
		return (in.Txn == "" || in.Txn == c.Txn) && now.Sub(c.PaidAt) > b.cfg.Returns
	}) {
		return result{no: no(http.StatusUnprocessableEntity, "too_old", "the payment is too old to be given back")}
	}
	o.changed = true
	o.Returns = append(o.Returns, b.decide(o, giveback{ID: id, Txn: in.Txn, Value: in.Amount.Value, Method: in.Method}, now))
	return result{order: o}
}

// decide what becomes of a return.
func (b *Bank) decide(o *order, g giveback, now time.Time) giveback {
	i := slices.IndexFunc(o.Credits, func(c credit) bool {
		return (g.Txn == "" || g.Txn == c.Txn) && c.Value-o.given(c.Txn) >= g.Value
	})
	g.State = returnRefused
	if i < 0 || o.Act == returnNo {
		return g
	}
	c := o.Credits[i]
	g.Txn = c.Txn
	// A cancel undoes one whole payment before the books of its day are closed; a refund is a payment of its own.
	if g.Method == "cancel" && (g.Value != c.Value || o.given(c.Txn) > 0 || !b.sameDay(c.PaidAt, now)) {
		return g
	}
	if o.Act == accountShort {
		if o.ShortUntil.IsZero() {
			o.ShortUntil = now.Add(b.times.Short)
		}
		if now.Before(o.ShortUntil) {
			g.State = returnShort
			return g
		}
	}
	if b.times.Return > 0 {
		g.State, g.DoneAt = returnPending, now.Add(b.times.Return)
		return g
	}
	g.State = returnDone
	return g
}

func (b *Bank) sameDay(x, y time.Time) bool {
	xy, xm, xd := x.In(b.zone).Date()
	yy, ym, yd := y.In(b.zone).Date()
	return xy == yy && xm == ym && xd == yd
}
