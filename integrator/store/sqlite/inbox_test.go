package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
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
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sqlitedb.OpenReader(t.Context(), sqlitedb.Config{Path: path, Migrations: os.DirFS("migrations")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var n, at int64
	var order, of string
	if err := db.Read().QueryRowContext(t.Context(), `SELECT COUNT(*), MAX(order_id), MAX(at), MAX(bill) FROM inbox`).Scan(&n, &order, &at, &of); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d note: %s at %d of %s", n, order, at, of)
	if n != 1 || order != "taken" || at != 2 || of != b.ID {
		t.Error("want the one of the change that was taken")
	}
}
