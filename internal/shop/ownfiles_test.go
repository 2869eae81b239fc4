//go:build processes

package shop_test

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"tilld/devices/binding"
	"tilld/internal/journal/journaltest"
	"tilld/internal/sqlitedb"
)

// ownFile is a file that the box makes or gives its name outside a commit: what leads there, what does it, where the program
// can be killed in it, and how it must stand after the next start.
type ownFile struct {
	name   string
	points []string // of TILLD_FAIL, with their numbers; those that end in .new are of a file that has no name yet
	before func(l *lone) (right func(at, how string))
	do     func(l *lone, fail string)
}

// startIt is a start of the box that may be killed, and is ended well if it is not.
func startIt(l *lone, fail string) {
	if b, up := l.run(fail); up {
		b.stop(syscall.SIGTERM)
	} else if err := b.end(); !strings.Contains(b.log.String(), "failpoint ") {
		l.t.Fatalf("the box ended: %v\n%s", err, b.log)
	}
}

var ownFiles = []ownFile{
	{"Key", []string{"key.new:1", "key:1"}, ofKey, func(l *lone, fail string) {
		b := l.begin(fail, "key")
		if err := b.end(); err != nil && !strings.Contains(b.log.String(), "failpoint ") {
			l.t.Fatalf("tilld key: %v\n%s", err, b.log)
		}
		if l.told != nil {
			l.told("tilld/terminal.key")
		}
	}},
	{"Generation", []string{"generation.new:1", "generation:1", "generation.new:2", "generation:2"}, ofStart, startIt},
	{"Reserve", []string{"reserve:1"}, ofStart, startIt},
	{"Copy", []string{"copy:1", "copied:1"}, ofUpgrade, startIt},
	{"Aside", []string{"aside:1", "aside:2", "aside:3"}, ofDamage, startIt},
	{"Bindings", []string{"bindings.yaml.new:1", "bindings.yaml:1"}, ofBindings, func(l *lone, fail string) {
		b, up := l.run(fail)
		if !up {
			l.t.Fatalf("the box ended before it was asked\n%s", b.log)
		}
		if err := l.unbind(); err == nil {
			b.stop(syscall.SIGTERM)
		} else if b.end(); !strings.Contains(b.log.String(), "failpoint ") {
			l.t.Fatalf("%v\n%s", err, b.log)
		}
	}},
}

// ofKey: a key is whole or not there, and the one that is there stays.
func ofKey(l *lone) func(at, how string) {
	return func(at, how string) {
		b, err := os.ReadFile(l.state("terminal.key"))
		if named := at == "key:1" && how == "after"; named != (err == nil) || named && !bytes.HasSuffix(b, []byte("END PRIVATE KEY-----\n")) {
			l.t.Errorf("the key: %d bytes, %v", len(b), err)
		}
		first := l.key()
		if second := l.key(); len(first) != 44 || second != first {
			l.t.Errorf("the box calls itself %q, and then %q", first, second)
		}
		if again, err := os.ReadFile(l.state("terminal.key")); err != nil || b != nil && !bytes.Equal(b, again) {
			l.t.Errorf("the key that was there is another one now: %v", err)
		}
	}
}

// ofStart: a first start that was killed is gone on with, and nobody is asked anything.
func ofStart(l *lone) func(at, how string) {
	l.key()
	return func(_, _ string) {
		l.sound(func() {
			if says := l.asks(); says != "" {
				l.t.Errorf("a person is asked: %s", says)
			}
			if fi, err := os.Stat(l.state("journal/reserve")); err != nil || fi.Size() != 8<<20 {
				l.t.Errorf("the reserve: %v, %v", fi, err)
			}
		})
		if _, err := os.Lstat(l.state("journal/generation.new")); err == nil {
			l.t.Error("a generation without its name is left")
		}
	}
}

// ofUpgrade: a journal of the first version is brought to this one behind a whole copy, with all that is in it.
func ofUpgrade(l *lone) func(at, how string) {
	l.key()
	l.sound(func() {})
	migrations := os.DirFS(filepath.Join(root, "internal/journal/migrations"))
	open := func(path string) *sqlitedb.DB {
		l.t.Helper()
		db, err := sqlitedb.Open(l.t.Context(), sqlitedb.Config{Path: path, Migrations: migrations})
		if err != nil {
			l.t.Fatalf("open %s: %v", filepath.Base(path), err)
		}
		return db
	}
	const mark = "F-SOMETHING-OF-OLD"
	db := open(l.journal(""))
	err := db.Write(l.t.Context(), func(tx *sqlitedb.Tx) error {
		_, err := tx.Exec(sqlitedb.TableOf("call", "n, id, grp, method, params, volatile").Insert("7", "$1", "'g'", "'none'", "x'7b7d'", "0"), mark)
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		l.t.Fatal(err)
	}
	journaltest.MakeOld(l.t, l.journal(""), migrations)
	return func(_, _ string) {
		l.sound(func() {
			if says := l.asks(); says != "" {
				l.t.Errorf("a person is asked: %s", says)
			}
		})
		copies, err := filepath.Glob(l.journal(".v1-*Z*"))
		if err != nil || len(copies) == 0 {
			l.t.Errorf("no copy: %v", err)
		}
		if _, err := os.Lstat(l.journal(".copying")); err == nil {
			l.t.Error("a copy without its name is left")
		}
		for _, path := range append(copies, l.journal("")) {
			if strings.HasSuffix(path, "-wal") || strings.HasSuffix(path, "-shm") || strings.HasSuffix(path, ".lock") {
				continue
			}
			db := open(path) // which checks all of it
			var n int
			err := db.Read().QueryRow("SELECT count(*) FROM call WHERE id = $1", mark).Scan(&n)
			if err := errors.Join(err, db.Close()); err != nil || n != 1 {
				l.t.Errorf("%s: what was in the old journal is there %d times, %v", filepath.Base(path), n, err)
			}
		}
	}
}

// ofDamage: whatever was damaged is there as it was, under one name or another; a person is told, and asked once.
func ofDamage(l *lone) func(at, how string) {
	l.key()
	b, up := l.run("")
	if !up {
		l.t.Fatalf("the box does not start:\n%s", b.log)
	}
	b.stop(syscall.SIGKILL)
	for _, path := range []string{l.journal(""), l.journal("-wal")} {
		if err := spoil(path); err != nil {
			l.t.Fatal(err)
		}
	}
	were := l.contents()
	there := func(when string) {
		l.t.Helper()
		now := slices.Collect(maps.Values(l.contents()))
		for name, text := range were {
			n := 0
			for _, x := range now {
				if x == text {
					n++
				}
			}
			if n != 1 {
				l.t.Errorf("%s, the damaged %s is there %d times", when, name, n)
			}
		}
	}
	return func(_, _ string) {
		there("before the next start")
		l.sound(func() {
			if says := l.asks(); says == "" {
				l.t.Error("nobody is told that the journal was lost")
			}
			if err := l.api.Acknowledge(l.t.Context(), "Ann", "looked at it"); err != nil {
				l.t.Error(err)
			}
		})
		there("after the next start")
		l.sound(func() {
			if says := l.asks(); says != "" {
				l.t.Errorf("a person is asked again: %s", says)
			}
		})
	}
}

// contents are the damaged files, by name: those that begin as spoil has them.
func (l *lone) contents() map[string]string {
	l.t.Helper()
	names, err := filepath.Glob(l.journal("*"))
	if err != nil {
		l.t.Fatal(err)
	}
	out := map[string]string{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			l.t.Fatal(err)
		}
		if bytes.HasPrefix(b, []byte("rubbish ")) {
			out[filepath.Base(name)] = string(b)
		}
	}
	if len(out) != 2 {
		l.t.Errorf("%d damaged files: %v", len(out), slices.Sorted(maps.Keys(out)))
	}
	return out
}

// ofBindings: the file is the old or the new one, whole, and the box goes by it.
func ofBindings(l *lone) func(at, how string) {
	l.key()
	old := gun()
	fresh := gun()
	fresh.Drop(binding.Key{Lane: "1", Role: binding.Scanner})
	path := l.state(binding.Name)
	if err := os.WriteFile(path, old.Format(), 0o600); err != nil {
		l.t.Fatal(err)
	}
	return func(at, how string) {
		want := old.Format()
		if at == "bindings.yaml:1" && how == "after" {
			want = fresh.Format()
		}
		if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, want) {
			l.t.Errorf("the bindings, %v:\n%s\nwant\n%s", err, b, want)
		}
		l.sound(func() {
			all, err := l.api.Bindings(l.t.Context())
			if err != nil || len(all) != 1 || (all[0].Unit != nil) != bytes.Equal(want, old.Format()) {
				l.t.Errorf("the box goes by %+v, %v", all, err)
			}
			if err := l.unbind(); err != nil {
				l.t.Error(err)
			}
		})
		if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, fresh.Format()) {
			l.t.Errorf("once more unbound, %v:\n%s", err, b)
		}
	}
}
