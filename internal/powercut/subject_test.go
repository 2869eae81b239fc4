//go:build processes

package powercut

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// subject is something that promises to have kept what it was given.
type subject struct {
	name string
	runs int // processes, one after another, that work on the same directory
	// work goes on in dir until its share of this run is done, and says each promise in the moment in which it is made.
	// Every second run ends without closing anything.
	work func(dir string, run int, promise func(string)) error
	// check looks at dir after a cut. Its error says what is lost or wrong.
	check func(dir string, acked []string) error
}

var subjects = []subject{box, server, plain("right", 1, false), plain("promise before fsync", 1, true), plain("no fsync", 0, false), plain("fsync each tenth", 10, false)}

func named(name string) (subject, bool) {
	for _, s := range subjects {
		if s.name == name {
			return s, true
		}
	}
	return subject{}, false
}

// What the child is told in its environment.
const (
	childName = "POWERCUT_SUBJECT"
	childDir  = "POWERCUT_DIR"
	childRun  = "POWERCUT_RUN"
)

func TestMain(m *testing.M) {
	if err := os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin"); err != nil { // where mkfs.ext4 is
		panic(err)
	}
	name := os.Getenv(childName)
	if name == "" {
		os.Exit(m.Run())
	}
	if err := child(name); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// child works, in a process of its own: a page fault on the disk under test must not stop who serves that disk. After
// each promise it waits until that is written down, so that nothing which it does later can stand before it in the log.
func child(name string) error {
	s, ok := named(name)
	if !ok {
		return fmt.Errorf("no subject %q", name)
	}
	var run int
	if _, err := fmt.Sscan(os.Getenv(childRun), &run); err != nil {
		return err
	}
	var mu sync.Mutex
	heard := bufio.NewReader(os.Stdin)
	return s.work(os.Getenv(childDir), run, func(what string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(what)
		if _, err := heard.ReadString('\n'); err != nil {
			os.Exit(2)
		}
	})
}

// watch lets the subject work on a file system on d and fills d's log. Its error is the subject's own.
func watch(t *testing.T, s subject, d *disk) error {
	t.Helper()
	path, away := serve(t, d)
	defer away()
	l, err := attach(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.detach(); err != nil {
			t.Errorf("detach: %v", err)
		}
	}()
	dir := t.TempDir()
	if err := l.mount(dir); err != nil {
		t.Fatalf("mount: %v", err)
	}
	defer func() {
		if err := umount(dir); err != nil {
			t.Errorf("umount: %v", err)
		}
	}()
	for run := range s.runs {
		if err := works(s, d, dir, run); err != nil {
			return fmt.Errorf("run %d of %s: %w", run, s.name, err)
		}
	}
	return nil
}

func works(s subject, d *disk, dir string, run int) error {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childName+"="+s.name, childDir+"="+dir, fmt.Sprint(childRun, "=", run))
	var complaints strings.Builder
	c.Stderr = &complaints
	in, err := c.StdinPipe()
	if err != nil {
		return err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	r := bufio.NewReader(out)
	for {
		line, err := r.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		d.told(strings.TrimSuffix(line, "\n"))
		if _, err := io.WriteString(in, "\n"); err != nil {
			return err
		}
	}
	if err := c.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, complaints.String())
	}
	return nil
}
