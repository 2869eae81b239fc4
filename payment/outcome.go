package payment

// Outcomes of an accepted call of the box, as they stand on the link.
const (
	OutCreated       = "created"
	OutReferenceSeen = "reference_seen" // the (lane, reference) is known under another id: its bill is in the answer
	OutBill          = "bill"           // of bill.get
	OutFenced        = "fenced"         // the whole return is committed: no money can win any more
	OutAccepted      = "accepted"
	OutLapsed        = "lapsed" // late money was not on offer any more
	OutConfirmed     = "confirmed"
	OutReturning     = "returning"
	OutCharging      = "charging"
	OutVoid          = "void"
	OutExtended      = "extended"
	OutApplied       = "applied"
)
