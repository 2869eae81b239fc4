package checkout_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"tilld/internal/checkout"
	"tilld/internal/wire"
	"tilld/payment"
	"tilld/payment/lane"
)

// at is what stands on a lane's glass now.
func (s *stage) at(lane string) checkout.View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.glass[lane]
}

// announced are the events about availability.
func (s *shop) announced() (out []string) {
	for _, e := range s.events() {
		if e.Type == "availability" {
			out = append(out, string(e.Data))
		}
	}
	return out
}

func TestACustomerEndsWhatIsNotPaid(t *testing.T) {
	in(t, func(s *shop) {
		id := s.open(request("R-1"))
		if err := s.box.Abandon(s.ctx(), id); err != nil {
			t.Fatal(err)
		}
		s.wait(0)
		if got := s.stage.at("1"); got.Payload != "" || got.Screen != "closing" {
			t.Errorf("on the glass: %+v", got)
		}
		if err := s.box.Abandon(s.ctx(), id); err == nil {
			t.Error("a second touch ends it once more")
		}
		s.settle()
		s.closeBill(id, payment.Returning)
		s.settle()
		if p := s.want(id, "canceled"); len(p.Returns) != 1 || p.Returns[0].Reason != "customer" || !slices.Contains(s.rows, "E10") {
			t.Errorf("returns %+v, rows %v", p.Returns, s.rows)
		}
	})
}

func TestACustomerDoesNotGiveBackWhatIsPaid(t *testing.T) {
	in(t, func(s *shop) {
		id := s.open(request("R-1"))
		s.pay(id)
		s.settle()
		s.want(id, "paid")
		if r := s.refused(s.box.Abandon(s.ctx(), id), lane.NoWrongState); r.Payment == nil || !r.Payment.Lights.HandOver {
			t.Errorf("the refusal shows %+v", r.Payment)
		}
		s.refused(s.box.Abandon(s.ctx(), "00000000000000000000000000"), lane.NoNotFound)
	})
}

func TestTheLastScreenMakesRoom(t *testing.T) {
	in(t, func(s *shop) {
		if after, err := s.box.Yield(s.ctx(), "1"); err != nil || after != "" {
			t.Errorf("an idle lane: %q, %v", after, err)
		}
		id := s.open(request("R-1"))
		if r := s.refused(second(s.box.Yield(s.ctx(), "1")), lane.NoLaneBusy); r.Payment == nil || r.Payment.ID != id {
			t.Errorf("the refusal shows %+v", r.Payment)
		}
		s.pay(id)
		s.settle()
		s.wait(500 * time.Millisecond)
		if after, err := s.box.Yield(s.ctx(), "1"); err != nil || after != id {
			t.Fatalf("a paid payment: %q, %v", after, err)
		}
		if got := s.stage.at("1"); got.Screen != "paid" {
			t.Errorf("half a second after: %+v", got)
		}
		s.wait(1600 * time.Millisecond)
		if got := s.stage.at("1"); got.Screen != "idle" {
			t.Errorf("two seconds after: %+v", got)
		}
		s.refused(second(s.box.Yield(s.ctx(), "9")), lane.NoLane)
	})
}

func second[T any](_ T, err error) error { return err }

func TestTheCustomerGoes(t *testing.T) {
	in(t, func(s *shop) {
		id := s.open(request("R-1", func(r *lane.Request) { r.Lane = "2" }))
		if err := s.box.Dismiss(s.ctx(), "2", id); err != nil {
			t.Fatal(err)
		}
		if got := s.stage.at("2"); got.Payload == "" {
			t.Error("a touch has taken a live code off the glass")
		}
		s.pay(id)
		s.settle()
		if err := s.box.Dismiss(s.ctx(), "2", "another"); err != nil {
			t.Fatal(err)
		}
		s.wait(0)
		if got := s.stage.at("2"); got.Screen != "paid" {
			t.Errorf("another customer's touch: %+v", got)
		}
		if err := s.box.Dismiss(s.ctx(), "2", id); err != nil {
			t.Fatal(err)
		}
		s.wait(0)
		if got := s.stage.at("2"); got.Screen != "idle" {
			t.Errorf("his own: %+v", got)
		}
	})
}

// At a till without a cashier the customer takes the receipt off the page with a phone: its code stands longer than the
// word "paid" alone, from when it came.
func TestAReceiptsCodeStaysLongerThanPaid(t *testing.T) {
	for _, late := range []time.Duration{0, 10 * time.Second} {
		t.Run("after "+late.String(), func(t *testing.T) {
			in(t, func(s *shop) {
				id := s.open(request("R-1", func(r *lane.Request) { r.Lane = "2" }))
				s.pay(id)
				s.settle()
				s.wait(late)
				if _, err := s.box.Confirm(s.ctx(), id, lane.ConfirmRequest{Receipt: &lane.Receipt{URL: "https://receipt.example/1"}}); err != nil {
					t.Fatal(err)
				}
				s.settle()
				s.wait(29 * time.Second)
				if got := s.stage.at("2"); got.Screen != "paid" || got.Receipt != "https://receipt.example/1" {
					t.Errorf("29 s after the receipt: %+v", got)
				}
				s.wait(2 * time.Second)
				if got := s.stage.at("2"); got.Screen != "idle" {
					t.Errorf("31 s after it: %+v", got)
				}
			})
		})
	}
	t.Run("without", func(t *testing.T) {
		in(t, func(s *shop) {
			id := s.open(request("R-1", func(r *lane.Request) { r.Lane = "2" }))
			s.pay(id)
			s.settle()
			s.wait(16 * time.Second)
			if got := s.stage.at("2"); got.Screen != "idle" {
				t.Errorf("16 s after: %+v", got)
			}
		})
	})
}

func TestNothingCanShowACode(t *testing.T) {
	var own atomic.Bool
	can := func(_ string, outputs []string) bool {
		return own.Load() && outputs == nil || slices.Contains(outputs, "till")
	}
	in(t, func(s *shop) {
		a, err := s.box.Availability(s.ctx(), "1")
		if err != nil || a.Show.OK || a.Show.Why != "no_output" || a.Show.Since == nil || !a.Scan.OK {
			t.Errorf("%+v, %v", a, err)
		}
		_, _, err = s.box.Create(s.ctx(), request("R-1"))
		if r := s.refused(err, lane.NoUnavailable); r.Why != "no_output" {
			t.Errorf("why %q", r.Why)
		}
		s.open(request("R-2", func(r *lane.Request) { r.Outputs = []string{"till"} }))
		own.Store(true)
		before := len(s.announced())
		if err := s.box.Look(s.ctx()); err != nil {
			t.Fatal(err)
		}
		s.wait(0)
		if got := s.announced(); len(got) != before+2 {
			t.Errorf("the till is not told: %v", got)
		}
	}, func(c *checkout.Config) { c.CanShow = can })
}

// A lane that can take nothing tells its customers, for as long as the till is told, and no payment's screen is cut short
// for it.
func TestTheGlassOfALaneThatTakesNothing(t *testing.T) {
	in(t, func(s *shop) {
		is := func(one, two string) {
			t.Helper()
			s.wait(0)
			a, z := s.stage.at("1"), s.stage.at("2")
			if a.Screen != one || z.Screen != two {
				t.Fatalf("lane 1 shows %+v, lane 2 %+v; want %s, %s", a, z, one, two)
			}
			for _, v := range []checkout.View{a, z} {
				if v.Screen == "unavailable" && (v.Payment != "" || v.Why == "" || v.Sound != "") {
					t.Errorf("at rest: %+v", v)
				}
			}
		}
		is("idle", "idle")
		s.cut()
		s.wait(2 * time.Second)
		is("idle", "idle") // a blip
		s.wait(2 * time.Second)
		is("unavailable", "unavailable")
		s.connect(func(w *wire.Session) { w.Providers, w.ScanProviders = nil, nil })
		is("unavailable", "unavailable")
		s.box.Providers(wire.Providers{Scan: []string{"sandbox"}})
		is("idle", "idle") // one of two ways is enough
		s.connect()
		is("idle", "idle")

		id := s.open(request("R-1"))
		s.pay(id)
		s.settle()
		s.cut()
		s.wait(4 * time.Second)
		is("paid", "unavailable")
		s.wait(3 * time.Second)
		is("unavailable", "unavailable")
		views := slices.DeleteFunc(s.stage.all(), func(v checkout.View) bool { return v.Lane != "1" })
		if n := len(views); views[n-2].Screen != "paid" {
			t.Errorf("a word of welcome between them: %+v", views[n-2])
		}
		s.connect()
		is("idle", "idle")
	})
}

// TestNoMoreTimeIsOfferedThanThereIs: the customer of a lane without a cashier is told of more time while the box can give it,
// and no longer; where a cashier is asked, the page has nothing to offer.
func TestNoMoreTimeIsOfferedThanThereIs(t *testing.T) {
	in(t, func(s *shop) {
		alone := s.open(request("R-1", func(r *lane.Request) { r.Lane = "2" }))
		s.open(request("R-2"))
		says := func(when string, no bool) {
			t.Helper()
			s.wait(0)
			if v := s.stage.at("2"); v.Payment != alone || v.NoMore != no {
				t.Errorf("%s: on the glass: %+v, want NoMore %v", when, v, no)
			}
			if v := s.stage.at("1"); v.NoMore {
				t.Errorf("%s: where a cashier is there: %+v", when, v)
			}
		}
		says("a fresh code", false)
		s.cut()
		says("the line is gone", true)
		s.connect()
		s.settle()
		says("the line is back", false)
		for range lane.MaxExtends {
			if _, decided, err := s.extend(alone, 5*time.Minute); err != nil || !decided {
				t.Fatal(decided, err)
			}
			s.settle()
			s.wait(time.Second)
		}
		says("as often as may be", true)
	})
}
