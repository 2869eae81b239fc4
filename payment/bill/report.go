package bill

import (
	"slices"
	"time"
)

// report takes a provider's answer apart: what it learnt about the order, the money, the returns, then the status.
func (r *run) report(e Event) {
	p := e.Report
	defer r.hear(p)
	o := order(&r.s, p.Attempt)
	if o != nil {
		if p.Memo != nil {
			o.Memo = slices.Clone(p.Memo)
		}
		if p.Ref != "" {
			o.Ref = p.Ref
		}
	}
	for i := range p.Credits {
		c := p.Credits[i]
		c.Attempt = p.Attempt
		if c.Amount <= 0 {
			r.fx = append(r.fx, notice("credit_amount"))
			continue
		}
		if !known(&r.s, &c) {
			r.one(Event{Cause: Credited, Credit: &c, NewID: e.NewID, running: p.own(c.Txn) != ""})
		}
	}
	r.own(p)
	r.returns(p)
	if p.Work == GiveBack || p.Work == Look && p.Request != "" && p.Fail != Answered {
		return
	}
	r.made(p)
	if r.s.ID != "" && order(&r.s, p.Attempt) != nil {
		r.status(p)
	}
	r.last(p)
}

// last notes what is answered after the watch has ended. Somebody who is confirming may still pay.
func (r *run) last(p *Report) {
	o := order(&r.s, p.Attempt)
	if o == nil || !r.s.LastLook || p.Work != Look || p.Fail != Answered || p.Status == Unknown || p.Status == Paying {
		return
	}
	o.Last = true
	r.one(Event{Cause: lastLook})
}

// own is how far the provider is with giving txn back by itself: "", pending or done.
func (p *Report) own(txn string) string {
	for i := range p.Own {
		if p.Own[i].Txn == txn {
			return p.Own[i].State
		}
	}
	return ""
}

// own hands on what the provider gives back by itself, and at the end of a look that it gives nothing more.
func (r *run) own(p *Report) {
	for _, o := range p.Own {
		named := func(c Credit) bool { return c.Txn == o.Txn }
		sold := func(c Child) bool { return c.Txn == o.Txn }
		if !slices.ContainsFunc(r.s.Credits, named) && !slices.ContainsFunc(r.s.Children, sold) {
			r.fx = append(r.fx, notice("own_return_of_unknown_payment"))
			continue
		}
		r.one(Event{Cause: ownReturn, answer: o.State, Txn: o.Txn, Amount: o.Amount, Attempt: p.Attempt})
	}
	if p.Work == Look && p.Fail == Answered && p.Status != Unknown {
		r.one(Event{Cause: ownReturn, answer: "none", Attempt: p.Attempt, Report: p})
	}
}

// returns hands on what is known of returns that are with the bank, or that the bank had said were done.
func (r *run) returns(p *Report) {
	for i := range r.s.Obligations {
		o := r.s.Obligations[i]
		if o.Request == "" {
			continue
		}
		e := Event{Cause: answered, Obligation: o.ID, from: p.Work, answer: p.Returns[o.Request]}
		if o.State == Paid && p.Fail == Answered && e.answer == "refused" {
			e.Cause = Bounced
		}
		if o.Request == p.Request {
			switch {
			case p.Fail == Refused && p.Work == GiveBack:
				e.answer, e.Why = "refused", p.Why
			case p.Fail != Answered:
				e.answer = "unclear"
			case e.answer == "":
				e.answer = "absent"
			}
		}
		if e.answer != "" {
			if o.State == Sent {
				r.s.Obligations[i].Said = &Word{At: r.now, Said: e.answer, Why: e.Why}
			}
			r.one(e)
		}
	}
}

// made hands on that the provider made the order, or did not.
func (r *run) made(p *Report) {
	switch {
	case p.Attempt != 0 || p.Work != Present && p.Work != Look:
	case p.Work == Present && p.Fail == Refused:
		r.one(Event{Cause: presentRefused, Report: p, Why: p.Why})
	case p.Fail == Answered && p.Payload != "" && (p.Work == Present || r.s.Payload == ""):
		r.one(Event{Cause: presented, Report: p})
	case p.Work == Present && r.s.Payload == "" && p.Status != Dead:
		r.one(Event{Cause: presentUnclear, Report: p})
	}
}

// status hands on the order's status. It is terminal if the provider says dead, or paid with its payments booked, or
// twice absent after the create or charge call could last land.
func (r *run) status(p *Report) {
	o := order(&r.s, p.Attempt)
	e := Event{Cause: status, Report: p, Attempt: p.Attempt, from: p.Work, status: p.Status, decline: p.Decline, Why: p.Why}
	switch {
	case p.Work == ChargeCode && p.Fail == Refused:
		e.status, e.final = Dead, true
	case p.Work == ChargeCode && p.Fail == Busy:
		e.status, e.final = Dead, true // nothing happened, and the code is not kept for another try
	case p.Work == Present && (p.Fail != Answered || p.Status != Dead):
		return // said by made
	case p.Fail != Answered:
		e.status = Unknown
	case p.Status == Dead:
		e.final = p.Work != Kill || !r.kills()
	case p.Status == AllPaid:
		e.final = slices.ContainsFunc(r.s.Credits, func(c Credit) bool { return c.Attempt == p.Attempt })
	case p.Status == Absent:
		if !r.now.Before(o.CallBy.Add(r.grace(o))) {
			o.Absent++
		}
		e.final = o.Absent >= 2
	case p.Attempt > 0 && p.Decline != nil:
		e.final = true
	}
	if p.Fail == Answered && p.Status != Absent {
		o.Absent = 0
		o.Over = o.Over && p.Status != Pending && p.Status != Paying
	}
	if e.final {
		o.Over = true
	}
	r.one(e)
}

func (r *run) kills() bool { return Event{Env: r.env}.traits().KillRefunds }

// grace is how long after the call's own limit "absent" is not yet believed; none where nothing was under way.
func (r *run) grace(o *Order) time.Duration {
	if o.CallBy.IsZero() {
		return 0
	}
	return Event{Env: r.env}.traits().NotFoundFinal
}
