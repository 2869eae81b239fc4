//go:build processes

package shop_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tilld/internal/shop/gate"
)

// TestNamesAreMadeDurable looks at the system calls by which a box makes its files: whenever one has got its name, its folder
// is synced before anything is built upon it, and before anybody is told. ext4 keeps the name without that, so that no power
// cut there would show what is left out; other file systems do not.
func TestNamesAreMadeDurable(t *testing.T) {
	t.Parallel()
	lost, given := map[string]bool{}, map[string]int{}
	for _, f := range ownFiles {
		t.Run(f.name, func(t *testing.T) {
			l := newLone(t, programs(t))
			f.before(l)
			var gates []*gate.Gate
			l.pass = func() *gate.Gate {
				g, err := gate.Open(l.dir, nil)
				if err != nil {
					t.Fatal(err)
				}
				gates = append(gates, g)
				return g
			}
			l.told = func(file string) {
				if _, left := unsynced(gates[0].Calls()); slices.Contains(left, file) {
					lost[file+", of which somebody is told"] = true
				}
			}
			f.do(l, "")
			for _, g := range gates {
				if err := g.Close(); err != nil {
					t.Error(err)
				}
				calls := g.Calls()
				early, late := unsynced(calls)
				for _, file := range append(early, late...) {
					lost[undated(file)] = true
				}
				for _, c := range calls {
					if names(c) && lasts(c.File) {
						given[undated(c.File)]++
					}
				}
			}
		})
	}
	t.Logf("names that files were given: %s", counted(given))
	for _, file := range []string{"tilld", "tilld/terminal.key", "tilld/bindings.yaml", "tilld/journal", "tilld/journal/generation", "tilld/journal/reserve", "tilld/journal/journal.db", "tilld/journal/journal.db.v1", "tilld/journal/journal.db.damaged"} {
		if given[file] == 0 {
			t.Errorf("%s was not made: the harness is broken", file)
		}
	}
	if len(lost) > 0 {
		t.Errorf("a power cut may take away: %s", strings.Join(slices.Sorted(maps.Keys(lost)), ", "))
	}
}

// names says whether a call gives a file a name.
func names(c gate.Call) bool {
	return c.New || slices.Contains([]string{"rename", "renameat", "renameat2", "link", "linkat", "mkdir", "mkdirat"}, c.Name)
}

// lasts says whether anybody misses a file's name after a power cut. What is written before it gets its name is thrown away,
// SQLite's index and the lock are made anew, and a glass of that time shows nothing any more.
func lasts(file string) bool {
	base := filepath.Base(file)
	for _, end := range []string{".new", ".copying", ".copying-journal", "-shm", ".lock"} {
		if strings.HasSuffix(base, end) {
			return false
		}
	}
	return !strings.HasPrefix(base, ".key-") && base != "last-shown.json"
}

// unsynced are the files that had a name, and the folder was not synced: early, when something else was written there; late,
// at the end. A file that is made by its first opening counts from when it is synced itself. That a name goes away is no
// matter: the box knows each as it was before.
func unsynced(calls []gate.Call) (early, late []string) {
	fresh, due := map[string]bool{}, map[string]bool{}
	for _, c := range calls {
		syncs := c.Name == "fsync" || c.Name == "fdatasync"
		switch {
		case names(c) && !lasts(c.File):
		case c.New:
			fresh[c.File] = true
		case names(c):
			due[c.File] = true
		case syncs && fresh[c.File]:
			delete(fresh, c.File)
			due[c.File] = true
		}
		if syncs {
			for _, of := range []map[string]bool{fresh, due} {
				maps.DeleteFunc(of, func(file string, _ bool) bool { return filepath.Dir(file) == c.File })
			}
		}
		if !changes(c) || !lasts(c.File) {
			continue
		}
		for file := range due {
			if file != c.File && (filepath.Dir(file) == filepath.Dir(c.File) || strings.HasPrefix(c.File, file+"/")) {
				early = append(early, file)
				delete(due, file)
			}
		}
	}
	return early, slices.Collect(maps.Keys(due))
}

// changes says whether a call changes what is in a file, or makes that last.
func changes(c gate.Call) bool {
	return slices.Contains([]string{"write", "writev", "pwrite64", "pwritev", "pwritev2", "fsync", "fdatasync", "ftruncate", "fallocate"}, c.Name)
}

// undated is a file's name without the time in it.
func undated(file string) string {
	return regexp.MustCompile(`-\d{8}T\d{6}Z(-\d+)?`).ReplaceAllString(file, "")
}

// TestUnsynced tries the judge.
func TestUnsynced(t *testing.T) {
	made := func(file string) gate.Call { return gate.Call{Name: "openat", File: file, Makes: true, New: true} }
	call := func(name, file string) gate.Call { return gate.Call{Name: name, File: file} }
	for _, x := range []struct {
		what        string
		calls       []gate.Call
		early, late string
	}{
		{"a file that is made and never synced", []gate.Call{made("a/x"), call("write", "a/x")}, "", ""},
		{"and synced", []gate.Call{made("a/x"), call("fsync", "a/x")}, "", "a/x"},
		{"and its folder", []gate.Call{made("a/x"), call("fsync", "a/x"), call("fsync", "a")}, "", ""},
		{"and another folder", []gate.Call{made("a/x"), call("fsync", "a/x"), call("fsync", "b")}, "", "a/x"},
		{"too late", []gate.Call{made("a/x"), call("fsync", "a/x"), call("pwrite64", "a/y"), call("fsync", "a")}, "a/x", ""},
		{"renamed", []gate.Call{call("renameat", "a/x")}, "", "a/x"},
		{"renamed in a row", []gate.Call{call("renameat", "a/x"), call("renameat", "a/y"), call("fsync", "a")}, "", ""},
		{"renamed to what does not last", []gate.Call{call("renameat", "a/last-shown.json")}, "", ""},
		{"a folder", []gate.Call{call("mkdirat", "a"), call("fsync", ".")}, "", ""},
		{"a folder that is written in", []gate.Call{call("mkdirat", "a"), made("a/x"), call("write", "a/x"), call("fsync", ".")}, "a", ""},
		{"the sync of the folder comes before", []gate.Call{call("fsync", "a"), call("linkat", "a/x")}, "", "a/x"},
		{"the index is no matter", []gate.Call{call("renameat", "a/x"), call("ftruncate", "a/x.db-shm"), call("fsync", "a")}, "", ""},
	} {
		early, late := unsynced(x.calls)
		if got := fmt.Sprint(early, late); got != fmt.Sprint(fields(x.early), fields(x.late)) {
			t.Errorf("%s: %s", x.what, got)
		}
	}
	if os.PathSeparator != '/' {
		t.Error("the judge knows folders by a slash")
	}
}

func fields(s string) []string { return strings.Fields(s) }
