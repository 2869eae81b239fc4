package sqlite_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"tilld/integrator"
	"tilld/internal/sqlitedb"
	"tilld/payment/bill"
)

// emergency ends what would wait for ever.
const emergency = time.Minute

// whole says whether all of the busy bill was read.
func whole(st bill.State) bool {
	return len(st.Credits) == 1 && len(st.Obligations) == 1 && len(st.Attempts) == 1 && len(st.Returns) == 1 && len(st.Quotes) == 1
}

// Who reads a bill has one connection, and waits for no second one, which others have who wait for theirs: after a start many
// bills are read at once, and none of their statements is prepared.
func TestWhoReadsABillWaitsForNoSecondConnection(t *testing.T) {
	s := busy(t)
	ctx, end := context.WithTimeout(t.Context(), emergency)
	defer end()
	release, err := s.Hold(ctx, sqlitedb.DefaultReaders-1)
	if err != nil {
		t.Fatal(err)
	}
	if st, err := s.Bill(ctx, busyBill); err != nil || !whole(st) {
		t.Errorf("beside %d who have a connection: %+v, %v", sqlitedb.DefaultReaders-1, st, err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
}

// Who waits for a connection keeps nothing from those who have one, be its statement prepared or not.
func TestWhoWaitsForAConnectionKeepsNobodyBack(t *testing.T) {
	s := busy(t)
	ctx, end := context.WithTimeout(t.Context(), emergency)
	defer end()
	release, err := s.Hold(ctx, sqlitedb.DefaultReaders-1)
	if err != nil {
		t.Fatal(err)
	}
	waited := make(chan error, 1)
	st, err := s.Within(ctx, busyBill, func() {
		before := s.Waits()
		go func() {
			_, err := s.ByReference(ctx, "till-1", "1", "another")
			waited <- err
		}()
		for s.Waits() == before && ctx.Err() == nil {
			runtime.Gosched()
		}
	})
	if err != nil || !whole(st) {
		t.Errorf("while another waited: %+v, %v", st, err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	if err := <-waited; !errors.Is(err, integrator.ErrUnknownBill) {
		t.Errorf("who had waited: %v", err)
	}
}

// More read at once than there are connections, of a store that has read nothing yet.
func TestManyReadTheirBillsAtOnce(t *testing.T) {
	s := busy(t)
	ctx, end := context.WithTimeout(t.Context(), emergency)
	defer end()
	const many = 8 * sqlitedb.DefaultReaders
	var all sync.WaitGroup
	for range many {
		all.Go(func() {
			if st, err := s.Bill(ctx, busyBill); err != nil || !whole(st) {
				t.Errorf("%+v, %v", st, err)
			}
		})
	}
	all.Wait()
	t.Logf("%d read, and waited for a connection %d times", many, s.Waits())
}
