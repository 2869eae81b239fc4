// Package storetest is what every Store of the integrator must pass: one change is all or nothing, the newest session
// alone writes, keys are unique for ever, work is leased, events have no gap, and a reopened store is the same store. It
// is for tests alone.
package storetest

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"tilld/integrator"
	"tilld/payment"
	"tilld/payment/bill"
)

// Store is one that can be closed and opened again.
type Store interface {
	integrator.Store
	Close() error
}

// Open opens the store that lives in dir, or makes it.
type Open func(t *testing.T, dir string) Store

// Run runs the suite.
func Run(t *testing.T, open Open) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *bench)
	}{
		{"ABillComesBackAsItWas", roundTrip},
		{"AnErrorOfTheFunctionWritesNothing", nothing},
		{"ABrokenConstraintWritesNothing", atomic},
		{"ConcurrentChangesEachSeeTheOneBefore", concurrent},
		{"TheNewestSessionAloneWrites", fencing},
		{"AReferenceIsOfOneBill", references},
		{"ATransactionIsOfOneBill", transactions},
		{"AnAnswerIsKeptWithItsCall", calls},
		{"WorkIsLeased", leases},
		{"WorkIsTakenWhereItIsMade", taken},
		{"WorkOfADeadProcessIsDueAtOnce", orphans},
		{"WorkAskedForAgainIsDueAgain", askedAgain},
		{"TheClockMoves", clock},
		{"EventsHaveNoGap", events},
		{"TrimmedEventsAreNotAnswered", trimming},
		{"NumbersAreUnique", numbers},
		{"VersionsAreLifted", lifted},
		{"TheLedgersTimeIsKept", reckoned},
		{"ANoteFindsItsOrder", inbox},
		{"BillsAreListed", lists},
		{"NoticesAreFewAndOutliveTheirBillsTrouble", notices},
		{"TheLedgerAddsUp", ledger},
		{"EverythingSurvivesAReopening", reopen},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, newBench(t, open)) })
	}
}

// bench is one store with the terminal "till-1" in it.
type bench struct {
	Store
	dir  string
	open Open
	now  time.Time
	n    int
}

func newBench(t *testing.T, open Open) *bench {
	t.Helper()
	b := &bench{dir: t.TempDir(), open: open, now: time.Date(2026, 11, 22, 10, 0, 0, 123456789, time.UTC)}
	b.Store = open(t, b.dir)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	b.terminal(t, "till-1")
	return b
}

func (b *bench) terminal(t *testing.T, name string) {
	t.Helper()
	key := make(ed25519.PublicKey, ed25519.PublicKeySize)
	copy(key, name)
	if err := b.AddTerminal(t.Context(), integrator.Terminal{Name: name, Key: key}); err != nil {
		t.Fatal(err)
	}
}

// state is a new bill of till-1, open with its order.
func (b *bench) state() bill.State {
	b.n++
	id := payment.NewID(b.now.Add(time.Duration(b.n) * time.Millisecond))
	return bill.State{
		ID: id, Merchant: "shop", Terminal: "till-1", Kind: bill.Dynamic, Life: payment.Open, Late: payment.LateNo, Need: 1000,
		CreatedAt: b.now.Add(time.Duration(b.n)), ExpiresAt: b.now.Add(time.Hour), Order: bill.Order{ID: id}, Payload: "https://pay.example/" + id,
		Request: bill.Create{
			Payment: id, Lane: "1", Reference: fmt.Sprintf("R-%d", b.n), Number: "1001", Hash: "h", Terminal: "till-1", Kind: bill.Dynamic,
			Amount: payment.Money{Value: 1000, Currency: "RUB"}, Mode: payment.Show, Purpose: payment.Sale, IfNotConfirmed: payment.Keep, Provider: "bank",
		},
	}
}

// put inserts the bill.
func (b *bench) put(t *testing.T, s bill.State) bill.State {
	t.Helper()
	err := b.Change(t.Context(), integrator.Subject{Bill: s.ID}, func(c *integrator.Case) error {
		c.Bill, c.Now, c.Queue = s, b.now, "bank"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// change runs f on the bill as the server itself.
func (b *bench) change(t *testing.T, id string, f func(*integrator.Case)) {
	t.Helper()
	err := b.Change(t.Context(), integrator.Subject{Bill: id}, func(c *integrator.Case) error {
		c.Now, c.Queue = b.now, "bank"
		f(c)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bench) get(t *testing.T, id string) bill.State {
	t.Helper()
	s, err := b.Bill(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (b *bench) reopen(t *testing.T) {
	t.Helper()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b.Store = b.open(t, b.dir)
}

func (b *bench) claim(t *testing.T, queue string, at time.Time, n int) []integrator.Work {
	t.Helper()
	ws, err := b.Claim(t.Context(), queue, at, time.Minute, n)
	if err != nil {
		t.Fatal(err)
	}
	return ws
}

func credit(txn string, amount int64, at time.Time) bill.Credit {
	return bill.Credit{Provider: "bank", Txn: txn, Amount: amount, PaidAt: at}
}

func want(t *testing.T, err, is error) {
	t.Helper()
	if !errors.Is(err, is) {
		t.Fatalf("error is %v, want %v", err, is)
	}
}

// differ is "" if the two are equal, else both of them.
func differ(want, got any) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	a, _ := json.MarshalIndent(want, "", " ")
	z, _ := json.MarshalIndent(got, "", " ")
	return fmt.Sprintf("want %s\ngot %s", a, z)
}

var errTest = errors.New("of the function itself")

func none(ctx context.Context, t *testing.T, b *bench, id string) {
	t.Helper()
	_, err := b.Bill(ctx, id)
	want(t, err, integrator.ErrUnknownBill)
}
