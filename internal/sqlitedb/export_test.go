package sqlitedb

import (
	"context"
	"strings"
	"time"

	"modernc.org/sqlite"
)

// ConnectMemory opens a database that cannot keep a write-ahead log, with the writer's pragmas.
func ConnectMemory(ctx context.Context) error {
	ps := pragmas(writer, time.Second)
	base, err := sqlite.NewConnector(strings.Replace(dsn("/x", writer, DefaultPageSize, ps), "file:/x", "file::memory:", 1))
	if err != nil {
		return err
	}
	c, err := asserted{base, ps}.Connect(ctx)
	if err != nil {
		return err
	}
	return c.Close()
}

// Inspected waits until the inspection is over; false: there was none.
func (db *DB) Inspected() bool {
	db.mu.Lock()
	over := db.inspected
	db.mu.Unlock()
	if over == nil {
		return false
	}
	<-over
	return true
}

// KindOfCode is kindOfCode.
func KindOfCode(code int) error { return kindOfCode(code) }

// NewCondition is condition.
func NewCondition(kind error, path string, err error) error { return condition(kind, path, err) }
