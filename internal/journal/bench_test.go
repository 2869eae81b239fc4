package journal_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"tilld/internal/floor"
	"tilld/internal/journal"
	"tilld/internal/record"
	"tilld/internal/sqlitedb"
)

// body is about what a payment weighs.
func body() json.RawMessage {
	return json.RawMessage(`{"state":"` + strings.Repeat("x", 300) + `"}`)
}

// batches makes batches that share a body, so that making them costs next to nothing.
func batches(rows int) func(n int64) record.Batch {
	text := body()
	return func(n int64) record.Batch {
		id := strconv.FormatInt(n, 10)
		b := record.Batch{Puts: []record.Put{{Bucket: "payment", Key: id, Ref: "1/" + id, Live: true, Body: text}}}
		if rows > 1 {
			b.Events = []record.Event{{Type: "payment.open", Subject: id, Data: text}}
			b.Calls = []record.Call{{ID: id + ":create", Order: id, Method: "bill.create", Params: text}}
			b.Settled = []string{strconv.FormatInt(n-64, 10) + ":create"} // so that the queue does not grow
		}
		return b
	}
}

// BenchmarkCommit stands beside its floors: the same statements by hand through database/sql (prepared, one connection,
// no group, no memory), and bytes appended to a file and synced.
func BenchmarkCommit(b *testing.B) {
	for _, size := range []struct {
		name string
		rows int
	}{{"row", 1}, {"step", 3}} {
		b.Run(size.name, func(b *testing.B) { floor.Beside(b, byHand(b, size.rows), commits(b, size.rows)) })
	}
	b.Run("append+fsync/step", func(b *testing.B) { floor.Beside(b, appendSync(b, 900), commits(b, 3)) })
	b.Run("step/64clients", func(b *testing.B) {
		one := commits(b, 3)
		floor.Turns(b, 640, alone(byHand(b, 3)), together(64, one))
	})
}

// alone does n one after the other.
func alone(f func() error) func(int) error {
	return func(n int) error {
		for range n {
			if err := f(); err != nil {
				return err
			}
		}
		return nil
	}
}

// together has so many clients do n.
func together(clients int, f func() error) func(int) error {
	return func(n int) error {
		var g errgroup.Group
		for range clients {
			g.Go(func() error { return alone(f)(n / clients) })
		}
		return g.Wait()
	}
}

func commits(b *testing.B, rows int) func() error {
	b.Helper()
	j, _, err := journal.Open(context.Background(), journal.Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := j.Close(); err != nil {
			b.Error(err)
		}
	})
	batch := batches(rows)
	var n atomic.Int64
	return func() error {
		_, err := j.Commit(context.Background(), batch(n.Add(1)))
		return err
	}
}

func appendSync(b *testing.B, size int) func() error {
	b.Helper()
	f, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = f.Close() })
	buf := make([]byte, size)
	return func() error {
		_, err := f.Write(buf)
		return errors.Join(err, f.Sync())
	}
}

// byHand is the journal's statements, one transaction each time.
func byHand(b *testing.B, rows int) func() error {
	b.Helper()
	dir := b.TempDir()
	j, _, err := journal.Open(context.Background(), journal.Config{Dir: dir}) // makes the tables
	if err != nil {
		b.Fatal(err)
	}
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+journal.Path(dir)+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)&_txlock=immediate")
	if err != nil {
		b.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	prepare := func(query string) *sql.Stmt {
		s, err := db.Prepare(query)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = s.Close() })
		return s
	}
	value := prepare(`INSERT INTO value (bucket, key, ref, live, body) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (bucket, key) DO UPDATE SET ref = excluded.ref, live = excluded.live, body = excluded.body`)
	event := prepare("INSERT INTO event (seq, type, at, lane, subject, data, writes, seen) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
	call := prepare("INSERT INTO call (id, grp, method, params, volatile) VALUES ($1, $2, $3, $4, $5)")
	settle := prepare("DELETE FROM call WHERE id = $1")
	meta := prepare("UPDATE meta SET seq = $1, writes = $2, seen = $3 WHERE one = 1")
	text := []byte(body())
	n := int64(0)
	return func() error {
		n++
		id := strconv.FormatInt(n, 10)
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		defer tx.Rollback()
		_, err = tx.Stmt(value).Exec("payment", id, "1/"+id, true, text)
		if rows > 1 && err == nil {
			_, one := tx.Stmt(event).Exec(n, "payment.open", 0, "", id, text, n, 0)
			_, two := tx.Stmt(call).Exec(id+":create", id, "bill.create", text, false)
			_, three := tx.Stmt(settle).Exec(strconv.FormatInt(n-64, 10) + ":create")
			err = errors.Join(one, two, three)
		}
		if rows == 1 && err == nil { // nothing bears the counters
			_, err = tx.Stmt(meta).Exec(n, n, 0)
		}
		if err != nil {
			return err
		}
		return tx.Commit()
	}
}

// BenchmarkOpen is a start with many events in the journal.
func BenchmarkOpen(b *testing.B) {
	cfg := journal.Config{Dir: b.TempDir()}
	j, _, err := journal.Open(context.Background(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	var events record.Batch
	for range 1000 {
		events.Events = append(events.Events, record.Event{Type: "payment.open", Subject: "x", Data: body()})
	}
	for range 100 {
		if _, err := j.Commit(context.Background(), events); err != nil {
			b.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		j, _, err := journal.Open(context.Background(), cfg)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := j.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

var _ = sqlitedb.DefaultReaders // registers the driver that byHand asks for
