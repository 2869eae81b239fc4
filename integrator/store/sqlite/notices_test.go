package sqlite_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tilld/integrator"
	"tilld/integrator/store/sqlite"
	"tilld/payment"
)

// Each start and each hour old notices are forgotten, while boxes wait for the one writer: of a year of bills, those are read
// that a notice is about, and by their id.
func TestForgettingNoticesReadsNoYearOfBills(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	yearOld(t, path, firstVersion(t), 300)
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, query := range sqlite.ForgetsNotices() {
		plan, err := s.Plan(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		all := strings.Join(plan, "; ")
		if strings.Contains(all, "SCAN bills") || !strings.Contains(all, "SEARCH bills USING") || !strings.Contains(all, "(id=?)") {
			t.Errorf("%s\nis done so: %s", query, all)
		}
		t.Logf("%s\n%s", query, all)
	}
	plan, err := s.Plan(t.Context(), `DELETE FROM notices WHERE at < $1 AND bill IN (SELECT id FROM bills WHERE settled)`)
	if err != nil || !strings.Contains(strings.Join(plan, "; "), "SCAN bills") {
		t.Errorf("a statement that reads all bills is not found: %v, %v", plan, err)
	}
}

// More old notices than one transaction drops go all the same, and no others.
func TestOldNoticesGoInPieces(t *testing.T) {
	const settled = 2*sqlite.ForgetChunk + 1
	path := filepath.Join(t.TempDir(), "ledger.db")
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ids := make([]string, settled+1)
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for i := range ids {
		ids[i] = payment.NewID(now.Add(time.Duration(i) * time.Millisecond))
		err := s.Change(t.Context(), integrator.Subject{Bill: ids[i]}, func(c *integrator.Case) error {
			c.Bill.ID, c.Bill.Request.Amount.Currency, c.Now, c.Notices = ids[i], "RUB", now, []string{"odd"}
			if c.Bill.Life = payment.Open; i < settled {
				c.Bill.Life, c.Bill.Reason = payment.Closed, payment.Done
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	count := func(want int) {
		t.Helper()
		got, err := 0, error(nil)
		for _, id := range ids {
			ns, nerr := s.Notices(t.Context(), id)
			got, err = got+len(ns), errors.Join(err, nerr)
		}
		if err != nil || got != want {
			t.Errorf("%d notices, %v, want %d", got, err, want)
		}
	}
	count(settled + 1)
	for _, c := range []struct {
		before time.Time
		left   int
	}{{now, settled + 1}, {now.Add(1), 1}, {now.Add(time.Hour), 1}} {
		if err := s.ForgetNotices(t.Context(), c.before); err != nil {
			t.Fatal(err)
		}
		count(c.left)
	}
	t.Logf("%d old notices went in pieces of %d", settled, sqlite.ForgetChunk)
}
