package sqlitedb_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	lib "modernc.org/sqlite/lib"

	"tilld/internal/sqlitedb"
)

// made is a closed database with rows on several pages.
func made(t *testing.T) sqlitedb.Config {
	t.Helper()
	cfg := config(t)
	db, err := sqlitedb.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(t.Context(), func(tx *sqlitedb.Tx) error {
		for i := range 300 {
			if _, err := tx.Exec("INSERT INTO thing (name) VALUES ($1)", strings.Repeat("x", 200)+fmt.Sprint(i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func overwrite(t *testing.T, path string, at int64, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(b, at)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedFileIsSaidAndSetAsideWhole(t *testing.T) {
	damage := map[string]func(t *testing.T, path string){
		"first page": func(t *testing.T, path string) { overwrite(t, path, 0, bytes.Repeat([]byte{0xa5}, 4096)) },
		"text file": func(t *testing.T, path string) {
			_ = os.WriteFile(path, []byte(strings.Repeat("not a database\n", 99)), 0o600)
		},
		"page of rows": func(t *testing.T, path string) {
			for at := int64(4096 * 4); at < 4096*12; at += 4096 {
				overwrite(t, path, at, bytes.Repeat([]byte{0x5a}, 4096))
			}
		},
		"one row of an index": func(t *testing.T, path string) {
			b, err := os.ReadFile(path)
			at := bytes.LastIndex(b, []byte("x123"))
			if err != nil || at < 0 {
				t.Fatal("no such row", err)
			}
			overwrite(t, path, int64(at), []byte("x923"))
		},
		"cut short": func(t *testing.T, path string) { _ = os.Truncate(path, 4096*5) },
		"log without database": func(t *testing.T, path string) {
			_ = os.Remove(path)
			_ = os.WriteFile(path+"-wal", []byte("some log"), 0o600)
		},
		"tables of somebody else": func(t *testing.T, path string) {
			db, err := sqlitedb.Open(t.Context(), sqlitedb.Config{Path: path, Migrations: migrations()})
			if err != nil {
				t.Fatal(err)
			}
			err = db.Write(t.Context(), func(tx *sqlitedb.Tx) error { _, err := tx.Exec("DROP TABLE goose_db_version"); return err })
			if err := errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, do := range damage {
		t.Run(name, func(t *testing.T) {
			cfg := made(t)
			do(t, cfg.Path)
			before, _ := os.ReadFile(cfg.Path)
			_, err := sqlitedb.Open(t.Context(), cfg)
			if !errors.Is(err, sqlitedb.ErrDamaged) {
				t.Fatalf("open: %v", err)
			}
			sentence(t, err, cfg.Path)
			if after, _ := os.ReadFile(cfg.Path); !bytes.Equal(before, after) {
				t.Error("open changed the damaged file")
			}
			at := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
			to, err := sqlitedb.SetAside(cfg.Path, at)
			want := cfg.Path + ".damaged-20261122T030000Z"
			if name == "log without database" { // then that is what there is
				want, before = want+"-wal", []byte("some log")
			}
			if err != nil || to != want {
				t.Fatalf("set aside: %q, %v", to, err)
			}
			if kept, _ := os.ReadFile(to); !bytes.Equal(before, kept) {
				t.Error("the file set aside is not what it was")
			}
			for _, s := range []string{"", "-wal", "-shm"} {
				if _, err := os.Lstat(cfg.Path + s); err == nil {
					t.Errorf("%s is still there", s)
				}
			}
			if got := names(t, open(t, cfg).Read()); got != "" {
				t.Errorf("the new database holds %q", got)
			}
			if list, err := sqlitedb.Aside(cfg.Path); err != nil || len(list) != 1 || list[0] != to {
				t.Errorf("aside: %v, %v", list, err)
			}
		})
	}
}

func TestSetAsideTwiceInOneSecondKeepsBoth(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	at := time.Unix(0, 0)
	var got []string
	for _, text := range []string{"one", "two"} {
		for _, s := range []string{"", "-wal"} {
			if err := os.WriteFile(path+s, []byte(text+s), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		to, err := sqlitedb.SetAside(path, at)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, to)
	}
	for i, text := range []string{"one", "two"} {
		for _, s := range []string{"", "-wal"} {
			if b, err := os.ReadFile(got[i] + s); err != nil || string(b) != text+s {
				t.Errorf("%s: %q, %v", got[i]+s, b, err)
			}
		}
	}
	if _, err := sqlitedb.SetAside(path, at); err == nil {
		t.Error("set aside nothing, and called it done")
	}
}

// TestSetAsideCutShortIsNeverOpened has the second file of three stay where it is, as a crash would: the database is not there
// without its newest pages, and the next try takes the rest.
func TestSetAsideCutShortIsNeverOpened(t *testing.T) {
	cfg := made(t)
	log := []byte(strings.Repeat("pages that were acknowledged ", 100))
	if err := os.WriteFile(cfg.Path+"-wal", log, 0o600); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	if err := os.MkdirAll(cfg.Path+".damaged-20261122T030000Z-wal/in the way", 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlitedb.SetAside(cfg.Path, at); err == nil {
		t.Fatal("nothing was in the way")
	}
	if db, err := sqlitedb.Open(t.Context(), cfg); !errors.Is(err, sqlitedb.ErrDamaged) {
		t.Errorf("opened: %v, %v", db, err)
	}
	to, err := sqlitedb.SetAside(cfg.Path, at.Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := os.ReadFile(to); err != nil || !bytes.Equal(kept, log) { // of what it tells there is a file: the log
		t.Errorf("what is told to be aside, %s: %d bytes, %v", to, len(kept), err)
	}
	list, err := sqlitedb.Aside(cfg.Path)
	if err != nil || len(list) != 2 || list[1] != to {
		t.Errorf("aside: %v, %v", list, err)
	}
	for _, p := range list {
		if _, err := os.Lstat(p); err != nil {
			t.Errorf("told to be aside: %v", err)
		}
	}
	t.Logf("aside: %v", list)
	if got := names(t, open(t, cfg).Read()); got != "" {
		t.Errorf("the new database holds %q", got)
	}
}

func TestDamageMetByAQueryStopsAndIsCheckedNextTime(t *testing.T) {
	t.Run("first", func(t *testing.T) { damageMet(t, false) })
	t.Run("after a failed write", func(t *testing.T) { damageMet(t, true) })
}

func damageMet(t *testing.T, failed bool) {
	t.Helper()
	cfg := made(t)
	for at := int64(4096 * 4); at < 4096*12; at += 4096 {
		overwrite(t, cfg.Path, at, bytes.Repeat([]byte{0x5a}, 4096))
	}
	cfg.CheckLimit = -1 // as if it were too large to check
	cfg.Fault = func(op string) error {
		if op == "begin" && failed {
			return syscall.EIO
		}
		return nil
	}
	db := open(t, cfg)
	if failed {
		if err := db.Write(t.Context(), add("x")); !errors.Is(err, sqlitedb.ErrDisk) {
			t.Fatalf("a failed write: %v", err)
		}
	}
	var n int
	err := db.Explain(db.Read().QueryRow("SELECT sum(length(name)) FROM thing").Scan(&n))
	if !errors.Is(err, sqlitedb.ErrStopped) || errors.Is(err, sqlitedb.ErrDamaged) == failed {
		t.Fatalf("query over damaged pages: %v", err)
	}
	if err := db.Write(t.Context(), add("x")); !errors.Is(err, sqlitedb.ErrStopped) {
		t.Fatalf("write after it: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlitedb.Open(t.Context(), cfg); !errors.Is(err, sqlitedb.ErrDamaged) {
		t.Fatalf("next open: %v", err)
	}
}

func TestCheckInTheBackgroundFindsDamage(t *testing.T) {
	cfg := made(t)
	sound := open(t, cfg)
	if err := sound.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := sound.Close(); err != nil {
		t.Fatal(err)
	}
	overwrite(t, cfg.Path, 4096*6, bytes.Repeat([]byte{0x5a}, 4096))
	cfg.CheckLimit = -1
	db := open(t, cfg)
	if err := db.Check(t.Context()); !errors.Is(err, sqlitedb.ErrDamaged) || db.Stopped() == nil {
		t.Fatalf("check: %v, stopped: %v", err, db.Stopped())
	}
}

// TestInspectFindsWhatTheStartLeftOut: a file that is too large for the start is read while it is at work.
func TestInspectFindsWhatTheStartLeftOut(t *testing.T) {
	cfg := made(t)
	sound := open(t, cfg)
	sound.Inspect()
	if sound.Inspected() {
		t.Error("a file that Open has checked is read once more")
	}
	if err := sound.Close(); err != nil {
		t.Fatal(err)
	}
	cfg.CheckLimit = -1
	large := open(t, cfg)
	large.Inspect()
	large.Inspect() // one is enough
	if err := large.Write(t.Context(), add("beside it")); err != nil {
		t.Error(err)
	}
	if !large.Inspected() || large.Stopped() != nil {
		t.Errorf("a sound file is stopped: %v", large.Stopped())
	}
	if err := large.Close(); err != nil {
		t.Fatal(err)
	}
	overwrite(t, cfg.Path, 4096*6, bytes.Repeat([]byte{0x5a}, 4096))
	damaged := open(t, cfg)
	damaged.Inspect()
	if !damaged.Inspected() {
		t.Fatal("nothing was inspected")
	}
	err := damaged.Write(t.Context(), add("x"))
	if !errors.Is(err, sqlitedb.ErrStopped) || !errors.Is(err, sqlitedb.ErrDamaged) {
		t.Fatalf("a write after it: %v", err)
	}
	sentence(t, err, cfg.Path)
	if err := damaged.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlitedb.Open(t.Context(), cfg); !errors.Is(err, sqlitedb.ErrDamaged) {
		t.Fatalf("next open: %v", err)
	}
}

// TestCloseEndsAnInspection: whoever closes does not wait for the rest of it, and the log is copied back.
func TestCloseEndsAnInspection(t *testing.T) {
	cfg := made(t)
	cfg.CheckLimit = -1
	for i := range 20 {
		db := open(t, cfg)
		db.Inspect()
		err := errors.Join(db.Write(t.Context(), add(fmt.Sprint("beside it, ", i))), db.Close())
		db.Inspect() // too late
		if fi, _ := os.Stat(cfg.Path + "-wal"); err != nil || fi != nil && fi.Size() > 0 {
			t.Fatalf("closed with a log of its own: %v", err)
		}
	}
}

func TestNewerVersionIsLeftAlone(t *testing.T) {
	cfg := config(t)
	newer := cfg
	newer.Migrations = migrations("ALTER TABLE thing ADD COLUMN more TEXT;")
	db, err := sqlitedb.Open(t.Context(), newer)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(cfg.Path)
	_, err = sqlitedb.Open(t.Context(), cfg)
	if !errors.Is(err, sqlitedb.ErrNewer) {
		t.Fatalf("open: %v", err)
	}
	sentence(t, err, cfg.Path)
	if after, _ := os.ReadFile(cfg.Path); !bytes.Equal(before, after) {
		t.Error("the file was touched")
	}
	if list, _ := filepath.Glob(cfg.Path + ".*"); len(list) != 1 { // the lock alone
		t.Errorf("files beside it: %v", list)
	}
}

func TestMigrationCopiesFirstAndChecksTheCopy(t *testing.T) {
	cfg := made(t)
	cfg.Now = func() time.Time { return time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC) }
	cfg.Migrations = migrations("UPDATE thing SET name = 'new' || id;")
	db := open(t, cfg)
	if db.Version() != 2 || db.Copied() != cfg.Path+".v1-20261122T030000Z" {
		t.Fatalf("version %d, copy %q", db.Version(), db.Copied())
	}
	old := open(t, sqlitedb.Config{Path: db.Copied(), Migrations: migrations()})
	var n, m int
	if err := old.Read().QueryRow("SELECT count(*) FROM thing WHERE name LIKE 'xxx%'").Scan(&n); err != nil || n != 300 {
		t.Errorf("the copy has %d old rows, %v", n, err)
	}
	if err := db.Read().QueryRow("SELECT count(*) FROM thing WHERE name LIKE 'new%'").Scan(&m); err != nil || m != 300 {
		t.Errorf("the database has %d new rows, %v", m, err)
	}
}

func TestMigrationThatFailsLeavesTheData(t *testing.T) {
	for name, fault := range map[string]error{"in the statement": nil, "in the copy": syscall.ENOSPC} {
		t.Run(name, func(t *testing.T) {
			cfg := made(t)
			bad := cfg
			bad.Migrations = migrations("DELETE FROM thing; INSERT INTO nowhere VALUES (1);")
			bad.Fault = func(op string) error {
				if op == "copy" {
					return fault
				}
				return nil
			}
			_, err := sqlitedb.Open(t.Context(), bad)
			if err == nil || fault != nil && !errors.Is(err, sqlitedb.ErrFull) || fault == nil && !errors.Is(err, sqlitedb.ErrMigration) {
				t.Fatalf("open: %v", err)
			}
			db := open(t, cfg)
			var n int
			if err := db.Read().QueryRow("SELECT count(*) FROM thing").Scan(&n); err != nil || n != 300 || db.Version() != 1 {
				t.Errorf("%d rows, version %d, %v", n, db.Version(), err)
			}
		})
	}
}

func sentence(t *testing.T, err error, path string) {
	t.Helper()
	var c *sqlitedb.Condition
	if !errors.As(err, &c) || c.Path != path || c.Do == "" {
		t.Errorf("no condition in %#v", err)
		return
	}
	s := err.Error()
	if strings.Contains(s, "\n") || !strings.HasPrefix(s, "database "+path+" ") || !strings.Contains(s, ": "+c.Do) {
		t.Errorf("not one sentence with what to do: %q", s)
	}
	t.Log(s)
}

func TestEachConditionIsOneSentence(t *testing.T) {
	kinds := []error{
		sqlitedb.ErrDamaged, sqlitedb.ErrReadOnly, sqlitedb.ErrFull, sqlitedb.ErrNewer, sqlitedb.ErrLocked, sqlitedb.ErrDisk,
		sqlitedb.ErrStopped, sqlitedb.ErrClosed,
	}
	for _, k := range kinds {
		err := sqlitedb.NewCondition(k, "/d/x.db", io.ErrUnexpectedEOF)
		sentence(t, err, "/d/x.db")
		if !errors.Is(err, k) || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%v lost its kind or cause", err)
		}
	}
}

// A sound file on a full or failing disk must not be taken for a damaged one, which would be set aside.
func TestOnlyTheFileIsCalledDamaged(t *testing.T) {
	for code, want := range map[int]error{
		lib.SQLITE_CORRUPT: sqlitedb.ErrDamaged, lib.SQLITE_CORRUPT_INDEX: sqlitedb.ErrDamaged, lib.SQLITE_NOTADB: sqlitedb.ErrDamaged,
		lib.SQLITE_IOERR_READ: sqlitedb.ErrDamaged, lib.SQLITE_IOERR_SHORT_READ: sqlitedb.ErrDamaged,
		lib.SQLITE_IOERR_WRITE: sqlitedb.ErrDisk, lib.SQLITE_IOERR_FSYNC: sqlitedb.ErrDisk, lib.SQLITE_IOERR_DIR_FSYNC: sqlitedb.ErrDisk,
		lib.SQLITE_IOERR_TRUNCATE: sqlitedb.ErrDisk, lib.SQLITE_IOERR_SHMSIZE: sqlitedb.ErrFull, lib.SQLITE_FULL: sqlitedb.ErrFull,
		lib.SQLITE_READONLY_DIRECTORY: sqlitedb.ErrReadOnly, lib.SQLITE_BUSY_SNAPSHOT: sqlitedb.ErrLocked,
		lib.SQLITE_CONSTRAINT_UNIQUE: nil, lib.SQLITE_CANTOPEN: nil, lib.SQLITE_ERROR: nil,
	} {
		if got := sqlitedb.KindOfCode(code); !errors.Is(got, want) {
			t.Errorf("code %d is %v, want %v", code, got, want)
		}
	}
}

const asOther = "SQLITEDB_TEST_READONLY"

// A file system does not refuse root, so the one who asks is another process that has put root's rights away.
func TestReadOnlyIsSaid(t *testing.T) {
	if path := os.Getenv(asOther); path != "" {
		if os.Getuid() == 0 {
			if err := errors.Join(syscall.Setgid(65534), syscall.Setuid(65534)); err != nil {
				t.Fatal(err)
			}
		}
		_, err := sqlitedb.Open(t.Context(), sqlitedb.Config{Path: path, Migrations: migrations()})
		if !errors.Is(err, sqlitedb.ErrReadOnly) {
			t.Fatalf("open: %v", err)
		}
		sentence(t, err, path)
		return
	}
	dir, err := os.MkdirTemp("/tmp", "sqlitedb-readonly-") // t.TempDir is below directories that others may not enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = os.Chmod(dir, 0o700)
		_ = os.RemoveAll(dir)
	})
	cfg := sqlitedb.Config{Path: filepath.Join(dir, "x.db"), Migrations: migrations()}
	db, err := sqlitedb.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []struct{ dir, file os.FileMode }{{0o555, 0o666}, {0o777, 0o444}} {
		if err := errors.Join(os.Chmod(cfg.Path, mode.file), os.Chmod(dir, mode.dir)); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestReadOnlyIsSaid$", "-test.v")
		cmd.Env = append(os.Environ(), asOther+"="+cfg.Path)
		if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("PASS")) {
			t.Errorf("directory %v, file %v: %v\n%s", mode.dir, mode.file, err, out)
		}
	}
}
