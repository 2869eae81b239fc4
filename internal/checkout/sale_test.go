package checkout_test

import (
	"testing"
	"testing/synctest"

	"tilld/internal/record"
	"tilld/payment"
	"tilld/payment/lane"
)

func TestShownCodeIsPaidConfirmedAndPartReturned(t *testing.T) {
	in(t, func(s *shop) {
		id := s.open(request("R-1"))
		if v := s.stage.now("1"); v.Payload == "" || v.Screen != "code" || v.RemainingMS <= 0 {
			t.Fatalf("glass is %+v", v)
		}
		s.lights(id, false, false)
		s.pay(id)
		s.settle()
		s.want(id, "paid")
		s.lights(id, true, false)
		if v := s.stage.now("1"); v.Payload != "" || v.Screen != "paid" {
			t.Fatalf("glass is %+v", v)
		}
		s.confirm(id)
		s.settle()
		s.want(id, "confirmed")
		amount := rub(50)
		r, err := s.box.Return(s.ctx(), id, lane.ReturnRequest{Reference: "B-1", Amount: &amount})
		if err != nil || r.State != "pending" || r.Amount.Value != 50 {
			t.Fatalf("return: %+v, %v", r, err)
		}
		s.settle()
		s.want(id, "part_returned", "owed")
		s.change(id, payment.EvReturned, func(b *payment.Bill) { b.Owed, b.Returned, b.Returns[0].State = 0, 50, "done" })
		s.settle()
		if p := s.want(id, "part_returned"); p.Returned.Value != 50 || p.Returns[0].State != "done" {
			t.Fatalf("returned %+v, %+v", p.Returned, p.Returns)
		}
		if n := s.box.InMemory(); n != 0 {
			t.Errorf("%d payments in memory after the end", n)
		}
		s.tells(id, lane.EvSubmitted, lane.EvOpened, lane.EvPaid, lane.EvConfirmed, lane.EvReturning, lane.EvReturned)
	})
}

func TestScannedCodeIsDeclinedThenPaid(t *testing.T) {
	in(t, func(s *shop) {
		s.codes["bad"] = "declined"
		id := s.open(request("R-1", scanMode))
		if err := s.scan("bad"); err != nil {
			t.Fatal(err)
		}
		s.want(id, "charging")
		s.settle()
		if p := s.want(id, "open"); p.LastDecline == nil || p.LastDecline.Why != "not_enough" {
			t.Fatalf("last decline %+v", p.LastDecline)
		}
		s.lights(id, false, false)
		if err := s.scan("good"); err != nil {
			t.Fatal(err)
		}
		s.settle()
		s.want(id, "paid")
		s.confirm(id)
		s.settle()
		s.want(id, "confirmed")
		s.row("C1", "C4", "C3", "E14", "E15")
		// A reading that was taken stands beside what it began, in one commit; one that was refused is its owner's.
		s.tells("reading", "scan", "scan")
		s.refused(s.scan("more"), lane.NoNotFound)
		s.tells("reading", "scan", "scan")
		all := s.events()
		for i, e := range all {
			if e.Type == "scan" && all[i+1].Type != lane.EvCharging {
				t.Errorf("the reading is followed by %s", all[i+1].Type)
			}
		}
	})
}

// reading is a reading as the box is told of it.
var reading = record.Event{Type: "scan", Lane: "1", Subject: "reading", Data: []byte("{}")}

func (s *shop) scan(code string) error {
	err := s.box.Scan(s.ctx(), "1", payment.NewCode(code), now(), reading)
	synctest.Wait()
	return err
}
