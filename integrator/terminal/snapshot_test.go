package terminal_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tilld/integrator/terminal"
	"tilld/internal/link"
	"tilld/internal/wire"
)

// heavy is an office that has a snapshot for whoever has not seen seq yet.
type heavy struct {
	*office
	ids []string
	seq int64
}

func (o *heavy) OpenSession(ctx context.Context, q wire.Open) (wire.Session, error) {
	s, err := o.office.OpenSession(ctx, q)
	if err == nil && q.Seen < o.seq {
		s.Resume, s.Snapshot = "snapshot", &wire.Snapshot{Seq: o.seq, Payments: o.ids}
	}
	return s, err
}

// keeper is a box that notes the sessions it was told to take in.
type keeper struct {
	*box
	sessions []wire.Session
}

func (b *keeper) Session(_ context.Context, s wire.Session) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.epoch, b.sessions = s.Epoch, append(b.sessions, s)
	if s.Snapshot != nil {
		b.seen = s.Snapshot.Seq
	}
	return nil
}

// took is the sessions so far.
func (b *keeper) took() []wire.Session {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sessions
}

// cut is a line that breaks once so many bytes have come over it; 0: never.
type cut struct {
	net.Conn
	left *int
}

func (c cut) Read(p []byte) (int, error) {
	if *c.left == 0 {
		return c.Conn.Read(p)
	}
	n, err := c.Conn.Read(p[:min(len(p), *c.left)])
	if *c.left -= n; *c.left == 0 {
		_ = c.Close()
		return n, errors.Join(err, io.ErrUnexpectedEOF)
	}
	return n, err
}

// TestFiveThousandOpenBills: a box that lost its journal is told of 5,000 open bills. Its line breaks again and again, each
// time a little later, in every frame of the snapshot and between them; it takes in nothing by halves, and in the end all.
func TestFiveThousandOpenBills(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const bills, step = 5000, 9000 // bytes; a frame has about 33,000
		o := &heavy{office: newOffice("till-1"), seq: 700}
		for i := range bills {
			o.ids = append(o.ids, fmt.Sprintf("01m9k4t7v0q8x2w5y3z%07d", i))
		}
		p, _, done := bubble(t, o, terminal.Config{})
		defer done()
		b := &keeper{box: &box{name: "till-1", open: make([]string, bills), answered: make(chan string, 1)}}
		for i := range b.open {
			b.open[i] = o.ids[i] // it says so in session.open, as far as that has room
		}
		limit, cuts := 0, 0
		l, err := link.New(link.Config{
			URL: "ws://localhost/v1/term", Terminal: "till-1", Key: key("till-1"), App: "test/1", Log: slog.New(slog.DiscardHandler),
			Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := p.Dial(ctx, network, addr)
				if limit += step; err != nil || len(b.took()) > 0 {
					return c, err
				}
				cuts++
				left := limit
				return cut{c, &left}, nil
			},
		}, b, b)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = l.Serve(ctx, b) })
		for range 3600 {
			if time.Sleep(time.Second); len(b.took()) > 0 {
				break
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		sessions := b.took()
		if len(sessions) == 0 {
			t.Fatalf("after %d cuts no session was taken in: %+v", cuts, l.Status())
		}
		if got := sessions[0]; got.Snapshot == nil || got.Snapshot.Seq != o.seq || !slices.Equal(got.Snapshot.Payments, o.ids) {
			t.Errorf("the session has %d payments of %d", len(got.Snapshot.Payments), bills)
		}
		if got := sessions[len(sessions)-1]; len(sessions) > 1 && got.Resume != "ok" {
			t.Errorf("what was taken in is told again: %+v", got.Resume)
		}
		if cuts < 15 || !l.Status().Up {
			t.Errorf("%d cuts, line %+v", cuts, l.Status())
		}
		stop()
		wg.Wait()
		t.Logf("%d payments in %d sessions, after %d cuts", bills, len(sessions), cuts)
	})
}
