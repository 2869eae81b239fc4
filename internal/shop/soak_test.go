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

// plainSlips gives a slip only where something is odd, as the shipped configuration does: no paper for a plain sale.
func plainSlips(_ string, text []byte) []byte {
	return regexp.MustCompile(`slips: \[.*\]`).ReplaceAll(text, []byte("slips: [paid_twice, return_asked, late]"))
}

// TestSoak sells through the real programs for a while: TILLD_SOAK is for how long, 1h with `make soak`; without it forty
// sales show that the harness works. Memory, goroutines, threads and files of both programs stay as they are, their
// databases grow by what is kept of a sale and nothing else, and a sale writes no more to the box's disk than is its due.
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
		t.Log("left to make soak: an hour of sales, here forty")
		t.Parallel()
	}
	r := openShop(t, shop.Config{Processes: true, Programs: programs(t), Edit: plainSlips})
	pids := map[string]int{"tilld": r.pid("tilld"), "integrator": r.pid("integrator")}
	files := map[string]string{"tilld": "tilld/journal/journal.db", "integrator": "integrator/integrator.db"}
	looks := map[string][]held{}
	start := time.Now()
	for i := range sales {
		r.soakSale(i)
		time.Sleep(time.Until(start.Add(time.Duration(i+1) * each))) // spread over the time: real programs
		if (i+1)%max(1, sales/20) != 0 {
			continue
		}
		for name, pid := range pids {
			h := r.held(pid, filepath.Join(r.cfg.State, files[name]))
			h.sales = i + 1
			h.routines = r.routines(name)
			looks[name] = append(looks[name], h)
		}
	}
	took := time.Since(start)
	r.balanced(tryLimit)
	for name, d := range dues {
		for _, h := range looks[name] {
			t.Logf("after %d sales, %s: %v", h.sales, name, h)
		}
		all := looks[name]
		first, last := all[0], all[len(all)-1]
		k := look(t, filepath.Join(r.cfg.State, files[name]))
		t.Logf("%s: %v", name, k)
		t.Logf("%s: %d sales in %v; a sale writes %.1f KiB to the disk and lengthens the database by %.1f KiB", name, sales, took.Round(time.Second),
			perSale(first, last, held.written)/1024, perSale(first, last, held.database)/1024)
		for _, bad := range append(grownIn(all, d), k.tooMuch(sales, d)...) {
			t.Errorf("%s: %s", name, bad)
		}
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

// held is what a process holds now, and its database.
func (r *rig) held(pid int, database string) held {
	r.t.Helper()
	dir := fmt.Sprintf("/proc/%d/", pid)
	files, err := os.ReadDir(dir + "fd")
	if err != nil {
		r.t.Fatalf("process %d has ended: %v", pid, err)
	}
	status, io := numbers(r.t, dir+"status"), numbers(r.t, dir+"io")
	return held{
		rss: status["VmRSS"], threads: status["Threads"], files: int64(len(files)), wrote: io["write_bytes"],
		file: size(r.t, database), log: size(r.t, database+"-wal"),
	}
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
