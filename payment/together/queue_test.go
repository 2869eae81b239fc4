package together

import (
	"slices"
	"time"

	"tilld/payment"
	"tilld/payment/bill"
)

// want puts work on the queue, or asks for it again.
func (s *server) want(id string, w bill.Work) {
	k := bill.Work{Kind: bill.WorkKind(id) + "/" + w.Kind, Attempt: w.Attempt, Request: w.Request}
	if x := s.works[k]; x != nil {
		x.gen++
		x.w = w
		return
	}
	s.works[k] = &work{bill: id, w: w, gen: 1}
	s.order = append(s.order, k)
	s.claim(k)
}

// claim begins work soon, unless somebody has.
func (s *server) claim(k bill.Work) {
	boot := s.boot
	s.w.after(s.w.some(30*time.Millisecond), func() {
		x := s.works[k]
		if s.boot != boot || s.down || x == nil || x.leased {
			return
		}
		x.leased = true
		x.tries++
		s.ask(k, x)
	})
}

// ask calls the bank as integrator.Service.ask does: what may take money is never called twice by itself.
func (s *server) ask(k bill.Work, x *work) {
	st, w := s.bills[x.bill], x.w
	boot, gen := s.boot, x.gen
	rep := bill.Report{Work: w.Kind, Attempt: w.Attempt, Request: w.Request}
	once := w.Kind == bill.Present || w.Kind == bill.ChargeCode || w.Kind == bill.GiveBack
	done := func(rep bill.Report) {
		if s.boot != boot || s.down {
			return
		}
		s.finish(k, gen)
		s.w.say("bank says to %s: %s %s %d credits %v", w.Kind, rep.Fail, rep.Status, len(rep.Credits), rep.Returns)
		s.change(x.bill, bill.Event{Cause: bill.Reported, Report: &rep, Attempt: w.Attempt, NewID: "child"}, "")
	}
	o := orderOf(st, w.Attempt)
	if o == nil {
		s.finish(k, gen)
		return
	}
	switch fail := tooLate(st, w, *o, s.w.now); {
	case x.tries > 1 && once:
		rep.Fail = bill.Unclear
		done(rep)
	case fail != bill.Answered:
		rep.Fail = fail
		delete(s.codes, orderKey(x.bill, w.Attempt))
		done(rep)
	default:
		code := ""
		if w.Kind == bill.ChargeCode {
			key := orderKey(x.bill, w.Attempt)
			code = s.codes[key]
			delete(s.codes, key)
			if code == "" {
				rep.Fail = bill.Unclear // it was in the memory of a process that ended
				done(rep)
				return
			}
		}
		until := s.w.now.Add(s.env.Traits.CallLimit)
		if once && w.Kind != bill.GiveBack && !o.CallBy.IsZero() && o.CallBy.Before(until) {
			until = o.CallBy
		}
		s.w.bank.asked(st, w, *o, code, until, rep, done)
	}
}

func (s *server) finish(k bill.Work, gen int) {
	x := s.works[k]
	switch {
	case x == nil:
	case x.gen == gen:
		delete(s.works, k)
		s.order = slices.DeleteFunc(s.order, func(o bill.Work) bool { return o == k })
	default:
		x.leased, x.tries = false, 0
		s.claim(k)
	}
}

func orderOf(st bill.State, attempt int) *bill.Order {
	if attempt == 0 && st.Order.ID != "" {
		return &st.Order
	}
	for i := range st.Attempts {
		if attempt > 0 && st.Attempts[i].N == attempt {
			return &st.Attempts[i].Order
		}
	}
	return nil
}

func tooLate(st bill.State, w bill.Work, o bill.Order, now time.Time) bill.Fail {
	var wanted bool
	switch w.Kind {
	case bill.Present:
		wanted = st.Life == payment.Created || st.Life == payment.Open && st.Payload == ""
	case bill.ChargeCode:
		wanted = st.Life == payment.Open && slices.ContainsFunc(st.Attempts, func(a bill.Attempt) bool { return a.N == w.Attempt && a.Running })
	default:
		return bill.Answered
	}
	switch {
	case !wanted:
		return bill.Refused
	case !o.CallBy.IsZero() && !now.Before(o.CallBy):
		return bill.Busy
	}
	return bill.Answered
}
