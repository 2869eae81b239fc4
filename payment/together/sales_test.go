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

	"tilld/internal/depth"
	"tilld/internal/planted"
)

// How many sales: `go test`, TILLD_DEPTH=test and TILLD_DEPTH=prove.
const (
	salesQuick = 700
	salesShort = 2_000
	salesFull  = 1_000_000
)

// TestSales runs shop after shop, each from a seed of its own, until enough sales were made. A seed that fails is printed with the command that plays it
// again. TILLD_SALES says how many.
func TestSales(t *testing.T) {
	n := uint64(depth.Figure(t, "sales", salesQuick, salesShort, salesFull))
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
	var next, sales, bad atomic.Uint64
	var mu sync.Mutex
	var total counts
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			var mine counts
			for sales.Load() < n && bad.Load() < 5 {
				w := newWorld(first+next.Add(1)-1, "")
				w.run()
				mine.add(w.count)
				sales.Add(uint64(w.count.sales)) //nolint:gosec // a count
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
	t.Logf("seeds %d to %d: %d sales, %.0f/s: %+v", first, first+next.Load()-1, total.sales, float64(total.sales)/time.Since(began).Seconds(), total)
	if total.handed == 0 || total.cuts == 0 || total.boxStarts == 0 || total.serverStarts == 0 || total.cash == 0 || total.doubled == 0 ||
		total.gaps == 0 || total.overtaken == 0 || total.afterTheEnd == 0 || total.callBacks == 0 || total.windowFull == 0 ||
		total.laneBusy == 0 || total.besideParked == 0 || total.added == 0 {
		t.Error("nothing happened to the sales: the harness is broken")
	}
}

// Bugs to plant, each in what stands around the tables.
const (
	otherRequest = "a return that was not answered is sent under another id"
	tellsFirst   = "an event is no part of its change, and a kill takes it"
	stopsAsking  = "a bill that is closed is not asked about any more"
	skipsGap     = "an event after a gap is taken in as the next one"
	anyAnswer    = "an answer is taken for that of the call which waits longest, whichever lane's that is"
	oneReference = "a reference names one sale, whichever lane asks"
)

// TestSalesFindPlantedBugs shows that a broken promise is seen.
func TestSalesFindPlantedBugs(t *testing.T) {
	for _, plant := range []string{otherRequest, tellsFirst, stopsAsking, skipsGap, anyAnswer, oneReference} {
		t.Run(plant, func(t *testing.T) {
			for seed := range uint64(5_000) {
				w := newWorld(seed, plant)
				w.run()
				if len(w.wrong) > 0 {
					t.Logf("found with seed %d: %s", seed, w.wrong[0])
					return
				}
			}
			t.Error("not found with 5,000 seeds")
		})
	}
}

// TestOneSale tells the sales of one seed, by TILLD_SEED; without it the first one.
func TestOneSale(t *testing.T) {
	seed, _ := strconv.ParseUint(os.Getenv("TILLD_SEED"), 10, 64)
	w := newWorld(seed, planted.Bug())
	w.said = &strings.Builder{}
	w.run()
	again := newWorld(seed, planted.Bug())
	again.said = &strings.Builder{}
	again.run()
	if w.said.String() != again.said.String() {
		t.Error("a seed does not play the same again")
	}
	t.Logf("seed %d, %d steps\n%s", seed, w.count.steps, w.said)
	for _, x := range w.wrong {
		t.Error(x)
	}
}
