// Package freeport finds addresses for programs that tests start and that cannot be asked which port they were given.
package freeport

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// Ports are taken from below the range out of which the kernel gives ports to outgoing connections (from 32768 on): none
// of those, and no listener on port 0, gets one while its program has not started yet, or is down for a while. Nor does
// another test that runs beside this one: a process has blocks of ports of its own, by a lock that ends with it.
const (
	lowest = 12_000
	block  = 100
	blocks = 200
)

var (
	mu   sync.Mutex
	own  []*os.File // of the locked blocks: open as long as the process lives
	left []int      // ports of the newest block that were not given yet
)

// Take gives n addresses of 127.0.0.1 that nobody listens on, each once.
func Take(n int) ([]string, error) {
	mu.Lock()
	defer mu.Unlock()
	var out []string
	for len(out) < n {
		if len(left) == 0 {
			if err := claim(); err != nil {
				return nil, err
			}
		}
		addr := fmt.Sprintf("127.0.0.1:%d", left[0])
		left = left[1:]
		l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", addr)
		if err != nil {
			continue // a program that is no test of ours has it
		}
		if err := l.Close(); err != nil {
			return nil, err
		}
		out = append(out, addr)
	}
	return out, nil
}

// claim locks a block that no other process has; mu is held.
func claim() error {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("tilld-test-ports-%d", os.Getuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("find a free address: %w", err)
	}
	for _, i := range rand.Perm(blocks) {
		f, err := os.OpenFile(filepath.Join(dir, fmt.Sprint(lowest+i*block)), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return fmt.Errorf("find a free address: %w", err)
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil { // another's, or this process's from before
			_ = f.Close()
			continue
		}
		own = append(own, f)
		for p := range block {
			left = append(left, lowest+i*block+p)
		}
		return nil
	}
	return errors.New("find a free address: every block of ports has been given to a test that still runs")
}
