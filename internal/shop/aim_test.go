//go:build processes

package shop_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"tilld/internal/shop"
)

// kind of sale, and what of it a kill is aimed at: the next commit that an end makes, once the till or the customer has
// begun it, is its last act. That is the one which the till, the box or the bank is answered by: chance seldom hits it.
type kind struct {
	name string
	at   shop.Part
	aim  string // create pay scan confirm return
}

var kinds = []kind{
	{"show", shop.Tilld, "create"},
	{"cancel", shop.Integrator, "return"},
	{"scan", shop.Integrator, "scan"},
	{"part", shop.Tilld, "return"},
	{"whole", shop.Tilld, "pay"},
	{"expire", shop.Integrator, "create"},
	{"show", shop.Integrator, "pay"},
	{"scan", shop.Tilld, "scan"},
	{"twice", shop.Integrator, "confirm"},
	{"parts", shop.Tilld, "confirm"},
}

// String names it in TILLD_KIND.
func (k kind) String() string { return fmt.Sprintf("%s, %s dies at its %s", k.name, k.at, k.aim) }

// kindVar names the one kind of sale that is made, for a run over programs with a bug.
const kindVar = "TILLD_KIND"

// hows are the ways to die at a commit.
var hows = []string{"before", "torn", "after"}

// again makes sales of one kind alone, eight for each way to die at most, until something that was acknowledged is gone:
// another commit may have come before the one that was aimed at.
func (f *failing) again(name string) {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.String() == name })
	if i < 0 {
		f.t.Fatalf("no sale is a %q", name)
	}
	for n := range 8 * len(hows) {
		if f.sell(f.deal(n, kinds[i], hows[n%len(hows)])); f.told.lost {
			return
		}
	}
}

// aim has an end die at its next commit, if that is what the deal's kill is for. Once a deal.
func (f *failing) aim(d *deal, act string) {
	if f.sights == "" || d.aimed || d.kind.aim != act {
		return
	}
	d.aimed, d.mark = true, len(f.log.String())
	at := f.sight(d.kind.at)
	if err := os.WriteFile(at+".new", []byte("commit:"+d.how), 0o600); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Rename(at+".new", at); err != nil { // never half a word
		f.t.Fatal(err)
	}
}

// landLimit is how long a kill may take to land; one that has not come by then is a miss, and no fault.
const landLimit = 20 * time.Second

// landed waits until the kill that the deal was aimed with has come and its end is there again, and looks once more: the sale
// may have been over before.
func (f *failing) landed(d *deal) {
	if !d.aimed {
		return
	}
	for end := time.Now().Add(landLimit); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		_, since, dead := strings.Cut(f.log.String()[d.mark:], fmt.Sprintf("failpoint %s commit:aimed", d.kind.at))
		if !dead || !strings.Contains(since, fmt.Sprintf("is started again\" process=%s", d.kind.at)) {
			continue
		}
		if _, ok := f.look(d); ok {
			return
		}
	}
	f.missed++
}

// lower ends what was aimed at and has not come.
func (f *failing) lower() {
	for _, p := range []shop.Part{shop.Tilld, shop.Integrator} {
		_ = os.Remove(f.sight(p))
	}
}

func (f *failing) sight(p shop.Part) string { return filepath.Join(f.sights, string(p)) }

// env asks plan what goes wrong with the next start of either end: nothing with every fourth, so that something gets done.
func (f *failing) env(shopN int, plan func(i int64, p shop.Part) []string) func(shop.Part) []string {
	var count [2]atomic.Int64
	return func(p shop.Part) []string {
		if p == shop.Bank {
			return nil
		}
		var out []string
		if f.sights != "" {
			out = append(out, "TILLD_AIM="+f.sight(p))
		}
		if f.rig == nil || !f.armed.Load() {
			return out
		}
		which := 0
		if p == shop.Integrator {
			which = 1
		}
		i := count[which].Add(1) + int64(shopN)*13
		if i%4 == 0 {
			return out
		}
		return append(out, plan(i, p)...)
	}
}

// failPoint is the boundary at which the process ends.
func failPoint(i int64, p shop.Part) []string {
	how := []string{"before", "after", "torn"}[i%3]
	switch {
	case i%11 == 0:
		return []string{"TILLD_FAIL=checkpoint:1:" + how}
	case i%13 == 0 && p == shop.Tilld:
		return []string{"TILLD_FAIL=generation:1:" + strings.Replace(how, "torn", "after", 1)} // a rename is whole or not at all
	}
	return []string{fmt.Sprintf("TILLD_FAIL=commit:%d:%s", 1+(i*7)%37, how)}
}

func counted(of map[string]int) string {
	var says []string
	for _, p := range slices.Sorted(maps.Keys(of)) {
		says = append(says, fmt.Sprintf("%s %d", p, of[p]))
	}
	return strings.Join(says, ", ")
}
