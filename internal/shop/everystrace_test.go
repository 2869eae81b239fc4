//go:build processes

package shop_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tilld/internal/shop/gate"
)

// harmless are the calls about a file that change nothing on the disk, or nothing that lasts.
var harmless = []string{
	"access", "faccessat", "faccessat2", "chdir", "close", "dup", "dup3", "execve", "epoll_ctl", "fcntl", "fadvise64", "flock", "fstat", "fstatfs", "getcwd", "getdents64",
	"ioctl", "lseek", "lstat", "mmap", "newfstatat", "pread64", "read", "readlink", "readlinkat", "stat", "statfs", "statx",
}

// sameAsStrace compares what the gate has counted with what strace saw: no call about the program's files passed the gate
// unseen, in no thread.
func sameAsStrace(t *testing.T, dir, trace string, calls []gate.Call) {
	t.Helper()
	b, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	seen, again, counts := map[string]int{}, map[string]int{}, map[string]int{}
	for _, c := range calls {
		counts[c.Name]++
	}
	ours := regexp.MustCompile(regexp.QuoteMeta(dir) + `["/>]`)
	begin := regexp.MustCompile(`^\d+ +(\w+)\((.*)`)
	// A signal may come before the gate has taken the call: then it is made again.
	restarted := regexp.MustCompile(`(\w+)(?: resumed>|\().*= \? ERESTART`)
	for line := range strings.Lines(string(b)) {
		if m := restarted.FindStringSubmatch(line); m != nil {
			again[m[1]]++
		}
		m := begin.FindStringSubmatch(line)
		if m == nil || !ours.MatchString(m[2]) || slices.Contains(harmless, m[1]) {
			continue
		}
		seen[m[1]]++
		if !slices.Contains(gate.Names(), m[1]) {
			t.Errorf("the program makes a call that the gate does not know: %s", line)
		}
	}
	same := maps.EqualFunc(seen, counts, func(int, int) bool { return true }) && len(seen) > 0
	for name, n := range counts {
		same = same && n <= seen[name] && seen[name] <= n+again[name]
	}
	if !same {
		t.Errorf("strace saw %s, %s of them twice; the gate counted %s", counted(seen), counted(again), counted(counts))
	}
	t.Logf("strace saw the same: %s", counted(seen))
}
