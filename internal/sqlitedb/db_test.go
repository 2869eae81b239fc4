package sqlitedb_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"

	"golang.org/x/sys/unix"

	"tilld/internal/sqlitedb"
)

const v1 = "-- +goose Up\nCREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;\n"

func migrations(more ...string) fstest.MapFS {
	m := fstest.MapFS{"00001_thing.sql": {Data: []byte(v1)}}
	for i, s := range more {
		m[fmt.Sprintf("%05d_more.sql", i+2)] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + s)}
	}
	return m
}

func config(t *testing.T) sqlitedb.Config {
	t.Helper()
	return sqlitedb.Config{Path: filepath.Join(t.TempDir(), "a dir?#%", "thing.db"), Migrations: migrations()}
}

func open(t *testing.T, cfg sqlitedb.Config) *sqlitedb.DB {
	t.Helper()
	db, err := sqlitedb.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func add(name string) func(*sqlitedb.Tx) error {
	return func(tx *sqlitedb.Tx) error {
		_, err := tx.Exec("INSERT INTO thing (name) VALUES ($1)", name)
		return err
	}
}

func names(t *testing.T, db *sql.DB) string {
	t.Helper()
	var out sql.NullString
	if err := db.QueryRow("SELECT group_concat(name, ' ' ORDER BY id) FROM thing").Scan(&out); err != nil {
		t.Fatal(err)
	}
	return out.String
}

func TestPragmasHoldOnEveryConnection(t *testing.T) {
	db := open(t, config(t))
	type row interface{ Scan(into ...any) error }
	read := func(t *testing.T, q func(string) row, want map[string]string) {
		for name, w := range want {
			var got string
			if err := q("PRAGMA " + name).Scan(&got); err != nil || got != w {
				t.Errorf("pragma %s = %q, %v; want %q", name, got, err, w)
			}
		}
	}
	both := map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"}
	var conns []*sql.Conn
	for range sqlitedb.DefaultReaders {
		c, err := db.Read().Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
		read(t, func(q string) row { return c.QueryRowContext(t.Context(), q) }, both)
		if _, err := c.ExecContext(t.Context(), "INSERT INTO thing (name) VALUES ('x')"); err == nil {
			t.Error("a reader wrote")
		}
	}
	for _, c := range conns {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	err := db.Write(t.Context(), func(tx *sqlitedb.Tx) error {
		read(t, func(q string) row { return tx.QueryRow(q) }, both)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPragmaThatDoesNotHoldRefusesTheConnection(t *testing.T) {
	err := sqlitedb.ConnectMemory(t.Context())
	if err == nil || !strings.Contains(err.Error(), "journal_mode") {
		t.Fatalf("a database in memory keeps no log, and it was taken: %v", err)
	}
}

func TestSecondOpenIsLockedUntilClose(t *testing.T) {
	cfg := config(t)
	db, err := sqlitedb.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sqlitedb.Open(t.Context(), cfg); !errors.Is(err, sqlitedb.ErrLocked) {
		t.Fatalf("second open: %v", err)
	}
	if err := db.Write(t.Context(), add("kept")); err != nil {
		t.Fatalf("the refused open disturbed the first: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if got := names(t, open(t, cfg).Read()); got != "kept" {
		t.Fatalf("after reopening: %q", got)
	}
}

// Between fork and exec a program that another part of this process starts has every file of ours.
func TestAProgramThatIsBeingStartedKeepsNoDatabaseLocked(t *testing.T) {
	cfg := config(t)
	db, err := sqlitedb.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	copies := 0
	for _, e := range fds {
		fd, err := strconv.Atoi(e.Name())
		if name, _ := os.Readlink("/proc/self/fd/" + e.Name()); err != nil || name != cfg.Path+".lock" {
			continue
		}
		twin, err := unix.Dup(fd)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Close(twin) })
		copies++
	}
	if copies == 0 {
		t.Fatal("no file is locked")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := sqlitedb.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

func TestCloseLeavesNoLogAndRefusesWrites(t *testing.T) {
	cfg := config(t)
	db := open(t, cfg)
	if err := db.Write(t.Context(), add("a")); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second one changes nothing
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Write(t.Context(), add("b")); !errors.Is(err, sqlitedb.ErrClosed) {
		t.Fatalf("write after close: %v", err)
	}
	if fi, err := os.Stat(cfg.Path + "-wal"); err == nil && fi.Size() > 0 {
		t.Errorf("log of %d bytes left after close", fi.Size())
	}
}

func TestCloseWaitsForWritesThatWereTaken(t *testing.T) {
	cfg := config(t)
	db := open(t, cfg)
	var wg sync.WaitGroup
	var mu sync.Mutex
	acked := 0
	for i := range 50 {
		wg.Go(func() {
			err := db.Write(context.Background(), add(fmt.Sprint("n", i)))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				acked++
			} else if !errors.Is(err, sqlitedb.ErrClosed) {
				t.Error(err)
			}
		})
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	var n int
	if err := open(t, cfg).Read().QueryRow("SELECT count(*) FROM thing").Scan(&n); err != nil || n != acked {
		t.Fatalf("%d rows for %d acknowledged writes, %v", n, acked, err)
	}
	t.Logf("%d of 50 writes came before the close", acked)
}

func TestReaderBesideARunningWriter(t *testing.T) {
	cfg := config(t)
	db := open(t, cfg)
	if err := db.Write(t.Context(), add("a")); err != nil {
		t.Fatal(err)
	}
	ro, err := sqlitedb.OpenReader(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, ro.Read()); got != "a" {
		t.Errorf("reader sees %q", got)
	}
	if err := db.Write(t.Context(), add("b")); err != nil {
		t.Fatal(err)
	}
	if got := names(t, ro.Read()); got != "a b" {
		t.Errorf("reader sees %q", got)
	}
	if err := ro.Write(t.Context(), add("c")); !errors.Is(err, sqlitedb.ErrReadOnly) {
		t.Errorf("reader wrote: %v", err)
	}
	if err := ro.Close(); err != nil {
		t.Fatal(err)
	}
	cfg.Migrations = migrations("SELECT 1;")
	if _, err := sqlitedb.OpenReader(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "version 1") {
		t.Errorf("reader of an older version: %v", err)
	}
}

// The libc of modernc.org is translated together with its SQLite: another pair compiles and then fails at run time.
func TestSQLiteGoesWithItsLibc(t *testing.T) {
	text, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for mod, want := range map[string]string{"modernc.org/sqlite": "v1.60.1", "modernc.org/libc": "v1.77.1", "github.com/pressly/goose/v3": "v3.28.0"} {
		m := regexp.MustCompile(`(?m)^\s*` + regexp.QuoteMeta(mod) + `\s+(\S+)`).FindSubmatch(text)
		if m == nil || string(m[1]) != want {
			t.Errorf("go.mod has %s %s, want %s: the three were tried together", mod, m, want)
		}
	}
}

func TestWorksInABubble(t *testing.T) {
	cfg := config(t)
	synctest.Test(t, func(t *testing.T) {
		db, err := sqlitedb.Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				if err := db.Write(context.Background(), add(fmt.Sprint("n", i))); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		synctest.Wait() // the writer is at rest, and known to be
		var n int
		if err := db.Read().QueryRow("SELECT count(*) FROM thing").Scan(&n); err != nil || n != 20 {
			t.Errorf("%d rows, %v", n, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
}
