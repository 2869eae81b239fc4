package daemon_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tilld/internal/daemon"
	"tilld/internal/record"
	"tilld/internal/wire"
	"tilld/internal/wire/wiretest"
)

// TestConformance holds the box as it is built against the protocol's kit: checkout, journal and link, on a disk, started
// anew for each of the kit's servers. It has a payment open, made at a real integrator before.
func TestConformance(t *testing.T) {
	t.Parallel()
	addr, admit := office(t)
	b := newBox(t, addr, "outputs: [till]", "")
	admit(b)
	b.run()
	till := b.client("till-secret")
	b.until("the line is up", func() error {
		a, err := till.Availability(t.Context())
		if err == nil && !a["1"].Show.OK {
			err = errors.New(a["1"].Show.Why)
		}
		return err
	})
	p, _, err := till.Create(t.Context(), sale("R-1", "show"))
	if err != nil {
		t.Fatal(err)
	}
	b.until("the integrator has answered", func() error {
		now, err := till.Get(t.Context(), p.ID)
		if err == nil && now.QR == nil {
			err = fmt.Errorf("it is %s", now.State)
		}
		return err
	})
	if _, err := b.stop(); err != nil {
		t.Fatal(err)
	}

	text, err := daemon.PublicKey(b.cfg)
	if err != nil {
		t.Fatal(err)
	}
	public, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	k := &kit{t: t, cfg: b.cfg}
	cases := wiretest.BoxCases(&wiretest.Box{
		Terminal: b.cfg.Link.Terminal, Public: ed25519.PublicKey(public),
		Start: k.start, Ask: k.ask, Seen: func() int64 { return k.core.Journal().Meta().Seen }, Taken: k.taken, Waiting: k.waiting,
	})
	wiretest.Run(t, cases)
	t.Logf("%d cases against a box with its journal, which was started %d times", len(cases), k.starts)
}

// kit is the box under test: one core at a time, all on one journal.
type kit struct {
	t      *testing.T
	cfg    daemon.Config
	core   *daemon.Core
	starts int
}

func (k *kit) start(url string) (stop func()) {
	c := k.cfg
	c.Link.URL = url
	d, err := daemon.New(c, "test", slog.New(slog.DiscardHandler))
	if err == nil {
		k.core, err = d.NewCore(k.t.Context())
	}
	if err != nil {
		k.t.Fatal(err)
	}
	k.starts++
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	core := k.core
	go func() { done <- core.Run(ctx) }()
	return func() {
		k.settle()
		cancel()
		if err := <-done; err != nil {
			k.t.Errorf("the box ended with %v", err)
		}
	}
}

// settle takes the questions that the box itself has asked out of its journal, as their answers would: the kit's server
// knows nothing of the payment.
func (k *kit) settle() {
	var b record.Batch
	for _, c := range k.core.Journal().Calls() {
		if !strings.HasPrefix(c.ID, "kit:") {
			b.Settled = append(b.Settled, c.ID)
		}
	}
	if len(b.Settled) == 0 {
		return
	}
	if err := k.core.Commit(context.Background(), b); err != nil {
		k.t.Error(err)
	}
}

// ask journals n calls of one order.
func (k *kit) ask(order string, n int) (ids []string) {
	var b record.Batch
	params, err := json.Marshal(wire.Get{Payment: order})
	if err != nil {
		k.t.Fatal(err)
	}
	for i := range n {
		id := "kit:" + order + ":" + strconv.Itoa(i)
		ids = append(ids, id)
		b.Calls = append(b.Calls, record.Call{ID: id, Order: order, Method: wire.BillGet, Params: params})
	}
	if err := k.core.Commit(k.t.Context(), b); err != nil {
		k.t.Fatal(err)
	}
	return ids
}

// taken counts the events of the kit: of a payment that nobody knows, so each is put aside under its seq (E32).
func (k *kit) taken() (n int) {
	j := k.core.Journal()
	for seq := j.Meta().Seen; seq > 0; seq-- {
		_, err := j.Find(k.t.Context(), "parked", strconv.FormatInt(seq, 10), "")
		if err == nil {
			n++
		} else if !errors.Is(err, record.ErrNotFound) {
			k.t.Fatal(err)
		}
	}
	return n
}

func (k *kit) waiting(id string) bool {
	return slices.ContainsFunc(k.core.Journal().Calls(), func(c record.Call) bool { return c.ID == id })
}
