// Package depth tells tests how deep to go: `go test` alone is quick, `make test` sets TILLD_DEPTH=test and `make prove`
// TILLD_DEPTH=prove. What a test leaves to a deeper run it says in a line "left to make prove: WHAT", which make test gathers
// from all of them (scripts/gotest) and prints at its end.
package depth

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"syscall"
	"testing"
)

// Quick says that nothing deeper was asked for.
func Quick() bool { return os.Getenv("TILLD_DEPTH") == "" }

func full() bool { return os.Getenv("TILLD_DEPTH") == "prove" }

// Full says that the full figures are wanted, those of make prove. If not, t says that it leaves what to it: ask once, not in
// a loop.
func Full(t testing.TB, what string) bool {
	t.Helper()
	if !full() {
		t.Log("left to make prove: " + what)
	}
	return full()
}

// All is a figure that is no limit.
const All = 1 << 30

// Figure is how many of something a test has at this depth: so many for go test, for make test, and for make prove. It says
// what it leaves to the next.
func Figure(t testing.TB, what string, quick, test, prove int) int {
	t.Helper()
	here, more, deeper := test, prove, "make prove"
	switch {
	case full():
		return prove
	case Quick() && quick != test:
		here, more, deeper = quick, test, "make test"
	}
	switch more {
	case here:
	case All:
		t.Logf("left to %s: %s: all, here %d", deeper, what, here)
	default:
		t.Logf("left to %s: %s: %d, here %d", deeper, what, more, here)
	}
	return here
}

// Long skips a test at quick depth and says so: one that waits for limits of seconds, or moves megabytes.
func Long(t testing.TB, what string) {
	t.Helper()
	if Quick() {
		t.Skip("left to make test: " + what)
	}
}

// Lacks ends a test for which this machine has not what it needs. At quick depth it is left out; what goes deeper, or is CI,
// has to find everything, and fails.
func Lacks(t testing.TB, why string) {
	t.Helper()
	if !Quick() || os.Getenv("CI") == "true" {
		t.Fatal("cannot be tried here: " + why)
	}
	t.Skip("SKIPPED, cannot be tried here: " + why)
}

// Waiting is for the TestMain of packages whose tests wait for real time and not for the processor: at quick depth many of
// them wait at a time.
func Waiting() {
	if !Quick() {
		return
	}
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err) // outside of a test
	}
}

// Roomy is for the TestMain of packages that compute: at quick depth memory is collected a quarter as often. Their heaps are
// small and live for seconds.
func Roomy() {
	if Quick() && os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}

// Random is for the TestMain of packages that throw random orders of events at a table: rapid tries 30 of them at quick depth,
// 100 in make test, and in make prove as many as are given. What has a place in one of ten thousand is found there alone.
func Random(most int) {
	n, next, deeper := 100, most, "prove"
	switch {
	case full():
		n = most
	case Quick():
		n, next, deeper = 30, 100, "test"
	}
	if err := flag.Set("rapid.checks", strconv.Itoa(n)); err != nil { // what the command line says counts more: it is read later
		panic(err) // outside of a test
	}
	if n < next {
		fmt.Printf("left to make %s: %d of %d random orders\n", deeper, next-n, next)
	}
}

const (
	memory = "/dev/shm"
	room   = 1 << 30 // more than all packages together write
)

// InMemory is for the TestMain of packages that commit thousands of times: at quick depth their files lie in memory if it has
// room, where a sync costs nothing. A killed process leaves the same there as on a disk; make test has them on the disk.
func InMemory() {
	var free syscall.Statfs_t
	if !Quick() || os.Getenv("TMPDIR") != "" || syscall.Statfs(memory, &free) != nil || free.Bavail*uint64(free.Bsize) < room { //nolint:gosec // a size
		return
	}
	probe, err := os.MkdirTemp(memory, "tilld")
	if err != nil {
		return
	}
	if os.Remove(probe) == nil && os.Setenv("TMPDIR", memory) == nil {
		fmt.Println("left to make test: the files of these tests on a disk; here they lie in " + memory)
	}
}
