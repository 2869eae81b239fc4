package fileport_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"tilld/devices/fileport"
)

// polled says whether this program's only descriptor of a path is in an epoll set of it.
func polled(t *testing.T, path string) bool {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	node, sets := "", ""
	for _, e := range all {
		switch to, err := os.Readlink("/proc/self/fd/" + e.Name()); {
		case err != nil: // it was closed meanwhile
		case to == path:
			node = e.Name()
		case to == "anon_inode:[eventpoll]":
			info, err := os.ReadFile("/proc/self/fdinfo/" + e.Name())
			if err != nil {
				t.Fatal(err)
			}
			sets += string(info)
		}
	}
	if node == "" || sets == "" {
		t.Fatalf("descriptor of %s: %q; epoll sets: %q", path, node, sets)
	}
	for line := range strings.Lines(sets) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "tfd:" && f[1] == node {
			return true
		}
	}
	return false
}

// TestAPrinterIsNotPolled: the runtime would wait in usblp's poll, and the program with it, while a printer is asked.
func TestAPrinterIsNotPolled(t *testing.T) {
	for kind, want := range map[fileport.Kind]bool{fileport.Printer: false, fileport.HID: true} { // the other shows that it would be seen
		far, path, opened := terminal(t)
		p, err := fileport.Open(t.Context(), path, kind, fileport.Options{})
		if err != nil {
			t.Fatal(err)
		}
		opened()
		if got := polled(t, path); got != want {
			t.Errorf("%s: polled %v, want %v", kind, got, want)
		}
		_ = p.Close()
		_ = far.Close()
	}
}

// TestAnEmptyPacketIsNoEnd: a line of packets stands for the printer, as a pseudo-terminal has none that are empty.
func TestAnEmptyPacketIsNoEnd(t *testing.T) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	p, err := fileport.Unpolled(ends[0])
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, packet := range []string{"", "", "", "paper", "", "cover"} {
		if _, err := unix.Write(ends[1], []byte(packet)); err != nil {
			t.Fatal(err)
		}
	}
	b := make([]byte, 16)
	for _, want := range []string{"paper", "cover"} {
		if n, err := p.Read(b); err != nil || string(b[:n]) != want {
			t.Fatalf("read %q, %v, want %q", b[:n], err, want)
		}
	}
	if _, err := unix.Write(ends[1], nil); err != nil {
		t.Fatal(err)
	}
	if err := unix.Close(ends[1]); err != nil {
		t.Fatal(err)
	}
	if n, err := p.Read(b); n != 0 || !errors.Is(err, unix.ENODEV) {
		t.Errorf("behind its end: read %q, %v", b[:n], err)
	}
}

// TestAReadThatFailedIsRepeated: this program's own memory stands for the printer. It answers EIO where nothing is.
func TestAReadThatFailedIsRepeated(t *testing.T) {
	fd, err := unix.Open("/proc/self/mem", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	p, err := fileport.Unpolled(fd)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	const nowhere = 8
	b := make([]byte, 5)
	seek := func(to int64) {
		t.Helper()
		if _, err := unix.Seek(fd, to, unix.SEEK_SET); err != nil {
			t.Fatal(err)
		}
	}
	seek(nowhere)
	begun := time.Now()
	if n, err := p.Read(b); n != 0 || !errors.Is(err, unix.EIO) {
		t.Fatalf("of one that always fails: read %q, %v", b[:n], err)
	}
	t.Logf("given up after %v", time.Since(begun))
	seek(nowhere)
	answer := []byte("paper")
	read := make(chan error, 1)
	go func() { _, err := p.Read(b); read <- err }()
	time.Sleep(20 * time.Millisecond) // it has failed by then, or will be good at once
	seek(int64(uintptr(unsafe.Pointer(&answer[0]))))
	if err := <-read; err != nil || string(b) != "paper" {
		t.Errorf("behind a failure: read %q, %v", b, err)
	}
}
