package together

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// How many sales: `go test`, and TILLD_DEPTH=prove.
const (
	salesShort = 2_000
	salesFull  = 1_000_000
)

// TestSales runs sale after sale, each from a seed of its own. A seed that fails is printed with the command that plays it
// again. TILLD_SALES says how many.
func TestSales(t *testing.T) {
	n := uint64(salesShort)
	if os.Getenv("TILLD_DEPTH") == "prove" {
		n = salesFull
	}
	if s := os.Getenv("TILLD_SALES"); s != "" {
		var err error
		if n, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	first := uint64(time.Now().UnixNano())
	if s := os.Getenv("TILLD_SEED"); s != "" {
		var err error
		if first, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // a sale leaves next to nothing behind, and is full of small things
	began := time.Now()
	var next, bad atomic.Uint64
	var mu sync.Mutex
	var total counts
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			var mine counts
			for i := next.Add(1) - 1; i < n && bad.Load() < 5; i = next.Add(1) - 1 {
				w := newWorld(first+i, "")
				w.run()
				mine.add(w.count)
				if len(w.wrong) > 0 {
					bad.Add(1)
					t.Errorf("%s\nagain: TILLD_SEED=%d go test -v -run TestOneSale ./payment/together", strings.Join(w.wrong, "\n"), w.seed)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			total.add(mine)
		})
	}
	wg.Wait()
	done := min(next.Load(), n)
	t.Logf("seeds %d to %d: %d sales, %.0f/s: %+v", first, first+done-1, done, float64(done)/time.Since(began).Seconds(), total)
	if total.handed == 0 || total.cuts == 0 || total.boxStarts == 0 || total.serverStarts == 0 || total.cash == 0 || total.doubled == 0 {
		t.Error("nothing happened to the sales: the harness is broken")
	}
}

// Bugs to plant, each in what stands around the tables.
const (
	otherRequest = "a return that was not answered is sent under another id"
	tellsFirst   = "an event is no part of its change, and a kill takes it"
	stopsAsking  = "a bill that is closed is not asked about any more"
)

// TestSalesFindPlantedBugs shows that a broken promise is seen.
func TestSalesFindPlantedBugs(t *testing.T) {
	for _, plant := range []string{otherRequest, tellsFirst, stopsAsking} {
		t.Run(plant, func(t *testing.T) {
			for seed := range uint64(5_000) {
				w := newWorld(seed, plant)
				w.run()
				if len(w.wrong) > 0 {
					t.Logf("found in sale %d: %s", seed, w.wrong[0])
					return
				}
			}
			t.Error("not found in 5,000 sales")
		})
	}
}

// TestOneSale tells one sale, by TILLD_SEED; without it the first one.
func TestOneSale(t *testing.T) {
	seed, _ := strconv.ParseUint(os.Getenv("TILLD_SEED"), 10, 64)
	w := newWorld(seed, os.Getenv("TILLD_PLANT"))
	w.said = &strings.Builder{}
	w.run()
	again := newWorld(seed, os.Getenv("TILLD_PLANT"))
	again.said = &strings.Builder{}
	again.run()
	if w.said.String() != again.said.String() {
		t.Error("a seed is not one sale")
	}
	t.Logf("seed %d, %d steps\n%s", seed, w.count.steps, w.said)
	for _, x := range w.wrong {
		t.Error(x)
	}
}
