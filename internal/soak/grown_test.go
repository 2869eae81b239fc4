package soak_test

import (
	"fmt"
	"testing"
)

// evening is what the shop holds after a day.
type evening struct {
	heap, journal, ledger int64 // bytes
	routines, files       int
	memory                int // payments that are open
	sales                 int // so far
}

// What a day may add to the one before without being called growth.
const (
	heapSlack = 1 << 20 // bytes, by which a collection may differ from another
	someSlack = 3       // goroutines and files of connections that are just being made
	rateSlack = 1.25    // of what a sale writes to a database
)

// grown says what has grown with time alone: memory, goroutines, files, payments that are never over, and databases by
// more than sales have written. It compares the last third of the evenings with the middle one.
func grown(es []evening) (out []string) {
	if len(es) < 2 {
		return []string{"too few evenings to compare"}
	}
	for i, e := range es {
		if e.memory != 0 {
			out = append(out, fmt.Sprintf("day %d: %d payments are still open", i+1, e.memory))
		}
	}
	third := max(1, len(es)/3)
	mid, last := es[len(es)-2*third:len(es)-third], es[len(es)-third:]
	mean := func(es []evening, f func(evening) int64) (sum int64) {
		for _, e := range es {
			sum += f(e)
		}
		return sum / int64(len(es))
	}
	for _, x := range []struct {
		name  string
		f     func(evening) int64
		slack int64
	}{
		{"heap", func(e evening) int64 { return e.heap }, heapSlack},
		{"goroutines", func(e evening) int64 { return int64(e.routines) }, someSlack},
		{"open files", func(e evening) int64 { return int64(e.files) }, someSlack},
	} {
		if was, is := mean(mid, x.f), mean(last, x.f); is > was+x.slack {
			out = append(out, fmt.Sprintf("%s: %d, then %d", x.name, was, is))
		}
	}
	if len(mid) < 2 {
		return out // a database grows by whole pages: a day says nothing
	}
	rate := func(es []evening, f func(evening) int64) float64 {
		a, b := es[0], es[len(es)-1]
		return float64(f(b)-f(a)) / float64(max(1, b.sales-a.sales))
	}
	for name, f := range map[string]func(evening) int64{
		"journal": func(e evening) int64 { return e.journal }, "ledger": func(e evening) int64 { return e.ledger },
	} {
		if was, is := rate(mid, f), rate(last, f); is > was*rateSlack+1024 {
			out = append(out, fmt.Sprintf("%s: a sale adds %.0f bytes, then %.0f", name, was, is))
		}
	}
	return out
}

// TestGrownFindsWhatGrows plants one leak at a time.
func TestGrownFindsWhatGrows(t *testing.T) {
	for name, leak := range map[string]func(e *evening, day int64){
		"nothing":             func(*evening, int64) {},
		"a heap":              func(e *evening, day int64) { e.heap += day * 200 << 10 },
		"a goroutine a day":   func(e *evening, day int64) { e.routines += int(day) },
		"a descriptor a day":  func(e *evening, day int64) { e.files += int(day) },
		"a payment":           func(e *evening, day int64) { e.memory = int(day / 29) },
		"a journal's rewrite": func(e *evening, day int64) { e.journal += day * day * 60_000 },
		"a ledger's rewrite":  func(e *evening, day int64) { e.ledger += day * day * 60_000 },
	} {
		var es []evening
		for day := range int64(30) {
			e := evening{heap: 2<<20 + day%3*100_000, journal: 300_000 * day, ledger: 500_000 * day, routines: 27, files: 30, sales: 100 * int(day)}
			leak(&e, day)
			es = append(es, e)
		}
		if got := grown(es); (len(got) > 0) != (name != "nothing") {
			t.Errorf("%s: found %q", name, got)
		}
	}
}
