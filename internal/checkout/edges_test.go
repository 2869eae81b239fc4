package checkout_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/checkout"
	"tilld/internal/depth"
	"tilld/internal/wire"
	"tilld/payment"
	"tilld/payment/lane"
)

// canceled is a sale that was cancelled and is over.
func (s *shop) canceled(ref string) string {
	s.t.Helper()
	id := s.open(request(ref))
	s.giveBack(id)
	s.settle()
	s.closeBill(id, payment.Returning)
	s.settle()
	s.want(id, "canceled")
	return id
}

func TestACopyUsesNoNumberAgain(t *testing.T) {
	for _, early := range []bool{false, true} {
		name := "acknowledged after the session"
		if early {
			name = "acknowledged before the session, and started again"
		}
		t.Run(name, func(t *testing.T) {
			in(t, func(s *shop) {
				used := map[string]bool{s.get(s.canceled("R-1")).Number: true}
				s.halt()
				copyOf := s.copyJournal()
				s.start()
				s.connect()
				used[s.get(s.canceled("R-2")).Number] = true
				s.halt()
				s.restoreJournal(copyOf)
				s.start()
				acknowledge := func() {
					if err := s.box.Acknowledge(s.ctx(), "Ann", "new disk"); err != nil {
						t.Fatal(err)
					}
				}
				if early {
					acknowledge()
					_, _, err := s.box.Create(s.ctx(), request("R-3"))
					s.refused(err, lane.NoUnavailable)
					s.halt()
					s.start()
				}
				if !s.box.Copied() {
					t.Fatal("the integrator would never be told")
				}
				// A session that was opened before the box knew: the integrator would answer with the block that it had leased.
				err := s.o.Session(s.ctx(), wire.Session{
					Session: "s", Resume: "ok", JournalState: "known", Providers: []string{"sandbox"},
					Numbers: &payment.Numbers{Day: time.Now().UTC().Format(time.DateOnly), From: 4821, To: 5820},
				})
				if err == nil {
					t.Fatal("numbers of before the copy were taken")
				}
				s.connect()
				if s.box.Copied() {
					t.Fatal("told again and again")
				}
				if !early {
					acknowledge()
				} else if s.j.Meta().Restored {
					t.Fatal("a person is asked twice")
				}
				n := s.get(s.open(request("R-3"))).Number
				if used[n] || n < "5821" {
					t.Fatalf("number %s after %v", n, used)
				}
			})
		})
	}
}

// An event that waited for the line was written earlier than it came: what it says is left is that much less.
func TestCountdownOfAnEventThatWaited(t *testing.T) {
	in(t, func(s *shop) {
		id := s.create(request("R-1"))
		s.step()
		s.queue[0].Age = 100_000
		s.settle()
		if p := s.want(id, "open"); *p.RemainingMS != 200_000 {
			t.Fatalf("remaining %d ms", *p.RemainingMS)
		}
		s.wait(200 * time.Second)
		s.want(id, "closing")
	})
}

func TestAnEventOlderThanTheCodeClosesIt(t *testing.T) {
	in(t, func(s *shop) {
		id := s.create(request("R-1"))
		s.step()
		s.queue[0].Age = 400_000
		s.run()
		s.wait(time.Second)
		s.want(id, "closing")
	})
}

func TestLeaseOfAnEventThatWaited(t *testing.T) {
	in(t, func(s *shop) {
		id := s.open(request("R-1"))
		s.wait(5 * time.Minute)
		s.want(id, "closing")
		s.change(id, payment.EvLate, func(b *payment.Bill) {
			b.Life, b.Reason, b.Fill, b.Late, b.Paid, b.Held, b.LeaseMS = payment.Closing, payment.Expire, payment.Full, payment.LateOffered, b.Amount.Value, b.Amount.Value, 30_000
		})
		s.queue[0].Age, s.queue[0].Fresh = 10_000, 30_000
		s.settle()
		if p := s.get(id); p.LateOffer == nil || p.LateOffer.RemainingMS != 20_000 {
			t.Fatalf("offer %+v", p.LateOffer)
		}
	})
}

// The stream may have been cut where the bill opened: then a snapshot says so, and the code that came with the request
// is charged all the same (C1a).
func TestACodeOfTheRequestIsChargedAfterASnapshot(t *testing.T) {
	in(t, func(s *shop) {
		id := s.create(request("R-1", scanMode, func(r *lane.Request) { r.Code = payment.NewCode("CODE-1") }))
		s.step()
		s.cut()
		s.queue = nil
		s.connect(func(w *wire.Session) { w.Resume, w.Snapshot = "snapshot", &wire.Snapshot{Seq: s.seq} })
		s.settle()
		s.want(id, "paid")
		s.row("C1a", "C1", "E31")
	})
}

// A box of which nobody confirmed anything for months comes back without its journal: 5,000 bills are one commit, and a
// restart behind it asks for each of them.
func TestASnapshotOfThousandsIsOneCommit(t *testing.T) {
	in(t, func(s *shop) {
		bills := depth.Figure(t, "bills of a snapshot", 1200, 5000, 5000) // more than one frame bears
		ids := make([]string, bills)
		for i := range ids {
			ids[i] = fmt.Sprintf("01m9k4t7v0q8x2w5y3z%07d", i)
		}
		id := s.open(request("R-1"))
		s.cut()
		writes := s.j.Meta().Writes
		s.seq += int64(bills)
		s.connect(func(w *wire.Session) {
			w.Resume, w.Snapshot = "snapshot", &wire.Snapshot{Seq: s.seq, Payments: ids}
		})
		if m := s.j.Meta(); m.Writes != writes+1 || m.Seen != s.seq {
			t.Errorf("%d commits, seen %d, want 1 and %d", m.Writes-writes, m.Seen, s.seq)
		}
		s.halt()
		s.start()
		asked := map[string]int{}
		for _, c := range s.j.Calls() {
			if c.Method == wire.BillGet {
				asked[c.Order]++
			}
		}
		for _, want := range slices.Concat(ids, []string{id}) { // its own unfinished one is asked about too
			if asked[want] != 1 {
				t.Fatalf("%s is asked about %d times", want, asked[want])
			}
		}
		t.Logf("%d bills are asked about after a restart", len(asked))
		s.without = true
	})
}

func TestASaleThatWasOverriddenIsNotReplacedThroughItsLaterPayment(t *testing.T) {
	in(t, func(s *shop) {
		a := s.open(request("R-1"))
		s.pause[wire.BillReturn] = true
		b := s.create(request("R-2", func(r *lane.Request) { r.Replaces = a }))
		s.cut()
		s.wait(16 * time.Second)
		if _, err := s.box.Override(s.ctx(), a, lane.OverrideRequest{Tender: "cash", Who: "Ann", Why: "no link"}); err != nil {
			t.Fatal(err)
		}
		s.want(b, "canceled")
		s.connect()
		_, _, err := s.box.Create(s.ctx(), request("R-3", func(r *lane.Request) { r.Replaces = b }))
		s.refused(err, lane.NoOverridden)
		s.create(request("R-4")) // the lane is free
	})
}

func TestEveryPaymentOfASaleIsToldThatItIsOver(t *testing.T) {
	in(t, func(s *shop) {
		a := s.open(request("A"))
		b := s.create(request("B", func(r *lane.Request) { r.Replaces = a }))
		s.settle()
		s.closeBill(a, payment.Returning)
		s.settle()
		s.want(b, "open")
		c := s.create(request("C", func(r *lane.Request) { r.Replaces = b }))
		s.settle()
		s.closeBill(b, payment.Returning)
		s.settle()
		s.want(c, "open")
		last := func(id string) lane.Public {
			var p lane.Public
			for _, e := range s.events() {
				if e.Subject == id {
					p = publicOf(t, e)
				}
			}
			return p
		}
		for _, id := range []string{a, b, c} {
			if last(id).Lights.OtherTender {
				t.Fatalf("%s: free while C can be paid", id)
			}
		}
		s.giveBack(c)
		s.settle()
		s.closeBill(c, payment.Returning)
		s.settle()
		for _, id := range []string{a, b, c} {
			if p := last(id); !p.Lights.OtherTender || p.Version != s.get(id).Version {
				t.Errorf("%s: last told %+v at version %d", p.Reference, p.Lights, p.Version)
			}
		}
	})
}

func TestConfirmInAnotherCurrencyIsRefused(t *testing.T) {
	in(t, func(s *shop) {
		id := s.paid()
		_, err := s.box.Confirm(s.ctx(), id, lane.ConfirmRequest{Final: &payment.Money{Value: 12550, Currency: "USD"}})
		if r := s.refused(err, lane.NoFinalExceedsPaid); r.Why != "currency" || r.Payment == nil {
			t.Fatalf("refusal %+v", r)
		}
		s.want(id, "paid")
	})
}

// A wall clock that jumps between two runs moves no money and draws no dead code for longer than its life.
func TestWallClockJumpsOverARestart(t *testing.T) {
	in(t, func(s *shop) {
		id := s.open(request("R-1"))
		s.cut()
		s.halt()
		time.Sleep(10 * 365 * 24 * time.Hour) // the clock was set forward, or the box lay in a cupboard
		s.start()
		s.want(id, "closing")
		if v := s.stage.now("1"); v.Payload != "" {
			t.Fatalf("glass %+v", v)
		}
		s.connect()
		s.pay(id) // on time, says the bank
		s.settle()
		s.want(id, "paid")
		s.confirm(id)
		s.settle()
		s.want(id, "confirmed")
		if n := len(s.events()); n == 0 {
			t.Error("the till's events are gone")
		}
	})
}

// Whoever reads a code while another is charged must not have it written, whatever it looks like.
func TestALaneThatChargesStillWaits(t *testing.T) {
	in(t, func(s *shop) {
		waits := func(want bool) {
			t.Helper()
			if w, err := s.box.Waits(s.ctx(), "1"); err != nil || w != want {
				t.Fatalf("waits %v, %v", w, err)
			}
		}
		waits(false)
		s.codes["LOYAL-1"] = "slow"
		id := s.open(request("R-1", scanMode))
		waits(true)
		if err := s.scan("LOYAL-1"); err != nil {
			t.Fatal(err)
		}
		s.settle()
		s.want(id, "charging")
		waits(true)
		s.pay(id)
		s.settle()
		waits(false)
	})
}

func TestAvailabilityIsToldOnce(t *testing.T) {
	in(t, func(s *shop) {
		count := func() (n int) {
			for _, e := range s.events() {
				if e.Type == "availability" {
					n++
				}
			}
			return n
		}
		s.wait(time.Second)
		before := count()
		s.canceled("R-1")
		s.wait(time.Minute)
		if n := count() - before; n != 0 {
			t.Errorf("%d events although nothing changed", n)
		}
		s.cut()
		s.wait(10 * time.Second)
		if n := count() - before; n != 2 {
			t.Errorf("%d events of two lanes without a line", n)
		}
		for _, e := range s.events() {
			if e.Type == "availability" && !slices.Contains([]string{"1", "2"}, e.Lane) {
				t.Errorf("event %+v", e)
			}
		}
		synctest.Wait()
	})
}

// E4: a code that its own picture does not give back may be shown nowhere, by the till neither.
func TestACodeThatCannotBeReadBackIsNotTheTillsToShow(t *testing.T) {
	in(t, func(s *shop) {
		s.stage.set(s.stage.broken, "1", true)
		id := s.create(request("R-1", func(r *lane.Request) { r.Outputs = []string{"till"} }))
		s.settle()
		s.want(id, "closing")
		s.row("E4")
	})
}

// The old payment of a sale is fenced and the new one can be paid: other money for the old one would be money for the
// same goods twice.
func TestOverrideIsOfTheNewestPaymentOfASale(t *testing.T) {
	in(t, func(s *shop) {
		a := s.open(request("A"))
		b := s.create(request("B", func(r *lane.Request) { r.Replaces = a }))
		s.settle()
		s.want(b, "open")
		s.cut()
		s.wait(16 * time.Second)
		if n := s.get(a).Next; slices.Contains(n, "override") {
			t.Errorf("next of the old one is %v", n)
		}
		o := lane.OverrideRequest{Tender: "cash", Who: "Ann", Why: "no link"}
		_, err := s.box.Override(s.ctx(), a, o)
		if r := s.refused(err, lane.NoWrongState); r.Payment == nil || r.Payment.ID != b {
			t.Fatalf("refusal names %+v", r.Payment)
		}
		s.lights(a, false, false)
		if p, err := s.box.Override(s.ctx(), b, o); err != nil || !p.Lights.OtherTender {
			t.Fatalf("%+v, %v", p.Lights, err)
		}
		s.lights(a, false, true)
	})
}

// A till that never sends receipts must not fill the memory: once that is said, the payment is the journal's.
func TestAPaymentWithoutItsReceiptLeavesTheMemory(t *testing.T) {
	in(t, func(s *shop) {
		id := s.paid()
		s.confirm(id)
		s.settle()
		count := func() int {
			ps, err := s.box.List(s.ctx(), lane.Filter{})
			if err != nil {
				t.Fatal(err)
			}
			return len(ps)
		}
		if count() != 1 {
			t.Fatal("gone before its receipt is missed")
		}
		s.wait(3 * time.Minute)
		s.want(id, "confirmed", "no_receipt")
		if n := count(); n != 0 {
			t.Fatalf("%d payments in memory", n)
		}
		p, err := s.box.PutReceipt(s.ctx(), id, lane.Receipt{Number: "7"})
		if err != nil || slices.Contains(p.Flags, "no_receipt") {
			t.Fatalf("%v, %v", p.Flags, err)
		}
		if s.restart(); count() != 0 {
			t.Fatal("back after a restart")
		}
	}, func(c *checkout.Config) {
		l := c.Lanes["1"]
		l.WantReceipt = true
		c.Lanes["1"] = l
	})
}
