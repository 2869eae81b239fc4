package integrator_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tilld/integrator"
	"tilld/integrator/store/sqlite"
	"tilld/internal/sqlitedb"
	"tilld/internal/sqlitedb/spoil"
	"tilld/payment"
)

// TestAuditFindsEveryBrokenSum spoils the rows of a ledger as a fault of ours would, which gives them their checksums.
func TestAuditFindsEveryBrokenSum(t *testing.T) {
	for _, c := range []struct {
		name, sql, why string
		open           bool // the sale is paid and not confirmed yet
	}{
		{"an obligation is missing", `DELETE FROM obligations`, "held_after_close", false},
		{"an obligation was voided", `UPDATE obligations SET state = 'void'`, "held_after_close", false},
		{"an obligation is in no state", `UPDATE obligations SET state = ''`, "held_after_close", false},
		{"an obligation is too low", `UPDATE obligations SET amount = amount - 1`, "held_after_close", false},
		{"an obligation is too high", `UPDATE obligations SET amount = amount + 1`, "held_negative", false},
		{"an obligation stands twice", `INSERT INTO obligations (bill, n, id, provider, txn, amount, why, key, state, request, method, next_at, rest)
SELECT bill, n + 1, id || 'x', provider, txn, amount, why, key, state, '', method, next_at, rest FROM obligations`, "held_negative", false},
		{"more is given back of one payment than it brought", `INSERT INTO credits (provider, txn, bill, n, amount, paid_at, attempt, quote, late, evidence)
SELECT provider, txn || 'x', bill, n + 1, 1000, paid_at, attempt, quote, late, evidence FROM credits;
UPDATE obligations SET amount = amount + 1000`, "returned_twice", false},
		{"a credit stands twice", `INSERT INTO credits (provider, txn, bill, n, amount, paid_at, attempt, quote, late, evidence)
SELECT provider, txn || 'x', bill, n + 1, amount, paid_at, attempt, quote, late, evidence FROM credits`, "held_after_close", false},
		{"a credit stands twice and nobody has confirmed", `INSERT INTO credits (provider, txn, bill, n, amount, paid_at, attempt, quote, late, evidence)
SELECT provider, txn || 'x', bill, n + 1, amount, paid_at, attempt, quote, late, evidence FROM credits`, "above_amount", true},
		{"a credit is missing", `DELETE FROM credits`, "held_negative", false},
		{"a credit is too low", `UPDATE credits SET amount = amount - 1`, "held_negative", false},
		{"too much is kept", `UPDATE bills SET kept = kept + 1`, "held_negative", false},
		{"too little is kept", `UPDATE bills SET kept = kept - 1`, "held_after_close", false},
		{"less than nothing is kept", `UPDATE bills SET kept = -1`, "held_negative", true},
		{"what is kept grew by what is owed", `UPDATE bills SET kept = 101; UPDATE credits SET amount = 201; UPDATE obligations SET amount = 100`, "above_amount", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			run(t, func(t *testing.T, r *rig) {
				id := r.create(payment.Show, 100)
				r.await(id, payment.EvOpen, time.Second)
				r.bank.pay(id, "T1", 100, 0)
				r.hint(id)
				r.await(id, payment.EvPaid, time.Second)
				if !c.open {
					r.confirm(id, 60)
					r.await(id, payment.EvReturned, time.Second)
				}
				r.down()
				path := filepath.Join(r.dir, "ledger.db")
				wrong(t, path, c.sql)
				store, err := sqlite.Open(t.Context(), path)
				r.ok(err)
				rep, err := integrator.Audit(t.Context(), store)
				r.ok(err)
				r.ok(store.Close())
				if rep.OK() || len(rep.Broken) != 1 || rep.Broken[0].Bill != id || rep.Broken[0].Why != c.why {
					t.Errorf("audit %+v, want %s", rep, c.why)
				}
			})
		})
	}
}

// wrong runs the statements on the database itself, and has each row bear the checksum of what it holds then.
func wrong(t *testing.T, path, statements string) {
	t.Helper()
	db, err := sqlitedb.Open(t.Context(), sqlitedb.Config{Path: path, Migrations: os.DirFS("store/sqlite/migrations")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	err = db.Write(t.Context(), func(tx *sqlitedb.Tx) error {
		for _, s := range strings.Split(statements, ";") {
			if _, err := tx.Exec(s); err != nil {
				return err
			}
		}
		return spoil.Resum(t.Context(), db.Read(), func(query string) error { _, err := tx.Exec(query); return err })
	})
	if err != nil {
		t.Error(err)
	}
}
