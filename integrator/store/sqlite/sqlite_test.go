package sqlite_test

import (
	"crypto/ed25519"
	"path/filepath"
	"testing"
	"time"

	"tilld/integrator"
	"tilld/integrator/store/sqlite"
	"tilld/integrator/store/storetest"
	"tilld/payment"
	"tilld/payment/bill"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, dir string) storetest.Store {
		t.Helper()
		s, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"))
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
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
}
