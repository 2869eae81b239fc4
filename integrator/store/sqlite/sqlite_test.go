package sqlite_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"tilld/integrator"
	"tilld/integrator/store/sqlite"
	"tilld/integrator/store/storetest"
	"tilld/internal/sqlitedb"
	"tilld/internal/sqlitedb/spoil"
	"tilld/payment"
	"tilld/payment/bill"
)

// checked is a store whose file is looked at before it is closed: what it has written is no damage to the next start, and each
// row bears its checksum.
type checked struct {
	*sqlite.Store
	compared map[string]int // rows by table
}

func (c checked) Close() error {
	ctx := context.Background()
	rows, _, err := c.Rows(ctx)
	if bad := spoil.Forgotten(rows); len(bad) > 0 {
		err = errors.Join(err, fmt.Errorf("rows without their checksums: %v", bad))
	}
	for _, r := range rows {
		c.compared[r.Table]++
	}
	return errors.Join(err, c.Check(ctx), c.Store.Close())
}

func TestStore(t *testing.T) {
	compared := map[string]int{}
	storetest.Run(t, func(t *testing.T, dir string) storetest.Store {
		t.Helper()
		s, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"))
		if err != nil {
			t.Fatal(err)
		}
		return checked{s, compared}
	})
	for _, table := range sqlite.Tables() {
		if compared[table.Name()] == 0 {
			t.Errorf("no row of %s was compared with its checksum", table.Name())
		}
	}
	t.Logf("rows that bear their checksums: %v", compared)
}

// forgetful is a store that answers everything from its file.
type forgetful struct{ *sqlite.Store }

func (f forgetful) Change(ctx context.Context, s integrator.Subject, g func(*integrator.Case) error) error {
	f.Forgetful()
	return f.Store.Change(ctx, s, g)
}

func (f forgetful) Bill(ctx context.Context, id string) (bill.State, error) {
	f.Forgetful()
	return f.Store.Bill(ctx, id)
}

// TestStoreFromItsFile is the suite without the bills that are kept in memory.
func TestStoreFromItsFile(t *testing.T) {
	storetest.Run(t, func(t *testing.T, dir string) storetest.Store {
		t.Helper()
		s, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"))
		if err != nil {
			t.Fatal(err)
		}
		return forgetful{s}
	})
}

// TestMemoryIsTheFile changes bills from several goroutines, some changes in vain, and compares what is kept in memory with
// the file, more bills than are kept.
func TestMemoryIsTheFile(t *testing.T) {
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	errNo := errors.New("no")
	const bills, each = 40, 30
	ids := make([]string, bills)
	for i := range ids {
		ids[i] = payment.NewID(time.Now().Add(time.Duration(i) * time.Millisecond))
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(g)))
			for n := range each * bills / 8 {
				id := ids[r.IntN(bills)]
				err := s.Change(t.Context(), integrator.Subject{Bill: id}, func(c *integrator.Case) error {
					c.Bill.ID, c.Now = id, time.Now()
					c.Bill.Request.Amount.Currency = "RUB"
					c.Bill.Kept++
					txn := fmt.Sprintf("%d-%d", g, n)
					if r.IntN(8) == 0 {
						txn = "of another bill" // it is booked once; the second try fails after it has written
					}
					c.Bill.Credits = append(c.Bill.Credits, bill.Credit{Provider: "bank", Txn: txn, Amount: 1, PaidAt: time.Now().UTC().Round(0)})
					if r.IntN(8) == 0 {
						return errNo
					}
					return nil
				})
				var taken *integrator.CreditTaken
				if err != nil && !errors.Is(err, errNo) && !errors.As(err, &taken) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	seen := 0
	for _, id := range ids {
		kept, err := s.Bill(t.Context(), id)
		if errors.Is(err, integrator.ErrUnknownBill) {
			continue
		}
		s.Forgetful()
		read, rerr := s.Bill(t.Context(), id)
		if err != nil || rerr != nil || !reflect.DeepEqual(kept, read) || int(kept.Kept) != len(kept.Credits) {
			t.Fatalf("in memory %+v, %v\nin the file %+v, %v", kept, err, read, rerr)
		}
		seen += len(kept.Credits)
	}
	if seen == 0 {
		t.Fatal("nothing was written")
	}
	t.Logf("%d changes in %d bills are the same in memory and in the file", seen, bills)
}

func TestAuditReadsBesideARunningStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	if _, err := sqlite.OpenReader(t.Context(), path); err == nil {
		t.Fatal("a ledger that is not there was opened")
	}
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	key := make(ed25519.PublicKey, ed25519.PublicKeySize)
	if err := s.AddTerminal(t.Context(), integrator.Terminal{Name: "till-1", Key: key}); err != nil {
		t.Fatal(err)
	}
	r, err := sqlite.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for n := range 3 {
		report, err := integrator.Audit(t.Context(), r)
		if err != nil || report.Bills != n || report.Sums["RUB"].Credits != int64(n*700) || !report.OK() {
			t.Fatalf("after %d bills: %+v, %v", n, report, err)
		}
		id := payment.NewID(time.Now())
		err = s.Change(t.Context(), integrator.Subject{Bill: id}, func(c *integrator.Case) error {
			c.Now = time.Now()
			c.Bill = bill.State{ID: id, Terminal: "till-1", Life: payment.Closed, Reason: payment.Done, Kept: 700}
			c.Bill.Request.Amount = payment.Money{Value: 700, Currency: "RUB"}
			c.Bill.Credits = []bill.Credit{{Provider: "bank", Txn: id, Amount: 700, PaidAt: time.Now()}}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Raw(t.Context(), "UPDATE bills SET kept = kept + 1"); err != nil {
		t.Fatal(err)
	}
	if _, err := integrator.Audit(t.Context(), r); !errors.Is(err, sqlitedb.ErrDamaged) || !strings.Contains(err.Error(), path) || s.Stopped() != nil {
		t.Fatalf("audit of a row that is not what was written: %v; the store that nobody asked: %v", err, s.Stopped())
	}
}
