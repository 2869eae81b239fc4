//go:build processes

package shop_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tilld/internal/floor"
	"tilld/internal/journal"
	"tilld/internal/record"
	"tilld/internal/shop"
)

// manyEvents is what a busy box has in its journal.
const manyEvents = 1_000_000

// BenchmarkStart is from the start of the process until it can take a payment: journal with a million events, devices,
// link to the integrator. Beside it an empty daemon with the same libraries, until it answers.
func BenchmarkStart(b *testing.B) {
	r := openShop(b, shop.Config{Processes: true, Programs: programs(b)})
	r.paidPayment("before", 61000)
	r.shop.Stop(shop.Tilld, syscall.SIGTERM)
	fill(b, filepath.Join(r.cfg.State, "tilld", "journal"), manyEvents)
	bare := freePorts(b, 1)[0]
	least, dir := empty(b), b.TempDir()
	var low, own []time.Duration
	for b.Loop() {
		low = append(low, starts(b, bare, least, bare, dir))
		own = append(own, starts(b, r.cfg.TilldListen, program(b, "tilld"), "run", "--config", filepath.Join(r.cfg.State, "tilld.yaml")))
	}
	floor.Report(b, low, own)
}

// BenchmarkIdle is a box that nobody uses, its devices and its link open: resident memory, how often it wakes the
// processor, and how many threads go to sleep again after that. Beside it an empty daemon with the same libraries.
func BenchmarkIdle(b *testing.B) {
	const look = 10 * time.Second
	r := openShop(b, shop.Config{Processes: true, Programs: programs(b)})
	r.shop.Stop(shop.Tilld, syscall.SIGTERM)
	bare := freePorts(b, 1)[0]
	dir := b.TempDir()
	var least, ours usage
	for b.Loop() {
		for _, c := range []struct {
			into *usage
			addr string
			args []string
		}{
			{&least, bare, []string{empty(b), bare, dir}},
			{&ours, r.cfg.TilldListen, []string{program(b, "tilld"), "run", "--config", filepath.Join(r.cfg.State, "tilld.yaml")}},
		} {
			p := begin(b, c.args...)
			answers(b, c.addr)
			time.Sleep(look / 2) // real processes: what a start leaves to do is done
			before := used(b, p.Process.Pid)
			n := moments(b, p.Process.Pid, look)
			*c.into = used(b, p.Process.Pid)
			c.into.threads -= before.threads
			c.into.wakes = n
			finish(b, p)
		}
	}
	b.ReportMetric(float64(ours.rss)/1024, "MiB-RSS")
	b.ReportMetric(float64(least.rss)/1024, "floor-MiB-RSS")
	b.ReportMetric(float64(ours.rss)/float64(least.rss), "×floor")
	b.ReportMetric(float64(ours.wakes)/look.Seconds(), "wakes/s")
	b.ReportMetric(float64(least.wakes)/look.Seconds(), "floor-wakes/s")
	b.ReportMetric(float64(ours.threads)/look.Seconds(), "thread-sleeps/s")
	b.ReportMetric(float64(least.threads)/look.Seconds(), "floor-thread-sleeps/s")
}

// usage of one process: resident memory in KiB, how often its threads have gone to sleep of their own will, and the moments
// at which any of them ran.
type usage struct{ rss, threads, wakes int64 }

// apart is how long all threads of a process have slept before it is a new moment when one of them runs.
const apart = time.Millisecond

// moments counts for so long how often the process wakes the processor: threads that run within a millisecond of each other
// were woken by one thing. It looks four times in a millisecond; a machine that does not let it makes the count too low.
func moments(b *testing.B, pid int, long time.Duration) (n int64) {
	b.Helper()
	var files []*os.File
	shut := func() {
		for _, f := range files {
			_ = f.Close()
		}
		files = files[:0]
	}
	defer shut()
	buf := make([]byte, 128)
	ran := func() (sum int64) { // how often its threads were put on a processor
		for _, f := range files {
			k, _ := f.ReadAt(buf, 0)
			if all := strings.Fields(string(buf[:k])); len(all) == 3 {
				times, _ := strconv.ParseInt(all[2], 10, 64)
				sum += times
			}
		}
		return sum
	}
	var last int64
	var fresh, moved time.Time
	looks := 0
	for end := time.Now().Add(long); time.Now().Before(end); looks++ {
		now := time.Now()
		if sum := ran(); sum != last {
			if now.Sub(moved) > apart {
				n++
			}
			last, moved = sum, now
		}
		if now.Sub(fresh) > 100*time.Millisecond { // threads may have come
			shut()
			tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
			if err != nil || len(tasks) == 0 {
				b.Fatalf("threads of %d: %v", pid, err)
			}
			for _, t := range tasks {
				if f, err := os.Open(t); err == nil {
					files = append(files, f)
				}
			}
			fresh, last = now, ran()
		}
		time.Sleep(apart / 4) // a real process: there is nothing to wait on
	}
	b.Logf("%d looks in %v, %d moments", looks, long, n)
	return n
}

func used(b *testing.B, pid int) (u usage) {
	b.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(tasks) == 0 {
		b.Fatalf("threads of %d: %v", pid, err)
	}
	for _, t := range tasks {
		f, err := os.Open(t)
		if err != nil {
			continue // a thread that has ended
		}
		for s := bufio.NewScanner(f); s.Scan(); {
			name, value, _ := strings.Cut(s.Text(), ":")
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			switch name {
			case "VmRSS":
				u.rss = n
			case "voluntary_ctxt_switches":
				u.threads += n
			}
		}
		_ = f.Close()
	}
	return u
}

// empty builds the least daemon.
func empty(b *testing.B) string {
	b.Helper()
	out := filepath.Join(programs(b), "empty")
	if _, err := os.Stat(out); err == nil {
		return out
	}
	c := exec.Command("go", "build", "-o", out, "./testdata/empty")
	if text, err := c.CombinedOutput(); err != nil {
		b.Fatalf("build the empty daemon: %v\n%s", err, text)
	}
	return out
}

// fill writes events into a journal that nobody has open.
func fill(b *testing.B, dir string, n int) {
	b.Helper()
	j, _, err := journal.Open(b.Context(), journal.Config{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	var some record.Batch
	for range 1000 {
		some.Events = append(some.Events, record.Event{
			Type: "payment.open", At: time.Now().UTC(), Lane: "1", Subject: "06h03mwhfqn24vx4w75kxbftqw", Data: []byte(`{"state":"` + strings.Repeat("x", 300) + `"}`),
		})
	}
	for range n / len(some.Events) {
		if _, err := j.Commit(b.Context(), some); err != nil {
			b.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
}

// starts runs a program until addr says that it is ready, ends it, and answers how long the start took.
func starts(b *testing.B, addr string, args ...string) time.Duration {
	b.Helper()
	start := time.Now()
	p := begin(b, args...)
	answers(b, addr)
	took := time.Since(start)
	finish(b, p)
	return took
}

func begin(b *testing.B, args ...string) *exec.Cmd {
	b.Helper()
	p := exec.Command(args[0], args[1:]...)
	p.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = p.Process.Kill() })
	return p
}

func finish(b *testing.B, p *exec.Cmd) {
	b.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		b.Fatal(err)
	}
	var exit *exec.ExitError
	if err := p.Wait(); err != nil && !errors.As(err, &exit) {
		b.Fatal(err)
	}
}

// answers asks until the program is ready.
func answers(b *testing.B, addr string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), openLimit)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/readyz", http.NoBody)
		if err != nil {
			b.Fatal(err)
		}
		a, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = a.Body.Close()
			if a.StatusCode == http.StatusOK {
				return
			}
		}
		if ctx.Err() != nil {
			b.Fatalf("%s was not ready within %v", addr, openLimit)
		}
		time.Sleep(time.Millisecond) // a real process: nothing to wait on
	}
}
