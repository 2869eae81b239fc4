//go:build processes

package shop_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"tilld/internal/localapi/client"
	"tilld/internal/shop"
)

// goalPerSale is how much of the box's disk a sale may wear, in bytes. A run may differ from another by wearSlack.
const (
	goalPerSale = 100 << 10
	wearSlack   = 10 << 10
)

// plainSlips gives a slip only where something is odd, as the shipped configuration does: no paper for a plain sale.
func plainSlips(_ string, text []byte) []byte {
	return regexp.MustCompile(`slips: \[.*\]`).ReplaceAll(text, []byte("slips: [paid_twice, return_asked, late]"))
}

// TestSoak sells through the real programs for a while: TILLD_SOAK is for how long, 1h with `make soak`; without it forty
// sales show that the harness works. Memory, threads and files of both programs stay as they are, and a sale writes no
// more to the box's disk than is its due.
func TestSoak(t *testing.T) {
	sales, each := 40, time.Duration(0)
	if s := os.Getenv("TILLD_SOAK"); s != "" {
		d, err := time.ParseDuration(s)
		if err != nil {
			t.Fatal(err)
		}
		sales = int(20_000 * d / time.Hour)
		each = d / time.Duration(sales)
	} else {
		t.Parallel()
	}
	r := openShop(t, shop.Config{Processes: true, Programs: programs(t), Edit: plainSlips})
	pids := map[string]int{"tilld": r.pid("tilld"), "integrator": r.pid("integrator")}
	start := time.Now()
	var looks []map[string]held
	for i := range sales {
		r.soakSale(i)
		time.Sleep(time.Until(start.Add(time.Duration(i+1) * each))) // spread over the time: real programs
		if (i+1)%max(1, sales/20) == 0 {
			looks = append(looks, r.held(pids))
		}
	}
	took := time.Since(start)
	for i, look := range looks {
		t.Logf("after %d sales: tilld %v; integrator %v", (i+1)*max(1, sales/20), look["tilld"], look["integrator"])
	}
	r.balanced(tryLimit)
	warm, last := looks[len(looks)/4], looks[len(looks)-1] // the first quarter fills caches and pools
	for name := range pids {
		w, l := warm[name], last[name]
		if l.rss > w.rss*5/4+8<<10 || l.threads > w.threads+4 || l.files > w.files+4 {
			t.Errorf("%s has grown: %v, then %v", name, w, l)
		}
	}
	first := looks[0]
	wrote := (last["tilld"].wrote - first["tilld"].wrote) / int64(sales-sales/20)
	t.Logf("%d sales in %v; a sale writes %d KiB at the box, %d KiB at the integrator", sales, took.Round(time.Second), wrote>>10,
		(last["integrator"].wrote-first["integrator"].wrote)/int64(sales-sales/20)>>10)
	if wrote > goalPerSale+wearSlack {
		t.Errorf("a sale writes %d bytes at the box, the goal is %d", wrote, goalPerSale)
	}
}

// soakSale is one sale of mixed kinds.
func (r *rig) soakSale(i int) {
	r.t.Helper()
	n := client.NewPayment{Reference: fmt.Sprint("soak-", i), Amount: rub(10050 + int64(i%50)*100), Mode: "show"}
	if i%3 == 1 {
		n.Mode = "scan"
	}
	p := r.create(n)
	p = r.untilState(p.ID, tryLimit, "open")
	switch {
	case i%10 == 9:
		if _, err := r.api.Return(r.t.Context(), p.ID, client.NewReturn{Reference: n.Reference + "-back"}); err != nil {
			r.t.Fatal(err)
		}
		r.untilState(p.ID, tryLimit, "canceled")
		return
	case n.Mode == "scan":
		r.scan(r.walletCode())
	default:
		r.pay(p.QR.Payload, nil)
	}
	r.untilState(p.ID, tryLimit, "paid")
	if _, err := r.api.Confirm(r.t.Context(), p.ID, client.Confirmation{}); err != nil {
		r.t.Fatal(err)
	}
	r.untilState(p.ID, tryLimit, "confirmed")
}

// pid is the process of this shop that runs a program.
func (r *rig) pid(program string) int {
	r.t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range all {
		b, err := os.ReadFile(f)
		args := strings.Split(string(b), "\x00")
		if err != nil || filepath.Base(args[0]) != program || len(args) < 4 || !strings.HasPrefix(args[3], r.cfg.State) || args[1] != "run" {
			continue
		}
		n, err := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		if err != nil {
			r.t.Fatal(err)
		}
		return n
	}
	r.t.Fatalf("no process runs %s for this shop", program)
	return 0
}

// held is what a process holds, and what it has written to the disk so far.
type held struct {
	rss            int64 // KiB
	threads, files int64
	wrote          int64 // bytes
}

// String is a line of a report.
func (h held) String() string {
	return fmt.Sprintf("%d KiB resident, %d threads, %d files, %d KiB written", h.rss, h.threads, h.files, h.wrote>>10)
}

func (r *rig) held(pids map[string]int) map[string]held {
	r.t.Helper()
	out := map[string]held{}
	for name, pid := range pids {
		dir := fmt.Sprintf("/proc/%d/", pid)
		files, err := os.ReadDir(dir + "fd")
		if err != nil {
			r.t.Fatalf("%s has ended: %v", name, err)
		}
		status, io := numbers(r.t, dir+"status"), numbers(r.t, dir+"io")
		out[name] = held{status["VmRSS"], status["Threads"], int64(len(files)), io["write_bytes"]}
	}
	return out
}

// numbers reads lines of a name and a number.
func numbers(t testing.TB, path string) map[string]int64 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string]int64{}
	for s := bufio.NewScanner(f); s.Scan(); {
		name, value, _ := strings.Cut(s.Text(), ":")
		if n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64); err == nil {
			out[name] = n
		}
	}
	return out
}
