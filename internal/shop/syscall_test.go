//go:build processes

package shop_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tilld/internal/depth"
	"tilld/internal/shop"
)

// faults are the system calls that make something durable, or come before it, with what a disk or a kernel may answer.
// strace counts them for each thread, so the Nth is that of whichever thread comes to it first.
var faults = func() (out []string) {
	for _, call := range []string{"openat", "pwrite64", "fdatasync", "fsync", "write", "ftruncate", "renameat", "unlinkat", "unlink"} {
		for _, errno := range []string{"EIO", "ENOSPC", "EDQUOT", "EMFILE"} {
			if (errno == "EMFILE") == (call == "openat") || errno == "EIO" {
				out = append(out, call+":error="+errno)
			}
		}
	}
	return out
}()

// TestNthSystemCall sells while one system call after another fails in the static programs, in both ends: each time the
// program ends and starts anew, or refuses and says why, and in the end every book says the same: nothing was called done
// that was not.
func TestNthSystemCall(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("strace"); err != nil {
		depth.Lacks(t, err.Error())
	}
	dir, err := buildTraced()
	if err != nil {
		t.Fatal(err)
	}
	shops := depth.Figure(t, "shops", 1, 1, 2)
	sales := depth.Figure(t, "sales of each shop", 10, 10, 60)
	for n := range shops {
		t.Run(fmt.Sprint("Shop", n+1), func(t *testing.T) {
			t.Parallel()
			trace := filepath.Join(t.TempDir(), "trace")
			f := &failing{every: 1}
			f.rig = openShop(t, shop.Config{Processes: true, Programs: dir, Env: f.env(n, func(i int64, _ shop.Part) []string {
				fault := faults[int(i)*7%len(faults)]
				return []string{fmt.Sprintf("TILLD_INJECT=%s:when=%d", fault, 1+(i/3)%6), "TILLD_TRACE=" + trace}
			})})
			f.run(n, sales)
			f.check()
			hit := injected(t, trace)
			ends := map[string]int{}
			for _, m := range regexp.MustCompile(`started again" process=(\S+) err="([^"]+)"`).FindAllStringSubmatch(f.log.String(), -1) {
				ends[m[1]+" "+m[2]]++
			}
			t.Logf("calls that failed: %s; ends: %s", counted(hit), counted(ends))
			if len(hit) == 0 {
				t.Error("no system call failed: the harness is broken")
			}
		})
	}
}

// injected counts what strace says that it did.
func injected(t *testing.T, trace string) map[string]int {
	t.Helper()
	files, err := filepath.Glob(trace + ".*")
	if err != nil {
		t.Fatal(err)
	}
	hit := map[string]int{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)(\w+)(?: resumed>|\().*= -1 (E\w+) .*\(INJECTED\)`).FindAllStringSubmatch(string(b), -1) {
			hit[strings.Join(m[1:], " ")]++
		}
	}
	return hit
}
