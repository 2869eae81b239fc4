package server

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"tilld/integrator"
	"tilld/payment/bill"
)

// ReviewText is the bills that wait, for a person.
func ReviewText(list []integrator.Waiting) string {
	var b strings.Builder
	switch len(list) {
	case 0:
		return "nothing waits for a person\n"
	case 1:
		b.WriteString("1 bill waits for a person\n")
	default:
		fmt.Fprintf(&b, "%d bills wait for a person\n", len(list))
	}
	if len(list) == maxWaiting {
		b.WriteString("there may be more: these are the oldest\n")
	}
	for _, w := range list {
		b.WriteByte('\n')
		b.WriteString(waitingText(w))
	}
	return b.String()
}

// plain is what a bank or a box named, for a terminal: it neither moves the cursor nor begins a line.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}

// DecidedText is what was decided and how the bill stands now. Asked again it is the same, unless the bill has moved.
func DecidedText(d integrator.Decided) string {
	var b strings.Builder
	w := d.Bill
	money := amounts(w)
	fmt.Fprintf(&b, "%s decided by %s, %s: %s\n", strings.TrimSpace(d.Decision+" "+d.Obligation), d.Who, stamp(d.At), d.Why)
	fmt.Fprintf(&b, "%s\npaid %s, held %s, kept %s, owed %s, returned %s\n", headline(w), money(w.Paid), money(w.Held), money(w.Kept), money(w.Owed), money(w.Returned))
	return b.String()
}

// ReplacedText is what became of the bills of a box in whose place another stands.
func ReplacedText(in Replacement, r integrator.Replaced) string {
	var b strings.Builder
	fmt.Fprintf(&b, "bills that %s has now: %d\n", in.By, len(r.Moved))
	for _, id := range r.Moved {
		fmt.Fprintf(&b, "  %s\n", id)
	}
	if len(r.Moved) > 0 {
		b.WriteString("what was not paid in full ends, and its money goes back; of the rest its till says where the goods are\n")
	}
	if len(r.Left) > 0 {
		fmt.Fprintf(&b, "bills that stay with %s, because %s has used their reference for a sale of its own: %d\n", in.Old, in.By, len(r.Left))
		for _, id := range r.Left {
			fmt.Fprintf(&b, "  %s\n", id)
		}
		b.WriteString("decide those here: integrator review\n")
	}
	return b.String()
}

func amounts(w integrator.Waiting) func(int64) string {
	return func(n int64) string { return w.Amount.Of(n).Text() }
}

func stamp(t time.Time) string { return t.Local().Format(time.DateTime) }

// headline is one line: which sale, whose, how it stands.
func headline(w integrator.Waiting) string {
	flags := ""
	for _, f := range w.Flags {
		flags += " +" + f
	}
	where := "no box"
	if w.Terminal != "" {
		where = "box " + w.Terminal + ", lane " + plain(w.Lane)
	}
	return fmt.Sprintf("%s  %s  %s%s  %s, reference %s", plain(w.Number), w.Amount.String(), w.Status, flags, where, plain(w.Reference))
}

func waitingText(w integrator.Waiting) string {
	var b strings.Builder
	money := amounts(w)
	fmt.Fprintf(&b, "%s\n  bill %s, made %s, at %s%s\n", headline(w), w.Bill, stamp(w.Made), plain(w.Provider), gone(w))
	fmt.Fprintf(&b, "  waits since %s: %s\n", stamp(w.Since), reason(w))
	if w.Paid > 0 {
		fmt.Fprintf(&b, "  paid %s, held %s, kept %s, owed %s, returned %s\n", money(w.Paid), money(w.Held), money(w.Kept), money(w.Owed), money(w.Returned))
	}
	if h := w.Heard; h != nil {
		fmt.Fprintf(&b, "  %s\n", heard(*h))
	}
	for _, d := range w.Debts {
		fmt.Fprintf(&b, "  obligation %s: %s of the bank's payment %s%s%s\n", d.ID, money(d.Amount), plain(d.Payment), tried(d), said(d))
	}
	for _, p := range w.Past {
		fmt.Fprintf(&b, "  %s: %s, by %s: %s\n", stamp(p.At), strings.TrimSpace(p.Decision+" "+p.Obligation), p.Who, p.Why)
	}
	switch {
	case !w.From.IsZero() && w.Gone:
		fmt.Fprintf(&b, "  from %s a person may decide\n", stamp(w.From))
	case !w.From.IsZero():
		fmt.Fprintf(&b, "  the bank is asked on; from %s a person may decide\n", stamp(w.From))
	case len(w.May) == 0:
		b.WriteString("  nothing is to be decided here\n")
	}
	for _, m := range w.May {
		name := m.Decision
		if m.Obligation != "" && len(w.Debts) > 1 {
			name += " --obligation " + m.Obligation
		}
		fmt.Fprintf(&b, "  decide %-8s %s\n", name, does(m.Decision))
	}
	return b.String()
}

// gone says of a bill's provider that it cannot be asked.
func gone(w integrator.Waiting) string {
	if !w.Gone {
		return ""
	}
	return ", which the settings do not name: it is not asked, and nothing goes back by it. Look at its own lists"
}

func heard(h integrator.Heard) string {
	text := "the bank has said nothing since"
	if !h.At.IsZero() {
		text = "the bank said last, " + stamp(h.At) + ": " + word(orderWords, h.Said, h.Why)
	}
	if h.Missed > 0 {
		text += fmt.Sprintf("; questions without an answer since then: %d, the last %s", h.Missed, stamp(h.Asked))
	}
	return text
}

func tried(d integrator.Owing) string {
	if len(d.Tried) == 0 {
		return ""
	}
	return ", tried by " + strings.Join(d.Tried, " and ")
}

func said(d integrator.Owing) string {
	if d.At.IsZero() {
		return ""
	}
	return "; the bank said last, " + stamp(d.At) + ": " + word(returnWords, d.Said, d.Why)
}

// What a bank's answers mean, for a person: about an order, and about a return.
var (
	orderWords = map[string]string{
		"pending": "nobody has paid yet", "paying": "somebody is confirming", "paid": "paid", "dead": "its code is dead",
		"absent": "it does not know this order", "refused": "refused for good", "busy": "not now",
	}
	returnWords = map[string]string{
		"pending": "on its way", "done": "done", "refused": "refused for good", "short": "the shop's account has not the money",
		"absent": "it does not know this return", "unclear": "no answer that could be understood",
	}
)

func word(words map[string]string, said, why string) string {
	text := words[said]
	if text == "" {
		text = said
	}
	if why != "" && why != said {
		text += " (" + why + ")"
	}
	return plain(text)
}

// reason says for a person why the bill waits.
func reason(w integrator.Waiting) string {
	switch w.Why {
	case "registry_silent":
		return "the bank never said whether it was paid"
	case "return_refused":
		return "the bank refuses to give this money back"
	case "too_old":
		return "the time in which the bank gives this money back is over"
	case "no_method":
		return "the bank knows no way to give this money back"
	case "return_bounced":
		return "the bank had given this money back, and it came back to it"
	case "chargeback":
		return "the bank has taken money back by itself"
	case "clawback":
		return "the bank has taken money back by itself before the sale was over"
	case "shortfall":
		return "goods have left, and their money is not there"
	case "till_silent":
		return "its box does not come any more, and a person has decided about its money"
	case "journal_lost":
		return "its box has lost its journal: the shop says where the goods are"
	case "ledger_restored":
		return "this ledger was put back from a copy: the box may know more"
	case "":
		switch {
		case w.Status == bill.StUnknown:
			return "the bank does not say whether it is paid"
		case w.Gone && len(w.Debts) > 0:
			return "money is to go back by a bank that the settings do not name any more"
		case len(w.Debts) > 0:
			return "the shop's account has not the money that is to go back: put it there, it is tried again by itself"
		case w.Status == bill.StPaid:
			return "paid, and its box does not come any more"
		}
		return "it is under review"
	}
	return "it is under review (" + w.Why + ")"
}

// does says for a person what a decision does.
func does(verdict string) string {
	switch verdict {
	case bill.VerdictDead:
		return "nobody has paid: the bill is closed, other money is safe; what comes after all goes back"
	case bill.VerdictPaid:
		return "the bank's list has the payment: it is booked (--payment ID --amount 125.50 --paid TIME); on time it buys the goods, late it is offered or goes back"
	case bill.VerdictDone:
		return "the goods have left: the money is kept"
	case bill.VerdictReturn:
		return "the goods are in the shop: the money goes back"
	case bill.VerdictRetry:
		return "the bank is asked whether it was done after all; if not, it is tried again"
	case bill.VerdictManual:
		return "it was given back by hand, or the bank's own list has it; --why says by which paper: the books count it as returned"
	case bill.VerdictStays:
		return "nothing can be done yet: it goes on waiting, and your word is kept"
	case bill.VerdictSeen:
		return "it was looked at: the review ends, no money moves"
	}
	return verdict
}
