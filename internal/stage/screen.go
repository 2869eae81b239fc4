package stage

import (
	"fmt"
	"time"

	"tilld/display"
	"tilld/internal/words"
	"tilld/payment"
)

// View is what the customer of one lane should see. Amounts are whole: Amount is the payment's, Left what is still to
// pay, Back what goes back.
type View struct {
	Lane, Payment, Number    string
	Screen                   string // its name, as in words
	Payload                  string // of the code, "" for none
	Payee, Why               string
	Amount, Paid, Left, Back payment.Money
	RemainingMS              int64 // of the code's life
	Outputs                  []string
}

// cells of a line display.
const cells = 20

// screen writes the words of a view.
func screen(v View, l Lane, until time.Time) display.Screen {
	lang := words.For(l.Language)
	w, ok := lang.Screen(v.Screen)
	if !ok { // a name without words of its own: the customer waits
		w, _ = lang.Screen("closing")
	}
	fill := blanks(v, l, lang)
	out := display.Screen{
		Kind: v.Screen, Headline: words.Fill(w.Title, fill), Hint: words.Fill(w.Hint, fill), Payload: v.Payload, Until: until,
	}
	if v.Amount.Value != 0 {
		out.Amount = v.Amount.Text()
	}
	if w.Line != "" {
		out.Lines = []display.Line{{Left: words.Fill(w.Line, fill)}}
	}
	for i, p := range w.Pole {
		out.Pole[i] = words.Cells(words.Fill(p, fill), cells)
	}
	return out
}

func blanks(v View, l Lane, lang *words.Language) map[string]string {
	why, _ := lang.Decline(v.Why)
	f := map[string]string{"num": v.Number, "payee": v.Payee, "why": why}
	if v.Payee == "" {
		f["payee"] = l.Shop
	}
	left := time.Duration(v.RemainingMS) * time.Millisecond
	f["clock"] = fmt.Sprintf("%d:%02d", int(left.Minutes()), int(left.Seconds())%60)
	if v.Amount.Currency == "" {
		return f
	}
	f["amt"], f["total"], f["paid"], f["left"] = v.Amount.Text(), v.Amount.Text(), v.Paid.Text(), v.Left.Text()
	switch v.Screen {
	case "paid_over", "late", "returning", "returned":
		f["amt"] = v.Back.Text()
	case "paid_less": // Amount was paid, Paid was used: what is left of it comes back
		f["left"], f["total"] = v.Back.Text(), v.Amount.Of(v.Paid.Value-v.Back.Value).Text()
	}
	return f
}
