package daemon

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tilld/devices"
	"tilld/internal/health"
	"tilld/internal/record"
	"tilld/internal/roster"
	"tilld/internal/scans"
	"tilld/payment"
	"tilld/scanner"
	"tilld/scanner/scannertest"
	"tilld/scanner/twin"
)

// nobodyPays is a lane without a payment.
type nobodyPays struct{}

func (nobodyPays) Waits(context.Context, string) (bool, error) { return false, nil }
func (nobodyPays) Note(string, string)                         {}
func (nobodyPays) Scan(context.Context, string, payment.Code, time.Time, record.Event) error {
	return nil
}

// A scanner with acknowledgement gets none while there is no journal, and health tells the cashier; once there is one, the
// code is taken at its next sending and the trouble is over.
func TestWithoutAJournalNoReadingIsAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		d := &Daemon{health: &health.List{}, log: slog.New(slog.NewTextHandler(&log, nil))}
		m := roster.New(d.health).Add(roster.Entry{ID: "scanner-1", Role: "scanner", Lanes: []string{"1"}, Driver: "ssi"})
		w := scannertest.NewWire(nil)
		drv, err := scanners().Find("ssi")
		if err != nil {
			t.Fatal(err)
		}
		x, err := drv.Open(t.Context(), w, nil)
		if err != nil {
			t.Fatal(err)
		}
		hardware := twin.NewSSI(w.Far())
		nowhere := func(context.Context, scanner.Reading) bool { return false }
		served := make(chan error, 1)
		go func() { served <- x.Serve(t.Context(), d.reads("1", "en", m, d.notes(m.ID(), x, func() {}), nowhere)) }()
		m.Tell(devices.Ready, nil)

		hardware.Scan("4006381333931")
		got := d.health.Standing()
		if hardware.GaveUp() != 1 || len(got) != 1 || got[0].Code != unkeptCode || got[0].Subject != "scanner-1" || !strings.Contains(got[0].Sentence, "no journal") || !strings.Contains(got[0].Remedy, "read the code again") {
			t.Errorf("%d not acknowledged; health says %+v", hardware.GaveUp(), got)
		}
		if strings.Contains(log.String(), "4006381") || strings.Contains(got[0].Sentence, "4006381") {
			t.Errorf("tells the code: %s", log.String())
		}

		before := hardware.Resent()
		go func() {
			time.Sleep(3 * time.Second) // the journal can be used at last, between the second sending and the third
			d.core.Store(&core{Daemon: d, scans: scans.New(stored{}, nobodyPays{}, nobodyPays{}, scans.Defaults())})
		}()
		hardware.Scan("4006381333948")
		if n := hardware.Resent() - before; n != 2 || hardware.GaveUp() != 1 || len(d.health.Standing()) != 0 {
			t.Errorf("sent again %d times, %d not acknowledged, health says %+v", n, hardware.GaveUp(), d.health.Standing())
		}
		w.Far().Close()
		<-served
	})
}

// stored is a journal that keeps at once: a real one waits for its disk, and time would not stand still.
type stored struct{ record.Journal }

func (stored) Commit(context.Context, record.Batch) (int64, error) { return 1, nil }

// counting is a journal that counts what is written to it.
type counting struct {
	stored
	commits atomic.Int64
}

func (c *counting) Commit(context.Context, record.Batch) (int64, error) { return c.commits.Add(1), nil }

// glass is a lane whose payment waits for a code, and what its customer reads.
type glass struct {
	screens []string
	charged int
}

func (g *glass) Waits(context.Context, string) (bool, error) { return true, nil }

func (g *glass) Note(lane, screen string) { g.screens = append(g.screens, lane+" "+screen) }

func (g *glass) Scan(context.Context, string, payment.Code, time.Time, record.Event) error {
	g.charged++
	return nil
}

// A card that is swiped where a scanner reads is charged nowhere, journalled nowhere and in no log; it is counted, the customer
// whose code is waited for is told that it is none, and health tells the cashier until a code is read.
func TestASwipedCardLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		g, j := &glass{}, &counting{}
		d := &Daemon{health: &health.List{}, log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
		d.core.Store(&core{Daemon: d, scans: scans.New(j, g, g, scans.Defaults())})
		r := roster.New(d.health)
		m := r.Add(roster.Entry{ID: "scanner-1", Role: "scanner", Lanes: []string{"1"}, Driver: "wedge"})
		drv, err := scanners().Find("wedge")
		if err != nil {
			t.Fatal(err)
		}
		for _, country := range []string{"us", "ru"} {
			w := scannertest.NewWire(nil)
			x, err := drv.Open(t.Context(), w, map[string]any{"layout": country})
			if err != nil {
				t.Fatal(err)
			}
			nowhere := func(context.Context, scanner.Reading) bool { return false }
			served := make(chan error, 1)
			go func() {
				served <- x.Serve(t.Context(), d.reads("1", "en", m, d.notes(m.ID(), x, func() { d.unread(t.Context(), "1", m) }), nowhere))
			}()
			card := &twin.Wedge{W: w.Far(), Country: "us"} // a reader of stripes has no country of its own
			card.Scan("%B4111111111111111^DOE/JANE^2712101?")
			card.Scan(";5555555555554444=2712101?")
			time.Sleep(time.Second)
			if got := d.health.Standing(); len(got) != 1 || got[0].Code != "scanner" || got[0].Severity != health.Note || !strings.Contains(got[0].Sentence, "Not a pay code") {
				t.Errorf("%s: health says %+v", country, got)
			}
			if j.commits.Load() != 0 || g.charged != 0 || log.Len() != 0 {
				t.Errorf("%s: %d commits, charged %d times, log %q", country, j.commits.Load(), g.charged, log.String())
			}
			w.Far().Close()
			<-served
		}
		if n := r.List()[0].Counters.Unread; n != 4 || strings.Join(g.screens, ", ") != "1 scan_wrong, 1 scan_wrong, 1 scan_wrong, 1 scan_wrong" {
			t.Errorf("counted %d, the customer reads %q", n, g.screens)
		}
	})
}
