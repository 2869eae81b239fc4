package lane_test

import (
	"slices"
	"strconv"
	"testing"

	"tilld/payment"
	"tilld/payment/lane"
)

// A return that came back from the integrator after the journal was lost has no reference, but its key follows from one:
// the till's repeat is the same return, not a second one.
func TestReturnIsKnownByItsKeyAfterALostJournal(t *testing.T) {
	r := opened(t).kind(lane.FoundCopy)
	key := lane.ReturnKey(r.p.BillID, "C-1")
	r.snapshot(payment.EvDone, func(b *payment.Bill) {
		b.ByDeadline, b.By, b.Kept = false, "box", amount-5000
		b.Returns = []payment.BillReturn{{Key: key, Amount: 5000, How: "refund", State: "done"}}
	}).is(lane.Done, "part_returned")
	r.take(part("C-1", 5000)).didNot("put").is(lane.Done, "part_returned")
	if n := len(r.p.Returns); n != 1 || r.p.Returns[0].Reference != "C-1" {
		t.Errorf("returns %+v", r.p.Returns)
	}
	r.refused(part("C-1", 4000), lane.NoKeyReused)
	r.take(part("C-2", amount-5000)).did("put return")
}

// Money may come before the bank's answer to the create (B4b): the bill is open, and there is no code to draw yet.
func TestOpenWithoutAPayloadWaitsForTheCode(t *testing.T) {
	r := sent(t).bill(payment.EvPart).is(lane.Submitted, "submitted")
	r.snapshot(payment.EvOpen, func(b *payment.Bill) { b.Payload = "" }).is(lane.Submitted, "submitted").didNot("draw", "put")
	r.bill(payment.EvOpen).by("E3").did("draw")
}

func TestCreateRefusedWhileReturningLeavesNothingToReview(t *testing.T) {
	r := sent(t).giveBack("C-1").refusal(lane.VerbCreate, "amount_limit").by("E11").is(lane.Ended, "refused").did("drop return").flags()
	if x := r.p.Returns; len(x) != 1 || x[0].State != "done" || x[0].How != "cancel" {
		t.Errorf("returns %+v", x)
	}
	if len(r.p.Calls) != 0 {
		t.Errorf("calls %+v", r.p.Calls)
	}
}

func TestReturnOfAnUnknownBillIsDone(t *testing.T) {
	r := sent(t).answer(lane.VerbCreate, "created").giveBack("C-1").kind(lane.Snapshot).is(lane.Ended, "canceled").flags("review")
	if x := r.p.Returns; len(x) != 1 || x[0].State != "done" {
		t.Errorf("returns %+v", x)
	}
}

func TestOverriddenEndsWhenTheBillIsUnknown(t *testing.T) {
	none := sent(t).answer(lane.VerbCreate, "created").cut().override()
	none.refusal(lane.VerbReturn, payment.NoUnknownBill).is(lane.OverriddenEnded, "overridden").flags("review").did("tell payment.ended")
	r := overridden(t).refusal(lane.VerbReturn, payment.NoUnknownBill).is(lane.Overridden, "overridden").flags("review").did("put create", "put return").lights(false, true) // what came for its code goes back
	r.answer(lane.VerbCreate, "created").refusal(lane.VerbReturn, payment.NoUnknownBill).is(lane.OverriddenEnded, "overridden").did("tell payment.ended")
}

// The journal was lost, the till asked again under the same reference and cancelled before the integrator could say that
// it knows the reference: the first payment may be paid, so nothing is free.
func TestReferenceSeenAfterACancel(t *testing.T) {
	for _, c := range []struct {
		kind   string
		stage  lane.Stage
		state  string
		calls  []string
		byHand bool
	}{
		{payment.EvPaid, lane.Restored, "in_doubt", nil, true},
		{payment.EvOpen, lane.Closing, "closing", []string{"first:return:" + lane.ReturnKey("first", "")}, false},
		{payment.EvClosed, lane.Ended, "expired", nil, false},
	} {
		r := sent(t).giveBack("C-1")
		b := billOf(r.p, c.kind)
		b.Payment, b.Reason = "first", ""
		switch c.kind {
		case payment.EvClosed:
			b.Reason = payment.Expire
		}
		r.answered(lane.VerbCreate, lane.Answer{Outcome: payment.OutReferenceSeen, Bill: &b}).by("E2c").is(c.stage, c.state)
		r.flags("review").lights(false, c.stage == lane.Ended)
		var ids []string
		for _, x := range r.p.Calls {
			ids = append(ids, x.ID)
		}
		if len(ids) != len(c.calls) || len(ids) == 1 && ids[0] != c.calls[0] {
			t.Errorf("%s: calls %v", c.kind, ids)
		}
		if c.byHand {
			r.take(lane.Event{Kind: lane.TillReturn, Who: "Anna", Return: &lane.ReturnRequest{Reference: "C-2"}}).by("E33c").did("put return")
		}
	}
}

// B28: a person at the integrator has said that the goods left while this till was silent.
func TestFenceAfterSomebodyElsesConfirmIsRefused(t *testing.T) {
	r := returning(t)
	b := billOf(r.p, payment.EvDone)
	b.ByDeadline, b.By = false, "admin"
	r.answered(lane.VerbReturn, lane.Answer{Code: payment.NoAlreadyConfirmed, Bill: &b}).by("E15a").is(lane.Done, "confirmed").flags("review")
	if x := r.p.Returns; len(x) != 1 || x[0].State != "refused" {
		t.Errorf("returns %+v", x)
	}
	if r.p.Final != amount {
		t.Errorf("final %d", r.p.Final)
	}
	r.say("return/refused", "idle").lights(false, false) // the goods were promised to stay
	r.bill(payment.EvReview)
	if r.p.Returns[0].State != "refused" {
		t.Error("a later event calls the refused return done")
	}
	r.take(part("C-2", 5000)).did("put return")
}

func TestRestoredTellsItsReviewOnce(t *testing.T) {
	r := paid(t).kind(lane.FoundCopy)
	e := event(r.p, payment.EvPaid, func(b *payment.Bill) { b.Version-- })
	e.Kind = lane.Snapshot
	r.take(e).by("E33a").did("tell payment.review")
	r.take(e).by("E30").didNot("tell")
}

// An integrator of a later version may send events that this box has no row for.
func TestEventOfALaterVersionIsForAPerson(t *testing.T) {
	e := event(opened(t).p, payment.EvReview)
	e.Kind = "bill.moon"
	opened(t).take(e).by("E32").is(lane.Open, "open").flags("review").did("tell payment.review")
}

func TestReplacedSaysHowItsSaleStands(t *testing.T) {
	old := opened(t).take(lane.Event{Kind: lane.TillReplace, ID: "p2"}).answer(lane.VerbReturn, payment.OutFenced)
	next := done(t).p
	for stage, want := range map[lane.Stage]string{lane.Open: "busy", lane.Paid: "busy", lane.Released: "confirmed", lane.Done: "confirmed"} {
		next.ID, next.Replaces, next.Stage = "p2", "p1", stage
		c := lane.ViewContext{Link: true, Attended: true, Sale: []lane.Payment{old.p, next}}
		if got := lane.SayCode(old.p, c); got != want {
			t.Errorf("with the new one %s it says %s, want %s", stage, got, want)
		}
	}
}

func TestUnfinishedIsSaid(t *testing.T) {
	for _, kind := range []string{payment.EvDone, payment.EvConfirmWanted, payment.EvReturnWanted} {
		r := paid(t).say("paid", "paid").bill(kind).by("E18").say("paid/unfinished", "paid").lights(true, false)
		r.kind(lane.TillConfirm).say("confirmed", "paid")
	}
	r := paid(t, ownReturn).clock(lane.Ask).by("E18").say("paid/unfinished", "paid")
	r.giveBack("C-1").say("closing/cancel", "closing")
}

// The body of a payment that was adopted after a lost journal is not known, but its sum and kind are: the till's repeat
// finds it, and another sale under its reference does not.
func TestAnAdoptedPaymentIsFoundByItsReference(t *testing.T) {
	r := opened(t)
	r.p.Hash = ""
	r.take(asking()).by("E1a").is(lane.Open, "open")
	for _, change := range []func(*lane.Request){
		func(q *lane.Request) { q.Amount.Value++ }, scanMode, func(q *lane.Request) { q.Purpose = payment.Prepayment },
	} {
		e := asking()
		change(e.Create)
		r.refused(e, lane.NoKeyReused)
	}
}

// B28: while this till was silent, somebody decided that the goods had left. The till learns it by event or by snapshot,
// and with a part of the money it is not told to hand over.
func TestDoneElsewhereWhileClosing(t *testing.T) {
	whole := func(b *payment.Bill) { b.By = "admin" }
	half := func(b *payment.Bill) { b.By, b.Fill, b.Paid, b.Kept = "admin", payment.Part, 5000, 5000 }
	for _, r := range []*run{expiring(t), late(t), accepting(t), opened(t)} {
		if r.p.Stage == lane.Open {
			r.clock(lane.Countdown).kind(lane.TillPark)
		}
		at := *r
		at.bill(payment.EvDone, whole).is(lane.Paid, "paid")
		at = *r
		at.snapshot(payment.EvDone, whole).is(lane.Paid, "paid")
		at = *r
		at.bill(payment.EvDone, half).by("E15a").is(lane.Done, "confirmed").did("tell payment.review")
		if at.p.Final != 5000 || !at.p.Review {
			t.Errorf("%s: final %d, review %v", r.p.Stage, at.p.Final, at.p.Review)
		}
		at = *r
		at.snapshot(payment.EvDone, half).by("E15a").is(lane.Done, "confirmed")
	}
}

func TestRestoredSaysSinceWhenNobodyKnows(t *testing.T) {
	r := paid(t).kind(lane.FoundCopy).is(lane.Restored, "in_doubt")
	if v := lane.View(r.p, r.context()); v.DoubtSince == nil || !v.DoubtSince.Equal(r.now) || v.DoubtWhy != "journal" {
		t.Errorf("since %v, why %q", v.DoubtSince, v.DoubtWhy)
	}
	r.say("in_doubt", "doubt")
}

// TestSounds: what a screen is to be heard with, and that it is the right screen.
func TestSounds(t *testing.T) {
	expire := func(b *payment.Bill) { b.Reason, b.Fence = payment.Expire, false }
	tooLate := func(b *payment.Bill) { b.Late, b.Paid, b.Owed = payment.LateLapsed, amount, amount }
	over := func(b *payment.Bill) { b.Paid, b.Over, b.Owed = amount+5000, 5000, 5000 }
	for _, c := range []struct {
		name, screen, sound string
		run                 *run
	}{
		{"the code is shown", "code", "ready", opened(t)},
		{"a part", "part_paid", "half", opened(t).bill(payment.EvPart)},
		{"paid", "paid", "paid", paid(t)},
		{"paid too much at once", "paid_over", "over", opened(t).bill(payment.EvPaid, over)},
		{"paid once more", "paid_over", "low", paid(t).bill(payment.EvOver)},
		{"paid once more after the goods", "paid_over", "low", done(t).bill(payment.EvOver, func(b *payment.Bill) { b.Life, b.Reason = payment.Closed, payment.Done })},
		{"declined", "declined", "no", charging(t).bill(payment.EvDeclined)},
		{"expired", "expired", "no", expiring(t).bill(payment.EvClosed, expire)},
		{"money that nobody took", "late", "low", expiring(t).bill(payment.EvPaidAfter).bill(payment.EvClosed, expire, tooLate)},
		{"money after the end", "late", "low", expiring(t).bill(payment.EvClosed, expire).bill(payment.EvPaidAfter, func(b *payment.Bill) { b.Life = payment.Closed })},
		{"canceled", "canceled", "", returning(t).bill(payment.EvClosed)},
		{"set aside", "idle", "", expiring(t).kind(lane.TillPark).bill(payment.EvClosed, expire)},
	} {
		heard := ""
		for _, f := range c.run.fx {
			if f.Do == lane.Sound {
				heard = f.Type
			}
		}
		if screen := lane.Screen(c.run.p, c.run.context()); screen != c.screen || heard != c.sound {
			t.Errorf("%s: %s with %q, want %s with %q", c.name, screen, heard, c.screen, c.sound)
		}
	}
}

// TestTheCashierHearsWhy: a code that the bank did not give, and a return that it refused, say why in the cashier's words.
func TestTheCashierHearsWhy(t *testing.T) {
	refused := func(why string) *run {
		return sent(t).bill(payment.EvClosed, func(b *payment.Bill) { b.Reason, b.Why = payment.Refused, why }).say("refused", "unavailable")
	}
	above := sent(t).bill(payment.EvClosed, func(b *payment.Bill) {
		b.Reason, b.Why, b.Most = payment.Refused, payment.WhyAmount, 10000
	}).say("refused", "unavailable")
	if got := lane.Blanks(above.p, above.context())["max"]; got != "100.00" {
		t.Errorf("the most that the bank takes is %q", got)
	}
	asked, old := done(t).take(part("C-1", 5000)), done(t).take(part("C-1", 5000))
	for _, c := range []struct {
		run  *run
		want string
	}{
		{refused("refused"), "bank_refused"},
		{refused("limit"), "bank_refused"}, // the bank's no to a payer, for good
		{refused("no_provider"), "bad_settings"},
		{refused(""), ""},
		{refused(payment.WhyAmount), "bank_refused"}, // it did not say what it takes
		{above, payment.WhyAmount},
		{old.bill(payment.EvReview, func(b *payment.Bill) {
			b.Life, b.Reason, b.Why = payment.Closed, payment.Done, payment.WhyTooOld
			b.Returns = []payment.BillReturn{{Key: old.p.Returns[0].ID, Amount: 5000, How: "undecided", State: "person"}}
		}).say("return/refused", "returning"), payment.WhyTooOld},
		{asked.bill(payment.EvReview, func(b *payment.Bill) {
			b.Life, b.Reason, b.Why = payment.Closed, payment.Done, "return_refused"
			b.Returns = []payment.BillReturn{{Key: asked.p.Returns[0].ID, Amount: 5000, How: "refund", State: "person"}}
		}).say("return/refused", "returning"), "bank_refused"},
		{done(t).take(part("C-1", 5000)).refusal(lane.VerbReturn, payment.NoExceedsKept).say("return/refused", "paid"), "nothing_left"},
		{done(t).take(part("C-1", 5000)).refusal(lane.VerbReturn, payment.NoTooManyReturns).say("return/refused", "paid"), "not_accepted"},
		{done(t).take(part("C-1", 5000)).refusal(lane.VerbReturn, "bad_params").say("return/refused", "paid"), "not_accepted"},
	} {
		if got := lane.Blanks(c.run.p, c.run.context())["why"]; got != c.want {
			t.Errorf("%s of %q: %q, want %q", c.run.p.Stage, c.run.p.Trouble, got, c.want)
		}
	}
}

// TestReturnsOfAPaymentAreCounted: an event lists every return of its bill, and has to fit in one frame.
func TestReturnsOfAPaymentAreCounted(t *testing.T) {
	r := done(t)
	for i := range payment.MaxReturns {
		if !slices.Contains(lane.Next(r.p, r.context()), "return") {
			t.Fatalf("after %d returns there is no other", i)
		}
		r.take(part("C-"+strconv.Itoa(i), 1)).by("E16")
	}
	if r.refused(part("one-more", 1), lane.NoTooManyReturns); slices.Contains(lane.Next(r.p, r.context()), "return") {
		t.Error("a return is on offer that is refused")
	}
	r.take(part("C-0", 1)).by("return_again")
}
