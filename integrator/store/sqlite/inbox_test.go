package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tilld/integrator"
	"tilld/integrator/store/sqlite"
	"tilld/internal/sqlitedb"
	"tilld/payment"
	"tilld/payment/bill"
)

// TestANoteIsOfItsChange: what a provider called about is in the inbox if the change is in the file, and not if it is not.
func TestANoteIsOfItsChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	b := bill.State{ID: payment.NewID(time.Now()), Kind: bill.Dynamic, Life: payment.Open, CreatedAt: time.Now()}
	vain := errors.New("in vain")
	for _, x := range []struct {
		note *integrator.Note
		err  error
	}{
		{nil, nil},
		{&integrator.Note{Provider: "bank", Order: "refused", At: time.Unix(0, 1)}, vain},
		{&integrator.Note{Provider: "bank", Order: "taken", At: time.Unix(0, 2)}, nil},
	} {
		err := s.Change(t.Context(), integrator.Subject{Bill: b.ID, Noted: x.note}, func(c *integrator.Case) error {
			c.Bill, c.Now = b, time.Now()
			c.Bill.Version++
			return x.err
		})
		if !errors.Is(err, x.err) {
			t.Fatal(err)
		}
	}
	var n, at int64
	var order, of string
	closed(t, s, path, `SELECT COUNT(*), MAX(order_id), MAX(at), MAX(bill) FROM inbox`, &n, &order, &at, &of)
	t.Logf("%d note: %s at %d of %s", n, order, at, of)
	if n != 1 || order != "taken" || at != 2 || of != b.ID {
		t.Error("want the one of the change that was taken")
	}
}

// TestNoNoteIsLostBesideAChangeThatFails: changes share a commit, and one that fails in the middle of its writes has the others
// done again. Whoever was told that his note is taken finds it.
func TestNoNoteIsLostBesideAChangeThatFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	const callers, each = 6, 200
	var taken, failed atomic.Int64
	var all sync.WaitGroup
	for n := range callers {
		b := bill.State{ID: payment.NewID(time.Now()), Kind: bill.Dynamic, Life: payment.Open, CreatedAt: time.Now(), Terminal: "nobody"}
		all.Go(func() {
			for i := range each {
				note := integrator.Note{Provider: "bank", Order: "order", At: time.Unix(int64(i), 0)} // of all callers at the same moments
				err := s.Change(t.Context(), integrator.Subject{Bill: b.ID, Noted: &note}, func(c *integrator.Case) error {
					c.Bill, c.Now = b, time.Now()
					c.Bill.Version += int64(i + 1)
					if n == 0 || i%7 == n {
						c.Tell = []integrator.Tell{{Type: payment.EvOpen}} // to a terminal that is not there
					}
					return nil
				})
				switch {
				case err == nil:
					taken.Add(1)
				case errors.Is(err, integrator.ErrUnknownTerminal):
					failed.Add(1)
				default:
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	var n int64
	closed(t, s, path, `SELECT COUNT(*) FROM inbox`, &n)
	t.Logf("%d taken beside %d that failed", taken.Load(), failed.Load())
	if n != taken.Load() || failed.Load() < each {
		t.Errorf("%d notes are there", n)
	}
}

// closed closes a store and reads one row of what its file holds then.
func closed(t *testing.T, s *sqlite.Store, path, query string, into ...any) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sqlitedb.OpenReader(t.Context(), sqlitedb.Config{Path: path, Migrations: os.DirFS("migrations")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Read().QueryRowContext(t.Context(), query).Scan(into...); err != nil {
		t.Fatal(err)
	}
}
