//go:build processes

package powercut

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"tilld/integrator"
	"tilld/integrator/store/sqlite"
	"tilld/payment"
	"tilld/payment/bill"
)

// server is the integrator's store: bills with credits, events to a terminal, answered calls and work, of three clients.
var server = subject{name: "store of the integrator", runs: 3, work: serverWorks, check: serverCheck}

const terminal = "till-1"

func serverWorks(dir string, run int, promise func(string)) error {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, filepath.Join(dir, "ledger.db"))
	if err != nil {
		return err
	}
	if run == 0 {
		key := make(ed25519.PublicKey, ed25519.PublicKeySize)
		if err := s.AddTerminal(ctx, integrator.Terminal{Name: terminal, Key: key}); err != nil {
			return err
		}
		promise("terminal")
	}
	bills := 20
	if run == 1 {
		bills = 40 // the log is copied back while it runs, and begun anew
	}
	var g errgroup.Group
	for c := range 3 {
		g.Go(func() error {
			for n := range bills {
				if err := sell(ctx, s, fmt.Sprintf("%d-%d-%d", run, c, n), promise); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if run%2 == 0 {
		return nil
	}
	return s.Close()
}

// sell is a bill's two commits: it is created, and it is paid.
func sell(ctx context.Context, s *sqlite.Store, ref string, promise func(string)) error {
	id := payment.NewID(time.Now())
	write := func(call string, f func(*bill.State)) error {
		return s.Change(ctx, integrator.Subject{Bill: id, Terminal: terminal, Call: call}, func(c *integrator.Case) error {
			c.Now, c.Queue = time.Now(), "bank"
			f(&c.Bill)
			c.Tell = []integrator.Tell{{Type: payment.EvOpen, Body: payment.Bill{Payment: id}}}
			c.Work = []bill.Work{{Kind: bill.Look}}
			c.Called = &integrator.Called{Hash: "h", Outcome: call}
			return nil
		})
	}
	err := write("create-"+id, func(b *bill.State) {
		*b = bill.State{ID: id, Terminal: terminal, Life: payment.Open, Version: 1}
		b.Request.Reference, b.Request.Lane, b.Request.Amount = ref, "1", payment.Money{Value: 700, Currency: "RUB"}
	})
	if err != nil {
		return err
	}
	promise(id + " created " + ref)
	err = write("pay-"+id, func(b *bill.State) {
		b.Life, b.Reason, b.Kept, b.Version = payment.Closed, payment.Done, 700, 2
		b.Credits = append(b.Credits[:0:0], bill.Credit{Provider: "bank", Txn: id, Amount: 700, PaidAt: time.Now()})
	})
	if err == nil {
		promise(id + " paid " + ref)
	}
	return err
}

// serverCheck: every bill that was promised is there as far as was promised; no half of any change; the books add up. The
// newest promises are the ones that a cut may take, so those bills are also read whole.
func serverCheck(dir string, acked []string) (err error) {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, filepath.Join(dir, "ledger.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	promised := map[string]int64{}
	for i, a := range acked {
		if a == "terminal" {
			if _, err := s.Terminal(ctx, terminal); err != nil {
				return err
			}
			continue
		}
		f := strings.Fields(a)
		promised[f[0]] = map[string]int64{"created": 1, "paid": 2}[f[1]]
		if i >= len(acked)-newest {
			if err := wholeBill(ctx, s, f[0], f[2], promised[f[0]]); err != nil {
				return fmt.Errorf("%s: %w", a, err)
			}
		}
	}
	bills, changes := 0, int64(0)
	err = s.Ledger(ctx, func(e integrator.Entry) error {
		bills++
		version := int64(1)
		if e.Credits > 0 {
			version = 2
		}
		changes += version
		if paid := version == 2; paid != (e.Life == payment.Closed) || e.Credits != e.Goods {
			return fmt.Errorf("bill %s is half a change: %+v", e.Bill, e)
		}
		if version < promised[e.Bill] {
			return fmt.Errorf("bill %s: promised at version %d, there is %d", e.Bill, promised[e.Bill], version)
		}
		delete(promised, e.Bill)
		return nil
	})
	if err != nil {
		return err
	}
	for id := range promised {
		return fmt.Errorf("bill %s was promised and is gone", id)
	}
	return eventsCheck(ctx, s, changes)
}

// newest is how many of the last promises are looked at from every side.
const newest = 12

func wholeBill(ctx context.Context, s *sqlite.Store, id, ref string, version int64) error {
	b, err := s.Bill(ctx, id)
	if err != nil {
		return err
	}
	if b.Version < version || (b.Version == 2) != (len(b.Credits) == 1) {
		return fmt.Errorf("promised at version %d: %+v", version, b)
	}
	if found, err := s.ByReference(ctx, terminal, "1", ref); err != nil || found != id {
		return fmt.Errorf("its reference finds %q, %w", found, err)
	}
	return nil
}

// eventsCheck: each change has told its event, without a gap.
func eventsCheck(ctx context.Context, s *sqlite.Store, changes int64) error {
	report, err := integrator.Audit(ctx, s)
	if err != nil {
		return err
	}
	if !report.OK() {
		return fmt.Errorf("the books: %+v", report)
	}
	if changes == 0 {
		return nil
	}
	es, err := s.Events(ctx, terminal, 0, 100_000)
	if err != nil {
		return err
	}
	if int64(len(es)) != changes || es[len(es)-1].Seq != changes {
		return fmt.Errorf("%d events of %d changes", len(es), changes)
	}
	return nil
}
