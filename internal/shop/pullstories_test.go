package shop_test

import (
	"slices"
	"time"

	"tilld/internal/localapi/client"
)

// What a pole reads.
var (
	welcome     = rows{"WELCOME", ""}
	showCode    = rows{"TO PAY", "QR ON THE SCREEN"}
	awaitCode   = rows{"TO PAY", "SHOW YOUR PAY CODE"}
	noCode      = rows{"NOT A PAY CODE", "SHOW ANOTHER CODE"} // for a while, once goods were scanned in its place
	bankNo      = rows{"YOUR BANK SAID NO", "TRY ANOTHER ACCOUNT"}
	confirm     = rows{"CONFIRM ON PHONE", "0.00"}
	asking      = rows{"ASKING YOUR BANK", "0.00"}
	checking    = rows{"CHECKING", "PLEASE WAIT"}
	doubting    = rows{"BEING CHECKED", "DO NOT PAY AGAIN"}
	unavailable = rows{"NO QR PAYMENT NOW", "CARD OR CASH"}

	// For a while after a sale; then it makes room.
	afterwards = []rows{{"PAID 150.00", "THANK YOU"}, {"PAID 150.00", "TAKE YOUR RECEIPT"}, {"RETURNING", "TO YOUR ACCOUNT"}, {"RETURNED", "CONFIRMED BY BANK"}, welcome}
)

// shown begins a sale with a code to show, silence while the link says nothing.
func (g *pulls) shown(ref string, amount int64, silence bool) client.Payment {
	g.t.Helper()
	if silence {
		g.plug("link", "silent")
	}
	return g.create(client.NewPayment{Reference: ref, Amount: rub(amount), Mode: "show"})
}

func (g *pulls) open(id string) client.Payment {
	g.t.Helper()
	return g.until(id, 2*time.Minute, "open with its code", func(p client.Payment) bool { return p.State == "open" && p.QR != nil })
}

// finish hands the goods over.
func (g *pulls) finish(id string) {
	g.t.Helper()
	if _, err := g.api.Confirm(g.t.Context(), id, client.Confirmation{}); err != nil {
		g.t.Fatal(err)
	}
	g.untilState(id, 10*time.Second, "confirmed")
}

// gives asks for a return, of the whole payment where value is 0.
func (g *pulls) gives(id, ref string, value int64) {
	g.t.Helper()
	n := client.NewReturn{Reference: ref}
	if value > 0 {
		back := rub(value)
		n.Amount = &back
	}
	if _, err := g.api.Return(g.t.Context(), id, n); err != nil {
		g.t.Fatal(err)
	}
}

// shownPulls is a sale whose code is shown: asked for, paid in part, confirmed on the phone, handed over, and given back in
// two parts.
func shownPulls(g *pulls) {
	g.in("idle", "", welcome)
	slow := g.board.any("submitted")
	p := g.shown("shown", 15000, slow)
	g.in("submitted", p.ID, rows{"TO PAY 150.00", "CODE IS COMING"}, rows{"TO PAY 150.00", "PLEASE WAIT"})
	if slow {
		g.plug("link", "whole")
	}
	p = g.open(p.ID)
	code := p.QR.Payload
	g.in("open, a code is shown", p.ID, showCode)
	if g.board.any("part_paid") {
		g.pay(code, map[string]any{"amount": 5000})
		g.untilState(p.ID, time.Minute, "part_paid")
		g.in("part_paid", p.ID, rows{"PAID 50.00", "LEFT 100.00"})
	}
	if g.board.any("paying") {
		g.phone("begin", code)
		g.untilState(p.ID, time.Minute, "paying")
		g.in("paying", p.ID, confirm)
		g.phone("confirm", code)
	} else {
		g.pay(code, nil)
	}
	g.untilState(p.ID, time.Minute, "paid")
	g.paid = append(g.paid, p.ID)
	g.in("paid", p.ID, afterwards...)
	g.finish(p.ID)
	g.in("confirmed", p.ID, afterwards...)
	if !g.board.any("part_returned", "returned") {
		return
	}
	g.gives(p.ID, "shown-part", 4000)
	g.until(p.ID, time.Minute, "returned in part", func(p client.Payment) bool { return p.State == "part_returned" && p.Returned.Value == 4000 })
	g.in("part_returned", p.ID, afterwards...)
	g.gives(p.ID, "shown-rest", 11000)
	g.until(p.ID, time.Minute, "returned", func(p client.Payment) bool { return p.State == "returned" && p.Returned.Value == 15000 })
	g.in("returned", p.ID, afterwards...)
}

// declinedPulls is a sale whose customer shows a code to which the bank says no, and then another.
func declinedPulls(g *pulls) {
	if !g.board.any("open, a code is awaited", "open, declined once") {
		return
	}
	p := g.create(client.NewPayment{Reference: "declined", Amount: rub(33001), Mode: "scan"}) // the sandbox bank's no
	g.untilState(p.ID, time.Minute, "open")
	g.in("open, a code is awaited", p.ID, awaitCode)
	g.shows(g.walletCode())
	g.until(p.ID, time.Minute, "declined", func(p client.Payment) bool { return p.State == "open" && p.LastDecline != nil })
	g.in("open, declined once", p.ID, bankNo, noCode, awaitCode)
	g.shows(g.walletCode())
	g.handsOver(p.ID, 2)
}

// askedPulls is a sale whose payer the bank asks first. A code that stays before the scanner is charged once.
func askedPulls(g *pulls) {
	if !g.board.any("charging") {
		return
	}
	p := g.create(client.NewPayment{Reference: "asked", Amount: rub(33000), Mode: "scan"})
	g.untilState(p.ID, time.Minute, "open")
	code := g.askingCode()
	g.shows(code)
	g.untilState(p.ID, time.Minute, "charging")
	g.in("charging", p.ID, asking, confirm)
	g.shows(code)
	g.payer("confirm", code)
	g.handsOver(p.ID, 1)
}

// handsOver ends a sale that so many codes were charged for.
func (g *pulls) handsOver(id string, charged int) {
	g.t.Helper()
	p := g.untilState(id, time.Minute, "paid")
	g.paid = append(g.paid, id)
	g.finish(id)
	if p.Attempt != charged {
		g.t.Errorf("payment %s: %d codes were charged, want %d", p.Reference, p.Attempt, charged)
	}
}

// canceledPulls is a sale that is cancelled while the link says nothing.
func canceledPulls(g *pulls) {
	if !g.board.any("closing", "canceled") {
		return
	}
	p := g.open(g.shown("canceled", 9900, false).ID)
	g.plug("link", "silent")
	g.gives(p.ID, "canceled-back", 0)
	g.untilState(p.ID, time.Minute, "closing")
	g.in("closing", p.ID, checking)
	g.plug("link", "whole")
	g.untilState(p.ID, 2*time.Minute, "canceled")
	g.in("canceled", p.ID, rows{"PAYMENT CANCELLED", "NOTHING WAS TAKEN"}, welcome)
}

// endedPulls are sales that end by themselves.
func endedPulls(g *pulls) {
	if g.board.any("expired") {
		p := g.create(client.NewPayment{Reference: "expired", Amount: rub(7700), Mode: "show", ExpiresIn: 2 * time.Second})
		g.untilState(p.ID, time.Minute, "expired")
		g.in("expired", p.ID, rows{"THE CODE HAS ENDED", "NOTHING WAS TAKEN"}, welcome)
	}
	if g.board.any("refused") {
		p := g.shown("refused", 5013, false) // the sandbox bank gives no code
		g.untilState(p.ID, time.Minute, "refused")
		g.in("refused", p.ID, unavailable, welcome)
	}
}

// unansweredPulls: nobody answers the wish for a code; it comes when the link is back, and is not needed any more.
func unansweredPulls(g *pulls) {
	p := g.shown("unanswered", 12000, true)
	g.untilState(p.ID, time.Minute, "in_doubt")
	g.in("in_doubt, shown: not answered", p.ID, doubting)
	g.plug("link", "whole")
	g.open(p.ID)
	g.gives(p.ID, "unanswered-back", 0)
	g.until(p.ID, 2*time.Minute, "over", over)
}

// linklessPulls: a code stays up without a link, is paid, and the box hears of it later.
func linklessPulls(g *pulls) {
	p := g.open(g.shown("linkless", 14000, false).ID)
	g.plug("link", "silent")
	g.until(p.ID, 2*time.Minute, "in doubt as open", func(p client.Payment) bool { return p.State == "open" && p.DoubtSince != nil })
	g.pay(p.QR.Payload, nil)
	g.in("open, the link is gone", p.ID, showCode)
	g.plug("link", "whole")
	g.untilState(p.ID, 2*time.Minute, "paid")
	g.paid = append(g.paid, p.ID)
	g.finish(p.ID)
}

// doubtedPulls: the cashier cancels, and nobody answers.
func doubtedPulls(g *pulls) {
	p := g.open(g.shown("doubted", 13000, false).ID)
	g.plug("link", "silent")
	g.gives(p.ID, "doubted-back", 0)
	g.untilState(p.ID, 2*time.Minute, "in_doubt")
	g.in("in_doubt, shown: closing", p.ID, doubting)
	g.plug("link", "whole")
	g.untilState(p.ID, 2*time.Minute, "canceled")
}

// chargedPulls: a charge is paid of which the box does not hear; a supervisor takes other money, and this comes back.
func chargedPulls(g *pulls) {
	p := g.create(client.NewPayment{Reference: "charged", Amount: rub(31000), Mode: "scan"})
	g.untilState(p.ID, time.Minute, "open")
	code := g.askingCode()
	g.shows(code)
	g.untilState(p.ID, time.Minute, "charging")
	g.payer("view", code) // the bank has it
	g.plug("link", "silent")
	g.payer("confirm", code)
	g.untilState(p.ID, 2*time.Minute, "in_doubt")
	g.in("in_doubt, scanned: charging", p.ID, doubting)
	if _, err := g.api.Override(g.t.Context(), p.ID, client.Override{Tender: "cash", Who: "Olga", Why: "the customer cannot wait"}); err != nil {
		g.t.Fatal(err)
	}
	g.untilState(p.ID, time.Minute, "overridden")
	g.in("overridden", p.ID, welcome, unavailable, rows{"TILL CLOSED", ""})
	g.plug("link", "whole")
	p = g.until(p.ID, 2*time.Minute, "given back", func(p client.Payment) bool { return p.Returned.Value == 31000 && p.Owed.Value == 0 })
	if p.State != "overridden" || slices.Contains(p.Flags, "review") || p.Attempt != 1 {
		g.t.Errorf("%s after %d charges, flags %v", p.State, p.Attempt, p.Flags)
	}
}
