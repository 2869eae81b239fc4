package sqlite_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tilld/integrator"
	"tilld/integrator/store/sqlite"
	"tilld/internal/sqlitedb"
	"tilld/internal/sqlitedb/spoil"
	"tilld/payment"
	"tilld/payment/bill"
)

const busyBill = "01KAVTBUSY"

// busy is a ledger with a row in each table.
func busy(t *testing.T) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // it may have stopped
	err = s.AddTerminal(t.Context(), integrator.Terminal{Name: "till-1", Key: make(ed25519.PublicKey, ed25519.PublicKeySize)})
	if _, err2 := s.Lease(t.Context(), "till-1", 0, "shop", "2026-11-22", 10); err2 != nil {
		err = errors.Join(err, err2)
	}
	if err := errors.Join(err, s.Reckon(t.Context(), integrator.Reckoning{Mark: morning})); err != nil {
		t.Fatal(err)
	}
	b := bill.State{ID: busyBill, Merchant: "shop", Terminal: "till-1", Life: payment.Open, CreatedAt: morning, Order: bill.Order{ID: busyBill}}
	b.Request = bill.Create{Lane: "1", Reference: "R", Number: "4821", Provider: "bank", Amount: payment.Money{Value: 700, Currency: "RUB"}}
	for range 2 {
		b.Version++
		err := s.Change(t.Context(), integrator.Subject{Bill: b.ID, Terminal: "till-1", Call: fmt.Sprint(b.Version)}, func(c *integrator.Case) error {
			due := morning.Add(time.Hour)
			c.Bill, c.Now, c.Queue, c.Due = b, morning, "bank", &due
			c.Called = &integrator.Called{Hash: "h", Outcome: "created"}
			c.Tell = []integrator.Tell{{Type: payment.EvOpen, Body: payment.Bill{Payment: b.ID}}}
			c.Work = []bill.Work{{Kind: bill.Look, Amount: 700}}
			c.Notices = []string{"odd"}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		b.Credits = []bill.Credit{{Provider: "bank", Txn: "T", Amount: 700, PaidAt: morning}}
		b.Obligations = []bill.Obligation{{ID: "o", Provider: "bank", Txn: "T", Amount: 7, Why: "change", State: bill.Owed}}
		b.Attempts = []bill.Attempt{{N: 1, Hash: "h", Running: true}}
		b.Returns = []bill.Return{{Key: "k", Amount: 7, At: morning}}
		b.Quotes = []bill.Quote{{ID: "q", Amount: 700, Total: 700, Ends: morning}}
	}
	if _, _, err := s.Note(t.Context(), integrator.Note{Provider: "bank", Order: busyBill, At: morning}); err != nil {
		t.Fatal(err)
	}
	s.Forgetful()
	return s
}

// The statements know the columns of each table in the order of the schema, which is the order of the check at a start.
func TestTheStatementsKnowTheColumns(t *testing.T) {
	have, err := busy(t).Columns(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	delete(have, "crc_none") // no statement of a program writes it
	for _, table := range sqlite.Tables() {
		if !slices.Equal(have[table.Name()], table.Columns()) {
			t.Errorf("%s has %v, the statements know %v", table.Name(), have[table.Name()], table.Columns())
		}
		delete(have, table.Name())
	}
	if len(have) > 0 {
		t.Errorf("of these no statement knows: %v", have)
	}
}

// A statement that forgets the checksum is found by what TestStore does after each of its tests.
func TestAForgottenChecksumIsFound(t *testing.T) {
	s := busy(t)
	for _, c := range []struct {
		query string
		bad   int
	}{
		{"UPDATE bills SET kept = kept", 0},
		{"UPDATE bills SET kept = kept + 1", 1},
		{"INSERT INTO notices (bill, code, at) VALUES ('" + busyBill + "', 'x', 1)", 2},
		{"UPDATE work SET tries = tries + 1 WHERE kind = 'tick'", 3},
		{"UPDATE crc_none SET upto = 7 WHERE name = 'bills'", 4},
	} {
		if err := s.Raw(t.Context(), c.query); err != nil {
			t.Fatal(err)
		}
		rows, _, err := s.Rows(t.Context())
		if bad := spoil.Forgotten(rows); err != nil || len(bad) != c.bad {
			t.Errorf("%s: %v, %v; want %d", c.query, bad, err, c.bad)
		}
	}
}

// Whatever changes in whichever column of a table is damage to whoever looks at the whole file, as a start does.
func TestAChangeInEachColumnIsFound(t *testing.T) {
	columns, s := 0, busy(t)
	for _, table := range sqlite.Tables() {
		for _, column := range append(table.Columns(), "crc") {
			columns++
			back := change(t, s, table.Name(), column)
			if err := s.Check(t.Context()); !errors.Is(err, sqlitedb.ErrDamaged) {
				t.Errorf("%s.%s: %v", table.Name(), column, err)
			}
			if err := errors.Join(s.Raw(t.Context(), back), s.Check(t.Context())); err != nil {
				t.Fatalf("%s.%s as it was: %v", table.Name(), column, err)
			}
		}
	}
	t.Logf("%d columns", columns)
}

// change makes another value of a column of the table's last row, as a bit that turns does, and answers what takes it back.
func change(t *testing.T, s *sqlite.Store, table, column string) (back string) {
	t.Helper()
	id, was, err := s.Last(t.Context(), table, column)
	if err == nil {
		err = s.Raw(t.Context(), fmt.Sprintf("UPDATE %s SET %s = CASE typeof(%[2]s) WHEN 'integer' THEN %[2]s + 1 WHEN 'text' THEN %[2]s || 'x' END WHERE rowid = %d", table, column, id))
	}
	if err != nil {
		t.Fatalf("%s.%s: %v", table, column, err)
	}
	return fmt.Sprintf("UPDATE %s SET %s = %s WHERE rowid = %d", table, column, was, id)
}

// What a reader meets, or a change of one column beside it, stops the ledger.
func TestAReaderComparesChecksums(t *testing.T) {
	ctx, sound := t.Context(), busy(t)
	read := func(s *sqlite.Store) error { _, err := s.Bill(ctx, busyBill); return err }
	changes := func(s *sqlite.Store) error {
		return s.Change(ctx, integrator.Subject{Bill: busyBill, Terminal: "till-1", Call: "2"}, func(c *integrator.Case) error {
			c.Bill.Version++
			c.Tell, c.Now = []integrator.Tell{{Type: payment.EvPaid}}, morning
			return nil
		})
	}
	claims := func(s *sqlite.Store) error {
		_, err := s.Claim(ctx, "bank", morning.Add(time.Hour), time.Minute, 10)
		return err
	}
	for _, c := range []struct {
		table, column string
		ask           func(s *sqlite.Store) error
	}{
		{"bills", "amount", read},
		{"bills", "state", changes},
		{"bills", "kept", func(s *sqlite.Store) error { _, err := s.List(ctx, integrator.Query{}); return err }},
		{"bills", "number", func(s *sqlite.Store) error { _, err := s.ByReference(ctx, "till-1", "1", "R"); return err }},
		{"bills", "version", func(s *sqlite.Store) error { _, err := s.Lift(ctx, "", 10, 5); return err }},
		{"bills", "currency", func(s *sqlite.Store) error { return s.Ledger(ctx, func(integrator.Entry) error { return nil }) }},
		{"credits", "amount", read},
		{"credits", "late", func(s *sqlite.Store) error { return s.Ledger(ctx, func(integrator.Entry) error { return nil }) }},
		{"obligations", "state", func(s *sqlite.Store) error { return s.Ledger(ctx, func(integrator.Entry) error { return nil }) }},
		{"obligations", "amount", read},
		{"attempts", "hash", read},
		{"returns", "amount", read},
		{"quotes", "total", read},
		{"calls", "outcome", changes},
		{"orders", "attempt", func(s *sqlite.Store) error { _, _, err := s.Whose(ctx, "bank", busyBill); return err }},
		{"events", "body", func(s *sqlite.Store) error { _, err := s.Events(ctx, "till-1", 0, 10); return err }},
		{"events", "at", func(s *sqlite.Store) error { return s.Trim(ctx, "till-1", 100, morning.Add(time.Hour)) }},
		{"terminals", "memory", changes},
		{"terminals", "key", func(s *sqlite.Store) error { _, err := s.Terminal(ctx, "till-1"); return err }},
		{"terminals", "seq", func(s *sqlite.Store) error { _, err := s.Terminals(ctx); return err }},
		{"terminals", "boot", func(s *sqlite.Store) error {
			_, err := s.Lease(ctx, "till-1", 0, "shop", "2026-11-22", 10)
			return err
		}},
		{"terminals", "epoch", func(s *sqlite.Store) error {
			return s.ChangeTerminal(ctx, "till-1", func(*integrator.Terminal) error { return nil })
		}},
		{"days", "used", func(s *sqlite.Store) error {
			_, err := s.Lease(ctx, "till-1", 0, "shop", "2026-11-22", 10)
			return err
		}},
		{"work", "amount", claims},
		{"work", "due", func(s *sqlite.Store) error { _, _, err := s.Next(ctx, ""); return err }},
		{"notices", "at", func(s *sqlite.Store) error { _, err := s.Notices(ctx, busyBill); return err }},
		{"reckoning", "mark", func(s *sqlite.Store) error { _, err := s.Reckoning(ctx); return err }},
		{"reckoning", "ahead", func(s *sqlite.Store) error { return s.Reckon(ctx, integrator.Reckoning{}) }},
	} {
		if err := c.ask(sound); err != nil {
			t.Fatalf("%s.%s where all is well: %v", c.table, c.column, err)
		}
		t.Run(c.table+"."+c.column, func(t *testing.T) {
			s := busy(t)
			change(t, s, c.table, c.column)
			if c.table == "work" && c.column == "amount" { // of all its rows
				if err := s.Raw(ctx, "UPDATE work SET amount = amount + 1"); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.ask(s); !errors.Is(err, sqlitedb.ErrDamaged) || !errors.Is(s.Stopped(), sqlitedb.ErrStopped) {
				t.Errorf("%v; stopped: %v", err, s.Stopped())
			}
		})
	}
}

// A bill whose flag is another now is not passed over by the lists that a person and a box work through.
func TestAListPassesOverNoDamagedBill(t *testing.T) {
	for name, c := range map[string]struct {
		query  integrator.Query
		flag   func(*bill.State)
		damage string
	}{
		"review":   {integrator.Query{Which: integrator.Review}, func(b *bill.State) { b.Review = true }, "review = FALSE"},
		"doubt":    {integrator.Query{Which: integrator.InDoubt}, func(b *bill.State) { b.Doubt = true }, "doubt = FALSE"},
		"terminal": {integrator.Query{Terminal: "till-1"}, func(*bill.State) {}, "terminal = 'till-2'"},
	} {
		t.Run(name, func(t *testing.T) {
			s := busy(t)
			err := s.Change(t.Context(), integrator.Subject{Bill: busyBill}, func(k *integrator.Case) error {
				c.flag(&k.Bill)
				k.Bill.Version++
				k.Now = morning
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if ids, err := s.List(t.Context(), c.query); err != nil || !slices.Equal(ids, []string{busyBill}) {
				t.Fatalf("where all is well: %v, %v", ids, err)
			}
			if err := s.Raw(t.Context(), "UPDATE bills SET "+c.damage); err != nil {
				t.Fatal(err)
			}
			if ids, err := s.List(t.Context(), c.query); !errors.Is(err, sqlitedb.ErrDamaged) {
				t.Errorf("%v, %v", ids, err)
			}
		})
	}
}
