package terminal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket" // the floor of this benchmark, and nothing else here

	"tilld/integrator/terminal"
	"tilld/internal/floor"
	"tilld/internal/wire"
	"tilld/payment"
)

const sessions = 1000

// BenchmarkEcho is a call and its answer with 1,000 sessions open, both ends in this process: over the whole link
// (journal in memory, codec, queues, both programs' ends), and beside it over bare gorilla/websocket with frames of the
// same size, by turns. KiB/session is heap and stacks of both ends together.
func BenchmarkEcho(b *testing.B) {
	link, each, stop := openLinks(b)
	defer stop()
	bare, low, stopBare := openBare(b)
	defer stopBare()
	floor.Turns(b, sessions, spread(bare), spread(link))
	b.ReportMetric(each, "KiB/session")
	b.ReportMetric(low, "floor-KiB/session")
}

func memory() float64 {
	for range 5 {
		runtime.GC() // each halves the stacks that the handshake has grown
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc+m.StackInuse) / 1024
}

// spread gives n echoes to all sessions, some at a time.
func spread(echo func(session, n int)) func(n int) error {
	made := 0
	return func(n int) error {
		var wg sync.WaitGroup
		for part := range atOnce {
			from := made
			wg.Go(func() {
				for i := part; i < n; i += atOnce {
					echo(i%sessions, from+i)
				}
			})
		}
		wg.Wait()
		made += n
		return nil
	}
}

// atOnce is how many echoes are under way together; it divides sessions, so that each session has one at most.
const atOnce = 8

func openLinks(b *testing.B) (func(session, n int), float64, func()) {
	var names []string
	for i := range sessions {
		names = append(names, fmt.Sprint("till-", i))
	}
	o := &echo{newOffice(names...)}
	s := terminal.New(o, terminal.Config{Rate: 1e6, Burst: 1e6, Pending: sessions, Log: slog.New(slog.DiscardHandler), Spread: time.Millisecond})
	hs, addr := listen(b, s, "127.0.0.1:0")
	before := memory()
	boxes := make([]*box, sessions)
	stops := make([]func(), sessions)
	for i, name := range names {
		boxes[i], stops[i] = startBox(b, "ws://"+addr+"/v1/term", name)
	}
	for len(s.Online()) < sessions {
		time.Sleep(5 * time.Millisecond)
	}
	each := (memory() - before) / sessions
	ask := func(i, n int) {
		boxes[i].ask(fmt.Sprintf("p:get:%d", n), "p", wire.BillGet, wire.Get{Payment: "p"})
		<-boxes[i].answered
	}
	return ask, each, func() {
		var wg sync.WaitGroup
		for _, stop := range stops {
			wg.Go(stop)
		}
		wg.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = s.Drain(ctx)
		_ = hs.Close()
	}
}

// echo answers every call at once and stores nothing.
type echo struct{ *office }

func (*echo) Call(context.Context, string, int64, string, string, json.RawMessage) (*wire.Result, *wire.Problem, error) {
	return &wire.Result{Outcome: payment.OutBill}, nil, nil
}

func openBare(b *testing.B) (func(session, n int), float64, func()) {
	hs := httptest.NewServer(bareEcho())
	pool := &sync.Pool{}
	before := memory()
	conns := make([]*websocket.Conn, sessions)
	for i := range conns {
		d := websocket.Dialer{ReadBufferSize: 1024, WriteBufferSize: 1024, WriteBufferPool: pool}
		c, _, err := d.Dial("ws"+strings.TrimPrefix(hs.URL, "http"), nil)
		if err != nil {
			b.Fatal(err)
		}
		conns[i] = c
	}
	each := (memory() - before) / sessions
	frame := []byte(`{"jsonrpc":"2.0","id":"p:get:1","method":"bill.get","params":{"payment":"p"}}`)
	ask := func(i, _ int) {
		if err := conns[i].WriteMessage(websocket.TextMessage, frame); err != nil {
			b.Error(err)
		}
		if _, _, err := conns[i].ReadMessage(); err != nil {
			b.Error(err)
		}
	}
	return ask, each, func() {
		for _, c := range conns {
			_ = c.Close()
		}
		hs.Close()
	}
}

// bareEcho is gorilla/websocket used well: small buffers, shared ones for writing, the handler returns.
func bareEcho() http.Handler {
	up := websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024, WriteBufferPool: &sync.Pool{}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			for {
				kind, p, err := c.ReadMessage()
				if err != nil || c.WriteMessage(kind, p) != nil {
					return
				}
			}
		}()
	})
}
