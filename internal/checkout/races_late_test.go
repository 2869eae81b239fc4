package checkout_test

import (
	"time"

	"tilld/internal/wire"
	"tilld/payment"
	"tilld/payment/lane"
)

// lateRaces are about money that comes where a code, a bill or an attempt ends.
var lateRaces = []raceTest{
	{"R8 money comes before the create is answered", func(s *shop) {
		id := s.create(request("R-1"))
		c := *s.next()
		s.handle(c) // the bank's call-back is faster than our answer
		s.queue = nil
		s.pay(id)
		s.deliver()
		s.want(id, "paid")
		s.noCode(id)
		n := len(s.told(id))
		s.reply(c.ID) // and says that the bill is made
		if told := s.told(id); len(told) != n {
			s.t.Fatalf("told %v since", told[n:])
		}
		s.want(id, "paid")
		s.confirm(id)
		s.settle()
		s.once(id, lane.EvPaid)
		s.sent(wire.BillCreate, 1)
		s.ends(id, 12550, 0)
	}},
	{"R8 the create is answered first, its answer is lost, and the money is there", func(s *shop) {
		id := s.create(request("R-1"))
		s.handle(*s.next())
		s.pay(id)
		s.restart()
		s.settle()
		s.want(id, "paid")
		s.once(id, lane.EvPaid)
		if len(s.bills) != 1 {
			s.t.Fatalf("%d bills", len(s.bills))
		}
		s.confirm(id)
		s.settle()
		s.ends(id, 12550, 0)
	}},
	{"R12 underpaid: the part comes, then the end", func(s *shop) {
		id := s.open(request("R-1"))
		s.payPart(id, 5000)
		s.settle()
		s.want(id, "part_paid")
		s.wait(301 * time.Second)
		s.want(id, "closing")
		s.lights(id, false, false)
		s.underpaid(id)
	}},
	{"R12 underpaid: the code's end crosses the part", func(s *shop) {
		id := s.open(request("R-1"))
		s.wait(299 * time.Second)
		s.payPart(id, 5000)
		s.wait(2 * time.Second)
		s.want(id, "closing")
		s.deliver()
		s.row("E5")
		s.want(id, "closing")
		s.lights(id, false, false)
		if v := s.stage.now("1"); v.Payload != "" {
			s.t.Fatalf("the code is up after its end: %+v", v)
		}
		s.underpaid(id)
	}},
	{"R12 underpaid: the end is read before the part is told", func(s *shop) {
		id := s.open(request("R-1"))
		s.cut()
		s.payPart(id, 5000)
		s.closeBill(id, payment.Expire)
		s.missed(id)
		s.want(id, "expired", "owed")
		s.lights(id, false, true)
		s.neverHandedOver(id)
		s.ends(id, 0, 5000)
	}},
	{"R12 underpaid: the part is the merchant's deposit", func(s *shop) {
		id := s.open(request("R-1"))
		s.payPart(id, 5000)
		s.settle()
		s.wait(301 * time.Second)
		s.change(id, payment.EvClosed, func(b *payment.Bill) { // B13d
			b.Life, b.Reason, b.Kept, b.Held, b.By = payment.Closed, payment.Done, b.Held, 0, "deposit"
		})
		s.settle()
		if p := s.want(id, "expired"); len(p.Flags) != 0 || p.Paid.Value != 5000 || p.Owed.Value != 0 {
			s.t.Fatalf("flags %v, paid %d, owed %d", p.Flags, p.Paid.Value, p.Owed.Value)
		}
		s.lights(id, false, true)
		s.neverHandedOver(id)
		s.ends(id, 5000, 0)
	}},
	{"R16 the provider's code outlives ours: paid after the end", func(s *shop) {
		id := s.open(request("R-1"))
		s.wait(301 * time.Second)
		s.closeBill(id, payment.Expire)
		s.settle()
		s.want(id, "expired")
		s.lights(id, false, true)
		other := s.open(request("R-2"))
		s.payAfter(id) // out of a photo, while the next customer stands there
		s.settle()
		s.want(id, "expired", "late", "owed")
		s.lights(id, false, true)
		s.tells(id, lane.EvMoneyLate)
		s.neverHandedOver(id)
		s.want(other, "open")
		if v := s.stage.now("1"); v.Payment != other || v.Payload == "" {
			s.t.Fatalf("glass %+v", v)
		}
		s.pay(other)
		s.settle()
		s.confirm(other)
		s.settle()
		if b := s.bills[other]; b.Kept != 12550 || b.Owed != 0 {
			s.t.Fatalf("of the next customer's: kept %d, owed %d", b.Kept, b.Owed)
		}
		s.ends(id, 0, 12550)
	}},
	{"R16 the provider's code outlives ours: paid before the bank says that it is over", func(s *shop) {
		id := s.late()
		s.wait(31 * time.Second) // nobody takes it
		s.want(id, "closing", "late")
		s.change(id, payment.EvPaidAfter, func(b *payment.Bill) { b.Late, b.Owed, b.Held = payment.LateLapsed, b.Held, 0 })
		s.closeBill(id, payment.Expire)
		s.settle()
		s.want(id, "expired", "late", "owed")
		s.lights(id, false, true)
		s.neverHandedOver(id)
		s.noFrame(wire.BillAcceptLate)
		s.ends(id, 0, 12550)
	}},
	{"R16 the provider's code outlives ours: the end and the money are read together", func(s *shop) {
		id := s.open(request("R-1"))
		s.cut()
		s.wait(301 * time.Second)
		s.want(id, "in_doubt")
		s.closeBill(id, payment.Expire)
		s.payAfter(id)
		s.missed(id)
		s.want(id, "expired", "late", "owed")
		s.lights(id, false, true)
		s.neverHandedOver(id)
		s.ends(id, 0, 12550)
	}},
	{"R29 payment after bill.closed: the fence comes behind it", func(s *shop) {
		id := s.open(request("R-1"))
		s.pause[wire.BillReturn] = true
		s.closeBill(id, payment.Expire)
		s.giveBack(id) // both are on the way
		s.lights(id, false, false)
		s.payAfter(id)
		s.settle()
		s.want(id, "expired", "late", "owed")
		s.lights(id, false, true)
		if b := s.bills[id]; b.Fence || b.Owed != 12550 {
			s.t.Fatalf("without a fence: %+v", b)
		}
		delete(s.pause, wire.BillReturn)
		s.settle()
		if !s.bills[id].Fence {
			s.t.Fatal("the fence never came")
		}
		s.afterClose(id, "expired")
	}},
	{"R29 payment after bill.closed: the fence comes before it", func(s *shop) {
		id := s.open(request("R-1"))
		s.closeBill(id, payment.Expire)
		s.giveBack(id)
		s.step() // the integrator says fenced, and the box has not heard of the end
		s.want(id, "closing")
		s.lights(id, false, true)
		s.payAfter(id)
		s.settle()
		s.afterClose(id, "expired")
	}},
	{"R29 payment after bill.closed: a supervisor has taken cash", func(s *shop) {
		id := s.open(request("R-1"))
		s.overridden(id)
		s.closeBill(id, payment.Expire)
		s.payAfter(id)
		s.connect()
		s.settle()
		s.afterClose(id, "overridden")
	}},
	{"R32 a charge lands after not found: before the next code", func(s *shop) {
		id := s.notFound()
		s.pay(id)
		s.settle()
		s.want(id, "paid")
		s.lights(id, true, false)
		s.refused(s.scan("second"), lane.NoNotFound) // nobody is charged once more
		s.confirm(id)
		s.settle()
		s.sent(wire.BillCharge, 1)
		s.ends(id, 12550, 0)
	}},
	{"R32 a charge lands after not found: while the next code is charged, which lands too", func(s *shop) {
		id := s.notFound()
		s.codes["second"] = "slow"
		if err := s.scan("second"); err != nil {
			s.t.Fatal(err)
		}
		s.settle()
		s.want(id, "charging")
		s.pay(id)
		s.settle()
		s.want(id, "paid")
		s.change(id, payment.EvOver, func(b *payment.Bill) { b.Paid, b.Over, b.Owed = 2*b.Amount.Value, b.Amount.Value, b.Amount.Value })
		s.settle()
		s.want(id, "paid", "over", "owed")
		s.lights(id, true, false)
		s.confirm(id)
		s.settle()
		s.once(id, lane.EvPaid)
		s.ends(id, 12550, 12550)
	}},
	{"R32 a charge lands after not found: the next code's charge is refused, then the money is told", func(s *shop) {
		id := s.notFound()
		s.pay(id)
		if err := s.scan("second"); err != nil { // nobody has heard yet
			s.t.Fatal(err)
		}
		s.step() // the bill is full
		s.landed(id)
	}},
	{"R32 a charge lands after not found: the money is told, then the next code's charge is refused", func(s *shop) {
		id := s.notFound()
		s.pay(id)
		if err := s.scan("second"); err != nil {
			s.t.Fatal(err)
		}
		c := *s.next()
		s.handle(c)
		s.deliver()
		s.want(id, "paid")
		s.reply(c.ID)
		s.landed(id)
	}},
}

// payPart is a part of the money, by one of two wallets.
func (s *shop) payPart(id string, n int64) {
	s.t.Helper()
	s.change(id, payment.EvPart, func(b *payment.Bill) {
		b.Fill, b.Paid, b.Held, b.Due = payment.Part, n, n, b.Amount.Value-n
	})
}

// underpaid is the end of a bill of which 5000 came: the box sends nothing, expiry is the integrator's, and the part is owed.
func (s *shop) underpaid(id string) {
	s.t.Helper()
	s.closeBill(id, payment.Expire)
	s.settle()
	s.want(id, "expired", "owed")
	s.tells(id, lane.EvPart)
	s.lights(id, false, true)
	s.neverHandedOver(id)
	s.noFrame(wire.BillReturn)
	s.ends(id, 0, 5000)
}

// missed connects a box whose events are no longer kept: it reads the bill, and they come all the same, too late to change
// anything.
func (s *shop) missed(id string) {
	s.t.Helper()
	old := s.queue
	s.queue = nil
	s.connect(func(w *wire.Session) {
		w.Resume, w.Snapshot = "snapshot", &wire.Snapshot{Seq: s.seq, Payments: []string{id}}
	})
	s.settle()
	n, at := len(s.told(id)), s.get(id).Version
	for _, e := range old {
		s.hand(e)
	}
	if told := s.told(id); len(told) != n || s.get(id).Version != at {
		s.t.Fatalf("%d old events told %v", len(old), told[n:])
	}
}

// afterClose is the end of a payment whose money came when its bill was closed: owed, with the fence or without, and told.
func (s *shop) afterClose(id, state string) {
	s.t.Helper()
	s.want(id, state, "late", "owed")
	s.tells(id, lane.EvMoneyLate)
	s.lights(id, false, true)
	s.neverHandedOver(id)
	s.sent(wire.BillReturn, 1)
	s.ends(id, 0, 12550)
}

// notFound is a payment whose charge the bank did not know for as long as it could have landed (B31).
func (s *shop) notFound() string {
	s.t.Helper()
	s.codes["first"] = "slow"
	id := s.open(request("R-1", scanMode))
	if err := s.scan("first"); err != nil {
		s.t.Fatal(err)
	}
	s.settle()
	s.want(id, "charging")
	s.change(id, payment.EvDeclined, func(b *payment.Bill) {
		b.Charging, b.Declined = false, &payment.Decline{Attempt: 1, Why: "other", Retry: true}
	})
	s.settle()
	s.want(id, "open")
	s.lights(id, false, false)
	return id
}

// landed: the customer has paid once, by the first code, whatever became of the second.
func (s *shop) landed(id string) {
	s.t.Helper()
	s.settle()
	s.want(id, "paid")
	s.lights(id, true, false)
	s.once(id, lane.EvPaid)
	s.sent(wire.BillCharge, 2)
	s.confirm(id)
	s.settle()
	s.ends(id, 12550, 0)
}
