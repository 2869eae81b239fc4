package together

import (
	"slices"
	"time"

	"tilld/payment"
	"tilld/payment/bill"
)

// want puts work on the queue, or asks for it again.
func (s *server) want(id string, w bill.Work) {
	k := key{id, string(w.Kind), w.Request, w.Attempt}
	if x := s.wanted(k); x != nil {
		x.gen++
		x.w = w
		return
	}
	s.works = append(s.works, &work{key: k, w: w, gen: 1})
	s.claim(k)
}

func (s *server) wanted(k key) *work {
	for _, x := range s.works {
		if x.key == k {
			return x
		}
	}
	return nil
}

// claim begins work soon, unless somebody has.
func (s *server) claim(k key) {
	boot := s.boot
	s.w.after(s.w.some(30*time.Millisecond), func() {
		x := s.wanted(k)
		if s.boot != boot || s.down || x == nil || x.leased {
			return
		}
		x.leased = true
		x.tries++
		s.ask(k, x)
	})
}

// ask calls the bank as integrator.Service.ask does: what may take money is never called twice by itself.
func (s *server) ask(k key, x *work) {
	st, w := s.bills[k.bill], x.w
	boot, gen := s.boot, x.gen
	rep := bill.Report{Work: w.Kind, Attempt: w.Attempt, Request: w.Request}
	once := w.Kind == bill.Present || w.Kind == bill.ChargeCode || w.Kind == bill.GiveBack
	done := func(rep bill.Report) {
		if s.boot != boot || s.down {
			return
		}
		s.finish(k, gen)
		if s.w.said != nil {
			s.w.say("bank says to %s: %s %s %d credits %v", w.Kind, rep.Fail, rep.Status, len(rep.Credits), rep.Returns)
		}
		s.change(k.bill, bill.Event{Cause: bill.Reported, Report: &rep, Attempt: w.Attempt, NewID: "child"}, "")
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
		delete(s.codes, orderKey(k.bill, w.Attempt))
		done(rep)
	default:
		code := ""
		if w.Kind == bill.ChargeCode {
			key := orderKey(k.bill, w.Attempt)
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

func (s *server) finish(k key, gen int) {
	x := s.wanted(k)
	switch {
	case x == nil:
	case x.gen == gen:
		s.works = slices.DeleteFunc(s.works, func(o *work) bool { return o == x })
	default:
		x.leased, x.tries = false, 0
		s.claim(k)
	}
}

func orderOf(st *bill.State, attempt int) *bill.Order {
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

func tooLate(st *bill.State, w bill.Work, o bill.Order, now time.Time) bill.Fail {
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
