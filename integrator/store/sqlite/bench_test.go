package sqlite_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"tilld/integrator"
	"tilld/integrator/provider"
	"tilld/integrator/store/sqlite"
	"tilld/internal/floor"
	"tilld/internal/sqlitedb"
	"tilld/internal/wire"
	"tilld/payment"
	"tilld/payment/bill"
)

// tills is how many tills sell side by side in the benchmarks.
const tills = 64

// instant is a bank that answers at once: every order is paid as soon as it is shown.
type instant struct{ paid sync.Map }

func (*instant) Traits() provider.Traits {
	return provider.Traits{KillReliable: true, CallLimit: 10 * time.Second, Methods: []string{"refund"}}
}

func (b *instant) Present(_ context.Context, o provider.Order) (provider.Report, error) {
	b.paid.Store(o.ID, o.Amount)
	return provider.Report{State: provider.Pending, Payload: "https://pay.example/" + o.ID, Expires: o.Expiry}, nil
}

func (b *instant) Look(_ context.Context, o provider.Order) (provider.Report, error) {
	r := provider.Report{State: provider.Paid, Payload: "https://pay.example/" + o.ID}
	if v, ok := b.paid.Load(o.ID); ok {
		r.Credits = []provider.Credit{{Txn: "T" + o.ID, Amount: v.(payment.Money), PaidAt: time.Now()}}
	}
	return r, nil
}

func (b *instant) Kill(ctx context.Context, o provider.Order) (provider.Report, error) {
	return b.Look(ctx, o)
}

func (*instant) Callback(_ *http.Request, body []byte) (string, int, []byte, error) {
	return string(body), http.StatusOK, nil, nil
}

// BenchmarkDurableBills sells whole bills (created, shown, called back, paid, confirmed): by the rules, and as the same
// facts written by hand with the same engine, group commit and fsync.
func BenchmarkDurableBills(b *testing.B) {
	rules, end := byRules(b)
	floor.Turns(b, turn, byHand(b), rules)
	end()
}

// turn is how many bills are sold by one of the two before it is the other's turn.
const turn = 256

func byRules(b *testing.B) (sales func(n int) error, end func()) {
	b.Helper()
	store, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "ledger.db"))
	if err != nil {
		b.Fatal(err)
	}
	rules := bill.Default()
	rules.Again = []time.Duration{time.Hour} // what is asked after a sale would fall on the other's turn too
	svc, err := integrator.New(integrator.Config{
		Store: store, Providers: map[string]provider.Provider{"bank": &instant{}}, Merchant: "shop",
		Settings: integrator.Settings{PerProvider: tills, Bill: rules}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- svc.Run(ctx) }()
	sold := 0
	all := shop(func(n int) func() error {
		name := fmt.Sprint("till-", n)
		if err := svc.AddTerminal(ctx, name, make(ed25519.PublicKey, ed25519.PublicKeySize)); err != nil {
			b.Fatal(err)
		}
		s, err := svc.OpenSession(ctx, wire.Open{Terminal: name, Journal: "j", Boot: "b"})
		if err != nil {
			b.Fatal(err)
		}
		t := &till{svc: svc, name: name, epoch: s.Epoch}
		return func() error { return t.sale(ctx) }
	})
	sales = func(n int) error {
		sold += n
		return all(n)
	}
	return sales, func() {
		cancel()
		if err := <-done; err != nil {
			b.Fatal(err)
		}
		if r, err := svc.Audit(b.Context()); err != nil || !r.OK() || r.Sums["RUB"].Held != 0 || r.Bills != sold {
			b.Fatalf("audit after %d bills: %+v, %v", sold, r, err)
		}
		if err := store.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// till is one till that sells bill after bill.
type till struct {
	svc   *integrator.Service
	name  string
	epoch int64
	seen  int64
	n     int
}

func (t *till) call(ctx context.Context, id, method string, params any) error {
	p, err := json.Marshal(params)
	if err != nil {
		return err
	}
	_, problem, err := t.svc.Call(ctx, t.name, t.epoch, id+":"+method, method, p)
	if err == nil && problem != nil {
		err = problem
	}
	return err
}

func (t *till) await(ctx context.Context, changed <-chan struct{}, kind string) error {
	for {
		es, err := t.svc.Events(ctx, t.name, t.seen, 10)
		if err != nil {
			return err
		}
		for _, e := range es {
			t.seen = e.Seq
			if e.Type == kind {
				return nil
			}
		}
		select {
		case <-changed:
		case <-time.After(time.Minute):
			return fmt.Errorf("no %s", kind)
		}
	}
}

func (t *till) sale(ctx context.Context) error {
	changed := make(chan struct{}, 1)
	defer t.svc.Watch(func(terminal string) {
		if terminal != t.name {
			return
		}
		select {
		case changed <- struct{}{}:
		default:
		}
	})()
	t.n++
	id := payment.NewID(time.Now())
	err := t.call(ctx, id, wire.BillCreate, wire.Create{
		Payment: id, Lane: "1", Reference: fmt.Sprint("R-", t.n), Number: "4821", Amount: payment.Money{Value: 12550, Currency: "RUB"},
		Mode: payment.Show, Purpose: payment.Sale, IfNotConfirmed: payment.Keep, LifeMS: 300_000,
	})
	if err != nil {
		return err
	}
	if err := t.await(ctx, changed, payment.EvOpen); err != nil {
		return err
	}
	t.svc.Callback(ctx, "bank", httptest.NewRequest(http.MethodPost, "/", nil), []byte(id))
	if err := t.await(ctx, changed, payment.EvPaid); err != nil {
		return err
	}
	return t.call(ctx, id, wire.BillConfirm, wire.Confirm{Payment: id, Final: 12550})
}

// shop opens the tills, and answers what shares n sales among them.
func shop(till func(n int) func() error) func(n int) error {
	open := make([]func() error, tills)
	for i := range open {
		open[i] = till(i)
	}
	return func(n int) error {
		var left atomic.Int64
		left.Store(int64(n))
		var g errgroup.Group
		for _, sale := range open {
			g.Go(func() error {
				for left.Add(-1) >= 0 {
					if err := sale(); err != nil {
						return err
					}
				}
				return nil
			})
		}
		return g.Wait()
	}
}

// byHand writes the same facts, with no more than their statements: bill, order, call, its clock and the work that a restart
// must find; code and event; call-back and the question that it causes; credit and event; kept, call and event. Work goes
// with the answer that it was for, and the clock is set as often as the sale's next end moves: until it is shown, expires,
// must be confirmed, is no longer watched.
func byHand(b *testing.B) func(n int) error {
	b.Helper()
	db, err := sqlitedb.Open(b.Context(), sqlitedb.Config{Path: filepath.Join(b.TempDir(), "ledger.db"), Migrations: os.DirFS("migrations")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	body, err := json.Marshal(payment.Bill{Payment: payment.NewID(time.Now()), Reference: "R-1", Amount: payment.Money{Value: 12550, Currency: "RUB"}})
	if err != nil {
		b.Fatal(err)
	}
	state := string(body) + string(body)
	return shop(func(n int) func() error {
		name, n := fmt.Sprint("till-", n), 0
		write := func(f func(exec func(string, ...any))) error {
			return db.Write(b.Context(), func(tx *sqlitedb.Tx) error {
				var first error
				f(func(q string, args ...any) {
					if first == nil {
						_, first = tx.Exec(q, args...)
					}
				})
				return first
			})
		}
		if err := write(func(exec func(string, ...any)) {
			exec(`INSERT INTO terminals VALUES ($1, '', 1, '', '', 0, 0, 0, 0, '', 0, '', 0, 0, 0, FALSE, -1, FALSE, NULL)`, name)
		}); err != nil {
			b.Fatal(err)
		}
		event := func(exec func(string, ...any), id, kind string) {
			exec(`UPDATE terminals SET seq = seq + 1 WHERE name = $1`, name)
			exec(`INSERT INTO events (terminal, seq, type, bill, fresh, at, body) SELECT name, seq, $2, $3, 0, 1, $4 FROM terminals WHERE name = $1`, name, kind, id, string(body))
		}
		work := func(exec func(string, ...any), id, kind string) {
			exec(`INSERT INTO work VALUES ('bank', $1, $2, 0, '', '', '', 0, 1, 1, FALSE, 0, 1, NULL)`, id, kind)
		}
		answered := func(exec func(string, ...any), id, kind string) {
			exec(`DELETE FROM work WHERE bill = $1 AND kind = $2 AND attempt = 0 AND request = ''`, id, kind)
		}
		clock := func(exec func(string, ...any), id string) {
			exec(`UPDATE work SET due = $2, ready = $2 WHERE bill = $1 AND kind = 'tick' AND attempt = 0 AND request = ''`, id, time.Now().Add(time.Hour).UnixNano())
		}
		update := `UPDATE bills SET life = $2, kept = $3, version = version + 1, state = $4 WHERE id = $1`
		return func() error {
			n++
			id := payment.NewID(time.Now())
			for _, f := range []func(exec func(string, ...any)){
				func(exec func(string, ...any)) {
					exec(`INSERT INTO bills VALUES ($1, 'shop', $2, '1', $3, '4821', 'bank', 12550, 'RUB', 0, 'created', TRUE, 'created', FALSE, 0, FALSE, FALSE, 0, 1, 0, $4, NULL)`, id, name, fmt.Sprint("R-", n), state)
					exec(`INSERT INTO orders VALUES ('bank', $1, $1, 0, NULL)`, id)
					exec(`INSERT INTO calls VALUES ($1, $2, $3, 'h', 'created', 0, NULL)`, name, id+":create", id)
					exec(`INSERT INTO work VALUES ('', $1, 'tick', 0, '', '', '', 0, $2, $2, FALSE, 0, 1, NULL)`, id, time.Now().Add(time.Hour).UnixNano())
					work(exec, id, "present")
				},
				func(exec func(string, ...any)) {
					answered(exec, id, "present")
					exec(update, id, "open", 0, state)
					event(exec, id, payment.EvOpen)
					clock(exec, id)
				},
				func(exec func(string, ...any)) {
					exec(`INSERT INTO inbox VALUES ('bank', $1, 1, $1, NULL)`, id)
					work(exec, id, "look")
				},
				func(exec func(string, ...any)) {
					answered(exec, id, "look")
					exec(update, id, "open", 0, state)
					exec(`INSERT INTO credits VALUES ('bank', $1, $2, 0, 12550, 1, 0, '', FALSE, '', NULL)`, "T"+id, id)
					event(exec, id, payment.EvPaid)
					clock(exec, id)
				},
				func(exec func(string, ...any)) {
					exec(`UPDATE bills SET life = $2, kept = $3, version = version + 1, state = $4, open = FALSE, settled = TRUE WHERE id = $1`, id, "closed", 12550, state)
					exec(`INSERT INTO calls VALUES ($1, $2, $3, 'h', 'confirmed', 0, NULL)`, name, id+":confirm", id)
					event(exec, id, payment.EvDone)
					clock(exec, id)
				},
			} {
				if err := write(f); err != nil {
					return err
				}
			}
			return nil
		}
	})
}
