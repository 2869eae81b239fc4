// Package sqlitedb is the only door to SQLite: pragmas that are read back, one writer with group commit, migrations
// after a verified copy, rows that bear checksums, and each bad condition of a file as one sentence. It knows no table of its
// users.
package sqlitedb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"tilld/internal/durable"
)

// Defaults of Config. A commit writes every page that it touches, and a step touches about eight of them, each for some
// hundred bytes: with SQLite's own 4,096 a sale writes 2.4 times as much to a disk that is often a memory card.
const (
	DefaultPageSize    = 1024
	DefaultReaders     = 4
	DefaultBusyTimeout = 5 * time.Second
	DefaultCheckLimit  = 16 << 20
)

// Config says which database to open and how. Path and Migrations are required.
type Config struct {
	Path        string           // the file; its directory is made (0700) if it lacks
	Migrations  fs.FS            // goose files at its root, 00001_name.sql and on, "-- +goose Up" alone
	PageSize    int              // bytes, of a database that is made anew: one that is there keeps its own; 512, 1024 … 65536, 0 is DefaultPageSize
	Readers     int              // connections for reading at most; 0 is DefaultReaders
	BusyTimeout time.Duration    // how long SQLite waits for another process; 0 is DefaultBusyTimeout
	CheckLimit  int64            // bytes up to which Open checks the file; 0 is DefaultCheckLimit, below 0 none. Larger files: DB.Inspect
	Now         func() time.Time // for the names of copies; nil is time.Now

	// Begin and Finish stand around the work of each group, on the writer's goroutine: Begin before the first fn of a
	// transaction, also when one is done again; Finish in the transaction, after the last fn, to write once what each of
	// them would have to. An error of Finish fails them all, for good. nil does nothing.
	Begin  func()
	Finish func(*Tx) error
	// OnFull is asked when the disk is full, on the writer's goroutine: true says that it made room, and the work is done
	// again, once. nil never makes room.
	OnFull func() bool
	// Fault is asked before a durable operation ("begin", "commit", "checkpoint", "copy"); what it answers is taken as that
	// operation's own failure. For tests.
	Fault func(op string) error
}

// DB is one open database: one writer, several readers. Its methods may be called from any goroutine.
type DB struct {
	cfg     Config
	lock    *os.File
	write   *sql.DB   // holds conn alone
	conn    *sql.Conn // of the writer's goroutine
	read    *sql.DB
	copied  string
	version int64

	unchecked bool // the file was too large to be checked by Open

	mu        sync.Mutex
	queue     []*job
	closing   bool
	stopped   error
	suspected bool          // the mark for the next Open is made
	wake      chan struct{} // capacity 1: a full channel already says "look"
	done      chan struct{} // closed when the writer's goroutine has ended
	halted    chan struct{} // closed with stopped; of a reader never
	ending    error         // of the writer's last act, read after done

	endInspect context.CancelFunc // of the inspection under way
	inspected  chan struct{}      // closed when it is over; nil: there is none
}

// Open opens the database, or makes it, and brings it to the newest version. On a damaged, read-only, full, newer or
// locked one it answers an error that Is the condition and leaves the files as they are. ctx is looked at between steps,
// never in the middle of one.
func Open(ctx context.Context, cfg Config) (_ *DB, err error) {
	cfg, err = cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := durable.MakeDir(filepath.Dir(cfg.Path)); err != nil {
		return nil, explain(cfg.Path, err)
	}
	if err := writable(cfg.Path); err != nil {
		return nil, condition(ErrReadOnly, cfg.Path, err)
	}
	lock, err := lockFile(cfg.Path)
	if err != nil {
		return nil, err
	}
	db := &DB{cfg: cfg, lock: lock, wake: make(chan struct{}, 1), done: make(chan struct{}), halted: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(explain(cfg.Path, err), db.shut())
		}
	}()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	from, err := db.probe()
	if err != nil {
		return nil, err
	}
	if db.write, err = pool(cfg, writer, 1); err != nil {
		return nil, err
	}
	if err := db.migrate(context.WithoutCancel(ctx), from); err != nil {
		return nil, err
	}
	if db.read, err = pool(cfg, reader, cfg.Readers); err != nil {
		return nil, err
	}
	if db.conn, err = db.write.Conn(context.WithoutCancel(ctx)); err != nil {
		return nil, err
	}
	if err := durable.SyncDir(filepath.Dir(cfg.Path)); err != nil {
		return nil, err
	}
	go db.run()
	return db, nil
}

func (cfg Config) withDefaults() (Config, error) {
	if cfg.Path == "" || cfg.Migrations == nil {
		return cfg, errors.New("open database: path and migrations are required")
	}
	abs, err := filepath.Abs(cfg.Path)
	if err != nil {
		return cfg, fmt.Errorf("open database %s: %w", cfg.Path, err)
	}
	cfg.Path = abs
	if cfg.PageSize == 0 {
		cfg.PageSize = DefaultPageSize
	}
	if n := cfg.PageSize; n < 512 || n > 1<<16 || n&(n-1) != 0 { // SQLite would say nothing and take its own
		return cfg, fmt.Errorf("open database %s: there are no pages of %d bytes", cfg.Path, n)
	}
	if cfg.Readers <= 0 {
		cfg.Readers = DefaultReaders
	}
	if cfg.BusyTimeout <= 0 {
		cfg.BusyTimeout = DefaultBusyTimeout
	}
	if cfg.CheckLimit == 0 {
		cfg.CheckLimit = DefaultCheckLimit
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Begin == nil {
		cfg.Begin = func() {}
	}
	if cfg.Finish == nil {
		cfg.Finish = func(*Tx) error { return nil }
	}
	if cfg.Fault == nil {
		cfg.Fault = func(string) error { return nil }
	}
	return cfg, nil
}

// Read is for queries, on connections that cannot write. What is committed before a query starts is seen by it.
func (db *DB) Read() *sql.DB { return db.read }

// Version is the number of the last migration.
func (db *DB) Version() int64 { return db.version }

// Copied is the path of the copy that Open made before it migrated, "" if it did not migrate an old database.
func (db *DB) Copied() string { return db.copied }

// Close lets what is queued commit, copies the write-ahead log into the file and closes it. Later writes are answered
// with ErrClosed.
func (db *DB) Close() error {
	db.mu.Lock()
	again := db.closing
	db.closing = true
	db.mu.Unlock()
	db.endInspection() // a reader would keep the log from being copied back
	db.nudge()
	<-db.done
	if again {
		return nil
	}
	return errors.Join(db.ending, db.shut())
}

// shut closes whatever is open. SQLite copies the log into the file with the last connection.
func (db *DB) shut() error {
	var errs []error
	if db.read != nil {
		errs = append(errs, db.read.Close())
	}
	if db.conn != nil {
		errs = append(errs, db.conn.Close())
	}
	if db.write != nil {
		errs = append(errs, db.write.Close())
	}
	if db.lock != nil {
		errs = append(errs, unlock(db.lock))
	}
	return errors.Join(errs...)
}

// Check reads the whole file on a reader.
// ErrDamaged stops the database, and the next Open checks it whatever its size.
func (db *DB) Check(ctx context.Context) error {
	return db.Explain(check(ctx, db.read, db.cfg.Path))
}
