package sqlitedb

import (
	"context"
	"errors"
)

// Inspect checks a file that was too large for Open to check, once, in the background: it answers at once, and Close ends
// it. Damage stops the database as damage that a query has met does. Writers go on: the log alone grows, as long as one table
// takes.
func (db *DB) Inspect() {
	if !db.unchecked {
		return
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closing || db.inspected != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	db.endInspect, db.inspected = cancel, make(chan struct{})
	go db.inspect(ctx, db.inspected)
}

func (db *DB) inspect(ctx context.Context, over chan<- struct{}) {
	defer close(over)
	own, err := pool(db.cfg, reader, 1) // the readers are for whoever waits
	if err != nil {
		return
	}
	err = checkTables(ctx, own, db.cfg.Path)
	_ = db.Explain(errors.Join(err, own.Close())) // damage is told to the next caller; the rest says nothing of the file
}

// endInspection waits until no connection is the inspection's.
func (db *DB) endInspection() {
	db.mu.Lock()
	end, over := db.endInspect, db.inspected
	db.mu.Unlock()
	if over != nil {
		end()
		<-over
	}
}
