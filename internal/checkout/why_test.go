package checkout_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"tilld/internal/checkout"
	"tilld/internal/wire"
	"tilld/internal/words"
	"tilld/payment"
	"tilld/payment/lane"
)

// TestTheCashierHearsWhyNobodyCanPay: a lane that takes nothing names the reason in a sentence, in its own language, where it
// is the line's or the bank's; so does the refusal of a payment, and the till is told when the reason changes.
func TestTheCashierHearsWhyNobodyCanPay(t *testing.T) {
	russian := func(c *checkout.Config) {
		l := c.Lanes["2"]
		l.Language = "ru"
		c.Lanes["2"] = l
	}
	in(t, func(s *shop) {
		is := func(code string) {
			t.Helper()
			s.wait(0)
			for name, tag := range map[string]string{"1": "en", "2": "ru"} {
				a, err := s.box.Availability(s.ctx(), name)
				want, known := words.For(tag).Why(code)
				if err != nil || a.Say == nil || a.Say.Code != "unavailable" || a.Say.Why != want || known != (code != "") {
					t.Fatalf("lane %s, %q: %+v, %v; want %q", name, code, a.Say, err, want)
				}
				_, _, err = s.box.Create(s.ctx(), request("N-"+code, func(r *lane.Request) { r.Lane = name }))
				if r := s.refused(err, lane.NoUnavailable); r.Say == nil || *r.Say != *a.Say {
					t.Errorf("lane %s, %q: refused with %+v, the lane says %+v", name, code, r.Say, a.Say)
				}
			}
		}
		s.cut()
		s.wait(5 * time.Second)
		is("no_link")
		nobody := []string{}
		s.connect(func(w *wire.Session) { w.Providers, w.ScanProviders, w.Silent = nil, nil, nobody })
		is("bad_settings")
		s.connect(func(w *wire.Session) { w.Providers, w.ScanProviders, w.Silent = nil, nil, nil }) // an older server does not say
		is("")
		s.connect(func(w *wire.Session) { w.Providers, w.ScanProviders, w.Silent = nil, nil, []string{"sandbox"} })
		is("bank_slow")
		s.box.Providers(wire.Providers{Silent: nobody})
		is("bad_settings")
		s.box.Providers(wire.Providers{})
		is("")
		s.box.Providers(wire.Providers{Silent: []string{"sandbox"}})
		is("bank_slow")

		// One bank of two is silent: the lane takes payments, but not by that one, nor by one that is not there.
		s.box.Providers(wire.Providers{Show: []string{"other"}, Silent: []string{"sandbox"}})
		s.wait(0)
		if a, err := s.box.Availability(s.ctx(), "1"); err != nil || a.Say != nil {
			t.Fatalf("%+v, %v", a, err)
		}
		for named, code := range map[string]string{"sandbox": "bank_slow", "nobody": "bad_settings"} {
			_, _, err := s.box.Create(s.ctx(), request("N-"+named, func(r *lane.Request) { r.Provider = named }))
			want, _ := words.For("en").Why(code)
			if r := s.refused(err, lane.NoUnavailable); r.Why != "no_provider" || r.Say == nil || r.Say.Why != want {
				t.Errorf("%s: %s, %+v; want %q", named, r.Why, r.Say, want)
			}
		}
		var told []string
		for _, e := range s.events() {
			var of struct {
				Lanes map[string]lane.Availability `json:"lanes"`
			}
			if e.Type == "availability" && e.Lane == "1" && json.Unmarshal(e.Data, &of) == nil && of.Lanes["1"].Say != nil {
				told = append(told, of.Lanes["1"].Say.Why)
			}
		}
		link, _ := words.For("en").Why("no_link")
		none, _ := words.For("en").Why("bad_settings")
		slow, _ := words.For("en").Why("bank_slow")
		if got := told[max(0, len(told)-7):]; !slices.Equal(got, []string{link, none, "", slow, none, "", slow}) {
			t.Errorf("the till was told %q", told)
		}
		t.Logf("told %q", told)
	}, russian)
}

// TestTheCashierHearsTheLimit: a sum that the bank does not take is told with the most that it takes.
func TestTheCashierHearsTheLimit(t *testing.T) {
	in(t, func(s *shop) {
		id := s.open(request("R-1"))
		s.change(id, payment.EvClosed, func(b *payment.Bill) {
			b.Life, b.Reason, b.Why, b.Most = payment.Closed, payment.Refused, payment.WhyAmount, 10000
		})
		s.settle()
		p := s.get(id)
		if want := "The sum is above the limit: 100.00. Nobody can pay. Take other money."; p.State != "refused" || p.Say.Cashier.Do != want || p.Why != payment.WhyAmount {
			t.Errorf("%s (%s): %q, want %q", p.State, p.Why, p.Say.Cashier.Do, want)
		}
	})
}

// TestTheSupervisorIsAsked: while other money may be taken in doubt, the payment has the question that comes before.
func TestTheSupervisorIsAsked(t *testing.T) {
	in(t, func(s *shop) {
		id := s.open(request("R-1"))
		asked := func() bool {
			p := s.get(id)
			want, _ := words.For("en").Phrase("override_question")
			is := slices.Contains(p.Next, "override")
			if p.Say.Override != "" != is || is && p.Say.Override != want {
				t.Fatalf("%s, next %v: %q", p.State, p.Next, p.Say.Override)
			}
			return is
		}
		if asked() {
			t.Error("while the code is open")
		}
		s.cut()
		s.wait(time.Minute)
		if !asked() {
			t.Errorf("in doubt: %+v", s.get(id))
		}
		s.connect()
		s.settle()
		if asked() {
			t.Errorf("after it: %+v", s.get(id))
		}
	})
}
