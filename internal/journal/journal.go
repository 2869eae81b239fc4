// Package journal makes a record.Batch durable: one database, one writer, one fsync a step. It owns the event log with
// its cursor, the calls that are not answered yet, and the proof of whether this database is the one that was here last
// time. It knows no money.
package journal

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"tilld/internal/record"
	"tilld/internal/sqlitedb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Defaults of Config, in bytes and rows.
const (
	DefaultMinFree    = 32 << 20
	DefaultReserve    = 8 << 20
	DefaultKeepEvents = 1_000_000
	DefaultKeepFor    = 90 * 24 * time.Hour
	DefaultKeepLeast  = 10_000
)

// Config says where the journal is. Dir is required; it holds nothing else.
type Config struct {
	Dir     string
	MinFree int64 // bytes free below which no new payment starts; 0 is DefaultMinFree
	Reserve int64 // bytes held back for running payments; 0 is DefaultReserve, below 0 none

	KeepEvents int64         // newest events that Trim keeps; 0 is DefaultKeepEvents
	KeepFor    time.Duration // age up to which Trim keeps events; 0 is DefaultKeepFor
	KeepLeast  int64         // newest events that no age removes, for a clock that jumped ahead; 0 is DefaultKeepLeast, below 0 none

	Now  func() time.Time                 // nil is time.Now
	Free func(dir string) (uint64, error) // bytes free for this user; nil asks the kernel
	// Fault is asked before a durable operation; its answer is taken for that operation's failure. For tests. Besides those
	// of sqlitedb: "generation" before the file beside the database is written.
	Fault func(op string) error
}

// pageSize is in bytes. A step's rows are of some hundred bytes, and each takes a page or the next one with it; so do the
// counts, indexes and calls that move by a few bytes. The smallest pages that SQLite has are a sixth less on the disk a sale
// than those of twice the size.
const pageSize = 512

// State is what Open found. Lost and Restored come with every Open until somebody has acknowledged them.
type State struct {
	New      bool   // there was no journal here before
	Lost     bool   // there was one and it is gone or damaged: a new one with a new id took its place
	Restored bool   // the database is a copy of an earlier day
	Why      string // of Lost or Restored, one sentence
	SetAside string // where the damaged database is now, as sqlitedb.SetAside tells it
	Copied   string // where the copy made before a migration is
}

// Meta is who the journal is. Journal, Boot, Writes and Seen go to the integrator with session.open.
type Meta struct {
	Journal    string // random, made with the database
	Boot       string // random, of this Open
	Generation int64  // +1 at every boot and every clean end
	Writes     int64  // +1 for every batch
	Seq        int64  // of the last event
	Seen       int64  // last integrator event taken in
	Epoch      int64  // last epoch of the link
	Lost       bool   // until a person has acknowledged it
	Restored   bool   // likewise
	Why        string // of Lost or Restored
	SetAside   string // where the damaged database is
}

// Journal is a record.Journal on a disk. Its methods may be called from any goroutine.
type Journal struct {
	cfg Config
	db  *sqlitedb.DB

	reserve *reserve

	durable, next, borne counters // of the writer's goroutine: before the group under way, after its last batch, and on its last event
	rows, group          rows     // of the writer's goroutine: before the group under way, and what that has moved

	mu    sync.Mutex
	meta  Meta
	calls []record.Call // never changed in place below its length: readers hold it
	grown chan struct{} // closed and made anew with every new event
	ended chan struct{} // closed by Close and by the first failed commit
	once  sync.Once
	left  bool // leave has been called
}

var _ record.Journal = (*Journal)(nil)

// Open opens the journal in cfg.Dir, or makes it. A damaged one is set aside and a new one made (State.Lost). Read-only,
// full, newer and locked are errors of sqlitedb, and nothing is touched.
func Open(ctx context.Context, cfg Config) (*Journal, State, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, State{}, err
	}
	j := &Journal{cfg: cfg, grown: make(chan struct{}), ended: make(chan struct{}), rows: rows{}, group: rows{}}
	j.reserve = openReserve(filepath.Join(cfg.Dir, "reserve"), cfg.Reserve)
	st, err := j.open(ctx)
	if err != nil {
		return nil, State{}, fmt.Errorf("open journal: %w", err)
	}
	j.db.Inspect()
	return j, st, nil
}

func (cfg Config) withDefaults() (Config, error) {
	if cfg.Dir == "" {
		return cfg, errors.New("open journal: no directory")
	}
	if cfg.MinFree == 0 {
		cfg.MinFree = DefaultMinFree
	}
	if cfg.Reserve == 0 {
		cfg.Reserve = DefaultReserve
	}
	if cfg.KeepEvents == 0 {
		cfg.KeepEvents = DefaultKeepEvents
	}
	if cfg.KeepFor == 0 {
		cfg.KeepFor = DefaultKeepFor
	}
	if cfg.KeepLeast == 0 {
		cfg.KeepLeast = DefaultKeepLeast
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Free == nil {
		cfg.Free = statfs
	}
	if cfg.Fault == nil {
		cfg.Fault = func(string) error { return nil }
	}
	return cfg, nil
}

// Path is the database's file in dir.
func Path(dir string) string { return filepath.Join(dir, "journal.db") }

func (j *Journal) open(ctx context.Context) (State, error) {
	path := Path(j.cfg.Dir)
	out, err := readMark(j.cfg.Dir)
	if err != nil {
		return State{}, err
	}
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return State{}, fmt.Errorf("migrations: %w", err)
	}
	dbc := sqlitedb.Config{
		Path: path, Migrations: sub, PageSize: pageSize, Now: j.cfg.Now, OnFull: j.reserve.release, Fault: j.cfg.Fault,
		Begin: j.begin, Finish: j.finish,
	}
	var st State
	j.db, err = sqlitedb.Open(ctx, dbc)
	if err == nil {
		if err = j.headless(ctx); err != nil {
			err = errors.Join(err, j.db.Close())
		}
	}
	if errors.Is(err, sqlitedb.ErrDamaged) {
		st.Lost, st.Why = true, err.Error()
		if st.SetAside, err = sqlitedb.SetAside(path, j.cfg.Now()); err != nil {
			return st, err
		}
		j.db, err = sqlitedb.Open(ctx, dbc)
	}
	if err != nil {
		return st, err
	}
	if err := j.boot(ctx, out, &st); err != nil {
		return st, errors.Join(err, j.db.Close())
	}
	st.Copied = j.db.Copied()
	return st, nil
}

// Close commits what is under way and closes the database. Commits after it are answered with sqlitedb.ErrClosed.
func (j *Journal) Close() error {
	err := errors.Join(j.leave(), j.db.Close())
	j.end()
	if err != nil {
		return fmt.Errorf("close journal: %w", err)
	}
	return nil
}

// end wakes everybody who waits for events that will not come.
func (j *Journal) end() { j.once.Do(func() { close(j.ended) }) }

// Meta is who the journal is now.
func (j *Journal) Meta() Meta {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.meta
}

// stopped says a final error in the words of record.
func stopped(err error) error {
	if errors.Is(err, sqlitedb.ErrStopped) {
		return fmt.Errorf("%w: %w", record.ErrStopped, err)
	}
	return err
}
