package journal_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tilld/internal/journal"
	"tilld/internal/record"
)

// Typed is what is kept of some types, by their whole names, in the order in which it happened.
func TestEventsOfSomeTypesAreReadInOrder(t *testing.T) {
	boot(t, journal.Config{Dir: t.TempDir()}, func(j *journal.Journal, _ journal.State) {
		for i, typ := range []string{"payment.paid", "payment.returning", "print.done", "payment.fenced", "payment.returning_not", "payment.returning"} {
			commit(t, j, record.Batch{Events: []record.Event{{Type: typ, Subject: fmt.Sprint("p", i), Data: []byte(`{}`)}}})
		}
		for want, types := range map[string][]string{
			"p1 p3 p5": {"payment.fenced", "payment.returning", "payment.ended"},
			"p0":       {"payment.paid"},
			"":         {"payment"},
		} {
			var got []string
			err := j.Typed(t.Context(), types, func(e record.Event) error { got = append(got, e.Subject); return nil })
			if s := strings.Join(got, " "); err != nil || s != want {
				t.Errorf("of %v: %q, %v, want %q", types, s, err, want)
			}
		}
		end := errors.New("enough")
		if err := j.Typed(t.Context(), []string{"payment.paid"}, func(record.Event) error { return end }); !errors.Is(err, end) {
			t.Errorf("its reader ended with %v", err)
		}
	})
}
