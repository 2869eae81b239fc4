package sqlitedb

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// OpenReader opens an existing database for reading alone, beside another process that writes it. It must have this
// program's version. Write answers ErrReadOnly.
func OpenReader(ctx context.Context, cfg Config) (_ *DB, err error) {
	cfg, err = cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(cfg.Path); err != nil {
		return nil, fmt.Errorf("open database for reading: %w", err)
	}
	db := &DB{cfg: cfg, done: make(chan struct{}), wake: make(chan struct{}, 1), halted: make(chan struct{})}
	close(db.done) // there is no writer to wait for
	db.stopped = condition(ErrReadOnly, cfg.Path, errors.New("it is open for reading alone"))
	if db.read, err = pool(cfg, probe, cfg.Readers); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(explain(cfg.Path, err), db.shut())
		}
	}()
	newest, err := newest(cfg.Migrations)
	if err != nil {
		return nil, err
	}
	if db.version, err = readVersion(ctx, db.read); err != nil {
		return nil, err
	}
	switch {
	case db.version > newest:
		return nil, condition(ErrNewer, cfg.Path, fmt.Errorf("version %d, this program knows %d", db.version, newest))
	case db.version < newest:
		return nil, fmt.Errorf("open database %s for reading: it has version %d and is brought to %d by the program that writes it", cfg.Path, db.version, newest)
	}
	return db, nil
}
