package ws_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/ws"
)

func TestWriter(t *testing.T) {
	t.Run("IdleConnectionHasNone", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv, cli := pair(t, ws.Options{Beat: time.Second}, ws.Options{Beat: time.Second})
			frames := make(chan string, 1)
			reading(srv, nil)
			reading(cli, frames)
			for n := range 3 {
				_ = srv.Send(ws.Call, []byte("frame"))
				<-frames
				time.Sleep(1500 * time.Millisecond) // past a ping and its pong, either way
				synctest.Wait()
				readers := 0
				stacks := make([]byte, 1<<20)
				for g := range strings.SplitSeq(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
					switch {
					case !strings.Contains(g, "synctest bubble"): // of a test before this one
					case strings.Contains(g, "ws.(*Conn).Receive"):
						readers++
					case strings.Contains(g, "ws.(*Conn).write("):
						t.Errorf("round %d: a writer waits for nothing:\n%s", n, g)
					}
				}
				if readers != 2 {
					t.Fatalf("the stacks show %d readers: they would not show a writer", readers)
				}
			}
		})
	})
	t.Run("ProducersAtOnceKeepTheirOrder", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			const producers, each = 8, 500
			srv, cli := pair(t, ws.Options{}, ws.Options{})
			frames := make(chan string, 2*producers*each) // all that can come: the reader never waits for this test
			reading(srv, frames)
			reading(cli, nil)
			var wg sync.WaitGroup
			for p := range producers {
				wg.Go(func() {
					for n := range each {
						_ = cli.Drained(t.Context()) // so at most one frame of each producer waits
						if err := cli.Send(ws.Event, fmt.Appendf(nil, "%d %d", p, n)); err != nil {
							t.Error(err)
							return
						}
						cli.Latest("other", []byte("other"))
					}
				})
			}
			var next [producers]int
			for left := producers * each; left > 0; {
				f := <-frames
				if f == "other" {
					continue
				}
				left--
				var p, n int
				if _, err := fmt.Sscan(f, &p, &n); err != nil || n != next[p] {
					t.Fatalf("%q, want %d of producer %d: %v", f, next[p], p, err)
				}
				next[p]++
			}
			wg.Wait()
		})
	})
}
