package checkout_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/checkout"
	"tilld/internal/wire"
	"tilld/payment"
	"tilld/payment/lane"
)

// rowTests: one test for each row of the box's table, named row/what; the row must be taken in it.
var rowTests = []struct {
	name string
	edit func(*checkout.Config)
	run  func(*shop)
}{
	{"E1/created", nil, func(s *shop) {
		p, created, err := s.box.Create(s.ctx(), request("R-1"))
		if err != nil || !created || p.State != "submitted" || p.Number != "4821" || p.Reference != "R-1" {
			s.t.Fatalf("%+v %v %v", p, created, err)
		}
		s.tells(p.ID, lane.EvSubmitted)
	}},
	{"E1/unavailable without a link", nil, func(s *shop) {
		s.row0("E1")
		s.cut()
		s.wait(5 * time.Second)
		before := s.stage.wakes()
		_, _, err := s.box.Create(s.ctx(), request("R-1"))
		if r := s.refused(err, lane.NoUnavailable); r.Why != "no_link" || r.Say == nil || r.Say.Short != "No QR now" || r.Say.Why != "No link to the server." {
			s.t.Fatalf("why %s, %+v", r.Why, r.Say)
		}
		if a, err := s.box.Availability(s.ctx(), "1"); err != nil || a.Say == nil || a.Say.Code != "unavailable" {
			s.t.Fatalf("%+v, %v", a, err)
		}
		if s.stage.wakes() == before {
			s.t.Error("the link was not told that somebody waits")
		}
	}},
	{"E1/lane busy", nil, func(s *shop) {
		id := s.open(request("R-1"))
		_, _, err := s.box.Create(s.ctx(), request("R-2"))
		if r := s.refused(err, lane.NoLaneBusy); r.Payment == nil || r.Payment.ID != id || r.Say == nil || r.Say.Do != "Finish, cancel or set aside sale 4821." {
			s.t.Fatalf("payment %+v, %+v", r.Payment, r.Say)
		}
		if a, err := s.box.Availability(s.ctx(), "1"); err != nil || a.Say != nil {
			s.t.Fatalf("%+v, %v", a, err)
		}
		s.create(request("R-3", func(r *lane.Request) { r.Lane = "2" })) // another lane is free
	}},
	{"E1a/same and other body", nil, func(s *shop) {
		id := s.open(request("R-1"))
		p, created, err := s.box.Create(s.ctx(), request("R-1"))
		if err != nil || created || p.ID != id {
			s.t.Fatalf("%v %v %v", p.ID, created, err)
		}
		_, _, err = s.box.Create(s.ctx(), request("R-1", func(r *lane.Request) { r.Amount.Value++ }))
		s.refused(err, lane.NoKeyReused)
		s.pay(id)
		s.settle()
		s.confirm(id)
		s.settle()
		s.restart() // finished payments keep their reference
		p, created, err = s.box.Create(s.ctx(), request("R-1"))
		if err != nil || created || p.ID != id || p.State != "confirmed" {
			s.t.Fatalf("%v %v %v", p.ID, created, err)
		}
	}},
	{"E1b/replaced", nil, func(s *shop) {
		a := s.open(request("A"))
		b := s.create(request("B", replaces(a)))
		s.want(a, "closing")
		if p := s.want(b, "submitted"); p.Replaces != a || s.get(a).ReplacedBy != b {
			s.t.Fatalf("replaces %s", p.Replaces)
		}
		synctest.Wait()
		if v := s.stage.now("1"); v.Payload != "" {
			s.t.Fatalf("the old code is on glass")
		}
		s.sent(wire.BillCreate, 1)
		s.settle()
		s.want(b, "open")
		s.lights(a, false, false)
	}},
	{"E1b/old one paid", nil, func(s *shop) {
		s.row0("E1b")
		a := s.open(request("A"))
		s.pay(a)
		s.settle()
		_, _, err := s.box.Create(s.ctx(), request("B", replaces(a)))
		s.refused(err, lane.NoReplacedWasPaid)
	}},
	{"E1b/no link", nil, func(s *shop) {
		s.row0("E1b")
		a := s.open(request("A"))
		s.cut()
		synctest.Wait()
		_, _, err := s.box.Create(s.ctx(), request("B", replaces(a)))
		s.refused(err, lane.NoUnavailable)
		s.want(a, "open")
	}},
	{"E1c/after the fence", nil, func(s *shop) {
		a := s.open(request("A"))
		s.pause[wire.BillReturn] = true
		b := s.create(request("B", replaces(a)))
		s.settle()
		s.want(b, "submitted")
		s.sent(wire.BillCreate, 1)
		s.restart() // the gate is asked of the journal
		s.settle()
		s.sent(wire.BillCreate, 1)
		delete(s.pause, wire.BillReturn)
		s.settle()
		s.want(b, "open")
		s.sent(wire.BillCreate, 2)
	}},
	{"E1d/the waiting one is replaced", nil, func(s *shop) {
		a := s.open(request("A"))
		s.pause[wire.BillReturn] = true
		b := s.create(request("B", replaces(a)))
		c := s.create(request("C", replaces(b)))
		s.settle()
		s.want(b, "canceled")
		s.want(c, "submitted")
		s.sent(wire.BillCreate, 1)
		delete(s.pause, wire.BillReturn)
		s.settle()
		s.want(c, "open")
	}},
	{"E1x/more time", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.wait(time.Minute)
		left := *s.get(id).RemainingMS
		p, decided, err := s.extend(id, 5*time.Minute)
		if err != nil || !decided {
			s.t.Fatalf("%v %v", decided, err)
		}
		s.settle()
		if now := *s.get(id).RemainingMS; now <= left || p.State != "open" {
			s.t.Fatalf("left %d, was %d", now, left)
		}
	}},
	{"E1x/cannot extend", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.bills[id].Life = payment.Closing // its event is on the way
		_, decided, err := s.extend(id, time.Minute)
		if r := s.refused(err, lane.NoCannotExtend); r.Why != "closing" || !decided {
			s.t.Fatalf("why %s", r.Why)
		}
		s.want(id, "open")
	}},
	{"E1x/no answer", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.pause[wire.BillExtend] = true
		at := time.Now()
		_, decided, err := s.box.Extend(s.ctx(), id, time.Minute)
		if err != nil || decided || time.Since(at) != 5*time.Second {
			s.t.Fatalf("%v %v after %v", decided, err, time.Since(at))
		}
	}},
	{"E2/created and sent are one batch", nil, func(s *shop) {
		id := s.create(request("R-1"))
		if cs := s.j.Calls(); len(cs) != 1 || cs[0].ID != id+":create" {
			s.t.Fatalf("calls %+v", cs)
		}
	}},
	{"E2b/withdrawn by itself", nil, func(s *shop) {
		s.cut()
		synctest.Wait()
		id := s.create(request("R-1"))
		if len(s.j.Calls()) != 0 {
			s.t.Fatal("a call is in the journal")
		}
		s.wait(2900 * time.Millisecond)
		s.want(id, "submitted")
		s.wait(200 * time.Millisecond)
		s.want(id, "canceled")
		s.lights(id, false, true)
		s.connect()
		s.settle()
		s.sent(wire.BillCreate, 0)
	}},
	{"E2b/till withdraws", nil, func(s *shop) {
		s.cut()
		synctest.Wait()
		id := s.create(request("R-1"))
		if r := s.giveBack(id); r.State != "done" || r.Amount.Value != 0 {
			s.t.Fatalf("return %+v", r)
		}
		s.want(id, "canceled")
		s.lights(id, false, true)
	}},
	{"E2b'/till withdraws the waiting one", nil, func(s *shop) {
		a := s.open(request("A"))
		s.pause[wire.BillReturn] = true
		b := s.create(request("B", replaces(a)))
		s.settle()
		s.wait(4 * time.Second) // the 3 s rule does not apply
		s.want(b, "submitted")
		s.giveBack(b)
		s.want(b, "canceled")
		s.lights(b, false, false)
		s.lights(a, false, false)
		delete(s.pause, wire.BillReturn)
		s.settle()
		s.lights(a, false, true)
		s.lights(b, false, true)
	}},
	{"E2c/reference seen", nil, func(s *shop) {
		old := "0000000000000000000000000a"
		s.first["1/R-1"] = old
		s.bills[old] = &payment.Bill{
			Payment: old, Lane: "1", Reference: "R-1", Version: 3, Mode: payment.Show, Purpose: payment.Sale, Amount: rub(12550), Life: payment.Open,
			Fill: payment.None, Late: payment.LateNo, Payload: "https://qr.example/old", RemainingMS: 60000, Due: 12550,
		}
		id := s.create(request("R-1"))
		s.settle()
		s.want(id, "open", "review")
		s.pay(old)
		s.settle()
		s.want(id, "paid")
		s.restart()
		s.confirm(id)
		s.settle()
		s.want(id, "confirmed")
		if s.bills[old].Kept != 12550 {
			s.t.Fatalf("kept %d", s.bills[old].Kept)
		}
	}},
	{"E2c/done last year", nil, func(s *shop) {
		old := s.oldBill("R-1", 12550)
		id := s.create(request("R-1"))
		s.settle()
		s.want(id, "in_doubt", "review")
		s.lights(id, false, false)
		_, err := s.box.Confirm(s.ctx(), id, lane.ConfirmRequest{})
		s.refused(err, lane.NoWrongState)
		if _, err := s.box.Confirm(s.ctx(), id, lane.ConfirmRequest{Who: "Anna"}); err != nil {
			s.t.Fatal(err)
		}
		s.settle()
		s.want(id, "confirmed")
		if s.bills[old].Kept != 12550 {
			s.t.Fatalf("kept %d", s.bills[old].Kept)
		}
	}},
	{"E2u/another sale's reference", nil, func(s *shop) {
		s.oldBill("R-1", 30000)
		id := s.create(request("R-1"))
		s.settle()
		if p := s.want(id, "refused"); p.Why != payment.NoReferenceUsed || p.Say.Cashier.Code != "refused/reference" || p.Say.Cashier.Short == "" || p.Paid.Value != 0 {
			s.t.Fatalf("why %q, say %+v, paid %d", p.Why, p.Say.Cashier, p.Paid.Value)
		}
		s.lights(id, false, true)
		if v := s.stage.now("1"); v.Payload != "" {
			s.t.Fatalf("glass %+v", v)
		}
		s.open(request("R-2")) // the lane is free
	}},
	{"E3/drawn", nil, func(s *shop) {
		id := s.create(request("R-1"))
		s.settle()
		if v := s.stage.now("1"); v.Payment != id || v.Payload != "https://qr.example/"+id || !slices.Equal(v.Outputs, []string{"customer-display"}) {
			s.t.Fatalf("glass %+v", v)
		}
	}},
	{"E3a/waits for a code", nil, func(s *shop) {
		id := s.open(request("R-1", scanMode))
		if v := s.stage.now("1"); v.Screen != "scan" || v.Payload != "" {
			s.t.Fatalf("glass %+v", v)
		}
		s.tells(id, lane.EvOpened)
	}},
	{"E3b/no code for a returned payment", nil, func(s *shop) {
		id := s.create(request("R-1"))
		s.step() // the create is answered; its event is on the way
		s.giveBack(id)
		s.settle()
		s.noCode(id)
	}},
	{"E3c/paying", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.change(id, payment.EvPaying, func(b *payment.Bill) { b.Paying = true })
		s.settle()
		if p := s.want(id, "paying"); p.QR != nil || p.RemainingMS != nil {
			s.t.Fatalf("qr %v", p.QR)
		}
		if v := s.stage.now("1"); v.Payload != "" || v.Screen != "paying" {
			s.t.Fatalf("glass %+v", v)
		}
		n := len(s.codes1(id))
		s.restart() // a reboot does not draw it
		s.want(id, "paying")
		if len(s.codes1(id)) != n {
			s.t.Fatal("drawn while somebody pays")
		}
	}},
	{"E3d/back from closing", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.wait(5*time.Minute + time.Second)
		s.want(id, "closing")
		s.change(id, payment.EvOpen, func(b *payment.Bill) { b.RemainingMS = 60000 })
		s.settle()
		s.want(id, "open")
		if s.stage.now("1").Payload == "" {
			s.t.Fatal("not drawn")
		}
	}},
	{"E3e/paying ended", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.change(id, payment.EvPaying, func(b *payment.Bill) { b.Paying = true })
		s.settle()
		s.change(id, payment.EvOpen, func(b *payment.Bill) { b.Paying, b.RemainingMS = false, 90000 })
		s.settle()
		if p := s.want(id, "open"); *p.RemainingMS != 90000 || s.stage.now("1").Payload == "" {
			s.t.Fatalf("left %d", *p.RemainingMS)
		}
	}},
	{"E3f/countdown moves", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.change(id, payment.EvOpen, func(b *payment.Bill) { b.RemainingMS = 400000 })
		s.settle()
		if left := *s.get(id).RemainingMS; left != 400000 {
			s.t.Fatalf("left %d", left)
		}
		s.wait(390 * time.Second)
		s.want(id, "open")
	}},
	{"E3s/shown", nil, func(s *shop) {
		id := s.create(request("R-1"))
		s.run()
		synctest.Wait()
		if p := s.want(id, "open"); p.QR == nil || p.Stamps["shown"].IsZero() || p.Attempt != 1 {
			s.t.Fatalf("%+v", p)
		}
	}},
	{"E4/no output", nil, func(s *shop) {
		s.stage.set(s.stage.broken, "1", true)
		id := s.create(request("R-1"))
		s.settle()
		if p := s.want(id, "closing"); p.Returns[0].Reason != "not_shown" {
			s.t.Fatalf("%+v", p.Returns)
		}
		s.lights(id, false, true)
	}},
	{"E4/outputs hang", nil, func(s *shop) {
		s.stage.set(s.stage.stuck, "1", true)
		id := s.create(request("R-1"))
		s.settle()
		s.want(id, "submitted")
		s.wait(1300 * time.Millisecond)
		s.want(id, "closing")
	}},
	{"E4/glass lost later", nil, func(s *shop) {
		id := s.open(request("R-1"))
		_ = s.box.Outputs(s.ctx(), "1", nil)
		p := s.want(id, "open")
		if p.Say.Cashier.Code != "open/no_display" {
			s.t.Fatalf("say %s", p.Say.Cashier.Code)
		}
		_ = s.box.Outputs(s.ctx(), "1", []string{"customer-display"})
		if p := s.get(id); p.Say.Cashier.Code != "open" {
			s.t.Fatalf("say %s", p.Say.Cashier.Code)
		}
	}},
	{"E5/part", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.change(id, payment.EvPart, func(b *payment.Bill) { b.Fill, b.Paid, b.Held, b.Due = payment.Part, 5000, 5000, 7550 })
		s.settle()
		s.want(id, "part_paid")
		if v := s.stage.now("1"); v.Due.Value != 7550 || v.Paid.Value != 5000 || v.Payload == "" {
			s.t.Fatalf("glass %+v", v)
		}
		s.tells(id, lane.EvPart)
	}},
	{"E6/paid", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.pay(id)
		s.settle()
		s.want(id, "paid")
		if v := s.stage.last("1"); v.Sound != "paid" {
			s.t.Fatalf("sound %q", v.Sound)
		}
	}},
	{"E6p/paid while parked", nil, func(s *shop) {
		id := s.parked()
		before := len(s.stage.all())
		s.pay(id)
		s.settle()
		s.want(id, "paid", "parked")
		s.tells(id, lane.EvPaid, lane.EvSettled)
		if n := len(s.stage.all()); n != before {
			s.t.Fatalf("the stage was told %d views", n-before)
		}
	}},
	{"E7/late money", nil, func(s *shop) {
		id := s.late()
		if p := s.want(id, "closing", "late"); p.LateOffer == nil || p.LateOffer.RemainingMS != 30000 {
			s.t.Fatalf("%+v", p.LateOffer)
		}
		s.lights(id, false, false)
	}},
	{"E8/accept must wait", nil, func(s *shop) {
		id := s.late()
		s.pause[wire.BillAcceptLate] = true
		p, err := s.box.Accept(s.ctx(), id)
		if err != nil || p.State != "closing" || p.Lights.HandOver {
			s.t.Fatalf("%+v %v", p, err)
		}
	}},
	{"E8a/accepted", nil, func(s *shop) {
		id := s.late()
		s.accept(id)
		s.settle()
		s.want(id, "paid", "late")
	}},
	{"E8a/lapsed", nil, func(s *shop) {
		id := s.late()
		s.bills[id].Late = payment.LateLapsed
		s.accept(id)
		s.settle()
		s.want(id, "closing")
		s.lights(id, false, false)
	}},
	{"E8b/countdown over", nil, func(s *shop) {
		id := s.late()
		n := len(s.seen)
		s.wait(31 * time.Second)
		s.settle()
		s.want(id, "closing")
		if len(s.seen) != n {
			s.t.Fatal("something was sent")
		}
		_, err := s.box.Accept(s.ctx(), id)
		s.refused(err, lane.NoWrongState)
	}},
	{"E8c/lease ended", nil, func(s *shop) {
		id := s.late()
		s.change(id, payment.EvPaidAfter, func(b *payment.Bill) { b.Late, b.Owed, b.Held = payment.LateLapsed, b.Held, 0 })
		s.settle()
		s.want(id, "closing", "late", "owed")
	}},
	{"E9/countdown", nil, func(s *shop) {
		id := s.open(request("R-1"))
		n := len(s.seen)
		s.wait(5*time.Minute - time.Second)
		s.want(id, "open")
		s.wait(time.Second + time.Millisecond)
		s.want(id, "closing")
		s.settle()
		if len(s.seen) != n {
			s.t.Fatal("something was sent: expiry belongs to the integrator")
		}
		if v := s.stage.now("1"); v.Payload != "" {
			s.t.Fatal("the code is on glass")
		}
	}},
	{"E9/bill.closing", nil, func(s *shop) {
		id := s.create(request("R-1"))
		s.step()
		s.queue = nil
		s.seq--
		s.change(id, payment.EvClosing, closing)
		s.settle()
		s.want(id, "closing")
		s.noCode(id)
	}},
	{"E9p/max_open without a link", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.change(id, payment.EvPaying, func(b *payment.Bill) { b.Paying = true })
		s.settle()
		s.cut()
		s.wait(10 * time.Minute)
		s.want(id, "paying")
		s.halt()
		s.start() // a restart does not begin it anew
		s.want(id, "paying")
		s.wait(10*time.Minute + time.Second)
		if p := s.get(id); p.State != "closing" && p.State != "in_doubt" {
			s.t.Fatalf("state %s", p.State)
		}
	}},
	{"E10/canceled", nil, func(s *shop) {
		id := s.open(request("R-1"))
		r := s.giveBack(id)
		s.want(id, "closing")
		s.lights(id, false, false)
		synctest.Wait()
		if s.stage.now("1").Payload != "" {
			s.t.Fatal("the code is on glass")
		}
		if again := s.giveBack(id); again.ID != r.ID {
			s.t.Fatalf("return %s, then %s", r.ID, again.ID)
		}
		s.settle()
		s.sent(wire.BillReturn, 1)
	}},
	{"E10/paid and given back", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.pay(id)
		s.settle()
		s.giveBack(id)
		s.lights(id, false, false)
		s.settle()
		s.want(id, "returned", "owed")
		s.lights(id, false, true)
	}},
	{"E10a/money comes after the cancel", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.pay(id)
		s.giveBack(id) // the event is on the way
		s.deliver()
		s.want(id, "closing")
		s.lights(id, false, false)
		s.tells(id, lane.EvMoneyLate)
		s.settle()
		s.want(id, "returned", "owed")
	}},
	{"E10b/fenced", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.giveBack(id)
		s.settle()
		s.want(id, "closing")
		s.lights(id, false, true)
		s.tells(id, lane.EvFenced)
	}},
	{"E10l/the ledger has lost the fence", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.giveBack(id)
		s.settle()
		s.closeBill(id, payment.Returning)
		s.settle()
		s.want(id, "canceled")
		s.putBack(id, payment.EvReview, func(b *payment.Bill) { b.Life, b.Reason, b.Fence = payment.Open, "", false })
		s.settle()
		if !s.bills[id].Fence {
			s.t.Fatal("the integrator has no fence, and the goods are for somebody else")
		}
		s.want(id, "canceled", "review")
		s.lights(id, false, true)
	}},
	{"E10l/the fence was answered behind the end", nil, func(s *shop) {
		for _, paid := range []bool{true, false} {
			id, state := s.open(request(fmt.Sprint("R-", paid))), "canceled"
			if paid {
				s.pay(id)
				s.settle()
				state = "returned"
			}
			s.giveBack(id)
			c := s.next()
			s.handle(*c)
			if !paid {
				s.closeBill(id, payment.Returning)
			}
			for s.deliver() {
			}
			s.reply(c.ID) // the line broke between the two
			s.change(id, payment.EvReturned, func(b *payment.Bill) { b.Owed, b.Returned = 0, b.Owed })
			s.settle()
			s.want(id, state)
			if slices.Contains(s.told(id), lane.EvFenced) {
				s.t.Fatal("the answer came first")
			}
			s.cut()
			b := s.bills[id] // of the copy it was open, and its clock has kept what came
			n := b.Amount.Value
			b.Version, b.Life, b.Reason, b.Fill, b.Fence, b.ByDeadline, b.Paid, b.Kept, b.Returned = b.Version+1<<20, payment.Closed, payment.Done, payment.Full, false, true, n, n, 0
			clear(s.kept)
			s.connect(func(w *wire.Session) {
				w.Resume, w.Snapshot, w.Ledger = "snapshot", &wire.Snapshot{Seq: s.seq}, wire.LedgerRestored // settled in it: not listed
			})
			s.settle()
			if !b.Fence || b.Kept != 0 || b.Owed != n {
				s.t.Fatalf("the goods are here, and the money is kept: %+v", b)
			}
			s.want(id, state, "owed", "review")
			s.lights(id, false, true)
		}
	}},
	{"E10n/the fence is refused", nil, func(s *shop) {
		id := s.open(request("R-1"))
		key := lane.ReturnKey(id, "ret-"+id)
		for _, again := range []string{"", ":again"} { // an integrator that does not take what this box says
			s.kept[id+":return:"+key+again] = answer{problem: problem("bad_params", nil)}
		}
		s.giveBack(id)
		s.settle()
		s.want(id, "closing", "review")
		s.lights(id, false, false)
		s.sent(wire.BillReturn, 2)
		s.wait(16 * time.Second)
		s.want(id, "in_doubt", "review") // what is no fence is as good as no answer: a supervisor may act
		s.wait(45 * time.Second)
		s.run()
		s.sent(wire.BillReturn, 3)
		s.restart()
		s.wait(time.Minute)
		clear(s.kept)
		s.settle()
		if !s.bills[id].Fence {
			s.t.Fatal("the integrator has no fence, and will keep the money")
		}
		s.want(id, "closing", "review")
		s.lights(id, false, true)
		s.tells(id, lane.EvFenced, lane.EvReview)
	}},
	{"E10n/overridden", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.kept[id+":return:"+lane.ReturnKey(id, "")] = answer{problem: problem(payment.NoKeyReused, nil)}
		s.overridden(id)
		s.connect()
		s.settle()
		if !s.bills[id].Fence {
			s.t.Fatal("cash was taken, and the integrator will keep the money that still comes")
		}
		s.want(id, "overridden", "review")
		s.lights(id, false, true)
	}},
	{"E10r/light belongs to the new one", nil, func(s *shop) {
		a := s.open(request("A"))
		b := s.create(request("B", replaces(a)))
		s.settle()
		s.lights(a, false, false)
		s.closeBill(a, payment.Returning)
		s.settle()
		s.want(a, "canceled")
		s.lights(a, false, false)
		s.giveBack(b)
		s.settle()
		s.closeBill(b, payment.Returning)
		s.settle()
		s.lights(b, false, true)
		s.lights(a, false, true)
	}},
	{"E11/refused", nil, func(s *shop) {
		id := s.create(request("R-1"))
		s.step()
		s.queue, s.seq = nil, 0
		s.closeBill(id, payment.Refused)
		s.settle()
		s.want(id, "refused")
		s.lights(id, false, true)
	}},
	{"E11/expired", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.wait(301 * time.Second)
		s.closeBill(id, payment.Expire)
		s.settle()
		s.want(id, "expired")
		s.lights(id, false, true)
		if s.stage.now("1").Screen != "expired" {
			s.t.Fatalf("glass %+v", s.stage.now("1"))
		}
		s.wait(21 * time.Second)
		if v := s.stage.now("1"); v.Screen != "idle" || v.Payment != "" {
			s.t.Fatalf("glass %+v", v)
		}
	}},
	{"E12/link", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.cut()
		s.wait(14 * time.Second)
		if s.get(id).DoubtSince != nil {
			s.t.Fatal("doubt too early")
		}
		s.wait(2 * time.Second)
		if p := s.want(id, "open"); p.DoubtSince == nil || p.DoubtWhy != "link" || time.Since(*p.DoubtSince) != 16*time.Second {
			s.t.Fatalf("doubt %v %s", p.DoubtSince, p.DoubtWhy)
		}
		if s.stage.now("1").Payload == "" {
			s.t.Fatal("the code stays up until its end")
		}
		s.connect()
		synctest.Wait()
		if s.get(id).DoubtSince != nil {
			s.t.Fatal("still in doubt")
		}
		s.tells(id, lane.EvDoubt, lane.EvDoubtOver)
	}},
	{"E12/no answer", nil, func(s *shop) {
		s.pause[wire.BillCreate] = true
		id := s.create(request("R-1"))
		s.wait(16 * time.Second)
		s.want(id, "in_doubt")
		s.tells(id, lane.EvDoubt)
		s.wait(5 * time.Second) // parked by itself, and E10 with it: the code was never shown
		s.want(id, "in_doubt", "parked")
		s.row("E12p")
		delete(s.pause, wire.BillCreate)
		s.settle()
		s.lights(id, false, true)
	}},
	{"E12/bank", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.wait(301 * time.Second)
		s.change(id, payment.EvDoubt, func(b *payment.Bill) { closing(b); b.Doubt = true })
		s.settle()
		if p := s.want(id, "in_doubt"); p.DoubtWhy != "bank" {
			s.t.Fatalf("why %s", p.DoubtWhy)
		}
		s.closeBill(id, payment.Expire)
		s.settle()
		s.want(id, "expired")
	}},
	{"E12p/by itself", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.wait(300*time.Second + time.Millisecond)
		s.want(id, "closing")
		s.wait(5 * time.Second)
		s.want(id, "closing", "parked")
		if v := s.stage.now("1"); v.Screen != "idle" {
			s.t.Fatalf("glass %+v", v)
		}
		other := s.open(request("R-2"))
		s.closeBill(id, payment.Expire)
		s.settle()
		s.want(id, "expired")
		s.tells(id, lane.EvParked, lane.EvSettled)
		if v := s.stage.now("1"); v.Payment != other || v.Payload == "" {
			s.t.Fatalf("glass %+v", v)
		}
	}},
	{"E12p/by the till", nil, func(s *shop) {
		id := s.open(request("R-1"))
		_, err := s.box.Park(s.ctx(), id)
		s.refused(err, lane.NoWrongState)
		s.giveBack(id)
		if _, err := s.box.Park(s.ctx(), id); err != nil {
			s.t.Fatal(err)
		}
		s.create(request("R-2"))
	}},
	{"E13/override", nil, func(s *shop) {
		id := s.open(request("R-1"))
		_, err := s.box.Override(s.ctx(), id, lane.OverrideRequest{Tender: "cash", Who: "Ann", Why: "no link"})
		s.refused(err, lane.NoNotInDoubt)
		s.overridden(id)
		s.lights(id, false, true)
		s.pay(id) // on time, but nobody had heard
		s.connect()
		s.settle()
		s.want(id, "overridden", "owed")
	}},
	{"E13r/override with a waiting one", nil, func(s *shop) {
		a := s.open(request("A"))
		s.pause[wire.BillReturn] = true
		b := s.create(request("B", replaces(a)))
		s.overridden(a)
		s.want(b, "canceled")
		s.connect()
		delete(s.pause, wire.BillReturn)
		s.settle()
		s.sent(wire.BillCreate, 1)
	}},
	{"E13r/others confirm what a waiting one replaces", nil, func(s *shop) {
		a := s.open(request("A"))
		s.pause[wire.BillReturn] = true
		b := s.create(request("B", replaces(a)))
		s.want(b, "submitted")
		bill := s.bills[a] // a person in the office has said that the goods left
		bill.Life, bill.Reason, bill.Fill, bill.Paid, bill.Kept, bill.Version = payment.Closed, payment.Done, payment.Full, 12550, 12550, bill.Version+1
		delete(s.pause, wire.BillReturn)
		s.cut()
		s.connect()
		s.settle()
		s.want(a, "confirmed")
		s.want(b, "canceled")     // else it would hold its lane for ever
		s.lights(a, false, false) // they were promised to stay: a person looks where they are
		s.lights(b, false, false)
		s.sent(wire.BillCreate, 1)
		s.create(request("C")) // the lane is free
	}},
	{"E14/confirm", nil, func(s *shop) {
		id := s.paid()
		final := rub(10000)
		p, err := s.box.Confirm(s.ctx(), id, lane.ConfirmRequest{Final: &final, Receipt: &lane.Receipt{Number: "7"}})
		if err != nil || p.State != "confirmed" || p.Final.Value != 10000 || p.Receipt.Number != "7" {
			s.t.Fatalf("%+v %v", p, err)
		}
		s.settle()
		s.want(id, "confirmed", "owed")
		if b := s.bills[id]; b.Kept != 10000 || b.Owed != 2550 {
			s.t.Fatalf("kept %d owed %d", b.Kept, b.Owed)
		}
	}},
	{"E14/not paid", nil, func(s *shop) {
		s.row0("E14")
		id := s.open(request("R-1"))
		_, err := s.box.Confirm(s.ctx(), id, lane.ConfirmRequest{})
		s.refused(err, lane.NoNotPaid)
	}},
	{"E14a/wrong amounts", nil, func(s *shop) {
		id := s.paid()
		less, nothing, more := rub(1), rub(0), rub(99999)
		_, err := s.box.Return(s.ctx(), id, lane.ReturnRequest{Reference: "x", Amount: &less})
		s.refused(err, lane.NoConfirmFirst)
		_, err = s.box.Confirm(s.ctx(), id, lane.ConfirmRequest{Final: &nothing})
		s.refused(err, lane.NoUseReturn)
		_, err = s.box.Confirm(s.ctx(), id, lane.ConfirmRequest{Final: &more})
		s.refused(err, lane.NoFinalExceedsPaid)
		s.want(id, "paid")
		s.took("E14a")
	}},
	{"E14b/confirm again", nil, func(s *shop) {
		id := s.paid()
		s.confirm(id)
		s.confirm(id)
		s.settle()
		s.confirm(id)
		other := rub(1)
		_, err := s.box.Confirm(s.ctx(), id, lane.ConfirmRequest{Final: &other})
		s.refused(err, lane.NoAlreadyConfirmed)
		s.sent(wire.BillConfirm, 1)
	}},
	{"E15/done", nil, func(s *shop) {
		id := s.paid()
		s.confirm(id)
		s.settle()
		if n := s.box.InMemory(); n != 0 {
			s.t.Fatalf("%d in memory", n)
		}
		s.want(id, "confirmed")
	}},
	{"E15a/returned meanwhile", nil, func(s *shop) {
		id := s.paid()
		b := s.bills[id]
		b.Life, b.Reason, b.Owed, b.Held, b.Fill = payment.Closed, payment.Returned, b.Held, 0, payment.None
		s.confirm(id)
		s.settle()
		s.want(id, "confirmed", "review")
		s.tells(id, lane.EvReview)
	}},
	{"reviewed/a person has looked, and the memory is free", nil, func(s *shop) {
		id := s.paid()
		s.confirm(id)
		s.settle()
		s.bills[id].Review = true
		s.emit(payment.EvReview, s.bills[id])
		s.settle()
		s.want(id, "confirmed", "review")
		s.restart()
		if n := s.box.InMemory(); n != 1 {
			s.t.Fatalf("%d in memory, and one is under review", n)
		}
		for range 2 { // once more does nothing
			if err := s.box.Acknowledge(s.ctx(), "Ann", "the bank took the money back, the customer was told"); err != nil {
				s.t.Fatal(err)
			}
		}
		s.want(id, "confirmed")
		s.tells(id, lane.EvReviewed)
		s.restart()
		if n := s.box.InMemory(); n != 0 {
			s.t.Fatalf("%d in memory", n)
		}
		s.want(id, "confirmed")
	}},
	{"E15l/the ledger has lost the confirm", nil, func(s *shop) {
		id := s.paid()
		s.confirm(id)
		s.settle()
		s.part(id, "b-1", 5000)
		s.settle()
		kept := s.bills[id].Kept
		s.putBack(id, payment.EvPaid, func(b *payment.Bill) {
			b.Life, b.Reason, b.By, b.Kept, b.Owed, b.Held, b.Returns = payment.Open, "", "", 0, 0, b.Paid, nil
		})
		s.settle()
		if b := s.bills[id]; b.Life != payment.Closed || b.Kept != kept || len(b.Returns) != 1 {
			s.t.Fatalf("the integrator does not know where the goods went: %+v", b)
		}
		s.lights(id, true, false)
	}},
	{"E16/returns after the goods", nil, func(s *shop) {
		id := s.paid()
		s.pause[wire.BillConfirm] = true
		s.confirm(id)
		s.part(id, "b-1", 5000)
		s.part(id, "b-1", 5000)
		s.goesBack(5000) // though the integrator has not heard of it
		_, err := s.box.Return(s.ctx(), id, lane.ReturnRequest{Reference: "b-2", Amount: money(8000)})
		s.refused(err, lane.NoExceedsKept)
		s.sent(wire.BillReturn, 0) // serial: behind the confirm
		delete(s.pause, wire.BillConfirm)
		s.settle()
		s.want(id, "part_returned")
		s.part(id, "b-3", 7550)
		s.settle()
		s.want(id, "returned")
		s.goesBack(12550) // neither has come
		if b := s.bills[id]; b.Kept != 0 || b.Owed != 12550 {
			s.t.Fatalf("kept %d owed %d", b.Kept, b.Owed)
		}
	}},
	{"E16a/over", nil, func(s *shop) {
		id := s.paid()
		s.change(id, payment.EvOver, func(b *payment.Bill) { b.Paid, b.Over, b.Owed = 25100, 12550, 12550 })
		s.settle()
		s.want(id, "paid", "over", "owed")
		s.lights(id, true, false)
		s.tells(id, lane.EvOver)
	}},
	{"E17/override ends", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.overridden(id)
		s.connect()
		s.settle()
		s.closeBill(id, payment.Returning)
		s.settle()
		s.want(id, "overridden")
		s.tells(id, lane.EvEnded)
		if n := s.box.InMemory(); n != 0 {
			s.t.Fatalf("%d in memory", n)
		}
	}},
	{"E17a/money after the end", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.giveBack(id)
		s.settle()
		s.closeBill(id, payment.Returning)
		s.settle()
		if s.box.InMemory() != 0 {
			s.t.Fatal("in memory")
		}
		s.change(id, payment.EvPaidAfter, func(b *payment.Bill) { b.Paid, b.Owed = 12550, 12550 })
		s.settle()
		s.want(id, "canceled", "owed")
		s.tells(id, lane.EvMoneyLate)
	}},
	{"E18/finish this sale", nil, func(s *shop) {
		id := s.paid()
		s.change(id, payment.EvConfirmWanted, nil)
		s.settle()
		s.want(id, "paid")
		s.tells(id, lane.EvUnfinished)
	}},
	{"E18a/own return", nil, func(s *shop) {
		id := s.open(request("R-1", func(r *lane.Request) { r.Lane = "2" })) // self-service: return
		s.pay(id)
		s.settle()
		s.wait(4*time.Minute + time.Second)
		s.want(id, "paid")
		s.tells(id, lane.EvUnfinished)
		s.wait(time.Minute)
		s.settle()
		s.want(id, "returned", "owed")
		_, err := s.box.Confirm(s.ctx(), id, lane.ConfirmRequest{})
		s.refused(err, lane.NoReturned)
	}},
	{"E19/drawn again after a restart", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.wait(time.Minute)
		s.halt()
		s.stage.clear("1")
		s.wait(time.Minute)
		s.start()
		if v := s.stage.now("1"); v.Payload == "" || v.RemainingMS != 180000 {
			s.t.Fatalf("glass %+v", v)
		}
		s.want(id, "open")
	}},
	{"E19/too little left", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.halt()
		n := len(s.codes1(id))
		s.wait(4*time.Minute + 51*time.Second)
		s.start()
		if p := s.want(id, "open"); p.QR != nil || len(s.codes1(id)) != n {
			s.t.Fatalf("qr %v", p.QR)
		}
		s.wait(10 * time.Second)
		s.want(id, "closing")
	}},
	{"E30/repeated and old", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.pay(id)
		e := s.queue[0]
		s.settle()
		n := len(s.told(id))
		s.hand(e)
		old := *s.bills[id]
		old.Version, old.Life = 1, payment.Closing
		body, _ := json.Marshal(old)
		s.hand(wire.Event{Seq: s.seq + 1, Type: payment.EvClosing, Body: body})
		s.want(id, "paid")
		if len(s.told(id)) != n || s.j.Meta().Seen != s.seq+1 {
			s.t.Fatalf("events %v, seen %d", s.told(id)[n:], s.j.Meta().Seen)
		}
	}},
	{"E31/snapshot", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.cut()
		s.pay(id)
		s.queue = nil // trimmed
		s.connect(func(w *wire.Session) {
			w.Resume, w.Snapshot = "snapshot", &wire.Snapshot{Seq: s.seq, Payments: []string{id}}
		})
		s.settle()
		s.want(id, "paid")
		if s.j.Meta().Seen != s.seq {
			s.t.Fatalf("seen %d, want %d", s.j.Meta().Seen, s.seq)
		}
	}},
	{"E31/what was owed has been paid meanwhile", nil, func(s *shop) {
		id := s.paid()
		s.confirm(id)
		s.part(id, "b-1", 5000)
		s.settle()
		s.want(id, "part_returned", "owed")
		s.cut()
		b := s.bills[id]
		b.Owed, b.Version, b.Returns[0].State = 0, b.Version+1, "done"
		s.connect(func(w *wire.Session) { w.Resume, w.Snapshot = "snapshot", &wire.Snapshot{Seq: s.seq} }) // settled: not listed, and its event is trimmed
		s.settle()
		s.want(id, "part_returned")
		if n := s.box.InMemory(); n != 0 {
			s.t.Fatalf("%d in memory", n)
		}
	}},
	{"E31/bill not known", nil, func(s *shop) {
		s.pause[wire.BillCreate] = true
		id := s.create(request("R-1"))
		s.settle()
		s.kept[id+":create"] = answer{result: &wire.Result{Outcome: payment.OutCreated}} // and that was lost, before a code was out
		delete(s.pause, wire.BillCreate)
		s.settle()
		s.cut()
		s.connect(func(w *wire.Session) { w.Resume, w.Snapshot = "snapshot", &wire.Snapshot{Seq: s.seq} })
		s.settle()
		s.want(id, "canceled", "review")
		s.lights(id, false, true)
	}},
	{"E31l/bill not known, its code was out", nil, func(s *shop) {
		id := s.open(request("R-1"))
		s.lose(id)
		s.cut()
		s.connect(func(w *wire.Session) { w.Resume, w.Snapshot = "snapshot", &wire.Snapshot{Seq: s.seq} })
		s.pause[wire.BillReturn] = true
		s.settle()
		s.want(id, "closing", "review") // nobody says that nothing was taken
		s.lights(id, false, false)
		if v := s.stage.now("1"); v.Payload != "" || v.Screen == "canceled" {
			s.t.Fatalf("glass %+v", v)
		}
		s.restart()
		delete(s.pause, wire.BillReturn)
		s.settle()
		if b := s.bills[id]; b == nil || !b.Fence {
			s.t.Fatalf("the integrator does not look for the money: %+v", b)
		}
		s.lights(id, false, true)
		s.pay(id) // the bank knew it
		s.closeBill(id, payment.Returned)
		s.settle()
		s.want(id, "returned", "owed", "review")
	}},
	{"E31l/charged", nil, func(s *shop) {
		s.codes["code"] = "slow"
		id := s.open(request("R-1", scanMode))
		if err := s.scan("code"); err != nil {
			s.t.Fatal(err)
		}
		s.run()
		s.want(id, "charging")
		s.lose(id)
		s.cut()
		s.connect(func(w *wire.Session) { w.Resume, w.Snapshot = "snapshot", &wire.Snapshot{Seq: s.seq} })
		s.settle()
		s.want(id, "closing", "review")
		s.lights(id, false, false)
		s.wait(16 * time.Second)
		s.want(id, "in_doubt", "review", "parked")
		s.lights(id, false, false)
		s.overridden(id) // a supervisor's word
		s.lights(id, false, true)
	}},
	{"E16l/the ledger has lost a return", nil, func(s *shop) {
		id := s.paid()
		s.confirm(id)
		s.settle()
		s.part(id, "b-1", 5000)
		s.settle()
		other := s.open(request("R-2"))
		s.pay(other)
		s.settle()
		s.confirm(other)
		s.settle()
		for _, p := range []string{id, other} {
			s.change(p, payment.EvReturned, func(b *payment.Bill) {
				b.Owed = 0
				for i := range b.Returns {
					b.Returns[i].State = "done"
				}
			})
		}
		s.settle()
		if n := s.box.InMemory(); n != 0 {
			s.t.Fatalf("%d in memory", n)
		}
		s.cut()
		b := s.bills[id]
		b.Version, b.Kept, b.Returned, b.Returns = b.Version+1<<20, b.Paid, 0, nil // the copy's
		for call := range s.kept {
			delete(s.kept, call)
		}
		restored := func(w *wire.Session) {
			w.Resume, w.Snapshot, w.Ledger = "snapshot", &wire.Snapshot{Seq: s.seq}, wire.LedgerRestored // settled in it: not listed
		}
		before := len(s.seen)
		s.connect(restored)
		s.halt() // it is not forgotten with the program
		s.start()
		s.connect()
		s.settle()
		if b := s.bills[id]; len(b.Returns) != 1 || b.Kept != b.Paid-5000 || b.Owed != 5000 {
			s.t.Fatalf("the customer's money is forgotten: %+v", b)
		}
		s.want(id, "part_returned", "owed", "review")
		for _, c := range s.seen[before:] {
			if c.Order == other {
				s.t.Errorf("asked about a sale of which nothing was promised: %s", c.ID)
			}
		}
		n := len(s.seen)
		s.restart()
		s.settle()
		if len(s.seen) != n {
			s.t.Fatalf("asked again after it was asked: %v", s.seen[n:])
		}
	}},
	{"E16l/the till makes one more return beside it", nil, func(s *shop) {
		for _, late := range []bool{false, true} { // before the bill is asked about, and behind the question
			id := s.open(request(fmt.Sprint("R-", late)))
			s.pay(id)
			s.settle()
			s.confirm(id)
			s.settle()
			s.part(id, "b-1", 5000)
			s.settle()
			s.cut()
			b := s.bills[id]
			b.Version, b.Kept, b.Owed, b.Returns = b.Version+1<<20, b.Paid, 0, nil // the copy's
			clear(s.kept)
			if !late {
				s.part(id, "b-2", 2000)
			}
			s.connect(func(w *wire.Session) {
				w.Resume, w.Snapshot, w.Ledger = "snapshot", &wire.Snapshot{Seq: s.seq}, wire.LedgerRestored
			})
			if late {
				s.part(id, "b-2", 2000)
			} else {
				s.step()    // the return
				s.deliver() // its event
			}
			s.settle()
			if b := s.bills[id]; len(b.Returns) != 2 || b.Kept != b.Paid-7000 || b.Owed != 7000 {
				s.t.Fatalf("the customer's money is forgotten: %+v", b)
			}
			s.want(id, "part_returned", "owed", "review")
		}
	}},
	{"E16l/the ledger has lost a confirm, and its clock has kept the money", nil, func(s *shop) {
		less := s.paid()
		if _, err := s.box.Confirm(s.ctx(), less, lane.ConfirmRequest{Final: money(10000)}); err != nil {
			s.t.Fatal(err)
		}
		s.settle()
		s.change(less, payment.EvReturned, func(b *payment.Bill) { b.Owed, b.Returned = 0, b.Owed })
		all := s.open(request("R-2"))
		s.pay(all)
		s.settle()
		s.confirm(all)
		s.settle()
		if n := s.box.InMemory(); n != 0 {
			s.t.Fatalf("%d in memory", n)
		}
		s.cut()
		for _, id := range []string{less, all} {
			b := s.bills[id] // the copy's
			b.Version, b.By, b.ByDeadline, b.Kept, b.Owed, b.Returned = b.Version+1<<20, "deadline", true, b.Paid, 0, 0
		}
		clear(s.kept)
		before := len(s.seen)
		s.connect(func(w *wire.Session) {
			w.Resume, w.Snapshot, w.Ledger = "snapshot", &wire.Snapshot{Seq: s.seq}, wire.LedgerRestored // settled in it: not listed
		})
		s.settle()
		if b := s.bills[less]; b.ByDeadline || b.Kept != 10000 || b.Owed != 2550 {
			s.t.Fatalf("what the goods did not cost is kept: %+v", b)
		}
		s.want(less, "confirmed", "owed", "review")
		for _, c := range s.seen[before:] {
			if c.Order == all {
				s.t.Errorf("asked about a sale whose sums are right: %s", c.ID)
			}
		}
		s.part(all, "b-1", 5000)
		s.settle()
		if b := s.bills[all]; b.ByDeadline || len(b.Returns) != 1 || b.Kept != b.Paid-5000 || b.Owed != 5000 {
			s.t.Fatalf("the customer's money does not come back: %+v", b)
		}
		s.want(all, "part_returned", "owed", "review")
	}},
	{"E32/unknown payment", nil, func(s *shop) {
		id := s.open(request("R-1"))
		other := &payment.Bill{Payment: "0000000000000000000000000b", Lane: "1", Version: 1, Life: payment.Open}
		s.emit(payment.EvOpen, other)
		s.pay(id)
		s.settle()
		s.want(id, "paid") // the stream goes on
		if _, err := s.j.Find(context.Background(), "parked", "2", ""); err != nil {
			s.t.Fatal(err)
		}
	}},
	{"E32/no row", nil, func(s *shop) {
		id := s.paid()
		s.change(id, payment.EvLate, func(b *payment.Bill) { b.LeaseMS = 30000 })
		s.settle()
		s.want(id, "paid", "review")
	}},
	{"C1/charge", nil, func(s *shop) {
		id := s.open(request("R-1", scanMode))
		s.pause[wire.BillCharge] = true
		if err := s.scan("code"); err != nil {
			s.t.Fatal(err)
		}
		if p := s.want(id, "charging"); p.Attempt != 1 {
			s.t.Fatalf("attempt %d", p.Attempt)
		}
		if c := s.j.Calls()[0]; !c.Volatile || c.ID != id+":charge:1" || !strings.Contains(string(c.Params), "code") {
			s.t.Fatalf("call %s", c.ID)
		}
	}},
	{"C1/too old", nil, func(s *shop) {
		s.row0("C1")
		s.open(request("R-1", scanMode))
		err := s.box.Scan(s.ctx(), "1", payment.NewCode("code"), now().Add(-61*time.Second), reading)
		s.refused(err, lane.NoCodeOld)
		s.refused(s.box.Scan(s.ctx(), "2", payment.NewCode("code"), now(), reading), lane.NoNotFound)
	}},
	{"C1a/with the request", nil, func(s *shop) {
		id := s.create(request("R-1", scanMode, func(r *lane.Request) { r.Code = payment.NewCode("early") }))
		s.settle()
		s.want(id, "paid")
		s.row("C1")
	}},
	{"C1a/read before bill.open", nil, func(s *shop) {
		id := s.create(request("R-1", scanMode))
		if err := s.scan("early"); err != nil {
			s.t.Fatal(err)
		}
		s.want(id, "submitted")
		s.settle()
		s.want(id, "paid")
		s.row("C1")
	}},
	{"C2/second scan", nil, func(s *shop) {
		s.codes["slow"] = "slow"
		id := s.open(request("R-1", scanMode))
		if err := s.scan("slow"); err != nil {
			s.t.Fatal(err)
		}
		s.refused(s.scan("other"), lane.NoWrongState)
		s.settle()
		s.want(id, "charging")
		s.sent(wire.BillCharge, 1)
	}},
	{"C3/paid", nil, func(s *shop) {
		id := s.open(request("R-1", scanMode))
		if err := s.scan("good"); err != nil {
			s.t.Fatal(err)
		}
		s.settle()
		s.want(id, "paid")
	}},
	{"C4/declined", nil, func(s *shop) {
		s.codes["bad"] = "declined"
		id := s.open(request("R-1", scanMode))
		if err := s.scan("bad"); err != nil {
			s.t.Fatal(err)
		}
		s.settle()
		s.want(id, "open")
		s.lights(id, false, false)
	}},
	{"C4p/declined while parked", nil, func(s *shop) {
		s.codes["slow"] = "slow"
		id := s.open(request("R-1", scanMode))
		if err := s.scan("slow"); err != nil {
			s.t.Fatal(err)
		}
		s.settle()
		s.change(id, payment.EvDoubt, func(b *payment.Bill) { b.Doubt = true })
		s.settle()
		s.wait(6 * time.Second)
		s.want(id, "in_doubt", "parked")
		s.change(id, payment.EvDeclined, func(b *payment.Bill) {
			b.Doubt, b.Charging, b.Declined = false, false, &payment.Decline{Attempt: 1, Why: "other"}
		})
		s.deliver()
		s.want(id, "closing", "parked")
		s.settle()
		s.sent(wire.BillReturn, 1)
	}},
	{"C5/no answer", nil, func(s *shop) {
		id := s.open(request("R-1", scanMode))
		s.pause[wire.BillCharge] = true
		if err := s.scan("code"); err != nil {
			s.t.Fatal(err)
		}
		s.wait(16 * time.Second)
		s.want(id, "in_doubt")
		s.lights(id, false, false)
	}},
	{"C6/after a restart", nil, func(s *shop) {
		id := s.open(request("R-1", scanMode))
		s.pause[wire.BillCharge] = true
		if err := s.scan("code"); err != nil {
			s.t.Fatal(err)
		}
		s.restart()
		s.want(id, "charging")
		s.settle()
		s.want(id, "open")
		s.noFrame(wire.BillCharge)
		s.sent(wire.BillChargeVoid, 1)
	}},
	{"C6/code too old", nil, func(s *shop) {
		id := s.open(request("R-1", scanMode))
		s.cut()
		synctest.Wait()
		if err := s.scan("code"); err != nil {
			s.t.Fatal(err)
		}
		s.wait(61 * time.Second)
		s.connect()
		s.settle()
		s.noFrame(wire.BillCharge)
		s.sent(wire.BillChargeVoid, 1)
		_ = id
	}},
	{"C6/the charge had arrived", nil, func(s *shop) {
		s.codes["slow"] = "slow"
		id := s.open(request("R-1", scanMode))
		s.pause[wire.BillCharge] = true
		if err := s.scan("slow"); err != nil {
			s.t.Fatal(err)
		}
		c := s.j.Calls()[0]
		s.handle(c) // sent, and the answer is lost with the box
		s.restart()
		s.settle()
		s.want(id, "charging")
		s.pay(id)
		s.settle()
		s.want(id, "paid")
	}},
	{"C7/countdown", nil, func(s *shop) {
		id := s.open(request("R-1", scanMode))
		s.wait(301 * time.Second)
		s.want(id, "closing")
		s.refused(s.scan("late"), lane.NoWrongState)
	}},
}

func TestRow(t *testing.T) {
	seen := map[string]bool{}
	for _, rt := range rowTests {
		id, _, _ := strings.Cut(rt.name, "/")
		seen[id] = true
		t.Run(rt.name, func(t *testing.T) {
			edit := rt.edit
			if edit == nil {
				edit = func(*checkout.Config) {}
			}
			in(t, func(s *shop) {
				rt.run(s)
				if !slices.Contains(s.rows, id) && !s.without {
					t.Errorf("row %s was not taken: %v", id, s.rows)
				}
			}, edit)
		})
	}
	t.Logf("%d tests of %d rows", len(rowTests), len(seen))
	for _, r := range lane.Rows {
		if !seen[r.ID] && !strings.HasPrefix(r.ID, "E33") { // E33: TestRestored
			t.Errorf("row %s has no test", r.ID)
		}
	}
}

// row0 says that this test is about the row's refusal, which takes no step.
func (s *shop) row0(string) { s.without = true }

// took is for rows whose work is a refusal: they cannot be seen from outside but by it.
func (s *shop) took(string) { s.without = true }

func replaces(id string) func(*lane.Request) { return func(r *lane.Request) { r.Replaces = id } }

func money(n int64) *payment.Money { m := rub(n); return &m }

func closing(b *payment.Bill) { b.Life, b.Reason = payment.Closing, payment.Expire }

// sent fails unless the integrator was sent n calls of that method.
func (s *shop) sent(method string, n int) {
	s.t.Helper()
	got := 0
	for _, c := range s.seen {
		if c.Method == method {
			got++
		}
	}
	if got != n {
		s.t.Fatalf("%d calls %s were sent, want %d", got, method, n)
	}
}

// codes1 are the views that put this payment's code on glass.
func (s *shop) codes1(id string) (out []checkout.View) {
	for _, v := range s.stage.all() {
		if v.Payment == id && v.Payload != "" {
			out = append(out, v)
		}
	}
	return out
}

func (s *shop) noCode(id string) {
	s.t.Helper()
	if n := len(s.codes1(id)); n > 0 {
		s.t.Fatalf("the code was drawn %d times", n)
	}
}

func (s *shop) extend(id string, by time.Duration) (p lane.Public, decided bool, err error) {
	s.t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		p, decided, err = s.box.Extend(s.ctx(), id, by)
	}()
	synctest.Wait()
	s.step()
	<-done
	return p, decided, err
}

// parked is a payment that has given its lane up while closing.
func (s *shop) parked() string {
	s.t.Helper()
	id := s.open(request("R-1"))
	s.wait(306 * time.Second)
	s.want(id, "closing", "parked")
	return id
}

// late is a payment with late money on offer.
func (s *shop) late() string {
	s.t.Helper()
	id := s.open(request("R-1"))
	s.wait(301 * time.Second)
	s.change(id, payment.EvLate, func(b *payment.Bill) {
		closing(b)
		b.Late, b.Paid, b.Held, b.Fill, b.LeaseMS, b.RemainingMS = payment.LateOffered, 12550, 12550, payment.Full, 30000, 0
	})
	s.settle()
	return id
}

func (s *shop) accept(id string) {
	s.t.Helper()
	if _, err := s.box.Accept(s.ctx(), id); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) paid() string {
	s.t.Helper()
	id := s.open(request("R-1"))
	s.pay(id)
	s.settle()
	s.want(id, "paid")
	return id
}

// goesBack looks at what the customer reads of his returns.
func (s *shop) goesBack(value int64) {
	s.t.Helper()
	synctest.Wait() // the glass comes behind the answer
	if v := s.stage.now("1"); v.Screen != "returning" || v.Back.Value != value {
		s.t.Fatalf("the customer reads %q of %d, want returning of %d", v.Screen, v.Back.Value, value)
	}
}

// overridden cuts the line, waits for doubt and lets a supervisor take cash.
func (s *shop) overridden(id string) {
	s.t.Helper()
	s.cut()
	s.wait(16 * time.Second)
	p, err := s.box.Override(s.ctx(), id, lane.OverrideRequest{Tender: "cash", Who: "Ann", Why: "no link"})
	if err != nil || p.State != "overridden" || p.Override.Who != "Ann" {
		s.t.Fatalf("override: %+v %v", p, err)
	}
}

func (s *shop) part(id, reference string, n int64) {
	s.t.Helper()
	if _, err := s.box.Return(s.ctx(), id, lane.ReturnRequest{Reference: reference, Amount: money(n)}); err != nil {
		s.t.Fatal(err)
	}
}
