package stage_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tilld/display"
	"tilld/internal/qr"
	"tilld/internal/stage"
	"tilld/internal/words"
	"tilld/payment"
)

// glass is a display that keeps what it was told.
type glass struct {
	mu   sync.Mutex
	max  int
	fail error
	all  []display.Screen
}

func (g *glass) Caps() display.Caps { return display.Caps{Rows: 2, Cols: 20, MaxPayload: g.max} }

func (g *glass) Show(_ context.Context, s display.Screen) (display.Shown, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fail != nil {
		return display.Shown{}, g.fail
	}
	g.all = append(g.all, s)
	out := display.Shown{Kind: s.Kind, Proof: display.Seen}
	if s.Payload != "" {
		out.Code = qr.Hash(s.Payload)
	}
	return out, nil
}

func (*glass) Serve(ctx context.Context, _ func(display.Shown)) error { <-ctx.Done(); return nil }

func (g *glass) last() display.Screen {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.all[len(g.all)-1]
}

func view() stage.View {
	m := payment.Money{Value: 12550, Currency: "RUB"}
	return stage.View{Lane: "1", Payment: "p", Number: "4821", Screen: "code", Payload: "https://pay.example/1", Amount: m, Left: m, Paid: m.Of(0), RemainingMS: 120_000}
}

func newStage(outputs []string, gone func(string, []string)) *stage.Stage {
	return stage.New(map[string]stage.Lane{"1": {Language: "en", Shop: "Shop", Outputs: outputs}}, gone, slog.New(slog.DiscardHandler))
}

func TestThePoleHasTheWordsAndTheTillTheCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, pole := newStage([]string{stage.Till, stage.CustomerDisplay}, nil), &glass{}
		s.Use("1", pole, true)
		if p := pole.last().Pole[0]; p != "TILL CLOSED" {
			t.Fatalf("a display that comes shows at once, got %q", p)
		}
		shown, err := s.Show(t.Context(), view())
		if err != nil || !slices.Equal(shown, []string{stage.Till}) {
			t.Fatalf("shown on %v, %v: a pole cannot carry a code", shown, err)
		}
		synctest.Wait() // nobody has waited for the pole
		got := pole.last()
		if got.Pole[0] != "TO PAY 125.50" || got.Pole[1] != "QR ON THE SCREEN" || got.Payload != "" {
			t.Fatalf("pole: %+v", got)
		}
	})
}

func TestADisplayThatDrawsIsReadBack(t *testing.T) {
	s, d := newStage([]string{stage.CustomerDisplay}, nil), &glass{max: 300}
	s.Use("1", d, true)
	shown, _ := s.Show(t.Context(), view())
	if !slices.Equal(shown, []string{stage.CustomerDisplay}) || d.last().Payload == "" {
		t.Fatalf("shown on %v", shown)
	}
	d.fail = errors.New("no glass")
	if shown, _ = s.Show(t.Context(), view()); len(shown) != 0 {
		t.Fatalf("a display that failed counts as showing: %v", shown)
	}
}

func TestACodeThatCannotBeDrawnIsShownNowhere(t *testing.T) {
	s, d := newStage([]string{stage.Till, stage.CustomerDisplay}, nil), &glass{max: 300}
	s.Use("1", d, true)
	v := view()
	v.Payload = "not\x1bprintable"
	if shown, err := s.Show(t.Context(), v); err == nil || len(shown) != 0 || d.last().Payload != "" {
		t.Fatalf("shown on %v, %v", shown, err)
	}
}

func TestADisplayThatComesBackIsRightAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told [][]string
		s, d := newStage([]string{stage.CustomerDisplay}, func(_ string, shown []string) { told = append(told, shown) }), &glass{max: 300}
		s.Use("1", d, true)
		_, _ = s.Show(t.Context(), view())
		s.Use("1", d, false)
		s.Use("1", d, true)
		if d.last().Payload == "" || len(told) != 2 || len(told[0]) != 0 || len(told[1]) != 1 {
			t.Fatalf("told %v, glass %+v", told, d.last())
		}
		s.Use("1", d, false)
		time.Sleep(121 * time.Second)
		s.Use("1", d, true)
		if d.last().Payload != "" {
			t.Fatal("a code past its end came back on the glass")
		}
	})
}

func TestWordsFitTheScreenKinds(t *testing.T) {
	m := payment.Money{Value: 25000, Currency: "RUB"}
	for _, c := range []struct {
		kind        string
		paid, back  int64
		first, next string
	}{
		{"part_paid", 10000, 0, "PAID 100.00", "LEFT 150.00"},
		{"paid", 25000, 0, "PAID 250.00", "THANK YOU"},
		{"paid_over", 50000, 25000, "PAID TWICE", "250.00 COMES BACK"},
		{"late", 25000, 25000, "ARRIVED TOO LATE", "250.00 COMES BACK"},
		{"doubt", 0, 0, "BEING CHECKED 4821", "DO NOT PAY AGAIN"},
		{"no_such_screen", 0, 0, "CHECKING 4821", "PLEASE WAIT"},
	} {
		s, d := newStage([]string{stage.Till}, nil), &glass{}
		s.Use("1", d, true)
		v := stage.View{Lane: "1", Number: "4821", Screen: c.kind, Amount: m, Paid: m.Of(c.paid), Left: m.Of(max(0, 25000-c.paid)), Back: m.Of(c.back)}
		if _, err := s.Show(t.Context(), v); err != nil {
			t.Fatal(err)
		}
		if p := d.last().Pole; p[0] != c.first || p[1] != c.next {
			t.Errorf("%s: %q", c.kind, p)
		}
	}
}

// Of a payment that is paid in part, every screen that asks for money names what is left of it, as the customer's phone does;
// the others name the whole.
func TestTheAmountBesideACodeIsWhatItTakes(t *testing.T) {
	m := payment.Money{Value: 25000, Currency: "RUB"}
	asks := []string{
		"code", "code_ending", "code_ending_cashier", "paper", "scan", "scan_wrong", "scan_shop", "scan_old", "declined", "part_paid", "paying", "charging",
		"closing", "doubt", "doubt_kiosk",
	}
	seen, asked := 0, 0
	for _, kind := range words.For("en").Screens() {
		want := "250.00"
		if slices.Contains(asks, kind) {
			want = "150.00"
			asked++
		}
		v := stage.View{Lane: "1", Payment: "p", Number: "4821", Screen: kind, Amount: m, Paid: m.Of(10000), Left: m.Of(15000), Back: m.Of(5000)}
		got := shownOf(t, v)
		if got.Amount != want || len(got.Texts) != 2 || got.Texts[0].Amount != want+"\u00a0₽" || got.Texts[1].Amount != strings.ReplaceAll(want, ".", ",")+"\u00a0₽" {
			t.Errorf("%s: %s, %+v", kind, got.Amount, got.Texts)
		}
		if want == "150.00" && strings.Contains(strings.Join(got.Pole[:], " "), "250.00") {
			t.Errorf("%s: the pole says %q", kind, got.Pole)
		}
		seen++
	}
	if got := shownOf(t, stage.View{Lane: "1", Payment: "p", Screen: "part_paid", Amount: m, Paid: m.Of(10000), Left: m.Of(15000)}); got.Headline != "100.00 of 250.00 paid" {
		t.Errorf("part_paid: %+v", got)
	}
	if got := shownOf(t, stage.View{Lane: "1", Payment: "p", Screen: "closing", Amount: m, Paid: m, Left: m.Of(0)}); got.Amount != "250.00" {
		t.Errorf("closing, after the rest has come: %+v", got)
	}
	if asked != len(asks) {
		t.Errorf("%d of %d screens that ask have words", asked, len(asks))
	}
	t.Logf("%d screens of a payment that is paid in part, %d of them ask for the rest", seen, asked)
}

// shownOf is what a display gets for a view.
func shownOf(t *testing.T, v stage.View) display.Screen {
	t.Helper()
	s, d := newStage([]string{stage.Till}, nil), &glass{}
	s.Use("1", d, true)
	if _, err := s.Show(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	return d.last()
}
