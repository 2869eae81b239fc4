package stage

import (
	"fmt"
	"time"

	"tilld/display"
	"tilld/internal/words"
	"tilld/payment"
)

// View is what the customer of one lane should see. Amount is the whole payment's, Left what is still to pay, Back what
// goes back; which of them stands on the glass depends on the screen.
type View struct {
	Lane, Payment, Number    string
	Screen                   string // its name, as in words
	Payload                  string // of the code, "" for none
	Payee, Why               string // Why is a code: of a no, or of a lane that takes nothing
	Amount, Paid, Left, Back payment.Money
	RemainingMS              int64 // of the code's life
	NoMore                   bool  // it cannot be made longer
	Outputs                  []string
	Sound                    string           // made once, with this view; "" is silence
	Receipt                  string           // payload of the receipt's own code, "" for none
	Goods                    []Goods          // of a cart, the newest last
	Choices                  []display.Choice // ways to pay
	Title, Text              string           // of a message, in the words of whoever sends it
	Hint                     bool             // of the screen paying, the hint too: it has stood for a while. The stage sets it
}

// Goods is one line of a cart.
type Goods struct {
	Name   string
	Amount payment.Money
}

// Closed is the screen of a till that takes nothing, in the words of a lane.
func Closed(l Lane) display.Screen { return screen(View{Screen: "out_of_service"}, l, time.Time{}) }

// cells of a line display.
const cells = 20

// screen writes the words of a view: plain ones for a line display, and those of a page in every language, the lane's own
// first.
func screen(v View, l Lane, until time.Time) display.Screen {
	lang := words.For(l.Language)
	w := sentences(lang, v)
	fill := blanks(v, l, lang, until, payment.Money.Text)
	out := display.Screen{
		Kind: v.Screen, Headline: words.Fill(w.Title, fill), Hint: words.Fill(w.Hint, fill), Payload: v.Payload, Until: until,
		Ref: v.Payment, Number: v.Number, Sound: v.Sound, Receipt: v.Receipt, Choices: v.Choices, NoMore: v.NoMore,
	}
	for _, x := range v.Goods {
		out.Lines = append(out.Lines, display.Line{Left: x.Name, Right: lang.Number(x.Amount)})
	}
	if m := v.sum(); m.Value != 0 {
		out.Amount = m.Text()
	}
	if w.Line != "" {
		out.Lines = []display.Line{{Left: words.Fill(w.Line, fill)}}
	}
	for i, p := range w.Pole {
		out.Pole[i] = words.Pole(p, fill, cells)
	}
	out.Texts = append(out.Texts, text(v, l, lang, until))
	for _, tag := range words.Tags() {
		if tag != lang.Tag {
			out.Texts = append(out.Texts, text(v, l, words.For(tag), until))
		}
	}
	return out
}

// text is the words of a view in one language.
func text(v View, l Lane, lang *words.Language, until time.Time) display.Text {
	w, fill := sentences(lang, v), blanks(v, l, lang, until, lang.Money)
	t := display.Text{
		Language: lang.Tag, Headline: words.Fill(w.Title, fill), Line: words.Fill(w.Line, fill), Hint: words.Fill(w.Hint, fill),
	}
	if m := v.sum(); m.Value != 0 {
		t.Amount = lang.Money(m)
	}
	return t
}

// sum is the amount that stands large on the glass, and that its sentences name. On a screen that asks for money it is what
// is left to pay: the customer's phone asks for the same, and on paper the code has it too. It stays until the answer is
// known, and is the whole payment again once nothing is left.
func (v View) sum() payment.Money {
	switch v.Screen {
	case "code", "code_ending", "code_ending_cashier", "paper", "scan", "scan_wrong", "scan_shop", "scan_old", "declined", "part_paid", "paying",
		"charging", "closing", "doubt", "doubt_kiosk":
		if v.Left.Value > 0 {
			return v.Left
		}
	}
	return v.Amount
}

// sentences of a screen; of a name without words of its own: the customer waits. A message brings its own.
func sentences(lang *words.Language, v View) words.Screen {
	if v.Screen == "message" {
		return words.Screen{Title: "{title}", Line: "{text}", Pole: []string{"{title}", "{text}"}}
	}
	w, ok := lang.Screen(v.Screen)
	if !ok {
		w, _ = lang.Screen("closing")
	}
	if v.Screen == "paying" && !v.Hint {
		w.Hint = ""
	}
	return w
}

// blanks are what the sentences of a view need; money writes an amount.
func blanks(v View, l Lane, lang *words.Language, until time.Time, money func(payment.Money) string) map[string]string {
	why, _ := lang.Decline(v.Why)
	f := map[string]string{"num": v.Number, "payee": v.Payee, "why": why, "title": v.Title, "text": v.Text, "t": time.Now().Format(hour)}
	if v.Payee == "" {
		f["payee"] = l.Shop
	}
	if !until.IsZero() {
		f["t"] = until.Format(hour)
	}
	if n := len(v.Goods); n > 0 {
		f["item"], f["price"] = v.Goods[n-1].Name, v.Goods[n-1].Amount.Text()
	}
	seconds := (v.RemainingMS + 999) / 1000
	f["clock"] = fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
	if v.Amount.Currency == "" {
		return f
	}
	f["amt"], f["total"], f["paid"], f["left"] = money(v.sum()), money(v.Amount), money(v.Paid), money(v.Left)
	switch v.Screen {
	case "paid_over", "late", "returning", "returned":
		f["amt"] = money(v.Back)
	case "paid_less": // Amount was paid, Paid was used: what is left of it comes back
		f["left"], f["total"] = money(v.Back), money(v.Amount.Of(v.Paid.Value-v.Back.Value))
	}
	return f
}

const hour = "15:04" // of the day, as customers read it
