package localapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/localapi"
	"tilld/internal/localapi/localapitest"
	"tilld/internal/pipes"
	"tilld/internal/planted"
	"tilld/internal/record"
	"tilld/internal/ws"
)

// subscribe opens a stream of the API behind n.
func subscribe(ctx context.Context, n *pipes.Net) (*ws.Conn, error) {
	return ws.Dial(ctx, "ws://box.test/v1/events", ws.Options{
		MaxFrame: 1 << 20, Header: http.Header{"Authorization": {"Bearer tech"}}, Dial: n.Dial,
	})
}

// TestOneOfFiftySubscribersStalls: one of fifty never reads. The others get each event at the very moment at which it
// happens, in a burst and one by one, before and after the one that stalls is cut off; and its place is free then.
func TestOneOfFiftySubscribersStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const readers, burst, single = 49, 60, 25
		box := &localapitest.Box{}
		n := pipes.New()
		if planted.Bug() == oneByOne {
			n.Far = planted.InTurn()
		}
		log := slog.New(slog.DiscardHandler)
		h := localapi.New(localapi.Config{
			Lanes: []string{"1"}, Hosts: []string{"box.test"}, Waiting: readers + 1, Log: log,
			Tokens: []localapi.Token{localapi.NewToken("service", "tech", "", localapi.Technician)},
		}, box.Owners())
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- localapi.Serve(ctx, h, log, n) }()
		stalled, err := subscribe(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		var all []*ws.Conn
		var got [readers]int64 // events that each has had; its reader's alone until wg
		var wg sync.WaitGroup
		for i := range readers {
			c, err := subscribe(t.Context(), n)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, c)
			wg.Go(func() {
				for {
					b, err := c.Receive()
					if err != nil {
						return
					}
					var e record.Event
					if err := json.Unmarshal(b, &e); err != nil || e.Seq != got[i]+1 {
						t.Errorf("reader %d: event %d after %d (%v)", i, e.Seq, got[i], err)
						return
					}
					if late := time.Since(e.At); late != 0 {
						t.Errorf("reader %d: event %d came %v late", i, e.Seq, late)
						return
					}
					got[i] = e.Seq
				}
			})
		}
		say := func() { box.Announce("payment.open", "1", "p", map[string]string{"pad": strings.Repeat("x", 1000)}) }
		for range burst {
			say()
		}
		synctest.Wait()
		if _, err := subscribe(t.Context(), n); !strings.Contains(fmt.Sprint(err), "503") {
			t.Errorf("a subscriber beyond the fifty: %v", err)
		}
		for range single { // for longer than a frame may take to leave
			time.Sleep(ws.WriteLimit / 20)
			say()
		}
		synctest.Wait()
		again, err := subscribe(t.Context(), n)
		if err != nil {
			t.Fatalf("the place of the one that stalled is not free: %v", err)
		}
		for _, c := range append(all, stalled, again) {
			c.Kill()
		}
		wg.Wait()
		for i, n := range got {
			if n != burst+single {
				t.Errorf("reader %d has had %d events of %d", i, n, burst+single)
			}
		}
		stop()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
		t.Logf("%d events to each of %d beside one that stalls: none late, none lost", burst+single, readers)
	})
}
