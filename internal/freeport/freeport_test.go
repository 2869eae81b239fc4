package freeport_test

import (
	"net"
	"testing"

	"tilld/internal/freeport"
)

func TestTake(t *testing.T) {
	seen := map[string]bool{}
	for range 20 {
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
		}
	}
}
