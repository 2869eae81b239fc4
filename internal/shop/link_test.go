//go:build processes

package shop_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"tilld/internal/localapi/client"
	"tilld/internal/shop"
)

// shortDoubt is how long the box of these tests waits for an answer before it says in doubt; a shop has 15 s.
const shortDoubt = 2 * time.Second

// doubtLimit is that, and what a half-open line takes to be noticed: two heartbeats of 5 s and the rest of a third.
const doubtLimit = 30 * time.Second

// TestLinkCut takes the integrator away under a payment, by ending it and by freezing it (its sockets stay open and say
// nothing), at each kind of moment: nobody is told that nothing was taken, no light is on, and it ends by itself.
func TestLinkCut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		away func(*rig) (back func())
		sale func(*rig, func() func())
	}{
		"Open/Ended":       {ended, cutOpen},
		"Open/Frozen":      {frozen, cutOpen},
		"Charging/Ended":   {ended, cutCharging},
		"Charging/Frozen":  {frozen, cutCharging},
		"Closing/Ended":    {ended, cutClosing},
		"Closing/Frozen":   {frozen, cutClosing},
		"Submitted/Frozen": {frozen, cutSubmitted},
		"Idle/Ended":       {ended, cutIdle},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := openShop(t, shop.Config{Processes: true, Programs: programs(t), Edit: func(name string, text []byte) []byte {
				if name == "tilld.yaml" {
					text = bytes.Replace(text, []byte("times:\n"), []byte("times:\n  doubt: "+shortDoubt.String()+"\n"), 1)
				}
				return text
			}})
			c.sale(r, func() func() { return c.away(r) })
			r.balanced(time.Minute)
		})
	}
}

func ended(r *rig) func() {
	r.shop.Stop(shop.Integrator, syscall.SIGKILL)
	return func() { r.shop.Start(shop.Integrator) }
}

func frozen(r *rig) func() {
	r.shop.Freeze(shop.Integrator)
	return func() { r.shop.Thaw(shop.Integrator) }
}

// doubtful waits until the payment says since when nobody knows, and looks at its lights and state.
func (r *rig) doubtful(id, state string) client.Payment {
	r.t.Helper()
	began := time.Now()
	p := r.until(id, doubtLimit, "in doubt as "+state, func(p client.Payment) bool { return p.DoubtSince != nil && p.State == state })
	if p.Lights.HandOver || p.Lights.OtherTender {
		r.t.Errorf("a light is on in doubt: %+v", p.Lights)
	}
	r.t.Logf("%s in doubt after %v (%s)", state, time.Since(began).Round(100*time.Millisecond), p.DoubtWhy)
	return p
}

func (r *rig) handOver(id string) {
	r.t.Helper()
	r.untilState(id, 2*time.Minute, "paid")
	r.try("confirm", func() error {
		_, err := r.api.Confirm(r.t.Context(), id, client.Confirmation{})
		return err
	})
	r.untilState(id, tryLimit, "confirmed")
}

// cutOpen: the code stays up, because it can be paid; it is paid, and nobody here hears of it until the line is back.
func cutOpen(r *rig, away func() func()) {
	p := r.create(client.NewPayment{Reference: "open", Amount: rub(71000), Mode: "show"})
	p = r.until(p.ID, tryLimit, "open", func(p client.Payment) bool { return p.State == "open" && p.QR != nil })
	back := away()
	r.pay(p.QR.Payload, nil)
	if q := r.doubtful(p.ID, "open"); q.QR == nil {
		r.t.Error("the code left the glass although it can be paid")
	}
	back()
	r.handOver(p.ID)
	r.papers("that it is paid", says(p.Number))
	if slices.ContainsFunc(r.shop.Printer().Receipts(), says("We are checking")) {
		r.t.Error("a slip says not to pay again beside a code that is to be paid")
	}
}

// cutCharging: in doubt, parked, paid meanwhile, settled later.
func cutCharging(r *rig, away func() func()) {
	p := r.create(client.NewPayment{Reference: "charging", Amount: rub(72000), Mode: "scan"})
	r.untilState(p.ID, tryLimit, "open")
	code := r.askingCode()
	r.scan(code)
	r.untilState(p.ID, tryLimit, "charging")
	r.payer("view", code) // the bank has it
	back := away()
	r.doubtful(p.ID, "in_doubt")
	slip := r.papers("about the doubt", says("We are checking"))
	if len(slip.Codes) != 1 || slip.Codes[0] != "http://"+r.cfg.IntegratorListen+"/s/"+p.ID {
		r.t.Errorf("the code on the slip of doubt is %q", slip.Codes)
	}
	q, err := r.api.Park(r.t.Context(), p.ID)
	if err != nil || !slices.Contains(q.Flags, "parked") {
		r.t.Errorf("park: %v, flags %v", err, q.Flags)
	}
	r.payer("confirm", code)
	back()
	r.handOver(p.ID)
	r.result(slip.Codes, "Paid: 720.00")
}

// result opens the page to which a slip's code leads, as the customer who took it home.
func (r *rig) result(codes []string, want string) {
	r.t.Helper()
	for _, address := range codes {
		ans, err := http.Get(address)
		if err != nil {
			r.t.Fatal(err)
		}
		b, err := io.ReadAll(ans.Body)
		_ = ans.Body.Close()
		if err != nil || ans.StatusCode != http.StatusOK || !strings.Contains(string(b), want) {
			r.t.Errorf("%s says %d %s, %v", address, ans.StatusCode, b, err)
		}
	}
}

// cutClosing: the cashier cancels into the void; other money is safe only when the integrator has said so.
func cutClosing(r *rig, away func() func()) {
	p := r.create(client.NewPayment{Reference: "closing", Amount: rub(73000), Mode: "show"})
	r.untilState(p.ID, tryLimit, "open")
	back := away()
	if _, err := r.api.Return(r.t.Context(), p.ID, client.NewReturn{Reference: "closing-back"}); err != nil {
		r.t.Fatal(err)
	}
	r.doubtful(p.ID, "in_doubt")
	back()
	p = r.untilState(p.ID, 2*time.Minute, "canceled")
	if !p.Lights.OtherTender {
		r.t.Error("canceled, and other money is not safe")
	}
}

// cutSubmitted: the create has left and nobody answers.
func cutSubmitted(r *rig, away func() func()) {
	back := away()
	p := r.create(client.NewPayment{Reference: "submitted", Amount: rub(74000), Mode: "show"})
	r.doubtful(p.ID, "in_doubt")
	if _, err := r.api.Park(r.t.Context(), p.ID); err != nil {
		r.t.Errorf("park: %v", err)
	}
	back()
	r.until(p.ID, 2*time.Minute, "over", over)
}

// cutIdle: a payment that cannot be taken is refused at once, and taken again soon after the line is back.
func cutIdle(r *rig, away func() func()) {
	back := away()
	r.try("availability", func() error {
		lanes, err := r.api.Availability(r.t.Context())
		if err == nil && lanes["1"].Show.OK {
			return &client.Problem{Status: 503, Title: "the line still counts as up"}
		}
		return err
	})
	_, _, err := r.api.Create(r.t.Context(), client.NewPayment{Reference: "idle", Amount: rub(75000), Mode: "show", Purpose: "sale"})
	var no *client.Problem
	if !errors.As(err, &no) || no.Status != http.StatusServiceUnavailable || no.Code != "unavailable" || no.Why != "no_link" {
		r.t.Errorf("without a link: %v", err)
	}
	back()
	p := r.create(client.NewPayment{Reference: "idle-2", Amount: rub(76000), Mode: "show"})
	p = r.until(p.ID, tryLimit, "open", func(p client.Payment) bool { return p.State == "open" && p.QR != nil })
	r.pay(p.QR.Payload, nil)
	r.handOver(p.ID)
}
