package journal_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"tilld/internal/journal"
	"tilld/internal/record"
	"tilld/internal/sqlitedb"
)

// body is about what a payment weighs.
func body() json.RawMessage {
	return json.RawMessage(`{"state":"` + strings.Repeat("x", 300) + `"}`)
}

func step(n int64) record.Batch {
	id := fmt.Sprint(n)
	return record.Batch{
		Puts:   []record.Put{{Bucket: "payment", Key: id, Ref: "1/" + id, Live: true, Body: body()}},
		Events: []record.Event{{Type: "payment.open", Subject: id, Data: body()}},
		Calls:  []record.Call{{ID: id + ":create", Order: id, Method: "bill.create", Params: body()}},
	}
}

func row(n int64) record.Batch { return record.Batch{Puts: step(n).Puts} }

// BenchmarkCommit stands beside its floors: bytes appended to a file and synced, and the same statements by hand on the
// same database library.
func BenchmarkCommit(b *testing.B) {
	b.Run("floor/append+fsync", func(b *testing.B) { appendSync(b, 900) })
	b.Run("floor/sql/row", func(b *testing.B) { byHand(b, 1) })
	b.Run("floor/sql/step", func(b *testing.B) { byHand(b, 3) })
	b.Run("row", func(b *testing.B) { commits(b, 1, row) })
	b.Run("step", func(b *testing.B) { commits(b, 1, settled) })
	b.Run("step/64clients", func(b *testing.B) { commits(b, 64, settled) })
}

// settled is a step that also ends the one before, so that the queue does not grow.
func settled(n int64) record.Batch {
	s := step(n)
	s.Settled = []string{fmt.Sprint(n-64, ":create")}
	return s
}

func commits(b *testing.B, clients int, batch func(int64) record.Batch) {
	j, _, err := journal.Open(context.Background(), journal.Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := j.Close(); err != nil {
			b.Error(err)
		}
	}()
	var n atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(max(1, clients/2)) // two processors
	work := func() error {
		_, err := j.Commit(context.Background(), batch(n.Add(1)))
		return err
	}
	b.ResetTimer()
	if clients == 1 {
		for b.Loop() {
			if err := work(); err != nil {
				b.Fatal(err)
			}
		}
		return
	}
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if err := work(); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func appendSync(b *testing.B, size int) {
	f, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, size)
	for b.Loop() {
		_, err := f.Write(buf)
		if err := errors.Join(err, f.Sync()); err != nil {
			b.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
}

// byHand is the same rows through database/sql alone: one connection, prepared statements, no group, no memory.
func byHand(b *testing.B, rows int) {
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
	defer func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	}()
	var stmts []*sql.Stmt
	for _, q := range []string{
		"INSERT INTO value (bucket, key, ref, live, body) VALUES ('payment', $1, $2, 1, $3)",
		"INSERT INTO event (type, at, lane, subject, data) VALUES ('payment.open', 0, '', $1, $3)",
		"INSERT INTO call (id, grp, method, params, volatile) VALUES ($1, $2, 'bill.create', $3, 0)",
	}[:rows] {
		s, err := db.Prepare(q)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		stmts = append(stmts, s)
	}
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		n++
		tx, err := db.Begin()
		if err != nil {
			b.Fatal(err)
		}
		for _, s := range stmts {
			if _, err := tx.Stmt(s).Exec(fmt.Sprint(n), "1/"+fmt.Sprint(n), []byte(body())); err != nil {
				b.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
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
