// Package freeport finds addresses for programs that tests start and that cannot be asked which port they were given.
package freeport

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// Ports are taken from below the range out of which the kernel gives ports to outgoing connections (from 32768 on): none
// of those, and no listener on port 0, gets one while its program has not started yet, or is down for a while.
const (
	lowest = 12_000
	many   = 20_000
	tries  = 1_000 // for each address
)

// handed are the addresses that this process was given: each is given once.
var handed sync.Map

// Take gives n addresses of 127.0.0.1 that nobody listens on.
func Take(n int) ([]string, error) {
	var held []net.Listener
	defer func() {
		for _, l := range held {
			_ = l.Close()
		}
	}()
	var out []string
	for range n * tries {
		if len(out) == n {
			break
		}
		addr := fmt.Sprintf("127.0.0.1:%d", lowest+rand.IntN(many))
		if _, given := handed.LoadOrStore(addr, true); given {
			continue
		}
		l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", addr)
		if err != nil {
			continue
		}
		held, out = append(held, l), append(out, addr)
	}
	if len(out) < n {
		return nil, errors.New("no free address was found on 127.0.0.1")
	}
	return out, nil
}
