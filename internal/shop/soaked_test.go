//go:build processes

package shop_test

import (
	"cmp"
	"database/sql"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

// held is what a program holds at one moment, and what it has written to the disk so far.
type held struct {
	sales          int   // so far
	rss            int64 // KiB
	threads, files int64
	routines       int64 // goroutines, as the program says itself
	wrote          int64 // bytes
	file, log      int64 // of its database, bytes
}

// String is a line of a report.
func (h held) String() string {
	return fmt.Sprintf("%d KiB resident, %d threads, %d goroutines, %d files, %d KiB written, database %d KiB + log %d KiB",
		h.rss, h.threads, h.routines, h.files, h.wrote>>10, h.file>>10, h.log>>10)
}

// due is what a program may cost.
type due struct {
	wear int64 // bytes that a sale may write to the disk
	grow int64 // bytes by which a sale may lengthen the database
	// rows are the tables that grow with the sales, and by how many rows a sale at most: what is kept. Every other
	// table stays as short as it was.
	rows map[string]float64
}

// What is kept of the sales of an hour is all of it: the journal trims events after 90 days or a million, the ledger those
// of a box beyond the newest 10,000, once an hour; payments and bills stay. So a database grows by what a sale leaves, the
// same for each, and by nothing else.
var dues = map[string]due{
	"tilld": {wear: 100 << 10, grow: 11 << 10, rows: map[string]float64{
		"event": 9,         // each step that the till is told
		"value": 2 + 1./50, // the payment, who had its number last; blocks of numbers
	}},
	"integrator": {wear: math.MaxInt64, grow: 12 << 10, rows: map[string]float64{
		"bills": 1, "orders": 1, "credits": 1, "attempts": 1, "returns": 1,
		"calls":  4, // and their answers, for a box that asks again
		"events": 5,
		"work":   1, // the watch over a closed bill
		"inbox":  2, // call-backs of a day
	}},
}

const (
	logLimit   = 16 << 20  // of a log: it is copied back after 4 MiB or 512 commits, and a reader may hold it up
	fileLeast  = 256 << 10 // of a database that holds hardly anything
	rowsLeast  = 64        // of a table that does not grow
	soakRatio  = 1.25      // of the growth by a sale in the last third to that in the second
	soakPieces = 1 << 10   // bytes a sale: a database grows by whole pages and at each copying back
)

// grownIn says what of a program has grown that should not, from looks at equal distances.
func grownIn(looks []held, d due) (out []string) {
	bad := func(format string, a ...any) { out = append(out, fmt.Sprintf(format, a...)) }
	if len(looks) < 6 {
		return []string{"too few looks"}
	}
	warm, mid, last := looks[len(looks)/4], looks[len(looks)*2/3], looks[len(looks)-1] // the first quarter fills caches and pools
	if last.rss > warm.rss*5/4+8<<10 {
		bad("memory: %d KiB, then %d", warm.rss, last.rss)
	}
	for _, x := range []struct {
		name string
		of   func(held) int64
	}{
		{"threads", func(h held) int64 { return h.threads }},
		{"descriptors", func(h held) int64 { return h.files }},
		{"goroutines", func(h held) int64 { return h.routines }},
	} {
		if slices.ContainsFunc(looks, func(h held) bool { return x.of(h) <= 0 }) {
			bad("%s: not known at every look", x.name) // nothing compares with nothing
		}
		now := x.of(last)
		for _, h := range looks[len(looks)*3/4:] { // what comes and goes with a sale may be there at one look
			now = min(now, x.of(h))
		}
		if was := x.of(warm); now > was+6 {
			bad("%s: %d, then %d at least", x.name, was, now)
		}
	}
	a, b := perSale(looks[len(looks)/3], mid, held.database), perSale(mid, last, held.database)
	if b > a*soakRatio+soakPieces {
		bad("database: a sale adds %.0f bytes, then %.0f", a, b)
	}
	if all := perSale(looks[0], last, held.database); all > float64(d.grow) {
		bad("database: a sale adds %.0f bytes, %d are what is kept of it", all, d.grow)
	}
	if last.log > logLimit {
		bad("log: %d bytes", last.log)
	}
	if wrote := perSale(looks[0], last, held.written); wrote > float64(d.wear) {
		bad("a sale writes %.0f bytes to the disk, the limit is %d", wrote, d.wear)
	}
	return out
}

func (h held) database() int64 { return h.file }
func (h held) written() int64  { return h.wrote }

// perSale is what a sale has added to f.
func perSale(a, b held, f func(held) int64) float64 {
	return float64(f(b)-f(a)) / float64(max(1, b.sales-a.sales))
}

// kept is what a database holds: rows by table, the bytes of its pages, and how many of them are of rows.
type kept struct {
	rows       map[string]int64
	size, used int64
}

// tooMuch says what is in a database that no sale leaves there.
func (k kept) tooMuch(sales int, d due) (out []string) {
	for _, name := range slices.Sorted(maps.Keys(k.rows)) {
		if most := rowsLeast + int64(math.Ceil(float64(sales)*d.rows[name])); k.rows[name] > most {
			out = append(out, fmt.Sprintf("table %s has %d rows after %d sales, at most %d are kept", name, k.rows[name], sales, most))
		}
	}
	if k.size > 5*k.used/2+fileLeast { // pages are half full at least, and rows have their headers
		out = append(out, fmt.Sprintf("its pages have %d bytes for %d of rows: what is trimmed is not used again", k.size, k.used))
	}
	return out
}

// String says the tables that grow, the largest first.
func (k kept) String() string {
	var says []string
	for _, name := range slices.SortedFunc(maps.Keys(k.rows), func(a, b string) int { return cmp.Compare(k.rows[b], k.rows[a]) }) {
		if k.rows[name] > 0 {
			says = append(says, fmt.Sprintf("%s %d", name, k.rows[name]))
		}
	}
	return fmt.Sprintf("%d KiB of pages for %d KiB of rows; rows: %s", k.size>>10, k.used>>10, strings.Join(says, ", "))
}

// look reads a database that a program has open.
func look(t testing.TB, path string) kept {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	k := kept{rows: map[string]int64{}}
	if err := db.QueryRow("SELECT sum(pgsize), sum(payload) FROM dbstat").Scan(&k.size, &k.used); err != nil {
		t.Fatal(err)
	}
	all, err := db.Query("SELECT name FROM sqlite_schema WHERE type = 'table'")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for all.Next() {
		var name string
		if err := all.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := all.Err(); err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		var n int64
		if err := db.QueryRow("SELECT count(*) FROM " + name).Scan(&n); err != nil {
			t.Fatal(err)
		}
		k.rows[name] = n
	}
	return k
}

// size is of a file, 0 if it is not there.
func size(t testing.TB, path string) int64 {
	t.Helper()
	fi, err := os.Stat(path)
	if os.IsNotExist(err) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	return fi.Size()
}

// TestSoakFindsWhatGrows plants one leak at a time into looks at an hour.
func TestSoakFindsWhatGrows(t *testing.T) {
	d := dues["tilld"]
	for name, leak := range map[string]func(h *held, sales int64){
		"":                       func(*held, int64) {},
		"memory":                 func(h *held, sales int64) { h.rss += sales * 2 },
		"threads":                func(h *held, sales int64) { h.threads += sales / 1000 },
		"descriptors":            func(h *held, sales int64) { h.files += sales / 1000 },
		"goroutines":             func(h *held, sales int64) { h.routines += sales / 1000 },
		"goroutines: not known":  func(h *held, _ int64) { h.routines = 0 },
		"bytes, then":            func(h *held, sales int64) { h.file += max(0, sales-14_000) * 5_000 },
		"are what is kept of it": func(h *held, sales int64) { h.file += sales * 5_000 },
		"log":                    func(h *held, sales int64) { h.log += sales << 10 },
		"a sale writes":          func(h *held, sales int64) { h.wrote += sales * 6_000 },
	} {
		var looks []held
		for i := range int64(20) {
			sales := (i + 1) * 1000
			h := held{
				sales: int(sales), rss: 40<<10 + i%3*200, threads: 9 + i%2, files: 28 + i%3, routines: 60 + i%5,
				wrote: sales * 98 << 10, file: sales/51*51*8<<10 + 100<<10, log: 4 << 20,
			}
			leak(&h, sales)
			looks = append(looks, h)
		}
		got := strings.Join(grownIn(looks, d), "\n")
		if name == "" && got != "" || !strings.Contains(got, name) {
			t.Errorf("planted %q, found %q", name, got)
		}
	}
	good := kept{rows: map[string]int64{"event": 130_000, "value": 40_200, "call": 0, "meta": 1}, size: 170 << 20, used: 140 << 20}
	for name, plant := range map[string]func(*kept){
		"":               func(*kept) {},
		"table call has": func(k *kept) { k.rows["call"] = 400 },
		"table value":    func(k *kept) { k.rows["value"] = 60_000 },
		"table new":      func(k *kept) { k.rows["new"] = 20_000 },
		"its pages":      func(k *kept) { k.used /= 4 },
	} {
		k := kept{rows: maps.Clone(good.rows), size: good.size, used: good.used}
		plant(&k)
		got := strings.Join(k.tooMuch(20_000, d), "\n")
		if name == "" && got != "" || !strings.Contains(got, name) {
			t.Errorf("planted %q, found %q", name, got)
		}
	}
}
