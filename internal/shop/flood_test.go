//go:build processes

package shop_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"tilld/internal/localapi/client"
	"tilld/internal/shop"
)

// How many strangers knock at each end, and how long a sale may take meanwhile.
const (
	strangersAtServer = 3000
	strangersAtBox    = 1500
	floodSale         = 20 * time.Second
	headersEnd        = 20 * time.Second // both servers give a request's head 5 s
)

// TestStrangersDelayNobody opens thousands of connections to both ends that never say a whole request, some of them a byte
// a second, and sells meanwhile. Every one of them is hung up on.
func TestStrangersDelayNobody(t *testing.T) {
	t.Parallel()
	r := openShop(t, shop.Config{Processes: true, Programs: programs(t)})
	var wg sync.WaitGroup
	var all []net.Conn
	for addr, n := range map[string]int{r.cfg.IntegratorListen: strangersAtServer, r.cfg.TilldListen: strangersAtBox} {
		for i := range n {
			c, err := net.DialTimeout("tcp", addr, 10*time.Second)
			if err != nil {
				t.Fatalf("stranger %d of %s: %v", i, addr, err)
			}
			t.Cleanup(func() { _ = c.Close() })
			fmt.Fprintf(c, "GET /v1/term HTTP/1.1\r\nHost: %s\r\nX-Slow: ", addr)
			all = append(all, c)
			if i%10 == 0 {
				wg.Go(func() { drip(c) })
			}
		}
	}
	began := time.Now()
	p := r.create(client.NewPayment{Reference: "flood", Amount: rub(31000), Mode: "show"})
	p = r.until(p.ID, floodSale, "open with its code", func(p client.Payment) bool { return p.State == "open" && p.QR != nil })
	r.pay(p.QR.Payload, nil)
	r.handOver(p.ID)
	took := time.Since(began)
	gone := 0
	end := time.Now().Add(headersEnd)
	for _, c := range all {
		_ = c.SetReadDeadline(end)
		if _, err := io.Copy(io.Discard, c); err == nil || !isTimeout(err) {
			gone++
		}
	}
	wg.Wait()
	t.Logf("%d strangers; a sale took %v meanwhile; %d were hung up on within %v", len(all), took.Round(time.Millisecond), gone, time.Since(began).Round(time.Second))
	if gone != len(all) {
		t.Errorf("%d connections without a request were still held", len(all)-gone)
	}
	if took > floodSale {
		t.Errorf("the sale took %v", took)
	}
	r.balanced(time.Minute)
}

// drip says a byte a second until it is hung up on.
func drip(c net.Conn) {
	for range 60 {
		if _, err := c.Write([]byte{'a'}); err != nil {
			return
		}
		time.Sleep(time.Second)
	}
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}
