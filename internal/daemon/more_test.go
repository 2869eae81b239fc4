package daemon_test

import (
	"fmt"
	"testing"
	"time"

	"tilld/internal/daemon"
	"tilld/internal/touches"
	"tilld/kiosk"
)

// More time, asked for without a measure, is as much as a code lives in this shop: by the till, and by the customer's touch.
func TestMoreTimeIsAsLongAsACodeLives(t *testing.T) {
	t.Parallel()
	addr, admit := office(t)
	b := newBox(t, addr, "outputs: [till]", technician()+"\ntimes: {code_life: 3m}")
	admit(b)
	var box *daemon.Daemon
	b.on = func(d *daemon.Daemon) { box = d }
	b.run()
	till := b.client("till-secret")
	b.until("a code can be shown", func() error { return till.Ready(t.Context()) })
	p, _, err := till.Create(t.Context(), sale("R-1", "show"))
	if err != nil {
		t.Fatal(err)
	}
	lives := func(what string, most time.Duration) {
		t.Helper()
		b.until(what, func() error {
			p, err = till.Get(t.Context(), p.ID)
			if err != nil || p.State != "open" || p.RemainingMS == nil {
				return fmt.Errorf("it is %s: %w", p.State, err)
			}
			left := time.Duration(*p.RemainingMS) * time.Millisecond
			if left > most {
				t.Fatalf("%s: the code lives %v more, at most %v it may", what, left, most)
			}
			if left < most-time.Minute {
				return fmt.Errorf("the code lives %v more", left)
			}
			t.Logf("%s: the code lives %v more", what, left.Round(time.Second))
			return nil
		})
	}
	lives("a code that nobody has prolonged", 3*time.Minute)
	if _, _, err := till.Extend(t.Context(), p.ID, 0); err != nil {
		t.Fatal(err)
	}
	lives("the till has asked for more", 6*time.Minute)
	if err := box.Touch(t.Context(), kiosk.Touch{Lane: "1", Ref: p.ID, Button: touches.More}); err != nil {
		t.Fatal(err)
	}
	lives("the customer has asked for more", 9*time.Minute)
}
