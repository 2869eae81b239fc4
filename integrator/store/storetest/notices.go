package storetest

import (
	"testing"
	"time"

	"tilld/integrator"
	"tilld/payment"
	"tilld/payment/bill"
)

// notices: what repeats is told once a day and takes two rows; what is old goes once its bill is settled, and not before.
func notices(t *testing.T, b *bench) {
	told := func(s bill.State, after time.Duration, codes ...string) []string {
		t.Helper()
		var fresh []string
		var c *integrator.Case
		b.change(t, s.ID, func(x *integrator.Case) {
			c = x
			x.Now, x.Notices = b.now.Add(after), codes
		})
		return append(fresh, c.Notices...)
	}
	have := func(s bill.State, want ...integrator.Notice) {
		t.Helper()
		got, err := b.Notices(t.Context(), s.ID)
		if err != nil {
			t.Fatal(err)
		}
		if d := differ(want, got); d != "" {
			t.Fatalf("notices:\n%s", d)
		}
	}
	n := func(code string, after time.Duration) integrator.Notice {
		return integrator.Notice{Code: code, At: b.now.Add(after)}
	}
	s, quiet := b.put(t, b.state()), b.put(t, b.state())
	have(s)
	if d := differ([]string{"short", "odd"}, told(s, 0, "short", "odd", "short")); d != "" {
		t.Errorf("told at first:\n%s", d)
	}
	for i := range 100 { // each hour of four days
		told(s, time.Duration(i+1)*time.Hour, "short")
	}
	have(s, n("odd", 0), n("short", 0), n("short", 96*time.Hour))
	if got := told(s, 97*time.Hour, "short"); len(got) != 0 {
		t.Errorf("told again after an hour: %v", got)
	}
	if got := told(quiet, 97*time.Hour, "short"); len(got) != 1 {
		t.Errorf("another bill's notice: %v", got)
	}
	forget := func(after time.Duration) {
		t.Helper()
		if err := b.ForgetNotices(t.Context(), b.now.Add(after)); err != nil {
			t.Fatal(err)
		}
	}
	forget(1000 * time.Hour)
	have(s, n("odd", 0), n("short", 0), n("short", 96*time.Hour)) // it is not settled
	b.change(t, s.ID, func(c *integrator.Case) { c.Bill.Life, c.Bill.Reason = payment.Closed, payment.Done })
	forget(time.Hour)
	have(s, n("short", 96*time.Hour))
	forget(96 * time.Hour)
	have(s, n("short", 96*time.Hour))
	b.reopen(t)
	forget(97 * time.Hour)
	have(s)
	have(quiet, n("short", 97*time.Hour))
}
