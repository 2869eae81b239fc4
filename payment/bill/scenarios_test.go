package bill_test

import (
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tilld/internal/depth"
	"tilld/payment"
	"tilld/payment/bill"
)

func scenarios() []bounds {
	one, two, parts, three := []int64{2}, []int64{2, 2}, []int64{1, 1}, []int64{1, 2, 2}
	show, scan := payment.Show, payment.Scan
	return []bounds{
		{name: "show", mode: show, amounts: one},
		{name: "show, paid twice", mode: show, amounts: two},
		{name: "show, in parts", mode: show, amounts: parts},
		{name: "the bank ends the code by itself (B5d)", mode: show, amounts: one, do: "b"},
		{name: "the bank ends the code by itself, in parts (B5d)", mode: show, amounts: parts, do: "b", deep: true},
		{name: "the bank ends the code by itself, customers confirming, dead code paid (B5d)", mode: show, amounts: parts, do: "bwf", deep: true},
		{name: "show, paying", mode: show, amounts: one, do: "w"},
		{name: "show, paying, two customers", mode: show, amounts: two, do: "w", deep: true},
		{name: "show, more time", mode: show, amounts: one, do: "xw", deep: true},
		{name: "show, lost and slow answers", mode: show, amounts: one, do: "d", deep: true},
		{name: "show, slow answers, paid twice, dead code paid", mode: show, amounts: two, do: "df", deep: true},
		{name: "show, dead code paid", mode: show, amounts: one, do: "f"},
		{name: "show, two customers, dead code paid", mode: show, amounts: two, do: "f", deep: true},
		{name: "show, three customers", mode: show, amounts: three, do: "f", deep: true},
		{name: "kill refunds", mode: show, amounts: one, killRefunds: true},
		{name: "kill refunds, paying", mode: show, amounts: one, killRefunds: true, do: "wd", deep: true},
		{name: "kill refunds, parts", mode: show, amounts: parts, killRefunds: true, deep: true},
		{name: "kill refunds, paid twice", mode: show, amounts: two, killRefunds: true, deep: true},
		{name: "kill refunds, dead code paid", mode: show, amounts: one, killRefunds: true, do: "f", deep: true},
		{name: "kill refunds, paid twice, dead code paid", mode: show, amounts: two, killRefunds: true, do: "f", deep: true},
		{name: "kill refunds, three customers", mode: show, amounts: three, killRefunds: true, deep: true},
		{name: "console", mode: show, amounts: one, do: "c"},
		{name: "console, kill refunds, returns after goods", mode: show, amounts: parts, killRefunds: true, do: "cr", deep: true},
		{name: "returns after the goods", mode: show, amounts: one, do: "r"},
		{name: "a copy of the box returns what was confirmed (B12f)", mode: show, amounts: one, do: "k"},
		{name: "a copy of the box returns what was confirmed, returns after the goods (B12f)", mode: show, amounts: one, do: "kr", deep: true},
		{name: "refund refused, short, later (O4, O5s)", mode: show, amounts: one, refuses: 1, wide: true},
		{name: "refund refused, short, later, twice (O4, O5, O5s)", mode: show, amounts: one, refuses: 2, deep: true},
		{name: "refund bounced (O8)", mode: show, amounts: one, refuses: 1, bounces: 2, do: "d", deep: true},
		{name: "refund bounced twice (O8)", mode: show, amounts: one, bounces: 2, wide: true},
		{name: "second reference (B1c, B1u)", mode: show, amounts: one, do: "e", wide: true},
		{name: "terminal replaced (B35)", mode: show, amounts: one, do: "m", wide: true},
		{name: "terminal replaced, in parts, late (B35)", mode: show, amounts: parts, do: "mf", deep: true},
		{name: "deposit (B13d)", mode: show, amounts: parts, deposit: true},
		{name: "deposit, dead code paid (B13d)", mode: show, amounts: parts, deposit: true, do: "f", deep: true},
		{name: "deposit, console (B13d)", mode: show, amounts: parts, deposit: true, do: "c", deep: true},
		{name: "chargeback (B38)", mode: show, amounts: one, claws: 1, wide: true},
		{name: "two chargebacks (B38)", mode: show, amounts: one, claws: 2, deep: true},
		{name: "chargeback, returns (B38)", mode: show, amounts: one, claws: 1, do: "r", deep: true},
		{name: "people in doubt", mode: show, amounts: one, do: "p", wide: true},
		{name: "bank taken out of the settings", mode: show, amounts: one, do: "bpn", wide: true},
		{name: "bank taken out of the settings, confirming customers", mode: show, amounts: one, do: "bpnw", deep: true},
		{name: "bank taken out of the settings, kill refunds", mode: show, amounts: one, killRefunds: true, do: "bpn", deep: true},
		{name: "box lost (B28)", mode: show, amounts: one, do: "g", wide: true},
		{name: "box lost, in parts (B28)", mode: show, amounts: parts, do: "gf", deep: true},
		{name: "prepayment (B37)", mode: show, amounts: one, purpose: payment.Prepayment, do: "a"},
		{name: "prepayment, returns, console (B37)", mode: show, amounts: one, purpose: payment.Prepayment, do: "arc", deep: true},
		{name: "prepayment, chargeback (B37, B38)", mode: show, amounts: one, purpose: payment.Prepayment, claws: 1, do: "a", deep: true},
		{name: "fixed", mode: show, kind: bill.Fixed, amounts: []int64{2, 1}, do: "f"},
		{name: "ranged", mode: show, kind: bill.Ranged, amounts: []int64{1, 3, 2}, do: "f"},
		{name: "timer", mode: show, kind: bill.Timer, amounts: []int64{1}, horizon: unit, deep: true},
		{name: "timer, later", mode: show, kind: bill.Timer, amounts: []int64{1}, horizon: 2 * unit, deep: true},
		{name: "timer, two customers", mode: show, kind: bill.Timer, amounts: []int64{1, 2}, horizon: 3 * unit, deep: true},
		{name: "scan", mode: scan, amounts: one},
		{name: "scan, paying, lost and slow answers", mode: scan, amounts: one, do: "wd", deep: true},
		{name: "scan, in parts", mode: scan, amounts: parts},
		{name: "scan, paid twice, kill refunds", mode: scan, amounts: two, killRefunds: true, deep: true},
		{name: "scan, void", mode: scan, amounts: one, do: "v"},
		{name: "scan, kill refunds", mode: scan, amounts: one, killRefunds: true, do: "w", wide: true},
		{name: "scan, people in doubt", mode: scan, amounts: one, do: "p", wide: true},
	}
}

// once are the rows that no search took at first.
const once = `B1c B1u B5i B12f B13d B35 B37 B38 O4 O8 B2b B5d O5s`

// TestNoAdversaryBreaksTheTable searches every scenario to its end: every state within its bounds.
func TestNoAdversaryBreaksTheTable(t *testing.T) {
	limit, prove := bounded(t)
	percent := 800 // a short search is over before its memory is worth collecting
	if prove {
		percent = 300
	}
	defer debug.SetGCPercent(debug.SetGCPercent(percent))
	taken, by := map[string]bool{}, map[string][]string{}
	states, steps, ran, left := 0, 0, 0, []string{}
	var leftToTest []string // those with several customers, and the widest
	began := time.Now()
	var mu sync.Mutex
	t.Run("scenario", func(t *testing.T) { // side by side, and all of them over before the sums are told
		for _, b := range scenarios() {
			if b.deep && !prove {
				left = append(left, b.name)
				continue
			}
			if (b.wide || len(b.amounts) > 1) && depth.Quick() {
				leftToTest = append(leftToTest, b.name)
				continue
			}
			t.Run(b.name, func(t *testing.T) {
				t.Parallel()
				x := newSearch(&b, bill.Rows())
				if bad := x.run(limit); bad != "" {
					t.Error(bad)
				}
				mu.Lock()
				defer mu.Unlock()
				ran++
				for _, id := range strings.Fields(once) {
					if x.taken[id] {
						by[id] = append(by[id], b.name)
					} else if strings.Contains(strings.NewReplacer("(", " ", ")", " ", ",", " ").Replace(b.name)+" ", " "+id+" ") {
						t.Errorf("%s is not taken", id)
					}
				}
				maps.Copy(taken, x.taken)
				states, steps = states+len(x.queue), steps+len(x.from)
				t.Logf("%d states, %d transitions, %d settled", len(x.queue), len(x.from), len(x.good))
			})
		}
	})
	for _, id := range strings.Fields(once) {
		slices.Sort(by[id])
		if t.Logf("once without a search: %s, now taken in %s", id, strings.Join(by[id], "; ")); len(by[id]) == 0 && ran+len(left) == len(scenarios()) { // none left out by quick or by -run
			t.Errorf("no search takes %s", id)
		}
	}
	var never []string
	for _, id := range strings.Fields(rowIDs) {
		if !taken[id] {
			never = append(never, id)
		}
	}
	t.Logf("%d states, %d transitions in %s; rows never taken by the search: %v", states, steps, time.Since(began).Round(time.Millisecond), never)
	if len(leftToTest) > 0 {
		t.Logf("left to make test: the scenarios %s", strings.Join(leftToTest, "; "))
	}
	if len(left) > 0 {
		t.Logf("left to make prove: the scenarios %s", strings.Join(left, "; "))
	}
}

// without is the table with one row spoilt.
func spoilt(id string, change func(*bill.Row)) bill.Table {
	t := bill.Rows()
	for i := range t {
		if t[i].ID == id {
			change(&t[i])
		}
	}
	return t
}

func never(r *bill.Row) { r.Match = func(*bill.State, *bill.Event) bool { return false } }

// drops removes the effect by which a row hands on what it owes.
func drops(kind string) func(*bill.Row) {
	return func(r *bill.Row) {
		do := r.Do
		r.Do = func(s *bill.State, e *bill.Event) (*bill.State, []bill.Effect) {
			s, fx := do(s, e)
			return s, slices.DeleteFunc(fx, func(f bill.Effect) bool { return string(f.Kind) == kind })
		}
	}
}

// TestTheSearchFindsPlantedFaults spoils one row at a time: a search that misses one proves nothing.
func TestTheSearchFindsPlantedFaults(t *testing.T) {
	one, two, parts := []int64{2}, []int64{2, 2}, []int64{1, 1}
	for _, f := range []struct {
		fault string
		row   string
		do    func(*bill.Row)
		b     bounds
	}{
		{"V9: no row for money on a closed bill", "B16a", never, bounds{mode: payment.Show, amounts: two}},
		{"V12: the excess is absolute, not the delta", "B6a", func(r *bill.Row) {
			r.Do = func(s *bill.State, e *bill.Event) (*bill.State, []bill.Effect) {
				return absolute(s, e)
			}
		}, bounds{mode: payment.Show, amounts: []int64{2, 1, 1}}},
		{"V22: a part is not given back at close", "B13", drops("then"), bounds{mode: payment.Show, amounts: parts}},
		{"V6: a console takes back what the box may hand over", "B36", func(r *bill.Row) {
			r.Do = func(s *bill.State, e *bill.Event) (*bill.State, []bill.Effect) {
				x := *e
				x.By, x.Whole = bill.ByBox, true
				return payment.Find(bill.Rows(), s, &x).Do(s, &x)
			}
		}, bounds{mode: payment.Show, amounts: one, do: "c"}},
		{"V14: no row for a confirm after the deadline", "B8a", never, bounds{mode: payment.Show, amounts: one}},
		{"V27: payment wins against a return", "B11", func(r *bill.Row) {
			do := r.Do
			r.Do = func(s *bill.State, e *bill.Event) (*bill.State, []bill.Effect) {
				s, fx := do(s, e)
				s.Reason, s.Fence = payment.Expire, false
				return s, fx
			}
		}, bounds{mode: payment.Show, amounts: one}},
		{"V7: the kill runs unseen at a bank that refunds", "B13k", func(r *bill.Row) {
			do := r.Do
			r.Do = func(s *bill.State, e *bill.Event) (*bill.State, []bill.Effect) {
				s, fx := do(s, e)
				s.Killed, s.Refunds = false, false
				return s, fx
			}
		}, bounds{mode: payment.Show, amounts: one, killRefunds: true}},
		{"V15: another method before a definite answer", "O6", func(r *bill.Row) {
			do := r.Do
			r.Do = func(s *bill.State, e *bill.Event) (*bill.State, []bill.Effect) {
				s, _ = do(s, e)
				for i := range s.Obligations {
					if o := &s.Obligations[i]; o.ID == e.Obligation {
						o.State, o.Request, o.Method, o.Next = bill.Owed, "", "", e.Now
					}
				}
				return s, nil
			}
		}, bounds{mode: payment.Show, amounts: one, do: "d"}},
	} {
		t.Run(f.fault, func(t *testing.T) {
			f.b.name = f.fault
			x := newSearch(&f.b, spoilt(f.row, f.do))
			bad := x.run(400_000)
			if bad == "" || strings.HasPrefix(bad, "more than") {
				t.Fatalf("not found in %d states %s", len(x.queue), bad)
			}
			t.Logf("found after %d states: %s", len(x.queue), strings.SplitN(bad, "\n", 2)[0])
		})
	}
}

// absolute is B6a as it was at first: everything above the amount, every time.
func absolute(s *bill.State, e *bill.Event) (*bill.State, []bill.Effect) {
	s.Credits = append(s.Credits, *e.Credit)
	total := bill.Count(*s).Credits - s.Need
	for i := len(s.Credits) - 1; i >= 0 && total > 0; i-- {
		n := min(total, s.Credits[i].Amount)
		s.Obligations = append(s.Obligations, bill.Obligation{
			ID: s.ID + "x" + string(rune('a'+len(s.Obligations))), Txn: s.Credits[i].Txn, Provider: s.Credits[i].Provider, Amount: n, State: bill.Owed, Why: bill.WhyOver, Next: e.Now,
		})
		total -= n
	}
	return s, nil
}
