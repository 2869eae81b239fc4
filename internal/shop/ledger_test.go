//go:build processes

package shop_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"tilld/internal/localapi/client"
	"tilld/internal/shop"
)

// TestLedgerRestored puts an older copy of the integrator's database back. A sale that was open in the copy has been paid
// and confirmed since: the box says so again, a person is asked to look, and the books know of the goods. A sale that the
// copy does not know stays done at the box, and no number is given twice.
func TestLedgerRestored(t *testing.T) {
	t.Parallel()
	r := openShop(t, shop.Config{Processes: true, Programs: programs(t)})
	p := r.create(client.NewPayment{Reference: "open", Amount: rub(81000), Mode: "show"})
	p = r.until(p.ID, tryLimit, "open", func(p client.Payment) bool { return p.State == "open" && p.QR != nil })
	db := filepath.Join(r.cfg.State, "integrator", "integrator.db")
	r.shop.Stop(shop.Integrator, syscall.SIGTERM)
	old, err := os.ReadFile(db)
	if err != nil {
		t.Fatal(err)
	}
	r.shop.Start(shop.Integrator)
	r.pay(p.QR.Payload, nil)
	r.handOver(p.ID)
	later := r.paidPayment("later", 82000)
	r.handOver(later)

	r.shop.Stop(shop.Integrator, syscall.SIGKILL)
	if err := os.WriteFile(db, old, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, more := range []string{"-wal", "-shm"} {
		if err := os.Remove(db + more); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	r.shop.Start(shop.Integrator)
	r.until(p.ID, time.Minute, "confirmed and under review", func(p client.Payment) bool {
		return p.State == "confirmed" && slices.Contains(p.Flags, "review")
	})
	for end := time.Now().Add(tryLimit); ; time.Sleep(100 * time.Millisecond) { // another process
		s := r.audit().Sums["RUB"]
		if s.Goods == 81000 && s.Held == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the books do not know where the goods are: %+v", s)
		}
	}
	r.untilState(later, tryLimit, "confirmed")
	again := r.paidPayment("again", 83000)
	r.handOver(again)
	numbers := map[string]bool{}
	for _, id := range []string{p.ID, later, again} {
		q := r.untilState(id, tryLimit, "confirmed")
		if numbers[q.Number] {
			t.Errorf("number %s was given twice", q.Number)
		}
		numbers[q.Number] = true
	}
	if err := r.api.Acknowledge(t.Context(), "Ann", "the server's disk was changed"); err != nil {
		t.Fatal(err)
	}
	r.until(p.ID, tryLimit, "looked at", func(p client.Payment) bool { return !slices.Contains(p.Flags, "review") })
	t.Logf("goods %d in the books, numbers %d", r.audit().Sums["RUB"].Goods, len(numbers))
}
