package bill

import "tilld/payment"

// journalLost is why a bill is under review whose box has lost its journal.
const journalLost = "journal_lost"

// found ends that review: the box has said what became of the goods. After a lost journal that is a person's word, or
// nothing had left. What else the bill is under review for stays.
func found(s *State) {
	if forgotten(s) {
		s.Review, s.Why, s.Before = s.Before != "", s.Before, ""
	}
}

// forgotten: the bill is under review because one end has lost what the other knows.
func forgotten(s *State) bool { return s.Why == journalLost || s.Why == payment.WhyLedgerRestored }

// forget puts a bill under review of which one end has lost what the other knows, so that nobody guesses where the goods
// are: a live one where it is the box's journal. No money and no stage is touched, and every row goes on as before. A live
// bill of a ledger that was put back is marked so whatever it was under review for before, because that is how its box knows
// that it has to say its fence or its confirm again (rows E10l, E15l). Of a closed one the box asks by itself.
func (r *run) forget(why string) {
	s := &r.s
	before := ""
	switch {
	case why == journalLost && closed(s) && !doneByOthers(s):
		return
	case s.Review && (why == journalLost || s.Why == why || closed(s)):
		return
	case s.Review && s.Why != journalLost:
		before = s.Why
	}
	s.Review, s.Why, s.Before = true, why, before
	f := tell(payment.EvReview)
	s.Version++
	f.Bill = r.bill()
	r.fx = append(r.fx, f, notice(why))
}

// suspect puts the bill under review. The mark of a ledger that was put back stays in front while the bill lives: its box
// still waits for it.
func suspect(s *State, why string) {
	if s.Review && s.Why == payment.WhyLedgerRestored && !closed(s) {
		s.Before = why
		return
	}
	s.Review, s.Why, s.Before = true, why, ""
}
