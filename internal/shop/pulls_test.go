package shop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"tilld/internal/localapi/client"
	"tilld/internal/scans"
	"tilld/printer/escpos/emulator"
)

// What is pulled; of printers each shop has one.
const (
	onPole    = "pole"
	onScanner = "scanner"
	onSerial  = "printer, serial"
	onTCP     = "printer, TCP"
)

// pulls is a shop whose pole, scanner and printer are unplugged and plugged in again, all three, in the middle of what they
// do: half a reading, each second time half a receipt.
type pulls struct {
	*rig
	printer string // onSerial or onTCP
	paper   interface {
		Plug(ctx context.Context) error
		Unplug()
		FailAt(n int64, f emulator.Fault)
		Papers() []emulator.Receipt
	}
	eyes  *eyes
	board *board

	times int      // that everything was pulled
	said  int      // whole readings that the scanner has given
	goods []string // the codes among them that no payment took
	refs  []string // receipts that the till has asked for
	paid  []string // sales with a slip that says so
}

// eyes see what is on a pole from the moment it is plugged in.
type eyes struct {
	mu  sync.Mutex
	all [][]string
}

func (e *eyes) see(rows []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if n := len(e.all); n == 0 || !slices.Equal(e.all[n-1], rows) {
		e.all = append(e.all, rows)
	}
}

func (e *eyes) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = nil
}

func (e *eyes) seen() [][]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.all)
}

// rows is what a pole reads, by a part of each row; "" is an empty one.
type rows [2]string

// like says whether a row of a pole is this one.
func (r rows) like(i int, row string) bool {
	return row == r[i] || r[i] != "" && strings.Contains(row, r[i])
}

func (r rows) are(pole []string) bool { return r.like(0, pole[0]) && r.like(1, pole[1]) }

// among says whether a pole reads one of all.
func among(pole []string, all []rows) bool {
	return slices.ContainsFunc(all, func(r rows) bool { return r.are(pole) })
}

// in pulls everything while a sale, "" for none, is in a state of the table, and looks at it again. In that state the pole
// reads one of these, which follow each other by themselves.
func (g *pulls) in(name, id string, reads ...rows) {
	g.t.Helper()
	row, wanted := g.board.row(name)
	if !wanted {
		return
	}
	is := func(when string) {
		g.t.Helper()
		if id == "" {
			return
		}
		if p, err := g.api.Get(g.t.Context(), id); err != nil || p.State != row.state {
			g.t.Fatalf("%s: the payment is %s %s, %v", name, p.State, when, err)
		}
	}
	before := g.reads(name, reads)
	is("before")
	g.times++
	if err := g.shop.Say("20000"); err != nil {
		g.t.Fatal(err)
	}
	torn := "no receipt"
	if g.times%2 == 0 {
		torn = "a receipt then " + g.tears()
	}
	opened := g.out()
	is("while everything is unplugged")
	waits := g.asks("away")
	if j := g.printUntil(waits, "blocked", func(j client.PrintJob) bool { return j.Blocked != nil }); j.State != client.JobQueued || j.Blocked.Why != "offline" {
		g.t.Errorf("%s: a receipt without a printer is %s: %+v", name, j.State, j.Blocked)
	}
	began := time.Now()
	g.back(opened)
	g.right(name, before, reads)
	g.scansGoods()
	g.printed(waits)
	is("afterwards")
	for _, what := range []string{onPole, onScanner, g.printer} {
		g.board.pulled(row, what)
	}
	g.t.Logf("%s: all is well %v after it was plugged in; %s; the pole: %q", name, time.Since(began).Round(time.Millisecond), torn, before)
}

// reads waits until the pole reads one of these, and answers what.
func (g *pulls) reads(name string, all []rows) []string {
	g.t.Helper()
	for end := time.Now().Add(tryLimit); ; time.Sleep(5 * time.Millisecond) { // real glass
		pole := g.shop.Pole()
		if among(pole, all) {
			return pole
		}
		if time.Now().After(end) {
			g.t.Fatalf("%s: the pole reads %q, and none of %q", name, pole, all)
		}
	}
}

// asks has the till ask for a receipt; its answer is the job.
func (g *pulls) asks(what string) string {
	g.t.Helper()
	ref := fmt.Sprintf("%s-%d", what, g.times)
	g.refs = append(g.refs, ref)
	return g.print(ref).ID
}

// tears drops the printer's line when a part of a receipt has come, and says what the box makes of it. It may be a slip that
// is torn; then the receipt waits.
func (g *pulls) tears() string {
	g.t.Helper()
	g.paper.FailAt(150, emulator.HangUp)
	j := g.printUntil(g.asks("torn"), "over", func(j client.PrintJob) bool {
		return j.Blocked != nil || j.State != client.JobQueued && j.State != client.JobPrinting
	})
	return string(j.State)
}

// ids are the devices as the box calls them.
func ids() []string { return []string{"customer-display-1", "scanner-1", "printer-front"} }

// out unplugs everything, and answers how often the box had opened each.
func (g *pulls) out() map[string]int64 {
	g.t.Helper()
	opened := map[string]int64{}
	g.plug("pole", "out")
	g.plug("scanner", "out")
	g.paper.Unplug()
	for _, id := range ids() {
		opened[id] = g.device(id, "away").Counters.Opens
	}
	g.eyes.close()
	return opened
}

// back plugs everything in, and waits until the box has opened it.
func (g *pulls) back(opened map[string]int64) {
	g.t.Helper()
	g.plug("pole", "in")
	g.plug("scanner", "in")
	if err := g.paper.Plug(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
	for _, id := range ids() {
		g.reopened(id, opened[id])
	}
}

// right waits until the pole reads what it should. It has shown no row of anything else since it was plugged in: not the
// welcome that stood there first, nor the sale before.
func (g *pulls) right(name string, before []string, reads []rows) {
	g.t.Helper()
	g.reads(name, reads)
	seen := g.eyes.seen()
	for _, pole := range seen {
		for i, row := range pole {
			if row != "" && !slices.ContainsFunc(reads, func(r rows) bool { return r.like(i, row) }) {
				g.t.Errorf("%s: plugged in again, the pole showed %q, and before it was pulled %q", name, pole, before)
			}
		}
	}
	if len(seen) == 0 {
		g.t.Errorf("%s: nobody saw the pole", name)
	}
}

// scansGoods has the scanner read a code of its own, and waits for it.
func (g *pulls) scansGoods() {
	g.t.Helper()
	code := ean(len(g.goods))
	g.goods = append(g.goods, code)
	g.shows(code)
	for end := time.Now().Add(tryLimit); g.readings()[code] == 0; time.Sleep(10 * time.Millisecond) { // a real scanner
		if time.Now().After(end) {
			g.t.Fatalf("the reading %s is lost", code)
		}
	}
}

// shows holds a code before the scanner.
func (g *pulls) shows(code string) {
	g.t.Helper()
	g.scan(code)
	g.said++
}

// ean is the nth code of some goods: 13 digits, the last of which checks the others.
func ean(n int) string {
	text, sum := fmt.Sprintf("2000%08d", n), 0
	for i, d := range text {
		sum += int(d-'0') * (1 + 2*(i%2))
	}
	return text + fmt.Sprint((10-sum%10)%10)
}

// readings are what the box says that lane 1 has read, each with how often; "" stands for those that it keeps to itself.
func (g *pulls) readings() map[string]int {
	g.t.Helper()
	out := map[string]int{}
	for _, e := range g.events(0) {
		var x scans.Event
		if e.Type != scans.EventType {
			continue
		}
		if err := json.Unmarshal(e.Data, &x); err != nil || x.Lane != "1" {
			g.t.Errorf("event %d: %s, %v", e.Seq, e.Data, err)
		}
		out[x.Text]++
	}
	return out
}

// phone is the customer's phone with a code that was shown: begin, confirm.
func (g *pulls) phone(does, payload string) {
	g.t.Helper()
	if status, body := g.post(g.cfg.BankListen, "/wallet/"+does, map[string]string{"payload": payload}); status != http.StatusOK {
		g.t.Fatalf("%s: %d %s", does, status, body)
	}
}

// books are looked at when all sales are over: each reading came once, each receipt and slip is on paper once where it is
// called printed and at most once where it is not, and the money adds up.
func (g *pulls) books() {
	g.t.Helper()
	g.allPrinted() // the last sale's slip may still print
	all, read := 0, g.readings()
	for text, n := range read {
		all += n
		if text != "" && (n != 1 || !slices.Contains(g.goods, text)) {
			g.t.Errorf("%q was read %d times", text, n)
		}
	}
	if all != g.said || len(g.goods) == 0 {
		g.t.Errorf("the scanner gave %d readings, the box has %d: %v", g.said, all, read)
	}
	states := map[string]int{}
	for _, ref := range g.refs {
		begun, whole := g.count(func(l string) bool { return strings.Contains(l+" ", "begin "+ref+" ") }), g.count(func(l string) bool { return strings.Contains(l+" ", "end "+ref+" ") })
		states[g.onlyOnce(ref, begun, whole)]++
	}
	for _, id := range g.paid {
		p, err := g.api.Get(g.t.Context(), id)
		if err != nil {
			g.t.Fatal(err)
		}
		n := 0
		for _, x := range g.paper.Papers() {
			if says("Paid\n")(x) && says(p.Number)(x) && says("This is not a fiscal receipt.")(x) && !says("Return")(x) {
				n++
			}
		}
		states[g.onlyOnce("paid/"+id, n, n)]++
	}
	g.t.Logf("%d pulls; %d readings, each once; receipts and slips: %v", g.times, all, states)
	g.balanced(2 * time.Minute)
}

// count is how many lines on all paper are like that.
func (g *pulls) count(like func(string) bool) (n int) {
	for _, x := range g.paper.Papers() {
		for _, l := range x.Text {
			if like(l) {
				n++
			}
		}
	}
	return n
}

// onlyOnce compares what became of a print job with the paper.
func (g *pulls) onlyOnce(ref string, begun, whole int) string {
	g.t.Helper()
	jobs, err := g.api.PrintJobs(g.t.Context(), ref)
	if err != nil || len(jobs) != 1 {
		g.t.Errorf("%s: jobs %+v, %v", ref, jobs, err)
		return ""
	}
	j := jobs[0]
	switch {
	case begun > 1 || whole > 1:
		g.t.Errorf("%s, which is %s, is on paper %d times begun and %d times whole", ref, j.State, begun, whole)
	case j.State == client.JobPrinted && whole != 1:
		g.t.Errorf("%s is called printed (%s), and is on paper %d times", ref, j.Proof, whole)
	case j.State == client.JobNotPrinted && begun != 0, j.State == client.JobQueued, j.State == client.JobPrinting:
		g.t.Errorf("%s is %s in the end, and was begun %d times", ref, j.State, begun)
	}
	return string(j.State)
}
