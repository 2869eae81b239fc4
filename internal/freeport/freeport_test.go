package freeport_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"tilld/internal/freeport"
)

func TestTake(t *testing.T) {
	seen := map[string]bool{}
	for range 25 { // more than a block
		addrs, err := freeport.Take(5)
		if err != nil || len(addrs) != 5 {
			t.Fatalf("%v, %v", addrs, err)
		}
		for _, a := range addrs {
			at, err := net.ResolveTCPAddr("tcp", a)
			if err != nil || seen[a] || at.Port >= 32768 || !at.IP.IsLoopback() {
				t.Fatalf("%s, seen before: %v, %v", a, seen[a], err)
			}
			seen[a] = true
			l, err := net.Listen("tcp", a)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close() // whoever is there is left alone
			ours(t, at.Port)
		}
	}
}

// ours fails unless another process would find the port's block taken: tests of two packages run side by side, and the program
// of one may be down for a moment while the other looks for a port.
func ours(t *testing.T, port int) {
	t.Helper()
	f, err := os.Open(filepath.Join(os.TempDir(), fmt.Sprintf("tilld-test-ports-%d", os.Getuid()), fmt.Sprint(port-port%100)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); !errors.Is(err, syscall.EWOULDBLOCK) {
		t.Fatalf("another process may take port %d: %v", port, err)
	}
}
