package shop_test

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tilld/internal/depth"
	"tilld/internal/shop"
	"tilld/payment"
	"tilld/payment/lane"
)

// pullRow is a state in which everything is pulled: of those of the box's table, and where one of them looks different to
// a customer, each of its looks.
type pullRow struct {
	name, state string // state as the table has it, "" where there is no sale
	from        int    // the depth from which on: 0 is the quick one, 1 make test, 2 make prove
}

var pullRows = []pullRow{
	{"idle", "", 2},
	{"submitted", "submitted", 1},
	{"open, a code is shown", "open", 0},
	{"open, a code is awaited", "open", 2},
	{"open, declined once", "open", 2},
	{"open, the link is gone", "open", 2},
	{"part_paid", "part_paid", 2},
	{"paying", "paying", 2},
	{"charging", "charging", 1},
	{"closing", "closing", 2},
	{"in_doubt, shown: not answered", "in_doubt", 2},
	{"in_doubt, shown: closing", "in_doubt", 2},
	{"in_doubt, scanned: charging", "in_doubt", 2},
	{"paid", "paid", 0},
	{"confirmed", "confirmed", 2},
	{"part_returned", "part_returned", 2},
	{"returned", "returned", 2},
	{"refused", "refused", 2},
	{"expired", "expired", 2},
	{"canceled", "canceled", 2},
	{"overridden", "overridden", 2},
}

// tableStates are the public states that the box's table has, each by a payment that is in it.
func tableStates() []string {
	part := &payment.Bill{Fill: payment.Part}
	given := func(n int64) lane.Payment {
		return lane.Payment{Stage: lane.Done, Final: 2, Returns: []lane.ReturnIntent{{Taken: true, Amount: n}}}
	}
	all := []lane.Payment{
		{Stage: lane.Submitted},
		{Stage: lane.Submitted, Sent: true},
		{Stage: lane.Open},
		{Stage: lane.Open, Shown: true},
		{Stage: lane.Open, Shown: true, Bill: part},
		{Stage: lane.Open, Paying: true},
		{Stage: lane.WaitingCode},
		{Stage: lane.WaitingCode, Bill: part},
		{Stage: lane.Charging},
		{Stage: lane.Closing},
		{Stage: lane.LateOffered},
		{Stage: lane.Accepting},
		{Stage: lane.Restored},
		{Stage: lane.Paid},
		{Stage: lane.Released, Final: 2},
		given(0), given(1), given(2),
		{Stage: lane.Overridden},
		{Stage: lane.OverriddenEnded},
	}
	for _, end := range []lane.Why{lane.EndRefused, lane.EndExpired, lane.EndCanceled, lane.EndReturned, lane.Withdrawn} {
		all = append(all, lane.Payment{Stage: lane.Ended, End: end})
	}
	var out []string
	for _, p := range all {
		out = append(out, lane.State(p, false), lane.State(p, true))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// board is the table of what was pulled where.
type board struct {
	depth int

	mu    sync.Mutex
	cells map[string]map[string]int // row → what → times
}

// row is that of the name, and whether it is wanted at this depth.
func (b *board) row(name string) (pullRow, bool) {
	i := slices.IndexFunc(pullRows, func(r pullRow) bool { return r.name == name })
	if i < 0 {
		panic("no row of the table is called " + name)
	}
	return pullRows[i], pullRows[i].from <= b.depth
}

// any says whether one of the rows is wanted.
func (b *board) any(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { _, wanted := b.row(n); return wanted })
}

func (b *board) pulled(r pullRow, what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cells[r.name] == nil {
		b.cells[r.name] = map[string]int{}
	}
	b.cells[r.name][what]++
}

// report prints the table. No cell of this depth is empty, and the full run leaves no state of the box's table out.
func (b *board) report(t *testing.T, columns []string) {
	t.Helper()
	met := map[string]bool{}
	text := fmt.Sprintf("%-31s", "unplugged and back, times")
	for _, c := range columns {
		text += fmt.Sprintf(" | %15s", c)
	}
	for _, r := range pullRows {
		if r.from > b.depth {
			continue
		}
		met[r.state] = true
		text += fmt.Sprintf("\n%-31s", r.name)
		for _, c := range columns {
			n := b.cells[r.name][c]
			if text += fmt.Sprintf(" | %15d", n); n == 0 {
				t.Errorf("the %s was never pulled in %s", c, r.name)
			}
		}
	}
	t.Log("\n" + text)
	for _, s := range tableStates() {
		if b.depth == 2 && !met[s] {
			t.Errorf("nothing was pulled in %s", s)
		}
	}
}

// TestDevicesComeAndGoInEveryState pulls pole, scanner and printer in the states of a sale: in shops with a printer of each
// kind, and for those of doubt in shops of their own, which doubt soon. In the others nothing is ever doubted.
func TestDevicesComeAndGoInEveryState(t *testing.T) {
	t.Parallel()
	b := &board{cells: map[string]map[string]int{}, depth: 1}
	columns := []string{onPole, onScanner, onSerial, onTCP}
	switch {
	case depth.Quick():
		b.depth, columns = 0, columns[:3]
		t.Log("left to make test: a printer on TCP, submitted, charging; to make prove: the other states")
	case depth.Full(t, "devices that come and go in the other states"):
		b.depth = 2
	}
	t.Run("shops", func(t *testing.T) {
		for _, printer := range columns[2:] {
			name := strings.TrimPrefix(printer, "printer, ") // what the folder of its shop may be called in a configuration
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				g := openPulls(t, b, printer, "10m")
				for _, sale := range []func(*pulls){shownPulls, declinedPulls, askedPulls, canceledPulls, endedPulls} {
					sale(g)
				}
				g.books()
			})
			if b.depth < 2 {
				continue
			}
			t.Run(name+"InDoubt", func(t *testing.T) {
				t.Parallel()
				g := openPulls(t, b, printer, "2s")
				for _, sale := range []func(*pulls){unansweredPulls, linklessPulls, doubtedPulls, chargedPulls} {
					sale(g)
				}
				g.books()
			})
		}
	})
	b.report(t, columns)
}

// openPulls opens a shop with such a printer, in which an answer is waited for so long before there is doubt. A payment
// keeps the glass meanwhile: no lane is freed by itself.
func openPulls(t *testing.T, b *board, printer, doubt string) *pulls {
	t.Helper()
	g := &pulls{printer: printer, board: b, eyes: &eyes{}}
	c := shop.Config{State: t.TempDir()}
	port := ""
	if printer == onSerial {
		p, err := shop.NewSerialPrinter(c.State + "/lines")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Unplug)
		g.paper, port = p, "port: {serial: "+p.Path()+", baud: 115200}"
	}
	tcp := regexp.MustCompile(`port: \{tcp: "[^"]*"\}`)
	c.Edit = func(name string, text []byte) []byte {
		if name != "tilld.yaml" {
			return text
		}
		if port != "" {
			text = tcp.ReplaceAll(text, []byte(port))
		}
		text = bytes.Replace(text, []byte("times:\n"), []byte("times:\n  doubt: "+doubt+"\n  park: 10m\n"), 1)
		if !strings.Contains(string(text), "park: 10m") || port != "" && !strings.Contains(string(text), port) {
			t.Errorf("the shop's settings are not as this test wants them:\n%s", text)
		}
		return text
	}
	g.rig = openShop(t, c)
	g.limit = 2 * time.Minute // a link that was silent for long comes back later
	if g.paper == nil {
		g.paper = g.shop.Printer()
	}
	if err := g.shop.PoleAt9600(g.eyes.see); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids() {
		g.device(id, "ready", "present")
	}
	return g
}
