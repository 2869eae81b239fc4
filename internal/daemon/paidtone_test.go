package daemon

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/checkout"
	"tilld/internal/health"
	"tilld/internal/stage"
	"tilld/payment"
	"tilld/scanner"
	"tilld/scanner/scannertest"
	"tilld/scanner/twin"
)

// The scanner in the cashier's hand says that the money is there, by two rising notes and once, so that nobody has to look up. One that
// customers hold their telephones to says nothing: the page does.
func TestTheScannerSaysThatTheMoneyIsThere(t *testing.T) {
	money := payment.Money{Value: 12550, Currency: "RUB"}
	for _, c := range []struct {
		name, driver string
		attended     bool
		sounds       []string // of the views that the lane shows
		want         int
	}{
		{"paid, and shown again as after a restart", "ssi", true, []string{"paid", "", ""}, 1},
		{"two payments", "ssi", true, []string{"paid", "ready", "paid"}, 2},
		{"other sounds", "ssi", true, []string{"ready", "half", "no", "low", "doubt"}, 0},
		{"self-service", "ssi", false, []string{"paid"}, 0},
		{"a scanner without that tone", "line", true, []string{"paid"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &Daemon{health: &health.List{}, log: slog.New(slog.DiscardHandler)}
				d.tried = map[string]*tried{"1": {d: d, lane: "1"}}
				lanes := map[string]Lane{"1": {Language: "en", Outputs: []string{stage.Till}, Attended: c.attended}}
				glass := stage.New(map[string]stage.Lane{"1": {Language: "en", Outputs: []string{stage.Till}, Attended: c.attended}}, nil, d.log)
				x := showing{glass, newPaperCode(nil, lanes, time.UTC, func(string, []string) {}), d.tried}
				drv, err := scanners().Find(c.driver)
				if err != nil {
					t.Fatal(err)
				}
				w := scannertest.NewWire(nil)
				var options map[string]any
				if c.driver == "line" {
					options = map[string]any{"commands": "honeywell"}
				}
				s, err := drv.Open(t.Context(), w, options)
				if err != nil {
					t.Fatal(err)
				}
				d.tried["1"].serving(s)
				served := make(chan error, 1)
				go func() {
					served <- s.Serve(t.Context(), func(context.Context, scanner.Reading) error { return nil })
				}()
				var hardware *twin.SSI
				if c.driver == "ssi" {
					hardware = twin.NewSSI(w.Far())
				}
				for _, sound := range c.sounds {
					if _, err := x.Show(t.Context(), checkout.View{Lane: "1", Payment: "p", Number: "4821", Screen: "paid", Sound: sound, Amount: money, Paid: money}); err != nil {
						t.Fatal(err)
					}
					time.Sleep(10 * time.Second)
				}
				tones := 0
				if hardware != nil {
					told, ops := hardware.Told(), hardware.Commands()
					for i := range ops {
						if ops[i] == 0xe6 && bytes.Equal(told[i], []byte{0x17}) {
							tones++
						}
					}
				}
				w.Far().Close()
				<-served
				if hardware == nil {
					if sent, err := io.ReadAll(w.Far()); len(sent) > 0 || err != nil {
						t.Errorf("it was sent %q, %v", sent, err)
					}
				}
				t.Logf("%q: %d times", c.sounds, tones)
				if tones != c.want {
					t.Errorf("%d tones, want %d", tones, c.want)
				}
			})
		})
	}
}
