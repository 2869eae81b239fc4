//go:build processes

package shop_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tilld/internal/depth"
	"tilld/internal/localapi/client"
	"tilld/internal/shop"
)

// TestKillRestart kills either end, and both, between any two steps of both sales, and goes on as a till would: the same
// calls under the same references. Nothing is lost, nothing is doubled: the integrator's books balance, the bank's own
// books say the same, and each sale that handed goods over took its money once.
func TestKillRestart(t *testing.T) {
	t.Parallel()
	rounds := depth.Figure(t, "rounds of kills between any two steps", 1, 1, 5)
	for name, parts := range map[string][]shop.Part{
		"Box": {shop.Tilld}, "Integrator": {shop.Integrator}, "Both": {shop.Tilld, shop.Integrator},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := &killer{rig: openShop(t, shop.Config{Processes: true, Programs: programs(t)}), parts: parts, states: map[string]int{}}
			for round := range rounds {
				for _, s := range []script{shown, scanned} {
					for gap := range s.steps {
						k.sell(s, gap, round)
					}
				}
			}
			k.check()
		})
	}
}

// killer sells and kills.
type killer struct {
	*rig
	parts   []shop.Part
	sales   int
	kills   int
	goods   int64 // of sales that handed over
	states  map[string]int
	longest time.Duration // of a sale, from its create to its end
}

// script is one sale as a till and its customer go through it. Each step may be repeated, and leaves the sale alone when
// it has ended without goods.
type script struct {
	name  string
	steps []step
}

type step struct {
	name string
	do   func(*killer, *sale)
}

// settleLimit is how long a sale that was cut may take to its end, most of it for a busy machine: what the bank may or may
// not have heard lands within 15 s, its no counts 5 s later, when it is asked twice (B4, B31); a return whose answer was
// lost is asked about after 5 s before it goes on (O6).
const settleLimit = 90 * time.Second

// sale is what a till holds in its own books.
type sale struct {
	ref     string
	amount  int64
	id      string
	payload string
	over    bool // ended without goods: other money is safe
	back    int64
}

var shown = script{"show", []step{
	{"create", func(k *killer, s *sale) {
		s.id = k.create(client.NewPayment{Reference: s.ref, Amount: rub(s.amount), Mode: "show"}).ID
	}},
	{"open", func(k *killer, s *sale) {
		p := k.until(s.id, settleLimit, "open with its code, or over", func(p client.Payment) bool {
			return p.State == "open" && p.QR != nil || over(p)
		})
		if s.over = over(p); !s.over {
			s.payload = p.QR.Payload
		}
	}},
	{"pay", func(k *killer, s *sale) { k.pay(s.payload, nil) }},
	{"paid", func(k *killer, s *sale) { k.untilState(s.id, settleLimit, "paid") }},
	{"confirm", (*killer).confirm},
	{"return", func(k *killer, s *sale) {
		s.back = 5000
		m := rub(s.back)
		k.try("return", func() error {
			_, err := k.api.Return(k.t.Context(), s.id, client.NewReturn{Reference: s.ref + "-back", Amount: &m})
			return err
		})
	}},
}}

var scanned = script{"scan", []step{
	{"create", func(k *killer, s *sale) {
		s.id = k.create(client.NewPayment{Reference: s.ref, Amount: rub(s.amount), Mode: "scan"}).ID
	}},
	{"open", func(k *killer, s *sale) {
		p := k.until(s.id, settleLimit, "open, or over", func(p client.Payment) bool { return p.State == "open" || over(p) })
		s.over = over(p)
	}},
	{"scan", func(k *killer, _ *sale) { k.scan(k.walletCode()) }},
	{"paid", (*killer).scanUntilPaid},
	{"confirm", (*killer).confirm},
}}

// scanUntilPaid shows a fresh code whenever the box asks for one: a code that was under way in a crash is gone by design.
func (k *killer) scanUntilPaid(s *sale) {
	k.t.Helper()
	last := time.Now()
	p := k.until(s.id, settleLimit, "paid, or over", func(p client.Payment) bool {
		if p.State == "open" && time.Since(last) > 3*time.Second {
			last = time.Now()
			k.scan(k.walletCode())
		}
		return p.State == "paid" || over(p)
	})
	s.over = over(p)
}

func (k *killer) confirm(s *sale) {
	k.t.Helper()
	k.try("confirm", func() error {
		_, err := k.api.Confirm(k.t.Context(), s.id, client.Confirmation{})
		return err
	})
}

// sell goes through a script with a kill after one of its steps; from round 1 on, at a random moment within it.
func (k *killer) sell(sc script, gap, round int) {
	k.t.Helper()
	k.sales++
	began := time.Now()
	s := &sale{ref: fmt.Sprintf("%s-%d-%d", sc.name, gap, round), amount: int64(20_000 + 100*k.sales)}
	for i, st := range sc.steps {
		if s.over {
			break
		}
		switch {
		case i != gap:
			st.do(k, s)
		case round == 0:
			st.do(k, s)
			k.cut()
		default:
			cut := make(chan struct{})
			go func() { defer close(cut); time.Sleep(rand.N(60 * time.Millisecond)); k.cut() }()
			st.do(k, s)
			<-cut
		}
	}
	k.finish(s, sc.steps[gap].name)
	k.longest = max(k.longest, time.Since(began))
}

func (k *killer) cut() {
	for _, p := range k.parts {
		k.shop.Kill(p)
	}
	k.kills += len(k.parts)
}

// finish waits until the sale is as the till's own books say.
func (k *killer) finish(s *sale, after string) {
	k.t.Helper()
	want := "confirmed"
	switch {
	case s.over:
		want = ""
	case s.back > 0:
		want = "part_returned"
	}
	p := k.until(s.id, settleLimit, "settled", func(p client.Payment) bool {
		if s.over {
			return over(p)
		}
		return p.State == want && p.Returned.Value == s.back && p.Owed.Value == 0
	})
	if !s.over {
		k.goods += s.amount - s.back
		if p.Paid.Value != s.amount || len(p.Returns) > 1 {
			k.t.Errorf("killed after %s: paid %d of %d, %d returns", after, p.Paid.Value, s.amount, len(p.Returns))
		}
	}
	var same []client.Payment
	k.try("find the sale", func() (err error) {
		same, err = k.api.List(k.t.Context(), client.Find{Reference: s.ref})
		return err
	})
	if len(same) != 1 {
		k.t.Errorf("killed after %s: %d payments of one reference", after, len(same))
	}
	k.states[p.State]++
}

// check compares all books.
func (k *killer) check() {
	k.t.Helper()
	a := k.balanced(time.Minute)
	if sold := k.states["confirmed"] + k.states["part_returned"]; a.Bills < sold || a.Bills > k.sales { // one that never left has no bill
		k.t.Errorf("%d bills of %d sales, %d with goods", a.Bills, k.sales, sold)
	}
	if got := a.Sums["RUB"].Goods; got != k.goods {
		k.t.Errorf("the integrator kept %d for goods, the till handed over %d", got, k.goods)
	}
	var open []client.Payment
	k.try("list what is open", func() (err error) {
		open, err = k.api.List(k.t.Context(), client.Find{Open: true})
		return err
	})
	if len(open) > 0 {
		k.t.Errorf("%d payments are still open", len(open))
	}
	var says []string
	for _, st := range slices.Sorted(maps.Keys(k.states)) {
		says = append(says, fmt.Sprintf("%d %s", k.states[st], st))
	}
	k.t.Logf("%d sales, %d kills, the longest took %v, states: %s", k.sales, k.kills, k.longest.Round(100*time.Millisecond), strings.Join(says, ", "))
}
