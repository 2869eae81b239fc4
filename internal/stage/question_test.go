package stage_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"tilld/display"
	"tilld/internal/stage"
	"tilld/payment"
)

// A choice that nobody answers ends with the cart below it at a self-service till, and that is said once; what the till puts
// up in its place, a payment or a cashier's lane say nothing.
func TestAForsakenQuestionIsSaidOnce(t *testing.T) {
	sum := payment.Money{Value: 9900, Currency: "RUB"}
	cart := stage.View{Lane: "1", Screen: "cart", Amount: sum, Goods: []stage.Goods{{Name: "COFFEE", Amount: sum}}}
	ask := stage.View{Lane: "1", Screen: "choose", Amount: sum, Choices: []display.Choice{{ID: "a", Name: "A"}}}
	put := func(v stage.View) func(*testing.T, *stage.Stage) {
		return func(t *testing.T, s *stage.Stage) {
			if ok, err := s.Put(t.Context(), v, ""); err != nil || !ok {
				t.Fatal(ok, err)
			}
		}
	}
	pay := func(t *testing.T, s *stage.Stage) { _, _ = s.Show(t.Context(), view()) }
	for name, c := range map[string]struct {
		attended bool
		first    func(*testing.T, *stage.Stage) // while the choice stands; nil: nothing
		then     func(*testing.T, *stage.Stage) // after its time; nil: nothing
		bells    int                            // how often it is rung
		forsaken bool
		shows    string
	}{
		"NobodyAnswers":        {bells: 1, forsaken: true, shows: "idle"},
		"TheTillGoesOn":        {then: put(cart), bells: 1, shows: "cart"},
		"APaymentBegins":       {then: pay, bells: 1, shows: "code"},
		"TheTillHasGoneOn":     {first: put(cart), shows: "cart"},
		"APaymentHasBegun":     {first: pay, shows: "code"},
		"ACashierHasTheCart":   {attended: true, shows: "cart"},
		"TheCustomerHasLeft":   {first: func(t *testing.T, s *stage.Stage) { _, _ = s.Leave(t.Context(), "1") }, shows: "idle"},
		"TheCustomerHasStayed": {first: func(t *testing.T, s *stage.Stage) { _ = s.Stay(t.Context(), "1") }, shows: "choose"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stage.New(map[string]stage.Lane{"1": {Language: "en", Outputs: []string{stage.Kiosk}, Attended: c.attended}}, nil, slog.New(slog.DiscardHandler))
				bells := make(chan struct{}, 9)
				s.OnForsaken(func() { bells <- struct{}{} })
				ctx, stop := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() { defer close(done); s.Run(ctx) }()
				defer func() { stop(); <-done }()
				kiosk := &page{}
				s.UseAs("1", stage.Kiosk, kiosk, true)
				_, _ = s.Show(t.Context(), stage.View{Lane: "1", Screen: "idle"})
				put(cart)(t, s)
				put(ask)(t, s)
				time.Sleep(40 * time.Second)
				if c.first != nil {
					c.first(t, s)
				}
				time.Sleep(41 * time.Second)
				synctest.Wait()
				if c.then != nil {
					c.then(t, s)
				}
				if got := kiosk.last().Kind; got != c.shows {
					t.Errorf("shows %s, want %s", got, c.shows)
				}
				if got := s.Forsaken("1"); got != c.forsaken || len(bells) != c.bells {
					t.Errorf("forsaken %v, %d bells; want %v, %d", got, len(bells), c.forsaken, c.bells)
				}
				if s.Forsaken("1") || s.Forsaken("9") {
					t.Error("it is said twice, or of a lane that is not there")
				}
			})
		})
	}
}

// The question is over for whoever touches the glass, also where nobody has painted it since.
func TestAQuestionWhoseTimeIsUpCannotBeStayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage([]string{stage.Till}, nil) // nobody runs it
		if _, err := s.Put(t.Context(), stage.View{Lane: "1", Screen: "idle"}, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Put(t.Context(), stage.View{Lane: "1", Screen: "choose"}, ""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(80 * time.Second)
		if stood, err := s.Leave(t.Context(), "1"); err != nil || stood || !s.Forsaken("1") {
			t.Errorf("a question whose time is up stands: %v, %v", stood, err)
		}
	})
}
