//go:build processes

package shop_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"tilld/internal/depth"
	"tilld/internal/localapi/client"
	"tilld/internal/shop"
)

// TestGlassKilled kills the box, or the integrator, while a code is on the glass, and looks at the glass itself: the cells
// of the pole and the feed of the page. The box comes back at once, or stays down until the code has ended. No code is
// there past its end, and the pole, which keeps no time, asks for nothing once its daemon is dead.
func TestGlassKilled(t *testing.T) {
	t.Parallel()
	rounds := depth.Figure(t, "rounds of kills under a code", 1, 1, 10)
	g := openGlass(t, false)
	var longest time.Duration
	for round := range rounds {
		for i, kill := range []func(p client.Payment) time.Duration{g.back, g.down, g.office} {
			longest = max(longest, kill(g.shows(fmt.Sprintf("G-%d-%d", round, i))))
		}
	}
	t.Logf("from the kill until the pole asked for nothing: at most %v", longest.Round(time.Millisecond))
	g.watcher.report(t)
}

// TestGlassKilledFindsWhatStays plants two faults: the unit's stop action is left out, and a page that does not look at the
// clock. Both are found while the box is down.
func TestGlassKilledFindsWhatStays(t *testing.T) {
	t.Parallel()
	g := openGlass(t, true)
	p := g.shows("G-stays")
	g.shop.Stop(shop.Tilld, syscall.SIGKILL)
	g.until("both are past their limit", func() bool { return len(g.watcher.judge().bad) == 2 })
	bad := strings.Join(g.watcher.judge().bad, "\n")
	if !strings.Contains(bad, "page: the code of "+p.ID) || !strings.Contains(bad, "pole: the code of TO PAY") {
		t.Errorf("found %q", bad)
	}
	t.Logf("found: %s", bad)
	g.shop.Start(shop.Tilld)
	g.untilState(p.ID, settleLimit, "expired")
}

// glassRig is a shop whose glass is watched.
type glassRig struct {
	*rig
	watcher *watcher
	amount  int64
}

// glassLife is how long a code lives: long enough to be seen and killed under.
const glassLife = 3 * time.Second

func openGlass(t *testing.T, careless bool) *glassRig {
	t.Helper()
	g := &glassRig{rig: openShop(t, shop.Config{Processes: true, Programs: programs(t)}), amount: 30_000}
	g.watcher = watch(g.rig, careless)
	return g
}

// shows brings a code on the glass, of its own amount.
func (g *glassRig) shows(ref string) client.Payment {
	g.t.Helper()
	g.amount += 100
	p := g.create(client.NewPayment{Reference: ref, Amount: rub(g.amount), Mode: "show", ExpiresIn: glassLife})
	p = g.untilState(p.ID, tryLimit, "open")
	g.until("the code is on page and pole", func() bool {
		g.watcher.mu.Lock()
		defer g.watcher.mu.Unlock()
		return g.watcher.codes["page "+p.ID] != nil && g.watcher.codes["pole TO PAY "+p.Amount.Text] != nil
	})
	p, err := g.api.Get(g.t.Context(), p.ID)
	if err != nil || p.State != "open" {
		g.t.Fatalf("the code is %s: %v", p.State, err)
	}
	g.watcher.look(p)
	return p
}

// until waits for what is seen on glass.
func (g *glassRig) until(what string, ok func() bool) {
	g.t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(lookEvery) { // real glass: there is no clock to turn
		if time.Now().After(end) {
			g.t.Fatalf("never: %s; the pole says %q", what, g.shop.Pole())
		}
	}
}

// dark is how long the pole still asks for money.
func (g *glassRig) dark() time.Duration {
	g.t.Helper()
	from := time.Now()
	g.until("the pole asks for nothing", func() bool { return poleAsks(g.shop.Pole()) == "" })
	return time.Since(from)
}

// back kills the box, which is started again at once.
func (g *glassRig) back(p client.Payment) time.Duration {
	g.shop.Kill(shop.Tilld)
	took := g.dark()
	g.ends(p)
	return took
}

// down kills the box and keeps it down until the code's own end.
func (g *glassRig) down(p client.Payment) time.Duration {
	from := time.Now()
	g.shop.Stop(shop.Tilld, syscall.SIGKILL)
	g.dark()
	took := time.Since(from)
	g.until("the code's end", func() bool {
		g.watcher.mu.Lock()
		defer g.watcher.mu.Unlock()
		return time.Since(g.watcher.ends[p.ID]) > pageLimit
	})
	g.shop.Start(shop.Tilld)
	g.ends(p)
	return took
}

// office kills the integrator: the box goes on, and takes the code off at its end.
func (g *glassRig) office(p client.Payment) time.Duration {
	g.shop.Kill(shop.Integrator)
	g.ends(p)
	return 0
}

// ends waits until the box says that the payment is over.
func (g *glassRig) ends(p client.Payment) {
	g.t.Helper()
	g.rig.until(p.ID, settleLimit, "over", func(p client.Payment) bool { g.watcher.look(p); return over(p) })
}
