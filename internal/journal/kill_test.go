package journal_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tilld/internal/depth"
	"tilld/internal/journal"
	"tilld/internal/record"
)

const (
	childDir   = "JOURNAL_TEST_CHILD_DIR"   // set in the child: where its journal is
	childEarly = "JOURNAL_TEST_CHILD_EARLY" // planted: the child acknowledges before it commits
	clients    = 4
)

// child commits batches with several clients until it is killed, and prints each that is acknowledged: client, its
// batch's number, seq.
func child(t *testing.T, dir string) {
	j, st, err := journal.Open(context.Background(), journal.Config{Dir: dir})
	if err != nil || st.Lost || st.Restored {
		fmt.Printf("bad %+v %v\n", st, err)
		t.Fatal(err)
	}
	var out sync.Mutex
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			key := fmt.Sprint("c", c)
			ack := func(n int, seq int64) {
				out.Lock()
				fmt.Println("ack", c, n, seq)
				out.Unlock()
			}
			early := os.Getenv(childEarly) != ""
			n := 0
			if p, err := j.Find(context.Background(), "n", key, ""); err == nil {
				n, _ = strconv.Atoi(string(p.Body))
			}
			for {
				n++
				b := record.Batch{
					Puts:   []record.Put{{Bucket: "n", Key: key, Live: true, Body: json.RawMessage(strconv.Itoa(n))}},
					Events: []record.Event{{Type: "e", Subject: key, Data: json.RawMessage(strconv.Itoa(n))}},
					Calls:  []record.Call{{ID: fmt.Sprint(key, ":", n), Order: key}},
					Seen:   int64(n),
				}
				if n > 1 {
					b.Settled = []string{fmt.Sprint(key, ":", n-1)}
				}
				if early {
					ack(n, 0)
				}
				seq, err := j.Commit(context.Background(), b)
				if err != nil {
					fmt.Println("bad", err)
					return
				}
				if !early {
					ack(n, seq)
				}
			}
		})
	}
	wg.Wait()
}

// A process killed at any instruction has every batch that it acknowledged, and no half of any other.
func TestKilledAtRandomKeepsWhatWasAcknowledged(t *testing.T) {
	if dir := os.Getenv(childDir); dir != "" {
		child(t, dir)
		return
	}
	times := depth.Figure(t, "kills", 3, 6, 60)
	cfg := journal.Config{Dir: t.TempDir()}
	acked := map[string]int{} // subject → last number acknowledged
	seqs := map[int64]string{}
	batches := 0
	for i := range times {
		batches += heard(t, killed(t, cfg.Dir, i%2 == 1), acked, seqs)
		boot(t, cfg, func(j *journal.Journal, st journal.State) { whole(t, j, st, acked, seqs) })
	}
	t.Logf("killed %d times, %d batches acknowledged, all there", times, batches)
	if batches == 0 {
		t.Error("nothing was ever acknowledged")
	}
}

// A child that acknowledges what it has not committed yet is found by the next kills.
func TestKilledFindsAnEarlyAcknowledgement(t *testing.T) {
	t.Setenv(childEarly, "1")
	cfg := journal.Config{Dir: t.TempDir()}
	for kills := 1; kills <= 20; kills++ {
		acked, lost := map[string]int{}, 0
		heard(t, killed(t, cfg.Dir, true), acked, map[int64]string{})
		boot(t, cfg, func(j *journal.Journal, _ journal.State) { lost = len(missing(t, j, acked)) })
		if lost > 0 {
			t.Logf("kill %d: %d of %d clients have less than was acknowledged", kills, lost, clients)
			return
		}
	}
	t.Error("not found in 20 kills")
}

// heard notes what a child has acknowledged, and says how much that is.
func heard(t *testing.T, lines []string, acked map[string]int, seqs map[int64]string) (batches int) {
	t.Helper()
	for _, line := range lines {
		var c, n int
		var seq int64
		if strings.HasPrefix(line, "bad") {
			t.Fatalf("child: %s", line)
		}
		if got, _ := fmt.Sscanf(line, "ack %d %d %d", &c, &n, &seq); got != 3 {
			continue // the test binary's own words
		}
		key := fmt.Sprint("c", c)
		acked[key] = n
		seqs[seq] = fmt.Sprint(key, " ", n)
		batches++
	}
	return batches
}

// missing are the clients of which less is there than was acknowledged.
func missing(t *testing.T, j *journal.Journal, acked map[string]int) (out []string) {
	t.Helper()
	for key, n := range acked {
		p, err := j.Find(t.Context(), "n", key, "")
		if err != nil && !errors.Is(err, record.ErrNotFound) {
			t.Fatal(err)
		}
		there := 0
		if err == nil {
			if there, err = strconv.Atoi(string(p.Body)); err != nil {
				t.Fatal(err)
			}
		}
		if there < n {
			out = append(out, fmt.Sprintf("%s: %d acknowledged, %d there", key, n, there))
		}
	}
	return out
}

// killed runs a child for a random while, from its start or from its first acknowledgement, kills it, and answers the
// lines that it printed whole.
func killed(t *testing.T, dir string, acked bool) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledAtRandomKeepsWhatWasAcknowledged$")
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var timer *time.Timer
	limit := func(d time.Duration) { timer = time.AfterFunc(d, func() { _ = cmd.Process.Kill() }) }
	if acked {
		limit(time.Minute)
	} else {
		limit(30*time.Millisecond + rand.N(150*time.Millisecond))
	}
	defer func() { timer.Stop() }()
	var lines []string
	r := bufio.NewReader(pipe)
	for {
		line, err := r.ReadString('\n')
		if err == io.EOF {
			break // an unfinished line was not said
		}
		if err != nil {
			t.Fatal(err)
		}
		if lines = append(lines, strings.TrimSpace(line)); acked && strings.HasPrefix(line, "ack") {
			acked = false
			timer.Stop()
			limit(rand.N(100 * time.Millisecond))
		}
	}
	_ = cmd.Wait() // killed
	return lines
}

func whole(t *testing.T, j *journal.Journal, st journal.State, acked map[string]int, seqs map[int64]string) {
	t.Helper()
	if st.Lost || st.Restored {
		t.Errorf("a kill was taken for a loss: %+v", st)
	}
	count := map[string]int{}
	var events []record.Event
	for {
		es, err := j.Events(t.Context(), int64(len(events)), 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(es) == 0 {
			break
		}
		events = append(events, es...)
	}
	for i, e := range events {
		if e.Seq != int64(i+1) {
			t.Fatalf("event %d has seq %d", i+1, e.Seq)
		}
		count[e.Subject]++
		if want := strconv.Itoa(count[e.Subject]); string(e.Data) != want {
			t.Fatalf("event %d of %s is its %s., want its %s.", e.Seq, e.Subject, e.Data, want)
		}
		if said, ok := seqs[e.Seq]; ok && said != fmt.Sprint(e.Subject, " ", string(e.Data)) {
			t.Fatalf("event %d is %s %s, and was acknowledged as %s", e.Seq, e.Subject, e.Data, said)
		}
	}
	calls := map[string]string{}
	for _, c := range j.Calls() {
		if calls[c.Order] != "" {
			t.Errorf("%s has two calls", c.Order)
		}
		calls[c.Order] = c.ID
	}
	total := 0
	for key, n := range count {
		total += n
		p, err := j.Find(t.Context(), "n", key, "")
		if err != nil || string(p.Body) != strconv.Itoa(n) || calls[key] != fmt.Sprint(key, ":", n) {
			t.Errorf("%s: %d events, value %s, call %s, %v: half a batch", key, n, p.Body, calls[key], err)
		}
	}
	for _, lost := range missing(t, j, acked) {
		t.Error(lost)
	}
	if m := j.Meta(); m.Writes != int64(total) || m.Seq != int64(total) {
		t.Errorf("%d batches, meta %+v", total, m)
	}
}
