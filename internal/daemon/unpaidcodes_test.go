package daemon_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"tilld/internal/health"
	"tilld/internal/localapi/client"
)

// A person is told of ten codes that nobody has paid, one after another, and of no fewer.
func TestABoxSaysThatNobodyPaysItsCodes(t *testing.T) {
	addr, admit := office(t)
	b := newBox(t, addr, "outputs: [till]", technician())
	admit(b)
	b.run()
	till := b.client("till-secret")
	b.until("a code can be shown", func() error { return till.Ready(t.Context()) })
	becomes := func(p client.Payment, state string) client.Payment {
		t.Helper()
		b.until(p.Reference+" is "+state, func() error {
			var err error
			if p, err = till.Wait(t.Context(), p.ID, p.Version, time.Second); err == nil && p.State != state {
				err = fmt.Errorf("it is %s", p.State)
			}
			return err
		})
		return p
	}
	for i := range 10 {
		all, err := b.client("").Health(t.Context())
		if err != nil || slices.ContainsFunc(all, func(x client.Trouble) bool { return x.Code == "unpaid" }) {
			t.Fatalf("after %d codes: %+v, %v", i, all, err)
		}
		p, _, err := till.Create(t.Context(), sale(fmt.Sprintf("R-%d", i), "show"))
		if err != nil {
			t.Fatal(err)
		}
		p = becomes(p, "open")
		if _, err := till.Return(t.Context(), p.ID, client.NewReturn{Reference: "back-" + p.Reference}); err != nil {
			t.Fatal(err)
		}
		becomes(p, "canceled")
	}
	if x := b.trouble("unpaid"); x.Subject != "1" || x.Severity != health.Note || x.Remedy == "" {
		t.Errorf("health says %+v", x)
	}
}
