package checkout_test

import (
	"testing/synctest"
	"time"

	"tilld/internal/wire"
	"tilld/payment"
	"tilld/payment/lane"
)

// lostRaces are about a box that is there twice, is another one, or has forgotten; and a server that has.
var lostRaces = []raceTest{
	{"R7 crash between the record and the push: nothing has left", func(s *shop) {
		id := s.paid()
		s.pause[wire.BillConfirm] = true
		s.confirm(id) // the record, what the till is told and the call are one commit
		s.restart()
		s.want(id, "confirmed")
		s.tells(id, lane.EvConfirmed)
		if cs := s.j.Calls(); len(cs) != 1 || cs[0].Method != wire.BillConfirm {
			s.t.Fatalf("calls %+v", cs)
		}
		delete(s.pause, wire.BillConfirm)
		s.settle()
		s.once(id, lane.EvConfirmed)
		s.sent(wire.BillConfirm, 1)
		s.ends(id, 12550, 0)
	}},
	{"R7 crash between the record and the push: the frame has left", func(s *shop) {
		id := s.paid()
		s.confirm(id)
		s.handle(*s.next())
		s.restart()
		s.settle()
		s.want(id, "confirmed")
		s.once(id, lane.EvConfirmed)
		s.sent(wire.BillConfirm, 2)
		s.ends(id, 12550, 0)
	}},
	{"R10 two sockets: the older one's call is not answered", func(s *shop) {
		id := s.create(request("R-1"))
		c := *s.next()
		s.handle(c)
		if err := s.box.Answer(s.ctx(), c.ID, nil, problem(payment.NoSuperseded, nil)); err != nil {
			s.t.Fatal(err)
		}
		s.want(id, "submitted")
		if cs := s.j.Calls(); len(cs) != 1 || cs[0].ID != c.ID {
			s.t.Fatalf("calls %+v", cs)
		}
		s.connect()
		s.sold(id)
	}},
	{"R10 two sockets: the older one's answer comes behind the newer one's", func(s *shop) {
		id := s.create(request("R-1"))
		c := *s.next()
		s.handle(c)
		s.connect()
		s.settle()
		s.want(id, "open")
		n := len(s.told(id))
		s.reply(c.ID)
		if told := s.told(id); len(told) != n {
			s.t.Fatalf("told %v since", told[n:])
		}
		s.sold(id)
	}},
	{"R10 cloned disk: the integrator finds the copy", func(s *shop) {
		id := s.open(request("R-1"))
		s.cut()
		s.isCopy(id)
		synctest.Wait()
		if v := s.stage.now("1"); v.Payload != "" {
			s.t.Fatalf("glass %+v", v)
		}
		s.want(id, "in_doubt", "review")
		s.lights(id, false, false)
		s.settle()
		s.want(id, "closing", "review")
		s.lights(id, false, true)
		_, _, err := s.box.Create(s.ctx(), request("R-2"))
		if why := s.refused(err, lane.NoUnavailable).Why; why != "acknowledge" {
			s.t.Fatalf("why %s", why)
		}
		s.row("E33", "E33a", "E33b")
		if err := s.box.Acknowledge(s.ctx(), "Ann", "the disk was changed"); err != nil {
			s.t.Fatal(err)
		}
		s.closeBill(id, payment.Returning)
		s.settle()
		s.want(id, "canceled")
		s.ends(id, 0, 0)
	}},
	{"R10 cloned disk: the integrator finds the copy when the money is there", func(s *shop) {
		id := s.open(request("R-1"))
		s.cut()
		s.pay(id)
		s.queue = nil
		s.isCopy(id)
		s.settle()
		s.want(id, "in_doubt", "review") // the other one may have given the goods out
		s.lights(id, false, false)
		s.neverHandedOver(id)
		if _, err := s.box.Return(s.ctx(), id, lane.ReturnRequest{Reference: "x", Who: "Ann"}); err != nil {
			s.t.Fatal(err)
		}
		s.settle()
		if err := s.box.Acknowledge(s.ctx(), "Ann", "the disk was changed"); err != nil {
			s.t.Fatal(err)
		}
		s.want(id, "returned", "owed")
		s.lights(id, false, true)
		s.ends(id, 0, 12550)
	}},
	{"R10 a clone's second reference: the first one has handed the goods over", func(s *shop) {
		old := s.oldBill("R-1", 12550)
		id := s.create(request("R-1"))
		s.settle()
		s.want(id, "in_doubt", "review")
		s.lights(id, false, false)
		_, err := s.box.Confirm(s.ctx(), id, lane.ConfirmRequest{})
		s.refused(err, lane.NoWrongState)
		s.neverHandedOver(id)
		if _, err := s.box.Confirm(s.ctx(), id, lane.ConfirmRequest{Who: "Ann"}); err != nil {
			s.t.Fatal(err)
		}
		s.settle()
		s.want(id, "confirmed")
		s.noFrame(wire.BillConfirm) // the integrator has it
		s.ends(old, 12550, 0)
	}},
	// An answer and the stream are written by two goroutines of the server, and what is told of a payment that nobody knows
	// is put aside (E32).
	{"R10 R35 a clone's second reference: the money is told before the bill is known", func(s *shop) {
		old := s.open(request("R-1"))
		s.newBox()
		id := s.create(request("R-1"))
		c := *s.next()
		s.handle(c) // the bill as it stands
		s.pay(old)
		s.deliver()
		s.row("E32")
		s.reply(c.ID)
		s.settle()
		s.want(id, "paid", "review")
		s.lights(id, true, false)
		s.confirm(id)
		s.settle()
		s.once(id, lane.EvPaid)
		s.ends(old, 12550, 0)
	}},
	{"R10 R35 a clone's second reference: the bill is known before the money is told", func(s *shop) {
		old := s.open(request("R-1"))
		s.newBox()
		id := s.create(request("R-1"))
		s.step()
		s.pay(old)
		s.settle()
		s.want(id, "paid", "review")
		s.confirm(id)
		s.settle()
		s.once(id, lane.EvPaid)
		s.ends(old, 12550, 0)
	}},
	{"R34 a key older than the cache: the till asks again", func(s *shop) {
		id, r := s.partly()
		s.halt()
		time.Sleep(300 * 24 * time.Hour)
		clear(s.kept)
		s.start()
		s.connect()
		s.sameReturn(id, r)
		s.ends(id, 10000, 2550)
	}},
	{"R34 a key older than the cache: the answer was lost, and the line was down for a month", func(s *shop) {
		id := s.paid()
		s.confirm(id)
		s.settle()
		s.part(id, "a", 2550)
		s.handle(*s.next())
		s.halt()
		time.Sleep(30 * 24 * time.Hour)
		clear(s.kept)
		s.start()
		s.connect()
		s.settle()
		s.want(id, "part_returned", "owed")
		s.sent(wire.BillReturn, 2)
		if b := s.bills[id]; len(b.Returns) != 1 {
			s.t.Fatalf("returns %+v", b.Returns)
		}
		s.ends(id, 10000, 2550)
	}},
	{"R34 a key older than the cache: the box has forgotten it too", func(s *shop) {
		old, r := s.partly()
		s.newBox()
		clear(s.kept)
		id := s.create(request("R-1"))
		s.settle()
		s.want(id, "in_doubt", "review")
		if _, err := s.box.Confirm(s.ctx(), id, lane.ConfirmRequest{Who: "Ann"}); err != nil {
			s.t.Fatal(err)
		}
		s.sameReturn(id, r)
		s.ends(old, 10000, 2550)
	}},
	{"R35 box replaced, not paid: the new one is told first", func(s *shop) {
		old := s.open(request("R-1"))
		drawn := len(s.codes1(old))
		s.newBox(old)
		s.settle()
		s.want(old, "closing", "review")
		s.lights(old, false, true)
		p, created, err := s.box.Create(s.ctx(), request("R-1"))
		if err != nil || created || p.ID != old {
			s.t.Fatalf("%s, created %v, %v", p.ID, created, err)
		}
		s.closeBill(old, payment.Returning)
		s.settle()
		s.want(old, "canceled")
		s.lights(old, false, true)
		if n := len(s.codes1(old)); n != drawn {
			s.t.Fatalf("the code was drawn %d times by the new box", n-drawn)
		}
		s.ends(old, 0, 0)
	}},
	{"R35 box replaced, not paid: its end is told before the bill is read", func(s *shop) {
		old := s.open(request("R-1"))
		s.newBox(old)
		c := *s.next()
		s.handle(c) // the bill as it stands, closing
		s.closeBill(old, payment.Returning)
		s.deliver()
		s.row("E32")
		s.reply(c.ID)
		s.settle()
		s.want(old, "canceled", "review")
		s.lights(old, false, true)
		s.ends(old, 0, 0)
	}},
	{"R35 box replaced, not paid: the till asks the new one first", func(s *shop) {
		old := s.open(request("R-1"))
		s.newBox()
		id := s.create(request("R-1"))
		s.settle()
		s.want(id, "open", "review") // the bill lives, and can be paid here
		s.change(old, payment.EvClosing, func(b *payment.Bill) { b.Life, b.Reason = payment.Closing, payment.Returning })
		s.settle()
		s.want(id, "closing", "review")
		s.closeBill(old, payment.Returning)
		s.settle()
		s.want(id, "canceled")
		s.lights(id, false, true)
		s.neverHandedOver(id)
		s.ends(old, 0, 0)
	}},
	{"R35 box replaced, paid: the new one is told first, and the goods have gone", func(s *shop) {
		old := s.open(request("R-1"))
		s.pay(old)
		s.newBox(old)
		s.settle()
		s.want(old, "in_doubt", "review")
		s.lights(old, false, false)
		p, created, err := s.box.Create(s.ctx(), request("R-1"))
		if err != nil || created || p.ID != old {
			s.t.Fatalf("%s, created %v, %v", p.ID, created, err)
		}
		_, err = s.box.Confirm(s.ctx(), old, lane.ConfirmRequest{})
		s.refused(err, lane.NoWrongState)
		if _, err := s.box.Confirm(s.ctx(), old, lane.ConfirmRequest{Who: "Ann"}); err != nil {
			s.t.Fatal(err)
		}
		s.settle()
		s.want(old, "confirmed")
		s.sent(wire.BillConfirm, 1)
		s.ends(old, 12550, 0)
	}},
	{"R35 box replaced, paid: the till asks the new one first, and the goods are here", func(s *shop) {
		old := s.open(request("R-1"))
		s.pay(old)
		s.newBox()
		id := s.create(request("R-1"))
		s.settle()
		s.want(id, "in_doubt", "review")
		s.lights(id, false, false)
		s.change(old, payment.EvReturnWanted, func(b *payment.Bill) { b.Who = "Bob" }) // B35, FULL: it is asked
		s.settle()
		s.want(id, "in_doubt", "review")
		s.neverHandedOver(id)
		_, err := s.box.Return(s.ctx(), id, lane.ReturnRequest{Reference: "x"})
		s.refused(err, lane.NoWrongState) // nobody is named
		if _, err := s.box.Return(s.ctx(), id, lane.ReturnRequest{Reference: "x", Who: "Ann"}); err != nil {
			s.t.Fatal(err)
		}
		s.settle()
		s.want(id, "returned", "owed")
		s.lights(id, false, true)
		s.neverHandedOver(id)
		s.sent(wire.BillReturn, 1)
		s.ends(old, 0, 12550)
	}},
}

// isCopy opens a session in which the integrator says that it knows more than this journal.
func (s *shop) isCopy(id string) {
	s.t.Helper()
	s.numbers += 1000
	s.connect(func(w *wire.Session) {
		w.Resume, w.Snapshot, w.JournalState = "snapshot", &wire.Snapshot{Seq: s.seq, Payments: []string{id}}, "restored"
	})
}

// newBox puts a box without a memory in the place of this one. It is told at once of these bills, which are its own since
// then: those that are not paid go back (B35, B12e).
func (s *shop) newBox(told ...string) {
	s.t.Helper()
	s.halt()
	s.restoreJournal(nil)
	if err := made.Write(s.dir); err != nil {
		s.t.Fatal(err)
	}
	s.start()
	if s.cfg.Restored {
		s.t.Fatal("an empty journal is a copy")
	}
	s.numbers += 1000
	s.queue = nil
	for _, id := range told {
		if b := s.bills[id]; b.Fill != payment.Full {
			b.Life, b.Reason, b.Version = payment.Closing, payment.Returning, b.Version+1
		}
	}
	s.connect(func(w *wire.Session) {
		w.JournalState = "new"
		if len(told) > 0 {
			w.Resume, w.Snapshot = "snapshot", &wire.Snapshot{Seq: s.seq, Payments: told}
		}
	})
	synctest.Wait() // with the numbers that the session brings
}

// sold is a sale that goes on as if nothing had been: made once, paid once, its goods handed over.
func (s *shop) sold(id string) {
	s.t.Helper()
	s.settle()
	s.want(id, "open")
	s.sent(wire.BillCreate, 2)
	if len(s.bills) != 1 {
		s.t.Fatalf("%d bills", len(s.bills))
	}
	s.pay(id)
	s.settle()
	s.confirm(id)
	s.settle()
	s.once(id, lane.EvPaid)
	s.ends(id, 12550, 0)
}

// partly is a sale of which 2550 went back, by the till's reference a.
func (s *shop) partly() (id string, r lane.Return) {
	s.t.Helper()
	id = s.paid()
	s.confirm(id)
	s.settle()
	s.part(id, "a", 2550)
	s.settle()
	return id, s.want(id, "part_returned", "owed").Returns[0]
}

// sameReturn asks for the return of partly once more: it is the one that was made, and nothing is sent.
func (s *shop) sameReturn(id string, was lane.Return) {
	s.t.Helper()
	r, err := s.box.Return(s.ctx(), id, lane.ReturnRequest{Reference: "a", Amount: money(2550)})
	if err != nil || r.ID != was.ID || r.Amount.Value != 2550 {
		s.t.Fatalf("return %+v, %v, want %+v", r, err, was)
	}
	_, err = s.box.Return(s.ctx(), id, lane.ReturnRequest{Reference: "a", Amount: money(2551)})
	s.refused(err, lane.NoKeyReused)
	s.settle()
	if p := s.want(id, "part_returned", "owed"); len(p.Returns) != 1 || p.Owed.Value != 2550 {
		s.t.Fatalf("owed %d by %+v", p.Owed.Value, p.Returns)
	}
	s.sent(wire.BillReturn, 1)
}
