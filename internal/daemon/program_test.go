package daemon_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"tilld/integrator/server"
	"tilld/internal/health"
)

// A box whose program is too old for the integrator takes no payment and says why; its API answers. The same box is let in
// once its program has been exchanged, and so is a build that has no version.
func TestAProgramThatIsTooOldIsTurnedAway(t *testing.T) {
	t.Parallel()
	addr, admit := office(t, func(c *server.Config) { c.MinApp = "1.4.0" })
	b := newBox(t, addr, "outputs: [till]", technician())
	admit(b)
	b.is = "v1.3.2"
	b.run()
	till := b.client("till-secret")
	want := "There is no link to the integrator: this box has tilld/v1.3.2, and the integrator serves none below 1.4.0."
	b.until("health says why", func() error {
		if x := b.trouble("no_link"); x.Sentence != want || x.Severity != health.Stop || !strings.HasPrefix(x.Remedy, "Install a newer tilld on this box.") {
			return fmt.Errorf("health says %+v", x)
		}
		return nil
	})
	lanes, err := till.Availability(t.Context())
	if err != nil || lanes["1"].Show.Why != "no_link" || lanes["1"].Say == nil {
		t.Errorf("availability is %+v, %v", lanes, err)
	}
	_, _, err = till.Create(t.Context(), sale("R-1", "show"))
	problem(t, err, http.StatusServiceUnavailable, "unavailable")
	if _, err := b.stop(); err != nil {
		t.Fatal(err)
	}
	for _, is := range []string{"v1.4.0", "81ea968-dirty"} {
		b.is = is
		b.run()
		b.until(is+" is let in", func() error { return till.Ready(t.Context()) })
		all, err := b.client("").Health(t.Context())
		for _, x := range all {
			if x.Code == "no_link" || x.Code == "old_program" {
				err = errors.Join(err, fmt.Errorf("%s: %s", x.Code, x.Sentence))
			}
		}
		if err != nil {
			t.Errorf("%s: %v", is, err)
		}
		if _, err := b.stop(); err != nil {
			t.Fatal(err)
		}
	}
}

// Where the integrator has set a day until which older programs are let in, the box takes payments until then and its
// technician reads the day; behind it the box is turned away.
func TestAProgramThatIsTooOldIsLetInUntilADay(t *testing.T) {
	t.Parallel()
	for day, want := range map[string]string{
		"2999-12-31": "This box has tilld/v1.3.2, and the integrator wants 1.4.0 or newer; it lets this one in until 2999-12-31.",
		"2020-12-31": "There is no link to the integrator: this box has tilld/v1.3.2, and the integrator serves none below 1.4.0.",
	} {
		t.Run(day, func(t *testing.T) {
			addr, admit := office(t, func(c *server.Config) { c.MinApp, c.OldUntil, c.Merchant.Zone = "1.4.0", day, "Pacific/Auckland" })
			b := newBox(t, addr, "outputs: [till]", technician())
			admit(b)
			b.is = "v1.3.2"
			b.run()
			code := map[bool]string{true: "old_program", false: "no_link"}[day > "2026"]
			b.until("health says it", func() error {
				if x := b.trouble(code); x.Sentence != want {
					return fmt.Errorf("health says %+v", x)
				}
				return nil
			})
			if code == "old_program" {
				b.until("it takes payments", func() error { return b.client("till-secret").Ready(t.Context()) })
			}
			if _, err := b.stop(); err != nil {
				t.Fatal(err)
			}
		})
	}
}
