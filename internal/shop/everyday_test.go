//go:build processes

package shop_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"tilld/internal/localapi/client"
	"tilld/internal/planted"
	"tilld/internal/shop"
	"tilld/internal/shop/gate"
)

// buildGated has the programs that pass a gate if they are told to.
var buildGated = sync.OnceValues(func() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	name, build := "gated", buildStatic
	if planted.Bug() != "" {
		name, build = "gated-failing", buildFailing
	}
	return wrapped(name, build, func(program string) string {
		// strace sees the same calls, and knows nothing of the gate; -D makes the program the child of the shop.
		return fmt.Sprintf("[ -n \"$TILLD_GATE\" ] || exec %[2]s \"$@\"\n"+
			"[ -n \"$TILLD_TRACE\" ] || exec %[1]s %[2]s \"$@\"\n"+
			"exec strace -D -f -y -qq -s 0 -o \"$TILLD_TRACE\" -e trace=%%file,%%desc %[1]s %[2]s \"$@\"\n", self, program)
	})
})

// days is a shop in which one program passes a gate at each start: that is a day, with one sale in it.
type days struct {
	*rig
	part  shop.Part
	dir   string // of what the program keeps
	trace string // where strace writes of the next day; "": there is no strace
	next  atomic.Pointer[gate.Gate]

	sales, goods int64
	now          day
}

// day is one start of the program with its sale, and what the till has been told in it.
type day struct {
	*plan
	gate   *gate.Gate
	began  bool
	step   string
	start  int    // calls of the program until it was ready
	in     string // the step in which the fault came
	says   []string
	told   client.Payment
	paper  client.PrintJob // as it was told at last
	killed bool
	tried  bool // what was told was compared after a restart
	alone  bool // the program has ended by itself
}

// openDays opens a shop. Its program's first start is the first day, of which run makes the rest.
func openDays(t testing.TB, part shop.Part, p *plan) *days {
	t.Helper()
	dir, err := buildGated()
	if err != nil {
		t.Fatal(err)
	}
	state, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d := &days{part: part, dir: filepath.Join(state, string(part))}
	d.rig = &rig{t: t}
	d.dawn(p)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("under way: %v; in %s", d.now.plan, d.now.step)
		}
	})
	r := openShop(t, shop.Config{Processes: true, Programs: dir, State: state, Env: d.env})
	d.rig, r.heard, r.limit = r, d.hears, settleLimit // a machine that is full of such shops is slow
	d.now.began = true
	return d
}

// env lets the next start of the program pass the gate that waits for it.
func (d *days) env(p shop.Part) []string {
	if p != d.part {
		return nil
	}
	g := d.next.Swap(nil)
	if g == nil {
		return nil
	}
	return []string{g.Env(), "TILLD_TRACE=" + d.trace}
}

// hears is what the till is told each time that it asks. It is then that a program is killed which the fault has left alive:
// before it can make good with a later write what an earlier one has lost.
func (d *days) hears(err error) {
	if d.now.hit.Load() && d.now.kill && !d.now.killed && !d.now.gate.Over() {
		d.cut()
	}
	var p *client.Problem
	if !errors.As(err, &p) {
		return
	}
	if p.Status == http.StatusNotFound {
		d.t.Fatalf("a false ok: %v: in %s the till asked for what it had been told of: %v", d.now.plan, d.now.step, p)
	}
	if !d.now.hit.Load() || p.Status < http.StatusInternalServerError || p.Code == "no_link" || p.Why == "no_link" {
		return
	}
	d.now.says = append(d.now.says, strings.TrimSpace(fmt.Sprintf("%d %s %s", p.Status, p.Code, p.Why)))
	d.now.heard()
	if p.Status == http.StatusInternalServerError {
		d.t.Errorf("%v: in %s, a refusal that does not say why: %+v", d.now.plan, d.now.step, p)
	}
}

// dawn opens the gate of a new day.
func (d *days) dawn(p *plan) {
	d.t.Helper()
	g, err := gate.Open(d.dir, p.judge)
	if err != nil {
		d.t.Fatal(err)
	}
	d.now = day{plan: p, gate: g}
	d.next.Store(g)
}

// often is after how many sales the integrator starts anew: a box that comes more than sixty times an hour is asked to rest.
const often = 12

// live goes through a day: start, sale, stop. It answers how the program took the fault.
func (d *days) live(p *plan) string {
	d.t.Helper()
	if !d.now.began {
		d.shop.Stop(d.part, syscall.SIGTERM)
		if d.part != shop.Integrator && d.sales%often == 0 {
			d.shop.Stop(shop.Integrator, syscall.SIGTERM)
			d.shop.Start(shop.Integrator)
		}
		d.dawn(p)
		d.log.mark()
		d.shop.Start(d.part)
	}
	d.now.began = false
	d.sell()
	d.now.step = "stop"
	d.shop.Stop(d.part, syscall.SIGTERM)
	if err := d.now.gate.Close(); err != nil {
		d.t.Errorf("%v: the gate: %v", d.now.plan, err)
	}
	if p.hit.Load() && !d.now.tried {
		d.shop.Start(d.part)
		d.compare()
	}
	return d.took()
}

// took says how the program took the fault.
func (d *days) took() string {
	switch {
	case !d.now.hit.Load():
		return "not reached"
	case d.now.alone && strings.Contains(d.log.since(), "\ngoroutine "):
		d.t.Errorf("%v: the program panicked", d.now.plan)
		return "panicked"
	case d.now.alone && !strings.Contains(d.log.since(), string(d.part)+": "):
		d.t.Errorf("%v: the program ended and did not say why", d.now.plan)
		return "ended without a word"
	case d.now.alone:
		return "ended"
	case d.now.killed && len(d.now.says) > 0:
		return "refused, and was killed"
	case d.now.killed:
		return "answered, and was killed"
	case len(d.now.says) > 0:
		return "refused"
	}
	return "went on"
}
