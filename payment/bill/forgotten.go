package bill

import "tilld/payment"

// forget puts a live bill under review whose box has lost its journal, so that nobody guesses where the goods are. No
// money and no stage is touched, and every row goes on as before.
func (r *run) forget() {
	if r.s.Review || closed(&r.s) && !doneByOthers(&r.s) {
		return
	}
	r.s.Review, r.s.Why = true, "journal_lost"
	f := tell(payment.EvReview)
	r.s.Version++
	f.Bill = Snapshot(r.s, r.now)
	r.fx = append(r.fx, f, notice("journal_lost"))
}
