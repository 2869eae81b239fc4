package daemon

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/health"
	"tilld/internal/roster"
	"tilld/internal/scans"
	"tilld/scanner"
	"tilld/scanner/scannertest"
	"tilld/scanner/twin"
)

// Goods in front of a scanner while a payment waits for a code: the customer reads that on the glass and hears it from the
// scanner, behind the acknowledgement, in another tone than that of a code that was read. A code that is charged, and a
// scanner that has no such tone, say nothing.
func TestAReadingThatIsNotWantedSoundsSo(t *testing.T) {
	for _, c := range []struct {
		name, code, driver string
		options            map[string]any
		want               int // tones
		screens            string
	}{
		{"goods", "4006381333931", "ssi", nil, 1, "1 scan_wrong"},
		{"a pay code", "281234567890123456", "ssi", nil, 0, ""},
		{"a scanner without that tone", "]E04006381333931", "line", map[string]any{"commands": "honeywell"}, 0, "1 scan_wrong"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &glass{}
				d := &Daemon{health: &health.List{}, log: slog.New(slog.DiscardHandler)}
				d.tried = map[string]*tried{"1": {d: d, lane: "1"}}
				d.core.Store(&core{Daemon: d, scans: scans.New(stored{}, g, seenAndHeard{g, d.tried}, scans.Defaults())})
				m := roster.New(d.health).Add(roster.Entry{ID: "scanner-1", Role: "scanner", Lanes: []string{"1"}, Driver: c.driver})
				drv, err := scanners().Find(c.driver)
				if err != nil {
					t.Fatal(err)
				}
				w := scannertest.NewWire(nil)
				x, err := drv.Open(t.Context(), w, c.options)
				if err != nil {
					t.Fatal(err)
				}
				d.tried["1"].serving(x)
				served := make(chan error, 1)
				go func() {
					served <- x.Serve(t.Context(), d.reads("1", "en", m, d.notes(m.ID(), x, func() {}), func(context.Context, scanner.Reading) bool { return false }))
				}()
				var hardware *twin.SSI
				if c.driver == "ssi" {
					hardware = twin.NewSSI(w.Far())
					hardware.Type = 0x0b
					if c.want == 0 {
						hardware.Type = 0x1c
					}
					hardware.Scan(c.code)
				} else if _, err := w.Far().Write([]byte(c.code + "\r")); err != nil {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Second)
				tones := 0
				if hardware != nil {
					told, ops := hardware.Told(), hardware.Commands()
					for i := range ops {
						if ops[i] == 0xe6 && bytes.Equal(told[i], []byte{0x10}) {
							tones++
						}
					}
				}
				synctest.Wait()
				if got := strings.Join(g.screens, ", "); tones != c.want || got != c.screens {
					t.Errorf("%d tones, the customer reads %q", tones, got)
				}
				w.Far().Close()
				<-served
			})
		})
	}
}
