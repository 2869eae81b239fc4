//go:build processes

package shop_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tilld/internal/depth"
	"tilld/internal/planted"
	"tilld/internal/shop"
	"tilld/internal/shop/gate"
)

// sweepLimit is how long all faults of one program may take; what is not reached is said. make soak goes through all of them.
func sweepLimit() time.Duration {
	if os.Getenv("TILLD_SWEEP") == "all" {
		return 24 * time.Hour
	}
	return 5 * time.Minute
}

// TestEverySystemCall sells while every system call by which a program opens or changes its own files fails, one in each
// sale, in every way that fits it: at first each call in one way, then each in another. Each time the program ends, refuses
// and says why, or goes on; what the till was told is true after a restart, and the books of all agree. The calls are counted
// for the process, whichever thread makes them.
func TestEverySystemCall(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("strace"); err != nil {
		depth.Lacks(t, err.Error())
	}
	for _, part := range []shop.Part{shop.Tilld, shop.Integrator} {
		t.Run(string(part), func(t *testing.T) {
			t.Parallel()
			every(t, part)
		})
	}
}

func every(t *testing.T, part shop.Part) {
	first, usual := calls(t, part)
	t.Logf("of a first start %d calls: %s", len(first), list(first))
	t.Logf("in a day like any other %d calls: %s", len(usual), list(usual))
	full := depth.Full(t, "as many of these faults as five minutes are enough for, here some of each kind")
	if os.Getenv("TILLD_SWEEP") != "all" {
		t.Log("left to make soak: each of these faults, one in each sale")
	}
	all := len(usual) + len(first)
	if full { // what the time allows is of all steps of the day, and of every kind
		seed := uint64(time.Now().UnixNano())
		t.Logf("in an order of seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 4821))
		for _, calls := range []*[]gate.Call{&first, &usual} {
			r.Shuffle(len(*calls), func(i, j int) { (*calls)[i], (*calls)[j] = (*calls)[j], (*calls)[i] })
			*calls = kindsFirst(*calls)
		}
	}
	usuals, firsts := faultsOfAll(usual, false), faultsOfAll(first, true)
	many, shops := len(usuals)+len(firsts), 4
	if len(usuals) < 200 || len(firsts) < 100 {
		t.Fatalf("%d and %d faults: the harness is broken", len(usuals), len(firsts))
	}
	t.Logf("%d faults in a day like any other, %d at a first start", len(usuals), len(firsts))
	if full {
		shops = 3 // of each program: what the time allows is what the processor allows
	} else {
		usuals, firsts = sample(usuals, 12), sample(firsts, 2)
	}
	if planted.Bug() != "" {
		usuals, firsts = sample(faultsOfAll(usual, false), 60), nil // until it is found
	}
	s := &sweep{part: part, end: time.Now().Add(sweepLimit()), took: map[string]int{}, steps: map[string]int{}, says: map[string]int{}, met: map[string]bool{}}
	work := make(chan fault, many)
	for _, f := range inTurn(usuals, firsts) {
		work <- f
	}
	close(work)
	t.Run("Shops", func(t *testing.T) {
		for n := range shops {
			t.Run(fmt.Sprint(n+1), func(t *testing.T) {
				t.Parallel()
				s.work(t, work)
			})
		}
	})
	s.report(t, many, all)
}

// sweep is what became of all faults.
type sweep struct {
	part  shop.Part
	end   time.Time
	found atomic.Bool // of a planted bug

	mu          sync.Mutex // guards the following
	took, steps map[string]int
	says        map[string]int  // what tills were told, other than yes
	met         map[string]bool // the calls of which a fault has come
	missed      []string
	done, late  int
	longest     time.Duration // from a fault to the end of the program
}

// work tries one fault after another, in one shop; those of a first start each in a shop of its own.
func (s *sweep) work(t *testing.T, work <-chan fault) {
	t.Cleanup(func() {
		if t.Failed() && planted.Bug() != "" {
			s.found.Store(true) // the rest would find it again
		}
	})
	var d *days
	for f := range work {
		if time.Now().After(s.end) || s.found.Load() {
			s.mu.Lock()
			s.late++
			s.mu.Unlock()
			continue
		}
		p := &plan{fault: f, armed: true}
		switch {
		case f.first:
			t.Run("First", func(t *testing.T) {
				one := openDays(t, s.part, p)
				s.note(one, one.live(p))
			})
		case d == nil:
			none := &plan{}
			d = openDays(t, s.part, none)
			d.live(none)
			fallthrough
		default:
			s.note(d, d.live(p))
		}
	}
}

func (s *sweep) note(d *days, took string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done++
	what := d.now.call.Name + " " + d.now.call.File
	if d.now.errno == 0 {
		what += ", half and no error"
	}
	s.took[what+": "+took]++
	s.steps[cmp.Or(d.now.in, "stop")+": "+took]++
	if took == "ended" {
		s.longest = max(s.longest, d.now.gate.Wait().Sub(d.now.plan.at))
	}
	for _, x := range slices.Compact(d.now.says) {
		s.says[x]++
	}
	if took == "not reached" {
		s.missed = append(s.missed, d.now.fault.String())
		return
	}
	s.met[fmt.Sprint(d.now.call, d.now.first)] = true
}

// fewMissed may be, of a few faults; of many it is one of ten. No two days have quite as many calls: of the last run that is
// kept, 11 of 730 did not come.
const fewMissed = 2

func (s *sweep) report(t *testing.T, many, calls int) {
	t.Logf("%d of %d calls met a fault", len(s.met), calls)
	t.Logf("%d of %d faults were tried; how they were taken: %s", s.done, many, counted(s.took))
	t.Logf("by step of the sale: %s; a program that ended did so %v after the fault at last", counted(s.steps), s.longest.Round(time.Millisecond))
	t.Logf("what tills were told meanwhile: %s", counted(s.says))
	if s.late > 0 {
		t.Logf("left out, because the time was over: %d", s.late)
	}
	if len(s.missed) > 0 {
		t.Logf("no such call came in the sale: %s", strings.Join(s.missed, "; "))
	}
	if hit := s.done - len(s.missed); hit == 0 || len(s.missed) > max(fewMissed, s.done/10) {
		t.Errorf("of %d faults only %d came: the harness is broken", s.done, hit)
	}
}

// calls are those of a first start alone and of a day like any other, in which nothing fails. strace counts them too.
func calls(t *testing.T, part shop.Part) (first, usual []gate.Call) {
	none := &plan{}
	d := openDays(t, part, none)
	d.live(none)
	first, start := d.now.gate.Calls(), d.now.start
	d.trace = filepath.Join(t.TempDir(), "trace")
	d.live(none)
	usual = d.now.gate.Calls()
	sameAsStrace(t, d.dir, d.trace, usual)
	return onlyOf(first, usual, start), usual
}
