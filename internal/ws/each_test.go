package ws_test

import (
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/ws"
)

func TestEach(t *testing.T) {
	t.Run("FramesComeOneAfterAnotherAndTheEndLast", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv, cli := pair(t, ws.Options{}, ws.Options{})
			reading(cli, nil)
			next, inside, end := 0, 0, make(chan error, 2)
			srv.Each(func(p []byte, err error) bool { // unguarded: the race detector watches that no two run at once
				inside++
				defer func() { inside-- }()
				if err != nil {
					end <- err
					return false
				}
				if n, err := strconv.Atoi(string(p)); err != nil || n != next || inside != 1 {
					t.Errorf("got %q at %d, %d at once", p, next, inside)
				}
				next++
				return true
			})
			for n := range 100 {
				if err := cli.Send(ws.Event, strconv.AppendInt(nil, int64(n), 10)); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
			if next != 100 {
				t.Errorf("%d frames came", next)
			}
			cli.Close(1000, "")
			closedWith(t, <-end, 1000, false)
			<-srv.Done()
			srv.Each(func(_ []byte, err error) bool { end <- err; return true }) // a connection that has ended says so
			closedWith(t, <-end, 1000, false)
		})
	})
	t.Run("ItMayStopAndLeaveTheRestToReceive", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv, cli := pair(t, ws.Options{}, ws.Options{})
			reading(cli, nil)
			got := make(chan string, 2)
			srv.Each(func(p []byte, err error) bool {
				q, err2 := srv.Receive()
				if err = errors.Join(err, err2); err != nil {
					t.Error(err)
				}
				got <- string(p) + string(q)
				return false
			})
			for _, s := range []string{"a", "b", "c"} {
				_ = cli.Send(ws.Call, []byte(s))
			}
			if s := <-got; s != "ab" {
				t.Errorf("got %q", s)
			}
			if p, err := srv.Receive(); err != nil || string(p) != "c" {
				t.Errorf("then %q, %v", p, err)
			}
		})
	})
	t.Run("SlowWorkIsNotThePeersSilence", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv, cli := pair(t, ws.Options{Beat: time.Second}, ws.Options{Beat: time.Hour})
			reading(cli, nil)
			frames, end := 0, make(chan error, 1)
			srv.Each(func(_ []byte, err error) bool {
				if err != nil {
					end <- err
					return false
				}
				frames++
				time.Sleep(2 * ws.Dead(time.Second)) // nobody listens meanwhile
				return true
			})
			for range 3 {
				_ = cli.Send(ws.Call, []byte("work"))
			}
			time.Sleep(10 * time.Minute)
			if frames != 3 || len(end) != 0 {
				t.Errorf("%d frames, ended %v", frames, len(end))
			}
		})
	})
}
