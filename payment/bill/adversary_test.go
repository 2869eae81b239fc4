package bill_test

import (
	"fmt"
	"slices"
	"time"

	"tilld/payment"
	"tilld/payment/bill"
)

// next is everything that may happen now. Letters in bounds.do allow more: d lost and stale answers, c console, x more
// time, w paying seen by the bank, p people in doubt, g the box is lost, m the lane moves, f the bank takes money for a
// dead code, r returns after the goods, a the advance is applied, e the extra reference, b the bank ends an order by itself, v the
// charge that lost its code, k a copy of the box returns what was confirmed, n the bank is taken out of the server's settings.
func (x *search) next(n node) {
	if n.s.ID == "" {
		c := request(func(c *bill.Create) {
			c.Amount.Value, c.Mode, c.Kind, c.Purpose = 2, x.b.mode, x.b.kind, x.b.purpose
			switch x.b.kind {
			case bill.Ranged:
				c.Min, c.Max = 1, 2
			case bill.Timer:
				c.Amount.Value, c.Tariff = 0, &bill.Tariff{Free: unit, Per: unit, Rate: 1, Max: 2}
			}
		})
		x.step(n, "create", bill.Event{Cause: bill.CallCreate, Create: c})
		return
	}
	x.clock(n)
	x.bank(n)
	x.answers(n)
	x.refunds(n)
	x.box(n)
	x.people(n)
	x.others(n)
	if x.b.can('n') && !n.o.unset {
		m := n
		m.o.unset, m.o.kill, m.o.has, m.o.stale = true, false, false, bill.Report{} // with a restart of the server
		x.visit(&m, "the bank is taken out of the settings")
	}
}

// clock: time passes to the next thing that is due, and the server may take its time to notice.
func (x *search) clock(n node) {
	at := bill.Due(n.s)
	if at.IsZero() {
		return
	}
	if at.After(n.o.now) {
		if x.waits(&n, at) {
			return
		}
		m := n
		m.o.now = at
		x.visit(&m, "time passes")
		return
	}
	x.step(n, "tick", bill.Event{Cause: bill.Tick})
}

// waits: something outside has to happen before at: a call ends within its limit, a bank that gives money back when it
// is told to kill does so within its own.
func (x *search) waits(n *node, at time.Time) bool {
	if x.b.killRefunds && n.o.kill && at.After(n.o.killBy) {
		return true
	}
	if n.o.has && at.After(n.o.hasBy) {
		return true
	}
	for i := range n.o.pay {
		if p := &n.o.pay[i]; p.auto == 1 && at.After(p.autoBy) {
			return true
		}
	}
	return x.b.kind == bill.Timer && n.s.Life == payment.Open && !n.s.Full && at.Sub(n.s.CreatedAt) > x.b.horizon
}

// bank: customers pay, calls land.
func (x *search) bank(n node) {
	o := &n.o
	if o.flying {
		m := n
		m.o.flying, m.o.order = false, 1
		x.visit(&m, "the order lands at the bank")
		m = n
		m.o.flying = false
		x.visit(&m, "the call never lands")
	}
	for i := range x.b.amounts {
		p := &o.pay[i]
		first := i == 0 || o.pay[i-1].state != 0 // customers come in order: they are alike
		switch {
		case p.state == 0 && first && (o.order == 1 || o.order == 2 && x.b.can('f') && o.forced == 0):
			m := n
			if o.order == 2 {
				m.o.forced++
			}
			if x.b.can('w') {
				m.o.pay[i].state = 1
				x.visit(&m, fmt.Sprintf("customer %d is confirming", i))
			} else {
				m.o.pay[i].state, m.o.pay[i].at = 2, o.now
				x.visit(&m, fmt.Sprintf("customer %d pays %d", i, x.b.amounts[i]))
			}
		case p.state == 1:
			m := n
			m.o.pay[i].state, m.o.pay[i].at = 2, o.now
			if o.order == 2 && x.b.killRefunds {
				m.o.pay[i].auto, m.o.pay[i].autoBy, m.o.pay[i].own = 1, o.now.Add(unit), x.b.amounts[i] // the kill came first
			}
			x.visit(&m, fmt.Sprintf("customer %d has paid %d", i, x.b.amounts[i]))
			m = n
			m.o.pay[i].state = 3
			x.visit(&m, fmt.Sprintf("customer %d gives up", i))
		}
		if p.auto == 1 {
			m := n
			m.o.pay[i].auto, m.o.pay[i].refunded = 2, x.b.amounts[i]
			x.visit(&m, "the bank has given it back by itself")
		}
	}
	if x.b.can('b') && o.order == 1 {
		m := n
		m.o.order = 2
		x.visit(&m, "the bank ends the order by itself")
	}
	if o.kill {
		m := n
		m.o.kill = false
		if x.b.can('d') {
			x.visit(&m, "the kill is lost")
		}
		for i := range m.o.pay {
			if p := &m.o.pay[i]; x.b.killRefunds && p.state == 2 && p.refunded < x.amount(i) {
				p.auto, p.autoBy, p.own = 1, o.now.Add(unit), x.amount(i)-p.refunded
			}
		}
		if m.o.order != 0 {
			m.o.order = 2
		}
		x.step(m, "killed", bill.Event{Cause: bill.Reported, Report: x.report(&m, bill.Kill)})
		if x.b.can('d') {
			x.visit(&m, "killed, the answer is lost")
		}
	}
}

func (x *search) amount(i int) int64 {
	if i < len(x.b.amounts) {
		return x.b.amounts[i]
	}
	return 0
}

// report is the truth as the bank would say it now.
func (x *search) report(n *node, kind bill.WorkKind) *bill.Report {
	o := &n.o
	r := &bill.Report{Work: kind, Status: bill.Pending, Returns: map[string]string{}}
	if x.b.mode == payment.Scan {
		r.Attempt = int(o.charged)
	} else if o.order > 0 {
		r.Payload = "code"
	}
	switch o.order {
	case 0:
		r.Status = bill.Absent
	case 2:
		r.Status = bill.Dead
	}
	for i := range x.b.amounts {
		p := &o.pay[i]
		switch {
		case p.state == 1:
			r.Status = bill.Paying
		case p.state == 2:
			r.Credits = append(r.Credits, bill.Credit{Provider: "b", Txn: txn(i), Amount: x.b.amounts[i], PaidAt: p.at})
		}
		if p.auto > 0 {
			r.Own = append(r.Own, bill.Own{Txn: txn(i), Amount: p.own, State: []string{"", "pending", "done"}[p.auto]})
		}
	}
	if x.b.mode == payment.Scan && len(r.Credits) > 0 && len(r.Credits) == len(x.b.amounts) && r.Status == bill.Pending {
		r.Status = bill.AllPaid
	}
	return r
}

// answers: the server asks about the order and hears the truth, at once or late, or hears nothing.
func (x *search) answers(n node) {
	o := &n.o
	if x.b.mode == payment.Scan && o.charged == 0 {
		return
	}
	if o.unset {
		x.step(n, "nobody is asked", bill.Event{Cause: bill.Reported, Report: &bill.Report{Work: bill.Look, Fail: bill.Unclear}})
		if n.s.Life == payment.Created && o.order == 0 && !o.flying {
			x.step(n, "no bank to create at", bill.Event{Cause: bill.Reported, Report: &bill.Report{Work: bill.Present, Fail: bill.Refused}})
		}
		return
	}
	if o.has {
		m := n
		m.o.has, m.o.stale = false, bill.Report{}
		r := o.stale
		x.step(m, "a late answer arrives", bill.Event{Cause: bill.Reported, Report: &r})
		x.visit(&m, "the late answer is lost")
	} else if x.b.can('d') && (o.order != 0 || o.flying) {
		m := n
		m.o.has, m.o.hasBy, m.o.stale = true, o.now.Add(x.env.Traits.CallLimit), *x.report(&n, bill.Look)
		x.visit(&m, "the bank answers, the answer is slow")
	}
	if o.order == 0 && o.flying && !x.b.can('d') {
		return
	}
	x.step(n, "look", bill.Event{Cause: bill.Reported, Report: x.report(&n, bill.Look)})
	if n.s.Life == payment.Created && o.order == 0 && !o.flying {
		x.step(n, "create refused", bill.Event{Cause: bill.Reported, Report: &bill.Report{Work: bill.Present, Fail: bill.Refused}})
		x.step(n, "create unclear", bill.Event{Cause: bill.Reported, Report: &bill.Report{Work: bill.Present, Fail: bill.Unclear}})
	}
	if o.order == 1 && n.s.Payload == "" && x.b.mode == payment.Show {
		x.step(n, "create ok", bill.Event{Cause: bill.Reported, Report: x.report(&n, bill.Present)})
	}
	if a := int(o.charged); x.b.mode == payment.Scan && o.order == 1 && o.pay[0].state != 1 && o.pay[0].state != 2 {
		m := n
		m.o.order = 2
		r := x.report(&m, bill.Look)
		r.Attempt, r.Decline = a, &payment.Decline{Why: "limit", Retry: true}
		x.step(m, "declined", bill.Event{Cause: bill.Reported, Report: r})
	}
}

// refunds: the bank and the returns that it was asked for.
func (x *search) refunds(n node) {
	for i := range n.s.Obligations {
		ob := &n.s.Obligations[i]
		at := int(ob.Txn[1] - '0')
		said := func(m node, label, state string, kind bill.WorkKind) {
			r := &bill.Report{Work: kind, Request: ob.Request, Returns: map[string]string{ob.Request: state}}
			x.step(m, label, bill.Event{Cause: bill.Reported, Report: r})
		}
		switch {
		case n.o.unset:
			x.unsetDebt(n, i, at)
		case ob.State == bill.Sent && n.o.request[i] == 0:
			m := n
			p := &m.o.pay[at]
			if p.auto == 0 && p.refunded+ob.Amount <= x.amount(at) {
				p.refunded += ob.Amount
				m.o.request[i] = 1
				said(m, "return done", "done", bill.GiveBack)
				if x.b.can('d') {
					x.visit(&m, "return done, the answer is lost")
				}
			} else if n.o.claws == 0 {
				x.fault("a return was sent", "double: the bank had given this back by itself")
			} else {
				m.o.request[i] = 2
				said(m, "return refused", "refused", bill.GiveBack)
			}
			if x.b.can('d') {
				said(n, "return unclear", "unclear", bill.GiveBack)
			}
			if n.o.refuses < uint8(x.b.refuses) {
				for code, word := range map[uint8]string{2: "refused", 4: "short"} {
					m := n
					m.o.refuses++
					m.o.request[i] = code
					said(m, "return "+word, word, bill.GiveBack)
				}
				m := n
				m.o.refuses++
				m.o.request[i] = 3
				said(m, "return accepted", "pending", bill.GiveBack)
			}
		case ob.State == bill.Sent && n.o.request[i] == 3:
			m := n
			m.o.pay[at].refunded += ob.Amount
			m.o.request[i] = 1
			said(m, "return done at last", "done", bill.Look)
		case ob.State == bill.Sent:
			said(n, "return asked about", map[uint8]string{1: "done", 2: "refused", 4: "short"}[n.o.request[i]], bill.Look)
		case ob.State == bill.Paid && n.o.request[i] == 1 && n.o.bounces < uint8(x.b.bounces):
			m := n
			m.o.bounces++
			m.o.pay[at].refunded -= ob.Amount
			m.o.request[i] = 2
			x.step(m, "return bounced", bill.Event{Cause: bill.Bounced, Obligation: ob.ID})
		case ob.State == bill.Human:
			x.step(n, "a person tries again", bill.Event{Cause: bill.Resolved, Obligation: ob.ID, Verdict: bill.VerdictRetry, NotDone: true})
			m := n
			m.o.pay[at].refunded += ob.Amount
			x.step(m, "a person pays by hand", bill.Event{Cause: bill.Resolved, Obligation: ob.ID, Verdict: bill.VerdictManual, Evidence: "e"})
		}
	}
}

// unsetDebt is a return of a bank that nobody asks any more: it may have had the call, and a person reads its list.
func (x *search) unsetDebt(n node, i, at int) {
	ob, p := &n.s.Obligations[i], &n.o.pay[at]
	room := p.auto == 0 && p.refunded+ob.Amount <= x.amount(at)
	if ob.State == bill.Sent && n.o.request[i] == 0 && room {
		m := n
		m.o.pay[at].refunded += ob.Amount
		m.o.request[i] = 1
		x.visit(&m, "the bank had done the return")
	}
	if ob.State != bill.Owed && ob.State != bill.Sent && ob.State != bill.Human {
		return
	}
	m := n
	switch {
	case n.o.request[i] == 1 || p.auto == 2: // it is in the bank's list
	case room:
		m.o.pay[at].refunded += ob.Amount // by hand
	default:
		return // the bank is about to do it by itself
	}
	x.step(m, "a person: it was given back", bill.Event{Cause: bill.Resolved, Obligation: ob.ID, Verdict: bill.VerdictManual, Evidence: "e"})
}

// box: calls in any order that its journal allows, each of them again at any time.
func (x *search) box(n node) {
	o := &n.o
	if o.gone {
		return
	}
	if static := x.b.kind == bill.Fixed || x.b.kind == bill.Ranged; static {
		return
	}
	if !o.fenced && !o.released {
		m := n
		m.o.fenced = true
		x.visit(&m, "box: fence in the journal")
	}
	if o.fenced {
		m := n
		m.o.fenceIn = true
		x.step(m, "bill.return whole", bill.Event{Cause: bill.CallReturn, Key: "k", Whole: true})
	}
	if o.paidTold && !o.fenced && !o.released && n.s.Need > 0 {
		for _, final := range []int64{1, n.s.Need} {
			m := n
			m.o.released, m.o.goods = true, final
			x.visit(&m, fmt.Sprintf("box: goods for %d leave", final))
			if n.s.Need == 1 {
				break
			}
		}
	}
	if o.released {
		m := n
		m.o.confirmIn = true
		x.step(m, "bill.confirm", bill.Event{Cause: bill.CallConfirm, Key: "c", Amount: o.goods})
	}
	if o.confirmIn && !o.gone && x.b.can('k') { // a journal of before the goods left
		x.step(n, "bill.return whole, by a copy of the box", bill.Event{Cause: bill.CallReturn, Key: "y", Whole: true})
	}
	if o.confirmIn && x.b.can('r') {
		m := n
		e := bill.Event{Cause: bill.CallReturn, Key: "r", Amount: 1}
		if o.returns == 0 {
			m.o.returns++
		}
		x.step(m, "bill.return 1", e)
	}
	if n.s.Late == payment.LateOffered || n.s.AcceptKey != "" {
		x.step(n, "bill.accept_late", bill.Event{Cause: bill.CallAcceptLate, Key: "a"})
	}
	if x.b.can('x') && o.extends == 0 && n.s.Life == payment.Open {
		m := n
		m.o.extends++
		x.step(m, "bill.extend", bill.Event{Cause: bill.CallExtend, Key: "x", Life: 3 * unit})
	}
	if x.b.mode == payment.Scan && !o.fenced {
		for _, c := range []bill.Cause{bill.CallCharge, bill.CallChargeVoid} {
			if n.s.LastAttempt == 0 || n.s.LastAttempt == 1 && c == bill.CallCharge || x.b.can('v') && n.s.LastAttempt < 2 {
				m := n
				if a := n.s.LastAttempt; c == bill.CallCharge && a == 0 {
					m.o.charged, m.o.order = 1, 0
				}
				x.step(m, string(c), bill.Event{Cause: c, Attempt: 1, CodeHash: "h"})
			}
		}
	}
	if x.b.can('a') && o.confirmIn {
		for i, amount := range []int64{1, 2} {
			m := n
			x.step(m, "apply", bill.Event{Cause: bill.CallApply, Key: string(rune('a' + i)), Sale: string(rune('s' + i)), Amount: amount})
		}
		x.step(n, "unapply", bill.Event{Cause: bill.CallUnapply, Sale: "s"})
	}
	if x.b.can('a') && !o.confirmIn {
		x.step(n, "apply early", bill.Event{Cause: bill.CallApply, Key: "a", Sale: "s", Amount: 1})
	}
}

// people: in doubt, over a lost box.
func (x *search) people(n node) {
	o := &n.o
	x.choices(&n)
	if x.b.can('p') && n.s.Doubt {
		if o.silent == 0 || o.unset && !n.s.Review { // the server says so of whatever is in doubt for two days
			m := n
			m.o.silent = 1
			x.step(m, "the registry is silent", bill.Event{Cause: bill.Silent})
		}
		if n.s.Review && n.s.Doubt {
			open := o.flying || o.order == 1
			for i := range o.pay {
				booked := slices.ContainsFunc(n.s.Credits, func(c bill.Credit) bool { return c.Txn == txn(i) })
				open = open || o.pay[i].state == 1 || o.pay[i].state == 2 && !booked
			}
			if !open {
				x.step(n, "a person: nobody paid", bill.Event{Cause: bill.Decided, Verdict: bill.VerdictDead, Who: "p"})
			}
			for i := range x.b.amounts {
				if o.pay[i].state == 2 {
					c := &bill.Credit{Provider: "b", Txn: txn(i), Amount: x.b.amounts[i], PaidAt: o.pay[i].at, Evidence: "e", Attempt: int(o.charged)}
					x.step(n, "a person: it was paid", bill.Event{Cause: bill.Decided, Verdict: bill.VerdictPaid, Credit: c})
				}
			}
		}
	}
	if x.b.can('p') && n.s.Review {
		x.step(n, "a person has looked", bill.Event{Cause: bill.Decided, Verdict: bill.VerdictSeen, Who: "p"})
	}
	if x.b.can('g') {
		if !o.gone {
			m := n
			m.o.gone = true
			if m.o.fenced && !m.o.fenceIn {
				m.o.fenced = false
			}
			if m.o.released && !m.o.confirmIn {
				m.o.confirmIn = true // nobody will ever say so; a person decides
			}
			x.visit(&m, "the box is lost, its certificate revoked")
			return
		}
		e := bill.Event{Cause: bill.Decided, Who: "p", Revoked: true, Verdict: bill.VerdictDone}
		if !o.released {
			e.Verdict = bill.VerdictReturn
		}
		x.step(n, "a person on a lost box: "+e.Verdict, e)
	}
}

// choices: what a person is offered is what the rows take, no more and no less. Only trying again is held back where no
// method is left.
func (x *search) choices(n *node) {
	if !n.s.Review && !n.s.Doubt && !n.o.gone && !n.o.unset {
		return
	}
	base := bill.Event{Now: n.o.now, Env: x.envOf(n), Revoked: n.o.gone, Who: "p", Evidence: "e"}
	may := bill.Choices(n.s, base)
	ask := func(c bill.Cause, verdict, obligation string) {
		e := base
		e.Cause, e.Verdict, e.Obligation, e.NotDone = c, verdict, obligation, true
		if verdict == bill.VerdictPaid {
			e.Credit = &bill.Credit{Provider: "b", Txn: "zz", Amount: 1, PaidAt: n.o.now, Evidence: "e"}
		}
		_, fx, rows, err := bill.Step(n.s, e)
		said := func(f bill.Effect) bool { return f.Kind == bill.Reply && f.Outcome == bill.OutDecided }
		taken := err == nil && slices.ContainsFunc(fx, said) && !slices.Contains(rows, "B39a")
		offered := slices.Contains(may, bill.Choice{Verdict: verdict, Obligation: obligation})
		if taken != offered && (offered || verdict != bill.VerdictRetry) {
			x.fault(verdict+" "+obligation, fmt.Sprintf("a person is offered %v, and it is taken: %v", may, taken))
		}
	}
	for _, v := range []string{bill.VerdictDead, bill.VerdictPaid, bill.VerdictDone, bill.VerdictReturn, bill.VerdictSeen} {
		ask(bill.Decided, v, "")
	}
	for i := range n.s.Obligations {
		for _, v := range []string{bill.VerdictRetry, bill.VerdictManual, bill.VerdictStays} {
			ask(bill.Resolved, v, n.s.Obligations[i].ID)
		}
	}
}

// others: consoles, other terminals, registries, wallets.
func (x *search) others(n node) {
	o := &n.o
	if x.b.can('c') && o.consoles == 0 {
		m := n
		m.o.consoles++
		x.step(m, "console: return 1", bill.Event{Cause: bill.CallReturn, By: bill.ByConsole, Who: "p", Key: "z", Amount: 1})
	}
	if x.b.can('m') && o.moved == 0 {
		m := n
		m.o.moved++
		x.step(m, "the lane has another terminal", bill.Event{Cause: bill.Moved, Terminal: "t2", Who: "p"})
	}
	if x.b.can('e') {
		again, other := n.s.Request, n.s.Request
		again.Payment, other.Payment, other.Purpose = "second", "third", payment.Prepayment
		x.step(n, "create of a second payment, same reference", bill.Event{Cause: bill.CallCreate, Create: &again})
		x.step(n, "create of another sale, same reference", bill.Event{Cause: bill.CallCreate, Create: &other})
		x.step(n, "create again", bill.Event{Cause: bill.CallCreate, Create: &n.s.Request})
	}
	if o.claws < uint8(x.b.claws) {
		for i := range x.b.amounts {
			if p := &o.pay[i]; p.state == 2 && p.refunded < x.b.amounts[i] && p.auto == 0 {
				m := n
				m.o.claws++
				m.o.clawed += 2
				m.o.pay[i].refunded++
				x.step(m, "the bank takes 1 back", bill.Event{Cause: bill.Clawed, Key: fmt.Sprint("w", o.claws), Txn: txn(i), Amount: 1})
			}
		}
	}
	switch x.b.kind {
	case bill.Fixed, bill.Ranged:
		x.step(n, "deactivate", bill.Event{Cause: bill.CallDeactivate})
	case bill.Timer:
		if o.views < 2 {
			m := n
			m.o.views++
			x.step(m, "view", bill.Event{Cause: bill.CallView, QuoteID: fmt.Sprint("q", o.views)})
		}
	}
	x.hint(n)
}

// hint: a call-back by itself changes nothing but asks.
func (x *search) hint(n node) {
	if n.s.Life == payment.Open && n.o.now.Sub(n.s.CreatedAt) == time.Duration(0) {
		x.step(n, "hint", bill.Event{Cause: bill.Hinted})
	}
}
