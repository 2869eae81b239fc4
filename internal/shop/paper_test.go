package shop_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tilld/internal/localapi/client"
	"tilld/internal/shop"
	"tilld/printer/escpos/emulator"
)

// TestPaper opens a shop and looks at what comes out of its printer.
func TestPaper(t *testing.T) {
	t.Parallel()
	r := openShop(t, shop.Config{})
	t.Run("TheCodeOnPaperIsPaid", func(t *testing.T) { paperSale(r.on(t)) })
	t.Run("TheSlipsOfAReturn", func(t *testing.T) { returnSlip(r.on(t)) })
	r.balanced(5 * time.Second)
}

// papers waits until the printer has cut a receipt that ok likes.
func (r *rig) papers(what string, ok func(emulator.Receipt) bool) emulator.Receipt {
	r.t.Helper()
	for end := time.Now().Add(tryLimit); ; time.Sleep(10 * time.Millisecond) { // real sockets: nothing to wait on
		all := r.shop.Printer().Receipts()
		if i := slices.IndexFunc(all, ok); i >= 0 {
			return all[i]
		}
		if time.Now().After(end) {
			r.t.Fatalf("no receipt %s among %d:\n%s", what, len(all), r.log.tail(4000))
		}
	}
}

func says(text string) func(emulator.Receipt) bool {
	return func(r emulator.Receipt) bool { return strings.Contains(strings.Join(r.Text, "\n"), text) }
}

func paperSale(r *rig) {
	p := r.create(client.NewPayment{Reference: "paper-1", Amount: rub(12550), Mode: "show", Outputs: []string{"receipt"}})
	p = r.until(p.ID, 5*time.Second, "open with its code", func(p client.Payment) bool { return p.State == "open" && p.QR != nil })
	if p.Say.Cashier.Code != "open/paper" || p.Say.Customer.Screen != "paper" {
		r.t.Errorf("the cashier is told %s, the customer %s", p.Say.Cashier.Code, p.Say.Customer.Screen)
	}
	r.poleSays("QR ON PAPER")
	paper := r.papers("with the code", says("Scan to pay"))
	if len(paper.Codes) != 1 || paper.Codes[0] != p.QR.Payload {
		r.t.Fatalf("the paper's code says %q, want %q", paper.Codes, p.QR.Payload)
	}
	for _, want := range []string{"Demo shop", "125.50", "Valid until", p.Number, "This is not a fiscal receipt."} {
		if !says(want)(paper) {
			r.t.Errorf("the paper lacks %q:\n%s", want, strings.Join(paper.Text, "\n"))
		}
	}
	if n := readBack(r.t, paper.Picture, p.QR.Payload); n < 1 {
		r.t.Error("nobody has decoded the picture of the paper")
	}
	r.pay(paper.Codes[0], nil)
	r.untilState(p.ID, 5*time.Second, "paid")
	if _, err := r.api.Confirm(r.t.Context(), p.ID, client.Confirmation{}); err != nil {
		r.t.Fatal(err)
	}
	r.untilState(p.ID, 5*time.Second, "confirmed")
}

func returnSlip(r *rig) {
	p := r.create(client.NewPayment{Reference: "paper-2", Amount: rub(20000), Mode: "show"})
	p = r.until(p.ID, 5*time.Second, "open with its code", func(p client.Payment) bool { return p.State == "open" && p.QR != nil })
	r.pay(p.QR.Payload, nil)
	r.untilState(p.ID, 5*time.Second, "paid")
	if _, err := r.api.Confirm(r.t.Context(), p.ID, client.Confirmation{}); err != nil {
		r.t.Fatal(err)
	}
	back := rub(5000)
	if _, err := r.api.Return(r.t.Context(), p.ID, client.NewReturn{Reference: "paper-2-back", Amount: &back}); err != nil {
		r.t.Fatal(err)
	}
	x := r.papers("about the return", func(x emulator.Receipt) bool {
		return says("Return asked for")(x) && says("50.00")(x) && says(p.Number)(x)
	})
	if banks := bankLines(x); len(banks) != 1 || !strings.HasSuffix(banks[0], " Sandbox Bank") {
		r.t.Errorf("the slip names the bank %q:\n%s", banks, strings.Join(x.Text, "\n"))
	}
	r.until(p.ID, 5*time.Second, "returned", func(p client.Payment) bool { return p.Returned.Value == 5000 })
	r.papers("that it is returned", func(x emulator.Receipt) bool { return says("Returned")(x) && says(p.Number)(x) })
	r.allPrinted()
}

// bankLines are the lines of a slip that name the bank.
func bankLines(r emulator.Receipt) (out []string) {
	for _, l := range r.Text {
		if strings.HasPrefix(l, "Bank ") {
			out = append(out, strings.TrimRight(l, " "))
		}
	}
	return out
}

// TestABankWithoutANameIsOnNoSlip: what the configuration calls a provider is for programs.
func TestABankWithoutANameIsOnNoSlip(t *testing.T) {
	t.Parallel()
	const line = "    name: Sandbox Bank\n"
	r := openShop(t, shop.Config{Edit: func(name string, text []byte) []byte {
		if name == "integrator.yaml" && !strings.Contains(string(text), line) {
			t.Errorf("the shop's provider has no name to be taken away:\n%s", text)
		}
		return []byte(strings.Replace(string(text), line, "", 1))
	}})
	p := r.create(client.NewPayment{Reference: "nameless", Amount: rub(20000), Mode: "show"})
	p = r.until(p.ID, 5*time.Second, "open with its code", func(p client.Payment) bool { return p.State == "open" && p.QR != nil })
	r.pay(p.QR.Payload, nil)
	p = r.untilState(p.ID, 5*time.Second, "paid")
	if p.Provider != "sandbox" {
		t.Fatalf("the payment is of provider %q", p.Provider)
	}
	x := r.papers("that it is paid", func(x emulator.Receipt) bool { return says("Paid")(x) && says(p.Number)(x) })
	if banks := bankLines(x); len(banks) > 0 || strings.Contains(strings.ToLower(strings.Join(x.Text, "\n")), "sandbox") {
		t.Errorf("the slip names a bank:\n%s", strings.Join(x.Text, "\n"))
	}
	t.Logf("%d lines, none of a bank", len(x.Text))
	r.allPrinted()
}
