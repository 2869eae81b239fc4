package sqlitedb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"

	"tilld/internal/durable"
	"tilld/internal/failpoint"
)

// versionTable is goose's own.
const versionTable = goose.DefaultTablename

// probe looks at an existing file through a connection that cannot write, and answers its version: 0 for none.
func (db *DB) probe() (int64, error) {
	path := db.cfg.Path
	fi, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && fi.Size() == 0) {
		// An empty file is what a crash leaves between making it and the first commit. A log beside it is another matter.
		if wal, err := os.Stat(path + "-wal"); err == nil && wal.Size() > 0 {
			return 0, condition(ErrDamaged, path, errors.New("there is a log without its database"))
		}
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("look at database: %w", err)
	}
	if err := db.rollBack(); err != nil {
		return 0, err
	}
	ro, err := pool(db.cfg, probe, 1)
	if err != nil {
		return 0, err
	}
	defer ro.Close() //nolint:errcheck // it has written nothing
	version, err := readVersion(context.Background(), ro)
	if noSuchName(err) {
		return 0, condition(ErrDamaged, path, err)
	}
	if err != nil {
		return 0, err
	}
	newest, err := newest(db.cfg.Migrations)
	if err != nil {
		return 0, err
	}
	if version > newest {
		return 0, condition(ErrNewer, path, fmt.Errorf("version %d, this program knows %d", version, newest))
	}
	if err := checkEnd(context.Background(), ro, path); err != nil {
		return 0, err
	}
	if err := checkSchema(context.Background(), ro, path, version); err != nil {
		return 0, err
	}
	if (db.cfg.CheckLimit > 0 && fi.Size() <= db.cfg.CheckLimit) || isSuspect(path) {
		if err := check(context.Background(), ro, path); err != nil {
			return 0, err
		}
		if err := os.Remove(path + ".suspect"); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, fmt.Errorf("take the mark off a sound database: %w", err)
		}
	} else {
		db.unchecked = true
	}
	return version, nil
}

// rollBack undoes the one transaction that is not in the log: the first of a new file, which turns the log on. A power cut
// in it leaves a rollback journal, and a connection that cannot write may not even look at the file before that is undone.
func (db *DB) rollBack() error {
	if fi, err := os.Stat(db.cfg.Path + "-journal"); errors.Is(err, fs.ErrNotExist) || err == nil && fi.Size() == 0 {
		return nil
	} else if err != nil {
		return fmt.Errorf("look at rollback journal: %w", err)
	}
	rw, err := pool(db.cfg, undo, 1)
	if err != nil {
		return err
	}
	var tables int64
	err = rw.QueryRowContext(context.Background(), "SELECT count(*) FROM sqlite_schema").Scan(&tables)
	if err := errors.Join(err, rw.Close()); err != nil {
		return fmt.Errorf("undo what a crash left half done: %w", err)
	}
	return nil
}

// readVersion is the highest migration in the file. Tables without goose's own are not a database of ours.
func readVersion(ctx context.Context, db *sql.DB) (int64, error) {
	var ours, tables int64
	err := db.QueryRowContext(ctx, "SELECT count(*) FILTER (WHERE name = $1), count(*) FROM sqlite_schema WHERE type = 'table'", versionTable).Scan(&ours, &tables)
	if err != nil {
		return 0, fmt.Errorf("read schema: %w", err)
	}
	switch {
	case tables == 0:
		return 0, nil
	case ours == 0:
		return 0, fmt.Errorf("read schema: %w: it holds tables but no version", ErrDamaged)
	}
	var v any
	if err := db.QueryRowContext(ctx, "SELECT max(version_id) FROM "+versionTable+" WHERE is_applied = 1").Scan(&v); err != nil {
		return 0, fmt.Errorf("read version: %w", err)
	}
	switch x := v.(type) {
	case nil:
		return 0, nil
	case int64:
		return x, nil
	}
	return 0, fmt.Errorf("read version: %w: it is no number", ErrDamaged)
}

// newest is the highest number in front of a migration's name.
func newest(migrations fs.FS) (int64, error) {
	names, err := fs.Glob(migrations, "*.sql")
	if err != nil {
		return 0, fmt.Errorf("list migrations: %w", err)
	}
	var out int64
	for _, n := range names {
		v, err := goose.NumericComponent(n)
		if err != nil {
			return 0, fmt.Errorf("migration %s: %w", n, err)
		}
		out = max(out, v)
	}
	if out == 0 {
		return 0, errors.New("no migrations")
	}
	return out, nil
}

// migrate brings the database from its version to the newest. What has held data is copied first, and the copy checked.
func (db *DB) migrate(ctx context.Context, from int64) error {
	to, err := newest(db.cfg.Migrations)
	if err != nil {
		return err
	}
	if db.version = to; from == to {
		return db.write.PingContext(ctx) // opens the connection and asserts its pragmas
	}
	if from > 0 {
		if db.copied, err = db.copyTo(ctx, from); err != nil {
			return fmt.Errorf("copy before migrating from version %d to %d: %w", from, to, err)
		}
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db.write, db.cfg.Migrations,
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("prepare migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		what := fmt.Sprintf("migrate from version %d to %d", from, to)
		err = errors.Join(err, db.uncopy(ctx, from))
		if db.copied != "" {
			what += fmt.Sprintf(" (the copy is %s)", db.copied)
		}
		if err = fmt.Errorf("%s: %w", what, err); kindOf(err) == nil {
			return condition(ErrMigration, db.cfg.Path, err)
		}
		return err
	}
	return nil
}

// uncopy removes the copy of a migration that failed, where the file still is what was copied: whoever tries again copies it
// again, and on a full disk would take what room is left, and what is made, by copies that are all the same. The version is
// read behind the last connection, whose end takes the log away: what the disk holds then is what the next start finds. Where
// a step was done before the one that failed, the copy stays.
func (db *DB) uncopy(ctx context.Context, from int64) error {
	if db.copied == "" {
		return nil
	}
	err := db.write.Close()
	db.write = nil
	if err != nil {
		return fmt.Errorf("look what the migration has left: %w", err)
	}
	ro, err := pool(db.cfg, probe, 1)
	if err != nil {
		return err
	}
	v, err := readVersion(ctx, ro)
	if err := errors.Join(err, ro.Close()); err != nil {
		return fmt.Errorf("look what the migration has left: %w", err)
	}
	if v != from {
		return nil
	}
	if err := os.Remove(db.copied); err != nil {
		return fmt.Errorf("remove a copy of what is there: %w", err)
	}
	db.copied = ""
	return nil
}

// copyTo writes the database as it stands to a file beside it, checks that, and only then gives it its name.
func (db *DB) copyTo(ctx context.Context, version int64) (string, error) {
	if err := db.cfg.Fault("copy"); err != nil {
		return "", err
	}
	path := db.cfg.Path
	tmp := path + ".copying"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("remove what an earlier try left: %w", err)
	}
	whole := failpoint.At("copy", tmp)
	if _, err := db.write.ExecContext(ctx, "VACUUM INTO $1", tmp); err != nil {
		_ = os.Remove(tmp) // a half copy on a full disk helps nobody
		return "", err
	}
	whole()
	if err := db.verify(ctx, tmp, version); err != nil {
		return "", err
	}
	to, err := free(fmt.Sprintf("%s.v%d-%s", path, version, db.cfg.Now().UTC().Format(stamp)))
	if err != nil {
		return "", err
	}
	if err := syncFile(tmp); err != nil {
		return "", err
	}
	named := failpoint.At("copied", to)
	if err := os.Rename(tmp, to); err != nil {
		return "", fmt.Errorf("name the copy: %w", err)
	}
	if err := durable.SyncDir(filepath.Dir(to)); err != nil {
		return "", err
	}
	named()
	return to, nil
}

func (db *DB) verify(ctx context.Context, path string, version int64) (err error) {
	cfg := db.cfg
	cfg.Path = path
	ro, err := pool(cfg, probe, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ro.Close()) }()
	if err := check(ctx, ro, path); err != nil {
		return fmt.Errorf("check the copy: %w", err)
	}
	v, err := readVersion(ctx, ro)
	if err == nil && v != version {
		err = fmt.Errorf("it says version %d, not %d", v, version)
	}
	if err != nil {
		return fmt.Errorf("check the copy: %w", err)
	}
	return nil
}
