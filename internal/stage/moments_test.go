package stage_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/display"
	"tilld/internal/stage"
	"tilld/payment"
)

// page is a glass that keeps its own time.
type page struct{ glass }

func (p *page) Caps() display.Caps { return display.Caps{MaxPayload: 500, Timer: true} }

func (g *glass) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.all)
}

// running runs f with a stage whose time passes, a pole and a page.
func running(t *testing.T, f func(t *testing.T, s *stage.Stage, pole *glass, kiosk *page)) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage([]string{stage.Kiosk}, nil)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); s.Run(ctx) }()
		pole, kiosk := &glass{}, &page{}
		s.Use("1", pole, true)
		s.UseAs("1", stage.Kiosk, kiosk, true)
		f(t, s, pole, kiosk)
		stop()
		<-done
	})
}

func TestThePoleCountsTheLastMinuteDown(t *testing.T) {
	running(t, func(t *testing.T, s *stage.Stage, pole *glass, kiosk *page) {
		shown, err := s.Show(t.Context(), view())
		if err != nil || !slices.Equal(shown, []string{stage.Kiosk}) {
			t.Fatalf("%v, %v", shown, err)
		}
		time.Sleep(59 * time.Second)
		if p := pole.last(); p.Kind != "code" || p.Pole[1] != "QR ON THE SCREEN" {
			t.Fatalf("above a minute: %+v", p.Pole)
		}
		before := kiosk.count()
		for left := 60; left > 0; left-- {
			time.Sleep(time.Second)
			synctest.Wait()
			want := "QR ENDS IN 0:" + string(rune('0'+left/10)) + string(rune('0'+left%10))
			if left == 60 {
				want = "QR ENDS IN 1:00"
			}
			if got := pole.last().Pole[1]; got != want {
				t.Fatalf("with %d s left: %q", left, got)
			}
		}
		if n := kiosk.count() - before; n != 1 {
			t.Errorf("a page that counts by itself was told %d times in the last minute", n)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if k, p := kiosk.last(), pole.last(); k.Kind != "closing" || k.Payload != "" || p.Kind != "closing" || p.Pole[0] != "CHECKING 4821" {
			t.Fatalf("after the end: %+v %+v", k, p)
		}
	})
}

func TestScreensBecomeOthersByThemselves(t *testing.T) {
	for _, c := range []struct {
		from, to string
		after    time.Duration
		code     bool
	}{
		{"preparing", "preparing_slow", 5 * time.Second, false},
		{"charging", "paying", 8 * time.Second, false},
		{"declined", "code", 8 * time.Second, true},
		{"declined", "scan", 8 * time.Second, false},
	} {
		running(t, func(t *testing.T, s *stage.Stage, _ *glass, kiosk *page) {
			v := view()
			v.Screen = c.from
			if !c.code {
				v.Payload, v.RemainingMS = "", 0
			}
			if _, err := s.Show(t.Context(), v); err != nil {
				t.Fatal(err)
			}
			time.Sleep(c.after - time.Millisecond)
			synctest.Wait()
			before := kiosk.last().Kind
			time.Sleep(2 * time.Millisecond)
			synctest.Wait()
			if got := kiosk.last(); before != c.from || got.Kind != c.to || (got.Payload != "") != c.code {
				t.Errorf("%s: %s, then %s", c.from, before, got.Kind)
			}
		})
	}
}

func TestLayers(t *testing.T) {
	running(t, func(t *testing.T, s *stage.Stage, _ *glass, kiosk *page) {
		is := func(kind string) {
			t.Helper()
			synctest.Wait()
			if got := kiosk.last().Kind; got != kind {
				t.Fatalf("shows %s, want %s", got, kind)
			}
		}
		put := func(v stage.View, want bool) {
			t.Helper()
			if ok, err := s.Put(t.Context(), v, ""); err != nil || ok != want {
				t.Fatalf("%v, %v", ok, err)
			}
		}
		m := payment.Money{Value: 9900, Currency: "RUB"}
		cart := stage.View{Lane: "1", Screen: "cart", Amount: m, Goods: []stage.Goods{{Name: "COFFEE", Amount: m}}}
		is("out_of_service")
		_, _ = s.Show(t.Context(), stage.View{Lane: "1", Screen: "idle"})
		is("idle")
		put(cart, true)
		is("cart")
		if got := kiosk.last(); !strings.HasPrefix(got.Pole[0], "COFFEE") || got.Pole[1] != "TOTAL          99.00" || got.Lines[0].Left != "COFFEE" {
			t.Errorf("cart: %+v", got)
		}
		put(stage.View{Lane: "1", Screen: "choose", Amount: m, Choices: []display.Choice{{ID: "a", Name: "A"}}}, true)
		is("choose")
		put(cart, true)
		is("cart")
		_, _ = s.Show(t.Context(), view())
		is("code")
		put(cart, false)
		if err := s.Shut(t.Context(), "1", true); err != nil {
			t.Fatal(err)
		}
		is("out_of_service")
		if err := s.Shut(t.Context(), "1", false); err != nil {
			t.Fatal(err)
		}
		is("code")
		_, _ = s.Show(t.Context(), stage.View{Lane: "1", Screen: "idle"})
		is("idle") // the cart of before does not come back
		put(cart, true)
		time.Sleep(2*time.Minute + time.Second)
		is("idle")
	})
}

func TestTheNextCartWaitsUnderTheLastScreen(t *testing.T) {
	running(t, func(t *testing.T, s *stage.Stage, _ *glass, kiosk *page) {
		paid := view()
		paid.Screen, paid.Payload, paid.RemainingMS = "paid", "", 0
		_, _ = s.Show(t.Context(), paid)
		cart := stage.View{Lane: "1", Screen: "cart", Amount: paid.Amount}
		if ok, err := s.Put(t.Context(), cart, "another"); ok || err != nil {
			t.Errorf("under a payment that the till did not mean: %v, %v", ok, err)
		}
		if ok, err := s.Put(t.Context(), cart, paid.Payment); !ok || err != nil {
			t.Fatalf("%v, %v", ok, err)
		}
		if got := kiosk.last().Kind; got != "paid" {
			t.Errorf("the cart has taken the glass: %s", got)
		}
		paid.Receipt = "https://receipt.example/1" // the same payment goes on: the cart stays
		_, _ = s.Show(t.Context(), paid)
		_, _ = s.Show(t.Context(), stage.View{Lane: "1", Screen: "idle"})
		if got := kiosk.last().Kind; got != "cart" {
			t.Errorf("after the last screen: %s", got)
		}
		next := view()
		next.Payment = "p2"
		_, _ = s.Show(t.Context(), next)
		_, _ = s.Show(t.Context(), stage.View{Lane: "1", Screen: "idle"})
		if got := kiosk.last().Kind; got != "idle" {
			t.Errorf("the cart of before has come back: %s", got)
		}
	})
}

func TestAQuestionStaysAsLongAsSomebodyIsThere(t *testing.T) {
	running(t, func(t *testing.T, s *stage.Stage, _ *glass, kiosk *page) {
		_, _ = s.Show(t.Context(), stage.View{Lane: "1", Screen: "idle"})
		ask := stage.View{Lane: "1", Screen: "choose", Choices: []display.Choice{{ID: "a", Name: "A"}}}
		if _, err := s.Put(t.Context(), ask, ""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(70 * time.Second)
		if err := s.Stay(t.Context(), "1"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(70 * time.Second)
		synctest.Wait()
		if got := kiosk.last().Kind; got != "choose" {
			t.Errorf("70 s after a touch: %s", got)
		}
		if stood, err := s.Leave(t.Context(), "1"); err != nil || !stood {
			t.Fatal(stood, err)
		}
		if got := kiosk.last().Kind; got != "idle" {
			t.Errorf("nobody is there: %s", got)
		}
		if stood, err := s.Leave(t.Context(), "1"); err != nil || stood {
			t.Errorf("a question that has gone: %v, %v", stood, err)
		}
		if err := s.Stay(t.Context(), "9"); err == nil {
			t.Error("a lane that is not there")
		}
		if _, err := s.Leave(t.Context(), "9"); err == nil {
			t.Error("a lane that is not there")
		}
	})
}

func TestAMessageBringsItsOwnWords(t *testing.T) {
	running(t, func(t *testing.T, s *stage.Stage, pole *glass, kiosk *page) {
		_, _ = s.Show(t.Context(), stage.View{Lane: "1", Screen: "idle"})
		if _, err := s.Put(t.Context(), stage.View{Lane: "1", Screen: "message", Title: "Back in five minutes", Text: "The cashier has {gone}"}, ""); err != nil {
			t.Fatal(err)
		}
		k, p := kiosk.last(), pole.last()
		if k.Headline != "Back in five minutes" || k.Texts[1].Line != "The cashier has {gone}" || p.Pole != [2]string{"Back in five minutes", "The cashier has {gon"} {
			t.Errorf("%+v %q", k, p.Pole)
		}
	})
}

func TestWhoCouldShowACode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage([]string{stage.Kiosk, stage.CustomerDisplay}, nil)
		told := make(chan bool, 10)
		s.OnAble(func(lane string) { told <- s.CanShow(lane, nil) })
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); s.Run(ctx) }()
		defer func() { stop(); <-done }()
		is := func(want bool, news int) {
			t.Helper()
			synctest.Wait()
			if got := s.CanShow("1", nil); got != want || len(told) != news {
				t.Fatalf("can show: %v, told %d times; want %v, %d", got, len(told), want, news)
			}
			for range news {
				if <-told != want {
					t.Error("told something else")
				}
			}
		}
		is(false, 0)
		if !s.CanShow("1", []string{stage.Till}) || s.CanShow("9", []string{stage.Till}) {
			t.Error("the till draws by itself, on a lane that is there")
		}
		s.Use("1", &glass{}, true) // a pole of two lines
		is(false, 0)
		k := &page{}
		s.UseAs("1", stage.Kiosk, k, true)
		is(true, 1)
		s.UseAs("1", stage.Kiosk, k, false) // the page is loaded anew
		is(true, 0)
		time.Sleep(time.Second)
		s.UseAs("1", stage.Kiosk, k, true)
		is(true, 0)
		s.UseAs("1", stage.Kiosk, k, false)
		time.Sleep(2900 * time.Millisecond)
		is(true, 0)
		time.Sleep(200 * time.Millisecond)
		is(false, 1)
	})
}

func TestANoteStandsForAMomentOverTheWishForAPayCode(t *testing.T) {
	running(t, func(t *testing.T, s *stage.Stage, _ *glass, kiosk *page) {
		v := view()
		v.Screen, v.Payload = "code", ""
		_, _ = s.Show(t.Context(), v)
		s.Note("1", "scan_wrong")
		s.Note("9", "scan_wrong")
		synctest.Wait()
		if got := kiosk.last().Kind; got != "code" {
			t.Fatalf("over another screen: %s", got)
		}
		v.Screen = "scan"
		_, _ = s.Show(t.Context(), v)
		s.Note("1", "scan_wrong")
		synctest.Wait()
		if got := kiosk.last(); got.Kind != "scan_wrong" || got.Number != "4821" || got.Sound != "no" {
			t.Fatalf("%+v", got)
		}
		seen := kiosk.count()
		s.Note("1", "scan_wrong") // once more: it is heard again
		synctest.Wait()
		if got := kiosk.last(); kiosk.count() != seen+1 || got.Sound != "no" {
			t.Fatalf("%+v", got)
		}
		time.Sleep(4*time.Second + time.Millisecond)
		synctest.Wait()
		if got := kiosk.last().Kind; got != "scan" {
			t.Fatalf("after it: %s", got)
		}
		v.Screen = "declined" // another code is waited for
		_, _ = s.Show(t.Context(), v)
		s.Note("1", "scan_shop")
		synctest.Wait()
		if got := kiosk.last().Kind; got != "scan_shop" {
			t.Fatalf("after a no: %s", got)
		}
	})
}

// slow is a display whose line takes nothing until it is let go.
type slow struct {
	glass
	free chan struct{}
}

func (d *slow) Show(ctx context.Context, s display.Screen) (display.Shown, error) {
	select {
	case <-d.free:
	case <-ctx.Done():
	}
	return d.glass.Show(ctx, s)
}

func TestASlowDisplayHoldsUpNoOther(t *testing.T) {
	running(t, func(t *testing.T, s *stage.Stage, _ *glass, kiosk *page) {
		d := &slow{free: make(chan struct{})}
		s.Use("1", d, true)
		done := make(chan struct{})
		go func() { defer close(done); _, _ = s.Show(t.Context(), view()) }()
		synctest.Wait()
		if kiosk.last().Payload == "" {
			t.Error("the page waits for the pole")
		}
		close(d.free)
		<-done
	})
}

func TestALaneThatTakesNothingSaysSo(t *testing.T) {
	running(t, func(t *testing.T, s *stage.Stage, pole *glass, kiosk *page) {
		is := func(kind, row string) {
			t.Helper()
			synctest.Wait()
			if k, p := kiosk.last(), pole.last(); k.Kind != kind || p.Kind != kind || strings.TrimRight(p.Pole[0], " ") != row {
				t.Fatalf("the page shows %s, the pole %s %q; want %s, %q", k.Kind, p.Kind, p.Pole[0], kind, row)
			}
		}
		show := func(v stage.View) {
			t.Helper()
			if _, err := s.Show(t.Context(), v); err != nil {
				t.Fatal(err)
			}
		}
		put := func(v stage.View) {
			t.Helper()
			if ok, err := s.Put(t.Context(), v, ""); !ok || err != nil {
				t.Fatalf("%v, %v", ok, err)
			}
		}
		idle, nothing := stage.View{Lane: "1", Screen: "idle"}, stage.View{Lane: "1", Screen: "unavailable", Why: "no_link"}
		m := payment.Money{Value: 9900, Currency: "RUB"}
		show(idle)
		is("idle", "WELCOME")
		show(nothing)
		is("unavailable", "NO QR PAYMENT NOW")
		put(stage.View{Lane: "1", Screen: "cart", Amount: m, Goods: []stage.Goods{{Name: "TEA", Amount: m}}})
		is("cart", "TEA            99.00")
		show(idle) // it comes and goes under the cart
		is("cart", "TEA            99.00")
		show(nothing)
		put(stage.View{Lane: "1", Screen: "message", Title: "Back soon"})
		is("message", "Back soon")
		put(idle)
		is("unavailable", "NO QR PAYMENT NOW")
		paid := view()
		paid.Screen, paid.Payload, paid.RemainingMS = "paid", "", 0
		show(paid)
		is("paid", "PAID 125.50")
		if err := s.Shut(t.Context(), "1", true); err != nil {
			t.Fatal(err)
		}
		is("out_of_service", "TILL CLOSED")
		if err := s.Shut(t.Context(), "1", false); err != nil {
			t.Fatal(err)
		}
		show(nothing)
		is("unavailable", "NO QR PAYMENT NOW")
		time.Sleep(time.Hour)
		is("unavailable", "NO QR PAYMENT NOW")
		show(idle)
		is("idle", "WELCOME")
	})
}

// A page that was away takes a code again the moment it is there: its first picture must not be that nobody can pay.
func TestAPageThatComesBackSaysAtOnceThatItCanBePaidAt(t *testing.T) {
	running(t, func(t *testing.T, s *stage.Stage, pole *glass, kiosk *page) {
		is := func(g *glass, kind string) {
			t.Helper()
			synctest.Wait()
			if got := g.last().Kind; got != kind {
				t.Fatalf("shows %s, want %s", got, kind)
			}
		}
		s.UseAs("1", stage.Kiosk, kiosk, false)
		time.Sleep(4 * time.Second)
		if _, err := s.Show(t.Context(), stage.View{Lane: "1", Screen: "unavailable", Why: "no_output"}); err != nil {
			t.Fatal(err)
		}
		is(pole, "unavailable")
		seen := kiosk.count()
		s.UseAs("1", stage.Kiosk, kiosk, true)
		is(&kiosk.glass, "idle")
		is(pole, "idle")
		for _, x := range kiosk.all[seen:] {
			if x.Kind != "idle" {
				t.Errorf("the page that came said %s", x.Kind)
			}
		}
		s.UseAs("1", stage.Kiosk, kiosk, false)
		time.Sleep(4 * time.Second)
		is(pole, "unavailable")
		if _, err := s.Show(t.Context(), stage.View{Lane: "1", Screen: "unavailable", Why: "no_link"}); err != nil {
			t.Fatal(err)
		}
		s.UseAs("1", stage.Kiosk, kiosk, true) // which is no help against a link that is down
		is(&kiosk.glass, "unavailable")
	})
}

// What helps where the phone does not ask is said once the customer has had the time to look, and not again from the
// beginning for a page that is loaded anew.
func TestTheHintToConfirmComesAfterAWhile(t *testing.T) {
	const hint = "No question there? Open the app once more."
	pays := func(payment, screen string) stage.View {
		v := view()
		v.Payment, v.Screen, v.Payload, v.RemainingMS = payment, screen, "", 600_000
		return v
	}
	type clock = func(at time.Duration)
	for name, f := range map[string]func(t *testing.T, s *stage.Stage, kiosk *page, until clock, says func(kind, hint string)){
		"at once": func(t *testing.T, s *stage.Stage, kiosk *page, until clock, says func(kind, hint string)) {
			_, _ = s.Show(t.Context(), pays("p", "paying"))
			says("paying", "")
			until(15*time.Second - time.Millisecond)
			says("paying", "")
			until(15 * time.Second)
			says("paying", hint)
			_, _ = s.Show(t.Context(), pays("p", "paying")) // the payment has changed under it
			says("paying", hint)
			_, _ = s.Show(t.Context(), view()) // nobody pays any more: the code comes back
			says("code", "Payee: Shop")
			_, _ = s.Show(t.Context(), pays("p", "paying"))
			says("paying", "")
			until(30*time.Second - time.Millisecond)
			says("paying", "")
			until(30 * time.Second)
			says("paying", hint)
		},
		"loaded anew": func(t *testing.T, s *stage.Stage, kiosk *page, until clock, says func(kind, hint string)) {
			_, _ = s.Show(t.Context(), pays("p", "paying"))
			until(10 * time.Second)
			s.UseAs("1", stage.Kiosk, kiosk, false)
			s.UseAs("1", stage.Kiosk, kiosk, true)
			says("paying", "")
			until(15*time.Second - time.Millisecond)
			says("paying", "")
			until(15 * time.Second)
			says("paying", hint)
			s.UseAs("1", stage.Kiosk, kiosk, false)
			until(20 * time.Second)
			seen := kiosk.count()
			s.UseAs("1", stage.Kiosk, kiosk, true)
			says("paying", hint)
			if n := kiosk.count() - seen; n != 1 {
				t.Errorf("%d screens for a page that came", n)
			}
		},
		"after asking the bank": func(t *testing.T, s *stage.Stage, kiosk *page, until clock, says func(kind, hint string)) {
			_, _ = s.Show(t.Context(), pays("p", "charging"))
			until(8 * time.Second)
			says("paying", "") // in the same words
			until(10 * time.Second)
			_, _ = s.Show(t.Context(), pays("p", "paying"))
			says("paying", "")
			until(23*time.Second - time.Millisecond)
			says("paying", "")
			until(23 * time.Second)
			says("paying", hint)
		},
		"the next customer": func(t *testing.T, s *stage.Stage, kiosk *page, until clock, says func(kind, hint string)) {
			_, _ = s.Show(t.Context(), pays("p", "paying"))
			until(20 * time.Second)
			says("paying", hint)
			_, _ = s.Show(t.Context(), pays("p2", "paying"))
			says("paying", "")
			until(35 * time.Second)
			says("paying", hint)
		},
	} {
		t.Run(name, func(t *testing.T) {
			running(t, func(t *testing.T, s *stage.Stage, pole *glass, kiosk *page) {
				began := time.Now()
				f(t, s, kiosk, func(at time.Duration) {
					time.Sleep(time.Until(began.Add(at)))
					synctest.Wait()
				}, func(kind, hint string) {
					t.Helper()
					synctest.Wait()
					got := kiosk.last()
					if got.Kind != kind || got.Hint != hint || got.Texts[0].Hint != hint || (got.Texts[1].Hint == "") != (hint == "") {
						t.Fatalf("after %v it says %q %+v, want %s %q", time.Since(began), got.Kind, got.Texts, kind, hint)
					}
					if p := pole.last(); kind == "paying" && strings.TrimRight(p.Pole[0], " ") != "CONFIRM ON PHONE" {
						t.Errorf("the pole says %q", p.Pole)
					}
				})
			})
		})
	}
}
