//go:build linux && (amd64 || arm64)

package gate_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"tilld/internal/depth"
	"tilld/internal/shop/gate"
)

// workVar makes this test binary the program behind the gate: it works in the folder that it names.
const workVar = "TILLD_GATE_WORK"

func TestMain(m *testing.M) {
	gate.Pass()
	if dir := os.Getenv(workVar); dir != "" {
		work(dir)
		return
	}
	os.Exit(m.Run())
}

// work makes each kind of call, from many threads at once, and says what came of it.
func work(dir string) {
	say := func(what string, err error) {
		var errno unix.Errno
		if errors.As(err, &errno) {
			err = errors.New(unix.ErrnoName(errno))
		}
		fmt.Println(what, err)
	}
	f, err := os.Create(filepath.Join(dir, "a"))
	say("create", err)
	if err != nil {
		return
	}
	n, err := unix.Write(int(f.Fd()), []byte("0123456789"))
	say(fmt.Sprint("write ", n), err)
	say("sync", f.Sync())
	n, err = unix.Pwrite(int(f.Fd()), []byte("abcdef"), 8)
	say(fmt.Sprint("pwrite ", n), err)
	say("second sync", f.Sync())
	say("rename", os.Rename(filepath.Join(dir, "a"), filepath.Join(dir, "b")))
	say("truncate", f.Truncate(14))
	say("mkdir", os.Mkdir(filepath.Join(dir, "d"), 0o700))
	say("remove", os.Remove(filepath.Join(dir, "d")))
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if err := os.WriteFile(filepath.Join(dir, "many"), []byte("x"), 0o600); err != nil {
				say("many", err)
			}
		})
	}
	all.Wait()
	say("elsewhere", os.WriteFile(filepath.Join(os.TempDir(), "gate-"+filepath.Base(filepath.Dir(dir))), nil, 0o600))
}

// through runs work behind a gate and answers what it said, the gate, and the folder.
func through(t *testing.T, judge func(gate.Call) gate.Answer) (string, []gate.Call, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "watched")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	g, err := gate.Open(dir, judge)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, self)
	cmd.Env = append(os.Environ(), g.Env(), workVar+"="+dir, "TMPDIR="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil {
		if strings.Contains(string(out), "gate: set the filter") {
			_ = g.Close()
			depth.Lacks(t, string(out))
		}
		t.Fatalf("%v\n%s", err, out)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	return string(out), g.Calls(), dir
}

const well = "create <nil>\nwrite 10 <nil>\nsync <nil>\npwrite 6 <nil>\nsecond sync <nil>\nrename <nil>\ntruncate <nil>\nmkdir <nil>\nremove <nil>\nelsewhere <nil>\n"

func TestEveryCallIsCounted(t *testing.T) {
	said, calls, _ := through(t, nil)
	if said != well {
		t.Errorf("the program said:\n%s", said)
	}
	count := map[string]int{}
	for _, c := range calls {
		count[c.Name+" "+c.File] = c.N
	}
	for what, want := range map[string]int{
		"openat a": 1, "write a": 1, "pwrite64 a": 1, "fsync a": 2, "ftruncate b": 1, "openat many": 50, "write many": 50,
	} {
		if count[what] != want {
			t.Errorf("%s: counted %d, want %d", what, count[what], want)
		}
	}
	for _, c := range calls {
		if c.File != "many" && c.New != (c.Name == "openat" && c.File == "a") { // whoever comes first makes the one of many
			t.Errorf("%v makes its file: %v", c, c.New)
		}
		if strings.Contains(c.File, "gate-") {
			t.Errorf("a call outside the folder was counted: %v", c)
		}
	}
	t.Logf("%d calls", len(calls))
}

func TestOneCallFails(t *testing.T) {
	for _, x := range []struct {
		name, file string
		n          int
		answer     gate.Answer
		says       string
		left       string // of the file at the end
	}{
		{"openat", "a", 1, gate.Answer{Errno: unix.EMFILE}, "create EMFILE\n", ""},
		{"write", "a", 1, gate.Answer{Half: true}, "write 5 <nil>\n", "01234\x00\x00\x00abcdef"},
		{"write", "a", 1, gate.Answer{Errno: unix.ENOSPC}, "write -1 ENOSPC\n", "\x00\x00\x00\x00\x00\x00\x00\x00abcdef"},
		{"pwrite64", "a", 1, gate.Answer{Half: true}, "pwrite 3 <nil>\n", "01234567abc\x00\x00\x00"},
		{"pwrite64", "a", 1, gate.Answer{Errno: unix.EDQUOT}, "pwrite -1 EDQUOT\n", "0123456789\x00\x00\x00\x00"},
		{"fsync", "a", 1, gate.Answer{Errno: unix.EIO}, "sync EIO\n", "01234567abcdef"},
		{"fsync", "a", 2, gate.Answer{Errno: unix.EIO, Lose: true}, "second sync EIO\n", "0123456789\x00\x00\x00\x00"},
		{"ftruncate", "b", 1, gate.Answer{Errno: unix.EIO}, "truncate EIO\n", "01234567abcdef"},
		{"write", "many", 50, gate.Answer{Errno: unix.EIO}, "many EIO\n", "01234567abcdef"},
	} {
		t.Run(fmt.Sprint(x.name, x.n, x.answer), func(t *testing.T) {
			t.Parallel()
			said, _, dir := through(t, func(c gate.Call) gate.Answer {
				if c.Name == x.name && c.File == x.file && c.N == x.n {
					return x.answer
				}
				return gate.Answer{}
			})
			if !strings.Contains(said, x.says) || strings.Count(said, " E") > 1 {
				t.Errorf("the program said:\n%s", said)
			}
			left, err := os.ReadFile(filepath.Join(dir, "b"))
			if string(left) != x.left || err != nil && x.left != "" {
				t.Errorf("left: %q, %v; want %q", left, err, x.left)
			}
		})
	}
}
