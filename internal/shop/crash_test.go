//go:build processes

package shop_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tilld/internal/localapi/client"
	"tilld/internal/shop"
)

// TestFailPoints sells while both ends die at one boundary of their databases after another: before a commit, after it
// and with half of it on the disk, in copying the log back, in raising the generation; and by kill -9 at random besides.
// In the full run the bank has a bad day. The till goes on as a till does, and in the end every book says the same.
func TestFailPoints(t *testing.T) {
	t.Parallel()
	shops, sales, evil := 2, 10, int64(0)
	if thorough() {
		shops, sales, evil = 10, 100, 1
	}
	dir, err := buildFailing()
	if err != nil {
		t.Fatal(err)
	}
	for n := range shops {
		t.Run(fmt.Sprint("Shop", n+1), func(t *testing.T) {
			t.Parallel()
			f := &failing{every: 7}
			f.rig = openShop(t, shop.Config{Processes: true, Programs: dir, Env: f.env(n, failPoint), Evil: evil * int64(n+1)})
			f.glass = watch(f.rig, false)
			f.run(n, sales)
			f.check()
			f.glass.report(t)
			points := map[string]int{}
			for _, m := range regexp.MustCompile(`failpoint (\S+ \w+):\d+:(\w+)`).FindAllStringSubmatch(f.log.String(), -1) {
				points[m[1]+" "+m[2]]++
			}
			t.Logf("killed at fail points: %s; at random: %d", counted(points), f.random)
			if len(points) == 0 {
				t.Error("nothing was killed at a fail point: the harness is broken")
			}
		})
	}
}

// failing is a shop whose programs die.
type failing struct {
	*rig
	armed  atomic.Bool
	every  int // so many sales from one kill -9 to the next
	random int
	deals  []*deal
	glass  *watcher // of kills; nil: nobody looks
}

// run trades with everything going wrong, then settles with nothing going wrong any more.
func (f *failing) run(shopN, sales int) {
	f.armed.Store(true)
	f.trade(shopN, sales)
	f.armed.Store(false)
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
	kind     string
	payload  string
	wants    bool  // goods, against this payment
	back     int64 // of what was kept
	given    bool  // the till has said that the goods leave
	over     bool
	overSays string
}

var kinds = []string{"show", "cancel", "scan", "part", "whole", "expire", "show", "scan", "twice", "parts"}

// env asks plan what goes wrong with the next start of either end: nothing with every fourth, so that something gets done.
func (f *failing) env(shopN int, plan func(i int64, p shop.Part) []string) func(shop.Part) []string {
	var count [2]atomic.Int64
	return func(p shop.Part) []string {
		if p == shop.Bank || f.rig == nil || !f.armed.Load() {
			return nil
		}
		which := 0
		if p == shop.Integrator {
			which = 1
		}
		i := count[which].Add(1) + int64(shopN)*13
		if i%4 == 0 {
			return nil
		}
		return plan(i, p)
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

// trade makes every sale; what does not come to its end in some seconds is left for later, as a cashier would.
func (f *failing) trade(shopN, sales int) {
	for n := range sales {
		d := &deal{n: n, ref: fmt.Sprintf("F-%d", n), kind: kinds[(n+shopN)%len(kinds)], amount: int64(20_000 + 100*n)}
		switch d.kind {
		case "twice":
			d.amount += 5
		case "parts":
			d.amount += 9
		}
		f.deals = append(f.deals, d)
		if n < 2 || n%f.every == f.every-1 { // the first fail points come with the second start
			part := []shop.Part{shop.Tilld, shop.Integrator}[n%2]
			at := time.AfterFunc(rand.N(3*time.Second), func() { f.shop.Kill(part) })
			defer at.Stop()
			f.random++
		}
		f.ask(d)
		f.within(15*time.Second, d, f.act)
	}
}

// ask makes the payment, parking what stands in the way.
func (f *failing) ask(d *deal) {
	mode, life := "show", time.Duration(0)
	switch d.kind {
	case "scan":
		mode = "scan"
	case "expire":
		life = 2 * time.Second
	}
	n := client.NewPayment{Reference: d.ref, Amount: rub(d.amount), Mode: mode, Purpose: "sale", ExpiresIn: life}
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) { // real programs: there is no clock to turn
		p, _, err := f.api.Create(f.t.Context(), n)
		if err == nil {
			d.id = p.ID
			return
		}
		var away *client.Unreachable
		var no *client.Problem
		switch {
		case errors.As(err, &no) && no.Code == "lane_busy" && no.Payment != nil:
			_, _ = f.api.Park(f.t.Context(), no.Payment.ID)
			_, _ = f.api.Return(f.t.Context(), no.Payment.ID, client.NewReturn{Reference: "make-room"})
		case errors.As(err, &away), errors.As(err, &no) && no.Status >= http.StatusInternalServerError:
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
	for end := time.Now().Add(limit); !d.over && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		p, err := f.api.Get(f.t.Context(), d.id)
		var no *client.Problem
		if errors.As(err, &no) && no.Status == http.StatusNotFound {
			f.t.Fatalf("payment %s of %s was acknowledged and is not known any more", d.id, d.ref)
		}
		if err != nil {
			continue // it is away
		}
		if f.glass != nil {
			f.glass.look(p)
		}
		if p.Lights.HandOver && p.Lights.OtherTender {
			f.t.Fatalf("payment %s (%s) has both lights on", p.Number, p.State)
		}
		if p.QR != nil && p.State != "open" && p.State != "part_paid" {
			f.t.Errorf("payment %s shows its code as %s", p.Number, p.State)
		}
		act(d, p)
	}
}

// act is the next thing that the till, or the customer in front of it, does.
func (f *failing) act(d *deal, p client.Payment) {
	ctx := f.t.Context()
	switch {
	case over(p) && !d.given:
		d.over, d.overSays = true, p.State
	case d.given && p.State == "paid":
		f.t.Fatalf("payment %s of %s: its confirmation was acknowledged and is not known any more", d.id, d.ref)
	case p.Lights.HandOver && p.State == "paid":
		if d.kind == "whole" || d.kind == "cancel" {
			_, _ = f.api.Return(ctx, d.id, client.NewReturn{Reference: d.ref + "-all"})
			return
		}
		d.wants = true
		if _, err := f.api.Confirm(ctx, d.id, client.Confirmation{}); err == nil {
			d.given = true
		}
	case (p.State == "confirmed" || p.State == "part_returned") && d.wants:
		d.given = true // also where the answer to the confirm was lost
		if d.kind == "part" && d.back == 0 {
			m := rub(3000)
			if _, err := f.api.Return(ctx, d.id, client.NewReturn{Reference: d.ref + "-part", Amount: &m}); err != nil {
				return
			}
			d.back = m.Value
			return
		}
		d.over, d.overSays = p.Owed.Value == 0 && p.Returned.Value >= d.back, p.State
	case p.State == "open" && d.kind == "cancel":
		_, _ = f.api.Return(ctx, d.id, client.NewReturn{Reference: d.ref + "-cancel"})
	case p.State == "open" && p.QR != nil && d.payload == "" && d.kind != "expire":
		d.payload = p.QR.Payload
		f.post(f.cfg.BankListen, "/wallet/pay", map[string]any{"payload": d.payload}) // an evil bank may say no
	case p.State == "open" && d.kind == "scan" && p.DoubtSince == nil && rand.IntN(10) == 0:
		status, body := f.post(f.cfg.BankListen, "/wallet/code", map[string]any{})
		if m := regexp.MustCompile(`"code":"([^"]+)"`).FindSubmatch(body); status == http.StatusOK && m != nil {
			f.post(f.cfg.Listen, "/scan", map[string]string{"text": string(m[1])})
		}
	}
}

// settle brings what is left to its end: what is paid is handed over, what is not paid is given up.
func (f *failing) settle() {
	end := time.Now().Add(settleLimit + 3*time.Minute)
	for time.Now().Before(end) {
		left := 0
		for _, d := range f.deals {
			if d.over {
				continue
			}
			left++
			f.within(150*time.Millisecond, d, func(d *deal, p client.Payment) {
				if p.State == "open" || p.State == "submitted" {
					_, _ = f.api.Return(f.t.Context(), d.id, client.NewReturn{Reference: d.ref + "-up"})
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
			f.t.Errorf("%s (%s) never ended: %s, doubt %v, lights %+v, owed %v, %v", d.ref, d.kind, p.State, p.DoubtSince, p.Lights, p.Owed, err)
		}
	}
}

// check compares all books, and reads the paper.
func (f *failing) check() {
	a := f.balanced(3 * time.Minute)
	goods := int64(0)
	states := map[string]int{}
	for _, d := range f.deals {
		states[d.kind+" "+d.overSays]++
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
