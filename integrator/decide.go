package integrator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tilld/integrator/provider"
	"tilld/payment"
	"tilld/payment/bill"
)

// Decision is what a person decides about one bill. Who and Why are kept with it.
type Decision struct {
	Verdict    string // bill.Verdict…
	Obligation string // of retry, manual and stays; "": the only one that waits
	Who        string // at most payment.MaxWho characters
	Why        string // at most payment.MaxReason: what was seen, the evidence where a row wants some
	// Of paid, as the bank's own list has it.
	Txn    string    // the bank's id of the payment, at most payment.MaxTxn bytes
	Amount string    // in the bill's currency: 125.50
	PaidAt time.Time // by the wall clock
}

// Decided is a decision that stands, and the bill as it is now.
type Decided struct {
	Past
	Bill Waiting `json:"bill"`
}

// verdicts are the words of Decision.Verdict.
var verdicts = []string{
	bill.VerdictDead, bill.VerdictPaid, bill.VerdictDone, bill.VerdictReturn, bill.VerdictRetry, bill.VerdictManual, bill.VerdictStays, bill.VerdictSeen,
}

// Decide takes a person's decision through the table (B21a, B28, B39, O7): who and why are in the same commit as what it
// does, and the box hears of it as of any news. A decision that was taken before is answered as it was then, whoever asks. A
// *Refusal says in a sentence what stands against it, and nothing has changed; any other error leaves it unknown, and
// asking again is safe. quiet is that of Waiting.
//
// Of retry the bank is asked first, and the answer is taken in like any other.
func (s *Service) Decide(ctx context.Context, id string, d Decision, quiet func(terminal string) time.Duration) (Decided, error) {
	if err := d.check(); err != nil {
		return Decided{}, err
	}
	st, err := s.store.Bill(ctx, id)
	if errors.Is(err, ErrUnknownBill) {
		return Decided{}, no("there is no bill of this id: integrator review lists those that wait")
	}
	if err != nil {
		return Decided{}, fmt.Errorf("decide: %w", err)
	}
	e, err := s.basis(ctx, st, quiet)
	if err != nil {
		return Decided{}, fmt.Errorf("decide: %w", err)
	}
	if err := s.word(st, d, &e); err != nil {
		return Decided{}, err
	}
	_, before := bill.Recorded(st, e)
	switch may := choice(st, e); {
	case may && d.Verdict == bill.VerdictRetry:
		if err := s.notDone(ctx, st, e.Obligation); err != nil {
			return Decided{}, err
		}
		e.NotDone = true
	case !may && !before:
		return Decided{}, s.against(st, d, e)
	}
	var refusal *Refusal
	var taken *CreditTaken
	switch _, err := s.Act(ctx, id, e); {
	case errors.As(err, &refusal):
		if st, err = s.store.Bill(ctx, id); err != nil {
			return Decided{}, fmt.Errorf("decide: %w", err)
		}
		return Decided{}, s.against(st, d, e)
	case errors.As(err, &taken):
		return Decided{}, no(taken.Error() + ": look at the bank's list once more")
	case err != nil:
		return Decided{}, err
	}
	return s.decided(ctx, id, e, quiet)
}

// decided is the answer: what stands, and the bill.
func (s *Service) decided(ctx context.Context, id string, e bill.Event, quiet func(string) time.Duration) (Decided, error) {
	st, err := s.store.Bill(ctx, id)
	if err != nil {
		return Decided{}, fmt.Errorf("decide: %w", err)
	}
	w, err := s.waiting(ctx, st, quiet)
	if err != nil {
		return Decided{}, fmt.Errorf("decide: %w", err)
	}
	stands, _ := bill.Recorded(st, e)
	return Decided{s.past(stands), w}, nil
}

// check refuses what no bill could take.
func (d Decision) check() error {
	known := false
	for _, v := range verdicts {
		known = known || d.Verdict == v
	}
	switch {
	case !known:
		return no("a decision is one of " + strings.Join(verdicts, ", ") + ": integrator review says which has its place")
	case !oneLine(d.Who, payment.MaxWho):
		return no(fmt.Sprintf("who decides is a name of 1 to %d characters on one line", payment.MaxWho))
	case !oneLine(d.Why, payment.MaxReason):
		return no(fmt.Sprintf("why is 1 to %d characters on one line: what was seen, and where", payment.MaxReason))
	case d.Verdict != bill.VerdictPaid && (d.Txn != "" || d.Amount != "" || !d.PaidAt.IsZero()):
		return no("a payment is named of paid alone")
	case d.Verdict == bill.VerdictPaid && (!payment.Printable(d.Txn, payment.MaxTxn) || d.Amount == "" || d.PaidAt.IsZero()):
		return no("paid wants the payment as the bank's own list has it: its id there, its amount, and when it was paid")
	case d.Obligation != "" && !owes(d.Verdict):
		return no("an obligation is named of retry, manual and stays alone")
	}
	return nil
}

func owes(verdict string) bool {
	return verdict == bill.VerdictRetry || verdict == bill.VerdictManual || verdict == bill.VerdictStays
}

// oneLine says whether text is one line that people can read, of 1 to n characters.
func oneLine(text string, n int) bool {
	return strings.TrimSpace(text) != "" && payment.Fits(text, n) && utf8.ValidString(text) &&
		!strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' })
}

// word puts the decision into the table's words.
func (s *Service) word(st bill.State, d Decision, e *bill.Event) error {
	e.Cause, e.Verdict, e.Who, e.Why, e.Evidence = bill.Decided, d.Verdict, d.Who, d.Why, d.Why
	if owes(d.Verdict) {
		e.Cause = bill.Resolved
		return debt(st, d, e)
	}
	if d.Verdict != bill.VerdictPaid {
		return nil
	}
	m, err := payment.Parse(d.Amount, st.Request.Amount.Currency)
	if err != nil || m.Value <= 0 {
		return no("the amount is written as 125.50, in " + st.Request.Amount.Currency + ", and is more than nothing")
	}
	if d.PaidAt.After(s.time.day().Add(clockStep)) || d.PaidAt.Before(s.shown(st.CreatedAt)) {
		return no("it was paid after the bill was made, " + s.shown(st.CreatedAt).Format(time.RFC3339) + ", and before now: look at the day and the hour once more")
	}
	e.Credit, err = named(st, bill.Credit{Txn: d.Txn, Amount: m.Value, PaidAt: d.PaidAt, Evidence: d.Why})
	return err
}

// debt finds the obligation that is meant.
func debt(st bill.State, d Decision, e *bill.Event) error {
	if d.Obligation != "" {
		e.Obligation = d.Obligation
		return nil
	}
	var waits []string
	for _, o := range st.Obligations {
		if o.Personal(&e.Env.Traits) {
			waits = append(waits, o.ID)
		}
	}
	switch len(waits) {
	case 1:
		e.Obligation = waits[0]
		return nil
	case 0: // asked again
		for _, p := range st.Decisions {
			if p.Verdict == d.Verdict {
				e.Obligation = p.Obligation
			}
		}
		return nil
	}
	return no("several obligations of this bill wait, name the one: " + strings.Join(waits, ", "))
}

// choice says whether a row takes e now.
func choice(st bill.State, e bill.Event) bool {
	for _, c := range bill.Choices(st, e) {
		if c.Verdict == e.Verdict && c.Obligation == e.Obligation {
			return e.Credit == nil || !booked(st, *e.Credit)
		}
	}
	return false
}

func booked(st bill.State, c bill.Credit) bool {
	for _, x := range st.Credits {
		if x.Provider == c.Provider && x.Txn == c.Txn {
			return true
		}
	}
	return false
}

// notDone asks the bank whether a return that it had refused was done after all, and takes its whole answer in.
func (s *Service) notDone(ctx context.Context, st bill.State, id string) error {
	attempt := 0
	for _, o := range st.Obligations {
		if o.ID == id {
			attempt = o.Attempt
		}
	}
	order, ok := orderOf(st, attempt)
	if !ok {
		return no("the bank cannot be asked: this money came on no order of it. Give it back by hand, then decide manual")
	}
	w := Work{Work: bill.Work{Kind: bill.Look, Attempt: attempt}, Bill: st.ID, Provider: st.Request.Provider}
	rep := bill.Report{Work: bill.Look, Attempt: attempt}
	r, err := s.call(ctx, w, st, order)
	s.heard(ctx, w.Provider, w.Kind, err)
	s.read(&rep, st, r, err)
	if err := s.reported(context.WithoutCancel(ctx), Subject{Bill: st.ID}, rep); err != nil {
		return fmt.Errorf("decide: %w", err)
	}
	if rep.Fail != bill.Answered || rep.Status == bill.Unknown {
		if errors.Is(err, provider.ErrRefused) {
			return no("the bank does not say whether it has given the money back, so nothing is tried again: ask it by telephone")
		}
		return no("the bank did not answer whether it has given the money back, so nothing was tried again: ask later")
	}
	now, err := s.store.Bill(ctx, st.ID)
	if err != nil {
		return fmt.Errorf("decide: %w", err)
	}
	if !bill.NotDone(now, id, rep) {
		return no("the bank says that this money is on its way back, or has gone back: do not try again. Look at its own list, then decide manual")
	}
	return nil
}

func no(sentence string) *Refusal { return &Refusal{Code: payment.NoWrongState, Why: sentence} }

// against is a sentence on why this decision has no place now.
func (s *Service) against(st bill.State, d Decision, e bill.Event) error {
	e.Now, e.Env = s.time.now(), s.env(st.Request.Provider)
	var may []string
	for _, c := range bill.Choices(st, e) {
		may = append(may, strings.TrimSpace(c.Verdict+" "+c.Obligation))
	}
	text := "the bill is " + bill.PublicStatus(st)
	switch {
	case d.Verdict == bill.VerdictPaid && e.Credit != nil && booked(st, *e.Credit):
		text = "this payment is in the books already"
	case st.Doubt && !st.Review && (d.Verdict == bill.VerdictDead || d.Verdict == bill.VerdictPaid):
		asked := "the bank is still asked about this bill, until "
		if s.gone(st) {
			asked = "nobody asks the bank about this bill, because the settings do not name " + st.Request.Provider + " any more; it is left time until "
		}
		text = asked + s.shown(st.DoubtSince.Add(s.set.Silent)).Format(time.RFC3339) + "; from then on a person may decide"
	case d.Verdict == bill.VerdictRetry && s.gone(st):
		text = "nothing can be tried at a bank that the settings do not name any more (" + st.Request.Provider + "): put it back into them, or look at the bank's own list and give it back by hand"
	case d.Verdict == bill.VerdictDead && st.Doubt && st.Refunding() && s.gone(st):
		text = "the bank may have given back by itself what has come: say first of that obligation what the bank's own list says"
	case d.Verdict == bill.VerdictDead && st.Doubt && st.Refunding():
		text = "the bank may be giving back by itself what has come, and until it has said whether it does the bill is not over"
	case d.Verdict == bill.VerdictRetry && owesNow(st, e.Obligation):
		text = "there is no way left by which the bank could give this back"
	case d.Verdict == bill.VerdictDone || d.Verdict == bill.VerdictReturn:
		text += "; that is for the money of a box that does not come any more: away for longer than " + s.set.Bill.TillSilent.String() +
			" of this server's running, or blocked (integrator terminal block); return wants it blocked, and no fence stands before done"
	case d.Verdict == bill.VerdictSeen && st.Review && st.Life != payment.Closed:
		text += " and not over: its box has the next word, in the shop"
	case owes(d.Verdict):
		text += ", and no such obligation of it waits for a person"
	}
	if len(may) == 0 {
		return no(text + ". Nothing is to be decided about it now")
	}
	return no(text + ". What may be decided: " + strings.Join(may, ", "))
}

// owesNow: this obligation waits for a person.
func owesNow(st bill.State, id string) bool {
	for _, o := range st.Obligations {
		if o.ID == id && o.State == bill.Human {
			return true
		}
	}
	return false
}
