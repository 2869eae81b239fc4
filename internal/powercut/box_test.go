//go:build processes

package powercut

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"tilld/internal/journal"
	"tilld/internal/record"
)

// box is the journal of a box, over several starts, with and without an end: values, events and calls of four clients.
var box = subject{name: "journal of the box", runs: 4, work: boxWorks, check: boxCheck}

func journalConfig(dir string) journal.Config {
	return journal.Config{
		Dir: filepath.Join(dir, "journal"), MinFree: -1, Reserve: -1,
		Free: func(string) (uint64, error) { return 1 << 40, nil },
	}
}

func boxWorks(dir string, run int, promise func(string)) error {
	j, st, err := journal.Open(context.Background(), journalConfig(dir))
	if err != nil || st.Lost || st.Restored {
		return fmt.Errorf("open: %+v, %w", st, err)
	}
	batches, body := 12, 900
	switch run {
	case 1:
		batches, body = 24, 60_000 // the log is copied back while it runs, and begun anew
	case 2:
		batches = 140 // the same by the count of commits
	}
	var g errgroup.Group
	for c := range 4 {
		g.Go(func() error {
			key := fmt.Sprint("c", c)
			n, err := last(j, key)
			for end := n + batches; n < end && err == nil; {
				n++
				if _, err = j.Commit(context.Background(), batch(key, n, body)); err == nil {
					promise(fmt.Sprint(key, " ", n))
				}
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if run%2 == 0 {
		return nil // the process ends under it
	}
	return j.Close()
}

// batch is one step of a client: its value, an event, a call, and the call before it settled.
func batch(key string, n, body int) record.Batch {
	text, _ := json.Marshal(map[string]string{"n": strconv.Itoa(n), "fill": strings.Repeat("f", body)})
	b := record.Batch{
		Puts:   []record.Put{{Bucket: "n", Key: key, Live: true, Body: text}},
		Events: []record.Event{{Type: "e", Subject: key, Data: json.RawMessage(strconv.Itoa(n))}},
		Calls:  []record.Call{{ID: fmt.Sprint(key, ":", n), Order: key}},
	}
	if n > 1 {
		b.Settled = []string{fmt.Sprint(key, ":", n-1)}
	}
	return b
}

// last is the number of the client's last batch.
func last(j *journal.Journal, key string) (int, error) {
	p, err := j.Find(context.Background(), "n", key, "")
	if errors.Is(err, record.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	var body struct{ N string }
	if err := json.Unmarshal(p.Body, &body); err != nil {
		return 0, fmt.Errorf("value %.40q: %w", p.Body, err)
	}
	return strconv.Atoi(body.N)
}

// boxCheck: a cut is no loss and no copy; every batch that was promised is there, and of the others all or nothing.
func boxCheck(dir string, acked []string) (err error) {
	ctx := context.Background()
	j, st, err := journal.Open(ctx, journalConfig(dir))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	if st.Lost || st.Restored {
		return fmt.Errorf("a power cut was taken for a loss or a copy: %+v", st)
	}
	promised := map[string]int{}
	for _, a := range acked {
		key, n, _ := strings.Cut(a, " ")
		if promised[key], err = strconv.Atoi(n); err != nil {
			return err
		}
	}
	count, total := map[string]int{}, 0
	for {
		es, err := j.Events(ctx, int64(total), 1000)
		if err != nil {
			return err
		}
		if len(es) == 0 {
			break
		}
		for _, e := range es {
			total++
			count[e.Subject]++
			if e.Seq != int64(total) || string(e.Data) != strconv.Itoa(count[e.Subject]) {
				return fmt.Errorf("event %d is event %d: %s %s, not number %d", total, e.Seq, e.Subject, e.Data, count[e.Subject])
			}
		}
	}
	calls := map[string]string{}
	for _, c := range j.Calls() {
		calls[c.Order] += c.ID
	}
	for c := range 4 {
		key := fmt.Sprint("c", c)
		n, err := last(j, key)
		switch {
		case err != nil:
			return err
		case n < promised[key]:
			return fmt.Errorf("%s: %d batches promised, %d there", key, promised[key], n)
		case n != count[key] || n > 0 && calls[key] != fmt.Sprint(key, ":", n):
			return fmt.Errorf("%s: half a batch: value %d, %d events, call %q", key, n, count[key], calls[key])
		}
	}
	if m := j.Meta(); m.Writes != int64(total) || m.Seq != int64(total) {
		return fmt.Errorf("%d batches, and the journal counts %d writes up to %d", total, m.Writes, m.Seq)
	}
	return nil
}
