package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tilld/internal/localapi/client"
	"tilld/printer/escpos/emulator"
)

// counter is the shop that is open, and what a till knows of it.
type counter struct {
	*bench
	*shop
	sales int
	paid  int64 // kopecks, of all sales
}

// device is how the box says that a device stands.
func (s *shop) device(id string) (client.Device, error) {
	all, err := s.api.Devices(context.Background())
	if err != nil {
		return client.Device{}, err
	}
	i := slices.IndexFunc(all, func(d client.Device) bool { return d.ID == id })
	if i < 0 {
		return client.Device{}, fmt.Errorf("the box has no device %s", id)
	}
	return all[i], nil
}

// stands waits until a device stands as do wants.
func (s *shop) stands(id, what string, do func(client.Device) bool) (d client.Device, err error) {
	err = eventually(func() error {
		if d, err = s.device(id); err == nil && !do(d) {
			err = fmt.Errorf("%s is %s, want %s: %+v", id, d.State, what, d.LastError)
			time.Sleep(20 * time.Millisecond) // whoever asks all the time slows down the one who is asked
		}
		return err
	})
	return d, err
}

// serves waits until a device is open; one that was pulled a moment ago is present at first, and works.
func (s *shop) serves(id string, opens int64) (client.Device, error) {
	return s.stands(id, "open", func(d client.Device) bool { return d.Counters.Opens > opens && here(d) })
}

func here(d client.Device) bool { return d.State == "ready" || d.State == "present" }

// saleOf is what the nth sale is for, in kopecks.
func saleOf(n int) int64 { return int64(10_000 + 100*n + 50) }

// sells asks for a payment and waits for its state.
func (c *counter) sells(lane, mode, state string, outputs ...string) (client.Payment, error) {
	c.sales++
	amount := rub(saleOf(c.sales))
	p, _, err := c.api.Create(context.Background(), client.NewPayment{
		Reference: fmt.Sprintf("R-%d", c.sales), Amount: amount, Mode: mode, Purpose: "sale", Lane: lane, Outputs: outputs,
	})
	if err != nil {
		return p, err
	}
	return c.until(p.ID, state, func(p client.Payment) bool { return p.State == state && (mode != "show" || p.QR != nil) })
}

// handsOver waits for the light, hands the goods over, and looks at the slip that prints by itself.
func (c *counter) handsOver(p client.Payment, d *desk, papers int) error {
	p, err := c.until(p.ID, "paid", func(p client.Payment) bool { return p.Lights.HandOver })
	if err != nil {
		return err
	}
	if _, err := c.api.Confirm(context.Background(), p.ID, client.Confirmation{}); err != nil {
		return err
	}
	c.paid += p.Amount.Value
	r, err := d.next(papers)
	if err != nil {
		return err
	}
	return slipOf(r, p, d.columns)
}

// slipOf says whether a paper is the slip of a payment that was paid, line for line, on paper that is so many letters wide.
// Its date may be the next minute's.
func slipOf(r emulator.Receipt, p client.Payment, wide int) error {
	row := func(name, value string) string { return name + strings.Repeat(" ", wide-len(name)-len(value)) + value }
	rule := strings.Repeat("─", wide)
	paid := p.Stamps["paid"].UTC()
	for _, at := range []time.Time{paid, paid.Add(time.Minute)} {
		want := []string{
			"Bench", "Paid", rule, p.Amount.Text + " RUB", rule, row("Number", p.Number), row("Date", at.Format("2 Jan 2006 15:04")),
			row("Bank", "Bench bank"), row("Till", p.Lane), row("Sale", p.Reference), rule, "This is not a fiscal receipt.",
		}
		if slices.Equal(r.Text, want) && len(r.Codes) == 0 {
			return nil
		}
	}
	return fmt.Errorf("this is not the slip of payment %s:\n%s", p.Number, strings.Join(r.Text, "\n"))
}

// shown sells by a code on paper, which the customer's phone reads there.
func (c *counter) shown(lane string, d *desk) (string, error) {
	begun, papers := time.Now(), len(d.all())
	p, err := c.sells(lane, "show", "open", "receipt")
	if err != nil {
		return "", err
	}
	code, err := d.next(papers)
	if err != nil {
		return "", err
	}
	if !slices.Equal(code.Codes, []string{p.QR.Payload}) {
		return "", fmt.Errorf("the paper's codes are %q, and the payment's is %q", code.Codes, p.QR.Payload)
	}
	pays, _ := json.Marshal(map[string]string{"payload": code.Codes[0]})
	if _, err := wallet("pay", string(pays)); err != nil {
		return "", err
	}
	if err := c.handsOver(p, d, papers+1); err != nil {
		return "", err
	}
	return fmt.Sprintf("payment %s paid by the code on its paper, slip printed, %s in all", p.Number, ms(time.Since(begun))), nil
}

// scanned sells by the code of a customer's phone, which a scanner reads.
func (c *counter) scanned(lane string, h *hand, d *desk) (string, error) {
	begun, papers := time.Now(), len(d.all())
	p, err := c.sells(lane, "scan", "open")
	if err != nil {
		return "", err
	}
	code, err := wallet("code", "{}")
	if err != nil {
		return "", err
	}
	if err := h.Scan(code); err != nil {
		return "", err
	}
	if err := c.handsOver(p, d, papers); err != nil {
		return "", err
	}
	return fmt.Sprintf("payment %s paid by the code that the %s scanner read, slip printed, %s in all", p.Number, h.Model, ms(time.Since(begun))), nil
}

// audit adds up the integrator's ledger.
func (c *counter) audit() {
	c.check("the sums", func() (string, error) {
		out, err := run("integrator", "audit", "--config", "integrator.yaml", "--json")
		if err != nil {
			return "", err
		}
		var r struct {
			Bills int
			Sums  map[string]struct{ Credits, Goods, Returned, Owed, Held int64 }
		}
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			return "", err
		}
		s := r.Sums["RUB"]
		if s.Credits != s.Goods+s.Returned+s.Owed+s.Held || s.Held != 0 || s.Goods != c.paid {
			return "", fmt.Errorf("the ledger has %+v, and the till has sold for %d", r, c.paid)
		}
		left, err := c.api.List(context.Background(), client.Find{Unsettled: true})
		if err != nil || len(left) != 0 {
			return "", errors.Join(err, fmt.Errorf("%d payments are not settled", len(left)))
		}
		return fmt.Sprintf("%d bills, credits %d = goods %d + returned %d + owed %d + held %d kopecks", r.Bills, s.Credits, s.Goods, s.Returned, s.Owed, s.Held), nil
	})
}
