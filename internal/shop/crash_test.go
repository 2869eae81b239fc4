//go:build processes

package shop_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tilld/internal/depth"
	"tilld/internal/localapi/client"
	"tilld/internal/shop"
)

// TestFailPoints sells while both ends die at one boundary of their databases after another: before a commit, after it
// and with half of it on the disk, in copying the log back, in raising the generation; in each sale at the very commit that
// something is answered by; and by kill -9 at random besides. In the full run the bank has a bad day. The till goes on as a
// till does: what it, the box and the bank were told is there ever after, and in the end every book says the same.
func TestFailPoints(t *testing.T) {
	t.Parallel()
	shops := depth.Figure(t, "shops whose ends die", 2, 2, 10)
	sales, evil := depth.Figure(t, "sales of each shop", len(kinds), len(kinds), 10*len(kinds)), int64(0)
	if depth.Full(t, "a bank that has a bad day besides") {
		evil = 1
	}
	dir, err := buildFailing()
	if err != nil {
		t.Fatal(err)
	}
	var all deaths
	t.Cleanup(func() { all.report(t, shops) })
	for n := range shops {
		t.Run(fmt.Sprint("Shop", n+1), func(t *testing.T) {
			t.Parallel()
			f := &failing{every: 7, sights: t.TempDir()}
			c := shop.Config{Processes: true, Programs: dir, Env: f.env(n, failPoint), Evil: evil * int64(n+1), KillRefunds: n%2 == 1}
			f.told = listen(t, &c)
			f.rig = openShop(t, c)
			f.told.of(f.rig)
			if kind := os.Getenv(kindVar); kind != "" {
				f.again(kind)
				return
			}
			f.glass = watch(f.rig, false)
			f.run(n, sales)
			f.check()
			f.glass.report(t)
			points, aimed := map[string]int{}, 0
			for _, m := range regexp.MustCompile(`failpoint (\S+ \w+):(\w+):(\w+)`).FindAllStringSubmatch(f.log.String(), -1) {
				all.add(m[1] + " " + m[3])
				if m[2] == "aimed" {
					m[1] += " aimed"
					aimed++
				}
				points[m[1]+" "+m[3]]++
			}
			for range strings.Count(f.log.String(), syscall.SIGXFSZ.String()) {
				all.add(inWrite)
			}
			all.shop()
			t.Logf("killed at fail points: %s; at random: %d", counted(points), f.random)
			if f.missed > sales/5 || len(points) == 0 || aimed < sales/2 {
				t.Errorf("%d were hit that were aimed at, %d missed: the harness is broken", aimed, f.missed)
			}
		})
	}
}

// inWrite is a commit whose write the kernel has ended in the middle.
const inWrite = "in the write of a commit"

// deaths are where the programs of all shops have died.
type deaths struct {
	mu    sync.Mutex // guards the following
	at    map[string]int
	shops int
}

func (d *deaths) add(point string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.at == nil {
		d.at = map[string]int{}
	}
	d.at[point]++
}

// shop counts one that has come to its end.
func (d *deaths) shop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shops++
}

// report fails if no end has died at a boundary that all shops together surely reach; the few sales of the short run do not
// surely come to where a log is copied back.
func (d *deaths) report(t *testing.T, shops int) {
	if d.shops < shops {
		return // one alone was asked for, or has failed
	}
	ops := []string{"commit"}
	if depth.Full(t, "a kill in copying the log back, of each end and in each way") {
		ops = append(ops, "checkpoint")
	}
	t.Logf("of all %d shops killed at fail points: %s", shops, counted(d.at))
	if d.at[inWrite] == 0 {
		t.Error("nobody died in a write: the harness is broken")
	}
	for _, part := range []shop.Part{shop.Tilld, shop.Integrator} {
		for _, op := range ops {
			for _, how := range hows {
				if point := fmt.Sprint(part, " ", op, " ", how); d.at[point] == 0 {
					t.Errorf("nobody died at %s: the harness is broken", point)
				}
			}
		}
	}
}

// failing is a shop whose programs die.
type failing struct {
	*rig
	armed  atomic.Bool
	every  int // so many sales from one kill -9 to the next
	random int
	missed int // of the kills that were aimed: they have not come, or nobody came back
	deals  []*deal
	told   *told    // what was acknowledged; run makes one of what the till was told if there is none
	glass  *watcher // of kills; nil: nobody looks
	sights string   // folder of the files that a kill is aimed with; "": none is
}

// run trades with everything going wrong, then settles with nothing going wrong any more.
func (f *failing) run(shopN, sales int) {
	if f.told == nil {
		f.told = newTold()
		f.told.of(f.rig)
	}
	f.armed.Store(true)
	f.trade(shopN, sales)
	f.armed.Store(false)
	f.lower()
	if f.told.lost {
		return
	}
	for _, p := range []shop.Part{shop.Tilld, shop.Integrator} { // what is still to fail goes with its process
		f.shop.Stop(p, syscall.SIGKILL)
		f.shop.Start(p)
	}
	f.try("open again", func() error { // both are up and have found each other: neither is ended in the middle of its start
		lanes, err := f.api.Availability(f.t.Context())
		if err == nil && !lanes[shop.Lane].Scan.OK && !lanes[shop.Lane].Show.OK && lanes[shop.Lane].Show.Why == "no_link" {
			err = &client.Problem{Status: http.StatusServiceUnavailable, Title: "the line is still down"}
		}
		return err
	})
	f.settle()
}

// deal is one sale in the till's own books.
type deal struct {
	n        int
	ref, id  string
	amount   int64
	kind     kind
	how      string // what it is aimed at dies
	aimed    bool
	mark     int // how long the log was then
	payload  string
	wants    bool  // goods, against this payment
	back     int64 // of what was kept
	given    bool  // the till has said that the goods leave
	over     bool
	overSays string
}

// trade makes every sale; what does not come to its end in some seconds is left for later, as a cashier would.
func (f *failing) trade(shopN, sales int) {
	for n := range sales {
		k := (n + shopN) % len(kinds)
		d := f.deal(n, kinds[k], hows[(n/len(kinds)+k+shopN)%len(hows)])
		if n < 2 || n%f.every == f.every-1 { // the first fail points come with the second start
			part := []shop.Part{shop.Tilld, shop.Integrator}[n%2]
			at := time.AfterFunc(rand.N(3*time.Second), func() { f.shop.Kill(part) })
			defer at.Stop()
			f.random++
		}
		if f.sell(d); f.told.lost {
			return
		}
	}
}

// deal is the next sale.
func (f *failing) deal(n int, k kind, how string) *deal {
	d := &deal{n: n, ref: fmt.Sprintf("F-%d", n), kind: k, how: how, amount: int64(20_000 + 100*n)}
	switch k.name {
	case "twice":
		d.amount += 5
	case "parts":
		d.amount += 9
	}
	f.deals = append(f.deals, d)
	return d
}

// sell goes through a sale, and sees whether all is there that was acknowledged meanwhile.
func (f *failing) sell(d *deal) {
	if f.ask(d); f.told.lost {
		return
	}
	f.within(15*time.Second, d, f.act)
	f.landed(d)
	f.told.check()
}

// askLimit is how long a box may take no payment: each of its starts may meet a fault of its own, on a machine that is full.
const askLimit = 10 * time.Minute

// ask makes the payment, parking what stands in the way.
func (f *failing) ask(d *deal) {
	mode, life := "show", time.Duration(0)
	switch d.kind.name {
	case "scan":
		mode = "scan"
	case "expire":
		life = 2 * time.Second
	}
	n := client.NewPayment{Reference: d.ref, Amount: rub(d.amount), Mode: mode, Purpose: "sale", ExpiresIn: life}
	f.aim(d, "create")
	for end := time.Now().Add(askLimit); ; time.Sleep(200 * time.Millisecond) { // real programs: there is no clock to turn
		p, _, err := f.api.Create(f.t.Context(), n)
		if err == nil {
			f.told.saw(p)
			d.id = p.ID
			return
		}
		var away *client.Unreachable
		var no *client.Problem
		switch {
		case errors.As(err, &no) && no.Code == "lane_busy" && no.Payment != nil:
			_, _ = f.api.Park(f.t.Context(), no.Payment.ID)
			_ = f.told.back(no.Payment.ID, client.NewReturn{Reference: "make-room"})
		case errors.As(err, &away), errors.As(err, &no) && no.Status >= http.StatusInternalServerError:
			if f.told.alarm(); f.told.lost {
				return // no sale comes of it
			}
		default:
			f.t.Fatalf("create %s: %v", d.ref, err)
		}
		if time.Now().After(end) {
			f.t.Fatalf("create %s: never taken: %v", d.ref, err)
		}
	}
}

// within looks at the deal again and again until act says that it is over, or the time is.
func (f *failing) within(limit time.Duration, d *deal, act func(*deal, client.Payment)) {
	looks := 0
	for end := time.Now().Add(limit); !d.over && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if looks++; looks%20 == 0 {
			f.told.check()
		}
		if f.told.lost && looks%50 == 0 {
			return // what comes of it is no matter
		}
		if p, ok := f.look(d); ok && !d.over {
			act(d, p)
		}
	}
}

// look asks for the deal's payment, and holds the answer against all that was said of it before. No: nobody answers.
func (f *failing) look(d *deal) (client.Payment, bool) {
	p, err := f.api.Get(f.t.Context(), d.id)
	var no *client.Problem
	switch {
	case errors.As(err, &no) && no.Status == http.StatusNotFound:
		f.told.gone("payment %s of %s: it is not known any more", d.id, d.ref)
		d.over, d.overSays = true, "gone"
		return p, true
	case err != nil:
		return p, false // it is away
	}
	f.told.saw(p)
	if f.glass != nil {
		f.glass.look(p)
	}
	if p.Lights.HandOver && p.Lights.OtherTender {
		f.t.Fatalf("payment %s (%s) has both lights on", p.Number, p.State)
	}
	if p.QR != nil && p.State != "open" && p.State != "part_paid" {
		f.t.Errorf("payment %s shows its code as %s", p.Number, p.State)
	}
	if d.given && p.State == "paid" {
		f.told.gone("confirm of payment %s: it is %s again", d.id, p.State)
		d.over, d.overSays = true, p.State
	}
	return p, true
}

// act is the next thing that the till, or the customer in front of it, does.
func (f *failing) act(d *deal, p client.Payment) {
	ctx := f.t.Context()
	switch {
	case over(p) && !d.given:
		d.over, d.overSays = true, p.State
	case p.Lights.HandOver && p.State == "paid":
		if d.kind.name == "whole" || d.kind.name == "cancel" {
			f.aim(d, "return")
			_ = f.told.back(d.id, client.NewReturn{Reference: d.ref + "-all"})
			return
		}
		d.wants = true
		f.aim(d, "confirm")
		if _, err := f.api.Confirm(ctx, d.id, client.Confirmation{}); err == nil {
			d.given = true
		}
	case (p.State == "confirmed" || p.State == "part_returned") && d.wants:
		d.given = true // also where the answer to the confirm was lost
		if d.kind.name == "part" && d.back == 0 {
			m := rub(3000)
			f.aim(d, "return")
			if err := f.told.back(d.id, client.NewReturn{Reference: d.ref + "-part", Amount: &m}); err != nil {
				return
			}
			d.back = m.Value
			return
		}
		d.over, d.overSays = p.Owed.Value == 0 && p.Returned.Value >= d.back, p.State
	case p.State == "open" && d.kind.name == "cancel":
		f.aim(d, "return")
		_ = f.told.back(d.id, client.NewReturn{Reference: d.ref + "-cancel"})
	case p.State == "open" && p.QR != nil && d.payload == "" && d.kind.name != "expire":
		d.payload = p.QR.Payload
		f.aim(d, "pay")
		f.post(f.cfg.BankListen, "/wallet/pay", map[string]any{"payload": d.payload}) // an evil bank may say no
	case p.State == "open" && d.kind.name == "scan" && p.DoubtSince == nil && rand.IntN(10) == 0:
		status, body := f.post(f.cfg.BankListen, "/wallet/code", map[string]any{})
		if m := regexp.MustCompile(`"code":"([^"]+)"`).FindSubmatch(body); status == http.StatusOK && m != nil {
			f.aim(d, "scan")
			f.post(f.cfg.Listen, "/scan", map[string]string{"text": string(m[1])})
		}
	}
}

// settle brings what is left to its end: what is paid is handed over, what is not paid is given up. A return whose bank was
// silent four times is asked about five minutes later.
func (f *failing) settle() {
	end := time.Now().Add(settleLimit + 10*time.Minute)
	for time.Now().Before(end) {
		left := 0
		for _, d := range f.deals {
			if d.over {
				continue
			}
			left++
			f.within(150*time.Millisecond, d, func(d *deal, p client.Payment) {
				if p.State == "open" || p.State == "submitted" {
					_ = f.told.back(d.id, client.NewReturn{Reference: d.ref + "-up"})
					return
				}
				f.act(d, p)
			})
		}
		if left == 0 {
			return
		}
	}
	for _, d := range f.deals {
		if p, err := f.api.Get(f.t.Context(), d.id); !d.over {
			f.t.Errorf("%s (%s) never ended: %s, doubt %v, lights %+v, owed %v, %v", d.ref, d.kind.name, p.State, p.DoubtSince, p.Lights, p.Owed, err)
		}
	}
}

// check compares all books, and reads the paper.
func (f *failing) check() {
	if f.told.lost {
		return
	}
	a := f.balanced(3 * time.Minute)
	f.told.report()
	goods := int64(0)
	states := map[string]int{}
	for _, d := range f.deals {
		states[d.kind.name+" "+d.overSays]++
		if d.given {
			goods += d.amount - d.back
		}
	}
	if got := a.Sums["RUB"].Goods; got != goods {
		f.t.Errorf("the integrator kept %d for goods, the till handed over %d", got, goods)
	}
	seen := map[string]int{}
	for _, r := range f.shop.Printer().Receipts() {
		text := strings.Join(r.Text, "\n")
		if seen[text]++; seen[text] == 2 && len(strings.TrimSpace(text)) > 0 {
			f.t.Errorf("printed twice:\n%s", text)
		}
	}
	s := a.Sums["RUB"]
	f.t.Logf("%d sales; credits %d = goods %d + returned %d + owed %d + held %d; %d papers, none twice; ends: %s",
		len(f.deals), s.Credits, s.Goods, s.Returned, s.Owed, s.Held, len(seen), counted(states))
}
