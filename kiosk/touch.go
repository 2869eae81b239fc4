package kiosk

import (
	"context"
	"slices"
	"time"

	"tilld/display"
)

// Touch is a button that a customer has pressed.
type Touch struct {
	Lane   string
	Ref    string // of the screen it was pressed on: the payment's id, "" outside of one
	Button string // one of Buttons
	Choice string // id of the way to pay, with ButtonChoose
}

// Desk answers touches, one at a time. It may block up to the end of ctx; what becomes of a touch is seen by the next
// Screen. An error is logged, the customer sees the screen that stands.
type Desk interface {
	Touched(ctx context.Context, t Touch) error
}

// Buttons of the page. Each is drawn only on the screens it belongs to, and only where the Desk can answer it. Bigger
// code, lower page, language and the ways of help without the shop are the page's own: beside a code it draws help for them where the
// Desk has none, and then nobody is called.
const (
	ButtonStart  = "start"  // the customer wants to begin
	ButtonChoose = "choose" // a way to pay; Touch.Choice names it
	ButtonMore   = "more"   // more time for this code
	ButtonPaper  = "paper"  // the code on paper
	ButtonPrint  = "print"  // the receipt on paper
	ButtonCancel = "cancel" // asked once on the page itself
	ButtonHelp   = "help"   // somebody of the shop should come
	ButtonNew    = "new"    // a new code for the same purchase
	ButtonAgain  = "again"  // back to the beginning
	ButtonDone   = "done"   // the customer goes
	ButtonOther  = "other"  // another way to pay
	ButtonStay   = "stay"   // the customer is still there
	ButtonLeft   = "left"   // nobody answered whether he is still there
)

// Buttons lists them.
func Buttons() []string {
	return []string{
		ButtonStart, ButtonChoose, ButtonMore, ButtonPaper, ButtonPrint, ButtonCancel, ButtonHelp, ButtonNew, ButtonAgain, ButtonDone,
		ButtonOther, ButtonStay, ButtonLeft,
	}
}

// button is one of a screen, in the order of its place: the first is the likeliest.
type button struct {
	Name  string `json:"name"`
	After int64  `json:"after_ms,omitempty"` // drawn only this long after the screen came
}

// cancelAfter is how long the customer waits for his code before he may give up; preparing_slow comes no sooner by itself.
const cancelAfter = 5 * time.Second

// buttonsOf is which buttons a screen may have at a self-service till.
func buttonsOf(kind string) []button {
	all := func(names ...string) []button {
		out := make([]button, len(names))
		for i, n := range names {
			out[i].Name = n
		}
		return out
	}
	switch kind {
	case "idle", kindCart:
		return all(ButtonStart)
	case "choose":
		return all(ButtonChoose, ButtonCancel, ButtonStay, ButtonLeft)
	case "preparing_slow":
		return all(ButtonCancel)
	case "preparing", "preparing_changed":
		return []button{{ButtonCancel, cancelAfter.Milliseconds()}}
	case "code", "code_ending", "code_ending_cashier":
		return all(ButtonMore, ButtonPaper, ButtonHelp, ButtonCancel)
	case "paper": // it is there already
		return all(ButtonMore, ButtonHelp, ButtonCancel)
	case "scan", "scan_wrong", "scan_shop", "scan_old", "declined":
		return all(ButtonOther, ButtonCancel)
	case "part_paid":
		return all(ButtonMore, ButtonCancel)
	case "paid", "paid_paper":
		return all(ButtonDone, ButtonPrint)
	case "paid_less", "paid_over", "late", "returning", "returned":
		return all(ButtonDone)
	case "paying", "closing", "doubt", "doubt_kiosk": // the code comes back by itself, once the bank says that nobody pays it
		return all(ButtonHelp)
	case "expired":
		return all(ButtonNew, ButtonAgain)
	case "canceled":
		return all(ButtonAgain)
	case "unavailable":
		return all(ButtonOther, ButtonHelp)
	}
	return nil
}

// Able says whether the Desk can answer a button now; it can until Able says otherwise. A button that it cannot is on no
// screen, and comes and goes on the one that stands. It does not block.
func (k *Kiosk) Able(name string, able bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.unable[name] == !able {
		return
	}
	k.unable[name] = !able
	if k.now == nil || !slices.ContainsFunc(k.now.frame.Buttons, func(b button) bool { return b.Name == name }) {
		return
	}
	for p := range k.pages {
		k.send(p, fresh) // the same screen once more: the page makes no sound of it
	}
}

// offered are the buttons of the screen that stands which the Desk can answer now; k.mu is held.
func (k *Kiosk) offered() []button {
	return slices.DeleteFunc(slices.Clone(k.now.frame.Buttons), func(b button) bool { return k.unable[b.Name] })
}

// buttons of a screen on this page, those that the Desk cannot answer now too.
func (k *Kiosk) buttons(s display.Screen) []button {
	if k.cfg.Attended || k.cfg.Desk == nil {
		return nil
	}
	return slices.DeleteFunc(buttonsOf(s.Kind), func(b button) bool {
		return !slices.Contains(k.cfg.Buttons, b.Name) || s.NoMore && b.Name == ButtonMore
	})
}

// touch takes a pressed button in; k.mu is held. What was pressed on a screen that has gone, or that this screen does not
// have, is nobody's: a finger that comes late must not cancel the next customer's payment.
func (k *Kiosk) touch(p *page, w word) {
	now := time.Now()
	if k.now == nil || k.cfg.Desk == nil || w.Ref != k.now.frame.Ref || now.Sub(p.touched) < touchGap {
		return
	}
	f := k.now.frame
	if !slices.ContainsFunc(k.offered(), func(b button) bool { return b.Name == w.Button }) {
		return
	}
	if w.Button == ButtonChoose && !slices.ContainsFunc(f.Choices, func(c choice) bool { return c.ID == w.Choice }) {
		return
	}
	if w.Button != ButtonChoose {
		w.Choice = ""
	}
	p.touched = now
	select {
	case k.touches <- Touch{Lane: k.cfg.Lane, Ref: w.Ref, Button: w.Button, Choice: w.Choice}:
	default:
		k.cfg.Log.Warn("touch dropped: the desk does not keep up", "lane", k.cfg.Lane)
	}
}
