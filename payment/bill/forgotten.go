package bill

import "tilld/payment"

// journalLost is why a bill is under review whose box has lost its journal.
const journalLost = "journal_lost"

// found ends that review: the box has said what became of the goods. After a lost journal that is a person's word, or
// nothing had left.
func found(s *State) {
	if forgotten(s) {
		s.Review, s.Why = false, ""
	}
}

// forgotten: the bill is under review because one end has lost what the other knows.
func forgotten(s *State) bool { return s.Why == journalLost || s.Why == payment.WhyLedgerRestored }

// forget puts a bill under review of which one end has lost what the other knows, so that nobody guesses where the goods
// are: a live one where it is the box's journal. No money and no stage is touched, and every row goes on as before.
func (r *run) forget(why string) {
	if r.s.Review || why == journalLost && closed(&r.s) && !doneByOthers(&r.s) {
		return
	}
	r.s.Review, r.s.Why = true, why
	f := tell(payment.EvReview)
	r.s.Version++
	f.Bill = r.bill()
	r.fx = append(r.fx, f, notice(why))
}
