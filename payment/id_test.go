package payment_test

import (
	"slices"
	"testing"
	"time"

	"tilld/payment"
)

func TestIDsSortByTheirTime(t *testing.T) {
	var ids []string
	for _, year := range []int{-100, 1601, 1969, 1970, 2000, 2026, 2262, 9999} {
		at := time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)
		for range 3 {
			ids = append(ids, payment.NewID(at))
			at = at.Add(time.Millisecond)
		}
	}
	for _, id := range ids {
		if !payment.ValidID(id) {
			t.Errorf("%s is no id", id)
		}
	}
	early := ids[:9] // before 1970 there is one moment
	if last, next := slices.Max(early), ids[9]; last >= next {
		t.Errorf("%s, of a clock before 1970, is not before %s", last, next)
	}
	if !slices.IsSorted(ids[9:]) {
		t.Errorf("not in order: %v", ids[9:])
	}
	t.Logf("%d ids of the years -100 to 9999", len(ids))
}
