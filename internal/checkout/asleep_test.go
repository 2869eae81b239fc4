package checkout_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/checkout"
	"tilld/internal/wire"
	"tilld/payment"
	"tilld/payment/lane"
)

// dozer is a shop whose machine can be suspended: the wall clock goes on then, and the one that all waits are of does not.
type dozer struct {
	*shop
	off atomic.Int64 // by how much the wall clock is ahead, all sleeps so far
}

// sleeps suspends the machine for d. Nothing is due when it wakes.
func (s *dozer) sleeps(d time.Duration) {
	s.t.Helper()
	s.off.Add(int64(d))
	synctest.Wait()
}

// anew is what the daemon does then: the box ends, the glass says that the till is closed, and a new one starts. The line is
// not there yet.
func (s *dozer) anew() {
	s.t.Helper()
	s.halt()
	s.stage.clear("1")
	s.start()
}

// dark fails while a code is on the glass.
func (s *dozer) dark() {
	s.t.Helper()
	synctest.Wait()
	if v := s.stage.now("1"); v.Payload != "" {
		s.t.Fatalf("the glass has %+v", v)
	}
}

func dozing(t *testing.T, f func(s *dozer)) {
	var s dozer
	in(t, func(shop *shop) { s.shop = shop; f(&s) }, func(c *checkout.Config) {
		c.Wall = func() time.Time { return time.Now().Add(time.Duration(s.off.Load())) }
	})
}

// TestAStartCountsWhatTheMachineHasSlept: a box that ends because its machine was suspended, and starts again, has each clock
// where it would be had it not slept.
func TestAStartCountsWhatTheMachineHasSlept(t *testing.T) {
	for name, f := range map[string]func(s *dozer){
		"PastTheEndOfACode": func(s *dozer) {
			id := s.open(request("R-1"))
			s.sleeps(10 * time.Minute)
			if v := s.stage.now("1"); v.Payload == "" || s.want(id, "open").QR == nil {
				s.t.Fatalf("without a new start the code would not have stayed, and this test shows nothing: %+v", v)
			}
			s.anew()
			s.want(id, "closing")
			s.dark()
			s.connect()
			s.pay(id) // on time, says the bank
			s.settle()
			s.want(id, "paid")
			s.lights(id, true, false)
			s.confirm(id)
			s.settle()
			s.want(id, "confirmed")
		},
		"UnderACode": func(s *dozer) {
			id := s.open(request("R-1"))
			s.wait(time.Minute)
			s.sleeps(2 * time.Minute)
			s.anew()
			s.want(id, "open")
			if v := s.stage.now("1"); v.Payload == "" || v.RemainingMS != 120_000 {
				s.t.Fatalf("the glass has %+v", v)
			}
			s.connect()
			s.wait(2*time.Minute + time.Millisecond)
			s.want(id, "closing")
			s.dark()
		},
		"TwiceUnderACode": func(s *dozer) {
			id := s.open(request("R-1"))
			for range 2 {
				s.sleeps(2 * time.Minute)
				s.anew()
			}
			if v := s.stage.now("1"); v.Payload == "" || v.RemainingMS != 60_000 {
				s.t.Fatalf("the glass has %+v", v)
			}
			s.want(id, "open")
		},
		"UntilTooLittleIsLeft": func(s *dozer) {
			id := s.open(request("R-1"))
			s.sleeps(4*time.Minute + 51*time.Second)
			s.anew()
			if p := s.want(id, "open"); p.QR != nil || s.stage.now("1").Payload != "" {
				s.t.Fatalf("a code for nine seconds: %+v", p.QR)
			}
			s.wait(9*time.Second + time.Millisecond)
			s.want(id, "closing")
		},
		"PastTheWaitForACustomersCode": func(s *dozer) {
			id := s.open(request("R-1", scanMode))
			s.sleeps(10 * time.Minute)
			s.anew()
			s.row("C7")
			if p := s.get(id); p.State == "open" {
				s.t.Fatalf("it waits for a code still: %+v", p)
			}
			if yes, err := s.box.Waits(s.ctx(), "1"); yes || err != nil {
				s.t.Fatalf("waits %v, %v", yes, err)
			}
		},
		"UnderACustomersCode": func(s *dozer) { // read before, and too old by now
			id := s.open(request("R-1", scanMode))
			s.cut()
			synctest.Wait()
			if err := s.scan("code"); err != nil {
				s.t.Fatal(err)
			}
			s.sleeps(2 * time.Minute)
			s.anew()
			s.connect()
			s.settle()
			s.noFrame(wire.BillCharge)
			s.sent(wire.BillChargeVoid, 1)
			s.want(id, "open")
		},
		"PastTheLongestThatSomebodyPays": func(s *dozer) {
			id := s.open(request("R-1"))
			s.change(id, payment.EvPaying, func(b *payment.Bill) { b.Paying = true })
			s.settle()
			s.want(id, "paying")
			s.sleeps(25 * time.Minute)
			s.want(id, "paying")
			s.anew()
			s.row("E9p")
			s.want(id, "closing")
		},
		"PastTheOfferOfLateMoney": func(s *dozer) {
			id := s.late()
			s.sleeps(time.Minute)
			s.anew()
			s.row("E8b")
			s.want(id, "closing", "late")
			s.connect()
			_, err := s.box.Accept(s.ctx(), id)
			s.refused(err, lane.NoWrongState)
			s.lights(id, false, false)
		},
		"PaidAndNotConfirmed": func(s *dozer) {
			id := s.open(request("R-1", func(r *lane.Request) { r.Lane = "2" })) // self-service: it is given back
			s.pay(id)
			s.settle()
			s.sleeps(10 * time.Minute)
			if slices.Contains(s.told(id), lane.EvUnfinished) {
				s.t.Fatal("the till is asked already, and this test shows nothing")
			}
			s.anew()
			s.want(id, "paid")
			s.lights(id, true, false)
			s.tells(id, lane.EvUnfinished) // first the till is asked, as always
			s.connect()
			s.wait(time.Minute + time.Millisecond)
			s.settle()
			s.want(id, "returned", "owed")
		},
		"BesideNothing": func(s *dozer) {
			s.sleeps(8 * time.Hour)
			s.anew()
			s.connect()
			synctest.Wait()
			s.open(request("R-1"))
		},
	} {
		t.Run(name, func(t *testing.T) { dozing(t, f) })
	}
}
